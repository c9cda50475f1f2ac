//! Every mistake that a catalogue file can hold, and the whole text its author gets to read.
//!
//! Each test starts from a case that parses, and brings in one mistake: what is refused is refused for that mistake alone.

use corscheck_cases::{Catalogue, diagnostic::Diagnostics, families::Families, known};
use insta::assert_snapshot;

/// A simple read that is allowed.
const ALLOWED: &str = r#"[[case]]
id = "area/slug"
title = "A case for the tests"
behaviours = ["cors-check/acao-exact-match"]
spec = "fetch#concept-cors-check"
why = "CORS check, step 6."
request = { to = "b" }
response = { headers = [["Access-Control-Allow-Origin", "{origin}"]] }
expect = { read = "allowed", status = 200, wire = ["GET b"] }
"#;

/// A preflight that does not let the method through.
const BLOCKED: &str = r#"[[case]]
id = "area/blocked"
title = "A case for the tests"
behaviours = ["cors-check/acao-exact-match"]
spec = "fetch#concept-cors-check"
why = "CORS-preflight fetch, step 7.5."
request = { to = "b", method = "PUT" }
preflight = { status = 204, headers = [["Access-Control-Allow-Origin", "{origin}"]] }
response = {}
expect = { read = "blocked", reason = "method-not-allowed", wire = ["OPTIONS"] }
"#;

/// The same by XMLHttpRequest, from the page's own origin.
const XHR: &str = r#"[[case]]
id = "area/xhr"
title = "A case for the tests"
behaviours = ["cors-check/acao-exact-match"]
spec = "xhr#the-send()-method"
why = "The send() method, step 11."
request = { api = "xhr", to = "a" }
response = {}
expect = { read = "allowed", events = ["loadstart", "progress", "load", "loadend"], wire = ["GET"] }
"#;

/// An answer over HTTP/2.
const H2: &str = r#"[[case]]
id = "area/h2"
title = "A case for the tests"
behaviours = ["cors-check/acao-exact-match"]
spec = "fetch#concept-cors-check"
why = "CORS check, step 6."
request = { to = "b-h2" }
response = { headers = [["Access-Control-Allow-Origin", "{origin}"]] }
expect = { read = "allowed", wire = ["GET"] }
"#;

/// Two steps.
const STEPS: &str = r#"[[case]]
id = "area/steps"
title = "A case for the tests"
behaviours = ["cors-check/acao-exact-match"]
spec = "fetch#concept-cors-check"
why = "CORS check, step 6."

[[case.steps]]
request = { to = "a" }
response = {}
expect = { read = "allowed", wire = ["GET"] }

[[case.steps]]
request = { to = "b" }
response = {}
expect = { read = "blocked", reason = "acao-missing", wire = ["GET"] }
"#;

fn parse(text: &str) -> Result<Catalogue, Diagnostics> {
    Catalogue::parse([("catalogue/area.toml", text)])
}

/// What is said of `base` once `from` in it has become `to`.
#[track_caller]
fn spoiled(base: &str, from: &str, to: &str) -> String {
    if let Err(diagnostics) = parse(base) {
        panic!("the text without the mistake must parse:\n{diagnostics}");
    }
    assert!(base.contains(from), "nothing to spoil: no `{from}`");
    refused(&base.replace(from, to))
}

#[track_caller]
fn refused(text: &str) -> String {
    match parse(text) {
        Ok(_) => panic!("it parses:\n{text}"),
        Err(diagnostics) => diagnostics.to_string(),
    }
}

#[test]
fn the_texts_to_be_spoiled_parse() {
    for base in [ALLOWED, BLOCKED, XHR, H2, STEPS] {
        if let Err(diagnostics) = parse(base) {
            panic!("{diagnostics}");
        }
    }
}

// --- Keys and words

