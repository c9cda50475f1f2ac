//! Probes: harmless requests besides the one that is explained, each to tell causes apart.
//!
//! They are GET, HEAD and OPTIONS only, go to the server that was asked and nowhere else, follow no redirect, carry no
//! credentials, and are bounded in number and time.

use std::borrow::Cow;

use corscheck_cases::{
    Outcome, Reason,
    format::Mode,
    oracle::{
        defect::Defects,
        grammar,
        headers::HeaderList,
        network::{Limits, Network, Outgoing},
    },
};
use serde::{Serialize, Serializer};
use url::Url;

use super::{
    evidence::Evidence,
    near::{Near, near, variant},
    recording::Recording,
    wire::{Exchange, Response},
};

/// An origin that no server can know.
pub const OTHER_ORIGIN: &str = "https://corscheck-probe.example";

/// A path that no server has.
const ERROR_PATH: &str = "/corscheck-probe-404";

/// The most probes of one explanation.
const MOST_PROBES: usize = 16;

/// How long a probe may take, in milliseconds.
const PROBE_MS: u32 = 3_000;

/// How long all of them may take, in milliseconds; one that is under way is waited for.
const ALL_MS: u64 = 10_000;

/// The fields of the request that probes repeat.
const REPEATED: &[&str] = &["User-Agent", "Accept", "Accept-Language", "Referer", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site"];

/// What a probe asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// GET with the page's origin.
    OwnOrigin,
    /// The same once more: some servers say yes and no in turn.
    Again,
    /// GET without `Origin`, as for an image or from a terminal.
    WithoutOrigin,
    /// GET with [`OTHER_ORIGIN`].
    OtherOrigin,
    /// GET with `Origin: null`.
    NullOrigin,
    /// GET with the origin as the server may have been told it by mistake.
    Variant(Near),
    /// GET of a path that does not exist.
    ErrorPath,
    /// GET with `If-None-Match`.
    Conditional,
    /// A preflight for GET without unsafe headers.
    HarmlessPreflight,
    /// A preflight for the method without unsafe headers.
    MethodPreflight,
    /// OPTIONS with `Origin` that is no preflight.
    PlainOptions,
}

