//! The simulated user agent: the oracle's state machine behind the same observations that a browser gives.

pub mod client;
pub mod observe;

mod connection;
mod http1;
mod http2;
