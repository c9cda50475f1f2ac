//! What is left out of results that tell of a private service: names of hosts, values of headers, bodies.
//!
//! What a verdict rests on stays: methods, statuses, the fields of the CORS protocol and of caching, and who asked, by the same name
//! everywhere.

use corscheck_cases::{
    certify::{Declared, policy::Strings},
    text::slug,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use url::Url;

use super::jsonl::Results;
use crate::certify::certificate::Certificate;

/// What stands in place of what is left out.
const GONE: &str = "[redacted]";

/// Fields whose values stay.
const KEPT: &[&str] = &[
    "origin",
    "vary",
    "access-control-",
    "allow",
    "age",
    "cache-control",
    "expires",
    "pragma",
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
    "host",
    "sec-fetch-",
    "accept",
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// What is left out of what is written about one service.
#[derive(Debug, Clone)]
pub struct Redaction {
    /// Names of hosts and what stands in their place, the longest first: in whatever they are.
    names: Vec<(String, String)>,
    /// Titles and paths: only where they stand by themselves.
    words: Vec<(String, String)>,
}

impl Redaction {
    /// Everything that tells of this service.
    pub fn of(url: &str, declared: &Declared) -> Self {
        let host = |text: &str| {
            let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
            rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
        };
        let bare = |authority: &str| authority.rsplit_once(':').map_or(authority, |(host, _)| host).to_owned();
        let mut names: Vec<(String, String)> = Vec::new();
        let mut add = |from: &str, to: &str| {
            if !from.is_empty() && names.iter().all(|(name, _)| name != from) {
                names.push((from.to_owned(), to.to_owned()));
            }
        };
        let authority = host(url);
        add(&authority, "service.test");
        add(&bare(&authority), "service.test");
        let origins = declared.paths.iter().flat_map(|p| match &p.options.origins {
            Strings::List(list) => list.clone(),
            Strings::One(one) => vec![one.clone()],
        });
        for (n, origin) in origins.filter(|o| o.contains("://")).enumerate() {
            let host = bare(&host(&origin));
            // Near misses are made of a name and of what is behind its first label.
            let name = host.replacen("*.", "", 1);
            add(&name, &format!("origin-{}.test", n + 1));
            if let Some((_, base)) = host.split_once('.')
                && base.contains('.')
            {
                add(base, &format!("site-{}.test", n + 1));
            }
            add(&name.replacen('.', "x", 1), &format!("origin-{}xtest", n + 1));
        }
        let base = Url::parse(url).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
        let mut words = vec![(declared.title.clone(), "a service".to_owned()), (slug(&declared.title), "a-service".to_owned())];
        for (n, path) in declared.paths.iter().enumerate() {
            let at = format!("{base}{}", path.path);
            words.push((slug(&at), format!("path-{}", n + 1)));
            words.push((at, format!("/path-{}", n + 1)));
        }
        words.push((base, "/base".to_owned()));
        words.retain(|(word, _)| word.len() > 1);
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        words.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Self { names, words }
    }

    /// A certificate without it.
    ///
    /// # Errors
    ///
    /// None: what is left is a certificate.
    pub fn certificate(&self, certificate: &Certificate) -> Result<Certificate, serde_json::Error> {
        self.without(certificate)
    }

    /// Results without it.
    ///
    /// # Errors
    ///
    /// None: what is left are results.
    pub fn results(&self, results: &Results) -> Result<Results, serde_json::Error> {
        let mut out = Results {
            header: self.without(&results.header)?,
            results: results.results.iter().map(|r| self.without(r)).collect::<Result<_, _>>()?,
            notes: results.notes.clone(),
            footer: results.footer.clone(),
        };
        // A command names files and places of a machine.
        out.header.command = vec!["corscheck".to_owned(), "certify".to_owned(), GONE.to_owned()];
        Ok(out)
    }

    fn without<T: Serialize + DeserializeOwned>(&self, value: &T) -> Result<T, serde_json::Error> {
        let mut value = serde_json::to_value(value)?;
        self.value(&mut value);
        serde_json::from_value(value)
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(list) => list.iter_mut().for_each(|v| self.value(v)),
            Value::Object(map) => self.object(map),
            _ => {}
        }
    }

    fn object(&self, map: &mut Map<String, Value>) {
        for (key, value) in map.iter_mut() {
            match (&**key, &mut *value) {
                ("head", Value::String(text)) => *text = self.head(text),
                ("fields" | "headers", Value::Array(fields)) => fields.iter_mut().for_each(|f| self.field(f)),
                // The body of an answer, or of a request.
                ("body", Value::String(text)) if !text.is_empty() => *text = GONE.to_owned(),
                ("repeat", Value::String(text)) => *text = format!("corscheck certify {GONE}"),
                (_, value) => self.value(value),
            }
        }
    }

    /// One field: a pair of name and value.
    fn field(&self, field: &mut Value) {
        if let Value::Array(pair) = field
            && let [Value::String(name), Value::String(value)] = &mut pair[..]
        {
            *value = if is_kept(name) { self.text(value) } else { GONE.to_owned() };
        } else {
            self.value(field);
        }
    }

    /// A head, in which lines are told by how bytes are written.
    fn head(&self, head: &str) -> String {
        const LINE: &str = "\\r\\n";
        let lines = head.split(LINE).enumerate().map(|(n, line)| match line.split_once(':') {
            Some((name, _)) if n > 0 && !is_kept(name) => format!("{name}: {GONE}"),
            _ => self.text(line),
        });
        lines.collect::<Vec<_>>().join(LINE)
    }

    fn text(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (from, to) in &self.names {
            if out.contains(&**from) {
                out = out.replace(&**from, to);
            }
            let upper = from.to_ascii_uppercase();
            if out.contains(&*upper) {
                out = out.replace(&*upper, &to.to_ascii_uppercase());
            }
        }
        self.words.iter().fold(out, |text, (from, to)| word_replaced(&text, from, to))
    }
}

/// A text with another word in place of each that stands by itself.
fn word_replaced(text: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let is_inner = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    while let Some(at) = rest.find(from) {
        let behind = &rest[at + from.len()..];
        let begins = from.starts_with('/') || !out.chars().chain(rest[..at].chars()).next_back().is_some_and(is_inner);
        let ends = !behind.chars().next().is_some_and(is_inner);
        out.push_str(&rest[..at]);
        out.push_str(if begins && ends { to } else { from });
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn is_kept(name: &str) -> bool {
    let lower = name.trim().to_ascii_lowercase();
    KEPT.iter().any(|kept| if kept.ends_with('-') { lower.starts_with(kept) } else { lower == *kept })
}
