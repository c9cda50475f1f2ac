//! A certification as results, so that the report, JUnit and the badge are the same as those of a run.

use corscheck_cases::{
    Level,
    certify::{Book, Severity},
};

use super::{
    Asked,
    certificate::{Accepted, Subject, broken_by},
    outcome::Outcome,
};
use crate::{
    event::{Attempt, BrokenRule, CaseResult},
    verdict::{Judgement, Standing, Verdict},
};

/// The results of everything that was asked.
pub fn results(book: &Book, subject: &Subject, browser: &str, asked: &[Asked], accepted: &[Accepted]) -> Vec<CaseResult> {
    asked.iter().flat_map(|a| &a.outcomes).map(|outcome| result(book, subject, browser, outcome, accepted)).collect()
}

fn result(book: &Book, subject: &Subject, browser: &str, outcome: &Outcome, accepted: &[Accepted]) -> CaseResult {
    let mut rules = Vec::new();
    let mut worst = None;
    let mut link = None;
    let mut all_accepted = true;
    for finding in &outcome.findings {
        for rule in broken_by(&book.rules, &finding.tags) {
            worst = Some(worst.map_or(rule.severity, |w: Severity| w.min(rule.severity)));
            let entry = accepted.iter().find(|a| a.rule == rule.id && a.target.as_ref().is_none_or(|t| *t == subject.name));
            all_accepted &= entry.is_some() || !rule.severity.is_failure();
            if let Some(entry) = entry {
                link = link.or_else(|| entry.link.clone()).or_else(|| Some(entry.why.clone()));
            }
            if !rules.iter().any(|r: &BrokenRule| r.id == rule.id) {
                rules.push(BrokenRule {
                    id: rule.id.clone(),
                    title: rule.title.clone(),
                    severity: rule.severity.word().to_owned(),
                    why: rule.why.clone(),
                    fix: rule.fix.clone(),
                    spec: rule.spec_url(),
                    evidence: rule.evidence_urls(),
                });
            }
        }
    }
    let level = match worst {
        Some(Severity::Hygiene) => Level::Should,
        Some(Severity::Information) => Level::Info,
        _ => Level::Must,
    };
    let verdict = outcome.verdict.clone();
    let standing = match () {
        () if matches!(verdict, Verdict::Agrees | Verdict::Unsupported(_)) || level == Level::Info => Standing::AsExpected,
        () if all_accepted && link.is_some() => Standing::Known,
        () => Standing::Unexpected,
    };
    let policy = book.policy(&outcome.policy).map(|p| p.title.clone()).unwrap_or_default();
    let title = if policy.is_empty() { outcome.title.clone() } else { format!("{}: {}", policy, lower_first(&outcome.title)) };
    let judgement = Judgement { verdict: verdict.clone(), differences: outcome.differences.clone() };
    CaseResult {
        case: outcome.id(),
        title,
        browser: browser.to_owned(),
        level,
        place: outcome.tags.get("origin").unwrap_or("none").to_owned(),
        verdict,
        known: link.filter(|_| standing == Standing::Known),
        standing,
        expected: vec![outcome.expected.clone()],
        reasons: vec![Vec::new()],
        reason_agrees: None,
        attempts: vec![Attempt { session: 1, token: String::new(), judgement, observation: outcome.observation.clone() }],
        rules,
        path: outcome.path.clone(),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    if chars.clone().take(2).all(char::is_uppercase) {
        // A name: OPTIONS, GET.
        return text.to_owned();
    }
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}
