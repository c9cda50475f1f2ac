//! The plan: which cases run where, in which order. Pure.

use std::sync::Arc;

use corscheck_cases::{
    Alias, Case, Context, Topology,
    bind::CASE_ROOT,
    oracle::{Destination, scenario::environment},
    page::PageSettings,
};
use url::Url;

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
    /// What the page is besides.
    pub document: PageSettings,
    /// The contexts needed in it.
    pub contexts: Vec<Context>,
    /// Rounds of cases, each by index into the list given.
    pub rounds: Vec<Vec<usize>>,
    /// Cases that wait for real time; they run beside the rounds.
    pub slow: Vec<usize>,
    /// Cases that must run while no other does; they run after all others, one by one.
    pub exclusive: Vec<usize>,
}

/// Groups cases by the page they run in: its origin and its settings. `round` limits how many run between two rounds of controls.
pub fn stages(cases: &[Arc<Case>], chosen: &[usize], round: usize) -> Vec<Stage> {
    // Origin, settings, and whether it needs a service worker.
    type Page<'c> = (Alias, &'c PageSettings, bool);
    let mut pages: Vec<(Page<'_>, Vec<usize>)> = Vec::new();
    for &index in chosen {
        let fleeting = cases[index].contexts().iter().any(|c| c.needs_service_worker());
        let page = (cases[index].page, &cases[index].document, fleeting);
        match pages.iter_mut().find(|(p, _)| *p == page) {
            Some((_, indices)) => indices.push(index),
            None => pages.push((page, vec![index])),
        }
    }
    // Ordinary pages first: most cases are theirs.
    pages.sort_by_key(|((page, document, fleeting), _)| (!document.is_usual(), *fleeting, *page));
    pages
        .into_iter()
        .map(|((page, document, _), indices)| {
            let mut contexts: Vec<_> = indices.iter().flat_map(|i| cases[*i].contexts()).collect();
            contexts.sort_unstable();
            contexts.dedup();
            let (exclusive, rest): (Vec<_>, Vec<_>) = indices.into_iter().partition(|i| cases[*i].is_exclusive());
            let (slow, quick): (Vec<_>, Vec<_>) = rest.into_iter().partition(|i| cases[*i].is_slow());
            let rounds = quick.chunks(round.max(1)).map(<[usize]>::to_vec).collect();
            Stage { page, document: document.clone(), contexts, rounds, slow, exclusive }
        })
        .collect()
}

/// The origins that need a control when these cases run in `context`: the page's own and each that a case may reach.
///
/// An https page cannot read from an http origin (mixed content), and a page's own policy may forbid others: there is no control for
/// such a pair.
pub fn controls(cases: &[Arc<Case>], chosen: &[usize]) -> Vec<(Context, Alias)> {
    let mut out: Vec<(Context, Alias)> = chosen
        .iter()
        .flat_map(|i| {
            let case = &cases[*i];
            let page = case.page;
            let readable = |a: &Alias| readable_from(page, *a) && permitted_by(&case.document, page, *a);
            let aliases: Vec<Alias> = case.aliases().into_iter().chain([page]).filter(readable).collect();
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

/// Whether the policies of a page let a control read from `target`.
fn permitted_by(document: &PageSettings, page: Alias, target: Alias) -> bool {
    if document.is_usual() {
        return true;
    }
    // Whatever ports there are, the policy and the address agree on them.
    let topology = Topology::example();
    let environment = environment(&topology, page, &document.bind(&topology), Context::Window);
    let url = Url::parse(&format!("{}{CASE_ROOT}token/control", topology.origin(target)));
    url.is_ok_and(|url| environment.policies.allow(Destination::Empty, &url, &environment.page_origin, 0))
}
