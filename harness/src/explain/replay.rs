//! What was recorded, as a case: scripted servers answer with it, and a real browser asks.
//!
//! The page gets an origin of the harness, and so does each server; where an answer names the page's origin, the replay names that
//! of its own page. Everything else of status and fields stays as it came, apart from fields that speak of the connection or would
//! outlive the replay.

use std::collections::HashMap;

use corscheck_cases::{
    Alias, Case, Catalogue, Outcome, Reason,
    bind::{Action, ApiWord},
    format::UploadListener,
    oracle::headers::HeaderList,
    text::escape,
};
use toml::{Table, Value};
use url::Url;

use super::{
    evidence::Evidence,
    wire::{Answer, Exchange, Response},
};

/// Fields that servers of the harness set themselves, or that would do harm beyond the replay.
const LEFT_OUT: &[&str] = &[
    "connection",
    "content-length",
    "content-encoding",
    "keep-alive",
    "proxy-connection",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "alt-svc",
    "clear-site-data",
    "nel",
    "refresh",
    "report-to",
    "set-cookie",
    "strict-transport-security",
    "www-authenticate",
];

/// Other origins by scheme, in the order in which they are given away.
const PLAIN: &[Alias] = &[Alias::B, Alias::C, Alias::BPort, Alias::BSub];
const TLS: &[Alias] = &[Alias::BTls, Alias::CTls, Alias::BPortTls];

/// One request of the way, with its preflight.
#[derive(Debug, Default)]
struct Hop<'e> {
    preflight: Option<&'e Response>,
    actual: Option<&'e Response>,
}

/// The evidence as a case whose expectation is what the evidence came to.
///
/// # Errors
///
/// Why it cannot be replayed, in a sentence.
pub fn case(e: &Evidence) -> Result<Case, String> {
    let text = file(e)?;
    let parsed = Catalogue::parse([("replay.toml", text.as_str())]).map_err(|e| format!("the replay is no case: {e}"))?;
    parsed.cases().first().cloned().ok_or_else(|| "the replay is no case".to_owned())
}

/// The same as a catalogue file.
///
/// # Errors
///
/// Why it cannot be replayed, in a sentence.
pub fn file(e: &Evidence) -> Result<String, String> {
    let places = places(e)?;
    let hops = hops(e)?;
    let origin = e.question.origin();
    let mut entry = Table::new();
    let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    put("id", "explain/replay".into());
    put("title", "What explain recorded".into());
    put("behaviours", Value::Array(vec!["cors-check/acao-absent".into()]));
    put("spec", "fetch#http-cors-protocol".into());
    put("why", "The answers of servers, recorded and replayed.".into());
    put("page", places.page.word().into());
    if origin == "null" {
        put("context", "sandbox".into());
    }
    put("request", request(&e.question.call.action, places.hops[0]).into());
    if let Some(preflight) = hops[0].preflight {
        put("preflight", answer(preflight, origin, None).into());
    }
    let mut redirects = Vec::new();
    for (i, pair) in hops.windows(2).enumerate() {
        // A hop that is followed by another was a redirect.
        let Some(response) = pair[0].actual else { break };
        let mut redirect = answer(response, origin, Some(Location::Followed));
        redirect.insert("to".to_owned(), places.hops[i + 1].word().into());
        if let Some(preflight) = pair[1].preflight {
            redirect.insert("preflight".to_owned(), answer(preflight, origin, None).into());
        }
        redirects.push(Value::Table(redirect));
    }
    if !redirects.is_empty() {
        put("redirects", Value::Array(redirects));
    }
    // A browser that goes on where the standard stops is answered too: as described, or so that nothing else stops it.
    let granted = granted(e);
    let (last, location) = match (hops.last().and_then(|hop| hop.actual), e.unasked.first()) {
        (Some(actual), _) => (actual, Location::of(e.reason())),
        (None, Some(Answer::Response(described))) => (described, Location::Home),
        (None, _) => (&granted, Location::Home),
    };
    put("response", answer(last, origin, Some(location)).into());
    put("expect", expect(e, &places).into());
    let mut file = Table::new();
    file.insert("case".to_owned(), Value::Array(vec![Value::Table(entry)]));
    toml::to_string(&file).map_err(|e| format!("the replay cannot be written: {e}"))
}

