//! What is scripted and what was recorded, by token.
//!
//! An exchange is recorded when the head of its request is complete, so that a request whose answer never ends is seen as well.
//! The answer is chosen under the same lock: the order of the record is the order of the answers.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use corscheck_cases::{
    Alias,
    script::{Answer, Asked, Script},
};
use tokio::sync::Notify;

use crate::{Exchange, Fate, HttpVersion, RecordedAnswer, RecordedRequest, Token, WireBytes};

/// More exchanges than any case needs: a page in an endless loop must not fill the memory.
const MAX_EXCHANGES: usize = 10_000;

/// Every attempt under way, and the clock and counters of the run.
#[derive(Debug)]
pub(crate) struct Recorder {
    started: Instant,
    sequence: AtomicU64,
    connections: AtomicU64,
    attempts: Mutex<HashMap<Token, Arc<Attempt>>>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), sequence: AtomicU64::new(0), connections: AtomicU64::new(0), attempts: Mutex::default() }
    }

    /// A fresh number for a connection.
    pub(crate) fn connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn register(&self, token: &Token, script: Script) {
        let former = lock(&self.attempts).insert(token.clone(), Arc::new(Attempt::new(script)));
        if let Some(former) = former {
            former.end();
        }
    }

    pub(crate) fn set_step(&self, token: &Token, step: usize) {
        if let Some(attempt) = self.attempt(token.as_str()) {
            lock(&attempt.state).step = step;
        }
    }

    pub(crate) fn exchanges(&self, token: &Token) -> Vec<Exchange> {
        self.attempt(token.as_str()).map(|attempt| lock(&attempt.state).exchanges.clone()).unwrap_or_default()
    }

    pub(crate) fn take(&self, token: &Token) -> Vec<Exchange> {
        let attempt = lock(&self.attempts).remove(token);
        attempt.map(|attempt| attempt.end()).unwrap_or_default()
    }

    /// The attempt that a URL names.
    pub(crate) fn attempt(&self, token: &str) -> Option<Arc<Attempt>> {
        lock(&self.attempts).get(token).cloned()
    }

    /// Records a request and chooses its answer. Nothing when the token was taken meanwhile or has recorded enough.
    pub(crate) fn arrive(&self, attempt: Arc<Attempt>, arrival: Arrival, path: &[u8]) -> Option<(Recording, Option<Chosen>)> {
        let (is_preflight, is_conditional) = (arrival.request.is_preflight(), arrival.request.is_conditional());
        let mut state = lock(&attempt.state);
        if state.ended || state.exchanges.len() >= MAX_EXCHANGES {
            return None;
        }
        let chosen = state.choose(arrival.at, path, is_preflight, is_conditional);
        let index = state.exchanges.len();
        let step = u32::try_from(state.step).unwrap_or(u32::MAX);
        state.exchanges.push(Exchange {
            at: arrival.at,
            step,
            connection: arrival.connection,
            // Counted under the lock, so that the record of one attempt is in this order.
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed),
            protocol: arrival.protocol,
            arrived_us: micros(self.started),
            answered_us: None,
            request: arrival.request,
            answer: RecordedAnswer::default(),
        });
        drop(state);
        Some((Recording { attempt, index, started: self.started, settled: false }, chosen))
    }
}

/// A request whose head is complete.
pub(crate) struct Arrival {
    pub(crate) at: Alias,
    pub(crate) connection: u64,
    pub(crate) protocol: HttpVersion,
    pub(crate) request: RecordedRequest,
}

/// One attempt at one case: everything under one token.
#[derive(Debug)]
pub(crate) struct Attempt {
    state: Mutex<State>,
    ended: Notify,
}

#[derive(Debug)]
struct State {
    script: Arc<Script>,
    step: usize,
    /// How often each list of answers was asked.
    asked: HashMap<AnswerList, usize>,
    exchanges: Vec<Exchange>,
    ended: bool,
}

/// Names a list of answers in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct AnswerList {
    step: usize,
    resource: usize,
    asked: Asked,
}

impl Attempt {
    fn new(script: Script) -> Self {
        let state = State { script: Arc::new(script), step: 0, asked: HashMap::new(), exchanges: Vec::new(), ended: false };
        Self { state: Mutex::new(state), ended: Notify::new() }
    }

