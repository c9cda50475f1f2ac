//! Certification in real browsers: pages of any origin through the recording proxy, and the targets behind it.
//!
//! What a browser's requests were answered is judged by the standard, step by step, and what the page saw is held against that: where
//! they part, it is the engine that differs, and the target is scored by the standard.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use corscheck_cases::{
    Alias, Context, Topology,
    bind::{Action, ApiWord},
    certify::{
        Asker, Book, Policy, Probe,
        probe::{Ask, PageApi, PageAsk},
    },
    oracle::network::{Fault, ReadEnd},
    page::{BoundPage, PageSettings},
};
use corscheck_servers::{
    Exchange, Token,
    proxy::{Proxy, ProxyOptions, TOKEN},
};
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::{
    Asked, Took,
    instance::{Instance, Start},
    origin_of,
    outcome::Outcome,
    page::{self, Seen},
    target::Installed,
};
use crate::{
    agent::{Hub, Link, Place, page_url},
    browser::{Endpoint, Engine, Guard, Session, SessionOptions},
    explain::{
        described::Described,
        wire::{Answer, Response},
    },
    observation::PageResult,
    verdict::{Cause, Verdict},
};

/// How many probes of a page are under way at once, at most.
pub const WIDTH: usize = 16;

/// How many instances of a target run beside each other while browsers ask.
const TOGETHER: usize = 12;

/// How long the agents of a page may take to report.
const ARRIVAL: Duration = Duration::from_secs(20);

/// Where every page has its control.
const CONTROL: &str = "https://control.api.test";

/// A browser and what it asks.
struct Driven<'a> {
    session: Session,
    engine: Engine,
    width: usize,
    hub: &'a Hub,
    proxy: &'a Proxy,
    topology: Topology,
    document: BoundPage,
    /// Pages in a row that did not come up.
    failures: usize,
}

/// So many pages in a row that do not come up, and the browser is given up.
const MOST_FAILURES: usize = 3;

/// A policy, and what is asked under it.
#[derive(Debug, Clone)]
pub struct Questions<'b> {
    /// The policy.
    pub policy: &'b Policy,
    /// The origin by which pages know the server.
    pub origin: String,
    /// What is asked; what is no page's is left alone.
    pub probes: Vec<Probe>,
}

impl<'b> Questions<'b> {
    /// What the book asks under policies.
    ///
    /// # Errors
    ///
    /// A probe that cannot be made.
    pub fn of(book: &Book, policies: &[&'b Policy]) -> Result<Vec<Self>, String> {
        let one = |policy: &&'b Policy| {
            let origin = origin_of(policy);
            let probes = book.probes.of(policy, &book.askers, &origin).map_err(|e| e.to_string())?;
            Ok(Self { policy, origin, probes })
        };
        policies.iter().map(one).collect()
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy)]
pub enum Behind<'a> {
    /// A target, started with each policy.
    Target(&'a Installed),
    /// A server that runs, reached at this address.
    Server(SocketAddr),
}