#[test]
fn an_unknown_key_at_the_top_of_the_file() {
    assert_snapshot!(spoiled(ALLOWED, "[[case]]\n", "[[cases]]\n"), @r"
    error: unknown field `cases`, expected `case`
     --> catalogue/area.toml:1:3
      |
    1 | [[cases]]
      |   ^^^^^

    1 mistake in the catalogue
    ");
}

#[test]
fn an_unknown_key_in_a_case() {
    assert_snapshot!(spoiled(ALLOWED, "why =", "because ="), @r#"
    error: unknown field `because`, expected one of `id`, `title`, `behaviours`, `spec`, `why`, `undetectable`, `level`, `page`, `document`, `context`, `also`, `request`, `preflight`, `redirects`, `response`, `revalidation`, `expect`, `steps`
     --> catalogue/area.toml:6:1
      |
    6 | because = "CORS check, step 6."
      | ^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_key_in_a_request() {
    assert_snapshot!(spoiled(ALLOWED, r#"to = "b""#, r#"to = "b", credential = "omit""#), @r#"
    error: unknown field `credential`, expected one of `to`, `url`, `path`, `query`, `fragment`, `userinfo`, `api`, `crossorigin`, `as`, `method`, `headers`, `body`, `credentials`, `mode`, `redirect`, `cache`, `referrer`, `referrer-policy`, `integrity`, `keepalive`, `abort-after-ms`, `worker`, `handling`, `blob`, `sync`, `upload-listener`, `timeout-ms`, `open-credentials`, `late-credentials`
     --> catalogue/area.toml:7:23
      |
    7 | request = { to = "b", credential = "omit" }
      |                       ^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_range_of_nothing() {
    let mistake = spoiled(BLOCKED, "status = 204", "status = 204, range = \"0-9\"");
    assert!(mistake.contains("`range = \"0-9\"` is none of the content of an `audio` or `video`"), "{mistake}");
    let video = ALLOWED.replace(r#"to = "b""#, r#"to = "b", api = "video", crossorigin = "anonymous""#).replace("status = 200, ", "");
    let with = |range: &str| video.replace("response = {", &format!("response = {{ range = \"{range}\","));
    for range in ["5-4", "0-100000", "x-1", "7", "-5"] {
        let mistake = refused(&with(range));
        assert!(mistake.contains("is none of the content"), "{range}: {mistake}");
    }
    assert!(parse(&with("0-299")).is_ok() && parse(&with("300-")).is_ok());
}

#[test]
fn an_unknown_key_in_an_answer() {
    assert_snapshot!(spoiled(BLOCKED, "status = 204", "code = 204"), @r#"
    error: unknown field `code`, expected one of `status`, `reason`, `headers`, `body`, `range`, `interim`, `delay-ms`, `body-delay-ms`, `framing`, `content-length`, `cut`, `then`, `raw`, `drop`
     --> catalogue/area.toml:8:15
      |
    8 | preflight = { code = 204, headers = [["Access-Control-Allow-Origin", "{origin}"]] }
      |               ^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_key_in_expect() {
    assert_snapshot!(spoiled(ALLOWED, "status = 200", "statuses = 200"), @r#"
    error: unknown field `statuses`, expected one of `read`, `reason`, `or-reasons`, `or-read`, `type`, `status`, `status-text`, `url`, `redirected`, `headers`, `header-names`, `body`, `body-fails`, `error`, `events`, `upload-events`, `timing`, `entry`, `worker-sees`, `wire`, `or-wire`, `or`
     --> catalogue/area.toml:9:30
      |
    9 | expect = { read = "allowed", statuses = 200, wire = ["GET b"] }
      |                              ^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_key_in_an_exchange() {
    assert_snapshot!(spoiled(ALLOWED, r#""GET b""#, r#"{ method = "GET", header = {} }"#), @r#"
    error: unknown field `header`, expected one of `method`, `at`, `headers`, `body`, `body-length`, `target`, `repeats`, `optional`, `connection`
     --> catalogue/area.toml:9:70
      |
    9 | expect = { read = "allowed", status = 200, wire = [{ method = "GET", header = {} }] }
      |                                                                      ^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_key_in_a_step() {
    assert_snapshot!(spoiled(STEPS, "[[case.steps]]\n", "[[case.steps]]\ndelay-ms = 1\n"), @r"
    error: unknown field `delay-ms`, expected one of `wait-ms`, `context`, `request`, `preflight`, `redirects`, `response`, `revalidation`, `expect`
     --> catalogue/area.toml:9:1
      |
    9 | delay-ms = 1
      | ^^^^^^^^

    1 mistake in the catalogue
    ");
}

#[test]
fn an_unknown_key_in_a_check_of_a_field() {
    assert_snapshot!(
        spoiled(ALLOWED, r#""GET b""#, r#"{ method = "GET", headers = { Cookie = { has = ["a"] } } }"#),
        @r#"
    error: unknown field `has`, expected `contains` or `lacks`
     --> catalogue/area.toml:9:93
      |
    9 | expect = { read = "allowed", status = 200, wire = [{ method = "GET", headers = { Cookie = { has = ["a"] } } }] }
      |                                                                                             ^^^

    1 mistake in the catalogue
    "#
    );
}

#[test]
fn an_unknown_outcome() {
    assert_snapshot!(spoiled(ALLOWED, r#"read = "allowed""#, r#"read = "granted""#), @r#"
    error: unknown variant `granted`, expected one of `allowed`, `blocked`, `opaque`, `opaque-redirect`, `refused`, `aborted`
     --> catalogue/area.toml:9:19
      |
    9 | expect = { read = "granted", status = 200, wire = ["GET b"] }
      |                   ^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_reason() {
    assert_snapshot!(spoiled(BLOCKED, "method-not-allowed", "method-forbidden"), @r#"
    error: unknown variant `method-forbidden`, expected one of `acao-missing`, `acao-mismatch`, `acao-multiple`, `acao-invalid`, `wildcard-with-credentials`, `acac-not-true`, `preflight-not-ok`, `preflight-redirect`, `preflight-failed`, `method-not-allowed`, `header-not-allowed`, `allow-methods-malformed`, `allow-headers-malformed`, `mode-same-origin`, `no-cors-redirect-mode`, `scheme-not-allowed`, `redirect-error`, `redirect-location-invalid`, `redirect-scheme`, `redirect-limit`, `redirect-userinfo`, `blocked-by-policy`, `bad-port`, `corp`, `integrity`, `nosniff`, `mime-type`, `not-usable`, `service-worker`, `network`, `aborted`, `api-refused`
      --> catalogue/area.toml:10:39
       |
    10 | expect = { read = "blocked", reason = "method-forbidden", wire = ["OPTIONS"] }
       |                                       ^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_standard() {
    assert_snapshot!(spoiled(ALLOWED, "fetch#concept-cors-check", "cors#preflight"), @r#"
    error: `cors#preflight` is no reference: expected STANDARD#ANCHOR with a standard of fetch, xhr, html, url, fetch-metadata, referrer-policy, rfc9110, rfc9111, rfc9112, rfc6265bis
     --> catalogue/area.toml:5:8
      |
    5 | spec = "cors#preflight"
      |        ^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_missing_title() {
    assert_snapshot!(spoiled(ALLOWED, "title = \"A case for the tests\"\n", ""), @r"
    error: missing field `title`
     --> catalogue/area.toml:1:1
      |
    1 | [[case]]
      | ^^^^^^^^

    1 mistake in the catalogue
    ");
}

#[test]
fn a_missing_wire() {
    assert_snapshot!(spoiled(ALLOWED, r#", wire = ["GET b"]"#, ""), @r#"
    error: missing field `wire`
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", status = 200 }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_alias_of_a_request() {
    assert_snapshot!(spoiled(ALLOWED, r#"to = "b""#, r#"to = "d""#), @r#"
    error: unknown variant `d`, expected one of `a`, `a-port`, `a-sub`, `b`, `b-port`, `b-sub`, `c`, `ip`, `localhost`, `a-tls`, `a-port-tls`, `a-sub-tls`, `b-tls`, `b-port-tls`, `c-tls`, `a-h2`, `b-h2`, `c-h2`, `x-test`, `y-test`, `x-test-tls`, `idn`, `ip6`, `dead`
     --> catalogue/area.toml:7:18
      |
    7 | request = { to = "d" }
      |                  ^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_alias_on_the_wire() {
    assert_snapshot!(spoiled(ALLOWED, "GET b", "GET d"), @r#"
    error: unknown alias `d` in `GET d`, expected one of a, a-port, a-sub, b, b-port, b-sub, c, ip, localhost, a-tls, a-port-tls, a-sub-tls, b-tls, b-port-tls, c-tls, a-h2, b-h2, c-h2, x-test, y-test, x-test-tls, idn, ip6, dead
     --> catalogue/area.toml:9:52
      |
    9 | expect = { read = "allowed", status = 200, wire = ["GET d"] }
      |                                                    ^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_alias_in_an_exchange() {
    assert_snapshot!(spoiled(ALLOWED, r#""GET b""#, r#"{ method = "GET", at = "d" }"#), @r#"
    error: unknown variant `d`, expected one of `a`, `a-port`, `a-sub`, `b`, `b-port`, `b-sub`, `c`, `ip`, `localhost`, `a-tls`, `a-port-tls`, `a-sub-tls`, `b-tls`, `b-port-tls`, `c-tls`, `a-h2`, `b-h2`, `c-h2`, `x-test`, `y-test`, `x-test-tls`, `idn`, `ip6`, `dead`
     --> catalogue/area.toml:9:75
      |
    9 | expect = { read = "allowed", status = 200, wire = [{ method = "GET", at = "d" }] }
      |                                                                           ^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_alias_in_a_placeholder() {
    assert_snapshot!(spoiled(ALLOWED, "{origin}", "{origin:d}"), @r#"
    error: unknown alias `d` in `{origin:d}`, expected one of a, a-port, a-sub, b, b-port, b-sub, c, ip, localhost, a-tls, a-port-tls, a-sub-tls, b-tls, b-port-tls, c-tls, a-h2, b-h2, c-h2, x-test, y-test, x-test-tls, idn, ip6, dead
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [["Access-Control-Allow-Origin", "{origin:d}"]] }
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_behaviour_names_the_nearest() {
    assert_snapshot!(spoiled(ALLOWED, "cors-check/acao-exact-match", "preflight/header-not-list"), @r#"
    error: unknown behaviour `preflight/header-not-list`; the nearest are preflight/header-not-listed, preflight/header-listed, preflight/method-not-listed
     --> catalogue/area.toml:4:14
      |
    4 | behaviours = ["preflight/header-not-list"]
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn no_toml_at_all() {
    assert_snapshot!(spoiled(ALLOWED, r#"id = "area/slug""#, "id = area/slug"), @r"
    error: string values must be quoted, expected literal string
     --> catalogue/area.toml:2:6
      |
    2 | id = area/slug
      |      ^^^^^^^^^

    1 mistake in the catalogue
    ");
}

// --- Ids

#[test]
fn an_id_that_is_taken() {
    let text = format!("{ALLOWED}\n{}", BLOCKED.replace("area/blocked", "area/slug"));
    assert_snapshot!(refused(&text), @r#"
    error: the id `area/slug` is taken: catalogue/area.toml:2 has it
      --> catalogue/area.toml:12:6
       |
    12 | id = "area/slug"
       |      ^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_id_that_another_file_has() {
    let diagnostics =
        Catalogue::parse([("catalogue/one.toml", BLOCKED), ("catalogue/two.toml", ALLOWED), ("catalogue/three.toml", ALLOWED)])
            .expect_err("an id is there twice");
    assert_snapshot!(diagnostics, @r#"
    error: the id `area/slug` is taken: catalogue/two.toml:2 has it
     --> catalogue/three.toml:2:6
      |
    2 | id = "area/slug"
      |      ^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn ids_of_another_form() {
    for id in [
        "slug",
        "area/",
        "/slug",
        "Area/slug",
        "area/slug/more",
        "area/slug.xhr",
        "area/-slug",
        "area/slug-",
        "area/sl ug",
        "ärea/slug",
        "",
    ] {
        let shown = spoiled(ALLOWED, "area/slug", id);
        assert!(shown.contains(&format!("`{id}` is no case id")), "{shown}");
    }
    assert_snapshot!(spoiled(ALLOWED, "area/slug", "area/Slug_1"), @r#"
    error: `area/Slug_1` is no case id: expected `area/slug` of lower-case letters, digits and inner hyphens
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/Slug_1"
      |      ^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

// --- Text and bytes

#[test]
fn a_header_that_is_not_ascii() {
    assert_snapshot!(spoiled(ALLOWED, "{origin}", "é"), @r#"
    error: `é` is not ASCII; say which bytes are meant: `\xHH` in a single-quoted string (its UTF-8 form is \xC3\xA9)
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [["Access-Control-Allow-Origin", "é"]] }
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_byte_without_two_digits() {
    assert_snapshot!(spoiled(ALLOWED, r#""{origin}""#, r"'\xZ'"), @r#"
    error: `\xZ` needs two hexadecimal digits
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [["Access-Control-Allow-Origin", '\xZ']] }
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_escape() {
    assert_snapshot!(spoiled(ALLOWED, r#""{origin}""#, r"'a\0'"), @r#"
    error: unknown escape `\0`, expected \xHH, \r, \n, \t or \\
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [["Access-Control-Allow-Origin", 'a\0']] }
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_brace_that_is_never_closed() {
    assert_snapshot!(spoiled(ALLOWED, "{origin}", "{origin"), @r#"
    error: a `{` that is never closed; write {{ for a brace
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [["Access-Control-Allow-Origin", "{origin"]] }
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_brace_that_was_never_opened() {
    assert_snapshot!(spoiled(ALLOWED, "{origin}", "origin}"), @r#"
    error: a single `}`; write }} for a brace
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [["Access-Control-Allow-Origin", "origin}"]] }
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_placeholder() {
    assert_snapshot!(spoiled(ALLOWED, "{origin}", "{orign}"), @r#"
    error: unknown placeholder `{orign}`, expected {origin}, {origin:ALIAS}, {scheme:ALIAS}, {host:ALIAS}, {port:ALIAS}, {url}, {url:ALIAS}, {next}, {next-path} or {token}; write {{ for a brace
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [["Access-Control-Allow-Origin", "{orign}"]] }
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_filter() {
    assert_snapshot!(spoiled(ALLOWED, "{origin}", "{origin|lower}"), @r#"
    error: unknown filter `lower` in `{origin|lower}`; the one filter is `upper`
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [["Access-Control-Allow-Origin", "{origin|lower}"]] }
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_header_of_three_elements() {
    assert_snapshot!(spoiled(ALLOWED, r#""{origin}"]"#, r#""{origin}", "Vary"]"#), @r#"
    error: invalid length 3, expected a header field: ["Name", "value"], or one string for a raw line
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [["Access-Control-Allow-Origin", "{origin}", "Vary"]] }
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_header_of_one_element() {
    assert_snapshot!(spoiled(ALLOWED, r#", "{origin}"]"#, "]"), @r#"
    error: invalid length 1, expected a header field: ["Name", "value"], or one string for a raw line
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [["Access-Control-Allow-Origin"]] }
      |                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_header_that_is_a_number() {
    assert_snapshot!(spoiled(ALLOWED, r#"["Access-Control-Allow-Origin", "{origin}"]"#, "1"), @r#"
    error: invalid type: integer `1`, expected a header field: ["Name", "value"], or one string for a raw line
     --> catalogue/area.toml:8:25
      |
    8 | response = { headers = [1] }
      |                         ^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_check_that_can_never_match() {
    assert_snapshot!(spoiled(ALLOWED, r#""GET b""#, r#"{ method = "GET", headers = { Origin = [] } }"#), @r#"
    error: an empty list can never match
     --> catalogue/area.toml:9:91
      |
    9 | expect = { read = "allowed", status = 200, wire = [{ method = "GET", headers = { Origin = [] } }] }
      |                                                                                           ^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_check_that_can_never_fail() {
    assert_snapshot!(spoiled(ALLOWED, r#""GET b""#, r#"{ method = "GET", headers = { Origin = { contains = [] } } }"#), @r#"
    error: expected either `contains` or `lacks`, with at least one value
     --> catalogue/area.toml:9:91
      |
    9 | expect = { read = "allowed", status = 200, wire = [{ method = "GET", headers = { Origin = { contains = [] } } }] }
      |                                                                                           ^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

// --- The case as a whole

#[test]
fn steps_and_a_request() {
    assert_snapshot!(spoiled(STEPS, "why = ", "request = { to = \"b\" }\nwhy = "), @r#"
    error: a case has either `steps`, or `request` and `expect` of its own
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/steps"
      |      ^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn no_request() {
    assert_snapshot!(spoiled(ALLOWED, "request = { to = \"b\" }\n", ""), @r#"
    error: the case has no `request`
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/slug"
      |      ^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn no_expect() {
    assert_snapshot!(spoiled(ALLOWED, "expect = { read = \"allowed\", status = 200, wire = [\"GET b\"] }\n", ""), @r#"
    error: the case has no `expect`: nothing would be judged
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/slug"
      |      ^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn no_behaviours() {
    assert_snapshot!(spoiled(ALLOWED, r#"["cors-check/acao-exact-match"]"#, "[]"), @r#"
    error: `behaviours` is empty: name at least one row of the checklist
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/slug"
      |      ^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn one_behaviour_twice() {
    assert_snapshot!(spoiled(ALLOWED, r#"["cors-check/acao-exact-match"]"#, r#"["cors-check/acao-exact-match", "cors-check/acao-exact-match"]"#), @r#"
    error: `behaviours` names one behaviour twice
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/slug"
      |      ^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_variant_twice() {
    assert_snapshot!(spoiled(ALLOWED, "why = ", "also = [\"xhr\", \"xhr\"]\nwhy = "), @r#"
    error: `also` names one variant twice
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/slug"
      |      ^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_unknown_variant() {
    assert_snapshot!(spoiled(ALLOWED, "why = ", "also = [\"sandbox\"]\nwhy = "), @r#"
    error: unknown variant `sandbox`, expected one of `xhr`, `worker`, `xhr.worker`
     --> catalogue/area.toml:6:9
      |
    6 | also = ["sandbox"]
      |         ^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_worker_variant_of_a_frame() {
    assert_snapshot!(spoiled(ALLOWED, "why = ", "context = \"sandbox\"\nalso = [\"worker\"]\nwhy = "), @r#"
    error: `also = ["worker"]` is for cases whose context is `window`
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/slug"
      |      ^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_worker_variant_of_steps_with_contexts() {
    let text = STEPS.replace("why = ", "also = [\"worker\"]\nwhy = ");
    assert_snapshot!(spoiled(&text, "[[case.steps]]\nrequest = { to = \"b\" }", "[[case.steps]]\ncontext = \"sandbox\"\nrequest = { to = \"b\" }"), @r#"
    error: `also = ["worker"]` is for cases whose steps name no context of their own
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/steps"
      |      ^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_sibling_of_a_page_that_has_none() {
    assert_snapshot!(spoiled(ALLOWED, "why = ", "page = \"c\"\ncontext = \"sibling\"\nwhy = "), @r#"
    error: a page at `c` has no context `sibling`
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/slug"
      |      ^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_alternative_of_an_alternative() {
    let other = r#"or = [{ read = "opaque", wire = ["GET"], or = [{ read = "opaque", wire = ["GET"] }] }], wire = ["GET b"]"#;
    assert_snapshot!(spoiled(ALLOWED, r#"wire = ["GET b"]"#, other), @r#"
    error: what stands in `or` has no `or` of its own
     --> catalogue/area.toml:9:10
      |
    9 | ... = { read = "allowed", status = 200, or = [{ read = "opaque", wire = ["GET"], or = [{ read = "opaque", wire = ["GET"] }] }], wire = ["GET b"] }
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_xhr_variant_of_an_xhr() {
    assert_snapshot!(spoiled(XHR, "why = ", "also = [\"xhr\"]\nwhy = "), @r#"
    error: `also = ["xhr"]` is for cases that use fetch
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/xhr"
      |      ^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_xhr_variant_of_what_only_fetch_has() {
    let text = ALLOWED.replace("why = ", "also = [\"xhr\"]\nwhy = ");
    assert_snapshot!(spoiled(&text, r#"to = "b""#, r#"to = "b", cache = "reload""#), @r#"
    error: `cache` belongs to fetch: XMLHttpRequest has no such option
     --> catalogue/area.toml:8:11
      |
    8 | request = { to = "b", cache = "reload" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_page_where_nobody_listens() {
    assert_snapshot!(spoiled(ALLOWED, "why = ", "page = \"dead\"\nwhy = "), @r#"
    error: no page can be loaded from `dead`
     --> catalogue/area.toml:2:6
      |
    2 | id = "area/slug"
      |      ^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

// --- The request

#[test]
fn a_request_to_nowhere() {
    assert_snapshot!(spoiled(ALLOWED, r#"request = { to = "b" }"#, "request = {}"), @r"
    error: the request needs `to` (an alias), `url` or `blob`
     --> catalogue/area.toml:7:11
      |
    7 | request = {}
      |           ^^

    1 mistake in the catalogue
    ");
}

#[test]
fn a_url_and_its_parts() {
    assert_snapshot!(spoiled(ALLOWED, r#"to = "b""#, r#"to = "b", url = "{url:b}r", query = "x""#), @r#"
    error: `url` is the whole URL: `query`, `fragment` and `userinfo` belong into it
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b", url = "{url:b}r", query = "x" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_path_with_a_slash_before_it() {
    assert_snapshot!(spoiled(ALLOWED, r#"to = "b""#, r#"to = "b", path = "/r""#), @r#"
    error: `path` stands below the token: no leading slash, no `?`, `#` or space
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b", path = "/r" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn sync_with_fetch() {
    assert_snapshot!(spoiled(ALLOWED, r#"to = "b""#, r#"to = "b", sync = true"#), @r#"
    error: `sync` belongs to XMLHttpRequest: set `api = "xhr"`
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b", sync = true }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn every_option_of_xhr_is_refused_with_fetch() {
    for (key, value) in [
        ("sync", "true"),
        ("upload-listener", r#""add""#),
        ("timeout-ms", "1"),
        ("open-credentials", r#"["u", "p"]"#),
        ("late-credentials", "true"),
    ] {
        let shown = spoiled(ALLOWED, r#"to = "b""#, &format!(r#"to = "b", {key} = {value}"#));
        assert!(shown.contains(&format!("`{key}` belongs to XMLHttpRequest")), "{shown}");
    }
}

#[test]
fn mode_with_xhr() {
    assert_snapshot!(spoiled(XHR, r#"to = "a""#, r#"to = "a", mode = "cors""#), @r#"
    error: `mode` belongs to fetch: XMLHttpRequest has no such option
     --> catalogue/area.toml:7:11
      |
    7 | request = { api = "xhr", to = "a", mode = "cors" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn every_option_of_fetch_is_refused_with_xhr() {
    for (key, value) in [
        ("mode", r#""no-cors""#),
        ("redirect", r#""manual""#),
        ("cache", r#""reload""#),
        ("referrer", r#""""#),
        ("referrer-policy", r#""origin""#),
        ("integrity", r#""sha256-x""#),
        ("keepalive", "true"),
    ] {
        let shown = spoiled(XHR, r#"to = "a""#, &format!(r#"to = "a", {key} = {value}"#));
        assert!(shown.contains(&format!("`{key}` belongs to fetch")), "{shown}");
    }
    let shown = spoiled(XHR, r#"to = "a""#, r#"to = "a", body = { stream = ["x"] }"#);
    assert!(shown.contains("`body.stream` belongs to fetch"), "{shown}");
}

#[test]
fn credentials_that_xhr_does_not_know() {
    assert_snapshot!(spoiled(XHR, r#"to = "a""#, r#"to = "a", credentials = "omit""#), @r#"
    error: XMLHttpRequest has no credentials mode `omit`: `same-origin` or `include` (withCredentials)
     --> catalogue/area.toml:7:11
      |
    7 | request = { api = "xhr", to = "a", credentials = "omit" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_document_in_a_worker() {
    let text = XHR.replace(r#"to = "a""#, r#"to = "a", body = { document = { markup = "<x/>", type = "application/xml" } }"#);
    assert_snapshot!(spoiled(&text, "why = ", "context = \"worker\"\nwhy = "), @r#"
    error: a worker has no Document to send
     --> catalogue/area.toml:8:11
      |
    8 | request = { api = "xhr", to = "a", body = { document = { markup = "<x/>", type = "application/xml" } } }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_timeout_of_a_synchronous_request() {
    assert_snapshot!(spoiled(XHR, r#"to = "a""#, r#"to = "a", sync = true, timeout-ms = 5"#), @r#"
    error: a synchronous request can neither be aborted nor time out
     --> catalogue/area.toml:7:11
      |
    7 | request = { api = "xhr", to = "a", sync = true, timeout-ms = 5 }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

// --- Answers

#[test]
fn answers_without_a_server() {
    assert_snapshot!(spoiled(ALLOWED, r#"to = "b""#, r#"url = "data:,x""#), @r#"
    error: answers need a server: name it with `to`
     --> catalogue/area.toml:7:11
      |
    7 | request = { url = "data:,x" }
      |           ^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn answers_of_nobody() {
    assert_snapshot!(spoiled(ALLOWED, r#"to = "b""#, r#"to = "dead""#), @r#"
    error: nobody listens at `dead`: it answers nothing
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "dead" }
      |           ^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_status_of_four_digits() {
    assert_snapshot!(spoiled(BLOCKED, "status = 204", "status = 1000"), @r#"
    error: status 1000 has more than three digits
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b", method = "PUT" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_redirect_status_of_four_digits() {
    let text = ALLOWED.replace("response =", "redirects = [{ status = 302, to = \"b\" }]\nresponse =");
    assert_snapshot!(spoiled(&text, "302", "3020"), @r#"
    error: status 3020 has more than three digits
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b" }
      |           ^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_redirect_that_never_happens() {
    let text = ALLOWED.replace("response =", "redirects = [{ status = 302, to = \"b\", times = 2 }]\nresponse =");
    assert_snapshot!(spoiled(&text, "times = 2", "times = 0"), @r#"
    error: `times` of a redirect is 1 to 100
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b" }
      |           ^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_location_that_is_true() {
    let text = ALLOWED.replace("response =", "redirects = [{ status = 302, to = \"b\", location = false }]\nresponse =");
    assert_snapshot!(spoiled(&text, "location = false", "location = true"), @r#"
    error: `true` says nothing: leave `location` out for the next URL
     --> catalogue/area.toml:8:51
      |
    8 | redirects = [{ status = 302, to = "b", location = true }]
      |                                                   ^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_interim_status_that_is_none() {
    assert_snapshot!(spoiled(ALLOWED, "response = { ", "response = { interim = [{ status = 200 }], "), @r#"
    error: 200 is no interim status: 100, 102 to 199
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b" }
      |           ^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn switching_protocols_is_no_interim_answer() {
    let shown = spoiled(ALLOWED, "response = { ", "response = { interim = [{ status = 101 }], ");
    assert!(shown.contains("101 is no interim status"), "{shown}");
}

#[test]
fn raw_bytes_and_a_drop() {
    assert_snapshot!(spoiled(BLOCKED, "response = {}", r#"response = { raw = ["x"], drop = "close" }"#), @r#"
    error: an answer is either `raw` or `drop`
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b", method = "PUT" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn raw_bytes_and_a_status() {
    assert_snapshot!(spoiled(BLOCKED, "response = {}", r#"response = { raw = ["x"], status = 200 }"#), @r#"
    error: `raw` is the whole answer: only `delay-ms` and `then` go with it
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b", method = "PUT" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_drop_and_a_status() {
    assert_snapshot!(spoiled(BLOCKED, "response = {}", r#"response = { drop = "reset", status = 200 }"#), @r#"
    error: `drop` is the whole answer: only `delay-ms` goes with it
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b", method = "PUT" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn two_ways_to_tell_the_end_of_a_body() {
    assert_snapshot!(spoiled(BLOCKED, "response = {}", r#"response = { framing = "chunked", content-length = 3 }"#), @r#"
    error: `framing` and `content-length` contradict each other
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b", method = "PUT" }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn raw_bytes_over_h2() {
    assert_snapshot!(spoiled(H2, r#"headers = [["Access-Control-Allow-Origin", "{origin}"]]"#, r#"raw = ["x"]"#), @r#"
    error: `raw` bytes cannot be an HTTP/2 answer
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b-h2" }
      |           ^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_raw_line_over_h2() {
    assert_snapshot!(spoiled(H2, r#"["Access-Control-Allow-Origin", "{origin}"]"#, r#""X : {origin}""#), @r#"
    error: HTTP/2 has no raw line `X : {origin}`
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b-h2" }
      |           ^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn framing_over_h2() {
    assert_snapshot!(spoiled(H2, "response = { ", "response = { framing = \"chunked\", "), @r#"
    error: HTTP/2 has no `framing` or `reason`, and `interim` is not sent over it here
     --> catalogue/area.toml:7:11
      |
    7 | request = { to = "b-h2" }
      |           ^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

// --- The expectation

#[test]
fn blocked_without_a_reason() {
    assert_snapshot!(spoiled(BLOCKED, r#"reason = "method-not-allowed", "#, ""), @r#"
    error: `read = "blocked"` needs a `reason`
      --> catalogue/area.toml:10:10
       |
    10 | expect = { read = "blocked", wire = ["OPTIONS"] }
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn allowed_with_a_reason() {
    assert_snapshot!(spoiled(ALLOWED, "status = 200", r#"reason = "acao-missing""#), @r#"
    error: `read = "allowed"` and `reason = "acao-missing"` contradict each other
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", reason = "acao-missing", wire = ["GET b"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn other_reasons_than_none() {
    assert_snapshot!(spoiled(ALLOWED, "status = 200", r#"or-reasons = ["acao-missing"]"#), @r#"
    error: `or-reasons` needs a `reason`
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", or-reasons = ["acao-missing"], wire = ["GET b"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_open_outcome_at_must() {
    let text = ALLOWED.replace("why =", "level = \"should\"\nwhy =").replace("status = 200", r#"or-read = ["blocked"]"#);
    assert_snapshot!(spoiled(&text, "level = \"should\"\n", ""), @r#"
    error: `or-read` leaves the outcome open: the level cannot be `must`
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", or-read = ["blocked"], wire = ["GET b"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_abort_that_nobody_makes() {
    let text = BLOCKED
        .replace(r#"method = "PUT""#, r#"method = "PUT", abort-after-ms = 0"#)
        .replace(r#"read = "blocked", reason = "method-not-allowed""#, r#"read = "aborted", reason = "aborted""#);
    assert_snapshot!(spoiled(&text, ", abort-after-ms = 0", ""), @r#"
    error: nothing aborts this request: set `abort-after-ms` or `timeout-ms`
      --> catalogue/area.toml:10:10
       |
    10 | expect = { read = "aborted", reason = "aborted", wire = ["OPTIONS"] }
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_status_of_what_is_blocked() {
    assert_snapshot!(spoiled(BLOCKED, r#"read = "blocked""#, r#"read = "blocked", status = 200"#), @r#"
    error: a page cannot see status, headers or body of a request that is blocked
      --> catalogue/area.toml:10:10
       |
    10 | expect = { read = "blocked", status = 200, reason = "method-not-allowed", wire = ["OPTIONS"] }
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_body_of_what_is_blocked() {
    let shown = spoiled(BLOCKED, r#"read = "blocked""#, r#"read = "blocked", body = "x""#);
    assert!(shown.contains("a page cannot see status, headers or body"), "{shown}");
}

#[test]
fn a_header_of_what_is_blocked() {
    let shown = spoiled(BLOCKED, r#"read = "blocked""#, r#"read = "blocked", headers = { ETag = true }"#);
    assert!(shown.contains("a page cannot see status, headers or body"), "{shown}");
}

#[test]
fn a_type_of_what_is_blocked() {
    assert_snapshot!(spoiled(BLOCKED, r#"read = "blocked""#, r#"read = "blocked", type = "error""#), @r#"
    error: a request that is blocked has no response type
      --> catalogue/area.toml:10:10
       |
    10 | expect = { read = "blocked", type = "error", reason = "method-not-allowed", wire = ["OPTIONS"] }
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_type_that_contradicts_the_read() {
    assert_snapshot!(spoiled(ALLOWED, "status = 200", r#"type = "opaque""#), @r#"
    error: this `type` contradicts `read = "allowed"`
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", type = "opaque", wire = ["GET b"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn opaque_for_xhr() {
    assert_snapshot!(spoiled(XHR, r#"read = "allowed""#, r#"read = "opaque""#), @r#"
    error: XMLHttpRequest cannot see a response that is opaque
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "opaque", events = ["loadstart", "progress", "load", "loadend"], wire = ["GET"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_type_for_xhr() {
    assert_snapshot!(spoiled(XHR, r#"read = "allowed""#, r#"read = "allowed", type = "basic""#), @r#"
    error: XMLHttpRequest has neither `type` nor `redirected`
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", type = "basic", events = ["loadstart", "progress", "load", "loadend"], wire = ["GET"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn events_of_fetch() {
    assert_snapshot!(spoiled(ALLOWED, "status = 200", r#"events = ["load"]"#), @r#"
    error: `events` and `upload-events` belong to XMLHttpRequest
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", events = ["load"], wire = ["GET b"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn exchanges_of_a_refused_request() {
    let text = BLOCKED
        .replace(r#"read = "blocked", reason = "method-not-allowed""#, r#"read = "refused", reason = "api-refused""#)
        .replace(r#"["OPTIONS"]"#, "[]");
    assert_snapshot!(spoiled(&text, "wire = []", r#"wire = ["PUT"]"#), @r#"
    error: a refused request never reaches the wire: `wire = []`
      --> catalogue/area.toml:10:10
       |
    10 | expect = { read = "refused", reason = "api-refused", wire = ["PUT"] }
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_answer_from_nowhere() {
    assert_snapshot!(spoiled(ALLOWED, r#"["GET b"]"#, "[]"), @r#"
    error: `read = "allowed"` from a server, and nothing on the wire: one of them is wrong
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", status = 200, wire = [] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_exchange_where_nothing_is_scripted() {
    assert_snapshot!(spoiled(ALLOWED, "GET b", "GET c"), @r#"
    error: no answer is scripted at `c`, so no exchange can be expected there
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", status = 200, wire = ["GET c"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn an_exchange_without_a_place() {
    let text = ALLOWED.replace(r#"to = "b""#, r#"url = "data:,x""#).replace("response = {", "# {").replace(r#"["GET b"]"#, "[]");
    assert_snapshot!(spoiled(&text, "wire = []", r#"wire = ["GET"]"#), @r#"
    error: the exchange `GET` needs an alias: the request has no `to`
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", status = 200, wire = ["GET"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_preflight_that_nobody_answers() {
    assert_snapshot!(
        spoiled(BLOCKED, "preflight = { status = 204, headers = [[\"Access-Control-Allow-Origin\", \"{origin}\"]] }\n", ""),
        @r#"
    error: a preflight to `b` is expected, and `preflight` has no answer for it
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "blocked", reason = "method-not-allowed", wire = ["OPTIONS"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#
    );
}

#[test]
fn a_request_that_nobody_answers() {
    let text = BLOCKED.replace(r#"wire = ["OPTIONS"]"#, r#"wire = ["OPTIONS", "PUT"]"#);
    assert_snapshot!(spoiled(&text, "response = {}\n", ""), @r#"
    error: `PUT b` is expected, and `response` has no answer for it
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "blocked", reason = "method-not-allowed", wire = ["OPTIONS", "PUT"] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn other_exchanges_are_looked_at_as_well() {
    let text = ALLOWED.replace(r#"wire = ["GET b"]"#, r#"wire = ["GET b"], or-wire = [["GET b", "GET b"]]"#);
    assert_snapshot!(spoiled(&text, r#"[["GET b", "GET b"]]"#, r#"[["GET b", "GET c"]]"#), @r#"
    error: no answer is scripted at `c`, so no exchange can be expected there
     --> catalogue/area.toml:9:10
      |
    9 | expect = { read = "allowed", status = 200, wire = ["GET b"], or-wire = [["GET b", "GET c"]] }
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_mistake_in_the_second_step() {
    assert_snapshot!(spoiled(STEPS, r#"reason = "acao-missing", "#, ""), @r#"
    error: `read = "blocked"` needs a `reason`
      --> catalogue/area.toml:16:10
       |
    16 | expect = { read = "blocked", wire = ["GET"] }
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

// --- Places and numbers

#[test]
fn several_mistakes_are_all_reported() {
    let one = ALLOWED.replace(r#"["cors-check/acao-exact-match"]"#, "[]");
    let two = BLOCKED.replace(r#"reason = "method-not-allowed", "#, "");
    let three = XHR.replace(r#"to = "a""#, r#"to = "a", keepalive = true"#);
    let first = format!("{one}\n{two}");
    let broken = "[[case]]\nid = 1\n";
    let files = [("catalogue/one.toml", first.as_str()), ("catalogue/two.toml", broken), ("catalogue/three.toml", three.as_str())];
    let diagnostics = Catalogue::parse(files).expect_err("four mistakes");
    assert_eq!(diagnostics.0.len(), 4);
    assert_snapshot!(diagnostics, @r#"
    error: `behaviours` is empty: name at least one row of the checklist
     --> catalogue/one.toml:2:6
      |
    2 | id = "area/slug"
      |      ^^^^^^^^^^^

    error: `read = "blocked"` needs a `reason`
      --> catalogue/one.toml:20:10
       |
    20 | expect = { read = "blocked", wire = ["OPTIONS"] }
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: invalid type: integer `1`, expected a string
     --> catalogue/two.toml:2:6
      |
    2 | id = 1
      |      ^

    error: `keepalive` belongs to fetch: XMLHttpRequest has no such option
     --> catalogue/three.toml:7:11
      |
    7 | request = { api = "xhr", to = "a", keepalive = true }
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    4 mistakes in the catalogue
    "#);
}

#[test]
fn a_place_is_counted_in_lines_and_characters_from_one() {
    let text = ALLOWED.replace(r#"request = { to = "b" }"#, r#"request = { fragment = "ÄÖ☃", too = "b" }"#);
    let diagnostics = parse(&text).expect_err("an unknown key");
    let [diagnostic] = &diagnostics.0[..] else { panic!("{diagnostics}") };
    assert_eq!((diagnostic.file.as_str(), diagnostic.line, diagnostic.column), ("catalogue/area.toml", 7, 31));
}

#[test]
fn a_mistake_in_a_variant_is_reported_once() {
    let text = BLOCKED.replace("why = ", "also = [\"worker\", \"xhr\"]\nwhy = ").replace(r#"reason = "method-not-allowed", "#, "");
    assert_eq!(parse(&text).expect_err("no reason").0.len(), 1);
}

// --- Known deviations

const KNOWN: &str = r#"[[known]]
cases = ["area/blocked", "area/slug"]
verdict = "too-open"
reason = "method-not-allowed"
point = "page.outcome"
versions = ["140"]
link = "https://bugs.example/1"
consequence = "None."
"#;

#[track_caller]
fn known_spoiled(from: &str, to: &str) -> String {
    let catalogue = Catalogue::parse([("a.toml", ALLOWED), ("b.toml", BLOCKED)]).expect("both parse");
    let entries = known::parse("known/engine.toml", KNOWN, &catalogue, &Families::default()).expect("the text without the mistake parses");
    assert_eq!(entries.len(), 1);
    assert!(KNOWN.contains(from), "nothing to spoil: no `{from}`");
    known::parse("known/engine.toml", &KNOWN.replace(from, to), &catalogue, &Families::default())
        .expect_err("it must not parse")
        .to_string()
}

#[test]
fn a_known_deviation_of_no_such_case() {
    assert_snapshot!(known_spoiled("area/slug", "area/slugs"), @r"
    error: no case has the id `area/slugs`; the nearest are area/slug, area/blocked
     --> known/engine.toml:1:1
      |
    1 | [[known]]
      | ^^^^^^^^^

    1 mistake in the catalogue
    ");
}

#[test]
fn a_known_deviation_without_a_link() {
    assert_snapshot!(known_spoiled("https://bugs.example/1", "a talk in the corridor"), @r#"
    error: `link = "a talk in the corridor"` is no address of a bug or discussion
     --> known/engine.toml:1:1
      |
    1 | [[known]]
      | ^^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn a_known_deviation_whose_link_is_missing() {
    assert_snapshot!(known_spoiled("link = \"https://bugs.example/1\"\n", ""), @r"
    error: missing field `link`
     --> known/engine.toml:1:1
      |
    1 | [[known]]
      | ^^^^^^^^^

    1 mistake in the catalogue
    ");
}

#[test]
fn a_known_deviation_of_no_case_at_all() {
    assert_snapshot!(known_spoiled(r#"["area/blocked", "area/slug"]"#, "[]"), @r"
    error: a known deviation names at least one case and one version
     --> known/engine.toml:1:1
      |
    1 | [[known]]
      | ^^^^^^^^^

    1 mistake in the catalogue
    ");
}

#[test]
fn a_known_deviation_of_no_version() {
    let shown = known_spoiled(r#"["140"]"#, "[]");
    assert!(shown.contains("at least one case and one version"), "{shown}");
}

#[test]
fn a_known_deviation_that_agrees() {
    assert_snapshot!(known_spoiled("too-open", "agrees"), @r#"
    error: unknown variant `agrees`, expected one of `too-open`, `too-strict`, `wrong-wire`
     --> known/engine.toml:3:11
      |
    3 | verdict = "agrees"
      |           ^^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn two_known_deviations_of_one_case() {
    assert_snapshot!(known_spoiled(KNOWN, &format!("{KNOWN}\n{}", KNOWN.replace("\"area/blocked\", ", ""))), @r"
    error: `area/slug` is named twice
      --> known/engine.toml:10:1
       |
    10 | [[known]]
       | ^^^^^^^^^

    1 mistake in the catalogue
    ");
}

#[test]
fn an_unknown_key_in_a_known_deviation() {
    assert_snapshot!(known_spoiled("versions", "version"), @r#"
    error: unknown field `version`, expected one of `cases`, `filter`, `verdict`, `reason`, `point`, `versions`, `link`, `unreported`, `consequence`
     --> known/engine.toml:6:1
      |
    6 | version = ["140"]
      | ^^^^^^^

    1 mistake in the catalogue
    "#);
}

#[test]
fn several_mistakes_in_known_deviations() {
    let second = KNOWN.replace("https://bugs.example/1", "").replace("area/slug", "area/none");
    let shown = known_spoiled(KNOWN, &format!("{KNOWN}\n{second}"));
    assert!(shown.ends_with("3 mistakes in the catalogue"), "{shown}");
}
