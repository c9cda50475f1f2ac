//! A deployed service: the policy that its team declares, and what follows from it: policies by path, who asks, and what is asked.
//!
//! What is asked is what is asked of every middleware, put in the service's own terms: `app` is its own first origin and a near miss is
//! a near miss of that one, the methods and headers are those that it lists. What only the fixed application could answer is left out,
//! and so is what could do harm to a service that others use.

use serde::Deserialize;
use url::Url;

use super::{
    Asker, Askers, Book, CertifyError, Policy, Probe, Tags,
    application::{Application, Observed},
    policy::{Options, Strings},
    probe::{Ask, PageApi, PageAsk, SetAsk},
};
use crate::format::Credentials;

/// A commented policy file, to begin with.
pub const TEMPLATE: &str = include_str!("../../certify/service-template.toml");

/// What a team declares.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
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
        let id = slug(at);
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

fn slug(path: &str) -> String {
    let mut out: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    while out.contains("--") {
        out = out.replace("--", "-");
    }
    let out = out.trim_matches('-');
    if out.is_empty() { "root".to_owned() } else { out.to_owned() }
}

/// The origin of which near misses are made.
#[derive(Debug)]
struct Anchor {
    scheme: String,
    host: String,
    port: Option<u16>,
    /// The host without its first label, where something is left then.
    base: Option<String>,
}

