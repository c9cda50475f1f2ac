//! Origins that are almost the right one: what a server was told that does not match what browsers send.

use url::Url;

/// How an origin differs from the right one, where it is meant to be it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Near {
    /// It ends in a slash, or has a path.
    Slash,
    /// It has upper-case letters.
    Case,
    /// Another scheme.
    Scheme,
    /// Another port, or one too many or too few.
    Port,
    /// With `www.` where there is none, or without.
    Www,
    /// A parent or a child of the host.
    Subdomain,
    /// There are quotes or brackets around it.
    Quotes,
    /// The scheme is missing.
    Bare,
}

/// How a value that a server sends differs from the origin, if it is almost that.
pub fn near(value: &str, origin: &str) -> Option<Near> {
    let trimmed = value.trim();
    if trimmed == origin || trimmed.is_empty() {
        return None;
    }
    let inner = trimmed.trim_matches(|c| matches!(c, '"' | '\'' | '`' | '[' | ']' | '<' | '>' | '(' | ')' | ';'));
    if inner.len() < trimmed.len() && (inner == origin || near(inner, origin).is_some()) {
        return Some(Near::Quotes);
    }
    let page = Url::parse(origin).ok()?;
    let after_scheme = origin.split_once("://").map(|(_, rest)| rest)?;
    if trimmed.eq_ignore_ascii_case(after_scheme) || page.host_str().is_some_and(|host| trimmed.eq_ignore_ascii_case(host)) {
        return Some(Near::Bare);
    }
    let other = Url::parse(trimmed).ok().filter(Url::has_host)?;
    let (scheme, port) = (other.scheme() == page.scheme(), other.port_or_known_default() == page.port_or_known_default());
    let (host, other_host) = (page.host_str()?, other.host_str()?);
    let www = |long: &str, short: &str| long.strip_prefix("www.") == Some(short);
    let below = |long: &str, short: &str| {
        short.contains('.') && long.strip_suffix(short).is_some_and(|rest| rest.ends_with('.')) && page.domain().is_some()
    };
    match (scheme, host == other_host, port) {
        // It means the same and is written otherwise.
        (true, true, true) if trimmed.eq_ignore_ascii_case(origin) => Some(Near::Case),
        (true, true, true) if trimmed.len() > origin.len() && trimmed[..origin.len()].eq_ignore_ascii_case(origin) => {
            Some(if trimmed[origin.len()..].starts_with('/') { Near::Slash } else { Near::Port })
        }
        (true, true, true) => Some(Near::Port),
        (true, true, false) => Some(Near::Port),
        // The usual port of the other scheme is no difference of its own.
        (false, true, _) => Some(Near::Scheme),
        (_, false, _) if www(host, other_host) || www(other_host, host) => Some(Near::Www),
        (_, false, _) if below(host, other_host) || below(other_host, host) => Some(Near::Subdomain),
        (_, false, _) => None,
    }
}

/// The origin as a server may have been told it by mistake: what to ask with, to see whether it was.
pub fn variant(near: Near, origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok()?;
    let (scheme, authority) = origin.split_once("://")?;
    Some(match near {
        Near::Slash => format!("{origin}/"),
        Near::Case => {
            let upper = format!("{scheme}://{}", authority.to_ascii_uppercase());
            return (upper != origin).then_some(upper);
        }
        Near::Scheme => format!("{}://{authority}", if scheme == "https" { "http" } else { "https" }),
        Near::Port => match url.port() {
            Some(_) => format!("{scheme}://{}", url.host_str()?),
            // An origin is never written so, a configuration often.
            None => format!("{origin}:{}", url.port_or_known_default()?),
        },
        Near::Www => match authority.strip_prefix("www.") {
            Some(rest) => format!("{scheme}://{rest}"),
            None if url.domain().is_some() => format!("{scheme}://www.{authority}"),
            None => return None,
        },
        Near::Subdomain | Near::Quotes | Near::Bare => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_almost_the_origin_is_told_by_how() {
        let origin = "https://app.example.com";
        for (value, expected) in [
            ("https://app.example.com", None),
            ("https://app.example.com/", Some(Near::Slash)),
            ("https://app.example.com/path", Some(Near::Slash)),
            ("https://App.Example.com", Some(Near::Case)),
            ("HTTPS://APP.EXAMPLE.COM", Some(Near::Case)),
            ("http://app.example.com", Some(Near::Scheme)),
            ("http://app.example.com/", Some(Near::Scheme)),
            ("https://app.example.com:443", Some(Near::Port)),
            ("https://app.example.com:8443", Some(Near::Port)),
            ("https://www.app.example.com", Some(Near::Www)),
            ("https://example.com", Some(Near::Subdomain)),
            ("https://x.app.example.com", Some(Near::Subdomain)),
            ("\"https://app.example.com\"", Some(Near::Quotes)),
            ("['https://app.example.com/']", Some(Near::Quotes)),
            ("app.example.com", Some(Near::Bare)),
            ("https://com", None),
            ("https://evilapp.example.com", None),
            ("https://app.example.com.evil.test", None),
            ("https://other.test", None),
            ("null", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(near(value, origin), expected, "{value}");
        }
        assert_eq!(near("http://localhost:3000", "http://localhost:5173"), Some(Near::Port));
        assert_eq!(near("http://127.0.0.1:3000", "http://localhost:3000"), None);
        assert_eq!(near("https://example.com", "https://www.example.com"), Some(Near::Www));
        assert_eq!(near("https://x", "null"), None);
    }

    #[test]
    fn variants_are_near() {
        for origin in ["https://app.example.com", "http://localhost:3000", "https://www.example.com"] {
            for kind in [Near::Slash, Near::Case, Near::Scheme, Near::Port, Near::Www] {
                if let Some(variant) = variant(kind, origin) {
                    assert_eq!(near(&variant, origin), Some(kind), "{variant}");
                }
            }
        }
        assert_eq!(variant(Near::Www, "http://127.0.0.1:80"), None);
        assert_eq!(variant(Near::Slash, "null"), None);
    }
}
