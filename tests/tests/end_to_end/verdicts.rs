//! Negative controls: what is wrong must be found, in every browser, and what is right must not.

use std::collections::BTreeMap;

use corscheck::{
    report::jsonl::Results,
    verdict::{Standing, Verdict},
};
use corscheck_tests::{Place, browsers, turn};
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};

use crate::{GRANTS, case, denied, expect_each_once, granted, place};

const PREFLIGHT: &str =
    r#"{ status = 204, headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Methods", "PUT"]] }"#;

fn put(id: &str, expect: &str) -> String {
    let rest = format!("request = {{ to = \"b\", method = \"PUT\" }}\npreflight = {PREFLIGHT}\nresponse = {GRANTS}\nexpect = {expect}");
    case(id, &rest)
}

fn get(id: &str, expect: &str) -> String {
    case(id, &format!("request = {{ to = \"b\" }}\nresponse = {GRANTS}\nexpect = {expect}"))
}

#[test]
fn wrong_expectations_are_found_in_every_browser() {
    let present = browsers();
    if present.is_empty() {
        return;
    }
    let _turn = turn();
    let place = place();
    let wrong = [
        (get("wrong/open", r#"{ read = "blocked", reason = "acao-missing", wire = ["GET"] }"#), Verdict::TooOpen, "page.outcome"),
        (
            case("wrong/strict", "request = { to = \"b\" }\nresponse = {}\nexpect = { read = \"allowed\", wire = [\"GET\"] }"),
            Verdict::TooStrict,
            "page.outcome",
        ),
        (get("wrong/missing", r#"{ read = "allowed", wire = ["GET", "GET"] }"#), Verdict::WrongWire, "wire."),
        (put("wrong/extra", r#"{ read = "allowed", wire = ["PUT"] }"#), Verdict::WrongWire, "wire."),
        (put("wrong/order", r#"{ read = "allowed", wire = ["PUT", "OPTIONS"] }"#), Verdict::WrongWire, "wire."),
        (
            get("wrong/field", r#"{ read = "allowed", wire = [{ method = "GET", headers = { Origin = "null" } }] }"#),
            Verdict::WrongWire,
            "wire.field:Origin",
        ),
        (get("wrong/hidden", r#"{ read = "allowed", headers = { ETag = true }, wire = ["GET"] }"#), Verdict::TooStrict, "page.header:etag"),
        (get("wrong/body", r#"{ read = "allowed", body = "other", wire = ["GET"] }"#), Verdict::WrongWire, "page.body"),
    ];
    let text: String =
        wrong.iter().map(|(text, ..)| text.as_str()).chain([&*granted("right/granted", "b"), &*denied("right/denied", "b")]).collect();
    place.file("cases.toml", &text);
    let ended = place.run(["run", "--catalogue", "cases.toml", "--out", "out"]);
    ended.expect_code(1);
    let results = place.results();
    expect_each_once(&results, wrong.len() + 2);
    assert_eq!(results.header.browsers.len(), present.len());
    for result in &results.results {
        let name = format!("{} in {}", result.case, result.browser);
        if result.case.starts_with("right/") {
            assert_eq!((&result.verdict, result.standing, result.attempts.len()), (&Verdict::Agrees, Standing::AsExpected, 1), "{name}");
            continue;
        }
        let (_, verdict, point) = wrong.iter().find(|(text, ..)| text.contains(&format!("\"{}\"", result.case))).expect("a case of ours");
        let found = result.last().and_then(|a| a.judgement.differences.first()).map(|d| d.point.as_str());
        assert_eq!((&result.verdict, result.standing), (verdict, Standing::Unexpected), "{name}");
        assert!(found.is_some_and(|f| f.starts_with(point)), "{name}: {found:?}");
        // It was repeated in a fresh session before it was called unexpected.
        let sessions: Vec<_> = result.attempts.iter().map(|a| a.session).collect();
        assert!(matches!(sessions[..], [first, second] if first < second), "{name}: {sessions:?}");
        assert!(ended.stdout.contains(&result.case), "{name} is not told:\n{}", ended.stdout);
    }
    expect_junit(&place, &results);
    place.expect_nothing_left();
}

#[test]
fn right_expectations_agree_in_every_browser() {
    let present = browsers();
    if present.is_empty() {
        return;
    }
    let _turn = turn();
    let place = place();
    let text = [
        granted("right/granted", "b"),
        denied("right/denied", "b"),
        put("right/preflight", r#"{ read = "allowed", wire = ["OPTIONS", "PUT"] }"#),
        get("right/field", r#"{ read = "allowed", wire = [{ method = "GET", headers = { Origin = "{origin}" } }] }"#),
    ];
    place.file("cases.toml", &text.concat());
    place.run(["run", "--catalogue", "cases.toml", "--out", "out"]).expect_code(0);
    let results = place.results();
    expect_each_once(&results, text.len());
    assert!(results.results.iter().all(|r| r.verdict == Verdict::Agrees && r.attempts.len() == 1));
    assert_eq!(results.header.cases, text.len());
    let told: Vec<_> = results.header.browsers.iter().map(|b| (&*b.browser, &*b.version)).collect();
    let there: Vec<_> = present.iter().map(|i| (i.engine.word(), &*i.browser_version)).collect();
    assert_eq!(told, there);
    let footer = results.footer.as_ref().expect("a footer");
    assert_eq!((footer.complete, &footer.cut_short, footer.results), (true, &None, results.results.len()));
    let mut files: Vec<_> = std::fs::read_dir(place.dir().join("out")).expect("a folder").flatten().map(|e| e.file_name()).collect();
    files.sort();
    assert_eq!(files, ["junit.xml", "report.html", "results.jsonl", "summary.md"]);
    expect_junit(&place, &results);
    place.expect_nothing_left();
}

#[test]
fn known_deviations_are_known_and_stale_ones_fail_the_run() {
    let Some(browser) = browsers().into_iter().next() else { return };
    let engine = browser.engine.word();
    let _turn = turn();
    let place = place();
    let open = |id| get(id, r#"{ read = "blocked", reason = "acao-missing", wire = ["GET"] }"#);
    place.file(
        "cases.toml",
        &(granted("known/mended", "b") + &open("known/same") + &open("known/other-point") + &open("known/other-verdict")),
    );
    let entry = |case: &str, reason: &str, point: &str| {
        format!(
            "[[known]]\ncases = [\"{case}\"]\nverdict = \"too-open\"\nreason = \"{reason}\"\npoint = \"{point}\"\nversions = [\"1\"]\nlink = \"https://example.com/\"\nconsequence = \"None.\"\n"
        )
    };
    let file = |text: &str| place.file(&format!("known/{engine}.toml"), text);
    let run = |pattern: &str| {
        place.run(["run", "--catalogue", "cases.toml", "--baseline", "known", "--browser", engine, "--out", "out", pattern])
    };
    let standings = || -> BTreeMap<String, Standing> { place.results().results.into_iter().map(|r| (r.case, r.standing)).collect() };

    file(&entry("known/same", "acao-missing", "page.outcome"));
    run("known/same").expect_code(0);
    assert_eq!(standings(), BTreeMap::from([("known/same".to_owned(), Standing::Known)]));

    file(
        &(entry("known/same", "acao-missing", "page.outcome")
            + &entry("known/mended", "acao-missing", "page.outcome").replace("reason = \"acao-missing\"\n", "")
            + &entry("known/other-point", "acao-missing", "page.body")
            + &entry("known/other-verdict", "acao-missing", "page.outcome").replace("too-open", "too-strict")),
    );
    run("known").expect_code(1);
    let found = standings();
    assert_eq!(found.get("known/same"), Some(&Standing::Known));
    for stale in ["known/mended", "known/other-point", "known/other-verdict"] {
        assert_eq!(found.get(stale), Some(&Standing::Stale), "{stale}");
    }

    // A mistake in the baseline is a mistake of the user, told before any browser starts.
    file(&entry("known/no-such-case", "acao-missing", "page.outcome"));
    let ended = run("known");
    assert!(ended.expect_code(2).stderr.contains("known/no-such-case"), "{}", ended.stderr);
    file(&entry("known/same", "acao-mismatch", "page.outcome"));
    let ended = run("known");
    assert!(ended.expect_code(2).stderr.contains("does not expect the reason"), "{}", ended.stderr);
    place.expect_nothing_left();
}

/// Demands that `junit.xml` is read by a JUnit parser and says what the results say.
#[track_caller]
fn expect_junit(place: &Place, results: &Results) {
    let text = std::fs::read_to_string(place.dir().join("out/junit.xml")).expect("a file");
    let report = Report::deserialize_from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let count = |wanted: Option<NonSuccessKind>| {
        let is = |status: &TestCaseStatus| match (status, wanted) {
            (TestCaseStatus::Success { .. }, None) => true,
            (TestCaseStatus::NonSuccess { kind, .. }, Some(wanted)) => *kind == wanted,
            _ => false,
        };
        report.test_suites.iter().flat_map(|s| &s.test_cases).filter(|c| is(&c.status)).count()
    };
    let unjudged = |r: &&corscheck::event::CaseResult| matches!(r.verdict, Verdict::NotJudged(_));
    let failing: Vec<_> = results.results.iter().filter(|r| r.fails_run(false)).collect();
    let errors = failing.iter().copied().filter(unjudged).count();
    assert_eq!(count(Some(NonSuccessKind::Failure)), failing.len() - errors);
    assert_eq!(count(Some(NonSuccessKind::Error)), errors);
    assert_eq!(count(None), results.results.len() - failing.len());
    assert_eq!((report.tests, report.failures, report.errors), (results.results.len(), failing.len() - errors, errors));
    assert_eq!(report.test_suites.len(), results.header.browsers.len());
}
