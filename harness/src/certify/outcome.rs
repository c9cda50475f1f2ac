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
    /// The exchanges of the outcome that show it, by number; all of them where none is named.
    pub shown_by: Vec<usize>,
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
        self.findings.push(Finding { tags, expected, seen, shown_by: Vec::new() });
    }

    /// Says which exchanges show the last finding.
    pub fn shown_by(&mut self, exchanges: Vec<usize>) {
        if let Some(last) = self.findings.last_mut() {
            last.shown_by = exchanges;
        }
    }

    /// Brings what shows the first finding before everything else.
    pub fn first_things_first(&mut self) {
        let Some(first) = self.findings.first().map(|f| f.shown_by.clone()) else { return };
        let mut order: Vec<usize> = (0..self.observation.exchanges.len()).collect();
        order.sort_by_key(|n| (first.iter().position(|f| f == n).unwrap_or(usize::MAX), *n));
        self.observation.exchanges = order.iter().map(|n| self.observation.exchanges[*n].clone()).collect();
        let moved = |n: &usize| order.iter().position(|o| o == n).unwrap_or(*n);
        for finding in &mut self.findings {
            finding.shown_by = finding.shown_by.iter().map(moved).collect();
        }
    }

    /// Its id among all of a target.
    pub fn id(&self) -> String {
        format!("{}/{}", self.policy, self.probe)
    }
}
