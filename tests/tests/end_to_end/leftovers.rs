//! Nothing that a run started outlives it, however it ends.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::Duration,
};

use corscheck::{
    browser::{Endpoint, Guard, Session, SessionOptions},
    verdict::{Standing, Verdict},
};
use corscheck_tests::{Place, Process, Running, Signal, bearing, browsers, eventually, is_alive, signal};

use crate::{LONG, case, long_catalogue, place};

/// How long what was started may take to be gone.
const GONE: Duration = Duration::from_secs(5);

/// How long browsers may take to come up and have results.
const UP: Duration = Duration::from_secs(60);

/// Starts a long run in every browser and waits until each browser runs and something is recorded.
fn in_the_middle<'a>(place: &'a Place, catalogue: &str) -> Option<(Running<'a>, Vec<Process>)> {
    let present = browsers();
    if present.is_empty() {
        return None;
    }
    place.file("cases.toml", catalogue);
    let mut running = place.start(["run", "--catalogue", "cases.toml", "--out", "out"]);
    let up = eventually(UP, || {
        assert!(!running.has_ended(), "the run was over too soon");
        let some = place.results_so_far().is_some_and(|r| !r.results.is_empty());
        let started = running.started();
        let all = present.iter().all(|i| started.iter().any(|p| p.is_browser(i.engine.word())));
        (some && all).then_some(started)
    });
    let started = up.unwrap_or_else(|| panic!("not every browser came up within {} s", UP.as_secs()));
    Some((running, started))
}

/// Demands that every process that was seen has ended, whatever it calls itself now.
#[track_caller]
fn expect_ended(seen: &[Process]) {
    let mut left = Vec::new();
    let ended = eventually(GONE, || {
        left = seen.iter().filter(|p| is_alive(p)).collect();
        left.is_empty().then_some(())
    });
    assert!(ended.is_some(), "still there: {left:?}");
}

#[test]
fn an_interrupted_run_keeps_what_it_has() {
    for how in [Signal::INT, Signal::TERM] {
        let _turn = corscheck_tests::turn();
        let place = place();
        // It is among the first and comes out wrong: it waits for its repeat, which the interruption takes from it.
        let wrong = case("early/wrong", "request = { to = \"b\" }\nresponse = {}\nexpect = { read = \"allowed\", wire = [\"GET\"] }");
        let Some((running, seen)) = in_the_middle(&place, &(wrong + &long_catalogue())) else { return };
        let before = place.results_so_far().expect("a file that is being written").results;
        signal(running.pid(), how);
        running.end().expect_code(130);
        place.expect_nothing_left();
        expect_ended(&seen);
        let results = place.results();
        let footer = results.footer.as_ref().expect("a footer");
        assert_eq!((footer.complete, footer.cut_short.as_deref()), (false, Some("interrupted")), "{how:?}");
        assert_eq!(footer.results, results.results.len());
        assert!(results.results.starts_with(&before) && results.results.len() < (LONG + 1) * results.header.browsers.len());
        let wrong: Vec<_> = results.results.iter().filter(|r| r.case == "early/wrong").collect();
        // A browser that had results had come past it.
        for past in &before {
            assert!(wrong.iter().any(|w| w.browser == past.browser), "a first attempt of {} was lost", past.browser);
        }
        assert!(wrong.iter().all(|r| r.attempts.len() == 1 && r.verdict == Verdict::TooStrict && r.standing == Standing::Unexpected));
        assert!(!place.dir().join("out/results.jsonl.part").exists());
        assert!(place.dir().join("out/junit.xml").exists() && place.dir().join("out/summary.md").exists());
    }
}

#[test]
fn a_killed_run_leaves_nothing_but_its_results() {
    let _turn = corscheck_tests::turn();
    let place = place();
    let Some((running, seen)) = in_the_middle(&place, &long_catalogue()) else { return };
    signal(running.pid(), Signal::KILL);
    assert_eq!(running.end().code(), None);
    place.expect_nothing_left();
    expect_ended(&seen);
    assert!(place.results_so_far().is_some_and(|r| !r.results.is_empty() && r.footer.is_none()));
}

#[test]
fn an_interruption_while_browsers_start_leaves_nothing() {
    if browsers().is_empty() {
        return;
    }
    let _turn = corscheck_tests::turn();
    for how in [Signal::INT, Signal::KILL] {
        let place = place();
        place.file("cases.toml", &long_catalogue());
        let running = place.start(["run", "--catalogue", "cases.toml", "--out", "out"]);
        // Before there is a folder, drivers are only asked for their versions.
        let up = || (!place.folders_of_runs().is_empty()).then(|| running.started()).filter(|s| s.iter().any(Process::is_driver));
        let seen = eventually(UP, up).expect("a driver comes up");
        signal(running.pid(), how);
        let ended = running.end();
        assert_eq!(ended.code(), (how == Signal::INT).then_some(130), "{}", ended.stderr);
        place.expect_nothing_left();
        expect_ended(&seen);
    }
}

#[test]
fn a_panic_leaves_nothing() {
    for browser in browsers() {
        let _turn = corscheck_tests::turn();
        let mut seen: Vec<Process> = Vec::new();
        let mut dir = PathBuf::new();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let runtime = tokio::runtime::Runtime::new().expect("threads");
            runtime.block_on(async {
                let guard = Guard::new().expect("a folder");
                dir = guard.dir().to_owned();
                let options = SessionOptions::default();
                let session = Session::start(&Endpoint::Local(browser.clone()), &options, &guard).await.expect("a session");
                seen = bearing(&dir.display().to_string());
                assert!(session.driver_pid().is_none(), "a panic with everything up");
            });
        }));
        assert!(panicked.is_err());
        assert!(seen.iter().any(|p| p.is_browser(browser.engine.word())), "no browser was seen: {seen:?}");
        expect_ended(&seen);
        assert!(!dir.exists(), "{} is left", dir.display());
        assert_eq!(bearing(&dir.display().to_string()), []);
    }
}
