//! What seeded defects do where a flag in the state machine is not enough.
//!
//! None of this is of the standard: each function gives `None` or `false` for a user agent without the defects it knows.

use std::borrow::Cow;

use url::Url;

use super::{
    cookies::{Cookie, CookieStore},
    defect::{Defect, Defects},
    fetch::List,
    grammar,
    headers::HeaderList,
    origin::{Origin, includes_credentials},
    request::{CacheState, Request, Tainting},
    safelist, site,
};
use crate::format::RedirectMode;

/// Whether a URL of another origin is taken for the page's own.
pub(super) fn is_own(defects: &Defects, origin: &Origin, url: &Url) -> bool {
    if defects.is_empty() {
        return false;
    }
    let host = origin.host().is_some() && origin.host() == url.host_str();
    defects.has(Defect::SameOriginByHost) && host || defects.has(Defect::SameOriginBySite) && origin.is_same_site(url)
}

/// Whether a request is preflighted, or not, whatever the rules say.
pub(super) fn forces_preflight(defects: &Defects, origin: &Origin, request: &Request<'_>) -> Option<bool> {
    if defects.is_empty() {
        return None;
    }
    let never = defects.has(Defect::PreflightNever)
        || defects.has(Defect::PreflightNotForNull) && *origin == Origin::Opaque
        || defects.has(Defect::PreflightNotSameSite) && origin.is_same_site(request.url());
    if never { Some(false) } else { defects.has(Defect::PreflightAlways).then_some(true) }
}

/// Whether a method is taken for CORS-safelisted, or not.
pub(super) fn method_is_safe(defects: &Defects, method: &str) -> Option<bool> {
    if defects.is_empty() {
        return None;
    }
    let registered = ["PUT", "DELETE", "PATCH", "OPTIONS"];
    let safe = defects.has(Defect::PreflightNotForPatch) && method == "PATCH"
        || defects.has(Defect::PreflightNotForDelete) && method == "DELETE"
        || defects.has(Defect::PreflightNotForPut) && method == "PUT"
        || defects.has(Defect::PreflightNotForUnknownMethods) && !registered.contains(&method);
    let unsafe_ = defects.has(Defect::PreflightForHead) && method == "HEAD" || defects.has(Defect::PreflightForPost) && method == "POST";
    if safe { Some(true) } else { unsafe_.then_some(false) }
}

const SAFELIST: &[Defect] = &[
    Defect::SafelistNoLength,
    Defect::SafelistShorter,
    Defect::SafelistNoTotal,
    Defect::SafelistNoUnsafeBytes,
    Defect::SafelistTabUnsafe,
    Defect::SafelistHighUnsafe,
    Defect::SafelistDelSafe,
    Defect::SafelistLanguageAnyByte,
    Defect::SafelistLanguageAlphanumeric,
    Defect::SafelistContentTypeAny,
    Defect::SafelistContentTypeJson,
    Defect::SafelistContentTypePrefix,
    Defect::SafelistContentTypeNoParameters,
    Defect::SafelistContentTypeCaseSensitive,
    Defect::SafelistRangeAny,
    Defect::SafelistRangeNever,
    Defect::SafelistRangeSuffix,
    Defect::SafelistClientHints,
    Defect::SafelistExtra,
    Defect::SafelistCaseSensitive,
];

/// CORS-unsafe request-header names with a safelist that is wrong in one respect.
pub(super) fn unsafe_names<'h>(defects: &Defects, headers: &'h HeaderList<'_>) -> Option<Vec<Cow<'h, str>>> {
    if defects.is_empty() || !SAFELIST.iter().any(|d| defects.has(*d)) {
        return None;
    }
    let mut names = Vec::new();
    let mut potential = Vec::new();
    let mut size = 0;
    for header in headers.iter() {
        if is_safe(defects, &header.name, &header.value) {
            potential.push(header.name.to_ascii_lowercase());
            size += header.value.len();
        } else {
            names.push(header.name.to_ascii_lowercase());
        }
    }
    if size > 1024 && !defects.has(Defect::SafelistNoTotal) {
        names.append(&mut potential);
    }
    names.sort_unstable();
    names.dedup();
    Some(names.into_iter().map(Cow::Owned).collect())
}

