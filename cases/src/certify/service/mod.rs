//! A deployed service: the policy that its team declares, and what follows from it: policies by path, who asks, and what is asked.
//!
//! What is asked is what is asked of every middleware, put in the service's own terms: `app` is its own first origin and a near miss is
//! a near miss of that one, the methods and headers are those that it lists. What only the fixed application could answer is left out,
//! and so is what could do harm to a service that others use.

mod near;
mod terms;

use serde::Deserialize;
use url::Url;

use self::{near::Anchor, terms::Terms};
use super::{
    Book, CertifyError, Policy, Probe,
    application::{Application, Observed},
    policy::{Options, Strings},
};
use crate::text::slug;

/// A commented policy file, to begin with.
pub const TEMPLATE: &str = include_str!("../../../certify/service-template.toml");

/// What a team declares.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    title: String,
    url: Option<String>,
    rate: Option<u32>,
    #[serde(flatten)]
    grant: Part,
    #[serde(default)]
    path: Vec<PathPart>,
}

/// A part of a grant; what is absent for a path is as for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Part {
    origins: Option<Vec<String>>,
    credentials: Option<bool>,
    methods: Option<Vec<String>>,
    request_headers: Option<Vec<String>>,
    expose: Option<Vec<String>>,
    max_age: Option<i64>,
    send: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct PathPart {
    path: String,
    #[serde(flatten)]
    grant: Part,
}

/// What a team declares of its service.
#[derive(Debug, Clone)]
pub struct Declared {
    /// What it is called.
    pub title: String,
    /// Where it is, if the file says so.
    pub url: Option<String>,
    /// The most requests in a second.
    pub rate: u32,
    /// By path, in the order of the file.
    pub paths: Vec<DeclaredPath>,
}

/// What is declared of a path.
#[derive(Debug, Clone)]
pub struct DeclaredPath {
    /// The path, below that of the URL.
    pub path: String,
    /// Who may what.
    pub options: Options,
    /// The methods that may really be sent there.
    pub send: Vec<String>,
}

/// Requests in a second, where a file says nothing.
pub const RATE: u32 = 20;

/// Methods that change nothing (RFC 9110, section 9.2.1), and may always be sent.
pub const SAFE: &[&str] = &["GET", "HEAD", "OPTIONS"];

/// Methods that every page may use (CORS-safelisted).
const SAFELISTED: &[&str] = &["GET", "HEAD", "POST"];

impl Declared {
    /// Reads a policy file.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: toml::Table = toml::from_str(text).map_err(|e| e.to_string())?;
        const KNOWN: &[&str] =
            &["title", "url", "rate", "path", "origins", "credentials", "methods", "request-headers", "expose", "max-age", "send"];
        // What is flattened cannot refuse what it does not know.
        let unknown = |table: &toml::Table| table.keys().find(|key| !KNOWN.contains(&&***key)).cloned();
        let of_paths = file.get("path").and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_table);
        if let Some(key) = unknown(&file).or_else(|| of_paths.clone().find_map(unknown)) {
            return Err(format!("`{key}` is not known: there are {}", KNOWN.join(", ")));
        }
        if let Some(key) = of_paths.flat_map(|t| t.keys()).find(|key| ["title", "url", "rate"].contains(&&***key)) {
            return Err(format!("`{key}` is for the whole service, not for a path"));
        }
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        let rate = file.rate.unwrap_or(RATE);
        if rate == 0 {
            return Err("`rate` is the most requests in a second: at least 1".to_owned());
        }
        let paths = if file.path.is_empty() { vec![PathPart { path: String::new(), grant: Part::default() }] } else { file.path };
        let paths = paths.into_iter().map(|part| path(part, &file.grant)).collect::<Result<Vec<_>, _>>()?;
        if let Some(twice) = paths.iter().enumerate().find(|(n, p)| paths[..*n].iter().any(|q| q.path == p.path)) {
            return Err(format!("the path `{}` stands there twice", twice.1.path));
        }
        Ok(Self { title: file.title, url: file.url, rate, paths })
    }
}

fn path(part: PathPart, all: &Part) -> Result<DeclaredPath, String> {
    if !part.path.is_empty() && !part.path.starts_with('/') || part.path.contains(['#', ' ', '\r', '\n', '{', '}']) {
        return Err(format!("`{}` is no path: it begins with a slash, and has neither spaces nor a fragment", part.path));
    }
    let list = |own: &Option<Vec<String>>, all: &Option<Vec<String>>| own.clone().or_else(|| all.clone()).unwrap_or_default();
    let options = Options {
        origins: Strings::List(
            part.grant.origins.or_else(|| all.origins.clone()).ok_or("`origins` is missing: who may read, or [] for nobody")?,
        ),
        credentials: part.grant.credentials.or(all.credentials).unwrap_or(false),
        methods: list(&part.grant.methods, &all.methods),
        request_headers: list(&part.grant.request_headers, &all.request_headers),
        expose: list(&part.grant.expose, &all.expose),
        max_age: part.grant.max_age.or(all.max_age),
    };
    let Strings::List(origins) = &options.origins else { return Err("`origins` is a list".to_owned()) };
    let is_any = origins.iter().any(|o| o == "*");
    if is_any && origins.len() > 1 {
        return Err("`*` stands for every origin: it stands alone".to_owned());
    }
    if is_any && options.credentials {
        return Err("every origin with credentials hands every user's data to every site: there is no safe way to mean it".to_owned());
    }
    origins.iter().try_for_each(|origin| is_origin(origin))?;
    for name in options.methods.iter().chain(&options.request_headers).chain(&options.expose) {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)) {
            return Err(format!("`{name}` is no name of a method or a header"));
        }
    }
    let send = list(&part.grant.send, &all.send);
    Ok(DeclaredPath { path: part.path, options, send })
}

