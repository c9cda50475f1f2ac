//! Certification: a server asked under policies, and what it must be held to.
//!
//! A [`target::Target`] is started once for each policy ([`instance`]); [`ask`] asks its probes by the simulated user agent and byte by
//! byte; [`certificate`] holds what was found against the rules.

pub mod browsers;
pub mod cache;
pub mod certificate;
pub mod checks;
pub mod instance;
pub mod outcome;
pub mod page;
pub mod results;
pub mod service;
pub mod sets;
pub mod smoke;
pub mod target;
pub mod text;
pub mod wire;

use std::{net::SocketAddr, sync::Mutex};

use corscheck_cases::certify::{Book, CertifyError, Policy, Probe, Tags, probe::Ask};
use corscheck_servers::Fate;
use serde::{Deserialize, Serialize};

use instance::{Ending, Instance, Start};
use outcome::{Finding, Outcome};
use target::Installed;
use wire::Wire;

use crate::{observation::Observation, verdict::Verdict};

/// How a target took a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "took", content = "words")]
pub enum Took {
    /// It started.
    Started,
    /// It has no option for it.
    Unsupported(String),
    /// It refuses it.
    Refused(String),
    /// It ended, or never listened.
    Crashed(String),
    /// It was lost while it was asked.
    Died(String),
}

impl Took {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Took::Started => "started",
            Took::Unsupported(_) => "unsupported",
            Took::Refused(_) => "refused",
            Took::Crashed(_) => "crashed",
            Took::Died(_) => "died",
        }
    }

    /// The words of who said so.
    pub fn words(&self) -> Option<&str> {
        match self {
            Took::Started => None,
            Took::Unsupported(w) | Took::Refused(w) | Took::Crashed(w) | Took::Died(w) => Some(w),
        }
    }
}

/// One policy, asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The policy's id.
    pub policy: String,
    /// How the target took it.
    pub took: Took,
    /// What its probes came to.
    pub outcomes: Vec<Outcome>,
    /// What is wrong with how it ended.
    pub ending: Option<String>,
}

/// The origin of the server in the world of pages, for a policy.
pub fn origin_of(policy: &Policy) -> String {
    format!("https://{}.api.test", policy.id)
}

/// Asks the probes of a policy, by the simulated user agent and byte by byte. `dead` tells why the server is gone, once it is.
///
/// # Errors
///
/// A probe cannot be made.
pub fn ask(
    book: &Book,
    policy: &Policy,
    address: SocketAddr,
    origin: &str,
    only: &dyn Fn(&Tags) -> bool,
) -> Result<Vec<Outcome>, CertifyError> {
    let mut probes = book.probes.of(policy, &book.askers, origin)?;
    probes.retain(|probe| only(&probe.tags));
    ask_these(&probes, policy, address, origin, None)
}

/// Asks probes of a server, by the simulated user agent and byte by byte. Only these methods are really sent, where some are given.
///
/// # Errors
///
/// A probe cannot be made.
pub fn ask_these(
    probes: &[Probe],
    policy: &Policy,
    address: SocketAddr,
    origin: &str,
    methods: Option<&[String]>,
) -> Result<Vec<Outcome>, CertifyError> {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let mut wire = Wire::new(address, host).sending(methods);
    let mut out = Vec::new();
    for probe in probes {
        let asked = match &probe.ask {
            Ask::Page(ask) => page::simulated(probe, ask, policy, origin, &mut wire),
            Ask::Wire(ask) => checks::ask(probe, ask, policy, address, origin),
            Ask::Swap(ask) => sets::swap(probe, ask, policy, address, origin),
            Ask::Cached(ask) => cache::cached(probe, ask, policy, address, origin),
            Ask::Order(ask) => sets::order(probe, ask, address, origin),
            Ask::Growth(ask) => Ok(sets::growth(probe, ask, address, origin)),
        };
        out.push(
            asked.map_err(|words| CertifyError::Wrong { file: "cases/certify/probes.toml", words: format!("{}: {words}", probe.id) })?,
        );
    }
    Ok(out)
}

