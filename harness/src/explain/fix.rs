//! The fix: which lines of which answer must change, found by changing them until the request is allowed.
//!
//! Each change is made to the recorded answers, and the request is made again against them. What is printed was tried.

use corscheck_cases::{
    Outcome, Reason,
    bind::Action,
    format::Mode,
    oracle::{Call, headers::HeaderList},
};
use serde::Serialize;

use super::{
    described::Described,
    evidence::Evidence,
    question::Question,
    run::{Run, run_described},
    symptoms::{is_slash, is_upgrade, names_not_granted, tokens, unreadable},
    wire::{Answer, Exchange, Response},
};

/// The most changes of one fix; each refusal takes one or two.
const MOST_CHANGES: usize = 40;

/// The headers that changes are made to, in the order in which they are shown.
const NAMES: &[&str] = &[
    "Location",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
    "Cross-Origin-Resource-Policy",
    "Vary",
];

/// What to change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fix {
    /// The changes, request first, then answers in order.
    pub edits: Vec<Edit>,
    /// What the request comes to against answers so changed.
    pub proof: Proof,
}

/// What is known of a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The same request against the changed answers is allowed.
    Allowed,
    /// It asks for another URL, whose answers nobody has seen.
    AskAgain,
    /// No header mends it.
    #[default]
    None,
}

/// Changes to one request or answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// What is changed: `the answer to the preflight OPTIONS …`.
    pub to: String,
    /// Lines that go.
    pub removed: Vec<String>,
    /// Lines that come.
    pub added: Vec<String>,
    /// Whether the answer was seen; otherwise nobody knows what it says, and this is what it must say.
    pub seen: bool,
}

/// Looks for what makes the request allowed; `None` where nothing needs to be mended, or headers have no part in it.
pub fn fix(e: &Evidence) -> Option<Fix> {
    let blocked = matches!(e.run.outcome(), Outcome::Blocked | Outcome::Opaque) && !e.run.is_unanswered();
    if !blocked && unreadable(e).is_none() {
        return None;
    }
    if let Some(edit) = other_url(e) {
        return Some(Fix { edits: vec![edit], proof: Proof::AskAgain });
    }
    let mut mending = Mending {
        question: e.question.clone(),
        answers: e.run.exchanges.iter().map(|x| x.answer.clone()).collect(),
        wildcard: uses_wildcard(e),
        request: None,
    };
    let (run, proof) = mending.mend();
    let mut edits: Vec<_> = mending.request.into_iter().collect();
    edits.extend(run.exchanges.iter().enumerate().filter_map(|(i, x)| edit(e.run.exchanges.get(i), x)));
    (proof == Proof::Allowed || !edits.is_empty()).then_some(Fix { edits, proof })
}

/// Where a preflight is led elsewhere by a rule for all requests, the page should ask there.
fn other_url(e: &Evidence) -> Option<Edit> {
    let (exchange, response) = e.refused_preflight().filter(|(_, r)| r.is_redirect())?;
    let target = exchange.url.join(&response.text("Location")?).ok()?;
    (is_upgrade(&exchange.url, &target) || is_slash(&exchange.url, &target)).then(|| Edit {
        to: "the request".to_owned(),
        removed: vec![format!("url: {}", exchange.url)],
        added: vec![format!("url: {target}")],
        seen: true,
    })
}

/// Whether the server answers `*` where it does answer.
fn uses_wildcard(e: &Evidence) -> bool {
    let answers = e.run.exchanges.iter().filter(|x| !x.is_assumed()).filter_map(Exchange::response);
    answers.chain(e.own_get()).any(|r| r.allow_origin().as_deref() == Some("*"))
}

struct Mending {
    question: Question,
    answers: Vec<Answer>,
    wildcard: bool,
    request: Option<Edit>,
}

impl Mending {
    /// Mends one refusal after the other; gives the last run, and what it proves.
    fn mend(&mut self) -> (Run, Proof) {
        let mut exposed = false;
        for _ in 0..MOST_CHANGES {
            let run = run_described(&self.question, &mut Described::in_order(self.answers.clone()));
            self.answers = run.exchanges.iter().map(|x| x.answer.clone()).collect();
            let changed = match run.outcome() {
                Outcome::Allowed if exposed || !self.expose(&run) => return (run, Proof::Allowed),
                Outcome::Allowed => {
                    exposed = true;
                    true
                }
                _ => self.change_request(&run) || self.change_answer(&run),
            };
            if !changed {
                return (run, Proof::None);
            }
        }
        let run = run_described(&self.question, &mut Described::in_order(self.answers.clone()));
        (run, Proof::None)
    }

    /// Changes what the page's script asks, where that is what is wrong.
    fn change_request(&mut self, run: &Run) -> bool {
        let mut action = self.question.call.action.clone();
        let (removed, added) = match run.reason() {
            Some(Reason::ModeSameOrigin) => ("mode: same-origin".to_owned(), "mode: cors".to_owned()),
            None if run.outcome() == Outcome::Opaque => ("mode: no-cors".to_owned(), "mode: cors".to_owned()),
            Some(Reason::MethodNotAllowed) => {
                let asked = self.question.method().to_owned();
                let listed = run.exchanges.last().and_then(Exchange::response).map(|r| tokens(r, "Access-Control-Allow-Methods"));
                let Some(other) = listed.into_iter().flatten().find(|m| *m != asked && m.eq_ignore_ascii_case(&asked)) else {
                    return false;
                };
                action.method = Some(other.clone());
                (format!("method: {asked}"), format!("method: {other}"))
            }
            _ => return false,
        };
        if self.request.is_some() {
            return false;
        }
        if added.starts_with("mode") {
            action.mode = Some(Mode::Cors);
        }
        self.request = Some(Edit { to: "the request".to_owned(), removed: vec![removed], added: vec![added], seen: true });
        self.ask(action);
        true
    }

