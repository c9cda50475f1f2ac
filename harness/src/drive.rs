//! Drives one user agent through its cases: sessions, pages, rounds of cases between controls, retries.
//!
//! A lost session (a tab, browser or driver that crashed or hangs) is replaced; what was recorded is kept and unfinished cases run
//! again, in smaller rounds each time, so that a case that kills the browser ends up alone and takes no other with it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use corscheck_cases::{
    Alias, Case, Context,
    bind::{Bound, BoundStep, bind},
    known::Known,
};
use corscheck_servers::{Servers, Token};
use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use tokio::sync::{Semaphore, mpsc::UnboundedSender};

use crate::{
    agent::{Lost, PATIENCE},
    browser::Engine,
    control::{Controls, Readings},
    event::{Attempt, CaseResult, Event},
    judge::{describe, judge, not_judged},
    observation::{Observation, PageResult, Word},
    plan::{self, ROUND, Stage},
    standing::standing,
    user_agent::{Link, Session, UserAgent},
    verdict::{Cause, Judgement, Standing, Verdict},
};

/// How much longer a beacon is waited for when all that is expected of it has arrived: what should not come would come by then.
const BEACON_ENDS_MS: u32 = 100;

/// How many cases of one context are under way at once. Engines open six connections to an origin, and cases spread over origins.
pub const WIDTH: usize = 32;

/// How many cases with redirects are under way at once in Chromium, in all contexts together.
///
/// It keeps the connection of a redirect until the preflight of the next hop is answered, and opens six to an origin: when redirects
/// hold all six, their preflights wait for them and they for their preflights (seen in version 156).
const REDIRECTING_WIDTH: usize = 5;

/// How many cases that wait for real time are under way at once in one context.
const SLOW_WIDTH: usize = 64;

/// How often a case may lose its session before it is given up.
const MOST_LOSSES: u32 = 3;

/// How often a case's page may fail to come up before the case is given up.
const MOST_UNOPENED: u32 = 2;

/// How many attempts a case gets when it does not come out as expected.
const MOST_ATTEMPTS: usize = 2;

/// No further attempt at a session is begun after so long.
const MOST_START: Duration = Duration::from_secs(15);

/// How many sessions one pass through the cases may use up before it is given up: something is wrong beyond the cases.
const MOST_SESSIONS: u32 = 20;

/// Everything needed to drive one user agent.
pub struct Drive {
    /// The user agent.
    pub agent: UserAgent,
    /// The origins.
    pub servers: Arc<Servers>,
    /// Where events go.
    pub events: UnboundedSender<Event>,
    /// Known deviations of this user agent.
    pub known: Vec<Known>,
    /// The cases.
    pub cases: Vec<Arc<Case>>,
    /// Where results wait whose case is to be repeated.
    pub provisional: Provisional,
    /// How many attempts every case gets, each in a fresh session; more than one shows what is flaky.
    pub repeat: usize,
}