impl Kind {
    /// The word for it in results.
    pub fn word(self) -> &'static str {
        match self {
            Kind::OwnOrigin => "own-origin",
            Kind::Again => "own-origin-again",
            Kind::WithoutOrigin => "without-origin",
            Kind::OtherOrigin => "other-origin",
            Kind::NullOrigin => "null-origin",
            Kind::Variant(Near::Slash) => "origin-with-slash",
            Kind::Variant(Near::Case) => "origin-in-upper-case",
            Kind::Variant(Near::Scheme) => "origin-with-other-scheme",
            Kind::Variant(Near::Port) => "origin-with-other-port",
            Kind::Variant(Near::Www) => "origin-with-or-without-www",
            Kind::Variant(Near::Subdomain | Near::Quotes | Near::Bare) => "origin-written-otherwise",
            Kind::ErrorPath => "error-path",
            Kind::Conditional => "conditional",
            Kind::HarmlessPreflight => "harmless-preflight",
            Kind::MethodPreflight => "method-preflight",
            Kind::PlainOptions => "plain-options",
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// A probe that was made.
#[derive(Debug, Clone)]
pub struct Probe {
    /// What it asked.
    pub kind: Kind,
    /// The exchange.
    pub exchange: Exchange,
}

/// Makes probes until all that tell something are made.
pub fn probe<'a, N: Network<'a>>(evidence: &mut Evidence, network: &mut N) {
    let started = network.now_ms();
    while let Some(kind) = next(evidence)
        && network.now_ms().saturating_sub(started) < ALL_MS
    {
        let asked = request(evidence, kind);
        let mut recording = Recording::new(network);
        // The record has the answer, or why there is none.
        _ = recording.exchange(asked.outgoing(kind));
        let exchange = recording.into_exchanges().pop();
        let Some(exchange) = exchange else { return };
        evidence.probes.push(Probe { kind, exchange });
    }
}

/// What a probe asks for.
struct Request {
    method: Cow<'static, str>,
    url: Cow<'static, Url>,
    headers: HeaderList<'static>,
}

impl Request {
    fn outgoing(&self, kind: Kind) -> Outgoing<'_, 'static> {
        Outgoing {
            url: &self.url,
            method: &self.method,
            headers: self.headers.clone(),
            body: None,
            streams: false,
            is_preflight: matches!(kind, Kind::HarmlessPreflight | Kind::MethodPreflight),
            credentials: false,
            new_connection: true,
            limits: Limits { abort_after_ms: None, timeout_ms: Some(PROBE_MS) },
            defects: &Defects::NONE,
        }
    }
}

/// The exchange of a probe that is still to be answered.
#[cfg(test)]
pub(super) fn exchange(evidence: &Evidence, kind: Kind) -> Exchange {
    Exchange::begun(&request(evidence, kind).outgoing(kind))
}

/// The next probe that would tell something; `None` when all is told.
pub fn next(evidence: &Evidence) -> Option<Kind> {
    if evidence.probes.len() >= MOST_PROBES {
        return None;
    }
    wanted(evidence).into_iter().find(|kind| evidence.probes.iter().all(|p| p.kind != *kind) && is_possible(evidence, *kind))
}

/// What would tell something by what is known, the most telling first.
fn wanted(evidence: &Evidence) -> Vec<Kind> {
    use Kind::{
        Again, Conditional, ErrorPath, HarmlessPreflight, MethodPreflight, NullOrigin, OtherOrigin, OwnOrigin, PlainOptions, WithoutOrigin,
    };
    let run = &evidence.run;
    let cors = evidence.question.mode() == Mode::Cors && !evidence.question.environment.origin.is_same(&evidence.question.url);
    if !cors || run.exchanges.is_empty() || run.is_unanswered() || run.outcome() == Outcome::Refused {
        return Vec::new();
    }
    let mut kinds = Vec::new();
    if evidence.refused_preflight().is_some() {
        kinds.extend([HarmlessPreflight, MethodPreflight, PlainOptions]);
    }
    // One right behind the other: what is asked between them may change the second answer.
    kinds.push(if evidence.own_get().is_none() { OwnOrigin } else { Again });
    kinds.push(OtherOrigin);
    let own = evidence.own_get().and_then(Response::allow_origin);
    let own_is_specific = own.as_deref().is_some_and(|value| value != "*");
    if own_is_specific || evidence.own_get().is_some() && own.is_none() {
        kinds.push(WithoutOrigin);
    }
    if evidence.reason() == Some(Reason::AcaoMissing) && own.is_none() && evidence.probe(OtherOrigin).is_some() {
        let answered = evidence.probe(OtherOrigin).is_some_and(|other| other.allow_origin().is_some());
        // One that is taken says enough.
        if !answered && evidence.near_origin().is_none() {
            kinds.extend([Near::Slash, Near::Scheme, Near::Port, Near::Www, Near::Case].map(Kind::Variant));
        }
    }
    if evidence.reflects_any_origin() {
        kinds.push(NullOrigin);
    }
    kinds.push(ErrorPath);
    if own.is_some() {
        kinds.push(Conditional);
    }
    kinds
}

fn is_possible(evidence: &Evidence, kind: Kind) -> bool {
    let question = &evidence.question;
    match kind {
        Kind::Variant(near) => variant(near, question.origin()).is_some(),
        Kind::NullOrigin => question.origin() != "null",
        Kind::Conditional => evidence.own_get().is_some_and(|own| own.headers.contains("ETag")),
        Kind::MethodPreflight => {
            question.method() != "GET" && evidence.decisive().is_some_and(|x| x.request.contains("Access-Control-Request-Headers"))
        }
        Kind::OwnOrigin
        | Kind::Again
        | Kind::WithoutOrigin
        | Kind::OtherOrigin
        | Kind::ErrorPath
        | Kind::HarmlessPreflight
        | Kind::PlainOptions => true,
    }
}

/// Method, URL and fields of a probe.
fn request(evidence: &Evidence, kind: Kind) -> Request {
    let question = &evidence.question;
    let mut url = question.url.clone();
    url.set_fragment(None);
    // Credentials in a URL are for the request that is explained.
    _ = url.set_username("");
    _ = url.set_password(None);
    let mut headers = HeaderList::new();
    if let Some(first) = evidence.run.exchanges.first() {
        for header in first.request.iter().filter(|h| REPEATED.iter().any(|name| h.name.eq_ignore_ascii_case(name))) {
            headers.append(header.name.clone(), header.value.clone());
        }
    }
    let origin = match kind {
        Kind::WithoutOrigin => None,
        Kind::OtherOrigin => Some(OTHER_ORIGIN.to_owned()),
        Kind::NullOrigin => Some("null".to_owned()),
        Kind::Variant(near) => variant(near, question.origin()),
        _ => Some(question.origin().to_owned()),
    };
    if let Some(origin) = origin {
        headers.append("Origin", origin.into_bytes());
    }
    let requested = match kind {
        Kind::HarmlessPreflight => Some("GET".to_owned()),
        Kind::MethodPreflight => Some(question.method().to_owned()),
        _ => None,
    };
    if let Some(method) = requested {
        headers.append("Access-Control-Request-Method", method.into_bytes());
    }
    if let (Kind::Conditional, Some(tag)) = (kind, evidence.own_get().and_then(|own| own.headers.get("ETag"))) {
        headers.append("If-None-Match", tag.into_owned());
    }
    if kind == Kind::ErrorPath {
        url.set_path(ERROR_PATH);
        url.set_query(None);
    }
    let options = matches!(kind, Kind::HarmlessPreflight | Kind::MethodPreflight | Kind::PlainOptions);
    Request { method: if options { "OPTIONS" } else { "GET" }.into(), url: Cow::Owned(url), headers }
}

/// What a probe asked and was answered, and what that tells.
pub fn told(evidence: &Evidence, probe: &Probe) -> (String, String, String) {
    let exchange = &probe.exchange;
    let asked = match probe.kind {
        Kind::OwnOrigin => "GET with this origin".to_owned(),
        Kind::Again => "GET with this origin, once more".to_owned(),
        Kind::WithoutOrigin => "GET without Origin".to_owned(),
        Kind::OtherOrigin | Kind::NullOrigin | Kind::Variant(_) => {
            format!("GET with Origin: {}", exchange.origin().unwrap_or_default())
        }
        Kind::ErrorPath => format!("GET {ERROR_PATH}"),
        Kind::Conditional => "GET with If-None-Match".to_owned(),
        Kind::HarmlessPreflight => "preflight for GET without headers".to_owned(),
        Kind::MethodPreflight => format!("preflight for {} without headers", evidence.question.method()),
        Kind::PlainOptions => "OPTIONS without Access-Control-Request-Method".to_owned(),
    };
    let Some(response) = exchange.response() else {
        return (asked, "no answer".to_owned(), "nothing".to_owned());
    };
    let allow = response.allow_origin();
    let shown = allow.as_ref().map_or_else(|| "no Access-Control-Allow-Origin".to_owned(), |v| format!("Access-Control-Allow-Origin: {v}"));
    (asked, format!("{}, {shown}", response.status), meaning(evidence, probe, response, allow.as_deref()).to_owned())
}

fn meaning(evidence: &Evidence, probe: &Probe, response: &Response, allow: Option<&str>) -> &'static str {
    let same = |own: Option<&Response>| own.is_some_and(|own| own.allow_origin().as_deref() == allow);
    match probe.kind {
        Kind::OwnOrigin if allow.is_some() => "answers to GET have the headers",
        Kind::OwnOrigin => "answers to GET lack the headers as well",
        Kind::Again if same(evidence.own_get()) && evidence.own_get().is_some_and(|own| own.status != response.status) => {
            "without what the request carries the status is another, the header the same"
        }
        Kind::Again if same(evidence.own_get()) => "the answer is the same",
        Kind::Again => "the answer is another, to the same request",
        Kind::WithoutOrigin if same(evidence.own_get()) => "Origin makes no difference",
        Kind::WithoutOrigin => "the server looks at Origin",
        Kind::OtherOrigin if allow == Some(OTHER_ORIGIN) => "the server allows any origin, by repeating it",
        Kind::OtherOrigin if allow == Some("*") => "the server allows any origin",
        Kind::OtherOrigin if same(evidence.own_get()) => "the server treats all origins alike",
        Kind::OtherOrigin => "the server tells origins apart",
        Kind::NullOrigin if allow == Some("null") => "sandboxed frames of anybody are allowed",
        Kind::NullOrigin => "the opaque origin is not allowed",
        Kind::Variant(_) if allow.is_some_and(|value| near(value, evidence.question.origin()).is_some()) => {
            "the server knows the origin in this spelling"
        }
        Kind::Variant(_) if allow.is_some() => "the server answers this spelling otherwise",
        Kind::Variant(_) => "this spelling is not known either",
        Kind::ErrorPath if allow.is_some() => "error answers have the headers",
        Kind::ErrorPath if response.status >= 400 => "error answers lack the headers",
        Kind::ErrorPath => "no error, and no headers",
        Kind::Conditional if response.status != 304 => "the server does not answer with 304",
        Kind::Conditional if same(evidence.own_get()) => "a 304 has the headers as well",
        Kind::Conditional => "a 304 has other headers than a 200",
        Kind::HarmlessPreflight | Kind::MethodPreflight if response.is_ok() && allow.is_some() => {
            "preflights are answered: it is about what this one asks for"
        }
        Kind::HarmlessPreflight | Kind::MethodPreflight => "it fails as well",
        Kind::PlainOptions if grammar::is_ok_status(response.status) => "OPTIONS as such is answered",
        Kind::PlainOptions => "OPTIONS as such is refused",
    }
}

#[cfg(test)]
mod tests {
    use corscheck_cases::oracle::network::{Fault, Incoming, Read, ReadEnd};