    fn ask(&mut self, action: Action) {
        self.question.call = Call::new(action, &self.question.environment.url);
    }

    /// Changes the answer at which the request ended; `false` where no header mends it.
    fn change_answer(&mut self, run: &Run) -> bool {
        let Some(reason) = run.reason() else { return false };
        let include = self.question.includes_credentials();
        let Some(exchange) = run.exchanges.last() else { return false };
        let origin = exchange.origin().unwrap_or_default();
        let index = run.exchanges.len() - 1;
        let (Answer::Response(response) | Answer::Assumed(response)) = &mut self.answers[index] else { return false };
        let before = response.clone();
        let headers = &mut response.headers;
        match reason {
            Reason::AcaoMissing | Reason::AcaoMismatch | Reason::AcaoMultiple | Reason::AcaoInvalid | Reason::WildcardWithCredentials => {
                let anybody = !include && (self.wildcard || origin == "null");
                if origin == "null" && !anybody {
                    // To allow `null` with credentials is to allow everybody.
                    return false;
                }
                replace(headers, "Access-Control-Allow-Origin", if anybody { "*" } else { &origin });
                if !anybody && !exchange.is_preflight && !before.varies_by_origin() {
                    add_to_list(headers, "Vary", "Origin");
                }
                if include && !exchange.is_preflight && exchange.is_assumed() {
                    replace(headers, "Access-Control-Allow-Credentials", "true");
                }
            }
            Reason::AcacNotTrue => replace(headers, "Access-Control-Allow-Credentials", "true"),
            Reason::PreflightNotOk | Reason::PreflightRedirect => {
                response.status = 204;
                response.reason = b"No Content".to_vec();
                headers.delete("Location");
            }
            Reason::MethodNotAllowed => grant(headers, "Access-Control-Allow-Methods", &[self.question.method().to_owned()], include),
            Reason::HeaderNotAllowed => {
                let names = names_not_granted(exchange, &before, include);
                grant(headers, "Access-Control-Allow-Headers", &names, include);
            }
            Reason::AllowMethodsMalformed => replace(headers, "Access-Control-Allow-Methods", self.question.method()),
            Reason::AllowHeadersMalformed => {
                let asked = exchange.request.get("Access-Control-Request-Headers");
                headers.delete("Access-Control-Allow-Headers");
                if let Some(asked) = asked {
                    replace(headers, "Access-Control-Allow-Headers", &String::from_utf8_lossy(&asked));
                }
            }
            Reason::Corp => replace(headers, "Cross-Origin-Resource-Policy", "cross-origin"),
            _ => return false,
        }
        *response != before
    }

    /// Exposes the headers that script means to read; whether there was any to expose.
    fn expose(&mut self, run: &Run) -> bool {
        let mut evidence = Evidence::new(self.question.clone(), run.clone());
        evidence.question.expects.clone_from(&self.question.expects);
        let Some((names, _)) = unreadable(&evidence) else { return false };
        let include = self.question.includes_credentials();
        let index = run.exchanges.len() - 1;
        let (Answer::Response(response) | Answer::Assumed(response)) = &mut self.answers[index] else { return false };
        let names: Vec<_> = names.into_iter().filter(|n| response.headers.contains(n)).map(str::to_owned).collect();
        if names.is_empty() {
            return false;
        }
        grant(&mut response.headers, "Access-Control-Expose-Headers", &names, include);
        true
    }
}

fn replace(headers: &mut HeaderList<'static>, name: &'static str, value: &str) {
    headers.set(name, value.as_bytes().to_vec());
}

fn add_to_list(headers: &mut HeaderList<'static>, name: &'static str, element: &str) {
    let value = match headers.get(name).filter(|v| !v.is_empty()) {
        Some(value) => [&value[..], b", ", element.as_bytes()].concat(),
        None => element.as_bytes().to_vec(),
    };
    headers.set(name, value);
}

/// Adds to a list of grants; a `*` that does not count is taken out.
fn grant(headers: &mut HeaderList<'static>, name: &'static str, granted: &[String], include: bool) {
    let before = headers.get(name).unwrap_or_default().into_owned();
    let mut list: Vec<String> = String::from_utf8_lossy(&before).split(',').map(|e| e.trim().to_owned()).collect();
    list.retain(|e| !(e.is_empty() || include && e == "*"));
    list.extend(granted.iter().cloned());
    headers.set(name, list.join(", ").into_bytes());
}

/// What was changed from one exchange to the other.
fn edit(before: Option<&Exchange>, after: &Exchange) -> Option<Edit> {
    let bare = Response::new(200, HeaderList::new());
    let seen = before.is_some_and(|x| !x.is_assumed());
    let (old, new) = (before.and_then(Exchange::response).unwrap_or(&bare), after.response()?);
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    if old.status != new.status {
        removed.push(status_line(old));
        added.push(status_line(new));
    }
    let lines = |response: &Response, name: &str| -> Vec<String> {
        let named = response.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name));
        named.map(|h| format!("{}: {}", h.name, corscheck_cases::text::escape(&h.value))).collect()
    };
    for name in NAMES {
        let (was, is) = (lines(old, name), lines(new, name));
        if was != is {
            removed.extend(was);
            added.extend(is);
        }
    }
    let changed = !(removed.is_empty() && added.is_empty());
    changed.then(|| Edit { to: format!("the answer to {}", after.title()), removed, added, seen })
}

fn status_line(response: &Response) -> String {
    let reason = http::StatusCode::from_u16(response.status).ok().and_then(|s| s.canonical_reason()).unwrap_or_default();
    format!("{} {reason}", response.status).trim_end().to_owned()
}
