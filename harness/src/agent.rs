//! The harness's end of the in-page agent: the pages that carry it, and the link to each context.
//!
//! Every context opens a WebSocket to the origin its page came from. WebSockets know no CORS check, so the link works from opaque
//! origins too, and it does not use the connections that cases are about.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{
        Query, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use corscheck_cases::{
    Alias, Context, Topology,
    bind::Action,
    page::BoundPage,
    topology::{Protocol, Scheme},
};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::observation::PageResult;

/// The in-page agent: does what the harness says, one action at a time or many at once, and tells what the page saw.
///
/// It is one function without free variables besides the platform's globals, so that its text can be put into a document, a `data:`
/// URL or a worker; its body is made of these parts. Everything it needs of the platform is taken hold of before the first case runs;
/// what a case does to the page later (scripts, prototypes, storage) does not reach it.
const AGENT: &str = concat!(
    "function corscheckAgent(config) {\n\"use strict\";\n",
    include_str!("../agent/scope.js"),
    include_str!("../agent/fetch.js"),
    include_str!("../agent/xhr.js"),
    include_str!("../agent/elements.js"),
    include_str!("../agent/preload.js"),
    include_str!("../agent/interfaces.js"),
    include_str!("../agent/frames.js"),
    include_str!("../agent/workers.js"),
    include_str!("../agent/worker.js"),
    include_str!("../agent/run.js"),
    include_str!("../agent/contexts.js"),
    "}\n"
);

/// How long the agent waits for an action to end before it says so, besides what the case itself plans to wait.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How much longer the harness waits for the agent than the agent waits for the action.
const GRACE: Duration = Duration::from_secs(5);

/// Where agents of all pages come together.
#[derive(Debug, Clone, Default)]
pub struct Hub {
    waiting: Arc<Mutex<HashMap<String, Waiting>>>,
}

/// A page that is to come up.
#[derive(Debug, Clone)]
struct Waiting {
    arrivals: Arrivals,
    /// What it, its frames and its workers are served with.
    headers: HeaderMap,
}

/// A page to be opened.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The key under which its agents report.
    pub key: &'a str,
    /// The ports.
    pub topology: &'a Topology,
    /// Its origin.
    pub page: Alias,
    /// What it is besides.
    pub document: &'a BoundPage,
    /// An origin in place of that of `page`, where a proxy gives pages any.
    pub origin: Option<&'a str>,
}

type Arrivals = mpsc::UnboundedSender<(Context, Link)>;

/// A link to the agent in one context.
#[derive(Debug, Clone)]
pub struct Link {
    outgoing: mpsc::UnboundedSender<String>,
    pending: Pending,
    next: Arc<AtomicU64>,
}

type Pending = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>>;

/// The agent is gone: its page was closed, crashed or hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The connection to the page was closed.
    #[error("the page is gone")]
    Closed,
    /// The page is there and does not answer.
    #[error("the page does not answer any more")]
    Silent,
}

/// What the bare loop measured.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Bare {
    /// Duration by the page's clock, in milliseconds.
    pub ms: f64,
    /// How many reads were allowed.
    pub allowed: usize,
}

#[derive(Deserialize)]
struct FromAgent {
    id: u64,
    result: Option<PageResult>,
    bare: Option<Bare>,
}

#[derive(Debug)]
enum Answer {
    Result(PageResult),
    Bare(Bare),
}

#[derive(Serialize)]
#[serde(untagged)]
enum ToAgent<'a> {
    Run { id: u64, action: &'a Action, patience: u64 },
    Abort { abort: u64 },
    Bare { id: u64, bare: &'a [String], width: usize, init: serde_json::Value },
}

/// An error of a lock whose holder panicked is no reason to stop: the maps stay consistent between statements.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// The pages to be served on every origin.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/agent/page", get(page))
            .route("/agent/frame", get(page))
            .route("/agent/embedding", get(embedding))
            .route("/agent/worker.js", get(worker))
            .route("/agent/controlled/frame", get(page))
            .route("/agent/controlled/worker.js", get(service_worker))
            .route("/agent/socket", get(socket))
            .route("/agent/control", get(control))
            .with_state(self.clone())
    }

    /// Expects the agents of a page: their links arrive in the receiver.
    pub fn expect(&self, place: &Place<'_>) -> mpsc::UnboundedReceiver<(Context, Link)> {
        let (arrivals, receiver) = mpsc::unbounded_channel();
        let link = socket_origin(place);
        let field = |(name, value): &(String, String)| {
            let value =
                if name.eq_ignore_ascii_case("Content-Security-Policy") { admitting(value, &link, place.key) } else { value.clone() };
            // The parser of cases has looked at both.
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&value).ok()?))
        };
        let headers = place.document.headers.iter().filter_map(field);
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| _ = map.append(name, value));
        lock(&self.waiting).insert(place.key.to_owned(), Waiting { arrivals, headers: map });
        receiver
    }

    /// Expects no more agents under a key.
    pub fn forget(&self, key: &str) {
        lock(&self.waiting).remove(key);
    }
}

