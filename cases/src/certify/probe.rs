//! Probes: what is asked of a server under a policy.

use serde::Deserialize;

use super::{
    CertifyError,
    origin::{Asker, Askers},
    policy::Policy,
    tags::{Tags, chooses},
};
use crate::{format::Credentials, text::slug};

/// Everything that is asked, not yet told apart by policy and origin.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probes {
    page: Vec<PageEntry>,
    wire: Vec<WireEntry>,
    swap: Vec<SetEntry>,
    cached: Vec<SetEntry>,
    order: Vec<SetEntry>,
    growth: Vec<GrowthEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageEntry {
    id: String,
    group: String,
    title: String,
    policies: Vec<String>,
    origins: Vec<String>,
    #[serde(default = "get")]
    method: Vec<String>,
    #[serde(default = "resource")]
    path: Vec<String>,
    #[serde(default = "same_origin")]
    credentials: Vec<Credentials>,
    #[serde(default = "nothing")]
    header: Vec<String>,
    #[serde(default)]
    see: Vec<String>,
    #[serde(default)]
    api: PageApi,
}

fn get() -> Vec<String> {
    vec!["GET".to_owned()]
}
fn resource() -> Vec<String> {
    vec!["/r".to_owned()]
}
fn same_origin() -> Vec<Credentials> {
    vec![Credentials::SameOrigin]
}
fn nothing() -> Vec<String> {
    vec![String::new()]
}

/// How a page asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageApi {
    /// `fetch()`.
    #[default]
    Fetch,
    /// XMLHttpRequest with a listener on its upload.
    XhrUpload,
    /// An image, then `fetch()` of the same URL.
    ImageThenFetch,
    /// `fetch()` twice.
    Twice,
}

impl PageApi {
    /// The word for it in ids and tags.
    pub fn word(self) -> &'static str {
        match self {
            PageApi::Fetch => "fetch",
            PageApi::XhrUpload => "xhr-upload",
            PageApi::ImageThenFetch => "image-then-fetch",
            PageApi::Twice => "twice",
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEntry {
    id: String,
    group: String,
    title: String,
    policies: Vec<String>,
    origins: Vec<String>,
    head: Vec<String>,
    preflight: Option<Requested>,
    expect: WireExpect,
}

/// What a preflight asks for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    /// The method of the request behind it.
    pub method: String,
    /// Its unsafe headers, by name.
    pub headers: Vec<String>,
}

/// What an answer must be; all that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct WireExpect {
    /// A page of the origin that asks may read it, or its preflight passes.
    pub granted: bool,
    /// It may not.
    pub denied: bool,
    /// The page asks with credentials.
    pub credentials: bool,
    /// The application answers, with this body.
    pub served: bool,
    /// The body.
    pub body: Option<String>,
    /// An answer comes, and is no 5xx.
    pub alive: bool,
    /// `Access-Control-Allow-Origin` is not what was sent as `Origin`.
    pub not_reflected: bool,
    /// What the policy allows is not in the answer.
    pub not_disclosed: bool,
    /// Every CORS field is one that the standard can read.
    pub well_formed: bool,
    /// The effective max-age is that of the policy.
    pub max_age: bool,
    /// Fields that are there: `NAME: part`.
    pub field: Vec<String>,
    /// Fields that are not.
    pub no_field: Vec<String>,
    /// Not both of these fields are there.
    pub not_both: Vec<String>,
    /// Both of these are there, or none.
    pub together: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetEntry {
    id: String,
    group: String,
    title: String,
    policies: Vec<String>,
    origins: Vec<String>,
    path: String,
    between: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrowthEntry {
    id: String,
    group: String,
    title: String,
    policies: Vec<String>,
    origins: Vec<String>,
    fill: Vec<String>,
    bytes: Vec<usize>,
}

/// One probe of one policy.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Unique in its policy: `preflighted-header.app.x-a`.
    pub id: String,
    /// One sentence.
    pub title: String,
    /// What it is about, and which questions it answers.
    pub tags: Tags,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Ask {
    /// A page makes a request.
    Page(PageAsk),
    /// Bytes are sent.
    Wire(WireAsk),
    /// The answers to these are swapped.
    Swap(SetAsk),
    /// These are asked through a shared cache.
    Cached(SetAsk),
    /// These are asked in several orders.
    Order(SetAsk),
    /// These are asked with longer and longer lists.
    Growth(GrowthAsk),
}

/// A request of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAsk {
    /// Whose page.
    pub asker: Asker,
    /// Path, perhaps with what no URL parser leaves alone.
    pub path: String,
    /// Method.
    pub method: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Credentials mode.
    pub credentials: Credentials,
    /// Response headers to look at.
    pub see: Vec<String>,
    /// How.
    pub api: PageApi,
}

/// Bytes to be sent, and what must come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireAsk {
    /// Who asks.
    pub asker: Asker,
    /// Method and path.
    pub start: (String, String),
    /// Field lines, without Host where they have none.
    pub lines: Vec<Vec<u8>>,
    /// What it asks for, if it is a preflight.
    pub preflight: Option<Requested>,
    /// What must come back.
    pub expect: WireExpect,
}

