//! Values of Access-Control-Allow-Origin that are not the page's origin.

use corscheck_cases::Reason;

use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
    near::{Near, near},
};

const CAUSE: Rank = Rank::Cause;

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "two-layers", rank: CAUSE, classes: &["F26"], find: two_layers },
    Symptom { id: "origin-list", rank: CAUSE, classes: &["F27"], find: list },
    Symptom { id: "origin-trailing-slash", rank: CAUSE, classes: &["F28", "F30"], find: slash },
    Symptom { id: "origin-case", rank: CAUSE, classes: &["F30"], find: case },
    Symptom { id: "origin-scheme", rank: CAUSE, classes: &["F30"], find: scheme },
    Symptom { id: "origin-port", rank: CAUSE, classes: &["F30"], find: port },
    Symptom { id: "origin-www", rank: CAUSE, classes: &["F30"], find: www },
    Symptom { id: "origin-subdomain", rank: CAUSE, classes: &["F30"], find: subdomain },
    Symptom { id: "origin-quotes", rank: CAUSE, classes: &["F31"], find: quotes },
    Symptom { id: "origin-without-scheme", rank: CAUSE, classes: &["F30"], find: bare },
    Symptom { id: "origin-pattern", rank: CAUSE, classes: &["S06", "F30"], find: pattern },
    Symptom { id: "origin-unset", rank: CAUSE, classes: &["F28", "F31"], find: unset },
    Symptom { id: "origin-answered-null", rank: CAUSE, classes: &["S15"], find: answered_null },
    Symptom { id: "origin-fixed", rank: CAUSE, classes: &["F30"], find: fixed },
];

/// The single values in the fields that a check refused for there being several.
fn several(e: &Evidence) -> Option<(usize, Vec<String>)> {
    let (_, response) = e.refused_for(&[Reason::AcaoMultiple])?;
    let fields = response.headers.values("Access-Control-Allow-Origin").count();
    let text = response.allow_origin()?;
    Some((fields, text.split([',', ' ']).map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned).collect()))
}

fn two_layers(e: &Evidence) -> Option<Finding> {
    let (fields, values) = several(e)?;
    let mut distinct = values.clone();
    distinct.sort();
    distinct.dedup();
    let repeated = distinct.len() < values.len();
    let with_wildcard = values.iter().any(|v| v == "*");
    if fields < 2 && !repeated && !with_wildcard {
        return None;
    }
    let told = match (fields, repeated) {
        (2.., _) => format!("there are {fields} Access-Control-Allow-Origin fields in one answer; one program writes one"),
        (_, true) => "the same value stands twice in one field, as proxies write two fields of one name".to_owned(),
        (..) => "`*` and an origin stand together in one field: nobody writes both".to_owned(),
    };
    Some(Finding::new(
        "Two layers add CORS headers to the same answer, such as the application and the proxy before it.",
        told,
        "Let one layer alone answer CORS: remove the header in the other, or have the outer one replace it (nginx: proxy_hide_header \
         Access-Control-Allow-Origin before add_header).",
    ))
}

fn list(e: &Evidence) -> Option<Finding> {
    if two_layers(e).is_some() {
        return None;
    }
    let (_, values) = several(e)?;
    Some(Finding::new(
        "The server writes its whole list of origins into Access-Control-Allow-Origin. Only one origin, or `*`, may stand there.",
        format!("there is one field, with {} different values", values.len()),
        "Compare the request's Origin with the list, and answer with that one origin and `Vary: Origin`.",
    ))
}

/// A finding about an origin that is almost right.
fn almost(e: &Evidence, kind: Near, cause: &str, remedy: &str) -> Option<Finding> {
    let (found, value) = e.near_origin().filter(|(found, _)| *found == kind)?;
    debug_assert_eq!(found, kind);
    let origin = e.decisive()?.origin()?;
    let told = match e.refused_value() {
        Some(_) => format!("the header says `{value}`, the browser says `{origin}`"),
        None => format!("a probe with `Origin: {value}` was answered with the header, requests with `{origin}` are not"),
    };
    Some(Finding::new(cause, told, remedy.replace("{origin}", &origin)))
}

fn slash(e: &Evidence) -> Option<Finding> {
    let cause = "The server was told the origin with a slash or a path behind it. An origin ends with its host or port.";
    almost(e, Near::Slash, cause, "Configure `{origin}`, without anything behind it.")
}

