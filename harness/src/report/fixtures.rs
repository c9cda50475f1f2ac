//! Results made by hand, one of each kind, for the tests of the reporters.

use corscheck_cases::{Alias, Level, Reason};
use corscheck_servers::{Exchange, Fate, HttpVersion, RecordedAnswer, RecordedRequest, WireBytes};

use crate::{
    event::{Attempt, BrowserInfo, CaseResult, FORMAT, Footer, Header},
    observation::{Exception, Observation, PageEnd, PageResponse, PageResult, Word},
    verdict::{Cause, Difference, Judgement, Standing, Verdict},
};

use super::{CaseWords, Words};

/// One result of each kind.
pub(crate) fn all() -> Vec<CaseResult> {
    vec![agrees(), too_open(), too_strict(), wrong_wire(), stale(), flaky(), not_judged(), known(), recorded(), unsupported()]
}

pub(crate) fn header() -> Header {
    let info = |browser: &str, version: &str, driver: &str| BrowserInfo {
        browser: browser.to_owned(),
        version: version.to_owned(),
        driver: driver.to_owned(),
        defects: Vec::new(),
    };
    Header {
        format: FORMAT,
        corscheck: "0.1.0".to_owned(),
        started: "2026-01-02T03:04:05Z".to_owned(),
        command: ["corscheck", "run", "preflight/*"].map(str::to_owned).to_vec(),
        platform: "linux x86_64".to_owned(),
        browsers: vec![
            info("chromium", "140.0.1", "ChromeDriver 140.0.1"),
            info("firefox", "143.0", "geckodriver 0.36.0"),
            info("webkit", "2.50.0", "WebKitWebDriver 2.50.0"),
        ],
        cases: 60,
        catalogue: None,
        topology: None,
        subject: None,
    }
}

pub(crate) fn footer() -> Footer {
    Footer { complete: true, cut_short: None, ms: 12_345, results: 10 }
}

pub(crate) fn cut_short() -> Footer {
    Footer { complete: false, cut_short: Some("interrupted by Ctrl-C".to_owned()), ms: 2_000, results: 2 }
}

pub(crate) fn words() -> Words {
    let words = CaseWords {
        why: "The actual request must not leave the browser when the preflight answer does not list one of its headers:\n\
              the server was asked whether it wants the header, and did not say so."
            .to_owned(),
        spec: "fetch#cors-preflight-fetch-0".to_owned(),
        spec_url: "https://fetch.spec.whatwg.org/#cors-preflight-fetch-0".to_owned(),
        file: "cases/catalogue/preflight-answer.toml".to_owned(),
        line: 12,
    };
    [("preflight/header-not-listed".to_owned(), words)].into()
}