/// Whether it is a serialized origin, `null`, `*`, or a pattern with one `*` in its first label.
fn is_origin(text: &str) -> Result<(), String> {
    if matches!(text, "*" | "null") {
        return Ok(());
    }
    let sample = text.replacen('*', "x", 1);
    let wrong = |words: &str| Err(format!("`{text}` is no origin: {words}"));
    if let Some((before, behind)) = text.split_once('*') {
        let host = before.split_once("://").map(|(_, host)| host);
        if host.is_none_or(|host| host.contains('.'))
            || behind.split('.').filter(|label| !label.is_empty()).count() < 2
            || behind.contains('*')
        {
            return wrong("a pattern has one `*`, in the first label of a host, and at least two labels behind it");
        }
    }
    match Url::parse(&sample) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => wrong("pages have http or https origins"),
        Ok(url) if url.origin().ascii_serialization() == sample => Ok(()),
        Ok(url) => wrong(&format!("serialized it is `{}`", url.origin().ascii_serialization())),
        Err(_) => wrong("an origin is a scheme, a host and perhaps a port: `https://app.example.com`"),
    }
}

/// A path of a service, ready to be asked.
#[derive(Debug, Clone)]
pub struct Service {
    /// What is meant there.
    pub policy: Policy,
    /// What is asked.
    pub probes: Vec<Probe>,
    /// The methods that may really be sent there.
    pub methods: Vec<String>,
}

impl Book {
    /// What is asked of a path. `at` is its whole path, `target` the origin by which pages know the service.
    ///
    /// # Errors
    ///
    /// A probe that cannot be made.
    pub fn service(&self, declared: &DeclaredPath, at: &str, observed: &Observed, target: &str) -> Result<Service, CertifyError> {
        let origins = match &declared.options.origins {
            Strings::List(list) => list.clone(),
            Strings::One(one) => vec![one.clone()],
        };
        let anchor = Anchor::new(&origins);
        let askers = anchor.askers(&self.askers, &origins);
        let id = Some(slug(at)).filter(|id| !id.is_empty()).unwrap_or_else(|| "root".to_owned());
        let redirects = (300..400).contains(&observed.status) && observed.status != 304;
        let mut policy = Policy::of(&id, at, declared.options.clone());
        policy.application = Application::Observed(observed.clone());
        let methods: Vec<String> = SAFE.iter().map(|m| (*m).to_owned()).chain(declared.send.iter().cloned()).collect();
        let terms = Terms { at, policy: &policy, declared, anchor: &anchor, observed, methods: &methods, redirects };
        let mut probes: Vec<Probe> = Vec::new();
        let shape = shape(&origins, declared.options.credentials);
        for aspect in aspects(shape, &declared.options) {
            let Some(like) = self.policy(aspect) else { continue };
            for probe in self.probes.of(like, &askers, target)? {
                let fitting = terms.fit(&probe, aspect).filter(|p| probes.iter().all(|q| q.id != p.id));
                probes.extend(fitting);
            }
        }
        terms.own(&askers, &mut probes);
        Ok(Service { policy, probes, methods })
    }
}

/// The policy of the book that a list of origins is most like.
fn shape(origins: &[String], credentials: bool) -> &'static str {
    let has_pattern = origins.iter().any(|o| o.contains('*') && o != "*");
    match (origins, credentials) {
        ([], _) => "p0",
        ([one], _) if one == "*" => "p5",
        ([one], _) if one == "null" => "p6",
        (_, false) if has_pattern => "p4",
        (_, true) if has_pattern => "p4-credentials",
        ([_], false) => "p1",
        ([_], true) => "p2",
        _ => "p3",
    }
}

/// Every policy of the book of which something is asked: what one service does, the book has one by one.
fn aspects(shape: &'static str, options: &Options) -> Vec<&'static str> {
    let any = |list: &[String]| list.iter().any(|name| name == "*");
    let mut all = vec![shape];
    if matches!(shape, "p2" | "p3" | "p4-credentials") {
        all.push("p11");
    }
    if shape != "p0" {
        all.push("p8");
    }
    if !options.expose.is_empty() && !any(&options.expose) {
        all.push("p7");
    }
    if options.max_age.is_some() && shape != "p0" {
        all.push("p9-minute");
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_policy() {
        let declared = Declared::parse(TEMPLATE).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(declared.paths.len(), 2);
        assert!(declared.paths.iter().all(|p| p.options.credentials && p.options.max_age == Some(600) && p.send.is_empty()));
        assert_eq!(declared.rate, RATE);
    }
}
