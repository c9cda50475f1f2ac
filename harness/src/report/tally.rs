//! Counting results: each is of exactly one kind.

use std::collections::HashMap;

use corscheck_cases::Level;

use crate::{
    event::CaseResult,
    verdict::{Standing, Verdict},
};

use super::count;

/// What a result is to somebody who reads a list of them: verdict and standing in one word, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    TooOpen,
    TooStrict,
    WrongWire,
    Stale,
    Flaky,
    NotJudged,
    Known,
    Agrees,
    /// The level is `info`: what happened is noted and nothing follows from it.
    Recorded,
    Unsupported,
}

impl Kind {
    /// Every kind but [`Kind::Agrees`], the most urgent first.
    pub(crate) const BESIDE_AGREEMENT: &'static [Kind] = &[
        Kind::TooOpen,
        Kind::TooStrict,
        Kind::WrongWire,
        Kind::Stale,
        Kind::Flaky,
        Kind::NotJudged,
        Kind::Known,
        Kind::Recorded,
        Kind::Unsupported,
    ];

    /// The kind of a result.
    ///
    /// A stale or flaky result is that before it is anything else: its verdict does not say what is wrong with it.
    pub(crate) fn of(result: &CaseResult) -> Self {
        match (result.standing, &result.verdict) {
            (Standing::Stale, _) => Kind::Stale,
            (Standing::Flaky, _) => Kind::Flaky,
            (_, Verdict::Agrees) => Kind::Agrees,
            (_, Verdict::NotJudged(_)) => Kind::NotJudged,
            (_, Verdict::Unsupported(_)) => Kind::Unsupported,
            (Standing::Known, _) => Kind::Known,
            (Standing::AsExpected, _) => Kind::Recorded,
            (Standing::Unexpected, verdict) => Self::of_mismatch(verdict),
        }
    }

    /// The kind of a mismatch, whatever the baseline says; other verdicts give [`Kind::Agrees`].
    pub(crate) fn of_mismatch(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::TooOpen => Kind::TooOpen,
            Verdict::TooStrict => Kind::TooStrict,
            Verdict::WrongWire => Kind::WrongWire,
            Verdict::Agrees | Verdict::NotJudged(_) | Verdict::Unsupported(_) => Kind::Agrees,
        }
    }

    /// The words for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Kind::TooOpen => "too open",
            Kind::TooStrict => "too strict",
            Kind::WrongWire => "wrong wire",
            Kind::Stale => "stale",
            Kind::Flaky => "flaky",
            Kind::NotJudged => "not judged",
            Kind::Known => "known",
            Kind::Agrees => "agrees",
            Kind::Recorded => "recorded",
            Kind::Unsupported => "unsupported",
        }
    }

    /// Whether somebody should look at it.
    pub(crate) fn needs_attention(self) -> bool {
        self < Kind::Known
    }
}

/// How many results there are of each kind and level.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    counts: HashMap<(Kind, Level), usize>,
    known: HashMap<Kind, usize>,
    fails: usize,
}

impl Tally {
    pub(crate) fn of<'a>(results: impl IntoIterator<Item = &'a CaseResult>, strict: bool) -> Self {
        let mut tally = Self::default();
        for result in results {
            tally.add(result, strict);
        }
        tally
    }

    pub(crate) fn add(&mut self, result: &CaseResult, strict: bool) {
        let kind = Kind::of(result);
        *self.counts.entry((kind, result.level)).or_default() += 1;
        if kind == Kind::Known {
            *self.known.entry(Kind::of_mismatch(&result.verdict)).or_default() += 1;
        }
        self.fails += usize::from(result.fails_run(strict));
    }

    pub(crate) fn total(&self) -> usize {
        self.counts.values().sum()
    }

    pub(crate) fn at(&self, kind: Kind, level: Level) -> usize {
        self.counts.get(&(kind, level)).copied().unwrap_or(0)
    }

    pub(crate) fn kind(&self, kind: Kind) -> usize {
        [Level::Must, Level::Should, Level::Info].into_iter().map(|level| self.at(kind, level)).sum()
    }

    /// How many known deviations have the verdict of this kind.
    pub(crate) fn known(&self, kind: Kind) -> usize {
        self.known.get(&kind).copied().unwrap_or(0)
    }

    /// How many results somebody should look at.
    pub(crate) fn attention(&self) -> usize {
        Kind::BESIDE_AGREEMENT.iter().filter(|kind| kind.needs_attention()).map(|&kind| self.kind(kind)).sum()
    }

    /// How many results make the run fail.
    pub(crate) fn fails(&self) -> usize {
        self.fails
    }

    /// The kinds that need attention with their numbers: `1 too open, 2 stale`.
    pub(crate) fn attention_words(&self) -> String {
        let some = Kind::BESIDE_AGREEMENT.iter().filter(|kind| kind.needs_attention() && self.kind(**kind) > 0);
        some.map(|&kind| format!("{} {}", self.kind(kind), kind.words())).collect::<Vec<_>>().join(", ")
    }

    /// `1 agrees`, `2 agree`.
    pub(crate) fn agree_words(&self) -> String {
        count(self.kind(Kind::Agrees), "agrees", "agree")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn each_result_is_of_one_kind() {
        let results = fixtures::all();
        let tally = Tally::of(&results, false);
        let sum: usize = Kind::BESIDE_AGREEMENT.iter().map(|&kind| tally.kind(kind)).sum();
        assert_eq!(sum + tally.kind(Kind::Agrees), results.len());
        assert_eq!(tally.total(), results.len());
    }

    #[test]
    fn strictness_changes_what_fails_and_nothing_else() {
        let results = fixtures::all();
        let (lax, strict) = (Tally::of(&results, false), Tally::of(&results, true));
        assert!(lax.fails() < strict.fails());
        assert_eq!(lax.attention_words(), strict.attention_words());
    }

    #[test]
    fn what_is_listed_beside_agreement_is_in_order_of_urgency() {
        assert!(Kind::BESIDE_AGREEMENT.is_sorted());
    }
}
