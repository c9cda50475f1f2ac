//! Origins and the parts of URLs that the algorithms look at (HTML, origin; URL, origin).

use url::Url;

use super::site;

/// An origin (HTML, origin).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Equal to no other, itself included; serialised as `null`.
    Opaque,
    /// Scheme, host and port.
    Tuple(Tuple),
}

/// A tuple origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuple {
    scheme: String,
    host: String,
    port: u16,
    serialized: String,
    /// Where in the host its registrable domain begins, when it has one.
    domain: Option<usize>,
}

/// How a URL's origin stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Relation {
    SameOrigin,
    SameSite,
    CrossSite,
}

impl Origin {
    /// The origin of a URL (URL, origin).
    pub fn of(url: &Url) -> Self {
        match parts(url) {
            None => path_of_blob(url).map_or(Origin::Opaque, |inner| Origin::of(&inner)),
            Some((scheme, host, port)) => Origin::Tuple(Tuple {
                scheme: scheme.to_owned(),
                host: host.to_owned(),
                port,
                domain: site::domain_at(host),
                serialized: match default_port(scheme) {
                    Some(usual) if usual == port => format!("{scheme}://{host}"),
                    _ => format!("{scheme}://{host}:{port}"),
                },
            }),
        }
    }

    /// Serialised (HTML, serialization of an origin).
    pub fn serialized(&self) -> &str {
        match self {
            Origin::Opaque => "null",
            Origin::Tuple(tuple) => &tuple.serialized,
        }
    }

    /// Its site (HTML, obtain a site), as text.
    pub fn site(&self) -> String {
        match (self.scheme(), self.host()) {
            (Some(scheme), Some(host)) => format!("{scheme}://{}", site::registrable_domain(host)),
            _ => self.serialized().to_owned(),
        }
    }

    /// Whether it is the same origin as a URL's (HTML, same origin).
    pub fn is_same(&self, url: &Url) -> bool {
        match self {
            Origin::Opaque => false,
            Origin::Tuple(t) => match parts(url) {
                Some((scheme, host, port)) => port == t.port && host == t.host && scheme == t.scheme,
                None => path_of_blob(url).is_some_and(|inner| self.is_same(&inner)),
            },
        }
    }

    /// Whether it is the same site as a URL's origin (HTML, same site).
    pub fn is_same_site(&self, url: &Url) -> bool {
        match (self, parts(url)) {
            (Origin::Tuple(t), Some((scheme, host, _))) => scheme == t.scheme && t.shares_domain(host),
            _ => false,
        }
    }

    /// How a URL's origin stands to it.
    pub(super) fn relation(&self, url: &Url) -> Relation {
        match (self, parts(url)) {
            (Origin::Tuple(t), Some((scheme, host, port))) if scheme == t.scheme => match host == t.host {
                true if port == t.port => Relation::SameOrigin,
                true => Relation::SameSite,
                false if t.shares_domain(host) => Relation::SameSite,
                false => Relation::CrossSite,
            },
            (Origin::Tuple(_), None) if self.is_same(url) => Relation::SameOrigin,
            _ => Relation::CrossSite,
        }
    }

    /// The same, whatever the schemes (HTML, schemelessly same site).
    pub fn is_schemelessly_same_site(&self, url: &Url) -> bool {
        match (self, parts(url)) {
            (Origin::Tuple(t), Some((_, host, _))) => t.shares_domain(host),
            _ => false,
        }
    }

    /// The scheme, of a tuple origin.
    pub fn scheme(&self) -> Option<&str> {
        match self {
            Origin::Opaque => None,
            Origin::Tuple(t) => Some(&t.scheme),
        }
    }

    /// The host, of a tuple origin.
    pub fn host(&self) -> Option<&str> {
        match self {
            Origin::Opaque => None,
            Origin::Tuple(t) => Some(&t.host),
        }
    }

    /// The port, of a tuple origin.
    pub fn port(&self) -> Option<u16> {
        match self {
            Origin::Opaque => None,
            Origin::Tuple(t) => Some(t.port),
        }
    }
}

