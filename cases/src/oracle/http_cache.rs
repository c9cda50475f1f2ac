//! The HTTP cache (Fetch, HTTP cache partitions; RFC 9111), as far as CORS meets it.
//!
//! It keeps whole responses to GET that have a lifetime (`max-age`) or a validator (`ETag`, `Last-Modified`). `Expires` gives none,
//! and nothing is fresh by heuristics: a cache may take less than it is given, and cases say what follows from that.

use super::{
    defect::{Defect, Defects},
    headers::{HeaderList, trim_tab_or_space},
};

/// The responses that a user agent has stored, of all partitions.
#[derive(Debug, Clone, Default)]
pub struct HttpCache {
    stored: Vec<Stored>,
}

/// A stored response, with what a request must have in common with the one it was for.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    partition: String,
    url: String,
    /// The values that the request had of the fields which `Vary` names; `None` where it names `*`.
    selecting: Option<Vec<(String, Option<Vec<u8>>)>>,
    stored_ms: u64,
    pub(super) status: u16,
    pub(super) status_text: Vec<u8>,
    pub(super) headers: HeaderList<'static>,
    pub(super) body: Vec<u8>,
    /// Whether the page might look into it when it was stored: nothing that a cache may go by.
    pub(super) was_cors: bool,
}

/// What a request is looked up by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'k> {
    /// The network partition key of its client.
    pub(super) partition: &'k str,
    /// Its URL; the fragment does not count.
    pub(super) url: &'k str,
    /// Its header list, complete.
    pub(super) headers: &'k HeaderList<'k>,
}

/// A response that may be worth storing.
#[derive(Debug)]
pub(super) struct Candidate<'c> {
    pub(super) status: u16,
    pub(super) status_text: &'c [u8],
    pub(super) headers: &'c HeaderList<'c>,
    pub(super) body: &'c [u8],
    pub(super) was_cors: bool,
}

/// Fields of a 304 that say nothing of the stored response (RFC 9111, section 3.2): those of the message, and those that tell how the
/// stored body is to be read.
const NOT_UPDATED: [&str; 7] =
    ["Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Keep-Alive", "Transfer-Encoding"];

impl HttpCache {
    /// Whether it holds nothing at all.
    pub fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// Forgets everything: what a user agent may do at any time.
    pub fn forget(&mut self) {
        self.stored.clear();
    }

    /// Whether a response may be stored, by its head (RFC 9111, section 3).
    pub(super) fn takes(status: u16, headers: &HeaderList<'_>) -> bool {
        // Parts of responses are not kept, and 304 answers a question of the cache or of script.
        let whole = status >= 200 && !matches!(status, 206 | 304);
        let directives = Directives::of(headers);
        whole && !directives.no_store && (directives.max_age.is_some() || headers.contains("ETag") || headers.contains("Last-Modified"))
    }

    /// Stores a response in place of those that would be selected for the same request.
    pub(super) fn store(&mut self, key: Key<'_>, response: &Candidate<'_>, now_ms: u64, defects: &Defects) {
        self.stored.retain(|s| !s.is_selected(key, defects));
        let mut names = vary(response.headers, defects);
        let selecting = (!names.iter().any(|n| n == "*")).then(|| {
            let value = |name: String| {
                let value = key.headers.get(&name).map(|v| v.into_owned());
                (name, value)
            };
            names.drain(..).map(value).collect()
        });
        self.stored.push(Stored {
            partition: key.partition.to_owned(),
            url: without_fragment(key.url).to_owned(),
            selecting,
            stored_ms: now_ms,
            status: response.status,
            status_text: response.status_text.to_vec(),
            headers: response.headers.clone().into_owned(),
            body: response.body.to_vec(),
            was_cors: response.was_cors,
        });
    }

    /// Selects a stored response (RFC 9111, section 4), the newest first.
    pub(super) fn select(&self, key: Key<'_>, defects: &Defects) -> Option<usize> {
        self.stored.iter().rposition(|s| s.is_selected(key, defects))
    }

    pub(super) fn stored(&self, index: usize) -> &Stored {
        &self.stored[index]
    }

    /// Whether a stored response is a stale one for a request with this `Cache-Control` (Fetch, stale response; RFC 9111, sections 4.2
    /// and 5.2).
    pub(super) fn is_stale(&self, index: usize, request: &HeaderList<'_>, now_ms: u64) -> bool {
        let stored = &self.stored[index];
        let (asked, told) = (Directives::of(request), Directives::of(&stored.headers));
        let age =
            now_ms.saturating_sub(stored.stored_ms) / 1000 + number(stored.headers.get("Age").as_deref().unwrap_or_default()).unwrap_or(0);
        let lifetime = told.max_age.unwrap_or(0).min(asked.max_age.unwrap_or(u64::MAX));
        told.no_cache || asked.no_cache || age >= lifetime
    }