/// Agrees: an allowed read.
pub(crate) fn agrees() -> CaseResult {
    let page = PageEnd::Response(Box::new(response(200, "OK")));
    let exchange = get("a-port", &[("Origin", "http://a.localhost:8001")], b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n\r\n");
    let attempt = attempt(1, judgement(Verdict::Agrees, &[]), vec![page], vec![exchange]);
    result("simple/read", "A simple read that is allowed", "chromium", Standing::AsExpected, vec![attempt])
}

/// Too open: a header that the preflight did not allow went out, and the page read the answer.
pub(crate) fn too_open() -> CaseResult {
    let mut allowed = response(200, "OK");
    allowed.headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    allowed.probed = vec![("x-secret".to_owned(), None), ("content-type".to_owned(), Some("text/plain".to_owned()))];
    let differences = [("page.outcome", "blocked", "allowed"), ("wire.extra", "OPTIONS b", "OPTIONS b, GET b")];
    let exchanges = vec![
        preflight(b"HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: http://a.localhost:8001\r\n folded\r\nVary: Origin\r\n\r\n"),
        get(
            "b",
            &[("Host", "b.localhost:8004"), ("Origin", "http://a.localhost:8001"), ("X-Token", "1"), ("Cookie", "k=v")],
            b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nSet-Cookie: s=\xff\r\nContent-Type: text/plain\r\n\r\n",
        ),
    ];
    let judged = judgement(Verdict::TooOpen, &differences);
    let page = PageEnd::Response(Box::new(allowed));
    let attempts = vec![attempt(1, judged.clone(), vec![page.clone()], exchanges.clone()), attempt(2, judged, vec![page], exchanges)];
    let mut result = result(
        "preflight/header-not-listed",
        "A request header that the preflight answer does not list blocks the request",
        "firefox",
        Standing::Unexpected,
        attempts,
    );
    result.expected = vec!["blocked; on the wire OPTIONS b".to_owned()];
    result.reasons = vec![vec![Reason::HeaderNotAllowed]];
    result
}

/// Too strict, in the second step of a case of level `should`.
pub(crate) fn too_strict() -> CaseResult {
    let mut judged = judgement(Verdict::TooStrict, &[("page.outcome", "allowed", "blocked")]);
    judged.differences[0].step = 1;
    let pages = vec![PageEnd::Response(Box::new(response(200, "OK"))), failed("TypeError", "Failed to fetch")];
    let mut attempt = attempt(1, judged, pages, vec![]);
    attempt.observation.pages[1].events = vec!["loadstart".to_owned(), "error".to_owned()];
    attempt.observation.words = vec![Word {
        text: "Access to fetch at 'http://b.localhost:8004/' has been blocked by CORS policy".to_owned(),
        category: Some("MissingAllowOriginHeader".to_owned()),
        reason: Some(Reason::AcaoMissing),
    }];
    let mut first = get("b", &[("Origin", "http://a.localhost:8001")], b"");
    first.answer.status = None;
    first.answer.fate = Fate::Failed { error: "connection reset".to_owned() };
    let mut second = first.clone();
    second.step = 1;
    second.answer.fate = Fate::Unscripted;
    second.answer.status = Some(501);
    attempt.observation.exchanges = vec![first, second];
    let mut result = result("cache/second-read", "The second read is answered", "chromium", Standing::Unexpected, vec![attempt]);
    result.level = Level::Should;
    result.expected = vec!["allowed; GET b".to_owned(), "allowed; GET b".to_owned()];
    result
}

/// Wrong wire: the outcome is right and the browser names another reason.
pub(crate) fn wrong_wire() -> CaseResult {
    let judged = judgement(Verdict::WrongWire, &[("wire.field:Origin", "null", "http://a.localhost:8001 (GET b)")]);
    let mut attempt = attempt(1, judged, vec![failed("TypeError", "Load failed")], vec![preflight(b"HTTP/1.1 403 No\r\n\r\n")]);
    attempt.observation.words =
        vec![Word { text: "Preflight response is not successful".to_owned(), category: None, reason: Some(Reason::PreflightNotOk) }];
    let mut result = result("redirect/taints-origin", "A redirect taints the origin", "webkit", Standing::Unexpected, vec![attempt]);
    result.expected = vec!["blocked".to_owned()];
    result.reasons = vec![vec![Reason::AcaoMismatch, Reason::AcaoMissing]];
    result.reason_agrees = Some(false);
    result
}

/// Stale: a deviation is on record, and it agrees.
pub(crate) fn stale() -> CaseResult {
    let mut result = agrees();
    result.case = "simple/stale".to_owned();
    result.browser = "firefox".to_owned();
    result.standing = Standing::Stale;
    result.known = Some("https://bugzilla.mozilla.org/show_bug.cgi?id=1".to_owned());
    result
}

/// Flaky: wrong at first, right in the end.
pub(crate) fn flaky() -> CaseResult {
    let wrong = judgement(Verdict::TooStrict, &[("page.outcome", "allowed", "blocked")]);
    let mut result = agrees();
    result.case = "simple/flaky".to_owned();
    result.standing = Standing::Flaky;
    result.attempts.insert(0, attempt(1, wrong, vec![failed("TypeError", "Failed to fetch")], vec![]));
    result.attempts[1].session = 2;
    result
}

/// Not judged: a control failed.
pub(crate) fn not_judged() -> CaseResult {
    let cause = Cause::ControlFailed { control: "a -> b gave blocked".to_owned() };
    let judged = judgement(Verdict::NotJudged(cause), &[]);
    let no_answer = PageEnd::NoAnswer { after_ms: 5000.0 };
    result(
        "simple/dead",
        "A read in a session that died",
        "webkit",
        Standing::Unexpected,
        vec![attempt(1, judged, vec![no_answer], vec![])],
    )
}

/// Known: it fails as a deviation on record says.
pub(crate) fn known() -> CaseResult {
    let judged = judgement(Verdict::WrongWire, &[("wire.extra", "GET b", "OPTIONS b, GET b")]);
    let page = PageEnd::Response(Box::new(response(200, "OK")));
    let mut result = result(
        "safelist/range",
        "A simple range needs no preflight",
        "webkit",
        Standing::Known,
        vec![attempt(1, judged, vec![page], vec![])],
    );
    result.known = Some("https://bugs.webkit.org/show_bug.cgi?id=2".to_owned());
    result
}

/// Recorded: the level is `info`.
pub(crate) fn recorded() -> CaseResult {
    let judged = judgement(Verdict::WrongWire, &[("page.url", "a", "b")]);
    let mut result = result("info/url", "What the URL is", "chromium", Standing::AsExpected, vec![attempt(1, judged, vec![], vec![])]);
    result.level = Level::Info;
    result
}

/// Unsupported, in words.
pub(crate) fn unsupported() -> CaseResult {
    let judged = judgement(Verdict::Unsupported("no shared workers".to_owned()), &[]);
    result("worker/shared", "A read in a shared worker", "webkit", Standing::AsExpected, vec![attempt(1, judged, vec![], vec![])])
}

/// Every name and word an attack.
pub(crate) fn hostile() -> CaseResult {
    let evil = "<script>alert(1)</script> \"'&|`]]>\x1b[31m\r\n::error::x,y:%0A";
    let mut result = too_open();
    result.case = format!("x/{evil}");
    for text in [&mut result.title, &mut result.browser, &mut result.place, &mut result.expected[0]] {
        *text = evil.to_owned();
    }
    result.known = Some(format!("https://x/{evil}"));
    for attempt in &mut result.attempts {
        attempt.judgement.differences[0].expected = evil.to_owned();
        attempt.observation.words = vec![Word { text: evil.to_owned(), category: Some(evil.to_owned()), reason: None }];
        attempt.observation.pages[0].end = failed(evil, evil);
        attempt.observation.exchanges[0].request.method = evil.to_owned();
        attempt.observation.exchanges[0].request.target = evil.to_owned();
        attempt.observation.exchanges[1].request.fields = vec![(WireBytes::from(&b"Cookie"[..]), WireBytes::from(evil.as_bytes()))];
    }
    result
}

fn result(case: &str, title: &str, browser: &str, standing: Standing, attempts: Vec<Attempt>) -> CaseResult {
    CaseResult {
        case: case.to_owned(),
        title: title.to_owned(),
        browser: browser.to_owned(),
        level: Level::Must,
        place: "a/window".to_owned(),
        verdict: attempts.last().expect("every fixture has an attempt").judgement.verdict.clone(),
        standing,
        known: None,
        expected: vec!["allowed".to_owned()],
        reasons: vec![vec![]],
        reason_agrees: None,
        attempts,
        rules: Vec::new(),
        path: Vec::new(),
    }
}

fn attempt(session: u32, judgement: Judgement, ends: Vec<PageEnd>, exchanges: Vec<Exchange>) -> Attempt {
    let page = |end| PageResult {
        end,
        events: vec![],
        upload_events: vec![],
        timing: None,
        entry: None,
        worker_saw: vec![],
        thrown: None,
        surface: None,
        ms: 4.0,
    };
    Attempt {
        session,
        token: "00ff".to_owned(),
        judgement,
        observation: Observation { pages: ends.into_iter().map(page).collect(), exchanges, words: vec![] },
    }
}

fn judgement(verdict: Verdict, differences: &[(&str, &str, &str)]) -> Judgement {
    let difference = |&(point, expected, seen): &(&str, &str, &str)| Difference {
        step: 0,
        point: point.to_owned(),
        expected: expected.to_owned(),
        seen: seen.to_owned(),
    };
    Judgement { verdict, differences: differences.iter().map(difference).collect() }
}

fn failed(name: &str, message: &str) -> PageEnd {
    PageEnd::NetworkError(Exception { name: name.to_owned(), message: message.to_owned() })
}

fn response(status: u16, status_text: &str) -> PageResponse {
    PageResponse {
        r#type: Some("cors".to_owned()),
        status,
        status_text: status_text.to_owned(),
        url: "http://b.localhost:8004/t/00ff/".to_owned(),
        redirected: Some(false),
        headers: vec![],
        probed: vec![],
        body: "hello".to_owned(),
        body_length: 5,
        body_error: None,
    }
}

fn preflight(head: &[u8]) -> Exchange {
    let fields =
        [("Origin", "http://a.localhost:8001"), ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "x-token")];
    Exchange { request: RecordedRequest { method: "OPTIONS".to_owned(), ..get("b", &fields, head).request }, ..get("b", &fields, head) }
}

fn get(at: &str, fields: &[(&str, &str)], head: &[u8]) -> Exchange {
    let wire = |s: &str| WireBytes::from(s.as_bytes());
    let status = head.get(9..12).and_then(|s| std::str::from_utf8(s).ok()).and_then(|s| s.parse().ok());
    Exchange {
        at: *Alias::ALL.iter().find(|a| a.word() == at).expect("an alias"),
        step: 0,
        connection: 1,
        sequence: 1,
        protocol: HttpVersion::Http1,
        arrived_us: 100,
        answered_us: Some(200),
        request: RecordedRequest {
            method: "GET".to_owned(),
            target: "/t/00ff/r?q=1".to_owned(),
            head: None,
            fields: fields.iter().map(|(n, v)| (wire(n), wire(v))).collect(),
            body: WireBytes::default(),
            body_length: 0,
            body_complete: true,
        },
        answer: RecordedAnswer { status, head: WireBytes::from(head), body_length: 5, body: wire("hello"), fate: Fate::Sent },
    }
}
