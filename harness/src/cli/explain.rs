//! `corscheck explain`.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use corscheck_cases::format::{Api, BodyEntry, Credentials, Mode, RedirectMode};
use serde::{Deserialize, de::value::StrDeserializer};

use super::{Color, Failure, Places, json_text, list::Format, say};
use crate::{
    exit::Exit,
    explain::{
        Explanation, Source,
        answer_file::AnswerFile,
        evidence::Evidence,
        json, live,
        question::{Asked, USUAL_URL},
        text,
    },
    report::{ColorChoice, Environment},
    user_agent::Choice,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  corscheck explain https://api.example.com/items --origin https://app.example.com
  corscheck explain http://127.0.0.1:8080/x --method PUT --header 'X-Token: 1' --credentials include
  corscheck explain http://localhost:8080/x --origin http://localhost:5173 --content-type application/json --method POST --body '{}'
  corscheck explain https://api.example.com/items --expects-header X-Total   a response header that script reads
  corscheck explain https://staging.example/x --insecure --resolve staging.example:443:127.0.0.1
  corscheck explain --answer saved.txt --origin https://app.example.com       what `curl -i` printed
  curl -si https://api.example.com/items | corscheck explain --answer -
  corscheck explain https://api.example.com/items --browser chrome            and what a real browser makes of it
  corscheck explain https://api.example.com/items --format json | jq .diagnoses

It sends what a browser would send, the actual request included: a PUT that is allowed is a PUT. Besides, it sends harmless requests
(GET and OPTIONS, without credentials, 16 at most) that tell causes apart; --no-probe sends none.

An answer file is TOML in the words of the catalogue:
  request = { url = \"https://api.example.com/x\", method = \"PUT\", credentials = \"include\" }
  preflight = { status = 204, headers = [[\"Access-Control-Allow-Origin\", \"*\"]] }
  response = { status = 200, headers = [[\"Access-Control-Allow-Origin\", \"{origin}\"]] }
or the text of a response as `curl -i` prints it. Of two in a row the first answers the preflight; the responses of `curl -iL` are the
way of a redirect.

Exit codes: 0 the page may read · 1 it may not, or not a header that it expects, or the browser disagrees · 2 usage · 3 no answer from
the server, no browser")]
pub(super) struct ExplainArgs {
    /// The URL that the page asks for.
    #[arg(required_unless_present = "answer")]
    url: Option<String>,
    /// The origin of the page that asks, or null; default: https://app.example.
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// The method, as script passes it; default: GET.
    #[arg(long, short = 'X', value_name = "METHOD")]
    method: Option<String>,
    /// A request header that script sets; may be given again.
    #[arg(long, short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// Credentials mode: omit, same-origin (default) or include; with --api xhr, include means withCredentials.
    #[arg(long, value_name = "MODE", value_parser = word::<Credentials>)]
    credentials: Option<Credentials>,
    /// Request mode of fetch(): cors (default), no-cors or same-origin.
    #[arg(long, value_name = "MODE", value_parser = word::<Mode>)]
    mode: Option<Mode>,
    /// Redirect mode of fetch(): follow (default), error or manual.
    #[arg(long, value_name = "MODE", value_parser = word::<RedirectMode>)]
    redirect: Option<RedirectMode>,
    /// The body, a string.
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
    /// The same as --header 'Content-Type: TYPE'.
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// What the script calls: fetch (default) or xhr.
    #[arg(long, value_name = "API", value_parser = word::<Api>)]
    api: Option<Api>,
    /// With --api xhr: there are listeners on xhr.upload, as for a progress bar.
    #[arg(long)]
    upload_listener: bool,
    /// The request comes from a context with an opaque origin, such as a sandboxed frame: it sends `Origin: null`.
    #[arg(long)]
    opaque_origin: bool,
    /// A response header that script means to read; may be given again.
    #[arg(long, value_name = "NAME")]
    expects_header: Vec<String>,
    /// Explain the answers that this file describes, and send nothing; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_probe", "timeout", "resolve", "ca", "insecure"])]
    answer: Option<PathBuf>,
    /// Send what the browser would send, and nothing besides.
    #[arg(long)]
    no_probe: bool,
    /// How long the server may take to answer a request, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,
    /// Connect to ADDRESS for HOST and PORT, as curl does; may be given again.
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    resolve: Vec<live::Resolve>,
    /// Trust the certificate authorities in this PEM file besides those of the system.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Accept any certificate. Browsers do not.
    #[arg(long)]
    insecure: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Replay the recorded answers to this real browser (chrome, firefox or webkit) and tell whether it agrees.
    #[arg(long, value_name = "NAME")]
    browser: Option<String>,
    /// The browser's program, as NAME=PATH.
    #[arg(long, value_name = "NAME=PATH", requires = "browser")]
    browser_binary: Option<String>,
    /// The browser's WebDriver program, as NAME=PATH.
    #[arg(long, value_name = "NAME=PATH", requires = "browser")]
    driver: Option<String>,
    /// Use a WebDriver remote end that runs already.
    #[arg(long, value_name = "URL", requires = "browser")]
    webdriver: Option<String>,
    /// Colours.
    #[arg(long, value_enum, default_value = "auto")]
    color: Color,
}

/// A word of a closed set, as case files write it.
fn word<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
    T::deserialize(StrDeserializer::<serde::de::value::Error>::new(text)).map_err(|e| e.to_string())
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE, such as 'X-Token: 1'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds, such as 10 or 0.5".to_owned())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|d| !d.is_zero()).ok_or_else(|| "expected more than 0 seconds".to_owned())
}

pub(super) fn explain(args: &ExplainArgs) -> Result<Exit, Failure> {
    let browser = browser(args)?;
    let (evidence, source) = match &args.answer {
        Some(path) => described(args, path)?,
        None => live(args)?,
    };
    let mut explanation = Explanation::of(evidence, source);
    let mut exit = explanation.verdict.word.exit();
    if let Some(browser) = browser {
        let confirmed = live::confirm(&explanation, browser);
        match &confirmed {
            Ok(confirmation) if !confirmation.agrees => exit = Exit::Unexpected,
            Err(live::Unconfirmed::NoBrowser(words)) => return Err(Failure::environment(words.clone())),
            Ok(_) | Err(live::Unconfirmed::NoReplay(_)) => {}
        }
        explanation.confirmation = Some(confirmed.map_err(|e| e.to_string()));
    }
    print(args, &explanation)?;
    Ok(exit)
}

/// The one browser that is to confirm.
fn browser(args: &ExplainArgs) -> Result<Option<Choice>, Failure> {
    let Some(name) = &args.browser else { return Ok(None) };
    let places = Places {
        browser: vec![name.clone()],
        browser_binary: args.browser_binary.iter().cloned().collect(),
        driver: args.driver.iter().cloned().collect(),
        webdriver: args.webdriver.clone(),
    };
    let wanted = places.wanted()?;
    if wanted.simulated {
        return Err(Failure::usage("the simulated user agent has spoken already: --browser chrome, firefox or webkit"));
    }
    let (mut endpoints, _) = places.endpoints(&wanted)?;
    Ok(endpoints.pop().map(Choice::Browser))
}

fn asked(args: &ExplainArgs) -> Asked {
    let content_type = args.content_type.iter().map(|value| ("Content-Type".to_owned(), value.clone()));
    Asked {
        url: args.url.clone(),
        origin: args.origin.clone(),
        opaque_origin: args.opaque_origin,
        method: args.method.clone(),
        headers: args.header.iter().cloned().chain(content_type).collect(),
        body: args.body.clone().map(BodyEntry::Text),
        credentials: args.credentials,
        mode: args.mode,
        redirect: args.redirect,
        api: args.api,
        upload_listener: args.upload_listener,
        expects_headers: args.expects_header.clone(),
    }
}

fn described(args: &ExplainArgs, path: &Path) -> Result<(Evidence, Source), Failure> {
    let (name, text) = if path == Path::new("-") {
        let mut text = Vec::new();
        let read = io::stdin().read_to_end(&mut text);
        ("standard input".to_owned(), read.map(|_| text))
    } else {
        (path.display().to_string(), fs::read(path))
    };
    let wrong = |words: String| Failure::usage(format!("{name}: {words}"));
    let file = AnswerFile::parse(&text.map_err(|e| wrong(e.to_string()))?).map_err(wrong)?;
    let asked = asked(args).or(file.asked.clone());
    let has_url = asked.url.is_some();
    let asked = Asked { url: asked.url.or_else(|| Some(USUAL_URL.to_owned())), ..asked };
    let mut question = asked.question().map_err(Failure::usage)?;
    if !has_url {
        question.remarks.push(format!("No URL was given: it is taken to be {USUAL_URL}."));
    }
    let network = file.network(&question).map_err(wrong)?;
    Ok((Evidence::described(question, network), Source::File(name)))
}

fn live(args: &ExplainArgs) -> Result<(Evidence, Source), Failure> {
    let question = asked(args).question().map_err(Failure::usage)?;
    let read = |path: &PathBuf| fs::read_to_string(path).map_err(|e| Failure::usage(format!("--ca {}: {e}", path.display())));
    let access = live::Access {
        insecure: args.insecure,
        ca: args.ca.as_ref().map(read).transpose()?,
        resolve: args.resolve.clone(),
        timeout: args.timeout,
    };
    let probes = !args.no_probe;
    let evidence = live::evidence(question, &access, probes).map_err(|e| Failure::usage(e.to_string()))?;
    Ok((evidence, Source::Live { probes }))
}

fn print(args: &ExplainArgs, explanation: &Explanation) -> Result<(), Failure> {
    let text = match args.format {
        Format::Text => text::text(explanation, Environment::detect().color(ColorChoice::from(args.color))),
        Format::Json => json_text(&json::json(explanation))?,
    };
    say(&text)
}
