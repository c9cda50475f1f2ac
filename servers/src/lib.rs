//! Paired origin servers on loopback that answer cross-origin requests from a script and record every byte that arrives.
//!
//! - [`Servers`] binds one origin for each [`Alias`](corscheck_cases::Alias) and answers below `/t/TOKEN/` what was registered
//!   for that [`Token`]; every other path is served by the caller's own pages.
//! - An [`Exchange`] is the evidence: one request as it came off the wire, and what was sent in answer.
//!
//! HTTP/1.1 requests are read and answered by this crate itself, byte by byte: a library would refuse to send half of what a
//! case needs, and would tidy up what a browser sent. HTTP/2 is hyper's; see [`RecordedRequest::fields`] for what that means.

mod body;
mod exchange;
pub mod forward;
mod http1;
mod http2;
mod listener;
pub mod middleware;
mod pages;
pub mod proxy;
mod recorder;
pub mod reference;
mod servers;
mod socket;
mod tls;
mod token;
mod wire_bytes;

pub use exchange::{Exchange, Fate, HttpVersion, RecordedAnswer, RecordedRequest};
pub use servers::{Options, Servers, StartError};
pub use token::{ParseTokenError, Token};
pub use wire_bytes::WireBytes;
