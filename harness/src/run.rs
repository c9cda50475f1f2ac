//! A run: servers up, all user agents driven at the same time, events passed on to every reporter.

use std::{
    io,
    sync::Arc,
    time::{Instant, SystemTime},
};

use corscheck_cases::{Case, known::Known};
use corscheck_servers::{Options, Servers};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    agent::Hub,
    browser::{Guard, SessionOptions},
    drive::{Drive, Provisional, Unavailable},
    event::{CaseResult, Event, FORMAT, Footer, Header, Reporter},
    exit::Exit,
    simulated::client::RootError,
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
    /// Whether flaky results and mismatches of level `should` fail the run.
    pub strict: bool,
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
    let servers = Arc::new(Servers::start(Options { pages: hub.router() }).await?);
    let agents = ready(&plan, &servers, &hub)?;
    let header = Header {
        format: FORMAT,
        corscheck: env!("CARGO_PKG_VERSION").to_owned(),
        started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        command: plan.command.clone(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        browsers: plan.agents.iter().map(|(choice, _)| choice.info()).collect(),
        cases: plan.cases.len(),
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
    let footer = Footer { complete, cut_short, ms: started.elapsed().as_millis() as u64, results: book.results.len() };
    book.event(&Event::Finished(footer.clone()))?;
    let exit = exit(&footer, &book.results, !unavailable.is_empty(), plan.strict);
    Ok(Outcome { header, results: book.results, footer, exit })
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

/// The user agents of a plan with all they need. Where there are browsers, one guard watches over them.
fn ready(plan: &Plan, servers: &Servers, hub: &Hub) -> Result<Vec<UserAgent>, RunError> {
    let mut watching: Option<Arc<Guard>> = None;
    let mut agents = Vec::with_capacity(plan.agents.len());
    for (choice, _) in &plan.agents {
        agents.push(match choice {
            Choice::Simulated(defects) => UserAgent::Simulated(Simulated::new(servers, *defects)?),
            Choice::Browser(endpoint) => {
                let guard = match &watching {
                    Some(guard) => guard.clone(),
                    None => watching.insert(Arc::new(Guard::new().map_err(RunError::Guard)?)).clone(),
                };
                UserAgent::Browser(Browser { endpoint: endpoint.clone(), options: plan.session.clone(), guard, hub: hub.clone() })
            }
        });
    }
    Ok(agents)
}

/// Ends when the user or the system asks the program to stop.
async fn interrupted() {
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
