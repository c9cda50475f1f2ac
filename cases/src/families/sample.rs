//! The sample of every family that the default run makes.

use std::collections::HashSet;

use super::{Combination, Families, Family, Nonsense, hash};
use crate::case::Case;

impl Families {
    /// A sample of so many cases of all families together, the same every time: an equal share of each, small families as a whole.
    pub fn sample(&self, size: usize) -> Vec<(&Family, Combination)> {
        let mut sets: Vec<_> = self.all.iter().map(|family| (family, family.combinations())).collect();
        // Small families first: what they leave of their share is for the others.
        sets.sort_by_key(|(_, combinations)| combinations.len());
        let (mut left, mut families) = (size, sets.len());
        let mut chosen = Vec::new();
        for (family, combinations) in sets {
            let share = left.div_ceil(families);
            let mine = family.some(combinations, share.min(left));
            (left, families) = (left - mine.len(), families - 1);
            chosen.push((family, mine));
        }
        chosen.sort_by_key(|(family, _)| family.name());
        chosen.into_iter().flat_map(|(family, mine)| mine.into_iter().map(move |c| (family, c))).collect()
    }

    /// The cases of [`Families::sample`].
    ///
    /// # Errors
    ///
    /// A combination that makes no sense.
    pub fn sample_cases(&self, size: usize) -> Result<Vec<Case>, Nonsense> {
        self.sample(size).into_iter().map(|(family, combination)| family.case(&combination)).collect()
    }
}

impl Family {
    /// So many of these combinations: those that show values not shown before, then any, in the order of their hashes.
    fn some(&self, mut combinations: Vec<Combination>, count: usize) -> Vec<Combination> {
        combinations.sort_by_cached_key(|c| hash([&*self.id(c)]));
        let mut shown = HashSet::new();
        let mut new = |c: &Combination| {
            let before = shown.len();
            shown.extend(c.values().enumerate());
            shown.len() > before
        };
        let (mut first, rest): (Vec<_>, Vec<_>) = combinations.into_iter().partition(|c| new(c));
        first.extend(rest);
        first.truncate(count);
        first.sort_unstable();
        first
    }
}
