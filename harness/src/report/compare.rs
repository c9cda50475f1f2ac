//! What changed between two runs, as text and as Markdown for a pull request.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{event::CaseResult, verdict::Verdict};

use super::{
    count, failure,
    html::{Run, columns::columns},
    printable,
    summary::code,
    tally::Kind,
};

/// What became of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// The page gets to know what the standard hides, and did not before.
    TowardsOpen,
    /// The page is denied what the standard grants, and was not before.
    TowardsStrict,
    /// It disagrees in another way than before, or proves nothing any more.
    Otherwise,
    /// It agrees now.
    TowardsAgreement,
    /// The verdict is the same, and stands otherwise against the baseline.
    Standing,
    /// There was none.
    Added,
    /// There is none any more.
    Gone,
}

impl Change {
    const ALL: [Change; 7] = [
        Change::TowardsOpen,
        Change::TowardsStrict,
        Change::Otherwise,
        Change::TowardsAgreement,
        Change::Standing,
        Change::Added,
        Change::Gone,
    ];

    /// The change from one result to another; none where there is none.
    pub(crate) fn between(old: Option<&CaseResult>, new: Option<&CaseResult>) -> Option<Self> {
        let (old, new) = match (old, new) {
            (Some(old), Some(new)) => (old, new),
            (None, Some(_)) => return Some(Change::Added),
            (Some(_), None) => return Some(Change::Gone),
            (None, None) => return None,
        };
        if old.verdict.word() == new.verdict.word() {
            return (Kind::of(old) != Kind::of(new)).then_some(Change::Standing);
        }
        Some(match new.verdict {
            Verdict::TooOpen => Change::TowardsOpen,
            Verdict::TooStrict => Change::TowardsStrict,
            Verdict::Agrees => Change::TowardsAgreement,
            Verdict::WrongWire | Verdict::NotJudged(_) | Verdict::Unsupported(_) => Change::Otherwise,
        })
    }

    fn words(self) -> &'static str {
        match self {
            Change::TowardsOpen => "towards open",
            Change::TowardsStrict => "towards strict",
            Change::Otherwise => "wrong in another way",
            Change::TowardsAgreement => "towards agreement",
            Change::Standing => "the same verdict, in another standing",
            Change::Added => "added",
            Change::Gone => "gone",
        }
    }
}

/// One cell that changed.
#[derive(Debug)]
struct Changed<'r> {
    case: &'r str,
    column: String,
    old: Option<&'r CaseResult>,
    new: Option<&'r CaseResult>,
}

/// What changed.
#[derive(Debug)]
pub struct Changes<'r> {
    by: BTreeMap<Change, Vec<Changed<'r>>>,
    unchanged: usize,
    /// Columns that the other side does not have.
    alone: Vec<String>,
}

/// Cells that are listed for each change; the rest is counted.
const MOST: usize = 50;