    /// Freshens a stored response with a 304 (RFC 9111, sections 3.2 and 4.3.4).
    pub(super) fn freshen(&mut self, index: usize, headers: &HeaderList<'_>, now_ms: u64, defects: &Defects) {
        let stored = &mut self.stored[index];
        stored.stored_ms = now_ms;
        if defects.has(Defect::NotModifiedUpdatesNothing) {
            return;
        }
        let is_updated = |name: &str| !NOT_UPDATED.iter().any(|n| n.eq_ignore_ascii_case(name));
        if defects.has(Defect::NotModifiedReplacesAll) {
            let gone: Vec<_> = stored.headers.iter().map(|h| h.name.to_string()).filter(|n| is_updated(n)).collect();
            gone.iter().for_each(|name| stored.headers.delete(name));
        }
        let new: Vec<_> = headers.iter().filter(|h| is_updated(&h.name)).collect();
        if !defects.has(Defect::NotModifiedAppends) {
            new.iter().for_each(|h| stored.headers.delete(&h.name));
        }
        for header in new {
            stored.headers.append(header.name.to_string(), header.value.to_vec());
        }
    }

    /// Invalidates what is stored of a URL (RFC 9111, section 4.4).
    pub(super) fn invalidate(&mut self, partition: &str, url: &str) {
        self.stored.retain(|s| s.partition != partition || s.url != without_fragment(url));
    }
}

impl Stored {
    fn is_selected(&self, key: Key<'_>, defects: &Defects) -> bool {
        let path = |url: &str| url.find('?').unwrap_or(url.len());
        let url = without_fragment(key.url);
        let same_url = self.url == url || defects.has(Defect::HttpCacheIgnoresQuery) && self.url[..path(&self.url)] == url[..path(url)];
        let same_partition = self.partition == key.partition || defects.has(Defect::ResponsesUnpartitioned);
        same_url && same_partition && self.varies_not(key.headers, defects)
    }

    /// Whether a request has the same values of the fields that `Vary` names (RFC 9111, section 4.1).
    fn varies_not(&self, headers: &HeaderList<'_>, defects: &Defects) -> bool {
        if defects.has(Defect::VaryIgnored) {
            return true;
        }
        let Some(selecting) = &self.selecting else { return defects.has(Defect::VaryStarIgnored) };
        selecting.iter().all(|(name, value)| {
            let had = value.as_deref();
            let now = headers.get(name);
            had == now.as_deref() || defects.has(Defect::VaryAbsentMatches) && had.is_none()
        })
    }
}

/// The names in `Vary`.
fn vary(headers: &HeaderList<'_>, defects: &Defects) -> Vec<String> {
    let fields = headers.values("Vary").take(if defects.has(Defect::VaryFirstField) { 1 } else { usize::MAX });
    let names = fields.flat_map(|v| v.split(|b| *b == b',')).map(|n| String::from_utf8_lossy(trim_tab_or_space(n)).into_owned());
    let names = names.filter(|n| !n.is_empty()).take(if defects.has(Defect::VaryFirstName) { 1 } else { usize::MAX });
    // A name that is none in this casing leaves nothing to compare.
    names.filter(|n| !defects.has(Defect::VaryCaseSensitive) || n.starts_with(|c: char| c.is_ascii_uppercase() || c == '*')).collect()
}

/// Those directives of `Cache-Control` that are gone by here.
#[derive(Debug, Default)]
struct Directives {
    no_store: bool,
    no_cache: bool,
    /// The first one counts.
    max_age: Option<u64>,
}

impl Directives {
    fn of(headers: &HeaderList<'_>) -> Self {
        let mut found = Self::default();
        for directive in headers.values("Cache-Control").flat_map(|v| v.split(|b| *b == b',')).map(trim_tab_or_space) {
            let at = directive.iter().position(|b| *b == b'=').unwrap_or(directive.len());
            let value = directive.get(at + 1..).unwrap_or_default();
            match () {
                () if directive[..at].eq_ignore_ascii_case(b"no-store") => found.no_store = true,
                // With field names it is about these alone (RFC 9111, section 5.2.2.4).
                () if directive.eq_ignore_ascii_case(b"no-cache") => found.no_cache = true,
                () if directive[..at].eq_ignore_ascii_case(b"max-age") && found.max_age.is_none() => found.max_age = number(value),
                () => {}
            }
        }
        found
    }
}

