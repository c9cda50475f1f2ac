//! Runs single cases in a session that is kept: what shrinking needs.

use std::sync::Arc;

use corscheck_cases::Case;
use corscheck_servers::Servers;
use tokio::sync::mpsc;

use crate::{
    agent::Hub,
    browser::{Endpoint, Guard, Session, SessionOptions},
    drive::{Drive, Provisional},
    event::Attempt,
};

/// One browser, ready to run a case at any time.
pub struct Rerun {
    /// The browser.
    pub endpoint: Endpoint,
    /// How its sessions start.
    pub options: SessionOptions,
    /// Ends what is started.
    pub guard: Arc<Guard>,
    /// The origins.
    pub servers: Arc<Servers>,
    /// Where agents report.
    pub hub: Hub,
    session: Option<Session>,
}

impl Rerun {
    /// A browser that is started when the first case comes.
    pub fn new(endpoint: Endpoint, options: SessionOptions, guard: Arc<Guard>, servers: Arc<Servers>, hub: Hub) -> Self {
        Self { endpoint, options, guard, servers, hub, session: None }
    }

    /// Runs a case once, between controls as in any run. A session that is lost on the way is replaced once.
    ///
    /// # Errors
    ///
    /// Words: no session could be had, or two were lost.
    pub async fn attempt(&mut self, case: &Arc<Case>) -> Result<Attempt, String> {
        let mut words = String::new();
        for _ in 0..2 {
            let mut session = match self.session.take() {
                Some(session) => session,
                None => Session::start(&self.endpoint, &self.options, &self.guard).await.map_err(|e| e.to_string())?,
            };
            // Nobody listens: what is to be said is in the result.
            let (events, _) = mpsc::unbounded_channel();
            let drive = Drive {
                engine: self.endpoint.engine(),
                endpoint: self.endpoint.clone(),
                options: self.options.clone(),
                guard: self.guard.clone(),
                servers: self.servers.clone(),
                hub: self.hub.clone(),
                events,
                known: Vec::new(),
                cases: vec![case.clone()],
                provisional: Provisional::default(),
            };
            match drive.attempts_in(&mut session).await {
                Ok(attempts) => {
                    self.session = Some(session);
                    let attempt = attempts.into_iter().next().map(|(_, attempt)| attempt);
                    return attempt.ok_or_else(|| "the case was never finished".to_owned());
                }
                Err(lost) => {
                    session.end().await;
                    words = lost;
                }
            }
        }
        Err(words)
    }

    /// Ends the browser.
    pub async fn end(mut self) {
        if let Some(session) = self.session.take() {
            session.end().await;
        }
    }
}
