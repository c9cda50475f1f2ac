//! Arbitrary cases: what a page may do and servers may answer, right, nearly right and odd, without a parser in between.

use corscheck_cases::{
    Alias, Context, Topology,
    bind::{Action, ApiWord, CASE_ROOT},
    compose::strip,
    format::{BlobEntry, BodyEntry, CacheMode, Credentials, Mode, RedirectMode, UploadListener},
    oracle::{Path, PredictedExchange, Prediction, Scenario, Trace, UserAgent, defect::Defects, grammar::is_token},
    script::{Answer, Field, Framing, Http, Interim, Message, Resource, Then},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
    strategy::Union,
};

/// The token of every case.
pub(crate) const TOKEN: &str = "0123456789abcdef";

/// What the values of headers begin with that script may not set.
pub(crate) const MARKER: &str = "marker-";

/// A case without expectations.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) page: Alias,
    pub(crate) context: Context,
    pub(crate) steps: Vec<StepInput>,
}

/// One call of script, and what the servers answer meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct StepInput {
    pub(crate) action: Action,
    pub(crate) resources: Vec<Resource<Vec<u8>>>,
}

impl Input {
    /// Made ready.
    pub(crate) fn scenario(&self) -> Scenario {
        let steps = self.steps.iter().map(|s| (self.context, s.action.clone(), s.resources.clone()));
        Scenario::from_parts(self.page, self.context, &Topology::example(), TOKEN, steps)
    }

    /// `Origin` while the request has not been led astray.
    pub(crate) fn origin(&self) -> String {
        Topology::example().request_origin(self.page, self.context)
    }

    /// Whether a server is of the page's own origin.
    pub(crate) fn is_own(&self, at: Alias) -> bool {
        at == self.page && !self.context.is_opaque()
    }

    /// The answer that each exchange of a step got, as far as one is scripted as HTTP.
    pub(crate) fn answers<'i>(&'i self, step: usize, exchanges: &[PredictedExchange<'_>]) -> Vec<Option<&'i Http<Vec<u8>>>> {
        let mut asked = Vec::new();
        let answer = |x: &PredictedExchange<'_>| {
            let below = x.target.strip_prefix(CASE_ROOT)?.strip_prefix(TOKEN)?.strip_prefix('/')?;
            let path = below.split('?').next()?;
            let (index, resource) = self.steps[step].resources.iter().enumerate().find(|(_, r)| r.at == x.at && r.path == path)?;
            let list = if is_preflight(x) { &resource.preflight } else { &resource.response };
            let key = (index, is_preflight(x));
            let nth = asked.iter().filter(|k| **k == key).count();
            asked.push(key);
            match &list.get(nth.min(list.len().checked_sub(1)?))?.message {
                Message::Http(http) => Some(http),
                Message::Raw(_) | Message::Nothing => None,
            }
        };
        exchanges.iter().map(answer).collect()
    }

    /// Changes every HTTP answer.
    pub(crate) fn map_answers(mut self, mut change: impl FnMut(&mut Http<Vec<u8>>)) -> Self {
        for resource in self.steps.iter_mut().flat_map(|s| &mut s.resources) {
            for answer in resource.preflight.iter_mut().chain(&mut resource.response) {
                if let Message::Http(http) = &mut answer.message {
                    change(http);
                }
            }
        }
        self
    }

    /// Changes what script does in every step.
    pub(crate) fn map_actions(mut self, mut change: impl FnMut(&mut Action)) -> Self {
        self.steps.iter_mut().for_each(|s| change(&mut s.action));
        self
    }

    /// The first step alone.
    pub(crate) fn first_step(mut self) -> Self {
        self.steps.truncate(1);
        self
    }
}

/// What a user agent with defects makes of an input.
pub(crate) fn run<T: Trace + Default>(scenario: &Scenario, defects: Defects) -> Prediction<'_, T> {
    scenario.run(&mut UserAgent::with(defects))
}

/// The same with the path.
pub(crate) fn run_with_path(scenario: &Scenario, defects: Defects) -> Prediction<'_, Path> {
    run(scenario, defects)
}

/// Whether an exchange is a CORS-preflight request.
pub(crate) fn is_preflight(x: &PredictedExchange<'_>) -> bool {
    x.method == "OPTIONS" && x.headers.contains("Access-Control-Request-Method")
}

