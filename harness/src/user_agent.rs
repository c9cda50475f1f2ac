//! User agents: the one interface behind which a real browser and the simulated user agent are driven alike.
//!
//! A [`UserAgent`] starts a [`Session`]; the session opens a page with its contexts; a [`Link`] leads to a context; a case runs in a
//! [`Tab`] of it, action by action. Servers, controls, judge, attempts and events know no difference.

use std::{collections::HashMap, future::Future, net::Ipv4Addr, sync::Arc, time::Duration};

use corscheck_cases::{
    Alias, Context, Topology,
    bind::Action,
    oracle::{Defects, FETCH_COMMIT, scenario::environment},
    page::PageSettings,
    topology::Reach,
};
use corscheck_servers::{Servers, Token};
use tokio::sync::{Semaphore, mpsc};

use crate::{
    agent::{self, Hub, Lost, Place, embedding_url, file_page, page_url},
    browser::{self, Endpoint, Engine, Guard, SessionOptions},
    event::BrowserInfo,
    observation::{PageResult, Word},
    serve::{BY_HAND, ByHand},
    simulated::{
        self,
        client::{Client, ClientOptions, RootError},
        page::THREADS,
    },
};

/// The word of the simulated user agent in files, on terminals and in reports.
pub const SIMULATED: &str = "simulated";

/// How long the agents of a page may take to report after navigation.
const ARRIVAL: Duration = Duration::from_secs(20);

/// How long a browser may take to show that it is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// A user agent that a run is asked for.
#[derive(Debug, Clone)]
pub enum Choice {
    /// A browser.
    Browser(Endpoint),
    /// The simulated user agent, with what is to be wrong with it.
    Simulated(Defects),
}

impl Choice {
    /// The word used in files, on terminals and in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Choice::Browser(endpoint) => endpoint.engine().word(),
            Choice::Simulated(_) => SIMULATED,
        }
    }

    /// What a run says of it at its start.
    pub fn info(&self) -> BrowserInfo {
        let (version, driver, defects) = match self {
            Choice::Browser(Endpoint::Local(i)) => (i.browser_version.clone(), i.driver_version.clone(), Vec::new()),
            Choice::Browser(Endpoint::Remote { .. }) => ("remote".to_owned(), "remote".to_owned(), Vec::new()),
            Choice::Simulated(defects) => {
                (simulated_version(defects), "none".to_owned(), defects.iter().map(|d| d.word().to_owned()).collect())
            }
        };
        BrowserInfo { browser: self.word().to_owned(), version, driver, defects }
    }
}

/// The version of the simulated user agent: the standard it follows, and where it does not.
pub fn simulated_version(defects: &Defects) -> String {
    let words: Vec<_> = defects.iter().map(|d| d.word()).collect();
    let what = match words.len() {
        0 => String::new(),
        1 => format!(" with defect {}", words[0]),
        _ => format!(" with defects {}", words.join(", ")),
    };
    format!("Fetch {}{what}", &FETCH_COMMIT[..7])
}

/// Makes the requests of cases.
#[derive(Debug, Clone)]
pub enum UserAgent {
    /// A real browser.
    Browser(Browser),
    /// The oracle's state machine with a real HTTP client under it.
    Simulated(Simulated),
    /// A browser that nobody drives.
    ByHand(ByHand),
}

/// A browser and what its sessions need.
#[derive(Debug, Clone)]
pub struct Browser {
    /// Where its driver is.
    pub endpoint: Endpoint,
    /// How its sessions start.
    pub options: SessionOptions,
    /// Ends what is started.
    pub guard: Arc<Guard>,
    /// Where the agents in its pages report.
    pub hub: Hub,
}

/// The simulated user agent and what its sessions need.
#[derive(Debug, Clone)]
pub struct Simulated {
    client: Arc<Client>,
    threads: Arc<Semaphore>,
    defects: Defects,
}

impl Simulated {
    /// One that trusts the certificates of these servers.
    ///
    /// # Errors
    ///
    /// The servers' authority has no certificate.
    pub fn new(servers: &Servers, defects: Defects) -> Result<Self, RootError> {
        let mut options = ClientOptions { answer_timeout: agent::PATIENCE, ..ClientOptions::default() };
        for alias in Alias::ALL.iter().filter(|a| a.reach() == Reach::Names) {
            let port = servers.topology().port(*alias);
            options.resolve.insert((alias.host().to_owned(), port), (Ipv4Addr::LOCALHOST, port).into());
        }
        let client = Arc::new(Client::new(options.trusting(servers.ca_pem())?));
        Ok(Self { client, threads: Arc::new(Semaphore::new(THREADS)), defects })
    }
}