/// Requests whose answers are compared with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsk {
    /// Who asks.
    pub askers: Vec<Asker>,
    /// For what.
    pub path: String,
    /// What is asked between two rounds.
    pub between: Option<String>,
}

/// A list that grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrowthAsk {
    /// Who asks.
    pub asker: Asker,
    /// What the list is filled with.
    pub fill: String,
    /// How long it gets, in bytes.
    pub bytes: Vec<usize>,
}

/// The words for what a list is filled with.
fn fill_word(fill: &str) -> &'static str {
    match fill {
        "," => "commas",
        " " => "spaces",
        "x-d," => "names",
        _ => "junk",
    }
}

impl Probes {
    /// The probes of a policy. `target` is the origin of the server, as it is in the world of the pages.
    ///
    /// # Errors
    ///
    /// A probe that cannot be made; a test sees to it that there is none.
    pub fn of(&self, policy: &Policy, askers: &Askers, target: &str) -> Result<Vec<Probe>, CertifyError> {
        let mut out = Vec::new();
        let base = |id: &str, group: &str, answers: &str| {
            Tags::new().with("policy", &*policy.id).with("probe", id).with("group", group).with("answers", answers)
        };
        for entry in self.page.iter().filter(|e| chooses(&e.policies, &policy.id)) {
            for asker in askers.chosen(&entry.origins, target) {
                entry.probes(&asker, &base(&entry.id, &entry.group, "read,reflection"), &mut out);
            }
        }
        for entry in self.wire.iter().filter(|e| chooses(&e.policies, &policy.id)) {
            for asker in askers.chosen(&entry.origins, target) {
                out.push(entry.probe(asker, base(&entry.id, &entry.group, "wire"))?);
            }
        }
        type Make = fn(SetAsk) -> Ask;
        let sets: [(&[SetEntry], &str, Make); 3] =
            [(&self.swap, "swap", Ask::Swap), (&self.cached, "swap", Ask::Cached), (&self.order, "order", Ask::Order)];
        for (entry, answers, make) in sets.iter().flat_map(|(entries, answers, make)| entries.iter().map(move |e| (e, *answers, make))) {
            if !chooses(&entry.policies, &policy.id) {
                continue;
            }
            let chosen = askers.chosen(&entry.origins, target);
            // In the order in which they are written: it is part of what is asked.
            let askers = entry.origins.iter().filter_map(|label| chosen.iter().find(|a| a.label == *label).cloned()).collect();
            let ask = make(SetAsk { askers, path: entry.path.clone(), between: entry.between.clone() });
            let tags = base(&entry.id, &entry.group, answers).with("path", &*entry.path);
            out.push(Probe { id: entry.id.clone(), title: entry.title.clone(), tags, ask });
        }
        for entry in self.growth.iter().filter(|e| chooses(&e.policies, &policy.id)) {
            for asker in askers.chosen(&entry.origins, target) {
                for fill in &entry.fill {
                    let tags = base(&entry.id, &entry.group, "growth").with("origin", &*asker.label);
                    let ask = GrowthAsk { asker: asker.clone(), fill: fill.clone(), bytes: entry.bytes.clone() };
                    out.push(Probe {
                        id: format!("{}.{}", entry.id, fill_word(fill)),
                        title: entry.title.clone(),
                        tags: tags.with("filled", fill_word(fill)),
                        ask: Ask::Growth(ask),
                    });
                }
            }
        }
        Ok(out)
    }
}