    use super::*;
    use crate::explain::scene::{ORIGIN, Scene, response};

    /// Answers every request by a function of method, path and origin, and keeps what was asked.
    struct Fake<F> {
        answer: F,
        asked: Vec<(String, Url, Option<String>)>,
        clock_ms: u64,
        each_ms: u64,
    }

    impl<'a, F: Fn(&str, &str, Option<&str>) -> Response> Network<'a> for Fake<F> {
        type Body = Vec<u8>;

        fn exchange(&mut self, request: Outgoing<'_, 'a>) -> Result<Incoming<'a, Vec<u8>>, Fault> {
            assert!(request.body.is_none() && !request.headers.contains("Cookie") && !request.headers.contains("Authorization"));
            assert_eq!(request.limits.timeout_ms, Some(PROBE_MS));
            self.clock_ms += self.each_ms;
            let origin = request.headers.get("Origin").map(|o| String::from_utf8_lossy(&o).into_owned());
            let response = (self.answer)(request.method, request.url.path(), origin.as_deref());
            self.asked.push((request.method.to_string(), request.url.as_ref().clone(), origin));
            Ok(Incoming { status: response.status, status_text: Cow::Borrowed(b""), headers: response.headers, body: response.body })
        }

        fn read(&mut self, body: Vec<u8>, _: Limits) -> Read<'a> {
            Read { bytes: Cow::Owned(body), end: ReadEnd::Complete }
        }

