//! The simulated user agent: the oracle's state machine over a real HTTP client, behind the same observations that a browser gives.
//!
//! It implements none of the algorithms itself. [`corscheck_cases::oracle`] decides what is asked and what a page may see; the
//! [`client`] carries it over the wire, [`observe`] puts it into the form that the judge reads, and a [`page::Link`] is what an agent in
//! a browser's page is to the harness.

pub mod client;
pub mod observe;
pub mod page;

mod connection;
mod http1;
mod http2;
