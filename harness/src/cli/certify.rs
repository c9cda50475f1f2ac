//! `corscheck certify` and `corscheck reference`.

mod service;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant, SystemTime},
};

use clap::Args;
use corscheck_cases::certify::{Book, Policy, tags::chooses};
use corscheck_servers::reference::Reference;

use super::{Failure, Places, say};
use crate::{
    browser::Endpoint,
    certify::{
        self, Asked, Took,
        browsers::{self, Behind, Questions},
        certificate::{Accepted, Certificate, Subject},
        results, smoke,
        target::Target,
        text::Form,
    },
    event::{BrowserInfo, CaseResult, Event, FORMAT, Footer, Header, Reporter},
    exit::Exit,
    explain::live,
    report::{
        Words, badge,
        html::{self, Input, Library, Run},
        jsonl::{JsonLines, Results},
        junit,
        redact::Redaction,
    },
    user_agent::{Choice, SIMULATED},
};

/// The name of the file that holds a certificate.
const CERTIFICATE: &str = "corscheck-certificate.json";

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  corscheck certify express-cors                     one middleware, under every policy
  corscheck certify express-cors --ua simulated      a first answer in seconds, without a browser
  corscheck certify tower-http flask-cors            several
  corscheck certify my-middleware/                   an adapter of your own: a folder with a target.toml
  corscheck certify express-cors --policy 'p2,t1'    under some policies
  corscheck certify express-cors --accept known.toml what is accepted, with reasons, does not fail the run
  corscheck certify --init                           writes corscheck-policy.toml, to be filled in for a service of yours
  corscheck certify --url http://127.0.0.1:8080/api --policy corscheck-policy.toml
                                                     a running service, held against the policy that its team declares
  corscheck list --targets                           the targets that come with corscheck
  corscheck list --rules                             what is held against them

Of a running service, only GET, HEAD and OPTIONS are sent, to the paths of its policy file and to no other host, no faster than it says.

