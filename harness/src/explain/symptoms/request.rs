//! What the request itself brings about, before any server is asked or whatever it answers.

use corscheck_cases::{
    Outcome, Reason,
    format::Mode,
    oracle::safelist::{is_cors_safelisted, is_forbidden_request_header},
};

use super::listed;
use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
};

const CAUSE: Rank = Rank::Cause;

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "mixed-content", rank: CAUSE, classes: &[], find: mixed_content },
    Symptom { id: "bad-port", rank: CAUSE, classes: &[], find: bad_port },
    Symptom { id: "scheme-not-fetched", rank: CAUSE, classes: &[], find: scheme },
    Symptom { id: "mode-same-origin", rank: CAUSE, classes: &[], find: same_origin_mode },
    Symptom { id: "mode-no-cors-redirect", rank: CAUSE, classes: &[], find: no_cors_redirect },
    Symptom { id: "resource-policy", rank: CAUSE, classes: &[], find: resource_policy },
    Symptom { id: "call-refused", rank: CAUSE, classes: &[], find: refused },
    Symptom { id: "no-cors-hides-everything", rank: CAUSE, classes: &[], find: opaque },
    Symptom { id: "response-header-on-request", rank: Rank::Note, classes: &[], find: response_header },
    Symptom { id: "forbidden-header-dropped", rank: Rank::Note, classes: &[], find: forbidden_header },
    Symptom { id: "upload-listener-forces-preflight", rank: Rank::Note, classes: &["F10"], find: upload_listener },
    Symptom { id: "json-needs-preflight", rank: Rank::Note, classes: &[], find: json },
    Symptom { id: "same-origin", rank: Rank::Note, classes: &[], find: same_origin },
];

fn mixed_content(e: &Evidence) -> Option<Finding> {
    (e.reason() == Some(Reason::BlockedByPolicy) && e.run.exchanges.last().is_none_or(|x| x.response().is_some())).then(|| {
        let redirected = !e.run.exchanges.is_empty();
        Finding::new(
            "The page is https and what it asks for is http: mixed content, which browsers block before CORS is looked at.",
            if redirected {
                "a redirect led from https to http"
            } else {
                "the page's origin is https, and the URL is http on another host than this one"
            },
            "Serve the API over https, or through the page's own server.",
        )
    })
}

fn bad_port(e: &Evidence) -> Option<Finding> {
    (e.reason() == Some(Reason::BadPort)).then(|| {
        let url = &e.question.url;
        Finding::new(
            "The port is one that browsers never ask, because other protocols use it. No header changes that.",
            format!(
                "{} is on the list of bad ports of the Fetch standard",
                url.port().map_or_else(|| "the port".to_owned(), |p| p.to_string())
            ),
            "Let the server listen on another port, such as 8080.",
        )
    })
}

fn scheme(e: &Evidence) -> Option<Finding> {
    (e.reason() == Some(Reason::SchemeNotAllowed)).then(|| {
        Finding::new(
            format!("CORS is for http and https, and the URL is `{}:`.", e.question.url.scheme()),
            "the scheme of the URL",
            "Serve the file by a web server, and ask for its http URL.",
        )
    })
}

fn same_origin_mode(e: &Evidence) -> Option<Finding> {
    (e.reason() == Some(Reason::ModeSameOrigin)).then(|| {
        Finding::new(
            "The request is made with mode same-origin, and the URL is of another origin.",
            "the mode of the request",
            "Ask with mode cors, which is the default of fetch().",
        )
    })
}

fn no_cors_redirect(e: &Evidence) -> Option<Finding> {
    (e.reason() == Some(Reason::NoCorsRedirectMode)).then(|| {
        Finding::new(
            "A request with mode no-cors must follow redirects.",
            "the mode is no-cors, and the redirect mode is not follow",
            "Leave the redirect mode out.",
        )
    })
}

fn resource_policy(e: &Evidence) -> Option<Finding> {
    let (_, response) = e.refused_for(&[Reason::Corp])?;
    Some(Finding::new(
        "The server says by Cross-Origin-Resource-Policy that other sites may not embed this, and mode no-cors respects that.",
        format!("the header says `{}`", response.text("Cross-Origin-Resource-Policy").unwrap_or_default()),
        "Send `Cross-Origin-Resource-Policy: cross-origin`, or ask with mode cors.",
    ))
}

