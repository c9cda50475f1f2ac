//! A case made ready for prediction, and the network that answers by its script.

use std::borrow::Cow;

use url::Url;

use super::{
    api::{Call, View},
    defect::{Defect, Defects},
    headers::HeaderList,
    http1::{self, Whole, WholeEnd},
    network::{Fault, Incoming, Limits, Network, Outgoing, Read, ReadEnd, accepted, host_of, part_of, target_of},
    origin::Origin,
    policy::Policies,
    request::{Environment, ReferrerPolicy, ReferrerSource},
    trace::{NoTrace, Path, Trace},
    user_agent::UserAgent,
};
use crate::{
    bind::{Action, Bound, CASE_ROOT},
    case::Case,
    compose::compose,
    page::BoundPage,
    script::{Answer, Asked, Field, Message, Resource, Then},
    topology::{Alias, Context, Protocol, Scheme, Topology},
};

/// A case bound to origins and a token, with everything worked out that no answer can change.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Where its steps happen, the case's own context first.
    environments: Vec<(Context, Environment)>,
    /// Who listens where.
    ports: Vec<(u16, Alias)>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    call: Call,
    /// The index of where it happens.
    environment: usize,
    resources: Vec<Scripted>,
}

#[derive(Debug, Clone)]
struct Scripted {
    at: Alias,
    port: u16,
    /// The whole path.
    path: String,
    preflight: Vec<Reply>,
    response: Vec<Reply>,
    revalidation: Vec<Reply>,
}

/// A scripted answer as a client reads it.
#[derive(Debug, Clone)]
pub struct Reply {
    delay_ms: u32,
    body_delay_ms: u32,
    /// To any method but HEAD.
    usual: Heard,
    /// To HEAD, where the page asks for it.
    head: Option<Heard>,
}

/// What a client hears.
#[derive(Debug, Clone)]
enum Heard {
    Response(Box<Understood>),
    /// 101, which counts where it was asked for.
    Switch(Box<Understood>),
    Broken(String),
    Silence,
}

type Fields = Vec<(String, Vec<u8>)>;

/// An HTTP response as it is understood.
#[derive(Debug, Clone)]
struct Understood {
    status: u16,
    reason: Vec<u8>,
    fields: Packed,
    /// Status and fields of the first interim response, and the fields of this one as they were received.
    interim: Option<Box<(u16, Fields, Fields)>>,
    body: Vec<u8>,
    end: WholeEnd,
    /// The body as the server takes it to be, transfer coding not counted.
    served: Vec<u8>,
}

/// Fields side by side in memory: most predictions are over before scattered ones were fetched from it.
#[derive(Debug, Clone)]
struct Packed {
    names: String,
    values: Vec<u8>,
    /// Where each name and each value ends.
    ends: Vec<(usize, usize)>,
}

impl Packed {
    fn new(fields: &Fields) -> Self {
        let mut packed = Self { ends: Vec::with_capacity(fields.len()), ..NO_FIELDS };
        for (name, value) in fields {
            packed.names.push_str(name);
            packed.values.extend_from_slice(value);
            packed.ends.push((packed.names.len(), packed.values.len()));
        }
        packed
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut start = (0, 0);
        self.ends.iter().map(move |end| {
            let field = (&self.names[start.0..end.0], &self.values[start.1..end.1]);
            start = *end;
            field
        })
    }
}

const NO_FIELDS: Packed = Packed { names: String::new(), values: Vec::new(), ends: Vec::new() };

/// What must happen, step by step.
#[derive(Debug, Clone)]
pub struct Prediction<'a, T = Path> {
    /// The steps of the case.
    pub steps: Vec<Predicted<'a, T>>,
}

/// What must happen in one step.
#[derive(Debug, Clone)]
pub struct Predicted<'a, T = Path> {
    /// What the page sees.
    pub view: View<'a>,
    /// What crosses the wire, in order.
    pub exchanges: Vec<PredictedExchange<'a>>,
    /// The steps taken.
    pub path: T,
}

