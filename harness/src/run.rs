//! A run: servers up, all user agents driven at the same time, events passed on to every reporter.

use std::{
    collections::BTreeSet,
    io,
    sync::Arc,
    time::{Instant, SystemTime},
};

use corscheck_cases::{Case, families::Families, known::Known};
use corscheck_servers::{Options, Servers};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    agent::Hub,
    browser::{Guard, SessionOptions},
    drive::{Drive, Provisional, Unavailable},
    event::{CaseResult, Event, FORMAT, Footer, Header, Reporter},
    exit::Exit,
    rerun::Rerun,
    shrink::{self, Shrunk},
    simulated::client::RootError,
    standing,
    user_agent::{Browser, Choice, Simulated, UserAgent},
};

/// What is to be run.
pub struct Plan {
    /// The cases, in order.
    pub cases: Vec<Arc<Case>>,
    /// The user agents with their known deviations.
    pub agents: Vec<(Choice, Vec<Known>)>,
    /// How sessions of browsers start.
    pub session: SessionOptions,
    /// The command line, for the record.
    pub command: Vec<String>,
    /// Where the cases were read from, when not the built-in catalogue.
    pub catalogue: Option<String>,
    /// How many attempts every case gets.
    pub repeat: usize,
    /// Whether flaky results and mismatches of level `should` fail the run.
    pub strict: bool,
    /// The families all of whose cases are in it.
    pub whole: Vec<String>,
    /// The families from which generated cases that fail are made simpler at the end; absent: none is.
    pub families: Option<Families>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The first record.
    pub header: Header,
    /// Every result, in the order in which they came.
    pub results: Vec<CaseResult>,
    /// The last record.
    pub footer: Footer,
    /// How the program should end.
    pub exit: Exit,
}

/// A run that could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No port, no certificate.
    #[error("the origin servers could not be started: {0}")]
    Servers(#[from] corscheck_servers::StartError),
    /// No temporary folder, no process.
    #[error("the run's working folder could not be made: {0}")]
    Guard(io::Error),
    /// The servers' certificate cannot be trusted.
    #[error("the simulated user agent could not be made ready: {0}")]
    Simulated(#[from] RootError),
    /// A reporter could not write.
    #[error("results could not be written: {0}")]
    Report(io::Error),
}

/// Runs a plan until it is done or interrupted.
///
/// # Errors
///
/// Servers, folders or files that cannot be had. A browser that cannot be started is no error of the run: it is in the outcome.
pub async fn run(plan: Plan, reporters: &mut [&mut dyn Reporter]) -> Result<Outcome, RunError> {
    let started = Instant::now();
    let hub = Hub::default();
    let servers = Arc::new(Servers::start(Options { pages: hub.router(), ..Options::default() }).await?);
    let agents = ready(plan.agents.iter().map(|(choice, _)| choice), &plan.session, &servers, &hub)?;
    let header = Header {
        format: FORMAT,
        corscheck: env!("CARGO_PKG_VERSION").to_owned(),
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        command: plan.command.clone(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        browsers: plan.agents.iter().map(|(choice, _)| choice.info()).collect(),
        cases: plan.cases.len(),
        catalogue: plan.catalogue.clone(),
        topology: Some(servers.topology().clone()),
        subject: None,
    };
    let mut book = Book { reporters, results: Vec::new() };
    book.event(&Event::Started(header.clone()))?;

    let (events, mut arriving) = mpsc::unbounded_channel();
    let mut browsers: JoinSet<Result<(), Unavailable>> = JoinSet::new();
    let provisional = Provisional::default();
    for (agent, (_, known)) in agents.iter().zip(&plan.agents) {
        let drive = Drive {
            agent: agent.clone(),
            servers: servers.clone(),
            events: events.clone(),
            known: known.clone(),
            cases: plan.cases.clone(),
            provisional: provisional.clone(),
            repeat: plan.repeat,
        };
        browsers.spawn(drive.run());
    }
    drop(events);

    let mut interrupt = std::pin::pin!(interrupted());
    let mut cut_short = None;
    let mut unavailable = Vec::new();
    loop {
        tokio::select! {
            event = arriving.recv() => match event {
                Some(event) => book.event(&event)?,
                None => break,
            },
            () = &mut interrupt => {
                cut_short = Some("interrupted".to_owned());
                break;
            }
        }
    }
    if cut_short.is_some() {
        browsers.abort_all();
    }
    while let Some(ended) = browsers.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => unavailable.push(error.to_string()),
            Err(error) if error.is_cancelled() => {}
            Err(error) => unavailable.push(format!("internal error: {error}")),
        }
    }
    // What was sent before the interruption still counts.
    while let Ok(event) = arriving.try_recv() {
        book.event(&event)?;
    }
    if cut_short.is_none()
        && let Some(families) = &plan.families
    {
        let shrinking = shrink_all(&plan, families, &book.results, &agents, &servers);
        let shrunk = tokio::select! {
            shrunk = shrinking => shrunk,
            () = &mut interrupt => {
                cut_short = Some("interrupted".to_owned());
                Vec::new()
            }
        };
        for one in shrunk {
            book.event(&match one {
                Ok(shrunk) => Event::Shrunk(Box::new(shrunk)),
                Err((browser, text)) => Event::Note { browser: Some(browser), text },
            })?;
        }
    }
    // First attempts whose repeat never came are results all the same.
    for result in provisional.take() {
        book.event(&Event::Result(Box::new(result)))?;
    }
    for words in &unavailable {
        book.event(&Event::Note { browser: None, text: words.clone() })?;
    }
    let wanted = plan.cases.len() * plan.agents.len();
    let complete = book.results.len() == wanted;
    if !complete && cut_short.is_none() {
        cut_short = Some(unavailable.first().cloned().unwrap_or_else(|| "results are missing".to_owned()));
    }
    let mut idle = false;
    for (choice, known) in &plan.agents {
        let browser = choice.word();
        let results: Vec<_> = book.results.iter().filter(|r| r.browser == browser).collect();
        // What is missing from a run that was cut short may be what an entry is about.
        let missing = results.len() < plan.cases.len();
        let entries = if missing { Vec::new() } else { standing::idle(known, &plan.cases, &results, &|entry| plan.covers(entry)) };
        let notes: Vec<_> = entries
            .iter()
            .map(|entry| format!("stale: no case fails any more as this known deviation says: {}", entry.consequence))
            .collect();
        idle |= !notes.is_empty();
        for text in notes {
            book.event(&Event::Note { browser: Some(browser.to_owned()), text })?;
        }
    }
    let footer = Footer { complete, cut_short, ms: started.elapsed().as_millis() as u64, results: book.results.len() };
    book.event(&Event::Finished(footer.clone()))?;
    let exit = match exit(&footer, &book.results, !unavailable.is_empty(), plan.strict) {
        Exit::AsExpected if idle => Exit::Unexpected,
        exit => exit,
    };
    Ok(Outcome { header, results: book.results, footer, exit })
}

