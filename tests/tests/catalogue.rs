//! Every case of every browser and of the simulated user agent as a test, for those who live in `cargo test`.
//!
//! Tests are named `BROWSER::CASE` and `simulated::CASE`. All that are selected run in one run of the simulated user agent and
//! then one of all browsers at once; each test waits for its result. Cases of a browser that is not there are ignored, and say why.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    process::ExitCode,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use corscheck::{
    browser::{Endpoint, Engine, Paths, SessionOptions, locate},
    event::{CaseResult, Event, Reporter},
    report::{
        CaseWords,
        failure::{self, FailureContext},
    },
    run::{Plan, run},
    user_agent::{Choice, SIMULATED},
    verdict::{Standing, Verdict},
};
use corscheck_cases::{
    Case, Catalogue, Level,
    families::{Families, SAMPLE},
    known,
    oracle::Defects,
};
use corscheck_tests::turn;
use libtest_mimic::{Arguments, Failed, Trial};

/// How long a test waits for its result; the whole catalogue takes a minute.
const DEADLINE: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let catalogue = match Catalogue::embedded() {
        Ok(catalogue) => catalogue,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return ExitCode::FAILURE;
        }
    };
    let (families, sample) = match Families::embedded().map_err(|e| e.to_string()).and_then(|families| {
        let sample = families.sample_cases(SAMPLE).map_err(|e| e.to_string())?;
        Ok((families, sample))
    }) {
        Ok(made) => made,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return ExitCode::FAILURE;
        }
    };
    // As in a default run: what was written by hand, and a sample of what is generated.
    let catalogue = catalogue.with(sample);
    let cases: Vec<Arc<Case>> = catalogue.cases().iter().cloned().map(Arc::new).collect();
    let board = Arc::new(Board::default());
    let mut trials = Vec::new();
    let mut selected: Vec<(Choice, Vec<Arc<Case>>)> = Vec::new();
    let mut choices = vec![Choice::Simulated(Defects::NONE)];
    for &engine in Engine::ALL {
        match locate(engine, &Paths::default()) {
            Ok(installed) => choices.push(Choice::Browser(Endpoint::Local(installed))),
            Err(missing) => {
                let reason = format!("not here: {}", missing.what.join("; "));
                trials.extend(cases.iter().map(|case| missing_trial(engine, case, &reason)));
            }
        }
    }
    for choice in choices {
        let all: Vec<_> = cases.iter().map(|case| (case.clone(), trial(choice.word(), case, &board))).collect();
        let runs = |trial: &Trial| !args.is_filtered_out(trial) && !args.is_ignored(trial);
        let wanted = all.iter().filter(|(_, trial)| runs(trial)).map(|(case, _)| case.clone()).collect();
        selected.push((choice, wanted));
        trials.extend(all.into_iter().map(|(_, trial)| trial));
    }
    selected.retain(|(_, cases)| !cases.is_empty());

    let running = (!args.list && !selected.is_empty()).then(|| {
        let (board, catalogue) = (board.clone(), catalogue.clone());
        std::thread::spawn(move || run_all(selected, &catalogue, &families, &board))
    });
    let conclusion = libtest_mimic::run(&args, trials);
    if let Some(running) = running {
        // The thread's own panic has been told to every test that waited for it.
        let _ = running.join();
        board.summarise();
    }
    conclusion.exit_code()
}

fn trial(agent: &'static str, case: &Arc<Case>, board: &Arc<Board>) -> Trial {
    let (board, of) = (board.clone(), case.clone());
    Trial::test(name(agent, case), move || {
        let result = board.wait(agent, of.id.as_str())?;
        if result.fails_run(false) { Err(Failed::from(told(&result, &of))) } else { Ok(()) }
    })
}

/// A case that cannot run here. Asked for all the same (`--include-ignored`), it fails: it was not found to be right.
fn missing_trial(engine: Engine, case: &Case, reason: &str) -> Trial {
    let words = reason.to_owned();
    Trial::test(name(engine.word(), case), move || Err(Failed::from(words))).with_ignored_flag(true).with_kind(reason)
}

fn name(agent: &str, case: &Case) -> String {
    format!("{agent}::{}", case.id)
}

fn told(result: &CaseResult, case: &Case) -> String {
    let words = CaseWords {
        why: case.why.clone(),
        spec: case.spec.as_str().to_owned(),
        spec_url: case.spec.url(),
        file: case.place.file.clone(),
        line: case.place.line,
    };
    failure::text(result, &FailureContext { color: false, repeat_command: failure::repeat_command(result, None), words: Some(&words) })
}