/// One exchange that must be on the wire.
#[derive(Debug, Clone)]
pub struct PredictedExchange<'a> {
    /// Whose server is asked.
    pub at: Alias,
    /// The number of the connection that it comes over.
    pub connection: u64,
    /// The method.
    pub method: Cow<'a, str>,
    /// The request target: path and query.
    pub target: Cow<'a, str>,
    /// The value of `Host`.
    pub host: Cow<'a, str>,
    /// The fields that the standard sets, without those of the connection.
    pub headers: HeaderList<'a>,
    /// The body.
    pub body: Option<&'a [u8]>,
    /// The status of the answer, when there is one.
    pub status: Option<u16>,
    /// The body that the server sends.
    pub served: &'a [u8],
    /// Whether the answer breaks off before there is a response: HTTP lets a client try again (RFC 9112, section 9.3.1).
    pub may_repeat: bool,
    /// Whether an answer is scripted for it.
    pub scripted: bool,
}

impl<'a, T> Prediction<'a, T> {
    /// Whether page and wire are the same, whatever the path.
    pub fn is_like<U>(&self, other: &Prediction<'_, U>) -> bool {
        let same = |a: &PredictedExchange<'_>, b: &PredictedExchange<'_>| {
            (a.at, &a.method, &a.target, &a.headers, &a.body) == (b.at, &b.method, &b.target, &b.headers, &b.body)
        };
        self.steps.len() == other.steps.len()
            && self.steps.iter().zip(&other.steps).all(|(a, b)| {
                a.view == b.view && a.exchanges.len() == b.exchanges.len() && a.exchanges.iter().zip(&b.exchanges).all(|(a, b)| same(a, b))
            })
    }
}

impl Scenario {
    /// Makes a case ready, bound to a topology and a token.
    pub fn new(case: &Case, topology: &Topology, token: &str) -> Self {
        let bound = crate::bind::bind(case, topology, token);
        Self::of(case, topology, token, bound)
    }

    /// The same from what [`crate::bind::bind`] gave.
    pub fn of(case: &Case, topology: &Topology, token: &str, bound: Bound) -> Self {
        let Bound { script, steps } = bound;
        let steps = steps.into_iter().zip(script.steps).map(|(s, resources)| (s.context, s.action, resources));
        Self::from_parts_of((case.page, &case.document.bind(topology), case.context), topology, token, steps)
    }

    /// The same without a case: step by step what a page does and what the servers answer. No parser has looked at any of it.
    pub fn from_parts(
        page: Alias,
        context: Context,
        topology: &Topology,
        token: &str,
        steps: impl IntoIterator<Item = (Context, Action, Vec<Resource<Vec<u8>>>)>,
    ) -> Self {
        Self::from_parts_of((page, &BoundPage::default(), context), topology, token, steps)
    }

    fn from_parts_of(
        (page, document, context): (Alias, &BoundPage, Context),
        topology: &Topology,
        token: &str,
        steps: impl IntoIterator<Item = (Context, Action, Vec<Resource<Vec<u8>>>)>,
    ) -> Self {
        let mut environments = vec![(context, environment(topology, page, document, context))];
        let mut made = Vec::new();
        for (context, action, resources) in steps {
            let index = environments.iter().position(|(c, _)| *c == context).unwrap_or_else(|| {
                environments.push((context, environment(topology, page, document, context)));
                environments.len() - 1
            });
            // A redirect makes a GET of other methods, and a HEAD of none.
            let is_head = action.method.as_ref().is_some_and(|m| m.eq_ignore_ascii_case("HEAD"));
            made.push(Step {
                resources: resources.iter().map(|r| Scripted::new(r, topology, token, is_head)).collect(),
                call: Call::new(action, &environments[index].1.base),
                environment: index,
            });
        }
        let listens = Alias::ALL.iter().filter(|a| a.protocol() != Protocol::Nothing);
        let ports = listens.map(|a| (topology.port(*a), *a)).collect();
        Self { steps: made, environments, ports }
    }

