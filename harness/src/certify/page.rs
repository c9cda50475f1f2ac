//! Page probes: what script in a page comes to, against what it must come to by the policy.

use corscheck_cases::{
    Outcome as Read, Reason,
    bind::{Action, ApiWord},
    certify::{
        Perfect, Policy, Probe,
        application::{RESOURCE, SIGNATURE},
        policy::Origins,
        probe::{PageApi, PageAsk},
    },
    format::{BodyEntry, Credentials, UploadListener},
    oracle::{Call, Environment, Path, UserAgent, View, network::Network},
};

use corscheck_servers::Exchange;

use super::{outcome::Outcome, wire::Wire};
use crate::{
    explain::{question::Asked, wire::Response},
    observation::{PageEnd, PageResult},
    simulated::observe::page_result,
    verdict::Verdict,
};

/// The calls of a page probe, for a server at this origin.
pub fn actions(ask: &PageAsk, target: &str) -> Vec<Action> {
    let url = format!("{target}{}", ask.path);
    let request = |api| {
        let mut action = Action::new(api, url.clone());
        action.method = Some(ask.method.clone()).filter(|m| m != "GET");
        action.headers.clone_from(&ask.headers);
        action.credentials = Some(ask.credentials);
        action.probe_headers.clone_from(&ask.see);
        if matches!(&*ask.method, "POST" | "PUT" | "PATCH") {
            action.body = Some(BodyEntry::Text("x".to_owned()));
        }
        action
    };
    match ask.api {
        PageApi::Fetch => vec![request(ApiWord::Fetch)],
        PageApi::Twice => vec![request(ApiWord::Fetch), request(ApiWord::Fetch)],
        PageApi::ImageThenFetch => vec![Action::new(ApiWord::Img, url.clone()), request(ApiWord::Fetch)],
        PageApi::XhrUpload => {
            let mut action = request(ApiWord::Xhr);
            action.upload_listener = Some(UploadListener::Add);
            action.credentials = Some(ask.credentials).filter(|c| *c == Credentials::Include);
            vec![action]
        }
    }
}

/// The page of an origin.
pub fn environment(origin: &str, target: &str) -> Result<Environment, String> {
    let asked = Asked { url: Some(format!("{target}/")), origin: Some(origin.to_owned()), ..Asked::default() };
    Ok(asked.question()?.environment)
}

/// What a page comes to by a server.
#[derive(Debug)]
pub struct Seen {
    /// Call by call.
    pub pages: Vec<PageResult>,
    /// Why the last one came to nothing.
    pub reason: Option<Reason>,
    /// The steps of the last one.
    pub path: Vec<String>,
}

/// Makes the calls over a network, as a browser that remembers nothing would.
pub fn run<N: for<'a> Network<'a>>(actions: &[Action], environment: &Environment, network: &mut N) -> Seen {
    let calls: Vec<Call> = actions.iter().map(|action| Call::new(action.clone(), &environment.base)).collect();
    let mut agent = UserAgent::new();
    let mut seen = Seen { pages: Vec::new(), reason: None, path: Vec::new() };
    for call in &calls {
        let mut path = Path::new();
        let view: View = agent.call(call, environment, network, &mut path);
        seen.pages.push(page_result(&view, call.action.api, &call.action.probe_headers));
        seen.reason = view.reason;
        seen.path = deciding(&path);
    }
    seen
}

/// The step that decided, with what was compared before it.
pub fn deciding(path: &Path) -> Vec<String> {
    let Some(at) = path.iter().rposition(|step| step.decides) else { return Vec::new() };
    let before = path[..at].last().filter(|before| before.compared.is_some());
    before.into_iter().chain([&path[at]]).map(ToString::to_string).collect()
}

/// What a page must come to.
#[derive(Debug)]
pub struct Expected {
    /// What it sees of a perfect server.
    pub seen: Seen,
    /// The methods that the perfect server was asked by.
    pub asked: Vec<String>,
}

/// Asks a perfect server.
pub fn expected(policy: &Policy, actions: &[Action], environment: &Environment) -> Expected {
    let mut perfect = Perfect::new(policy);
    let seen = run(actions, environment, &mut perfect);
    Expected { asked: perfect.asked().to_vec(), seen }
}

/// Asks the target by the simulated user agent.
pub fn simulated(probe: &Probe, ask: &PageAsk, policy: &Policy, target: &str, wire: &mut Wire) -> Result<Outcome, String> {
    let environment = environment(ask.asker.text().unwrap_or("null"), target)?;
    let actions = actions(ask, target);
    let expected = expected(policy, &actions, &environment);
    let seen = run(&actions, &environment, wire);
    let (exchanges, answers): (Vec<_>, Vec<_>) = wire.take().into_iter().unzip();
    let mut outcome = Outcome::new(probe, words(&expected.seen));
    judge_fairly(&mut outcome, ask, policy, &expected, &seen, &exchanges);
    if let Some(last) = answers.last().and_then(Option::as_ref) {
        reflection(&mut outcome, ask, policy, last);
    }
    outcome.path = seen.path;
    outcome.observation.pages = seen.pages;
    outcome.observation.exchanges =
        exchanges.into_iter().enumerate().map(|(n, x)| Exchange { sequence: n as u64, connection: n as u64, ..x }).collect();
    Ok(outcome)
}

