//! The judge over observations made by hand: for each thing that it must notice, the observation that shows it and the one that does not.

use corscheck::{
    judge::judge,
    observation::{Observation, PageEnd, PageResult},
    verdict::{Cause, Judgement, Verdict},
};
use corscheck_cases::{
    Alias, Catalogue, Outcome, Topology,
    bind::{BoundExchange, BoundExpect, BoundStep, FieldCheck, Seen, bind},
    format::Timing,
};
use corscheck_servers::{Exchange, Fate, HttpVersion, RecordedAnswer, RecordedRequest, WireBytes};
use serde_json::{Value, json};

const TOKEN: &str = "0123456789abcdef";
const SERVED: &str = "corscheck 0123456789abcdef";

// --- Making observations

/// The steps of the one case whose own keys are given.
#[track_caller]
fn steps(keys: &str) -> Vec<BoundStep> {
    let text = format!(
        "[[case]]\nid = \"area/slug\"\ntitle = \"A case for the tests\"\nbehaviours = [\"cors-check/acao-exact-match\"]\n\
         spec = \"fetch#concept-cors-check\"\nwhy = \"For the tests.\"\n{keys}"
    );
    match Catalogue::parse([("area.toml", text.as_str())]) {
        Ok(catalogue) => bind(&catalogue.cases()[0], &Topology::example(), TOKEN).steps,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

/// A simple request with an answer that the servers delivered.
fn exchange(method: &str, at: Alias) -> Exchange {
    Exchange {
        at,
        step: 0,
        connection: 1,
        sequence: 1,
        protocol: HttpVersion::Http1,
        arrived_us: 1,
        answered_us: Some(2),
        request: RecordedRequest {
            method: method.to_owned(),
            target: format!("/t/{TOKEN}/r"),
            head: None,
            fields: vec![field("Host", "b.localhost:8004"), field("Origin", "http://a.localhost:8001")],
            body: WireBytes::default(),
            body_length: 0,
            body_complete: true,
        },
        answer: RecordedAnswer {
            status: Some(200),
            head: WireBytes::from(&b"HTTP/1.1 200 OK\r\n\r\n"[..]),
            body_length: SERVED.len() as u64,
            body: WireBytes::from(SERVED.as_bytes()),
            fate: Fate::Sent,
        },
    }
}

fn field(name: &str, value: &str) -> (WireBytes, WireBytes) {
    (WireBytes::from(name.as_bytes()), WireBytes::from(value.as_bytes()))
}

fn changed(mut exchange: Exchange, change: impl FnOnce(&mut Exchange)) -> Exchange {
    change(&mut exchange);
    exchange
}

fn served(body: &[u8]) -> Exchange {
    changed(exchange("GET", Alias::B), |x| {
        x.answer.body_length = body.len() as u64;
        x.answer.body = WireBytes::from(&body[..body.len().min(4096)]);
    })
}

fn page(end: Value) -> PageResult {
    let members = [("end".to_owned(), end), ("ms".to_owned(), json!(1.0))];
    serde_json::from_value(Value::Object(members.into_iter().collect())).expect("a page result")
}

/// A response that is readable, with some of its members replaced.
fn response(members: Value) -> PageResult {
    let mut response = json!({
        "type": "cors", "status": 200, "statusText": "OK", "url": "http://b.localhost:8004/t/0123456789abcdef/r", "redirected": false,
        "headers": [], "probed": [], "body": SERVED, "bodyLength": SERVED.len(),
    });
    merge(&mut response, members);
    page(json!({ "response": response }))
}

fn opaque(members: Value) -> PageResult {
    let mut response = json!({
        "type": "opaque", "status": 0, "statusText": "", "url": "", "redirected": false,
        "headers": [], "probed": [], "body": "", "bodyLength": 0,
    });
    merge(&mut response, members);
    page(json!({ "response": response }))
}

fn merge(into: &mut Value, members: Value) {
    let (Value::Object(into), Value::Object(members)) = (into, members) else { panic!("objects are merged") };
    into.extend(members);
}

fn blocked() -> PageResult {
    page(json!({ "network-error": { "name": "TypeError", "message": "Failed to fetch" } }))
}

fn refused() -> PageResult {
    page(json!({ "refused": { "name": "SyntaxError", "message": "no" } }))
}

fn aborted() -> PageResult {
    page(json!({ "aborted": { "name": "AbortError", "message": "aborted" } }))
}

fn silent() -> PageResult {
    page(json!({ "no-answer": { "after_ms": 5000.0 } }))
}

fn seen(pages: impl Into<Vec<PageResult>>, exchanges: impl Into<Vec<Exchange>>) -> Observation {
    Observation { pages: pages.into(), exchanges: exchanges.into(), words: Vec::new() }
}

// --- Looking at judgements

#[track_caller]
fn agrees(steps: &[BoundStep], observation: &Observation) {
    let judgement = judge(steps, observation);
    assert_eq!(judgement, Judgement { verdict: Verdict::Agrees, differences: Vec::new() });
}

/// The verdict and the point that decides it.
#[track_caller]
fn parts(steps: &[BoundStep], observation: &Observation, verdict: &Verdict, point: &str) {
    let judgement = judge(steps, observation);
    let decisive = judgement.differences.first().map(|d| d.point.as_str());
    assert_eq!((&judgement.verdict, decisive), (verdict, Some(point)), "{judgement:#?}");
}

#[track_caller]
fn proves_nothing(steps: &[BoundStep], observation: &Observation) -> Cause {
    let judgement = judge(steps, observation);
    assert!(judgement.differences.is_empty(), "{judgement:#?}");
    match judgement.verdict {
        Verdict::NotJudged(cause) => cause,
        other => panic!("judged: {other}"),
    }
}

// --- Cases

fn allowed_get() -> Vec<BoundStep> {
    steps(
        r#"
        request = { to = "b" }
        response = { headers = [["Access-Control-Allow-Origin", "{origin}"]] }
        expect = { read = "allowed", wire = ["GET"] }"#,
    )
}

fn blocked_get() -> Vec<BoundStep> {
    steps(
        r#"
        request = { to = "b" }
        response = {}
        expect = { read = "blocked", reason = "acao-missing", wire = ["GET"] }"#,
    )
}

fn preflighted() -> Vec<BoundStep> {
    steps(
        r#"
        request = { to = "b", method = "PUT" }
        preflight = { headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Methods", "PUT"]] }
        response = { headers = [["Access-Control-Allow-Origin", "{origin}"]] }
        expect = { read = "allowed", wire = ["OPTIONS", "PUT"] }"#,
    )
}

fn refused_preflight() -> Vec<BoundStep> {
    steps(
        r#"
        request = { to = "b", method = "PUT" }
        preflight = {}
        response = {}
        expect = { read = "blocked", reason = "acao-missing", wire = ["OPTIONS"] }"#,
    )
}

fn opaque_get() -> Vec<BoundStep> {
    steps(
        r#"
        request = { to = "b", mode = "no-cors" }
        response = { headers = [["X-A", "1"]] }
        expect = { read = "opaque", url = "", headers = { X-A = false }, wire = ["GET"] }"#,
    )
}

/// A simple allowed GET with a given `expect`.
fn expecting(expect: &str) -> Vec<BoundStep> {
    steps(&format!(
        "request = {{ to = \"b\" }}\nresponse = {{ headers = [[\"Access-Control-Allow-Origin\", \"{{origin}}\"]] }}\n\
         expect = {{ read = \"allowed\", {expect} }}"
    ))
}

/// The same with a given list of exchanges.
fn wire(wire: &str) -> Vec<BoundStep> {
    expecting(&format!("wire = {wire}"))
}

fn get() -> Exchange {
    exchange("GET", Alias::B)
}

fn options() -> Exchange {
    changed(exchange("OPTIONS", Alias::B), |x| {
        x.request.fields.push(field("Access-Control-Request-Method", "PUT"));
        x.answer.body = WireBytes::default();
        x.answer.body_length = 0;
    })
}

fn put() -> Exchange {
    exchange("PUT", Alias::B)
}

// --- Outcomes

#[test]
fn what_was_expected_agrees() {
    agrees(&allowed_get(), &seen([response(json!({}))], [get()]));
    agrees(&blocked_get(), &seen([blocked()], [get()]));
    agrees(&preflighted(), &seen([response(json!({}))], [options(), put()]));
    agrees(&refused_preflight(), &seen([blocked()], [options()]));
    agrees(&opaque_get(), &seen([opaque(json!({ "probed": [["X-A", null]] }))], [get()]));
}

#[test]
fn a_read_of_what_must_be_blocked_is_too_open() {
    parts(&blocked_get(), &seen([response(json!({}))], [get()]), &Verdict::TooOpen, "page.outcome");
    parts(&blocked_get(), &seen([opaque(json!({}))], [get()]), &Verdict::TooOpen, "page.outcome");
    parts(&opaque_get(), &seen([response(json!({}))], [get()]), &Verdict::TooOpen, "page.outcome");
}

#[test]
fn a_block_of_what_must_be_read_is_too_strict() {
    parts(&allowed_get(), &seen([blocked()], [get()]), &Verdict::TooStrict, "page.outcome");
    parts(&allowed_get(), &seen([opaque(json!({}))], [get()]), &Verdict::TooStrict, "page.outcome");
    parts(&opaque_get(), &seen([blocked()], [get()]), &Verdict::TooStrict, "page.outcome");
    parts(&allowed_get(), &seen([refused()], []), &Verdict::TooStrict, "page.outcome");
}

#[test]
fn an_error_response_is_a_block() {
    let error = || response(json!({ "type": "error", "status": 0 }));
    agrees(&blocked_get(), &seen([error()], [get()]));
    parts(&allowed_get(), &seen([error()], [get()]), &Verdict::TooStrict, "page.outcome");
}

#[test]
fn another_end_of_the_same_openness_is_neither_too_open_nor_too_strict() {
    for other in [refused(), aborted()] {
        parts(&blocked_get(), &seen([other], [get()]), &Verdict::WrongWire, "page.outcome");
    }
}

#[test]
fn the_difference_names_both_sides() {
    let judgement = judge(&blocked_get(), &seen([response(json!({}))], [get()]));
    let difference = &judgement.differences[0];
    assert_eq!((difference.step, difference.expected.as_str(), difference.seen.as_str()), (0, "blocked", "allowed"));
}

#[test]
fn a_wrong_outcome_decides_before_a_wrong_wire_and_both_are_told() {
    let judgement = judge(&refused_preflight(), &seen([response(json!({}))], [options(), put()]));
    let points: Vec<_> = judgement.differences.iter().map(|d| d.point.as_str()).collect();
    assert_eq!((judgement.verdict, points), (Verdict::TooOpen, vec!["page.outcome", "wire.extra"]));
}

#[test]
fn outcomes_left_open_agree_and_others_do_not() {
    let open = steps(
        r#"
        level = "info"
        request = { to = "b" }
        response = {}
        expect = { read = "blocked", or-read = ["opaque"], reason = "network", wire = ["GET"] }"#,
    );
    agrees(&open, &seen([blocked()], [get()]));
    agrees(&open, &seen([opaque(json!({}))], [get()]));
    parts(&open, &seen([response(json!({}))], [get()]), &Verdict::TooOpen, "page.outcome");
    parts(&open, &seen([refused()], [get()]), &Verdict::WrongWire, "page.outcome");
    parts(&open, &seen([opaque(json!({}))], []), &Verdict::WrongWire, "wire.missing");
}

#[test]
fn an_outcome_left_open_carries_no_particulars() {
    let open = steps(
        r#"
        level = "info"
        request = { to = "b" }
        response = {}
        expect = { read = "blocked", or-read = ["allowed"], reason = "network", wire = ["GET"] }"#,
    );
    agrees(&open, &seen([response(json!({ "status": 500, "body": "other", "bodyLength": 5 }))], [get()]));
}

// --- Particulars of a response

#[test]
fn each_particular_is_looked_at() {
    for (expect, point, right, wrong) in [
        ("type = \"cors\"", "page.type", json!({}), json!({ "type": "basic" })),
        ("type = \"cors\"", "page.type", json!({}), json!({ "type": null })),
        ("status = 200", "page.status", json!({}), json!({ "status": 404 })),
        ("status-text = \"OK\"", "page.status-text", json!({}), json!({ "statusText": "ok" })),
        ("url = \"{url:b}r\"", "page.url", json!({}), json!({ "url": "http://b.localhost:8004/" })),
        ("redirected = false", "page.redirected", json!({}), json!({ "redirected": true })),
    ] {
        let steps = expecting(&format!("{expect}, wire = [\"GET\"]"));
        agrees(&steps, &seen([response(right)], [get()]));
        parts(&steps, &seen([response(wrong)], [get()]), &Verdict::WrongWire, point);
    }
}

#[test]
fn a_hidden_header_that_can_be_read_is_too_open() {
    let steps = expecting(r#"headers = { ETag = false }, wire = ["GET"]"#);
    agrees(&steps, &seen([response(json!({ "probed": [["ETag", null]] }))], [get()]));
    let by_name = response(json!({ "probed": [["ETag", "x"]] }));
    parts(&steps, &seen([by_name], [get()]), &Verdict::TooOpen, "page.header:etag");
    let by_iteration = response(json!({ "probed": [["ETag", null]], "headers": [["etag", "x"]] }));
    parts(&steps, &seen([by_iteration], [get()]), &Verdict::TooOpen, "page.header:etag");
    let empty = response(json!({ "probed": [["ETag", ""]] }));
    parts(&steps, &seen([empty], [get()]), &Verdict::TooOpen, "page.header:etag");
}

#[test]
fn an_exposed_header_that_is_hidden_is_too_strict() {
    for wanted in [r#"headers = { ETag = "x" }"#, "headers = { ETag = true }"] {
        let steps = expecting(&format!("{wanted}, wire = [\"GET\"]"));
        agrees(&steps, &seen([response(json!({ "probed": [["ETag", "x"]] }))], [get()]));
        let hidden = response(json!({ "probed": [["ETag", null]] }));
        parts(&steps, &seen([hidden], [get()]), &Verdict::TooStrict, "page.header:etag");
        let not_probed = response(json!({}));
        parts(&steps, &seen([not_probed], [get()]), &Verdict::WrongWire, "page.header:etag");
    }
}

#[test]
fn an_exposed_header_with_another_value_is_wrong() {
    let other = || response(json!({ "probed": [["ETag", "y"]] }));
    let exact = expecting(r#"headers = { ETag = "x" }, wire = ["GET"]"#);
    parts(&exact, &seen([other()], [get()]), &Verdict::WrongWire, "page.header:etag");
    let any = expecting(r#"headers = { ETag = true }, wire = ["GET"]"#);
    agrees(&any, &seen([other()], [get()]));
}

#[test]
fn iteration_gives_these_names_in_this_order() {
    let steps = expecting(r#"header-names = ["content-type", "etag"], wire = ["GET"]"#);
    let names = |names: &[&str]| {
        let headers: Vec<_> = names.iter().map(|n| json!([n, "x"])).collect();
        seen([response(json!({ "headers": headers }))], [get()])
    };
    let point = "page.header-names";
    agrees(&steps, &names(&["content-type", "etag"]));
    parts(&steps, &names(&["content-type", "etag", "set-cookie"]), &Verdict::TooOpen, point);
    parts(&steps, &names(&["content-type", "set-cookie"]), &Verdict::TooOpen, point);
    parts(&steps, &names(&["content-type"]), &Verdict::TooStrict, point);
    parts(&steps, &names(&[]), &Verdict::TooStrict, point);
    parts(&steps, &names(&["etag", "content-type"]), &Verdict::WrongWire, point);
    parts(&steps, &names(&["content-type", "etag", "etag"]), &Verdict::WrongWire, point);
}

#[test]
fn an_opaque_response_shows_nothing() {
    let steps = opaque_get();
    let look = |members| seen([opaque(members)], [get()]);
    agrees(&steps, &look(json!({})));
    parts(&steps, &look(json!({ "status": 200 })), &Verdict::TooOpen, "page.status");
    parts(&steps, &look(json!({ "statusText": "OK" })), &Verdict::TooOpen, "page.status");
    parts(&steps, &look(json!({ "headers": [["x-b", "1"]] })), &Verdict::TooOpen, "page.header:x-b");
    parts(&steps, &look(json!({ "body": "x", "bodyLength": 1 })), &Verdict::TooOpen, "page.body");
    parts(&steps, &look(json!({ "url": "http://b.localhost:8004/" })), &Verdict::WrongWire, "page.url");
}

#[test]
fn an_opaque_redirect_is_no_opaque_response() {
    let steps = steps(
        r#"
        request = { to = "b", redirect = "manual" }
        redirects = [{ status = 302, to = "b" }]
        response = {}
        expect = { read = "opaque-redirect", wire = ["GET"] }"#,
    );
    agrees(&steps, &seen([opaque(json!({ "type": "opaqueredirect" }))], [get()]));
    parts(&steps, &seen([opaque(json!({}))], [get()]), &Verdict::WrongWire, "page.outcome");
    let shows = opaque(json!({ "type": "opaqueredirect", "headers": [["location", "/"]] }));
    parts(&steps, &seen([shows], [get()]), &Verdict::TooOpen, "page.header:location");
}

#[test]
fn the_exception_has_this_name() {
    let steps = steps(
        r#"
        request = { to = "b" }
        response = {}
        expect = { read = "blocked", reason = "acao-missing", error = "TypeError", wire = ["GET"] }"#,
    );
    agrees(&steps, &seen([blocked()], [get()]));
    let other = page(json!({ "network-error": { "name": "NetworkError" } }));
    parts(&steps, &seen([other], [get()]), &Verdict::WrongWire, "page.error");
}

#[test]
fn events_come_in_this_order() {
    let steps = steps(
        r#"
        request = { api = "xhr", to = "b", method = "POST", body = { text = "x" }, upload-listener = "add" }
        preflight = { headers = [["Access-Control-Allow-Origin", "*"]] }
        response = {}
        expect = { read = "blocked", reason = "acao-missing", events = ["loadstart", "error", "loadend"], upload-events = ["loadstart", "load"], wire = ["OPTIONS", "POST"] }"#,
    );
    let look = |events: &[&str], upload: &[&str]| {
        let end = json!({ "network-error": { "name": "error" } });
        let page = json!({ "end": end, "events": events, "uploadEvents": upload, "ms": 1.0 });
        seen([serde_json::from_value(page).expect("a page result")], [options(), exchange("POST", Alias::B)])
    };
    agrees(&steps, &look(&["loadstart", "error", "loadend"], &["loadstart", "load"]));
    parts(&steps, &look(&["loadstart", "loadend", "error"], &["loadstart", "load"]), &Verdict::WrongWire, "page.events");
    parts(&steps, &look(&[], &["loadstart", "load"]), &Verdict::WrongWire, "page.events");
    parts(&steps, &look(&["loadstart", "error", "loadend"], &["loadstart"]), &Verdict::WrongWire, "page.upload-events");
}

// --- Bodies

/// Bytes as the agent tells them: each as the character of its number, the first 4096.
fn read_bytes(bytes: &[u8]) -> PageResult {
    let body: String = bytes.iter().take(4096).map(|b| char::from(*b)).collect();
    response(json!({ "body": body, "bodyLength": bytes.len() }))
}

#[test]
fn the_body_is_the_one_that_was_served() {
    let steps = allowed_get();
    let all: Vec<u8> = (0..=255).collect();
    agrees(&steps, &seen([read_bytes(&all)], [served(&all)]));
    for i in [0, 0x7f, 0x80, 0xff] {
        let mut other = all.clone();
        other[i] ^= 0x20;
        parts(&steps, &seen([read_bytes(&other)], [served(&all)]), &Verdict::WrongWire, "page.body");
    }
    parts(&steps, &seen([read_bytes(&all[..255])], [served(&all)]), &Verdict::WrongWire, "page.body");
    parts(&steps, &seen([read_bytes(&[&all[..], b"x"].concat())], [served(&all)]), &Verdict::WrongWire, "page.body");
    parts(&steps, &seen([read_bytes(b"")], [served(&all)]), &Verdict::WrongWire, "page.body");
    agrees(&steps, &seen([read_bytes(b"")], [served(b"")]));
    parts(&steps, &seen([read_bytes(b"x")], [served(b"")]), &Verdict::WrongWire, "page.body");
}

#[test]
fn of_a_long_body_the_first_4096_bytes_are_compared() {
    let steps = allowed_get();
    for length in [4095, 4096, 4097, 70_000] {
        let body = vec![0xe9; length];
        agrees(&steps, &seen([read_bytes(&body)], [served(&body)]));
        let mut other = body.clone();
        other[length.min(4096) - 1] = 0xe8;
        parts(&steps, &seen([read_bytes(&other)], [served(&body)]), &Verdict::WrongWire, "page.body");
        parts(&steps, &seen([read_bytes(&body[..4000])], [served(&body)]), &Verdict::WrongWire, "page.body");
    }
}

#[test]
fn the_body_is_the_one_that_is_expected() {
    let steps = expecting(r#"body = "corscheck", wire = ["GET"]"#);
    agrees(&steps, &seen([read_bytes(b"corscheck")], [get()]));
    parts(&steps, &seen([read_bytes(SERVED.as_bytes())], [get()]), &Verdict::WrongWire, "page.body");
    let empty = expecting(r#"body = "", wire = ["GET"]"#);
    agrees(&empty, &seen([read_bytes(b"")], [get()]));
    parts(&empty, &seen([read_bytes(b"x")], [get()]), &Verdict::WrongWire, "page.body");
}

#[test]
fn the_last_exchange_of_the_step_served_the_body() {
    let other = changed(options(), |x| x.answer.body = WireBytes::from(&b"preflight"[..]));
    agrees(&preflighted(), &seen([response(json!({}))], [other, put()]));
    parts(&preflighted(), &seen([read_bytes(b"preflight")], [options(), put()]), &Verdict::WrongWire, "page.body");
}

#[test]
fn a_body_fails_where_it_must_and_nowhere_else() {
    let broken = || response(json!({ "bodyError": { "name": "TypeError" }, "body": "", "bodyLength": 0 }));
    let fails = expecting(r#"body-fails = true, wire = ["GET"]"#);
    agrees(&fails, &seen([broken()], [get()]));
    parts(&fails, &seen([response(json!({}))], [get()]), &Verdict::WrongWire, "page.body");
    parts(&fails, &seen([response(json!({ "body": "", "bodyLength": 0 }))], [get()]), &Verdict::WrongWire, "page.body");
    parts(&allowed_get(), &seen([broken()], [get()]), &Verdict::TooStrict, "page.body");
}

#[test]
fn the_exception_of_a_body_has_this_name() {
    let broken = |name: &str| response(json!({ "bodyError": { "name": name }, "body": "", "bodyLength": 0 }));
    let fails = expecting(r#"body-fails = true, error = "AbortError", wire = ["GET"]"#);
    agrees(&fails, &seen([broken("AbortError")], [get()]));
    parts(&fails, &seen([broken("TypeError")], [get()]), &Verdict::WrongWire, "page.error");
}

// --- Exchanges

#[test]
fn exactly_these_exchanges_are_on_the_wire() {
    let steps = preflighted();
    let read = || [response(json!({}))];
    let options = || exchange("OPTIONS", Alias::B);
    let wrong = Verdict::WrongWire;
    parts(&steps, &seen(read(), [put()]), &wrong, "wire.missing");
    parts(&steps, &seen(read(), [options()]), &wrong, "wire.missing");
    parts(&steps, &seen(read(), []), &wrong, "wire.missing");
    parts(&steps, &seen(read(), [options(), put(), put()]), &wrong, "wire.extra");
    parts(&steps, &seen(read(), [options(), options(), put()]), &wrong, "wire.extra");
    parts(&steps, &seen(read(), [get(), options(), put()]), &wrong, "wire.extra");
    parts(&steps, &seen(read(), [put(), options()]), &wrong, "wire.missing");
    let elsewhere = changed(options(), |x| x.at = Alias::C);
    parts(&steps, &seen(read(), [elsewhere, put()]), &wrong, "wire.extra");
    let lower = changed(put(), |x| x.request.method = "put".to_owned());
    parts(&steps, &seen(read(), [options(), lower]), &wrong, "wire.extra");
}

#[test]
fn a_request_that_leaves_although_its_preflight_was_refused_is_noticed() {
    parts(&refused_preflight(), &seen([blocked()], [options(), put()]), &Verdict::WrongWire, "wire.extra");
}

#[test]
fn nothing_is_on_the_wire_of_a_refused_request() {
    let steps = steps(
        r#"
        request = { to = "b", method = "TRACE" }
        response = {}
        expect = { read = "refused", reason = "api-refused", wire = [] }"#,
    );
    agrees(&steps, &seen([refused()], []));
    parts(&steps, &seen([refused()], [exchange("TRACE", Alias::B)]), &Verdict::WrongWire, "wire.extra");
    parts(&steps, &seen([blocked()], []), &Verdict::WrongWire, "page.outcome");
}

/// What a table of request fields says to requests with each of these values of `X-Token`.
#[track_caller]
fn fields(check: &str, right: &[&[&str]], wrong: &[&[&str]]) {
    let steps = wire(&format!(r#"[{{ method = "GET", headers = {{ X-Token = {check} }} }}]"#));
    let look = |values: &[&str]| {
        let x = changed(get(), |x| x.request.fields.extend(values.iter().map(|v| field("x-tOkEn", v))));
        seen([response(json!({}))], [x])
    };
    for values in right {
        agrees(&steps, &look(values));
    }
    for values in wrong {
        parts(&steps, &look(values), &Verdict::WrongWire, "wire.field:X-Token");
    }
}

#[test]
fn request_fields_are_what_they_must_be() {
    fields(r#""1""#, &[&["1"]], &[&[], &["2"], &["1", "1"], &["1, 1"], &[""], &["1 "]]);
    fields(r#"["1", "2"]"#, &[&["1"], &["2"]], &[&[], &["3"], &["1", "2"], &["1, 2"]]);
    fields("true", &[&["1"], &["1", "2"], &[""]], &[&[]]);
    fields("false", &[&[]], &[&["1"], &[""]]);
    fields(r#"{ contains = ["a", "b"] }"#, &[&["ab"], &["b; a"]], &[&[], &["a"], &["b"], &["a", "b"], &["ab", "ab"]]);
    fields(r#"{ lacks = ["a", "b"] }"#, &[&[], &["c"], &["c", "d"]], &[&["a"], &["cbc"], &["c", "a"]]);
}

#[test]
fn request_fields_are_compared_as_bytes() {
    let steps = wire(r#"[{ method = "GET", headers = { X-Token = '\xE9' } }]"#);
    let look = |bytes: &[u8]| {
        let x = changed(get(), |x| x.request.fields.push((WireBytes::from(&b"X-Token"[..]), WireBytes::from(bytes))));
        seen([response(json!({}))], [x])
    };
    agrees(&steps, &look(b"\xe9"));
    parts(&steps, &look("é".as_bytes()), &Verdict::WrongWire, "wire.field:X-Token");
}

#[test]
fn a_doubled_origin_is_noticed() {
    let steps = wire(r#"[{ method = "GET", headers = { Origin = "{origin}" } }]"#);
    agrees(&steps, &seen([response(json!({}))], [get()]));
    let twice = changed(get(), |x| x.request.fields.push(field("Origin", "http://a.localhost:8001")));
    parts(&steps, &seen([response(json!({}))], [twice]), &Verdict::WrongWire, "wire.field:Origin");
    let null = changed(get(), |x| x.request.fields[1] = field("Origin", "null"));
    parts(&steps, &seen([response(json!({}))], [null]), &Verdict::WrongWire, "wire.field:Origin");
    let none = changed(get(), |x| x.request.fields.truncate(1));
    parts(&steps, &seen([response(json!({}))], [none]), &Verdict::WrongWire, "wire.field:Origin");
}

#[test]
fn every_wrong_field_of_an_exchange_is_told() {
    let steps = wire(r#"[{ method = "GET", headers = { A = true, Origin = false }, body-length = 1 }]"#);
    let judgement = judge(&steps, &seen([response(json!({}))], [get()]));
    let points: Vec<_> = judgement.differences.iter().map(|d| d.point.as_str()).collect();
    assert_eq!(points, ["wire.field:A", "wire.field:Origin", "wire.body-length"]);
}

#[test]
fn request_bodies_are_compared() {
    let with = |body: &[u8], length: u64| {
        let x = changed(get(), |x| {
            x.request.body = WireBytes::from(body);
            x.request.body_length = length;
        });
        seen([response(json!({}))], [x])
    };
    let exact = wire(r#"[{ method = "GET", body = 'a\xFF' }]"#);
    agrees(&exact, &with(b"a\xff", 2));
    parts(&exact, &with(b"a\xfe", 2), &Verdict::WrongWire, "wire.body");
    parts(&exact, &with(b"", 0), &Verdict::WrongWire, "wire.body");
    parts(&exact, &with(b"a\xffb", 3), &Verdict::WrongWire, "wire.body");
    let none = wire(r#"[{ method = "GET", body = "" }]"#);
    agrees(&none, &with(b"", 0));
    parts(&none, &with(b"x", 1), &Verdict::WrongWire, "wire.body");
    let long = wire(r#"[{ method = "GET", body-length = 70000 }]"#);
    agrees(&long, &with(&[b'x'; 4096], 70_000));
    parts(&long, &with(&[b'x'; 4096], 69_999), &Verdict::WrongWire, "wire.body-length");
}

#[test]
fn targets_are_compared_below_the_token() {
    let steps = wire(r#"[{ method = "GET", target = "r/s?x=/1" }]"#);
    let at = |target: &str| seen([response(json!({}))], [changed(get(), |x| x.request.target = target.to_owned())]);
    agrees(&steps, &at("/t/0123456789abcdef/r/s?x=/1"));
    for other in ["/t/0123456789abcdef/r/s", "/t/0123456789abcdef/r/s?x=/1#f", "/t/0123456789abcdef//r/s?x=/1", "/r/s?x=/1", "*"] {
        parts(&steps, &at(other), &Verdict::WrongWire, "wire.target");
    }
}

#[test]
fn an_exchange_may_repeat_where_it_may() {
    let repeats = wire(r#"[{ method = "HEAD", repeats = true }, "GET"]"#);
    let head = || exchange("HEAD", Alias::B);
    let read = || [response(json!({}))];
    agrees(&repeats, &seen(read(), [head(), get()]));
    agrees(&repeats, &seen(read(), [head(), head(), head(), get()]));
    parts(&repeats, &seen(read(), [get()]), &Verdict::WrongWire, "wire.missing");
    parts(&repeats, &seen(read(), [head(), get(), head()]), &Verdict::WrongWire, "wire.extra");
    parts(&repeats, &seen(read(), [head(), get(), get()]), &Verdict::WrongWire, "wire.extra");
}

#[test]
fn an_exchange_may_be_missing_where_it_may() {
    let optional = wire(r#"[{ method = "HEAD", optional = true }, "GET"]"#);
    let head = || exchange("HEAD", Alias::B);
    let read = || [response(json!({}))];
    agrees(&optional, &seen(read(), [head(), get()]));
    agrees(&optional, &seen(read(), [get()]));
    parts(&optional, &seen(read(), [head(), head(), get()]), &Verdict::WrongWire, "wire.extra");
    parts(&optional, &seen(read(), [head()]), &Verdict::WrongWire, "wire.missing");
    parts(&optional, &seen(read(), [get(), head()]), &Verdict::WrongWire, "wire.extra");
    let both = wire(r#"["GET", { method = "HEAD", optional = true, repeats = true }]"#);
    agrees(&both, &seen(read(), [get()]));
    agrees(&both, &seen(read(), [get(), changed(head(), |x| x.answer = get().answer), changed(head(), |x| x.answer = get().answer)]));
}

#[test]
fn other_exchanges_agree_where_they_are_listed() {
    let steps = steps(
        r#"
        request = { to = "b", method = "PUT" }
        preflight = {}
        response = {}
        expect = { read = "blocked", reason = "acao-missing", wire = ["OPTIONS"], or-wire = [["OPTIONS", "OPTIONS"], []] }"#,
    );
    agrees(&steps, &seen([blocked()], [options()]));
    agrees(&steps, &seen([blocked()], [options(), options()]));
    agrees(&steps, &seen([blocked()], []));
    // The foremost list is the one that differences are told of.
    let judgement = judge(&steps, &seen([blocked()], [options(), put()]));
    assert_eq!(judgement.verdict, Verdict::WrongWire);
    assert_eq!(judgement.differences.iter().map(|d| d.expected.as_str()).collect::<Vec<_>>(), ["OPTIONS b"]);
}

// --- What proves nothing

#[test]
fn a_page_without_an_answer_is_not_judged() {
    for steps in [allowed_get(), blocked_get()] {
        assert_eq!(proves_nothing(&steps, &seen([silent()], [get()])), Cause::NoAnswer { step: 0 });
        assert_eq!(proves_nothing(&steps, &seen([], [get()])), Cause::NoAnswer { step: 0 });
        assert_eq!(proves_nothing(&steps, &seen([], [])), Cause::NoAnswer { step: 0 });
    }
}

fn failed(exchange: Exchange, status: Option<u16>) -> Exchange {
    changed(exchange, |x| {
        x.answer.status = status;
        x.answer.fate = Fate::Failed { error: "broken pipe".to_owned() };
    })
}

#[test]
fn a_block_without_a_delivered_answer_is_not_judged() {
    for steps in [allowed_get(), blocked_get()] {
        let cause = proves_nothing(&steps, &seen([blocked()], [failed(get(), None)]));
        assert_eq!(cause, Cause::AnswerNotDelivered { words: "GET b: broken pipe".to_owned() });
    }
    let cause = proves_nothing(&refused_preflight(), &seen([blocked()], [failed(options(), None), options()]));
    assert!(matches!(cause, Cause::AnswerNotDelivered { .. }));
}

#[test]
fn a_block_that_broke_the_answer_off_is_judged() {
    // A browser that refuses a response by its head may close the connection while the body is under way.
    agrees(&blocked_get(), &seen([blocked()], [failed(get(), Some(200))]));
    parts(&allowed_get(), &seen([blocked()], [failed(get(), Some(200))]), &Verdict::TooStrict, "page.outcome");
}

#[test]
fn an_answer_that_ended_early_by_its_script_is_judged() {
    let cut = changed(get(), |x| {
        x.answer.status = None;
        x.answer.fate = Fate::Cut;
    });
    agrees(&blocked_get(), &seen([blocked()], [cut]));
}

#[test]
fn a_read_is_judged_whatever_became_of_an_answer() {
    parts(&blocked_get(), &seen([response(json!({}))], [failed(get(), None)]), &Verdict::TooOpen, "page.outcome");
    agrees(&allowed_get(), &seen([response(json!({}))], [failed(get(), Some(200))]));
}

#[test]
fn an_abort_is_judged_though_no_answer_was_delivered() {
    let steps = steps(
        r#"
        request = { to = "b", abort-after-ms = 50 }
        response = { delay-ms = 100 }
        expect = { read = "aborted", reason = "aborted", wire = ["GET"] }"#,
    );
    agrees(&steps, &seen([aborted()], [failed(get(), None)]));
    parts(&allowed_get(), &seen([aborted()], [failed(get(), None)]), &Verdict::TooStrict, "page.outcome");
}

#[test]
fn what_the_engine_lacks_is_unsupported() {
    let lacks = page(json!({ "unsupported": "request streams" }));
    let judgement = judge(&allowed_get(), &seen([lacks], []));
    assert_eq!(judgement, Judgement { verdict: Verdict::Unsupported("request streams".to_owned()), differences: Vec::new() });
}

// --- Steps

fn two_steps() -> Vec<BoundStep> {
    steps(
        r#"
        steps = [
            { request = { to = "b" }, response = { headers = [["Access-Control-Allow-Origin", "*"]] }, expect = { read = "allowed", wire = ["GET"] } },
            { request = { to = "b" }, response = {}, expect = { read = "blocked", reason = "acao-missing", wire = ["GET"] } },
        ]"#,
    )
}

fn second(exchange: Exchange) -> Exchange {
    changed(exchange, |x| x.step = 1)
}

#[test]
fn each_step_has_its_own_exchanges() {
    let steps = two_steps();
    let pages = || [response(json!({})), blocked()];
    agrees(&steps, &seen(pages(), [get(), second(get())]));
    parts(&steps, &seen(pages(), [second(get()), second(get())]), &Verdict::WrongWire, "wire.missing");
    parts(&steps, &seen(pages(), [get(), get()]), &Verdict::WrongWire, "wire.extra");
    let judgement = judge(&steps, &seen(pages(), [get()]));
    assert_eq!((judgement.verdict, judgement.differences[0].step), (Verdict::WrongWire, 1));
}

#[test]
fn a_missing_step_is_not_judged() {
    let steps = two_steps();
    assert_eq!(proves_nothing(&steps, &seen([response(json!({}))], [get(), second(get())])), Cause::NoAnswer { step: 1 });
    assert_eq!(proves_nothing(&steps, &seen([response(json!({})), silent()], [get(), second(get())])), Cause::NoAnswer { step: 1 });
    let undelivered = seen([response(json!({})), blocked()], [get(), second(failed(get(), None))]);
    assert!(matches!(proves_nothing(&steps, &undelivered), Cause::AnswerNotDelivered { .. }));
}

#[test]
fn what_a_step_proved_stays_proven() {
    let steps = two_steps();
    for later in [silent(), changed_end(PageEnd::Unsupported("streams".to_owned())), changed_end(PageEnd::AgentFault("x".to_owned()))] {
        let judgement = judge(&steps, &seen([blocked(), later], [get(), second(get())]));
        assert_eq!(judgement.verdict, Verdict::TooStrict);
    }
    let judgement = judge(&steps, &seen([response(json!({})), changed_end(PageEnd::Unsupported("streams".to_owned()))], [get()]));
    assert_eq!(judgement.verdict, Verdict::Unsupported("streams".to_owned()));
}

/// A page result with this end.
fn changed_end(end: PageEnd) -> PageResult {
    PageResult { end, ..blocked() }
}

#[test]
fn the_first_wrong_step_decides() {
    let steps = two_steps();
    let judgement = judge(&steps, &seen([blocked(), response(json!({}))], [get(), second(get())]));
    let places: Vec<_> = judgement.differences.iter().map(|d| (d.step, d.point.as_str())).collect();
    assert_eq!((judgement.verdict, places), (Verdict::TooStrict, vec![(0, "page.outcome"), (1, "page.outcome")]));
    parts(&steps, &seen([response(json!({})), response(json!({}))], [get(), second(get())]), &Verdict::TooOpen, "page.outcome");
}

#[test]
fn the_second_step_is_judged_by_its_own_served_body() {
    let steps = steps(
        r#"
        steps = [
            { request = { to = "b" }, response = { body = "one", headers = [["Access-Control-Allow-Origin", "*"]] }, expect = { read = "allowed", wire = ["GET"] } },
            { request = { to = "b" }, response = { body = "two", headers = [["Access-Control-Allow-Origin", "*"]] }, expect = { read = "allowed", wire = ["GET"] } },
        ]"#,
    );
    let exchanges = || [served(b"one"), second(served(b"two"))];
    agrees(&steps, &seen([read_bytes(b"one"), read_bytes(b"two")], exchanges()));
    parts(&steps, &seen([read_bytes(b"one"), read_bytes(b"one")], exchanges()), &Verdict::WrongWire, "page.body");
}

// --- Every case of the catalogue

/// A request as the expectation wants it.
fn as_wanted(want: &BoundExchange, step: usize) -> Exchange {
    changed(exchange(&want.method, want.at), |x| {
        x.step = u32::try_from(step).expect("few steps");
        x.request.fields.clear();
        for (name, check) in &want.headers {
            let value = match check {
                FieldCheck::Absent | FieldCheck::Lacks(_) => continue,
                FieldCheck::Present => b"x".to_vec(),
                FieldCheck::OneOf(values) => values[0].clone(),
                FieldCheck::Contains(values) => values.join(&b"; "[..]),
            };
            x.request.fields.push((WireBytes::from(name.as_bytes()), WireBytes(value)));
        }
        if let Some(body) = &want.body {
            x.request.body = WireBytes(body.clone());
            x.request.body_length = body.len() as u64;
        }
        if let Some(length) = want.body_length {
            x.request.body_length = length as u64;
        }
        if let Some(target) = &want.target {
            x.request.target = format!("/t/{TOKEN}/{target}");
        }
    })
}

/// A page result as the expectation wants it.
fn as_expected(expect: &BoundExpect, xhr: bool) -> PageResult {
    let exception = |name: &str| json!({ "name": expect.error.as_deref().unwrap_or(name), "message": "" });
    let mut thrown = Value::Null;
    let end = match expect.read {
        Outcome::Blocked => json!({ "network-error": exception("TypeError") }),
        Outcome::Refused => json!({ "refused": exception("TypeError") }),
        Outcome::Aborted => json!({ "aborted": exception("AbortError") }),
        read => {
            let (kind, url) = match read {
                Outcome::Opaque => (json!("opaque"), ""),
                Outcome::OpaqueRedirect => (json!("opaqueredirect"), "http://b.localhost:8004/"),
                _ if xhr => (Value::Null, ""),
                _ => (expect.r#type.map_or(json!("cors"), |t| serde_json::to_value(t).expect("a word")), ""),
            };
            let value = |seen: &Seen| match seen {
                Seen::Hidden => None,
                Seen::Present => Some("x".to_owned()),
                Seen::Is(value) => Some(value.clone()),
            };
            let probed: Vec<_> = expect.headers.iter().map(|(name, seen)| (name.clone(), value(seen))).collect();
            let names = expect.header_names.clone().unwrap_or_default();
            let headers: Vec<_> = names.into_iter().map(|name| (name, "x")).collect();
            let body = match read {
                Outcome::Allowed => expect.body.clone().unwrap_or_else(|| SERVED.to_owned()),
                _ => String::new(),
            };
            let mut response = json!({
                "type": kind,
                "status": expect.status.unwrap_or(if read == Outcome::Allowed { 200 } else { 0 }),
                "statusText": expect.status_text.clone().unwrap_or_default(),
                "url": expect.url.as_deref().unwrap_or(url),
                "redirected": if xhr { Value::Null } else { json!(expect.redirected.unwrap_or_default()) },
                "headers": headers,
                "probed": probed,
                "body": body,
                "bodyLength": body.len(),
            });
            if expect.body_fails {
                response["bodyError"] = exception("TypeError");
            } else if let Some(name) = &expect.error {
                thrown = json!({ "name": name, "message": "" });
            }
            json!({ "response": response })
        }
    };
    let mut page = json!({ "end": end, "events": expect.events.clone().unwrap_or_default(), "ms": 1.0 });
    page["uploadEvents"] = json!(expect.upload_events.clone().unwrap_or_default());
    page["timing"] = json!(expect.timing);
    page["entry"] = json!(expect.entry);
    page["workerSaw"] = json!(expect.worker_sees.clone().unwrap_or_default());
    page["thrown"] = thrown;
    serde_json::from_value(page).expect("a page result")
}

/// What a conforming browser and its servers would show of a case.
fn conforming(steps: &[BoundStep]) -> Observation {
    let mut exchanges = Vec::new();
    let mut words = vec![None];
    for (i, want) in steps.iter().enumerate().flat_map(|(i, s)| s.expect.wires[0].iter().map(move |want| (i, want))) {
        let connection = words.iter().position(|w| *w == want.connection).unwrap_or_else(|| {
            words.push(want.connection.clone());
            words.len() - 1
        });
        exchanges.push(changed(as_wanted(want, i), |x| x.connection = connection as u64));
    }
    let xhr = |s: &BoundStep| s.action.api == corscheck_cases::bind::ApiWord::Xhr;
    let pages: Vec<_> = steps.iter().map(|s| as_expected(&s.expect, xhr(s))).collect();
    seen(pages, exchanges)
}

/// The cases of the catalogue, bound.
fn catalogue() -> Vec<(String, Vec<BoundStep>)> {
    let catalogue = Catalogue::embedded().unwrap_or_else(|e| panic!("{e}"));
    let topology = Topology::example();
    catalogue.cases().iter().map(|c| (c.id.to_string(), bind(c, &topology, TOKEN).steps)).collect()
}

#[test]
fn every_case_can_agree() {
    let mut wrong = Vec::new();
    for (id, steps) in catalogue() {
        let judgement = judge(&steps, &conforming(&steps));
        if judgement.verdict != Verdict::Agrees {
            wrong.push(format!("{id}: {} {:?}", judgement.verdict, judgement.differences));
        }
    }
    assert!(wrong.is_empty(), "no browser can be right here:\n{}", wrong.join("\n"));
}

/// Judges each case of the catalogue with each spoiled observation that `spoil` makes; none may agree.
#[track_caller]
fn none_agrees(at_least: usize, spoil: impl Fn(&[BoundStep], &Observation) -> Vec<Observation>) {
    let mut judged = 0;
    let mut wrong = Vec::new();
    for (id, steps) in catalogue() {
        for (i, observation) in spoil(&steps, &conforming(&steps)).iter().enumerate() {
            judged += 1;
            if judge(&steps, observation).verdict == Verdict::Agrees {
                wrong.push(format!("{id} ({i})"));
            }
        }
    }
    assert!(wrong.is_empty(), "agrees nevertheless: {}", wrong.join(", "));
    assert!(judged >= at_least, "only {judged} observations were spoiled");
}

/// The expectation that each exchange of [`conforming`] was made for, if its step has no other list of exchanges.
fn wanted(steps: &[BoundStep]) -> impl Iterator<Item = Option<&BoundExchange>> {
    steps.iter().flat_map(|s| {
        let decided = s.expect.wires.len() == 1;
        s.expect.wires[0].iter().map(move |want| decided.then_some(want))
    })
}

#[test]
fn no_case_agrees_without_one_of_its_exchanges() {
    none_agrees(500, |steps, right| {
        let all: Vec<_> = wanted(steps).collect();
        // Of two that are alike, of which one may be missing, either may be.
        let may_miss = |i: usize, w: &BoundExchange| {
            w.optional
                || all.get(i + 1).copied().flatten().is_some_and(|next| next.optional && (&next.method, next.at) == (&w.method, w.at))
        };
        let needed = all.iter().enumerate().filter(|(i, want)| want.is_some_and(|w| !may_miss(*i, w)));
        needed
            .map(|(i, _)| {
                let mut less = right.clone();
                less.exchanges.remove(i);
                less
            })
            .collect()
    });
}

#[test]
fn no_case_agrees_with_one_exchange_more() {
    none_agrees(500, |steps, right| {
        let last = steps.len() - 1;
        let stray = changed(exchange("GET", Alias::C), |x| x.step = u32::try_from(last).expect("few steps"));
        let mut more = right.clone();
        more.exchanges.push(stray);
        let expects_stray = steps[last].expect.wires.iter().flatten().any(|w| w.at == Alias::C && w.method == "GET");
        if expects_stray { Vec::new() } else { vec![more] }
    });
}

#[test]
fn no_case_agrees_with_an_exchange_elsewhere_or_by_another_method() {
    none_agrees(1000, |steps, right| {
        let needed: Vec<_> = wanted(steps).enumerate().filter(|(_, want)| want.is_some_and(|w| !w.optional)).map(|(i, _)| i).collect();
        let change = |i: usize, change: &dyn Fn(&mut Exchange)| {
            let mut other = right.clone();
            change(&mut other.exchanges[i]);
            other
        };
        needed.into_iter().flat_map(|i| [change(i, &|x| x.at = Alias::Dead), change(i, &|x| x.request.method.push('X'))]).collect()
    });
}

#[test]
fn no_case_agrees_without_a_page_result() {
    none_agrees(1000, |steps, right| {
        let without = |i: usize| {
            let mut less = right.clone();
            less.pages.truncate(i);
            less
        };
        let mute = |i: usize| {
            let mut mute = right.clone();
            mute.pages[i] = silent();
            mute
        };
        (0..steps.len()).flat_map(|i| [without(i), mute(i)]).collect()
    });
}

#[test]
fn no_case_agrees_with_another_outcome() {
    none_agrees(2000, |steps, right| {
        let ends = [
            (Outcome::Allowed, response(json!({}))),
            (Outcome::Blocked, blocked()),
            (Outcome::Opaque, opaque(json!({}))),
            (Outcome::OpaqueRedirect, opaque(json!({ "type": "opaqueredirect" }))),
            (Outcome::Refused, refused()),
            (Outcome::Aborted, aborted()),
        ];
        let mut out = Vec::new();
        for (i, step) in steps.iter().enumerate() {
            for (outcome, page) in &ends {
                if *outcome != step.expect.read && !step.expect.or_read.contains(outcome) {
                    let mut other = right.clone();
                    other.pages[i] = page.clone();
                    out.push(other);
                }
            }
        }
        out
    });
}

#[test]
fn no_case_agrees_with_another_field() {
    none_agrees(200, |steps, right| {
        let mut out = Vec::new();
        for (i, want) in wanted(steps).enumerate() {
            for (name, check) in want.into_iter().flat_map(|w| &w.headers) {
                let mut other = right.clone();
                let fields = &mut other.exchanges[i].request.fields;
                match check {
                    FieldCheck::Absent => fields.push(field(name, "x")),
                    FieldCheck::Lacks(parts) => fields.push((WireBytes::from(name.as_bytes()), WireBytes(parts[0].clone()))),
                    FieldCheck::Present | FieldCheck::OneOf(_) | FieldCheck::Contains(_) => {
                        fields.retain(|(n, _)| !n.eq_ignore_ascii_case(name.as_bytes()));
                    }
                }
                out.push(other);
            }
        }
        out
    });
}

#[test]
fn no_read_agrees_with_another_body() {
    none_agrees(300, |steps, right| {
        let mut out = Vec::new();
        for (i, step) in steps.iter().enumerate() {
            let compared = step.expect.body.is_some() || !step.expect.wires[0].is_empty();
            if step.expect.read == Outcome::Allowed && !step.expect.body_fails && compared {
                let mut other = right.clone();
                if let PageEnd::Response(response) = &mut other.pages[i].end {
                    response.body.push('!');
                    response.body_length += 1;
                }
                out.push(other);
            }
        }
        out
    });
}

// --- What the judge does not notice yet

#[test]
fn a_request_that_nothing_is_scripted_for_does_not_agree() {
    let stray = changed(get(), |x| {
        x.request.target = format!("/t/{TOKEN}/elsewhere");
        x.answer.status = Some(501);
        x.answer.fate = Fate::Unscripted;
    });
    assert_ne!(judge(&blocked_get(), &seen([blocked()], [stray])).verdict, Verdict::Agrees);
}

#[test]
fn every_repeat_is_looked_at() {
    let steps = wire(r#"[{ method = "GET", headers = { Origin = "{origin}" }, repeats = true }]"#);
    agrees(&steps, &seen([response(json!({}))], [get(), get()]));
    let null = changed(get(), |x| x.request.fields[1] = field("Origin", "null"));
    parts(&steps, &seen([response(json!({}))], [get(), null]), &Verdict::WrongWire, "wire.field:Origin");
}

#[test]
fn an_opaque_response_gives_no_header_by_name() {
    parts(&opaque_get(), &seen([opaque(json!({ "probed": [["X-A", "1"]] }))], [get()]), &Verdict::TooOpen, "page.header:x-a");
}

#[test]
fn a_header_that_was_not_asked_for_is_not_hidden() {
    let steps = expecting(r#"headers = { ETag = false }, wire = ["GET"]"#);
    assert_ne!(judge(&steps, &seen([response(json!({ "probed": [] }))], [get()])).verdict, Verdict::Agrees);
}

#[test]
fn a_long_body_has_its_length() {
    let body = vec![b'x'; 70_000];
    parts(&allowed_get(), &seen([read_bytes(&body[..60_000])], [served(&body)]), &Verdict::WrongWire, "page.body");
}

#[test]
fn an_outcome_left_open_carries_no_exception() {
    let open = steps(
        r#"
        level = "info"
        request = { to = "b" }
        response = {}
        expect = { read = "blocked", or-read = ["allowed"], reason = "network", error = "TypeError", wire = ["GET"] }"#,
    );
    agrees(&open, &seen([response(json!({}))], [get()]));
}

#[test]
fn an_expected_body_is_text() {
    let steps = expecting(r#"body = "é☃", wire = ["GET"]"#);
    agrees(&steps, &seen([read_bytes("é☃".as_bytes())], [get()]));
}

#[test]
fn an_optional_exchange_leaves_the_next_its_own() {
    let steps = wire(r#"[{ method = "GET", optional = true }, "GET"]"#);
    agrees(&steps, &seen([response(json!({}))], [get(), get()]));
    agrees(&steps, &seen([response(json!({}))], [get()]));
}

#[test]
fn a_block_before_any_answer_is_not_judged() {
    let pending = changed(get(), |x| x.answer = RecordedAnswer::default());
    let cause = proves_nothing(&blocked_get(), &seen([blocked()], [pending]));
    assert!(matches!(cause, Cause::AnswerNotDelivered { .. }));
}

#[test]
fn a_preflight_serves_no_body() {
    parts(&preflighted(), &seen([response(json!({}))], [options()]), &Verdict::WrongWire, "wire.missing");
}

#[test]
fn times_must_be_told_or_kept_as_demanded() {
    let timed = |timing: &str| {
        steps(&format!(
            r#"
            request = {{ to = "b" }}
            response = {{ headers = [["Access-Control-Allow-Origin", "*"]] }}
            expect = {{ read = "allowed", timing = "{timing}", wire = ["GET"] }}"#
        ))
    };
    let told = |timing: Option<Timing>| seen([PageResult { timing, ..response(json!({})) }], [served(SERVED.as_bytes())]);
    agrees(&timed("open"), &told(Some(Timing::Open)));
    agrees(&timed("closed"), &told(Some(Timing::Closed)));
    parts(&timed("closed"), &told(Some(Timing::Open)), &Verdict::TooOpen, "page.timing");
    parts(&timed("open"), &told(Some(Timing::Closed)), &Verdict::TooStrict, "page.timing");
    parts(&timed("closed"), &told(None), &Verdict::WrongWire, "page.timing");
}

#[test]
fn elements_are_judged_by_whether_the_page_may_look() {
    let element = |read: &str| {
        steps(&format!(
            r#"
            request = {{ to = "b", api = "img" }}
            response = {{}}
            expect = {{ read = "{read}", wire = ["GET"] }}"#
        ))
    };
    let loaded = |readable: bool| seen([page(json!({ "loaded": { "readable": readable } }))], [served(b"a pixel")]);
    agrees(&element("opaque"), &loaded(false));
    agrees(&element("allowed"), &loaded(true));
    parts(&element("opaque"), &loaded(true), &Verdict::TooOpen, "page.outcome");
    parts(&element("allowed"), &loaded(false), &Verdict::TooStrict, "page.outcome");
    parts(&element("opaque"), &seen([blocked()], [served(b"a pixel")]), &Verdict::TooStrict, "page.outcome");
}

#[test]
fn alternatives_are_met_whole_or_not_at_all() {
    let cached = steps(
        r#"
        [[case.steps]]
        request = { to = "b" }
        response = { headers = [["Access-Control-Allow-Origin", "{origin}"]] }
        expect = { read = "allowed", wire = ["GET"] }
        [[case.steps]]
        request = { to = "b" }
        response = { headers = [["Access-Control-Allow-Origin", "{origin}"]] }
        expect = { read = "blocked", reason = "acao-missing", wire = [], or = [{ read = "allowed", wire = ["GET"] }] }"#,
    );
    let seen = |second: PageResult, asked: bool| {
        let mut exchanges = vec![served(SERVED.as_bytes())];
        exchanges.extend(asked.then(|| changed(served(SERVED.as_bytes()), |x| x.step = 1)));
        seen([response(json!({})), second], exchanges)
    };
    agrees(&cached, &seen(blocked(), false));
    agrees(&cached, &seen(response(json!({})), true));
    // The read is not what those exchanges come to.
    parts(&cached, &seen(response(json!({})), false), &Verdict::TooOpen, "page.outcome");
    parts(&cached, &seen(blocked(), true), &Verdict::TooStrict, "page.outcome");
    parts(&cached, &seen(opaque(json!({})), true), &Verdict::TooStrict, "page.outcome");
}

#[test]
fn connections_of_different_words_are_different() {
    let apart = steps(
        r#"
        [[case.steps]]
        request = { to = "b" }
        response = { headers = [["Access-Control-Allow-Origin", "{origin}"]] }
        expect = { read = "allowed", wire = [{ method = "GET", connection = "one" }] }
        [[case.steps]]
        request = { to = "b" }
        response = { headers = [["Access-Control-Allow-Origin", "{origin}"]] }
        expect = { read = "allowed", wire = [{ method = "GET", connection = "two" }, { method = "GET", connection = "one" }] }"#,
    );
    let seen = |connections: [u64; 3]| {
        let exchange =
            |(i, connection): (usize, u64)| changed(served(SERVED.as_bytes()), |x| (x.step, x.connection) = (i.min(1) as u32, connection));
        let exchanges: Vec<_> = connections.into_iter().enumerate().map(exchange).collect();
        seen([response(json!({})), response(json!({}))], exchanges)
    };
    agrees(&apart, &seen([1, 2, 1]));
    // One word may have several.
    agrees(&apart, &seen([1, 2, 3]));
    parts(&apart, &seen([1, 1, 2]), &Verdict::WrongWire, "wire.connection");
    parts(&apart, &seen([1, 2, 2]), &Verdict::WrongWire, "wire.connection");
}

/// What an entry of Resource Timing says where it must hide, and hides where it must say.
#[test]
fn entries_of_resource_timing_are_compared() {
    let case = |entry: &str| {
        steps(&format!(
            r#"request = {{ to = "b" }}
            response = {{ headers = [["Access-Control-Allow-Origin", "{{origin}}"]] }}
            expect = {{ read = "allowed", entry = {{ {entry} }}, wire = ["GET"] }}"#
        ))
    };
    let told = |entry: Value| {
        let entry = serde_json::from_value(entry).expect("an entry");
        seen([PageResult { entry: Some(Box::new(entry)), ..response(json!({})) }], [served(SERVED.as_bytes())])
    };
    let size = json!({ "encoded-body-size": 10 });
    agrees(&case("encoded-body-size = 10"), &told(size.clone()));
    parts(&case("encoded-body-size = 0"), &told(size.clone()), &Verdict::TooOpen, "page.entry.encoded-body-size");
    parts(&case("encoded-body-size = 10"), &told(json!({ "encoded-body-size": 0 })), &Verdict::TooStrict, "page.entry.encoded-body-size");
    parts(&case("encoded-body-size = 11"), &told(size), &Verdict::WrongWire, "page.entry.encoded-body-size");
    parts(&case("count = 1"), &told(json!({ "count": 2 })), &Verdict::WrongWire, "page.entry.count");
    parts(&case("server-timing = []"), &told(json!({ "server-timing": ["db"] })), &Verdict::TooOpen, "page.entry.server-timing");
    parts(&case("response-status = 404"), &told(json!({ "response-status": 0 })), &Verdict::TooStrict, "page.entry.response-status");
}
