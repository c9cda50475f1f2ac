//! The CORS-preflight cache (Fetch, CORS-preflight cache).

use std::{
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::{Arc, LazyLock},
};

use super::defect::{Defect, Defects};

/// A list of cache entries, of all network partitions.
#[derive(Debug, Clone, Default)]
pub struct PreflightCache {
    entries: Vec<Entry>,
}

/// A cache entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The network partition key.
    pub partition: Arc<str>,
    /// Byte-serialized origin.
    pub origin: Arc<str>,
    /// URL.
    pub url: Arc<str>,
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
    /// The network partition key of the request's client.
    pub partition: &'k str,
    /// Byte-serialized request origin.
    pub origin: &'k str,
    /// Current URL.
    pub url: &'k str,
    /// Whether the request's credentials mode is `include`.
    pub include: bool,
}

/// How many grants are looked for one by one.
const FEW: usize = 16;

impl Grant {
    /// The grant of everything of its kind.
    fn wildcard(&self) -> &'static Self {
        static WILDCARDS: LazyLock<[Grant; 2]> = LazyLock::new(|| [Grant::Method("*".to_owned()), Grant::Header("*".to_owned())]);
        match self {
            Grant::Method(_) => &WILDCARDS[0],
            Grant::Header(_) => &WILDCARDS[1],
        }
    }

    /// Whether this wildcard grants what another grant does.
    fn covers(&self, grant: &Grant) -> bool {
        match grant {
            Grant::Method(method) => method != "*",
            Grant::Header(name) => name != "*" && !super::safelist::is_non_wildcard_name(name),
        }
    }
}

/// A grant that equals those which grant the same: header names by any casing.
struct Name<'g>(&'g Grant);

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Grant::Method(a), Grant::Method(b)) => a == b,
            (Grant::Header(a), Grant::Header(b)) => a.eq_ignore_ascii_case(b),
            _ => false,
        }
    }
}

impl Eq for Name<'_> {}

