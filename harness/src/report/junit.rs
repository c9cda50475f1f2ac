//! JUnit XML, for CI servers that show test results.
//!
//! JUnit knows success, failure, error and skipped, and no more. What fails the run is a failure or, where nothing could be
//! judged, an error; so a CI server and the exit code never disagree. What is not right and yet fails nothing says so in a
//! message or in `system-out`.

use std::{io, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use crate::{
    event::{Attempt, BrowserInfo, CaseResult, Header},
    verdict::{Judgement, Verdict},
};

use super::{
    Words,
    failure::{self, FailureContext},
    printable,
    tally::Kind,
};

/// Writes the results as JUnit XML: a suite for each browser, a test case for each case.
///
/// # Errors
///
/// What the writer says.
pub fn write(results: &[CaseResult], header: &Header, words: &Words, strict: bool, w: impl io::Write) -> io::Result<()> {
    let mut report = Report::new("corscheck");
    report.timestamp = header.started.parse().ok();
    for browser in browsers(results, header) {
        let of_browser = results.iter().filter(|r| r.browser == browser);
        report.add_test_suite(suite(browser, of_browser, header, words, strict));
    }
    report.serialize(w).map_err(io::Error::other)
}

/// The browsers of the header, then any other that has results: a merged file may have more than its first header says.
fn browsers<'a>(results: &'a [CaseResult], header: &'a Header) -> Vec<&'a str> {
    let mut out: Vec<&str> = Vec::new();
    for browser in header.browsers.iter().map(|b| &*b.browser).chain(results.iter().map(|r| &*r.browser)) {
        if !out.contains(&browser) {
            out.push(browser);
        }
    }
    out
}

fn suite<'a>(
    browser: &str,
    results: impl Iterator<Item = &'a CaseResult>,
    header: &Header,
    words: &Words,
    strict: bool,
) -> TestSuite {
    let mut suite = TestSuite::new(format!("corscheck.{}", printable(browser)));
    suite.timestamp = header.started.parse().ok();
    if let Some(BrowserInfo { version, driver, .. }) = header.browsers.iter().find(|b| b.browser == browser) {
        suite.add_property(("browser", &*printable(version)));
        suite.add_property(("driver", &*printable(driver)));
    }
    suite.add_property(("corscheck", &*printable(&header.corscheck)));
    suite.add_property(("platform", &*printable(&header.platform)));
    let mut time = Duration::ZERO;
    for result in results {
        let case = test_case(result, words, strict);
        time += case.time.unwrap_or_default();
        suite.add_test_case(case);
    }
    suite.set_time(time);
    suite
}

fn test_case(result: &CaseResult, words: &Words, strict: bool) -> TestCase {
    let full = || {
        let context =
            FailureContext { color: false, repeat_command: failure::repeat_command(result), words: words.get(&result.case) };
        failure::text(result, &context)
    };
    let kind = Kind::of(result);
    let told = format!("{}: {}", kind.words(), failure::short(result));
    let mut out = None;
    let mut status = match kind {
        Kind::Agrees => TestCaseStatus::success(),
        Kind::Known => skipped("known", &known_message(result)),
        Kind::Unsupported => skipped("unsupported", &failure::short(result)),
        // Nothing was found out, so it is no success; but a level that fails nothing must not fail here.
        Kind::NotJudged if !result.fails_run(strict) => skipped("not-judged", &told),
        Kind::NotJudged => non_success(NonSuccessKind::Error, "not-judged", &told, &full()),
        Kind::Recorded => {
            out = Some(told);
            TestCaseStatus::success()
        }
        _ if !result.fails_run(strict) => {
            out = Some(full());
            TestCaseStatus::success()
        }
        Kind::Stale => non_success(NonSuccessKind::Failure, "stale", &failure::direction(result), &full()),
        Kind::Flaky => non_success(NonSuccessKind::Failure, "flaky", &failure::direction(result), &full()),
        Kind::TooOpen | Kind::TooStrict | Kind::WrongWire => {
            non_success(NonSuccessKind::Failure, result.verdict.word(), &told, &full())
        }
    };
    if kind == Kind::Flaky {
        status.set_rerun_kind(quick_junit::FlakyOrRerun::Flaky);
        status.add_reruns(result.attempts.iter().filter_map(rerun));
    }

    let area = result.case.split_once('/').map_or("", |(area, _)| area);
    let mut case = TestCase::new(&*printable(&result.case), status);
    case.set_classname(format!("corscheck.{}.{}", printable(&result.browser), printable(area)));
    case.set_time(time(result));
    if let Some(out) = out {
        case.set_system_out(out);
    }
    case
}

