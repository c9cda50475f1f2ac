//! Choosing cases: one filter grammar for every command.
//!
//! `area:preflight level:must reason:header-not-allowed`: terms with the same key are alternatives, different keys must all
//! hold, `!` negates, double quotes hold words together. A bare word is looked for in id and title, and `*` in it stands for anything. A pattern that is exactly an
//! id means that case alone. `family:NAME` means the generated cases of a family, `with-AXIS:WORD` those with a value on one of its axes.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error};

use crate::{case::Case, families::AREA};

/// A parsed filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    negated: bool,
    key: Option<Key>,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Area,
    Family,
    /// The value that a generated case has on this axis.
    With(String),
    Level,
    Reason,
    Read,
    Behaviour,
    Context,
    Page,
    Api,
    To,
}

const KEYS: &[(&str, Key)] = &[
    ("area", Key::Area),
    ("family", Key::Family),
    ("level", Key::Level),
    ("reason", Key::Reason),
    ("read", Key::Read),
    ("behaviour", Key::Behaviour),
    ("context", Key::Context),
    ("page", Key::Page),
    ("api", Key::Api),
    ("to", Key::To),
];

/// Keys that say something of results and not of cases; those who filter results take them first.
pub const RESULT_KEYS: &[&str] = &["browser", "verdict", "standing"];

impl Filter {
    /// Parses the grammar; the error names the keys there are.
    pub fn parse(source: &str) -> Result<Self, String> {
        let terms = words(source)?.iter().map(|word| Term::parse(word)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { terms })
    }

    /// Both filters must hold.
    pub fn and(mut self, other: Filter) -> Self {
        self.terms.extend(other.terms);
        self
    }

    /// Whether it may choose generated cases of this family. Whoever makes cases makes those of such families first.
    pub fn asks_for_family(&self, name: &str) -> bool {
        self.terms.iter().filter(|t| !t.negated).any(|t| match &t.key {
            Some(Key::Family) => glob(&t.value, name),
            Some(Key::Area) => t.value.starts_with(AREA) && glob(&t.value[AREA.len()..], name),
            None => t.value.strip_prefix(AREA).and_then(|v| v.split_once('/')).is_some_and(|(family, _)| glob(family, name)),
            _ => false,
        })
    }

    /// Whether the case is chosen.
    pub fn matches(&self, case: &Case) -> bool {
        if self.terms.iter().any(|t| t.negated && t.matches(case)) {
            return false;
        }
        let wanted: Vec<_> = self.terms.iter().filter(|t| !t.negated).collect();
        wanted.iter().all(|term| match term.key {
            None => term.matches(case),
            Some(_) => wanted.iter().filter(|t| t.key == term.key).any(|t| t.matches(case)),
        })
    }
}

impl fmt::Display for Filter {
    /// In the grammar that [`Filter::parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Term { negated, key, value }) in self.terms.iter().enumerate() {
            let (space, mark) = (if i == 0 { "" } else { " " }, if *negated { "!" } else { "" });
            let word = |key: &Key| KEYS.iter().find(|(_, k)| k == key).map_or("", |(word, _)| *word);
            let term = match key {
                None => format!("{mark}{value}"),
                Some(Key::With(axis)) => format!("{mark}with-{axis}:{value}"),
                Some(key) => format!("{mark}{}:{value}", word(key)),
            };
            let quote = if term.contains(char::is_whitespace) || term.is_empty() { "\"" } else { "" };
            write!(f, "{space}{quote}{term}{quote}")?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Filter::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The words of a filter: white space parts them, unless it stands in double quotes.
fn words(source: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for c in source.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if quoted {
        return Err(format!("a quote is not closed in `{source}`"));
    }
    words.extend(word);
    Ok(words)
}

impl Term {
    fn parse(source: &str) -> Result<Self, String> {
        let (negated, rest) = source.strip_prefix('!').map_or((false, source), |r| (true, r));
        if rest.is_empty() {
            return Err("a `!` with nothing behind it".to_owned());
        }
        let Some((key, value)) = rest.split_once(':') else {
            return Ok(Self { negated, key: None, value: rest.to_ascii_lowercase() });
        };
        let known = KEYS.iter().find(|(word, _)| *word == key).map(|(_, key)| key.clone());
        let axis = || key.strip_prefix("with-").filter(|axis| !axis.is_empty()).map(|axis| Key::With(axis.to_owned()));
        let Some(key) = known.or_else(axis) else {
            let all: Vec<_> = KEYS.iter().map(|(word, _)| *word).collect();
            return Err(format!("unknown key `{key}` in `{source}`, expected one of {}, with-AXIS", all.join(", ")));
        };
        Ok(Self { negated, key: Some(key), value: value.to_ascii_lowercase() })
    }

