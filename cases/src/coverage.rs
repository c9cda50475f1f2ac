//! Coverage: how each behaviour of the checklist stands, by the cases written by hand.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    behaviour::{self, Behaviour, BehaviourId},
    case::Case,
};

/// How a behaviour stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "standing")]
pub enum Standing {
    /// So many cases show it.
    Covered {
        /// Variants counted.
        cases: usize,
    },
    /// None is needed.
    NoCase {
        /// Why.
        why: &'static str,
    },
    /// None can be made here.
    Untestable {
        /// Why.
        why: &'static str,
    },
    /// One is wanted.
    Gap,
}

/// A behaviour with its standing.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The behaviour.
    #[serde(flatten)]
    pub behaviour: &'static Behaviour,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

/// The sums of a section, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Sums {
    /// Shown by a case.
    pub covered: usize,
    /// In need of none.
    pub no_case: usize,
    /// Beyond what can be tested here.
    pub untestable: usize,
    /// In want of one.
    pub gap: usize,
}

impl Sums {
    /// All of them.
    pub fn all(&self) -> usize {
        self.covered + self.no_case + self.untestable + self.gap
    }

    /// The sums of some rows.
    pub fn of<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Self {
        let mut sums = Sums::default();
        for row in rows {
            match row.standing {
                Standing::Covered { .. } => sums.covered += 1,
                Standing::NoCase { .. } => sums.no_case += 1,
                Standing::Untestable { .. } => sums.untestable += 1,
                Standing::Gap => sums.gap += 1,
            }
        }
        sums
    }
}

impl Row {
    /// The part of the id before the slash.
    pub fn section(&self) -> &'static str {
        self.behaviour.id.split_once('/').map_or("", |(section, _)| section)
    }
}

/// Every behaviour in the order of the checklist. Generated cases do not count: what they show, nobody has chosen.
pub fn coverage<'c>(cases: impl IntoIterator<Item = &'c Case>) -> Vec<Row> {
    let mut shown: BTreeMap<BehaviourId, usize> = BTreeMap::new();
    for behaviour in cases.into_iter().filter(|c| c.generated.is_none()).flat_map(|c| &c.behaviours) {
        *shown.entry(*behaviour).or_default() += 1;
    }
    let standing = |behaviour: &'static Behaviour| {
        let cases = BehaviourId::parse(&behaviour.id).ok().and_then(|id| shown.get(&id).copied());
        match (cases, &behaviour.no_case, &behaviour.untestable) {
            (Some(cases), ..) => Standing::Covered { cases },
            (None, Some(why), _) => Standing::NoCase { why },
            (None, None, Some(why)) => Standing::Untestable { why },
            (None, None, None) => Standing::Gap,
        }
    };
    behaviour::all().iter().map(|behaviour| Row { behaviour, standing: standing(behaviour) }).collect()
}
