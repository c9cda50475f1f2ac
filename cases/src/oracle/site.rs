//! Sites: which hosts belong together (URL standard, "registrable domain"; HTML standard, "same site").
//!
//! No public suffix list is carried: the default rule `*` of its algorithm holds for every domain, so the last label is the
//! suffix and the two last are the registrable domain. That is exact for the hosts of this project, `*.localhost`, as no list
//! names `localhost`; for `a.co.uk` it would be wrong.
//!
//! Hosts are given as the URL standard serialises them: lower case, IPv4 with four decimal parts, IPv6 in brackets.

use std::net::Ipv4Addr;

/// Whether a host is an IP address rather than a domain.
pub fn is_ip_address(host: &str) -> bool {
    // A domain holds no colon, and no domain of a parsed URL ends in a number (URL standard, host parser, "ends in a number").
    host.contains(':') || host.as_bytes().last().is_some_and(u8::is_ascii_digit) && host.parse::<Ipv4Addr>().is_ok()
}

/// Whether a host is a public suffix (URL standard, "public suffix"): by the rule `*` each domain of one label.
pub fn is_public_suffix(host: &str) -> bool {
    // Step 1: a host that is no domain has none. Step 2: a trailing dot is no label.
    !host.is_empty() && !is_ip_address(host) && !host.strip_suffix('.').unwrap_or(host).contains('.')
}

/// The registrable domain of a host (URL standard): its last two labels, and the trailing dot if it has one.
///
/// Where the standard's answer is null, for an IP address and a single label such as `localhost`, this is the host itself. No
/// other host can have that answer, so "equal, or the same registrable domain" is one comparison.
pub fn registrable_domain(host: &str) -> &str {
    domain_at(host).map_or(host, |at| &host[at..])
}

/// Where in a host its registrable domain begins, when it has one.
pub(super) fn domain_at(host: &str) -> Option<usize> {
    // Step 1: null.
    if is_ip_address(host) {
        return None;
    }
    // Steps 2 to 5.
    let labels = host.strip_suffix('.').unwrap_or(host).as_bytes();
    let dot = |labels: &[u8]| labels.iter().rposition(|b| *b == b'.');
    let last = dot(labels)?;
    Some(dot(&labels[..last]).map_or(0, |at| at + 1))
}

/// Whether two tuple origins are schemelessly same site (HTML standard). Opaque origins have no host: same site only with
/// themselves, which is the caller's to know.
pub fn schemelessly_same_site(a: &str, b: &str) -> bool {
    // Steps 3 and 4 in one: see `registrable_domain`.
    a == b || registrable_domain(a) == registrable_domain(b)
}

/// Whether two tuple origins, given by scheme and host, are same site (HTML standard): ports play no part, schemes do.
pub fn same_site(a: (&str, &str), b: (&str, &str)) -> bool {
    a.0 == b.0 && schemelessly_same_site(a.1, b.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrable_domains() {
        for (host, expected) in [
            ("localhost", "localhost"),
            ("localhost.", "localhost."),
            ("a.localhost", "a.localhost"),
            ("sub.a.localhost", "a.localhost"),
            ("x.sub.a.localhost", "a.localhost"),
            ("sub.a.localhost.", "a.localhost."),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[::ffff:7f00:1]", "[::ffff:7f00:1]"),
            ("", ""),
            (".", "."),
            ("..", ".."),
            ("a..b", ".b"),
            ("ä.é.ü", "é.ü"),
        ] {
            assert_eq!(registrable_domain(host), expected, "{host}");
        }
    }

    #[test]
    fn public_suffixes() {
        for (host, expected) in [
            ("localhost", true),
            ("localhost.", true),
            ("com", true),
            ("a.localhost", false),
            ("a.localhost.", false),
            ("127.0.0.1", false),
            ("[::1]", false),
            ("", false),
        ] {
            assert_eq!(is_public_suffix(host), expected, "{host}");
        }
    }

    #[test]
    fn sites() {
        for (a, b, schemeless, schemeful) in [
            (("http", "a.localhost"), ("http", "a.localhost"), true, true),
            (("http", "a.localhost"), ("http", "sub.a.localhost"), true, true),
            (("http", "x.a.localhost"), ("http", "y.z.a.localhost"), true, true),
            (("http", "a.localhost"), ("https", "a.localhost"), true, false),
            (("http", "a.localhost"), ("https", "sub.a.localhost"), true, false),
            (("http", "a.localhost"), ("http", "b.localhost"), false, false),
            (("http", "a.localhost"), ("http", "a.localhost."), false, false),
            (("http", "a.localhost"), ("http", "localhost"), false, false),
            (("http", "localhost"), ("http", "localhost"), true, true),
            (("http", "localhost"), ("https", "localhost"), true, false),
            (("http", "localhost"), ("http", "127.0.0.1"), false, false),
            (("http", "127.0.0.1"), ("http", "127.0.0.1"), true, true),
            // Hosts without a registrable domain are same site only when equal.
            (("http", "127.0.0.1"), ("http", "10.0.0.1"), false, false),
            (("http", "[::1]"), ("http", "[::1]"), true, true),
            (("http", "[::1]"), ("http", "[::2]"), false, false),
        ] {
            assert_eq!(schemelessly_same_site(a.1, b.1), schemeless, "{a:?} {b:?}");
            assert_eq!(schemelessly_same_site(b.1, a.1), schemeless, "{b:?} {a:?}");
            assert_eq!(same_site(a, b), schemeful, "{a:?} {b:?}");
            assert_eq!(same_site(b, a), schemeful, "{b:?} {a:?}");
        }
    }
}
