//! Families: cases expanded over parameters, whose expectation is the oracle's prediction.
//!
//! A family is a file below `cases/families/`: a base case and axes, each with values that change it. Every combination of values
//! that the family permits is a case and can be found by its id ([`Families::find`]); those that a run of the family makes are
//! every combination of its `full` axes with every pair of values of the others ([`Family::combinations`]). A combination becomes
//! plain TOML in the catalogue's own format ([`Family::text`]), which the ordinary parser reads ([`Family::case`]): what fails can
//! be pasted into the catalogue.
//!
//! Nothing is made before it is asked for: the default run makes a [sample](Families::sample).
//!
//! ```
//! use corscheck_cases::families::Families;
//!
//! let families = Families::embedded().expect("they parse");
//! let case = families.find("family-cors-check/acao-star-include").expect("there is such a combination").expect("it makes sense");
//! assert_eq!(case.steps[0].expect.reasons[0].word(), "wildcard-with-credentials");
//! ```

mod combine;
mod expect;
mod format;
mod generate;
mod merge;
mod name;
mod sample;
mod shrink;
mod toml_text;

use std::{collections::BTreeSet, fmt};

pub use combine::Combination;
use serde::Serialize;
pub use shrink::{Shrinker, shrink};

use crate::{behaviour::BehaviourId, case::Case, catalogue::embedded_families, diagnostic::Diagnostics, format::SpecRef, select::nearest};

/// How many generated cases the default run makes, of all families together.
pub const SAMPLE: usize = 2000;

/// What the areas of generated cases begin with: the cases of the family `NAME` have the ids `family-NAME/…`.
pub const AREA: &str = "family-";

/// Every family.
#[derive(Debug, Clone, Default)]
pub struct Families {
    all: Vec<Family>,
}

/// One family: a base case and the axes that change it.
#[derive(Debug, Clone)]
pub struct Family {
    name: String,
    title: String,
    behaviours: Vec<BehaviourId>,
    spec: SpecRef,
    base: toml::Table,
    axes: Vec<Axis>,
    /// The axes whose values meet in every combination, by index.
    full: Vec<usize>,
    /// Which values exclude each other.
    clashes: combine::Clashes,
    file: String,
}

/// What a family varies.
#[derive(Debug, Clone)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Its values, the simplest first.
    pub values: Vec<Value>,
}

/// One value of an axis.
#[derive(Debug, Clone)]
pub struct Value {
    /// What it is called in ids and filters.
    pub word: String,
    /// The behaviours that cases with it show, besides those of the family.
    behaviours: Vec<BehaviourId>,
    /// What it changes in the case.
    patch: toml::Table,
    /// The byte that it puts where others leave room for one.
    byte: Option<u8>,
}

/// What a generated case is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Generated {
    /// The name of its family.
    pub family: String,
    /// The word of its value on each axis, with the axis's name.
    pub values: Vec<(String, String)>,
}

/// A combination of which no sensible case can be made: a mistake in the family's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonsense {
    /// The id the case would have.
    pub id: String,
    /// What is wrong.
    pub words: String,
}

impl fmt::Display for Nonsense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.words)
    }
}

impl std::error::Error for Nonsense {}

impl Families {
    /// The families that are part of the program.
    ///
    /// # Errors
    ///
    /// Mistakes in their files.
    pub fn embedded() -> Result<Self, Diagnostics> {
        Self::parse(embedded_families().iter().copied())
    }

    /// Parses files, given as pairs of name and text; a family is named like its file.
    ///
    /// # Errors
    ///
    /// Every mistake of every file.
    pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Diagnostics> {
        let mut all = Vec::new();
        let mut mistakes = Vec::new();
        for (file, text) in files {
            match format::parse(file, text) {
                Ok(family) => all.push(family),
                Err(diagnostic) => mistakes.push(*diagnostic),
            }
        }
        all.sort_by(|a: &Family, b| a.name.cmp(&b.name));
        if mistakes.is_empty() { Ok(Self { all }) } else { Err(Diagnostics(mistakes)) }
    }

    /// Every family, by name.
    pub fn all(&self) -> &[Family] {
        &self.all
    }

    /// The family with this name.
    pub fn get(&self, name: &str) -> Option<&Family> {
        self.all.iter().find(|f| f.name == name)
    }

    /// The family with this name; the error names the nearest.
    ///
    /// # Errors
    ///
    /// Words for people.
    pub fn named(&self, name: &str) -> Result<&Family, String> {
        self.get(name).ok_or_else(|| {
            let near = nearest(name, self.all.iter().map(|f| f.name.as_str()), 3);
            format!("there is no family `{name}`; the nearest are {}", near.join(", "))
        })
    }

    /// The family and combination that an id stands for.
    pub fn decode(&self, id: &str) -> Option<(&Family, Combination)> {
        let (area, slug) = id.split_once('/')?;
        let family = self.get(area.strip_prefix(AREA)?)?;
        Some((family, family.decode(slug)?))
    }

    /// The case with this id: any combination that its family permits.
    pub fn find(&self, id: &str) -> Option<Result<Case, Nonsense>> {
        let (family, combination) = self.decode(id)?;
        Some(family.case(&combination))
    }
}

impl Family {
    /// Its name: that of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is about, as titles of its cases begin.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The behaviours that a combination shows, without repeats.
    pub fn behaviours(&self, combination: &Combination) -> BTreeSet<BehaviourId> {
        let of_values = self.axes.iter().zip(combination.values()).flat_map(|(axis, v)| &axis.values[v].behaviours);
        self.behaviours.iter().chain(of_values).copied().collect()
    }

    /// What it varies.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The axes whose values meet in every combination.
    pub fn full(&self) -> impl Iterator<Item = &Axis> {
        self.full.iter().map(|&i| &self.axes[i])
    }
}

/// A hash that is the same everywhere and always: it decides what is deterministic (FNV-1a with a final mix).
fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut h: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            h = (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    h ^ (h >> 31)
}
