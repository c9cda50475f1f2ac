//! The model: a case as the rest of the program knows it, without contradictions.

use std::{borrow::Cow, collections::BTreeSet, fmt, ops::Range, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use toml::Spanned;

use crate::{
    behaviour::BehaviourId,
    families::Generated,
    format::{
        AnswerEntry, Api, BodyEntry, CacheMode, CaseEntry, Credentials, CrossOrigin, DropEntry, ExchangeEntry, ExpectEntry, FieldEntry,
        FramingEntry, InterimEntry, LocationEntry, Mode, PreloadAs, RedirectEntry, RedirectMode, RequestEntry, ResponseType, SeenEntry,
        SpecRef, StepEntry, ThenEntry, Timing, TimingEntry, UploadListener, Variant,
    },
    handling::{BlobUrl, Handling},
    page::PageSettings,
    script::{Answer, Field, Framing, Http, Interim, Message, Resource, Then},
    text::{Bytes, Text},
    topology::{Alias, Context, Protocol, Reach},
    words::{Level, Outcome, Reason},
    worker::Answering,
};

/// The id of a case: `area/slug`, with axes behind it for variants (`area/slug.xhr.worker`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct CaseId(String);

impl CaseId {
    /// Parses an id without axes, as it stands in catalogue files.
    pub fn parse(id: &str) -> Result<Self, String> {
        let word = |w: &str| {
            !w.is_empty() && !w.starts_with('-') && !w.ends_with('-') && w.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        match id.split_once('/') {
            Some((area, slug)) if word(area) && word(slug) => Ok(Self(id.to_owned())),
            _ => Err(format!("`{id}` is no case id: expected `area/slug` of lower-case letters, digits and inner hyphens")),
        }
    }

    fn with_axis(&self, axis: &str) -> Self {
        Self(format!("{}.{axis}", self.0))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the slash.
    pub fn area(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(area, _)| area)
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CaseId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CaseId::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for CaseId {
    fn schema_name() -> Cow<'static, str> {
        "CaseId".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$" })
    }
}

/// One case: what a page does, what servers answer and what must happen.
#[derive(Debug, Clone)]
pub struct Case {
    /// Unique and never reused.
    pub id: CaseId,
    /// One sentence that is true of a conforming browser.
    pub title: String,
    /// The behaviours it shows.
    pub behaviours: Vec<BehaviourId>,
    /// Where the standard says so.
    pub spec: SpecRef,
    /// Why the expectation is right.
    pub why: String,
    /// Why no defect of a user agent can be told by it, where that is so.
    pub undetectable: Option<String>,
    /// How binding it is.
    pub level: Level,
    /// The page's origin.
    pub page: Alias,
    /// What the page is besides its origin.
    pub document: PageSettings,
    /// Where in the page the requests are made.
    pub context: Context,
    /// What is done, one after another; never empty.
    pub steps: Vec<Step>,
    /// The file and line it stands in.
    pub place: Place,
    /// What it was made from, when nobody wrote it: its expectation is the oracle's prediction then.
    pub generated: Option<Generated>,
    /// Its text in the file, the same for all of its variants; absent where no file has it.
    pub source: Option<Arc<str>>,
}

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line of its id, from 1.
    pub line: usize,
}

/// One request with its answers and its expectation.
#[derive(Debug, Clone)]
pub struct Step {
    /// Time to let pass before it, in milliseconds.
    pub wait_ms: u32,
    /// Where in the page it happens.
    pub context: Context,
    /// The request.
    pub request: Request,
    /// What answers, in the order of the redirect chain; empty when the request goes to no server of ours.
    pub resources: Vec<Resource<Bytes>>,
    /// What must happen.
    pub expect: Expect,
    /// What may happen instead, each told in full.
    pub or: Vec<Expect>,
}

/// A request as script makes it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to.
    pub target: Target,
    /// The method, as script passes it; the API's default when absent.
    pub method: Option<String>,
    /// Header pairs in order.
    pub headers: Vec<(Text, Text)>,
    /// The body.
    pub body: Option<BodyEntry>,
    /// Credentials mode; the API's default when absent.
    pub credentials: Option<Credentials>,
    /// Abort after so many milliseconds.
    pub abort_after_ms: Option<u32>,
    /// What a service worker does with it.
    pub worker: Option<Answering>,
    /// The API and its own options.
    pub api: ApiOptions,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// The origin, when it is one of ours.
    pub to: Option<Alias>,
    /// The whole URL, when it is not built from the parts below.
    pub url: Option<Text>,
    /// Resource below the token.
    pub path: String,
    /// Query.
    pub query: Option<String>,
    /// Fragment.
    pub fragment: Option<String>,
    /// `user:password`.
    pub userinfo: Option<String>,
    /// A blob: URL that the page makes.
    pub blob: Option<BlobUrl>,
}

/// The API that makes a request, with the options only it has.
#[derive(Debug, Clone)]
pub enum ApiOptions {
    /// `fetch()`.
    Fetch(FetchOptions),
    /// XMLHttpRequest.
    Xhr(XhrOptions),
    /// An element, or another interface.
    Initiator(InitiatorOptions),
}

/// Options of elements and other interfaces.
#[derive(Debug, Clone)]
pub struct InitiatorOptions {
    /// Which it is.
    pub api: Api,
    /// The `crossorigin` attribute.
    pub crossorigin: Option<CrossOrigin>,
    /// The `as` attribute of a preload.
    pub r#as: Option<PreloadAs>,
    /// The `referrerpolicy` attribute.
    pub referrer_policy: Option<String>,
    /// The `integrity` attribute.
    pub integrity: Option<String>,
}

/// Options of `fetch()`; absent ones are not passed.
#[derive(Debug, Clone, Default)]
pub struct FetchOptions {
    /// Request mode.
    pub mode: Option<Mode>,
    /// Redirect mode.
    pub redirect: Option<RedirectMode>,
    /// Cache mode.
    pub cache: Option<CacheMode>,
    /// Referrer.
    pub referrer: Option<Text>,
    /// Referrer policy.
    pub referrer_policy: Option<String>,
    /// Integrity metadata.
    pub integrity: Option<String>,
    /// Keepalive.
    pub keepalive: bool,
    /// What script does with Request and Response.
    pub handling: Handling,
}

/// Options of XMLHttpRequest.
#[derive(Debug, Clone, Default)]
pub struct XhrOptions {
    /// Synchronous.
    pub sync: bool,
    /// Listeners on the upload object.
    pub upload_listener: Option<UploadListener>,
    /// Timeout in milliseconds.
    pub timeout_ms: Option<u32>,
    /// User and password arguments of open().
    pub open_credentials: Option<(String, String)>,
    /// Set withCredentials after send().
    pub late_credentials: bool,
}

/// What must happen.
#[derive(Debug, Clone)]
pub struct Expect {
    /// What the request comes to.
    pub read: Outcome,
    /// Outcomes left open besides.
    pub or_read: Vec<Outcome>,
    /// Reasons, the foremost first; empty exactly when nothing is blocked, refused or aborted.
    pub reasons: Vec<Reason>,
    /// What the page sees.
    pub page: PageExpect,
    /// The lists of exchanges that are right, the foremost first; never empty.
    pub wires: Vec<Vec<ExchangeEntry>>,
}

/// What the page must see; absent parts are not looked at.
#[derive(Debug, Clone, Default)]
pub struct PageExpect {
    /// `response.type`.
    pub r#type: Option<ResponseType>,
    /// Status.
    pub status: Option<u16>,
    /// Status text.
    pub status_text: Option<String>,
    /// URL.
    pub url: Option<Text>,
    /// `response.redirected`.
    pub redirected: Option<bool>,
    /// Header fields.
    pub headers: Vec<(String, SeenEntry)>,
    /// Every header name, in order.
    pub header_names: Option<Vec<String>>,
    /// Body; when absent the one served.
    pub body: Option<Text>,
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
}

impl Case {
    /// Whether it waits for real time: such cases run beside the others in a lane of their own.
    pub fn is_slow(&self) -> bool {
        const SLOW_MS: u64 = 200;
        self.planned_ms() >= SLOW_MS
    }

    /// Whether it must run while no other of its page does: it stops its page's thread (synchronous XMLHttpRequest), or looks at
    /// connections, which others may leave behind in any number.
    ///
    /// Requests of the stopped thread that wait for it to follow a redirect keep their connections; when they hold all that the
    /// browser opens to an origin, the synchronous request waits for them and they for it (seen in Chromium).
    pub fn is_exclusive(&self) -> bool {
        let looks = |e: &Expect| e.wires.iter().flatten().any(|x| x.connection.is_some());
        let stops = |s: &Step| matches!(&s.request.api, ApiOptions::Xhr(x) if x.sync);
        self.steps.iter().any(|s| stops(s) || looks(&s.expect) || s.or.iter().any(looks))
    }

    /// Whether some request of it is redirected. In Chromium such a request keeps its connection while the next hop is preflighted.
    pub fn redirects(&self) -> bool {
        self.steps.iter().any(|s| s.resources.len() > 1)
    }

    /// The time it spends waiting by its own script, in milliseconds.
    pub fn planned_ms(&self) -> u64 {
        let answer =
            |a: &Answer<Bytes>| u64::from(a.delay_ms) + if let Message::Http(h) = &a.message { u64::from(h.body_delay_ms) } else { 0 };
        self.steps
            .iter()
            .map(|s| {
                let longest = |answers: &[Answer<Bytes>]| answers.iter().map(answer).max().unwrap_or(0);
                let resource = |r: &Resource<Bytes>| longest(&r.preflight) + longest(&r.response).max(longest(&r.revalidation));
                u64::from(s.wait_ms) + s.resources.iter().map(resource).sum::<u64>()
            })
            .sum()
    }

    /// The origins whose servers it may reach, without the dead one.
    pub fn aliases(&self) -> BTreeSet<Alias> {
        self.steps.iter().flat_map(|s| s.resources.iter().map(|r| r.at)).filter(|a| a.protocol() != Protocol::Nothing).collect()
    }

    /// What it takes to reach its page and its servers.
    pub fn reach(&self) -> BTreeSet<Reach> {
        self.aliases().into_iter().chain([self.page]).map(Alias::reach).collect()
    }

    /// The contexts of its steps, and its own.
    pub fn contexts(&self) -> BTreeSet<Context> {
        self.steps.iter().map(|s| s.context).chain([self.context]).collect()
    }

    /// The API of its first request: what the `api:` filter looks at.
    pub fn api(&self) -> &'static str {
        match self.steps[0].request.api {
            ApiOptions::Fetch(_) => Api::Fetch,
            ApiOptions::Xhr(_) => Api::Xhr,
            ApiOptions::Initiator(ref i) => i.api,
        }
        .word()
    }
}

