//! Header fields that the user agent adds (Fetch, append a request Origin header; Referrer Policy; Fetch Metadata; cookies).

use super::Fetch;
use crate::format::Mode;
use crate::oracle::{
    cookies::SameSiteMode,
    defect::Defect,
    headers::HeaderList,
    lapses,
    network::Network,
    origin::{Origin, Relation, is_potentially_trustworthy},
    request::{Destination, Referrer, ReferrerPolicy, Request, Shown, Taint, Tainting},
    trace::{Algorithm, Trace},
};

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// Append a request `Origin` header.
    pub(super) fn append_origin(&mut self, request: &Request<'a>, headers: &mut HeaderList<'a>, is_preflight: bool) {
        use Algorithm::OriginHeader;
        let mut origin = self.serialized_origin(request);
        let is_websocket = request.mode == Mode::Websocket && !self.has(Defect::WebSocketNoOrigin);
        let cors = request.tainting == Tainting::Cors || is_websocket;
        let unsafe_method = !matches!(&*request.method, "GET" | "HEAD");
        if is_preflight && self.has(Defect::PreflightNoOrigin)
            || self.has(Defect::OriginMissing)
            || self.has(Defect::OriginNotOnPreflightedGet) && !is_preflight
            || self.has(Defect::OriginNotSameOriginPost) && request.tainting == Tainting::Basic
        {
            return;
        }
        if cors {
            let says = if T::ON {
                format!("{}: Origin: {origin}", if is_websocket { "mode websocket" } else { "response tainting cors" })
            } else {
                String::new()
            };
            self.note(OriginHeader, "3", says);
            if self.has(Defect::OriginCorsPolicy) && request.referrer_policy == Some(ReferrerPolicy::NoReferrer) {
                origin = "null";
            }
        } else if unsafe_method {
            if request.mode != Mode::Cors && !self.has(Defect::OriginPolicyIgnored) && self.policy_hides_origin(request) {
                self.note(OriginHeader, "4.1", "the referrer policy hides the origin");
                origin = "null";
            }
            let says = if T::ON { format!("the method is neither GET nor HEAD: Origin: {origin}") } else { String::new() };
            self.note(OriginHeader, "4.2", says);
        } else if !(self.has(Defect::OriginAlways) || self.has(Defect::NoCorsOrigin) && request.tainting == Tainting::Opaque) {
            return;
        }
        match self.lapse(|d| lapses::origin_value(d, origin, &self.env.url)) {
            Some(other) => self.add(headers, "Origin", other.into_bytes()),
            None => self.add(headers, "Origin", origin.as_bytes()),
        }
    }

    /// Append a request `Origin` header, step 4.1.
    pub(super) fn policy_hides_origin(&self, request: &Request<'a>) -> bool {
        use ReferrerPolicy::{NoReferrer, NoReferrerWhenDowngrade, SameOrigin, StrictOrigin, StrictOriginWhenCrossOrigin};
        match request.referrer_policy.unwrap_or(self.env.referrer_policy) {
            NoReferrer => true,
            NoReferrerWhenDowngrade | StrictOrigin | StrictOriginWhenCrossOrigin => {
                self.env.origin.scheme() == Some("https") && request.url().scheme() != "https"
            }
            SameOrigin => !self.env.origin.is_same(request.url()),
            _ => false,
        }
    }

    /// Determine request's referrer (Referrer Policy, section 8.3), in main fetch, step 9.
    ///
    /// What one hop has cut off is gone for the next ones: the request's referrer is the source of its next referrer.
    pub(super) fn determine_referrer(&self, request: &Request<'a>) -> Referrer<'a> {
        use ReferrerPolicy::{
            NoReferrer, NoReferrerWhenDowngrade, Origin as OriginOnly, OriginWhenCrossOrigin, SameOrigin, StrictOrigin,
            StrictOriginWhenCrossOrigin, UnsafeUrl,
        };
        // Step 3.
        let (source, shown) = match request.referrer {
            Referrer::None => return Referrer::None,
            Referrer::Client if self.env.is_window && self.env.origin == Origin::Opaque => return Referrer::None,
            Referrer::Client => (&self.env.referrer, Shown::Full),
            Referrer::Url(source, shown) => (source, shown),
        };
        let url = request.url();
        let same = || source.from.is_same(url);
        let downgrade = || source.is_trustworthy && !is_potentially_trustworthy(url);
        // Step 8.
        let shown = match request.referrer_policy.unwrap_or(self.env.referrer_policy) {
            _ if self.has(Defect::ReferrerFull) => Shown::Full,
            UnsafeUrl => shown,
            NoReferrer => return Referrer::None,
            OriginOnly => Shown::Origin,
            SameOrigin | StrictOriginWhenCrossOrigin | OriginWhenCrossOrigin if same() => shown,
            SameOrigin => return Referrer::None,
            OriginWhenCrossOrigin => Shown::Origin,
            StrictOrigin | StrictOriginWhenCrossOrigin | NoReferrerWhenDowngrade if downgrade() => return Referrer::None,
            StrictOrigin | StrictOriginWhenCrossOrigin => Shown::Origin,
            NoReferrerWhenDowngrade => shown,
        };
        Referrer::Url(source, shown)
    }

    /// Append the Fetch metadata headers (Fetch Metadata, section 2).
    pub(super) fn append_fetch_metadata(&self, request: &Request<'a>, headers: &mut HeaderList<'a>, is_preflight: bool) {
        let trustworthy = is_potentially_trustworthy(request.url()) || self.has(Defect::SecFetchAlways);
        if !trustworthy || self.has(Defect::SecFetchMissing) {
            return;
        }
        let origin = &self.env.origin;
        let last = self.has(Defect::SecFetchSiteLast);
        let farthest = if last { origin.relation(request.url()) } else { origin.relation(request.urls.first()).max(request.farthest) };
        let site = match farthest {
            Relation::SameOrigin => "same-origin",
            Relation::SameSite if !self.has(Defect::SecFetchSite) => "same-site",
            Relation::SameSite | Relation::CrossSite => "cross-site",
        };
        if !self.has(Defect::SecFetchDest) {
            let destination = if self.has(Defect::SecFetchDestEmpty) { Destination::Empty } else { request.destination };
            self.add(headers, "Sec-Fetch-Dest", destination.word().as_bytes());
        }
        let mode = match request.mode {
            _ if is_preflight && self.has(Defect::PreflightMode) => "no-cors",
            Mode::Cors => "cors",
            Mode::NoCors => "no-cors",
            Mode::SameOrigin => "same-origin",
            Mode::Navigate => "navigate",
            Mode::Websocket => "websocket",
        };
        self.add(headers, "Sec-Fetch-Mode", mode.as_bytes());
        self.add(headers, "Sec-Fetch-Site", site.as_bytes());
        if self.has(Defect::SecFetchUser) {
            self.add(headers, "Sec-Fetch-User", &b"?1"[..]);
        }
    }

    /// Determine the same-site mode.
    ///
    /// Step 2 compares the URL's site with that of a top-level navigation's initiator alone, so by the text a request of a page of
    /// one site to another site is "strict-or-less": a gap. RFC 6265bis, section 5.2, compares the site of the page with the URL
    /// as well, and so does this.
    pub(super) fn same_site_mode(&self, request: &Request<'a>) -> SameSiteMode {
        let strict = !self.env.has_cross_site_ancestor && request.taint != Taint::CrossSite && self.env.origin.is_same_site(request.url());
        let only_own = self.has(Defect::CookiesStrictOnlySameOrigin) && !self.env.origin.is_same(request.url());
        if (strict && !only_own) || self.has(Defect::CookiesIgnoreSameSite) {
            SameSiteMode::StrictOrLess
        } else {
            SameSiteMode::UnsetOrLess
        }
    }

    /// Whether cookies are disabled for a request (append a request `Cookie` header, step 1).
    pub(super) fn disables_cookies(&self, request: &Request<'a>) -> bool {
        !self.ua.settings.third_party_cookies && !self.env.page_origin.is_same_site(request.url())
    }

    /// Append a request `Cookie` header.
    pub(super) fn append_cookies(&mut self, request: &Request<'a>, headers: &mut HeaderList<'a>) {
        if self.ua.cookies.is_empty() || self.has(Defect::CookiesNever) || self.disables_cookies(request) {
            return;
        }
        let mode = self.same_site_mode(request);
        let now = self.net.now_ms();
        let url = request.url();
        let value = match self.lapse(|d| lapses::cookies(d, &self.ua.cookies, url)) {
            Some(all) => all,
            None => self.ua.cookies.retrieve(url.scheme() == "https", url.host_str().unwrap_or_default(), url.path(), mode, now),
        };
        if let Some(value) = value {
            self.note(Algorithm::CookieHeader, "8", "cookies are added");
            self.add(headers, "Cookie", value);
        }
    }

    /// Parse and store response `Set-Cookie` headers.
    pub(super) fn store_cookies(&mut self, request: &Request<'a>, headers: &HeaderList<'a>) {
        if !headers.contains("Set-Cookie") || self.disables_cookies(request) {
            return;
        }
        if self.has(Defect::CookiesNotStored) && !self.env.origin.is_same(request.url()) {
            return;
        }
        if self.has(Defect::CookiesNotIfBlocked) && request.tainting == Tainting::Cors && !headers.contains("Access-Control-Allow-Origin") {
            return;
        }
        let strict = matches!(self.same_site_mode(request), SameSiteMode::StrictOrLess);
        let now = self.net.now_ms();
        let url = request.url();
        let (secure, host) = (url.scheme() == "https", url.host_str().unwrap_or_default());
        self.note(Algorithm::HttpNetworkFetch, "17", "with credentials: Set-Cookie is parsed and stored");
        for value in headers.values("Set-Cookie") {
            self.ua.cookies.store(value, secure, host, url.path(), strict, now);
        }
    }
}