fn is_safe(defects: &Defects, name: &str, value: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let hints = ["dpr", "width", "viewport-width", "save-data", "device-memory", "downlink", "ect", "rtt"];
    let extra = ["x-requested-with", "last-event-id", "if-modified-since", "if-none-match", "cache-control", "pragma", "authorization"];
    if defects.has(Defect::SafelistClientHints) && hints.contains(&&*lower)
        || defects.has(Defect::SafelistExtra) && extra.contains(&&*lower)
    {
        return true;
    }
    if defects.has(Defect::SafelistCaseSensitive) && !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return false;
    }
    if value.len() == 128 && defects.has(Defect::SafelistShorter) {
        return false;
    }
    let typed = matches!(&*lower, "accept" | "content-type");
    let bad = |b: &u8| *b == b'\t' && defects.has(Defect::SafelistTabUnsafe) || *b > 0x7f && defects.has(Defect::SafelistHighUnsafe);
    if typed && value.iter().any(bad) {
        return false;
    }
    let language = matches!(&*lower, "accept-language" | "content-language");
    if language && defects.has(Defect::SafelistLanguageAlphanumeric) && !value.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    if lower == "content-type" {
        let text = String::from_utf8_lossy(value).to_ascii_lowercase();
        let simple = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
        if defects.has(Defect::SafelistContentTypeAny)
            || defects.has(Defect::SafelistContentTypeJson) && text.starts_with("application/json")
            || defects.has(Defect::SafelistContentTypePrefix) && simple.iter().any(|s| text.starts_with(s))
        {
            return true;
        }
        if defects.has(Defect::SafelistContentTypeNoParameters) && value.contains(&b';')
            || defects.has(Defect::SafelistContentTypeCaseSensitive) && value.iter().any(u8::is_ascii_uppercase)
        {
            return false;
        }
    }
    if lower == "range" {
        if defects.has(Defect::SafelistRangeAny) || defects.has(Defect::SafelistRangeSuffix) && value.starts_with(b"bytes=-") {
            return true;
        }
        if defects.has(Defect::SafelistRangeNever) {
            return false;
        }
    }
    // Judge a value from which the defect has taken what it does not see.
    let mut seen = Cow::Borrowed(value);
    if defects.has(Defect::SafelistNoLength) && seen.len() > 128 {
        seen.to_mut().truncate(128);
    }
    if defects.has(Defect::SafelistNoUnsafeBytes) && typed {
        seen.to_mut().retain(|b| !safelist::is_unsafe_byte(*b));
    }
    if defects.has(Defect::SafelistDelSafe) {
        seen.to_mut().retain(|b| *b != 0x7f);
    }
    if language && defects.has(Defect::SafelistLanguageAnyByte) {
        return seen.len() <= 128;
    }
    safelist::is_cors_safelisted(name, &seen)
}

/// Whether a status is taken for a redirect, or not.
pub(super) fn is_redirect(defects: &Defects, status: u16) -> Option<bool> {
    if defects.is_empty() {
        return None;
    }
    match status {
        300 if defects.has(Defect::Redirect300) => Some(true),
        304..=306 if defects.has(Defect::Redirect304) => Some(true),
        308 if defects.has(Defect::Redirect308Unknown) => Some(false),
        _ => None,
    }
}