Written to --out: report.html for all targets; for each of them in a folder of its own corscheck-certificate.json, certificate.md,
results.jsonl, junit.xml, badge.json, badge.svg")]
pub(super) struct CertifyArgs {
    #[command(flatten)]
    places: Places,
    /// Show the browsers.
    #[arg(long)]
    headed: bool,
    /// Targets: names of `corscheck list --targets`, or folders with a target.toml.
    #[arg(value_name = "TARGET", required_unless_present_any = ["url", "init", "policy"], conflicts_with_all = ["url", "init"])]
    targets: Vec<String>,
    /// Ask under these policies: ids, with `*` for any characters. With --url or without a target: the file with the policy of the service.
    #[arg(long, value_name = "ID|FILE", value_delimiter = ',')]
    policy: Vec<String>,
    /// Certify the service that runs here; default: the `url` of the policy file.
    #[arg(long, value_name = "URL", requires = "policy")]
    url: Option<String>,
    /// Write a policy file to begin with, and stop.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "corscheck-policy.toml", conflicts_with_all = ["url", "policy"])]
    init: Option<PathBuf>,
    /// The most requests in a second to a service; default: the `rate` of the policy file.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000), conflicts_with = "targets")]
    rate: Option<u32>,
    /// Connect to ADDRESS for HOST and PORT, as curl does; may be given again.
    #[arg(long, value_name = "HOST:PORT:ADDRESS", conflicts_with = "targets")]
    resolve: Vec<live::Resolve>,
    /// Trust the certificate authorities in this PEM file besides those of the system.
    #[arg(long, value_name = "FILE", conflicts_with = "targets")]
    ca: Option<PathBuf>,
    /// Accept any certificate of a service.
    #[arg(long, conflicts_with = "targets")]
    insecure: bool,
    /// Leave out of everything that is written what tells which service it is: names of hosts, values of headers, bodies.
    #[arg(long, conflicts_with = "targets")]
    redact: bool,
    /// Folder for what is made.
    #[arg(long, value_name = "DIR", default_value = "corscheck-out")]
    out: PathBuf,
    /// Broken rules that are accepted, with reasons: a file of `[[accept]]` with `rule`, `why`, and perhaps `target` and `link`.
    #[arg(long, value_name = "FILE")]
    accept: Option<PathBuf>,
    /// How many instances of a target run beside each other.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    jobs: u8,
    /// Do not look at the adapter first.
    #[arg(long)]
    skip_smoke: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptFile {
    #[serde(default)]
    accept: Vec<Accepted>,
}

/// One target, certified.
struct Certified {
    certificate: Certificate,
    results: Results,
}

pub(super) fn certify(args: &CertifyArgs) -> Result<Exit, Failure> {
    if let Some(file) = &args.init {
        return service::init(file);
    }
    certify::instance::end_all_on_interrupt();
    let book = Book::embedded().map_err(|e| Failure::environment(e.to_string()))?;
    let accepted = accepted(args.accept.as_deref(), &book)?;
    if args.targets.is_empty() {
        let done = service::certify(args, book, &accepted)?;
        return finish(args, &[done], &accepted, &[]);
    }
    let policies: Vec<&Policy> = book.policies.iter().filter(|p| args.policy.is_empty() || chooses(&args.policy, &p.id)).collect();
    if policies.is_empty() {
        let all: Vec<&str> = book.policies.iter().map(|p| &*p.id).collect();
        return Err(Failure {
            words: format!("no policy is like {}: there are {}", args.policy.join(", "), all.join(", ")),
            exit: Exit::NothingSelected,
        });
    }
    let wanted = args.places.wanted()?;
    let endpoints = match wanted.engines.is_empty() && wanted.simulated {
        true => Vec::new(),
        false => args.places.endpoints(&wanted)?.0,
    };
    // All of them are looked up before the first one is started.
    let targets =
        args.targets.iter().map(|name| Target::find(name).map_err(|e| Failure::usage(e.to_string()))).collect::<Result<Vec<_>, _>>()?;
    let mut done: Vec<Certified> = Vec::new();
    let mut failed = Vec::new();
    for target in &targets {
        match one(args, &book, &policies, &accepted, &endpoints, target) {
            Ok(certified) => done.push(certified),
            // The others are certified all the same.
            Err(failure) if targets.len() > 1 => {
                eprintln!("{}: {}", target.name, failure.words);
                failed.push(target.name.clone());
            }
            Err(failure) => return Err(failure),
        }
    }
    finish(args, &done, &accepted, &failed)
}

/// The report of all, and what comes of it.
fn finish(args: &CertifyArgs, done: &[Certified], accepted: &[Accepted], failed: &[String]) -> Result<Exit, Failure> {
    let library = Library::empty();
    let unwritable = |path: &Path, e: std::io::Error| Failure::environment(format!("{}: {e}", path.display()));
    let report = args.out.join("report.html");
    let input = Input { runs: done.iter().map(|d| Run::from(&d.results)).collect(), base: Vec::new(), library: &library, strict: false };
    fs::create_dir_all(&args.out).and_then(|()| fs::write(&report, html::page(&input))).map_err(|e| unwritable(&report, e))?;
    let mut told = String::new();
    if done.len() > 1 {
        told.push_str(&table(done));
    }
    told.push_str(&format!("\nwritten {}\n", report.display()));
    say(&told)?;
    // Of several targets that an entry is about, one that needs it is enough.
    let is_stale = |entry: &&Accepted| {
        let about: Vec<_> = done.iter().filter(|d| entry.target.as_ref().is_none_or(|t| *t == d.certificate.target.name)).collect();
        !about.is_empty() && about.iter().all(|d| d.certificate.is_stale(entry))
    };
    let stale: Vec<String> = accepted.iter().filter(is_stale).map(|a| format!("{}: {}", a.rule, a.why)).collect();
    for words in &stale {
        eprintln!("stale: accepted and not broken: {words}");
    }
    let fails = done.iter().any(|d| d.certificate.failures().next().is_some()) || !stale.is_empty();
    Ok(match () {
        () if fails => Exit::Unexpected,
        () if !failed.is_empty() => Exit::Environment,
        () => Exit::AsExpected,
    })
}

fn accepted(file: Option<&Path>, book: &Book) -> Result<Vec<Accepted>, Failure> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let wrong = |words: String| Failure::usage(format!("{}: {words}", file.display()));
    let text = fs::read_to_string(file).map_err(|e| wrong(e.to_string()))?;
    let parsed: AcceptFile = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    match parsed.accept.iter().find(|a| book.rules.iter().all(|r| r.id != a.rule)) {
        Some(unknown) => Err(wrong(format!("there is no rule `{}`; `corscheck list --rules` has all of them", unknown.rule))),
        None => Ok(parsed.accept),
    }
}

