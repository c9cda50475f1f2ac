//! The oracle: what the standard demands of a user agent, for any case, and why.
//!
//! It implements the CORS-relevant algorithms of the [Fetch standard] (main fetch and all it calls, the CORS protocol, the
//! Request constructor and `fetch()`), those of [XMLHttpRequest], and what they need of Referrer Policy, Fetch Metadata,
//! cookies, Subresource Integrity and HTTP/1.1. It does no I/O: a [`Network`](network::Network) answers its requests. A case brings its own (its
//! script), which makes a [`Prediction`]; the simulated user agent brings sockets.
//!
//! ```
//! use corscheck_cases::{Catalogue, Outcome, Topology, oracle::Scenario};
//!
//! let catalogue = Catalogue::embedded().expect("it parses");
//! let case = catalogue.find("cors-check/acao-absent").expect("it is there");
//! let scenario = Scenario::new(case, &Topology::example(), "0123456789abcdef");
//! let prediction = scenario.predict();
//! let step = &prediction.steps[0];
//! assert_eq!(step.view.outcome(), Outcome::Blocked);
//! for taken in &step.path {
//!     println!("{taken}");
//! }
//! ```
//!
//! [Fetch standard]: https://fetch.spec.whatwg.org/
//! [XMLHttpRequest]: https://xhr.spec.whatwg.org/

mod api;
mod coding;
pub mod cookies;
pub mod defect;
mod fetch;
pub mod freedom;
pub mod grammar;
pub mod headers;
pub mod http1;
pub mod http_cache;
mod initiator;
mod integrity;
mod lapses;
pub mod logins;
pub mod network;
pub mod origin;
pub mod policy;
pub mod preflight_cache;
pub mod preloads;
mod request;
pub mod safelist;
pub mod scenario;
pub mod site;
pub mod trace;
mod user_agent;

pub use api::{Call, End, Seen, View};
pub use defect::{Defect, Defects, UnknownDefect};
pub use freedom::{Allowed, Freedom};
pub use request::{Destination, Ending, Environment, Failure, ReferrerPolicy, ReferrerSource};
pub use scenario::{Predicted, PredictedExchange, Prediction, Scenario};
pub use trace::{Algorithm, Compared, NoTrace, Path, PathStep, Trace};
pub use user_agent::{Settings, UserAgent};

/// The commit of the Fetch standard that the algorithms were written against (2 July 2026).
pub const FETCH_COMMIT: &str = "586cd2a44c2a865b37c166dc0740f3fb8bb220d6";

/// The commit of the XMLHttpRequest standard (14 May 2026).
pub const XHR_COMMIT: &str = "d375b2858e46f8c253d1f1380744ee7ebec432b4";
