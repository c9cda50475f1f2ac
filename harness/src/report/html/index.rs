//! The blocks `index` and `detail`: cases, columns and cells, and what the catalogue says of them.

use std::collections::{BTreeMap, HashMap};

use corscheck_cases::{
    Case, Outcome, Topology,
    coverage::{Standing as Coverage, coverage},
    oracle::trace::Algorithm,
};
use serde_json::{Map, Value, json};

use crate::{
    event::CaseResult,
    report::{failure, tally::Kind},
    verdict::Verdict,
};

use super::{Input, Run, columns::Column, strings::Strings};

/// What [`index`] makes.
pub(super) struct Made<'r> {
    /// The block `index`.
    pub(super) index: Value,
    /// The block `detail`.
    pub(super) detail: Value,
    /// The number of each case.
    pub(super) numbers: HashMap<&'r str, usize>,
}

/// Makes both blocks.
pub(super) fn index<'r>(input: &'r Input<'r>, columns: &[Column<'r>], base: &[Column<'r>]) -> Made<'r> {
    // By id: results come in the order in which browsers had them ready.
    let mut by_id: BTreeMap<&'r str, (&'r CaseResult, &'r Run<'r>)> = BTreeMap::new();
    let all = columns.iter().map(|c| (c, &input.runs)).chain(base.iter().map(|c| (c, &input.base)));
    for (column, runs) in all {
        for (run, result) in &column.results {
            by_id.entry(&result.case).or_insert((result, &runs[*run]));
        }
    }
    let numbers: HashMap<&'r str, usize> = by_id.keys().enumerate().map(|(number, id)| (*id, number)).collect();
    let first: Vec<_> = by_id.into_values().collect();
    let mut strings = Strings::default();
    let (mut cases, mut details, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for (result, run) in &first {
        let case = input.library.find(&result.case, &result.title);
        cases.push(case_entry(result, case.as_ref()));
        details.push(case.as_ref().map(|case| input.library.detail(case, &topology(run), &mut strings)));
        found.extend(case);
    }
    let rows = coverage(&found);
    let behaviours: Vec<Value> = rows
        .iter()
        .map(|row| {
            let (standing, why) = match &row.standing {
                Coverage::Covered { .. } => ("covered", None),
                Coverage::NoCase { why } => ("no case needed", Some(why)),
                Coverage::Untestable { why } => ("untestable here", Some(why)),
                Coverage::Gap => ("not in this run", None),
            };
            json!([row.behaviour.id, row.behaviour.sentence, standing, why, row.behaviour.anchor])
        })
        .collect();
    let algorithms: Vec<Value> = Algorithm::ALL.iter().map(|a| json!([a.name(), a.spec()])).collect();
    let aligned: Vec<Value> = columns
        .iter()
        .map(|column| {
            base.iter().find(|b| b.is_counterpart_of(column)).map_or(Value::Null, |b| {
                let mut cells = cells(b, &numbers, first.len());
                cells["name"] = b.name().into();
                cells
            })
        })
        .collect();
    let index = json!({
        "v": 1,
        "made": env!("CARGO_PKG_VERSION"),
        "strict": input.strict,
        "runs": input.runs.iter().map(run_entry).collect::<Vec<_>>(),
        "columns": columns.iter().map(column_entry).collect::<Vec<_>>(),
        "cases": cases,
        "cells": columns.iter().map(|c| cells(c, &numbers, first.len())).collect::<Vec<_>>(),
        "algorithms": algorithms,
        "base": if base.is_empty() { Value::Null } else { json!({
            "runs": input.base.iter().map(run_entry).collect::<Vec<_>>(),
            "cells": aligned,
        }) },
    });
    let detail = json!({ "cases": details, "strings": strings.into_list(), "behaviours": behaviours });
    Made { index, detail, numbers }
}

/// The origins of a run, or examples of them where it does not say.
fn topology(run: &Run<'_>) -> Topology {
    run.header.topology.clone().filter(Topology::is_whole).unwrap_or_else(Topology::example)
}

fn run_entry(run: &Run<'_>) -> Value {
    let header = run.header;
    json!({
        "started": header.started,
        "corscheck": header.corscheck,
        "command": header.command,
        "platform": header.platform,
        "cases": header.cases,
        "catalogue": header.catalogue,
        "results": run.results.len(),
        "ms": run.footer.map(|f| f.ms),
        "complete": run.footer.map(|f| f.complete),
        "cut": run.footer.and_then(|f| f.cut_short.clone()),
        "notes": run.notes.iter().map(|n| json!([n.browser, n.text])).collect::<Vec<_>>(),
    })
}

fn column_entry(column: &Column<'_>) -> Value {
    json!({
        "subject": column.subject,
        "browser": column.browser.browser,
        "version": column.browser.version,
        "driver": column.browser.driver,
        "defects": column.browser.defects,
        "mark": column.mark,
        "name": column.name(),
        "runs": column.runs,
    })
}

fn case_entry(result: &CaseResult, case: Option<&Case>) -> Value {
    let mut entry = Map::new();
    let mut set = |key: &str, value: Value| {
        if !(value.is_null() || value == json!([]) || value == json!({})) {
            entry.insert(key.to_owned(), value);
        }
    };
    set("id", json!(result.case));
    set("title", json!(result.title));
    set("level", json!(result.level.word()));
    set("place", json!(result.place));
    set("reason", json!(distinct(result.reasons.iter().flatten().map(|r| r.word()))));
    if let Some(case) = case {
        set("read", json!(distinct(case.steps.iter().map(|s| s.expect.read.word()))));
        set("behaviour", json!(case.behaviours.iter().map(|b| b.as_str()).collect::<Vec<_>>()));
        set("context", json!(case.context.word()));
        set("page", json!(case.page.word()));
        set("api", json!(case.api()));
        set("to", json!(distinct(case.aliases().into_iter().map(|a| a.word()))));
        set("spec", json!(case.spec.as_str()));
        if let Some(generated) = &case.generated {
            set("family", json!(generated.family));
            set("with", json!(generated.values.iter().cloned().collect::<HashMap<_, _>>()));
        }
    }
    Value::Object(entry)
}

fn distinct<'w>(words: impl Iterator<Item = &'w str>) -> Vec<&'w str> {
    let mut out: Vec<&str> = words.collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// The cells of a column: one letter of its kind, one of its verdict and one of what was observed for each case, a space where
