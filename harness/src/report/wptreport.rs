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

use super::{failure, html::Run};

/// The report; the browsers of several runs stand one behind the other in the names of its tests.
pub fn json(runs: &[Run<'_>]) -> String {
    let mut browsers: Vec<_> = Vec::new();
    let mut tests: BTreeMap<String, (f64, Vec<Value>)> = BTreeMap::new();
    for run in runs {
        for info in &run.header.browsers {
            if !browsers.contains(&info) {
                browsers.push(info);
            }
        }
    }
    let several = browsers.len() > 1;
    for result in runs.iter().flat_map(|r| r.results) {
        let area = result.case.split_once('/').map_or(&*result.case, |(area, _)| area);
        let name = if several { format!("/corscheck/{}/{area}", result.browser) } else { format!("/corscheck/{area}") };
        let (took, subtests) = tests.entry(name).or_default();
        *took += result.attempts.iter().flat_map(|a| &a.observation.pages).map(|p| p.ms).sum::<f64>();
        subtests.push(subtest(result));
    }
    let results: Vec<Value> = tests
        .into_iter()
        .map(|(test, (took, subtests))| json!({ "test": test, "status": "OK", "message": null, "duration": took.round(), "subtests": subtests }))
        .collect();
    let only = browsers.first().filter(|_| !several);
    let header = runs.first().map(|r| r.header);
    let info = json!({
        "product": only.map_or("corscheck", |b| &*b.browser),
        "browser_version": only.map(|b| &b.version),
        "revision": header.map(|h| &h.corscheck),
        "os": header.map(|h| h.platform.split(' ').next().unwrap_or_default()),
        "processor": header.map(|h| h.platform.split(' ').nth(1).unwrap_or_default()),
    });
    let start = header.map_or(0, |h| milliseconds(&h.started));
    let took: u64 = runs.iter().filter_map(|r| r.footer).map(|f| f.ms).sum();
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
        let value: Value = serde_json::from_str(&json(&[run])).expect("it is JSON");
        assert!(value["time_start"].as_u64().is_some_and(|t| t > 0), "{value}");
        assert!(value["run_info"]["product"].is_string());
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
        assert_eq!(subtests, results.len());
    }
}
