//! Every symptom with evidence that shows it, and the same evidence mended, which does not.

use std::{collections::BTreeSet, fmt::Write as _};

use corscheck_cases::{
    format::{Mode, RedirectMode},
    oracle::network::Fault,
};

use crate::explain::{
    diagnosis::{Diagnosis, Rank, diagnose},
    near::Near,
    probe::Kind,
    reach::{Reach, TlsFault},
    scene::Scene,
};

/// An id, evidence that shows the symptom, and that evidence mended.
type Sample = (&'static str, fn() -> Scene, fn() -> Scene);

const OWN: &str = "Access-Control-Allow-Origin: https://app.example.com";
const OWN_CREDENTIALS: &str = "Access-Control-Allow-Origin: https://app.example.com\nAccess-Control-Allow-Credentials: true";
const OWN_VARY: &str = "Access-Control-Allow-Origin: https://app.example.com\nVary: Origin";
const PUT_GRANTED: &str = "Access-Control-Allow-Origin: https://app.example.com\nAccess-Control-Allow-Methods: PUT";
const REFLECTED: &str = "Access-Control-Allow-Origin: https://corscheck-probe.example";

fn broken() -> Fault {
    Fault::Broken("the connection ended before a response".into())
}

fn unreachable() -> Fault {
    Fault::Unreachable("no connection".into())
}

fn allowed() -> Scene {
    Scene::get().answer(200, OWN)
}

/// GET with this value in Access-Control-Allow-Origin.
fn says(value: &str) -> Scene {
    Scene::get().answer(200, &format!("Access-Control-Allow-Origin: {value}"))
}

fn put_with_token() -> Scene {
    Scene::put().header("X-Token", "1").header("X-Trace", "1")
}

/// A PUT whose preflight is answered so.
fn preflight(status: u16, lines: &str) -> Scene {
    Scene::put().preflight(status, lines)
}

fn preflight_allowed() -> Scene {
    preflight(204, PUT_GRANTED).answer(200, OWN)
}

#[rustfmt::skip]
const SAMPLES: &[Sample] = &[
    // No answer.
    ("host-unknown",
        || Scene::get().unanswered(unreachable(), Reach::Unresolved { words: "Name or service not known".into() }), allowed),
    ("connection-refused",
        || Scene::get().unanswered(unreachable(), Reach::Refused { address: "192.0.2.1:443".into() }), allowed),
    ("no-connection",
        || Scene::get().unanswered(unreachable(), Reach::NoConnection { words: "192.0.2.1:443: timed out".into() }), allowed),
    ("certificate-not-trusted",
        || Scene::get().unanswered(unreachable(), Reach::Tls { fault: TlsFault::UnknownIssuer, words: "UnknownIssuer".into() }),
        || Scene::get().unanswered(unreachable(), Reach::Tls { fault: TlsFault::Other, words: "alert".into() })),
    ("tls-failed",
        || Scene::get().unanswered(unreachable(), Reach::Tls { fault: TlsFault::Other, words: "HandshakeFailure".into() }),
        || Scene::get().unanswered(unreachable(), Reach::Tls { fault: TlsFault::Expired, words: "expired".into() })),
    ("http-on-https-port", || Scene::get().unanswered(unreachable(), Reach::PlainOnTls), allowed),
    ("https-on-http-port",
        || Scene::new("GET", "http://127.0.0.1:8443/x").unanswered(broken(), Reach::TlsOnPlain),
        || Scene::new("GET", "http://127.0.0.1:8443/x").answer(200, OWN)),
    ("not-http", || Scene::get().unanswered(broken(), Reach::NotHttp { first: "SSH-2.0-OpenSSH".into() }), allowed),
    ("no-answer",
        || Scene::get().unanswered(broken(), Reach::Silent { after_ms: 10_000 }),
        || Scene::get().unanswered(broken(), Reach::Http { status: Some(200) })),
    ("this-request-unanswered",
        || Scene::put().unanswered(broken(), Reach::Http { status: Some(404) }),
        || Scene::put().unanswered(broken(), Reach::Closed)),
    ("answer-broken",
        || Scene::get().unanswered(broken(), Reach::Closed).without_reach(),
        allowed),

    // The request itself.
    ("mixed-content", || Scene::new("GET", "http://api.example.com/x"), || Scene::new("GET", "http://127.0.0.1/x").answer(200, OWN)),
    ("bad-port", || Scene::new("GET", "https://api.example.com:6000/"), || Scene::new("GET", "https://api.example.com:6001/").answer(200, OWN)),
    ("scheme-not-fetched", || Scene::new("GET", "ftp://api.example.com/x"), allowed),
    ("mode-same-origin", || Scene::get().mode(Mode::SameOrigin), || Scene::get().mode(Mode::Cors).answer(200, OWN)),
    ("mode-no-cors-redirect",
        || Scene::get().mode(Mode::NoCors).redirect(RedirectMode::Error),
        || Scene::get().mode(Mode::NoCors).redirect(RedirectMode::Follow).answer(200, "")),
    ("resource-policy",
        || Scene::get().mode(Mode::NoCors).answer(200, "Cross-Origin-Resource-Policy: same-origin"),
        || Scene::get().mode(Mode::NoCors).answer(200, "Cross-Origin-Resource-Policy: cross-origin")),
    ("call-refused", || Scene::get().body("x"), allowed),
    ("no-cors-hides-everything", || Scene::get().mode(Mode::NoCors).answer(200, OWN), allowed),
    ("response-header-on-request",
        || Scene::get().header("Access-Control-Allow-Origin", "*")
            .preflight(204, &format!("{OWN}\nAccess-Control-Allow-Headers: *")).answer(200, OWN),
        || Scene::get().header("X-A", "*").preflight(204, &format!("{OWN}\nAccess-Control-Allow-Headers: *")).answer(200, OWN)),
    ("forbidden-header-dropped", || allowed().header("Cookie", "a=b"), || allowed().header("Accept", "*/*")),
    ("upload-listener-forces-preflight",
        || Scene::new("POST", "https://api.example.com/x").xhr_with_progress().body("x").preflight(204, OWN).answer(200, OWN),
        || Scene::new("POST", "https://api.example.com/x").body("x").answer(200, OWN)),
    ("json-needs-preflight",
        || Scene::new("POST", "https://api.example.com/x").header("Content-Type", "application/json").body("{}")
            .preflight(204, &format!("{OWN}\nAccess-Control-Allow-Headers: content-type")).answer(200, OWN),
        || Scene::new("POST", "https://api.example.com/x").header("Content-Type", "text/plain").body("{}").answer(200, OWN)),
    ("same-origin", || Scene::new("GET", "https://app.example.com/x").answer(200, ""), allowed),

    // Redirects.
    ("redirect-to-login",
        || Scene::get().answer(302, &format!("{OWN}\nLocation: https://login.example.net/?next=x")).answer(200, ""),
        || Scene::get().answer(401, OWN)),
    ("redirect-to-https-lacks-headers",
        || Scene::new("GET", "http://127.0.0.1:80/x").answer(301, "Location: https://127.0.0.1/x"),
        || Scene::new("GET", "http://127.0.0.1:80/x").answer(301, &format!("{OWN}\nLocation: https://127.0.0.1/x")).answer(200, "Access-Control-Allow-Origin: *")),
    ("redirect-slash-lacks-headers",
        || Scene::get().answer(301, "Location: /x/"),
        || Scene::get().answer(301, &format!("{OWN}\nLocation: /x/")).answer(200, OWN)),
    ("redirect-lacks-headers",
        || Scene::get().answer(302, "Location: /elsewhere"),
        || Scene::get().answer(302, &format!("{OWN}\nLocation: /elsewhere")).answer(200, OWN)),
    ("null-after-redirect",
        || Scene::get().answer(302, &format!("{OWN}\nLocation: https://cdn.example.net/x")).answer(200, OWN),
        || Scene::get().answer(302, &format!("{OWN}\nLocation: https://cdn.example.net/x")).answer(200, "Access-Control-Allow-Origin: *")),
    ("redirect-target-lacks-headers",
        || Scene::get().answer(302, &format!("{OWN}\nLocation: /other")).answer(200, ""),
        || Scene::get().answer(302, &format!("{OWN}\nLocation: /other")).answer(200, OWN)),
    ("redirect-loop",
        || (0..21).fold(Scene::get(), |scene, _| scene.answer(302, &format!("{OWN}\nLocation: /x"))),
        || Scene::get().answer(302, &format!("{OWN}\nLocation: /y")).answer(200, OWN)),
    ("redirect-with-password",
        || Scene::get().answer(302, &format!("{OWN}\nLocation: https://u:p@api.example.com/y")),
        || Scene::get().answer(302, &format!("{OWN}\nLocation: https://api.example.com/y")).answer(200, OWN)),
    ("redirect-broken",
        || Scene::get().answer(302, &format!("{OWN}\nLocation: ftp://api.example.com/y")),
        || Scene::get().answer(302, &format!("{OWN}\nLocation: https://api.example.com/y")).answer(200, OWN)),
    ("redirect-mode-error",
        || Scene::get().redirect(RedirectMode::Error).answer(302, &format!("{OWN}\nLocation: /y")),
        || Scene::get().answer(302, &format!("{OWN}\nLocation: /y")).answer(200, OWN)),

    // Values of Access-Control-Allow-Origin.
    ("two-layers", || Scene::get().answer(200, &format!("{OWN}\n{OWN}")), allowed),
    ("origin-list", || says("https://app.example.com, https://www.example.com"), allowed),
    ("origin-trailing-slash", || says("https://app.example.com/"), allowed),
    ("origin-case", || says("https://App.Example.com"), allowed),
    ("origin-scheme", || says("http://app.example.com"), allowed),
    ("origin-port", || says("https://app.example.com:3000"), allowed),
    ("origin-www", || says("https://www.app.example.com"), allowed),
    ("origin-subdomain", || says("https://example.com"), allowed),
    ("origin-quotes", || says("\"https://app.example.com\""), allowed),
    ("origin-without-scheme", || says("app.example.com"), allowed),
    ("origin-pattern", || says("https://*.example.com"), allowed),
    ("origin-unset", || says("undefined"), allowed),
    ("origin-answered-null", || says("null"), allowed),
    ("origin-fixed", || says("http://localhost:3000"), allowed),

    // Preflights.
    ("preflight-refused-by-cors-layer",
        || put_with_token().preflight(400, &format!("{OWN}\n\nDisallowed CORS headers")),
        || put_with_token().preflight(204, &format!("{PUT_GRANTED}\nAccess-Control-Allow-Headers: X-Token, X-Trace")).answer(200, OWN)),
    ("preflight-unauthorized",
        || preflight(401, "WWW-Authenticate: Basic realm=\"api\"").probe(Kind::PlainOptions, 401, ""), preflight_allowed),
    ("preflight-forbidden", || preflight(403, "").probe(Kind::OwnOrigin, 403, ""), preflight_allowed),
    ("preflight-not-found", || preflight(404, ""), preflight_allowed),
    ("preflight-method-not-routed", || preflight(405, "Allow: GET, PUT").probe(Kind::PlainOptions, 405, ""), preflight_allowed),
    ("preflight-rate-limited", || preflight(429, ""), preflight_allowed),
    ("preflight-server-error", || preflight(502, ""), preflight_allowed),
    ("preflight-bad-status", || preflight(422, "").probe(Kind::PlainOptions, 204, ""), preflight_allowed),
    ("preflight-redirect-to-https",
        || Scene::new("PUT", "http://127.0.0.1/x").preflight(308, "Location: https://127.0.0.1/x"),
        || Scene::new("PUT", "https://127.0.0.1/x").preflight(204, PUT_GRANTED).answer(200, OWN)),
    ("preflight-redirect-slash", || preflight(307, "Location: https://api.example.com/x/"), preflight_allowed),
    ("preflight-redirect-to-login", || preflight(302, "Location: /accounts/login/?next=/x"), preflight_allowed),
    ("preflight-redirect", || preflight(302, &format!("{OWN}\nLocation: /elsewhere")), preflight_allowed),

    // The header is not there.
    ("answers-alternate",
        || Scene::get().answer(200, "").probe(Kind::Again, 200, OWN), || Scene::get().answer(200, "").probe(Kind::Again, 200, "")),
    ("answers-may-alternate", || allowed().probe(Kind::Again, 200, ""), || allowed().probe(Kind::Again, 200, OWN)),
    ("errors-lack-headers", || preflight(204, PUT_GRANTED).answer(500, ""), || preflight(204, PUT_GRANTED).answer(500, OWN)),
    ("not-modified-lacks-headers",
        || Scene::get().header("If-None-Match", "\"1\"").preflight(204, &format!("{OWN}\nAccess-Control-Allow-Headers: *")).answer(304, ""),
        || Scene::get().header("If-None-Match", "\"1\"").preflight(204, &format!("{OWN}\nAccess-Control-Allow-Headers: *")).answer(304, OWN)),
    ("only-on-preflight", || preflight(204, PUT_GRANTED).answer(200, ""), preflight_allowed),
    ("only-on-actual", || preflight(204, "Allow: GET, PUT").probe(Kind::OwnOrigin, 200, OWN), preflight_allowed),
    ("null-origin-not-allowed",
        || Scene::get().origin("null").answer(200, ""),
        || Scene::get().origin("null").answer(200, "Access-Control-Allow-Origin: *")),
    ("origin-not-listed", || Scene::get().answer(200, "Vary: Origin"), || Scene::get().answer(200, OWN_VARY)),
    ("no-cors-headers",
        || Scene::get().answer(200, "Content-Type: text/plain").probe(Kind::OtherOrigin, 200, ""), allowed),
    ("error-path-lacks-headers",
        || allowed().probe(Kind::ErrorPath, 404, ""), || allowed().probe(Kind::ErrorPath, 404, OWN)),

    // Credentials.
    ("wildcard-with-credentials",
        || Scene::get().include().answer(200, "Access-Control-Allow-Origin: *"), || Scene::get().include().answer(200, OWN_CREDENTIALS)),
    ("allow-credentials-missing", || Scene::get().include().answer(200, OWN), || Scene::get().include().answer(200, OWN_CREDENTIALS)),
    ("allow-credentials-not-true",
        || Scene::get().include().answer(200, &format!("{OWN}\nAccess-Control-Allow-Credentials: True")),
        || Scene::get().include().answer(200, OWN_CREDENTIALS)),

    // What a preflight grants.
    ("method-case",
        || Scene::new("patch", "https://api.example.com/x").preflight(204, &format!("{OWN}\nAccess-Control-Allow-Methods: PATCH")),
        || Scene::new("PATCH", "https://api.example.com/x").preflight(204, &format!("{OWN}\nAccess-Control-Allow-Methods: PATCH")).answer(200, OWN)),
    ("method-wildcard-with-credentials",
        || Scene::put().include().preflight(204, &format!("{OWN_CREDENTIALS}\nAccess-Control-Allow-Methods: *")),
        || Scene::put().include().preflight(204, &format!("{OWN_CREDENTIALS}\nAccess-Control-Allow-Methods: PUT")).answer(200, OWN_CREDENTIALS)),
    ("method-not-listed", || preflight(204, &format!("{OWN}\nAccess-Control-Allow-Methods: GET, POST")), preflight_allowed),
    ("authorization-needs-its-name",
        || Scene::get().header("Authorization", "Bearer x").preflight(204, &format!("{OWN}\nAccess-Control-Allow-Headers: *")),
        || Scene::get().header("Authorization", "Bearer x").preflight(204, &format!("{OWN}\nAccess-Control-Allow-Headers: *, Authorization")).answer(200, OWN)),
    ("header-wildcard-with-credentials",
        || Scene::get().include().header("X-Token", "1").preflight(204, &format!("{OWN_CREDENTIALS}\nAccess-Control-Allow-Headers: *")),
        || Scene::get().header("X-Token", "1").preflight(204, &format!("{OWN_CREDENTIALS}\nAccess-Control-Allow-Headers: *")).answer(200, OWN)),
    ("headers-not-listed",
        || put_with_token().preflight(204, &format!("{PUT_GRANTED}\nAccess-Control-Allow-Headers: content-type")),
        || put_with_token().preflight(204, &format!("{PUT_GRANTED}\nAccess-Control-Allow-Headers: x-token, x-trace")).answer(200, OWN)),
    ("grants-malformed",
        || preflight(204, &format!("{OWN}\nAccess-Control-Allow-Methods: [\"PUT\"]")), preflight_allowed),

    // Headers that script means to read.
    ("header-never-readable",
        || Scene::get().expects("Set-Cookie").answer(200, &format!("{OWN}\nSet-Cookie: a=b")),
        || Scene::get().expects("Content-Type").answer(200, &format!("{OWN}\nContent-Type: text/plain"))),
    ("expose-wildcard-with-credentials",
        || Scene::get().include().expects("X-Total").answer(200, &format!("{OWN_CREDENTIALS}\nX-Total: 1\nAccess-Control-Expose-Headers: *")),
        || Scene::get().expects("X-Total").answer(200, &format!("{OWN_CREDENTIALS}\nX-Total: 1\nAccess-Control-Expose-Headers: *"))),
    ("header-not-exposed",
        || Scene::get().expects("X-Total").answer(200, &format!("{OWN}\nX-Total: 1")),
        || Scene::get().expects("X-Total").answer(200, &format!("{OWN}\nX-Total: 1\nAccess-Control-Expose-Headers: x-total"))),
    ("header-not-sent",
        || Scene::get().expects("X-Total").answer(200, &format!("{OWN}\nAccess-Control-Expose-Headers: x-total")),
        || Scene::get().expects("X-Total").answer(200, &format!("{OWN}\nX-Total: 1\nAccess-Control-Expose-Headers: x-total"))),

    // Dangers.
    ("reflects-any-origin-with-credentials",
        || allowed().probe(Kind::OtherOrigin, 200, &format!("{REFLECTED}\nAccess-Control-Allow-Credentials: true\nVary: Origin")),
        || allowed().probe(Kind::OtherOrigin, 200, "Vary: Origin")),
    ("reflects-any-origin",
        || Scene::get().answer(200, OWN_VARY).probe(Kind::OtherOrigin, 200, &format!("{REFLECTED}\nVary: Origin")),
        || Scene::get().answer(200, OWN_VARY).probe(Kind::OtherOrigin, 200, "Vary: Origin")),
    ("allows-null-origin",
        || allowed().probe(Kind::NullOrigin, 200, "Access-Control-Allow-Origin: null\nAccess-Control-Allow-Credentials: true"),
        || allowed().probe(Kind::NullOrigin, 200, "")),
    ("wildcard-and-credentials",
        || Scene::get().answer(200, "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Credentials: true"),
        || Scene::get().answer(200, "Access-Control-Allow-Origin: *")),

    // Caches.
    ("vary-missing",
        || allowed().probe(Kind::OtherOrigin, 200, ""),
        || Scene::get().answer(200, OWN_VARY).probe(Kind::OtherOrigin, 200, "Vary: Origin")),
    ("vary-missing-without-origin",
        || Scene::get().answer(200, OWN_VARY).probe(Kind::WithoutOrigin, 200, ""),
        || Scene::get().answer(200, OWN_VARY).probe(Kind::WithoutOrigin, 200, "Vary: Origin")),
    ("vary-missing-for-others",
        || Scene::get().answer(200, OWN_VARY).probe(Kind::OtherOrigin, 200, ""),
        || Scene::get().answer(200, OWN_VARY).probe(Kind::OtherOrigin, 200, "Vary: Accept, origin")),
    // Hints.
    ("same-origin-refused",
        || Scene::new("POST", "https://app.example.com/x").answer(403, "\n\nInvalid CORS request"),
        || Scene::new("POST", "https://app.example.com/x").answer(403, "\n\nNo such user")),
    ("preflight-each-time",
        preflight_allowed, || preflight(204, &format!("{PUT_GRANTED}\nAccess-Control-Max-Age: 600")).answer(200, OWN)),
    ("preflight-kept-less-long",
        || preflight(204, &format!("{PUT_GRANTED}\nAccess-Control-Max-Age: 31536000")).answer(200, OWN),
        || preflight(204, &format!("{PUT_GRANTED}\nAccess-Control-Max-Age: 86400")).answer(200, OWN)),
    ("private-network-header",
        || preflight(204, &format!("{PUT_GRANTED}\nAccess-Control-Allow-Private-Network: true")).answer(200, OWN), preflight_allowed),

    ("not-modified-changes-headers",
        || allowed().probe(Kind::Conditional, 304, ""), || allowed().probe(Kind::Conditional, 304, OWN)),
];

fn found(scene: Scene) -> Vec<Diagnosis> {
    diagnose(&scene.evidence())
}

#[test]
fn each_symptom_is_found_and_is_gone_when_mended() {
    for (id, shows, mended) in SAMPLES {
        let diagnoses = found(shows());
        let ids: Vec<_> = diagnoses.iter().map(|d| d.id).collect();
        let own = diagnoses.iter().find(|d| d.id == *id).unwrap_or_else(|| panic!("{id} is not found, but {ids:?}"));
        if own.rank == Rank::Cause {
            assert_eq!(ids[0], *id, "of {ids:?}");
            let causes = diagnoses.iter().filter(|d| d.rank == Rank::Cause).count();
            assert_eq!(causes, 1, "one refusal has one cause: {ids:?}");
        }
        let ids: Vec<_> = found(mended()).iter().map(|d| d.id).collect();
        assert!(!ids.contains(id), "{id} is found although it is mended, among {ids:?}");
    }
}

#[test]
fn every_symptom_has_a_sample_and_an_id_of_its_own() {
    let ids: Vec<_> = super::all().map(|s| s.id).collect();
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), distinct.len());
    let sampled: BTreeSet<_> = SAMPLES.iter().map(|(id, ..)| id).collect();
    let missing: Vec<_> = distinct.difference(&sampled).collect();
    assert!(missing.is_empty() && sampled.len() == SAMPLES.len(), "{missing:?}");
    assert_eq!(sampled.len(), distinct.len());
}