/// there is none; words where it does not simply agree.
fn cells(column: &Column<'_>, numbers: &HashMap<&str, usize>, count: usize) -> Value {
    let blank = || vec![b' '; count];
    let (mut kinds, mut verdicts, mut outcomes) = (blank(), blank(), blank());
    let (mut words, mut links) = (Map::new(), Map::new());
    for (_, result) in &column.results {
        let Some(&number) = numbers.get(&*result.case) else { continue };
        let kind = Kind::of(result);
        kinds[number] = letter(kind);
        verdicts[number] = verdict_letter(&result.verdict);
        outcomes[number] = outcome(result);
        if kind != Kind::Agrees {
            words.insert(number.to_string(), json!(failure::short(result)));
        }
        if let Some(link) = &result.known {
            links.insert(number.to_string(), json!(link));
        }
    }
    let text = |bytes| String::from_utf8(bytes).unwrap_or_default();
    json!({ "kinds": text(kinds), "verdicts": text(verdicts), "outcomes": text(outcomes), "words": words, "links": links })
}

fn letter(kind: Kind) -> u8 {
    match kind {
        Kind::TooOpen => b'o',
        Kind::TooStrict => b's',
        Kind::WrongWire => b'w',
        Kind::Stale => b'l',
        Kind::Flaky => b'f',
        Kind::NotJudged => b'n',
        Kind::Known => b'k',
        Kind::Agrees => b'a',
        Kind::Recorded => b'i',
        Kind::Unsupported => b'u',
    }
}

fn verdict_letter(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Agrees => b'a',
        Verdict::TooOpen => b'o',
        Verdict::TooStrict => b's',
        Verdict::WrongWire => b'w',
        Verdict::NotJudged(_) => b'n',
        Verdict::Unsupported(_) => b'u',
    }
}

/// What the page saw in the step that decides: that of the first difference, or else the last.
fn outcome(result: &CaseResult) -> u8 {
    let Some(attempt) = result.last() else { return b'-' };
    let pages = &attempt.observation.pages;
    let decisive = attempt.judgement.differences.first().map(|d| d.step);
    let page = decisive.and_then(|step| pages.get(step)).or(pages.last());
    match page.and_then(|p| p.end.outcome()) {
        Some(Outcome::Allowed) => b'A',
        Some(Outcome::Blocked) => b'B',
        Some(Outcome::Opaque) => b'O',
        Some(Outcome::OpaqueRedirect) => b'P',
        Some(Outcome::Refused) => b'R',
        Some(Outcome::Aborted) => b'X',
        None => b'-',
    }
}
