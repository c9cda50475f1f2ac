//! The policy container of a page as its header fields set it: Content Security Policy 3, Cross-Origin-Embedder-Policy, and a
//! referrer policy. Only what decides over requests is here; what it says of scripts in the page is not.

use url::Url;

use super::{
    origin::Origin,
    request::{Destination, ReferrerPolicy},
};

/// What the policies of a page say of its requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// The enforced policies (CSP list): each a list of directives.
    csp: Vec<Vec<Directive>>,
    /// Whether requests to insecure URLs go to secure ones instead (`upgrade-insecure-requests`).
    pub upgrades: bool,
    /// The embedder policy.
    pub embedder: Embedder,
    /// The referrer policy, where a field sets one.
    pub referrer: Option<ReferrerPolicy>,
}

/// The value of an embedder policy (HTML, embedder policy value).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Embedder {
    /// `unsafe-none`.
    #[default]
    UnsafeNone,
    /// `require-corp`.
    RequireCorp,
    /// `credentialless`.
    Credentialless,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Directive {
    name: String,
    sources: Vec<String>,
}

impl Policies {
    /// The policies of a response with these fields.
    pub fn of<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let mut policies = Policies::default();
        for (name, value) in fields {
            if name.eq_ignore_ascii_case("Content-Security-Policy") {
                policies.csp.extend(value.split(',').map(directives).filter(|policy| !policy.is_empty()));
            } else if name.eq_ignore_ascii_case("Cross-Origin-Embedder-Policy") {
                // An item with parameters (Structured Fields); an unknown one is unsafe-none.
                policies.embedder = match value.split(';').next().unwrap_or_default().trim() {
                    "require-corp" => Embedder::RequireCorp,
                    "credentialless" => Embedder::Credentialless,
                    _ => Embedder::UnsafeNone,
                };
            } else if name.eq_ignore_ascii_case("Referrer-Policy") {
                // The last token that is known (Referrer Policy, section 8.1).
                policies.referrer = value.split(',').filter_map(|token| ReferrerPolicy::parse(token.trim())).next_back();
            }
        }
        policies.upgrades = policies.csp.iter().flatten().any(|d| d.name == "upgrade-insecure-requests");
        policies
    }

    /// Whether no policy blocks a request (CSP, "should request be blocked by Content Security Policy?"). `own` is the origin that
    /// `'self'` stands for.
    pub fn allow(&self, destination: Destination, url: &Url, own: &Origin, redirects: u32) -> bool {
        self.csp.iter().all(|policy| {
            let deciding = fallbacks(destination).iter().find_map(|name| policy.iter().find(|d| d.name == *name));
            deciding.is_none_or(|directive| directive.matches(url, own, redirects))
        })
    }
}

/// Parse a serialized CSP: of two directives of one name the first counts.
fn directives(policy: &str) -> Vec<Directive> {
    let mut out: Vec<Directive> = Vec::new();
    for token in policy.split(';') {
        let mut words = token.split_ascii_whitespace();
        let Some(name) = words.next().map(str::to_ascii_lowercase) else { continue };
        if out.iter().all(|d| d.name != name) {
            out.push(Directive { name, sources: words.map(str::to_owned).collect() });
        }
    }
    out
}

/// Get fetch directive fallback list, given the effective directive of a request.
fn fallbacks(destination: Destination) -> &'static [&'static str] {
    match destination {
        Destination::Empty => &["connect-src", "default-src"],
        Destination::Image => &["img-src", "default-src"],
        Destination::Script => &["script-src-elem", "script-src", "default-src"],
        Destination::Style => &["style-src-elem", "style-src", "default-src"],
        Destination::Font => &["font-src", "default-src"],
        Destination::Frame => &["frame-src", "child-src", "default-src"],
        Destination::Object | Destination::Embed => &["object-src", "default-src"],
        Destination::Worker | Destination::SharedWorker => &["worker-src", "child-src", "script-src", "default-src"],
        Destination::AudioWorklet => &["script-src-elem", "script-src", "default-src"],
        Destination::Track | Destination::Audio | Destination::Video => &["media-src", "default-src"],
    }
}

impl Directive {
    /// Does url match source list in origin with redirect count?
    fn matches(&self, url: &Url, own: &Origin, redirects: u32) -> bool {
        // `'none'` matches no expression below, alone or not.
        self.sources.iter().any(|expression| matches(expression, url, own, redirects))
    }
}

