//! Where a verdict stands against the baseline and the other attempts. Pure.

use corscheck_cases::{Case, Level, known::Known};

use crate::{
    event::Attempt,
    verdict::{Judgement, Standing, Verdict},
};

/// The standing of a case after its attempts so far, and the known deviation it matches or contradicts.
pub fn standing<'k>(case: &Case, attempts: &[Attempt], known: &'k [Known]) -> (Standing, Option<&'k Known>) {
    let entry = known.iter().find(|k| k.cases.iter().any(|id| id == case.id.as_str()));
    // An attempt that proves nothing contradicts no other.
    let mut judged = attempts.iter().map(|a| &a.judgement).filter(|j| !matches!(j.verdict, Verdict::NotJudged(_)));
    let first = judged.next();
    let gist = |j: &Judgement| (j.verdict.word(), j.differences.first().map(|d| d.point.clone()));
    if let Some(first) = first
        && judged.any(|other| gist(other) != gist(first))
    {
        return (Standing::Flaky, entry);
    }
    let Some(last) = attempts.last().map(|a| &a.judgement) else { return (Standing::Unexpected, entry) };
    let standing = match (&last.verdict, entry) {
        (Verdict::NotJudged(_), _) => Standing::Unexpected,
        // An entry for what the engine cannot even try is an entry too many.
        (Verdict::Unsupported(_), Some(_)) => Standing::Stale,
        (Verdict::Unsupported(_), None) => Standing::AsExpected,
        (verdict, Some(entry)) => {
            let point = last.differences.first().map(|d| d.point.as_str());
            let same = verdict.word() == entry.verdict.word() && point == Some(entry.point.as_str());
            if same { Standing::Known } else { Standing::Stale }
        }
        (Verdict::Agrees, None) => Standing::AsExpected,
        (_, None) if case.level == Level::Info => Standing::AsExpected,
        (_, None) => Standing::Unexpected,
    };
    (standing, entry)
}
