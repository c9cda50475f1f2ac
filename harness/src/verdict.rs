//! The vocabulary of judging: verdicts, their causes, and where they stand against the baseline.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an observation says about the user agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As the standard says, on the page and on the wire.
    Agrees,
    /// The page got to know what the standard hides.
    TooOpen,
    /// The page was denied what the standard grants.
    TooStrict,
    /// The page got the right outcome, by wrong exchanges or with wrong particulars.
    WrongWire,
    /// The observation proves nothing.
    NotJudged(Cause),
    /// The user agent lacks what the case needs, in words.
    Unsupported(String),
}

impl Verdict {
    /// The word used in files, on terminals and in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Agrees => "agrees",
            Verdict::TooOpen => "too-open",
            Verdict::TooStrict => "too-strict",
            Verdict::WrongWire => "wrong-wire",
            Verdict::NotJudged(_) => "not-judged",
            Verdict::Unsupported(_) => "unsupported",
        }
    }

    /// Whether it contradicts the standard.
    pub fn is_mismatch(&self) -> bool {
        matches!(self, Verdict::TooOpen | Verdict::TooStrict | Verdict::WrongWire)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::NotJudged(cause) => write!(f, "not-judged ({cause})"),
            Verdict::Unsupported(words) => write!(f, "unsupported ({words})"),
            other => f.write_str(other.word()),
        }
    }
}

/// Why an observation proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A read that must succeed on the same pair of origins did not, before or after the case.
    ControlFailed {
        /// Which, and what came instead.
        control: String,
    },
    /// The page never told how a step ended.
    NoAnswer {
        /// The step, from 0.
        step: usize,
    },
    /// The agent in the page failed.
    AgentFault {
        /// Its words.
        words: String,
    },
    /// A server of ours could not deliver its answer.
    AnswerNotDelivered {
        /// The exchange and the error.
        words: String,
    },
    /// The browser, its tab or its driver was lost, again and again.
    SessionLost {
        /// What the harness saw.
        words: String,
    },
    /// The run was interrupted before the case ended.
    Interrupted,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::ControlFailed { control } => write!(f, "control failed: {control}"),
            Cause::NoAnswer { step } => write!(f, "no answer from the page in step {}", step + 1),
            Cause::AgentFault { words } => write!(f, "the agent failed: {words}"),
            Cause::AnswerNotDelivered { words } => write!(f, "answer not delivered: {words}"),
            Cause::SessionLost { words } => write!(f, "session lost: {words}"),
            Cause::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// Where expectation and observation part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The step, from 0.
    pub step: usize,
    /// What parts: `page.outcome`, `page.header:etag`, `wire.extra`, `wire.missing`, `wire.field:Origin` … Known deviations pin it.
    pub point: String,
    /// What the expectation says.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// A verdict with its grounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Where expectation and observation part, the decisive difference first; empty exactly when it agrees or was not judged.
    pub differences: Vec<Difference>,
}

/// A verdict against the baseline and the other attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It agrees, or is recorded only.
    AsExpected,
    /// It does not agree and nobody said it would.
    Unexpected,
    /// It fails exactly as a known deviation says.
    Known,
    /// A known deviation says it fails, and it agrees or fails otherwise.
    Stale,
    /// The attempts came to different verdicts.
    Flaky,
}

impl Standing {
    /// Every standing, the most urgent first.
    pub const ALL: &'static [Standing] = &[Standing::Unexpected, Standing::Stale, Standing::Flaky, Standing::Known, Standing::AsExpected];

    /// The word used in files, on terminals and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Standing::AsExpected => "as-expected",
            Standing::Unexpected => "unexpected",
            Standing::Known => "known",
            Standing::Stale => "stale",
            Standing::Flaky => "flaky",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
