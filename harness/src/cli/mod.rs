//! The command line.

mod certify;
mod doctor;
mod explain;
mod list;
mod report;
mod run;
mod selection;
mod serve;
mod show;
mod shrink;

use std::{io::Write, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use corscheck_cases::{families::Nonsense, select::NothingSelected};

use crate::{
    browser::{Endpoint, Engine, Missing, Paths, locate},
    exit::Exit,
    report::ColorChoice,
    user_agent::SIMULATED,
};

const EXAMPLES: &str = "\
Examples:
  corscheck doctor                                  what is installed, what is missing
  corscheck run                                     the whole catalogue in every browser found
  corscheck run --browser firefox preflight         cases with `preflight` in id or title, in Firefox
  corscheck run --browser simulated                 the whole catalogue without a browser, in seconds
  corscheck run --filter 'area:redirect !api:xhr'   by the filter grammar
  corscheck run --family redirect                   every generated case of one family
  corscheck show preflight/header-not-listed        one case with everything it says
  corscheck list --filter level:should              ids and titles
  corscheck report new --base old                   what changed between two runs
  corscheck certify express-cors                    a middleware under every policy
  corscheck explain URL --origin ORIGIN             why a page may not read, and what to change

Exit codes: 0 as expected · 1 unexpected results · 2 usage · 3 environment · 4 nothing selected · 130 interrupted";

/// A browser-driven conformance test harness for CORS and the Fetch standard.
///
/// Answers one question with evidence: was this cross-origin read allowed or blocked, was that right, and why?
#[derive(Debug, Parser)]
#[command(name = "corscheck", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run cases in real browsers or the simulated user agent, and judge page and wire.
    Run(run::RunArgs),
    /// Certify CORS middleware: start it under policies, ask it, and say what held.
    Certify(certify::CertifyArgs),
    /// Serve the reference middleware, as a target of `corscheck certify`.
    #[command(hide = true)]
    Reference,
    /// List cases, or the defects that the simulated user agent can have.
    List(list::ListArgs),
    /// Show one case: what it does, what must happen and why.
    Show(show::ShowArgs),
    /// Make the report of results again, merge parts of a run, compare runs.
    Report(report::ReportArgs),
    /// Run cases by hand in any browser on this machine.
    Serve(serve::ServeArgs),
    /// Tell why a page may or may not read an answer, and what to change.
    Explain(Box<explain::ExplainArgs>),
    /// Find the simplest case of its family that fails like a generated case does, and print it.
    Shrink(shrink::ShrinkArgs),
    /// Tell which browsers and drivers are installed, what is missing and how to get it.
    Doctor(doctor::DoctorArgs),
    /// Measure cases per second against a bare in-page loop of the same fetches.
    Bench(run::BenchArgs),
}

/// Where browsers and drivers are.
#[derive(Debug, Args)]
struct Places {
    /// Browsers to use: chromium (or chrome), firefox, webkit; default: all that are found. `simulated` is the built-in user agent, which
    /// needs no browser and is used only where it is named.
    #[arg(long, value_name = "NAME", value_delimiter = ',', alias = "ua")]
    browser: Vec<String>,
    /// The program of a browser, as NAME=PATH.
    #[arg(long, value_name = "NAME=PATH")]
    browser_binary: Vec<String>,
    /// The WebDriver program of a browser, as NAME=PATH.
    #[arg(long, value_name = "NAME=PATH")]
    driver: Vec<String>,
    /// Use a WebDriver remote end that runs already (a driver, a grid); needs exactly one --browser.
    #[arg(long, value_name = "URL")]
    webdriver: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
    }
}

/// Why a command ends without doing its work: words for people, and the exit code.
struct Failure {
    words: String,
    exit: Exit,
}

impl Failure {
    fn usage(words: impl Into<String>) -> Self {
        Self { words: words.into(), exit: Exit::Usage }
    }

    fn environment(words: impl Into<String>) -> Self {
        Self { words: words.into(), exit: Exit::Environment }
    }
}

/// Adds a line to a text.
macro_rules! line {
    ($out:expr, $($arg:tt)*) => {{
        use std::fmt::Write as _;
        // A string takes everything.
        let _ = writeln!($out, $($arg)*);
    }};
}
use line;