#[test]
fn what_each_symptom_says() {
    let mut out = String::new();
    for (id, shows, _) in SAMPLES {
        let own = found(shows()).into_iter().find(|d| d.id == *id).expect("it is found");
        _ = writeln!(out, "{id}\n  {}\n  told: {}\n  do: {}\n", own.cause, own.told, own.remedy);
    }
    insta::assert_snapshot!("diagnoses", out);
}

/// Variants of one symptom that its sample does not show.
#[test]
fn other_ways_to_the_same_diagnosis() {
    let first = |scene: Scene| found(scene).first().map(|d| d.id);
    // The origin as the server was told it, known by a probe.
    for (near, id) in [
        (Near::Slash, "origin-trailing-slash"),
        (Near::Case, "origin-case"),
        (Near::Scheme, "origin-scheme"),
        (Near::Port, "origin-port"),
        (Near::Www, "origin-www"),
    ] {
        let taken =
            |scene: Scene| scene.probe(Kind::OtherOrigin, 200, "").probe(Kind::Variant(near), 200, "Access-Control-Allow-Origin: x");
        assert_eq!(first(taken(Scene::get().answer(200, ""))), Some(id));
        assert_eq!(first(taken(preflight(204, ""))), Some(id), "on a preflight");
    }
    // A server that takes any other origin knows none in another spelling.
    let any = Scene::get().answer(200, "").probe(Kind::OtherOrigin, 200, REFLECTED).probe(Kind::Variant(Near::Slash), 200, OWN);
    assert_eq!(first(any), Some("origin-not-listed"));
    // The same value twice in one field, and a wildcard beside an origin.
    assert_eq!(first(says("https://app.example.com, https://app.example.com")), Some("two-layers"));
    assert_eq!(first(says("*, https://app.example.com")), Some("two-layers"));
    assert_eq!(first(says("https://app.example.com https://b.example.com")), Some("origin-list"));
    for value in ["^https://.*\\.example\\.com$", "/example\\.com$/", "*.example.com"] {
        assert_eq!(first(says(value)), Some("origin-pattern"), "{value}");
    }
    for value in ["", "false", "${ORIGIN}", "$http_origin", "{{origin}}"] {
        assert_eq!(first(says(value)), Some("origin-unset"), "{value}");
    }
    // A preflight that fails for what it asks, known by one that passes.
    let passes = format!("{OWN}\nAccess-Control-Allow-Methods: GET");
    assert_eq!(first(preflight(403, "").probe(Kind::HarmlessPreflight, 204, &passes)), Some("preflight-refused-by-cors-layer"));
    assert_eq!(first(preflight(403, "\n\nInvalid CORS request")), Some("preflight-refused-by-cors-layer"));
    // A status counts whatever headers the answer has.
    assert_eq!(first(preflight(401, OWN)), Some("preflight-unauthorized"));
    assert_eq!(first(preflight(403, OWN)), Some("preflight-forbidden"));
    for (status, id) in [(407, "preflight-unauthorized"), (501, "preflight-method-not-routed"), (500, "preflight-server-error")] {
        assert_eq!(first(preflight(status, "")), Some(id));
    }
    for status in [400, 401, 403, 404, 405, 413, 429, 500, 503] {
        assert_eq!(first(Scene::get().answer(status, "")), Some("errors-lack-headers"), "{status}");
    }
    // A port that speaks TLS may say so in plain HTTP.
    let told = "\n\n<center>The plain HTTP request was sent to HTTPS port</center>";
    assert_eq!(first(Scene::new("GET", "http://127.0.0.1:8443/x").answer(400, told)), Some("https-on-http-port"));
    assert_eq!(first(Scene::new("PUT", "http://127.0.0.1:8443/x").preflight(400, told)), Some("https-on-http-port"));
    // To the login page, by a redirect that is refused itself.
    assert_eq!(first(Scene::get().answer(302, "Location: /login")), Some("redirect-to-login"));
    // All missing names are told at once.
    let names = found(put_with_token().preflight(204, PUT_GRANTED)).remove(0);
    assert_eq!((names.id, names.cause.contains("x-token and x-trace")), ("headers-not-listed", true), "{}", names.cause);
    // Authorization, and more than it.
    let both =
        Scene::get().include().header("Authorization", "x").preflight(204, &format!("{OWN_CREDENTIALS}\nAccess-Control-Allow-Headers: *"));
    assert_eq!(first(both), Some("header-wildcard-with-credentials"));
}