    /// Where its requests are made, unless a step says otherwise.
    pub fn environment(&self) -> &Environment {
        &self.environments[0].1
    }

    /// The calls of its steps.
    pub fn calls(&self) -> impl ExactSizeIterator<Item = &Call> {
        self.steps.iter().map(|s| &s.call)
    }

    /// What must happen, with the path of each step.
    pub fn predict(&self) -> Prediction<'_, Path> {
        self.run(&mut UserAgent::new())
    }

    /// The same without the path, which is faster.
    pub fn predict_outcome(&self) -> Prediction<'_, NoTrace> {
        self.run(&mut UserAgent::new())
    }

    /// What a user agent with defects would do.
    pub fn predict_with(&self, defects: Defects) -> Prediction<'_, NoTrace> {
        self.run(&mut UserAgent::with(defects))
    }

    /// Runs the case in a user agent against its own script.
    pub fn run<T: Trace + Default>(&self, ua: &mut UserAgent) -> Prediction<'_, T> {
        self.run_with(ua, |_, _| {})
    }

    /// The same; `before` each step, given by its index, something may be done to the user agent.
    pub fn run_with<T: Trace + Default>(&self, ua: &mut UserAgent, mut before: impl FnMut(usize, &mut UserAgent)) -> Prediction<'_, T> {
        let mut network = ScriptNetwork {
            scenario: self,
            step: 0,
            asked: Vec::new(),
            exchanges: Vec::with_capacity(2),
            connections: Vec::new(),
            clock_ms: 0,
        };
        let mut steps = Vec::with_capacity(self.steps.len());
        for (i, step) in self.steps.iter().enumerate() {
            network.step = i;
            network.asked.clear();
            network.clock_ms += u64::from(step.call.action.wait_ms);
            before(i, ua);
            let mut path = T::default();
            // What the last step stores answers nothing any more.
            let keeps = ua.settings.keeps_responses;
            ua.settings.keeps_responses = keeps && (i + 1 < self.steps.len() || !ua.http_cache.is_empty());
            let view = ua.call(&step.call, &self.environments[step.environment].1, &mut network, &mut path);
            ua.settings.keeps_responses = keeps;
            steps.push(Predicted { view, exchanges: std::mem::take(&mut network.exchanges), path });
        }
        Prediction { steps }
    }
}