/// Results of first attempts whose case is still to be repeated: what a run that is interrupted has of them.
#[derive(Debug, Clone, Default)]
pub struct Provisional(Arc<Mutex<BTreeMap<(&'static str, usize), CaseResult>>>);

impl Provisional {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(&'static str, usize), CaseResult>> {
        // Whoever panicked left the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, agent: &'static str, index: usize, result: CaseResult) {
        self.lock().insert((agent, index), result);
    }

    fn forget(&self, agent: &'static str, index: usize) {
        self.lock().remove(&(agent, index));
    }

    /// Everything that waits, in order; nothing waits afterwards.
    pub fn take(&self) -> Vec<CaseResult> {
        std::mem::take(&mut *self.lock()).into_values().collect()
    }
}

/// A case that has run, before it is judged.
struct Ran {
    index: usize,
    token: Token,
    bound: Bound,
    pages: Vec<PageResult>,
    words: Vec<Word>,
}

/// What a pass through some cases in one session came to.
#[derive(Default)]
struct Pass {
    /// Cases that have one more attempt.
    done: Vec<usize>,
    /// Those of them that want another.
    again: Vec<usize>,
    /// Cases that were under way when the session was lost.
    in_flight: Vec<usize>,
    lost: Option<String>,
    /// Cases whose page did not come up although the browser is there, and why.
    unopened: Vec<(usize, String)>,
    /// Time spent with pages open: without the start of sessions and the loading of pages.
    busy: Duration,
}

/// A session could not be had at all.
#[derive(Debug, thiserror::Error)]
#[error("{agent} could not be started: {words}")]
pub struct Unavailable {
    /// The user agent.
    pub agent: &'static str,
    /// Why.
    pub words: String,
}

impl Drive {
    /// Runs every case to its final verdict; each becomes one [`Event::Result`].
    ///
    /// # Errors
    ///
    /// No session of the user agent could be started; no case has a result then.
    pub async fn run(self) -> Result<(), Unavailable> {
        let mut state = State::new(&self, 0);
        let result = state.run().await;
        let _ = self.events.send(Event::BrowserFinished { browser: self.agent.word().to_owned() });
        result
    }

    /// Runs every case once in a session that is up; gives how many came out as expected, and the time it took once the pages
    /// were open. For measuring.
    ///
    /// # Errors
    ///
    /// The session was lost.
    pub async fn run_in(&self, session: &mut Session) -> Result<(usize, Duration), String> {
        let all: Vec<usize> = (0..self.cases.len()).collect();
        let mut state = State::new(self, 1);
        let pass = state.pass(session, &all, ROUND).await;
        match pass.lost {
            Some(words) => Err(words),
            None => Ok((pass.done.len() - pass.again.len(), pass.busy)),
        }
    }

    /// Runs every case once in a session that is up; gives each attempt with the index of its case.
    ///
    /// # Errors
    ///
    /// The session was lost.
    pub async fn attempts_in(&self, session: &mut Session) -> Result<Vec<(usize, Attempt)>, String> {
        let all: Vec<usize> = (0..self.cases.len()).collect();
        let mut state = State { once: Some(Vec::new()), ..State::new(self, 1) };
        let pass = state.pass(session, &all, ROUND).await;
        let unopened = pass.unopened.into_iter().next().map(|(_, words)| words);
        match pass.lost.or(unopened) {
            Some(words) => Err(words),
            None => Ok(state.once.unwrap_or_default()),
        }
    }

    fn note(&self, text: impl Into<String>) {
        let _ = self.events.send(Event::Note { browser: Some(self.agent.word().to_owned()), text: text.into() });
    }
}

struct State<'a> {
    drive: &'a Drive,
    session: u32,
    attempts: HashMap<usize, Vec<Attempt>>,
    losses: Vec<u32>,
    unopened: Vec<u32>,
    /// Where attempts go that are neither repeated nor become results.
    once: Option<Vec<(usize, Attempt)>>,
}

impl<'a> State<'a> {
    fn new(drive: &'a Drive, session: u32) -> Self {
        let cases = drive.cases.len();
        Self { drive, session, attempts: HashMap::new(), losses: vec![0; cases], unopened: vec![0; cases], once: None }
    }

    async fn run(&mut self) -> Result<(), Unavailable> {
        let drive = self.drive;
        let beyond = |i: &usize| drive.cases[*i].reach().into_iter().find_map(|r| drive.agent.cannot_reach(r, &drive.servers));
        let (far, all): (Vec<usize>, Vec<usize>) = (0..drive.cases.len()).partition(|i| beyond(i).is_some());
        for index in far {
            self.conclude(index, Verdict::Unsupported(beyond(&index).unwrap_or_default().to_owned()));
        }
        let mut again = self.pass_until_done(all).await?;
        for attempt in 2.. {
            if again.is_empty() {
                break;
            }
            let why = if attempt <= self.drive.repeat { "to be repeated" } else { "unexpected: repeated" };
            self.drive.note(format!("{} {why} in a fresh session", count(again.len(), "result")));
            again = self.pass_until_done(again).await?;
        }
        Ok(())
    }

    /// Runs cases until each has one more attempt; gives back those that want another.
    async fn pass_until_done(&mut self, mut open: Vec<usize>) -> Result<Vec<usize>, Unavailable> {
        let mut again = Vec::new();
        let first = self.session;
        while !open.is_empty() {
            if self.session - first >= MOST_SESSIONS {
                for index in std::mem::take(&mut open) {
                    self.give_up(index, "too many sessions were lost");
                }
                break;
            }
            let mut session = match self.start().await {
                Ok(session) => session,
                Err(error) if self.session == 0 => return Err(error),
                Err(error) => {
                    for index in open {
                        self.give_up(index, &error.words);
                    }
                    return Ok(again);
                }
            };
            let worst = open.iter().map(|i| self.losses[*i]).max().unwrap_or(0);
            let round = match worst {
                0 => ROUND,
                1 => 12,
                _ => 1,
            };
            let pass = self.pass(&mut session, &open, round).await;
            session.end().await;
            let done: HashSet<usize> = pass.done.iter().copied().collect();
            open.retain(|i| !done.contains(i));
            again.extend(pass.again);
            for (index, words) in &pass.unopened {
                self.unopened[*index] += 1;
                if self.unopened[*index] >= MOST_UNOPENED {
                    open.retain(|i| i != index);
                    self.give_up(*index, words);
                }
            }
            if let Some(words) = pass.lost {
                let rest = if open.is_empty() {
                    "nothing was left to do".to_owned()
                } else {
                    format!("{} again in a new one", count(open.len(), "case"))
                };
                self.drive.note(format!("session {} lost ({words}); {rest}", self.session));
                for &index in &pass.in_flight {
                    self.losses[index] += 1;
                    if self.losses[index] >= MOST_LOSSES {
                        open.retain(|i| *i != index);
                        self.give_up(index, &words);
                    }
                }
            } else if !pass.unopened.is_empty() {
                self.drive.note(format!("{} again in a new session: {}", count(pass.unopened.len(), "case"), pass.unopened[0].1));
            } else if !open.is_empty() {
                // A pass that lost nothing has finished everything; anything else would loop for ever.
                for index in std::mem::take(&mut open) {
                    self.give_up(index, "the case was never finished");
                }
            }
        }
        Ok(again)
    }

    async fn start(&mut self) -> Result<Session, Unavailable> {
        let drive = self.drive;
        let mut words = String::new();
        let first = Instant::now();
        for _ in 0..3 {
            let started = Instant::now();
            if first.elapsed() > MOST_START {
                break;
            }
            match drive.agent.start().await {
                Ok(session) => {
                    self.session += 1;
                    if let Some(introduction) = session.introduction() {
                        drive.note(introduction);
                    }
                    let _ = drive.events.send(Event::SessionStarted {
                        browser: drive.agent.word().to_owned(),
                        session: self.session,
                        ms: started.elapsed().as_millis() as u64,
                    });
                    return Ok(session);
                }
                Err(error) => {
                    drive.note(format!("no session: {error}"));
                    words = error;
                }
            }
        }
        Err(Unavailable { agent: drive.agent.word(), words })
    }

    /// One session through all stages, until it is done or lost.
    async fn pass(&mut self, session: &mut Session, open: &[usize], round: usize) -> Pass {
        let mut pass = Pass::default();
        for stage in plan::stages(&self.drive.cases, open, round) {
            self.stage(session, &stage, &mut pass).await;
            if pass.lost.is_some() {
                break;
            }
        }
        pass
    }

    async fn stage(&mut self, session: &mut Session, stage: &Stage, pass: &mut Pass) {
        let links = match session.open(self.drive.servers.topology(), stage.page, &stage.document, &stage.contexts).await {
            Ok(links) => links,
            Err(words) => {
                // One page that does not come up must not cost the results of the others.
                let all = stage.rounds.iter().flatten().chain(&stage.slow).chain(&stage.exclusive);
                pass.unopened.extend(all.map(|i| (*i, words.clone())));
                if !session.is_alive().await {
                    pass.lost = Some(words);
                }
                return;
            }
        };
        let opened = Instant::now();
        let mut words: HashMap<String, Vec<Word>> = HashMap::new();
        let everyone: Vec<usize> = stage.rounds.iter().flatten().chain(&stage.slow).chain(&stage.exclusive).copied().collect();
        let controls = Controls::new(&self.drive.servers, stage.page, &links);
        let mut last = controls.read(&plan::controls(&self.drive.cases, &everyone)).await;
        let first_opening = last.clone();

        let drive = self.drive;
        let redirecting =
            Semaphore::new(if drive.agent.word() == Engine::Chromium.word() { REDIRECTING_WIDTH } else { Semaphore::MAX_PERMITS });
        let slow = drive.run_cases(&stage.slow, &links, SLOW_WIDTH, &redirecting);
        let quick = async {
            let mut driver_lost = None;
            let mut before: Option<(Vec<Ran>, Readings)> = None;
            // One turn more than there are rounds: each turn runs a round and, beside it, controls and judges the one before.
            for turn in 0..=stage.rounds.len() {
                let round = stage.rounds.get(turn).map_or(&[][..], Vec::as_slice);
                let controlled: Vec<usize> = before.iter().flat_map(|(ran, _)| ran.iter().map(|r| r.index)).collect();
                // What the latest controls before this round said: later ones must not speak for them.
                let opening = last.clone();
                let aftermath = async {
                    let closing = controls.read(&plan::controls(&drive.cases, &controlled)).await;
                    if !controlled.is_empty()
                        && driver_lost.is_none()
                        && let Err(error) = collect_words(session, &mut words).await
                    {
                        // The results stand without the browser's words; the next page will need another driver.
                        drive.note(format!("the driver does not answer any more: {error}"));
                        driver_lost = Some(error);
                    }
                    closing
                };
                let ((ran, lost), closing) = join(drive.run_cases(round, &links, WIDTH, &redirecting), aftermath).await;
                let lost_before = closing.lost();
                if lost_before.is_none() {
                    let (ran, opening) = before.take().unwrap_or_default();
                    for ran in ran {
                        self.settle(pass, ran, &[&opening, &closing], &mut words);
                    }
                }
                last.merge(closing);
                if let Some(lost) = lost.or(lost_before) {
                    // What ended without a control after it is not judged: it runs again with the rest.
                    let ended = |i: &usize| ran.iter().any(|r| r.index == *i);
                    let unsettled: Vec<&Ran> = before.iter().flat_map(|(ran, _)| ran).collect();
                    let in_flight = round.iter().copied().filter(|i| !ended(i)).chain(unsettled.iter().map(|r| r.index)).collect();
                    ran.iter().chain(unsettled).for_each(|r| drop(drive.servers.take(&r.token)));
                    return (Some((lost, in_flight)), driver_lost);
                }
                before = Some((ran, opening));
            }
            (None, driver_lost)
        };
        let ((mut rest_ran, mut rest_lost), (quick_lost, driver_lost)) = join(slow, quick).await;
        let rest: Vec<usize> = stage.slow.iter().chain(&stage.exclusive).copied().collect();
        let mut closing = Readings::default();
        // A page that is gone or hangs runs nothing more and has no controls to read.
        if rest_lost.is_none() && quick_lost.is_none() {
            let (ran, lost) = drive.run_alone(&stage.exclusive, &links).await;
            rest_ran.extend(ran);
            rest_lost = lost;
        }
        if rest_lost.is_none() && quick_lost.is_none() {
            closing = controls.read(&plan::controls(&drive.cases, &rest)).await;
            rest_lost = closing.lost();
        }
        if rest_lost.is_none() && quick_lost.is_none() {
            if driver_lost.is_none() && !rest.is_empty() {
                // Words of slow cases may have come at any time: they are in the map, or still to be fetched.
                let _ = collect_words(session, &mut words).await;
            }
            for ran in rest_ran {
                self.settle(pass, ran, &[&first_opening, &closing], &mut words);
            }
        } else {
            let ended = |i: &usize| rest_ran.iter().any(|r| r.index == *i);
            pass.in_flight.extend(stage.slow.iter().filter(|i| !ended(i)));
            rest_ran.iter().for_each(|r| drop(drive.servers.take(&r.token)));
        }
        pass.busy += opened.elapsed();
        if let Some((lost, in_flight)) = quick_lost {
            pass.lost = Some(lost.to_string());
            pass.in_flight.extend::<Vec<usize>>(in_flight);
        } else if let Some(lost) = rest_lost {
            pass.lost = Some(lost.to_string());
        } else {
            pass.lost = driver_lost;
        }
    }

    /// Judges a case that ran and keeps the attempt.
    fn settle(&mut self, pass: &mut Pass, ran: Ran, controls: &[&Readings], words: &mut HashMap<String, Vec<Word>>) {
        let (index, attempt, bound) = self.drive.judged(ran, self.session, controls, words);
        pass.done.push(index);
        if self.record(index, attempt, &bound) {
            pass.again.push(index);
        }
    }

    /// Keeps an attempt; emits the result when it is final, otherwise says that the case wants another attempt.
    fn record(&mut self, index: usize, attempt: Attempt, bound: &Bound) -> bool {
        if let Some(once) = &mut self.once {
            once.push((index, attempt));
            return false;
        }
        let case = &self.drive.cases[index];
        let attempts = self.attempts.entry(index).or_default();
        attempts.push(attempt);
        let (standing, _) = standing(case, attempts, &self.drive.known);
        let settled = matches!(standing, Standing::AsExpected | Standing::Known);
        if attempts.len() < self.drive.repeat || !settled && attempts.len() < MOST_ATTEMPTS {
            let result = self.result(index, bound);
            self.drive.provisional.keep(self.drive.agent.word(), index, result);
            return true;
        }
        self.emit(index, bound);
        false
    }

    /// A last attempt that proves nothing.
    fn give_up(&mut self, index: usize, words: &str) {
        self.conclude(index, not_judged(Cause::SessionLost { words: words.to_owned() }).verdict);
    }

    /// A last attempt of which nothing was observed.
    fn conclude(&mut self, index: usize, verdict: Verdict) {
        let token = Token::new();
        let bound = bind(&self.drive.cases[index], self.drive.servers.topology(), token.as_str());
        let attempt = Attempt {
            session: self.session,
            token: token.as_str().to_owned(),
            judgement: Judgement { verdict, differences: Vec::new() },
            observation: Observation { pages: Vec::new(), exchanges: Vec::new(), words: Vec::new() },
        };
        self.attempts.entry(index).or_default().push(attempt);
        self.emit(index, &bound);
    }

    /// Emits the result of a case with all its attempts.
    fn emit(&mut self, index: usize, bound: &Bound) {
        let result = self.result(index, bound);
        self.attempts.remove(&index);
        self.drive.provisional.forget(self.drive.agent.word(), index);
        let _ = self.drive.events.send(Event::Result(Box::new(result)));
    }

    fn result(&self, index: usize, bound: &Bound) -> CaseResult {
        let case = &self.drive.cases[index];
        let attempts = self.attempts.get(&index).cloned().unwrap_or_default();
        let (standing, known) = standing(case, &attempts, &self.drive.known);
        finish(case, self.drive.agent.word(), attempts, standing, known, bound)
    }
}

impl Drive {
    /// Runs cases in their contexts at once; gives back those that ended, and why the rest did not.
    async fn run_cases(
        &self,
        indices: &[usize],
        links: &HashMap<Context, Link>,
        width: usize,
        redirecting: &Semaphore,
    ) -> (Vec<Ran>, Option<Lost>) {
        let mut by_context: HashMap<Context, Vec<usize>> = HashMap::new();
        for &index in indices {
            by_context.entry(self.cases[index].context).or_default().push(index);
        }
        let contexts = by_context.into_values().map(|indices| async move {
            let mut ran = Vec::with_capacity(indices.len());
            let mut lost = None;
            let mut running = stream::iter(indices).map(|index| self.run_in_turn(index, links, redirecting)).buffer_unordered(width);
            while let Some(result) = running.next().await {
                match result {
                    Ok(one) => ran.push(one),
                    // The page is gone or hangs: whoever else waits would only wait in vain.
                    Err(error) => {
                        lost = Some(error);
                        break;
                    }
                }
            }
            (ran, lost)
        });
        let mut all = Vec::with_capacity(indices.len());
        let mut lost = None;
        for (ran, gone) in join_all(contexts).await {
            all.extend(ran);
            lost = lost.or(gone);
        }
        (all, lost)
    }

    /// Runs cases one by one, while nothing else of their page is under way.
    async fn run_alone(&self, indices: &[usize], links: &HashMap<Context, Link>) -> (Vec<Ran>, Option<Lost>) {
        let mut all = Vec::with_capacity(indices.len());
        for &index in indices {
            match self.run_seen(index, links).await {
                Ok(one) => all.push(one),
                Err(lost) => return (all, Some(lost)),
            }
        }
        (all, None)
    }

    async fn run_in_turn(&self, index: usize, links: &HashMap<Context, Link>, redirecting: &Semaphore) -> Result<Ran, Lost> {
        // Nobody closes the semaphore.
        let _turn = if self.cases[index].redirects() { redirecting.acquire().await.ok() } else { None };
        self.run_seen(index, links).await
    }

    async fn run_seen(&self, index: usize, links: &HashMap<Context, Link>) -> Result<Ran, Lost> {
        let ran = self.run_case(index, links).await?;
        let _ = self.events.send(Event::Seen { browser: self.agent.word().to_owned(), cases: 1 });
        Ok(ran)
    }

    async fn run_case(&self, index: usize, links: &HashMap<Context, Link>) -> Result<Ran, Lost> {
        let case = &self.cases[index];
        let link = |context| links.get(&context).ok_or(Lost::Closed);
        let mut tab = link(case.context)?.tab();
        if case.contexts().iter().any(|c| !links.contains_key(c)) {
            return Err(Lost::Closed);
        }
        let token = Token::new();
        let mut bound = bind(case, self.servers.topology(), token.as_str());
        self.servers.register(&token, std::mem::take(&mut bound.script));
        let planned = Duration::from_millis(case.planned_ms());
        let mut pages = Vec::with_capacity(bound.steps.len());
        for (i, step) in bound.steps.iter().enumerate() {
            if step.action.wait_ms > 0 {
                tokio::time::sleep(Duration::from_millis(u64::from(step.action.wait_ms))).await;
            }
            if i > 0 {
                self.servers.set_step(&token, i);
            }
            tab.enter(link(step.context)?);
            match tab.run(&step.action, planned, self.time_to_abort(&token, i, step)).await {
                Ok(page) => pages.push(page),
                Err(lost) => {
                    self.servers.take(&token);
                    return Err(lost);
                }
            }
        }
        Ok(Ran { index, token, bound, pages, words: tab.into_words() })
    }

    /// Ends when a step is to be aborted: so long after every exchange it expects has arrived. Never, where nothing is to be aborted
    /// from outside.
    async fn time_to_abort(&self, token: &Token, step: usize, bound: &BoundStep) {
        // A beacon's page never hears of its end: that it has arrived is all there is.
        let beacon = bound.action.api.is_sent_and_gone().then_some(BEACON_ENDS_MS);
        let Some(after) = bound.action.abort_after_ms.filter(|ms| *ms > 0).or(beacon) else { return std::future::pending().await };
        let wanted = bound.expect.wires.first().map_or(0, Vec::len);
        let arrived = || self.servers.exchanges(token).iter().filter(|x| x.step as usize == step).count();
        let deadline = Instant::now() + PATIENCE / 2;
        while arrived() < wanted && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(u64::from(after))).await;
    }

    /// Judges a case that ran between two rounds of controls.
    fn judged(&self, ran: Ran, session: u32, controls: &[&Readings], words: &mut HashMap<String, Vec<Word>>) -> (usize, Attempt, Bound) {
        let case = &self.cases[ran.index];
        let observation = Observation {
            pages: ran.pages,
            exchanges: self.servers.take(&ran.token),
            words: ran.words.into_iter().chain(words.remove(ran.token.as_str()).unwrap_or_default()).collect(),
        };
        let wanted: Vec<(Context, Alias)> = plan::controls(std::slice::from_ref(case), &[0]);
        let failed = controls.iter().find_map(|c| c.failure(&wanted));
        let judgement = match failed {
            Some(control) => not_judged(Cause::ControlFailed { control }),
            None => judge(&ran.bound.steps, &observation),
        };
        let attempt = Attempt { session, token: ran.token.as_str().to_owned(), judgement, observation };
        (ran.index, attempt, ran.bound)
    }
}