fn one(
    args: &CertifyArgs,
    book: &Book,
    policies: &[&Policy],
    accepted: &[Accepted],
    endpoints: &[Endpoint],
    target: &Target,
) -> Result<Certified, Failure> {
    let started = Instant::now();
    eprintln!("{}: installing", target.name);
    let installed = target.install().map_err(|e| Failure::environment(e.to_string()))?;
    if !args.skip_smoke {
        let wrong = smoke::check(&installed).map_err(|e| Failure::environment(e.to_string()))?;
        if !wrong.is_empty() {
            return Err(Failure::environment(format!(
                "the adapter is not what it should be (nothing is said of the middleware):\n  {}",
                wrong.join("\n  ")
            )));
        }
    }
    let done = Mutex::new(0);
    let told = |asked: &Asked| {
        let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *done += 1;
        let words = asked.took.words().map(|w| format!(": {}", first_and_last(w))).unwrap_or_default();
        let probes = if asked.took == Took::Started { format!(", {} probes", asked.outcomes.len()) } else { String::new() };
        eprintln!("{}: {}/{} {} {}{probes}{words}", target.name, *done, policies.len(), asked.policy, asked.took.word());
    };
    let asked = certify::certify(book, policies, &installed, usize::from(args.jobs), &told).map_err(Failure::environment)?;
    let without = started.elapsed();
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::environment(e.to_string()))?;
    let questions = Questions::of(book, policies).map_err(Failure::environment)?;
    let ask = |endpoint: &Endpoint| {
        runtime.block_on(browsers::certify(&questions, Behind::Target(&installed), endpoint, args.headed, browsers::WIDTH))
    };
    let browsers = ask_browsers(&target.name, endpoints, &ask)?;
    let manifest = &target.manifest;
    let subject = Subject {
        name: target.name.clone(),
        title: manifest.title.clone(),
        product: manifest.product.clone(),
        version: installed.version.clone(),
        language: manifest.language.clone(),
        knobs: manifest.knobs.clone(),
    };
    conclude(args, book, Found { subject, asked, browsers, started, without, redaction: None }, accepted)
}

/// What each browser came to.
fn ask_browsers(
    name: &str,
    endpoints: &[Endpoint],
    ask: &dyn Fn(&Endpoint) -> Result<Vec<Asked>, String>,
) -> Result<Vec<(BrowserInfo, Vec<Asked>)>, Failure> {
    let mut browsers = Vec::new();
    for endpoint in endpoints {
        let begun = Instant::now();
        let asked = ask(endpoint).map_err(Failure::environment)?;
        let info = Choice::Browser(endpoint.clone()).info();
        let probes: usize = asked.iter().map(|a| a.outcomes.len()).sum();
        eprintln!("{name}: {} asked {probes} probes in {:.1} s", info.browser, begun.elapsed().as_secs_f64());
        browsers.push((info, asked));
    }
    Ok(browsers)
}

/// Everything that was found out about one target.
struct Found {
    subject: Subject,
    asked: Vec<Asked>,
    browsers: Vec<(BrowserInfo, Vec<Asked>)>,
    started: Instant,
    /// How long it took without browsers.
    without: Duration,
    redaction: Option<Redaction>,
}

/// The certificate of one target, written and told.
fn conclude(args: &CertifyArgs, book: &Book, found: Found, accepted: &[Accepted]) -> Result<Certified, Failure> {
    let Found { subject, asked, browsers, started, without, redaction } = found;
    let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let agent: BrowserInfo = Choice::Simulated(Default::default()).info();
    let infos: Vec<BrowserInfo> = std::iter::once(agent).chain(browsers.iter().map(|(info, _)| info.clone())).collect();
    let agents = infos.iter().map(|i| format!("{} ({})", i.browser, i.version)).collect();
    let columns: Vec<(String, Vec<Asked>)> = browsers.into_iter().map(|(info, asked)| (info.browser, asked)).collect();
    let certificate = Certificate::new(book, subject.clone(), &asked, &columns, agents, date, accepted);
    let mut results = results::results(book, &subject, SIMULATED, &asked, accepted);
    for (browser, asked) in &columns {
        results.extend(results::results(book, &subject, browser, asked, accepted));
    }
    let (certificate, results) = collected(certificate, results, infos, started, redaction.as_ref())?;
    let folder = args.out.join(&certificate.target.name);
    let unwritable = |e: std::io::Error| Failure::environment(format!("{}: {e}", folder.display()));
    fs::create_dir_all(&folder).map_err(unwritable)?;
    write(&folder, &certificate, &results).map_err(unwritable)?;
    let mut text = certificate.text(Form::Plain);
    text.push_str(&format!(
        "written {} (and what is beside it), after {:.1} s, of which {:.1} s without a browser\n",
        folder.join(CERTIFICATE).display(),
        started.elapsed().as_secs_f64(),
        without.as_secs_f64()
    ));
    say(&format!("\n{text}"))?;
    Ok(Certified { certificate, results })
}

