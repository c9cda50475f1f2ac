//! Shrinking in a browser: from a generated case that does not agree to the simplest of its family that fails alike.

use std::sync::Arc;

use corscheck_cases::{
    Case,
    families::{Families, Shrinker},
    known::Known,
};

use crate::{
    event::{Attempt, CaseResult},
    rerun::Rerun,
    verdict::{Judgement, Standing},
};

/// How many families of a browser are shrunk at the end of a run.
pub const MOST_FAMILIES: usize = 3;

/// How many cases are run again for one of them.
pub const BUDGET: usize = 40;

/// The simplest case found that fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunk {
    /// The browser it fails in.
    pub browser: String,
    /// The case that failed first.
    pub from: String,
    /// The simplest that fails alike; the same, where none is simpler.
    pub id: String,
    /// How many cases were run on the way.
    pub tried: usize,
    /// The case as it can be pasted into the catalogue, with what was seen as a comment.
    pub toml: String,
}

/// What makes two failures one: the verdict and where expectation and observation part first.
fn gist(judgement: &Judgement) -> (&'static str, Option<&str>) {
    (judgement.verdict.word(), judgement.differences.first().map(|d| d.point.as_str()))
}

/// Of each family with unexpected results in this browser the one to begin with, at most [`MOST_FAMILIES`].
pub fn worth<'r>(cases: &[Arc<Case>], results: &'r [CaseResult], browser: &str) -> Vec<&'r CaseResult> {
    let mut families: Vec<&str> = Vec::new();
    let mut out = Vec::new();
    for result in results.iter().filter(|r| r.browser == browser && r.standing == Standing::Unexpected && r.verdict.is_mismatch()) {
        let family = cases.iter().find(|c| c.id.as_str() == result.case).and_then(|c| c.generated.as_ref());
        if let Some(family) = family.map(|g| g.family.as_str())
            && !families.contains(&family)
            && families.len() < MOST_FAMILIES
        {
            families.push(family);
            out.push(result);
        }
    }
    out
}

/// Shrinks a case that failed as `first` tells. What is `known` of the browser is not what is looked for.
///
/// # Errors
///
/// Words: the case is of no family, or the browser is gone.
pub async fn shrink(
    families: &Families,
    id: &str,
    first: Attempt,
    known: &[Known],
    rerun: &mut Rerun,
    budget: usize,
) -> Result<Shrunk, String> {
    let (family, failing) = families.decode(id).ok_or_else(|| format!("{id} is no generated case"))?;
    let mut shrinker = Shrinker::new(family, failing, budget);
    let (mut seen, mut tried) = (first, 0);
    while let Some(candidate) = shrinker.candidate() {
        let case = Arc::new(family.case(&candidate).map_err(|e| e.to_string())?);
        let attempt = rerun.attempt(&case).await?;
        tried += 1;
        let is_known = known.iter().any(|k| {
            let (verdict, point) = gist(&attempt.judgement);
            (k.names(&case) || k.chooses(&case)) && k.is(verdict, point)
        });
        let fails = !is_known && gist(&attempt.judgement) == gist(&seen.judgement);
        shrinker.tell(fails);
        if fails {
            seen = attempt;
        }
    }
    let browser = rerun.word().to_owned();
    let text = family.text(shrinker.best()).map_err(|e| e.to_string())?;
    let toml = format!("{}{text}", comment(&browser, &seen));
    Ok(Shrunk { browser, from: id.to_owned(), id: family.id(shrinker.best()), tried, toml })
}

/// What was observed, as a comment above a case.
pub fn comment(browser: &str, seen: &Attempt) -> String {
    let mut out = format!("# In {browser} this is {}.\n", seen.judgement.verdict);
    for difference in &seen.judgement.differences {
        let step = if difference.step > 0 { format!("step {}, ", difference.step + 1) } else { String::new() };
        let text = format!("{step}{}: expected {}, saw {}", difference.point, difference.expected, difference.seen);
        // What a server or browser said may hold anything, and must not end the comment.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        out.push_str(&format!("#   {text}\n"));
    }
    out
}