/// A header of a request, as text.
pub(crate) fn header(x: &PredictedExchange<'_>, name: &str) -> Option<String> {
    x.headers.get(name).map(|v| latin1(&v))
}

/// Each byte as the character of its number.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

/// The values of a field in an answer, without white space around them.
pub(crate) fn values<'h>(http: &'h Http<Vec<u8>>, name: &str) -> Vec<&'h [u8]> {
    let own = |field: &'h Field<Vec<u8>>| match field {
        Field::Pair(n, value) if n.eq_ignore_ascii_case(name.as_bytes()) => Some(strip(value)),
        _ => None,
    };
    http.fields.iter().filter_map(own).collect()
}

/// The value of a field that stands in an answer once.
pub(crate) fn value<'h>(http: &'h Http<Vec<u8>>, name: &str) -> Option<&'h [u8]> {
    match values(http, name)[..] {
        [value] => Some(value),
        _ => None,
    }
}

/// A field.
pub(crate) fn pair(name: &str, value: impl AsRef<[u8]>) -> Field<Vec<u8>> {
    Field::Pair(name.as_bytes().to_vec(), value.as_ref().to_vec())
}

/// Removes a field from an answer.
pub(crate) fn remove(http: &mut Http<Vec<u8>>, is_removed: impl Fn(&str) -> bool) {
    http.fields.retain(|f| !matches!(f, Field::Pair(name, _) if is_removed(&latin1(name))));
}

/// The URL of a resource.
fn url(at: Alias, path: &str) -> String {
    format!("{}{CASE_ROOT}{TOKEN}/{path}", Topology::example().origin(at))
}

/// An Access-Control-Allow-Origin.
#[derive(Debug, Clone)]
enum Acao {
    Absent,
    Own,
    Star,
    Null,
    Of(Alias),
    Upper,
    Slash,
    List,
    Twice,
    Bytes(Vec<u8>),
}

