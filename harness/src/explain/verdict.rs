//! The verdict: what it came to, in one sentence.

use corscheck_cases::{Outcome, Reason};
use serde::Serialize;

use super::{
    evidence::Evidence,
    symptoms::{FaultWords, names_not_granted, unreadable},
    wire::Exchange,
};
use crate::exit::Exit;

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The word for it.
    pub word: Word,
    /// Why, when there is nothing to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The sentence.
    pub sentence: String,
    /// What reached the server all the same, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
}

/// What a request came to, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// The page may read the answer.
    Allowed,
    /// The page may read the answer, but not the headers that it means to.
    HeaderHidden,
    /// It may not.
    Blocked,
    /// It asked for an answer that it cannot read, and gets it.
    Opaque,
    /// The call throws.
    Refused,
    /// There is no answer.
    Unreachable,
}

impl Word {
    /// The word on terminals and in results.
    pub fn word(self) -> &'static str {
        match self {
            Word::Allowed => "allowed",
            Word::HeaderHidden => "header-hidden",
            Word::Blocked => "blocked",
            Word::Opaque => "opaque",
            Word::Refused => "refused",
            Word::Unreachable => "unreachable",
        }
    }

    /// How the program ends with it.
    pub fn exit(self) -> Exit {
        match self {
            Word::Allowed | Word::Opaque => Exit::AsExpected,
            Word::HeaderHidden | Word::Blocked | Word::Refused => Exit::Unexpected,
            Word::Unreachable => Exit::Environment,
        }
    }
}

/// What the evidence comes to.
pub fn verdict(e: &Evidence) -> Verdict {
    let word = match e.run.outcome() {
        _ if e.run.is_unanswered() => Word::Unreachable,
        Outcome::Allowed if unreadable(e).is_some() => Word::HeaderHidden,
        Outcome::Allowed => Word::Allowed,
        Outcome::Opaque | Outcome::OpaqueRedirect => Word::Opaque,
        Outcome::Refused => Word::Refused,
        Outcome::Blocked | Outcome::Aborted => Word::Blocked,
    };
    let question = &e.question;
    let page = match question.origin() {
        "null" => format!("a page with an opaque origin (`null`; its server is {})", question.environment.page_origin.serialized()),
        origin => format!("a page of {origin}"),
    };
    let request = format!("{} {}", question.method(), question.url);
    let sentence = match word {
        Word::Allowed => format!("Allowed: {page} may read the answer to {request}{}.", status(e)),
        Word::HeaderHidden => {
            let names = unreadable(e).map(|(names, _)| names.join(", ")).unwrap_or_default();
            format!("Allowed, but {page} gets null for {names} in the answer to {request}{}.", status(e))
        }
        Word::Opaque => format!("Opaque: {page} gets an answer to {request} of which it may read nothing."),
        Word::Refused => format!("Refused: the browser does not make the request {request} for {page}, because {}.", decided(e)),
        Word::Unreachable => format!("Unreachable: {page} gets nothing from {request}, because {}.", because(e)),
        Word::Blocked => format!("Blocked: {page} may not read the answer to {request}, because {}.", because(e)),
    };
    Verdict { word, reason: e.reason(), sentence, effect: effect(e, word) }
}

fn status(e: &Evidence) -> String {
    e.actual().map(|(x, r)| format!(" ({}{})", r.status, if x.is_assumed() { ", taken for granted" } else { "" })).unwrap_or_default()
}

/// What the step that decided says.
fn decided(e: &Evidence) -> String {
    e.run.path.iter().rfind(|step| step.decides).map_or_else(|| "of an unknown step".to_owned(), |step| step.says.to_string())
}

fn because(e: &Evidence) -> String {
    let Some(x) = e.decisive() else { return decided(e) };
    let home = x.url == e.question.url;
    let answer = match (x.is_preflight, home) {
        (true, true) => "the answer to its preflight".to_owned(),
        (false, true) => "it".to_owned(),
        _ => format!("the answer to {}", x.title()),
    };
    let Some(response) = x.response() else {
        let fault = x.fault().map(|f| FaultWords(f).to_string()).unwrap_or_default();
        let place = if home && !x.is_preflight { String::new() } else { format!(" to {}", x.title()) };
        return format!("there is no answer{place}: {fault}");
    };
    let value = response.allow_origin().unwrap_or_default();
    let origin = x.origin().unwrap_or_default();
    let status = response.status;
    match e.reason() {
        Some(Reason::AcaoMissing) => format!("{answer} ({status}) has no Access-Control-Allow-Origin"),
        Some(Reason::AcaoMismatch | Reason::AcaoInvalid) => {
            format!("{answer} allows the origin `{value}`, and the request's is `{origin}`")
        }
        Some(Reason::AcaoMultiple) => format!("{answer} has more than one value in Access-Control-Allow-Origin (`{value}`)"),
        Some(Reason::WildcardWithCredentials) => {
            format!("{answer} allows `*`, which does not count for a request with credentials")
        }
        Some(Reason::AcacNotTrue) => format!("{answer} does not say Access-Control-Allow-Credentials: true"),
        Some(Reason::PreflightNotOk) => format!("{answer} has status {status}, which is no ok status"),
        Some(Reason::PreflightRedirect) => format!("{answer} is a redirect ({status})"),
        Some(Reason::MethodNotAllowed) => format!("{answer} does not allow the method {}", e.question.method()),
        Some(Reason::HeaderNotAllowed) => {
            let names = names_not_granted(x, response, e.question.includes_credentials());
            format!("{answer} does not allow {} {}", if names.len() == 1 { "the header" } else { "the headers" }, names.join(", "))
        }
        Some(Reason::AllowMethodsMalformed) => format!("Access-Control-Allow-Methods in {answer} is malformed"),
        Some(Reason::AllowHeadersMalformed) => format!("Access-Control-Allow-Headers in {answer} is malformed"),
        _ => decided(e),
    }
}

fn effect(e: &Evidence, word: Word) -> Option<String> {
    if !matches!(word, Word::Blocked | Word::Refused) {
        return None;
    }
    let method = e.question.method();
    Some(match e.decisive() {
        None => "Nothing was sent.".to_owned(),
        Some(x) if x.is_preflight => match e.run.exchanges.iter().filter(|x| !x.is_preflight).count() {
            0 => format!("The {method} itself was never sent."),
            _ => format!("The {method} was sent as far as the redirect, and not to {}.", x.url),
        },
        Some(x) if x.is_assumed() => return None,
        Some(Exchange { method, .. }) => {
            format!("The server did get the {method} and answered it; the browser keeps the answer from the page.")
        }
    })
}
