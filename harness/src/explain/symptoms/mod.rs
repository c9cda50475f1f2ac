//! The symptoms: what people meet, each recognised by a small function of the evidence.
//!
//! The order of the tables is the order of diagnoses: what is closer to the cause stands first. Symptoms of one rank that explain
//! the same refusal exclude each other.

mod caching;
mod credentials;
mod danger;
mod exposed;
mod grants;
mod hints;
mod missing;
mod network;
mod origin;
mod preflight;
mod redirect;
mod request;

pub(super) use exposed::unreadable;
pub(super) use grants::{names_not_granted, tokens};
pub(super) use network::FaultWords;
pub(super) use redirect::{is_slash, is_upgrade};

#[cfg(test)]
mod tests;

use super::diagnosis::Symptom;

/// Every table, in the order in which they are gone through.
const TABLES: &[&[Symptom]] = &[
    danger::SYMPTOMS,
    network::SYMPTOMS,
    request::SYMPTOMS,
    redirect::SYMPTOMS,
    origin::SYMPTOMS,
    preflight::SYMPTOMS,
    missing::SYMPTOMS,
    credentials::SYMPTOMS,
    grants::SYMPTOMS,
    exposed::SYMPTOMS,
    caching::SYMPTOMS,
    hints::SYMPTOMS,
];

/// Every symptom, in the order in which they are looked for.
pub fn all() -> impl Iterator<Item = &'static Symptom> {
    TABLES.iter().copied().flatten()
}

/// Words as a list: `a`, `a and b`, `a, b and c`.
fn listed<S: AsRef<str>>(words: &[S]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => format!("{} and {}", first.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "), last.as_ref()),
    }
}
