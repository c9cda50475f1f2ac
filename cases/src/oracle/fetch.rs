//! Fetching (Fetch, section 4): main fetch and everything it calls, step by step.
//!
//! Whatever a step of the standard does that no page and no server can notice (tasks, parallelism, timing, reports) is left out.
//! Branches name the step they stand for; those that belong to a seeded [`Defect`] name the defect.

use std::borrow::Cow;

use url::Url;

use super::{
    cookies::SameSiteMode,
    defect::{Defect, Defects},
    grammar::{self, Extracted},
    headers::{HeaderList, trim_tab_or_space},
    lapses,
    network::{Fault, Limits, Network, Outgoing},
    origin::{Origin, Relation, includes_credentials, is_bad_port, is_http, is_potentially_trustworthy, same_origin},
    preflight_cache::{Grant, Key},
    request::{Ending, Environment, Exposed, Failure, Referrer, ReferrerPolicy, Request, Response, Shown, Source, Taint, Tainting},
    safelist,
    trace::{Algorithm, Compared, PathStep, Trace},
    user_agent::UserAgent,
};
use crate::{
    format::{CacheMode, Credentials, Mode, RedirectMode, ResponseType},
    text::escape,
    words::Reason,
};

/// The most redirects of one request (HTTP-redirect fetch, step 7).
const MOST_REDIRECTS: u32 = 20;

/// The most bytes of bodies that requests may carry which outlive their page (HTTP-network-or-cache fetch, step 8.10.5).
const MOST_KEEPALIVE_BYTES: usize = 64 * 1024;

/// One fetch under way. `SEEDED` says whether the user agent has defects: where it has none, the compiler leaves no branch of them.
pub(super) struct Fetch<'u, 'a, N, T, const SEEDED: bool> {
    pub(super) ua: &'u mut UserAgent,
    pub(super) env: &'a Environment,
    pub(super) net: &'u mut N,
    pub(super) trace: &'u mut T,
    pub(super) limits: Limits,
    /// Whether the body of the actual request was handed to the network: what upload events tell.
    pub(super) transmitted: bool,
}

