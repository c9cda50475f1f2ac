//! One report for each subject, where one for all would be too large.

use std::collections::BTreeSet;

use corscheck_cases::text::slug;

use super::{html::Run, jsonl::Results};
use crate::report::html::columns::{Column, columns};

/// What one file is about.
#[derive(Debug)]
pub struct Part {
    /// The name of the file: `report-firefox.html`.
    pub file: String,
    /// Who it is about: a target, or a browser.
    pub subject: String,
    /// Its results, by run.
    pub runs: Vec<Results>,
    /// Those that they are compared with.
    pub base: Vec<Results>,
}

/// The parts of some runs: one for each target that was certified, and one for each browser of the other runs.
pub fn parts(runs: &[Results], base: &[Results]) -> Vec<Part> {
    let shown: Vec<Run<'_>> = runs.iter().map(Run::from).collect();
    let mut parts: Vec<Part> = Vec::new();
    let mut names = BTreeSet::new();
    for column in columns(&shown) {
        let subject = subject_of(&column);
        if parts.iter().any(|p| p.subject == subject) {
            continue;
        }
        let of = |all: &[Results]| all.iter().filter_map(|results| only(results, &subject)).collect();
        let slug = slug(&subject);
        // Two subjects may differ in what no file name has.
        let file = (1..).map(|n| if n == 1 { format!("report-{slug}.html") } else { format!("report-{slug}-{n}.html") });
        let file = file.into_iter().find(|file| !names.contains(file)).unwrap_or_default();
        names.insert(file.clone());
        parts.push(Part { file, runs: of(runs), base: of(base), subject });
    }
    parts
}

/// Who a column is about: the target, or where there is none the browser.
pub(in crate::report) fn subject_of(column: &Column<'_>) -> String {
    if column.is_of_target() { column.subject.clone() } else { column.browser.browser.clone() }
}

/// The part of a run that is about a subject.
fn only(results: &Results, subject: &str) -> Option<Results> {
    let mut part = results.clone();
    if let Some(target) = &results.header.subject {
        return (target == subject).then_some(part);
    }
    part.header.browsers.retain(|b| b.browser == subject);
    part.results.retain(|r| r.browser == subject);
    part.notes.retain(|n| n.browser.as_deref().is_none_or(|b| b == subject));
    (!part.header.browsers.is_empty() || !part.results.is_empty()).then_some(part)
}
