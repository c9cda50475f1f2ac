//! Results in the JSON of web-platform-tests' reports, for the tools that read it: one run of one product in each file.
//!
//! A test is `/corscheck/AREA`, a case is a subtest of it. `PASS` is agreement, `FAIL` a mismatch, `NOTRUN` what was not judged,
//! `PRECONDITION_FAILED` what a browser does not support; known failures are expected ones, and so are not listed as regressions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    event::CaseResult,
    verdict::{Standing, Verdict},
};

use super::{
    failure,
    html::{
        Run,
        columns::{Column, columns},
    },
};

/// The reports of some runs, each with the name of its file: such a report is of one browser.
pub fn files(runs: &[Run<'_>]) -> Vec<(String, String)> {
    let columns = columns(runs);
    let several = columns.len() > 1;
    let mut names: Vec<String> = Vec::new();
    let name = |column: &Column<'_>| {
        let own = if several { format!("wptreport-{}", plain(&column.browser.browser)) } else { "wptreport".to_owned() };
        let number = names.iter().filter(|name| **name == own).count() + 1;
        names.push(own.clone());
        if number > 1 { format!("{own}-{number}.json") } else { format!("{own}.json") }
    };
    columns.iter().map(name).collect::<Vec<_>>().into_iter().zip(columns.iter().map(|column| json(column, runs))).collect()
}

/// A name that is a name of a file everywhere.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// The report of one column.
fn json(column: &Column<'_>, runs: &[Run<'_>]) -> String {
    let mut tests: BTreeMap<String, (f64, Vec<Value>)> = BTreeMap::new();
    for (_, result) in &column.results {
        let area = result.case.split_once('/').map_or(&*result.case, |(area, _)| area);
        let (took, subtests) = tests.entry(format!("/corscheck/{area}")).or_default();
        *took += result.attempts.iter().flat_map(|a| &a.observation.pages).map(|p| p.ms).sum::<f64>();
        subtests.push(subtest(result));
    }
    let results: Vec<Value> = tests
        .into_iter()
        .map(|(test, (took, subtests))| json!({ "test": test, "status": "OK", "message": null, "duration": took.round(), "subtests": subtests }))
        .collect();
    let own: Vec<&Run<'_>> = column.runs.iter().filter_map(|number| runs.get(*number)).collect();
    let header = own.first().map(|r| r.header);
    let mut platform = header.map(|h| h.platform.split(' ')).into_iter().flatten();
    let info = json!({
        "product": column.browser.browser,
        "browser_version": column.browser.version,
        "revision": header.map(|h| &h.corscheck),
        "os": platform.next(),
        "os_version": "",
        "processor": platform.next(),
    });
    let start = header.map_or(0, |h| milliseconds(&h.started));
    let took: u64 = own.iter().filter_map(|r| r.footer).map(|f| f.ms).sum();
    let report = json!({ "run_info": info, "time_start": start, "time_end": start + took, "results": results });
    serde_json::to_string(&report).unwrap_or_default() + "\n"
}

fn subtest(result: &CaseResult) -> Value {
    let status = match result.verdict {
        Verdict::Agrees => "PASS",
        Verdict::TooOpen | Verdict::TooStrict | Verdict::WrongWire => "FAIL",
        Verdict::NotJudged(_) => "NOTRUN",
        Verdict::Unsupported(_) => "PRECONDITION_FAILED",
    };
    let message = (result.verdict != Verdict::Agrees).then(|| failure::short(result));
    let mut subtest = json!({ "name": result.case, "status": status, "message": message });
    // `expected` stands there where it is another than the status, as in reports of web-platform-tests.
    if result.standing == Standing::Unexpected || result.standing == Standing::Stale {
        subtest["expected"] = if status == "PASS" { "FAIL" } else { "PASS" }.into();
    }
    subtest
}

/// Milliseconds since the Unix epoch of a time as it stands in a header; 0 where it is none.
fn milliseconds(time: &str) -> u64 {
    let since = humantime::parse_rfc3339(time).ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn it_has_what_readers_of_such_reports_ask_for() {
        let (header, results) = (fixtures::header(), fixtures::all());
        let run = Run { header: &header, results: &results, notes: &[], footer: None };
        let files = files(&[run]);
        let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["wptreport-chromium.json", "wptreport-firefox.json", "wptreport-webkit.json"]);
        let mut subtests = 0;
        for (_, text) in &files {
            subtests += checked(&serde_json::from_str(text).expect("it is JSON"));
        }
        assert_eq!(subtests, results.len());
    }

    /// How many subtests there are, all of them sound.
    fn checked(value: &Value) -> usize {
        assert!(value["time_start"].as_u64().is_some_and(|t| t > 0), "{value}");
        assert!(value["time_end"].as_u64() >= value["time_start"].as_u64(), "{value}");
        for key in ["product", "browser_version", "revision", "os", "os_version", "processor"] {
            assert!(value["run_info"][key].is_string(), "{key}: {}", value["run_info"]);
        }
        let tests = value["results"].as_array().expect("a list");
        let mut subtests = 0;
        for test in tests {
            assert!(test["test"].as_str().is_some_and(|t| t.starts_with("/corscheck/")), "{test}");
            assert_eq!(test["status"], "OK");
            for subtest in test["subtests"].as_array().expect("a list") {
                subtests += 1;
                let status = subtest["status"].as_str().expect("a status");
                assert!(["PASS", "FAIL", "NOTRUN", "PRECONDITION_FAILED"].contains(&status), "{status}");
                assert!(subtest["message"].is_string() == (status != "PASS"), "{subtest}");
                assert!(subtest.get("expected").is_none_or(|e| *e != subtest["status"]), "{subtest}");
            }
        }
        subtests
    }
}
