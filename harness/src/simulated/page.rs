//! A context of a page, simulated: what a case's page does is a call of the oracle's user agent.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use corscheck_cases::{
    bind::Action,
    oracle::{Call, Defects, Environment, Path, UserAgent, View},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{client::Client, observe::page_result};
use crate::observation::{PageEnd, PageResult, Word};

/// How many requests are under way at once: each has a thread of its own, and most of them wait.
pub const THREADS: usize = 64;

/// A context in which actions can be done.
#[derive(Debug, Clone)]
pub struct Link {
    environment: Arc<Environment>,
    client: Arc<Client>,
    threads: Arc<Semaphore>,
    defects: Defects,
}

/// A case in a context, with a user agent of its own: what it stores is seen by no other case.
#[derive(Debug)]
pub struct Tab {
    link: Link,
    agent: UserAgent,
    words: Vec<Word>,
}

impl Link {
    /// A context of a page. Its requests are made by clients like the given one, on threads of which there are so many.
    pub fn new(environment: Environment, client: Arc<Client>, threads: Arc<Semaphore>, defects: Defects) -> Self {
        Self { environment: Arc::new(environment), client, threads, defects }
    }

    /// Makes ready for a case.
    pub fn tab(&self) -> Tab {
        Tab { link: self.clone(), agent: UserAgent::with(self.defects), words: Vec::new() }
    }

    /// The same with a user agent that has no defect.
    pub fn sound_tab(&self) -> Tab {
        Tab { link: self.clone(), agent: UserAgent::new(), words: Vec::new() }
    }
}

impl Tab {
    /// Goes to another context of the same page.
    pub fn enter(&mut self, link: &Link) {
        self.link.clone_from(link);
    }

    /// Does one action. `planned` is how long the case itself means it to take.
    pub async fn run(&mut self, action: &Action, planned: Duration) -> PageResult {
        let call = Call::new(action.clone(), &self.link.environment.base);
        let environment = self.link.environment.clone();
        let mut client = self.link.client.fresh(planned);
        let mut agent = std::mem::take(&mut self.agent);
        // Nobody closes it: there is always a turn.
        let turn = self.link.threads.clone().acquire_owned().await;
        let done = spawn_blocking(move || {
            let _turn = turn;
            let started = Instant::now();
            let mut path = Path::new();
            let view = agent.call(&call, &environment, &mut client, &mut path);
            let ms = started.elapsed().as_secs_f64() * 1000.0;
            let mut page = page_result(&view, call.action.api, &call.action.probe_headers);
            page.ms = ms;
            if let Some(after) = client.gave_up() {
                // As in a browser: what never ends is no network error yet.
                page.end = PageEnd::NoAnswer { after_ms: after.as_secs_f64() * 1000.0 };
            }
            (agent, page, word(&view, &path))
        });
        match done.await {
            Ok((agent, page, word)) => {
                self.agent = agent;
                self.words.extend(word);
                page
            }
            // Its message stands on stderr.
            Err(_) => PageResult {
                end: PageEnd::AgentFault("the simulated user agent panicked".to_owned()),
                events: Vec::new(),
                upload_events: Vec::new(),
                timing: None,
                entry: None,
                worker_saw: Vec::new(),
                thrown: None,
                surface: None,
                ms: 0.0,
            },
        }
    }

    /// What the user agent says of requests that came to nothing.
    pub fn into_words(self) -> Vec<Word> {
        self.words
    }
}

/// The reason, the step that decided and what it compared, as a browser would log them.
fn word(view: &View, path: &Path) -> Option<Word> {
    let reason = view.reason?;
    let text = match path.iter().rposition(|step| step.decides) {
        None => reason.to_string(),
        // Values are compared in the step before, often of an algorithm that the deciding one calls.
        Some(at) => match path[..at].last().filter(|before| before.compared.is_some()) {
            Some(before) => format!("{before}; {}", path[at]),
            None => path[at].to_string(),
        },
    };
    Some(Word { text, category: None, reason: Some(reason) })
}