/// Where requests of a context are made.
pub fn environment(topology: &Topology, page: Alias, document: &BoundPage, context: Context) -> Environment {
    // The parser of cases has seen to it that there is such a context.
    let origin = topology.origin(context.owner(page).unwrap_or(page));
    let parse = |url: &str| Url::parse(url).expect("the origins of a topology are URLs");
    let served = parse(&format!("{origin}/agent/{}", if context.is_worker() { "worker.js" } else { "page" }));
    let page_origin = Origin::of(&served);
    // The page that has the frame in it.
    let embedder = Origin::of(&parse(&topology.origin(if page.scheme() == Scheme::Https { Alias::CTls } else { Alias::C })));
    let url = match context {
        // A data: document is its own URL, and no base for others.
        Context::Data => parse("data:text/html,"),
        Context::DataWorker => parse("data:text/javascript,"),
        // No referrer is made of these (Referrer Policy, strip url for use as a referrer, step 2); a srcdoc document has its parent's.
        Context::AboutBlank => parse("about:blank"),
        Context::Blob | Context::BlobWorker => parse(&format!("blob:{origin}/x")),
        Context::File => parse("file:///page"),
        _ => served.clone(),
    };
    let has_base_of_its_own = matches!(context, Context::Data | Context::DataWorker | Context::Blob | Context::BlobWorker | Context::File);
    let base = if has_base_of_its_own { url.clone() } else { served };
    let settled = document.base.as_deref().filter(|_| !context.is_worker()).and_then(|address| base.join(address).ok());
    let policies = Policies::of(document.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Environment {
        partition: if context == Context::Embedded { embedder.site() } else { page_origin.site() },
        origin: if context.is_opaque() { Origin::Opaque } else { page_origin.clone() },
        // A file is nobody's page.
        page_origin: if context == Context::File { Origin::Opaque } else { page_origin.clone() },
        referrer: ReferrerSource::new(url.clone()),
        base_origin: settled.as_ref().map_or_else(|| page_origin.clone(), Origin::of),
        base: settled.unwrap_or(base),
        inherits_origin: matches!(context, Context::Srcdoc | Context::AboutBlank | Context::Blob | Context::BlobWorker),
        url,
        is_window: !context.is_worker(),
        referrer_policy: policies.referrer.unwrap_or(ReferrerPolicy::StrictOriginWhenCrossOrigin),
        policies,
        worker: (context == Context::Controlled)
            .then(|| Box::new(environment(topology, page, &BoundPage::default(), Context::ServiceWorker))),
        has_cross_site_ancestor: context.is_opaque() && context != Context::File || context == Context::Embedded,
    }
}

impl Scripted {
    fn new(resource: &Resource<Vec<u8>>, topology: &Topology, token: &str, is_head: bool) -> Self {
        let h2 = resource.at.protocol() == Protocol::Http2;
        let replies = |answers: &[Answer<Vec<u8>>]| answers.iter().map(|a| Reply::new(a, h2, is_head)).collect();
        Self {
            at: resource.at,
            port: topology.port(resource.at),
            path: format!("{CASE_ROOT}{token}/{}", resource.path),
            preflight: replies(&resource.preflight),
            response: replies(&resource.response),
            revalidation: replies(&resource.revalidation),
        }
    }
}

impl Reply {
    fn new(answer: &Answer<Vec<u8>>, h2: bool, is_head: bool) -> Self {
        let body_delay_ms = if let Message::Http(http) = &answer.message { http.body_delay_ms } else { 0 };
        let heard = |is_head| if h2 { heard_over_http2(answer, is_head) } else { heard(answer, is_head) };
        Self { delay_ms: answer.delay_ms, body_delay_ms, usual: heard(false), head: is_head.then(|| heard(true)) }
    }
}

/// What HTTP/1.1 makes of an answer: it is composed as the servers do, and read as a client must.
fn heard(answer: &Answer<Vec<u8>>, is_head: bool) -> Heard {
    let mut bytes = Vec::new();
    let mut served = None;
    match &answer.message {
        Message::Http(http) if http.status == 101 && http.interim.is_empty() => return switch(&http.fields),
        Message::Http(http) => {
            let composed = compose(http, answer.then, is_head, &mut bytes);
            served = Some(composed.content(&bytes).to_vec());
            // A body that ends with the connection: the server closes it, whatever is scripted besides.
            let closes = !composed.reusable && answer.then == Then::Keep;
            return read(&bytes, if closes { Then::Close } else { answer.then }, is_head, served);
        }
        Message::Raw(chunks) => chunks.iter().for_each(|c| bytes.extend_from_slice(c)),
        Message::Nothing => {}
    }
    read(&bytes, answer.then, is_head, served)
}

/// A switch of protocols, which the servers make whole for those who asked for WebSocket.
fn switch(fields: &[Field<Vec<u8>>]) -> Heard {
    let field = |field: &Field<Vec<u8>>| match field {
        Field::Pair(name, value) => Some((name.iter().copied().map(char::from).collect(), crate::compose::strip(value).to_vec())),
        Field::Line(_) => None,
    };
    Heard::Switch(Box::new(Understood {
        status: 101,
        reason: b"Switching Protocols".to_vec(),
        fields: Packed::new(&cased(fields.iter().filter_map(field).collect())),
        interim: None,
        body: Vec::new(),
        end: WholeEnd::Complete,
        served: Vec::new(),
    }))
}

fn read(bytes: &[u8], then: Then, is_head: bool, served: Option<Vec<u8>>) -> Heard {
    let end = match then {
        Then::Keep | Then::Hang => http1::End::Open,
        Then::Close => http1::End::Closed,
        Then::Reset => http1::End::Reset,
    };
    match http1::response(bytes, end, is_head) {
        Whole::Malformed(why) => Heard::Broken(why.to_string()),
        Whole::NoResponse { silent: true } => Heard::Silence,
        Whole::NoResponse { silent: false } => Heard::Broken("the connection ended before a response".to_owned()),
        Whole::Response { interim, head, body, end, .. } => Heard::Response(Box::new(Understood {
            status: head.status,
            reason: head.reason,
            fields: Packed::new(&cased(head.fields.clone())),
            interim: interim.into_iter().next().map(|i| Box::new((i.status, i.fields, head.fields))),
            served: served.unwrap_or_else(|| body.clone()),
            body,
            end,
        })),
    }
}

/// Gives a repeated name the casing of its first field (Fetch, append, step 1).
fn cased(mut fields: Fields) -> Fields {
    for i in 1..fields.len() {
        let (before, rest) = fields.split_at_mut(i);
        let name = &mut rest[0].0;
        if let Some((first, _)) = before.iter().find(|(first, _)| first.eq_ignore_ascii_case(name)) {
            name.clone_from(first);
        }
    }
    fields
}

/// What HTTP/2 makes of an answer. Raw bytes and odd lines cannot be in it: the parser of case files sees to that.
fn heard_over_http2(answer: &Answer<Vec<u8>>, is_head: bool) -> Heard {
    let Message::Http(http) = &answer.message else {
        return if answer.then == Then::Hang { Heard::Silence } else { Heard::Broken("the stream was reset".to_owned()) };
    };
    let field = |field: &Field<Vec<u8>>| match field {
        Field::Pair(name, value) => {
            let name = name.iter().map(|b| char::from(b.to_ascii_lowercase())).collect();
            Some((name, crate::compose::strip(value).to_vec()))
        }
        Field::Line(_) => None,
    };
    let mut fields: Vec<_> = http.fields.iter().filter_map(field).collect();
    let bodyless = is_head || matches!(http.status, 204 | 304);
    let body = if bodyless { &[][..] } else { &http.body[..http.cut.unwrap_or(http.body.len()).min(http.body.len())] };
    let named = fields.iter().any(|(n, _): &(String, _)| n == "content-length");
    if !named && !matches!(http.status, 204 | 304) {
        fields.push(("content-length".to_owned(), http.body.len().to_string().into_bytes()));
    }
    let cut = !bodyless && body.len() < http.body.len();
    let end = match answer.then {
        _ if !cut => WholeEnd::Complete,
        Then::Hang => WholeEnd::Silent,
        _ => WholeEnd::Broken,
    };
    Heard::Response(Box::new(Understood {
        status: http.status,
        reason: Vec::new(),
        fields: Packed::new(&fields),
        interim: None,
        served: body.to_vec(),
        body: body.to_vec(),
        end,
    }))
}

/// Answers requests as the servers would by the script.
#[derive(Debug)]
struct ScriptNetwork<'a> {
    scenario: &'a Scenario,
    step: usize,
    /// How often each list of several answers was asked, by the index of its resource.
    asked: Vec<(usize, Asked, usize)>,
    exchanges: Vec<PredictedExchange<'a>>,
    /// The connection pool: the server and whether the connection is for requests with credentials; their numbers are their places.
    connections: Vec<(Alias, bool)>,
    clock_ms: u64,
}

