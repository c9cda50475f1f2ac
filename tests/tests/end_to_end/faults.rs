//! Browsers and drivers that die or hang in the middle of a run, for real.
//!
//! Each fault strikes every browser found in one run, as soon as it has results: the run goes on in fresh sessions, every case
//! ends with one result, and nothing that was recorded is lost.

use std::{
    fs,
    time::{Duration, Instant},
};

use corscheck::verdict::Verdict;
use corscheck_tests::{Place, Process, Running, Signal, browsers, eventually, signal};

use crate::{LONG, expect_each_once, long_catalogue, place};

/// How long browsers may take to have their first results.
const FIRST_RESULTS: Duration = Duration::from_secs(60);

/// How long a run of some seconds may take with a fault: the longest waits out the limits of the agent and the driver.
const BOUND: Duration = Duration::from_secs(90);

#[test]
fn browsers_that_are_killed() {
    strike(Signal::KILL, Process::is_browser, &["lost"]);
}

#[test]
fn drivers_that_are_killed() {
    strike(Signal::KILL, Process::is_driver_of, &["lost", "the driver gives no words"]);
}

#[test]
fn browsers_that_hang() {
    strike(Signal::STOP, Process::is_browser, &["lost"]);
}

#[test]
fn drivers_that_hang() {
    strike(Signal::STOP, Process::is_driver_of, &["lost", "the driver gives no words"]);
}

/// Runs the long catalogue in all browsers, sends a signal to some processes of each, and demands that no harm is done. One of
/// `notes` must be made for each browser; WebKit says no words, so that the loss of its driver may go unnoticed.
#[track_caller]
fn strike(with: Signal, whom: fn(&Process, &str) -> bool, notes: &[&str]) {
    let present = browsers();
    if present.is_empty() {
        return;
    }
    let _turn = corscheck_tests::turn();
    let place = place();
    place.file("cases.toml", &long_catalogue());
    let started = Instant::now();
    let mut running = place.start(["run", "--catalogue", "cases.toml", "--out", "out"]);
    let mut safe: Vec<&str> = present.iter().map(|i| i.engine.word()).collect();
    let struck = eventually(FIRST_RESULTS, || {
        assert!(!running.has_ended(), "the run was over before all were struck; left: {safe:?}");
        safe.retain(|engine| recorded(&place, engine) == 0 || !strike_one(&running, with, |p| whom(p, engine)));
        safe.is_empty().then_some(())
    });
    assert!(struck.is_some(), "no results of {safe:?} within {} s", FIRST_RESULTS.as_secs());
    let before = place.results_so_far().expect("a file that is being written").results;
    let at = started.elapsed();

    running.end().expect_code(0);
    let took = started.elapsed();
    eprintln!("struck after {at:.1?}, over after {took:.1?}");
    assert!(took < BOUND, "it took {took:.1?}");
    let results = place.results();
    expect_each_once(&results, LONG);
    assert!(results.footer.as_ref().is_some_and(|f| f.complete));
    assert!(results.results.iter().all(|r| r.verdict == Verdict::Agrees));
    assert!(!before.is_empty() && results.results.starts_with(&before), "what was recorded was changed");
    for engine in present.iter().map(|i| i.engine.word()) {
        let of_engine: Vec<_> = results.notes.iter().filter(|n| n.browser.as_deref() == Some(engine)).map(|n| &*n.text).collect();
        eprintln!("{engine}: {of_engine:#?}");
        let unnoticed = engine == "webkit" && notes.len() > 1;
        assert!(unnoticed || of_engine.iter().any(|n| notes.iter().any(|w| n.contains(w))), "{engine}: {of_engine:?}");
    }
    place.expect_nothing_left();
}

fn strike_one(running: &Running<'_>, with: Signal, whom: impl Fn(&Process) -> bool) -> bool {
    let hit: Vec<_> = running.started().into_iter().filter(whom).collect();
    hit.iter().for_each(|p| signal(p.pid, with));
    !hit.is_empty()
}

/// How many results of a browser are on disk.
fn recorded(place: &Place, browser: &str) -> usize {
    let text = fs::read_to_string(place.dir().join("out/results.jsonl.part")).unwrap_or_default();
    let of_browser = format!("\"browser\":\"{browser}\"");
    text.lines().filter(|l| l.starts_with("{\"record\":\"result\"") && l.contains(&of_browser)).count()
}
