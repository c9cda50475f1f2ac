//! Response headers that script means to read and cannot.

use corscheck_cases::oracle::{End, safelist::is_forbidden_response_header_name};

use super::listed;
use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
    wire::Response,
};

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "header-never-readable", rank: Rank::Cause, classes: &[], find: forbidden },
    Symptom { id: "expose-wildcard-with-credentials", rank: Rank::Cause, classes: &["F21", "F33"], find: wildcard },
    Symptom { id: "header-not-exposed", rank: Rank::Cause, classes: &["F33"], find: hidden },
    Symptom { id: "header-not-sent", rank: Rank::Cause, classes: &[], find: absent },
];

/// The headers that script means to read and gets null for, and the answer.
pub(in crate::explain) fn unreadable(e: &Evidence) -> Option<(Vec<&str>, &Response)> {
    let End::Response(seen) = &e.run.view.end else { return None };
    let names = e.question.expects.iter().map(String::as_str);
    let names: Vec<_> = names.filter(|name| !seen.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))).collect();
    (!names.is_empty()).then_some(names).zip(e.actual().map(|(_, r)| r))
}

/// Those of them that were sent and may be exposed.
fn sent(e: &Evidence) -> Option<(Vec<&str>, &Response)> {
    let (mut names, response) = unreadable(e)?;
    names.retain(|name| response.headers.contains(name) && !is_forbidden_response_header_name(name));
    (!names.is_empty()).then_some((names, response))
}

fn forbidden(e: &Evidence) -> Option<Finding> {
    let (mut names, _) = unreadable(e)?;
    names.retain(|name| is_forbidden_response_header_name(name));
    (!names.is_empty()).then(|| {
        Finding::new(
            format!("No script can read {}, whatever the server exposes.", listed(&names)),
            "Set-Cookie is kept from scripts always",
            "Send what script needs to know in the body or in a header of its own; the cookie itself is stored without script's help.",
        )
    })
}

fn wildcard(e: &Evidence) -> Option<Finding> {
    let (names, response) = sent(e).filter(|_| e.question.includes_credentials())?;
    response.lists("Access-Control-Expose-Headers", "*").then(|| {
        Finding::new(
            "Access-Control-Expose-Headers is `*`, which for requests with credentials is a header of that name and no wildcard.",
            format!("the answer has {}, the credentials mode is include, and the list is `*`", listed(&names)),
            format!("List the headers by name: `Access-Control-Expose-Headers: {}`.", names.join(", ")),
        )
    })
}

fn hidden(e: &Evidence) -> Option<Finding> {
    let (names, response) = sent(e).filter(|_| wildcard(e).is_none())?;
    let list = response.text("Access-Control-Expose-Headers");
    let has =
        list.map_or_else(|| "there is no Access-Control-Expose-Headers".to_owned(), |l| format!("Access-Control-Expose-Headers is `{l}`"));
    let is = if names.len() == 1 { "is" } else { "are" };
    Some(Finding::new(
        format!("The answer has {}, and the server does not expose it: script gets null.", listed(&names)),
        format!("{} {is} in the answer, and {has}", listed(&names)),
        format!("Answer with `Access-Control-Expose-Headers: {}`.", names.join(", ")),
    ))
}

fn absent(e: &Evidence) -> Option<Finding> {
    let (mut names, response) = unreadable(e)?;
    names.retain(|name| !response.headers.contains(name) && !is_forbidden_response_header_name(name));
    (!names.is_empty()).then(|| {
        Finding::new(
            format!("The answer has no {}: there is nothing to expose.", listed(&names)),
            "no such field is in the answer",
            "Have the server send it; it may depend on the request.",
        )
    })
}
