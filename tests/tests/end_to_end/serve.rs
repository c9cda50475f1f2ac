//! Cases run by hand: a page, a click, a window, and results like any others.

use std::{fs, sync::Arc, time::Duration};

use corscheck::{
    browser::{Endpoint, Guard, Session, SessionOptions},
    report::jsonl,
    verdict::{Standing, Verdict},
};
use corscheck_tests::{Signal, browsers, eventually, signal, turn};
use serde_json::{Value, json};

use crate::{denied, granted, place};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("threads").block_on(future)
}

async fn look(session: &Session, script: &str) -> Value {
    session.execute(script, vec![]).await.unwrap_or_else(|e| panic!("{script}: {e}"))
}

/// A case whose expectation is wrong: by hand too, that must be found.
fn wrong() -> String {
    granted("hand/wrong", "b").replace(r#"[["Access-Control-Allow-Origin", "{origin}"]]"#, "[]")
}

/// A case that holds between sites alone.
fn between_sites() -> String {
    granted("hand/sites", "b").replace("[\"GET\"]", r#"[{ method = "GET", headers = { Sec-Fetch-Site = "cross-site" } }]"#)
}

#[test]
fn cases_run_by_hand_are_judged_like_any() {
    judged_by_hand("", None);
}

/// On another address of the machine the origins differ in their ports alone: what would not hold there is not offered.
#[test]
fn another_machine_would_be_served_too() {
    judged_by_hand(" --host 127.0.0.2", Some("http://127.0.0.2:"));
}

fn judged_by_hand(options: &str, host: Option<&str>) {
    let turn = turn();
    for browser in browsers() {
        let place = place();
        let catalogue = [
            granted("hand/granted", "b"),
            denied("hand/denied", "b"),
            granted("hand/own", "a"),
            if host.is_some() { between_sites() } else { wrong() },
        ]
        .concat();
        let wanted = if host.is_some() { 3 } else { 4 };
        place.file("cases/hand.toml", &catalogue);
        let said = place.dir().join("said.txt");
        let command = format!("exec \"$0\" serve --catalogue cases --out out{options} > {}", said.display());
        let mut serving =
            std::process::Command::new("sh").args(["-c", &command, crate::PROGRAM]).current_dir(place.dir()).spawn().expect("a shell");
        let address = eventually(Duration::from_secs(20), || {
            let text = fs::read_to_string(&said).ok()?;
            text.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
        });
        let address = address.expect("it tells its address");
        if let Some(host) = host {
            assert!(address.starts_with(host), "{address}");
            let text = fs::read_to_string(&said).expect("what it said");
            assert!(text.contains("1 more need other hosts") && text.contains("exposed"), "{text}");
        }
        block_on(by_hand(&address, browser.clone(), wanted));
        signal(serving.id(), Signal::INT);
        assert!(serving.wait().expect("it ends").success());
        let text = fs::read_to_string(&said).expect("what it said");
        assert!(text.contains("corscheck report out/by-hand-1"), "{text}");

        let results = jsonl::read(&place.dir().join("out/by-hand-1/results.jsonl")).expect("results");
        assert!(results.footer.as_ref().is_some_and(|f| f.complete), "{:?}", results.footer);
        assert_eq!(results.results.len(), wanted);
        for result in &results.results {
            let right = result.case != "hand/wrong";
            assert_eq!(result.verdict == Verdict::Agrees, right, "{}: {}: {}", browser.engine.title(), result.case, result.verdict);
            assert_eq!(result.standing == Standing::AsExpected, right, "{}", result.case);
            let last = result.last().expect("an attempt");
            assert!(!last.observation.exchanges.is_empty(), "{}: nothing on the wire", result.case);
        }
        let [info] = &results.header.browsers[..] else { panic!("{:?}", results.header.browsers) };
        assert_eq!(info.browser, "by-hand");
        assert!(info.version.contains(|c: char| c.is_ascii_digit()), "{}", info.version);
        // It is one more column beside those of a run.
        let code = i32::from(host.is_none());
        place.run(["run", "--browser", "simulated", "--catalogue", "cases", "--out", "run"]).expect_code(code);
        place.run(["report", "run", "out/by-hand-1", "--out", "both"]).expect_code(code);
        let page = fs::read_to_string(place.dir().join("both/report.html")).expect("a report");
        assert!(page.contains(&format!("{} results in 2 columns", 4 + wanted)), "no two columns");
        place.expect_nothing_left();
    }
    drop(turn);
}

async fn by_hand(address: &str, browser: corscheck::browser::Installed, wanted: usize) {
    let title = browser.engine.title();
    let guard = Arc::new(Guard::new().expect("a folder"));
    let mut session = Session::start(&Endpoint::Local(browser), &SessionOptions::default(), &guard).await.unwrap_or_else(|e| panic!("{e}"));
    session.goto(address).await.expect("the page");
    for _ in 0..200 {
        if look(&session, "return document.documentElement.hasAttribute('data-ready')").await == true {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    session.click("#run").await.expect("a button");
    let mut done = Value::Null;
    for _ in 0..400 {
        done = look(&session, "return document.documentElement.getAttribute('data-done')").await;
        if done != Value::Null {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let text = look(&session, "return document.getElementById('main').innerText").await;
    assert_eq!(done, wanted.to_string(), "{title}: {text}");
    let text = text.as_str().expect("a text");
    let parts: &[&str] =
        if wanted == 4 { &["3 agrees", "too strict", "hand/granted", "expected", "by-hand-1"] } else { &["3 agrees", "by-hand-1"] };
    for part in parts {
        assert!(text.contains(part), "{title}: `{part}` is not in it: {text}");
    }
    // Another origin gets no link, whatever it says.
    let refused = "const socket = new WebSocket(arguments[0]); return new Promise((go) => { socket.onopen = () => go('open'); socket.onerror = () => go('refused'); })";
    let link = address.replace("http:", "ws:") + "serve/socket";
    let own = session.execute(refused, vec![link.clone().into()]).await.expect("an answer");
    session.goto("data:text/html,<p>elsewhere").await.expect("another page");
    let other = session.execute(refused, vec![link.into()]).await.expect("an answer");
    assert_eq!((own, other), (json!("open"), json!("refused")), "{title}");
    session.close_windows().await.expect("windows");
    session.end().await;
}