/// Whether the CORS check of a response is left out.
pub(super) fn skips_check(defects: &Defects, request: &Request<'_>, status: u16, is_redirect: bool) -> bool {
    if defects.is_empty() {
        return false;
    }
    defects.has(Defect::CorsCheckMissing)
        || defects.has(Defect::CorsCheckOnOkOnly) && status >= 400
        || defects.has(Defect::RedirectNoCheck) && is_redirect
        || defects.has(Defect::RedirectOnlyCheck) && !is_redirect && request.redirects > 0
        || defects.has(Defect::RedirectManualUnchecked) && is_redirect && request.redirect == RedirectMode::Manual
        || defects.has(Defect::SameOriginChecked) && request.tainting == Tainting::Opaque
}

/// Whether the CORS check is left out because of where a response was taken from.
pub(super) fn trusts_cache(defects: &Defects, state: CacheState, is_redirect: bool) -> bool {
    defects.has(Defect::CacheHitUnchecked) && state == CacheState::Local
        || defects.has(Defect::CachedRedirectUnchecked) && state == CacheState::Local && is_redirect
        || defects.has(Defect::NotModifiedUnchecked) && state == CacheState::Validated
}

/// The value of Access-Control-Request-Method.
pub(super) fn preflight_method<'m>(defects: &Defects, method: &Cow<'m, str>) -> Option<Cow<'m, str>> {
    match () {
        () if defects.has(Defect::AcrmMissing) => None,
        () if defects.has(Defect::AcrmLowercase) => Some(method.to_ascii_lowercase().into()),
        () if defects.has(Defect::AcrmUppercase) => Some(method.to_ascii_uppercase().into()),
        () => Some(method.clone()),
    }
}

/// The value of Access-Control-Request-Headers, if there is to be one (CORS-preflight fetch, step 5).
pub(super) fn request_headers_value(defects: &Defects, headers: &HeaderList<'_>, names: &[Cow<'_, str>]) -> Option<String> {
    let is_listed = |name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    let cased = |name: &str| headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map_or(name.to_owned(), |h| h.name.to_string());
    let listed: Vec<String> = match () {
        () if defects.has(Defect::AcrhListsAll) => headers.iter().map(|h| h.name.to_ascii_lowercase()).collect(),
        () if defects.has(Defect::AcrhUnsorted) => {
            let mut seen = Vec::new();
            for header in headers.iter().filter(|h| is_listed(&h.name)) {
                let name = header.name.to_ascii_lowercase();
                if !seen.contains(&name) {
                    seen.push(name);
                }
            }
            seen
        }
        () if defects.has(Defect::AcrhRepeats) => {
            let mut all: Vec<_> = headers.iter().filter(|h| is_listed(&h.name)).map(|h| h.name.to_ascii_lowercase()).collect();
            all.sort_unstable();
            all
        }
        () if defects.has(Defect::AcrhNotLowercased) => names.iter().map(|n| cased(n)).collect(),
        () => {
            let separator = if defects.has(Defect::AcrhSpaces) { ", " } else { "," };
            return (!names.is_empty() || defects.has(Defect::AcrhEmpty)).then(|| names.join(separator));
        }
    };
    (!listed.is_empty()).then(|| listed.join(","))
}

/// What a preflight carries that it should not.
pub(super) fn spoil_preflight<'a>(defects: &Defects, request: &Request<'a>, preflight: &mut Request<'a>) {
    if defects.is_empty() {
        return;
    }
    if defects.has(Defect::PreflightAuthorHeaders) {
        for header in request.headers.iter().filter(|h| !h.name.eq_ignore_ascii_case("accept")) {
            preflight.headers.append(header.name.clone(), header.value.clone());
        }
    }
    if defects.has(Defect::PreflightBody) {
        preflight.body.clone_from(&request.body);
    }
    if defects.has(Defect::PreflightCacheMode) {
        preflight.cache = request.cache;
    }
}

