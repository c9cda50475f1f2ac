//! What the catalogue says of the cases of a report: the words, the text in the file, what the page does and the oracle's path.

use std::collections::HashMap;

use corscheck_cases::{
    Case, Catalogue, Topology,
    bind::bind,
    families::Families,
    oracle::{Scenario, trace::PathStep},
};
use serde_json::{Value, json};

use crate::{judge::describe, report::evidence::answer_lines};

use super::strings::Strings;

/// Stands for the token of an attempt in everything that a report shows: two attempts at a case differ in it and in nothing else.
pub(super) const TOKEN: &str = "{token}";

/// A token that no URL parser rewrites.
const PLAIN_TOKEN: &str = "TOKENTOKENTOKENTOKENTOKENTOKENTO";

/// Where a report finds the cases that results name.
#[derive(Debug)]
pub struct Library {
    cases: HashMap<String, Case>,
    families: Families,
}

impl Library {
    /// The cases of a catalogue, and those that the families can make.
    pub fn new(catalogue: &Catalogue, families: Families) -> Self {
        Self::of(catalogue.cases().iter().cloned(), families)
    }

    /// The same of single cases.
    pub fn of(cases: impl IntoIterator<Item = Case>, families: Families) -> Self {
        Self { cases: cases.into_iter().map(|c| (c.id.as_str().to_owned(), c)).collect(), families }
    }

    /// A library without a case: a report made with it shows what results hold and no more.
    pub fn empty() -> Self {
        Self { cases: HashMap::new(), families: Families::default() }
    }

    /// The case with this id, as long as it has this title: another title is that of another case.
    pub(crate) fn find(&self, id: &str, title: &str) -> Option<Case> {
        let case = self.cases.get(id).cloned().or_else(|| self.families.find(id)?.ok())?;
        (case.title == title).then_some(case)
    }

    /// The text of a case as it stands in a file, or could.
    fn source(&self, case: &Case) -> Option<String> {
        if let Some(source) = &case.source {
            return Some(source.to_string());
        }
        let (family, combination) = self.families.decode(case.id.as_str())?;
        family.text(&combination).ok()
    }

    /// What the detail block says of a case.
    pub(super) fn detail(&self, case: &Case, topology: &Topology, strings: &mut Strings) -> Value {
        let bound = bind(case, topology, PLAIN_TOKEN);
        let scenario = Scenario::new(case, topology, PLAIN_TOKEN);
        let paths = scenario.predict().steps.into_iter().map(|s| s.path);
        let steps: Vec<Value> = (bound.steps.iter().zip(&bound.script.steps).zip(paths))
            .map(|((step, resources), path)| {
                let mut action = serde_json::to_value(&step.action).unwrap_or_default();
                if let Some(map) = action.as_object_mut() {
                    // What is not set need not be read.
                    map.retain(|_, v| !(v.is_null() || *v == json!(false) || *v == json!([]) || *v == json!(0)));
                }
                let answers: Vec<_> = resources
                    .iter()
                    .flat_map(|r| {
                        let kinds = [("preflight", &r.preflight), ("response", &r.response), ("revalidation", &r.revalidation)];
                        kinds.into_iter().flat_map(move |(kind, answers)| answers.iter().map(move |a| (kind, r.at, &r.path, a)))
                    })
                    .map(|(kind, at, path, a)| json!([kind, at.word(), path, plain(&answer_lines(a).join("\n"))]))
                    .collect();
                json!({
                    "x": plain(&describe(step)),
                    "a": serde_json::from_str::<Value>(&plain(&action.to_string())).unwrap_or_default(),
                    "s": answers,
                    "p": path.iter().map(|step| path_step(step, strings)).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "w": case.why,
            "f": format!("{}:{}", case.place.file, case.place.line),
            "u": case.spec.url(),
            "t": self.source(case),
            "s": steps,
        })
    }
}

fn plain(text: &str) -> String {
    text.replace(PLAIN_TOKEN, TOKEN)
}

/// Algorithm, step, words, whether it decides, and what was compared; as numbers of strings, since paths are alike.
fn path_step(step: &PathStep, strings: &mut Strings) -> Value {
    let mut line = vec![
        json!(strings.add(step.algorithm.name())),
        json!(step.step),
        json!(strings.add(&plain(&step.says))),
        json!(u8::from(step.decides)),
    ];
    if let Some(compared) = &step.compared {
        line.extend([json!(strings.add(&plain(&compared.wanted))), json!(strings.add(&plain(&compared.found)))]);
    }
    Value::Array(line)
}