/// A mistake in a case, at a place in its file.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

type Checked<T> = Result<T, Mistake>;

fn mistake<T>(span: &Range<usize>, message: impl Into<String>) -> Checked<T> {
    Err(Mistake { span: span.clone(), message: message.into() })
}

/// Turns an entry into its cases: itself and its variants.
pub(crate) fn from_entry(entry: &CaseEntry, file: &str, line: usize) -> Checked<Vec<Case>> {
    let span = entry.id.span();
    let single = entry.request.is_some()
        || entry.expect.is_some()
        || !entry.preflight.is_empty()
        || !entry.response.is_empty()
        || !entry.revalidation.is_empty()
        || !entry.redirects.is_empty();
    let steps: Vec<StepEntry> = match (single, entry.steps.is_empty()) {
        (true, false) => return mistake(&span, "a case has either `steps`, or `request` and `expect` of its own"),
        (_, false) => entry.steps.clone(),
        (_, true) => {
            let Some(request) = entry.request.clone() else { return mistake(&span, "the case has no `request`") };
            let Some(expect) = entry.expect.clone() else { return mistake(&span, "the case has no `expect`: nothing would be judged") };
            vec![StepEntry {
                wait_ms: 0,
                context: None,
                request,
                preflight: entry.preflight.clone(),
                redirects: entry.redirects.clone(),
                response: entry.response.clone(),
                revalidation: entry.revalidation.clone(),
                expect,
            }]
        }
    };
    if entry.behaviours.is_empty() {
        return mistake(&span, "`behaviours` is empty: name at least one row of the checklist");
    }
    if entry.behaviours.iter().collect::<BTreeSet<_>>().len() != entry.behaviours.len() {
        return mistake(&span, "`behaviours` names one behaviour twice");
    }
    if entry.page.protocol() == Protocol::Nothing {
        return mistake(&span, "no page can be loaded from `dead`");
    }
    let mut contexts = steps.iter().filter_map(|s| s.context).chain([entry.context]);
    if let Some(context) = contexts.find(|c| c.owner(entry.page).is_none()) {
        return mistake(&span, format!("a page at `{}` has no context `{context}`", entry.page));
    }
    if let Some(words) = entry.document.mistake() {
        return mistake(&span, format!("`document`: {words}"));
    }
    if entry.also.iter().collect::<BTreeSet<_>>().len() != entry.also.len() {
        return mistake(&span, "`also` names one variant twice");
    }
    let build = |id: CaseId, context: Context, api: Option<Api>| -> Checked<Case> {
        let steps = steps.iter().enumerate().map(|(i, s)| step(s, i, entry, context, api)).collect::<Checked<Vec<_>>>()?;
        Ok(Case {
            id,
            title: entry.title.clone(),
            behaviours: entry.behaviours.clone(),
            spec: entry.spec.clone(),
            why: entry.why.clone(),
            undetectable: entry.undetectable.clone(),
            level: entry.level,
            page: entry.page,
            document: entry.document.clone(),
            context,
            steps,
            place: Place { file: file.to_owned(), line },
            generated: None,
            source: None,
        })
    };
    let id = entry.id.get_ref();
    let mut cases = vec![build(id.clone(), entry.context, None)?];
    for variant in &entry.also {
        let worker = matches!(variant, Variant::Worker | Variant::XhrWorker);
        if worker && entry.context != Context::Window {
            return mistake(&span, "`also = [\"worker\"]` is for cases whose context is `window`");
        }
        if worker && steps.iter().any(|s| s.context.is_some()) {
            return mistake(&span, "`also = [\"worker\"]` is for cases whose steps name no context of their own");
        }
        let xhr = matches!(variant, Variant::Xhr | Variant::XhrWorker);
        if xhr && steps.iter().any(|s| s.request.get_ref().api != Api::Fetch) {
            return mistake(&span, "`also = [\"xhr\"]` is for cases that use fetch");
        }
        let (axis, context, api) = match variant {
            Variant::Xhr => ("xhr", entry.context, Some(Api::Xhr)),
            Variant::Worker => ("worker", Context::Worker, None),
            Variant::XhrWorker => ("xhr.worker", Context::Worker, Some(Api::Xhr)),
        };
        cases.push(build(id.with_axis(axis), context, api)?);
    }
    Ok(cases)
}

