//! Main fetch: which way a request goes, and what is kept of its response.

use std::borrow::Cow;

use url::Url;

use super::{Fetch, Fetched};
use crate::oracle::{
    defect::Defect,
    grammar,
    headers::{HeaderList, trim_tab_or_space},
    lapses,
    network::Network,
    origin::{is_bad_port, is_http, is_potentially_trustworthy},
    request::{CacheState, Destination, Exposed, Failure, Request, Response, Source, Tainting},
    trace::{Algorithm, Trace},
};
use crate::{
    format::{Mode, RedirectMode, ResponseType},
    words::Reason,
};

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// Main fetch, given no response yet.
    pub(in crate::oracle) fn main_fetch(&mut self, request: &mut Request<'a>, recursive: bool) -> Fetched<'a, N::Body> {
        use Algorithm::MainFetch;
        self.upgrade(request);
        if is_bad_port(request.url()) {
            return Err(self.fail(MainFetch, "7", "the port of the URL is a bad port", Reason::BadPort));
        }
        if self.is_mixed_content(request.url()) {
            return Err(self.fail(MainFetch, "7", "a secure page may not fetch from an insecure URL", Reason::BlockedByPolicy));
        }
        if !self.policy_allows(request) {
            return Err(self.fail(MainFetch, "7", "a Content-Security-Policy of the page does not allow the URL", Reason::BlockedByPolicy));
        }
        if request.referrer_policy.is_none() {
            request.referrer_policy = Some(self.env.referrer_policy);
        }
        request.referrer = self.determine_referrer(request);
        let preloaded = if recursive { None } else { self.preloaded(request) };
        let response = match preloaded.unwrap_or_else(|| self.dispatch(request)) {
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
        self.sniff(request, &response)?;
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

    /// Main fetch, step 20: responses whose type does not go with what they are wanted for.
    fn sniff(&mut self, request: &Request<'a>, response: &Response<'a, N::Body>) -> Result<(), Failure> {
        let mime_type = |response: &Response<'a, N::Body>| {
            response.headers.get("Content-Type").and_then(|value| grammar::mime_essence(&value).map(Cow::into_owned))
        };
        let everything = self.has(Defect::NosniffEverything) && !response.headers.contains("Content-Type");
        if !matches!(request.destination, Destination::Script | Destination::Style) && !everything {
            return Ok(());
        }
        let mime_type = mime_type(response);
        if request.destination == Destination::Script
            && let Some(essence) = &mime_type
            && (["audio/", "image/", "video/"].iter().any(|kind| essence.starts_with(kind)) || essence == "text/csv")
            && !self.has(Defect::MimeTypeIgnored)
        {
            return Err(self.fail(Algorithm::MimeTypeCheck, "4", "no script has this MIME type", Reason::MimeType));
        }
        if !self.nosniff(response) {
            return Ok(());
        }
        let fits = match request.destination {
            Destination::Script => mime_type.as_deref().is_some_and(grammar::is_javascript_mime_essence),
            Destination::Style => mime_type.as_deref() == Some("text/css"),
            _ => mime_type.is_some(),
        };
        if fits {
            self.note(Algorithm::NosniffCheck, "6", "nosniff, and the type is the right one");
            return Ok(());
        }
        let step = if request.destination == Destination::Script { "4" } else { "5" };
        Err(self.fail(Algorithm::NosniffCheck, step, "nosniff, and the type is not the right one", Reason::Nosniff))
    }

    /// Determine nosniff.
    fn nosniff(&self, response: &Response<'a, N::Body>) -> bool {
        if self.has(Defect::NosniffIgnored) {
            return false;
        }
        let Some(value) = response.headers.get("X-Content-Type-Options") else { return false };
        let is = |element: &[u8]| match self.has(Defect::NosniffCaseSensitive) {
            true => element == b"nosniff",
            false => element.eq_ignore_ascii_case(b"nosniff"),
        };
        // Get, decode, and split: a comma within quotes separates nothing, and no quoted string is nosniff.
        let mut elements = value.split(|b| *b == b',').map(trim_tab_or_space);
        if self.has(Defect::NosniffAnyElement) { elements.any(is) } else { elements.next().is_some_and(is) }
    }

    /// Main fetch, step 12.
    pub(super) fn dispatch(&mut self, request: &mut Request<'a>) -> Fetched<'a, N::Body> {
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
        let unchecked = match request.mode {
            Mode::Navigate => !self.has(Defect::NavigationChecked),
            Mode::Websocket => !self.has(Defect::WebSocketChecked),
            _ => false,
        };
        if unchecked {
            self.note(MainFetch, "12", "mode navigate or websocket: basic, whatever the origin");
            request.tainting = Tainting::Basic;
            return self.scheme_fetch(request);
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
            self.ua.cache.clear(&self.env.partition, origin, request.url().as_str());
        }
        response
    }

    /// Scheme fetch.
    pub(super) fn scheme_fetch(&mut self, request: &mut Request<'a>) -> Fetched<'a, N::Body> {
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
            "blob" if self.has_blob(request) => self.blob(request),
            // Of other blob: URLs only those can be named that no store holds: an entry of null.
            "blob" => Err(self.fail(SchemeFetch, "3", "there is no entry for the blob: URL", Reason::SchemeNotAllowed)),
            _ => Err(self.fail(SchemeFetch, "4", "the scheme cannot be fetched", Reason::SchemeNotAllowed)),
        }
    }

    /// Whether the blob: URL has an entry, and the method is the one that may ask for it.
    fn has_blob(&self, request: &Request<'a>) -> bool {
        let entry = request.blob.is_some_and(|b| !b.revoked || self.has(Defect::BlobRevokedReadable));
        entry && (request.method == "GET" || self.has(Defect::BlobMethods)) && !self.has(Defect::BlobBlocked)
    }

    /// Scheme fetch, for a blob: URL with an entry.
    fn blob(&mut self, request: &Request<'a>) -> Fetched<'a, N::Body> {
        use Algorithm::SchemeFetch;
        let (data, r#type) = request.blob.map_or(("", ""), |b| (b.data.as_str(), b.r#type.as_str()));
        let mut response = empty();
        let full = data.len() as u64;
        let Some(range) = request.headers.get("Range").filter(|_| !self.has(Defect::BlobRangeIgnored)) else {
            self.note(SchemeFetch, "3", "the blob: URL stands for a Blob");
            response.headers.append("Content-Length", full.to_string().into_bytes());
            response.headers.append("Content-Type", r#type.as_bytes());
            response.body = Source::Bytes(Cow::Borrowed(data.as_bytes()));
            return Ok(response);
        };
        let bounds = match grammar::single_range(&range, true) {
            Some((Some(start), end)) if start < full => Some((start, end.map_or(full - 1, |end| end.min(full - 1)))),
            Some((None, Some(last))) if last > 0 && last <= full => Some((full - last, full - 1)),
            _ => None,
        };
        let Some((start, end)) = bounds else {
            if self.has(Defect::BlobRangeLenient) {
                response.body = Source::Bytes(Cow::Borrowed(data.as_bytes()));
                return Ok(response);
            }
            return Err(self.fail(SchemeFetch, "3", "the range is none of the Blob", Reason::Network));
        };
        self.note(SchemeFetch, "3", "the blob: URL stands for a Blob, and a part of it is asked for");
        let part = &data.as_bytes()[start as usize..=end as usize];
        (response.status, response.status_text) = (206, Cow::Borrowed(&b"Partial Content"[..]));
        response.headers.append("Content-Length", part.len().to_string().into_bytes());
        response.headers.append("Content-Type", r#type.as_bytes());
        response.headers.append("Content-Range", format!("bytes {start}-{end}/{full}").into_bytes());
        response.body = Source::Bytes(Cow::Borrowed(part));
        Ok(response)
    }

    /// Whether fetching from this URL is blocked as mixed content (Mixed Content, section 4.4).
    pub(super) fn is_mixed_content(&self, url: &Url) -> bool {
        self.env.page_origin.scheme() == Some("https")
            && !is_potentially_trustworthy(url)
            && is_http(url)
            && !self.has(Defect::MixedContentAllowed)
    }

    /// Upgrade request to a potentially trustworthy URL, if appropriate (main fetch, step 5; Upgrade Insecure Requests, section 4.1).
    fn upgrade(&mut self, request: &mut Request<'a>) {
        let insecure = request.url().scheme() == "http" && !is_potentially_trustworthy(request.url());
        if !self.env.policies.upgrades || !insecure || self.has(Defect::UpgradeNever) {
            return;
        }
        let mut url = request.url().clone();
        // Between http and https the URL standard lets every scheme change be.
        if url.set_scheme("https").is_ok() {
            self.note(Algorithm::MainFetch, "5", "upgrade-insecure-requests: the scheme becomes https");
            request.urls.replace_last(url);
        }
    }

    /// Should request be blocked by Content Security Policy? (CSP, section 4.1.3)
    fn policy_allows(&self, request: &Request<'a>) -> bool {
        let redirects = if self.has(Defect::CspPathAfterRedirect) { 0 } else { request.redirects };
        let unseen = self.has(Defect::CspIgnored) || self.has(Defect::CspFirstUrlOnly) && request.redirects > 0;
        unseen || self.env.policies.allow(request.destination, request.url(), &self.env.page_origin, redirects)
    }

    /// Main fetch, step 14: the exposed names, and the filter.
    pub(super) fn filter(&mut self, request: &Request<'a>, response: &mut Response<'a, N::Body>) {
        use Algorithm::MainFetch;
        // What is filtered already stays so: an opaque redirect, or what a service worker gave.
        if response.kind != ResponseType::Default {
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

    /// The CORS-exposed header-name list (main fetch, step 14.1).
    pub(in crate::oracle) fn exposed<'h>(&self, request: &Request<'a>, headers: &'h HeaderList<'a>) -> Exposed<'h> {
        if request.tainting != Tainting::Cors || self.has(Defect::ExposeIgnored) {
            return Exposed::Nothing;
        }
        // Step 14.1.3 says "non-null or failure"; a list that cannot be read exposes nothing.
        let Ok(Some(names)) = self.list(headers, "Access-Control-Expose-Headers") else { return Exposed::Nothing };
        let alone = !self.has(Defect::ExposeWildcardAlone) || names.len() == 1;
        let wildcard = names.contains(&"*") && alone && !self.has(Defect::ExposeWildcardNever);
        if wildcard && (!request.includes() || self.has(Defect::ExposeWildcardCredentials)) { Exposed::All } else { Exposed::Names(names) }
    }

    /// Main fetch, step 12: whether a CORS request needs a preflight, and why.
    pub(super) fn needs_preflight(&mut self, request: &Request<'a>) -> bool {
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
}

/// A response of status 200 without anything.
pub(super) fn empty<'a, B>() -> Response<'a, B> {
    Response {
        kind: ResponseType::Default,
        status: 200,
        status_text: Cow::Borrowed(b"OK"),
        headers: HeaderList::new(),
        body: Source::Bytes(Cow::Borrowed(b"")),
        range_requested: false,
        cache_state: CacheState::None,
    }
}