async fn collect_words(session: &mut Session, by_token: &mut HashMap<String, Vec<Word>>) -> Result<(), String> {
    for word in session.words().await? {
        for token in &word.tokens {
            by_token.entry(token.clone()).or_default().push(Word {
                text: word.text.clone(),
                category: word.category.clone(),
                reason: word.reason,
            });
        }
    }
    Ok(())
}

fn finish(case: &Case, agent: &str, attempts: Vec<Attempt>, standing: Standing, known: Option<&Known>, bound: &Bound) -> CaseResult {
    let verdict = attempts.last().map_or(Verdict::NotJudged(Cause::Interrupted), |a| a.judgement.verdict.clone());
    let reasons: Vec<Vec<_>> =
        case.steps.iter().map(|s| std::iter::once(&s.expect).chain(&s.or).flat_map(|e| e.reasons.clone()).collect()).collect();
    let named = attempts.last().and_then(|a| a.observation.reason());
    let reason_agrees = match (named, reasons.iter().any(|r| !r.is_empty())) {
        (Some(named), true) => Some(reasons.iter().any(|r| r.contains(&named))),
        _ => None,
    };
    CaseResult {
        case: case.id.as_str().to_owned(),
        title: case.title.clone(),
        browser: agent.to_owned(),
        level: case.level,
        place: format!("{}/{}", case.page, case.context),
        verdict,
        standing,
        known: known.map(|k| k.link.clone()),
        expected: bound.steps.iter().map(describe).collect(),
        reasons,
        reason_agrees,
        attempts,
        rules: Vec::new(),
        path: Vec::new(),
    }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
