//! From a combination to a case: TOML in the catalogue's format, read by the ordinary parser.

use toml::{Table, Value};

use super::{Combination, Family, Generated, Nonsense, expect, merge, toml_text};
use crate::{
    case::{Case, Place},
    catalogue::Catalogue,
};

/// An expectation that says nothing: the script alone is wanted of a case with it.
const UNKNOWN: &str = r#"{ read = "blocked", reason = "network", wire = [] }"#;

/// The parts of a step that script it, in the order in which they stand in files.
const PARTS: &[&str] = &["wait-ms", "request", "preflight", "redirects", "response"];

impl Family {
    /// The cases that the family is made of, one after another.
    pub fn cases(&self) -> impl Iterator<Item = Result<Case, Nonsense>> + '_ {
        self.combinations().into_iter().map(|combination| self.case(&combination))
    }

    /// The case of a combination, its expectation filled in from the oracle's prediction.
    ///
    /// # Errors
    ///
    /// The combination makes no case.
    pub fn case(&self, combination: &Combination) -> Result<Case, Nonsense> {
        let mut case = self.parsed(combination, &self.text(combination)?)?;
        let words = self.axes.iter().zip(combination.values());
        case.generated = Some(Generated {
            family: self.name.clone(),
            values: words.map(|(axis, v)| (axis.name.clone(), axis.values[v].word.clone())).collect(),
        });
        case.place = Place { file: self.file.clone(), line: 1 };
        Ok(case)
    }

    /// The same as it can be pasted into a file of the catalogue.
    ///
    /// # Errors
    ///
    /// The combination makes no case.
    pub fn text(&self, combination: &Combination) -> Result<String, Nonsense> {
        let script = self.script(combination).map_err(|words| self.nonsense(combination, words))?;
        let unknown = self.rendered(combination, &script, None);
        let case = self.parsed(combination, &unknown)?;
        let predicted = expect::predicted(&case).map_err(|words| self.nonsense(combination, words))?;
        Ok(self.rendered(combination, &script, Some(&predicted)))
    }

    fn nonsense(&self, combination: &Combination, words: String) -> Nonsense {
        Nonsense { id: self.id(combination), words }
    }

    fn parsed(&self, combination: &Combination, text: &str) -> Result<Case, Nonsense> {
        let parsed = Catalogue::parse([(&*self.file, text)]).map_err(|e| self.nonsense(combination, e.to_string()))?;
        let case = parsed.cases().first().cloned();
        case.ok_or_else(|| self.nonsense(combination, "there is no case".to_owned()))
    }

    /// The base with everything that the values change.
    fn script(&self, combination: &Combination) -> Result<Table, String> {
        let mut case = self.base.clone();
        for (axis, v) in self.axes.iter().zip(combination.values()) {
            let value = &axis.values[v];
            merge::apply(&mut case, &value.patch).map_err(|words| format!("{} = {}: {words}", axis.name, value.word))?;
        }
        let mut bytes = self.axes.iter().zip(combination.values()).filter_map(|(axis, v)| axis.values[v].byte);
        if let Some(byte) = bytes.next() {
            case.iter_mut().for_each(|(_, value)| merge::put_byte(value, byte));
        }
        Ok(case)
    }

    fn rendered(&self, combination: &Combination, script: &Table, predicted: Option<&expect::Predicted>) -> String {
        let text = |words: &str| Value::String(words.to_owned());
        let words = self.words(combination);
        let with = if words.is_empty() { "at its plainest".to_owned() } else { format!("with {}", words.join(", ")) };
        let outcome = predicted.map(|p| format!(" comes to: {}", p.outcome)).unwrap_or_default();
        let behaviours = Value::Array(self.behaviours(combination).iter().map(|b| text(b.as_str())).collect());
        let mut out = String::from("[[case]]\n");
        toml_text::line(&mut out, "id", &text(&self.id(combination)));
        toml_text::line(&mut out, "title", &text(&format!("{} {with}{outcome}", self.title)));
        toml_text::line(&mut out, "behaviours", &behaviours);
        toml_text::line(&mut out, "spec", &text(self.spec.as_str()));
        toml_text::line(&mut out, "why", &text(predicted.map_or("", |p| &p.why)));
        match script.get("steps") {
            Some(Value::Array(steps)) => {
                lines(&mut out, script, |key| key != "steps");
                for (i, step) in steps.iter().enumerate() {
                    out.push_str("\n[[case.steps]]\n");
                    lines(&mut out, step.as_table().unwrap_or(&Table::new()), |_| true);
                    expectation(&mut out, predicted, i);
                }
            }
            // Steps that are no list are for the parser to refuse.
            _ => {
                lines(&mut out, script, |_| true);
                expectation(&mut out, predicted, 0);
            }
        }
        out
    }
}

/// The keys of a script that are wanted: those of cases, then those of steps in the order in which they stand in files.
fn lines(out: &mut String, script: &Table, wanted: impl Fn(&str) -> bool) {
    let rank = |key: &str| PARTS.iter().position(|part| *part == key).map_or(0, |at| at + 1);
    let mut entries: Vec<_> = script.iter().filter(|(key, _)| wanted(key)).collect();
    entries.sort_by_key(|(key, _)| rank(key));
    for (key, value) in entries {
        toml_text::line(out, key, value);
    }
}

fn expectation(out: &mut String, predicted: Option<&expect::Predicted>, step: usize) {
    match predicted.and_then(|p| p.steps.get(step)) {
        Some(expect) => toml_text::line(out, "expect", &Value::Table(expect.clone())),
        None => out.push_str(&format!("expect = {UNKNOWN}\n")),
    }
}