    fn end(&self) -> Vec<Exchange> {
        let mut state = lock(&self.state);
        state.ended = true;
        let exchanges = std::mem::take(&mut state.exchanges);
        drop(state);
        self.ended.notify_waiters();
        exchanges
    }

    /// Resolves once the token is taken.
    pub(crate) async fn ended(&self) {
        let mut notified = std::pin::pin!(self.ended.notified());
        // Enlisted before the flag is read: an end between the two is not missed.
        notified.as_mut().enable();
        if lock(&self.state).ended {
            return;
        }
        notified.await;
    }
}

impl State {
    fn choose(&mut self, at: Alias, path: &[u8], is_preflight: bool, is_conditional: bool) -> Option<Chosen> {
        let resources = self.script.steps.get(self.step)?;
        let resource = resources.iter().position(|r| r.at == at && r.path.as_bytes() == path)?;
        let asked = resources[resource].asked(is_preflight, is_conditional);
        let list = AnswerList { step: self.step, resource, asked };
        let length = list.of(&self.script).len();
        let asked = self.asked.entry(list).or_default();
        let nth = (*asked).min(length.checked_sub(1)?);
        *asked += 1;
        Some(Chosen { script: Arc::clone(&self.script), list, nth })
    }
}

impl AnswerList {
    fn of(self, script: &Script) -> &[Answer<Vec<u8>>] {
        script.steps[self.step][self.resource].answers(self.asked)
    }
}

/// The answer chosen for a request.
#[derive(Debug)]
pub(crate) struct Chosen {
    script: Arc<Script>,
    list: AnswerList,
    nth: usize,
}

impl Chosen {
    pub(crate) fn answer(&self) -> &Answer<Vec<u8>> {
        &self.list.of(&self.script)[self.nth]
    }
}

/// The place of one exchange in the record, for as long as it is under way.
///
/// Dropped before its fate is settled, it settles it: its connection was ended.
#[derive(Debug)]
pub(crate) struct Recording {
    attempt: Arc<Attempt>,
    index: usize,
    started: Instant,
    settled: bool,
}

impl Recording {
    pub(crate) fn attempt(&self) -> &Arc<Attempt> {
        &self.attempt
    }

    /// Notes the body of the request.
    pub(crate) fn body(&self, kept: Vec<u8>, length: u64, complete: bool) {
        self.update(|exchange| {
            exchange.request.body = WireBytes(kept);
            exchange.request.body_length = length;
            exchange.request.body_complete = complete;
        });
    }

    /// Notes the answer that is about to be sent.
    pub(crate) fn answer(&mut self, answer: RecordedAnswer) {
        let settled = answer.fate != Fate::Pending;
        let now = settled.then(|| micros(self.started));
        self.update(|exchange| {
            exchange.answer = answer;
            exchange.answered_us = now;
        });
        self.settled = settled;
    }

    /// Settles the fate of an answer whose last bytes are about to be sent.
    pub(crate) fn settle(&mut self, fate: Fate) {
        let now = micros(self.started);
        self.update(|exchange| {
            exchange.answer.fate = fate;
            exchange.answered_us = Some(now);
        });
        self.settled = true;
    }

    /// Settles that nothing is sent, because the script says so.
    pub(crate) fn silent(&mut self) {
        self.update(|exchange| exchange.answer.fate = Fate::Cut);
        self.settled = true;
    }

    /// Settles that the answer could not be sent.
    pub(crate) fn fail(&mut self, error: impl Into<String>) {
        let fate = Fate::Failed { error: error.into() };
        self.update(|exchange| {
            exchange.answer.fate = fate;
            exchange.answered_us = None;
        });
        self.settled = true;
    }

    fn update(&self, change: impl FnOnce(&mut Exchange)) {
        // Absent once the token is taken: what was handed out is final.
        if let Some(exchange) = lock(&self.attempt.state).exchanges.get_mut(self.index) {
            change(exchange);
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if !self.settled {
            self.fail("the connection ended before the answer was sent");
        }
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Locks; a panic elsewhere is no reason to lose what was recorded.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
