//! Runs single cases in a session that is kept: what shrinking needs.

use std::sync::Arc;

use corscheck_cases::Case;
use corscheck_servers::Servers;
use tokio::sync::mpsc;

use crate::{
    drive::{Drive, Provisional},
    event::Attempt,
    user_agent::{Session, UserAgent},
};

/// One user agent, ready to run a case at any time.
pub struct Rerun {
    agent: UserAgent,
    servers: Arc<Servers>,
    session: Option<Session>,
}

impl Rerun {
    /// A user agent that is started when the first case comes.
    pub fn new(agent: UserAgent, servers: Arc<Servers>) -> Self {
        Self { agent, servers, session: None }
    }

    /// The word of the user agent.
    pub fn word(&self) -> &'static str {
        self.agent.word()
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
                None => self.agent.start().await?,
            };
            // Nobody listens: what is to be said is in the result.
            let (events, _) = mpsc::unbounded_channel();
            let drive = Drive {
                agent: self.agent.clone(),
                servers: self.servers.clone(),
                events,
                known: Vec::new(),
                cases: vec![case.clone()],
                provisional: Provisional::default(),
                repeat: 1,
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

    /// Ends the session.
    pub async fn end(mut self) {
        if let Some(session) = self.session.take() {
            session.end().await;
        }
    }
}
