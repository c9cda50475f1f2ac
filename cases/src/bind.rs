//! Binding: a case, a topology and a token become bytes for the servers, instructions for the page and resolved expectations.

use serde::{Deserialize, Serialize};

use crate::{
    case::{ApiOptions, Case, Expect, Step, Target},
    format::{
        BodyEntry, CacheMode, Credentials, CrossOrigin, ExchangeEntry, FieldCheckEntry, Mode, PreloadAs, RedirectMode, ResponseType,
        SeenEntry, Timing, TimingEntry, UploadListener,
    },
    handling::{BlobUrl, Handling},
    script::{Resource, Script},
    text::{Bytes, Resolve, Text, Variable},
    topology::{Alias, Context, Topology},
    words::{Outcome, Reason},
    worker::WorkerAnswer,
};

pub use crate::format::Api as ApiWord;

/// One attempt at a case, everything resolved.
#[derive(Debug, Clone)]
pub struct Bound {
    /// For the servers.
    pub script: Script,
    /// For the page and the judge.
    pub steps: Vec<BoundStep>,
}

/// One step, resolved.
#[derive(Debug, Clone)]
pub struct BoundStep {
    /// What the page does.
    pub action: Action,
    /// Where in the page it happens.
    pub context: Context,
    /// What must happen.
    pub expect: BoundExpect,
    /// What may happen instead.
    pub or: Vec<BoundExpect>,
}

/// What the page's agent is told to do, as it crosses to the page in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// Let so much time pass first, in milliseconds.
    pub wait_ms: u32,
    /// What makes the request.
    pub api: ApiWord,
    /// Elements: the `crossorigin` attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crossorigin: Option<CrossOrigin>,
    /// Preloads: the `as` attribute.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<PreloadAs>,
    /// The URL.
    pub url: String,
    /// Method, when given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Header pairs.
    pub headers: Vec<(String, String)>,
    /// Body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyEntry>,
    /// Credentials mode, when given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// Abort after so many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort_after_ms: Option<u32>,
    /// fetch: mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// fetch: redirect mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<RedirectMode>,
    /// fetch: cache mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheMode>,
    /// fetch: referrer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// fetch: referrer policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer_policy: Option<String>,
    /// fetch: integrity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// fetch: keepalive.
    pub keepalive: bool,
    /// What a service worker does with the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerAnswer>,
    /// fetch: what script does with Request and Response.
    #[serde(default, skip_serializing_if = "Handling::is_nothing")]
    pub handling: Handling,
    /// A blob: URL that the page makes, in place of the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobUrl>,
    /// XHR: synchronous.
    pub sync: bool,
    /// XHR: upload listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_listener: Option<UploadListener>,
    /// XHR: timeout in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
    /// XHR: user and password of open().
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_credentials: Option<(String, String)>,
    /// XHR: set withCredentials after send().
    pub late_credentials: bool,
    /// Header names whose values the page is to read, besides those it can iterate over.
    pub probe_headers: Vec<String>,
    /// Whether to look at what Resource Timing tells.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timing: bool,
    /// The attributes of its entry that are looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entry: Vec<String>,
}

impl Action {
    /// A call with nothing but a URL: a GET with the API's defaults.
    pub fn new(api: ApiWord, url: impl Into<String>) -> Self {
        Self {
            wait_ms: 0,
            api,
            crossorigin: None,
            destination: None,
            url: url.into(),
            method: None,
            headers: Vec::new(),
            body: None,
            credentials: None,
            abort_after_ms: None,
            mode: None,
            redirect: None,
            cache: None,
            referrer: None,
            referrer_policy: None,
            integrity: None,
            keepalive: false,
            worker: None,
            handling: Handling::default(),
            blob: None,
            sync: false,
            upload_listener: None,
            timeout_ms: None,
            open_credentials: None,
            late_credentials: false,
            probe_headers: Vec::new(),
            timing: false,
            entry: Vec::new(),
        }
    }
}

/// [`crate::case::Expect`], resolved.
#[derive(Debug, Clone)]
pub struct BoundExpect {
    /// What the request comes to.
    pub read: Outcome,
    /// Outcomes left open besides.
    pub or_read: Vec<Outcome>,
    /// Reasons, the foremost first.
    pub reasons: Vec<Reason>,
    /// `response.type`.
    pub r#type: Option<ResponseType>,
    /// Status.
    pub status: Option<u16>,
    /// Status text.
    pub status_text: Option<String>,
    /// URL.
    pub url: Option<String>,
    /// `response.redirected`.
    pub redirected: Option<bool>,
    /// Header fields.
    pub headers: Vec<(String, Seen)>,
    /// Every header name in order.
    pub header_names: Option<Vec<String>>,
    /// Body; the one served when absent.
    pub body: Option<String>,
    /// Reading the body fails.
    pub body_fails: bool,
    /// Name of the exception.
    pub error: Option<String>,
    /// XHR events.
    pub events: Option<Vec<String>>,
    /// XHR upload events.
    pub upload_events: Option<Vec<String>>,
    /// What Resource Timing tells.
    pub timing: Option<Timing>,
    /// What else it tells.
    pub entry: Option<TimingEntry>,
    /// What a service worker sees.
    pub worker_sees: Option<Vec<String>>,
    /// The lists of exchanges that are right.
    pub wires: Vec<Vec<BoundExchange>>,
}

