//! Rules: the duties of a server, one for each class of defects.

use serde::{Deserialize, Serialize};

use super::{CertifyError, tags::Pattern};

/// A duty of a server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// The id of its class of defects: `S05`.
    pub id: String,
    /// What is wrong where it is broken, in a few words.
    pub title: String,
    /// How bad that is.
    pub severity: Severity,
    /// Why, in a sentence or two.
    #[serde(default)]
    pub why: String,
    /// Where the standard says so: an address, or `fetch#anchor`.
    #[serde(default)]
    pub spec: String,
    /// The findings that show it.
    #[serde(default)]
    pub shown_by: Vec<Pattern>,
    /// Whether it is about what no other rule is about.
    #[serde(default)]
    pub rest: bool,
    /// Why nothing can show it, where that is so.
    pub unobservable: Option<String>,
    /// What to do, in one sentence.
    #[serde(default)]
    pub fix: String,
    /// Who had it: CVE ids and addresses.
    #[serde(default)]
    pub evidence: Vec<String>,
}

/// How bad it is when a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Somebody is let in who should not be.
    Security,
    /// Somebody is blocked who should be let in.
    Correctness,
    /// What is kept serves another request wrongly.
    Caching,
    /// Odd input ends in an error, or costs too much.
    Robustness,
    /// The verdict is right, and good advice was not followed.
    Hygiene,
    /// Left open by the standard: recorded.
    Information,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: &'static [Severity] =
        &[Severity::Security, Severity::Correctness, Severity::Caching, Severity::Robustness, Severity::Hygiene, Severity::Information];

    /// The word used in files, on terminals and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Security => "security",
            Severity::Correctness => "correctness",
            Severity::Caching => "caching",
            Severity::Robustness => "robustness",
            Severity::Hygiene => "hygiene",
            Severity::Information => "information",
        }
    }

    /// Whether a broken rule of this severity is a failure.
    pub fn is_failure(self) -> bool {
        !matches!(self, Severity::Hygiene | Severity::Information)
    }
}

impl Rule {
    /// The address of the place in the standard.
    pub fn spec_url(&self) -> String {
        if self.spec.contains("://") { self.spec.clone() } else { crate::format::SpecRef::address(&self.spec) }
    }

    /// The addresses of its evidence.
    pub fn evidence_urls(&self) -> Vec<String> {
        let address = |e: &String| match e.split_once('-') {
            Some(("CVE", _)) => format!("https://nvd.nist.gov/vuln/detail/{e}"),
            Some(("GHSA", _)) => format!("https://github.com/advisories/{e}"),
            _ => e.clone(),
        };
        self.evidence.iter().map(address).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Rule>,
}

/// Parses a file of rules.
pub(super) fn parse(file: &'static str, text: &str) -> Result<Vec<Rule>, CertifyError> {
    let parsed: File = toml::from_str(text).map_err(|e| CertifyError::Parse { file, error: e.to_string() })?;
    for rule in &parsed.rule {
        if rule.shown_by.is_empty() == rule.unobservable.is_none() {
            return Err(CertifyError::Wrong { file, words: format!("{}: either `shown-by` or `unobservable`", rule.id) });
        }
    }
    Ok(parsed.rule)
}