/// Writes a text to standard output. A reader that goes away early (`| head`) has what it wanted: that is no error.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::environment(format!("standard output: {error}"))),
        _ => Ok(()),
    }
}

/// A value as indented JSON, with a line end.
fn json_text(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|e| Failure::usage(e.to_string()))
}

impl From<NothingSelected> for Failure {
    fn from(error: NothingSelected) -> Self {
        Self { words: error.to_string(), exit: Exit::NothingSelected }
    }
}

impl From<Nonsense> for Failure {
    fn from(nonsense: Nonsense) -> Self {
        Self::usage(format!("no case can be made of this combination: {nonsense}"))
    }
}

/// Parses the command line and does what it says.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, and are no mistake.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::AsExpected };
            let _ = error.print();
            return exit;
        }
    };
    let result = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Certify(args) => certify::certify(&args),
        Command::Reference => certify::reference(),
        Command::List(args) => list::list(&args),
        Command::Show(args) => show::show(&args),
        Command::Report(args) => report::report(&args),
        Command::Serve(args) => serve::serve(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Shrink(args) => shrink::shrink(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Bench(args) => run::bench(&args),
    };
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            eprintln!("error: {}", failure.words);
            failure.exit
        }
    }
}

/// The user agents that were asked for; none of either for all browsers that are found.
#[derive(Debug, Default)]
struct Wanted {
    engines: Vec<Engine>,
    simulated: bool,
}

impl Wanted {
    fn nothing(&self) -> bool {
        self.engines.is_empty() && !self.simulated
    }
}

impl Places {
    fn wanted(&self) -> Result<Wanted, Failure> {
        let mut wanted = Wanted::default();
        for name in &self.browser {
            if name.trim().eq_ignore_ascii_case(SIMULATED) {
                wanted.simulated = true;
                continue;
            }
            let engine = Engine::parse(name).map_err(|e| Failure::usage(format!("{e}, or {SIMULATED}")))?;
            if !wanted.engines.contains(&engine) {
                wanted.engines.push(engine);
            }
        }
        Ok(wanted)
    }

    fn paths(&self, engine: Engine) -> Result<Paths, Failure> {
        let of = |pairs: &[String], flag: &str| -> Result<Option<PathBuf>, Failure> {
            let mut found = None;
            for pair in pairs {
                let (name, path) = pair.split_once('=').ok_or_else(|| Failure::usage(format!("`--{flag} {pair}`: expected NAME=PATH")))?;
                if Engine::parse(name).map_err(|e| Failure::usage(e.to_string()))? == engine {
                    found = Some(PathBuf::from(path));
                }
            }
            Ok(found)
        };
        Ok(Paths { browser: of(&self.browser_binary, "browser-binary")?, driver: of(&self.driver, "driver")? })
    }

    /// The browsers of a run. Those asked for must be there; without wishes all that are found are taken.
    fn endpoints(&self, wanted: &Wanted) -> Result<(Vec<Endpoint>, Vec<Missing>), Failure> {
        if let Some(url) = &self.webdriver {
            let [engine] = wanted.engines[..] else {
                return Err(Failure::usage("`--webdriver` needs exactly one `--browser`: what shall the remote end start?"));
            };
            return Ok((vec![Endpoint::Remote { url: url.clone(), engine }], Vec::new()));
        }
        let engines = if wanted.nothing() { Engine::ALL } else { &wanted.engines };
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for &engine in engines {
            match locate(engine, &self.paths(engine)?) {
                Ok(installed) => found.push(Endpoint::Local(installed)),
                Err(error) => missing.push(error),
            }
        }
        if let Some(missing) = missing.first().filter(|_| !wanted.nothing()) {
            return Err(Failure::environment(missing.to_string()));
        }
        if found.is_empty() && wanted.nothing() {
            let words: Vec<_> = missing.iter().map(ToString::to_string).collect();
            let without = format!("`--browser {SIMULATED}` needs none");
            return Err(Failure::environment(format!("no browser was found; {without}\n{}", words.join("\n"))));
        }
        Ok((found, missing))
    }
}
