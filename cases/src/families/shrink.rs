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
