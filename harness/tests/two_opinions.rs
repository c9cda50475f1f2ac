//! Two opinions held equal: what the catalogue says by hand, and what the oracle makes of the standard.

use std::collections::BTreeMap;

use corscheck::{judge::judge, simulated::observe::observation, verdict::Verdict};
use corscheck_cases::{
    Case, Catalogue, Level, Topology,
    bind::bind,
    oracle::{Freedom, Scenario},
};

const TOKEN: &str = "0123456789abcdef";

/// The difference between a case's expectation and its prediction, with the path of the step that differs.
fn difference(case: &Case, topology: &Topology) -> Option<String> {
    let scenario = Scenario::new(case, topology, TOKEN);
    let prediction = scenario.predict();
    let judgement = judge(&bind(case, topology, TOKEN).steps, &observation(&scenario, &prediction));
    let mut differences: Vec<_> =
        judgement.differences.iter().map(|d| (d.step, format!("{}: authored {}, predicted {}", d.point, d.expected, d.seen))).collect();
    if judgement.verdict != Verdict::Agrees && differences.is_empty() {
        differences.push((0, judgement.verdict.to_string()));
    }
    for (i, (step, predicted)) in case.steps.iter().zip(&prediction.steps).enumerate() {
        if let Some(reason) = predicted.view.reason
            && let authored = std::iter::once(&step.expect).chain(&step.or).flat_map(|e| &e.reasons).collect::<Vec<_>>()
            && !authored.is_empty()
            && !authored.contains(&&reason)
        {
            let authored: Vec<_> = authored.iter().map(|r| r.word()).collect();
            differences.push((i, format!("reason: authored {}, predicted {reason}", authored.join(" or "))));
        }
    }
    let (step, words) = differences.first()?;
    let path: Vec<_> = prediction.steps.get(*step).map(|s| s.path.iter().map(|p| format!("    {p}")).collect()).unwrap_or_default();
    Some(format!("{} ({}), step {step}: {words}\n{}", case.id, case.level.word(), path.join("\n")))
}

#[test]
fn authored_expectations_and_predictions_are_equal() {
    let catalogue = Catalogue::embedded().expect("it parses");
    let topology = Topology::example();
    let differing: Vec<_> = catalogue.cases().iter().filter_map(|c| difference(c, &topology)).collect();
    assert!(differing.is_empty(), "{} of {} cases differ:\n{}", differing.len(), catalogue.cases().len(), differing.join("\n"));
}

/// The comparison can fail: a wrong expectation in each direction is told, with the step where the path parts.
#[test]
fn a_wrong_expectation_is_told() {
    for (read, wire) in [
        ("\"allowed\"", "[\"GET\"]"),
        ("\"blocked\", reason = \"acao-mismatch\"", "[\"GET\"]"),
        ("\"blocked\", reason = \"acao-missing\"", "[]"),
    ] {
        let text = format!(
            r#"
[[case]]
id = "wrong/case"
title = "A case that is wrong on purpose"
behaviours = ["cors-check/acao-absent"]
spec = "fetch#concept-cors-check"
why = "CORS check, step 2."
request = {{ to = "b" }}
response = {{}}
expect = {{ read = {read}, wire = {wire} }}
"#
        );
        let catalogue = Catalogue::parse([("wrong.toml", &*text)]).expect("it parses");
        let told = difference(&catalogue.cases()[0], &Topology::example()).expect("a difference");
        assert!(told.contains("CORS check, step 2"), "{told}");
    }
}

/// What the standards leave open is in the prediction: each freedom changes some case, and where the author left the same thing open
/// the expectation takes the other outcome as well. What a cache may have forgotten fails no case.
#[test]
fn freedoms_are_told() {
    let catalogue = Catalogue::embedded().expect("it parses");
    let topology = Topology::example();
    let mut changed: BTreeMap<Freedom, Vec<&Case>> = BTreeMap::new();
    let mut refused = BTreeMap::new();
    for case in catalogue.cases() {
        let scenario = Scenario::new(case, &topology, TOKEN);
        for (freedom, other) in scenario.allowed().others {
            changed.entry(freedom).or_default().push(case);
            let judgement = judge(&bind(case, &topology, TOKEN).steps, &observation(&scenario, &other));
            if judgement.verdict != Verdict::Agrees {
                *refused.entry(freedom).or_insert(0_usize) += 1;
                let is_binding = case.level != Level::Info;
                assert!(freedom != Freedom::ForgetsResponses || !is_binding, "{} demands a cache: {judgement:#?}", case.id);
            }
        }
    }
    for freedom in Freedom::ALL {
        let cases = changed.get(freedom).map_or(0, Vec::len);
        println!("{}: changes {cases} cases, {} of which expect the other", freedom.word(), refused.get(freedom).unwrap_or(&0));
        assert!(cases > 0, "{} changes nothing", freedom.word());
    }
    for (freedom, id) in [
        (Freedom::NoThirdPartyCookies, "credentials/samesite-none-cross-site"),
        (Freedom::RefusesOddStatus, "cors-check/status-304"),
        (Freedom::SendsAcceptLanguage, "safelist/total-counts-browser-added"),
        (Freedom::ForgetsPreflights, "preflight-cache/max-age-reuse"),
    ] {
        let Some(case) = catalogue.find(id) else { panic!("{id} is gone") };
        let scenario = Scenario::new(case, &topology, TOKEN);
        let allowed = scenario.allowed();
        let other =
            allowed.others.iter().find(|(f, _)| *f == freedom).unwrap_or_else(|| panic!("{} changes nothing in {id}", freedom.word()));
        let verdict = judge(&bind(case, &topology, TOKEN).steps, &observation(&scenario, &other.1)).verdict;
        // That browsers keep what they may forget is what preflight-cache cases are about.
        assert_eq!(verdict == Verdict::Agrees, freedom != Freedom::ForgetsPreflights, "{id}: {verdict}");
    }
}
