//! The simulated user agent: the oracle's state machine behind the same observations that a browser gives.

pub mod observe;
