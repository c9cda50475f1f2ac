//! Generated cases before the judge: what the oracle predicts meets the expectation that was made of it, seeded defects do not, and
//! what a defect fails shrinks to something small.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use corscheck::{judge::judge, simulated::observe::observation, verdict::Verdict};
use corscheck_cases::{
    Case, Catalogue, Topology,
    bind::bind,
    families::{Families, Family, shrink},
    oracle::{Defect, Defects, Scenario},
};

const TOKEN: &str = "fedcba9876543210";

/// In a debug build one case of so many is looked at; a release build looks at all.
const EVERY: usize = if cfg!(debug_assertions) { 13 } else { 1 };

fn families() -> Families {
    match Families::embedded() {
        Ok(families) => families,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

/// Other ports than those of the topology that expectations are predicted for.
fn topology() -> Topology {
    Topology::new(corscheck_cases::Alias::ALL.iter().copied().zip(40_001..).collect())
}

/// What the judge says of a user agent with these defects.
fn verdict(case: &Case, topology: &Topology, defects: Defects) -> (Verdict, String) {
    let scenario = Scenario::new(case, topology, TOKEN);
    let observed = observation(&scenario, &scenario.predict_with(defects));
    let judgement = judge(&bind(case, topology, TOKEN).steps, &observed);
    let first = judgement.differences.first().map(|d| format!("{}: expected {}, predicted {}", d.point, d.expected, d.seen));
    (judgement.verdict, first.unwrap_or_default())
}

/// One thing done with each family, on all cores.
fn each<R: Send>(families: &Families, work: impl Fn(&Family) -> R + Sync) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = families.all().iter().map(|family| scope.spawn(move || work(family))).collect();
        running.into_iter().map(|one| one.join().expect("no panic")).collect()
    })
}

/// The rendering loses nothing that the judge looks at, and depends on neither ports nor token.
#[test]
fn predictions_meet_their_own_expectations() {
    let (families, topology) = (families(), topology());
    let wrong: Vec<String> = each(&families, |family| {
        let mut wrong = Vec::new();
        for combination in family.combinations().iter().step_by(EVERY) {
            let case = family.case(combination).unwrap_or_else(|e| panic!("{e}"));
            let (verdict, words) = verdict(&case, &topology, Defects::NONE);
            if verdict != Verdict::Agrees {
                wrong.push(format!("{}: {verdict}: {words}", case.id));
            }
        }
        wrong
    })
    .concat();
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}

/// The cases of a family that a defect fails, simplest ids last.
fn failed_by(family: &Family, defect: Defect, most: usize) -> Vec<Case> {
    let topology = topology();
    let cases = family.cases().map(|case| case.unwrap_or_else(|e| panic!("{e}")));
    let mut failing: Vec<_> = cases.filter(|case| verdict(case, &topology, Defects::only(defect)).0.is_mismatch()).collect();
    failing.sort_by_key(|case| std::cmp::Reverse(case.id.as_str().len()));
    failing.truncate(most);
    failing
}

#[test]
fn what_a_defect_fails_shrinks_to_something_small() {
    let (families, topology) = (families(), topology());
    for (defect, family, wanted) in [
        (Defect::AcacIgnored, "cors-check", "family-cors-check/include"),
        (Defect::AcaoTrailingSlash, "cors-check", "family-cors-check/acao-slash"),
        (Defect::WildcardWithCredentials, "cors-check", "family-cors-check/acao-star-acac-true-include"),
        (Defect::MethodsIgnoreCase, "preflight-method", ""),
        (Defect::PreflightAnyStatus, "preflight-answer", "family-preflight-answer/s400"),
        (Defect::RedirectNoTaint, "redirect", "family-redirect/via-bc"),
    ] {
        let fails = |case: &Case| verdict(case, &topology, Defects::only(defect)).0.is_mismatch();
        let failing = failed_by(families.get(family).expect("there is such a family"), defect, 5);
        assert!(!failing.is_empty(), "{defect} fails nothing of {family}");
        for case in failing {
            let mut tried = 0;
            let shrunk = shrink(&families, case.id.as_str(), 200, |case| {
                tried += 1;
                fails(case)
            });
            let small = shrunk.expect("it is of a family").unwrap_or_else(|e| panic!("{e}"));
            println!("{defect}: {} to {} in {tried}", case.id, small.id);
            assert!(fails(&small), "{} does not fail", small.id);
            assert!(small.id.as_str().len() <= case.id.as_str().len(), "{} is no simpler than {}", small.id, case.id);
            if !wanted.is_empty() {
                assert_eq!(small.id.as_str(), wanted, "from {}", case.id);
            }
            let (family, combination) = families.decode(small.id.as_str()).expect("its id is of the family");
            assert!(family.words(&combination).len() <= 3, "{} is not small", small.id);
            let text = family.text(&combination).unwrap_or_else(|e| panic!("{e}"));
            let pasted = Catalogue::parse([("pasted.toml", &*text)]).unwrap_or_else(|e| panic!("{text}\n{e}"));
            assert!(fails(&pasted.cases()[0]), "pasted, it fails no more:\n{text}");
        }
    }
}

/// Which defects the families catch: printed, as a help for whoever adds a family.
#[test]
fn many_defects_fail_some_generated_case() {
    let (families, topology) = (families(), topology());
    let caught: Vec<BTreeMap<Defect, usize>> = each(&families, |family| {
        let mut caught = BTreeMap::new();
        for (family, combination) in families.sample(3000).iter().filter(|(f, _)| f.name() == family.name()) {
            let case = family.case(combination).unwrap_or_else(|e| panic!("{e}"));
            for &defect in Defect::ALL {
                if !caught.contains_key(&defect) && verdict(&case, &topology, Defects::only(defect)).0.is_mismatch() {
                    caught.insert(defect, 1);
                }
            }
        }
        caught
    });
    let is_caught = |d: &Defect| caught.iter().any(|c| c.contains_key(d));
    // What no family is about (service workers, the HTTP cache, preloads …) is left to cases written by hand.
    let areas: BTreeSet<&str> = Defect::ALL.iter().filter(|d| is_caught(d)).map(|d| d.area()).collect();
    let theirs: Vec<_> = Defect::ALL.iter().filter(|d| areas.contains(d.area())).collect();
    let missed: Vec<_> = theirs.iter().filter(|d| !is_caught(d)).map(|d| d.word()).collect();
    println!("{} of {} defects fail no generated case of the sample: {}", missed.len(), theirs.len(), missed.join(" "));
    assert!(theirs.len() - missed.len() > 190, "the families catch too little");
    assert!(missed.len() * 2 < theirs.len(), "most defects fail nothing: {}", missed.join(" "));
}