/// What begins to tell what happened, and what ends it: a trace of calls has its reason there.
fn first_and_last(words: &str) -> String {
    let mut lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    lines.next_back().map_or_else(|| first.to_owned(), |last| format!("{first} \u{2026} {last}"))
}

/// Results with what is said before and behind them, and without what is to be left out.
fn collected(
    certificate: Certificate,
    results: Vec<CaseResult>,
    browsers: Vec<BrowserInfo>,
    started: Instant,
    redaction: Option<&Redaction>,
) -> Result<(Certificate, Results), Failure> {
    let subject = &certificate.target;
    let header = Header {
        format: FORMAT,
        corscheck: env!("CARGO_PKG_VERSION").to_owned(),
        started: certificate.date.clone(),
        command: std::env::args().collect(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        browsers,
        cases: results.len(),
        catalogue: None,
        topology: None,
        subject: Some(format!("{} {}", subject.name, subject.version)),
    };
    let footer = Footer {
        complete: true,
        cut_short: None,
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        results: results.len(),
    };
    let results = Results { header, results, notes: Vec::new(), footer: Some(footer) };
    Ok(match redaction {
        None => (certificate, results),
        Some(redaction) => {
            let unwritable = |e: serde_json::Error| Failure::environment(e.to_string());
            (redaction.certificate(&certificate).map_err(unwritable)?, redaction.results(&results).map_err(unwritable)?)
        }
    })
}

/// Writes everything about one target into its folder.
fn write(folder: &Path, certificate: &Certificate, written: &Results) -> std::io::Result<()> {
    let Results { header, results, footer, .. } = written;
    let mut lines = JsonLines::create(folder)?;
    lines.event(&Event::Started(header.clone()))?;
    for result in results {
        lines.event(&Event::Result(Box::new(result.clone())))?;
    }
    if let Some(footer) = footer {
        lines.event(&Event::Finished(footer.clone()))?;
    }
    let json = serde_json::to_string_pretty(certificate).map_err(std::io::Error::other)?;
    fs::write(folder.join(CERTIFICATE), json + "\n")?;
    fs::write(folder.join("certificate.md"), certificate.text(Form::Markdown))?;
    let mut xml = Vec::new();
    junit::write(results, header, &Words::new(), false, &mut xml)?;
    fs::write(folder.join("junit.xml"), xml)?;
    let badge = badge::Badge::certificate(certificate);
    fs::write(folder.join("badge.json"), badge.json())?;
    fs::write(folder.join("badge.svg"), badge.svg())?;
    Ok(())
}

/// One line for each target.
fn table(done: &[Certified]) -> String {
    let width = done.iter().map(|d| d.certificate.target.name.len()).max().unwrap_or(0);
    let mut out = String::from("\n");
    for Certified { certificate, .. } in done {
        out.push_str(&format!("{:width$}  {}\n", certificate.target.name, certificate.sentence()));
    }
    out
}

/// Serves the reference as targets are served: what to do stands in the environment.
pub(super) fn reference() -> Result<Exit, Failure> {
    let variable =
        |name: &str| std::env::var(name).map_err(|_| Failure::usage(format!("{name} is not set: `corscheck certify reference` starts it")));
    let (host, port, policy) = (variable("CORSCHECK_HOST")?, variable("CORSCHECK_PORT")?, variable("CORSCHECK_POLICY")?);
    let defect = std::env::var("CORSCHECK_DEFECT").ok();
    let reference = match Reference::new(&policy, defect.as_deref()) {
        Ok(reference) => reference,
        Err(refusal) => {
            say(&format!("corscheck: refused {refusal}\n"))?;
            return Ok(Exit::AsExpected);
        }
    };
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::environment(e.to_string()))?;
    runtime.block_on(async {
        let address = format!("{host}:{port}");
        let listener = tokio::net::TcpListener::bind(&address).await.map_err(|e| Failure::environment(format!("{address}: {e}")))?;
        tokio::select! {
            ended = reference.serve(listener) => ended.map_err(|e| Failure::environment(e.to_string())).map(|()| Exit::AsExpected),
            () = crate::run::interrupted() => Ok(Exit::AsExpected),
        }
    })
}