impl Anchor {
    fn new(origins: &[String]) -> Self {
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
    fn askers(&self, book: &Askers, origins: &[String]) -> Askers {
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
    fn replaced(&self, text: &[u8]) -> Vec<u8> {
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

/// The terms of a service, into which probes are put.
struct Terms<'t> {
    at: &'t str,
    policy: &'t Policy,
    declared: &'t DeclaredPath,
    anchor: &'t Anchor,
    observed: &'t Observed,
    methods: &'t [String],
    redirects: bool,
}

/// The path of the book's resource.
const RESOURCE: &str = "/r";

/// A request header that no service lists.
const UNLISTED: &str = "X-Corscheck-Unlisted";

/// How many methods and headers are asked for one by one.
const MOST: usize = 8;

/// Probes that say nothing of a service: they are about the fixed application, or cost it too much.
const LEFT_OUT: &[&str] =
    &["vary-of-the-application", "disclosed", "same-origin-post", "requested-many", "long-origin", "unlisted-method-itself"];

/// Probes of the book that name its own methods and headers, in place of which a service is asked for its own.
const REPLACED: &[&str] =
    &["preflighted-method", "preflighted-header", "preflighted-together", "exposed", "conditional", "options", "twice"];

impl Terms<'_> {
    /// Methods that are listed, and need a preflight.
    fn unsafe_methods(&self) -> Vec<&str> {
        self.declared.options.methods.iter().map(|m| &**m).filter(|m| *m != "*" && !SAFELISTED.contains(m)).collect()
    }

    fn headers(&self) -> Vec<&str> {
        self.declared.options.request_headers.iter().map(|h| &**h).filter(|h| *h != "*").collect()
    }

    /// The method by which preflights are asked for.
    fn method(&self) -> &str {
        self.unsafe_methods().first().copied().unwrap_or("PUT")
    }

    /// A probe of the book in these terms, where it has a meaning here.
    fn fit(&self, probe: &Probe, aspect: &str) -> Option<Probe> {
        let name = probe.tags.get("probe").unwrap_or_default();
        // By more aspects than one, only what is not about who asks is asked again.
        let is_main = !["p7", "p8", "p11"].contains(&aspect) && !aspect.starts_with("p9");
        let is_more = match aspect {
            "p8" => name.starts_with("requested-") || ["forced", "get-with-requested-method"].contains(&name),
            "p7" => name == "out-of-place-preflight",
            "p11" => true,
            _ => name == "max-age",
        };
        if LEFT_OUT.contains(&name) || REPLACED.contains(&name) || !is_main && !is_more {
            return None;
        }
        let mut probe = probe.clone();
        match &mut probe.ask {
            Ask::Page(ask) => {
                if ask.path != RESOURCE || self.redirects {
                    return None;
                }
                ask.path = self.at.to_owned();
                if ask.method == "PUT" {
                    ask.method = self.method().to_owned();
                }
                if !self.may_ask(ask) {
                    return None;
                }
                probe.tags = probe.tags.with("method", &*ask.method);
            }
            Ask::Wire(ask) => {
                if ask.start.1 != RESOURCE || !self.may_send(&ask.start.0) {
                    return None;
                }
                ask.start.1 = self.at.to_owned();
                // Whoever is allowed by the policy in the book need not be by this one.
                let origins = &self.policy.grant(self.at).origins;
                let is_allowed = ask.asker.text().is_some_and(|origin| origins.allow(origin));
                if ask.expect.granted && !is_allowed
                    || ask.expect.denied && is_allowed && ask.preflight.is_none() && !ask.expect.credentials
                {
                    return None;
                }
                // The application is the service's own.
                ask.expect.body = None;
                ask.expect.alive &= self.observed.status < 500;
                let (first, second) = (self.headers().first().copied(), self.headers().get(1).copied());
                let lower = |name: Option<&str>| name.map(str::to_ascii_lowercase);
                let names = [("x-a", lower(first)), ("x-b", lower(second)), ("x-c", Some(UNLISTED.to_ascii_lowercase()))];
                let mut missing = false;
                let mut put = |text: &str| {
                    let found = names.iter().find(|(from, _)| text.trim().eq_ignore_ascii_case(from));
                    let Some((from, to)) = found else { return text.to_owned() };
                    missing |= to.is_none();
                    let to = to.clone().unwrap_or_default();
                    let to = if text.trim() == from.to_ascii_uppercase() { to.to_ascii_uppercase() } else { to };
                    text.replacen(text.trim(), &to, 1)
                };
                for line in &mut ask.lines {
                    let text = String::from_utf8_lossy(line).into_owned();
                    if let Some((name, list)) = text.split_once(':')
                        && name.eq_ignore_ascii_case("Access-Control-Request-Headers")
                    {
                        *line = format!("{name}:{}", list.split(',').map(&mut put).collect::<Vec<_>>().join(",")).into_bytes();
                    } else if text == "Access-Control-Request-Method: PUT" {
                        *line = format!("Access-Control-Request-Method: {}", self.method()).into_bytes();
                    } else {
                        *line = self.anchor.replaced(line);
                    }
                }
                if let Some(requested) = &mut ask.preflight {
                    if requested.method == "PUT" {
                        requested.method = self.method().to_owned();
                    }
                    requested.headers = requested.headers.iter().map(|h| put(h)).collect();
                }
                // What is not listed cannot be granted: what was to be shown by a grant is not asked.
                let any_method = self.declared.options.methods.iter().any(|m| m == "*");
                let granted = ask.expect.granted && ask.preflight.is_some();
                if missing || granted && self.unsafe_methods().is_empty() && !any_method {
                    return None;
                }
                // What is asked for by nobody's name is granted all the same where any is.
                if ask.expect.denied && ask.preflight.is_some() && self.declared.options.request_headers.iter().any(|h| h == "*") {
                    return None;
                }
            }
            Ask::Swap(ask) | Ask::Cached(ask) | Ask::Order(ask) => {
                if self.redirects || probe.tags.get("path") != Some(RESOURCE) {
                    return None;
                }
                *ask = SetAsk { path: self.at.to_owned(), between: None, ..ask.clone() };
                probe.tags = probe.tags.with("path", self.at);
            }
            Ask::Growth(_) => return None,
        }
        Some(probe)
    }

    fn may_send(&self, method: &str) -> bool {
        self.methods.iter().any(|m| m == method)
    }

    /// Whether a page may ask so: its request is one that may be sent, or has a preflight before it, and is not sent then.
    fn may_ask(&self, ask: &PageAsk) -> bool {
        self.may_send(&ask.method) || !SAFELISTED.contains(&&*ask.method) || ask.api == PageApi::XhrUpload
    }

    /// What is asked of the methods and headers that this service lists, and of some that it does not.
    fn own(&self, askers: &Askers, probes: &mut Vec<Probe>) {
        if self.redirects {
            return;
        }
        let options = &self.declared.options;
        let credentials = [Credentials::SameOrigin, Credentials::Include];
        let credentials = if options.credentials { &credentials[..] } else { &credentials[..1] };
        let who: Vec<&Asker> = askers.iter().filter(|a| a.label == "app" || a.label == "evil").collect();
        let header = |name: &str| {
            let value = match name.to_ascii_lowercase().as_str() {
                "content-type" => "application/json",
                "authorization" => "Basic eA==",
                "range" => "bytes=0-1",
                _ => "1",
            };
            (name.to_owned(), value.to_owned())
        };
        let mut add = |name: &str, title: &str, asker: &Asker, method: &str, headers: Vec<(String, String)>, more: &str| {
            for credentials in credentials {
                let tags = Tags::new()
                    .with("policy", "p8")
                    .with("probe", name)
                    .with("group", "G2")
                    .with("answers", "read,reflection")
                    .with("origin", &*asker.label)
                    .with("method", method)
                    .with("path", self.at)
                    .with("credentials", credentials.word())
                    .with("header", headers.iter().map(|(n, v)| format!("{n}:{v}")).collect::<Vec<_>>().join("|"))
                    .with("api", "fetch");
                let ask = PageAsk {
                    asker: asker.clone(),
                    path: self.at.to_owned(),
                    method: method.to_owned(),
                    headers: headers.clone(),
                    credentials: *credentials,
                    see: Vec::new(),
                    api: PageApi::Fetch,
                };
                let id = format!("{name}.{}.{more}.{}", asker.label, credentials.word());
                probes.push(Probe { id, title: title.to_owned(), tags, ask: Ask::Page(ask) });
            }
        };
        let any = |list: &[String]| list.iter().any(|name| name == "*");
        // Where any is allowed, all of them are right; else one is enough that is not.
        let more_methods = if any(&options.methods) { 3 } else { 1 };
        let unlisted = ["DELETE", "PATCH", "PURGE"].into_iter().filter(|m| !options.methods.iter().any(|own| own == m)).take(more_methods);
        let more_headers: &[&str] = if any(&options.request_headers) { &["Authorization", "Content-Type"] } else { &[] };
        let lower = options.methods.iter().any(|m| m == "PATCH").then_some("patch");
        for asker in &who {
            for method in self.unsafe_methods().into_iter().take(MOST).chain(unlisted.clone()).chain(lower) {
                let word = if method == "patch" { "patch-lower".to_owned() } else { method.to_ascii_lowercase() };
                add("preflighted-method", "A page uses a method", asker, method, Vec::new(), &word);
            }
            for name in self.headers().into_iter().take(MOST).chain(more_headers.iter().copied()).chain([UNLISTED]) {
                add("preflighted-header", "A page sends a header", asker, "GET", vec![header(name)], &name.to_ascii_lowercase());
            }
            let all: Vec<_> = self.headers().into_iter().take(MOST).map(header).collect();
            if all.len() > 1 || !all.is_empty() && !self.unsafe_methods().is_empty() {
                add("preflighted-together", "A page uses a method and sends all headers that are listed", asker, self.method(), all, "all");
            }
        }
        let safelisted = ["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"];
        let others = self.observed.fields.iter().map(|(name, _)| name).filter(|name| {
            let lower = name.to_ascii_lowercase();
            !safelisted.contains(&&*lower) && !lower.starts_with("access-control-") && lower != "set-cookie"
        });
        let mut see: Vec<String> = options.expose.iter().filter(|name| *name != "*").take(MOST).cloned().collect();
        for name in others {
            if see.len() < 2 * MOST && !see.iter().any(|s| s.eq_ignore_ascii_case(name)) {
                see.push(name.to_string());
            }
        }
        for asker in who.iter().filter(|a| a.label == "app") {
            for mode in credentials {
                let tags = Tags::new()
                    .with("policy", "p7")
                    .with("probe", "exposed")
                    .with("group", "G1")
                    .with("answers", "read,reflection")
                    .with("origin", &*asker.label)
                    .with("method", "GET")
                    .with("path", self.at)
                    .with("credentials", mode.word())
                    .with("header", "")
                    .with("api", "fetch");
                let ask = PageAsk {
                    asker: (*asker).clone(),
                    path: self.at.to_owned(),
                    method: "GET".to_owned(),
                    headers: Vec::new(),
                    credentials: *mode,
                    see: see.clone(),
                    api: PageApi::Fetch,
                };
                probes.push(Probe {
                    id: format!("exposed.{}.{}", asker.label, mode.word()),
                    title: "A page looks at response headers".to_owned(),
                    tags,
                    ask: Ask::Page(ask),
                });
            }
        }
    }
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
