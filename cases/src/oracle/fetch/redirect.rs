//! HTTP-redirect fetch.

use std::borrow::Cow;

use url::Url;

use super::{Fetch, Fetched};
use crate::oracle::{
    defect::Defect,
    grammar,
    headers::{HeaderList, trim_tab_or_space},
    lapses,
    network::Network,
    origin::{includes_credentials, is_http, same_origin},
    request::{ReferrerPolicy, Request, Response, Taint, Tainting},
    trace::{Algorithm, Trace},
};
use crate::{format::Mode, words::Reason};

/// The most redirects of one request (HTTP-redirect fetch, step 7).
pub(super) const MOST_REDIRECTS: u32 = 20;

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// HTTP-redirect fetch.
    pub(super) fn http_redirect_fetch(&mut self, request: &mut Request<'a>, response: Response<'a, N::Body>) -> Fetched<'a, N::Body> {
        use Algorithm::HttpRedirectFetch;
        let location = match self.lapse(|d| lapses::location(d, &response.headers)) {
            Some(first) => Some(parse_location(&first, request.url())),
            None => location_url(&response, request.url()),
        };
        let url = match location {
            None if self.has(Defect::RedirectNoLocationBlocked) => return Err(Reason::RedirectLocationInvalid.into()),
            None => {
                self.note(HttpRedirectFetch, "4", "there is no Location: the redirect itself is the response");
                return Ok(response);
            }
            Some(Err(())) => {
                return Err(self.fail(HttpRedirectFetch, "5", "Location is not one URL", Reason::RedirectLocationInvalid));
            }
            Some(Ok(url)) => url,
        };
        if !is_http(&url) {
            if self.has(Defect::RedirectSchemeCrash) {
                return Ok(response);
            }
            if self.has(Defect::RedirectDataAllowed) && url.scheme() == "data" {
                request.urls.push(url);
                return self.scheme_fetch(request);
            }
            return Err(self.fail(HttpRedirectFetch, "6", "the scheme of Location is no HTTP(S) scheme", Reason::RedirectScheme));
        }
        let most = match () {
            () if self.has(Defect::RedirectLimitLess) => MOST_REDIRECTS - 1,
            () if self.has(Defect::RedirectLimitMore) => MOST_REDIRECTS + 1,
            () => MOST_REDIRECTS,
        };
        if request.redirects >= most {
            return Err(self.fail(HttpRedirectFetch, "7", "more than 20 redirects", Reason::RedirectLimit));
        }
        request.redirects += 1;
        let userinfo = includes_credentials(&url);
        if userinfo && !self.has(Defect::RedirectUserinfoAllowed) {
            if request.mode == Mode::Cors && !self.origin().is_same(&url) {
                let says = "Location carries credentials to another origin in mode cors";
                return Err(self.fail(HttpRedirectFetch, "9", says, Reason::RedirectUserinfo));
            }
            if request.tainting == Tainting::Cors || self.has(Defect::RedirectUserinfoNever) {
                let says = "Location carries credentials, and the request has left its origin";
                return Err(self.fail(HttpRedirectFetch, "10", says, Reason::RedirectUserinfo));
            }
        }
        if self.lapse(|d| lapses::stops_redirect(d, request, &url)) {
            return Err(Reason::Network.into());
        }
        let status = response.status;
        if status != 303 && request.body.as_ref().is_some_and(|b| b.is_stream) && !self.has(Defect::RedirectStreamResent) {
            return Err(self.fail(HttpRedirectFetch, "11", "the body is a stream and cannot be sent again", Reason::Network));
        }
        if self.lapse(|d| lapses::becomes_get(d, status, &request.method)).unwrap_or_else(|| becomes_get(status, &request.method)) {
            self.note(HttpRedirectFetch, "12", "the method becomes GET, and the body and its headers go");
            request.method = Cow::Borrowed("GET");
            request.body = None;
            if !self.has(Defect::RedirectBodyHeadersKept) {
                for name in ["Content-Encoding", "Content-Language", "Content-Location", "Content-Type"] {
                    request.headers.delete(name);
                }
            }
        } else if self.has(Defect::RedirectBodyDropped) {
            request.body = None;
        }
        let leaves = !same_origin(request.url(), &url);
        if leaves && !self.has(Defect::RedirectKeepsAuthorization) || self.has(Defect::RedirectDropsAuthorization) {
            if T::ON && request.headers.contains("Authorization") {
                self.note(HttpRedirectFetch, "13", "another origin: Authorization is dropped");
            }
            request.headers.delete("Authorization");
        }
        if leaves && self.has(Defect::RedirectDropsHeaders) {
            request.headers = HeaderList::new();
        }
        request.push_url(url, &self.env.origin);
        if T::ON && request.taint != Taint::SameOrigin {
            self.note(Algorithm::SerializeOrigin, "2", "redirects led from one foreign origin to another: the origin is null from here on");
        }
        if let Some(policy) = referrer_policy_of(&response.headers)
            && !self.has(Defect::RedirectReferrerPolicy)
        {
            request.referrer_policy = Some(policy);
        }
        if T::ON {
            let to = request.url().to_string();
            self.note(HttpRedirectFetch, "22", format!("on to {to}"));
        }
        self.main_fetch(request, true)
    }
}

/// The location URL of a redirect response (Fetch, responses); `None` when there is no Location.
pub(super) fn location_url<B>(response: &Response<'_, B>, current: &Url) -> Option<Result<Url, ()>> {
    let mut fields = response.headers.values("Location");
    let location = fields.next()?;
    // Extract header list values, step 2: the grammar allows a single field.
    Some(if fields.next().is_some() { Err(()) } else { parse_location(location, current) })
}

/// Parses Location with the response's URL as base, and carries the fragment over.
pub(super) fn parse_location(location: &[u8], current: &Url) -> Result<Url, ()> {
    let mut url = current.join(&grammar::isomorphic_decode(location)).map_err(|_| ())?;
    if url.fragment().is_none() && current.fragment().is_some() {
        url.set_fragment(current.fragment());
    }
    Ok(url)
}

/// HTTP-redirect fetch, step 12.
pub(super) fn becomes_get(status: u16, method: &str) -> bool {
    matches!(status, 301 | 302) && method == "POST" || status == 303 && !matches!(method, "GET" | "HEAD")
}

/// The last policy that Referrer-Policy names (Referrer Policy, section 8.1).
pub(super) fn referrer_policy_of(headers: &HeaderList<'_>) -> Option<ReferrerPolicy> {
    let mut policy = None;
    for value in headers.values("Referrer-Policy") {
        for token in value.split(|b| *b == b',').map(trim_tab_or_space).filter(|t| !t.is_empty()) {
            // `1#(policy-token / extension-token)`: letters and hyphens, or the whole value fails to parse and names none.
            if !token.iter().all(|b| b.is_ascii_alphabetic() || *b == b'-') {
                return None;
            }
            let word: String = token.iter().map(|b| char::from(b.to_ascii_lowercase())).collect();
            policy = ReferrerPolicy::parse(&word).or(policy);
        }
    }
    policy
}
