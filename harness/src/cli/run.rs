//! `corscheck run` and `corscheck bench`.

use std::{fs, path::PathBuf, sync::Arc};

use clap::Args;
use corscheck_cases::{
    Case, known,
    oracle::{Defect, Defects},
};

use super::{
    Color, Failure, Places,
    selection::{Pool, Selection, families},
};
use crate::{
    browser::{Missing, SessionOptions},
    event::{Event, Reporter},
    exit::Exit,
    report::{
        CaseWords, Environment, Words,
        html::{self, Input, Library, Run},
        jsonl::{JsonLines, Note},
        junit, summary,
        terminal::{self, Terminal},
    },
    run::Plan,
    user_agent::{Choice, SIMULATED},
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  corscheck run                                         everything written by hand and a sample of every family, everywhere
  corscheck run --browser chrome,firefox area:redirect  redirects in two browsers
  corscheck run cors-check/acao-absent                  one case
  corscheck run --repeat 3 area:redirect                each case three times, to see what is flaky
  corscheck run --browser simulated                     everything, without a browser
  corscheck run --browser simulated --defect acac-ignored   what the catalogue says of a user agent that is wrong
  corscheck run --family cors-check                     every generated case of a family
  corscheck run --filter '!family:*'                    the cases written by hand alone
  corscheck run --browser firefox --webdriver http://grid:4444
  corscheck run --browser chrome --capabilities '{\"goog:chromeOptions\":{\"args\":[\"--disable-features=X\"]}}'

Written to --out: report.html, results.jsonl (every exchange of every attempt), junit.xml, summary.md; shrunk.toml, when generated cases fail")]
pub(super) struct RunArgs {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    places: Places,
    /// Folder for results.
    #[arg(long, value_name = "DIR", default_value = "corscheck-out")]
    out: PathBuf,
    /// Run part I of N of the selection.
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    shard: Option<(usize, usize)>,
    /// Run every case so many times, each in a fresh session: verdicts that differ are flaky.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=100))]
    repeat: u8,
    /// Flaky results and mismatches of level `should` fail the run too.
    #[arg(long)]
    strict: bool,
    /// What is to be wrong with the simulated user agent; may be given again. `corscheck list --defects` names them all.
    #[arg(long, value_name = "NAME")]
    defect: Vec<String>,
    /// Show the browsers' windows.
    #[arg(long)]
    headed: bool,
    /// Capabilities merged over the harness's own: JSON, or @FILE.
    #[arg(long, value_name = "JSON")]
    capabilities: Option<String>,
    /// Read known deviations from the folder (chromium.toml, firefox.toml, webkit.toml) instead of the built-in ones.
    #[arg(long, value_name = "DIR")]
    baseline: Option<PathBuf>,
    /// Colours.
    #[arg(long, value_enum, default_value = "auto")]
    color: Color,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  corscheck bench\n  corscheck bench --browser firefox --cases 1000\n  corscheck bench --report corscheck-out/results.jsonl"
)]
pub(super) struct BenchArgs {
    #[command(flatten)]
    places: Places,
    /// Cases of each kind.
    #[arg(long, default_value_t = 480)]
    cases: usize,
    /// How often each is measured, bare loop and harness in turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure the report of these results instead: how large it is, and how soon it can be used.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

fn parse_shard(text: &str) -> Result<(usize, usize), String> {
    let parsed = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match parsed {
        Some((i, n)) if i >= 1 && i <= n => Ok((i, n)),
        _ => Err("expected I/N with 1 ≤ I ≤ N, such as 1/4".to_owned()),
    }
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| Failure::environment(format!("no threads: {e}")))
}

pub(super) fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let pool = args.selection.pool()?;
    let mut cases = args.selection.select(&pool)?;
    if let Some((i, n)) = args.shard {
        cases = cases.into_iter().enumerate().filter(|(k, _)| k % n == i - 1).map(|(_, c)| c).collect();
        if cases.is_empty() {
            return Err(Failure { words: format!("shard {i}/{n} of this selection is empty"), exit: Exit::NothingSelected });
        }
    }
    let session =
        SessionOptions { headed: args.headed, capabilities: capabilities(args.capabilities.as_deref())?, ..SessionOptions::default() };
    let (choices, missing) = choices(&args.places, &args.defect)?;
    let words = case_words(&cases);
    let options =
        terminal::Options { color: args.color.into(), strict: args.strict, words: words.clone(), environment: Environment::detect() };
    let mut terminal = Terminal::new(options);
    for missing in missing {
        eprintln!("note: without {}", missing.to_string().replace('\n', "\n  "));
    }
    let known = |choice: &Choice| baseline(args, choice.word(), &pool);
    let agents = choices.into_iter().map(|choice| Ok((choice.clone(), known(&choice)?))).collect::<Result<Vec<_>, Failure>>()?;
    let unwritable = |e: std::io::Error| Failure::environment(format!("{}: {e}", args.out.display()));
    fs::create_dir_all(&args.out).map_err(unwritable)?;
    for stale in ["report.html", "junit.xml", "summary.md", "shrunk.toml"] {
        // Those of an earlier run must not pass for this one's, should it not come to its end.
        match fs::remove_file(args.out.join(stale)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unwritable(error)),
            _ => {}
        }
    }
    let mut jsonl = JsonLines::create(&args.out).map_err(unwritable)?;
    let whole = pool.whole(&cases);
    let catalogue = args.selection.catalogue.as_ref().map(|path| path.display().to_string());
    let plan = Plan {
        cases,
        agents,
        session,
        command: std::env::args().collect(),
        catalogue,
        repeat: usize::from(args.repeat),
        strict: args.strict,
        whole,
        families: Some(pool.families),
    };
    let outcome = {
        let library = Library::of(plan.cases.iter().map(|c| (**c).clone()), families()?);
        let mut files = Files {
            out: args.out.clone(),
            strict: args.strict,
            words,
            library,
            header: None,
            results: Vec::new(),
            notes: Vec::new(),
            shrunk: Vec::new(),
        };
        terminal
            .files(["report.html", "results.jsonl", "junit.xml", "summary.md"].iter().map(|f| args.out.join(f)).collect())
            .map_err(unwritable)?;
        let mut reporters: [&mut dyn Reporter; 3] = [&mut jsonl, &mut files, &mut terminal];
        runtime()?.block_on(crate::run::run(plan, &mut reporters)).map_err(|e| Failure::environment(e.to_string()))?
    };
    Ok(outcome.exit)
}

