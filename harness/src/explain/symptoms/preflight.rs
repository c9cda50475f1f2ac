//! Preflights that are not answered as such: statuses, redirects.

use corscheck_cases::oracle::grammar::isomorphic_decode;

use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
    probe::Kind,
    wire::{Exchange, Response},
};

const CAUSE: Rank = Rank::Cause;

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "preflight-refused-by-cors-layer", rank: CAUSE, classes: &["F09"], find: by_cors_layer },
    Symptom { id: "preflight-unauthorized", rank: CAUSE, classes: &["F06"], find: unauthorized },
    Symptom { id: "preflight-forbidden", rank: CAUSE, classes: &["F06"], find: forbidden },
    Symptom { id: "preflight-not-found", rank: CAUSE, classes: &["F32"], find: not_found },
    Symptom { id: "preflight-method-not-routed", rank: CAUSE, classes: &["F32"], find: not_routed },
    Symptom { id: "preflight-rate-limited", rank: CAUSE, classes: &["F06"], find: limited },
    Symptom { id: "preflight-server-error", rank: CAUSE, classes: &["F36"], find: server_error },
    Symptom { id: "preflight-bad-status", rank: CAUSE, classes: &["F07"], find: other_status },
    Symptom { id: "preflight-redirect-to-https", rank: CAUSE, classes: &["F05"], find: to_https },
    Symptom { id: "preflight-redirect-slash", rank: CAUSE, classes: &["F05"], find: slash },
    Symptom { id: "preflight-redirect-to-login", rank: CAUSE, classes: &["F05", "F06"], find: to_login },
    Symptom { id: "preflight-redirect", rank: CAUSE, classes: &["F05"], find: elsewhere },
];

/// The preflight that was answered with another status than an ok one, and not with a redirect.
fn refused(e: &Evidence) -> Option<(&Exchange, &Response)> {
    e.refused_preflight().filter(|(_, r)| !r.is_ok() && !r.is_redirect() && !super::network::speaks_tls(e))
}

/// What else is known of who answers OPTIONS, as the end of a sentence.
fn besides(e: &Evidence) -> String {
    let status = refused(e).map(|(_, r)| r.status);
    let options = match (e.probe(Kind::PlainOptions), e.probe(Kind::OwnOrigin)) {
        (Some(plain), _) if Some(plain.status) == status => "; any other OPTIONS request is answered so too",
        (_, Some(own)) if Some(own.status) == status => "; GET is answered so too",
        (Some(plain), _) if plain.is_ok() => "; OPTIONS requests that are no preflights are let through",
        _ => "",
    };
    let bare = e.probe(Kind::OwnOrigin).is_some_and(|own| own.is_ok() && own.allow_origin().is_none() && !own.varies_by_origin());
    let bare = if bare { "; GET is answered without CORS headers, so they may not be turned on at all" } else { "" };
    format!("{options}{bare}")
}

/// Words that a CORS layer says of a preflight that it refuses: Starlette, Spring.
pub(super) fn words(response: &Response) -> Option<&'static str> {
    let body = response.body_text();
    ["Disallowed CORS origin", "Disallowed CORS method", "Disallowed CORS headers", "Disallowed CORS", "Invalid CORS request"]
        .into_iter()
        .find(|words| body.contains(words))
}

fn by_cors_layer(e: &Evidence) -> Option<Finding> {
    let (exchange, response) = refused(e)?;
    let passes = |kind| e.probe(kind).is_some_and(|r| r.is_ok() && r.allow_origin().is_some());
    let body = response.body_text();
    let for_origin = body.contains("origin");
    let (what, told) = match words(response) {
        Some(words) if for_origin => ("this origin", format!("the answer ({}) says \"{words}\"", response.status)),
        Some(words) if body.contains("method") => ("this method", format!("the answer ({}) says \"{words}\"", response.status)),
        Some(words) if body.contains("header") => ("these headers", format!("the answer ({}) says \"{words}\"", response.status)),
        Some(words) => ("something in it", format!("the answer ({}) says \"{words}\"", response.status)),
        None if passes(Kind::MethodPreflight) => {
            ("these headers", format!("it answers {}, and a preflight for the same method without headers passes", response.status))
        }
        None if passes(Kind::HarmlessPreflight) => {
            ("this method or these headers", format!("it answers {}, and a preflight for GET without headers passes", response.status))
        }
        None => return None,
    };
    let asked = |name: &str| exchange.request.get(name).map(|v| isomorphic_decode(&v).into_owned());
    let wish = match what {
        "this origin" => format!("the origin {}", exchange.origin().unwrap_or_default()),
        "this method" => format!("the method {}", asked("Access-Control-Request-Method").unwrap_or_default()),
        "these headers" => format!("the headers {}", asked("Access-Control-Request-Headers").unwrap_or_default()),
        _ => {
            let headers = asked("Access-Control-Request-Headers").map(|h| format!(", the headers {h}")).unwrap_or_default();
            format!(
                "the origin {}, the method {}{headers}",
                exchange.origin().unwrap_or_default(),
                asked("Access-Control-Request-Method").unwrap_or_default()
            )
        }
    };
    Some(Finding::new(
        format!("The server's CORS layer refuses the preflight with an error status, because of {what}."),
        told,
        format!("Allow {wish} in its configuration."),
    ))
}

/// A finding about a status, unless the CORS layer itself refused.
fn status(e: &Evidence, statuses: &[u16], cause: &str, remedy: &str) -> Option<Finding> {
    let (_, response) = refused(e).filter(|(_, r)| statuses.contains(&r.status) && by_cors_layer(e).is_none())?;
    Some(Finding::new(cause, format!("the preflight is answered with {}{}", response.status, besides(e)), remedy))
}