/// A list of tokens, read in another way.
pub(super) fn list<'h>(defects: &Defects, headers: &'h HeaderList<'_>, name: &str) -> Option<List<'h>> {
    if defects.is_empty() {
        return None;
    }
    let expose = name == "Access-Control-Expose-Headers";
    let first = defects.has(if expose { Defect::ExposeFirstField } else { Defect::ListsFirstField });
    let last = defects.has(Defect::ListsLastField) && !expose;
    let skips = defects.has(if expose { Defect::ExposeMalformedSkipped } else { Defect::ListsMalformedSkipped });
    let empties = defects.has(Defect::ListsNoEmptyElements) && !expose;
    let spaces = defects.has(Defect::ListsSpaceSeparated) && !expose;
    let absent = defects.has(Defect::ListsMalformedEmpty) && !expose;
    if !(first || last || skips || empties || spaces || absent) {
        return None;
    }
    let mut values: Vec<&'h [u8]> = headers.values(name).collect();
    if values.is_empty() {
        return Some(Ok(None));
    }
    if first {
        values.truncate(1);
    }
    if last {
        values.drain(..values.len() - 1);
    }
    let mut out = Vec::new();
    for value in values {
        for element in value.split(|b| *b == b',' || spaces && *b == b' ') {
            let element = element.trim_ascii();
            match std::str::from_utf8(element) {
                Ok("") if empties => return Some(Err(())),
                Ok("") => {}
                Ok(token) if grammar::is_token(element) => out.push(token),
                _ if skips => {}
                _ if absent => return Some(Ok(None)),
                _ => return Some(Err(())),
            }
        }
    }
    Some(Ok(Some(out)))
}

/// A max-age, read in another way.
pub(super) fn max_age(defects: &Defects, headers: &HeaderList<'_>) -> Option<u64> {
    if defects.is_empty() {
        return None;
    }
    let right = grammar::max_age(headers);
    let field = headers.values("Access-Control-Max-Age").next();
    let digits = |text: &[u8]| {
        text.iter().take_while(|b| b.is_ascii_digit()).fold(0_u64, |n, b| n.saturating_mul(10).saturating_add(u64::from(b - b'0')))
    };
    if defects.has(Defect::CacheHttpHeaders)
        && let Some(value) = headers.get("Cache-Control")
    {
        let text = String::from_utf8_lossy(&value).into_owned();
        return Some(text.split_once("max-age=").map_or(0, |(_, n)| digits(n.as_bytes())));
    }
    match (right, field) {
        (None, None) if defects.has(Defect::CacheNoDefault) => Some(0),
        (None, None) if defects.has(Defect::CacheDefaultLong) => Some(86_400),
        (None, Some(_)) if defects.has(Defect::CacheMaxAgeMalformedNone) => Some(0),
        (None, Some(value)) if defects.has(Defect::CacheMaxAgeLenient) => {
            let value = value.trim_ascii();
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            Some(if value.starts_with(b"-") { 0 } else { digits(value.strip_prefix(b"+").unwrap_or(value)) })
        }
        (Some(n), _) if n > u64::from(u32::MAX) / 2 && defects.has(Defect::CacheMaxAgeOverflow) => Some(0),
        _ => None,
    }
}

/// Access-Control-Allow-Origin, taken from elsewhere than its fields.
pub(super) fn allowed_origin(defects: &Defects, headers: &HeaderList<'_>) -> Option<Vec<u8>> {
    const NAME: &str = "Access-Control-Allow-Origin";
    if defects.is_empty() {
        return None;
    }
    if defects.has(Defect::AcaoFirstField) {
        return headers.values(NAME).next().map(<[u8]>::to_vec);
    }
    if defects.has(Defect::AcaoLastField) {
        return headers.values(NAME).last().map(<[u8]>::to_vec);
    }
    if defects.has(Defect::AcaoHeaderName) && !headers.contains(NAME) {
        let alike = |name: &str| {
            let name = name.to_ascii_lowercase().replace('_', "-");
            name.contains("allow-origin") && name.contains("access-control")
        };
        return headers.iter().find(|h| alike(&h.name)).map(|h| h.value.to_vec());
    }
    None
}

