//! The plan: which cases run where, in which order. Pure.

use std::{collections::BTreeMap, sync::Arc};

use corscheck_cases::{Alias, Case, Context};

/// How many cases run between two rounds of controls.
///
/// Each round ends with a barrier, one control per origin and a look at the browser's words: with fewer cases the controls
/// weigh, with more a lost session costs more repeats.
pub const ROUND: usize = 120;

/// Everything that runs in one page: the cases of one page origin.
#[derive(Debug)]
pub struct Stage {
    /// The page's origin.
    pub page: Alias,
    /// The contexts needed in it.
    pub contexts: Vec<Context>,
    /// Rounds of cases, each by index into the list given.
    pub rounds: Vec<Vec<usize>>,
    /// Cases that wait for real time; they run beside the rounds.
    pub slow: Vec<usize>,
    /// Cases that must run while no other does; they run after all others, one by one.
    pub exclusive: Vec<usize>,
}

/// Groups cases by the page they run in. `round` limits how many run between two rounds of controls.
pub fn stages(cases: &[Arc<Case>], chosen: &[usize], round: usize) -> Vec<Stage> {
    let mut pages: BTreeMap<Alias, Vec<usize>> = BTreeMap::new();
    for &index in chosen {
        pages.entry(cases[index].page).or_default().push(index);
    }
    pages
        .into_iter()
        .map(|(page, indices)| {
            let mut contexts: Vec<_> = indices.iter().flat_map(|i| cases[*i].contexts()).collect();
            contexts.sort_unstable();
            contexts.dedup();
            let (exclusive, rest): (Vec<_>, Vec<_>) = indices.into_iter().partition(|i| cases[*i].is_exclusive());
            let (slow, quick): (Vec<_>, Vec<_>) = rest.into_iter().partition(|i| cases[*i].is_slow());
            let rounds = quick.chunks(round.max(1)).map(<[usize]>::to_vec).collect();
            Stage { page, contexts, rounds, slow, exclusive }
        })
        .collect()
}

/// The origins that need a control when these cases run in `context`: the page's own and each that a case may reach.
///
/// An https page cannot read from an http origin (mixed content), so there is no control for such a pair.
pub fn controls(cases: &[Arc<Case>], chosen: &[usize]) -> Vec<(Context, Alias)> {
    let mut out: Vec<(Context, Alias)> = chosen
        .iter()
        .flat_map(|i| {
            let case = &cases[*i];
            let page = case.page;
            let aliases: Vec<Alias> = case.aliases().into_iter().chain([page]).filter(|a| readable_from(page, *a)).collect();
            case.contexts().into_iter().flat_map(move |context| aliases.clone().into_iter().map(move |a| (context, a)))
        })
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// Whether a control can read `target` from a page at `page`.
pub fn readable_from(page: Alias, target: Alias) -> bool {
    page.scheme() == target.scheme() || page.scheme() == corscheck_cases::topology::Scheme::Http
}
