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

fn suite<'a>(browser: &str, results: impl Iterator<Item = &'a CaseResult>, header: &Header, words: &Words, strict: bool) -> TestSuite {
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
        let case = test_case(result, header, words, strict);
        time += case.time.unwrap_or_default();
        suite.add_test_case(case);
    }
    suite.set_time(time);
    suite
}

fn test_case(result: &CaseResult, header: &Header, words: &Words, strict: bool) -> TestCase {
    let full = || {
        let repeat_command = failure::repeat_command(result, Some(header));
        let context = FailureContext { color: false, repeat_command, words: words.get(&result.case) };
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
        Kind::TooOpen | Kind::TooStrict | Kind::WrongWire => non_success(NonSuccessKind::Failure, result.verdict.word(), &told, &full()),
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
        insta::assert_snapshot!(render(&[fixtures::agrees(), fixtures::known(), fixtures::too_open(), fixtures::flaky()], false), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="corscheck" tests="4" skipped="1" failures="1" errors="0" timestamp="2026-01-02T03:04:05.000+00:00">
            <testsuite name="corscheck.chromium" tests="2" skipped="0" errors="0" failures="0" timestamp="2026-01-02T03:04:05.000+00:00" time="0.012">
                <properties>
                    <property name="browser" value="140.0.1"/>
                    <property name="driver" value="ChromeDriver 140.0.1"/>
                    <property name="corscheck" value="0.1.0"/>
                    <property name="platform" value="linux x86_64"/>
                </properties>
                <testcase name="simple/read" classname="corscheck.chromium.simple" time="0.004"/>
                <testcase name="simple/flaky" classname="corscheck.chromium.simple" time="0.008">
                    <flakyFailure message="session 1: too-strict at page.outcome: expected allowed, saw blocked" type="too-strict">
                    </flakyFailure>
                    <system-out>FLAKY  simple/flaky  in chromium, a/window (must)
          A simple read that is allowed
          flaky: the attempts came to too-strict, then agrees
          expected   allowed
          page       allowed: 200 OK, type cors, 5 bytes of body
          wire       GET a-port  /r?q=1
                         Origin: http://a.localhost:8001
                       &lt;- 200
                         Access-Control-Allow-Origin: *
          browser    gave no words of its own
          attempts   1 in session 1: too-strict at page.outcome: expected allowed, saw blocked
                     2 in session 2: agrees
          repeat     corscheck run --browser chromium simple/flaky
        </system-out>
                </testcase>
            </testsuite>
            <testsuite name="corscheck.firefox" tests="1" skipped="0" errors="0" failures="1" timestamp="2026-01-02T03:04:05.000+00:00" time="0.008">
                <properties>
                    <property name="browser" value="143.0"/>
                    <property name="driver" value="geckodriver 0.36.0"/>
                    <property name="corscheck" value="0.1.0"/>
                    <property name="platform" value="linux x86_64"/>
                </properties>
                <testcase name="preflight/header-not-listed" classname="corscheck.firefox.preflight" time="0.008">
                    <failure message="too open: page.outcome: expected blocked, saw allowed" type="too-open">TOO OPEN  preflight/header-not-listed  in firefox, a/window (must)
          A request header that the preflight answer does not list blocks the request
          too open: the page could read what the standard hides
          expected   blocked; on the wire OPTIONS b
                       because of header-not-allowed
          why        The actual request must not leave the browser when the preflight answer does not list one of its
                     headers: the server was asked whether it wants the header, and did not say so.
                     fetch#cors-preflight-fetch-0  https://fetch.spec.whatwg.org/#cors-preflight-fetch-0
          page       allowed: 200 OK, type cors, 5 bytes of body
                       content-type: text/plain
                       x-secret (asked for): null
          wire       OPTIONS b  /r?q=1
                         Origin: http://a.localhost:8001
                         Access-Control-Request-Method: GET
                         Access-Control-Request-Headers: x-token
                       &lt;- 204
                         Access-Control-Allow-Origin: http://a.localhost:8001
                          folded
                     GET b  /r?q=1
                         Origin: http://a.localhost:8001
                         Cookie: k=v
                       &lt;- 200
                         Access-Control-Allow-Origin: *
                         Set-Cookie: s=\xFF
          browser    gave no words of its own
          parts at   page.outcome: expected blocked, saw allowed
          then at    wire.extra: expected OPTIONS b, saw OPTIONS b, GET b
          case       cases/catalogue/preflight-answer.toml:12
          repeat     corscheck run --browser firefox preflight/header-not-listed
        </failure>
                </testcase>
            </testsuite>
            <testsuite name="corscheck.webkit" tests="1" skipped="1" errors="0" failures="0" timestamp="2026-01-02T03:04:05.000+00:00" time="0.004">
                <properties>
                    <property name="browser" value="2.50.0"/>
                    <property name="driver" value="WebKitWebDriver 2.50.0"/>
                    <property name="corscheck" value="0.1.0"/>
                    <property name="platform" value="linux x86_64"/>
                </properties>
                <testcase name="safelist/range" classname="corscheck.webkit.safelist" time="0.004">
                    <skipped message="known deviation: wrong-wire; wire.extra: expected GET b, saw OPTIONS b, GET b; https://bugs.webkit.org/show_bug.cgi?id=2" type="known"/>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
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
        insta::assert_snapshot!(status(false), @"
        corscheck.chromium.simple simple/read: success
        corscheck.chromium.cache cache/second-read: success with words
        corscheck.chromium.simple simple/flaky: flaky success
        corscheck.chromium.info info/url: success with words
        corscheck.firefox.preflight preflight/header-not-listed: Failure too-open
        corscheck.firefox.simple simple/stale: Failure stale
        corscheck.webkit.redirect redirect/taints-origin: Failure wrong-wire
        corscheck.webkit.simple simple/dead: Error not-judged
        corscheck.webkit.safelist safelist/range: skipped known
        corscheck.webkit.worker worker/shared: skipped unsupported
        ");
        insta::assert_snapshot!(status(true), @"
        corscheck.chromium.simple simple/read: success
        corscheck.chromium.cache cache/second-read: Failure too-strict
        corscheck.chromium.simple simple/flaky: Failure flaky
        corscheck.chromium.info info/url: success with words
        corscheck.firefox.preflight preflight/header-not-listed: Failure too-open
        corscheck.firefox.simple simple/stale: Failure stale
        corscheck.webkit.redirect redirect/taints-origin: Failure wrong-wire
        corscheck.webkit.simple simple/dead: Error not-judged
        corscheck.webkit.safelist safelist/range: skipped known
        corscheck.webkit.worker worker/shared: skipped unsupported
        ");
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
        assert!(text.contains("<script>alert(1)</script>") && text.contains("]]>") && text.contains(r"\x1B"), "{}", text.as_str());
    }

    #[test]
    fn a_browser_without_results_is_an_empty_suite() {
        let report = parsed(&[], false);
        assert_eq!(report.test_suites.iter().map(|s| s.tests).collect::<Vec<_>>(), [0, 0, 0]);
    }
}