    fn matches(&self, case: &Case) -> bool {
        let is = |word: &str| glob(&self.value, word);
        match &self.key {
            None => {
                let bare = self.value.trim_matches('*');
                if self.value.contains('*') {
                    is(case.id.as_str())
                } else {
                    case.id.as_str().contains(bare) || case.title.to_lowercase().contains(bare)
                }
            }
            Some(Key::Area) => is(case.id.area()),
            Some(Key::Family) => case.generated.as_ref().is_some_and(|g| is(&g.family)),
            Some(Key::With(axis)) => case.generated.iter().flat_map(|g| &g.values).any(|(a, word)| a == axis && is(word)),
            Some(Key::Level) => is(case.level.word()),
            Some(Key::Reason) => case.steps.iter().any(|s| s.expect.reasons.iter().any(|r| is(r.word()))),
            Some(Key::Read) => case.steps.iter().any(|s| is(s.expect.read.word())),
            Some(Key::Behaviour) => case.behaviours.iter().any(|b| is(b.as_str())),
            Some(Key::Context) => is(case.context.word()),
            Some(Key::Page) => is(case.page.word()),
            Some(Key::Api) => is(case.api()),
            Some(Key::To) => case.aliases().iter().any(|a| is(a.word())),
        }
    }
}

/// Whether `text` is `pattern`, in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

/// Nothing was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no case matches `{pattern}`{}", near_words(.near))]
pub struct NothingSelected {
    /// What was asked for.
    pub pattern: String,
    /// The ids nearest to it.
    pub near: Vec<String>,
}

fn near_words(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; the nearest ids are {}", near.join(", ")) }
}

/// The cases that match one of the patterns (all, when there is none) and the filter.
///
/// # Errors
///
/// A pattern that matches nothing, and a selection that comes out empty.
pub fn select<'a>(cases: &'a [Case], patterns: &[String], filter: &Filter) -> Result<Vec<&'a Case>, NothingSelected> {
    let nothing =
        |pattern: &str| NothingSelected { pattern: pattern.to_owned(), near: nearest(pattern, cases.iter().map(|c| c.id.as_str()), 3) };
    let mut wanted = Vec::new();
    for pattern in patterns {
        let means = Pattern::new(pattern, cases);
        if !cases.iter().any(|c| means.matches(c)) {
            return Err(nothing(pattern));
        }
        wanted.push(means);
    }
    let chosen: Vec<_> =
        cases.iter().filter(|c| wanted.is_empty() || wanted.iter().any(|p| p.matches(c))).filter(|c| filter.matches(c)).collect();
    if chosen.is_empty() {
        let shown: Vec<_> = filter.terms.iter().map(|t| t.value.as_str()).chain(patterns.iter().map(String::as_str)).collect();
        return Err(nothing(&shown.join(" ")));
    }
    Ok(chosen)
}

/// What a pattern means among these cases.
enum Pattern<'p> {
    /// The case with this id.
    Id(&'p str),
    /// Cases that a filter chooses.
    Filter(Filter),
    /// It is no filter.
    Nothing,
}

impl<'p> Pattern<'p> {
    fn new(pattern: &'p str, all: &[Case]) -> Self {
        if all.iter().any(|c| c.id.as_str() == pattern) {
            return Self::Id(pattern);
        }
        Filter::parse(pattern).map_or(Self::Nothing, Self::Filter)
    }

    fn matches(&self, case: &Case) -> bool {
        match self {
            Self::Id(id) => case.id.as_str() == *id,
            Self::Filter(filter) => filter.matches(case),
            Self::Nothing => false,
        }
    }
}

/// The candidates most like a word, best first.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>, most: usize) -> Vec<String> {
    let mut scored: Vec<_> = candidates.map(|c| (strsim::normalized_damerau_levenshtein(word, c), c)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(most).map(|(_, c)| c.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_written_as_they_are_read() {
        for source in ["", "area:preflight !level:must xhr", "!family:* with-acao:acao-none", "a*b", "\"two words\" area:x"] {
            let filter = Filter::parse(source).expect("a filter");
            assert_eq!(filter.to_string(), source);
        }
    }

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("a/b", "a/b", true),
            ("a/*", "a/b", true),
            ("*b", "a/b", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("ab*ba", "aba", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn unknown_keys_name_the_known_ones() {
        let error = Filter::parse("are:x").expect_err("no such key");
        assert!(error.contains("area, family, level") && error.contains("with-AXIS"), "{error}");
        assert!(Filter::parse("!").is_err() && Filter::parse("with-:x").is_err() && Filter::parse("\"open").is_err());
    }

    #[test]
    fn generated_cases_are_chosen_by_family_and_value() {
        let families = crate::families::Families::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let id = "family-cors-check/acao-star-include";
        let case = families.find(id).expect("there is such a combination").unwrap_or_else(|nonsense| panic!("{nonsense}"));
        for (filter, expected) in [
            ("family:cors-check", true),
            ("family:*", true),
            ("!family:*", false),
            ("family:redirect", false),
            ("family:redirect family:cors-check", true),
            ("with-acao:acao-star", true),
            ("with-acao:acao-* with-credentials:include", true),
            ("with-acao:acao-star with-credentials:default", false),
            ("with-acao:acao-own with-acao:acao-star", true),
            ("with-no-axis:include", false),
            ("family:cors-check !with-credentials:include", false),
        ] {
            assert_eq!(Filter::parse(filter).expect("it parses").matches(&case), expected, "{filter}");
        }
    }

    #[test]
    fn what_asks_for_a_family() {
        let asks = |filter: &str| Filter::parse(filter).expect("it parses").asks_for_family("redirect");
        for filter in
            ["family:redirect", "family:*", "api:xhr family:red*", "area:family-redirect", "area:family-*", "family-redirect/via-*"]
        {
            assert!(asks(filter), "{filter}");
        }
        for filter in ["", "!family:redirect", "family:redirect-grant", "area:redirect", "area:*", "redirect", "family-redirect-grant/x"] {
            assert!(!asks(filter), "{filter}");
        }
    }
}