fn refused(e: &Evidence) -> Option<Finding> {
    (e.run.outcome() == Outcome::Refused).then(|| {
        let says = e.run.path.iter().rfind(|step| step.decides).map_or_else(String::new, |step| step.says.to_string());
        Finding::new(
            "The browser refuses the call itself: there is no request at all.",
            format!("{says}, and the call throws"),
            "Change the call: GET and HEAD take no body, CONNECT, TRACE and TRACK are no methods for script, header names are tokens.",
        )
    })
}

fn opaque(e: &Evidence) -> Option<Finding> {
    (e.run.outcome() == Outcome::Opaque).then(|| {
        Finding::new(
            "With mode no-cors the answer is opaque: status 0, no headers, no body, whatever the server sends.",
            "the mode is no-cors, and the URL is of another origin",
            "Ask with mode cors, and have the server allow the origin. no-cors does not get around CORS; it gives up reading.",
        )
    })
}

fn response_header(e: &Evidence) -> Option<Finding> {
    const NAMES: [&str; 6] = [
        "access-control-allow-origin",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-credentials",
        "access-control-expose-headers",
        "access-control-max-age",
    ];
    let sent = e.question.call.action.headers.iter().map(|(name, _)| name.as_str());
    let sent: Vec<_> = sent.filter(|name| NAMES.iter().any(|n| n.eq_ignore_ascii_case(name))).collect();
    (!sent.is_empty()).then(|| {
        Finding::new(
            format!("{} belongs to answers. Sent with a request it allows nothing, and makes a preflight needed.", listed(&sent)),
            "it is among the request's headers",
            "Leave it out of the request: it is the server that sends it.",
        )
    })
}

fn forbidden_header(e: &Evidence) -> Option<Finding> {
    let headers = e.question.call.action.headers.iter();
    let dropped: Vec<_> = headers.filter(|(n, v)| is_forbidden_request_header(n, v.as_bytes())).map(|(n, _)| n.as_str()).collect();
    (!dropped.is_empty()).then(|| {
        Finding::new(
            format!("Browsers do not let script set {}, and leave it out without a word.", listed(&dropped)),
            "it is a forbidden request-header of the Fetch standard",
            "Leave it out. Cookies are sent by the credentials mode include, Origin and Host by the browser.",
        )
    })
}

fn upload_listener(e: &Evidence) -> Option<Finding> {
    let action = &e.question.call.action;
    let forced = action.upload_listener.is_some() && action.body.is_some();
    let otherwise = action.headers.iter().all(|(n, v)| is_cors_safelisted(n, v.as_bytes()));
    (forced && otherwise && e.preflight().is_some() && matches!(e.question.method(), "GET" | "HEAD" | "POST")).then(|| {
        Finding::new(
            "The listeners on xhr.upload make a preflight needed: without them this request would have none.",
            "method and headers are safelisted, and there are listeners on the upload object",
            "Have the server answer preflights, or leave the progress bar out.",
        )
    })
}

fn json(e: &Evidence) -> Option<Finding> {
    let action = &e.question.call.action;
    let (name, value) =
        action.headers.iter().find(|(n, v)| n.eq_ignore_ascii_case("content-type") && !is_cors_safelisted(n, v.as_bytes()))?;
    let only = action.headers.iter().all(|(n, v)| n == name || is_cors_safelisted(n, v.as_bytes()));
    (only && e.preflight().is_some() && matches!(e.question.method(), "GET" | "HEAD" | "POST")).then(|| {
        Finding::new(
            format!("`Content-Type: {value}` alone makes a preflight needed: forms cannot send it."),
            "method and all other headers are safelisted",
            "Have the server answer the preflight and allow content-type. A GET has no body, and needs no Content-Type.",
        )
    })
}

fn same_origin(e: &Evidence) -> Option<Finding> {
    let home = e.question.environment.origin.is_same(&e.question.url);
    (home && e.question.mode() == Mode::Cors && e.run.exchanges.len() == 1).then(|| {
        Finding::new(
            "Page and URL have the same origin: CORS has no part in this request.",
            "scheme, host and port are equal",
            "If the page is on another origin, name it with --origin.",
        )
    })
}