/// JUnit, the summary and the report are made from everything at the end.
struct Files {
    out: PathBuf,
    strict: bool,
    words: Words,
    library: Library,
    header: Option<crate::event::Header>,
    results: Vec<crate::event::CaseResult>,
    notes: Vec<Note>,
    /// Cases that generated ones came down to, as they can be pasted.
    shrunk: Vec<String>,
}

impl Reporter for Files {
    fn event(&mut self, event: &Event) -> std::io::Result<()> {
        match event {
            Event::Started(header) => self.header = Some(header.clone()),
            Event::Result(result) => self.results.push((**result).clone()),
            Event::Note { browser, text } => self.notes.push(Note { browser: browser.clone(), text: text.clone() }),
            Event::Shrunk(shrunk) => self.shrunk.push(format!("# Simpler than {}, and fails alike.\n{}", shrunk.from, shrunk.toml)),
            Event::Finished(footer) => {
                if let Some(header) = &self.header {
                    let mut junit = Vec::new();
                    junit::write(&self.results, header, &self.words, self.strict, &mut junit)?;
                    fs::write(self.out.join("junit.xml"), junit)?;
                    fs::write(self.out.join("summary.md"), summary::markdown(header, &self.results, Some(footer)))?;
                    let run = Run { header, results: &self.results, notes: &self.notes, footer: Some(footer) };
                    let input = Input { runs: vec![run], base: Vec::new(), library: &self.library, strict: self.strict };
                    fs::write(self.out.join("report.html"), html::page(&input))?;
                    if !self.shrunk.is_empty() {
                        fs::write(self.out.join("shrunk.toml"), self.shrunk.join("\n"))?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The user agents of a run, and the browsers that are not there.
pub(super) fn choices(places: &Places, defects: &[String]) -> Result<(Vec<Choice>, Vec<Missing>), Failure> {
    let wanted = places.wanted()?;
    let defects = defects.iter().map(|name| name.parse()).collect::<Result<Vec<Defect>, _>>();
    let defects = defects.map_err(|e| Failure::usage(format!("{e} (`corscheck list --defects` names them all)")))?;
    if !defects.is_empty() && !wanted.simulated {
        return Err(Failure::usage(format!("`--defect` is for the simulated user agent alone: it needs `--browser {SIMULATED}`")));
    }
    let mut choices = Vec::new();
    if wanted.simulated {
        choices.push(Choice::Simulated(Defects::from_iter(defects)));
    }
    let (endpoints, missing) = places.endpoints(&wanted)?;
    choices.extend(endpoints.into_iter().map(Choice::Browser));
    Ok((choices, missing))
}

fn baseline(args: &RunArgs, engine: &str, pool: &Pool) -> Result<Vec<known::Known>, Failure> {
    let known = match (&args.baseline, &args.selection.catalogue) {
        // Known deviations are about the built-in cases.
        (None, Some(_)) => return Ok(Vec::new()),
        (None, None) => known::embedded(engine, &pool.catalogue, &pool.families),
        (Some(folder), _) => {
            let path = folder.join(format!("{engine}.toml"));
            if !path.exists() {
                return Ok(Vec::new());
            }
            let text = fs::read_to_string(&path).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
            known::parse(&path.display().to_string(), &text, &pool.catalogue, &pool.families)
        }
    };
    known.map_err(|e| Failure::usage(e.to_string()))
}

fn capabilities(source: Option<&str>) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
    let Some(source) = source else { return Ok(serde_json::Map::new()) };
    let text = match source.strip_prefix('@') {
        Some(path) => fs::read_to_string(path).map_err(|e| Failure::usage(format!("--capabilities {source}: {e}")))?,
        None => source.to_owned(),
    };
    serde_json::from_str(&text).map_err(|e| Failure::usage(format!("--capabilities is no JSON object: {e}")))
}

/// What a printed failure needs to know of its case.
fn case_words(cases: &[Arc<Case>]) -> Words {
    cases.iter().map(|c| (c.id.as_str().to_owned(), CaseWords::of(c))).collect()
}

pub(super) fn bench(args: &BenchArgs) -> Result<Exit, Failure> {
    let wanted = args.places.wanted()?;
    if wanted.simulated {
        return Err(Failure::usage("`corscheck bench` measures browsers: there is no page in the simulated user agent to compare with"));
    }
    let (endpoints, _) = args.places.endpoints(&wanted)?;
    if let Some(results) = &args.report {
        return runtime()?.block_on(crate::bench::report::bench(&endpoints, results)).map_err(Failure::environment);
    }
    runtime()?.block_on(crate::bench::bench(&endpoints, args.cases, args.rounds)).map_err(Failure::environment)
}