fn non_success(kind: NonSuccessKind, r#type: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(r#type).set_message(message).set_description(text);
    status
}

fn skipped(r#type: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_type(r#type).set_message(message);
    status
}

fn known_message(result: &CaseResult) -> String {
    let link = result.known.as_deref().map(|k| format!("; {}", printable(k))).unwrap_or_default();
    format!("known deviation: {}; {}{link}", result.verdict.word(), failure::short(result))
}

/// An attempt that did not agree, as the schema of Surefire has it for tests that pass in the end.
fn rerun(attempt: &Attempt) -> Option<TestRerun> {
    let Judgement { verdict, differences } = &attempt.judgement;
    let kind = match verdict {
        Verdict::Agrees => return None,
        Verdict::NotJudged(_) => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut rerun = TestRerun::new(kind);
    let first = differences.first().map(|d| format!(" at {}: expected {}, saw {}", d.point, d.expected, d.seen));
    rerun.set_type(verdict.word());
    rerun.set_message(&*printable(&format!("session {}: {verdict}{}", attempt.session, first.unwrap_or_default())));
    Some(rerun)
}

/// How long the page took over it, all attempts together.
fn time(result: &CaseResult) -> Duration {
    let ms: f64 = result.attempts.iter().flat_map(|a| &a.observation.pages).map(|p| p.ms).sum();
    // A page's clock may be anything; what no duration can be is none.
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn render(results: &[CaseResult], strict: bool) -> String {
        let mut out = Vec::new();
        write(results, &fixtures::header(), &fixtures::words(), strict, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("XML in UTF-8")
    }

    fn parsed(results: &[CaseResult], strict: bool) -> Report {
        Report::deserialize_from_str(&render(results, strict)).expect("well-formed JUnit XML")
    }

    #[test]
    fn as_ci_servers_get_it() {
        insta::assert_snapshot!(render(&[fixtures::agrees(), fixtures::known(), fixtures::too_open(), fixtures::flaky()], false), @"");
    }

    #[test]
    fn each_kind_has_its_status() {
        let status = |strict| {
            let report = parsed(&fixtures::all(), strict);
            let line = |case: &TestCase| {
                let status = match &case.status {
                    TestCaseStatus::Success { flaky_runs } if !flaky_runs.is_empty() => "flaky success".to_owned(),
                    TestCaseStatus::Success { .. } if case.system_out.is_some() => "success with words".to_owned(),
                    TestCaseStatus::Success { .. } => "success".to_owned(),
                    TestCaseStatus::NonSuccess { kind, ty, .. } => format!("{kind:?} {}", ty.as_deref().unwrap_or("")),
                    TestCaseStatus::Skipped { ty, .. } => format!("skipped {}", ty.as_deref().unwrap_or("")),
                };
                format!("{} {}: {status}", case.classname.as_deref().unwrap_or(""), case.name.as_str())
            };
            report.test_suites.iter().flat_map(|s| &s.test_cases).map(line).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(status(false), @"");
        insta::assert_snapshot!(status(true), @"");
    }

    #[test]
    fn it_fails_exactly_where_the_run_does() {
        for strict in [false, true] {
            for result in fixtures::all() {
                let report = parsed(std::slice::from_ref(&result), strict);
                assert_eq!(report.failures + report.errors > 0, result.fails_run(strict), "{} {strict}", result.case);
            }
        }
    }

    #[test]
    fn hostile_names_stay_text() {
        let hostile = fixtures::hostile();
        let report = parsed(std::slice::from_ref(&hostile), false);
        let suite = report.test_suites.iter().find(|s| !s.test_cases.is_empty()).expect("a suite");
        assert_eq!(suite.name.as_str(), format!("corscheck.{}", printable(&hostile.browser)));
        let [case] = &suite.test_cases[..] else { panic!("one case: {suite:?}") };
        assert_eq!(case.name.as_str(), printable(&hostile.case));
        let TestCaseStatus::NonSuccess { description: Some(text), .. } = &case.status else { panic!("{case:?}") };
        assert!(
            text.contains("<script>alert(1)</script>") && text.contains("]]>") && text.contains(r"\x1B"),
            "{}",
            text.as_str()
        );
    }

    #[test]
    fn a_browser_without_results_is_an_empty_suite() {
        let report = parsed(&[], false);
        assert_eq!(report.test_suites.iter().map(|s| s.tests).collect::<Vec<_>>(), [0, 0, 0]);
    }
}