impl UserAgent {
    /// The word used in files, on terminals and in reports.
    pub fn word(&self) -> &'static str {
        match self {
            UserAgent::Browser(browser) => browser.endpoint.engine().word(),
            UserAgent::Simulated(_) => SIMULATED,
            UserAgent::ByHand(_) => BY_HAND,
        }
    }

    /// Why origins that take this to be reached are out of its reach, in words.
    pub fn cannot_reach(&self, reach: Reach, servers: &Servers) -> Option<&'static str> {
        match (reach, self) {
            (Reach::Ipv6, _) if !servers.has_ipv6() => Some("this machine has no IPv6 loopback address"),
            (Reach::Names, UserAgent::ByHand(_)) => Some("a browser by hand is told of no names"),
            (Reach::Names, UserAgent::Browser(browser)) => match &browser.endpoint {
                Endpoint::Remote { .. } => Some("a remote browser cannot be told where names outside localhost are"),
                Endpoint::Local(installed) if installed.engine == Engine::Webkit => {
                    Some("this engine cannot be told where names outside localhost are")
                }
                Endpoint::Local(_) => None,
            },
            _ => None,
        }
    }

    /// Starts a session that remembers nothing of any other.
    ///
    /// # Errors
    ///
    /// Why there is none, in words.
    pub async fn start(&self) -> Result<Session, String> {
        match self {
            UserAgent::Browser(b) => match browser::Session::start(&b.endpoint, &b.options, &b.guard).await {
                Ok(session) => Ok(Session::Browser(Box::new(session), b.clone())),
                Err(error) => Err(error.to_string()),
            },
            UserAgent::Simulated(simulated) => Ok(Session::Simulated(simulated.clone())),
            UserAgent::ByHand(hand) if hand.is_there() => Ok(Session::ByHand(hand.clone())),
            UserAgent::ByHand(_) => Err("the window is gone".to_owned()),
        }
    }
}

/// A user agent that is up.
#[derive(Debug)]
pub enum Session {
    /// A browser that runs.
    Browser(Box<browser::Session>, Browser),
    /// Nothing needs to run.
    Simulated(Simulated),
    /// A window that somebody has opened; it remembers what windows remember, and tokens keep attempts apart.
    ByHand(ByHand),
}

impl Session {
    /// What only the session knows of its user agent, in words.
    pub fn introduction(&self) -> Option<String> {
        match self {
            Session::Browser(session, Browser { endpoint: Endpoint::Remote { .. }, .. }) => {
                let driver = session.driver_version().unwrap_or("unknown");
                Some(format!("remote session: {}, driver {driver}", session.browser_version()))
            }
            Session::Browser(..) | Session::Simulated(_) | Session::ByHand(_) => None,
        }
    }

    /// Opens a page at `page` with these contexts in it, in place of the one before; the window is always there.
    ///
    /// # Errors
    ///
    /// Why it does not come up, in words.
    pub async fn open(
        &mut self,
        topology: &Topology,
        page: Alias,
        document: &PageSettings,
        contexts: &[Context],
    ) -> Result<HashMap<Context, Link>, String> {
        let document = document.bind(topology);
        let wanted: Vec<Context> =
            std::iter::once(Context::Window).chain(contexts.iter().copied().filter(|c| *c != Context::Window)).collect();
        match self {
            Session::Browser(session, Browser { hub, .. }) => {
                let key = Token::new();
                let place = Place { key: key.as_str(), topology, page, document: &document, origin: None };
                let opened = open_in_browser(session, hub, &place, &wanted).await;
                hub.forget(key.as_str());
                opened
            }
            Session::ByHand(hand) => {
                let key = Token::new();
                let place = Place { key: key.as_str(), topology, page, document: &document, origin: None };
                let mut arrivals = hand.hub.expect(&place);
                let opened = match hand.open(&page_url(&place, &wanted[1..])) {
                    Ok(()) => arrived(&mut arrivals, &wanted, page).await,
                    Err(words) => Err(words),
                };
                hand.hub.forget(key.as_str());
                opened
            }
            Session::Simulated(Simulated { client, threads, defects }) => {
                let link = |context| {
                    let environment = environment(topology, page, &document, context);
                    simulated::page::Link::new(environment, client.clone(), threads.clone(), *defects)
                };
                Ok(wanted.into_iter().map(|context| (context, Link::Simulated(link(context)))).collect())
            }
        }
    }

    /// The user agent's own words since the last call.
    ///
    /// # Errors
    ///
    /// Why nobody answers any more, in words.
    pub async fn words(&mut self) -> Result<Vec<browser::Word>, String> {
        match self {
            Session::Browser(session, _) => session.words().await.map_err(|e| e.to_string()),
            // It tells them with each case; by hand they stand in the browser's own tools.
            Session::Simulated(_) | Session::ByHand(_) => Ok(Vec::new()),
        }
    }