fn unauthorized(e: &Evidence) -> Option<Finding> {
    let found = status(
        e,
        &[401, 407],
        "Authentication stands before the CORS layer. A preflight never carries cookies, passwords or an Authorization header, so it can \
         never be let in.",
        "Answer OPTIONS requests with Access-Control-Request-Method before authentication: put the CORS layer outermost. (nginx: \
         `limit_except OPTIONS { auth_basic …; }`.)",
    )?;
    let (_, response) = refused(e)?;
    let challenge = response.text("WWW-Authenticate").map(|c| format!(", and asks for credentials by `WWW-Authenticate: {c}`"));
    Some(Finding { told: format!("{}{}", found.told, challenge.unwrap_or_default()), ..found })
}

fn forbidden(e: &Evidence) -> Option<Finding> {
    status(
        e,
        &[403],
        "Something before the CORS layer forbids the preflight: access control, a CSRF check, a firewall.",
        "Let OPTIONS requests with Access-Control-Request-Method pass before any such check: they carry neither credentials nor a token.",
    )
}

fn not_found(e: &Evidence) -> Option<Finding> {
    status(
        e,
        &[404, 410],
        "Nobody answers OPTIONS at this path: routes exist for other methods only, or the path is wrong.",
        "Answer preflights before routing, or add a route for OPTIONS; and compare the path with one that exists.",
    )
}

fn not_routed(e: &Evidence) -> Option<Finding> {
    let found = status(
        e,
        &[405, 501],
        "The route takes other methods and not OPTIONS, so the preflight does not get to a CORS layer.",
        "Answer preflights before routing: CORS middleware belongs around the router, not on a single route or method.",
    )?;
    let allow = refused(e)?.1.text("Allow").map(|methods| format!(", with `Allow: {methods}`"));
    Some(Finding { told: format!("{}{}", found.told, allow.unwrap_or_default()), ..found })
}

fn limited(e: &Evidence) -> Option<Finding> {
    status(
        e,
        &[429],
        "A rate limit stands before the CORS layer and counts preflights too.",
        "Do not count OPTIONS requests with Access-Control-Request-Method, and send a longer Access-Control-Max-Age, so that there are fewer.",
    )
}

fn server_error(e: &Evidence) -> Option<Finding> {
    let all: Vec<u16> = (500..=599).filter(|s| *s != 501).collect();
    status(
        e,
        &all,
        "The server, or the gateway before it, fails at the preflight.",
        "See the server's log for this OPTIONS request; an application that does not expect OPTIONS, or a gateway without its application.",
    )
}

fn other_status(e: &Evidence) -> Option<Finding> {
    let (_, response) = refused(e)?;
    let named = [unauthorized, forbidden, not_found, not_routed, limited, server_error].iter().any(|find| find(e).is_some());
    if named || by_cors_layer(e).is_some() {
        return None;
    }
    status(
        e,
        &[response.status],
        "The preflight is answered with a status that is no ok status (200 to 299): somebody takes it for an ordinary request.",
        "Answer OPTIONS requests that have Access-Control-Request-Method with 204 and the CORS headers.",
    )
}

/// The preflight that was answered with a redirect, the answer, and where it leads.
fn redirected(e: &Evidence) -> Option<(&Exchange, &Response, Option<url::Url>)> {
    let (exchange, response) = e.refused_preflight().filter(|(_, r)| r.is_redirect())?;
    let target = response.text("Location").and_then(|l| exchange.url.join(&l).ok());
    Some((exchange, response, target))
}

fn redirect_finding(e: &Evidence, cause: &str, remedy: &str) -> Option<Finding> {
    let (_, response, target) = redirected(e)?;
    let location = response.text("Location").unwrap_or_default();
    let told = format!("the preflight is answered with {} and `Location: {location}`", response.status);
    let to = target.map_or(location, |url| url.to_string());
    Some(Finding::new(cause, told, remedy.replace("{to}", &to)))
}

fn to_https(e: &Evidence) -> Option<Finding> {
    let (exchange, _, target) = redirected(e)?;
    if !super::redirect::is_upgrade(&exchange.url, &target?) {
        return None;
    }
    redirect_finding(
        e,
        "The URL is http, and the server leads all requests to https. A preflight must not be redirected.",
        "Ask for {to} in the first place.",
    )
}

fn slash(e: &Evidence) -> Option<Finding> {
    let (exchange, _, target) = redirected(e)?;
    if !super::redirect::is_slash(&exchange.url, &target?) {
        return None;
    }
    redirect_finding(
        e,
        "The server leads this path to the one with (or without) a slash at its end. A preflight must not be redirected.",
        "Ask for {to} in the first place, or turn the redirect for slashes off in the server.",
    )
}

fn to_login(e: &Evidence) -> Option<Finding> {
    let (_, _, target) = redirected(e)?;
    if slash(e).is_some() || to_https(e).is_some() || !super::redirect::is_login(&target?) {
        return None;
    }
    redirect_finding(
        e,
        "Authentication stands before the CORS layer and leads whoever is not logged in to its login page, preflights among them: they \
         never carry credentials.",
        "Answer OPTIONS requests with Access-Control-Request-Method before authentication, and API requests without a session with 401 \
         instead of a redirect.",
    )
}

fn elsewhere(e: &Evidence) -> Option<Finding> {
    if [slash, to_https, to_login].iter().any(|find| find(e).is_some()) {
        return None;
    }
    redirect_finding(
        e,
        "The server redirects the preflight. A preflight must be answered where it arrives.",
        "Ask for {to} in the first place, or have the server answer OPTIONS before it redirects.",
    )
}
