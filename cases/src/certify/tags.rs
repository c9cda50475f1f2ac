//! What a probe and a finding are about, in words: `policy:p3 origin:evil question:read direction:too-open`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// Keys with one value each.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more, in place of one with the same key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (&**k, &**v))
    }
}

impl std::fmt::Display for Tags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let terms: Vec<String> = self.iter().map(|(k, v)| format!("{k}:{v}")).collect();
        f.write_str(&terms.join(" "))
    }
}

/// Keys that only findings have: a probe has not failed yet.
const OF_FINDINGS: &[&str] = &["question", "direction", "point", "reason", "first", "fill", "preflight"];

/// Terms that all must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    key: String,
    glob: String,
    negated: bool,
}

impl Term {
    fn matches(&self, tags: &Tags) -> bool {
        tags.get(&self.key).is_some_and(|value| glob(self.glob.as_bytes(), value.as_bytes())) != self.negated
    }
}

impl Pattern {
    /// Parses terms: `key:glob`, or `!key:glob`, with spaces between them.
    ///
    /// # Errors
    ///
    /// A term without a colon.
    pub fn parse(text: &str) -> Result<Self, String> {
        let term = |word: &str| {
            let (negated, rest) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
            let (key, glob) = rest.split_once(':').ok_or_else(|| format!("`{word}` is no term: expected `key:value`"))?;
            Ok(Term { key: key.to_owned(), glob: glob.to_owned(), negated })
        };
        let terms = text.split_ascii_whitespace().map(term).collect::<Result<_, String>>()?;
        Ok(Self { text: text.to_owned(), terms })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a finding is one of those meant.
    pub fn matches(&self, tags: &Tags) -> bool {
        self.terms.iter().all(|t| t.matches(tags))
    }

    /// Whether a probe could lead to such a finding.
    pub fn asks(&self, tags: &Tags) -> bool {
        let of_probes = self.terms.iter().filter(|t| !OF_FINDINGS.contains(&&*t.key));
        let question = self.terms.iter().find(|t| t.key == "question" && !t.negated);
        // A probe says itself which questions it answers.
        let answers = |t: &Term| tags.get("answers").is_some_and(|list| list.split(',').any(|q| glob(t.glob.as_bytes(), q.as_bytes())));
        question.is_none_or(answers) && of_probes.into_iter().all(|t| t.matches(tags))
    }

    /// Every policy that the pattern names without a doubt, or none where it leaves that open.
    pub fn policy_globs(&self) -> Vec<&str> {
        self.terms.iter().filter(|t| t.key == "policy" && !t.negated).map(|t| &*t.glob).collect()
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Pattern::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Whether a value is like a pattern: `*` for any characters, `[abc]` for one of these.
pub fn glob(pattern: &[u8], value: &[u8]) -> bool {
    match pattern {
        [] => value.is_empty(),
        [b'*', rest @ ..] => (0..=value.len()).any(|at| glob(rest, &value[at..])),
        [b'[', rest @ ..] if rest.contains(&b']') => {
            let end = rest.iter().position(|b| *b == b']').unwrap_or(rest.len());
            matches!(value, [first, others @ ..] if rest[..end].contains(first) && glob(&rest[end + 1..], others))
        }
        [b, rest @ ..] => matches!(value, [first, others @ ..] if first == b && glob(rest, others)),
    }
}

/// Whether a name is chosen by a list of globs, with `!` before what is left out: the last one that matches decides.
pub fn chooses(globs: &[String], name: &str) -> bool {
    globs.iter().fold(false, |chosen, pattern| match pattern.strip_prefix('!') {
        Some(pattern) if glob(pattern.as_bytes(), name.as_bytes()) => false,
        None if glob(pattern.as_bytes(), name.as_bytes()) => true,
        _ => chosen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, value, is) in [
            ("*", "", true),
            ("p[123]*", "p3-x", true),
            ("p[123]*", "p4", false),
            ("a*c", "abc", true),
            ("a*c", "abd", false),
            ("raw:*", "raw:tab", true),
            ("", "x", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), value.as_bytes()), is, "{pattern} {value}");
        }
        let list = ["p*".to_owned(), "!p10".to_owned()];
        assert!(chooses(&list, "p1") && !chooses(&list, "p10") && !chooses(&list, "t1"));
    }

    #[test]
    fn a_probe_is_asked_for_what_a_finding_could_be() {
        let pattern = Pattern::parse("question:read direction:too-open origin:evil !policy:p5").expect("a pattern");
        let probe = Tags::new().with("origin", "evil").with("policy", "p1").with("answers", "read,reflection");
        assert!(pattern.asks(&probe) && !pattern.matches(&probe));
        assert!(pattern.matches(&probe.clone().with("question", "read").with("direction", "too-open")));
        assert!(!pattern.asks(&probe.clone().with("policy", "p5")));
        assert!(!pattern.asks(&probe.with("answers", "wire")));
        assert!(Pattern::parse("word").is_err());
    }
}