/// Does url match expression in origin with redirect count?
fn matches(expression: &str, url: &Url, own: &Origin, redirects: u32) -> bool {
    let own_scheme = own.scheme().unwrap_or_default();
    if expression == "*" {
        return matches!(url.scheme(), "http" | "https" | "ws" | "wss") || url.scheme() == own_scheme;
    }
    if expression.eq_ignore_ascii_case("'self'") {
        return own.is_same(url);
    }
    if expression.starts_with('\'') {
        return false;
    }
    let (scheme, rest) = match expression.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => match expression.strip_suffix(':') {
            Some(scheme) => return scheme_matches(scheme, url.scheme()),
            None => (None, expression),
        },
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    scheme_matches(scheme.unwrap_or(own_scheme), url.scheme())
        && host_matches(host, url)
        && port_matches(port, url)
        && (redirects > 0 || path_matches(path, url.path()))
}

/// `scheme-part` matching.
fn scheme_matches(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
        || match a.to_ascii_lowercase().as_str() {
            "http" => b == "https",
            "ws" => matches!(b, "wss" | "http" | "https"),
            "wss" => b == "https",
            _ => false,
        }
}

/// `host-part` matching: addresses match nothing.
fn host_matches(pattern: &str, url: &Url) -> bool {
    let Some(host) = url.domain() else { return false };
    match pattern.strip_prefix('*') {
        Some("") => true,
        Some(rest) => host.ends_with(&rest.to_ascii_lowercase()),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// `port-part` matching.
fn port_matches(port: Option<&str>, url: &Url) -> bool {
    port == Some("*")
        || port.and_then(|p| p.parse::<u16>().ok()).or_else(|| Url::parse(&format!("{}://x", url.scheme())).ok()?.port_or_known_default())
            == url.port_or_known_default()
}

/// `path-part` matching, without percent-decoding: no path of ours needs it.
fn path_matches(pattern: &str, path: &str) -> bool {
    pattern.is_empty() || if pattern.ends_with('/') { path.starts_with(pattern) } else { pattern == path }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(policy: &str, destination: Destination, url: &str, redirects: u32) -> bool {
        let own = Origin::of(&Url::parse("http://a.localhost:8001/").expect("a URL"));
        Policies::of([("content-security-policy", policy)]).allow(destination, &Url::parse(url).expect("a URL"), &own, redirects)
    }

    #[test]
    fn expressions_match_as_the_text_says() {
        let own = "http://a.localhost:8001/t/x/r";
        let other = "http://b.localhost:8004/t/x/r";
        for (policy, url, redirects, expected) in [
            ("connect-src 'none'", own, 0, false),
            ("connect-src", own, 0, false),
            ("connect-src 'self'", own, 0, true),
            ("connect-src 'self'", other, 0, false),
            ("connect-src *", other, 0, true),
            ("connect-src http:", other, 0, true),
            ("connect-src https:", other, 0, false),
            ("connect-src http://b.localhost:8004", other, 0, true),
            ("connect-src b.localhost:8004", other, 0, true),
            ("connect-src b.localhost", other, 0, false),
            ("connect-src b.localhost:*", other, 0, true),
            ("connect-src *.localhost:*", other, 0, true),
            ("connect-src http://b.localhost:8004/t/", other, 0, true),
            ("connect-src http://b.localhost:8004/u/", other, 0, false),
            ("connect-src http://b.localhost:8004/u/", other, 1, true),
            ("default-src 'self'", other, 0, false),
            ("default-src 'self'; connect-src *", other, 0, true),
            ("connect-src *; connect-src 'none'", other, 0, true),
            ("connect-src *, connect-src 'none'", other, 0, false),
            ("img-src 'none'", other, 0, true),
            ("CONNECT-SRC 'NONE'", other, 0, false),
            ("connect-src *", "data:,x", 0, false),
            ("connect-src data:", "data:,x", 0, true),
        ] {
            assert_eq!(allow(policy, Destination::Empty, url, redirects), expected, "{policy}: {url} after {redirects}");
        }
        assert!(!allow("img-src 'none'", Destination::Image, other, 0));
        assert!(!allow("script-src 'self'", Destination::Script, other, 0));
    }

    #[test]
    fn other_fields_are_read() {
        let policies = Policies::of([
            ("Cross-Origin-Embedder-Policy", "require-corp; report-to=\"x\""),
            ("Referrer-Policy", "no-referrer, made-up, origin"),
            ("Content-Security-Policy-Report-Only", "default-src 'none'"),
        ]);
        assert_eq!((policies.embedder, policies.referrer), (Embedder::RequireCorp, Some(ReferrerPolicy::Origin)));
        assert!(policies.csp.is_empty());
    }
}