fn step(entry: &StepEntry, index: usize, case: &CaseEntry, context: Context, api: Option<Api>) -> Checked<Step> {
    let request_span = entry.request.span();
    let context = entry.context.unwrap_or(context);
    let request = request(&entry.request, context, api)?;
    let resources = resources(&request, entry, &request_span)?;
    let terms = Terms {
        request: &request,
        resources: &resources,
        level: case.level,
        xhr: matches!(request.api, ApiOptions::Xhr(_)),
        variant: api.is_some(),
        is_first: index == 0,
        span: entry.expect.span(),
    };
    let foremost = entry.expect.get_ref();
    if foremost.or.iter().any(|other| !other.or.is_empty()) {
        return mistake(&terms.span, "what stands in `or` has no `or` of its own");
    }
    let expect = expect(foremost, &terms)?;
    let or = foremost.or.iter().map(|other| self::expect(other, &terms)).collect::<Checked<_>>()?;
    Ok(Step { wait_ms: entry.wait_ms, context, request, resources, expect, or })
}

/// What an expectation is held against.
struct Terms<'a> {
    request: &'a Request,
    resources: &'a [Resource<Bytes>],
    level: Level,
    xhr: bool,
    /// Whether the case is a variant by another API.
    variant: bool,
    /// Whether no step is before it that may have filled a cache.
    is_first: bool,
    span: Range<usize>,
}

