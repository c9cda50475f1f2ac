//! Behind a shared cache: what it keeps for one, and whether another who is served with it comes to the same.
//!
//! [`super::sets::swap`] asks what `Vary` would let a cache do. Here a cache does it: one that a library makes of RFC 9111, which also
//! looks at `Cache-Control`, `Expires` and the status.

use std::{net::SocketAddr, time::SystemTime};

use corscheck_cases::{
    certify::{Asker, Policy, Probe, probe::SetAsk},
    format::Credentials,
};
use http_cache_semantics::{BeforeRequest, CachePolicy};

use super::{
    outcome::Outcome,
    sets::{get, read},
};
use crate::{explain::wire::Response, verdict::Verdict};

/// What a cache looks at of a request: that of an asker for a path.
fn request(asker: &Asker, url: &str) -> Option<http::Request<()>> {
    let mut request = http::Request::get(url);
    if let Some(origin) = &asker.origin {
        request = request.header("Origin", &origin[..]);
    }
    request.body(()).ok()
}

/// What it looks at of an answer.
fn answer(response: &Response) -> Option<http::Response<()>> {
    let mut made = http::Response::builder().status(response.status);
    for header in response.headers.iter() {
        made = made.header(&*header.name, &*header.value);
    }
    made.body(()).ok()
}

/// Whether a shared cache that has the answer to one asker serves another with it.
fn serves(first: &Asker, kept: &Response, second: &Asker, url: &str) -> Option<bool> {
    let (asked, asks) = (request(first, url)?, request(second, url)?);
    let policy = CachePolicy::new(&asked, &answer(kept)?);
    Some(policy.is_storable() && matches!(policy.before_request(&asks, SystemTime::now()), BeforeRequest::Fresh(_)))
}

/// For every ordered pair: the second asks through a cache that was empty before the first asked.
pub fn cached(probe: &Probe, ask: &SetAsk, policy: &Policy, address: SocketAddr, target: &str) -> Result<Outcome, String> {
    let mut outcome = Outcome::new(probe, "a page comes to the same through a shared cache as without it");
    let url = format!("{target}{}", ask.path);
    let mut answers = Vec::new();
    for asker in &ask.askers {
        let answered = get(asker, &ask.path, address, target);
        let Some(response) = answered.response else { continue };
        outcome.observation.exchanges.push(answered.exchange);
        answers.push((asker, response));
    }
    let modes: &[Credentials] =
        if policy.grant(&ask.path).credentials { &[Credentials::SameOrigin, Credentials::Include] } else { &[Credentials::SameOrigin] };
    for (kept_at, (first, kept)) in answers.iter().enumerate() {
        for (direct_at, (second, direct)) in answers.iter().enumerate().filter(|(_, (a, _))| a.origin.is_some() && a.label != first.label) {
            if serves(first, kept, second, &url) != Some(true) {
                continue;
            }
            for credentials in modes {
                let (own, _) = read(second, *credentials, &ask.path, direct, target)?;
                let (served, path) = read(second, *credentials, &ask.path, kept, target)?;
                if own == served {
                    continue;
                }
                let (verdict, direction) =
                    if served.openness() > own.openness() { (Verdict::TooOpen, "too-open") } else { (Verdict::TooStrict, "too-strict") };
                if outcome.path.is_empty() {
                    outcome.path = path;
                }
                outcome.find(
                    verdict,
                    "swap",
                    &[("direction", direction), ("first", &first.label), ("origin", &second.label), ("credentials", credentials.word())],
                    format!("{} asks: {}", second.label, own.word()),
                    format!("{}: the cache has the answer to {}", served.word(), first.label),
                );
                outcome.shown_by(vec![kept_at, direct_at]);
            }
        }
    }
    outcome.first_things_first();
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use corscheck_cases::oracle::headers::HeaderList;

    use super::*;

    fn asker(label: &str, origin: Option<&str>) -> Asker {
        Asker { label: label.to_owned(), origin: origin.map(|o| o.as_bytes().to_vec()), is_page: true }
    }

    fn response(status: u16, fields: &[(&'static str, &'static str)]) -> Response {
        let mut headers = HeaderList::new();
        for (name, value) in fields {
            headers.append(*name, value.as_bytes());
        }
        Response { status, reason: Vec::new(), headers, body: Vec::new(), body_end: None }
    }

    #[test]
    fn a_cache_serves_what_vary_and_cache_control_let_it() {
        let (none, app, other) = (asker("none", None), asker("app", Some("https://app.test")), asker("other", Some("https://b.test")));
        let serves =
            |first, fields: &[(&'static str, &'static str)], second| serves(first, &response(200, fields), second, "https://api.test/r");
        let fresh = ("Cache-Control", "max-age=600");
        assert_eq!(serves(&app, &[fresh], &other), Some(true));
        assert_eq!(serves(&none, &[fresh], &app), Some(true));
        assert_eq!(serves(&app, &[fresh, ("Vary", "Accept, ORIGIN")], &other), Some(false));
        assert_eq!(serves(&app, &[fresh, ("Vary", "Origin")], &app), Some(true));
        assert_eq!(serves(&none, &[fresh, ("Vary", "Origin")], &app), Some(false));
        assert_eq!(serves(&app, &[fresh, ("Vary", "*")], &other), Some(false));
        for not_kept in ["private", "no-store", "no-cache", "max-age=0"] {
            assert_eq!(serves(&app, &[("Cache-Control", not_kept)], &other), Some(false), "{not_kept}");
        }
        assert_eq!(serves(&app, &[], &other), Some(false));
    }
}
