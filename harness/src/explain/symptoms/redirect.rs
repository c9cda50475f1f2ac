//! Redirects of the actual request.

use corscheck_cases::Reason;
use url::Url;

use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
    wire::{Exchange, Response},
};

const CAUSE: Rank = Rank::Cause;

/// The reasons for which an answer fails the check of its origin.
const ORIGIN_REASONS: &[Reason] =
    &[Reason::AcaoMissing, Reason::AcaoMismatch, Reason::AcaoInvalid, Reason::AcaoMultiple, Reason::WildcardWithCredentials];

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "redirect-to-login", rank: CAUSE, classes: &["F04"], find: to_login },
    Symptom { id: "redirect-to-https-lacks-headers", rank: CAUSE, classes: &["F04"], find: upgrade },
    Symptom { id: "redirect-slash-lacks-headers", rank: CAUSE, classes: &["F04"], find: slash },
    Symptom { id: "redirect-lacks-headers", rank: CAUSE, classes: &["F04"], find: lacks },
    Symptom { id: "null-after-redirect", rank: CAUSE, classes: &["F04"], find: tainted },
    Symptom { id: "redirect-target-lacks-headers", rank: CAUSE, classes: &["F04"], find: target },
    Symptom { id: "redirect-loop", rank: CAUSE, classes: &[], find: too_many },
    Symptom { id: "redirect-with-password", rank: CAUSE, classes: &[], find: userinfo },
    Symptom { id: "redirect-broken", rank: CAUSE, classes: &[], find: broken },
    Symptom { id: "redirect-mode-error", rank: CAUSE, classes: &[], find: mode_error },
];

/// Whether a redirect only changes http to https.
pub(in crate::explain) fn is_upgrade(from: &Url, to: &Url) -> bool {
    from.scheme() == "http" && to.scheme() == "https" && from.host_str() == to.host_str()
}

/// Whether a redirect only adds or takes a slash at the end of the path.
pub(in crate::explain) fn is_slash(from: &Url, to: &Url) -> bool {
    let (a, b) = (from.path(), to.path());
    from.scheme() == to.scheme() && from.host_str() == to.host_str() && a != b && a.trim_end_matches('/') == b.trim_end_matches('/')
}

/// Whether a URL looks like that of a login page.
pub(super) fn is_login(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let path = url.path().to_ascii_lowercase();
    let words = ["login", "log-in", "signin", "sign-in", "sign_in", "oauth", "authorize", "sso", "saml", "auth"];
    let in_host = ["login", "auth", "sso", "accounts", "signin", "id", "idp"];
    host.split(['.', '-']).any(|label| in_host.contains(&label))
        || path.split(['/', '.', ';']).any(|part| words.iter().any(|word| part == *word || part.starts_with(&format!("{word}_"))))
}

/// The actual redirect whose own answer was refused, and where it leads.
fn refused_redirect(e: &Evidence) -> Option<(&Exchange, &Response, Url)> {
    let (exchange, response) = e.refused_for(ORIGIN_REASONS).filter(|(x, r)| !x.is_preflight && r.is_redirect())?;
    let target = exchange.url.join(&response.text("Location")?).ok()?;
    Some((exchange, response, target))
}

/// A redirect that was followed to another origin where the answer was refused.
fn refused_target(e: &Evidence) -> Option<(&Exchange, &Response, &Exchange)> {
    let (refused, _) = e.refused_for(ORIGIN_REASONS)?;
    let (exchange, response) = e.redirect()?;
    Some((exchange, response, refused))
}

fn to_login(e: &Evidence) -> Option<Finding> {
    let (told, to) = match (refused_redirect(e), refused_target(e)) {
        (Some((_, response, target)), _) => {
            (format!("the answer is {} and leads to {target}, a login page by its name", response.status), target)
        }
        (None, Some((_, response, refused))) => {
            let words = "whose answer lacks the headers";
            (format!("the answer {} leads to {}, a login page by its name, {words}", response.status, refused.url), refused.url.clone())
        }
        (None, None) => return None,
    };
    is_login(&to).then(|| {
        Finding::new(
            "The request is not logged in, and the server leads it to a login page. A script cannot log in there, and must not read the page.",
            told,
            "Answer API requests without a session with 401 (and CORS headers) instead of a redirect. In the page: log in first, and see that \
             the session's cookie is sent (credentials mode include, SameSite=None; Secure).",
        )
    })
}