/// An element of a list of methods or names.
#[derive(Debug, Clone)]
enum Element {
    /// What the request asks for.
    Own,
    Word(&'static str),
    Bytes(Vec<u8>),
}

type List = Option<Vec<Element>>;

/// An answer that does not know its request yet.
#[derive(Debug, Clone)]
struct AnswerDraft {
    status: u16,
    acao: Acao,
    acac: Option<Vec<u8>>,
    methods: List,
    names: List,
    exposed: List,
    max_age: Option<&'static str>,
    fields: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    framing: Framing,
    interim: bool,
    end: End,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Whole,
    Cut,
    Reset,
    Silent,
}

/// A redirect that does not know where it leads yet.
#[derive(Debug, Clone)]
struct HopDraft {
    status: u16,
    to: Alias,
    location: Location,
    answer: AnswerDraft,
    /// For the preflight at the URL it leads to.
    preflight: AnswerDraft,
}

/// The Location of a redirect.
#[derive(Debug, Clone)]
enum Location {
    Next,
    WithFragment,
    WithUserinfo,
    Absent,
    Twice,
    Is(&'static str),
}

/// A step that does not know its page yet.
#[derive(Debug, Clone)]
struct StepDraft {
    to: Alias,
    api: ApiWord,
    method: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<BodyEntry>,
    credentials: Option<Credentials>,
    mode: Option<Mode>,
    redirect: Option<RedirectMode>,
    rest: RestDraft,
    preflight: AnswerDraft,
    hops: Vec<HopDraft>,
    last: AnswerDraft,
    /// Whether a later step goes where the first one went.
    again: bool,
    /// Whether everything is left out that the API would refuse.
    tidy: bool,
}

/// What few calls of script ask for.
#[derive(Debug, Clone)]
struct RestDraft {
    cache: Option<CacheMode>,
    referrer: Option<&'static str>,
    referrer_policy: Option<&'static str>,
    integrity: Option<&'static str>,
    keepalive: bool,
    sync: bool,
    upload: Option<UploadListener>,
    open: bool,
    abort: bool,
    suffix: &'static str,
}

/// Arbitrary inputs.
pub(crate) fn inputs() -> impl Strategy<Value = Input> {
    let page = prop_oneof![8 => Just(Alias::A), 1 => Just(Alias::B), 1 => Just(Alias::ATls)];
    let context = prop_oneof![
        8 => Just(Context::Window), 1 => Just(Context::Sandbox), 1 => Just(Context::Data), 1 => Just(Context::Worker)
    ];
    let count = prop_oneof![5 => Just(1_usize), 4 => Just(2), 1 => Just(3)];
    let steps = count.prop_flat_map(|n| vec(steps(), n));
    (page, context, steps).prop_map(|(page, context, drafts)| {
        let mut first: Option<StepDraft> = None;
        let steps = drafts.into_iter().map(|draft| {
            let draft = match &first {
                // The same request once more, with other answers: what caches and stores are about.
                Some(first) if draft.again => {
                    StepDraft { last: draft.last, preflight: draft.preflight, credentials: draft.credentials, ..first.clone() }
                }
                _ => draft,
            };
            first.get_or_insert_with(|| draft.clone());
            resolve(page, context, draft)
        });
        Input { page, context, steps: steps.collect() }
    })
}

impl StepDraft {
    /// Leaves out what `fetch()` and XMLHttpRequest throw for.
    fn tidied(mut self) -> Self {
        let is_fine = |c: char| c <= '\u{ff}' && !matches!(c, '\0' | '\r' | '\n');
        self.headers.retain(|(n, v)| is_token(n.as_bytes()) && v.chars().all(is_fine));
        let is_refused = |m: &String| !is_token(m.as_bytes()) || ["CONNECT", "TRACE", "TRACK"].iter().any(|f| f.eq_ignore_ascii_case(m));
        self.method = self.method.filter(|m| !is_refused(m));
        self.mode = self.mode.filter(|m| *m != Mode::Navigate);
        self.rest.cache = self.rest.cache.filter(|c| *c != CacheMode::OnlyIfCached);
        self.rest.referrer = self.rest.referrer.filter(|r| *r != "http://[");
        self.rest.referrer_policy = self.rest.referrer_policy.filter(|p| *p != "never");
        let is = |method: &Option<String>, of: &[&str]| method.as_ref().is_none_or(|m| of.iter().any(|s| s.eq_ignore_ascii_case(m)));
        if self.mode == Some(Mode::NoCors) && !is(&self.method, &["GET", "HEAD", "POST"]) {
            self.method = None;
        }
        if self.body.is_some() && is(&self.method, &["GET", "HEAD"]) {
            self.method = Some(if self.mode == Some(Mode::NoCors) { "POST".to_owned() } else { "PUT".to_owned() });
        }
        if self.rest.keepalive || self.mode == Some(Mode::NoCors) {
            self.body = self.body.filter(|b| !matches!(b, BodyEntry::Stream(_)));
        }
        self
    }
}

fn resolve(page: Alias, context: Context, draft: StepDraft) -> StepInput {
    let draft = if draft.tidy { draft.tidied() } else { draft };
    let origin = Topology::example().request_origin(page, context);
    let rest = draft.rest;
    let is_fetch = draft.api == ApiWord::Fetch;
    let body = draft.body.filter(|b| is_fetch || !matches!(b, BodyEntry::Stream(_)));
    let mut action = Action {
        method: draft.method,
        headers: draft.headers,
        body,
        credentials: draft.credentials.filter(|c| is_fetch || *c != Credentials::Omit),
        ..Action::new(draft.api, format!("{}{}", url(draft.to, "r"), rest.suffix))
    };
    if is_fetch {
        action.mode = draft.mode;
        action.redirect = draft.redirect;
        action.cache = rest.cache;
        action.referrer = rest.referrer.map(str::to_owned);
        action.referrer_policy = rest.referrer_policy.map(str::to_owned);
        action.integrity = rest.integrity.map(str::to_owned);
        action.keepalive = rest.keepalive;
        action.abort_after_ms = rest.abort.then_some(0);
    } else {
        action.sync = rest.sync;
        action.upload_listener = rest.upload;
        action.open_credentials = rest.open.then(|| ("u".to_owned(), "p".to_owned()));
        action.abort_after_ms = (rest.abort && !rest.sync).then_some(0);
    }
    let asked = Asked {
        origin: &origin,
        method: action.method.clone().unwrap_or_else(|| "GET".to_owned()).to_ascii_uppercase(),
        names: action.headers.iter().map(|(n, _)| n.clone()).chain(["content-type".to_owned(), "range".to_owned()]).collect(),
    };
    let mut resources = Vec::new();
    let (mut at, mut path, mut preflight) = (draft.to, "r".to_owned(), &draft.preflight);
    for (n, hop) in draft.hops.iter().enumerate() {
        let next = format!("r{}", n + 1);
        let target = url(hop.to, &next);
        let mut answer = hop.answer.resolve(&asked);
        if let Message::Http(http) = &mut answer.message {
            http.status = hop.status;
            match hop.location {
                Location::Next => http.fields.push(pair("Location", &target)),
                Location::WithFragment => http.fields.push(pair("location", format!("{target}?q#f"))),
                Location::WithUserinfo => http.fields.push(pair("Location", target.replacen("://", "://u:p@", 1))),
                Location::Absent => {}
                Location::Twice => http.fields.extend([pair("Location", &target), pair("Location", &target)]),
                Location::Is(odd) => http.fields.push(pair("Location", odd)),
            }
        }
        resources.push(Resource { at, path, preflight: vec![preflight.resolve(&asked)], response: vec![answer], revalidation: Vec::new() });
        (at, path, preflight) = (hop.to, next, &hop.preflight);
    }
    resources.push(Resource {
        at,
        path,
        preflight: vec![preflight.resolve(&asked)],
        response: vec![draft.last.resolve(&asked)],
        revalidation: Vec::new(),
    });
    StepInput { action, resources }
}

/// What answers may refer to.
struct Asked<'a> {
    origin: &'a str,
    method: String,
    names: Vec<String>,
}

impl AnswerDraft {
    fn resolve(&self, asked: &Asked<'_>) -> Answer<Vec<u8>> {
        let origin = asked.origin;
        let mut fields = Vec::new();
        match &self.acao {
            Acao::Absent => {}
            Acao::Own => fields.push(pair("Access-Control-Allow-Origin", origin)),
            Acao::Star => fields.push(pair("access-control-allow-origin", "*")),
            Acao::Null => fields.push(pair("Access-Control-Allow-Origin", "null")),
            Acao::Of(alias) => fields.push(pair("Access-Control-Allow-Origin", Topology::example().origin(*alias))),
            Acao::Upper => fields.push(pair("Access-Control-Allow-Origin", origin.to_ascii_uppercase())),
            Acao::Slash => fields.push(pair("Access-Control-Allow-Origin", format!("{origin}/"))),
            Acao::List => fields.push(pair("Access-Control-Allow-Origin", format!("{origin}, *"))),
            Acao::Twice => fields.extend([pair("Access-Control-Allow-Origin", origin), pair("Access-Control-Allow-Origin", origin)]),
            Acao::Bytes(bytes) => fields.push(pair("Access-Control-Allow-Origin", bytes)),
        }
        if let Some(acac) = &self.acac {
            fields.push(pair("Access-Control-Allow-Credentials", acac));
        }
        for (name, list, own) in [
            ("Access-Control-Allow-Methods", &self.methods, asked.method.clone()),
            ("Access-Control-Allow-Headers", &self.names, asked.names.join(",")),
            ("Access-Control-Expose-Headers", &self.exposed, "X-Seen".to_owned()),
        ] {
            if let Some(elements) = list {
                let element = |e: &Element| match e {
                    Element::Own => own.clone().into_bytes(),
                    Element::Word(word) => word.as_bytes().to_vec(),
                    Element::Bytes(bytes) => bytes.clone(),
                };
                fields.push(pair(name, elements.iter().map(element).collect::<Vec<_>>().join(&b", "[..])));
            }
        }
        fields.extend(self.max_age.map(|age| pair("Access-Control-Max-Age", age)));
        fields.extend(self.fields.iter().map(|(name, value)| pair(name, value)));
        let interim = Interim { status: 103, fields: vec![pair("Access-Control-Allow-Origin", "*")] };
        let http = Http {
            interim: if self.interim { vec![interim] } else { Vec::new() },
            status: self.status,
            reason: None,
            fields,
            body: self.body.clone(),
            body_delay_ms: 0,
            framing: self.framing,
            cut: matches!(self.end, End::Cut).then_some(self.body.len() / 2),
        };
        let (message, then) = match self.end {
            End::Whole => (Message::Http(http), Then::Keep),
            End::Cut => (Message::Http(http), Then::Close),
            End::Reset => (Message::Nothing, Then::Reset),
            End::Silent => (Message::Nothing, Then::Close),
        };
        Answer { delay_ms: 0, message, then }
    }
}

/// Bytes that a field of a well-formed answer may hold.
fn field_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>().prop_filter("no line end, no NUL", |b| !matches!(b, 0 | b'\r' | b'\n')), 0..12)
}

