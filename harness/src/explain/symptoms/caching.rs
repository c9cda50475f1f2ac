//! What goes wrong when an answer is cached: for this page later, or for another one.

use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
    probe::Kind,
    wire::Response,
};

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "vary-missing", rank: Rank::Warning, classes: &["C01", "C04"], find: vary },
    Symptom { id: "vary-missing-without-origin", rank: Rank::Warning, classes: &["C02", "C05", "C13"], find: vary_without_origin },
    Symptom { id: "vary-missing-for-others", rank: Rank::Warning, classes: &["C03"], find: vary_for_others },
    Symptom { id: "not-modified-changes-headers", rank: Rank::Warning, classes: &["C12"], find: not_modified },
];

/// The answer to GET with this origin, if the header in it depends on who asks; and how that is known.
fn depends(e: &Evidence) -> Option<(&Response, String)> {
    let own = e.own_get()?;
    let value = own.allow_origin()?;
    let differs = |kind: Kind| e.probe(kind).filter(|other| other.status == own.status && other.allow_origin().as_ref() != Some(&value));
    let (asked, other) = match (differs(Kind::OtherOrigin), differs(Kind::WithoutOrigin)) {
        (Some(other), _) => ("another origin", other),
        (None, Some(other)) => ("no Origin", other),
        (None, None) => return None,
    };
    let shown = |value: Option<String>| value.map_or_else(|| "no such field".to_owned(), |v| format!("`{v}`"));
    let told =
        format!("Access-Control-Allow-Origin is `{value}` for this origin, and for {asked} there is {}", shown(other.allow_origin()));
    Some((own, told))
}

/// Whether caches may not keep an answer at all.
fn is_never_stored(response: &Response) -> bool {
    response.lists("Cache-Control", "no-store")
}

fn vary(e: &Evidence) -> Option<Finding> {
    let (own, told) = depends(e)?;
    (!own.varies_by_origin() && !is_never_stored(own)).then(|| {
        Finding::new(
            "The answer depends on the request's Origin and does not say so: a cache may give one origin's answer to another, which then is \
             blocked.",
            format!("{told}; there is no `Vary: Origin`"),
            "Send `Vary: Origin` with every answer of this resource, also where Access-Control-Allow-Origin is left out.",
        )
    })
}

fn vary_without_origin(e: &Evidence) -> Option<Finding> {
    let (own, _) = depends(e).filter(|(own, _)| own.varies_by_origin())?;
    let without =
        e.probe(Kind::WithoutOrigin).filter(|r| !r.varies_by_origin() && !is_never_stored(r) && r.allow_origin() != own.allow_origin())?;
    Some(Finding::new(
        "Answers to requests without Origin do not say `Vary: Origin`: what an image or a link has put into the cache is then given to fetch, \
         and blocked.",
        format!("GET without Origin is answered with {} and no `Vary: Origin`, GET with this origin has it", without.status),
        "Send `Vary: Origin` with every answer of this resource, whether the request has Origin or not.",
    ))
}

fn vary_for_others(e: &Evidence) -> Option<Finding> {
    let (own, _) = depends(e).filter(|(own, _)| own.varies_by_origin())?;
    let other =
        e.probe(Kind::OtherOrigin).filter(|r| !r.varies_by_origin() && !is_never_stored(r) && r.allow_origin() != own.allow_origin())?;
    Some(Finding::new(
        "Answers to origins that are not allowed do not say `Vary: Origin`: a cache may give them to one that is, which then is blocked.",
        format!("GET with another origin is answered with {} and no `Vary: Origin`, GET with this origin has it", other.status),
        "Send `Vary: Origin` with every answer of this resource, also to origins that are refused.",
    ))
}

fn not_modified(e: &Evidence) -> Option<Finding> {
    let own = e.own_get()?;
    let conditional = e.probe(Kind::Conditional).filter(|r| r.status == 304)?;
    let (before, after) = (own.allow_origin()?, conditional.allow_origin());
    (after.as_ref() != Some(&before)).then(|| {
        Finding::new(
            "A 304 Not Modified has other CORS headers than the 200 it stands for. A page that asks with a condition of its own is blocked.",
            format!(
                "a 200 has `Access-Control-Allow-Origin: {before}`, a 304 {}",
                after.map_or_else(|| "no such field".to_owned(), |a| format!("`{a}`"))
            ),
            "Send the same CORS headers with 304 as with 200.",
        )
    })
}
