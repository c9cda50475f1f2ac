//! The simulated user agent: the whole catalogue without a browser, right and with something wrong.

use std::time::Duration;

use corscheck::{
    report::jsonl::Results,
    verdict::{Standing, Verdict},
};
use corscheck_tests::{Signal, eventually, signal, turn};

use crate::{case, expect_each_once, long_catalogue, place};

/// The start of each command line.
const SIMULATED: [&str; 5] = ["run", "--browser", "simulated", "--out", "out"];

fn too_open(results: &Results) -> Vec<&str> {
    results.results.iter().filter(|r| r.verdict == Verdict::TooOpen).map(|r| &*r.case).collect()
}

#[test]
fn the_whole_catalogue_agrees() {
    // Browsers of other tests are not to be slowed, nor to slow.
    let _turn = turn();
    let place = place();
    let ended = place.run(SIMULATED);
    ended.expect_code(0);
    let results = place.results();
    assert!(results.header.cases > 1500, "{} cases", results.header.cases);
    expect_each_once(&results, results.header.cases);
    for result in &results.results {
        assert_eq!((&result.verdict, result.standing), (&Verdict::Agrees, Standing::AsExpected), "{}", result.case);
        assert_ne!(result.reason_agrees, Some(false), "{} is blocked for another reason", result.case);
    }
    let [info] = &results.header.browsers[..] else { panic!("{:?}", results.header.browsers) };
    assert_eq!((&*info.browser, &*info.driver, info.defects.len()), ("simulated", "none", 0));
    assert!(info.version.starts_with("Fetch ") && !info.version.contains("defect"), "{}", info.version);
    let footer = results.footer.as_ref().expect("a footer");
    assert!(footer.complete && footer.cut_short.is_none());
    // What waits for real time takes some four seconds of it; the rest must not weigh.
    assert!(footer.ms < 60_000, "{} ms", footer.ms);
    for file in ["junit.xml", "summary.md"] {
        let text = std::fs::read_to_string(place.dir().join("out").join(file)).expect("a file");
        assert!(text.contains("simulated") && text.contains(&info.version), "{file} does not name the user agent");
    }
    place.expect_nothing_left();
}

#[test]
fn a_defect_is_found_where_it_is() {
    let place = place();
    let ended =
        place.run([&SIMULATED[..], &["--defect", "acac-ignored", "--filter", "area:cors-check area:preflight area:safelist"]].concat());
    ended.expect_code(1);
    let results = place.results();
    let [info] = &results.header.browsers[..] else { panic!("{:?}", results.header.browsers) };
    assert!(info.version.ends_with(" with defect acac-ignored"), "{}", info.version);
    let open = too_open(&results);
    assert!(open.contains(&"cors-check/acac-absent") && open.contains(&"preflight/acac-absent"), "{open:?}");
    assert!(results.results.iter().any(|r| r.case.starts_with("safelist/")) && !open.iter().any(|id| id.starts_with("safelist/")));
    for result in &results.results {
        match &result.verdict {
            Verdict::Agrees => {}
            Verdict::TooOpen => assert!(result.case.contains("acac"), "{}", result.case),
            other => panic!("{}: {other}", result.case),
        }
    }
    assert!(ended.stdout.contains("with defect acac-ignored"), "{}", ended.stdout);
    let repeat = "corscheck run --browser simulated --defect acac-ignored cors-check/";
    assert!(ended.stdout.contains(repeat), "`{repeat}` is missing:\n{}", ended.stdout);
}

#[test]
fn several_defects_add_up() {
    let place = place();
    place.run([&SIMULATED[..], &["--defect", "acac-ignored", "--defect", "acao-null-for-all", "cors-check/"]].concat()).expect_code(1);
    let results = place.results();
    assert!(results.header.browsers[0].version.ends_with(" with defects acao-null-for-all, acac-ignored"), "{:?}", results.header.browsers);
    let open = too_open(&results);
    assert!(open.iter().any(|id| id.contains("acac")) && open.iter().any(|id| id.contains("null")), "{open:?}");
}