/// Runs what is selected: browsers with the same cases at once, which are all of them unless a filter names browsers. The simulated
/// user agent comes first and alone: it takes a few seconds, and no browser shall slow it down.
fn run_all(selected: Vec<(Choice, Vec<Arc<Case>>)>, catalogue: &Catalogue, families: &Families, board: &Arc<Board>) {
    // Whatever happens below, a panic included, nobody waits for ever.
    let _closing = Closing(board.clone());
    let _turn = turn();
    let mut plans: Vec<Plan> = Vec::new();
    for (choice, cases) in selected {
        let known = match known::embedded(choice.word(), catalogue, families) {
            Ok(known) => known,
            Err(mistakes) => return board.close(None, &format!("the known deviations cannot be read: {mistakes}")),
        };
        let is_alone = |plan: &Plan| plan.agents.iter().any(|(choice, _)| choice.word() == SIMULATED);
        let same = |plan: &&mut Plan| !is_alone(plan) && plan.cases.iter().map(|c| &c.id).eq(cases.iter().map(|c| &c.id));
        match plans.iter_mut().find(same) {
            Some(plan) => plan.agents.push((choice, known)),
            None => plans.push(Plan {
                cases,
                agents: vec![(choice, known)],
                session: SessionOptions::default(),
                command: std::env::args().collect(),
                catalogue: None,
                repeat: 1,
                strict: false,
                whole: Vec::new(),
                families: None,
            }),
        }
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return board.close(None, &format!("no threads: {error}")),
    };
    for plan in plans {
        let mut poster = Poster { board: board.clone(), last_note: HashMap::new() };
        let words: Vec<_> = plan.agents.iter().map(|(choice, _)| choice.word()).collect();
        let why = match runtime.block_on(run(plan, &mut [&mut poster])) {
            Ok(outcome) => outcome.footer.cut_short.unwrap_or_else(|| "the run is over".to_owned()),
            Err(error) => error.to_string(),
        };
        for browser in words {
            board.close(Some(browser), &why);
        }
        if why == "interrupted" {
            return board.close(None, &why);
        }
    }
}

/// Where results are put up and waited for.
#[derive(Default)]
struct Board {
    posted: Mutex<Posted>,
    news: Condvar,
}

#[derive(Default)]
struct Posted {
    results: HashMap<(String, String), CaseResult>,
    /// Why no more results of a browser come.
    closed: HashMap<String, String>,
    /// Why no more results come at all.
    over: Option<String>,
}

impl Board {
    /// A panic elsewhere leaves the maps as they were between two statements: they can be used.
    fn lock(&self) -> MutexGuard<'_, Posted> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, browser: &str, case: &str) -> Result<CaseResult, String> {
        let key = (browser.to_owned(), case.to_owned());
        let deadline = Instant::now() + DEADLINE;
        let mut posted = self.lock();
        loop {
            if let Some(result) = posted.results.get(&key) {
                return Ok(result.clone());
            }
            if let Some(why) = posted.closed.get(browser).or(posted.over.as_ref()) {
                return Err(format!("no result: {why}"));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("no result within {} s", DEADLINE.as_secs()));
            }
            posted = self.news.wait_timeout(posted, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn post(&self, result: &CaseResult) {
        self.lock().results.insert((result.browser.clone(), result.case.clone()), result.clone());
        self.news.notify_all();
    }

    /// Says why nothing more comes, of one browser or at all; the first reason stays.
    fn close(&self, browser: Option<&str>, why: &str) {
        let mut posted = self.lock();
        match browser {
            Some(browser) => _ = posted.closed.entry(browser.to_owned()).or_insert_with(|| why.to_owned()),
            None => _ = posted.over.get_or_insert_with(|| why.to_owned()),
        }
        drop(posted);
        self.news.notify_all();
    }

    /// One line on standings, and one for each result that passes although it is not right. On stderr: stdout may be JSON.
    fn summarise(&self) {
        let posted = self.lock();
        let mut standings: BTreeMap<Standing, usize> = BTreeMap::new();
        let mut lines = Vec::new();
        for result in posted.results.values() {
            *standings.entry(result.standing).or_default() += 1;
            let recorded = result.level == Level::Info && result.verdict != Verdict::Agrees;
            if recorded || matches!(result.standing, Standing::Known | Standing::Unexpected | Standing::Flaky) && !result.fails_run(false) {
                let (browser, case, verdict) = (&result.browser, &result.case, &result.verdict);
                lines.push(format!("  {browser}::{case}: {}, {verdict} (level {})", result.standing, result.level.word()));
            }
        }
        lines.sort();
        let counts: Vec<_> = standings.iter().map(|(standing, n)| format!("{n} {standing}")).collect();
        eprintln!("standings: {}", counts.join(", "));
        for line in lines {
            eprintln!("{line}");
        }
    }
}

/// Puts up what a run tells.
struct Poster {
    board: Arc<Board>,
    last_note: HashMap<String, String>,
}

impl Reporter for Poster {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Result(result) => self.board.post(result),
            Event::Note { browser: Some(browser), text } => _ = self.last_note.insert(browser.clone(), text.clone()),
            Event::BrowserFinished { browser } => {
                self.board.close(Some(browser), self.last_note.get(browser).map_or("the browser is through", |note| note));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Closes the board when the run is over in whatever way.
struct Closing(Arc<Board>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close(None, if std::thread::panicking() { "the run panicked" } else { "the run is over" });
    }
}
