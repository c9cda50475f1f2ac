//! HTTP-network-or-cache fetch and HTTP-network fetch: what goes to the wire, and what comes back.

use std::borrow::Cow;

use url::Url;

use super::{Fetch, Fetched, cache::Found};
use crate::oracle::{
    defect::Defect,
    headers::HeaderList,
    network::{Fault, Limits, Network, Outgoing},
    origin::includes_credentials,
    policy::Embedder,
    request::{CacheState, Ending, Failure, Request, Response, Source, Tainting},
    trace::{Algorithm, Trace},
};
use crate::{
    format::{CacheMode, Credentials, Mode, ResponseType},
    words::Reason,
};

/// The most bytes of bodies that requests may carry which outlive their page (HTTP-network-or-cache fetch, step 8.10.5).
const MOST_KEEPALIVE_BYTES: usize = 64 * 1024;

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// Cross-Origin-Embedder-Policy allows credentials. Step 5 stands the other way round in the text (whatwg/fetch#1958): what is meant is
    /// a request to the own origin that has never left it.
    fn embedder_allows_credentials(&self, request: &Request<'a>) -> bool {
        if self.env.policies.embedder != Embedder::Credentialless || self.has(Defect::CoepSendsCredentials) {
            return true;
        }
        match (request.mode, request.tainting) {
            (Mode::NoCors, Tainting::Basic) => !self.has(Defect::CoepOmitsAtHome),
            (Mode::NoCors, _) => false,
            _ => !self.has(Defect::CoepOmitsForCors),
        }
    }

    /// HTTP-network-or-cache fetch.
    pub(super) fn http_network_or_cache_fetch(
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
            _ if !self.embedder_allows_credentials(request) => false,
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
        let mode = self.append_cache_control(request, &mut headers);
        if is_ranged && !self.has(Defect::RangeEncoded) {
            self.add(&mut headers, "Accept-Encoding", &b"identity"[..]);
        }
        if include_credentials || self.has(Defect::CookiesAlways) && !is_preflight {
            self.append_cookies(request, &mut headers);
        }
        let remembers =
            include_credentials || self.has(Defect::LoginAlways) && !is_preflight || self.has(Defect::LoginOnPreflight) && is_preflight;
        let blank = !headers.contains("Authorization") || self.has(Defect::LoginReplacesAuthor) && !self.ua.logins.is_empty();
        if remembers && blank {
            let url = request.url();
            let fits = !request.use_url_credentials || !includes_credentials(url);
            let login = self.ua.logins.find(&self.env.partition, url).filter(|_| fits && !self.has(Defect::LoginForgotten));
            if let Some(login) = login.map(str::to_owned) {
                headers.set("Authorization", login.into_bytes());
                self.note(HttpNetworkOrCacheFetch, "8.21.2.2", "an authentication entry becomes Authorization");
            } else if includes_credentials(url) && (is_authentication || self.has(Defect::CredentialsUrlUsed)) {
                headers.append("Authorization", basic(url).into_bytes());
                self.note(HttpNetworkOrCacheFetch, "8.21.2.3", "user and password of the URL become Authorization");
            }
        }
        if self.has(Defect::AuthorizationDropped) && !include_credentials {
            headers.delete("Authorization");
        }
        let validating = match self.look_into_cache(request, &mut headers, mode) {
            Found::Fresh(response) => return Ok(response),
            Found::Stale(index) => Some(index),
            Found::Nothing => None,
        };
        if request.cache == CacheMode::OnlyIfCached && !self.has(Defect::OnlyIfCachedAllowed) {
            return Err(self.fail(HttpNetworkOrCacheFetch, "11.1", "cache mode only-if-cached, and nothing is cached", Reason::Network));
        }
        // What stored responses are selected by, should this one be stored.
        let asked = self.may_cache(request, mode).then(|| headers.clone());
        let response = self.http_network_fetch(request, headers, include_credentials, is_new_connection, is_preflight)?;
        let mut response = self.keep_in_cache(request, asked, validating, response);
        response.range_requested = is_ranged;
        let asks = request.tainting != Tainting::Cors || self.has(Defect::LoginAskedForCors) && !is_preflight;
        if response.status == 401 && asks && include_credentials && self.env.is_window && !is_authentication {
            if request.body.as_ref().is_some_and(|b| b.is_stream) && !self.has(Defect::StreamResent) {
                return Err(self.fail(HttpNetworkOrCacheFetch, "15.2", "401, and the body is a stream", Reason::Network));
            }
            // Step 15.3: a person who is asked for a password dismisses the prompt, and the 401 stays. Nobody is asked before the
            // credentials of the URL were tried, if there are any; where a redirect has lost them, the same request goes out twice.
            if request.use_url_credentials {
                self.note(HttpNetworkOrCacheFetch, "15.4", "401: again with the credentials of the URL");
                if self.has(Defect::ResentWithoutBody) {
                    request.body = None;
                }
                return self.http_network_or_cache_fetch(request, true, is_new_connection, is_preflight);
            }
        }
        // Where there is somebody to ask for the password of a proxy, the prompt is dismissed, and the 407 stays (step 16.4).
        if response.status == 407 && !self.env.is_window && !is_preflight {
            return Err(self.fail(HttpNetworkOrCacheFetch, "16.1", "407, and there is nobody to ask for a password", Reason::Network));
        }
        let resendable = request.body.as_ref().is_none_or(|b| !b.is_stream) || self.has(Defect::StreamResent);
        let misdirected = response.status == 421 && !self.has(Defect::MisdirectedFinal);
        if misdirected && (!is_new_connection || self.has(Defect::MisdirectedTwice) && request.redirects < 1) && resendable {
            if self.has(Defect::MisdirectedChecked) && request.tainting == Tainting::Cors && !is_preflight {
                self.cors_check(request, &response, false)?;
            }
            if is_new_connection {
                // A third time and no more.
                request.redirects += 1;
            }
            self.note(HttpNetworkOrCacheFetch, "17.2", "421: again on another connection");
            if self.has(Defect::ResentWithoutBody) {
                request.body = None;
            }
            return self.http_network_or_cache_fetch(request, is_authentication, true, is_preflight);
        }
        if is_authentication && response.status != 401 {
            // By the letter a login that was refused makes an entry, too; who sends it again is refused again.
            self.ua.logins.add(&self.env.partition, request.url(), basic(request.url()));
            self.note(HttpNetworkOrCacheFetch, "18", "the login is remembered");
        }
        Ok(response)
    }

    /// HTTP-network fetch.
    pub(super) fn http_network_fetch(
        &mut self,
        request: &mut Request<'a>,
        headers: HeaderList<'a>,
        include_credentials: bool,
        is_new_connection: bool,
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
            credentials: include_credentials,
            new_connection: is_new_connection,
            limits: if self.has(Defect::AbortIgnored) { Limits::default() } else { self.limits },
            defects: &self.ua.defects,
        };
        let conditional = outgoing.headers.contains("If-None-Match") || outgoing.headers.contains("If-Modified-Since");
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
        if !self.ua.settings.odd_status && (incoming.status > 599 || incoming.status == 304 && !conditional) {
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
            cache_state: CacheState::None,
        })
    }

    /// There is no response. On a preflight it is the preflight's fetch that ends the request.
    pub(super) fn no_response(&mut self, step: &'static str, words: Cow<'static, str>, is_preflight: bool) -> Failure {
        if is_preflight {
            self.note(Algorithm::HttpNetworkFetch, step, words);
            return Reason::Network.into();
        }
        self.fail(Algorithm::HttpNetworkFetch, step, words, Reason::Network)
    }

    /// HTTP-network-or-cache fetch, steps 8.16 to 8.18; gives the cache mode that the HTTP request has.
    pub(super) fn append_cache_control(&self, request: &Request<'a>, headers: &mut HeaderList<'a>) -> CacheMode {
        let mode = match request.cache {
            CacheMode::Default if request.headers.iter().any(|h| is_conditional(&h.name)) && !self.has(Defect::ConditionalNoStore) => {
                CacheMode::NoStore
            }
            mode => mode,
        };
        let mut append = |name: &'static str, value: &'static str| {
            if !request.headers.contains(name) && !self.has(Defect::CacheModesSilent) {
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
        mode
    }

    /// Appends a header that script cannot have set, unless a defect lets it.
    pub(super) fn add(&self, headers: &mut HeaderList<'a>, name: &'static str, value: impl Into<Cow<'a, [u8]>>) {
        if SEEDED { headers.append(name, value) } else { headers.push(name, value) }
    }
}

/// Whether a header makes a request conditional (HTTP-network-or-cache fetch, step 8.16).
pub(super) fn is_conditional(name: &str) -> bool {
    const CONDITIONAL: [&str; 5] = ["If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "If-Match", "If-Range"];
    CONDITIONAL.iter().any(|c| c.eq_ignore_ascii_case(name))
}

/// A URL converted to an `Authorization` value (Fetch, authentication entries).
fn basic(url: &Url) -> String {
    use base64::Engine as _;
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [&decoded(url.username())[..], b":", &decoded(url.password().unwrap_or_default())].concat();
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}