/// A header value as the page must see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// null.
    Hidden,
    /// Any value.
    Present,
    /// This value.
    Is(String),
}

/// An exchange that must be on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundExchange {
    /// Method.
    pub method: String,
    /// Origin.
    pub at: Alias,
    /// Request fields to look at.
    pub headers: Vec<(String, FieldCheck)>,
    /// Bytes of the request's body.
    pub body: Option<Vec<u8>>,
    /// Length of the request's body.
    pub body_length: Option<usize>,
    /// Path and query below the token.
    pub target: Option<String>,
    /// May happen again and again.
    pub repeats: bool,
    /// May be missing.
    pub optional: bool,
    /// A word for the connection it comes over.
    pub connection: Option<String>,
}

/// What a request header field must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldCheck {
    /// None.
    Absent,
    /// At least one.
    Present,
    /// Exactly one, with one of these values.
    OneOf(Vec<Vec<u8>>),
    /// Exactly one that contains each of these.
    Contains(Vec<Vec<u8>>),
    /// None contains any of these.
    Lacks(Vec<Vec<u8>>),
}

/// The folder under which every case URL stands, with slashes around it.
pub const CASE_ROOT: &str = "/t/";

struct Binding<'a> {
    topology: &'a Topology,
    token: &'a str,
    page: Alias,
    context: Context,
    url: String,
    next: Option<String>,
}

impl Resolve for Binding<'_> {
    fn value(&self, variable: Variable) -> String {
        match variable {
            Variable::RequestOrigin => self.topology.request_origin(self.page, self.context),
            Variable::Origin(alias) => self.topology.origin(alias),
            Variable::Scheme(alias) => alias.scheme().word().to_owned(),
            Variable::Host(alias) => self.topology.host(alias).to_owned(),
            Variable::Port(alias) => self.topology.port(alias).to_string(),
            Variable::Base(alias) => base(self.topology, alias, self.token),
            Variable::Url => self.url.clone(),
            Variable::Next => self.next.clone().unwrap_or_default(),
            Variable::NextPath => {
                let next = self.next.as_deref().unwrap_or_default();
                next.find(CASE_ROOT).map_or("", |at| &next[at..]).to_owned()
            }
            Variable::Token => self.token.to_owned(),
        }
    }
}

/// The URL below which an alias serves an attempt, ending in a slash.
fn base(topology: &Topology, alias: Alias, token: &str) -> String {
    format!("{}{CASE_ROOT}{token}/", topology.origin(alias))
}

/// Binds a case to the origins of a run and to one attempt's token.
pub fn bind(case: &Case, topology: &Topology, token: &str) -> Bound {
    let steps = case.steps.iter().map(|step| bind_step(case, step, topology, token)).collect();
    let script = Script { steps: case.steps.iter().map(|step| bind_resources(case, step, topology, token)).collect() };
    Bound { script, steps }
}

fn target_url(target: &Target, binding: &Binding<'_>) -> String {
    if target.blob.is_some() {
        // The page makes it; its name is the engine's.
        return format!("blob:{}/corscheck", binding.topology.request_origin(binding.page, binding.context));
    }
    if let Some(url) = &target.url {
        return url.resolve(binding);
    }
    // The parser demands `to` when there is no `url`.
    let to = target.to.unwrap_or(binding.page);
    let mut url = base(binding.topology, to, binding.token);
    if let Some(userinfo) = &target.userinfo {
        url = url.replacen("://", &format!("://{userinfo}@"), 1);
    }
    url.push_str(&target.path);
    if let Some(query) = &target.query {
        url.push('?');
        url.push_str(query);
    }
    if let Some(fragment) = &target.fragment {
        url.push('#');
        url.push_str(fragment);
    }
    url
}

fn bind_resources(case: &Case, step: &Step, topology: &Topology, token: &str) -> Vec<Resource<Vec<u8>>> {
    let url = |r: &Resource<Bytes>| format!("{}{}", base(topology, r.at, token), r.path);
    step.resources
        .iter()
        .enumerate()
        .map(|(i, resource)| {
            let binding = Binding {
                topology,
                token,
                page: case.page,
                context: step.context,
                url: url(resource),
                next: step.resources.get(i + 1).map(url),
            };
            let mut resolve = |b: &Bytes| b.resolve(&binding);
            Resource {
                at: resource.at,
                path: resource.path.clone(),
                preflight: resource.preflight.iter().map(|a| a.map(&mut resolve)).collect(),
                response: resource.response.iter().map(|a| a.map(&mut resolve)).collect(),
                revalidation: resource.revalidation.iter().map(|a| a.map(&mut resolve)).collect(),
            }
        })
        .collect()
}