    /// Whether it can go on.
    pub async fn is_alive(&mut self) -> bool {
        match self {
            Session::Browser(session, _) => session.is_alive(SIGN_OF_LIFE).await,
            Session::Simulated(_) => true,
            Session::ByHand(hand) => hand.is_there(),
        }
    }

    /// Ends it in peace.
    pub async fn end(self) {
        match self {
            Session::Browser(session, _) => session.end().await,
            Session::Simulated(_) | Session::ByHand(_) => {}
        }
    }
}

/// Opens the page, then a window for each context that has one of its own; agents report as they come up.
async fn open_in_browser(
    session: &mut browser::Session,
    hub: &Hub,
    place: &Place<'_>,
    wanted: &[Context],
) -> Result<HashMap<Context, Link>, String> {
    let words = |e: browser::SessionError| e.to_string();
    let mut arrivals = hub.expect(place);
    session.close_windows().await.map_err(words)?;
    let (windows, children): (Vec<Context>, Vec<Context>) = wanted.iter().partition(|c| c.has_own_window());
    session.goto(&page_url(place, &children)).await.map_err(words)?;
    for context in windows.into_iter().filter(|c| *c != Context::Window) {
        let url = match context {
            Context::File => session.file("page.html", &file_page(place)).map_err(|e| format!("a page on the disk: {e}"))?,
            _ => embedding_url(place),
        };
        session.goto_in_window(&url).await.map_err(words)?;
    }
    arrived(&mut arrivals, wanted, place.page).await
}

/// Waits for the agents of a page.
async fn arrived(
    arrivals: &mut mpsc::UnboundedReceiver<(Context, agent::Link)>,
    wanted: &[Context],
    page: Alias,
) -> Result<HashMap<Context, Link>, String> {
    let mut links = HashMap::new();
    let deadline = tokio::time::Instant::now() + ARRIVAL;
    while links.len() < wanted.len() {
        match tokio::time::timeout_at(deadline, arrivals.recv()).await {
            Ok(Some((context, link))) => {
                links.insert(context, Link::Browser(link));
            }
            _ => {
                let missing: Vec<_> = wanted.iter().filter(|c| !links.contains_key(c)).map(|c| c.word()).collect();
                return Err(format!("no agent reported from {} of the page at {}", missing.join(", "), page));
            }
        }
    }
    Ok(links)
}

/// A context of a page.
#[derive(Debug, Clone)]
pub enum Link {
    /// To the agent in a browser's page.
    Browser(agent::Link),
    /// To a simulated page.
    Simulated(simulated::page::Link),
}

impl Link {
    /// Makes ready for a case.
    pub fn tab(&self) -> Tab {
        match self {
            Link::Browser(link) => Tab::Browser(link.clone()),
            Link::Simulated(link) => Tab::Simulated(Box::new(link.tab())),
        }
    }

    /// Makes ready for a control: as for a case, but what was made wrong with a simulated user agent on purpose is left out. A control
    /// asks whether the way to the servers is open, and some defects stop every read.
    pub fn control(&self) -> Tab {
        match self {
            Link::Browser(link) => Tab::Browser(link.clone()),
            Link::Simulated(link) => Tab::Simulated(Box::new(link.sound_tab())),
        }
    }
}

/// Where the actions of one case are done, in order.
#[derive(Debug)]
pub enum Tab {
    /// The agent in a browser's page, which all cases of the page share.
    Browser(agent::Link),
    /// A user agent for this case alone.
    Simulated(Box<simulated::page::Tab>),
}

impl Tab {
    /// Goes to another context of the same page; what is remembered stays.
    pub fn enter(&mut self, link: &Link) {
        match (self, link) {
            (Tab::Browser(here), Link::Browser(there)) => here.clone_from(there),
            (Tab::Simulated(tab), Link::Simulated(there)) => tab.enter(there),
            // All links of a session are of one kind.
            (Tab::Browser(_), Link::Simulated(_)) | (Tab::Simulated(_), Link::Browser(_)) => {}
        }
    }

    /// Does one action. `planned` is how long the case itself means it to take; when `abort` ends first, the page aborts. The simulated
    /// user agent needs nobody to tell it when to abort: the action says so.
    ///
    /// # Errors
    ///
    /// The page is gone or does not answer.
    pub async fn run(&mut self, action: &Action, planned: Duration, abort: impl Future<Output = ()>) -> Result<PageResult, Lost> {
        match self {
            Tab::Browser(link) => link.run_until(action, planned, abort).await,
            Tab::Simulated(tab) => Ok(tab.run(action, planned).await),
        }
    }

    /// What the user agent said of the case, where it says so itself; a browser's words come by [`Session::words`].
    pub fn into_words(self) -> Vec<Word> {
        match self {
            Tab::Browser(_) => Vec::new(),
            Tab::Simulated(tab) => tab.into_words(),
        }
    }
}
