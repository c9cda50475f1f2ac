//! What a probe came to.

use corscheck_cases::certify::{Probe, Tags};

use crate::{
    observation::Observation,
    verdict::{Difference, Verdict},
};

/// Something that shows that a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub tags: Tags,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// A probe that was asked.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its policy.
    pub policy: String,
    /// Its id in the policy.
    pub probe: String,
    /// One sentence.
    pub title: String,
    /// What it is about.
    pub tags: Tags,
    /// What was expected, in words.
    pub expected: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Where expectation and observation part.
    pub differences: Vec<Difference>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The evidence.
    pub observation: Observation,
    /// The steps of the standard that decided.
    pub path: Vec<String>,
}

impl Outcome {
    /// One that has found nothing yet.
    pub fn new(probe: &Probe, expected: impl Into<String>) -> Self {
        Self {
            policy: probe.tags.get("policy").unwrap_or_default().to_owned(),
            probe: probe.id.clone(),
            title: probe.title.clone(),
            tags: probe.tags.clone(),
            expected: expected.into(),
            verdict: Verdict::Agrees,
            differences: Vec::new(),
            findings: Vec::new(),
            observation: Observation { pages: Vec::new(), exchanges: Vec::new(), words: Vec::new() },
            path: Vec::new(),
        }
    }

    /// Adds a finding; the first one decides the verdict.
    pub fn find(&mut self, verdict: Verdict, question: &str, more: &[(&str, &str)], expected: impl Into<String>, seen: impl Into<String>) {
        let (expected, seen) = (expected.into(), seen.into());
        if self.verdict == Verdict::Agrees {
            self.verdict = verdict;
        }
        let tags = more.iter().fold(self.tags.clone().with("question", question), |tags, (key, value)| tags.with(key, *value));
        let point = format!("{question}{}", more.iter().find(|(key, _)| *key == "point").map(|(_, v)| format!(".{v}")).unwrap_or_default());
        self.differences.push(Difference { step: 0, point, expected: expected.clone(), seen: seen.clone() });
        self.findings.push(Finding { tags, expected, seen });
    }

    /// Its id among all of a target.
    pub fn id(&self) -> String {
        format!("{}/{}", self.policy, self.probe)
    }
}