/// Whether a value that is not the origin passes all the same.
pub(super) fn accepts_origin(defects: &Defects, wanted: &str, allowed: &[u8], target: &Url, include: bool) -> bool {
    if defects.is_empty() {
        return false;
    }
    let text = String::from_utf8_lossy(allowed).into_owned();
    let text = text.as_str();
    let cut = allowed.iter().position(|b| !b.is_ascii()).unwrap_or(allowed.len());
    let is = |value: &str| value == wanted || value == "*" && !include;
    let url = || Url::parse(text.trim()).ok();
    let page = || Url::parse(wanted).ok();
    // What is no serialised origin is left to other defects.
    let granted = || url().filter(|u| Origin::of(u).serialized() == text);
    let hosts = || Some((page()?.host_str()?.to_owned(), granted()?.host_str()?.to_owned()));
    let parts = || Some((page()?, granted()?));
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\u{fffd}';
    defects.iter().any(|defect| match defect {
        Defect::AcaoPrefix => !text.is_empty() && (wanted.starts_with(text) || text.starts_with(wanted)),
        Defect::AcaoSuffix => hosts().is_some_and(|(own, granted)| own.ends_with(&granted) || granted.ends_with(&own)),
        Defect::AcaoSubstring => text.contains(wanted),
        Defect::AcaoIgnoresPort => parts().is_some_and(|(a, b)| a.scheme() == b.scheme() && a.host() == b.host()),
        Defect::AcaoIgnoresScheme => {
            parts().is_some_and(|(a, b)| a.host() == b.host() && (a.port() == b.port() || a.scheme() != b.scheme()))
        }
        Defect::AcaoIgnoresCase => text.eq_ignore_ascii_case(wanted),
        Defect::AcaoSameSite => hosts().is_some_and(|(a, b)| site::schemelessly_same_site(&a, &b)),
        Defect::AcaoTrailingSlash => text.strip_suffix('/').is_some_and(is),
        Defect::AcaoUrl => url().is_some_and(|u| Origin::of(&u).serialized() == wanted),
        Defect::AcaoFirstOfList => text.split(',').next().is_some_and(|v| is(v.trim())),
        Defect::AcaoLastOfList => text.split(',').next_back().is_some_and(|v| is(v.trim())),
        Defect::AcaoAnyOfList => text.split(',').any(|v| is(v.trim())),
        Defect::AcaoSpaceList => text.split_ascii_whitespace().any(is),
        Defect::AcaoQuoted => text.len() > 2 && is(text.trim_matches(['"', '\''])),
        Defect::AcaoStripsControls => is(text.trim_matches(odd)),
        Defect::AcaoCutAtNonAscii => cut < allowed.len() && is(text[..cut].trim()),
        Defect::AcaoSubdomainWildcard => text.split_once("*.").is_some_and(|(before, after)| {
            wanted
                .strip_prefix(before)
                .is_some_and(|rest| rest.ends_with(after) || rest.split(':').next().is_some_and(|h| h.ends_with(after)))
        }),
        Defect::AcaoPortWildcard => text.strip_suffix(":*").is_some_and(|host| wanted.rsplit_once(':').is_some_and(|(own, _)| own == host)),
        Defect::AcaoNullForAll => text == "null",
        Defect::AcaoNullIgnoresCase => wanted == "null" && text.eq_ignore_ascii_case("null"),
        Defect::AcaoTargetOrigin => Origin::of(target).serialized() == text,
        _ => false,
    })
}

/// Whether Access-Control-Allow-Credentials passes although it is not `true`.
pub(super) fn accepts_credentials(defects: &Defects, value: Option<&[u8]>) -> bool {
    if defects.is_empty() {
        return false;
    }
    defects.has(Defect::AcacIgnored)
        || value.is_some_and(|v| {
            defects.has(Defect::AcacIgnoresCase) && v.eq_ignore_ascii_case(b"true")
                || defects.has(Defect::AcacAnyValue)
                || defects.has(Defect::AcacPrefix) && v.starts_with(b"true")
        })
}