fn case(e: &Evidence) -> Option<Finding> {
    let cause =
        "The server was told the origin in upper-case letters. Browsers send scheme and host in lower case, and compare byte by byte.";
    almost(e, Near::Case, cause, "Configure `{origin}`, in lower case.")
}

fn scheme(e: &Evidence) -> Option<Finding> {
    let cause = "The server was told the origin with another scheme: http and https are different origins.";
    almost(e, Near::Scheme, cause, "Configure `{origin}`; where pages are served over both, list both.")
}

fn port(e: &Evidence) -> Option<Finding> {
    let cause = "The server was told the origin with another port. Every port is an origin of its own, and the usual port of a scheme is \
                 not written.";
    almost(e, Near::Port, cause, "Configure `{origin}`, with exactly this port or none.")
}

fn www(e: &Evidence) -> Option<Finding> {
    let cause = "The server knows the site with `www.` and the page has none, or the other way round: these are different origins.";
    almost(e, Near::Www, cause, "List both, or lead all visitors to one of them; this page has `{origin}`.")
}

fn subdomain(e: &Evidence) -> Option<Finding> {
    let cause = "The server was told a parent or a child of the page's host. An origin stands for itself alone, not for its subdomains.";
    almost(e, Near::Subdomain, cause, "Add `{origin}` to the list.")
}

fn quotes(e: &Evidence) -> Option<Finding> {
    let cause = "There are quotes or brackets in the value: the configuration's own syntax got into the header.";
    almost(e, Near::Quotes, cause, "Look at where the value is read, often an environment variable or YAML; the header must be `{origin}`.")
}

fn bare(e: &Evidence) -> Option<Finding> {
    let cause = "The server was told the host without its scheme. An origin begins with one.";
    almost(e, Near::Bare, cause, "Configure `{origin}`.")
}

fn pattern(e: &Evidence) -> Option<Finding> {
    let (value, _) = e.refused_value()?;
    let regular = value.starts_with('^') || value.ends_with('$') || value.contains("\\.") || value.contains(".*") || value.starts_with('/');
    let glob = value != "*" && value.contains('*') && several(e).is_none();
    if !(regular || glob) {
        return None;
    }
    Some(Finding::new(
        "The server sends its pattern for origins as it is. No browser understands patterns: `*` counts only when it stands alone.",
        format!("the header says `{value}`"),
        "Match the pattern in the server, anchored at both ends, and answer with the request's own Origin and `Vary: Origin`.",
    ))
}

fn unset(e: &Evidence) -> Option<Finding> {
    let (value, _) = e.refused_value()?;
    let word = value.trim().trim_matches('"').to_ascii_lowercase();
    let nothing = ["", "undefined", "false", "true", "none", "nil", "nan", "[object object]", "[]", "{}"].contains(&word.as_str());
    let placeholder = ["${", "{{", "$http", "%{", "<%"].iter().any(|mark| word.contains(mark));
    if !(nothing || placeholder) {
        return None;
    }
    Some(Finding::new(
        "The server's setting for the origin is empty or was never filled in, and what stands in its place is sent.",
        format!("the header says `{value}`, which is no origin"),
        "Set the variable or the template that the header is made from, and have the server refuse to start without it.",
    ))
}

fn answered_null(e: &Evidence) -> Option<Finding> {
    let (value, origin) = e.refused_value()?;
    (value.trim() == "null").then(|| {
        Finding::new(
            "The server answers origins that it does not allow with `null`. That refuses this page and lets in sandboxed frames of anybody.",
            format!("the header says `null`, the browser says `{origin}`"),
            "Add the origin to the list; to refuse an origin, send no Access-Control-Allow-Origin at all.",
        )
    })
}

fn fixed(e: &Evidence) -> Option<Finding> {
    let (value, origin) = e.refused_value()?;
    let explained = several(e).is_some()
        || e.alternates().is_some()
        || near(&value, &origin).is_some()
        || [pattern, unset, answered_null].iter().any(|find| find(e).is_some())
        || e.is_tainted();
    if explained {
        return None;
    }
    Some(Finding::new(
        "The server allows another origin than that of the page, whoever asks or because this one is not in its list.",
        format!("the header says `{value}`, the browser says `{origin}`, and the two have no more in common"),
        "Add the page's origin to the server's list; a server that allows several answers with the one that asks, and `Vary: Origin`.",
    ))
}