/// Elements with their weights.
fn weighted<T: std::fmt::Debug + Clone + 'static>(items: &[(u32, T)]) -> Union<Just<T>> {
    Union::new_weighted(items.iter().map(|(weight, item)| (*weight, Just(item.clone()))).collect())
}

fn alias() -> impl Strategy<Value = Alias> {
    prop_oneof![6 => select(&[Alias::A, Alias::APort, Alias::B, Alias::BPort][..]), 1 => select(Alias::ALL)]
}

/// A list of methods or names: none, what is asked for, or some of it; the first word alone is nearly right.
fn list(words: &'static [&'static str]) -> impl Strategy<Value = List> {
    let element = prop_oneof![
        5 => Just(Element::Own),
        2 => Just(Element::Word("*")),
        4 => select(words).prop_map(Element::Word),
        1 => field_bytes().prop_map(Element::Bytes)
    ];
    let nearly = vec![Element::Word(words[0])];
    prop_oneof![2 => Just(None), 8 => Just(Some(vec![Element::Own])), 1 => Just(Some(nearly)), 4 => vec(element, 0..4).prop_map(Some)]
}

fn answer(statuses: &[(u32, u16)]) -> impl Strategy<Value = AnswerDraft> + use<> {
    let acao = prop_oneof![
        24 => Just(Acao::Own), 4 => Just(Acao::Star), 3 => Just(Acao::Null), 2 => Just(Acao::Absent),
        1 => alias().prop_map(Acao::Of),
        3 => weighted(&[(1, Acao::Upper), (1, Acao::Slash), (1, Acao::List), (1, Acao::Twice)]),
        1 => field_bytes().prop_map(Acao::Bytes)
    ];
    let acac = prop_oneof![
        4 => Just(None), 12 => Just(Some(b"true".to_vec())),
        4 => select(&["True", "TRUE", "1", "true, true", "", "false", "*", "truex"][..]).prop_map(|s| Some(s.as_bytes().to_vec())),
        1 => field_bytes().prop_map(Some)
    ];
    let methods = list(&["put", "GET", "POST", "PUT", "DELETE", "P UT", ""]);
    let names = list(&["X-Cust", "x-custom", "Authorization", "content-type", "X Custom", ""]);
    let exposed = list(&["X-See", "x-seen", "ETag", "Set-Cookie", "X Seen", "Authorization"]);
    let max_age = option::of(select(&["600", "0", "5", "-1", "abc", "99999999999999999999", "1, 2", ""][..]));
    let field = prop_oneof![
        8 => select(&[
            ("X-Seen", "1"), ("x-seen", "2"), ("ETag", "\"1\""), ("Authorization", "secret"), ("Set-Cookie", "k=v"),
            ("Set-Cookie", "s=v; SameSite=Strict"), ("Set-Cookie", "n=v; SameSite=None; Secure"), ("Set-Cookie2", "x=y"),
            ("Content-Type", "text/html"), ("Cache-Control", "no-store"), ("Content-Language", "de"),
            ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-site"),
            ("Cross-Origin-Resource-Policy", "cross-origin"), ("Timing-Allow-Origin", "*"), ("Vary", "Origin"),
        ][..]).prop_map(|(name, value)| (name, value.as_bytes().to_vec())),
        4 => Just(("X-Seen", b"3".to_vec())),
        1 => field_bytes().prop_map(|value| ("X-Seen", value))
    ];
    let framing = weighted(&[(8, Framing::Length), (1, Framing::Chunked), (1, Framing::Close)]);
    let end = weighted(&[(24, End::Whole), (1, End::Cut), (1, End::Reset), (1, End::Silent)]);
    let body = vec(b'a'..=b'z', 0..6);
    let lists = (methods, names, exposed, max_age);
    (weighted(statuses), acao, acac, lists, vec(field, 0..5), body, framing, prop::bool::weighted(0.1), end).prop_map(
        |(status, acao, acac, (methods, names, exposed, max_age), fields, body, framing, interim, end)| AnswerDraft {
            status,
            acao,
            acac,
            methods,
            names,
            exposed,
            max_age,
            fields,
            body,
            framing,
            interim,
            end,
        },
    )
}

