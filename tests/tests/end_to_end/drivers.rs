//! Drivers that cannot be used, drivers that run already, and capabilities that reach the browser.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use corscheck::browser::Engine;
use corscheck_tests::{Ended, Place, Signal, browsers, eventually, signal, turn};
use serde_json::json;

use crate::{GRANTS, case, granted, long_catalogue, place};

/// Runs one case with a driver that is a shell script; the browser is one too, so that none need be there.
fn run_with_driver(place: &Place, script: &str) -> (Ended, Duration) {
    place.file("cases.toml", &granted("one/case", "b"));
    let browser = place.script("browser", "echo Browser 1.0");
    let driver = place.script("driver", &format!("case $1 in --version) echo Driver 2.0; exit ;; esac\n{script}"));
    let (browser, driver) = (format!("chromium={}", browser.display()), format!("chromium={}", driver.display()));
    let started = Instant::now();
    let ended = place.run([
        "run",
        "--catalogue",
        "cases.toml",
        "--out",
        "out",
        "--browser",
        "chromium",
        "--browser-binary",
        &*browser,
        "--driver",
        &*driver,
    ]);
    (ended, started.elapsed())
}

#[track_caller]
fn expect_no_results(place: &Place, ended: &Ended, words: &str) {
    ended.expect_code(3);
    let results = place.results();
    let footer = results.footer.as_ref().expect("a footer");
    assert!(!footer.complete && results.results.is_empty());
    assert!(footer.cut_short.as_deref().is_some_and(|w| w.contains(words)), "{footer:?}");
    let told = format!("{}{}", ended.stdout, ended.stderr);
    assert!(told.contains(words), "`{words}` is missing:\n{told}");
    place.expect_nothing_left();
}

#[test]
fn a_driver_that_ends_at_once() {
    let place = place();
    let (ended, took) = run_with_driver(&place, "echo 'bind: address already in use' >&2; exit 7");
    expect_no_results(&place, &ended, "address already in use");
    assert!(took < Duration::from_secs(20), "it took {took:.1?}");
}

#[test]
fn a_driver_that_is_never_ready() {
    let place = place();
    let (ended, took) = run_with_driver(&place, "exec sleep 600");
    expect_no_results(&place, &ended, "did not become ready");
    // One wait of 20 s: a driver that is only silent is not started again and again.
    assert!(took < Duration::from_secs(40), "it took {took:.1?}");
}

#[test]
fn a_port_that_is_taken_is_passed_over() {
    let Some(browser) = browsers().into_iter().find(|b| b.engine != Engine::Webkit) else { return };
    let _turn = turn();
    let place = place();
    place.file("cases.toml", &granted("one/case", "b"));
    // As a driver does that finds its port taken, once; the harness looks for another.
    let driver = place.script(
        "driver",
        &format!(
            "case $1 in --version) echo 2.0; exit ;; esac\nif mkdir \"$0.taken\" 2>/dev/null; then exit 1; fi\nexec '{}' \"$@\"",
            browser.driver.display()
        ),
    );
    let engine = browser.engine.word();
    place
        .run([
            "run",
            "--catalogue",
            "cases.toml",
            "--out",
            "out",
            "--browser",
            engine,
            "--driver",
            &format!("{engine}={}", driver.display()),
        ])
        .expect_code(0);
    assert!(place.dir().join("driver.taken").exists());
    place.expect_nothing_left();
}

/// A read whose `User-Agent` is looked at.
fn user_agent_case(agent: &str) -> String {
    case(
        "capabilities/user-agent",
        &format!(
            "request = {{ to = \"b\" }}\nresponse = {GRANTS}\nexpect = {{ read = \"allowed\", wire = [{{ method = \"GET\", headers = {{ User-Agent = \"{agent}\" }} }}] }}"
        ),
    )
}

#[test]
fn capabilities_reach_the_browser() {
    for browser in browsers() {
        let asked = match browser.engine {
            Engine::Chromium => json!({ "goog:chromeOptions": { "args": ["--user-agent=corscheck-e2e"] } }),
            Engine::Firefox => json!({ "moz:firefoxOptions": { "prefs": { "general.useragent.override": "corscheck-e2e" } } }),
            // Its browser options know no preferences.
            Engine::Webkit => continue,
        };
        let _turn = turn();
        let place = place();
        place.file("cases.toml", &user_agent_case("corscheck-e2e"));
        place.file("asked.json", &asked.to_string());
        let engine = browser.engine.word();
        let common = ["run", "--catalogue", "cases.toml", "--out", "out", "--browser", engine];
        place.run(common.iter().chain(&["--capabilities", "@asked.json"])).expect_code(0);
        place.expect_nothing_left();
    }
}

/// A chromedriver of the test's own.
struct Remote {
    child: Child,
    url: String,
}

impl Remote {
    fn start(place: &Place, driver: &std::path::Path) -> Remote {
        let mut command = Command::new(driver);
        command.arg("--port=0").env("TMPDIR", place.dir()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("chromedriver can be started");
        let told = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let port =
            told.map_while(Result::ok).find_map(|l| l.split("successfully on port ").nth(1).map(|p| p.trim_end_matches('.').to_owned()));
        Remote { child, url: format!("http://127.0.0.1:{}", port.expect("chromedriver tells its port")) }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_remote_end_is_used_and_left_as_it_was() {
    let Some(browser) = browsers().into_iter().find(|b| b.engine == Engine::Chromium) else {
        eprintln!("NOT TESTED: the remote end would be a chromedriver");
        return;
    };
    let _turn = turn();
    let place = place();
    place.file("agent.toml", &user_agent_case("corscheck-remote"));
    place.file("long.toml", &long_catalogue());
    // A remote end knows where its browser is; the rest a test on root's machine has to ask for.
    let asked = json!({ "goog:chromeOptions": { "binary": browser.browser, "args": ["--no-sandbox", "--disable-dev-shm-usage", "--user-agent=corscheck-remote"] } });
    let asked = asked.to_string();
    let remote = Remote::start(&place, &browser.driver);
    let args = |file| {
        ["run", "--catalogue", file, "--out", "out", "--browser", "chromium", "--webdriver", &*remote.url, "--capabilities", &*asked]
    };
    let only_the_driver = || {
        let left = || place.processes().into_iter().filter(|p| p.pid != remote.child.id()).collect::<Vec<_>>();
        let gone = eventually(Duration::from_secs(5), || left().is_empty().then_some(()));
        assert!(gone.is_some(), "left at the remote end: {:?}", left());
        assert_eq!(place.folders_of_runs(), [""; 0].map(std::path::PathBuf::from));
    };

    place.run(args("agent.toml")).expect_code(0);
    assert_eq!(place.results().header.browsers[0].version, "remote");
    only_the_driver();

    let running = place.start(args("long.toml"));
    let some = eventually(Duration::from_secs(60), || place.results_so_far().filter(|r| !r.results.is_empty()));
    assert!(some.is_some(), "no results within a minute");
    signal(running.pid(), Signal::INT);
    running.end().expect_code(130);
    only_the_driver();
}

#[test]
fn a_remote_end_that_is_not_there_ends_with_3() {
    let place = place();
    place.file("cases.toml", &granted("one/case", "b"));
    let started = Instant::now();
    let ended =
        place.run(["run", "--catalogue", "cases.toml", "--out", "out", "--browser", "firefox", "--webdriver", "http://127.0.0.1:1"]);
    expect_no_results(&place, &ended, "firefox could not be started");
    assert!(started.elapsed() < Duration::from_secs(20));
}
