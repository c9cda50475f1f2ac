//! corscheck: a browser-driven conformance test harness for CORS and the Fetch standard.
//!
//! Paired origin servers serve test pages; real browsers, driven over WebDriver, make cross-origin requests from them; what the
//! page saw and what crossed the wire is compared with what the Fetch standard demands. The way of a case through the crate:
//!
//! [`plan`] groups cases by page · [`drive`] runs them in a [`user_agent`], which is a [`browser`] with the [`agent`] in its page or
//! the [`simulated`] one, between live [`control`]s · the [`judge`] compares the [`observation`] with the expectation · its [`verdict`] gets a [`standing`](mod@standing)
//! against known deviations · an [`event`] goes to every reporter in [`report`]. A generated case that fails is made simpler by
//! [`mod@shrink`].

pub mod agent;
pub mod bench;
pub mod browser;
pub mod certify;
pub mod cli;
pub mod control;
pub mod drive;
pub mod event;
pub mod exit;
pub mod explain;
pub mod judge;
pub mod observation;
pub mod plan;
pub mod report;
pub mod rerun;
pub mod run;
pub mod serve;
pub mod shrink;
pub mod simulated;
pub mod standing;
pub mod user_agent;
pub mod verdict;