fn preflight() -> impl Strategy<Value = AnswerDraft> {
    answer(&[(20, 204), (10, 200), (1, 201), (1, 299), (1, 301), (1, 401), (1, 404), (1, 500), (1, 407), (1, 304)])
}

fn last() -> impl Strategy<Value = AnswerDraft> {
    let rare = [204, 205, 206, 299, 300, 304, 305, 400, 401, 404, 407, 416, 421, 500, 503, 999].map(|s| (1, s));
    answer(&[&[(40, 200)], &rare[..]].concat())
}

fn hop() -> impl Strategy<Value = HopDraft> {
    let status = weighted(&[(4, 302), (3, 301), (3, 303), (4, 307), (3, 308)]);
    let location = weighted(&[
        (30, Location::Next),
        (2, Location::WithFragment),
        (1, Location::WithUserinfo),
        (1, Location::Absent),
        (1, Location::Twice),
        (1, Location::Is("")),
        (1, Location::Is("data:,x")),
        (1, Location::Is("http://[")),
    ]);
    (status, alias(), location, last(), preflight()).prop_map(|(status, to, location, answer, preflight)| HopDraft {
        status,
        to,
        location,
        answer,
        preflight,
    })
}

fn hops() -> impl Strategy<Value = Vec<HopDraft>> {
    // A chain of one hop again and again, around the limit of twenty.
    let long = (hop(), 18_usize..23, any::<bool>()).prop_map(|(hop, n, own)| {
        let to = if own { Alias::A } else { hop.to };
        vec![HopDraft { to, location: Location::Next, ..hop }; n]
    });
    prop_oneof![10 => Just(Vec::new()), 9 => vec(hop(), 1..4), 1 => long]
}