fn request(entry: &Spanned<RequestEntry>, context: Context, api: Option<Api>) -> Checked<Request> {
    let span = entry.span();
    let e = entry.get_ref();
    if e.to.is_none() && e.url.is_none() && e.blob.is_none() {
        return mistake(&span, "the request needs `to` (an alias), `url` or `blob`");
    }
    if e.blob.is_some() && (e.to.is_some() || e.url.is_some() || e.api.is_initiator()) {
        return mistake(&span, "`blob` is for fetch and XMLHttpRequest, and instead of `to` and `url`");
    }
    if e.worker.is_some() && context != Context::Controlled {
        return mistake(&span, "`worker` is for the context `controlled`: no other has a service worker before it");
    }
    if let Some(words) = e.handling.mistake() {
        return mistake(&span, words);
    }
    if e.url.is_some() && (e.query.is_some() || e.fragment.is_some() || e.userinfo.is_some()) {
        return mistake(&span, "`url` is the whole URL: `query`, `fragment` and `userinfo` belong into it");
    }
    if e.path.starts_with('/') || e.path.contains(['?', '#', ' ']) {
        return mistake(&span, "`path` stands below the token: no leading slash, no `?`, `#` or space");
    }
    let fetch_only = [
        ("mode", e.mode.is_some()),
        ("redirect", e.redirect.is_some()),
        ("cache", e.cache.is_some()),
        ("referrer", e.referrer.is_some()),
        ("referrer-policy", e.referrer_policy.is_some()),
        ("integrity", e.integrity.is_some()),
        ("keepalive", e.keepalive),
        ("handling", !e.handling.is_nothing()),
        ("body.stream", matches!(e.body, Some(BodyEntry::Stream(_)))),
    ];
    let xhr_only = [
        ("sync", e.sync),
        ("upload-listener", e.upload_listener.is_some()),
        ("timeout-ms", e.timeout_ms.is_some()),
        ("open-credentials", e.open_credentials.is_some()),
        ("late-credentials", e.late_credentials),
        ("body.document", matches!(e.body, Some(BodyEntry::Document(_)))),
    ];
    if e.crossorigin.is_some() && !e.api.has_crossorigin() {
        return mistake(&span, "`crossorigin` is an attribute of img, script, module, style, track, preload and module-preload");
    }
    if e.r#as.is_some() != (e.api == Api::Preload) {
        return mistake(&span, "`as` is what a `preload` is for: it has one, and nothing else has");
    }
    let worker = context.is_worker();
    if context == Context::ServiceWorker && api.unwrap_or(e.api) != Api::Fetch {
        return mistake(&span, "a service worker has `fetch` and nothing else");
    }
    if worker && !e.api.is_in_workers() || !worker && !e.api.is_in_windows() {
        return mistake(&span, format!("there is no `{}` in the context `{}`", e.api.word(), context.word()));
    }
    let api = match api.unwrap_or(e.api) {
        other if other.is_initiator() => {
            let foreign = fetch_only.iter().filter(|(name, _)| match *name {
                "referrer-policy" => !other.has_crossorigin(),
                "integrity" => !other.has_integrity(),
                _ => true,
            });
            let others = [
                ("method", e.method.is_some() && !matches!(other, Api::FetchLater | Api::KeepaliveFrame | Api::Form)),
                ("headers", !e.headers.is_empty() && !matches!(other, Api::FetchLater | Api::KeepaliveFrame)),
                ("credentials", e.credentials.is_some() && !other.has_credentials()),
                ("body", e.body.is_some() && !matches!(other, Api::Beacon | Api::FetchLater | Api::KeepaliveFrame | Api::Form)),
                ("abort-after-ms", e.abort_after_ms.is_some()),
            ];
            if let Some((name, _)) = foreign.chain(&xhr_only).chain(&others).find(|(_, set)| *set) {
                return mistake(&span, format!("`{name}` is nothing that `{}` has", other.word()));
            }
            ApiOptions::Initiator(InitiatorOptions {
                api: other,
                crossorigin: e.crossorigin,
                r#as: e.r#as,
                referrer_policy: e.referrer_policy.clone(),
                integrity: e.integrity.clone(),
            })
        }
        Api::Fetch => {
            if let Some((name, _)) = xhr_only.iter().find(|(_, set)| *set) {
                return mistake(&span, format!("`{name}` belongs to XMLHttpRequest: set `api = \"xhr\"`"));
            }
            ApiOptions::Fetch(FetchOptions {
                mode: e.mode,
                redirect: e.redirect,
                cache: e.cache,
                referrer: e.referrer.clone(),
                referrer_policy: e.referrer_policy.clone(),
                integrity: e.integrity.clone(),
                keepalive: e.keepalive,
                handling: e.handling.clone(),
            })
        }
        _ => {
            if let Some((name, _)) = fetch_only.iter().find(|(_, set)| *set) {
                return mistake(&span, format!("`{name}` belongs to fetch: XMLHttpRequest has no such option"));
            }
            if e.credentials == Some(Credentials::Omit) {
                return mistake(&span, "XMLHttpRequest has no credentials mode `omit`: `same-origin` or `include` (withCredentials)");
            }
            if context.is_worker() && matches!(e.body, Some(BodyEntry::Document(_))) {
                return mistake(&span, "a worker has no Document to send");
            }
            if e.sync && (e.timeout_ms.is_some() || e.abort_after_ms.is_some()) {
                return mistake(&span, "a synchronous request can neither be aborted nor time out");
            }
            ApiOptions::Xhr(XhrOptions {
                sync: e.sync,
                upload_listener: e.upload_listener,
                timeout_ms: e.timeout_ms,
                open_credentials: e.open_credentials.clone(),
                late_credentials: e.late_credentials,
            })
        }
    };
    Ok(Request {
        target: Target {
            to: e.to,
            url: e.url.clone(),
            path: e.path.clone(),
            query: e.query.clone(),
            fragment: e.fragment.clone(),
            userinfo: e.userinfo.clone(),
            blob: e.blob.clone(),
        },
        method: e.method.clone(),
        headers: e.headers.clone(),
        body: e.body.clone(),
        credentials: e.credentials,
        abort_after_ms: e.abort_after_ms,
        worker: e.worker.clone(),
        api,
    })
}

