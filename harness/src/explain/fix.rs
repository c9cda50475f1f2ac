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
        answers: e.run.exchanges.iter().map(|x| x.answer.clone()).chain(e.unasked.iter().cloned()).collect(),
        wildcard: uses_wildcard(e),
        request: None,
    };
    let (run, proof) = mending.mend();
    let mut edits: Vec<_> = mending.request.into_iter().collect();
    edits.extend(run.exchanges.iter().enumerate().filter_map(|(i, x)| edit(before(e, i), x)));
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
            // Those that are taken for granted are changed like others.
            let known = self.answers.len();
            self.answers.extend(run.exchanges.iter().skip(known).map(|x| x.answer.clone()));
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

/// The answer to the n-th request before any change, if somebody gave or described it.
fn before(e: &Evidence, n: usize) -> Option<&Response> {
    let answer = match e.run.exchanges.get(n) {
        Some(exchange) => &exchange.answer,
        None => e.unasked.get(n - e.run.exchanges.len())?,
    };
    match answer {
        Answer::Response(response) => Some(response),
        Answer::Assumed(_) | Answer::Fault(_) => None,
    }
}

/// What was changed from one answer to the other.
fn edit(before: Option<&Response>, after: &Exchange) -> Option<Edit> {
    let bare = Response::new(200, HeaderList::new());
    let seen = before.is_some();
    let (old, new) = (before.unwrap_or(&bare), after.response()?);
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use corscheck_cases::oracle::network::Fault;

    use super::*;
    use crate::explain::{reach::Reach, scene::Scene};

    const OWN: &str = "Access-Control-Allow-Origin: https://app.example.com";

    fn told(scene: Scene) -> String {
        let Some(fix) = fix(&scene.evidence()) else { return "nothing to mend".to_owned() };
        let mut out = String::new();
        for edit in &fix.edits {
            _ = writeln!(out, "{}{}", edit.to, if edit.seen { "" } else { " (unseen)" });
            edit.removed.iter().for_each(|line| _ = writeln!(out, "- {line}"));
            edit.added.iter().for_each(|line| _ = writeln!(out, "+ {line}"));
        }
        _ = write!(out, "{:?}", fix.proof);
        out
    }

    #[test]
    fn one_answer_is_mended_until_the_request_is_allowed() {
        insta::assert_snapshot!(told(Scene::get().include().answer(200, "access-control-allow-origin: *\nVary: Accept")), @r"
        the answer to GET https://api.example.com/x
        - access-control-allow-origin: *
        - Vary: Accept
        + access-control-allow-origin: https://app.example.com
        + Access-Control-Allow-Credentials: true
        + Vary: Accept, Origin
        Allowed
        ");
        insta::assert_snapshot!(told(Scene::get().include().answer(200, &format!("{OWN}\nAccess-Control-Allow-Credentials: True"))), @r"
        the answer to GET https://api.example.com/x
        - Access-Control-Allow-Credentials: True
        + Access-Control-Allow-Credentials: true
        Allowed
        ");
        insta::assert_snapshot!(told(Scene::get().answer(200, &format!("{OWN}\n{OWN}"))), @r"
        the answer to GET https://api.example.com/x
        - Access-Control-Allow-Origin: https://app.example.com
        - Access-Control-Allow-Origin: https://app.example.com
        + Access-Control-Allow-Origin: https://app.example.com
        + Vary: Origin
        Allowed
        ");
        insta::assert_snapshot!(told(Scene::get().answer(500, "")), @r"
        the answer to GET https://api.example.com/x
        + Access-Control-Allow-Origin: https://app.example.com
        + Vary: Origin
        Allowed
        ");
    }

    #[test]
    fn a_preflight_and_the_answer_behind_it_are_mended_together() {
        let scene = Scene::put().include().header("X-A", "1").header("X-B", "2");
        insta::assert_snapshot!(told(scene.preflight(401, "Access-Control-Allow-Methods: *, GET")), @r"
        the answer to the preflight OPTIONS https://api.example.com/x
        - 401 Unauthorized
        - Access-Control-Allow-Methods: *, GET
        + 204 No Content
        + Access-Control-Allow-Origin: https://app.example.com
        + Access-Control-Allow-Credentials: true
        + Access-Control-Allow-Methods: GET, PUT
        + Access-Control-Allow-Headers: x-a, x-b
        the answer to PUT https://api.example.com/x (unseen)
        + Access-Control-Allow-Origin: https://app.example.com
        + Access-Control-Allow-Credentials: true
        + Vary: Origin
        Allowed
        ");
        // Where the server answers `*`, the rest of the fix does too.
        insta::assert_snapshot!(told(Scene::put().preflight(204, "Access-Control-Allow-Origin: *")), @r"
        the answer to the preflight OPTIONS https://api.example.com/x
        + Access-Control-Allow-Methods: PUT
        the answer to PUT https://api.example.com/x (unseen)
        + Access-Control-Allow-Origin: *
        Allowed
        ");
        // What a file describes of the answer behind is mended and not guessed.
        insta::assert_snapshot!(told(Scene::put().preflight(404, "").answer(200, "Access-Control-Allow-Origin: null")), @r"
        the answer to the preflight OPTIONS https://api.example.com/x
        - 404 Not Found
        + 204 No Content
        + Access-Control-Allow-Origin: https://app.example.com
        + Access-Control-Allow-Methods: PUT
        the answer to PUT https://api.example.com/x
        - Access-Control-Allow-Origin: null
        + Access-Control-Allow-Origin: https://app.example.com
        + Vary: Origin
        Allowed
        ");
    }

    #[test]
    fn what_is_wrong_with_the_request_is_mended_there() {
        let patch = Scene::new("patch", "https://api.example.com/x");
        insta::assert_snapshot!(told(patch.preflight(204, &format!("{OWN}\nAccess-Control-Allow-Methods: PATCH")).answer(200, OWN)), @r"
        the request
        - method: patch
        + method: PATCH
        Allowed
        ");
        insta::assert_snapshot!(told(Scene::get().mode(Mode::NoCors).answer(200, "")), @r"
        the request
        - mode: no-cors
        + mode: cors
        the answer to GET https://api.example.com/x
        + Access-Control-Allow-Origin: https://app.example.com
        + Vary: Origin
        Allowed
        ");
        insta::assert_snapshot!(told(Scene::get().mode(Mode::SameOrigin)), @r"
        the request
        - mode: same-origin
        + mode: cors
        the answer to GET https://api.example.com/x (unseen)
        + Access-Control-Allow-Origin: https://app.example.com
        + Vary: Origin
        Allowed
        ");
        insta::assert_snapshot!(told(Scene::put().preflight(308, "Location: /x/")), @r"
        the request
        - url: https://api.example.com/x
        + url: https://api.example.com/x/
        AskAgain
        ");
    }

    #[test]
    fn headers_are_exposed() {
        let scene = Scene::get().expects("X-Total").expects("ETag").expects("X-None");
        insta::assert_snapshot!(told(scene.answer(200, &format!("{OWN}\nX-Total: 1\nETag: \"1\"\nAccess-Control-Expose-Headers: Link"))), @r"
        the answer to GET https://api.example.com/x
        - Access-Control-Expose-Headers: Link
        + Access-Control-Expose-Headers: Link, X-Total, ETag
        Allowed
        ");
    }

    #[test]
    fn nobody_is_told_to_allow_null_with_credentials() {
        let tainted =
            || Scene::get().answer(302, &format!("{OWN}\nAccess-Control-Allow-Credentials: true\nLocation: https://cdn.example.net/x"));
        insta::assert_snapshot!(told(tainted().answer(200, OWN)), @r"
        the answer to GET https://cdn.example.net/x
        - Access-Control-Allow-Origin: https://app.example.com
        + Access-Control-Allow-Origin: *
        Allowed
        ");
        insta::assert_snapshot!(told(tainted().include().answer(200, OWN)), @"nothing to mend");
        insta::assert_snapshot!(told(Scene::get().origin("null").include().answer(200, "")), @"nothing to mend");
    }

    #[test]
    fn where_headers_have_no_part_there_is_no_fix() {
        insta::assert_snapshot!(told(Scene::get().answer(200, OWN)), @"nothing to mend");
        insta::assert_snapshot!(told(Scene::new("GET", "https://api.example.com:6000/")), @"nothing to mend");
        insta::assert_snapshot!(told(Scene::get().unanswered(Fault::Broken("x".into()), Reach::Closed)), @"nothing to mend");
    }
}
