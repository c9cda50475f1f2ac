//! Credentials: the wildcard that does not count, and the header that must be `true`.

use corscheck_cases::Reason;

use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
};

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "wildcard-with-credentials", rank: Rank::Cause, classes: &["F20"], find: wildcard },
    Symptom { id: "allow-credentials-missing", rank: Rank::Cause, classes: &["F20"], find: missing },
    Symptom { id: "allow-credentials-not-true", rank: Rank::Cause, classes: &["H02"], find: spelling },
];

fn wildcard(e: &Evidence) -> Option<Finding> {
    e.refused_for(&[Reason::WildcardWithCredentials])?;
    Some(Finding::new(
        "The request is made with credentials, and the server allows every origin by `*`, which does not count for such requests.",
        "the credentials mode is include, and the header is `*`",
        "If the page needs no cookies or HTTP authentication, ask without `credentials: \"include\"` (withCredentials). If it does, list the \
         origins that may, and answer with the one that asks. Do not answer with whatever origin asks: any site could then read what the \
         user may read.",
    ))
}

fn missing(e: &Evidence) -> Option<Finding> {
    let (_, response) = e.refused_for(&[Reason::AcacNotTrue])?;
    (!response.headers.contains("Access-Control-Allow-Credentials")).then(|| {
        Finding::new(
            "The request is made with credentials, and the server does not say that it allows them.",
            "the origin matches, and there is no Access-Control-Allow-Credentials",
            "Answer with `Access-Control-Allow-Credentials: true`, on the preflight and on the actual answer; or ask without credentials.",
        )
    })
}

fn spelling(e: &Evidence) -> Option<Finding> {
    let (_, response) = e.refused_for(&[Reason::AcacNotTrue])?;
    let value = response.text("Access-Control-Allow-Credentials")?;
    Some(Finding::new(
        "Access-Control-Allow-Credentials must be `true`, in lower case and nothing else.",
        format!("the header says `{value}`"),
        "Send `true`; a language's own word for it (`True`, `1`) does not count. A server that allows no credentials leaves the header out.",
    ))
}