/// The resources along the redirect chain: `r`, then `r.1`, `r.2` …
fn resources(request: &Request, entry: &StepEntry, span: &Range<usize>) -> Checked<Vec<Resource<Bytes>>> {
    let scripted =
        !entry.preflight.is_empty() || !entry.response.is_empty() || !entry.revalidation.is_empty() || !entry.redirects.is_empty();
    let Some(to) = request.target.to else {
        return if scripted { mistake(span, "answers need a server: name it with `to`") } else { Ok(Vec::new()) };
    };
    if to.protocol() == Protocol::Nothing {
        return if scripted { mistake(span, "nobody listens at `dead`: it answers nothing") } else { Ok(Vec::new()) };
    }
    let answers = |entries: &[AnswerEntry], at: Alias, body: &str| -> Checked<Vec<Answer<Bytes>>> {
        entries.iter().map(|a| answer(a, at, body, span)).collect()
    };
    let mut out = Vec::new();
    let (mut at, mut preflight, mut path) = (to, answers(&entry.preflight, to, "")?, request.target.path.clone());
    for redirect in &entry.redirects {
        if redirect.times == 0 || redirect.times > 100 {
            return mistake(span, "`times` of a redirect is 1 to 100");
        }
        for _ in 0..redirect.times {
            out.push(Resource { at, path, preflight, response: vec![redirect_answer(redirect, at, span)?], revalidation: Vec::new() });
            at = redirect.to;
            preflight = answers(&redirect.preflight, at, "")?;
            path = format!("{}.{}", request.target.path, out.len());
        }
    }
    let initiator = match &request.api {
        ApiOptions::Initiator(options) => options.r#as.map_or(options.api, PreloadAs::user),
        _ => Api::Fetch,
    };
    let furnished: Vec<_> = entry.response.iter().map(|a| initiator.furnished(a)).collect();
    let response = answers(&furnished, at, "corscheck {token}")?;
    let revalidation = answers(&entry.revalidation, at, "corscheck {token}")?;
    out.push(Resource { at, path, preflight, response, revalidation });
    Ok(out)
}

