//! `explain`: why a page may or may not read an answer, and what to change.
//!
//! A [`question`] is asked over a [`Network`](corscheck_cases::oracle::network::Network): sockets, or the answers of an
//! [`answer_file`]. The oracle's user agent does what a browser would ([`run`]); a [`recording`] keeps the wire; where it tells
//! causes apart, a [`probe`] asks besides. All of that is the [`evidence`]. Everything else here is a pure function of it: the
//! [`verdict`], the [`symptoms`] with their [`diagnosis`], the [`fix`], what the [`consoles`] of browsers say, and the renderers
//! [`text`] and [`json`].

pub mod answer_file;
pub mod consoles;
pub mod described;
pub mod diagnosis;
pub mod evidence;
pub mod fix;
pub mod json;
pub mod live;
pub mod near;
pub mod probe;
pub mod question;
pub mod reach;
pub mod recording;
pub mod replay;
pub mod run;
pub mod symptoms;
pub mod text;
pub mod verdict;
pub mod wire;

#[cfg(test)]
mod scene;

use self::{consoles::Consoles, diagnosis::Diagnosis, evidence::Evidence, fix::Fix, live::Confirmation, verdict::Verdict};

/// Everything that is told of a request.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// Where the answers come from.
    pub source: Source,
    /// What is known.
    pub evidence: Evidence,
    /// What it came to.
    pub verdict: Verdict,
    /// What was recognised: the likely cause first.
    pub diagnoses: Vec<Diagnosis>,
    /// What to change.
    pub fix: Option<Fix>,
    /// What browsers say of it.
    pub consoles: Consoles,
    /// What a real browser made of it, where one was asked; or why none has.
    pub confirmation: Option<Result<Confirmation, String>>,
}

/// Where answers come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// From servers.
    Live {
        /// Whether there were to be probes.
        probes: bool,
    },
    /// From a file that describes them.
    File(String),
}

impl Explanation {
    /// Draws every conclusion that there is.
    pub fn of(evidence: Evidence, source: Source) -> Self {
        Self {
            verdict: verdict::verdict(&evidence),
            diagnoses: diagnosis::diagnose(&evidence),
            fix: fix::fix(&evidence),
            consoles: consoles::consoles(&evidence),
            evidence,
            source,
            confirmation: None,
        }
    }
}