#[test]
fn a_defect_that_is_unknown_leads_to_the_nearest() {
    let place = place();
    let ended = place.run([&SIMULATED[..], &["--defect", "acac-ignore"]].concat());
    ended.expect_code(2);
    for words in ["`acac-ignore`", "acac-ignored", "corscheck list --defects"] {
        assert!(ended.stderr.contains(words), "`{words}` is missing:\n{}", ended.stderr);
    }
    assert!(!place.dir().join("out").exists(), "a folder for results was made");
}

#[test]
fn wrong_expectations_are_found() {
    let place = place();
    let get = |id: &str, answer: &str, expect: &str| {
        case(id, &format!("request = {{ to = \"b\" }}\nresponse = {{ {answer} }}\nexpect = {{ {expect}, wire = [\"GET\"] }}"))
    };
    let grants = "headers = [[\"Access-Control-Allow-Origin\", \"*\"]]";
    let blocked = "read = \"blocked\", reason = \"acao-missing\"";
    let text = get("wrong/open", grants, blocked)
        + &get("wrong/strict", "", "read = \"allowed\"")
        + &get("right/granted", grants, "read = \"allowed\"")
        + &get("right/denied", "", blocked);
    place.file("cases.toml", &text);
    let ended = place.run([&SIMULATED[..], &["--catalogue", "cases.toml"]].concat());
    ended.expect_code(1);
    for result in place.results().results {
        let wanted = match &*result.case {
            "wrong/open" => Verdict::TooOpen,
            "wrong/strict" => Verdict::TooStrict,
            _ => Verdict::Agrees,
        };
        // What is unexpected was repeated before it was called so.
        let attempts = if wanted == Verdict::Agrees { 1 } else { 2 };
        assert_eq!((&result.verdict, result.attempts.len()), (&wanted, attempts), "{}", result.case);
    }
    assert!(ended.stdout.contains("wrong/open") && ended.stdout.contains("wrong/strict"), "{}", ended.stdout);
}

#[test]
fn an_interrupted_run_ends_at_once_and_keeps_what_it_has() {
    let _turn = turn();
    let place = place();
    let hangs = case(
        "hang/hang",
        "request = { to = \"b\" }\nresponse = { drop = \"hang\" }\nexpect = { read = \"blocked\", reason = \"network\", wire = [\"GET\"] }",
    );
    place.file("cases.toml", &(long_catalogue() + &hangs));
    let running = place.start([&SIMULATED[..], &["--catalogue", "cases.toml"]].concat());
    let some = eventually(Duration::from_secs(20), || place.results_so_far().filter(|r| !r.results.is_empty()));
    assert!(some.is_some(), "no result within 20 s");
    let interrupted = std::time::Instant::now();
    signal(running.pid(), Signal::INT);
    running.end().expect_code(130);
    let took = interrupted.elapsed();
    assert!(took < Duration::from_secs(5), "it took {took:.1?}");
    let results = place.results();
    assert!(!results.results.is_empty());
    assert!(results.footer.is_some_and(|f| !f.complete && f.cut_short.as_deref() == Some("interrupted")));
    place.expect_nothing_left();
}

#[test]
fn every_attempt_that_was_asked_for_is_made() {
    let place = place();
    let text = crate::granted("right/granted", "b")
        + &case("wrong/open", "request = { to = \"b\" }\nresponse = {}\nexpect = { read = \"allowed\", wire = [\"GET\"] }");
    place.file("cases.toml", &text);
    let ended = place.run([&SIMULATED[..], &["--catalogue", "cases.toml", "--repeat", "3"]].concat());
    ended.expect_code(1);
    let results = place.results();
    expect_each_once(&results, 2);
    for result in &results.results {
        let mut sessions: Vec<_> = result.attempts.iter().map(|a| a.session).collect();
        sessions.dedup();
        assert_eq!(sessions.len(), 3, "{}: {sessions:?}", result.case);
    }
    // The command that it gives finds the case again.
    let repeat = ended.stdout.lines().find_map(|l| l.trim().strip_prefix("repeat")).expect("a command").trim();
    let words: Vec<_> = repeat.split(' ').skip(1).collect();
    let again = [&words[..], &["--out", "out"]].concat();
    assert!(place.run(again).expect_code(1).stdout.contains("wrong/open"), "{words:?}");
    place.run([&SIMULATED[..], &["--repeat", "0"]].concat()).expect_code(2);
    place.expect_nothing_left();
}