/// Asks all policies of a target in one browser, so many probes of a page at once.
///
/// # Errors
///
/// The browser cannot be started, or no page comes up in it, in words.
pub async fn certify(
    questions: &[Questions<'_>],
    behind: Behind<'_>,
    endpoint: &Endpoint,
    headed: bool,
    width: usize,
) -> Result<Vec<Asked>, String> {
    let hub = Hub::default();
    let asks = questions.iter().flat_map(|q| &q.probes).filter_map(|probe| match &probe.ask {
        Ask::Page(ask) => host(ask.asker.text()?),
        _ => None,
    });
    let page_hosts: BTreeSet<String> = asks.chain([host(CONTROL).unwrap_or_default()]).collect();
    let target_hosts = questions.iter().filter_map(|q| host(&q.origin)).collect();
    let proxy = Proxy::start(ProxyOptions { pages: hub.router(), page_hosts, target_hosts }).await.map_err(|e| e.to_string())?;
    let guard = Arc::new(Guard::new().map_err(|e| e.to_string())?);
    let options = SessionOptions {
        headed,
        proxy: Some(format!("http://{}", proxy.address())),
        capabilities: capabilities(endpoint.engine(), &proxy)?,
        ..SessionOptions::default()
    };
    let session = Session::start(endpoint, &options, &guard).await.map_err(|e| e.to_string())?;
    let mut driven = Driven {
        session,
        engine: endpoint.engine(),
        width: width.clamp(1, WIDTH),
        hub: &hub,
        proxy: &proxy,
        topology: Topology::example(),
        document: PageSettings::default().bind(&Topology::example()),
        failures: 0,
    };
    let mut done = Vec::new();
    for some in questions.chunks(TOGETHER) {
        done.extend(driven.some(some, behind).await?);
    }
    driven.session.end().await;
    Ok(done)
}

/// The host of an origin.
fn host(origin: &str) -> Option<String> {
    Some(url::Url::parse(origin).ok()?.host_str()?.to_owned())
}

/// What makes a browser use the proxy, and trust it.
fn capabilities(engine: Engine, proxy: &Proxy) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    let address = proxy.address().to_string();
    let mut all = json!({ "proxy": { "proxyType": "manual", "httpProxy": address, "sslProxy": address } });
    match engine {
        // Its rules for names would go before the proxy; and a page over http is to stay one.
        Engine::Chromium => {
            let rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";
            all["goog:chromeOptions"] = json!({ "args": [rules, "--proxy-bypass-list=<-loopback>", "--disable-features=HttpsUpgrades"] });
        }
        Engine::Firefox => {
            all["moz:firefoxOptions"] =
                json!({ "prefs": { "network.dns.localDomains": "", "network.proxy.allow_hijacking_localhost": true } });
        }
        // It has the proxy from its environment.
        Engine::Webkit => all = json!({}),
    }
    match all {
        serde_json::Value::Object(map) => Ok(map),
        _ => Err("capabilities are an object".to_owned()),
    }
}

/// A probe of a page, with what it belongs to.
struct Wanted<'b> {
    policy: &'b Policy,
    origin: &'b str,
    probe: &'b Probe,
    ask: &'b PageAsk,
}

/// A page, and what is asked in it.
struct Page<'b> {
    asker: &'b Asker,
    wanted: Vec<Wanted<'b>>,
}

/// Whether pages of an origin can be had through a proxy: browsers send nothing for a loopback address to one, and WebKit nothing for
/// a loopback name.
fn can_have(engine: Engine, origin: &str) -> bool {
    let Some(host) = host(origin) else { return true };
    let is_loopback_name = host == "localhost" || host.ends_with(".localhost");
    host.parse::<Ipv4Addr>().is_err() && !host.starts_with('[') && !(engine == Engine::Webkit && is_loopback_name)
}