/// Holds what a page came to against what it must come to, unless it was the server and not the middleware that answered.
pub fn judge_fairly(outcome: &mut Outcome, ask: &PageAsk, policy: &Policy, expected: &Expected, seen: &Seen, exchanges: &[Exchange]) {
    let signed = |x: &Exchange| {
        String::from_utf8_lossy(&x.answer.head.0).to_ascii_lowercase().contains(&format!("\n{}:", SIGNATURE.0.to_ascii_lowercase()))
    };
    let unknown = !KNOWN_METHODS.contains(&&*ask.method) && exchanges.last().is_none_or(|last| !signed(last));
    if unknown && preflight_passed(exchanges) && expected.seen.pages.last().and_then(|p| p.end.outcome()) == Some(Read::Allowed) {
        // The preflight said yes, and a server that does not know the method answered in place of the application: nothing is wrong with
        // the middleware.
        outcome.expected.push_str(", as far as the preflight");
    } else {
        judge(outcome, ask, policy, expected, &seen.pages, exchanges, seen.reason);
    }
}

/// Methods that every server passes on to its application.
const KNOWN_METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// Whether an actual request was sent behind a preflight.
fn preflight_passed(exchanges: &[Exchange]) -> bool {
    exchanges.iter().any(|x| x.request.is_preflight()) && exchanges.last().is_some_and(|x| !x.request.is_preflight())
}

/// What must happen, in words.
pub fn words(seen: &Seen) -> String {
    let end = seen.pages.last().and_then(|p| p.end.outcome()).map_or("nothing", |o| o.word());
    match seen.reason {
        None => end.to_owned(),
        Some(reason) => format!("{end} ({})", reason.word()),
    }
}

/// Holds what a page saw against what it must see.
pub fn judge(
    outcome: &mut Outcome,
    ask: &PageAsk,
    policy: &Policy,
    expected: &Expected,
    pages: &[PageResult],
    exchanges: &[Exchange],
    reason: Option<Reason>,
) {
    let (Some(must), Some(page)) = (expected.seen.pages.last(), pages.last()) else { return };
    let (Some(wanted), Some(found)) = (must.end.outcome(), page.end.outcome()) else { return };
    let reason = reason.map_or("none", |r| r.word());
    let asked: Vec<String> = exchanges.iter().map(|x| x.request.method.clone()).collect();
    let preflight = exchanges.iter().rfind(|x| x.request.is_preflight()).and_then(|x| x.answer.status).unwrap_or_default().to_string();
    let grant = policy.grant(&ask.path);
    let is_open = grant.origins == Origins::Open && ask.credentials != Credentials::Include;
    if found.openness() > wanted.openness() && !is_open && harmful(outcome, page) {
        outcome.find(Verdict::TooOpen, "read", &[("direction", "too-open")], wanted.word(), found.word());
    } else if found.openness() < wanted.openness() && !is_open {
        outcome.find(
            Verdict::TooStrict,
            "read",
            &[("direction", "too-strict"), ("reason", reason), ("preflight", &preflight)],
            wanted.word(),
            format!("{} ({reason})", found.word()),
        );
    }
    if wanted == found && grant.expose.is_some() {
        let (PageEnd::Response(must), PageEnd::Response(page)) = (&must.end, &page.end) else { return };
        for name in &ask.see {
            let value = |probed: &[(String, Option<String>)]| probed.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.clone()).is_some();
            match (value(&must.probed), value(&page.probed)) {
                (true, false) => outcome.find(
                    Verdict::TooStrict,
                    "read",
                    &[("direction", "hidden"), ("point", name)],
                    format!("{name} visible"),
                    "hidden",
                ),
                (false, true) => {
                    outcome.find(Verdict::TooOpen, "read", &[("direction", "shown"), ("point", name)], format!("{name} hidden"), "visible");
                }
                _ => {}
            }
        }
    }
    if ask.api == PageApi::Twice && expected.asked != asked {
        let list = |methods: &[String]| methods.join(", ");
        outcome.find(Verdict::WrongWire, "read", &[("direction", "preflights")], list(&expected.asked), list(&asked));
    }
}

/// Another spelling of a path does harm only where it leads to the resource.
fn harmful(outcome: &Outcome, page: &PageResult) -> bool {
    let is_resource = |page: &PageResult| matches!(&page.end, PageEnd::Response(r) if r.status == 200 && r.body == RESOURCE);
    outcome.tags.get("probe") != Some("by-odd-path") || is_resource(page)
}

/// Whether an answer repeats whatever origin asks.
fn reflection(outcome: &mut Outcome, ask: &PageAsk, policy: &Policy, answer: &Response) {
    let origin = ask.asker.origin.as_deref().unwrap_or_default();
    if policy.grant(&ask.path).origins == Origins::Open && answer.headers.get("Access-Control-Allow-Origin").as_deref() == Some(origin) {
        outcome.find(Verdict::TooOpen, "reflection", &[("direction", "too-open")], "no grant, or an asterisk", "the origin that asked");
    }
}
