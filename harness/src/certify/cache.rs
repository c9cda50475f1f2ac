//! Behind a shared cache: what it keeps for one, and whether another who is served with it comes to the same.
//!
//! [`super::sets::swap`] asks what `Vary` would let a cache do. Here a cache does it: one that a library makes of RFC 9111, which also
//! looks at `Cache-Control`, `Expires` and the status.

use std::{net::SocketAddr, time::SystemTime};

use corscheck_cases::certify::{Asker, Policy, Probe, probe::SetAsk};
use http_cache_semantics::{BeforeRequest, CachePolicy};

use super::{outcome::Outcome, sets::pairs};
use crate::explain::wire::Response;

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
    let outcome = Outcome::new(probe, "a page comes to the same through a shared cache as without it");
    let url = format!("{target}{}", ask.path);
    pairs(outcome, ask, policy, address, target, &|first, kept, second| serves(first, kept, second, &url) == Some(true))
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
