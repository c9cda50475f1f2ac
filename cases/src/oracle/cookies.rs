//! Cookies as a fetch stores and sends them.
//!
//! The Fetch standard ("Cookies") hands `Set-Cookie` values to "parse and store a cookie" and asks "retrieve cookies" for those
//! of a request. The text followed here is RFC 6265bis (draft-ietf-httpbis-rfc6265bis-22): §5.6 parsing, §5.7 storage, §5.8.3
//! retrieval. §5.2, what counts as a same-site request, is replaced by Fetch's same-site mode. So at this one point the text is
//! that of draft-ietf-httpbis-layered-cookies, which Fetch names and which alone says what a mode means: "unset-or-less" keeps
//! back Lax and Strict cookies and lets through those without a `SameSite` attribute. 6265bis enforces these like Lax (§5.8.3,
//! step 3); [`CookieStore::lax_by_default`] does too.
//!
//! Where else the layered draft differs it is not followed. Some of it reads like slips: a later `Expires` wins over `Max-Age`,
//! `/foo` matches `/foobar`, a new value does not replace the old one when nothing else changed, `__Http-` asks for no `HttpOnly`
//! (6265bis has no such prefix). Some of it is small: an unusable `Path`, `Domain` or `SameSite` overrides an earlier one, or is
//! none, in 6265bis, and there longer paths are those with more octets, not with more segments.
//!
//! A store is of one user agent whose policy allows all cookies (§7.2), with a lifetime limit of 400 days (§5.5) and none on the
//! number of cookies (§6.1 asks for "at least" 50 and 3000). Hosts and paths are those of a parsed URL: the host as serialised,
//! the path with its leading slash and without the query. Times are milliseconds since the Unix epoch.

use super::site::{is_ip_address, is_public_suffix};

/// The limit of a cookie's lifetime, in milliseconds: 400 days (§5.5).
const AGE_LIMIT_MS: i64 = 34_560_000_000;

/// The limit of name and value together, in octets (§5.6, step 5).
const NAME_VALUE_LIMIT: usize = 4096;

/// The limit of an attribute's value, in octets (§5.6, attributes, step 6).
const ATTRIBUTE_LIMIT: usize = 1024;

/// The same-site mode of a request (Fetch, "determine the same-site mode").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SameSiteMode {
    /// All cookies may be sent: a same-site request.
    StrictOrLess,
    /// All but Strict cookies may be sent: a top-level navigation by GET.
    LaxOrLess,
    /// Neither Strict nor Lax cookies may be sent: a cross-site request.
    UnsetOrLess,
}

/// The same-site-flag of a cookie (§5.6.7 and §5.7, step 17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SameSite {
    /// `SameSite=Strict`.
    Strict,
    /// `SameSite=Lax`.
    Lax,
    /// No `SameSite` attribute, or one with another value; "Default" in 6265bis.
    #[default]
    Unset,
    /// `SameSite=None`.
    None,
}

/// A stored cookie (§5.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// The name; may be empty, but not together with the value.
    pub name: Vec<u8>,
    /// The value; may be empty.
    pub value: Vec<u8>,
    /// The host that set the cookie, or the domain its `Domain` attribute names.
    pub domain: String,
    /// Whether the cookie goes to that very host only, not to subdomains.
    pub host_only: bool,
    /// The path, from `Path` or the default path.
    pub path: Vec<u8>,
    /// Whether the cookie goes to https URLs only.
    pub secure_only: bool,
    /// Whether scripts do not see the cookie; no matter to a fetch.
    pub http_only: bool,
    /// What cross-site requests do with it.
    pub same_site: SameSite,
    /// When a cookie of this name, domain and path was first stored.
    pub created_ms: i64,
    /// When it expires; without, at the end of the session. `Max-Age=0` is [`i64::MIN`], and never stays in a store.
    pub expires_ms: Option<i64>,
}

impl Cookie {
    /// §5.7: a cookie is expired if its expiry date is in the past.
    fn is_expired(&self, now: i64) -> bool {
        self.expires_ms.is_some_and(|at| at < now)
    }
}

/// The cookie store of a user agent.
#[derive(Debug, Clone, Default)]
pub struct CookieStore {
    /// In the order of creation; a cookie that replaces another takes its place.
    cookies: Vec<Cookie>,
    unset_is_lax: bool,
}

impl CookieStore {
    /// An empty store that enforces cookies without a `SameSite` attribute like Lax ones: 6265bis to the letter, and what
    /// Chromium does. The default store does as the text that Fetch names: [`SameSiteMode::UnsetOrLess`] lets them through.
    pub fn lax_by_default() -> Self {
        Self { cookies: Vec::new(), unset_is_lax: true }
    }

    /// Parses and stores one `Set-Cookie` value (Fetch, "parse and store response `Set-Cookie` headers", steps 6.2 and 6.3), or
    /// does nothing if the cookie is to be ignored. Expired cookies leave the store.
    ///
    /// `secure` is whether the URL's scheme is `https`: a plain `http://a.localhost` is not secure by Fetch's text, although user
    /// agents trust the host. `strict_or_lax_allowed` is whether the request's mode is [`SameSiteMode::StrictOrLess`]; if not,
    /// only `SameSite=None` cookies are stored. The cookie comes from HTTP, so `HttpOnly` is always allowed.
    pub fn store(&mut self, value: &[u8], secure: bool, host: &str, path: &str, strict_or_lax_allowed: bool, now_ms: u64) {
        let now = signed(now_ms);
        // §5.7: expired cookies are evicted at any time, so none takes part below.
        self.cookies.retain(|cookie| !cookie.is_expired(now));

        // Steps 2 to 4 repeat conditions of parsing.
        let Some(parsed) = Parsed::new(value, now) else { return };

        // Steps 7 to 10.
        let Some((domain, host_only)) = parsed.domain(host) else { return };

        // Step 11.
        let cookie_path = parsed.path.flatten().unwrap_or_else(|| default_path(path).as_bytes());

        // Steps 12 and 13.
        if parsed.secure && !secure {
            return;
        }

        // Steps 14 and 15: an HTTP API, HttpOnly is fine.

        // Step 16: leave secure cookies alone.
        let overlays = |old: &Cookie| {
            old.name == parsed.name
                && old.secure_only
                && (domain_matches(&old.domain, domain) || domain_matches(domain, &old.domain))
                && path_matches(cookie_path, &old.path)
        };
        if !secure && self.cookies.iter().any(overlays) {
            return;
        }

        // Steps 17 and 18; an unset flag is not None and needs a same-site request like Lax and Strict.
        if parsed.same_site != SameSite::None && !strict_or_lax_allowed {
            return;
        }

        // Step 19.
        if parsed.same_site == SameSite::None && !parsed.secure {
            return;
        }

        // Step 20.
        if starts_with_ignoring_case(parsed.name, b"__Secure-") && !parsed.secure {
            return;
        }

        // Step 21.
        let host_bound = parsed.secure && host_only && parsed.path.is_some() && cookie_path == b"/";
        if starts_with_ignoring_case(parsed.name, b"__Host-") && !host_bound {
            return;
        }

        // Step 22: a nameless cookie is sent as its value alone, which must not look like a prefixed name.
        let poses = |prefix| starts_with_ignoring_case(parsed.value, prefix);
        if parsed.name.is_empty() && (poses(b"__Secure-") || poses(b"__Host-")) {
            return;
        }

        let mut cookie = Cookie {
            name: parsed.name.to_vec(),
            value: parsed.value.to_vec(),
            domain: domain.to_owned(),
            host_only,
            path: cookie_path.to_vec(),
            secure_only: parsed.secure,
            http_only: parsed.http_only,
            same_site: parsed.same_site,
            created_ms: now,
            // Step 6: Max-Age goes before Expires wherever it stands.
            expires_ms: parsed.max_age.or(parsed.expires),
        };
        let same = |old: &Cookie| {
            old.name == cookie.name && old.domain == cookie.domain && old.host_only == cookie.host_only && old.path == cookie.path
        };
        match self.cookies.iter().position(same) {
            // Step 23, and the eviction of what is expired at once: the way to delete a cookie.
            Some(at) if cookie.is_expired(now) => drop(self.cookies.remove(at)),
            Some(at) => {
                cookie.created_ms = self.cookies[at].created_ms;
                self.cookies[at] = cookie;
            }
            // Step 24.
            None if cookie.is_expired(now) => {}
            None => self.cookies.push(cookie),
        }
    }