fn number(value: &[u8]) -> Option<u64> {
    crate::compose::parse_length(value)
}

fn without_fragment(url: &str) -> &str {
    url.find('#').map_or(url, |at| &url[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderList<'static> {
        let mut list = HeaderList::new();
        fields.iter().for_each(|(n, v)| list.append(*n, v.as_bytes()));
        list
    }

    fn cache(fields: &[(&'static str, &'static str)], request: &HeaderList<'_>) -> HttpCache {
        let mut cache = HttpCache::default();
        let response = headers(fields);
        let candidate = Candidate { status: 200, status_text: b"OK", headers: &response, body: b"", was_cors: true };
        cache.store(Key { partition: "p", url: "http://b.test/r#f", headers: request }, &candidate, 0, &Defects::NONE);
        cache
    }

    fn selects(cache: &HttpCache, partition: &str, url: &str, request: &HeaderList<'_>) -> bool {
        cache.select(Key { partition, url, headers: request }, &Defects::NONE).is_some()
    }

    #[test]
    fn what_is_selected_has_url_partition_and_varying_fields_in_common() {
        let (a, b, none) = (headers(&[("Origin", "http://a.test")]), headers(&[("Origin", "null")]), headers(&[]));
        let free = cache(&[("Cache-Control", "max-age=60")], &a);
        assert!(selects(&free, "p", "http://b.test/r", &b) && selects(&free, "p", "http://b.test/r#g", &none));
        assert!(!selects(&free, "q", "http://b.test/r", &a) && !selects(&free, "p", "http://b.test/r?", &a));
        for vary in [&[("Vary", "Accept, oRIGIN")][..], &[("Vary", "Accept"), ("vary", "Origin ,")]] {
            let varying = cache(vary, &a);
            assert!(selects(&varying, "p", "http://b.test/r", &a), "{vary:?}");
            assert!(!selects(&varying, "p", "http://b.test/r", &b) && !selects(&varying, "p", "http://b.test/r", &none), "{vary:?}");
        }
        assert!(!selects(&cache(&[("Vary", "Origin, *")], &a), "p", "http://b.test/r", &a));
    }

    #[test]
    fn what_is_fresh_is_so_for_its_lifetime_and_as_long_as_the_request_takes_it() {
        let lives = |fields: &[(&'static str, &'static str)], asked: &'static str, ms| {
            !cache(fields, &headers(&[])).is_stale(0, &headers(&[("Cache-Control", asked)]), ms)
        };
        assert!(lives(&[("Cache-Control", "private, Max-Age=60")], "", 59_999));
        assert!(!lives(&[("Cache-Control", "max-age=60")], "", 60_000));
        assert!(!lives(&[("Cache-Control", "max-age=60"), ("Age", "50")], "", 10_000));
        assert!(!lives(&[("Cache-Control", "max-age=60, no-cache")], "", 0));
        assert!(!lives(&[("Cache-Control", "max-age=60")], "max-age=0", 0));
        assert!(!lives(&[("ETag", "\"e\"")], "", 0));
    }

    #[test]
    fn what_a_304_names_is_replaced_and_the_rest_stays() {
        let mut cache = cache(&[("ETag", "\"e\""), ("X-A", "1"), ("X-A", "2"), ("X-B", "1"), ("Content-Type", "a/b")], &headers(&[]));
        cache.freshen(0, &headers(&[("X-A", "3"), ("Content-Type", "c/d"), ("X-C", "1")]), 5, &Defects::NONE);
        let wanted = headers(&[("ETag", "\"e\""), ("X-B", "1"), ("Content-Type", "a/b"), ("X-A", "3"), ("X-C", "1")]);
        assert_eq!(cache.stored(0).headers, wanted);
    }

    #[test]
    fn parts_and_what_has_neither_lifetime_nor_validator_are_not_taken() {
        let takes = |status, fields: &[(&'static str, &'static str)]| HttpCache::takes(status, &headers(fields));
        assert!(takes(200, &[("Cache-Control", "max-age=1")]) && takes(302, &[("ETag", "x")]));
        assert!(!takes(200, &[]) && !takes(200, &[("Cache-Control", "no-store, max-age=1")]) && !takes(206, &[("ETag", "x")]));
    }
}