fn script_header() -> impl Strategy<Value = (String, String)> {
    let forbidden = [
        "Cookie",
        "Origin",
        "Host",
        "Referer",
        "Content-Length",
        "Sec-Fetch-Site",
        "Proxy-X",
        "Connection",
        "Via",
        "accept-encoding",
        "Access-Control-Request-Method",
        "Access-Control-Request-Headers",
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let known = select(
        &[
            ("X-Custom", "1"),
            ("x-custom", " 2 "),
            ("Authorization", "marker-authorization"),
            ("Content-Type", "text/plain"),
            ("Content-Type", "application/json"),
            ("content-type", "text/html"),
            ("Accept", "text/html"),
            ("Accept", "a\"b"),
            ("Accept-Language", "de"),
            ("Range", "bytes=0-1"),
            ("Range", "bytes=-1"),
            ("Cache-Control", "no-cache"),
            ("If-None-Match", "\"1\""),
            ("User-Agent", "mine"),
            ("X-HTTP-Method-Override", "PUT"),
            ("Content-Language", "de"),
        ][..],
    );
    let long = select(&[100_usize, 128, 129, 600][..]);
    let odd = select(&[("Bad Name", "x"), ("", "x"), ("X-Bad", "a\nb"), ("X-Wide", "\u{100}"), ("X-Nul", "a\0")][..]);
    prop_oneof![
        11 => known.prop_map(owned),
        1 => Just(("Authorization".to_owned(), "marker-authorization".to_owned())),
        3 => any::<Index>().prop_map(move |i| { let name = i.get(&forbidden); ((*name).to_owned(), format!("{MARKER}{name}")) }),
        1 => select(&["X-HTTP-Method", "X-Method-Override"][..]).prop_map(|name| (name.to_owned(), "marker-1, trace".to_owned())),
        2 => (select(&["Accept", "Accept-Language", "X-Custom"][..]), long).prop_map(|(name, n)| (name.to_owned(), "a".repeat(n))),
        1 => ("[a-zA-Z-]{1,8}", vec(0x21_u8..=0xff, 0..6)).prop_map(|(name, value)| (name, latin1(&value))),
        1 => odd.prop_map(owned),
    ]
}

fn body() -> impl Strategy<Value = Option<BodyEntry>> {
    let blob = select(&["", "text/plain", "application/json", " TEXT/plain ", "x\u{e9}"][..]);
    prop_oneof![
        8 => Just(None),
        4 => "[a-z]{0,5}".prop_map(|text| Some(BodyEntry::Text(text))),
        1 => Just(Some(BodyEntry::Form(vec![("a".to_owned(), "b c".to_owned())]))),
        1 => Just(Some(BodyEntry::Multipart(vec![("a\n".to_owned(), "b\r".to_owned())]))),
        1 => vec(any::<u8>(), 0..5).prop_map(|bytes| Some(BodyEntry::Bytes(bytes))),
        1 => blob.prop_map(|r#type| Some(BodyEntry::Blob(BlobEntry { data: "x".to_owned(), r#type: r#type.to_owned() }))),
        1 => Just(Some(BodyEntry::Stream(vec!["ab".to_owned(), "c".to_owned()]))),
        1 => select(&[65_536_u32, 65_537][..]).prop_map(|n| Some(BodyEntry::Size(n))),
    ]
}

fn method() -> impl Strategy<Value = Option<String>> {
    let usual =
        select(&["GET", "get", "HEAD", "HEAD", "POST", "post", "PUT", "put", "DELETE", "PATCH", "patch", "OPTIONS", "QUERY", "Egg"][..]);
    let odd = select(&["TRACE", "connect", "TrAcK", "", "G T", "G\u{e9}T", "\u{100}"][..]);
    prop_oneof![8 => Just(None), 12 => usual.prop_map(|m| Some(m.to_owned())), 1 => odd.prop_map(|m| Some(m.to_owned()))]
}

fn rest() -> impl Strategy<Value = RestDraft> {
    let cache = select(
        &[CacheMode::Default, CacheMode::NoStore, CacheMode::Reload, CacheMode::NoCache, CacheMode::ForceCache, CacheMode::OnlyIfCached][..],
    );
    let referrer = select(&["", "about:client", "/path", "http://b.localhost:8004/x", "http://["][..]);
    let policy = select(
        &[
            "",
            "no-referrer",
            "no-referrer-when-downgrade",
            "same-origin",
            "origin",
            "strict-origin",
            "origin-when-cross-origin",
            "strict-origin-when-cross-origin",
            "unsafe-url",
            "never",
        ][..],
    );
    let integrity = select(&["", "sha256-AAAA", "md5-x", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="][..]);
    let upload = select(&[UploadListener::Add, UploadListener::On, UploadListener::ReadOnly, UploadListener::Late][..]);
    (
        option::weighted(0.15, cache),
        option::weighted(0.1, referrer),
        option::weighted(0.2, policy),
        option::weighted(0.1, integrity),
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.1),
        option::weighted(0.3, upload),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.03),
        weighted(&[(8, ""), (1, "?a=b"), (1, "#f"), (1, "?a#f")]),
    )
        .prop_map(|(cache, referrer, referrer_policy, integrity, keepalive, sync, upload, open, abort, suffix)| RestDraft {
            cache,
            referrer,
            referrer_policy,
            integrity,
            keepalive,
            sync,
            upload,
            open,
            abort,
            suffix,
        })
}

fn steps() -> impl Strategy<Value = StepDraft> {
    let api = weighted(&[(3, ApiWord::Fetch), (2, ApiWord::Xhr)]);
    let credentials =
        weighted(&[(4, None), (4, Some(Credentials::Include)), (1, Some(Credentials::SameOrigin)), (2, Some(Credentials::Omit))]);
    let mode =
        weighted(&[(10, None), (2, Some(Mode::Cors)), (3, Some(Mode::NoCors)), (2, Some(Mode::SameOrigin)), (1, Some(Mode::Navigate))]);
    let redirect = weighted(&[(12, None), (2, Some(RedirectMode::Error)), (2, Some(RedirectMode::Manual))]);
    let request = (alias(), api, method(), vec(script_header(), 0..4), body(), credentials, mode, redirect, rest());
    (request, preflight(), hops(), last(), prop::bool::weighted(0.7), prop::bool::weighted(0.9)).prop_map(
        |((to, api, method, headers, body, credentials, mode, redirect, rest), preflight, hops, last, again, tidy)| StepDraft {
            to,
            api,
            method,
            headers,
            body,
            credentials,
            mode,
            redirect,
            rest,
            preflight,
            hops,
            last,
            again,
            tidy,
        },
    )
}