fn redirect_answer(entry: &RedirectEntry, at: Alias, span: &Range<usize>) -> Checked<Answer<Bytes>> {
    let mut fields = fields(&entry.headers, at, span)?;
    let pair = |value| Field::Pair(literal("Location"), value);
    match &entry.location {
        LocationEntry::Next => fields.push(pair(literal("{next}"))),
        LocationEntry::Is(value) => fields.push(pair(value.clone())),
        LocationEntry::Absent => {}
    }
    if entry.status > 999 {
        return mistake(span, format!("status {} has more than three digits", entry.status));
    }
    Ok(Answer {
        delay_ms: entry.delay_ms,
        message: Message::Http(Http {
            interim: Vec::new(),
            status: entry.status,
            reason: None,
            fields,
            body: literal(""),
            body_delay_ms: 0,
            framing: Framing::Length,
            cut: None,
        }),
        then: Then::Keep,
    })
}

fn literal(source: &str) -> Bytes {
    Bytes::parse(source).expect("the program's own literals parse")
}

fn answer(entry: &AnswerEntry, at: Alias, default_body: &str, span: &Range<usize>) -> Checked<Answer<Bytes>> {
    let http_keys = entry.status.is_some()
        || entry.reason.is_some()
        || !entry.headers.is_empty()
        || entry.body.is_some()
        || !entry.interim.is_empty()
        || entry.body_delay_ms != 0
        || entry.framing.is_some()
        || entry.content_length.is_some()
        || entry.cut.is_some();
    if let Some(range) = &entry.range {
        return mistake(span, format!("`range = \"{range}\"` is none of the content of an `audio` or `video`, or stands beside `body`"));
    }
    let h2 = at.protocol() == Protocol::Http2;
    let then = match entry.then {
        None | Some(ThenEntry::Keep) => Then::Keep,
        Some(ThenEntry::Close) => Then::Close,
        Some(ThenEntry::Reset) => Then::Reset,
        Some(ThenEntry::Hang) => Then::Hang,
    };
    match (&entry.raw, entry.drop) {
        (Some(_), Some(_)) => mistake(span, "an answer is either `raw` or `drop`"),
        (Some(_), None) if http_keys => mistake(span, "`raw` is the whole answer: only `delay-ms` and `then` go with it"),
        (Some(_), None) if h2 => mistake(span, "`raw` bytes cannot be an HTTP/2 answer"),
        (Some(chunks), None) => Ok(Answer { delay_ms: entry.delay_ms, message: Message::Raw(chunks.clone()), then }),
        (None, Some(_)) if http_keys || entry.then.is_some() => mistake(span, "`drop` is the whole answer: only `delay-ms` goes with it"),
        (None, Some(drop)) => {
            let then = match drop {
                DropEntry::Close => Then::Close,
                DropEntry::Reset => Then::Reset,
                DropEntry::Hang => Then::Hang,
            };
            Ok(Answer { delay_ms: entry.delay_ms, message: Message::Nothing, then })
        }
        (None, None) => {
            let status = entry.status.unwrap_or(200);
            if status > 999 {
                return mistake(span, format!("status {status} has more than three digits"));
            }
            if h2 && (entry.framing.is_some() || !entry.interim.is_empty() || entry.reason.is_some()) {
                return mistake(span, "HTTP/2 has no `framing` or `reason`, and `interim` is not sent over it here");
            }
            let framing = match (entry.framing, entry.content_length) {
                (Some(_), Some(_)) => return mistake(span, "`framing` and `content-length` contradict each other"),
                (None, Some(n)) => Framing::Declared(n),
                (None | Some(FramingEntry::Length), None) => Framing::Length,
                (Some(FramingEntry::Chunked), None) => Framing::Chunked,
                (Some(FramingEntry::Close), None) => Framing::Close,
            };
            let interim = entry.interim.iter().map(|i| interim(i, at, span)).collect::<Checked<Vec<_>>>()?;
            Ok(Answer {
                delay_ms: entry.delay_ms,
                message: Message::Http(Http {
                    interim,
                    status,
                    reason: entry.reason.clone(),
                    fields: fields(&entry.headers, at, span)?,
                    body: entry.body.clone().unwrap_or_else(|| literal(default_body)),
                    body_delay_ms: entry.body_delay_ms,
                    framing,
                    cut: entry.cut,
                }),
                then,
            })
        }
    }
}

