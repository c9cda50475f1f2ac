//! The witnesses: a server that is gone, an answer that never comes, a page whose script was tampered with.

use std::{collections::HashMap, sync::Arc, time::Duration};

use corscheck::{
    agent::{Hub, Link, Place, page_url},
    browser::{Endpoint, Guard, Installed, Session, SessionOptions},
    drive::Drive,
    event::{CaseResult, Event},
    judge::judge,
    observation::Observation,
    user_agent::{Browser, UserAgent},
    verdict::{Cause, Verdict},
};
use corscheck_cases::{Alias, Case, Catalogue, bind::bind, page::BoundPage};
use corscheck_servers::{Options, Servers, Token};
use corscheck_tests::{browsers, turn};
use tokio::sync::mpsc;

use crate::{GRANTS, case, denied, granted};

fn cases(text: &str) -> Vec<Arc<Case>> {
    let parsed = Catalogue::parse([("cases.toml", text)]).unwrap_or_else(|e| panic!("{e}"));
    parsed.cases().iter().cloned().map(Arc::new).collect()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("threads").block_on(future)
}

/// Drives one browser through the cases; `on_event` sees each event and the servers.
async fn drive(browser: Installed, cases: Vec<Arc<Case>>, mut on_event: impl FnMut(&Event, &Servers)) -> HashMap<String, CaseResult> {
    let hub = Hub::default();
    let servers = Arc::new(Servers::start(Options { pages: hub.router(), ..Options::default() }).await.expect("ports"));
    let (events, mut arriving) = mpsc::unbounded_channel();
    let drive = Drive {
        agent: UserAgent::Browser(Browser {
            endpoint: Endpoint::Local(browser),
            options: SessionOptions::default(),
            guard: Arc::new(Guard::new().expect("a folder")),
            hub,
        }),
        servers: servers.clone(),
        events,
        known: Vec::new(),
        cases,
        provisional: corscheck::drive::Provisional::default(),
        repeat: 1,
    };
    let driving = tokio::spawn(drive.run());
    let mut results = HashMap::new();
    while let Some(event) = arriving.recv().await {
        on_event(&event, &servers);
        if let Event::Result(result) = event {
            results.insert(result.case.clone(), *result);
        }
    }
    driving.await.expect("no panic").expect("a session");
    results
}

/// A read that is allowed, and takes long.
fn slow(id: &str, to: &str) -> String {
    let response = GRANTS.replacen('{', "{ delay-ms = 3000,", 1);
    case(id, &format!("request = {{ to = \"{to}\" }}\nresponse = {response}\nexpect = {{ read = \"allowed\", wire = [\"GET\"] }}"))
}

#[test]
fn a_server_that_dies_takes_the_judgement_with_it() {
    for browser in browsers() {
        let _turn = turn();
        // Two rounds of cases: the server dies when the first has been judged, and the second cannot end before.
        let text: String = (0..120)
            .map(|n| match n % 2 {
                0 => granted(&format!("b/{n:03}"), "b") + &granted(&format!("a-port/{n:03}"), "a-port"),
                _ => denied(&format!("b/{n:03}"), "b") + &denied(&format!("a-port/{n:03}"), "a-port"),
            })
            .chain([slow("a-port/slow", "a-port")])
            .collect();
        let mut killed = false;
        let results = block_on(drive(browser, cases(&text), |event, servers| {
            if matches!(event, Event::Result(_)) && !killed {
                killed = true;
                servers.kill(Alias::B);
            }
        }));
        assert_eq!(results.len(), 241);
        for (id, result) in &results {
            match &result.verdict {
                Verdict::Agrees => assert!(id.starts_with("a-port/") || id.as_str() < "b/060", "{id} agrees with a dead server"),
                Verdict::NotJudged(Cause::ControlFailed { control }) => {
                    assert!(id.starts_with("b/") && control.contains(" to b: "), "{id}: {control}");
                    assert!(result.fails_run(false), "{id} was not judged, and nobody is told");
                }
                other => panic!("{id}: {other}"),
            }
        }
        assert!((60..120).all(|n| matches!(results[&format!("b/{n:03}")].verdict, Verdict::NotJudged(_))));
    }
}