/// An answer that grants what was asked for.
fn granted(e: &Evidence) -> Response {
    let mut headers = HeaderList::new();
    headers.append("Access-Control-Allow-Origin", e.question.origin().as_bytes().to_vec());
    headers.append("Access-Control-Allow-Credentials", &b"true"[..]);
    Response::new(200, headers)
}

/// Which origins of the harness stand for those of the evidence.
struct Places {
    page: Alias,
    /// Of the hops in order; never empty.
    hops: Vec<Alias>,
    /// Of the exchanges in order.
    exchanges: Vec<Alias>,
}

fn places(e: &Evidence) -> Result<Places, String> {
    let exchanges = &e.run.exchanges;
    if exchanges.is_empty() {
        return Err("It ended before any request was sent: there is nothing to replay.".to_owned());
    }
    let page_origin = e.question.environment.page_origin.serialized();
    let all_tls = exchanges.iter().all(|x| x.url.scheme() == "https");
    // A secure page could not ask an insecure server of the harness; CORS compares origins and asks nothing of schemes.
    let page = if page_origin.starts_with("https:") && all_tls { Alias::ATls } else { Alias::A };
    let mut given: HashMap<String, Alias> = HashMap::new();
    let (mut plain, mut tls) = (PLAIN.iter(), TLS.iter());
    let mut place = |url: &Url| -> Result<Alias, String> {
        let origin = url.origin().ascii_serialization();
        if origin == page_origin {
            return Ok(page);
        }
        if let Some(alias) = given.get(&origin) {
            return Ok(*alias);
        }
        let free = if url.scheme() == "https" { tls.next() } else { plain.next() };
        let alias = *free.ok_or("More servers are on its way than the harness has.")?;
        given.insert(origin, alias);
        Ok(alias)
    };
    let exchanges: Vec<_> = exchanges.iter().map(|x| place(&x.url)).collect::<Result<_, _>>()?;
    let mut hops = Vec::new();
    let mut before: Option<&Exchange> = None;
    for (x, alias) in e.run.exchanges.iter().zip(&exchanges) {
        // A preflight and its request are one hop.
        if !before.is_some_and(|b| b.is_preflight && !x.is_preflight) {
            hops.push(*alias);
        }
        before = Some(x);
    }
    Ok(Places { page, hops, exchanges })
}

fn hops(e: &Evidence) -> Result<Vec<Hop<'_>>, String> {
    let mut hops: Vec<Hop<'_>> = Vec::new();
    let mut before: Option<&Exchange> = None;
    for x in &e.run.exchanges {
        let response = x.response().ok_or("There was no answer: there is nothing to replay.")?;
        if !before.is_some_and(|b| b.is_preflight && !x.is_preflight) {
            hops.push(Hop::default());
        }
        let Some(hop) = hops.last_mut() else { continue };
        if x.is_preflight {
            hop.preflight = Some(response);
        } else {
            hop.actual = Some(response);
        }
        before = Some(x);
    }
    let followed = hops.iter().rev().skip(1).all(|hop| hop.actual.is_some_and(Response::is_redirect));
    if !followed {
        return Err("A request was sent twice, which a case does not script.".to_owned());
    }
    Ok(hops)
}