/// Makes generated cases simpler that failed unexpectedly, one user agent after the other.
async fn shrink_all(
    plan: &Plan,
    families: &Families,
    results: &[CaseResult],
    agents: &[UserAgent],
    servers: &Arc<Servers>,
) -> Vec<Result<Shrunk, (String, String)>> {
    let mut out = Vec::new();
    for (agent, (_, known)) in agents.iter().zip(&plan.agents) {
        let browser = agent.word();
        let worth = shrink::worth(&plan.cases, results, browser);
        if worth.is_empty() {
            continue;
        }
        let mut rerun = Rerun::new(agent.clone(), servers.clone());
        for result in worth {
            let Some(last) = result.last() else { continue };
            let shrunk = shrink::shrink(families, &result.case, last.clone(), known, &mut rerun, shrink::BUDGET).await;
            out.push(shrunk.map_err(|words| (browser.to_owned(), format!("{} could not be made simpler: {words}", result.case))));
        }
        rerun.end().await;
    }
    out
}

impl Plan {
    /// Whether every case that an entry for generated cases is about is in it.
    fn covers(&self, entry: &Known) -> bool {
        let names: BTreeSet<_> = self.cases.iter().filter_map(|c| Some(c.generated.as_ref()?.family.as_str())).collect();
        let mut asked = names.into_iter().filter(|name| entry.filter.as_ref().is_some_and(|f| f.asks_for_family(name))).peekable();
        asked.peek().is_some() && asked.all(|name| self.whole.iter().any(|w| w == name))
    }
}

struct Book<'a, 'b> {
    reporters: &'a mut [&'b mut dyn Reporter],
    results: Vec<CaseResult>,
}

impl Book<'_, '_> {
    fn event(&mut self, event: &Event) -> Result<(), RunError> {
        for reporter in self.reporters.iter_mut() {
            reporter.event(event).map_err(RunError::Report)?;
        }
        if let Event::Result(result) = event {
            self.results.push((**result).clone());
        }
        Ok(())
    }
}

fn exit(footer: &Footer, results: &[CaseResult], unavailable: bool, strict: bool) -> Exit {
    if footer.cut_short.as_deref() == Some("interrupted") {
        Exit::Interrupted
    } else if results.iter().any(|r| r.fails_run(strict)) {
        // A finding counts for more than a browser that could not be had.
        Exit::Unexpected
    } else if unavailable {
        Exit::Environment
    } else if !footer.complete {
        Exit::Unexpected
    } else {
        Exit::AsExpected
    }
}

/// User agents with all they need. Where there are browsers, one guard watches over them.
///
/// # Errors
///
/// No folder for browsers, or no trust in the servers' certificates.
pub fn ready<'c>(
    choices: impl IntoIterator<Item = &'c Choice>,
    session: &SessionOptions,
    servers: &Servers,
    hub: &Hub,
) -> Result<Vec<UserAgent>, RunError> {
    let mut watching: Option<Arc<Guard>> = None;
    let mut agents = Vec::new();
    for choice in choices {
        agents.push(match choice {
            Choice::Simulated(defects) => UserAgent::Simulated(Simulated::new(servers, *defects)?),
            Choice::Browser(endpoint) => {
                let guard = match &watching {
                    Some(guard) => guard.clone(),
                    None => watching.insert(Arc::new(Guard::new().map_err(RunError::Guard)?)).clone(),
                };
                UserAgent::Browser(Browser { endpoint: endpoint.clone(), options: session.clone(), guard, hub: hub.clone() })
            }
        });
    }
    Ok(agents)
}

/// Ends when the user or the system asks the program to stop.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = async {
            match signal(SignalKind::terminate()) {
                Ok(mut stream) => {
                    stream.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            () = terminate => {}
            Ok(()) = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
