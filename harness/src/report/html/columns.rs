//! The columns of a report: who was asked what, and which results are whose.

use std::collections::HashSet;

use crate::{
    event::{BrowserInfo, CaseResult, Footer, Header},
    report::jsonl::{Note, Results},
};

/// One run of a report.
#[derive(Debug, Clone, Copy)]
pub struct Run<'r> {
    /// Its first record.
    pub header: &'r Header,
    /// Its results.
    pub results: &'r [CaseResult],
    /// Its notes.
    pub notes: &'r [Note],
    /// Its last record; absent where it was cut off.
    pub footer: Option<&'r Footer>,
}

impl<'r> From<&'r Results> for Run<'r> {
    fn from(results: &'r Results) -> Self {
        Run { header: &results.header, results: &results.results, notes: &results.notes, footer: results.footer.as_ref() }
    }
}

/// What stands for the servers of corscheck itself in the place of a target.
pub(in crate::report) const REFERENCE: &str = "reference servers";

/// One column.
#[derive(Debug, Clone)]
pub(in crate::report) struct Column<'r> {
    /// Who answered.
    pub(in crate::report) subject: String,
    /// Who asked.
    pub(in crate::report) browser: BrowserInfo,
    /// The runs that it is made of, by number.
    pub(in crate::report) runs: Vec<usize>,
    /// The results, each with the number of its run.
    pub(in crate::report) results: Vec<(usize, &'r CaseResult)>,
    /// What tells it from another one with the same browser: when it was started.
    pub(in crate::report) mark: Option<String>,
}

impl Column<'_> {
    /// Whether it is the same one in another run: the versions may differ, since that is what one compares.
    pub(in crate::report) fn is_counterpart_of(&self, other: &Column<'_>) -> bool {
        (&self.subject, &self.browser.browser, &self.browser.defects) == (&other.subject, &other.browser.browser, &other.browser.defects)
    }

    /// Whether a target was asked, and not the servers of corscheck itself.
    pub(in crate::report) fn is_of_target(&self) -> bool {
        self.subject != REFERENCE
    }

    /// What it is called in one line.
    pub(in crate::report) fn name(&self) -> String {
        let mut name = format!("{} {}", self.browser.browser, self.browser.version);
        if self.subject != REFERENCE {
            name = format!("{} / {name}", self.subject);
        }
        if let Some(mark) = &self.mark {
            name.push_str(&format!(" ({mark})"));
        }
        name
    }
}

/// The columns of some runs, in the order in which they come.
///
/// Parts of one run (shards) belong together: results of the same browser are one column as long as no case has two of them.
pub(in crate::report) fn columns<'r>(runs: &[Run<'r>]) -> Vec<Column<'r>> {
    let mut columns: Vec<(Column<'r>, HashSet<&'r str>)> = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        for browser in browsers(run) {
            let results: Vec<_> = run.results.iter().filter(|r| r.browser == browser.browser).map(|r| (number, r)).collect();
            let cases: HashSet<&str> = results.iter().map(|(_, r)| &*r.case).collect();
            let subject = run.header.subject.clone().unwrap_or_else(|| REFERENCE.to_owned());
            let same = |(column, _): &&mut (Column<'r>, HashSet<&'r str>)| column.browser == browser && column.subject == subject;
            match columns.iter_mut().filter(|c| same(c)).find(|(_, seen)| seen.is_disjoint(&cases)) {
                Some((column, seen)) => {
                    column.runs.push(number);
                    column.results.extend(results);
                    seen.extend(cases);
                }
                None => {
                    let column = Column { subject, browser, runs: vec![number], results, mark: None };
                    columns.push((column, cases));
                }
            }
        }
    }
    let mut columns: Vec<_> = columns.into_iter().map(|(column, _)| column).collect();
    for i in 0..columns.len() {
        let twins = columns.iter().filter(|c| (&c.browser, &c.subject) == (&columns[i].browser, &columns[i].subject)).count();
        if twins > 1 {
            columns[i].mark = Some(runs[columns[i].runs[0]].header.started.clone());
        }
    }
    columns
}

/// The browsers of a run, and those that results name besides.
fn browsers(run: &Run<'_>) -> Vec<BrowserInfo> {
    let mut all = run.header.browsers.clone();
    for result in run.results {
        if all.iter().all(|b| b.browser != result.browser) {
            let unknown = || "unknown".to_owned();
            all.push(BrowserInfo { browser: result.browser.clone(), version: unknown(), driver: unknown(), defects: Vec::new() });
        }
    }
    all
}
