//! CORS-preflight fetch: whether there is one, what it asks, how its answer is judged, what is kept.

use std::borrow::Cow;

use super::{
    Fetch,
    redirect::{MOST_REDIRECTS, location_url},
};
use crate::oracle::{
    defect::Defect,
    grammar, lapses,
    network::Network,
    origin::is_http,
    preflight_cache::{Grant, Key},
    request::{Ending, Failure, Request, Response, Tainting},
    safelist,
    trace::{Algorithm, Trace},
};
use crate::words::Reason;

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// What entries of the CORS-preflight cache are found by.
    fn cache_key<'k>(&self, request: &'k Request<'a>) -> Key<'k>
    where
        'a: 'k,
    {
        let (env, url) = (self.env, request.url().as_str());
        Key { partition: &env.partition, origin: self.serialized_origin(request), url, include: request.includes() }
    }

    /// HTTP fetch, step 4.1.
    pub(super) fn preflight_if_needed(&mut self, request: &Request<'a>) -> Result<(), Failure> {
        use Algorithm::HttpFetch;
        if request.redirects > 0 && self.has(Defect::RedirectNoPreflight) {
            return Ok(());
        }
        if !self.ua.settings.keeps_preflights {
            self.ua.cache.forget();
        }
        let now = self.net.now_ms();
        let key = self.cache_key(request);
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
    pub(super) fn cors_preflight_fetch(&mut self, request: &Request<'a>, names: &[Cow<'_, str>]) -> Result<(), Failure> {
        use Algorithm::CorsPreflightFetch;
        self.preflighted = true;
        if self.has(Defect::WorkerSeesPreflights) && !self.worker_saw.is_empty() {
            self.worker_saw.push("OPTIONS r".to_owned());
        }
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
        if self.has(Defect::PrivateNetworkAsked) {
            preflight.headers.push("Access-Control-Request-Private-Network", &b"true"[..]);
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
    pub(super) fn judge_preflight(
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
    pub(super) fn judge_grants(
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
    pub(super) fn store_grants(&mut self, request: &Request<'a>, response: &Response<'a, N::Body>, methods: &[&str], names: &[&str]) {
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
        let key = self.cache_key(request);
        let methods = methods.iter().map(|m| Grant::Method((*m).to_owned()));
        let names = names.iter().map(|n| Grant::Header((*n).to_owned()));
        let defects = self.defects();
        self.ua.cache.store(methods.chain(names), key, max_age, now, &defects);
    }
}

pub(super) fn borrowed<'n>(names: &'n [Cow<'_, str>]) -> Vec<&'n str> {
    names.iter().map(|n| &**n).collect()
}

pub(super) fn as_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}
