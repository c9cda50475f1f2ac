//! What lets in more than anybody can mean, told even where the page may read.

use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
    probe::{Kind, OTHER_ORIGIN},
    wire::Response,
};

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "reflects-any-origin-with-credentials", rank: Rank::Warning, classes: &["S01", "S02"], find: reflects_with_credentials },
    Symptom { id: "reflects-any-origin", rank: Rank::Warning, classes: &["S03"], find: reflects },
    Symptom { id: "allows-null-origin", rank: Rank::Warning, classes: &["S14", "S15"], find: null },
    Symptom { id: "wildcard-and-credentials", rank: Rank::Note, classes: &["F20"], find: dead },
];

fn grants_credentials(response: &Response) -> bool {
    response.text("Access-Control-Allow-Credentials").as_deref() == Some("true")
}

fn reflects_with_credentials(e: &Evidence) -> Option<Finding> {
    let other = e.probe(Kind::OtherOrigin).filter(|other| e.reflects_any_origin() && grants_credentials(other))?;
    Some(Finding::new(
        "DANGEROUS: the server allows any origin with credentials. Any site that a user visits can read whatever this user may read here.",
        format!(
            "GET with `Origin: {OTHER_ORIGIN}` is answered ({}) with that origin and `Access-Control-Allow-Credentials: true`",
            other.status
        ),
        "List the origins that may read with credentials. If everybody may read, answer `*` and leave Access-Control-Allow-Credentials out.",
    ))
}

fn reflects(e: &Evidence) -> Option<Finding> {
    let other = e.probe(Kind::OtherOrigin).filter(|other| e.reflects_any_origin() && !grants_credentials(other))?;
    Some(Finding::new(
        "The server allows any origin by repeating the one that asks, where `*` would say the same and could be cached for all.",
        format!("GET with `Origin: {OTHER_ORIGIN}` is answered ({}) with that origin, without credentials", other.status),
        "Send `*`, if everybody may read; list origins, if not. On an internal network any website can read this server through its visitors.",
    ))
}

fn null(e: &Evidence) -> Option<Finding> {
    let by_probe = e.probe(Kind::NullOrigin).filter(|r| r.allow_origin().as_deref() == Some("null"));
    let by_request = e.actual().map(|(_, r)| r).filter(|r| e.is_allowed() && r.allow_origin().as_deref() == Some("null"));
    let response = by_probe.or(by_request)?;
    let credentials = if grants_credentials(response) { " with credentials" } else { "" };
    Some(Finding::new(
        format!("The server allows the origin `null`{credentials}. Any site can make requests with it, from a sandboxed frame."),
        format!("a request with `Origin: null` is answered with `Access-Control-Allow-Origin: null`{credentials}"),
        "Do not allow `null`; use `*` where everybody may read.",
    ))
}

fn dead(e: &Evidence) -> Option<Finding> {
    let response = e.actual().map(|(_, r)| r).or_else(|| e.own_get())?;
    let dead = response.allow_origin().as_deref() == Some("*") && grants_credentials(response);
    dead.then(|| {
        Finding::new(
            "The server sends `*` together with Access-Control-Allow-Credentials. The two never count together: requests with credentials are \
             blocked.",
            "both headers are in one answer",
            "Leave Access-Control-Allow-Credentials out, or list origins instead of `*`.",
        )
    })
}