impl AnswerEntry {
    /// The answer that it describes, of a server that speaks HTTP/1.1: for whoever has answers without a case around them.
    ///
    /// # Errors
    ///
    /// What in it contradicts what.
    pub fn answer(&self) -> Result<Answer<Bytes>, String> {
        answer(self, Alias::B, "", &(0..0)).map_err(|mistake| mistake.message)
    }
}

fn interim(entry: &InterimEntry, at: Alias, span: &Range<usize>) -> Checked<Interim<Bytes>> {
    if !(100..200).contains(&entry.status) || entry.status == 101 {
        return mistake(span, format!("{} is no interim status: 100, 102 to 199", entry.status));
    }
    Ok(Interim { status: entry.status, fields: fields(&entry.headers, at, span)? })
}

fn fields(entries: &[FieldEntry], at: Alias, span: &Range<usize>) -> Checked<Vec<Field<Bytes>>> {
    entries
        .iter()
        .map(|f| match f {
            FieldEntry::Pair(name, value) => Ok(Field::Pair(name.clone(), value.clone())),
            FieldEntry::Line(line) if at.protocol() == Protocol::Http2 => mistake(span, format!("HTTP/2 has no raw line `{line}`")),
            FieldEntry::Line(line) => Ok(Field::Line(line.clone())),
        })
        .collect()
}

