//! HTTP-network-or-cache fetch, what it has to do with the HTTP cache: steps 8.23 to 8.25, and 10.3 to 10.5.

use std::borrow::Cow;

use super::Fetch;
use crate::format::{CacheMode, ResponseType};
use crate::oracle::{
    defect::{Defect, Defects},
    headers::HeaderList,
    http_cache::{Candidate, HttpCache, Key},
    network::{Network, ReadEnd},
    request::{CacheState, Request, Response, Source, Tainting},
    trace::{Algorithm, Trace},
};

/// What the HTTP cache has for a request.
pub(super) enum Found<'a, B> {
    /// Nothing.
    Nothing,
    /// A response that needs nobody's word.
    Fresh(Response<'a, B>),
    /// A response that needs validation, by its place; the request asks for that now.
    Stale(usize),
}

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// Whether what answers a request may be stored. Fetch leaves it to the header fields that `no-store` sets; its cache mode means, by
    /// its description, that there is no HTTP cache at all.
    pub(super) fn may_cache(&self, request: &Request<'a>, mode: CacheMode) -> bool {
        self.ua.settings.keeps_responses && mode != CacheMode::NoStore && request.method == "GET" && !request.headers.contains("Range")
    }

    /// Steps 8.23 to 8.25.
    pub(super) fn look_into_cache(
        &mut self,
        request: &mut Request<'a>,
        headers: &mut HeaderList<'a>,
        mode: CacheMode,
    ) -> Found<'a, N::Body> {
        use Algorithm::HttpNetworkOrCacheFetch;
        if self.ua.http_cache.is_empty() || !self.may_cache(request, mode) {
            return Found::Nothing;
        }
        if mode == CacheMode::Reload && !self.has(Defect::ReloadFromCache) {
            return Found::Nothing;
        }
        let forced = matches!(mode, CacheMode::ForceCache | CacheMode::OnlyIfCached);
        let mut defects = self.defects();
        if forced && defects.has(Defect::ForceCacheIgnoresVary) {
            defects = Defects::only(Defect::VaryIgnored);
        }
        let key = Key { partition: &self.env.partition, url: request.url().as_str(), headers };
        let Some(index) = self.ua.http_cache.select(key, &defects) else { return Found::Nothing };
        let now = self.net.now_ms();
        let cache = &self.ua.http_cache;
        let stale = cache.is_stale(index, headers, now)
            && !(mode == CacheMode::NoCache && self.has(Defect::NoCacheFromCache))
            && mode != CacheMode::Reload;
        if !stale || forced {
            if self.has(Defect::CacheHitTainted) && request.tainting != Tainting::Basic {
                request.tainting = if cache.stored(index).was_cors { Tainting::Cors } else { Tainting::Opaque };
            }
            self.note(HttpNetworkOrCacheFetch, "8.25.2.2.3", "a stored response is used");
            return Found::Fresh(self.taken_from_cache(index, CacheState::Local));
        }
        let stored = &cache.stored(index).headers;
        let (tag, date) = (stored.get("ETag").map(Cow::into_owned), stored.get("Last-Modified").map(Cow::into_owned));
        if tag.is_none() && date.is_none() {
            return Found::Nothing;
        }
        self.note(HttpNetworkOrCacheFetch, "8.25.2.2.2", "a stored response needs validation");
        if let Some(tag) = tag {
            headers.append("If-None-Match", tag);
        }
        if let Some(date) = date {
            headers.append("If-Modified-Since", date);
        }
        Found::Stale(index)
    }

    /// Steps 10.3 to 10.5: what becomes of the cache, and which response is the response. `asked` is the header list of a request whose
    /// response may be stored.
    pub(super) fn keep_in_cache(
        &mut self,
        request: &Request<'a>,
        asked: Option<HeaderList<'a>>,
        validating: Option<usize>,
        mut response: Response<'a, N::Body>,
    ) -> Response<'a, N::Body> {
        use Algorithm::HttpNetworkOrCacheFetch;
        let url = request.url().as_str();
        let is_unsafe = !matches!(&*request.method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        if is_unsafe && (200..400).contains(&response.status) && !self.ua.http_cache.is_empty() && !self.has(Defect::HttpCacheKeptByPost) {
            self.ua.http_cache.invalidate(&self.env.partition, url);
        }
        if let Some(index) = validating
            && response.status == 304
            && !self.has(Defect::NotModifiedShown)
        {
            self.note(HttpNetworkOrCacheFetch, "10.4.1", "304: the stored response is freshened with its header list, and used");
            let (now, defects) = (self.net.now_ms(), self.defects());
            self.ua.http_cache.freshen(index, &response.headers, now, &defects);
            return self.taken_from_cache(index, CacheState::Validated);
        }
        let Some(headers) = asked else { return response };
        let key = Key { partition: &self.env.partition, url, headers: &headers };
        if !HttpCache::takes(response.status, &response.headers) {
            return response;
        }
        let read = self.read(response.body);
        if read.end == ReadEnd::Complete {
            // Step 10.5.2. No step of the path: that a response may be stored decides nothing yet.
            let candidate = Candidate {
                status: response.status,
                status_text: &response.status_text,
                headers: &response.headers,
                body: &read.bytes,
                was_cors: request.tainting != Tainting::Opaque,
            };
            let (now, defects) = (self.net.now_ms(), self.defects());
            self.ua.http_cache.store(key, &candidate, now, &defects);
        }
        response.body = Source::Read(read);
        response
    }

    /// A stored response as the response to a request.
    fn taken_from_cache(&self, index: usize, cache_state: CacheState) -> Response<'a, N::Body> {
        let stored = self.ua.http_cache.stored(index);
        Response {
            kind: ResponseType::Default,
            status: stored.status,
            status_text: Cow::Owned(stored.status_text.clone()),
            headers: stored.headers.clone(),
            body: Source::Bytes(Cow::Owned(stored.body.clone())),
            range_requested: false,
            cache_state,
        }
    }
}