type Fetched<'a, B> = Result<Response<'a, B>, Failure>;

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    #[inline]
    fn has(&self, defect: Defect) -> bool {
        SEEDED && self.ua.defects.has(defect)
    }

    #[inline]
    pub(super) fn defects(&self) -> Defects {
        if SEEDED { self.ua.defects } else { Defects::NONE }
    }

    /// What defects make of something: nothing, where there are none.
    #[inline]
    fn lapse<R: Default>(&self, lapse: impl FnOnce(&Defects) -> R) -> R {
        if SEEDED { lapse(&self.ua.defects) } else { R::default() }
    }

    /// Keeps a step of the path, when somebody wants it.
    pub(super) fn note(&mut self, algorithm: Algorithm, step: &'static str, says: impl Into<Cow<'static, str>>) {
        if T::ON {
            self.trace.push(PathStep { algorithm, step, says: says.into(), compared: None, decides: false });
        }
    }

    /// Keeps a step that compared two values.
    fn compare(&mut self, algorithm: Algorithm, step: &'static str, says: &'static str, wanted: &[u8], found: Option<&[u8]>) {
        if T::ON {
            let found = found.map_or_else(|| "nothing".to_owned(), |f| format!("`{}`", escape(f)));
            let compared = Some(Compared { wanted: format!("`{}`", escape(wanted)), found });
            self.trace.push(PathStep { algorithm, step, says: says.into(), compared, decides: false });
        }
    }

    /// Keeps the step that ended the request.
    pub(super) fn fail(&mut self, algorithm: Algorithm, step: &'static str, says: impl Into<Cow<'static, str>>, reason: Reason) -> Failure {
        if T::ON {
            self.trace.push(PathStep { algorithm, step, says: says.into(), compared: None, decides: true });
        }
        Failure::from(reason)
    }

    /// Main fetch, given no response yet.
    pub(super) fn main_fetch(&mut self, request: &mut Request<'a>, recursive: bool) -> Fetched<'a, N::Body> {
        use Algorithm::MainFetch;
        if is_bad_port(request.url()) {
            return Err(self.fail(MainFetch, "7", "the port of the URL is a bad port", Reason::BadPort));
        }
        if self.is_mixed_content(request.url()) {
            return Err(self.fail(MainFetch, "7", "a secure page may not fetch from an insecure URL", Reason::BlockedByPolicy));
        }
        if request.referrer_policy.is_none() {
            request.referrer_policy = Some(self.env.referrer_policy);
        }
        request.referrer = self.determine_referrer(request);
        let response = match self.dispatch(request) {
            Err(failure) if self.has(Defect::NetworkErrorEmpty) && matches!(failure.reason, Reason::Network | Reason::PreflightFailed) => {
                request.tainting = Tainting::Basic;
                Ok(empty())
            }
            response => response,
        };
        if recursive {
            return response;
        }
        let mut response = response?;
        self.filter(request, &mut response);
        if response.kind == ResponseType::Opaque
            && matches!(response.status, 206 | 416)
            && response.range_requested
            && !request.headers.contains("Range")
        {
            return Err(self.fail(MainFetch, "21", "a partial opaque response that the request did not ask for", Reason::Network));
        }
        let no_body = matches!(&*request.method, "HEAD" | "CONNECT") || grammar::is_null_body_status(response.status);
        if no_body && !self.has(Defect::NullBodyShown) {
            self.note(MainFetch, "22", "the method or the status leaves no body");
            response.body = Source::Null;
        }
        Ok(response)
    }

    /// Main fetch, step 12.
    fn dispatch(&mut self, request: &mut Request<'a>) -> Fetched<'a, N::Body> {
        use Algorithm::MainFetch;
        let url = request.url();
        let origin = self.origin();
        let same = origin.is_same(url) || self.lapse(|d| lapses::is_own(d, origin, url));
        let home = request.tainting == Tainting::Basic || self.has(Defect::RedirectHomeReadable);
        if (same && home) || url.scheme() == "data" && !self.has(Defect::DataOpaque) && !self.has(Defect::DataBlocked) {
            self.note(MainFetch, "12", if same { "same origin: basic" } else { "a data: URL: basic" });
            request.tainting = Tainting::Basic;
            if same && self.has(Defect::PreflightSameOrigin) && self.needs_preflight(request) {
                return self.http_fetch(request, true);
            }
            return self.scheme_fetch(request);
        }
        if url.scheme() == "data" && self.has(Defect::DataOpaque) {
            request.tainting = Tainting::Opaque;
            return self.scheme_fetch(request);
        }
        if self.has(Defect::AboutAllowed) && request.url().scheme() == "about" {
            return Ok(empty());
        }
        if request.mode == Mode::SameOrigin && !self.has(Defect::SameOriginIgnored) {
            let left = request.redirects > 0 && self.has(Defect::RedirectModeSameOriginLeaves);
            if !left {
                return Err(self.fail(MainFetch, "12", "mode same-origin, and the URL is of another origin", Reason::ModeSameOrigin));
            }
        }
        if request.mode == Mode::NoCors {
            if request.redirect != RedirectMode::Follow && !self.has(Defect::NoCorsRedirectModes) {
                let says = "mode no-cors, another origin, and a redirect mode that is not follow";
                return Err(self.fail(MainFetch, "12", says, Reason::NoCorsRedirectMode));
            }
            self.note(MainFetch, "12", "mode no-cors and another origin: opaque");
            request.tainting = if self.has(Defect::NoCorsBlocked) { Tainting::Cors } else { Tainting::Opaque };
            return self.scheme_fetch(request);
        }
        if !is_http(request.url()) {
            if self.has(Defect::SchemesAllowed) {
                return Ok(empty());
            }
            return Err(self.fail(MainFetch, "12", "the scheme is no HTTP(S) scheme", Reason::SchemeNotAllowed));
        }
        let preflight = self.needs_preflight(request);
        request.tainting = Tainting::Cors;
        if !preflight {
            self.note(MainFetch, "12", "another origin: cors, without a preflight");
            return self.http_fetch(request, false);
        }
        let response = self.http_fetch(request, true);
        if response.is_err() && !self.has(Defect::CacheNeverClears) && !self.has(Defect::CacheFailures) {
            self.note(MainFetch, "12", "a network error clears the CORS-preflight cache of this origin and URL");
            if self.has(Defect::CacheClearsAll) {
                self.ua.cache.forget();
            }
            let origin = self.serialized_origin(request);
            self.ua.cache.clear(origin, request.url().as_str());
        }
        response
    }

    /// The request's origin, which a defect may take from the page around an opaque origin.
    fn origin(&self) -> &'a Origin {
        if self.has(Defect::OpaqueOriginIsHost) { &self.env.page_origin } else { &self.env.origin }
    }

    /// Main fetch, step 12: whether a CORS request needs a preflight, and why.
    fn needs_preflight(&mut self, request: &Request<'a>) -> bool {
        use Algorithm::MainFetch;
        if let Some(forced) = self.lapse(|d| lapses::forces_preflight(d, self.origin(), request)) {
            return forced;
        }
        if request.use_cors_preflight {
            self.note(MainFetch, "12", "another origin: cors, and the use-CORS-preflight flag asks for a preflight");
            return true;
        }
        if !self.is_safelisted_method(&request.method) {
            self.note(MainFetch, "12", "another origin: cors, and the method is not CORS-safelisted: a preflight");
            return true;
        }
        if !self.has_unsafe_names(request) || self.has(Defect::PreflightNotForHeaders) {
            return false;
        }
        if T::ON {
            let names = self.unsafe_names(request).join(",");
            self.note(Algorithm::UnsafeNames, "6", format!("unsafe: {names}"));
            self.note(MainFetch, "12", "another origin: cors, and unsafe request headers: a preflight");
        }
        true
    }

    fn is_safelisted_method(&self, method: &str) -> bool {
        self.lapse(|d| lapses::method_is_safe(d, method)).unwrap_or_else(|| safelist::is_cors_safelisted_method(method))
    }

    fn unsafe_names<'r>(&self, request: &'r Request<'a>) -> Vec<Cow<'r, str>> {
        self.lapse(|d| lapses::unsafe_names(d, &request.headers)).unwrap_or_else(|| safelist::unsafe_names(&request.headers))
    }

    fn has_unsafe_names(&self, request: &Request<'a>) -> bool {
        if SEEDED { !self.unsafe_names(request).is_empty() } else { safelist::has_unsafe_names(&request.headers) }
    }

    /// Serializing a request origin.
    fn serialized_origin(&self, request: &Request<'a>) -> &'a str {
        let tainted = match request.taint {
            Taint::SameOrigin => {
                self.has(Defect::RedirectTaintEarly) && request.urls.iter().any(|u| !self.env.origin.is_same(u)) && request.redirects > 0
            }
            Taint::SameSite | Taint::CrossSite => !self.has(Defect::RedirectNoTaint),
        };
        if tainted { "null" } else { self.origin().serialized() }
    }

    /// Scheme fetch.
    fn scheme_fetch(&mut self, request: &mut Request<'a>) -> Fetched<'a, N::Body> {
        use Algorithm::SchemeFetch;
        match request.url().scheme() {
            "http" | "https" => self.http_fetch(request, false),
            "about" if request.url().path() == "blank" => {
                self.note(SchemeFetch, "3", "about:blank is an empty document");
                let mut response = empty();
                response.headers.append("Content-Type", &b"text/html;charset=utf-8"[..]);
                Ok(response)
            }
            "data" => match data_url::DataUrl::process(request.url().as_str())
                .ok()
                .and_then(|d| Some((d.mime_type().to_string(), d.decode_to_vec().ok()?.0)))
            {
                Some((mime, bytes)) => {
                    self.note(SchemeFetch, "3", "the data: URL is its own response");
                    let mut response = empty();
                    response.headers.append("Content-Type", mime.into_bytes());
                    response.body = Source::Bytes(Cow::Owned(bytes));
                    Ok(response)
                }
                None => Err(self.fail(SchemeFetch, "3", "the data: URL cannot be processed", Reason::Network)),
            },
            _ if self.has(Defect::SchemesAllowed) => Ok(empty()),
            // Of blob: URLs only those can be named that no store holds: an entry of null.
            "blob" => Err(self.fail(SchemeFetch, "3", "there is no entry for the blob: URL", Reason::SchemeNotAllowed)),
            _ => Err(self.fail(SchemeFetch, "4", "the scheme cannot be fetched", Reason::SchemeNotAllowed)),
        }
    }

    /// HTTP fetch, without service workers.
    fn http_fetch(&mut self, request: &mut Request<'a>, make_preflight: bool) -> Fetched<'a, N::Body> {
        use Algorithm::HttpFetch;
        if make_preflight {
            self.preflight_if_needed(request)?;
        }
        let response = self.http_network_or_cache_fetch(request, false, false, false)?;
        let is_redirect =
            self.lapse(|d| lapses::is_redirect(d, response.status)).unwrap_or_else(|| grammar::is_redirect_status(response.status));
        if request.tainting == Tainting::Cors || self.has(Defect::SameOriginChecked) {
            let skipped = self.lapse(|d| lapses::skips_check(d, request, response.status, is_redirect));
            if !skipped && let Err(reason) = self.cors_check(request, &response, false) {
                let mut failure = self.fail(HttpFetch, "4.4", "the CORS check fails: a network error", reason);
                failure.hidden_status = Some(response.status);
                return Err(failure);
            }
        }
        if self.has(Defect::ErrorStatusBlocked) && response.status >= 400 {
            return Err(Reason::Network.into());
        }
        // Nothing that a page or a server sees depends on it.
        if T::ON && !self.tao_check(request, &response) {
            request.timing_allow_failed = true;
        }
        let corp_applies = request.tainting == Tainting::Opaque || self.has(Defect::CorpForCors);
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

    /// HTTP fetch, step 4.1.
    fn preflight_if_needed(&mut self, request: &Request<'a>) -> Result<(), Failure> {
        use Algorithm::HttpFetch;
        if request.redirects > 0 && self.has(Defect::RedirectNoPreflight) {
            return Ok(());
        }
        if !self.ua.settings.keeps_preflights {
            self.ua.cache.forget();
        }
        let now = self.net.now_ms();
        let key = Key { origin: self.serialized_origin(request), url: request.url().as_str(), include: request.includes() };
        let (cache, defects) = (&self.ua.cache, &self.defects());
        let needs_method = !self.is_safelisted_method(&request.method) || request.use_cors_preflight || self.has(Defect::PreflightAlways);
        let method = needs_method && !cache.has_method(&request.method, key, now, defects);
        let names = self.unsafe_names(request);
        let header = names.iter().any(|name| !cache.has_header(name, key, now, defects));
        if !method && !header {
            self.note(HttpFetch, "4.1", "the CORS-preflight cache has entries for all of it: no preflight");
            return Ok(());
        }
        self.note(HttpFetch, "4.1", "the CORS-preflight cache does not grant all of it: a preflight");
        self.cors_preflight_fetch(request, &names)
    }

    /// CORS-preflight fetch.
    fn cors_preflight_fetch(&mut self, request: &Request<'a>, names: &[Cow<'_, str>]) -> Result<(), Failure> {
        use Algorithm::CorsPreflightFetch;
        let mut preflight = Request::new(request.urls.first().clone());
        if request.urls.is_redirected() {
            preflight.urls = request.urls.clone();
        }
        preflight.method = Cow::Borrowed("OPTIONS");
        preflight.referrer = request.referrer;
        preflight.referrer_policy = request.referrer_policy;
        preflight.tainting = Tainting::Cors;
        preflight.taint = request.taint;
        if !self.has(Defect::PreflightNoAccept) {
            preflight.headers.push("Accept", &b"*/*"[..]);
        }
        let method = if SEEDED { lapses::preflight_method(&self.ua.defects, &request.method) } else { Some(request.method.clone()) };
        if let Some(method) = method {
            preflight.headers.push("Access-Control-Request-Method", as_bytes(method));
        }
        let listed = match SEEDED {
            true => lapses::request_headers_value(&self.ua.defects, &request.headers, names),
            false => (!names.is_empty()).then(|| names.join(",")),
        };
        if let Some(value) = listed {
            preflight.headers.push("Access-Control-Request-Headers", value.into_bytes());
        }
        if SEEDED {
            lapses::spoil_preflight(&self.ua.defects, request, &mut preflight);
        }
        self.note(CorsPreflightFetch, "6", "the preflight goes to the wire, without credentials");
        let answer = self.http_network_or_cache_fetch(&mut preflight, false, false, true);
        let mut response = match answer {
            Ok(response) => response,
            Err(_) if self.has(Defect::PreflightFailureIgnored) => return Ok(()),
            Err(failure) if failure.end == Ending::Error => {
                return Err(self.fail(CorsPreflightFetch, "8", "the preflight got no response: a network error", Reason::PreflightFailed));
            }
            Err(failure) => return Err(failure),
        };
        if self.has(Defect::PreflightRedirectFollowed) {
            while grammar::is_redirect_status(response.status)
                && let Some(Ok(next)) = location_url(&response, preflight.url())
                && is_http(&next)
                && preflight.redirects < MOST_REDIRECTS
            {
                preflight.redirects += 1;
                preflight.urls.push(next);
                response = self.http_network_or_cache_fetch(&mut preflight, false, false, true)?;
            }
        }
        let granted = self.judge_preflight(request, names, &response);
        if granted.is_err() && self.has(Defect::CacheFailures) {
            self.store_grants(request, &response, &[&*request.method], &borrowed(names));
        }
        granted
    }

    /// CORS-preflight fetch, steps 7 and 8.
    fn judge_preflight(
        &mut self,
        request: &Request<'a>,
        unsafe_names: &[Cow<'_, str>],
        response: &Response<'a, N::Body>,
    ) -> Result<(), Failure> {
        use Algorithm::CorsPreflightFetch;
        let redirected = grammar::is_redirect_status(response.status);
        if !self.has(Defect::PreflightNotChecked) {
            self.cors_check(request, response, true).map_err(|reason| {
                self.fail(CorsPreflightFetch, "8", "the CORS check fails on the preflight's answer: a network error", reason)
            })?;
        }
        let ok = match response.status {
            200 | 204 => true,
            _ if self.has(Defect::PreflightOnly200) => false,
            _ if redirected => self.has(Defect::PreflightRedirectOk),
            status => grammar::is_ok_status(status) || self.has(Defect::PreflightAnyStatus),
        };
        if !ok {
            let reason = if redirected { Reason::PreflightRedirect } else { Reason::PreflightNotOk };
            let says = if T::ON { format!("the preflight's status {} is not an ok status", response.status) } else { String::new() };
            return Err(self.fail(CorsPreflightFetch, "8", says, reason));
        }
        let methods = self.list(&response.headers, "Access-Control-Allow-Methods");
        let names = self.list(&response.headers, "Access-Control-Allow-Headers");
        let methods = match methods {
            Err(()) => {
                let says = "Access-Control-Allow-Methods is not a list of methods";
                return Err(self.fail(CorsPreflightFetch, "7.3", says, Reason::AllowMethodsMalformed));
            }
            Ok(methods) => methods,
        };
        let names = match names {
            Err(()) => {
                let says = "Access-Control-Allow-Headers is not a list of field names";
                return Err(self.fail(CorsPreflightFetch, "7.3", says, Reason::AllowHeadersMalformed));
            }
            Ok(names) => names.unwrap_or_default(),
        };
        let methods = match methods {
            None if request.use_cors_preflight && !self.has(Defect::CacheForcedUnlisted) => {
                self.note(CorsPreflightFetch, "7.4", "the preflight was forced and lists no methods: the request's own counts as listed");
                vec![&*request.method]
            }
            methods => methods.unwrap_or_default(),
        };
        self.judge_grants(request, unsafe_names, &methods, &names)?;
        if self.has(Defect::CacheOnlyAsked) {
            self.store_grants(request, response, &[&*request.method], &borrowed(unsafe_names));
        } else {
            self.store_grants(request, response, &methods, &names);
        }
        Ok(())
    }

    /// CORS-preflight fetch, steps 7.5 to 7.7.
    fn judge_grants(
        &mut self,
        request: &Request<'a>,
        unsafe_names: &[Cow<'_, str>],
        methods: &[&str],
        names: &[&str],
    ) -> Result<(), Failure> {
        use Algorithm::CorsPreflightFetch;
        let defects = self.defects();
        let include = request.includes();
        let method = &*request.method;
        let listed = methods.iter().any(|m| *m == method || defects.has(Defect::MethodsIgnoreCase) && m.eq_ignore_ascii_case(method));
        let wildcard = methods.contains(&"*")
            && (!include || defects.has(Defect::MethodsWildcardCredentials))
            && !defects.has(Defect::MethodsWildcardNever);
        let safe = safelist::is_cors_safelisted_method(method) && !defects.has(Defect::MethodsSimpleDemanded);
        if T::ON {
            self.compare(
                CorsPreflightFetch,
                "7.5",
                "the method must be listed or safelisted",
                method.as_bytes(),
                Some(methods.join(", ").as_bytes()),
            );
        }
        if !listed && !safe && !wildcard && !defects.has(Defect::MethodsIgnored) {
            return Err(self.fail(
                CorsPreflightFetch,
                "7.5",
                "Access-Control-Allow-Methods does not list the method",
                Reason::MethodNotAllowed,
            ));
        }
        let lists = |name: &str| {
            names.iter().any(|n| match () {
                () if defects.has(Defect::HeadersCaseSensitive) => *n == name,
                () if defects.has(Defect::HeadersPrefix) => {
                    name.len() >= n.len() && name.as_bytes()[..n.len()].eq_ignore_ascii_case(n.as_bytes())
                }
                () => n.eq_ignore_ascii_case(name),
            })
        };
        let non_wildcard = request.headers.iter().find(|h| safelist::is_non_wildcard_name(&h.name) && !lists(&h.name));
        if let Some(header) = non_wildcard
            && !defects.has(Defect::WildcardCoversAuthorization)
            && !defects.has(Defect::HeadersIgnored)
        {
            let says = if T::ON { format!("{} must be listed by name: `*` does not cover it", header.name) } else { String::new() };
            return Err(self.fail(CorsPreflightFetch, "7.6", says, Reason::HeaderNotAllowed));
        }
        let wildcard = names.contains(&"*")
            && (!include || defects.has(Defect::HeadersWildcardCredentials))
            && !defects.has(Defect::HeadersWildcardNever);
        let is_listed = |name: &str| {
            let cased = request.headers.iter().find(|h| defects.has(Defect::HeadersCaseSensitive) && h.name.eq_ignore_ascii_case(name));
            wildcard || lists(cased.map_or(name, |h| &h.name))
        };
        let missing = if defects.has(Defect::HeadersSafelistedDemanded) {
            request.headers.iter().map(|h| &*h.name).find(|n| !is_listed(n))
        } else {
            unsafe_names.iter().map(|n| &**n).find(|n| !is_listed(n))
        };
        if T::ON && (!names.is_empty() || missing.is_some()) {
            let found = names.join(", ");
            self.compare(
                CorsPreflightFetch,
                "7.7",
                "every unsafe name must be listed",
                missing.unwrap_or("all of them").as_bytes(),
                Some(found.as_bytes()),
            );
        }
        match missing {
            Some(name) if !defects.has(Defect::HeadersIgnored) => {
                let says = if T::ON { format!("Access-Control-Allow-Headers does not list {name}") } else { String::new() };
                Err(self.fail(CorsPreflightFetch, "7.7", says, Reason::HeaderNotAllowed))
            }
            _ => Ok(()),
        }
    }

    /// CORS-preflight fetch, steps 7.8 to 7.15.
    fn store_grants(&mut self, request: &Request<'a>, response: &Response<'a, N::Body>, methods: &[&str], names: &[&str]) {
        use Algorithm::CorsPreflightFetch;
        if self.has(Defect::CacheNone) {
            return;
        }
        let max_age =
            self.lapse(|d| lapses::max_age(d, &response.headers)).unwrap_or_else(|| grammar::max_age(&response.headers).unwrap_or(5));
        let max_age = max_age.min(self.ua.settings.max_age_limit);
        if T::ON {
            self.note(CorsPreflightFetch, "7.12", format!("the grants are stored for {max_age} s"));
        }
        let now = self.net.now_ms();
        let key = Key { origin: self.serialized_origin(request), url: request.url().as_str(), include: request.includes() };
        let methods = methods.iter().map(|m| Grant::Method((*m).to_owned()));
        let names = names.iter().map(|n| Grant::Header((*n).to_owned()));
        let defects = self.defects();
        self.ua.cache.store(methods.chain(names), key, max_age, now, &defects);
    }

    /// CORS check; `Err` holds why it fails.
    fn cors_check(&mut self, request: &Request<'a>, response: &Response<'a, N::Body>, on_preflight: bool) -> Result<(), Reason> {
        use Algorithm::CorsCheck;
        let defects = self.defects();
        let include = request.includes();
        let allowed = response.headers.get("Access-Control-Allow-Origin");
        let wanted = self.serialized_origin(request);
        let replaced = self.lapse(|d| lapses::allowed_origin(d, &response.headers));
        let Some(allowed) = replaced.map(Cow::Owned).or(allowed) else {
            if defects.has(Defect::AcaoMissingAllowed) || defects.has(Defect::CorsCheckMissing) {
                return Ok(());
            }
            self.compare(CorsCheck, "2", "there is no Access-Control-Allow-Origin", wanted.as_bytes(), None);
            return Err(Reason::AcaoMissing);
        };
        let allowed = &*allowed;
        let wildcard = allowed == b"*" || defects.has(Defect::WildcardInList) && allowed.contains(&b'*');
        if wildcard && !defects.has(Defect::WildcardNever) {
            if !include {
                self.note(CorsCheck, "3", "`*`, and the credentials mode is not include: success");
                return if defects.has(Defect::AcacAlwaysDemanded) { self.credentials_allowed(response) } else { Ok(()) };
            }
            if defects.has(Defect::WildcardWithCredentials) {
                return self.credentials_allowed(response);
            }
        }
        let matches = if defects.has(Defect::AcaoNullNever) && allowed == b"null" { false } else { allowed == wanted.as_bytes() };
        if !matches
            && !self.lapse(|d| lapses::accepts_origin(d, wanted, allowed, request.url(), include))
            && !defects.has(Defect::CorsCheckMissing)
        {
            self.compare(CorsCheck, "4", "Access-Control-Allow-Origin is not the request's origin", wanted.as_bytes(), Some(allowed));
            return Err(mismatch(allowed, response.headers.values("Access-Control-Allow-Origin").count(), include));
        }
        if !include && !defects.has(Defect::AcacAlwaysDemanded) {
            self.compare(
                CorsCheck,
                "5",
                "the origin matches, and the credentials mode is not include: success",
                wanted.as_bytes(),
                Some(allowed),
            );
            return Ok(());
        }
        if on_preflight && defects.has(Defect::PreflightCredentialsNotDemanded) {
            return Ok(());
        }
        self.credentials_allowed(response)
    }

    /// CORS check, steps 6 to 8.
    fn credentials_allowed(&mut self, response: &Response<'a, N::Body>) -> Result<(), Reason> {
        use Algorithm::CorsCheck;
        let credentials = response.headers.get("Access-Control-Allow-Credentials");
        if credentials.as_deref() == Some(b"true") || self.lapse(|d| lapses::accepts_credentials(d, credentials.as_deref())) {
            self.note(CorsCheck, "7", "Access-Control-Allow-Credentials is true: success");
            return Ok(());
        }
        self.compare(CorsCheck, "8", "Access-Control-Allow-Credentials is not true", b"true", credentials.as_deref());
        Err(Reason::AcacNotTrue)
    }

    /// TAO check; whether it succeeds.
    fn tao_check(&mut self, request: &Request<'a>, response: &Response<'a, N::Body>) -> bool {
        if request.timing_allow_failed {
            return false;
        }
        let basic = request.tainting == Tainting::Basic;
        let origin = self.serialized_origin(request);
        let values = response.headers.get_decode_split("Timing-Allow-Origin");
        let listed = values.is_some_and(|values| values.iter().any(|v| v == "*" || v == origin));
        if !listed && !basic {
            self.note(Algorithm::TaoCheck, "8", "neither Timing-Allow-Origin nor the same origin: no timing details");
        }
        listed || basic
    }

    /// Cross-origin resource policy check, with the embedder policy `unsafe-none`.
    fn corp_allows(&mut self, request: &Request<'a>, response: &Response<'a, N::Body>) -> bool {
        use Algorithm::CorpCheck;
        if self.has(Defect::CorpIgnored) {
            return true;
        }
        let Some(policy) = self
            .lapse(|d| lapses::corp(d, &response.headers))
            .map(Cow::Owned)
            .or_else(|| response.headers.get("Cross-Origin-Resource-Policy"))
        else {
            return true;
        };
        let (origin, url) = (self.origin(), request.url());
        let site = || {
            let schemes = origin.scheme() == Some("https") || url.scheme() != "https";
            origin.is_schemelessly_same_site(url) && schemes
        };
        let (allowed, step) = match &policy[..] {
            b"same-origin" => (origin.is_same(url) || self.has(Defect::CorpSameOriginIsSite) && site(), "5"),
            b"same-site" => (if self.has(Defect::CorpSameSiteIsOrigin) { origin.is_same(url) } else { site() }, "5"),
            b"cross-origin" => (true, "5"),
            _ => (!self.has(Defect::CorpUnknownBlocks), "3"),
        };
        self.compare(CorpCheck, step, if allowed { "allowed" } else { "blocked" }, origin.serialized().as_bytes(), Some(&policy));
        allowed
    }

    /// HTTP-redirect fetch.
    fn http_redirect_fetch(&mut self, request: &mut Request<'a>, response: Response<'a, N::Body>) -> Fetched<'a, N::Body> {
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

    /// HTTP-network-or-cache fetch. The HTTP cache holds nothing: a cache may forget at any time.
    fn http_network_or_cache_fetch(
        &mut self,
        request: &mut Request<'a>,
        is_authentication: bool,
        is_new_connection: bool,
        is_preflight: bool,
    ) -> Fetched<'a, N::Body> {
        use Algorithm::HttpNetworkOrCacheFetch;
        let same_site = self.has(Defect::CookiesSameSite) && self.env.origin.is_same_site(request.url());
        let include_credentials = match request.credentials {
            _ if is_preflight => self.has(Defect::PreflightCookies),
            Credentials::Include => true,
            Credentials::SameOrigin => request.tainting == Tainting::Basic || same_site,
            Credentials::Omit => false,
        };
        if T::ON && !is_preflight {
            let says = match (request.credentials, include_credentials) {
                (Credentials::Include, _) => "credentials mode include: with credentials",
                (Credentials::SameOrigin, true) => "credentials mode same-origin, and the page's own origin: with credentials",
                (Credentials::SameOrigin, false) => {
                    "credentials mode same-origin, and the request has left its origin: without credentials"
                }
                (Credentials::Omit, _) => "credentials mode omit: without credentials",
            };
            self.note(HttpNetworkOrCacheFetch, "8.3", says);
        }
        let is_ranged = request.headers.contains("Range");
        let mut headers = request.headers.with_room(10);
        let length = match &request.body {
            Some(body) if body.is_stream => None,
            Some(_) if self.has(Defect::BodyLost) => Some("0"),
            Some(body) => Some(body.length),
            None if matches!(&*request.method, "POST" | "PUT") && !self.has(Defect::BodyLengthMissing) => Some("0"),
            None => None,
        };
        if let Some(length) = length {
            self.add(&mut headers, "Content-Length", length.as_bytes());
        }
        if let Some(body) = &request.body
            && request.keepalive
        {
            // This request is the only one in flight. The text has its own record counted besides (step 8.10.4, as "fetch", step 16,
            // has added it), which would halve the limit: no user agent does that, so a body counts once.
            let most = if self.has(Defect::KeepaliveLimitLess) { MOST_KEEPALIVE_BYTES - 1 } else { MOST_KEEPALIVE_BYTES };
            if body.bytes.len() > most && !self.has(Defect::KeepaliveUnlimited) {
                let says = "keepalive, and the body is longer than 64 KiB";
                return Err(self.fail(HttpNetworkOrCacheFetch, "8.10.5", says, Reason::Network));
            }
        }
        if let Some(referrer) = request.referrer.value()
            && !self.has(Defect::ReferrerNone)
            && !(is_preflight && self.has(Defect::PreflightReferrer))
        {
            self.add(&mut headers, "Referer", referrer.as_bytes());
        }
        self.append_origin(request, &mut headers, is_preflight);
        self.append_fetch_metadata(request, &mut headers, is_preflight);
        if !request.headers.contains("User-Agent") {
            self.add(&mut headers, "User-Agent", self.ua.settings.user_agent.as_bytes());
        }
        self.append_cache_control(request, &mut headers);
        if is_ranged && !self.has(Defect::RangeEncoded) {
            self.add(&mut headers, "Accept-Encoding", &b"identity"[..]);
        }
        if include_credentials || self.has(Defect::CookiesAlways) && !is_preflight {
            self.append_cookies(request, &mut headers);
        }
        if include_credentials && !headers.contains("Authorization") {
            let url = request.url();
            // Authentication entries (steps 8.21.2.2 and 18) are not kept: which later requests one is for, HTTP leaves open.
            if includes_credentials(url) && (is_authentication || self.has(Defect::CredentialsUrlUsed)) {
                headers.append("Authorization", basic(url).into_bytes());
                self.note(HttpNetworkOrCacheFetch, "8.21.2.3", "user and password of the URL become Authorization");
            }
        }
        if self.has(Defect::AuthorizationDropped) && !include_credentials {
            headers.delete("Authorization");
        }
        if request.cache == CacheMode::OnlyIfCached && !self.has(Defect::OnlyIfCachedAllowed) {
            return Err(self.fail(HttpNetworkOrCacheFetch, "11.1", "cache mode only-if-cached, and nothing is cached", Reason::Network));
        }
        let mut response = self.http_network_fetch(request, headers, include_credentials, is_preflight)?;
        response.range_requested = is_ranged;
        if response.status == 401 && request.tainting != Tainting::Cors && include_credentials && self.env.is_window && !is_authentication {
            if request.body.as_ref().is_some_and(|b| b.is_stream) {
                return Err(self.fail(HttpNetworkOrCacheFetch, "15.2", "401, and the body is a stream", Reason::Network));
            }
            // Step 15.3: a person who is asked for a password dismisses the prompt, and the 401 stays. Nobody is asked before the
            // credentials of the URL were tried, if there are any; where a redirect has lost them, the same request goes out twice.
            if request.use_url_credentials {
                self.note(HttpNetworkOrCacheFetch, "15.4", "401: again with the credentials of the URL");
                return self.http_network_or_cache_fetch(request, true, is_new_connection, is_preflight);
            }
        }
        // Where there is somebody to ask for the password of a proxy, the prompt is dismissed, and the 407 stays (step 16.4).
        if response.status == 407 && !self.env.is_window && !is_preflight {
            return Err(self.fail(HttpNetworkOrCacheFetch, "16.1", "407, and there is nobody to ask for a password", Reason::Network));
        }
        let resendable = request.body.as_ref().is_none_or(|b| !b.is_stream);
        if response.status == 421 && !is_new_connection && resendable {
            self.note(HttpNetworkOrCacheFetch, "17.2", "421: again on another connection");
            return self.http_network_or_cache_fetch(request, is_authentication, true, is_preflight);
        }
        Ok(response)
    }

    /// HTTP-network fetch.
    fn http_network_fetch(
        &mut self,
        request: &mut Request<'a>,
        headers: HeaderList<'a>,
        include_credentials: bool,
        is_preflight: bool,
    ) -> Fetched<'a, N::Body> {
        use Algorithm::HttpNetworkFetch;
        let streams = request.body.as_ref().is_some_and(|b| b.is_stream);
        let body = request.body.filter(|_| !self.has(Defect::BodyLost));
        let outgoing = Outgoing {
            url: request.urls.last(),
            method: &request.method,
            headers,
            body: body.map(|b| b.bytes),
            streams,
            is_preflight,
            limits: if self.has(Defect::AbortIgnored) { Limits::default() } else { self.limits },
            defects: &self.ua.defects,
        };
        let incoming = match self.net.exchange(outgoing) {
            Ok(incoming) => incoming,
            Err(Fault::StreamOverHttp1) => {
                return Err(self.fail(HttpNetworkFetch, "8.3", "a stream cannot be sent over HTTP/1.x", Reason::Network));
            }
            Err(Fault::Aborted) => {
                self.transmitted |= !is_preflight;
                let failure = self.fail(HttpNetworkFetch, "9", "the page aborted", Reason::Aborted);
                return Err(Failure { end: Ending::Aborted, ..failure });
            }
            Err(Fault::TimedOut) => {
                self.transmitted |= !is_preflight;
                let failure = self.fail(HttpNetworkFetch, "9", "the timeout passed", Reason::Aborted);
                return Err(Failure { end: Ending::TimedOut, ..failure });
            }
            Err(Fault::Unreachable(words)) => {
                return Err(self.no_response("8.1", words, is_preflight));
            }
            Err(Fault::Broken(words)) => {
                self.transmitted |= !is_preflight;
                return Err(self.no_response("8.5", words, is_preflight));
            }
        };
        self.transmitted |= !is_preflight;
        let conditional = || request.headers.contains("If-None-Match") || request.headers.contains("If-Modified-Since");
        if !self.ua.settings.odd_status && (incoming.status > 599 || incoming.status == 304 && !conditional()) {
            return Err(self.fail(HttpNetworkFetch, "8.5", "the status makes no response here", Reason::Network));
        }
        if T::ON {
            self.note(HttpNetworkFetch, "8.5", format!("{} {}: status {}", request.method, request.url(), incoming.status));
        }
        if include_credentials || self.has(Defect::CookiesOmitStored) {
            self.store_cookies(request, &incoming.headers);
        } else if T::ON && incoming.headers.contains("Set-Cookie") {
            self.note(HttpNetworkFetch, "17", "without credentials: Set-Cookie is not stored");
        }
        Ok(Response {
            kind: ResponseType::Default,
            status: incoming.status,
            status_text: incoming.status_text,
            headers: incoming.headers,
            body: Source::Network(incoming.body),
            range_requested: false,
        })
    }

    /// There is no response. On a preflight it is the preflight's fetch that ends the request.
    fn no_response(&mut self, step: &'static str, words: Cow<'static, str>, is_preflight: bool) -> Failure {
        if is_preflight {
            self.note(Algorithm::HttpNetworkFetch, step, words);
            return Reason::Network.into();
        }
        self.fail(Algorithm::HttpNetworkFetch, step, words, Reason::Network)
    }

    /// HTTP-network-or-cache fetch, steps 8.16 to 8.18.
    fn append_cache_control(&self, request: &Request<'a>, headers: &mut HeaderList<'a>) {
        if self.has(Defect::CacheModesSilent) {
            return;
        }
        let mode = match request.cache {
            CacheMode::Default if request.headers.iter().any(|h| is_conditional(&h.name)) && !self.has(Defect::ConditionalNoStore) => {
                CacheMode::NoStore
            }
            mode => mode,
        };
        let mut append = |name: &'static str, value: &'static str| {
            if !request.headers.contains(name) {
                self.add(headers, name, value.as_bytes());
            }
        };
        match mode {
            CacheMode::NoCache => append("Cache-Control", "max-age=0"),
            CacheMode::NoStore | CacheMode::Reload => {
                append("Pragma", "no-cache");
                append("Cache-Control", "no-cache");
            }
            CacheMode::Default | CacheMode::ForceCache | CacheMode::OnlyIfCached => {}
        }
    }

    /// Append a request `Origin` header.
    fn append_origin(&mut self, request: &Request<'a>, headers: &mut HeaderList<'a>, is_preflight: bool) {
        use Algorithm::OriginHeader;
        let mut origin = self.serialized_origin(request);
        let cors = request.tainting == Tainting::Cors;
        let unsafe_method = !matches!(&*request.method, "GET" | "HEAD");
        if is_preflight && self.has(Defect::PreflightNoOrigin)
            || self.has(Defect::OriginMissing)
            || self.has(Defect::OriginNotOnPreflightedGet) && !is_preflight
            || self.has(Defect::OriginNotSameOriginPost) && request.tainting == Tainting::Basic
        {
            return;
        }
        if cors {
            let says = if T::ON { format!("response tainting cors: Origin: {origin}") } else { String::new() };
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
    fn policy_hides_origin(&self, request: &Request<'a>) -> bool {
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
    fn determine_referrer(&self, request: &Request<'a>) -> Referrer<'a> {
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
    fn append_fetch_metadata(&self, request: &Request<'a>, headers: &mut HeaderList<'a>, is_preflight: bool) {
        if !is_potentially_trustworthy(request.url()) || self.has(Defect::SecFetchMissing) {
            return;
        }
        let origin = &self.env.origin;
        let mut site = "same-origin";
        let counts = |url: &Url| !self.has(Defect::SecFetchSiteLast) || std::ptr::eq(url, request.url());
        for url in request.urls.iter().filter(|u| counts(u)) {
            match origin.relation(url) {
                Relation::SameOrigin => {}
                Relation::SameSite if !self.has(Defect::SecFetchSite) => site = "same-site",
                _ => {
                    site = "cross-site";
                    break;
                }
            }
        }
        if !self.has(Defect::SecFetchDest) {
            self.add(headers, "Sec-Fetch-Dest", &b"empty"[..]);
        }
        let mode = match request.mode {
            _ if is_preflight && self.has(Defect::PreflightMode) => "no-cors",
            Mode::Cors => "cors",
            Mode::NoCors => "no-cors",
            Mode::SameOrigin => "same-origin",
            Mode::Navigate => "navigate",
        };
        self.add(headers, "Sec-Fetch-Mode", mode.as_bytes());
        self.add(headers, "Sec-Fetch-Site", site.as_bytes());
        if self.has(Defect::SecFetchUser) {
            self.add(headers, "Sec-Fetch-User", &b"?1"[..]);
        }
    }

    /// The CORS-exposed header-name list (main fetch, step 14.1).
    pub(super) fn exposed<'h>(&self, request: &Request<'a>, headers: &'h HeaderList<'a>) -> Exposed<'h> {
        if request.tainting != Tainting::Cors || self.has(Defect::ExposeIgnored) {
            return Exposed::Nothing;
        }
        // Step 14.1.3 says "non-null or failure"; a list that cannot be read exposes nothing.
        let Ok(Some(names)) = self.list(headers, "Access-Control-Expose-Headers") else { return Exposed::Nothing };
        let alone = !self.has(Defect::ExposeWildcardAlone) || names.len() == 1;
        let wildcard = names.contains(&"*") && alone && !self.has(Defect::ExposeWildcardNever);
        if wildcard && (!request.includes() || self.has(Defect::ExposeWildcardCredentials)) { Exposed::All } else { Exposed::Names(names) }
    }

    /// Extract header list values, of a list of tokens.
    fn list<'h>(&self, headers: &'h HeaderList<'_>, name: &str) -> List<'h> {
        self.lapse(|d| lapses::list(d, headers, name)).unwrap_or_else(|| match grammar::extract_tokens(headers, name) {
            Extracted::Absent => Ok(None),
            Extracted::Failure => Err(()),
            Extracted::Values(values) => Ok(Some(values)),
        })
    }

    /// Appends a header that script cannot have set, unless a defect lets it.
    fn add(&self, headers: &mut HeaderList<'a>, name: &'static str, value: impl Into<Cow<'a, [u8]>>) {
        if SEEDED { headers.append(name, value) } else { headers.push(name, value) }
    }

    /// Determine the same-site mode.
    ///
    /// Step 2 compares the URL's site with that of a top-level navigation's initiator alone, so by the text a request of a page of
    /// one site to another site is "strict-or-less": a gap. RFC 6265bis, section 5.2, compares the site of the page with the URL
    /// as well, and so does this.
    fn same_site_mode(&self, request: &Request<'a>) -> SameSiteMode {
        let strict = !self.env.has_cross_site_ancestor && request.taint != Taint::CrossSite && self.env.origin.is_same_site(request.url());
        let only_own = self.has(Defect::CookiesStrictOnlySameOrigin) && !self.env.origin.is_same(request.url());
        if (strict && !only_own) || self.has(Defect::CookiesIgnoreSameSite) {
            SameSiteMode::StrictOrLess
        } else {
            SameSiteMode::UnsetOrLess
        }
    }

    /// Whether cookies are disabled for a request (append a request `Cookie` header, step 1).
    fn disables_cookies(&self, request: &Request<'a>) -> bool {
        !self.ua.settings.third_party_cookies && !self.env.page_origin.is_same_site(request.url())
    }

    /// Append a request `Cookie` header.
    fn append_cookies(&mut self, request: &Request<'a>, headers: &mut HeaderList<'a>) {
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
    fn store_cookies(&mut self, request: &Request<'a>, headers: &HeaderList<'a>) {
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

    /// Whether fetching from this URL is blocked as mixed content (Mixed Content, section 4.4).
    fn is_mixed_content(&self, url: &Url) -> bool {
        self.env.page_origin.scheme() == Some("https") && !is_potentially_trustworthy(url) && is_http(url)
    }

    /// Main fetch, step 14: the exposed names, and the filter.
    fn filter(&mut self, request: &Request<'a>, response: &mut Response<'a, N::Body>) {
        use Algorithm::MainFetch;
        if response.kind == ResponseType::OpaqueRedirect {
            return;
        }
        if T::ON {
            match self.exposed(request, &response.headers) {
                Exposed::Nothing => {}
                Exposed::All => self.note(MainFetch, "14.1.2", "`*` without credentials exposes every header name"),
                Exposed::Names(_) => self.note(MainFetch, "14.1.3", "the listed header names are exposed"),
            }
        }
        response.kind = match request.tainting {
            Tainting::Basic if self.has(Defect::TypeAlwaysCors) => ResponseType::Cors,
            Tainting::Basic => ResponseType::Basic,
            Tainting::Cors if self.has(Defect::TypeAlwaysBasic) => ResponseType::Basic,
            Tainting::Cors => ResponseType::Cors,
            Tainting::Opaque if self.has(Defect::NoCorsReadable) => ResponseType::Cors,
            Tainting::Opaque => ResponseType::Opaque,
        };
        self.note(
            MainFetch,
            "14.2",
            match request.tainting {
                Tainting::Basic => "a basic filtered response",
                Tainting::Cors => "a CORS filtered response",
                Tainting::Opaque => "an opaque filtered response",
            },
        );
    }
}

/// A response of status 200 without anything.
fn empty<'a, B>() -> Response<'a, B> {
    Response {
        kind: ResponseType::Default,
        status: 200,
        status_text: Cow::Borrowed(b"OK"),
        headers: HeaderList::new(),
        body: Source::Bytes(Cow::Borrowed(b"")),
        range_requested: false,
    }
}

/// A list that may be absent or malformed.
pub(super) type List<'h> = Result<Option<Vec<&'h str>>, ()>;

fn borrowed<'n>(names: &'n [Cow<'_, str>]) -> Vec<&'n str> {
    names.iter().map(|n| &**n).collect()
}

fn as_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Whether a header makes a request conditional (HTTP-network-or-cache fetch, step 8.16).
fn is_conditional(name: &str) -> bool {
    const CONDITIONAL: [&str; 5] = ["If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "If-Match", "If-Range"];
    CONDITIONAL.iter().any(|c| c.eq_ignore_ascii_case(name))
}

/// What is wrong with a value of Access-Control-Allow-Origin that does not match.
fn mismatch(allowed: &[u8], fields: usize, include: bool) -> Reason {
    if allowed == b"*" && include {
        return Reason::WildcardWithCredentials;
    }
    if fields > 1 || allowed.contains(&b',') || allowed.trim_ascii().contains(&b' ') {
        return Reason::AcaoMultiple;
    }
    let is_origin = allowed == b"null"
        || std::str::from_utf8(allowed)
            .ok()
            .and_then(|text| Url::parse(text).ok().map(|url| (text, url)))
            .is_some_and(|(text, url)| Origin::of(&url).serialized() == text);
    if is_origin { Reason::AcaoMismatch } else { Reason::AcaoInvalid }
}

/// The location URL of a redirect response (Fetch, responses); `None` when there is no Location.
fn location_url<B>(response: &Response<'_, B>, current: &Url) -> Option<Result<Url, ()>> {
    let mut fields = response.headers.values("Location");
    let location = fields.next()?;
    // Extract header list values, step 2: the grammar allows a single field.
    Some(if fields.next().is_some() { Err(()) } else { parse_location(location, current) })
}

/// Parses Location with the response's URL as base, and carries the fragment over.
fn parse_location(location: &[u8], current: &Url) -> Result<Url, ()> {
    let mut url = current.join(&grammar::isomorphic_decode(location)).map_err(|_| ())?;
    if url.fragment().is_none() && current.fragment().is_some() {
        url.set_fragment(current.fragment());
    }
    Ok(url)
}

/// HTTP-redirect fetch, step 12.
fn becomes_get(status: u16, method: &str) -> bool {
    matches!(status, 301 | 302) && method == "POST" || status == 303 && !matches!(method, "GET" | "HEAD")
}

/// The last policy that Referrer-Policy names (Referrer Policy, section 8.1).
fn referrer_policy_of(headers: &HeaderList<'_>) -> Option<ReferrerPolicy> {
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

/// A URL converted to an `Authorization` value (Fetch, authentication entries).
fn basic(url: &Url) -> String {
    use base64::Engine as _;
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [&decoded(url.username())[..], b":", &decoded(url.password().unwrap_or_default())].concat();
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}
