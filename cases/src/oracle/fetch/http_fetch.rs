//! HTTP fetch, and the resource's own say (Cross-Origin-Resource-Policy).

use std::borrow::Cow;

use super::{Fetch, Fetched};
use crate::oracle::{
    defect::Defect,
    grammar, lapses,
    network::Network,
    policy::Embedder,
    request::{Request, Response, Tainting},
    trace::{Algorithm, Trace},
};
use crate::{
    format::{RedirectMode, ResponseType},
    words::Reason,
};

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// HTTP fetch.
    pub(super) fn http_fetch(&mut self, request: &mut Request<'a>, make_preflight: bool) -> Fetched<'a, N::Body> {
        use Algorithm::HttpFetch;
        if let Some(served) = self.handle_fetch(request)? {
            return self.served_by_worker(request, served);
        }
        if make_preflight {
            self.preflight_if_needed(request)?;
        }
        let response = self.http_network_or_cache_fetch(request, false, false, false)?;
        let is_redirect =
            self.lapse(|d| lapses::is_redirect(d, response.status)).unwrap_or_else(|| grammar::is_redirect_status(response.status));
        if request.tainting == Tainting::Cors || self.has(Defect::SameOriginChecked) {
            let skipped = self.lapse(|d| {
                lapses::skips_check(d, request, response.status, is_redirect) || lapses::trusts_cache(d, response.cache_state, is_redirect)
            });
            if !skipped && let Err(reason) = self.cors_check(request, &response, false) {
                let mut failure = self.fail(HttpFetch, "4.4", "the CORS check fails: a network error", reason);
                failure.hidden_status = Some(response.status);
                return Err(failure);
            }
        }
        if self.has(Defect::ErrorStatusBlocked) && response.status >= 400 {
            return Err(Reason::Network.into());
        }
        // Nothing but Resource Timing depends on it.
        if T::ON || self.timed {
            let passed = self.tao_check(request, &response);
            request.timing_allow_failed |= !passed;
            self.timing_failed = !passed;
        }
        let embedded =
            self.env.policies.embedder != Embedder::UnsafeNone && self.has(Defect::CoepForCors) && request.tainting == Tainting::Cors;
        let corp_applies = request.tainting == Tainting::Opaque || self.has(Defect::CorpForCors) || embedded;
        if corp_applies && !self.corp_allows(request, &response) {
            return Err(self.fail(HttpFetch, "5", "Cross-Origin-Resource-Policy blocks the response", Reason::Corp));
        }
        if !is_redirect {
            return Ok(response);
        }
        match request.redirect {
            RedirectMode::Error => Err(self.fail(HttpFetch, "6.3", "redirect mode error, and a redirect", Reason::RedirectError)),
            RedirectMode::Manual => {
                self.note(HttpFetch, "6.3", "redirect mode manual: an opaque-redirect filtered response");
                Ok(Response { kind: ResponseType::OpaqueRedirect, ..response })
            }
            RedirectMode::Follow => self.http_redirect_fetch(request, response),
        }
    }

    /// Cross-origin resource policy check, with the embedder policy `unsafe-none`.
    pub(super) fn corp_allows(&mut self, request: &Request<'a>, response: &Response<'a, N::Body>) -> bool {
        use Algorithm::CorpCheck;
        if self.has(Defect::CorpIgnored) {
            return true;
        }
        let stated = self
            .lapse(|d| lapses::corp(d, &response.headers))
            .map(Cow::Owned)
            .or_else(|| response.headers.get("Cross-Origin-Resource-Policy"))
            .filter(|policy| matches!(&policy[..], b"same-origin" | b"same-site" | b"cross-origin") || self.has(Defect::CorpUnknownBlocks));
        // Step 4. Under credentialless no credentials went out with what is opaque, so the policy stays null.
        let demanded = self.env.policies.embedder == Embedder::RequireCorp && !self.has(Defect::CoepIgnored);
        let Some(policy) = stated.or_else(|| demanded.then(|| Cow::Borrowed(&b"same-origin"[..]))) else { return true };
        let (origin, url) = (self.origin(), request.url());
        let site = || {
            let schemes = origin.scheme() == Some("https") || url.scheme() != "https";
            origin.is_schemelessly_same_site(url) && schemes
        };
        let (allowed, step) = match &policy[..] {
            b"same-origin" => (origin.is_same(url) || self.has(Defect::CorpSameOriginIsSite) && site(), "5"),
            b"same-site" => (if self.has(Defect::CorpSameSiteIsOrigin) { origin.is_same(url) } else { site() }, "5"),
            b"cross-origin" => (true, "5"),
            _ => (false, "3"),
        };
        self.compare(CorpCheck, step, if allowed { "allowed" } else { "blocked" }, origin.serialized().as_bytes(), Some(&policy));
        allowed
    }
}