/// A body that is still to be read: everything is known of it.
#[derive(Debug)]
struct Coming<'a> {
    message: &'a Understood,
    delay_ms: u32,
    /// The interim response was taken for the response: nothing more comes.
    nothing: bool,
}

impl<'a> Network<'a> for ScriptNetwork<'a> {
    type Body = Coming<'a>;

    fn exchange(&mut self, request: Outgoing<'_, 'a>) -> Result<Incoming<'a, Coming<'a>>, Fault> {
        let port = request.url.port_or_known_default().unwrap_or_default();
        let scripted = self.scenario.steps[self.step].resources.iter().find(|r| r.port == port).map(|r| r.at);
        let listening = || self.scenario.ports.iter().find(|(p, _)| *p == port).map(|(_, at)| *at);
        let Some(at) = scripted.or_else(listening).filter(|at| at.scheme().word() == request.url.scheme()) else {
            return Err(Fault::Unreachable("nobody listens there".into()));
        };
        if request.streams && at.protocol() == Protocol::Http1 && !request.defects.has(Defect::StreamHttp1) {
            return Err(Fault::StreamOverHttp1);
        }
        let reply = self.choose(&request, port);
        let is_head = request.method == "HEAD";
        let heard = reply.as_ref().map(|r| r.head.as_ref().filter(|_| is_head).unwrap_or(&r.usual));
        let upgrades = request.asks_for_websocket();
        let message = match heard {
            Some(Heard::Response(message)) => Some(&**message),
            Some(Heard::Switch(message)) if upgrades => Some(&**message),
            _ => None,
        };
        let connection = self.connection(at, &request);
        self.exchanges.push(PredictedExchange {
            at,
            connection,
            method: request.method.clone(),
            target: part_of(request.url, target_of),
            host: part_of(request.url, host_of),
            headers: request.headers,
            body: request.body,
            status: message.map(|m| m.status).or(reply.is_none().then_some(501)),
            served: message.map_or(&[], |m| &m.served),
            may_repeat: matches!(heard, Some(Heard::Broken(_))) || matches!(heard, Some(Heard::Switch(_))) && !upgrades,
            scripted: reply.is_some(),
        });
        let Some(reply) = reply else {
            // Nothing is scripted there: a plain 501.
            return Ok(Incoming {
                status: 501,
                status_text: Cow::Borrowed(b"Not Implemented"),
                headers: HeaderList::new(),
                body: Coming { message: &UNSCRIPTED, delay_ms: 0, nothing: true },
            });
        };
        let silent = matches!(heard, Some(Heard::Silence));
        self.wait(reply.delay_ms, silent, request.limits)?;
        match heard {
            Some(Heard::Response(message)) => Ok(incoming(message, reply.body_delay_ms, request.defects)),
            Some(Heard::Switch(message)) if upgrades => Ok(incoming(message, 0, request.defects)),
            Some(Heard::Switch(_)) => Err(Fault::Broken(Cow::Owned(http1::Malformed::UnaskedSwitch.to_string()))),
            Some(Heard::Broken(words)) => Err(Fault::Broken(Cow::Owned(words.clone()))),
            Some(Heard::Silence) | None => Err(Fault::Broken("no answer ever comes".into())),
        }
    }

    fn read(&mut self, body: Coming<'a>, limits: Limits) -> Read<'a> {
        if body.nothing {
            return Read { bytes: Cow::Borrowed(b""), end: ReadEnd::Complete };
        }
        let silent = body.message.end == WholeEnd::Silent;
        let bytes = if body.delay_ms > 0 { &[][..] } else { &body.message.body[..] };
        let end = match self.wait(body.delay_ms, silent, limits) {
            Err(Fault::TimedOut) => ReadEnd::TimedOut,
            Err(_) => ReadEnd::Aborted,
            Ok(()) => {
                let end = if body.message.end == WholeEnd::Complete { ReadEnd::Complete } else { ReadEnd::Broken };
                return Read { bytes: Cow::Borrowed(&body.message.body), end };
            }
        };
        Read { bytes: Cow::Borrowed(bytes), end }
    }

    fn now_ms(&mut self) -> u64 {
        self.clock_ms
    }
}

