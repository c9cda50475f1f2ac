//! Access-Control-Allow-Origin is not there.

use corscheck_cases::Reason;

use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
    probe::{Kind, OTHER_ORIGIN},
    wire::{Exchange, Response},
};

const CAUSE: Rank = Rank::Cause;

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "answers-alternate", rank: CAUSE, classes: &["F29", "S16"], find: alternate },
    Symptom { id: "errors-lack-headers", rank: CAUSE, classes: &["F01", "F02", "F03", "F35"], find: errors },
    Symptom { id: "not-modified-lacks-headers", rank: CAUSE, classes: &["C12"], find: not_modified },
    Symptom { id: "only-on-preflight", rank: CAUSE, classes: &["F08", "F26"], find: only_on_preflight },
    Symptom { id: "only-on-actual", rank: CAUSE, classes: &["F07", "F32"], find: only_on_actual },
    Symptom { id: "null-origin-not-allowed", rank: CAUSE, classes: &["S14"], find: null_origin },
    Symptom { id: "origin-not-listed", rank: CAUSE, classes: &["F30"], find: not_listed },
    Symptom { id: "no-cors-headers", rank: CAUSE, classes: &[], find: none_at_all },
    Symptom { id: "answers-may-alternate", rank: Rank::Warning, classes: &["F29", "S16"], find: may_alternate },
    Symptom { id: "error-path-lacks-headers", rank: Rank::Warning, classes: &["F02", "F03"], find: error_path },
];

/// The answer that lacks the header, where no closer look at origins, redirects or the preflight's status explains it.
fn plain(e: &Evidence) -> Option<(&Exchange, &Response)> {
    let (exchange, response) = e.refused_for(&[Reason::AcaoMissing])?;
    let explained = e.near_origin().is_some()
        || e.alternates().is_some()
        || super::network::speaks_tls(e)
        || e.is_tainted()
        || response.is_redirect()
        || e.redirect().is_some()
        || exchange.is_preflight && !response.is_ok();
    (!explained).then_some((exchange, response))
}

/// A finding about two answers to the same request that differ.
fn in_turn(e: &Evidence, cause: &str) -> Option<Finding> {
    let (first, again) = e.alternates()?;
    let shown = |response: &Response| response.allow_origin().map_or_else(|| "no such field".to_owned(), |value| format!("`{value}`"));
    Some(Finding::new(
        cause,
        format!("Access-Control-Allow-Origin is {} in one answer and {} in the next, to the same GET", shown(first), shown(again)),
        "Look for a regular expression with the flag `g` or `y` that is used again and again, for options that a request changes, and for \
         several servers with different settings behind one name.",
    ))
}

fn alternate(e: &Evidence) -> Option<Finding> {
    e.refused_for(&[Reason::AcaoMissing, Reason::AcaoMismatch])?;
    in_turn(e, "The server allows this origin at one time and refuses it at another.")
}

fn may_alternate(e: &Evidence) -> Option<Finding> {
    if !e.is_allowed() {
        return None;
    }
    in_turn(e, "The server allowed the request this time, and answers the same request otherwise at another.")
}

fn error(e: &Evidence) -> Option<&Response> {
    plain(e).filter(|(x, r)| !x.is_preflight && r.status >= 400).map(|(_, response)| response)
}

fn errors(e: &Evidence) -> Option<Finding> {
    let response = error(e)?;
    let status = response.status;
    let (who, remedy) = match status {
        401 | 403 | 407 => (
            "Whoever refuses the request answers before CORS headers are added",
            "Put the CORS layer before (outside of) authentication, so that refusals get the headers too; then see to the refusal itself.",
        ),
        404 | 405 => (
            "They are added to answers that succeed, or by a route that does not take this request",
            "Add the headers for every answer, also of the fallback; then see whether path and method are right.",
        ),
        413 | 429 | 431 => (
            "A limit before the application answers, without CORS headers",
            "Add the headers where the limit answers, usually in the proxy or gateway.",
        ),
        502..=504 => (
            "The proxy answers because the application behind it did not, and knows nothing of CORS",
            "See why the application does not answer; add the headers to the proxy's own error answers too.",
        ),
        500.. => (
            "The application failed, and its error answer leaves without CORS headers",
            "See the server's log for the error itself; add the headers outside of the error handler, so that failures can be read too.",
        ),
        _ => ("Error answers leave the server without CORS headers", "Add the headers to every answer, whatever its status."),
    };
    let evidence = match (e.preflight(), e.probe(Kind::ErrorPath), e.own_get()) {
        (Some((_, preflight)), ..) if preflight.allow_origin().is_some() => ", while the preflight's answer has the header",
        (_, _, Some(own)) if own.status < 400 && own.allow_origin().is_some() => ", while the answer to GET has the header",
        (_, Some(path), _) if path.allow_origin().is_none() && path.status >= 400 => "; so does the answer to a path that does not exist",
        _ => "",
    };
    Some(Finding::new(
        format!("The answer is an error ({status}) and lacks the CORS headers. {who}."),
        format!("the status is {status}, not an ok status{evidence}"),
        format!("{remedy} In nginx, `add_header` needs `always` for statuses from 400 on."),
    ))
}

fn not_modified(e: &Evidence) -> Option<Finding> {
    plain(e).filter(|(_, r)| r.status == 304).map(|_| {
        Finding::new(
            "The answer is 304 Not Modified, and whoever makes it leaves out the CORS headers that a 200 has.",
            "the status is 304, and the request asked with a condition of its own",
            "Send the same CORS headers with 304 as with 200: order the layers so that the one for ETags is inside the one for CORS.",
        )
    })
}