/// Where the agents of a page have their link: pages over HTTP/2 have it over HTTP/1.1, where WebSockets are at home.
fn socket_origin(place: &Place<'_>) -> String {
    if let Some(origin) = place.origin {
        return origin.replacen("http", "ws", 1);
    }
    let via = if place.page.protocol() == Protocol::Http2 { Alias::ATls } else { place.page };
    let scheme = if place.page.scheme() == Scheme::Https { "wss" } else { "ws" };
    format!("{scheme}://{}:{}", place.topology.host(via), place.topology.port(via))
}

/// A Content-Security-Policy that lets the agent run and report besides what it says.
fn admitting(policy: &str, link: &str, nonce: &str) -> String {
    let directives: Vec<_> = policy.split(';').map(str::trim).collect();
    let has = |name: &str| directives.iter().any(|d| d.split_ascii_whitespace().next().is_some_and(|n| n.eq_ignore_ascii_case(name)));
    let (connect, script) = (has("connect-src"), has("script-src"));
    let more = |directive: &str| {
        let name = directive.split_ascii_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let mut more = String::new();
        if name == "connect-src" || name == "default-src" && !connect {
            more.push_str(&format!(" {link}"));
        }
        if name == "script-src" || name == "default-src" && !script {
            more.push_str(&format!(" 'nonce-{nonce}'"));
        }
        // `'none'` beside another source would be ignored anyway; some engines complain of it.
        let bare = if more.is_empty() { directive.to_owned() } else { directive.replace("'none'", "") };
        format!("{}{more}", bare.trim_end())
    };
    directives.iter().map(|d| more(d)).collect::<Vec<_>>().join("; ")
}

fn config_of(place: &Place<'_>, context: Context, children: &[Context]) -> String {
    let config = serde_json::json!({
        "key": place.key,
        "socket": format!("{}/agent/socket?key={}", socket_origin(place), place.key),
        "context": context,
        "children": children,
        "sibling": Context::Sibling.owner(place.page).map(|alias| place.topology.origin(alias)),
        "base": place.document.base,
        "domain": place.document.domain,
        "isolated": place.document.isolated,
    });
    config.to_string()
}

/// The URL of the page with an agent in its window and in each of `children`.
pub fn page_url(place: &Place<'_>, children: &[Context]) -> String {
    address(place, place.page, "page", &config_of(place, Context::Window, children))
}

/// The URL of a page of another site with a frame in it that is of the page's origin.
pub fn embedding_url(place: &Place<'_>) -> String {
    let top = if place.page.scheme() == Scheme::Https { Alias::CTls } else { Alias::C };
    let frame = address(place, place.page, "frame", &config_of(place, Context::Embedded, &[]));
    format!("{}/agent/embedding?frame={}", place.topology.origin(top), percent_encode(&frame))
}

/// A document with an agent, to be opened from the disk.
pub fn file_page(place: &Place<'_>) -> String {
    document(&config_of(place, Context::File, &[]).replace('<', "\\u003c"), place.key)
}

fn address(place: &Place<'_>, at: Alias, path: &str, config: &str) -> String {
    let origin = place.origin.map_or_else(|| place.topology.origin(at), str::to_owned);
    format!("{origin}/agent/{path}?key={}&config={}", place.key, percent_encode(config))
}

fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b"-._~".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[derive(Deserialize)]
struct PageQuery {
    config: String,
    #[serde(default)]
    key: String,
}

/// The configuration stands in the URL, so it is parsed and written anew: nobody else's script gets in.
fn config(query: &PageQuery) -> Result<String, (StatusCode, String)> {
    let value: serde_json::Value = serde_json::from_str(&query.config).map_err(|e| (StatusCode::BAD_REQUEST, e.to_string()))?;
    Ok(value.to_string().replace('<', "\\u003c"))
}

/// A document with an agent in it. The nonce is for pages whose policy asks for one.
fn document(config: &str, nonce: &str) -> String {
    let nonce: String = nonce.chars().filter(char::is_ascii_alphanumeric).collect();
    format!(
        "<!doctype html><meta charset=utf-8><title>corscheck</title><link rel=icon href=data:,><body><script nonce=\"{nonce}\">{AGENT};corscheckAgent({config})</script>"
    )
}

impl Hub {
    fn headers(&self, key: &str) -> HeaderMap {
        lock(&self.waiting).get(key).map(|w| w.headers.clone()).unwrap_or_default()
    }
}