#[test]
fn a_page_that_does_not_open_costs_its_own_cases_alone() {
    for browser in browsers() {
        let _turn = turn();
        let on_c = |id| {
            case(
                id,
                &format!(
                    "page = \"c\"\n{}",
                    "request = { to = \"b\" }\nresponse = {}\nexpect = { read = \"blocked\", reason = \"acao-missing\", wire = [\"GET\"] }"
                ),
            )
        };
        let text = granted("open/granted", "b") + &denied("open/denied", "b") + &on_c("shut/one") + &on_c("shut/two");
        let mut sessions = 0;
        let results = block_on(drive(browser, cases(&text), |event, servers| {
            if matches!(event, Event::SessionStarted { .. }) {
                sessions += 1;
                servers.kill(Alias::C);
            }
        }));
        assert_eq!(results.len(), 4);
        for (id, result) in &results {
            match &result.verdict {
                Verdict::Agrees => assert!(id.starts_with("open/"), "{id} ran in a page that nobody serves"),
                Verdict::NotJudged(Cause::SessionLost { .. }) => {
                    assert!(id.starts_with("shut/") && result.fails_run(false), "{id}: {}", result.verdict);
                }
                other => panic!("{id}: {other}"),
            }
        }
        assert!(sessions <= 3, "{sessions} sessions for a page that does not open");
    }
}

#[test]
fn an_answer_that_never_comes_is_not_a_blocked_read() {
    let Some(browser) = browsers().into_iter().next() else { return };
    let _turn = turn();
    let hangs = |id, expect: &str| {
        case(id, &format!("request = {{ to = \"b\" }}\nresponse = {{ drop = \"hang\" }}\nexpect = {{ {expect}, wire = [\"GET\"] }}"))
    };
    let text = hangs("hang/denied", r#"read = "blocked", reason = "acao-missing""#)
        + &hangs("hang/granted", r#"read = "allowed""#)
        + &granted("beside/granted", "b");
    let results = block_on(drive(browser, cases(&text), |_, _| {}));
    for id in ["hang/denied", "hang/granted"] {
        assert_eq!(results[id].verdict, Verdict::NotJudged(Cause::NoAnswer { step: 0 }), "{id}");
        assert!(results[id].fails_run(false));
    }
    assert_eq!(results["beside/granted"].verdict, Verdict::Agrees);
}

/// What a hostile or careless script may do to its own page, one by one. `fail` throws, `lie` gives a response of its own.
const TAMPERING: &[&str] = &[
    // Every global that the agent uses, at once.
    r#"for (const name of ["Request", "Response", "Headers", "XMLHttpRequest", "WebSocket", "AbortController", "Blob", "FormData",
        "URLSearchParams", "Uint8Array", "ReadableStream", "TextEncoder", "DOMParser", "JSON", "setTimeout", "clearTimeout", "performance",
        "Promise", "String", "Object", "Array", "Error", "corscheckAgent"])
      try { Object.defineProperty(globalThis, name, { value: fail, writable: true, configurable: true }); } catch {}"#,
    "globalThis.fetch = lie",
    "globalThis.XMLHttpRequest = fail",
    "WebSocket.prototype.send = fail",
    "JSON.parse = fail; JSON.stringify = () => '{}'",
    "performance.now = fail",
    "document.open(); document.write('gone'); document.close()",
];

/// The same, deeper: what all code of a page shares.
const DEEP_TAMPERING: &[&str] = &[
    "Promise.prototype.then = fail",
    "Promise.prototype.catch = fail; Promise.prototype.finally = fail; Promise.resolve = fail; Promise.all = fail",
    "XMLHttpRequest.prototype.open = fail; XMLHttpRequest.prototype.send = fail; XMLHttpRequest.prototype.setRequestHeader = fail",
    "XMLHttpRequest.prototype.getAllResponseHeaders = () => 'x-lie: 1\\r\\n'; XMLHttpRequest.prototype.getResponseHeader = () => 'lie'",
    "Headers.prototype.get = () => 'lie'",
    "Headers.prototype[Symbol.iterator] = fail; Headers.prototype.entries = fail",
    "Response.prototype.arrayBuffer = fail",
    "for (const key of ['status', 'type', 'url']) Object.defineProperty(Response.prototype, key, { get: fail })",
    "EventTarget.prototype.addEventListener = fail",
    "Object.assign = fail",
    "Array.from = fail",
    "Array.prototype.map = fail; Array.prototype.filter = fail; Array.prototype.push = fail; Array.prototype[Symbol.iterator] = fail",
    "String.fromCharCode = () => 'lie'; String.prototype.split = fail; String.prototype.slice = fail; String.prototype.indexOf = fail",
    "Object.prototype.then = 1; Object.prototype.response = 'lie'; Object.prototype.abortAfterMs = 0; Object.prototype.method = 'PUT'",
];

