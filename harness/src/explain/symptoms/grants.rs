//! What a preflight's answer grants: methods and headers.

use corscheck_cases::{
    Reason,
    oracle::{
        grammar::{Extracted, extract_tokens},
        safelist::is_non_wildcard_name,
    },
};

use super::listed;
use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
    wire::{Exchange, Response},
};

const CAUSE: Rank = Rank::Cause;

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "method-case", rank: CAUSE, classes: &["F18", "S23"], find: method_case },
    Symptom { id: "method-wildcard-with-credentials", rank: CAUSE, classes: &["F21"], find: method_wildcard },
    Symptom { id: "method-not-listed", rank: CAUSE, classes: &["F17", "F25"], find: method_missing },
    Symptom { id: "authorization-needs-its-name", rank: CAUSE, classes: &["F22"], find: authorization },
    Symptom { id: "header-wildcard-with-credentials", rank: CAUSE, classes: &["F21"], find: header_wildcard },
    Symptom { id: "headers-not-listed", rank: CAUSE, classes: &[], find: headers_missing },
    Symptom { id: "grants-malformed", rank: CAUSE, classes: &[], find: malformed },
];

/// The tokens of a list header.
pub(in crate::explain) fn tokens(response: &Response, name: &str) -> Vec<String> {
    match extract_tokens(&response.headers, name) {
        Extracted::Values(values) => values.into_iter().map(str::to_owned).collect(),
        Extracted::Absent | Extracted::Failure => Vec::new(),
    }
}

/// The names that a preflight asked for and its answer does not grant.
pub(in crate::explain) fn names_not_granted(preflight: &Exchange, response: &Response, include: bool) -> Vec<String> {
    let asked = preflight.request.get("Access-Control-Request-Headers").unwrap_or_default();
    let granted = tokens(response, "Access-Control-Allow-Headers");
    let wildcard = granted.iter().any(|g| g == "*") && !include;
    let names = String::from_utf8_lossy(&asked).into_owned();
    let is_granted = |name: &str| granted.iter().any(|g| g.eq_ignore_ascii_case(name)) || wildcard && !is_non_wildcard_name(name);
    names.split(',').map(str::trim).filter(|name| !name.is_empty() && !is_granted(name)).map(str::to_owned).collect()
}

fn refused_method(e: &Evidence) -> Option<(String, Vec<String>)> {
    let (exchange, response) = e.refused_for(&[Reason::MethodNotAllowed])?;
    let method = String::from_utf8_lossy(&exchange.request.get("Access-Control-Request-Method")?).into_owned();
    Some((method, tokens(response, "Access-Control-Allow-Methods")))
}

fn method_case(e: &Evidence) -> Option<Finding> {
    let (method, granted) = refused_method(e)?;
    let other = granted.iter().find(|g| g.eq_ignore_ascii_case(&method))?;
    Some(Finding::new(
        format!(
            "Methods are compared with their case, and the page asks for `{method}` where the server allows `{other}`. Browsers write only \
             DELETE, GET, HEAD, OPTIONS, POST and PUT in upper case by themselves."
        ),
        format!("Access-Control-Allow-Methods lists `{other}` and not `{method}`"),
        format!("Ask for `{other}` in the page's script."),
    ))
}

fn method_wildcard(e: &Evidence) -> Option<Finding> {
    let (method, granted) = refused_method(e).filter(|_| e.question.includes_credentials())?;
    (granted.iter().any(|g| g == "*") && method_case(e).is_none()).then(|| {
        Finding::new(
            "Access-Control-Allow-Methods is `*`, which for requests with credentials is a method of that name and no wildcard.",
            "the credentials mode is include, and `*` is in the list",
            format!("List the methods by name, {method} among them."),
        )
    })
}

fn method_missing(e: &Evidence) -> Option<Finding> {
    let (method, granted) = refused_method(e)?;
    if method_case(e).is_some() || method_wildcard(e).is_some() {
        return None;
    }
    let told = match granted.len() {
        0 => "the preflight's answer has no Access-Control-Allow-Methods".to_owned(),
        _ => format!("Access-Control-Allow-Methods lists {}", listed(&granted)),
    };
    Some(Finding::new(
        format!("The preflight's answer does not allow the method {method}."),
        told,
        format!("Add {method} to the methods that the server's CORS layer allows. GET, HEAD and POST need not be listed, all others must."),
    ))
}

fn refused_names(e: &Evidence) -> Option<(Vec<String>, Vec<String>)> {
    let (exchange, response) = e.refused_for(&[Reason::HeaderNotAllowed])?;
    let names = names_not_granted(exchange, response, e.question.includes_credentials());
    Some((names, tokens(response, "Access-Control-Allow-Headers")))
}

fn authorization(e: &Evidence) -> Option<Finding> {
    let (names, granted) = refused_names(e)?;
    let only = names.len() == 1 && is_non_wildcard_name(&names[0]) && granted.iter().any(|g| g == "*");
    (only && !e.question.includes_credentials()).then(|| {
        Finding::new(
            "Access-Control-Allow-Headers is `*`, which covers every header but Authorization: that must be listed by its name.",
            "Authorization is the one header that is missing, and `*` is in the list",
            "Send `Access-Control-Allow-Headers: *, Authorization`. Today's Chromium, Firefox and WebKit let the request pass all the same; \
             Firefox warns that it will not for long.",
        )
    })
}

fn header_wildcard(e: &Evidence) -> Option<Finding> {
    let (names, granted) = refused_names(e).filter(|_| e.question.includes_credentials())?;
    granted.iter().any(|g| g == "*").then(|| {
        Finding::new(
            "Access-Control-Allow-Headers is `*`, which for requests with credentials is a header of that name and no wildcard.",
            "the credentials mode is include, and `*` is in the list",
            format!("List the headers by name: {}.", listed(&names)),
        )
    })
}

fn headers_missing(e: &Evidence) -> Option<Finding> {
    let (names, granted) = refused_names(e)?;
    if authorization(e).is_some() || header_wildcard(e).is_some() {
        return None;
    }
    let told = match granted.len() {
        0 => "the preflight's answer has no Access-Control-Allow-Headers".to_owned(),
        _ => format!("Access-Control-Allow-Headers lists {}", listed(&granted)),
    };
    let (what, them) = if names.len() == 1 { ("header", "it") } else { ("headers", "each of them") };
    let needless = names.iter().any(|n| n.eq_ignore_ascii_case("access-control-allow-origin"));
    let remedy = if needless {
        "Access-Control-Allow-Origin is a header of answers: do not send it with the request.".to_owned()
    } else {
        format!(
            "Add {them} to the headers that the server's CORS layer allows, or do not send {}.",
            if names.len() == 1 { "it" } else { "them" }
        )
    };
    Some(Finding::new(format!("The preflight's answer does not allow the {what} {}.", listed(&names)), told, remedy))
}

fn malformed(e: &Evidence) -> Option<Finding> {
    let (_, response) = e.refused_for(&[Reason::AllowMethodsMalformed, Reason::AllowHeadersMalformed])?;
    let (name, what) = match e.reason() {
        Some(Reason::AllowMethodsMalformed) => ("Access-Control-Allow-Methods", "methods"),
        _ => ("Access-Control-Allow-Headers", "header names"),
    };
    Some(Finding::new(
        format!("{name} is no list of {what} with commas between them, and a list that cannot be read grants nothing."),
        format!("the header says `{}`", response.text(name).unwrap_or_default()),
        format!("Write the {what} one after another with commas between, without quotes or brackets."),
    ))
}