impl Hash for Name<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0 {
            Grant::Method(method) => method.hash(state),
            // Bit 5 tells upper from lower case; names that are alike but for others of these bits share a place.
            Grant::Header(name) => name.as_bytes().chunks(8).for_each(|chunk| {
                let mut bytes = [0; 8];
                bytes[..chunk.len()].copy_from_slice(chunk);
                state.write_u64(u64::from_ne_bytes(bytes) | 0x2020_2020_2020_2020);
            }),
        }
    }
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

    /// Sets the max-age of the entries that match each grant, or creates one (CORS-preflight fetch, steps 7.12 to 7.15).
    pub fn store(&mut self, grants: impl Iterator<Item = Grant> + Clone, key: Key<'_>, max_age: u64, now_ms: u64, defects: &Defects) {
        if defects.is_empty() && grants.clone().nth(FEW).is_some() {
            return self.store_many(grants, key, max_age, now_ms);
        }
        // What new entries share.
        let mut shared = None;
        for grant in grants {
            let mut found = false;
            for entry in &mut self.entries {
                if entry.grants(&grant, defects) && entry.matches(key, now_ms, defects) {
                    found = true;
                    if !defects.has(Defect::CacheNeverUpdates) {
                        entry.renew(max_age, now_ms);
                    }
                }
            }
            if !found {
                let (partition, origin, url) =
                    shared.get_or_insert_with(|| (Arc::from(key.partition), Arc::from(key.origin), Arc::from(key.url))).clone();
                self.entries.push(Entry { partition, origin, url, stored_ms: now_ms, max_age, credentials: key.include, grant });
            }
        }
    }

    /// The same with the entries found by name: what a server lists may be long, and time must not grow with its square.
    fn store_many(&mut self, grants: impl Iterator<Item = Grant>, key: Key<'_>, max_age: u64, now_ms: u64) {
        let grants: Vec<_> = grants.collect();
        let mut stored: HashMap<Name<'_>, Vec<usize>> = HashMap::new();
        for (index, entry) in self.entries.iter().enumerate().filter(|(_, e)| e.matches(key, now_ms, &Defects::NONE)) {
            stored.entry(Name(&entry.grant)).or_default().push(index);
        }
        let (mut renewed, mut is_new) = (Vec::<usize>::new(), vec![false; grants.len()]);
        // What is created here is as it would be renewed, and grants what comes after it.
        let mut created = HashSet::with_capacity(grants.len());
        for (grant, is_new) in grants.iter().zip(&mut is_new) {
            let names = [Some(Name(grant)), Some(Name(grant.wildcard())).filter(|w| w.0.covers(grant))];
            let found = names.iter().flatten().filter_map(|name| stored.get(name)).flatten();
            let before = renewed.len();
            renewed.extend(found.copied());
            *is_new = before == renewed.len() && !names.iter().flatten().any(|name| created.contains(name));
            if *is_new {
                created.insert(Name(grant));
            }
        }
        renewed.into_iter().for_each(|index| self.entries[index].renew(max_age, now_ms));
        let (partition, origin, url) = (Arc::<str>::from(key.partition), Arc::<str>::from(key.origin), Arc::<str>::from(key.url));
        let new = grants.into_iter().zip(is_new).filter(|(_, is_new)| *is_new);
        self.entries.extend(new.map(|(grant, _)| Entry {
            partition: partition.clone(),
            origin: origin.clone(),
            url: url.clone(),
            stored_ms: now_ms,
            max_age,
            credentials: key.include,
            grant,
        }));
    }

    /// Clear cache entries: those of the partition, origin and URL, whatever their credentials.
    pub fn clear(&mut self, partition: &str, origin: &str, url: &str) {
        self.entries.retain(|e| *e.partition != *partition || *e.origin != *origin || *e.url != *url);
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
        let url = *self.url == *key.url
            || defects.has(Defect::CacheIgnoresQuery) && self.url[..path(&self.url)] == key.url[..path(key.url)]
            || defects.has(Defect::CacheIgnoresPath) && authority(&self.url) == authority(key.url);
        let origin = *self.origin == *key.origin || defects.has(Defect::CacheIgnoresOrigin);
        let partition = *self.partition == *key.partition || defects.has(Defect::CacheIgnoresPartition);
        let credentials = self.credentials || !key.include || defects.has(Defect::CacheIgnoresCredentials);
        let apart = defects.has(Defect::CacheSeparatesCredentials) && self.credentials != key.include;
        url && partition && origin && credentials && !apart && (self.is_live(now_ms) || defects.has(Defect::CacheNeverExpires))
    }

    /// From its storing an entry lives max-age seconds; what renews it stores it anew.
    fn renew(&mut self, max_age: u64, now_ms: u64) {
        (self.max_age, self.stored_ms) = (max_age, now_ms);
    }

    fn grants(&self, grant: &Grant, defects: &Defects) -> bool {
        match grant {
            Grant::Method(method) => self.grants_method(method, defects),
            Grant::Header(name) => self.grants_header(name, defects),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key<'static> = Key { partition: "p", origin: "https://a.example", url: "https://b.example/", include: false };

    /// Stores twice, second by second, one grant at a time or all at once.
    fn stored(first: &[Grant], second: &[Grant], at_once: bool) -> PreflightCache {
        let mut cache = PreflightCache::default();
        for (n, grants) in [first, second].into_iter().enumerate() {
            let key = Key { include: n == 0, ..KEY };
            let now = n as u64 * 1000;
            if at_once {
                cache.store_many(grants.iter().cloned(), key, 5 + n as u64, now);
            } else {
                grants.iter().for_each(|g| cache.store([g.clone()].into_iter(), key, 5 + n as u64, now, &Defects::NONE));
            }
        }
        cache
    }

    #[test]
    fn many_grants_are_stored_as_few_are() {
        let kinds: [fn(&str) -> Grant; 2] = [|n| Grant::Method(n.to_owned()), |n| Grant::Header(n.to_owned())];
        let words = ["*", "X-A", "x-a", "X-B", "Authorization", "authorization"];
        let all: Vec<_> = kinds.iter().flat_map(|kind| words.iter().map(|w| kind(w))).collect();
        // All windows of all rotations: every word before and after every other.
        for turn in 0..all.len() {
            let mut first = all.clone();
            first.rotate_left(turn);
            for length in 0..all.len() {
                let second: Vec<_> = first.iter().rev().step_by(2).cloned().collect();
                let (one_by_one, at_once) = (stored(&first[..length], &second, false), stored(&first[..length], &second, true));
                assert_eq!(one_by_one.entries, at_once.entries, "{:?} and then {second:?}", &first[..length]);
            }
        }
    }

    #[test]
    fn a_list_without_end_is_stored_in_time() {
        let names = (0..200_000).map(|n| Grant::Header(format!("x-{n}")));
        let mut cache = PreflightCache::default();
        cache.store(names.clone(), KEY, 5, 0, &Defects::NONE);
        cache.store(names, KEY, 5, 1, &Defects::NONE);
        assert_eq!(cache.entries.len(), 200_000);
        assert!(cache.entries.iter().all(|e| e.stored_ms == 1));
    }
}
