//! Two opinions held equal: what the catalogue says by hand, and what the oracle makes of the standard.

use corscheck::{judge::judge, simulated::observe::observation, verdict::Verdict};
use corscheck_cases::{Case, Catalogue, Topology, bind::bind, oracle::Scenario};

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
            && !step.expect.reasons.is_empty()
            && !step.expect.reasons.contains(&reason)
        {
            let authored: Vec<_> = step.expect.reasons.iter().map(|r| r.word()).collect();
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
