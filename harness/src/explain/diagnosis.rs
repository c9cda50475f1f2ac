//! Diagnoses: what is likely the cause, how it was told from others, and what helps.

use serde::{Serialize, Serializer};

use super::evidence::Evidence;

/// What a diagnosis is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    /// Why the page may not read the answer, or not all of it.
    Cause,
    /// What is dangerous or breaks elsewhere, whether or not this page may read.
    Warning,
    /// What is worth knowing.
    Note,
}

/// A symptom that can be recognised.
pub struct Symptom {
    /// Its id: hand-written, never reused.
    pub id: &'static str,
    /// What a diagnosis of it is about.
    pub rank: Rank,
    /// The defect classes of certification that it is a sign of.
    pub classes: &'static [&'static str],
    /// Looks for it.
    pub find: fn(&Evidence) -> Option<Finding>,
}

/// What looking for a symptom gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finding {
    /// The cause, in a sentence or two.
    pub cause: String,
    /// How it was told from other causes.
    pub told: String,
    /// What helps.
    pub remedy: String,
}

impl Finding {
    /// From its three parts.
    pub fn new(cause: impl Into<String>, told: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { cause: cause.into(), told: told.into(), remedy: remedy.into() }
    }
}

/// A symptom that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The symptom's id.
    pub id: &'static str,
    /// What it is about.
    pub rank: Rank,
    /// The defect classes of certification that it is a sign of.
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "list")]
    pub classes: &'static [&'static str],
    /// The cause.
    pub cause: String,
    /// How it was told from other causes.
    pub told: String,
    /// What helps.
    pub remedy: String,
}

fn list<S: Serializer>(classes: &&'static [&'static str], serializer: S) -> Result<S::Ok, S::Error> {
    classes.serialize(serializer)
}

/// Every symptom of the table that the evidence shows: causes first, in the order of the table.
pub fn diagnose(evidence: &Evidence) -> Vec<Diagnosis> {
    let mut found: Vec<_> = super::symptoms::all().filter_map(|symptom| diagnosis(symptom, evidence)).collect();
    // Stable: the table's order counts within a rank.
    found.sort_by_key(|diagnosis| diagnosis.rank);
    found
}

fn diagnosis(symptom: &Symptom, evidence: &Evidence) -> Option<Diagnosis> {
    let Finding { cause, told, remedy } = (symptom.find)(evidence)?;
    Some(Diagnosis { id: symptom.id, rank: symptom.rank, classes: symptom.classes, cause, told, remedy })
}