fn expect(e: &ExpectEntry, terms: &Terms<'_>) -> Checked<Expect> {
    let Terms { request, level, xhr, variant, .. } = *terms;
    let span = terms.span.clone();
    let needs_reason = matches!(e.read, Outcome::Blocked | Outcome::Refused | Outcome::Aborted);
    match (needs_reason, e.reason) {
        (true, None) => return mistake(&span, format!("`read = \"{}\"` needs a `reason`", e.read)),
        (false, Some(r)) => return mistake(&span, format!("`read = \"{}\"` and `reason = \"{r}\"` contradict each other", e.read)),
        _ => {}
    }
    if e.reason.is_none() && !e.or_reasons.is_empty() {
        return mistake(&span, "`or-reasons` needs a `reason`");
    }
    if level == Level::Must && !e.or_read.is_empty() {
        return mistake(&span, "`or-read` leaves the outcome open: the level cannot be `must`");
    }
    if e.read == Outcome::Aborted
        && request.abort_after_ms.is_none()
        && !matches!(&request.api, ApiOptions::Xhr(x) if x.timeout_ms.is_some())
    {
        return mistake(&span, "nothing aborts this request: set `abort-after-ms` or `timeout-ms`");
    }
    let wants_response = e.status.is_some_and(|s| s != 0)
        || e.status_text.as_ref().is_some_and(|t| !t.is_empty())
        || e.header_names.as_ref().is_some_and(|n| !n.is_empty())
        || e.redirected.is_some()
        || e.headers.values().any(|h| *h != SeenEntry::Hidden)
        || e.body.as_ref().is_some_and(|b| !b.source().is_empty())
        || e.body_fails;
    if e.read != Outcome::Allowed && wants_response {
        return mistake(&span, format!("a page cannot see status, headers or body of a request that is {}", e.read));
    }
    if e.body_fails && e.body.is_some() {
        return mistake(&span, "`body` and `body-fails` contradict each other");
    }
    if needs_reason && e.r#type.is_some() {
        return mistake(&span, format!("a request that is {} has no response type", e.read));
    }
    if matches!(request.api, ApiOptions::Initiator(_)) && (wants_response || e.r#type.is_some() || e.url.is_some()) {
        return mistake(&span, "what elements and other interfaces see is `read` and `error` alone");
    }
    if xhr && matches!(e.read, Outcome::Opaque | Outcome::OpaqueRedirect) {
        return mistake(&span, format!("XMLHttpRequest cannot see a response that is {}", e.read));
    }
    if xhr && !variant && (e.r#type.is_some() || e.redirected.is_some()) {
        return mistake(&span, "XMLHttpRequest has neither `type` nor `redirected`");
    }
    if !xhr && (e.events.is_some() || e.upload_events.is_some()) {
        return mistake(&span, "`events` and `upload-events` belong to XMLHttpRequest");
    }
    let own_type = match e.r#type {
        Some(ResponseType::Opaque) => Some(Outcome::Opaque),
        Some(ResponseType::OpaqueRedirect) => Some(Outcome::OpaqueRedirect),
        Some(_) => Some(Outcome::Allowed),
        None => None,
    };
    if own_type.is_some_and(|t| t != e.read) {
        return mistake(&span, format!("this `type` contradicts `read = \"{}\"`", e.read));
    }
    let mut wires = vec![e.wire.clone()];
    wires.extend(e.or_wire.iter().cloned());
    for wire in &mut wires {
        check_wire(wire, e.read, e.or_read.is_empty(), terms)?;
    }
    let mut reasons: Vec<_> = e.reason.into_iter().collect();
    reasons.extend(&e.or_reasons);
    Ok(Expect {
        read: e.read,
        or_read: e.or_read.clone(),
        reasons,
        page: PageExpect {
            // A variant by XMLHttpRequest keeps what XMLHttpRequest can see.
            r#type: e.r#type.filter(|_| !xhr),
            status: e.status,
            status_text: e.status_text.clone(),
            url: e.url.clone(),
            redirected: e.redirected.filter(|_| !xhr),
            headers: e.headers.iter().map(|(n, v)| (n.clone(), v.clone())).collect(),
            header_names: e.header_names.clone(),
            body: e.body.clone(),
            body_fails: e.body_fails,
            error: e.error.clone().filter(|_| !(xhr && variant)),
            events: e.events.clone(),
            upload_events: e.upload_events.clone(),
            timing: e.timing,
            entry: e.entry.clone(),
            worker_sees: e.worker_sees.clone(),
        },
        wires,
    })
}

/// Fills in the origins that go without saying, and refuses exchanges that cannot be.
fn check_wire(wire: &mut [ExchangeEntry], read: Outcome, decided: bool, terms: &Terms<'_>) -> Checked<()> {
    let Terms { request, resources, is_first, span, .. } = terms;
    if read == Outcome::Refused && !wire.is_empty() {
        return mistake(span, "a refused request never reaches the wire: `wire = []`");
    }
    if decided
        && matches!(read, Outcome::Allowed | Outcome::Opaque)
        && wire.is_empty()
        && !resources.is_empty()
        && *is_first
        && request_leaves_cache(request)
    {
        return mistake(span, format!("`read = \"{read}\"` from a server, and nothing on the wire: one of them is wrong"));
    }
    let author_options = request.method.as_deref().is_some_and(|m| m.eq_ignore_ascii_case("options"));
    for exchange in wire {
        let Some(at) = exchange.at.or(request.target.to) else {
            return mistake(span, format!("the exchange `{}` needs an alias: the request has no `to`", exchange.method));
        };
        exchange.at = Some(at);
        let here: Vec<_> = resources.iter().filter(|r| r.at == at).collect();
        if here.is_empty() {
            return mistake(span, format!("no answer is scripted at `{at}`, so no exchange can be expected there"));
        }
        if exchange.method == "OPTIONS" && !author_options && here.iter().all(|r| r.preflight.is_empty()) {
            return mistake(span, format!("a preflight to `{at}` is expected, and `preflight` has no answer for it"));
        }
        if exchange.method != "OPTIONS" && here.iter().all(|r| r.response.is_empty() && r.revalidation.is_empty()) {
            return mistake(span, format!("`{} {at}` is expected, and `response` has no answer for it", exchange.method));
        }
    }
    Ok(())
}

fn request_leaves_cache(request: &Request) -> bool {
    // A service worker may answer in its place.
    if request.worker.is_some() {
        return false;
    }
    // What nobody hears of is taken whether it is sent or not.
    if matches!(&request.api, ApiOptions::Initiator(i) if i.api.is_sent_and_gone()) {
        return false;
    }
    !matches!(&request.api, ApiOptions::Fetch(f) if matches!(f.cache, Some(CacheMode::ForceCache | CacheMode::OnlyIfCached)))
}