impl Driven<'_> {
    /// Some policies: their instances are started, every page asks all of them, and they are ended.
    async fn some(&mut self, questions: &[Questions<'_>], behind: Behind<'_>) -> Result<Vec<Asked>, String> {
        let mut asked: Vec<Asked> = Vec::new();
        let mut instances = Vec::new();
        // By label and origin of who asks: each has its page.
        let mut pages: BTreeMap<(&str, &[u8]), Page<'_>> = BTreeMap::new();
        let starts = questions.iter().map(|question| match behind {
            Behind::Target(installed) => {
                let (installed, written) = (installed.clone(), question.policy.written.clone());
                Some(tokio::task::spawn_blocking(move || Instance::start(&installed, &written)))
            }
            Behind::Server(_) => None,
        });
        let starts: Vec<_> = starts.collect();
        for (question, start) in questions.iter().zip(starts) {
            let Questions { policy, origin, probes } = question;
            let lead = |address| self.proxy.lead(&host(origin).unwrap_or_default(), Some(address));
            let start = match start {
                Some(start) => Some(start.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?),
                None => None,
            };
            let took = match (start, behind) {
                (None, Behind::Server(address)) => {
                    lead(address);
                    Took::Started
                }
                (Some(Start::Up(instance)), _) => {
                    lead(instance.address);
                    instances.push((policy.id.clone(), instance));
                    Took::Started
                }
                (Some(Start::Unsupported(words)), _) => Took::Unsupported(words),
                (Some(Start::Refused(words)), _) => Took::Refused(words),
                (Some(Start::Crashed(words)), _) => Took::Crashed(words),
                (None, Behind::Target(_)) => return Err("a target is started first".to_owned()),
            };
            if took == Took::Started {
                for probe in probes {
                    if let Ask::Page(ask) = &probe.ask
                        && can_have(self.engine, ask.asker.text().unwrap_or_default())
                    {
                        let key = (&*ask.asker.label, ask.asker.origin.as_deref().unwrap_or_default());
                        let entry = pages.entry(key).or_insert_with(|| Page { asker: &ask.asker, wanted: Vec::new() });
                        entry.wanted.push(Wanted { policy, origin, probe, ask });
                    }
                }
            }
            asked.push(Asked { policy: policy.id.clone(), took, outcomes: Vec::new(), ending: None });
        }
        for Page { asker, wanted } in pages.into_values() {
            let outcomes = self.page(asker, &wanted).await;
            let down = outcomes.iter().all(|o| matches!(o.verdict, Verdict::NotJudged(_)));
            self.failures = if down { self.failures + 1 } else { 0 };
            if self.failures >= MOST_FAILURES {
                let words = outcomes.first().map(|o| o.verdict.to_string()).unwrap_or_default();
                return Err(format!("no page comes up: {words}"));
            }
            for outcome in outcomes {
                if let Some(mine) = asked.iter_mut().find(|a| a.policy == outcome.policy) {
                    mine.outcomes.push(outcome);
                }
            }
        }
        for question in questions {
            self.proxy.lead(&host(&question.origin).unwrap_or_default(), None);
        }
        for (id, instance) in &mut instances {
            if let (Some(words), Some(mine)) = (instance.died(), asked.iter_mut().find(|a| a.policy == *id)) {
                // What was asked of nobody says nothing of the middleware.
                mine.outcomes.iter_mut().for_each(|o| *o = Outcome { verdict: lost(&words), findings: Vec::new(), ..o.clone() });
                mine.took = Took::Died(words);
            }
        }
        let ends: Vec<_> = instances.into_iter().map(|(_, instance)| tokio::task::spawn_blocking(move || instance.end())).collect();
        for end in ends {
            // How it ended was told when it was asked without a browser.
            _ = end.await;
        }
        Ok(asked)
    }

    /// All probes of one page.
    async fn page(&mut self, asker: &Asker, wanted: &[Wanted<'_>]) -> Vec<Outcome> {
        let none = |words: &str| wanted.iter().map(|w| Outcome { policy: w.policy.id.clone(), ..unjudged(w.probe, words) }).collect();
        let link = match self.open(asker).await {
            Ok(link) => link,
            Err(words) => return none(&words),
        };
        if let Err(words) = control(&link).await {
            return none(&words);
        }
        let proxy = self.proxy;
        let ask = async |w: &Wanted<'_>| Outcome { policy: w.policy.id.clone(), ..one(&link, proxy, w).await };
        let asked = stream::iter(wanted.iter().map(ask)).buffer_unordered(self.width);
        let outcomes: Vec<Outcome> = asked.collect().await;
        match control(&link).await {
            Ok(()) => outcomes,
            Err(words) => none(&words),
        }
    }

    /// Opens a page of an origin; for the opaque one a sandboxed frame.
    async fn open(&mut self, asker: &Asker) -> Result<Link, String> {
        let text = asker.text().unwrap_or_default();
        let (origin, context) = if text == "null" { (CONTROL, Context::Sandbox) } else { (text, Context::Window) };
        let key = Token::new();
        let place = Place { key: key.as_str(), topology: &self.topology, page: Alias::A, document: &self.document, origin: Some(origin) };
        let mut arrivals = self.hub.expect(&place);
        let children: &[Context] = if context == Context::Sandbox { &[Context::Sandbox] } else { &[] };
        let went = self.session.goto(&page_url(&place, children)).await.map_err(|e| e.to_string());
        let arrived = async {
            went?;
            loop {
                match tokio::time::timeout(ARRIVAL, arrivals.recv()).await {
                    Ok(Some((at, link))) if at == context => return Ok(link),
                    Ok(Some(_)) => {}
                    _ => return Err(format!("no agent reported from a page of {origin}")),
                }
            }
        };
        let link = arrived.await;
        self.hub.forget(key.as_str());
        link
    }
}

/// A read that every page may make.
async fn control(link: &Link) -> Result<(), String> {
    let action = Action::new(ApiWord::Fetch, format!("{CONTROL}/agent/control"));
    let page = link.run_until(&action, Duration::ZERO, std::future::pending()).await.map_err(|e| e.to_string())?;
    match page.end.outcome() {
        Some(corscheck_cases::Outcome::Allowed) => Ok(()),
        other => Err(format!("the control came to {}", other.map_or("nothing", |o| o.word()))),
    }
}

fn unjudged(probe: &Probe, words: &str) -> Outcome {
    Outcome { verdict: lost(words), ..Outcome::new(probe, "") }
}

fn lost(words: &str) -> Verdict {
    Verdict::NotJudged(Cause::ControlFailed { control: words.to_owned() })
}

/// One probe, in a page that is open.
async fn one(link: &Link, proxy: &Proxy, wanted: &Wanted<'_>) -> Outcome {
    let Wanted { policy, origin, probe, ask } = wanted;
    let environment = match page::environment(ask.asker.text().unwrap_or("null"), origin) {
        Ok(environment) => environment,
        Err(words) => return unjudged(probe, &words),
    };
    let token = Token::new();
    let mut actions = page::actions(ask, origin);
    for action in &mut actions {
        action.url = format!("{}{}{TOKEN}={token}", action.url, if action.url.contains('?') { '&' } else { '?' });
    }
    let expected = page::expected(policy, &actions, &environment);
    let mut pages: Vec<PageResult> = Vec::new();
    for action in &actions {
        match link.run_until(action, Duration::ZERO, std::future::pending()).await {
            Ok(page) => pages.push(page),
            Err(lost) => return unjudged(probe, &lost.to_string()),
        }
    }
    let exchanges = proxy.take(token.as_str());
    let mut outcome = Outcome::new(probe, page::words(&expected.seen));
    let Some(seen) = pages.last().map(|p| p.end.clone()) else { return outcome };
    if let crate::observation::PageEnd::Unsupported(words) = &seen {
        outcome.verdict = Verdict::Unsupported(words.clone());
        return outcome;
    }
    if exchanges.is_empty() && !matches!(ask.api, PageApi::ImageThenFetch) {
        // A page cannot tell a refusal from a request that never got anywhere: without a trace on the wire it proves nothing.
        return unjudged(probe, "no request reached the target");
    }
    // What the standard makes of the answers that the browser got.
    let last = &actions[actions.len() - 1..];
    let answers = answers(&exchanges);
    let by_standard = if matches!(ask.api, PageApi::Fetch | PageApi::XhrUpload) {
        page::run(last, &environment, &mut Described::in_order(answers))
    } else {
        // A cache had its part in it, which is the browser's own.
        Seen { pages: pages.clone(), reason: None, path: Vec::new() }
    };
    page::judge_fairly(&mut outcome, ask, policy, &expected, &by_standard, &exchanges);
    let (standard, engine) = (by_standard.pages.last().and_then(|p| p.end.outcome()), seen.outcome());
    if let (Some(standard), Some(engine)) = (standard, engine)
        && standard != engine
    {
        outcome.find(
            Verdict::Unsupported(format!(
                "the engine differs: by the standard these answers come to {}, here to {}",
                standard.word(),
                engine.word()
            )),
            "divergence",
            &[("direction", if engine.openness() > standard.openness() { "engine-open" } else { "engine-strict" })],
            standard.word(),
            engine.word(),
        );
    }
    outcome.path = by_standard.path;
    outcome.observation.pages = pages;
    outcome.observation.exchanges = exchanges;
    outcome
}

/// The answers of exchanges, as the oracle reads them.
fn answers(exchanges: &[Exchange]) -> Vec<Answer> {
    exchanges
        .iter()
        .map(|x| {
            let bytes = &x.answer.head.0;
            match corscheck_cases::oracle::http1::head(bytes) {
                Ok(Some((head, _))) if x.answer.status.is_some() => {
                    let mut headers = corscheck_cases::oracle::headers::HeaderList::new();
                    for (name, value) in &head.fields {
                        headers.append(name.clone(), value.clone());
                    }
                    Answer::Response(Response {
                        status: head.status,
                        reason: head.reason,
                        headers,
                        body: x.answer.body.0.to_vec(),
                        body_end: Some(ReadEnd::Complete),
                    })
                }
                _ => Answer::Fault(Fault::Broken("no answer".into())),
            }
        })
        .collect()
}
