//! Where a verdict stands against the baseline and the other attempts. Pure.

use std::{collections::HashMap, sync::Arc};

use corscheck_cases::{Case, Level, known::Known};

use crate::{
    event::{Attempt, CaseResult},
    verdict::{Judgement, Standing, Verdict},
};

/// The standing of a case after its attempts so far, and the known deviation it matches or contradicts.
pub fn standing<'k>(case: &Case, attempts: &[Attempt], known: &'k [Known]) -> (Standing, Option<&'k Known>) {
    let by_id = known.iter().find(|k| k.names(case));
    // An attempt that proves nothing contradicts no other.
    let mut judged = attempts.iter().map(|a| &a.judgement).filter(|j| !matches!(j.verdict, Verdict::NotJudged(_)));
    let first = judged.next();
    let gist = |j: &Judgement| (j.verdict.word(), j.differences.first().map(|d| d.point.clone()));
    if let Some(first) = first
        && judged.any(|other| gist(other) != gist(first))
    {
        return (Standing::Flaky, by_id);
    }
    let Some(last) = attempts.last().map(|a| &a.judgement) else { return (Standing::Unexpected, by_id) };
    // An entry for many generated cases says of none of them that it must fail.
    let entry = by_id.or_else(|| known.iter().find(|k| k.chooses(case) && is_known(k, last)));
    let standing = match (&last.verdict, entry) {
        (Verdict::NotJudged(_), _) => Standing::Unexpected,
        // An entry for what the engine cannot even try is an entry too many.
        (Verdict::Unsupported(_), Some(_)) => Standing::Stale,
        (Verdict::Unsupported(_), None) => Standing::AsExpected,
        (_, Some(entry)) if is_known(entry, last) => Standing::Known,
        (_, Some(_)) => Standing::Stale,
        (Verdict::Agrees, None) => Standing::AsExpected,
        (_, None) if case.level == Level::Info => Standing::AsExpected,
        (_, None) => Standing::Unexpected,
    };
    (standing, entry)
}

fn is_known(entry: &Known, judgement: &Judgement) -> bool {
    entry.is(judgement.verdict.word(), judgement.differences.first().map(|d| d.point.as_str()))
}

/// The entries for generated cases of which none failed as they say, although all cases that they choose have a result.
///
/// `results` are those of one browser, `whole` tells of the families of which every case was run.
pub fn idle<'k>(known: &'k [Known], cases: &[Arc<Case>], results: &[&CaseResult], whole: &dyn Fn(&Known) -> bool) -> Vec<&'k Known> {
    let by_id: HashMap<&str, &Case> = cases.iter().map(|c| (c.id.as_str(), &**c)).collect();
    let shown = |entry: &Known| {
        results.iter().any(|result| {
            let is = result.last().is_some_and(|a| is_known(entry, &a.judgement));
            is && by_id.get(result.case.as_str()).is_some_and(|case| entry.chooses(case))
        })
    };
    known.iter().filter(|entry| entry.filter.is_some() && whole(entry) && !shown(entry)).collect()
}