async fn page(State(hub): State<Hub>, Query(query): Query<PageQuery>) -> Response {
    match config(&query) {
        Ok(config) => (hub.headers(&query.key), Html(document(&config, &query.key))).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn worker(State(hub): State<Hub>, Query(query): Query<PageQuery>) -> Response {
    match config(&query) {
        Ok(config) => {
            let script = format!("{AGENT};corscheckAgent({config})");
            (hub.headers(&query.key), [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], script).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// What a page is served with is not for its service worker.
async fn service_worker(Query(query): Query<PageQuery>) -> Response {
    match config(&query) {
        Ok(config) => {
            ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], format!("{AGENT};corscheckAgent({config})")).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

#[derive(Deserialize)]
struct EmbeddingQuery {
    frame: String,
}

async fn embedding(Query(query): Query<EmbeddingQuery>) -> Response {
    let frame = query.frame.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>corscheck</title><link rel=icon href=data:,><body><iframe src=\"{frame}\"></iframe>"
    ))
    .into_response()
}

#[derive(Deserialize)]
struct SocketQuery {
    key: String,
    context: Context,
}

async fn socket(State(hub): State<Hub>, Query(query): Query<SocketQuery>, upgrade: WebSocketUpgrade) -> Response {
    let Some(arrivals) = lock(&hub.waiting).get(&query.key).map(|w| w.arrivals.clone()) else {
        return (StatusCode::NOT_FOUND, "no such page").into_response();
    };
    upgrade.max_message_size(64 << 20).on_upgrade(move |socket| serve(socket, query.context, arrivals))
}

/// What every page may read: the control of certifications, which have no scripted origins.
async fn control() -> Response {
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "no-store")], "control").into_response()
}

async fn serve(mut socket: WebSocket, context: Context, arrivals: Arrivals) {
    let (outgoing, mut messages) = mpsc::unbounded_channel::<String>();
    let pending: Pending = Arc::new(Mutex::new(Some(HashMap::new())));
    let link = Link { outgoing, pending: pending.clone(), next: Arc::new(AtomicU64::new(1)) };
    if arrivals.send((context, link)).is_err() {
        return;
    }
    // The page holds one end of `arrivals` no longer than this.
    drop(arrivals);
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(first) => {
                    // What waits goes along: a message costs the page as much as a small fetch.
                    let mut text = format!("[{first}");
                    while let Ok(more) = messages.try_recv() {
                        text.push(',');
                        text.push_str(&more);
                    }
                    text.push(']');
                    if socket.send(Message::Text(text.into())).await.is_err() {
                        break;
                    }
                }
                None => break,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    let Ok(all) = serde_json::from_str::<Vec<FromAgent>>(&text) else { break };
                    for from in all {
                        let answer = from.result.map(Answer::Result).or(from.bare.map(Answer::Bare));
                        let waiter = lock(&pending).as_mut().and_then(|p| p.remove(&from.id));
                        if let (Some(answer), Some(waiter)) = (answer, waiter) {
                            // The one who asked may have given up.
                            let _ = waiter.send(answer);
                        }
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    // Whoever still waits learns that nothing will come, and whoever asks later too.
    lock(&pending).take();
}

impl Link {
    /// Has the agent do one action, and abort it when `abort` ends first. `planned` is how long the case itself means it to take.
    ///
    /// # Errors
    ///
    /// The page is gone or does not answer.
    pub async fn run_until(&self, action: &Action, planned: Duration, abort: impl Future<Output = ()>) -> Result<PageResult, Lost> {
        let patience = PATIENCE + planned;
        let id = self.next_id();
        let message = ToAgent::Run { id, action, patience: patience.as_millis() as u64 };
        let mut answer = std::pin::pin!(self.ask(patience, id, &message));
        let answer = tokio::select! {
            answer = &mut answer => answer,
            () = abort => {
                let text = serde_json::to_string(&ToAgent::Abort { abort: id }).map_err(|_| Lost::Closed)?;
                self.outgoing.send(text).map_err(|_| Lost::Closed)?;
                answer.await
            }
        }?;
        match answer {
            Answer::Result(result) => Ok(result),
            Answer::Bare(_) => Err(Lost::Silent),
        }
    }

    /// Runs the bare loop over the URLs, `width` at a time, with `init` as the second argument of `fetch()`.
    ///
    /// # Errors
    ///
    /// The page is gone or does not answer.
    pub async fn bare(&self, urls: &[String], width: usize, init: serde_json::Value) -> Result<Bare, Lost> {
        let id = self.next_id();
        match self.ask(Duration::from_secs(120), id, &ToAgent::Bare { id, bare: urls, width, init }).await? {
            Answer::Bare(bare) => Ok(bare),
            Answer::Result(_) => Err(Lost::Silent),
        }
    }

    fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    async fn ask(&self, patience: Duration, id: u64, message: &ToAgent<'_>) -> Result<Answer, Lost> {
        let (sender, receiver) = oneshot::channel();
        match lock(&self.pending).as_mut() {
            Some(pending) => pending.insert(id, sender),
            None => return Err(Lost::Closed),
        };
        let text = serde_json::to_string(message).map_err(|_| Lost::Closed)?;
        self.outgoing.send(text).map_err(|_| Lost::Closed)?;
        match tokio::time::timeout(patience + GRACE, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(Lost::Closed),
            Err(_) => {
                if let Some(pending) = lock(&self.pending).as_mut() {
                    pending.remove(&id);
                }
                Err(Lost::Silent)
            }
        }
    }
}