fn request(action: &Action, to: Alias) -> Table {
    let mut table = Table::new();
    let mut put = |key: &str, value: Value| table.insert(key.to_owned(), value);
    put("to", to.word().into());
    if action.api == ApiWord::Xhr {
        put("api", "xhr".into());
    }
    if let Some(method) = &action.method {
        put("method", method.as_str().into());
    }
    if !action.headers.is_empty() {
        let pair = |(name, value): &(String, String)| Value::Array(vec![braces(name).into(), braces(value).into()]);
        put("headers", Value::Array(action.headers.iter().map(pair).collect()));
    }
    // Words of closed sets and bodies are written as they are read.
    let mut put_word = |key: &str, value: Option<Value>| value.map(|value| put(key, value));
    put_word("body", action.body.as_ref().and_then(|b| Value::try_from(b).ok()));
    put_word("credentials", action.credentials.and_then(|c| Value::try_from(c).ok()));
    put_word("mode", action.mode.and_then(|m| Value::try_from(m).ok()));
    put_word("redirect", action.redirect.and_then(|r| Value::try_from(r).ok()));
    put_word("upload-listener", action.upload_listener.map(|listener: UploadListener| Value::try_from(listener).unwrap_or("add".into())));
    table
}

/// What becomes of a Location.
#[derive(Clone, Copy)]
enum Location {
    /// It leads to the next hop, which is said otherwise.
    Followed,
    /// It was not followed, for what it says itself.
    AsItIs,
    /// It was not followed, for other reasons: it must not lead out of the harness.
    Home,
}

impl Location {
    fn of(reason: Option<Reason>) -> Self {
        match reason {
            Some(Reason::RedirectScheme | Reason::RedirectLocationInvalid) => Location::AsItIs,
            _ => Location::Home,
        }
    }
}

fn answer(response: &Response, origin: &str, location: Option<Location>) -> Table {
    let mut table = Table::new();
    table.insert("status".to_owned(), i64::from(response.status).into());
    let mut fields = Vec::new();
    for header in response.headers.iter() {
        let name = header.name.to_ascii_lowercase();
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let value = match (name.as_str(), location) {
            ("location", Some(Location::Followed)) => continue,
            ("location", None | Some(Location::Home)) => home(&header.value),
            _ => with_origin(&header.value, origin),
        };
        fields.push(Value::Array(vec![braces(&escape(header.name.as_bytes())).into(), value.into()]));
    }
    table.insert("headers".to_owned(), Value::Array(fields));
    table
}

/// A Location within the harness, with the user name and password that it had.
fn home(location: &[u8]) -> String {
    let text = String::from_utf8_lossy(location);
    match Url::parse(&text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => "http://user:password@{host:b}:{port:b}/".to_owned(),
        _ => "{url}".to_owned(),
    }
}

/// Bytes in the notation of case files, the page's origin in them as the replay's.
fn with_origin(value: &[u8], origin: &str) -> String {
    if origin == "null" {
        return braces(&escape(value));
    }
    let mut out = String::new();
    let mut rest = value;
    while let Some(at) = rest.windows(origin.len()).position(|window| window == origin.as_bytes()) {
        out.push_str(&braces(&escape(&rest[..at])));
        out.push_str("{origin}");
        rest = &rest[at + origin.len()..];
    }
    out.push_str(&braces(&escape(rest)));
    out
}

