//! What a real browser makes of the recorded answers.

use std::sync::Arc;

use corscheck_cases::{Case, Outcome, Reason};
use corscheck_servers::Exchange;
use serde::Serialize;

use crate::{
    browser::SessionOptions,
    event::{Attempt, BrowserInfo},
    explain::{Explanation, evidence::Evidence, replay},
    run::{Plan, run},
    user_agent::Choice,
};

/// What a browser made of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confirmation {
    /// The browser.
    pub browser: String,
    /// Its version.
    pub version: String,
    /// What it came to there; absent when it could not be observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The reason that the browser's own words name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Its own words, with the addresses of the servers that were asked in place of the replay's.
    pub words: Vec<String>,
    /// Whether it comes to the same.
    pub agrees: bool,
    /// What was not as expected, in words.
    pub differences: Vec<String>,
}

/// Replays what was recorded to a real browser.
///
/// # Errors
///
/// Why it cannot be replayed, or why the browser cannot be had, in words.
pub fn confirm(explanation: &Explanation, browser: Choice) -> Result<Confirmation, Unconfirmed> {
    let case = replay::case(&explanation.evidence).map_err(Unconfirmed::NoReplay)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Unconfirmed::NoBrowser(format!("no threads: {e}")))?;
    runtime.block_on(replayed(explanation, case, browser))
}

/// Why a browser has not confirmed anything.
#[derive(Debug, thiserror::Error)]
pub enum Unconfirmed {
    /// There is nothing to replay.
    #[error("{0}")]
    NoReplay(String),
    /// The browser or the servers of the replay cannot be had.
    #[error("{0}")]
    NoBrowser(String),
}

async fn replayed(explanation: &Explanation, case: Case, browser: Choice) -> Result<Confirmation, Unconfirmed> {
    let plan = Plan {
        cases: vec![Arc::new(case)],
        // What engines are known to do otherwise is told here, not excused.
        agents: vec![(browser, Vec::new())],
        session: SessionOptions::default(),
        command: Vec::new(),
        catalogue: None,
        repeat: 1,
        strict: false,
        whole: Vec::new(),
        families: None,
    };
    let outcome = run(plan, &mut []).await.map_err(|e| Unconfirmed::NoBrowser(e.to_string()))?;
    let info = outcome.header.browsers.first();
    let attempt = outcome.results.first().and_then(|r| r.last());
    match info.zip(attempt) {
        Some((info, attempt)) => Ok(confirmation(explanation, info, attempt)),
        None => Err(Unconfirmed::NoBrowser(outcome.footer.cut_short.unwrap_or_else(|| "the browser gave no result".to_owned()))),
    }
}

/// What an attempt at a replay says of the explanation that was replayed.
pub fn confirmation(explanation: &Explanation, browser: &BrowserInfo, attempt: &Attempt) -> Confirmation {
    let seen = attempt.observation.pages.first().and_then(|page| page.end.outcome());
    let reason = attempt.observation.reason();
    let run = &explanation.evidence.run;
    let addresses = Addresses::of(&explanation.evidence, &attempt.observation.exchanges);
    let same_reason = reason.is_none_or(|reason| run.reason().is_some_and(|own| is_same(own, reason)));
    Confirmation {
        browser: browser.browser.clone(),
        version: browser.version.clone(),
        outcome: seen,
        reason,
        words: attempt.observation.words.iter().map(|w| addresses.back(w.text.trim())).collect(),
        agrees: seen == Some(run.outcome()) && same_reason,
        differences: attempt
            .judgement
            .differences
            .iter()
            .map(|d| format!("{}: expected {}, saw {}", d.point, or_nothing(&d.expected), or_nothing(&d.seen)))
            .collect(),
    }
}

/// Whether two reasons say the same. The standard compares bytes and nothing else (CORS check, step 4): whether a value that is not
/// the origin is another origin, several or none at all, each engine decides for its words alone.
fn is_same(own: Reason, heard: Reason) -> bool {
    let differs = |reason| matches!(reason, Reason::AcaoMismatch | Reason::AcaoInvalid | Reason::AcaoMultiple);
    own == heard || differs(own) && differs(heard)
}

/// The addresses of a replay, and what each stands for: the longest first.
struct Addresses(Vec<(String, String)>);

impl Addresses {
    fn of(evidence: &Evidence, replayed: &[Exchange]) -> Self {
        let mut pairs = Vec::new();
        for (x, own) in replayed.iter().zip(&evidence.run.exchanges) {
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let host = x.request.values("Host").first().map(|h| text(h)).unwrap_or_default();
            pairs.push((format!("{}://{host}{}", x.at.scheme().word(), x.request.target), own.url.to_string()));
            let sent = x.request.values("Origin").first().map(|o| text(o));
            pairs.extend(sent.zip(own.origin()).filter(|(replayed, _)| replayed != "null"));
        }
        pairs.sort_by_key(|(replayed, _)| std::cmp::Reverse(replayed.len()));
        pairs.dedup();
        Self(pairs)
    }

    fn back(&self, words: &str) -> String {
        self.0.iter().fold(words.to_owned(), |words, (replayed, own)| words.replace(replayed, own))
    }
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_one_step_of_the_standard_is_the_same() {
        assert!(is_same(Reason::AcaoMultiple, Reason::AcaoMismatch) && is_same(Reason::AcacNotTrue, Reason::AcacNotTrue));
        for other in [Reason::AcaoMissing, Reason::WildcardWithCredentials, Reason::AcacNotTrue, Reason::Network] {
            assert!(!is_same(Reason::AcaoMismatch, other) && !is_same(other, Reason::AcaoInvalid), "{other}");
        }
    }
}