        fn now_ms(&mut self) -> u64 {
            self.clock_ms
        }
    }

    fn made(scene: Scene, each_ms: u64, answer: impl Fn(&str, &str, Option<&str>) -> Response) -> Vec<&'static str> {
        let mut evidence = scene.evidence();
        let mut network = Fake { answer, asked: Vec::new(), clock_ms: 0, each_ms };
        probe(&mut evidence, &mut network);
        assert!(evidence.probes.len() <= MOST_PROBES);
        for (method, url, _) in &network.asked {
            assert!(matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS"), "{method} is not safe");
            assert_eq!(url.origin(), evidence.question.url.origin(), "{url} is another server's");
            assert!(url.username().is_empty() && url.fragment().is_none(), "{url}");
        }
        evidence.probes.iter().map(|p| p.kind.word()).collect()
    }

    fn nothing(_: &str, _: &str, _: Option<&str>) -> Response {
        response(200, "")
    }

    #[test]
    fn a_preflight_that_fails_on_a_server_without_cors_takes_the_most() {
        let scene = Scene::new("PUT", "https://api.example.com/x#f").header("X-A", "1").preflight(401, "");
        insta::assert_snapshot!(made(scene, 0, nothing).join(" "), @"harmless-preflight method-preflight plain-options own-origin own-origin-again other-origin without-origin origin-with-slash origin-with-other-scheme origin-with-other-port origin-with-or-without-www origin-in-upper-case error-path");
    }

    #[test]
    fn an_allowed_read_is_looked_at_for_dangers() {
        let reflects = |_: &str, _: &str, origin: Option<&str>| {
            response(200, &origin.map(|o| format!("Access-Control-Allow-Origin: {o}")).unwrap_or_default())
        };
        let scene = || Scene::get().answer(200, &format!("Access-Control-Allow-Origin: {ORIGIN}\nETag: 1"));
        insta::assert_snapshot!(made(scene(), 0, reflects).join(" "), @"own-origin-again other-origin without-origin null-origin error-path conditional");
        insta::assert_snapshot!(made(Scene::get().answer(200, "Access-Control-Allow-Origin: *"), 0, nothing).join(" "), @"own-origin-again other-origin error-path");
    }

    #[test]
    fn the_first_spelling_that_is_known_ends_the_search() {
        let knows = |_: &str, _: &str, origin: Option<&str>| match origin {
            Some("http://app.example.com") => response(200, "Access-Control-Allow-Origin: http://app.example.com"),
            _ => response(200, ""),
        };
        let kinds = made(Scene::get().answer(200, ""), 0, knows);
        insta::assert_snapshot!(kinds.join(" "), @"own-origin-again other-origin without-origin origin-with-slash origin-with-other-scheme error-path");
    }

    #[test]
    fn what_no_probe_can_tell_is_not_probed() {
        let none: [Scene; 4] = [
            Scene::get().mode(Mode::NoCors).answer(200, ""),
            Scene::new("GET", "https://app.example.com/x").answer(200, ""),
            Scene::get().mode(Mode::SameOrigin),
            Scene::get().unanswered(Fault::Broken("x".into()), crate::explain::reach::Reach::Closed),
        ];
        for scene in none {
            assert!(made(scene.clone(), 0, nothing).is_empty(), "{scene:?}");
        }
    }

    #[test]
    fn slow_servers_are_asked_less() {
        let scene = Scene::put().preflight(401, "");
        assert_eq!(made(scene, 4_000, nothing).len(), 3, "after {ALL_MS} ms no further one is begun");
    }

    #[test]
    fn what_probes_tell() {
        let own = "Access-Control-Allow-Origin: https://app.example.com\nETag: 1";
        let evidence = Scene::put()
            .preflight(403, "")
            .probe(Kind::HarmlessPreflight, 204, own)
            .probe(Kind::MethodPreflight, 403, "")
            .probe(Kind::PlainOptions, 200, "")
            .probe(Kind::OwnOrigin, 200, own)
            .probe(Kind::OtherOrigin, 200, "Access-Control-Allow-Origin: https://corscheck-probe.example")
            .probe(Kind::WithoutOrigin, 200, "")
            .probe(Kind::NullOrigin, 200, "Access-Control-Allow-Origin: null")
            .probe(Kind::Variant(Near::Slash), 200, "Access-Control-Allow-Origin: https://app.example.com/")
            .probe(Kind::Variant(Near::Case), 200, "")
            .probe(Kind::ErrorPath, 404, "")
            .probe(Kind::Conditional, 304, "")
            .evidence();
        let told: Vec<_> = evidence
            .probes
            .iter()
            .map(|p| {
                let (asked, answered, told) = told(&evidence, p);
                format!("{asked}: {answered}: {told}")
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        preflight for GET without headers: 204, Access-Control-Allow-Origin: https://app.example.com: preflights are answered: it is about what this one asks for
        preflight for PUT without headers: 403, no Access-Control-Allow-Origin: it fails as well
        OPTIONS without Access-Control-Request-Method: 200, no Access-Control-Allow-Origin: OPTIONS as such is answered
        GET with this origin: 200, Access-Control-Allow-Origin: https://app.example.com: answers to GET have the headers
        GET with Origin: https://corscheck-probe.example: 200, Access-Control-Allow-Origin: https://corscheck-probe.example: the server allows any origin, by repeating it
        GET without Origin: 200, no Access-Control-Allow-Origin: the server looks at Origin
        GET with Origin: null: 200, Access-Control-Allow-Origin: null: sandboxed frames of anybody are allowed
        GET with Origin: https://app.example.com/: 200, Access-Control-Allow-Origin: https://app.example.com/: the server knows the origin in this spelling
        GET with Origin: https://APP.EXAMPLE.COM: 200, no Access-Control-Allow-Origin: this spelling is not known either
        GET /corscheck-probe-404: 404, no Access-Control-Allow-Origin: error answers lack the headers
        GET with If-None-Match: 304, no Access-Control-Allow-Origin: a 304 has other headers than a 200
        ");
    }
}
