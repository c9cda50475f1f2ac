//! The one stream of events of a run, and the records of a results file.
//!
//! Everything that is shown or written is made from these: the terminal, `results.jsonl`, JUnit, the summary.

use corscheck_cases::{Level, Reason, Topology};
use serde::{Deserialize, Serialize};

use crate::{
    observation::Observation,
    shrink::Shrunk,
    verdict::{Judgement, Standing, Verdict},
};

/// Version of the results format. A reader refuses a greater one; additions that old readers may ignore do not raise it.
pub const FORMAT: u32 = 1;

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run begins.
    Started(Header),
    /// A session of a browser is up.
    SessionStarted {
        /// The browser.
        browser: String,
        /// From 1; the second and later ones replace lost ones or repeat cases.
        session: u32,
        /// How long it took, in milliseconds.
        ms: u64,
    },
    /// A page has told how cases ended; they are judged when the controls after them have succeeded.
    Seen {
        /// The browser.
        browser: String,
        /// How many more cases.
        cases: usize,
    },
    /// Something worth knowing that is no result: a lost session, a retry, a browser that could not be started.
    Note {
        /// The browser, where it is about one.
        browser: Option<String>,
        /// What happened.
        text: String,
    },
    /// A case has its final verdict in one browser.
    Result(Box<CaseResult>),
    /// A generated case that failed was made simpler.
    Shrunk(Box<Shrunk>),
    /// A browser has done all of its cases.
    BrowserFinished {
        /// The browser.
        browser: String,
    },
    /// The run is over.
    Finished(Footer),
}

/// One line of `results.jsonl`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum Record {
    /// The first line.
    Header(Header),
    /// A result.
    Result(Box<CaseResult>),
    /// A note.
    Note {
        /// The browser, where it is about one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        browser: Option<String>,
        /// What happened.
        text: String,
    },
    /// The last line; a file without it was cut off.
    Footer(Footer),
}

/// What a run is: the first record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of corscheck.
    pub corscheck: String,
    /// When it started, RFC 3339, UTC.
    pub started: String,
    /// The command line.
    pub command: Vec<String>,
    /// Operating system and architecture of the harness.
    pub platform: String,
    /// The browsers of the run with exact versions.
    pub browsers: Vec<BrowserInfo>,
    /// How many cases were selected for each browser.
    pub cases: usize,
    /// Where the cases were read from, when not the built-in catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<String>,
    /// The ports of the origins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<Topology>,
    /// Of a certification: who was certified, with the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// A browser of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserInfo {
    /// `chromium`, `firefox`, `webkit`, `simulated`.
    pub browser: String,
    /// Exact version of the browser, as its binary says; `remote` when only the session will know. Of the simulated user agent the
    /// commit of the standard it follows.
    pub version: String,
    /// Exact version of the driver; `none` where nothing drives.
    pub driver: String,
    /// What is wrong with the simulated user agent, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defects: Vec<String>,
}

/// The end of a run: the last record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Footer {
    /// Whether every selected case has a result.
    pub complete: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cut_short: Option<String>,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// How many results there are.
    pub results: usize,
}

/// A case's final verdict in one browser, with every attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// The case's id.
    pub case: String,
    /// Its title.
    pub title: String,
    /// The browser.
    pub browser: String,
    /// Its level.
    pub level: Level,
    /// Where it was made: `a/window`.
    pub place: String,
    /// The verdict that counts: the last attempt's.
    pub verdict: Verdict,
    /// Against baseline and other attempts.
    pub standing: Standing,
    /// The address of the known deviation it matches or contradicts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known: Option<String>,
    /// What was expected, in words, step by step.
    pub expected: Vec<String>,
    /// The reasons that are right, step by step; empty for reads that are not blocked.
    pub reasons: Vec<Vec<Reason>>,
    /// Whether the browser's own reason is one of ours; absent where it gave none or none was due.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason_agrees: Option<bool>,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
    /// Of a certification: the rules that it shows to be broken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<BrokenRule>,
    /// Of a certification: the steps of the standard that decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

/// A rule of a certification that is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenRule {
    /// Its id.
    pub id: String,
    /// What is wrong.
    pub title: String,
    /// How bad that is.
    pub severity: String,
    /// Why.
    pub why: String,
    /// What to do.
    pub fix: String,
    /// The address in the standard.
    pub spec: String,
    /// Who had it.
    pub evidence: Vec<String>,
}

/// One attempt at a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The session of this browser it was made in, from 1.
    pub session: u32,
    /// The token that stands in its URLs.
    pub token: String,
    /// Verdict and grounds.
    pub judgement: Judgement,
    /// Page, wire and words.
    pub observation: Observation,
}

impl CaseResult {
    /// The attempt that counts.
    pub fn last(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// Whether it makes the run fail.
    pub fn fails_run(&self, strict: bool) -> bool {
        match self.standing {
            Standing::AsExpected | Standing::Known => false,
            Standing::Stale => true,
            Standing::Flaky => strict,
            Standing::Unexpected => match self.level {
                Level::Must => true,
                Level::Should => strict,
                Level::Info => false,
            },
        }
    }
}

/// Receives the events of a run.
pub trait Reporter {
    /// Takes one event.
    ///
    /// # Errors
    ///
    /// What the operating system says when a file cannot be written.
    fn event(&mut self, event: &Event) -> std::io::Result<()>;
}