    /// The value of the `Cookie` header of a request (Fetch, "append a request `Cookie` header", steps 5 to 8), or `None` if it
    /// has no such header.
    pub fn retrieve(&self, secure: bool, host: &str, path: &str, mode: SameSiteMode, now_ms: u64) -> Option<Vec<u8>> {
        let now = signed(now_ms);
        // §5.8.3, step 3.
        let mut list: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(|cookie| {
                !cookie.is_expired(now)
                    && (if cookie.host_only { cookie.domain == host } else { domain_matches(host, &cookie.domain) })
                    && path_matches(path.as_bytes(), &cookie.path)
                    && (secure || !cookie.secure_only)
                    && self.mode_allows(mode, cookie.same_site)
            })
            .collect();
        if list.is_empty() {
            return None;
        }
        // Step 4: longer paths first, then earlier creation. The sort is stable, so cookies of one millisecond keep their order.
        list.sort_by_key(|cookie| (std::cmp::Reverse(cookie.path.len()), cookie.created_ms));
        // Step 6.
        let mut value = Vec::with_capacity(list.iter().map(|cookie| cookie.name.len() + cookie.value.len() + 3).sum());
        for cookie in list {
            if !value.is_empty() {
                value.extend_from_slice(b"; ");
            }
            if !cookie.name.is_empty() {
                value.extend_from_slice(&cookie.name);
                value.push(b'=');
            }
            value.extend_from_slice(&cookie.value);
        }
        Some(value)
    }

    /// The condition on same-site of "retrieve cookies" (layered-cookies, step 2).
    fn mode_allows(&self, mode: SameSiteMode, flag: SameSite) -> bool {
        match flag {
            SameSite::None => true,
            SameSite::Unset if !self.unset_is_lax => true,
            SameSite::Unset | SameSite::Lax => mode != SameSiteMode::UnsetOrLess,
            SameSite::Strict => mode == SameSiteMode::StrictOrLess,
        }
    }

    /// Whether no cookie is held. Cookies that have expired since the last [`store`](Self::store) still are.
    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    /// Forgets all cookies.
    pub fn clear(&mut self) {
        self.cookies.clear();
    }

    /// The cookies held, in the order of their creation, those that have expired since the last [`store`](Self::store) included.
    pub fn iter(&self) -> impl Iterator<Item = &Cookie> {
        self.cookies.iter()
    }
}

/// A set-cookie-string taken apart (§5.6).
struct Parsed<'a> {
    name: &'a [u8],
    value: &'a [u8],
    /// Expiry by the last usable `Expires`.
    expires: Option<i64>,
    /// Expiry by the last usable `Max-Age`.
    max_age: Option<i64>,
    /// The last `Domain`, without its leading dot; empty counts as none.
    domain: &'a [u8],
    /// The last `Path`; `Some(None)` stands for the default path.
    path: Option<Option<&'a [u8]>>,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
}

