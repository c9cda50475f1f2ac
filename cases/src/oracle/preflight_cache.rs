//! The CORS-preflight cache (Fetch, CORS-preflight cache).

use super::defect::{Defect, Defects};

/// A list of cache entries. One network partition: all pages of one user agent share it.
#[derive(Debug, Clone, Default)]
pub struct PreflightCache {
    entries: Vec<Entry>,
}

/// A cache entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Byte-serialized origin.
    pub origin: String,
    /// URL.
    pub url: String,
    /// When it was stored, by the user agent's clock, in milliseconds.
    pub stored_ms: u64,
    /// Max-age, in seconds.
    pub max_age: u64,
    /// Whether it was granted to a request with credentials mode `include`.
    pub credentials: bool,
    /// What it grants.
    pub grant: Grant,
}

/// What a cache entry grants: a method or a header name, either of which may be `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// A method.
    Method(String),
    /// A header name.
    Header(String),
}

/// What entries are matched with (Fetch, cache entry match).
#[derive(Debug, Clone, Copy)]
pub struct Key<'k> {
    /// Byte-serialized request origin.
    pub origin: &'k str,
    /// Current URL.
    pub url: &'k str,
    /// Whether the request's credentials mode is `include`.
    pub include: bool,
}

impl PreflightCache {
    /// The entries that have not expired.
    pub fn entries(&self, now_ms: u64) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |e| e.is_live(now_ms))
    }

    /// Whether it holds nothing at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Method cache entry match.
    pub fn has_method(&self, method: &str, key: Key<'_>, now_ms: u64, defects: &Defects) -> bool {
        self.entries.iter().any(|e| e.matches(key, now_ms, defects) && e.grants_method(method, defects))
    }

    /// Header-name cache entry match.
    pub fn has_header(&self, name: &str, key: Key<'_>, now_ms: u64, defects: &Defects) -> bool {
        self.entries.iter().any(|e| e.matches(key, now_ms, defects) && e.grants_header(name, defects))
    }

    /// Sets the max-age of matching entries, or creates one (CORS-preflight fetch, steps 7.12 to 7.15).
    pub fn store(&mut self, grant: Grant, key: Key<'_>, max_age: u64, now_ms: u64, defects: &Defects) {
        let mut found = false;
        for entry in &mut self.entries {
            let grants = match &grant {
                Grant::Method(method) => entry.grants_method(method, defects),
                Grant::Header(name) => entry.grants_header(name, defects),
            };
            if grants && entry.matches(key, now_ms, defects) {
                found = true;
                if !defects.has(Defect::CacheNeverUpdates) {
                    // An entry lives max-age seconds from its storing; what renews it stores it anew.
                    (entry.max_age, entry.stored_ms) = (max_age, now_ms);
                }
            }
        }
        if !found {
            let (origin, url) = (key.origin.to_owned(), key.url.to_owned());
            self.entries.push(Entry { origin, url, stored_ms: now_ms, max_age, credentials: key.include, grant });
        }
    }

    /// Clear cache entries: those of the origin and URL, whatever their credentials.
    pub fn clear(&mut self, origin: &str, url: &str) {
        self.entries.retain(|e| e.origin != origin || e.url != url);
    }

    /// Forgets everything: what a user agent may do at any time.
    pub fn forget(&mut self) {
        self.entries.clear();
    }
}

impl Entry {
    fn is_live(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.stored_ms) < self.max_age.saturating_mul(1000)
    }

    /// Cache entry match.
    fn matches(&self, key: Key<'_>, now_ms: u64, defects: &Defects) -> bool {
        let path = |url: &str| url.find(['?', '#']).unwrap_or(url.len());
        let url = self.url == key.url
            || defects.has(Defect::CacheIgnoresQuery) && self.url[..path(&self.url)] == key.url[..path(key.url)]
            || defects.has(Defect::CacheIgnoresPath) && authority(&self.url) == authority(key.url);
        let origin = self.origin == key.origin || defects.has(Defect::CacheIgnoresOrigin);
        let credentials = self.credentials || !key.include || defects.has(Defect::CacheIgnoresCredentials);
        let apart = defects.has(Defect::CacheSeparatesCredentials) && self.credentials != key.include;
        url && origin && credentials && !apart && (self.is_live(now_ms) || defects.has(Defect::CacheNeverExpires))
    }

    fn grants_method(&self, method: &str, defects: &Defects) -> bool {
        match &self.grant {
            Grant::Method(_) if defects.has(Defect::CacheMethodGrantsAll) => true,
            Grant::Method(m) => m == method || m == "*" && !defects.has(Defect::CacheForgetsWildcard),
            Grant::Header(_) => false,
        }
    }

    fn grants_header(&self, name: &str, defects: &Defects) -> bool {
        match &self.grant {
            Grant::Method(_) => false,
            Grant::Header(_) if defects.has(Defect::CacheHeaderGrantsAll) => true,
            Grant::Header(h) if h == "*" => {
                !defects.has(Defect::CacheForgetsWildcard)
                    && (!super::safelist::is_non_wildcard_name(name) || defects.has(Defect::WildcardCoversAuthorization))
            }
            Grant::Header(h) => h.eq_ignore_ascii_case(name),
        }
    }
}

fn authority(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    url[start..].find('/').map_or(url, |at| &url[..start + at])
}
