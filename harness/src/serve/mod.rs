//! `corscheck serve`: the origins, and a page from which any browser runs cases by hand.
//!
//! The page at `/` lists the cases and runs those that its filter leaves. Nobody drives the browser: the page opens a window of its
//! own and leads it from page to page as the harness says. Everything else is that of a run: agents, wire, controls, judge, and a
//! `results.jsonl` that `corscheck report` merges like any other.

mod by_hand;
mod page;

use std::{
    io,
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use corscheck_cases::{
    Alias, Case, Catalogue, Topology,
    families::Families,
    known,
    oracle::Scenario,
    select::{Filter, select},
    topology::{Reach, Scheme},
};
use corscheck_servers::{Options, Servers};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

pub use by_hand::{BY_HAND, ByHand};

use crate::{
    agent::Hub,
    drive::{Drive, Provisional},
    event::{BrowserInfo, CaseResult, Event, FORMAT, Footer, Header, Reporter},
    judge::{describe, judge},
    report::{
        failure,
        html::{self, Input, Library},
        jsonl::{self, JsonLines, Results},
        tally::Kind,
    },
    simulated::observe::observation,
    user_agent::UserAgent,
    verdict::Verdict,
};

/// What is served.
pub struct Offer {
    /// The cases that can be run.
    pub cases: Vec<Arc<Case>>,
    /// Where they come from: known deviations are read against it.
    pub catalogue: Catalogue,
    /// Where generated ones come from.
    pub families: Families,
    /// Where the catalogue was read from, when not the built-in one.
    pub path: Option<String>,
    /// The folder in which each run gets one of its own.
    pub out: PathBuf,
    /// The command line, for the record.
    pub command: Vec<String>,
    /// An address of this machine to listen on besides loopback.
    pub address: Option<IpAddr>,
}

/// The origins as they are when all of them are on one address.
pub fn topology_on(address: IpAddr) -> Topology {
    let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
    Topology::example().on_host(host)
}

/// Whether a case can be run with these origins by a browser on another machine: it needs no certificate and no name of ours, and the
/// standard demands of it there what it was written for. The oracle says so.
pub fn can_be_run_on(case: &Case, topology: &Topology) -> bool {
    const TOKEN: &str = "0123456789abcdef";
    let reachable = |alias: Alias| alias.scheme() == Scheme::Http && alias.reach() == Reach::Loopback;
    if !case.aliases().into_iter().chain([case.page]).all(reachable) {
        return false;
    }
    let scenario = Scenario::new(case, topology, TOKEN);
    let predicted = observation(&scenario, &scenario.predict());
    judge(&corscheck_cases::bind::bind(case, topology, TOKEN).steps, &predicted).verdict == Verdict::Agrees
}

/// The origins are up.
pub struct Serving {
    servers: Arc<Servers>,
    desk: Desk,
}

/// What the handlers share.
#[derive(Clone)]
struct Desk(Arc<Shared>);

struct Shared {
    offer: Offer,
    hub: Hub,
    /// Known once the servers are up.
    servers: Mutex<Option<Arc<Servers>>>,
    /// One run at a time: two would share caches and connections.
    running: tokio::sync::Mutex<()>,
    /// The folders of the runs that have ended.
    ended: Mutex<Vec<PathBuf>>,
}

impl Serving {
    /// Starts the origins.
    ///
    /// # Errors
    ///
    /// No port, no certificate.
    pub async fn start(offer: Offer) -> Result<Self, corscheck_servers::StartError> {
        let (hub, address) = (Hub::default(), offer.address);
        let desk = Desk(Arc::new(Shared {
            offer,
            hub: hub.clone(),
            servers: Mutex::new(None),
            running: tokio::sync::Mutex::new(()),
            ended: Mutex::new(Vec::new()),
        }));
        let servers = Arc::new(Servers::start(Options { pages: hub.router().merge(desk.router()), address }).await?);
        *lock(&desk.0.servers) = Some(servers.clone());
        Ok(Self { servers, desk })
    }

    /// The address of the page.
    pub fn address(&self) -> String {
        format!("{}/", home(self.servers.topology()))
    }

    /// The folders of the runs that have ended.
    pub fn ended(&self) -> Vec<PathBuf> {
        lock(&self.desk.0.ended).clone()
    }
}

/// The origin of the page.
fn home(topology: &Topology) -> String {
    topology.origin(Alias::A)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the page asks for.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Asked {
    /// Run the cases that a filter leaves, or the one with an id.
    Run(String),
    /// Run no more.
    Stop,
    /// The window is gone, or never came.
    Gone(String),
}

impl Desk {
    fn router(&self) -> Router {
        Router::new()
            .route("/", get(index))
            .route("/run/{*id}", get(index))
            .route("/serve/cases", get(cases))
            .route("/serve/report", get(report))
            .route("/serve/blank", get(|| async { Html("<!doctype html><title>corscheck</title><p>Cases run here.") }))
            .route("/serve/socket", get(socket))
            .with_state(self.clone())
    }

    fn servers(&self) -> Option<Arc<Servers>> {
        lock(&self.0.servers).clone()
    }
}

async fn index() -> Response {
    (page::headers(), Html(page::document())).into_response()
}

/// The cases with what is expected of them.
async fn cases(State(desk): State<Desk>) -> Response {
    let Some(servers) = desk.servers() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let list: Vec<Value> = desk
        .0
        .offer
        .cases
        .iter()
        .map(|case| {
            let bound = corscheck_cases::bind::bind(case, servers.topology(), "{token}");
            let expected: Vec<String> = bound.steps.iter().map(describe).collect();
            json!({ "id": case.id.as_str(), "title": case.title, "level": case.level.word(), "why": case.why, "spec": case.spec.url(), "expected": expected })
        })
        .collect();
    ([(header::CONTENT_TYPE, "application/json")], Value::Array(list).to_string()).into_response()
}

/// The report of everything that was run so far.
async fn report(State(desk): State<Desk>) -> Response {
    let made = tokio::task::spawn_blocking(move || {
        let folders = lock(&desk.0.ended).clone();
        let runs: Vec<Results> = folders.iter().filter_map(|folder| jsonl::read(&folder.join(jsonl::FILE)).ok()).collect();
        let library = Library::of(desk.0.offer.cases.iter().map(|c| (**c).clone()), desk.0.offer.families.clone());
        html::page(&Input { runs: runs.iter().map(Into::into).collect(), base: Vec::new(), library: &library, strict: false })
    });
    match made.await {
        Ok(made) => Html(made).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The link to the page. Only the page itself may have one: other sites in the same browser could reach it too.
async fn socket(State(desk): State<Desk>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let Some(servers) = desk.servers() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let own = home(servers.topology());
    if headers.get(header::ORIGIN).is_none_or(|origin| origin.as_bytes() != own.as_bytes()) {
        return (StatusCode::FORBIDDEN, "this link is for the page of corscheck alone").into_response();
    }
    let agent = headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default();
    upgrade.on_upgrade(move |socket| attend(socket, desk, servers, agent))
}

/// Serves one page: what it asks for is done, and what becomes of it is told.
async fn attend(mut socket: WebSocket, desk: Desk, servers: Arc<Servers>, agent: String) {
    let (commands, mut outgoing) = mpsc::unbounded_channel::<Value>();
    let hand = ByHand::new(desk.0.hub.clone(), commands.clone());
    let mut running: Option<tokio::task::JoinHandle<()>> = None;
    loop {
        tokio::select! {
            command = outgoing.recv() => {
                let Some(command) = command else { break };
                if socket.send(Message::Text(command.to_string().into())).await.is_err() {
                    break;
                }
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(Asked::Run(filter)) if running.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) => {
                        let (desk, servers, hand, agent, commands) =
                            (desk.clone(), servers.clone(), hand.clone(), agent.clone(), commands.clone());
                        running = Some(tokio::spawn(async move { run(&desk, servers, hand, &agent, &filter, &commands).await }));
                    }
                    Ok(Asked::Run(_)) => _ = commands.send(json!({ "error": "something is running already" })),
                    Ok(Asked::Stop) => hand.stop(),
                    Ok(Asked::Gone(words)) => hand.gone(words),
                    Err(error) => _ = commands.send(json!({ "error": error.to_string() })),
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    // Whoever runs learns that nobody is there any more, and writes down what there is.
    hand.stop();
    if let Some(running) = running {
        _ = running.await;
    }
}

/// Runs the cases that a filter leaves.
async fn run(desk: &Desk, servers: Arc<Servers>, hand: ByHand, agent: &str, filter: &str, tell: &mpsc::UnboundedSender<Value>) {
    let Ok(_one) = desk.0.running.try_lock() else {
        _ = tell.send(json!({ "error": "another window runs cases: one at a time" }));
        return;
    };
    hand.begin();
    let result = match chosen(&desk.0.offer.cases, filter) {
        Ok(cases) => run_cases(desk, servers, hand, agent, cases, tell).await.map_err(|e| e.to_string()),
        Err(words) => Err(words),
    };
    if let Err(words) = result {
        _ = tell.send(json!({ "error": words }));
    }
}

fn chosen(offered: &[Arc<Case>], filter: &str) -> Result<Vec<Arc<Case>>, String> {
    if let Some(case) = offered.iter().find(|c| c.id.as_str() == filter) {
        return Ok(vec![case.clone()]);
    }
    let all: Vec<Case> = offered.iter().map(|c| (**c).clone()).collect();
    let found = select(&all, &[], &Filter::parse(filter)?).map_err(|e| e.to_string())?;
    Ok(found.into_iter().cloned().map(Arc::new).collect())
}

async fn run_cases(
    desk: &Desk,
    servers: Arc<Servers>,
    hand: ByHand,
    agent: &str,
    cases: Vec<Arc<Case>>,
    tell: &mpsc::UnboundedSender<Value>,
) -> io::Result<()> {
    let started = Instant::now();
    let offer = &desk.0.offer;
    let number = lock(&desk.0.ended).len() + 1;
    let folder = (number..).map(|n| offer.out.join(format!("by-hand-{n}"))).find(|folder| !folder.exists()).unwrap_or_default();
    let mut file = JsonLines::create(&folder)?;
    let (engine, version) = by_hand::identify(agent);
    let header = Header {
        format: FORMAT,
        corscheck: env!("CARGO_PKG_VERSION").to_owned(),
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        command: offer.command.clone(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        browsers: vec![BrowserInfo { browser: BY_HAND.to_owned(), version, driver: "none".to_owned(), defects: Vec::new() }],
        cases: cases.len(),
        catalogue: offer.path.clone(),
        topology: Some(servers.topology().clone()),
        subject: None,
    };
    file.event(&Event::Started(header))?;
    _ = tell.send(json!({ "started": cases.len() }));
    // A browser is known by its engine; what is no known engine has no known deviations.
    let known = engine.and_then(|engine| known::embedded(engine, &offer.catalogue, &offer.families).ok()).unwrap_or_default();
    let (events, mut arriving) = mpsc::unbounded_channel();
    let provisional = Provisional::default();
    let wanted = cases.len();
    let drive =
        Drive { agent: UserAgent::ByHand(hand.clone()), servers, events, known, cases, provisional: provisional.clone(), repeat: 1 };
    let driving = tokio::spawn(drive.run());
    let mut results = 0;
    let mut cut_short = None;
    loop {
        tokio::select! {
            event = arriving.recv() => {
                let Some(event) = event else { break };
                if let Event::Result(result) = &event {
                    results += 1;
                    _ = tell.send(told(result));
                }
                if let Event::Note { text, .. } = &event {
                    _ = tell.send(json!({ "note": text }));
                }
                file.event(&event)?;
            }
            () = hand.stopped() => {
                driving.abort();
                cut_short = Some("stopped by hand".to_owned());
                break;
            }
        }
    }
    if let Ok(Err(error)) = driving.await {
        cut_short = Some(error.to_string());
    }
    for result in provisional.take() {
        results += 1;
        _ = tell.send(told(&result));
        file.event(&Event::Result(Box::new(result)))?;
    }
    let footer = Footer { complete: results == wanted, cut_short, ms: started.elapsed().as_millis() as u64, results };
    file.event(&Event::Finished(footer.clone()))?;
    lock(&desk.0.ended).push(folder.clone());
    _ = tell.send(
        json!({ "done": { "results": results, "of": wanted, "ms": footer.ms, "file": folder.join(jsonl::FILE).display().to_string() } }),
    );
    Ok(())
}

/// What the page shows of a result.
fn told(result: &CaseResult) -> Value {
    let last = result.last();
    json!({ "result": {
        "id": result.case,
        "kind": Kind::of(result).words().replace(' ', "-"),
        "says": failure::direction(result),
        "short": failure::short(result),
        "observed": last.map(|a| a.observation.pages.iter().map(|p| crate::report::page_words(&p.end)).collect::<Vec<_>>()),
        "wire": last.map(|a| a.observation.exchanges.iter().map(|e| format!("{} {}", e.request.method, e.at)).collect::<Vec<_>>()),
        "known": result.known,
    } })
}