impl<'a> Parsed<'a> {
    /// Parses a set-cookie-string; `None` if it is to be ignored entirely.
    fn new(input: &'a [u8], now: i64) -> Option<Self> {
        // Step 1.
        if input.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return None;
        }
        // Step 2. After the name-value pair, each semicolon opens one cookie-av: attributes, steps 1 to 3.
        let mut parts = input.split(|byte| *byte == b';');
        let pair = parts.next().unwrap_or_default();
        // Steps 3 and 4.
        let (name, value) = match split_at_equals(pair) {
            Some((name, value)) => (trim(name), trim(value)),
            None => (&b""[..], trim(pair)),
        };
        // Step 5; and storage model, step 2.
        if name.len() + value.len() > NAME_VALUE_LIMIT || (name.is_empty() && value.is_empty()) {
            return None;
        }
        let mut parsed = Self {
            name,
            value,
            expires: None,
            max_age: None,
            domain: b"",
            path: None,
            secure: false,
            http_only: false,
            same_site: SameSite::Unset,
        };
        for attribute in parts {
            // Attributes, steps 4 and 5.
            let (name, value) = split_at_equals(attribute).unwrap_or((attribute, b""));
            let (name, value) = (trim(name), trim(value));
            // Step 6.
            if value.len() <= ATTRIBUTE_LIMIT {
                parsed.attribute(name, value, now);
            }
        }
        Some(parsed)
    }

    /// Attributes, step 7. The last attribute of a name wins; unknown ones are ignored.
    fn attribute(&mut self, name: &[u8], value: &'a [u8], now: i64) {
        if name.eq_ignore_ascii_case(b"Expires") {
            // §5.6.1: one that is no date is ignored.
            if let Some(date) = parse_date(value) {
                self.expires = Some(date.min(now.saturating_add(AGE_LIMIT_MS)));
            }
        } else if name.eq_ignore_ascii_case(b"Max-Age") {
            if let Some(expiry) = parse_max_age(value, now) {
                self.max_age = Some(expiry);
            }
        } else if name.eq_ignore_ascii_case(b"Domain") {
            // §5.6.3.
            self.domain = value.strip_prefix(b".").unwrap_or(value);
        } else if name.eq_ignore_ascii_case(b"Path") {
            // §5.6.4.
            self.path = Some(value.starts_with(b"/").then_some(value));
        } else if name.eq_ignore_ascii_case(b"Secure") {
            self.secure = true;
        } else if name.eq_ignore_ascii_case(b"HttpOnly") {
            self.http_only = true;
        } else if name.eq_ignore_ascii_case(b"SameSite") {
            // §5.6.7: another value is "Default" and overrides an earlier attribute.
            self.same_site = if value.eq_ignore_ascii_case(b"None") {
                SameSite::None
            } else if value.eq_ignore_ascii_case(b"Strict") {
                SameSite::Strict
            } else if value.eq_ignore_ascii_case(b"Lax") {
                SameSite::Lax
            } else {
                SameSite::Unset
            };
        }
    }

    /// The domain of the cookie and its host-only-flag (§5.7, steps 8 to 10); `None` if the cookie is to be ignored.
    fn domain<'h>(&self, host: &'h str) -> Option<(&'h str, bool)> {
        // Step 8: CHAR is ASCII.
        let domain = str::from_utf8(self.domain).ok().filter(|domain| domain.is_ascii())?;
        // Step 10, without a domain; step 9.3, where the domain is a public suffix and the host itself.
        let suffix = is_public_suffix(domain);
        if domain.is_empty() || (suffix && domain.eq_ignore_ascii_case(host)) {
            return Some((host, true));
        }
        // Step 9: any other public suffix. Step 10: what matches is ASCII and an end of the host, whose own spelling is the lower
        // case that §5.6.3 asks for.
        if suffix || !domain_matches(host, domain) {
            return None;
        }
        Some((&host[host.len() - domain.len()..], false))
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn split_at_equals(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// Without leading and trailing WSP: space and tab.
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn starts_with_ignoring_case(bytes: &[u8], prefix: &[u8]) -> bool {
    bytes.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// §5.1.3: whether a host domain-matches a domain string. Letter case may differ: the domain may be one not lower-cased yet.
fn domain_matches(host: &str, domain: &str) -> bool {
    let (host_bytes, domain) = (host.as_bytes(), domain.as_bytes());
    let Some(at) = host_bytes.len().checked_sub(domain.len()) else { return false };
    host_bytes[at..].eq_ignore_ascii_case(domain) && (at == 0 || (host_bytes[at - 1] == b'.' && !is_ip_address(host)))
}

/// §5.1.4: the default path of a request's path.
fn default_path(path: &str) -> &str {
    // Steps 2 and 3; then step 4.
    if !path.starts_with('/') {
        return "/";
    }
    path.rfind('/').filter(|at| *at > 0).map_or("/", |at| &path[..at])
}

/// §5.1.4: whether a request path path-matches a cookie path.
fn path_matches(request: &[u8], cookie: &[u8]) -> bool {
    request.strip_prefix(cookie).is_some_and(|rest| rest.is_empty() || cookie.ends_with(b"/") || rest.starts_with(b"/"))
}

/// §5.6.2: the expiry time of a `Max-Age` value; `None` if the attribute is to be ignored.
fn parse_max_age(value: &[u8], now: i64) -> Option<i64> {
    // Steps 1 to 3.
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Steps 4 to 6. No number is too large: past the limit it counts as the limit.
    let mut delta = 0;
    for digit in digits {
        delta = (delta * 10 + i64::from(digit - b'0')).min(AGE_LIMIT_MS / 1000);
    }
    // Step 7.
    Some(if negative || delta == 0 { i64::MIN } else { now.saturating_add(delta * 1000) })
}

/// §5.1.1: the time that a cookie-date names; `None` if it fails to parse.
fn parse_date(date: &[u8]) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    // Steps 1 and 2. A token that is one thing already found may be the next.
    for token in date.split(|byte| is_date_delimiter(*byte)).filter(|token| !token.is_empty()) {
        if time.is_none() {
            time = parse_time(token);
            if time.is_some() {
                continue;
            }
        }
        if day.is_none() {
            day = leading_number(token, 1, 2).map(|(day, _)| day);
            if day.is_some() {
                continue;
            }
        }
        if month.is_none() {
            month = parse_month(token);
            if month.is_some() {
                continue;
            }
        }
        if year.is_none() {
            year = leading_number(token, 2, 4).map(|(year, _)| year);
        }
    }
    // Step 5.1.
    let ((hour, minute, second), day, month, year) = (time?, day?, month?, year?);
    // Steps 3 and 4.
    let year = match year {
        70..=99 => year + 1900,
        0..=69 => year + 2000,
        _ => year,
    };
    // Steps 5 and 6.
    if day < 1 || day > days_in_month(year, month) || year < 1601 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Step 7.
    Some((((days_since_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

fn is_date_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2F | 0x3B..=0x40 | 0x5B..=0x60 | 0x7B..=0x7E)
}

/// `min*maxDIGIT [ non-digit *OCTET ]`: the number, and what follows it.
fn leading_number(token: &[u8], min: usize, max: usize) -> Option<(i64, &[u8])> {
    let end = token.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(token.len());
    if end < min || end > max {
        return None;
    }
    let (digits, rest) = token.split_at(end);
    Some((digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')), rest))
}

/// The `time` production: hour, minute, second.
fn parse_time(token: &[u8]) -> Option<(i64, i64, i64)> {
    let (hour, rest) = leading_number(token, 1, 2)?;
    let (minute, rest) = leading_number(rest.strip_prefix(b":")?, 1, 2)?;
    let (second, _) = leading_number(rest.strip_prefix(b":")?, 1, 2)?;
    Some((hour, minute, second))
}

/// The `month` production: 1 to 12.
fn parse_month(token: &[u8]) -> Option<i64> {
    let names = [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    let start = token.get(..3)?;
    (1..).zip(names).find(|(_, name)| start.eq_ignore_ascii_case(*name)).map(|(month, _)| month)
}

fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1 January 1970 to a day of the Gregorian calendar, of a year after 0.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let years = before * 365 + before / 4 - before / 100 + before / 400;
    let months: i64 = (1..month).map(|month| days_in_month(year, month)).sum();
    // From 1 January of year 1 to the epoch it is 719162 days.
    years + months + day - 1 - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;
    use SameSiteMode::{LaxOrLess, StrictOrLess, UnsetOrLess};

    /// 22 November 2025, 00:00:00 UTC.
    const NOW: u64 = 1_763_769_600_000;
    const LIMIT: i64 = NOW as i64 + AGE_LIMIT_MS;

    /// A store after one `Set-Cookie`, from a same-site request.
    fn set(value: &[u8], secure: bool, host: &str, path: &str) -> CookieStore {
        let mut store = CookieStore::default();
        store.store(value, secure, host, path, true, NOW);
        store
    }

    /// The only cookie of such a store, from https://a.localhost/t/x.
    fn one(value: &[u8]) -> Option<Cookie> {
        let store = set(value, true, "a.localhost", "/t/x");
        assert!(store.cookies.len() < 2);
        store.iter().next().cloned()
    }

    fn sent(store: &CookieStore, secure: bool, host: &str, path: &str) -> String {
        let value = store.retrieve(secure, host, path, StrictOrLess, NOW);
        value.map_or("-".to_owned(), |value| String::from_utf8(value).expect("the test's cookies are ASCII"))
    }

    #[test]
    fn names_and_values() {
        for (value, expected) in [
            ("k=v", Some(("k", "v"))),
            ("k=", Some(("k", ""))),
            ("=v", Some(("", "v"))),
            ("v", Some(("", "v"))),
            ("  v\t", Some(("", "v"))),
            ("=", None),
            ("", None),
            ("  ;Secure", None),
            (" = ; Path=/", None),
            (";k=v", None),
            ("k=v=w", Some(("k", "v=w"))),
            ("==v", Some(("", "=v"))),
            ("\t k \t=\t v w \t", Some(("k", "v w"))),
            ("k=\"v\"", Some(("k", "\"v\""))),
            ("k=\"a;b\"", Some(("k", "\"a"))),
            ("k=a,b", Some(("k", "a,b"))),
            ("k=%41", Some(("k", "%41"))),
            ("k k=v\tw", Some(("k k", "v\tw"))),
            ("k=é", Some(("k", "é"))),
            // Control characters anywhere, but tab.
            ("k=a\0b", None),
            ("k\x01=v", None),
            ("k=a\nb", None),
            ("k=a\r", None),
            ("k=\x1f", None),
            ("k=\x7f", None),
            ("k=v; Path=/\x08", None),
            ("k=v; unknown=\x7f", None),
            ("k=\u{80}", Some(("k", "\u{80}"))),
        ] {
            let found = one(value.as_bytes());
            let expected = expected.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
            assert_eq!(found.map(|cookie| (cookie.name, cookie.value)), expected, "{value:?}");
        }
        let latin1 = one(b"k=\xff\xfe").expect("any byte but controls");
        assert_eq!(latin1.value, b"\xff\xfe");
    }

    #[test]
    fn every_control_byte_is_refused() {
        for byte in 0..=u8::MAX {
            let refused = matches!(byte, 0..=8 | 0x0A..=0x1F | 0x7F);
            for value in [&[b'k', b'=', b'a', byte, b'b'][..], &[b'k', byte, b'k', b'=', b'v'], &[b'k', b'=', b'v', b';', byte]] {
                assert_eq!(one(value).is_none(), refused, "{value:?}");
            }
        }
    }

    #[test]
    fn limits() {
        let long = |n: usize| "x".repeat(n);
        for (value, stored) in [
            (format!("k={}", long(4095)), true),
            (format!("k={}", long(4096)), false),
            (format!("{}={}", long(4000), long(96)), true),
            (format!("{}={}", long(4000), long(97)), false),
            (long(4096), true),
            (long(4097), false),
            // What is trimmed does not count.
            (format!("k= \t{}\t ", long(4095)), true),
        ] {
            assert_eq!(one(value.as_bytes()).is_some(), stored, "{}", value.len());
        }
        let path = |n: usize| format!("/{}", long(n - 1));
        for (attributes, expected) in [
            (format!("Path={}", path(1024)), path(1024)),
            // Too long a value: the attribute is as if not there.
            (format!("Path={}", path(1025)), "/t".to_owned()),
            (format!("Path=/a; Path={}", path(1025)), "/a".to_owned()),
        ] {
            let cookie = one(format!("k=v; {attributes}").as_bytes()).expect("stored");
            assert_eq!(String::from_utf8(cookie.path).expect("ASCII"), expected);
        }
        for attribute in ["Domain", "Max-Age", "SameSite", "Expires"] {
            let cookie = one(format!("k=v; {attribute}={}", "1".repeat(1025)).as_bytes());
            assert_eq!(cookie, one(b"k=v"), "{attribute}");
        }
        // `Secure` needs no value, but too long a one makes it be ignored.
        assert!(one(format!("k=v; Secure={}", long(1024)).as_bytes()).is_some_and(|cookie| cookie.secure_only));
        assert!(one(format!("k=v; Secure={}", long(1025)).as_bytes()).is_some_and(|cookie| !cookie.secure_only));
    }

    #[test]
    fn flags() {
        for (attributes, secure, http_only, same_site) in [
            ("", false, false, SameSite::Unset),
            ("; Secure", true, false, SameSite::Unset),
            (";secure;HTTPONLY", true, true, SameSite::Unset),
            ("; \tSecure\t = x ;  HttpOnly = false", true, true, SameSite::Unset),
            ("; Secur; Http-Only; ;; =; =Secure", false, false, SameSite::Unset),
            ("; SameSite=Strict", false, false, SameSite::Strict),
            ("; samesite = LAX ", false, false, SameSite::Lax),
            ("; SameSite=None; Secure", true, false, SameSite::None),
            ("; SameSite", false, false, SameSite::Unset),
            ("; SameSite=", false, false, SameSite::Unset),
            ("; SameSite=\"Lax\"", false, false, SameSite::Unset),
            ("; SameSite=Strict; SameSite=Lax", false, false, SameSite::Lax),
            ("; SameSite=None; SameSite=Strict", false, false, SameSite::Strict),
            ("; SameSite=Strict; SameSite=other", false, false, SameSite::Unset),
            ("; SameSite=Lax=", false, false, SameSite::Unset),
        ] {
            let cookie = one(format!("k=v{attributes}").as_bytes()).expect("stored");
            assert_eq!((cookie.secure_only, cookie.http_only, cookie.same_site), (secure, http_only, same_site), "{attributes}");
        }
    }

    #[test]
    fn dates() {
        let known = Some(784_111_777_000);
        let new_year = Some(946_684_800_000);
        for (date, expected) in [
            // The three forms of HTTP, and more that servers send.
            ("Sun, 06 Nov 1994 08:49:37 GMT", known),
            ("Sunday, 06-Nov-94 08:49:37 GMT", known),
            ("Sun Nov  6 08:49:37 1994", known),
            ("06 Nov 1994 08:49:37", known),
            ("6-nov-94 8:49:37", known),
            ("8:49:37 6 NOVEMBER 1994 +0200", known),
            ("1994/Nov/6 08:49:37", known),
            ("Nov 06 94 08:49:37UTC", known),
            ("Sun,06-Nov-1994T 08:49:37.123", known),
            ("(08:49:37) [6] {Nov} <1994>", known),
            ("\t;06\t;Nov;1994;08:49:37;", known),
            // Tokens in any order; the first one of each kind counts.
            ("1994 Nov 6 08:49:37", known),
            ("94 Nov 6 08:49:37", None),
            ("08:49:37 06 Nov 1994 09:00:00 07 Dec 1995", known),
            ("6th Nov 1994AD 08:49:37", known),
            ("novel 6 1994 08:49:37x", known),
            // Two-digit years, and years by number only.
            ("01 Jan 00 00:00:00", new_year),
            ("01 Jan 2000 00:00:00", new_year),
            ("01 Jan 0000 00:00:00", new_year),
            ("01 Jan 000 00:00:00", new_year),
            ("01 Jan 69 00:00:00", Some(3_124_224_000_000)),
            ("01 Jan 70 00:00:00", Some(0)),
            ("01 Jan 99 00:00:00", Some(915_148_800_000)),
            ("01 Jan 1970 00:00:00", Some(0)),
            ("01 Jan 1970 00:00:01", Some(1000)),
            ("31 Dec 1969 23:59:59", Some(-1000)),
            ("01 Jan 1601 00:00:00", Some(-11_644_473_600_000)),
            ("31 Dec 1600 23:59:59", None),
            ("31 Dec 9999 23:59:59", Some(253_402_300_799_000)),
            ("01 Jan 100 00:00:00", None),
            ("01 Jan 10000 00:00:00", None),
            ("01 Jan 1 00:00:00", None),
            // Days that are.
            ("29 Feb 2024 00:00:00", Some(1_709_164_800_000)),
            ("29 Feb 2000 00:00:00", Some(951_782_400_000)),
            ("29 Feb 1900 00:00:00", None),
            ("29 Feb 2023 00:00:00", None),
            ("31 Apr 2024 00:00:00", None),
            ("30 Apr 2024 00:00:00", Some(1_714_435_200_000)),
            ("00 Jan 2000 00:00:00", None),
            ("32 Jan 2000 00:00:00", None),
            ("001 Jan 2000 00:00:00", None),
            // Times that are.
            ("01 Jan 2000 24:00:00", None),
            ("01 Jan 2000 00:60:00", None),
            ("01 Jan 2000 00:00:60", None),
            ("01 Jan 2000 23:59:59", Some(946_771_199_000)),
            ("01 Jan 2000 0:0:0", new_year),
            ("01 Jan 2000 000:00:00", None),
            ("01 Jan 2000 00:00:000", None),
            ("01 Jan 2000 00:00", None),
            ("01 Jan 2000 :00:00", None),
            ("01 Jan 2000 00:00:", None),
            ("01 Jan 2000 00::00:00", None),
            // A part that fails as a time may be the day.
            ("01:02 Jan 2000 00:00:00", new_year),
            // Parts missing.
            ("", None),
            ("   ", None),
            ("0", None),
            ("-1", None),
            ("Jan 2000 00:00:00", None),
            ("01 2000 00:00:00", None),
            ("01 Jan 00:00:00", None),
            ("01 Jan 2000", None),
            ("01 J 2000 00:00:00", None),
            ("01 01 2000 00:00:00", None),
            ("2000-01-01T00:00:00Z", None),
            // No delimiters: a colon, a letter, a control character, a byte from 0x7F.
            ("01Jan 2000 00:00:00", None),
            ("01\x0bJan\x0b2000\x0b00:00:00", None),
        ] {
            assert_eq!(parse_date(date.as_bytes()), expected, "{date:?}");
        }
        assert_eq!(parse_date(b"01 Jan 2000\xff 00:00:00\xff"), new_year);
        for byte in 0..=u8::MAX {
            let date: Vec<u8> = b"01_Jan_2000_00:00:00".iter().map(|b| if *b == b'_' { byte } else { *b }).collect();
            let delimits = byte == b'\t' || ((0x20..0x7F).contains(&byte) && !byte.is_ascii_alphanumeric() && byte != b':');
            assert_eq!(parse_date(&date).is_some(), delimits, "{byte:#x}");
        }
    }

    #[test]
    fn days_are_counted_without_gaps() {
        let mut expected = days_since_epoch(1601, 1, 1);
        assert_eq!(expected, -134_774);
        for year in 1601..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(days_since_epoch(year, month, day), expected);
                    expected += 1;
                }
            }
        }
    }

    #[test]
    fn max_ages() {
        let now = NOW as i64;
        for (value, expected) in [
            ("1", Some(now + 1000)),
            ("0060", Some(now + 60_000)),
            ("34560000", Some(LIMIT)),
            ("34560001", Some(LIMIT)),
            ("99999999999999999999999999999999", Some(LIMIT)),
            ("0", Some(i64::MIN)),
            ("000", Some(i64::MIN)),
            ("-0", Some(i64::MIN)),
            ("-1", Some(i64::MIN)),
            ("-99999999999999999999999999999999", Some(i64::MIN)),
            ("", None),
            ("-", None),
            ("--1", None),
            ("+1", None),
            ("1.5", None),
            ("1s", None),
            ("1 0", None),
            ("x", None),
            ("0x10", None),
            ("\"1\"", None),
        ] {
            assert_eq!(parse_max_age(value.as_bytes(), now), expected, "{value:?}");
        }
        assert_eq!(parse_max_age(b"1", i64::MAX), Some(i64::MAX));
    }

    #[test]
    fn lifetimes() {
        let now = NOW as i64;
        let gone = None;
        for (attributes, expected) in [
            ("", Some(None)),
            ("Expires=Sun, 23 Nov 2025 00:00:00 GMT", Some(Some(now + 86_400_000))),
            ("expires = Sat, 22 Nov 2025 00:00:01 GMT ", Some(Some(now + 1000))),
            // Now is not the past.
            ("Expires=Sat, 22 Nov 2025 00:00:00 GMT", Some(Some(now))),
            ("Expires=Fri, 21 Nov 2025 23:59:59 GMT", gone),
            ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", gone),
            ("Expires=Mon, 01 Jan 1601 00:00:00 GMT", gone),
            ("Expires=Fri, 31 Dec 9999 23:59:59 GMT", Some(Some(LIMIT))),
            ("Expires=tomorrow", Some(None)),
            ("Expires", Some(None)),
            ("Expires=\"Sun, 23 Nov 2025 00:00:00 GMT\"", Some(Some(now + 86_400_000))),
            ("Max-Age=60", Some(Some(now + 60_000))),
            ("max-AGE= 60 ", Some(Some(now + 60_000))),
            ("Max-Age=0", gone),
            ("Max-Age=-1", gone),
            ("Max-Age=soon", Some(None)),
            // Max-Age before Expires in either order; the last usable one of each.
            ("Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Some(Some(now + 60_000))),
            ("Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", Some(Some(now + 60_000))),
            ("Expires=Sun, 23 Nov 2025 00:00:00 GMT; Max-Age=0", gone),
            ("Max-Age=x; Expires=Sun, 23 Nov 2025 00:00:00 GMT", Some(Some(now + 86_400_000))),
            ("Max-Age=0; Max-Age=60", Some(Some(now + 60_000))),
            ("Max-Age=60; Max-Age=0", gone),
            ("Max-Age=60; Max-Age=x", Some(Some(now + 60_000))),
            ("Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=Sun, 23 Nov 2025 00:00:00 GMT", Some(Some(now + 86_400_000))),
            ("Expires=Sun, 23 Nov 2025 00:00:00 GMT; Expires=never", Some(Some(now + 86_400_000))),
        ] {
            let cookie = one(format!("k=v; {attributes}").as_bytes());
            assert_eq!(cookie.map(|cookie| cookie.expires_ms), expected, "{attributes}");
        }
    }

    #[test]
    fn expiry() {
        let mut store = set(b"k=v; Max-Age=60", false, "a.localhost", "/");
        let at = |store: &CookieStore, ms| store.retrieve(false, "a.localhost", "/", StrictOrLess, ms).is_some();
        assert!(at(&store, NOW + 60_000));
        assert!(!at(&store, NOW + 60_001));
        assert!(!at(&store, u64::MAX));
        // Anything stored later, even to be ignored, evicts it.
        store.store(b"", false, "b.localhost", "/", true, NOW + 60_001);
        assert!(store.is_empty());
        // An expired secure cookie protects nothing, an expired cookie gives no creation time away.
        let mut store = set(b"k=v; Max-Age=60; Secure", true, "a.localhost", "/");
        store.store(b"k=w", false, "a.localhost", "/", true, NOW + 1000);
        assert_eq!(sent(&store, true, "a.localhost", "/"), "k=v");
        store.store(b"k=w", false, "a.localhost", "/", true, NOW + 60_001);
        assert_eq!(sent(&store, true, "a.localhost", "/"), "k=w");
        assert_eq!(store.iter().map(|cookie| cookie.created_ms).collect::<Vec<_>>(), [NOW as i64 + 60_001]);
    }

    #[test]
    fn domains() {
        // (host, attribute, domain and host-only-flag)
        for (host, attribute, expected) in [
            ("a.localhost", "", Some(("a.localhost", true))),
            ("a.localhost", "Domain=a.localhost", Some(("a.localhost", false))),
            ("a.localhost", "Domain=.a.localhost", Some(("a.localhost", false))),
            ("a.localhost", "domain = A.LocalHost ", Some(("a.localhost", false))),
            ("a.localhost", "Domain=..a.localhost", None),
            ("a.localhost", "Domain=a.localhost.", None),
            ("a.localhost", "Domain", Some(("a.localhost", true))),
            ("a.localhost", "Domain=", Some(("a.localhost", true))),
            ("a.localhost", "Domain=.", Some(("a.localhost", true))),
            ("a.localhost", "Domain=b.localhost; Domain=", Some(("a.localhost", true))),
            ("a.localhost", "Domain=b.localhost; Domain=a.localhost", Some(("a.localhost", false))),
            ("a.localhost", "Domain=a.localhost; Domain=b.localhost", None),
            ("a.localhost", "Domain=b.localhost", None),
            ("a.localhost", "Domain=sub.a.localhost", None),
            ("a.localhost", "Domain=aa.localhost", None),
            ("aa.localhost", "Domain=a.localhost", None),
            ("a.localhost", "Domain=a.localhost:80", None),
            ("a.localhost", "Domain=*.localhost", None),
            ("a.localhost", "Domain=é.localhost", None),
            ("sub.a.localhost", "Domain=a.localhost", Some(("a.localhost", false))),
            ("x.sub.a.localhost", "Domain=.a.localhost", Some(("a.localhost", false))),
            ("sub.a.localhost", "Domain=sub.a.localhost", Some(("sub.a.localhost", false))),
            // A public suffix by the default rule: only for the host itself, and host-only.
            ("a.localhost", "Domain=localhost", None),
            ("a.localhost", "Domain=.localhost", None),
            ("a.localhost", "Domain=LOCALHOST", None),
            ("a.localhost", "Domain=com", None),
            ("localhost", "Domain=localhost", Some(("localhost", true))),
            ("localhost", "Domain=.LocalHost", Some(("localhost", true))),
            ("localhost", "", Some(("localhost", true))),
            ("localhost", "Domain=a.localhost", None),
            // Addresses match themselves only.
            ("127.0.0.1", "", Some(("127.0.0.1", true))),
            ("127.0.0.1", "Domain=127.0.0.1", Some(("127.0.0.1", false))),
            ("127.0.0.1", "Domain=0.0.1", None),
            ("127.0.0.1", "Domain=1", None),
            ("127.0.0.1", "Domain=localhost", None),
            ("[::1]", "Domain=[::1]", Some(("[::1]", false))),
            ("[::1]", "Domain=::1", None),
        ] {
            let store = set(format!("k=v; {attribute}").as_bytes(), false, host, "/");
            let found = store.iter().next().map(|cookie| (cookie.domain.as_str(), cookie.host_only));
            assert_eq!(found, expected, "{host} {attribute}");
        }
        assert!(one(b"k=v; Domain=\xff").is_none());
        assert!(one(b"k=v; Domain=\xff; Domain=").is_some());
    }

    #[test]
    fn domain_match() {
        // (host that sets, attribute, host of the request, sent)
        for (host, attribute, request, expected) in [
            ("a.localhost", "", "a.localhost", true),
            ("a.localhost", "", "sub.a.localhost", false),
            ("a.localhost", "Domain=a.localhost", "a.localhost", true),
            ("a.localhost", "Domain=a.localhost", "sub.a.localhost", true),
            ("a.localhost", "Domain=a.localhost", "x.sub.a.localhost", true),
            ("a.localhost", "Domain=a.localhost", "aa.localhost", false),
            ("a.localhost", "Domain=a.localhost", "b.localhost", false),
            ("a.localhost", "Domain=a.localhost", "localhost", false),
            ("sub.a.localhost", "Domain=a.localhost", "a.localhost", true),
            ("sub.a.localhost", "", "a.localhost", false),
            ("localhost", "", "a.localhost", false),
            ("localhost", "Domain=localhost", "a.localhost", false),
            ("localhost", "Domain=localhost", "localhost", true),
            ("localhost", "", "127.0.0.1", false),
            ("127.0.0.1", "Domain=127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "", "127.0.0.2", false),
        ] {
            let store = set(format!("k=v; {attribute}").as_bytes(), false, host, "/");
            assert_eq!(sent(&store, false, request, "/") == "k=v", expected, "{host} {attribute} {request}");
        }
        assert!(!domain_matches("1.127.0.0.1", "27.0.0.1"));
        assert!(!domain_matches("10.0.0.1", "0.0.1"));
        assert!(domain_matches("x.10.0.0.1", "0.0.1"));
    }

    #[test]
    fn paths() {
        // (path of the response, attribute, path of the cookie)
        for (path, attribute, expected) in [
            ("/", "", "/"),
            ("/x", "", "/"),
            ("/x/", "", "/x"),
            ("/x/y", "", "/x"),
            ("/x/y/", "", "/x/y"),
            ("/x//y", "", "/x/"),
            ("//", "", "/"),
            ("", "", "/"),
            ("x/y", "", "/"),
            ("/t/x", "Path", "/t"),
            ("/t/x", "Path=", "/t"),
            ("/t/x", "Path=y", "/t"),
            ("/t/x", "Path=\"/\"", "/t"),
            ("/t/x", "Path=/", "/"),
            ("/t/x", "path = /y/z ", "/y/z"),
            ("/t/x", "Path=/y/", "/y/"),
            ("/t/x", "Path=/y z", "/y z"),
            ("/t/x", "Path=/y=z", "/y=z"),
            ("/t/x", "Path=/y?z", "/y?z"),
            ("/t/x", "Path=/a/../b", "/a/../b"),
            ("/t/x", "Path=/a; Path=/b", "/b"),
            ("/t/x", "Path=/a; Path=", "/t"),
            ("/t/x", "Path=/a; Path=b", "/t"),
        ] {
            let store = set(format!("k=v; {attribute}").as_bytes(), false, "a.localhost", path);
            let cookie = store.iter().next().expect("stored");
            assert_eq!(str::from_utf8(&cookie.path), Ok(expected), "{path} {attribute}");
        }
    }

    #[test]
    fn path_match() {
        for (cookie, request, expected) in [
            ("/", "/", true),
            ("/", "/x", true),
            ("/x", "/x", true),
            ("/x", "/x/", true),
            ("/x", "/x/y", true),
            ("/x", "/xy", false),
            ("/x", "/X", false),
            ("/x", "/", false),
            ("/x", "/y/x", false),
            ("/x/", "/x", false),
            ("/x/", "/x/", true),
            ("/x/", "/x/y", true),
            ("/x y", "/x%20y", false),
            ("/%78", "/x", false),
        ] {
            let store = set(format!("k=v; Path={cookie}").as_bytes(), false, "a.localhost", "/");
            assert_eq!(sent(&store, false, "a.localhost", request) == "k=v", expected, "{cookie} {request}");
        }
    }

    #[test]
    fn secure() {
        // (https when set, attributes, stored, sent to http, sent to https)
        for (https, attributes, stored, to_http, to_https) in [
            (false, "", true, true, true),
            (true, "", true, true, true),
            (true, "; Secure", true, false, true),
            (false, "; Secure", false, false, false),
            (true, "; SameSite=None", false, false, false),
            (false, "; SameSite=None", false, false, false),
            (false, "; SameSite=None; Secure", false, false, false),
            (true, "; SameSite=None; Secure", true, false, true),
        ] {
            let store = set(format!("k=v{attributes}").as_bytes(), https, "a.localhost", "/");
            assert_eq!(store.is_empty(), !stored, "{https} {attributes}");
            assert_eq!(sent(&store, false, "a.localhost", "/") == "k=v", to_http, "{https} {attributes}");
            assert_eq!(sent(&store, true, "a.localhost", "/") == "k=v", to_https, "{https} {attributes}");
        }
    }

    #[test]
    fn prefixes() {
        // All over https from a.localhost/t/x, whose default path is /t.
        for (value, stored) in [
            ("__Secure-k=v", false),
            ("__Secure-k=v; Secure", true),
            ("__secure-k=v", false),
            ("__SECURE-k=v; Domain=a.localhost", false),
            ("__SeCuRe-k=v; Secure; Domain=a.localhost", true),
            ("__Secure-=v", false),
            ("__Secure=v", true),
            ("_Secure-k=v", true),
            ("x__Secure-k=v", true),
            ("__Host-k=v", false),
            ("__Host-k=v; Secure", false),
            ("__Host-k=v; Path=/", false),
            ("__Host-k=v; Secure; Path=/", true),
            ("__host-k=v; Secure; Path=/", true),
            ("__HOST-k=v; Secure; Path=/t", false),
            ("__HOST-k=v; Secure; Path=", false),
            ("__Host-k=v; Secure; Path=/; Path=/t", false),
            ("__Host-k=v; Secure; Path=/; Domain=a.localhost", false),
            ("__Host-k=v; Secure; Path=/; Domain=", true),
            ("__hOsT-k=v", false),
            ("__Host=v", true),
            // Nameless, so that the value would pose as a name.
            ("__Secure-k", false),
            ("__Host-k", false),
            ("=__Secure-k=v; Secure", false),
            ("=__Host-k=v; Secure; Path=/", false),
            ("=__HOST-; Secure; Path=/", false),
            ("= __secure-k=v", false),
            ("=__Host", true),
            ("k=__Host-k", true),
        ] {
            assert_eq!(one(value.as_bytes()).is_some(), stored, "{value}");
        }
        // The default path is not enough for `__Host-`, an attribute that leads to it is.
        assert!(set(b"__Host-k=v; Secure", true, "a.localhost", "/").is_empty());
        assert!(!set(b"__Host-k=v; Secure; Path", true, "a.localhost", "/").is_empty());
        // A public suffix that is the host makes the cookie host-only.
        assert!(!set(b"__Host-k=v; Secure; Path=/; Domain=localhost", true, "localhost", "/").is_empty());
        assert!(set(b"__Secure-k=v; Secure", false, "a.localhost", "/").is_empty());
    }

    #[test]
    fn secure_cookies_are_left_alone() {
        // A secure cookie `k` stands; then one is set from another place. (standing, host, path, new, https, stored)
        for (standing, host, path, new, https, stored) in [
            ("k=1; Secure; Path=/login", "a.localhost", "/", "k=2; Path=/login", false, false),
            ("k=1; Secure; Path=/login", "a.localhost", "/", "k=2; Path=/login/en", false, false),
            ("k=1; Secure; Path=/login", "a.localhost", "/", "k=2; Path=/", false, true),
            ("k=1; Secure; Path=/login", "a.localhost", "/", "k=2; Path=/foo", false, true),
            ("k=1; Secure; Path=/login", "a.localhost", "/login/x", "k=2", false, false),
            ("k=1; Secure; Path=/", "a.localhost", "/", "j=2", false, true),
            ("k=1; Secure; Path=/", "a.localhost", "/", "K=2", false, true),
            ("k=1; Secure; Path=/", "b.localhost", "/", "k=2", false, true),
            // Domains match in either direction, host-only or not.
            ("k=1; Secure; Path=/", "sub.a.localhost", "/", "k=2", false, false),
            ("k=1; Secure; Path=/", "sub.a.localhost", "/", "k=2; Domain=a.localhost", false, false),
            ("k=1; Secure; Path=/; Domain=a.localhost", "sub.a.localhost", "/", "k=2", false, false),
            // From https anything goes, a cookie that is not secure included.
            ("k=1; Secure; Path=/", "a.localhost", "/", "k=2", true, true),
            ("k=1; Secure; Path=/", "sub.a.localhost", "/", "k=2", true, true),
            // Deleting is overwriting.
            ("k=1; Secure; Path=/", "a.localhost", "/", "k=; Max-Age=0", false, false),
            ("k=1; Path=/", "a.localhost", "/", "k=2", false, true),
        ] {
            let mut store = set(standing.as_bytes(), true, "a.localhost", "/");
            store.store(new.as_bytes(), https, host, path, true, NOW);
            assert!(store.iter().any(|cookie| cookie.value == b"1") || stored, "{standing} {host}{path} {new}");
            assert_eq!(store.iter().any(|cookie| cookie.value == b"2"), stored, "{standing} {host}{path} {new}");
        }
        // The other way round: the standing cookie belongs to the subdomain.
        let mut store = set(b"k=1; Secure; Path=/", true, "sub.a.localhost", "/");
        store.store(b"k=2", false, "a.localhost", "/", true, NOW);
        assert_eq!(store.cookies.len(), 1);
    }

    #[test]
    fn same_site_matrix() {
        // (attribute, stored cross-site, sent by strict-or-less, lax-or-less, unset-or-less, and unset-or-less if lax by default)
        for (attribute, stored, strict, lax, unset, unset_as_lax) in [
            ("SameSite=Strict", false, true, false, false, false),
            ("SameSite=Lax", false, true, true, false, false),
            ("", false, true, true, true, false),
            ("SameSite=bad", false, true, true, true, false),
            ("SameSite=Strict; Secure", false, true, false, false, false),
            ("Secure", false, true, true, true, false),
            ("SameSite=None; Secure", true, true, true, true, true),
        ] {
            let value = format!("k=v; {attribute}");
            let mut cross = CookieStore::default();
            cross.store(value.as_bytes(), true, "b.localhost", "/", false, NOW);
            assert_eq!(!cross.is_empty(), stored, "{attribute}");
            for (mut store, unset) in [(CookieStore::default(), unset), (CookieStore::lax_by_default(), unset_as_lax)] {
                store.store(value.as_bytes(), true, "b.localhost", "/", true, NOW);
                for (mode, expected) in [(StrictOrLess, strict), (LaxOrLess, lax), (UnsetOrLess, unset)] {
                    let found = store.retrieve(true, "b.localhost", "/", mode, NOW);
                    assert_eq!(found.is_some(), expected, "{attribute} {mode:?}");
                }
            }
        }
        // A cross-site response neither replaces nor deletes a same-site cookie.
        let mut store = set(b"k=1", true, "b.localhost", "/");
        store.store(b"k=2", true, "b.localhost", "/", false, NOW);
        store.store(b"k=; Max-Age=0", true, "b.localhost", "/", false, NOW);
        assert_eq!(sent(&store, true, "b.localhost", "/"), "k=1");
        store.store(b"k=2; SameSite=None; Secure", true, "b.localhost", "/", false, NOW);
        assert_eq!(sent(&store, true, "b.localhost", "/"), "k=2");
    }

    #[test]
    fn order() {
        // Each line one store, set in this order one millisecond after the other, and what is sent to /a/b/c.
        for (values, expected) in [
            (&["a=1", "b=2", "c=3"][..], "a=1; b=2; c=3"),
            (&["a=1; Path=/", "b=2; Path=/a/b", "c=3; Path=/a"], "b=2; c=3; a=1"),
            (&["a=1; Path=/a", "b=2; Path=/a/"], "b=2; a=1"),
            // Lengths, not depths, and the same name twice.
            (&["k=1; Path=/", "k=2; Path=/a"], "k=2; k=1"),
            // Domains play no part in the order.
            (&["k=1", "k=2; Domain=a.localhost"], "k=1; k=2"),
            // Replacing keeps the place, deleting loses it.
            (&["a=1", "b=2", "a=3"], "a=3; b=2"),
            (&["a=1", "b=2", "a=; Max-Age=0", "a=3"], "b=2; a=3"),
            (&["a=1", "b=2", "a=3; Secure; SameSite=Strict; HttpOnly"], "a=3; b=2"),
            // Without a name, without a value.
            (&["x", "a=", "=y"], "y; a="),
            (&["a=", "x", "b="], "a=; x; b="),
            (&["a=1; Max-Age=0"], "-"),
            (&["a=1", "A=2"], "a=1; A=2"),
        ] {
            for step in [1, 0] {
                let mut store = CookieStore::default();
                for (value, tick) in values.iter().zip(0..) {
                    store.store(value.as_bytes(), true, "a.localhost", "/a/b/c", true, NOW - 100 + tick * step);
                }
                assert_eq!(sent(&store, true, "a.localhost", "/a/b/c"), expected, "{values:?}");
            }
        }
        // Creation times decide, not the order of calls.
        let mut store = set(b"a=1", true, "a.localhost", "/");
        store.store(b"b=2", true, "a.localhost", "/", true, NOW - 1);
        assert_eq!(sent(&store, true, "a.localhost", "/"), "b=2; a=1");
    }

    #[test]
    fn replacing() {
        let mut store = set(b"k=1; HttpOnly; Max-Age=60", true, "a.localhost", "/");
        store.store(b"k=2; Secure; SameSite=Lax", true, "a.localhost", "/", true, NOW + 5);
        let cookie = store.iter().next().expect("stored");
        assert_eq!(store.cookies.len(), 1);
        assert_eq!((cookie.value.as_slice(), cookie.created_ms, cookie.expires_ms), (&b"2"[..], NOW as i64, None));
        assert_eq!((cookie.http_only, cookie.secure_only, cookie.same_site), (false, true, SameSite::Lax));
        // Another path, domain or host-only-flag is another cookie.
        for value in [&b"k=3; Path=/x"[..], b"k=4; Domain=a.localhost"] {
            store.store(value, true, "a.localhost", "/", true, NOW);
        }
        store.store(b"k=5; Domain=a.localhost", true, "sub.a.localhost", "/", true, NOW);
        store.store(b"k=6", true, "sub.a.localhost", "/", true, NOW);
        let values: Vec<_> = store.iter().map(|cookie| cookie.value.as_slice()).collect();
        assert_eq!(values, [b"2", b"3", b"5", b"6"]);
        store.clear();
        assert!(store.is_empty() && store.iter().next().is_none());
        assert!(CookieStore::lax_by_default().is_empty());
    }

    /// What the authored catalogue's cases set and send, with the credentials mode taken as deciding in favour.
    #[test]
    fn catalogue() {
        const A: (bool, &str) = (false, "a.localhost");
        const A_SUB: (bool, &str) = (false, "sub.a.localhost");
        const B: (bool, &str) = (false, "b.localhost");
        const B_TLS: (bool, &str) = (true, "b.localhost");
        // (set by, attributes, mode then, asked of, path, mode then, sent)
        for (by, attributes, then, to, path, now, expected) in [
            (A, "", StrictOrLess, A, "/t/T/r", StrictOrLess, true),
            (A, "", StrictOrLess, A, "/t/T", StrictOrLess, true),
            (A, "", StrictOrLess, A, "/t/TT/r", StrictOrLess, false),
            (A, "; SameSite=Strict", StrictOrLess, A, "/t/T/r", StrictOrLess, true),
            (A, "; SameSite=Lax", StrictOrLess, A, "/t/T/r", StrictOrLess, true),
            (A_SUB, "", StrictOrLess, A_SUB, "/t/T/r", StrictOrLess, true),
            (A_SUB, "; SameSite=Strict", StrictOrLess, A_SUB, "/t/T/r", StrictOrLess, true),
            (A_SUB, "", StrictOrLess, A, "/t/T/r", StrictOrLess, false),
            (B, "; SameSite=Lax", UnsetOrLess, B, "/t/T/r", UnsetOrLess, false),
            (B, "; SameSite=Strict", UnsetOrLess, B, "/t/T/r", UnsetOrLess, false),
            (B_TLS, "; SameSite=None; Secure", UnsetOrLess, B_TLS, "/t/T/r", UnsetOrLess, true),
            (A, "; SameSite=Lax", StrictOrLess, A, "/t/T/r", UnsetOrLess, false),
        ] {
            let mut store = CookieStore::default();
            let value = format!("k-T=1; Path=/t/T{attributes}");
            store.store(value.as_bytes(), by.0, by.1, "/t/T/set", then == StrictOrLess, NOW);
            let found = store.retrieve(to.0, to.1, path, now, NOW);
            assert_eq!(found.as_deref(), expected.then_some(&b"k-T=1"[..]), "{by:?}{attributes} {to:?}{path} {now:?}");
        }
    }

    /// Arbitrary bytes: no panic, and what is stored and sent keeps its promises.
    #[test]
    fn any_bytes() {
        const WORDS: &[&[u8]] = &[
            b"k",
            b"=",
            b"=",
            b";",
            b";",
            b"; ",
            b" ",
            b"\t",
            b"\0",
            b"\xff",
            b"\xc3\xa9",
            b"Path",
            b"/",
            b"/t",
            b"Domain",
            b".",
            b"localhost",
            b"a.localhost",
            b"Secure",
            b"SameSite",
            b"None",
            b"Lax",
            b"Max-Age",
            b"-",
            b"0",
            b"99999999999999999999",
            b"Expires",
            b"Sun, 06 Nov 2025 08:49:37",
            b"9999",
            b":",
            b"__Host-",
            b"__Secure-",
        ];
        const HOSTS: &[&str] =
            &["a.localhost", "sub.a.localhost", "localhost", "localhost.", "127.0.0.1", "[::1]", "", ".", "é.localhost", "A.LOCALHOST"];
        const PATHS: &[&str] = &["/", "", "/t", "/t/", "é", "/é/x", "//"];
        let mut state: u64 = 1;
        let mut next = |below: usize| {
            // A linear congruential generator; its upper bits are the better ones.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut stored = 0;
        let mut store = CookieStore::default();
        for round in 0..30_000 {
            let mut value = Vec::new();
            for _ in 0..next(16) {
                value.extend_from_slice(WORDS[next(WORDS.len())]);
                if next(40) == 0 {
                    value.push(next(256) as u8);
                }
            }
            let (host, path) = (HOSTS[next(HOSTS.len())], PATHS[next(PATHS.len())]);
            let now = [NOW, 0, u64::MAX, NOW + round][next(4)];
            if round % 100 == 0 {
                store.clear();
            }
            store.store(&value, next(2) == 0, host, path, next(4) != 0, now);
            stored += store.cookies.len();
            for cookie in store.iter() {
                assert!(!cookie.name.is_empty() || !cookie.value.is_empty());
                assert!(cookie.path.starts_with(b"/"));
                assert!(cookie.same_site != SameSite::None || cookie.secure_only);
            }
            let keys = |cookie: &Cookie| (cookie.name.clone(), cookie.domain.clone(), cookie.host_only, cookie.path.clone());
            let distinct: std::collections::HashSet<_> = store.iter().map(keys).collect();
            assert_eq!(distinct.len(), store.cookies.len());
            for mode in [StrictOrLess, LaxOrLess, UnsetOrLess] {
                if let Some(value) = store.retrieve(next(2) == 0, HOSTS[next(HOSTS.len())], PATHS[next(PATHS.len())], mode, now) {
                    assert!(!value.is_empty());
                    assert!(value.iter().all(|byte| !byte.is_ascii_control() || *byte == b'\t'));
                }
            }
        }
        assert!(stored > 1000);
    }
}
