//! Known deviations of engines: what fails, how, since when and where it is discussed.
//!
//! An entry pins the verdict and the reason. A case that agrees or fails in another way makes the entry stale,
//! and that fails the run.
//!
//! Generated cases are too many to be named one by one: an entry with a `filter` covers all that the filter chooses and that fail
//! as it says. Those of them that agree prove nothing against it; it is stale when a run of the whole family has none that fails so.

use serde::Deserialize;

use crate::{
    case::Case,
    catalogue::{Catalogue, embedded_known},
    diagnostic::{Diagnostic, Diagnostics},
    families::Families,
    select::Filter,
    words::Reason,
};

/// One known deviation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Known {
    /// The cases it covers: ids, with the axes of variants.
    #[serde(default)]
    pub cases: Vec<String>,
    /// Instead of `cases`: the generated cases it covers, by the filter grammar; `family:` stands in it.
    pub filter: Option<Filter>,
    /// The verdict that is known: `too-open`, `too-strict` or `wrong-wire`.
    pub verdict: KnownVerdict,
    /// The reason of the case that the engine gets wrong; absent where the case expects an allowed read.
    pub reason: Option<Reason>,
    /// Where reality and expectation part, as the judge words it (`page.outcome`, `wire.extra`, `wire.field:Origin` …).
    pub point: String,
    /// The versions it was seen with.
    pub versions: Vec<String>,
    /// The engine's bug or the standard's discussion.
    pub link: String,
    /// No report of it is known: `link` is the step of the standard instead.
    #[serde(default)]
    pub unreported: bool,
    /// What it means for developers, in one sentence.
    pub consequence: String,
}

impl Known {
    /// Whether the case is one that it covers by id.
    pub fn names(&self, case: &Case) -> bool {
        self.cases.iter().any(|id| id == case.id.as_str())
    }

    /// Whether the case is one that it covers by its filter, and expects the reason that the engine gets wrong.
    pub fn chooses(&self, case: &Case) -> bool {
        let expects =
            |reason: &Reason| case.steps.iter().any(|s| std::iter::once(&s.expect).chain(&s.or).any(|e| e.reasons.contains(reason)));
        case.generated.is_some() && self.filter.as_ref().is_some_and(|f| f.matches(case)) && self.reason.as_ref().is_none_or(expects)
    }

    /// Whether a verdict with this decisive difference is the one that is known.
    pub fn is(&self, verdict: &str, point: Option<&str>) -> bool {
        verdict == self.verdict.word() && point == Some(self.point.as_str())
    }
}

/// A verdict that a deviation can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownVerdict {
    /// Read although it must be blocked.
    TooOpen,
    /// Blocked although it must be read.
    TooStrict,
    /// The right outcome by wrong exchanges.
    WrongWire,
}

impl KnownVerdict {
    /// The word used in files, on terminals and in reports.
    pub fn word(self) -> &'static str {
        match self {
            KnownVerdict::TooOpen => "too-open",
            KnownVerdict::TooStrict => "too-strict",
            KnownVerdict::WrongWire => "wrong-wire",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<toml::Spanned<Known>>,
}

/// The known deviations that are part of the program, by engine (`chromium`, `firefox`, `webkit`).
///
/// # Errors
///
/// Entries that are no TOML of this form or name a case or family that there is not.
pub fn embedded(engine: &str, catalogue: &Catalogue, families: &Families) -> Result<Vec<Known>, Diagnostics> {
    let wanted = format!("cases/known/{engine}.toml");
    match embedded_known().iter().find(|(name, _)| *name == wanted) {
        Some((name, text)) => parse(name, text, catalogue, families),
        None => Ok(Vec::new()),
    }
}

/// Parses one file of known deviations.
///
/// # Errors
///
/// Entries that are no TOML of this form, that cover no case, name a case or family that there is not, or lack a link.
pub fn parse(name: &str, text: &str, catalogue: &Catalogue, families: &Families) -> Result<Vec<Known>, Diagnostics> {
    let file: File =
        toml::from_str(text).map_err(|e| Diagnostics(vec![Diagnostic::new(name, text, &e.span().unwrap_or(0..0), e.message())]))?;
    let mut mistakes = Vec::new();
    let mut out: Vec<Known> = Vec::new();
    for entry in file.known {
        let span = entry.span();
        let known = entry.into_inner();
        let mut complain = |message: String| mistakes.push(Diagnostic::new(name, text, &span, &message));
        if (known.cases.is_empty() && known.filter.is_none()) || known.versions.is_empty() {
            complain("a known deviation names at least one case and one version".to_owned());
        }
        if let Some(filter) = &known.filter {
            if !known.cases.is_empty() {
                complain("a known deviation has either `cases` or a `filter`".to_owned());
            }
            if !families.all().iter().any(|f| filter.asks_for_family(f.name())) {
                let all: Vec<_> = families.all().iter().map(|f| f.name()).collect();
                complain(format!("`filter` chooses cases of a family by `family:NAME`; there are {}", all.join(", ")));
            }
        }
        if !known.link.starts_with("https://") {
            complain(format!("`link = \"{}\"` is no address of a bug or discussion", known.link));
        }
        for id in &known.cases {
            let generated = families.find(id).and_then(Result::ok);
            let case = catalogue.find(id).or(generated.as_ref());
            let mut expected = case.iter().flat_map(|c| &c.steps).flat_map(|s| &s.expect.reasons).peekable();
            if let Some(reason) = known.reason
                && expected.peek().is_some()
                && expected.all(|r| *r != reason)
            {
                complain(format!("`{id}` does not expect the reason `{reason}`"));
            }
            if case.is_none() {
                let near = crate::select::nearest(id, catalogue.cases().iter().map(|c| c.id.as_str()), 3);
                complain(format!("no case has the id `{id}`; the nearest are {}", near.join(", ")));
            }
            if out.iter().any(|k| k.cases.contains(id)) || known.cases.iter().filter(|other| *other == id).count() > 1 {
                complain(format!("`{id}` is named twice"));
            }
        }
        out.push(known);
    }
    if mistakes.is_empty() { Ok(out) } else { Err(Diagnostics(mistakes)) }
}