static UNSCRIPTED: Understood = Understood {
    status: 501,
    reason: Vec::new(),
    fields: NO_FIELDS,
    interim: None,
    body: Vec::new(),
    end: WholeEnd::Complete,
    served: Vec::new(),
};

impl<'a> ScriptNetwork<'a> {
    /// Lets time pass, as far as the limits of the request allow.
    fn wait(&mut self, ms: u32, silent: bool, limits: Limits) -> Result<(), Fault> {
        let passes = |limit: Option<u32>| limit.is_some_and(|l| silent || ms >= l);
        if passes(limits.abort_after_ms) {
            return Err(Fault::Aborted);
        }
        if passes(limits.timeout_ms) {
            return Err(Fault::TimedOut);
        }
        self.clock_ms += u64::from(ms);
        Ok(())
    }

    /// Obtain a connection (Fetch, connections), in a pool that keeps one of each kind.
    fn connection(&mut self, at: Alias, request: &Outgoing<'_, '_>) -> u64 {
        let kind = (at, request.credentials && !request.defects.has(Defect::ConnectionsShared));
        let is_new = request.new_connection && !request.defects.has(Defect::MisdirectedSameConnection);
        // The newest of its kind: what was replaced is not gone back to.
        let index = self.connections.iter().rposition(|c| *c == kind).filter(|_| !is_new).unwrap_or_else(|| {
            self.connections.push(kind);
            self.connections.len() - 1
        });
        index as u64
    }