#[test]
fn a_page_that_was_tampered_with_still_tells_the_truth() {
    for browser in browsers() {
        let _turn = turn();
        block_on(tampered(&browser, TAMPERING));
    }
}

#[test]
fn a_page_whose_prototypes_were_tampered_with_still_tells_the_truth() {
    for browser in browsers() {
        let _turn = turn();
        block_on(tampered(&browser, DEEP_TAMPERING));
    }
}

/// A read with a preflight, in one of the APIs.
fn with_preflight(id: &str, api: &str, denied: bool) -> String {
    let (answer, expect) = if denied {
        ("{}".to_owned(), r#"read = "blocked", reason = "acao-missing""#)
    } else {
        let fields = r#"["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Expose-Headers", "ETag"], ["ETag", "x"]"#;
        (format!("{{ headers = [{fields}] }}"), r#"read = "allowed", headers = { ETag = "x", X-Lie = false }"#)
    };
    let preflight = r#"{ status = 204, headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Headers", "X-A"]] }"#;
    case(
        id,
        &format!(
            "request = {{ to = \"b\", api = \"{api}\", headers = [[\"X-A\", \"1\"]] }}\npreflight = {preflight}\nresponse = {answer}\nexpect = {{ {expect}, wire = [\"OPTIONS\", \"GET\"] }}"
        ),
    )
}

async fn tampered(browser: &Installed, statements: &[&str]) {
    let text = with_preflight("fetch/granted", "fetch", false)
        + &with_preflight("fetch/denied", "fetch", true)
        + &with_preflight("xhr/granted", "xhr", false)
        + &with_preflight("xhr/denied", "xhr", true);
    let cases = cases(&text);
    let hub = Hub::default();
    let servers = Servers::start(Options { pages: hub.router(), ..Options::default() }).await.expect("ports");
    let guard = Guard::new().expect("a folder");
    let session = Session::start(&Endpoint::Local(browser.clone()), &SessionOptions::default(), &guard).await.expect("a session");
    let mut wrong = Vec::new();
    for (n, statement) in statements.iter().enumerate() {
        let key = format!("key{n}");
        let place = Place { key: &key, topology: servers.topology(), page: Alias::A, document: &BoundPage::default(), origin: None };
        let mut arrivals = hub.expect(&place);
        session.goto(&page_url(&place, &[])).await.expect("a page");
        let (_, link) = arrivals.recv().await.expect("the agent reports");
        let lie = r#"() => Promise.resolve(new Response("lie", { headers: { "X-Lie": "1" } }))"#;
        // As an element of the page: the driver may run its scripts in a realm of their own.
        let script = format!("{{ const fail = () => {{ throw new Error('tampered'); }}; const lie = {lie}; {statement} }}");
        let add = "const script = document.createElement('script'); script.textContent = arguments[0]; document.head.append(script)";
        // The driver's own script may stumble over what it has just done.
        if let Err(error) = session.execute(add, vec![script.into()]).await {
            eprintln!("{}: `{statement}`: {error}", browser.engine);
        }
        for case in &cases {
            if let Err(words) = run_one(case, &servers, &link).await {
                wrong.push(format!("{} in {} after `{statement}`: {words}", case.id, browser.engine));
            }
        }
    }
    session.end().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn run_one(case: &Case, servers: &Servers, link: &Link) -> Result<(), String> {
    let token = Token::new();
    let mut bound = bind(case, servers.topology(), token.as_str());
    servers.register(&token, std::mem::take(&mut bound.script));
    let page =
        tokio::time::timeout(Duration::from_secs(2), link.run_until(&bound.steps[0].action, Duration::ZERO, std::future::pending())).await;
    let page = page.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    let observation = Observation { pages: vec![page], exchanges: servers.take(&token), words: Vec::new() };
    let judgement = judge(&bound.steps, &observation);
    if judgement.verdict == Verdict::Agrees {
        Ok(())
    } else {
        Err(format!("{}: {:?} {:?}", judgement.verdict, judgement.differences, observation.pages))
    }
}
