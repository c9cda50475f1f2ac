//! What is worth knowing of an answer that is right as far as it goes.

use corscheck_cases::oracle::grammar::max_age;

use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
    wire::Response,
};

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "same-origin-refused", rank: Rank::Warning, classes: &["F09"], find: same_origin_refused },
    Symptom { id: "preflight-each-time", rank: Rank::Note, classes: &["F23"], find: each_time },
    Symptom { id: "preflight-kept-less-long", rank: Rank::Note, classes: &["F24"], find: less_long },
    Symptom { id: "private-network-header", rank: Rank::Note, classes: &["S20"], find: private_network },
];

/// The longest that any engine keeps what a preflight grants, in seconds: Firefox. Chromium keeps it for 7200, WebKit for 600.
const LONGEST_SECONDS: u64 = 86_400;

fn same_origin_refused(e: &Evidence) -> Option<Finding> {
    let (exchange, response) = e.actual().filter(|_| e.question.environment.origin.is_same(&e.question.url))?;
    let words = super::preflight::words(response).filter(|_| response.status >= 400 && exchange.request.contains("Origin"))?;
    Some(Finding::new(
        "The server's CORS layer refuses a request from its own site. Browsers send Origin with every POST, PUT and DELETE, same-origin too.",
        format!("page and URL have the same origin, and the answer ({}) says \"{words}\"", response.status),
        "Do not answer origins that are not listed with an error, or list the site itself; behind a proxy, have it pass on Host and the scheme, \
         by which the layer knows its own site.",
    ))
}

/// The answer to a preflight that granted what was asked.
fn granted(e: &Evidence) -> Option<&Response> {
    let last_is_actual = e.decisive().is_some_and(|x| !x.is_preflight && !x.is_assumed());
    e.preflight().map(|(_, response)| response).filter(|_| last_is_actual)
}

fn each_time(e: &Evidence) -> Option<Finding> {
    let response = granted(e)?;
    let told = match (max_age(&response.headers), response.text("Access-Control-Max-Age")) {
        (Some(0), _) => "Access-Control-Max-Age is 0".to_owned(),
        (Some(_), _) => return None,
        (None, None) => "the preflight's answer has no Access-Control-Max-Age, which counts as 5 s".to_owned(),
        (None, Some(value)) => format!("Access-Control-Max-Age is `{value}`, which is no number of seconds and counts as 5"),
    };
    Some(Finding::new(
        "Almost every such request is preceded by a preflight: browsers keep what it grants for no more than five seconds.",
        told,
        "Send `Access-Control-Max-Age: 7200`, or less while the settings still change.",
    ))
}

fn less_long(e: &Evidence) -> Option<Finding> {
    let seconds = max_age(&granted(e)?.headers).filter(|seconds| *seconds > LONGEST_SECONDS)?;
    Some(Finding::new(
        "No browser keeps what a preflight grants for so long: Chromium keeps it for two hours at most, Firefox for a day, WebKit for ten \
         minutes.",
        format!("Access-Control-Max-Age is {seconds}"),
        "Leave it, or send 86400, which says the same. A change of settings is picked up when the browser's own limit is over.",
    ))
}

fn private_network(e: &Evidence) -> Option<Finding> {
    let (_, response) = e.preflight().filter(|(_, r)| r.headers.contains("Access-Control-Allow-Private-Network"))?;
    Some(Finding::new(
        "Access-Control-Allow-Private-Network has no effect: Private Network Access was shelved. Browsers ask the user instead (Local \
         Network Access).",
        format!("it is in the preflight's answer, as `{}`", response.text("Access-Control-Allow-Private-Network").unwrap_or_default()),
        "Leave it out.",
    ))
}