/// Cross-Origin-Resource-Policy, read in another way.
pub(super) fn corp(defects: &Defects, headers: &HeaderList<'_>) -> Option<Vec<u8>> {
    if defects.is_empty() {
        return None;
    }
    let value = headers.get("Cross-Origin-Resource-Policy")?.into_owned();
    if defects.has(Defect::CorpIgnoresCase) {
        return Some(value.to_ascii_lowercase());
    }
    defects.has(Defect::CorpFirstOfList).then(|| value.split(|b| *b == b',').next().unwrap_or_default().trim_ascii().to_vec())
}

/// Location, taken from the first of several fields.
pub(super) fn location(defects: &Defects, headers: &HeaderList<'_>) -> Option<Vec<u8>> {
    defects.has(Defect::RedirectLocationFirst).then(|| headers.values("Location").next().map(<[u8]>::to_vec)).flatten()
}

/// Whether a redirect is not followed.
pub(super) fn stops_redirect(defects: &Defects, request: &Request<'_>, url: &Url) -> bool {
    if defects.is_empty() {
        return false;
    }
    let unsafe_method = !safelist::is_cors_safelisted_method(&request.method) || !safelist::unsafe_names(&request.headers).is_empty();
    let cors = request.tainting == Tainting::Cors;
    defects.has(Defect::RedirectBlocked) && cors && !super::origin::same_origin(request.url(), url)
        || defects.has(Defect::RedirectPreflightedBlocked) && cors && unsafe_method
        || defects.has(Defect::RedirectUserinfoNever) && includes_credentials(url)
}

/// Whether a redirect turns a request into GET, or not.
pub(super) fn becomes_get(defects: &Defects, status: u16, method: &str) -> Option<bool> {
    if defects.is_empty() {
        return None;
    }
    match (status, method) {
        (301 | 302, "POST") if defects.has(Defect::RedirectPostKept) => Some(false),
        (301 | 302, method) if defects.has(Defect::RedirectPutChanged) && !matches!(method, "GET" | "HEAD") => Some(true),
        (303, _) if defects.has(Defect::Redirect303Kept) => Some(false),
        (303, "HEAD") if defects.has(Defect::Redirect303Head) => Some(true),
        (307 | 308, "POST") if defects.has(Defect::Redirect307Changed) => Some(true),
        _ => None,
    }
}

/// The value of `Origin`, if it is another than the serialised origin.
pub(super) fn origin_value(defects: &Defects, origin: &str, page: &Url) -> Option<String> {
    if defects.is_empty() || origin == "null" {
        return None;
    }
    match () {
        () if defects.has(Defect::OriginTrailingSlash) => Some(format!("{origin}/")),
        () if defects.has(Defect::OriginPath) => Some(format!("{origin}{}", page.path())),
        () if defects.has(Defect::OriginNoPort) => {
            let at = origin.rfind(':').filter(|at| origin[at + 1..].starts_with(|c: char| c.is_ascii_digit()))?;
            Some(origin[..at].to_owned())
        }
        () => None,
    }
}

/// Cookies, chosen in another way.
pub(super) fn cookies(defects: &Defects, store: &CookieStore, url: &Url) -> Option<Option<Vec<u8>>> {
    let (path, host) = (defects.has(Defect::CookiesIgnorePath), defects.has(Defect::CookiesIgnoreHost));
    if !path && !host {
        return None;
    }
    let matches = |c: &&Cookie| (path || url.path().as_bytes().starts_with(&c.path)) && (host || url.host_str() == Some(&*c.domain));
    let pairs: Vec<_> = store.iter().filter(matches).map(|c| [&c.name[..], b"=", &c.value].concat()).collect();
    Some((!pairs.is_empty()).then(|| pairs.join(&b"; "[..])))
}
