//! Shrinking: from a generated case that fails to the simplest one of its family that still does.

use super::{Combination, Families, Family, Nonsense};
use crate::case::Case;

/// Walks from a failing combination towards the first value of every axis, one candidate at a time.
///
/// Whoever runs cases asks for a [candidate](Shrinker::candidate) and [tells](Shrinker::tell) whether it fails, until there is none
/// left; where that can be done in a closure, [`shrink`] does it.
#[derive(Debug, Clone)]
pub struct Shrinker<'f> {
    family: &'f Family,
    /// The simplest that is known to fail.
    best: Combination,
    /// What is to be tried next: an axis, and the number of a value before the one it has.
    next: (usize, usize),
    /// Whether anything became simpler since the first axis was tried last.
    progress: bool,
    /// How many candidates may still be tried.
    budget: usize,
    asked: Option<Combination>,
}

impl<'f> Shrinker<'f> {
    /// Begins at a case that fails; `budget` candidates are tried at most.
    pub fn new(family: &'f Family, failing: Combination, budget: usize) -> Self {
        Self { family, best: failing, next: (0, 0), progress: false, budget, asked: None }
    }

    /// The next candidate, simpler than everything that is known to fail; `None` when there is none, or none may be tried any more.
    pub fn candidate(&mut self) -> Option<Combination> {
        while self.asked.is_none() && self.budget > 0 {
            let (axis, value) = self.next;
            if axis == self.family.axes.len() {
                if !self.progress {
                    return None;
                }
                // What was impossible or passed before may be possible or fail now.
                (self.next, self.progress) = ((0, 0), false);
                continue;
            }
            if value >= self.best.value(axis) {
                self.next = (axis + 1, 0);
                continue;
            }
            self.next = (axis, value + 1);
            let simpler = self.best.with(axis, value);
            if self.family.permits(&simpler) {
                self.budget -= 1;
                self.asked = Some(simpler);
            }
        }
        self.asked.clone()
    }

    /// Says whether the candidate fails.
    pub fn tell(&mut self, fails: bool) {
        if let Some(asked) = self.asked.take()
            && fails
        {
            self.best = asked;
            self.progress = true;
            self.next = (self.next.0 + 1, 0);
        }
    }

    /// The simplest combination that is known to fail.
    pub fn best(&self) -> &Combination {
        &self.best
    }

    /// The family.
    pub fn family(&self) -> &'f Family {
        self.family
    }
}

/// Shrinks a generated case that fails: the id and the case of the simplest one that `fails` as well.
///
/// # Errors
///
/// A combination that makes no sense.
///
/// `None` when the id is of no family.
pub fn shrink(families: &Families, id: &str, budget: usize, mut fails: impl FnMut(&Case) -> bool) -> Option<Result<Case, Nonsense>> {
    let (family, failing) = families.decode(id)?;
    let mut shrinker = Shrinker::new(family, failing, budget);
    while let Some(candidate) = shrinker.candidate() {
        match family.case(&candidate) {
            Ok(case) => shrinker.tell(fails(&case)),
            Err(nonsense) => return Some(Err(nonsense)),
        }
    }
    Some(family.case(shrinker.best()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn families() -> Families {
        Families::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// Shrinks a case that fails whenever it has all of these words; gives the words that are left, and how many were tried.
    fn shrunk(id: &str, guilty: &[&str], budget: usize) -> (Vec<String>, usize) {
        let families = families();
        let (family, failing) = families.decode(id).expect("there is such a combination");
        let mut shrinker = Shrinker::new(family, failing, budget);
        let mut tried = 0;
        while let Some(candidate) = shrinker.candidate() {
            assert!(family.permits(&candidate), "{}", family.id(&candidate));
            assert_eq!(shrinker.candidate(), Some(candidate.clone()), "asked again, it is the same");
            let words = family.words(&candidate);
            tried += 1;
            shrinker.tell(guilty.iter().all(|g| words.contains(g)));
        }
        (family.words(shrinker.best()).into_iter().map(str::to_owned).collect(), tried)
    }

    const LONG: &str = "family-cors-check/acao-list-acac-true-include-to-a-sub-post-s404-xhr-worker";

    #[test]
    fn what_matters_is_left() {
        for guilty in [&[][..], &["include"], &["acao-list", "worker"], &["to-a-sub", "post", "s404", "xhr"]] {
            let (words, tried) = shrunk(LONG, guilty, 1000);
            assert_eq!(words, guilty);
            assert!(tried < 100, "{tried}");
        }
    }

    /// Where simpler values on one axis need others on another, they are tried again when those have changed.
    #[test]
    fn what_excludes_each_other_goes_in_turn() {
        let (words, _) = shrunk("family-redirect-grant/via-abc-second-star-include", &["include"], 1000);
        assert_eq!(words, ["include"]);
    }

    #[test]
    fn a_value_in_between_will_do() {
        let families = families();
        let at_least = |case: &Case| {
            let values = &case.generated.as_ref().expect("it is generated").values;
            values.iter().any(|(axis, word)| axis == "status" && word != "ok" && word != "s204")
        };
        let small = shrink(&families, "family-cors-check/include-s500-xhr", 100, at_least).expect("it is of a family");
        assert_eq!(small.expect("it makes sense").id.as_str(), "family-cors-check/s404");
        assert!(shrink(&families, "cors-check/acao-absent", 100, |_| true).is_none());
    }

    #[test]
    fn the_budget_is_kept() {
        for budget in [0, 1, 5] {
            let (_, tried) = shrunk(LONG, &["acao-list"], budget);
            assert_eq!(tried, budget);
        }
    }
}
