//! The plan: cases by page, in rounds, with the controls they need.

use std::sync::Arc;

use corscheck::plan::{ROUND, controls, readable_from, stages};
use corscheck_cases::{Alias, Case, Catalogue, Context, topology::Scheme};

/// Cases from their own keys: page, context, and where to.
fn cases(entries: &[(&str, &str)]) -> Vec<Arc<Case>> {
    let mut text = String::new();
    for (i, (keys, request)) in entries.iter().enumerate() {
        text.push_str(&format!(
            "[[case]]\nid = \"area/{i}\"\ntitle = \"A case for the tests\"\nbehaviours = [\"cors-check/acao-exact-match\"]\n\
             spec = \"fetch#concept-cors-check\"\nwhy = \"For the tests.\"\nlevel = \"info\"\n{keys}\n{request}\n\
             expect.read = \"allowed\"\nexpect.or-read = [\"blocked\"]\nexpect.wire = []\n"
        ));
    }
    match Catalogue::parse([("area.toml", text.as_str())]) {
        Ok(catalogue) => catalogue.cases().iter().cloned().map(Arc::new).collect(),
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

const TO_B: &str = "request.to = \"b\"\nresponse = {}";

fn all(cases: &[Arc<Case>]) -> Vec<usize> {
    (0..cases.len()).collect()
}

#[test]
fn cases_of_one_page_share_a_stage() {
    let cases = cases(&[("page = \"b\"", TO_B), ("", TO_B), ("page = \"a-tls\"", TO_B), ("", TO_B), ("page = \"b\"", TO_B)]);
    let stages = stages(&cases, &all(&cases), 10);
    let seen: Vec<_> = stages.iter().map(|s| (s.page, s.rounds.clone())).collect();
    assert_eq!(seen, [(Alias::A, vec![vec![1, 3]]), (Alias::B, vec![vec![0, 4]]), (Alias::ATls, vec![vec![2]])]);
}

#[test]
fn only_chosen_cases_run_and_in_their_order() {
    let cases = cases(&[("", TO_B), ("", TO_B), ("", TO_B), ("page = \"b\"", TO_B)]);
    let stages = stages(&cases, &[2, 0], 10);
    assert_eq!(stages.len(), 1, "the page of a case that was not chosen is not loaded");
    assert_eq!(stages[0].rounds, [[2, 0]]);
    assert!(corscheck::plan::stages(&cases, &[], 10).is_empty());
}

#[test]
fn a_stage_has_the_contexts_of_its_cases() {
    let cases =
        cases(&[("context = \"worker\"", TO_B), ("", TO_B), ("context = \"worker\"", TO_B), ("context = \"sandbox\"\npage = \"b\"", TO_B)]);
    let stages = stages(&cases, &all(&cases), 10);
    assert_eq!(stages[0].contexts, [Context::Window, Context::Worker]);
    assert_eq!(stages[1].contexts, [Context::Sandbox]);
}

#[test]
fn rounds_are_no_larger_than_asked() {
    let cases = cases(&[("", TO_B); 7]);
    for (round, sizes) in [(3, vec![3, 3, 1]), (7, vec![7]), (100, vec![7]), (1, vec![1; 7]), (0, vec![1; 7])] {
        let stages = stages(&cases, &all(&cases), round);
        let seen: Vec<_> = stages[0].rounds.iter().map(Vec::len).collect();
        assert_eq!(seen, sizes, "rounds of {round}");
        assert_eq!(stages[0].rounds.concat(), all(&cases));
    }
}

#[test]
fn slow_cases_run_beside_the_rounds() {
    let slow = [
        "request.to = \"b\"\nresponse = { delay-ms = 200 }",
        "request.to = \"b\"\nresponse = { body-delay-ms = 300 }",
        "request.to = \"b\"\nresponse = {}\npreflight = { delay-ms = 250 }",
        "request.to = \"b\"\nresponse = {}\nredirects = [{ status = 302, to = \"b\", delay-ms = 200 }]",
        "request.to = \"b\"\nresponse = [{}, { delay-ms = 200 }]",
    ];
    let quick = "request.to = \"b\"\nresponse = { delay-ms = 199 }";
    let mut entries = vec![("", quick)];
    entries.extend(slow.iter().map(|s| ("", *s)));
    let cases = cases(&entries);
    let stages = stages(&cases, &all(&cases), 10);
    assert_eq!((stages[0].rounds.as_slice(), stages[0].slow.as_slice()), (&[vec![0]][..], &[1, 2, 3, 4, 5][..]));
}

#[test]
fn a_stage_of_slow_cases_alone_has_no_round() {
    let cases = cases(&[("context = \"worker\"", "request.to = \"b\"\nresponse = { delay-ms = 1000 }")]);
    let stages = stages(&cases, &[0], 10);
    assert_eq!((stages[0].rounds.len(), stages[0].slow.as_slice()), (0, &[0][..]));
    assert_eq!(stages[0].contexts, [Context::Worker]);
}

#[test]
fn controls_are_of_the_page_and_of_every_origin() {
    let chain = "request.to = \"b\"\nredirects = [{ status = 302, to = \"c\" }, { status = 302, to = \"a-sub\" }]\nresponse = {}";
    let cases = cases(&[("", chain)]);
    let expected = [Alias::A, Alias::ASub, Alias::B, Alias::C].map(|a| (Context::Window, a));
    assert_eq!(controls(&cases, &[0]), expected);
}

#[test]
fn a_request_to_nobody_is_controlled_by_the_page_alone() {
    let cases = cases(&[("", "request.to = \"dead\""), ("", "request.url = \"data:,x\"")]);
    for i in [0, 1] {
        assert_eq!(controls(&cases, &[i]), [(Context::Window, Alias::A)]);
    }
}

#[test]
fn each_control_is_there_once_for_each_context() {
    let cases = cases(&[("", TO_B), ("", TO_B), ("context = \"worker\"", TO_B), ("page = \"c\"", TO_B)]);
    let pairs = |context| [(context, Alias::A), (context, Alias::B)];
    assert_eq!(controls(&cases, &[0, 1, 2]), [pairs(Context::Window), pairs(Context::Worker)].concat());
    assert_eq!(controls(&cases, &[3]), [(Context::Window, Alias::B), (Context::Window, Alias::C)]);
    assert_eq!(controls(&cases, &[]), []);
}

#[test]
fn mixed_content_has_no_control() {
    let cases = cases(&[
        ("page = \"a-tls\"", TO_B),
        ("page = \"a-tls\"", "request.to = \"b-tls\"\nresponse = {}"),
        ("", "request.to = \"b-tls\"\nresponse = {}"),
    ]);
    assert_eq!(controls(&cases, &[0]), [(Context::Window, Alias::ATls)]);
    assert_eq!(controls(&cases, &[1]), [(Context::Window, Alias::ATls), (Context::Window, Alias::BTls)]);
    assert_eq!(controls(&cases, &[2]), [(Context::Window, Alias::A), (Context::Window, Alias::BTls)]);
}

#[test]
fn only_http_from_https_is_mixed_content() {
    for page in Alias::ALL {
        for target in Alias::ALL {
            let mixed = page.scheme() == Scheme::Https && target.scheme() == Scheme::Http;
            assert_eq!(readable_from(*page, *target), !mixed, "{page} {target}");
        }
    }
}

#[test]
fn the_plan_of_the_catalogue_runs_every_case_once() {
    let catalogue = Catalogue::embedded().unwrap_or_else(|e| panic!("{e}"));
    let cases: Vec<_> = catalogue.cases().iter().cloned().map(Arc::new).collect();
    let mut planned = Vec::new();
    for stage in stages(&cases, &all(&cases), ROUND) {
        assert!(stage.rounds.iter().all(|r| !r.is_empty() && r.len() <= ROUND));
        let here: Vec<_> = stage.rounds.concat().into_iter().chain(stage.slow.iter().chain(&stage.exclusive).copied()).collect();
        assert!(stage.exclusive.iter().all(|i| cases[*i].is_exclusive()));
        assert!(!stage.rounds.iter().flatten().chain(&stage.slow).any(|i| cases[*i].is_exclusive()), "it would stop the others");
        for index in &here {
            assert_eq!(cases[*index].page, stage.page);
            assert!(stage.contexts.contains(&cases[*index].context));
        }
        let controls = controls(&cases, &here);
        for context in &stage.contexts {
            assert!(controls.contains(&(*context, stage.page)), "no control of {} in {context}", stage.page);
        }
        planned.extend(here);
    }
    planned.sort_unstable();
    assert!(planned == all(&cases), "{} of {} cases are planned", planned.len(), cases.len());
}