fn bind_step(case: &Case, step: &Step, topology: &Topology, token: &str) -> BoundStep {
    let next = step.resources.get(1).map(|r| format!("{}{}", base(topology, r.at, token), r.path));
    let mut binding = Binding { topology, token, page: case.page, context: step.context, url: String::new(), next: next.clone() };
    let url = target_url(&step.request.target, &binding);
    binding.url.clone_from(&url);
    let binding = &binding;
    let text = |t: &Text| t.resolve(binding);
    let request = &step.request;
    let mut action = Action {
        wait_ms: step.wait_ms,
        method: request.method.clone(),
        headers: request.headers.iter().map(|(n, v)| (text(n), text(v))).collect(),
        body: request.body.clone(),
        credentials: request.credentials,
        abort_after_ms: request.abort_after_ms,
        probe_headers: probes(step),
        timing: step.expect.page.timing.is_some() || step.expect.page.entry.is_some(),
        blob: request.target.blob.clone(),
        worker: request.worker.as_ref().map(|w| w.bind(binding, next.clone().unwrap_or_default())),
        entry: step.expect.page.entry.as_ref().map(TimingEntry::attributes).unwrap_or_default(),
        ..Action::new(ApiWord::Fetch, url)
    };
    match &request.api {
        ApiOptions::Fetch(f) => {
            action.mode = f.mode;
            action.redirect = f.redirect;
            action.cache = f.cache;
            action.referrer = f.referrer.as_ref().map(text);
            action.referrer_policy.clone_from(&f.referrer_policy);
            action.integrity.clone_from(&f.integrity);
            action.keepalive = f.keepalive;
            action.handling.clone_from(&f.handling);
        }
        ApiOptions::Initiator(i) => {
            action.api = i.api;
            action.crossorigin = i.crossorigin;
            action.destination = i.r#as;
            action.referrer_policy.clone_from(&i.referrer_policy);
            action.integrity.clone_from(&i.integrity);
        }
        ApiOptions::Xhr(x) => {
            action.api = ApiWord::Xhr;
            action.sync = x.sync;
            action.upload_listener = x.upload_listener;
            action.timeout_ms = x.timeout_ms;
            action.open_credentials.clone_from(&x.open_credentials);
            action.late_credentials = x.late_credentials;
        }
    }
    BoundStep {
        action,
        context: step.context,
        expect: bind_expect(&step.expect, case.page, binding),
        or: step.or.iter().map(|other| bind_expect(other, case.page, binding)).collect(),
    }
}

/// The header names that an expectation looks at, each once.
fn probes(step: &Step) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in std::iter::once(&step.expect).chain(&step.or).flat_map(|e| &e.page.headers) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn bind_expect(e: &Expect, page: Alias, binding: &Binding<'_>) -> BoundExpect {
    let text = |t: &Text| t.resolve(binding);
    BoundExpect {
        read: e.read,
        or_read: e.or_read.clone(),
        reasons: e.reasons.clone(),
        r#type: e.page.r#type,
        status: e.page.status,
        status_text: e.page.status_text.clone(),
        url: e.page.url.as_ref().map(text),
        redirected: e.page.redirected,
        headers: e
            .page
            .headers
            .iter()
            .map(|(name, seen)| {
                let seen = match seen {
                    SeenEntry::Hidden => Seen::Hidden,
                    SeenEntry::Present => Seen::Present,
                    SeenEntry::Is(value) => Seen::Is(text(value)),
                };
                (name.clone(), seen)
            })
            .collect(),
        header_names: e.page.header_names.clone(),
        body: e.page.body.as_ref().map(text),
        body_fails: e.page.body_fails,
        error: e.page.error.clone(),
        events: e.page.events.clone(),
        upload_events: e.page.upload_events.clone(),
        timing: e.page.timing,
        entry: e.page.entry.clone(),
        worker_sees: e.page.worker_sees.clone(),
        wires: e.wires.iter().map(|wire| wire.iter().map(|x| bind_exchange(x, page, binding)).collect()).collect(),
    }
}

fn bind_exchange(entry: &ExchangeEntry, page: Alias, binding: &Binding<'_>) -> BoundExchange {
    let all = |values: &[Bytes]| values.iter().map(|v| v.resolve(binding)).collect();
    BoundExchange {
        method: entry.method.clone(),
        // The parser fills it in.
        at: entry.at.unwrap_or(page),
        headers: entry
            .headers
            .iter()
            .map(|(name, check)| {
                let check = match check {
                    FieldCheckEntry::Absent => FieldCheck::Absent,
                    FieldCheckEntry::Present => FieldCheck::Present,
                    FieldCheckEntry::Is(value) => FieldCheck::OneOf(vec![value.resolve(binding)]),
                    FieldCheckEntry::OneOf(values) => FieldCheck::OneOf(all(values)),
                    FieldCheckEntry::Contains(values) => FieldCheck::Contains(all(values)),
                    FieldCheckEntry::Lacks(values) => FieldCheck::Lacks(all(values)),
                };
                (name.clone(), check)
            })
            .collect(),
        body: entry.body.as_ref().map(|b| b.resolve(binding)),
        body_length: entry.body_length,
        target: entry.target.clone(),
        repeats: entry.repeats,
        optional: entry.optional,
        connection: entry.connection.clone(),
    }
}