impl Tuple {
    /// Whether a host is this one, or one with the same registrable domain.
    fn shares_domain(&self, host: &str) -> bool {
        host == self.host
            || self.domain.is_some_and(|at| {
                let rest = host.strip_suffix(&self.host[at..]);
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
    }
}

/// Scheme, host and port of a URL that has a tuple origin.
fn parts(url: &Url) -> Option<(&str, &str, u16)> {
    match url.scheme() {
        // Other special schemes than these are not fetched, but have origins all the same.
        "http" | "https" | "ws" | "wss" | "ftp" => Some((url.scheme(), url.host_str()?, url.port_or_known_default()?)),
        _ => None,
    }
}

/// The URL in the path of a blob: URL, whose origin it has (URL, origin): only HTTP(S) URLs count.
fn path_of_blob(url: &Url) -> Option<Url> {
    if url.scheme() != "blob" {
        return None;
    }
    Url::parse(url.path()).ok().filter(is_http)
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "ftp" => Some(21),
        _ => None,
    }
}

/// Whether two URLs have one origin.
pub(super) fn same_origin(a: &Url, b: &Url) -> bool {
    match (parts(a), parts(b)) {
        (Some((scheme_a, host_a, port_a)), Some((scheme_b, host_b, port_b))) => {
            port_a == port_b && host_a == host_b && scheme_a == scheme_b
        }
        _ => false,
    }
}

/// Whether two URLs have one site.
pub(super) fn same_site(a: &Url, b: &Url) -> bool {
    match (parts(a), parts(b)) {
        (Some((scheme_a, host_a, _)), Some((scheme_b, host_b, _))) => site::same_site((scheme_a, host_a), (scheme_b, host_b)),
        _ => false,
    }
}

/// Whether a URL includes credentials (URL, includes credentials).
pub(super) fn includes_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some_and(|p| !p.is_empty())
}

/// Whether the scheme is an HTTP(S) scheme (Fetch, URL).
pub(super) fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// Whether what a URL names cannot be read or changed on its way (Secure Contexts, is url potentially trustworthy).
pub fn is_potentially_trustworthy(url: &Url) -> bool {
    match url.scheme() {
        "https" | "wss" | "data" | "file" => true,
        "about" => matches!(url.path(), "blank" | "srcdoc"),
        "http" | "ws" => match url.host() {
            Some(url::Host::Domain(host)) => {
                let host = host.strip_suffix('.').unwrap_or(host);
                host.strip_suffix("localhost").is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        },
        _ => false,
    }
}

/// The ports that requests may not go to (Fetch, port blocking).
#[rustfmt::skip]
const BAD_PORTS: &[u16] = &[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113,
    115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563,
    587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669,
    6679, 6697, 10080,
];

/// Whether a URL's port is a bad port (Fetch, should fetching a request be blocked due to a bad port).
pub fn is_bad_port(url: &Url) -> bool {
    is_http(url) && url.port().is_some_and(|p| BAD_PORTS.binary_search(&p).is_ok())
}

/// A URL as the `Referer` field may show it (Referrer Policy, strip url for use as a referrer): none for local schemes.
pub(super) fn strip_for_referrer(url: &Url, origin_only: bool) -> Option<String> {
    if !is_http(url) {
        return None;
    }
    let mut url = url.clone();
    // None of these can fail for an HTTP(S) URL.
    _ = url.set_username("");
    _ = url.set_password(None);
    url.set_fragment(None);
    if origin_only {
        url.set_path("");
        url.set_query(None);
    }
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_what_origins_and_sites_say() {
        let hosts = [
            "localhost",
            "localhost.",
            "a.localhost",
            "x.a.localhost",
            "y.x.a.localhost.",
            "xa.localhost",
            "b.localhost",
            "127.0.0.1",
            "[::1]",
            "a..b",
            "x.a..b",
        ];
        let urls: Vec<_> = hosts
            .iter()
            .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}/")))
            .chain(["http://a.localhost:81/", "data:,x", "blob:http://a.localhost/x", "blob:http://b.localhost/x"].map(str::to_owned))
            .map(|url| Url::parse(&url).expect("a URL"))
            .collect();
        for (a, b) in urls.iter().flat_map(|a| urls.iter().map(move |b| (a, b))) {
            let origin = Origin::of(a);
            let wanted = match () {
                () if origin.is_same(b) => Relation::SameOrigin,
                () if parts(b).is_some() && same_site(&Url::parse(origin.serialized()).unwrap_or_else(|_| a.clone()), b) => {
                    Relation::SameSite
                }
                () => Relation::CrossSite,
            };
            assert_eq!(origin.relation(b), wanted, "{a} and {b}");
            assert_eq!(origin.is_same_site(b), parts(b).is_some() && wanted != Relation::CrossSite, "{a} and {b}");
        }
    }
}
