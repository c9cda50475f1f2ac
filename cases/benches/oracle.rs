//! How fast the oracle is, on one core: predictions per second of the catalogue's cases, and of parts of it.
//!
//! `cargo bench -p corscheck-cases`; `items` are cases. A [`Scenario`] is made ready once and predicted from any number of times:
//! answers are composed and read when it is made ready, not when it is predicted from.

use std::{hint::black_box, sync::LazyLock};

use corscheck_cases::{
    Case, Catalogue, Topology,
    bind::bind,
    format::BodyEntry,
    oracle::{Scenario, headers::HeaderList, safelist},
    script::Message,
};
use divan::{Bencher, counter::ItemsCount};

const TOKEN: &str = "0123456789abcdef";

/// From how many bytes on a body is large.
const LARGE: usize = 4096;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().expect("it parses"));

fn main() {
    divan::main();
}

fn is_single(case: &&Case) -> bool {
    case.steps.len() == 1
}

fn is_of(area: &str) -> impl Fn(&&Case) -> bool {
    move |case| is_single(case) && case.id.area() == area
}

/// Whether a request or an answer has a large body.
fn has_large_body(case: &Case) -> bool {
    let bound = bind(case, &Topology::example(), TOKEN);
    let mut answers = bound.script.steps.iter().flatten().flat_map(|r| r.preflight.iter().chain(&r.response));
    bound.steps.iter().any(|s| matches!(s.action.body, Some(BodyEntry::Size(n)) if n as usize >= LARGE))
        || answers.any(|a| match &a.message {
            Message::Http(http) => http.body.len() >= LARGE,
            Message::Raw(chunks) => chunks.iter().map(Vec::len).sum::<usize>() >= LARGE,
            Message::Nothing => false,
        })
}

fn prepared(select: impl Fn(&&Case) -> bool) -> Vec<Scenario> {
    let topology = Topology::example();
    CATALOGUE.cases().iter().filter(select).map(|case| Scenario::new(case, &topology, TOKEN)).collect()
}

/// Predicts without paths, as often as divan wants.
fn outcomes(bencher: Bencher<'_, '_>, select: impl Fn(&&Case) -> bool) {
    let scenarios = prepared(select);
    bencher.counter(ItemsCount::new(scenarios.len())).bench_local(|| {
        for scenario in &scenarios {
            black_box(scenario.predict_outcome());
        }
    });
}

/// `predict_outcome()` of every case of one step: the figure that is promised.
#[divan::bench]
fn outcome_single_step(bencher: Bencher<'_, '_>) {
    outcomes(bencher, is_single);
}

/// The same without the cases that move large bodies.
#[divan::bench]
fn outcome_single_step_small_bodies(bencher: Bencher<'_, '_>) {
    outcomes(bencher, |c| is_single(c) && !has_large_body(c));
}

/// `predict_outcome()` of the cases of several steps.
#[divan::bench]
fn outcome_several_steps(bencher: Bencher<'_, '_>) {
    outcomes(bencher, |c| !is_single(c));
}

/// `predict_outcome()` of the areas that lean on one part of the standard.
#[divan::bench(args = ["cors-check", "safelist", "preflight", "redirect"])]
fn outcome_area(bencher: Bencher<'_, '_>, area: &str) {
    outcomes(bencher, is_of(area));
}

/// `predict()`: with the path of every case of one step.
#[divan::bench]
fn path_single_step(bencher: Bencher<'_, '_>) {
    let scenarios = prepared(is_single);
    bencher.counter(ItemsCount::new(scenarios.len())).bench_local(|| {
        for scenario in &scenarios {
            black_box(scenario.predict());
        }
    });
}

/// `Scenario::new()` of every case of one step.
#[divan::bench]
fn prepare_single_step(bencher: Bencher<'_, '_>) {
    let topology = Topology::example();
    let cases: Vec<_> = CATALOGUE.cases().iter().filter(is_single).collect();
    bencher.counter(ItemsCount::new(cases.len())).bench_local(|| {
        for case in &cases {
            black_box(Scenario::new(case, &topology, TOKEN));
        }
    });
}

/// CORS-unsafe request-header names alone, of header lists as scripts set them.
#[divan::bench]
fn unsafe_names(bencher: Bencher<'_, '_>) {
    let table: &[&[(&str, &[u8])]] = &[
        &[("Accept", b"*/*")],
        &[("Accept", b"*/*"), ("Content-Type", b"text/plain;charset=UTF-8")],
        &[("Accept", b"*/*"), ("Content-Type", b"application/json")],
        &[("X-Requested-With", b"XMLHttpRequest"), ("Accept", b"application/json"), ("Authorization", b"Bearer abc")],
        &[("Range", b"bytes=0-499"), ("Accept-Language", b"de-CH,de;q=0.9"), ("Content-Language", b"de-CH")],
        &[("X-A", b"1"), ("X-B", b"2"), ("x-a", b"3"), ("Accept", b"text/html(")],
    ];
    let lists: Vec<_> = table
        .iter()
        .map(|pairs| {
            let mut list = HeaderList::new();
            pairs.iter().for_each(|(name, value)| list.append(*name, *value));
            list
        })
        .collect();
    bencher.counter(ItemsCount::new(lists.len())).bench_local(|| {
        for list in &lists {
            black_box(safelist::unsafe_names(black_box(list)));
        }
    });
}