fn hop(e: &Evidence, is: fn(&Url, &Url) -> bool, cause: &str) -> Option<Finding> {
    let (exchange, response, target) = refused_redirect(e).filter(|_| to_login(e).is_none())?;
    is(&exchange.url, &target).then(|| {
        Finding::new(
            cause,
            format!(
                "the answer is {} with `Location: {}`, and fails the CORS check itself",
                response.status,
                response.text("Location").unwrap_or_default()
            ),
            format!("Ask for {target} in the first place, or add the CORS headers to the redirect too."),
        )
    })
}

fn upgrade(e: &Evidence) -> Option<Finding> {
    hop(
        e,
        is_upgrade,
        "The URL is http, and the server leads to https by an answer without CORS headers. Every answer on the way must pass the check.",
    )
}

fn slash(e: &Evidence) -> Option<Finding> {
    let cause = "The server leads to the path with (or without) a slash at its end by an answer without CORS headers. Every answer on the way \
                 must pass the check.";
    hop(e, is_slash, cause)
}

fn lacks(e: &Evidence) -> Option<Finding> {
    if [to_login, upgrade, slash, tainted].iter().any(|find| find(e).is_some()) {
        return None;
    }
    hop(e, |_, _| true, "The answer is a redirect that fails the CORS check. Every answer on the way must pass it, not only the last.")
}

fn tainted(e: &Evidence) -> Option<Finding> {
    let (refused, _) = e.refused_for(ORIGIN_REASONS).filter(|_| e.is_tainted() && to_login(e).is_none())?;
    let hosts: Vec<_> = e.run.exchanges.iter().filter(|x| !x.is_preflight).map(|x| x.url.origin().ascii_serialization()).collect();
    Some(Finding::new(
        "A redirect led from one foreign origin to another. From there on the browser sends `Origin: null`, which no list of origins holds.",
        format!("the way was {}, and {} was asked with `Origin: null`", hosts.join(" → "), refused.url),
        format!("Ask for {} in the first place, or let it answer `*`, if no credentials are needed. Do not allow `null`.", refused.url),
    ))
}

fn target(e: &Evidence) -> Option<Finding> {
    if [to_login, tainted].iter().any(|find| find(e).is_some()) {
        return None;
    }
    let (from, _, refused) = refused_target(e).filter(|(_, _, refused)| refused.response().is_some_and(|r| !r.is_redirect()))?;
    if e.near_origin().is_some() || e.reason() != Some(Reason::AcaoMissing) {
        return None;
    }
    Some(Finding::new(
        format!("{} redirects to {}, whose answer has no CORS headers.", from.url, refused.url),
        "the redirect itself passes the check, and the answer behind it does not",
        "Add the headers there too, or ask for that URL's content by way of a server of your own.",
    ))
}

fn too_many(e: &Evidence) -> Option<Finding> {
    (e.reason() == Some(Reason::RedirectLimit)).then(|| {
        Finding::new(
            "The redirects never end: after twenty of them browsers give up.",
            format!("there were {} redirects", e.run.exchanges.iter().filter(|x| !x.is_preflight).count() - 1),
            "Follow the Location headers above: two rules, such as http to https behind a proxy that ends TLS, lead to each other.",
        )
    })
}

fn userinfo(e: &Evidence) -> Option<Finding> {
    (e.reason() == Some(Reason::RedirectUserinfo)).then(|| {
        Finding::new(
            "The redirect's Location holds a user name or password, which browsers do not follow across origins.",
            format!("Location is `{}`", e.decisive().and_then(Exchange::response).and_then(|r| r.text("Location")).unwrap_or_default()),
            "Leave the credentials out of Location.",
        )
    })
}

fn broken(e: &Evidence) -> Option<Finding> {
    let reason = e.reason().filter(|r| matches!(r, Reason::RedirectLocationInvalid | Reason::RedirectScheme))?;
    let location = e.decisive()?.response()?.text("Location").unwrap_or_default();
    let why = if reason == Reason::RedirectScheme { "leads to a scheme other than http and https" } else { "holds no single URL" };
    Some(Finding::new(
        format!("The redirect's Location {why}."),
        format!("Location is `{location}`"),
        "Send one http or https URL in one Location field.",
    ))
}

fn mode_error(e: &Evidence) -> Option<Finding> {
    (e.reason() == Some(Reason::RedirectError)).then(|| {
        Finding::new(
            "The server redirects, and the page asked for that to be an error.",
            "the redirect mode is error",
            "Ask with the redirect mode follow, or for the URL that the redirect leads to.",
        )
    })
}