/// Compares runs: columns are those of the same browser with the same defects, whatever its version.
pub fn changes<'r>(new: &[Run<'r>], old: &[Run<'r>]) -> Changes<'r> {
    let (new, old) = (columns(new), columns(old));
    let mut changes = Changes { by: BTreeMap::new(), unchanged: 0, alone: Vec::new() };
    for column in &new {
        let Some(base) = old.iter().find(|b| b.is_counterpart_of(column)) else {
            changes.alone.push(column.name());
            continue;
        };
        let mut cells: BTreeMap<&str, (Option<&CaseResult>, Option<&CaseResult>)> = BTreeMap::new();
        for (_, result) in &base.results {
            cells.entry(&result.case).or_default().0 = Some(result);
        }
        for (_, result) in &column.results {
            cells.entry(&result.case).or_default().1 = Some(result);
        }
        for (case, (old, new)) in cells {
            match Change::between(old, new) {
                Some(change) => changes.by.entry(change).or_default().push(Changed { case, column: column.name(), old, new }),
                None => changes.unchanged += 1,
            }
        }
    }
    changes
}

impl Changes<'_> {
    fn sentence(&self) -> String {
        let of = |change: &Change| self.by.get(change).map(|cells| format!("{} {}", cells.len(), change.words()));
        let words: Vec<String> = Change::ALL.iter().filter_map(of).collect();
        let unchanged = count(self.unchanged, "cell is unchanged", "cells are unchanged");
        if words.is_empty() { format!("Nothing changed: {unchanged}.") } else { format!("{}; {unchanged}.", words.join(", ")) }
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut out = format!("compared  {}\n", self.sentence());
        for name in &self.alone {
            _ = writeln!(out, "          {} has no counterpart in the base run", printable(name));
        }
        for (change, cells) in &self.by {
            _ = writeln!(out, "\n{}", change.words());
            for cell in cells.iter().take(MOST) {
                _ = writeln!(out, "  {}  in {}: {}", printable(cell.case), printable(&cell.column), cell.kinds());
                if let Some(short) = cell.short() {
                    _ = writeln!(out, "    {short}");
                }
            }
            if cells.len() > MOST {
                _ = writeln!(out, "  and {} more", cells.len() - MOST);
            }
        }
        out
    }

    /// For a pull request.
    pub fn markdown(&self) -> String {
        let mut out = format!("\n#### Compared with the base run\n\n{}\n", self.sentence());
        for name in &self.alone {
            _ = writeln!(out, "\n{} has no counterpart in the base run.", code(name));
        }
        for (change, cells) in &self.by {
            let quiet = matches!(change, Change::Added | Change::Gone | Change::Standing);
            let open = if quiet { "" } else { " open" };
            _ = writeln!(out, "\n<details{open}><summary>{}: {}</summary>\n", change.words(), cells.len());
            for cell in cells.iter().take(MOST) {
                let short = cell.short().map(|short| format!("  \n  {}", code(&short))).unwrap_or_default();
                _ = writeln!(out, "- {} in {}: {}{short}", code(cell.case), code(&cell.column), cell.kinds());
            }
            if cells.len() > MOST {
                _ = writeln!(out, "\nand {} more.", cells.len() - MOST);
            }
            out.push_str("\n</details>\n");
        }
        out
    }
}

impl Changed<'_> {
    fn kinds(&self) -> String {
        let words = |result: Option<&CaseResult>| result.map_or("no result", |r| Kind::of(r).words());
        format!("{} → {}", words(self.old), words(self.new))
    }

    fn short(&self) -> Option<String> {
        self.new.filter(|r| !matches!(Kind::of(r), Kind::Agrees)).map(failure::short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Header,
        report::{fixtures, jsonl::Note},
        verdict::Standing,
    };

    fn run<'r>(header: &'r Header, results: &'r [CaseResult]) -> Run<'r> {
        const NO_NOTES: &[Note] = &[];
        Run { header, results, notes: NO_NOTES, footer: None }
    }

    #[test]
    fn every_change_has_its_name() {
        let (open, agrees) = (fixtures::too_open(), fixtures::agrees());
        let known = CaseResult { standing: Standing::Known, ..fixtures::too_open() };
        let (strict, not_judged) = (fixtures::too_strict(), fixtures::not_judged());
        let between = |old, new| Change::between(old, new);
        assert_eq!(between(Some(&agrees), Some(&open)), Some(Change::TowardsOpen));
        assert_eq!(between(Some(&open), Some(&agrees)), Some(Change::TowardsAgreement));
        assert_eq!(between(Some(&agrees), Some(&strict)), Some(Change::TowardsStrict));
        assert_eq!(between(Some(&agrees), Some(&not_judged)), Some(Change::Otherwise));
        assert_eq!(between(Some(&open), Some(&known)), Some(Change::Standing));
        assert_eq!(between(None, Some(&open)), Some(Change::Added));
        assert_eq!(between(Some(&open), None), Some(Change::Gone));
        assert_eq!(between(Some(&open), Some(&open)), None);
    }

    #[test]
    fn a_comparison_reads_well() {
        let header = fixtures::header();
        let old = [fixtures::too_open(), fixtures::known()];
        let mut fixed = fixtures::agrees();
        fixed.case.clone_from(&old[0].case);
        fixed.browser.clone_from(&old[0].browser);
        let new = [fixed, fixtures::not_judged()];
        let changes = changes(&[run(&header, &new)], &[run(&header, &old)]);
        insta::assert_snapshot!(changes.text());
        insta::assert_snapshot!(changes.markdown());
    }
}
