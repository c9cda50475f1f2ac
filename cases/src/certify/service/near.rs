//! Who asks a service: everybody who is declared, and the near misses of the first of them.

use url::Url;

use crate::certify::{Asker, Askers};

/// The origin of which near misses are made.
#[derive(Debug)]
pub(super) struct Anchor {
    scheme: String,
    host: String,
    port: Option<u16>,
    /// The host without its first label, where something is left then.
    base: Option<String>,
}

impl Anchor {
    pub(super) fn new(origins: &[String]) -> Self {
        let exact = origins.iter().find(|o| !o.contains('*') && *o != "null");
        let pattern = origins.iter().find(|o| o.contains('*') && *o != "*").map(|o| o.replacen('*', "app", 1));
        let text = exact.cloned().or(pattern).unwrap_or_else(|| "https://app.base.test".to_owned());
        let Ok(url) = Url::parse(&text) else {
            return Self { scheme: "https".to_owned(), host: "app.base.test".to_owned(), port: None, base: Some("base.test".to_owned()) };
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let is_name = matches!(url.host(), Some(url::Host::Domain(_)));
        let base = host.split_once('.').map(|(_, base)| base.to_owned()).filter(|base| is_name && base.contains('.'));
        Self { scheme: url.scheme().to_owned(), host, port: url.port(), base }
    }

    fn text(&self) -> String {
        self.with(&self.scheme, &self.host, self.port)
    }

    fn with(&self, scheme: &str, host: &str, port: Option<u16>) -> String {
        format!("{scheme}://{host}{}", port.map(|p| format!(":{p}")).unwrap_or_default())
    }

    /// Those who ask in the book, for this origin.
    pub(super) fn askers(&self, book: &Askers, origins: &[String]) -> Askers {
        let mut all: Vec<Asker> = Vec::new();
        let mut add = |label: &str, origin: Vec<u8>, is_page: bool| {
            // What a page cannot have may be what another can: then it is asked as that one.
            if all.iter().all(|a: &Asker| a.label != label && a.origin.as_deref() != Some(&*origin)) {
                all.push(Asker { label: label.to_owned(), origin: Some(origin), is_page });
            }
        };
        add("app", self.text().into_bytes(), true);
        // Everybody who is declared, before those who are not.
        let sample = |o: &String| o.replacen('*', if self.text() == o.replacen('*', "app", 1) { "b" } else { "app" }, 1);
        let declared = origins.iter().filter(|o| *o != "*").map(sample).filter(|o| *o != self.text());
        for (n, origin) in declared.enumerate() {
            let label = match n {
                _ if origin == "null" => "null".to_owned(),
                0 => "second".to_owned(),
                1 => "third".to_owned(),
                n => format!("declared-{}", n + 2),
            };
            add(&label, origin.into_bytes(), true);
        }
        for asker in book.iter() {
            let Some(origin) = self.near(asker) else { continue };
            add(&asker.label, origin, asker.is_page);
        }
        Askers::new(all)
    }

    /// The same near miss, of this origin.
    fn near(&self, asker: &Asker) -> Option<Vec<u8>> {
        let other = if self.scheme == "https" { "http" } else { "https" };
        let port = Some(if self.port == Some(8443) { 9443 } else { 8443 });
        let (host, scheme) = (&*self.host, &*self.scheme);
        let name = url::Host::parse(host).is_ok_and(|h| matches!(h, url::Host::Domain(_)));
        let page = |text: String| Some(text.into_bytes());
        let base = self.base.as_deref();
        let below = |label: &str| base.map(|base| format!("{label}{base}"));
        match &*asker.label {
            "other-scheme" => page(self.with(other, host, self.port)),
            "other-port" => page(self.with(scheme, host, port)),
            "parent" => page(self.with(scheme, base?, self.port)),
            "child" if name => page(self.with(scheme, &format!("x.{host}"), self.port)),
            "deep" => page(self.with(scheme, &below("x.y.z.")?, self.port)),
            "sibling-scheme" => page(self.with(other, &below("x.")?, self.port)),
            "sibling-port" => page(self.with(scheme, &below("x.")?, port)),
            "host-suffix" if name => page(self.with(scheme, &format!("{host}.evil.test"), self.port)),
            "host-prefix" if name => page(self.with(scheme, &format!("evil{host}"), self.port)),
            "dot-as-any" if name && host.contains('.') => page(self.with(scheme, &host.replacen('.', "x", 1), self.port)),
            "no-dot" => page(self.with(scheme, &below("evil")?, self.port)),
            "glob-as-regex" => page(self.with(scheme, &format!("{}.evil.test", below("a")?), self.port)),
            "trailing-dot" if name => page(self.with(scheme, &format!("{host}."), self.port)),
            "punycode" => page(self.with(scheme, &below("xn--pp-via.")?, self.port)),
            "underscore" => page(self.with(scheme, &below("a_b.")?, self.port)),
            "evil" | "ipv4" | "null" | "suffix-site" => asker.origin.clone(),
            // A port after a port is another question.
            "raw:default-port" if self.port.is_some() => None,
            label if label.starts_with("raw:") => Some(self.replaced(asker.origin.as_deref()?)),
            _ => None,
        }
    }

    /// A text of the book, with this origin in place of the book's own.
    pub(super) fn replaced(&self, text: &[u8]) -> Vec<u8> {
        let authority = format!("{}{}", self.host, self.port.map(|p| format!(":{p}")).unwrap_or_default());
        let base = self.base.clone().unwrap_or_else(|| self.host.clone());
        let up = str::to_ascii_uppercase;
        let pairs = [
            ("https://app.base.test".to_owned(), self.text()),
            (up("https://app.base.test"), up(&self.text())),
            ("https://user@app.base.test".to_owned(), format!("{}://user@{authority}", self.scheme)),
            ("app.base.test".to_owned(), authority.clone()),
            ("App.Base.Test".to_owned(), up(&authority)),
            ("base.test".to_owned(), base),
        ];
        let mut out = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            match pairs.iter().find(|(from, _)| rest.starts_with(from.as_bytes())) {
                Some((from, to)) => {
                    out.extend_from_slice(to.as_bytes());
                    rest = &rest[from.len()..];
                }
                None => {
                    out.push(rest[0]);
                    rest = &rest[1..];
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certify::Book;

    #[test]
    fn near_misses_are_near_the_first_origin() {
        let askers = Book::embedded().expect("the book").askers;
        let of = |origin: &str| {
            let made = Anchor::new(&[origin.to_owned()]).askers(&askers, &[origin.to_owned()]);
            let all: std::collections::BTreeMap<String, String> = made
                .iter()
                .map(|a| (a.label.clone(), String::from_utf8_lossy(a.origin.as_deref().unwrap_or_default()).into_owned()))
                .collect();
            all
        };
        let shop = of("https://shop.example.com:444");
        for (label, origin) in [
            ("app", "https://shop.example.com:444"),
            ("other-scheme", "http://shop.example.com:444"),
            ("other-port", "https://shop.example.com:8443"),
            ("parent", "https://example.com:444"),
            ("host-suffix", "https://shop.example.com.evil.test:444"),
            ("host-prefix", "https://evilshop.example.com:444"),
            ("no-dot", "https://evilexample.com:444"),
            ("dot-as-any", "https://shopxexample.com:444"),
            ("raw:slash", "https://shop.example.com:444/"),
            ("raw:upper-case", "HTTPS://SHOP.EXAMPLE.COM:444"),
            ("raw:userinfo", "https://user@shop.example.com:444"),
            ("raw:two-dots", "https://a..example.com"),
            ("evil", "https://evil.test"),
        ] {
            assert_eq!(shop.get(label).map(String::as_str), Some(origin), "{label}");
        }
        assert!(!shop.contains_key("raw:default-port") && !shop.contains_key("inner"));
        let local = of("http://localhost:3000");
        assert_eq!(local["host-suffix"], "http://localhost.evil.test:3000");
        assert!(!local.contains_key("parent") && !local.contains_key("dot-as-any"), "{local:?}");
        let pattern = of("https://*.example.com");
        assert_eq!((&*pattern["app"], &*pattern["second"]), ("https://app.example.com", "https://b.example.com"));
        assert_eq!(pattern["no-dot"], "https://evilexample.com");
    }
}