fn braces(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

fn expect(e: &Evidence, places: &Places) -> Table {
    let mut table = Table::new();
    table.insert("read".to_owned(), e.run.outcome().word().into());
    if let Some(reason) = e.reason().filter(|_| matches!(e.run.outcome(), Outcome::Blocked | Outcome::Refused)) {
        table.insert("reason".to_owned(), reason.word().into());
    }
    let wire = e.run.exchanges.iter().zip(&places.exchanges).map(|(x, alias)| format!("{} {alias}", x.method).into());
    table.insert("wire".to_owned(), Value::Array(wire.collect()));
    table
}

#[cfg(test)]
mod tests {
    use corscheck_cases::{
        Topology,
        format::{Mode, RedirectMode},
        oracle::Scenario,
    };

    use super::*;
    use crate::explain::scene::Scene;

    const OWN: &str = "Access-Control-Allow-Origin: https://app.example.com";

    /// What the oracle makes of the replay.
    fn replayed(e: &Evidence) -> (Outcome, Option<Reason>, Vec<String>) {
        let case = case(e).unwrap_or_else(|words| panic!("{words}"));
        let scenario = Scenario::new(&case, &Topology::example(), "0123456789abcdef0123456789abcdef");
        let prediction = scenario.predict();
        let step = &prediction.steps[0];
        (step.view.outcome(), step.view.reason, step.exchanges.iter().map(|x| x.method.to_string()).collect())
    }

    #[test]
    fn a_replay_comes_to_the_same() {
        let scenes = [
            Scene::get().answer(200, OWN),
            Scene::get().answer(200, "Access-Control-Allow-Origin: https://app.example.com/"),
            Scene::get().answer(200, "Access-Control-Allow-Origin: https://App.example.com"),
            Scene::get().answer(200, "Access-Control-Allow-Origin: {origin}"),
            Scene::get().answer(200, &format!("{OWN}\n{OWN}\nStrict-Transport-Security: max-age=1\nContent-Encoding: gzip")),
            Scene::get().answer(500, "").include(),
            Scene::get().origin("null").answer(200, ""),
            Scene::get().origin("null").answer(200, "Access-Control-Allow-Origin: null"),
            Scene::new("GET", "http://127.0.0.1:1234/x").answer(200, "Access-Control-Allow-Origin: *"),
            Scene::put().header("X-A", "{b}").preflight(204, OWN),
            Scene::put().preflight(302, "Location: https://login.example.net/"),
            Scene::put().body("x").preflight(204, &format!("{OWN}\nAccess-Control-Allow-Methods: PUT")).answer(200, OWN),
            Scene::new("POST", "https://api.example.com/x").xhr_with_progress().body("x").preflight(204, OWN).answer(200, OWN),
            Scene::get().answer(302, &format!("{OWN}\nLocation: https://cdn.example.net/x")).answer(200, OWN),
            Scene::get().answer(302, "Location: /y"),
            Scene::get().answer(302, &format!("{OWN}\nLocation: https://u:p@api.example.com/y")),
            Scene::get().answer(302, &format!("{OWN}\nLocation: ftp://x/")),
            Scene::get().redirect(RedirectMode::Error).answer(302, &format!("{OWN}\nLocation: /y")),
            Scene::get().mode(Mode::NoCors).answer(200, ""),
            Scene::new("PUT", "https://app.example.com/x").answer(307, "Location: https://api.example.com/x").preflight(403, OWN),
            (0..21).fold(Scene::get(), |scene, n| scene.answer(302, &format!("{OWN}\nLocation: /{n}"))),
        ];
        for scene in scenes {
            let e = scene.evidence();
            let methods: Vec<_> = e.run.exchanges.iter().map(|x| x.method.clone()).collect();
            assert_eq!(replayed(&e), (e.run.outcome(), e.reason(), methods), "{}", file(&e).expect("a file"));
        }
    }

    #[test]
    fn what_cannot_be_replayed_says_why() {
        let words = case(&Scene::get().mode(Mode::SameOrigin).evidence()).expect_err("nothing was sent");
        assert_eq!(words, "It ended before any request was sent: there is nothing to replay.");
    }

    #[test]
    fn a_replay_is_a_file_that_can_be_read() {
        let e = Scene::put()
            .include()
            .preflight(204, "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: PUT\nDate: x\nContent-Length: 0")
            .evidence();
        insta::assert_snapshot!(file(&e).expect("a file"), @r#"
        [[case]]
        behaviours = ["cors-check/acao-absent"]
        id = "explain/replay"
        page = "a-tls"
        spec = "fetch#http-cors-protocol"
        title = "What explain recorded"
        why = "The answers of servers, recorded and replayed."

        [case.expect]
        read = "blocked"
        reason = "wildcard-with-credentials"
        wire = ["OPTIONS b-tls"]

        [case.preflight]
        headers = [["Access-Control-Allow-Origin", "*"], ["Access-Control-Allow-Methods", "PUT"], ["Date", "x"]]
        status = 204

        [case.request]
        credentials = "include"
        method = "PUT"
        to = "b-tls"

        [case.response]
        headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Credentials", "true"]]
        status = 200
        "#);
    }
}