    /// The answer that the servers choose; `None` where nothing is scripted.
    fn choose(&mut self, request: &Outgoing<'_, '_>, port: u16) -> Option<&'a Reply> {
        let step = &self.scenario.steps[self.step];
        let path = request.url.path();
        let index = step.resources.iter().position(|r| r.port == port && r.path == path)?;
        // The servers tell a preflight by its fields, not by who sent it.
        let is_preflight = request.method == "OPTIONS" && request.headers.contains("Access-Control-Request-Method");
        let is_conditional = request.headers.contains("If-None-Match") || request.headers.contains("If-Modified-Since");
        let resource = &step.resources[index];
        let (asked, replies) = match () {
            () if is_preflight => (Asked::Preflight, &resource.preflight),
            () if is_conditional && !resource.revalidation.is_empty() => (Asked::Revalidation, &resource.revalidation),
            () => (Asked::Response, &resource.response),
        };
        let last = replies.len().checked_sub(1)?;
        if last == 0 {
            return replies.first();
        }
        let count = match self.asked.iter_mut().find(|(i, p, _)| (*i, *p) == (index, asked)) {
            Some((_, _, count)) => {
                *count += 1;
                *count - 1
            }
            None => {
                self.asked.push((index, asked, 1));
                0
            }
        };
        Some(&replies[count.min(last)])
    }
}

fn incoming<'a>(message: &'a Understood, delay_ms: u32, defects: &Defects) -> Incoming<'a, Coming<'a>> {
    let Some((status, early, fields)) = message.interim.as_deref() else {
        // The casing of repeated names was seen to when the answer was read.
        let mut headers = HeaderList::with_capacity(message.fields.ends.len());
        message.fields.iter().for_each(|(n, v)| headers.push(n, v));
        return answered(message, headers, delay_ms);
    };
    match accepted(Some((*status, early)), fields, defects) {
        (Some(status), headers) => {
            Incoming { status, status_text: Cow::Borrowed(b""), headers, body: Coming { message, delay_ms: 0, nothing: true } }
        }
        (None, headers) => answered(message, headers, delay_ms),
    }
}

fn answered<'a>(message: &'a Understood, headers: HeaderList<'a>, delay_ms: u32) -> Incoming<'a, Coming<'a>> {
    Incoming {
        status: message.status,
        status_text: Cow::Borrowed(&message.reason),
        headers,
        body: Coming { message, delay_ms, nothing: false },
    }
}

/// The alias that listens on a port.
pub fn alias_of(topology: &Topology, port: u16) -> Option<Alias> {
    Alias::ALL.iter().copied().find(|a| topology.port(*a) == port && a.protocol() != Protocol::Nothing)
}