impl PageEntry {
    fn probes(&self, asker: &Asker, tags: &Tags, out: &mut Vec<Probe>) {
        for method in &self.method {
            for path in &self.path {
                for credentials in &self.credentials {
                    for header in &self.header {
                        out.push(self.probe(asker, tags, (method, path, *credentials, header)));
                    }
                }
            }
        }
    }

    fn probe(&self, asker: &Asker, tags: &Tags, (method, path, credentials, header): (&str, &str, Credentials, &str)) -> Probe {
        let mut id = format!("{}.{}", self.id, asker.label);
        let several = [
            (
                self.method.len() > 1,
                format!("{}{}", slug(method), if method.chars().any(|c| c.is_ascii_lowercase()) { "-lower" } else { "" }),
            ),
            (self.path.len() > 1, slug(path)),
            (self.credentials.len() > 1, credentials.word().to_owned()),
            (self.header.len() > 1, slug(header)),
        ];
        for (_, word) in several.into_iter().filter(|(is, _)| *is) {
            id.push('.');
            id.push_str(if word.is_empty() { "slash" } else { &word });
        }
        // Two spellings of a path can have the same slug.
        if self.path.len() > 1 && self.path.iter().filter(|p| slug(p) == slug(path)).count() > 1 {
            id.push_str(&format!("-{}", self.path.iter().position(|p| p == path).unwrap_or_default() + 1));
        }
        let headers: Vec<(String, String)> =
            header.split(" | ").filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let tags = tags
            .clone()
            .with("origin", &*asker.label)
            .with("method", method)
            .with("path", path)
            .with("credentials", credentials.word())
            .with("header", header.replace(' ', ""))
            .with("api", self.api.word());
        let ask = PageAsk {
            asker: asker.clone(),
            path: path.to_owned(),
            method: method.to_owned(),
            headers,
            credentials,
            see: self.see.clone(),
            api: self.api,
        };
        Probe { id, title: self.title.clone(), tags, ask: Ask::Page(ask) }
    }
}

impl WireEntry {
    fn probe(&self, asker: Asker, tags: Tags) -> Result<Probe, CertifyError> {
        let file = "cases/certify/probes.toml";
        let wrong = |words: String| CertifyError::Wrong { file, words: format!("{}: {words}", self.id) };
        let (start, lines) = self.head.split_first().ok_or_else(|| wrong("`head` is empty".to_owned()))?;
        let (method, path) = start.split_once(' ').ok_or_else(|| wrong(format!("`{start}` is not method and path")))?;
        let mut out = Vec::new();
        for line in lines {
            match (&asker.origin, line.contains("{origin}")) {
                // Who has no origin sends none.
                (None, true) => {}
                (origin, _) => out.push(filled(line, origin.as_deref().unwrap_or_default()).map_err(wrong)?),
            }
        }
        let tags = tags.with("origin", &*asker.label).with("method", method).with("path", path);
        let id = format!("{}.{}", self.id, asker.label);
        let ask = WireAsk {
            asker,
            start: (method.to_owned(), path.to_owned()),
            lines: out,
            preflight: self.preflight.clone(),
            expect: self.expect.clone(),
        };
        Ok(Probe { id, title: self.title.clone(), tags, ask: Ask::Wire(ask) })
    }
}

/// A line with `{origin}` and `{text*count}` replaced.
fn filled(line: &str, origin: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some((before, inner)) = rest.split_once('{') {
        let (inner, behind) = inner.split_once('}').ok_or_else(|| format!("`{line}`: a brace is not closed"))?;
        out.extend(crate::text::unescape_bytes(before)?);
        match inner.split_once('*') {
            _ if inner == "origin" => out.extend_from_slice(origin),
            Some((text, count)) => out.extend(text.repeat(count.parse().map_err(|e| format!("`{inner}`: {e}"))?).into_bytes()),
            None => return Err(format!("`{{{inner}}}` is not known")),
        }
        rest = behind;
    }
    out.extend(crate::text::unescape_bytes(rest)?);
    Ok(out)
}

/// Parses a file of probes.
pub(super) fn parse(file: &'static str, text: &str) -> Result<Probes, CertifyError> {
    toml::from_str(text).map_err(|e| CertifyError::Parse { file, error: e.to_string() })
}