/// The answer with an ordinary status that lacks the header.
fn ordinary(e: &Evidence) -> Option<(&Exchange, &Response)> {
    plain(e).filter(|(x, r)| x.is_preflight || r.status < 400 && r.status != 304)
}

fn only_on_preflight(e: &Evidence) -> Option<Finding> {
    let (exchange, _) = ordinary(e).filter(|(x, _)| !x.is_preflight)?;
    let (_, preflight) = e.preflight().filter(|(x, r)| !x.is_preflight || r.allow_origin().is_some())?;
    Some(Finding::new(
        format!(
            "The preflight was answered with CORS headers, the answer to {} itself has none. Both need Access-Control-Allow-Origin.",
            exchange.method
        ),
        format!(
            "the preflight's answer has `Access-Control-Allow-Origin: {}`, the other has no such field",
            preflight.allow_origin().unwrap_or_default()
        ),
        "Add the header to ordinary answers too. Where a proxy or gateway answers OPTIONS by itself, it must also add the header to what it \
         passes on.",
    ))
}

fn only_on_actual(e: &Evidence) -> Option<Finding> {
    let (exchange, response) = ordinary(e).filter(|(x, _)| x.is_preflight)?;
    let own = e.own_get().and_then(Response::allow_origin)?;
    Some(Finding::new(
        "Ordinary answers have CORS headers, the answer to the preflight has none: OPTIONS is answered by somebody else.",
        format!(
            "GET is answered with `Access-Control-Allow-Origin: {own}`, {} with {} and no such field",
            exchange.method, response.status
        ),
        "Let OPTIONS reach the layer that adds the headers. Own handlers for OPTIONS, a web server that answers it by itself and CORS \
         middleware that is bound to one method take it away.",
    ))
}

fn null_origin(e: &Evidence) -> Option<Finding> {
    ordinary(e).filter(|(x, _)| x.origin().as_deref() == Some("null"))?;
    Some(Finding::new(
        "The page has an opaque origin and sends `Origin: null`, as sandboxed frames, data: URLs and pages of file: do. No list of origins \
         holds it.",
        "the request's Origin is `null` from the start",
        "Serve the page over http or https, or give its frame allow-same-origin. Answer `*` where no credentials are needed; do not allow \
         `null`: anybody's sandboxed frame would be let in.",
    ))
}

/// Whether the server told the origin from others, and how that is known.
fn tells_origins_apart(e: &Evidence, response: &Response) -> Option<String> {
    if response.varies_by_origin() {
        return Some("the answer has no Access-Control-Allow-Origin and says `Vary: Origin`: the server did look at the origin".to_owned());
    }
    if let Some(value) = e.probe(Kind::OtherOrigin).and_then(Response::allow_origin) {
        return Some(format!("GET with `Origin: {OTHER_ORIGIN}` is answered with `Access-Control-Allow-Origin: {value}`"));
    }
    let value = e.probe(Kind::WithoutOrigin).and_then(Response::allow_origin)?;
    Some(format!("GET without Origin is answered with `Access-Control-Allow-Origin: {value}`, GET with this origin is not"))
}

fn not_listed(e: &Evidence) -> Option<Finding> {
    let (exchange, response) = ordinary(e).filter(|(x, _)| x.origin().as_deref() != Some("null"))?;
    if only_on_preflight(e).is_some() || only_on_actual(e).is_some() {
        return None;
    }
    let told = tells_origins_apart(e, response)?;
    Some(Finding::new(
        "The server does CORS, and this origin is not one that it allows.",
        told,
        format!("Add `{}` to the server's list of origins, exactly so.", exchange.origin().unwrap_or_default()),
    ))
}

fn none_at_all(e: &Evidence) -> Option<Finding> {
    let (exchange, response) = ordinary(e)?;
    if [only_on_preflight, only_on_actual, null_origin, not_listed].iter().any(|find| find(e).is_some()) {
        return None;
    }
    let probed = match (e.own_get(), e.probe(Kind::OtherOrigin)) {
        (Some(_), Some(_)) => ", nor has any answer to a probe",
        _ => "",
    };
    Some(Finding::new(
        "The server sends no CORS headers at all. curl and Postman do not ask for them; browsers do.",
        format!("the answer to {} ({}) has no Access-Control-Allow-Origin and no `Vary: Origin`{probed}", exchange.method, response.status),
        "Turn CORS on in the server, or in the proxy before it. If it is on, the request does not come by it: another path, another server, \
         a layer that answers before.",
    ))
}

fn error_path(e: &Evidence) -> Option<Finding> {
    let own = e.own_get().filter(|own| own.status < 400)?;
    let allowed = own.allow_origin()?;
    let path = e.probe(Kind::ErrorPath).filter(|path| path.status >= 400 && path.allow_origin().is_none())?;
    if error(e).is_some() {
        return None;
    }
    Some(Finding::new(
        format!(
            "Error answers lack the CORS headers: a page cannot read why a request failed, and sees \"blocked by CORS\" instead of {}.",
            path.status
        ),
        format!(
            "GET is answered with `Access-Control-Allow-Origin: {allowed}`, a path that does not exist with {} and no such field",
            path.status
        ),
        "Add the headers to every answer, whatever its status; in nginx, `add_header … always`.",
    ))
}