/// A target started with a policy, asked, and ended.
///
/// # Errors
///
/// A probe cannot be made; no folder, no port.
pub fn certify_policy(book: &Book, policy: &Policy, installed: &Installed) -> Result<Asked, String> {
    let mut asked = Asked { policy: policy.id.clone(), took: Took::Started, outcomes: Vec::new(), ending: None };
    let start = Instance::start(installed, &policy.written).map_err(|e| e.to_string())?;
    let mut instance = match start {
        Start::Up(instance) => instance,
        Start::Unsupported(words) => return Ok(Asked { took: Took::Unsupported(words), ..asked }),
        Start::Refused(words) => return Ok(Asked { took: Took::Refused(words), ..asked }),
        Start::Crashed(words) => {
            asked.outcomes.push(started(policy, "start", &words));
            return Ok(Asked { took: Took::Crashed(words), ..asked });
        }
    };
    asked.outcomes = ask(book, policy, instance.address, &origin_of(policy), &|_| true).map_err(|e| e.to_string())?;
    if policy.is_trap() {
        asked.outcomes.push(started(policy, "started", policy.trap.as_deref().unwrap_or_default()));
    }
    if let Some(words) = instance.died() {
        // What was asked of nobody says nothing of the middleware.
        let refused = |o: &Outcome| o.observation.exchanges.iter().any(|x| matches!(&x.answer.fate, Fate::Failed { .. }));
        asked.outcomes.retain(|o| !refused(o));
        asked.outcomes.push(started(policy, "start", &words));
        asked.took = Took::Died(words);
    }
    asked.ending = match instance.end() {
        Ending::Peaceful | Ending::Early(_) => None,
        Ending::Stubborn => Some("it did not end on SIGTERM, and was killed".to_owned()),
        Ending::Children(n) => Some(format!("it left {n} processes behind, which were killed")),
    };
    Ok(asked)
}

/// What a start itself shows.
pub fn started(policy: &Policy, question: &str, words: &str) -> Outcome {
    let tags = Tags::new().with("policy", &*policy.id).with("probe", "start").with("answers", "start,started");
    let (expected, seen) = match question {
        "started" => ("refused, or a warning", "it started without a word"),
        _ => ("it starts, or says why not", words),
    };
    let finding = Finding {
        tags: tags.clone().with("question", question),
        expected: expected.to_owned(),
        seen: seen.to_owned(),
        shown_by: Vec::new(),
    };
    // That a trap is taken is no fault as such: what comes of it is.
    let verdict = if question == "started" { Verdict::Agrees } else { Verdict::TooStrict };
    Outcome {
        policy: policy.id.clone(),
        probe: question.to_owned(),
        title: format!("The configuration: {}", policy.title),
        tags,
        expected: expected.to_owned(),
        verdict,
        differences: Vec::new(),
        findings: vec![finding],
        observation: Observation { pages: Vec::new(), exchanges: Vec::new(), words: Vec::new() },
        path: Vec::new(),
    }
}

/// All policies of a target, several beside each other.
///
/// # Errors
///
/// A probe cannot be made; no folder, no port.
pub fn certify(
    book: &Book,
    policies: &[&Policy],
    installed: &Installed,
    jobs: usize,
    told: &(dyn Fn(&Asked) + Sync),
) -> Result<Vec<Asked>, String> {
    beside(policies.len(), jobs, &|number| {
        let asked = certify_policy(book, policies[number], installed);
        if let Ok(asked) = &asked {
            told(asked);
        }
        asked
    })
}

/// Does so many things, some beside each other; gives what they came to in their order.
fn beside<T: Send>(many: usize, jobs: usize, one: &(dyn Fn(usize) -> Result<T, String> + Sync)) -> Result<Vec<T>, String> {
    let next = Mutex::new(0_usize);
    let done: Mutex<Vec<(usize, Result<T, String>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, many.max(1)) {
            scope.spawn(|| {
                loop {
                    let number = {
                        let mut next = next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        *next += 1;
                        *next - 1
                    };
                    if number >= many {
                        return;
                    }
                    let came = one(number);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((number, came));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, came)| came).collect()
}
