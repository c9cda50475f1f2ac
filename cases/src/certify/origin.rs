//! Who asks: origins by label.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{CertifyError, tags::chooses};
use crate::text::unescape_bytes;

/// Everybody who may ask.
#[derive(Debug, Clone)]
pub struct Askers {
    all: Vec<Asker>,
}

/// An origin with a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// `evil`, `raw:tab`.
    pub label: String,
    /// The bytes of `Origin`; absent where none is sent.
    pub origin: Option<Vec<u8>>,
    /// Whether a page can have it.
    pub is_page: bool,
}

impl Asker {
    /// The origin as text, where it is one.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.origin.as_deref()?).ok()
    }
}

/// The label of the origin of the server itself: its own pages ask.
pub const TARGET: &str = "target";

/// The label of who sends no `Origin`.
pub const NONE: &str = "none";

impl Askers {
    /// These.
    pub fn new(all: Vec<Asker>) -> Self {
        Self { all }
    }

    /// Those whom a list of globs chooses; `none` and `target` are named by themselves.
    pub fn chosen(&self, globs: &[String], target: &str) -> Vec<Asker> {
        let besides = [
            Asker { label: NONE.to_owned(), origin: None, is_page: false },
            Asker { label: TARGET.to_owned(), origin: Some(target.as_bytes().to_vec()), is_page: false },
        ];
        let named = besides.into_iter().filter(|a| globs.contains(&a.label));
        self.all
            .iter()
            .filter(|a| chooses(globs, &a.label) && (a.is_page || globs.iter().any(|g| g.starts_with("raw:"))))
            .cloned()
            .chain(named)
            .collect()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Asker> {
        self.all.iter()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    origins: BTreeMap<String, String>,
    raw: BTreeMap<String, String>,
}

/// Parses a file of origins.
pub(super) fn parse(file: &'static str, text: &str) -> Result<Askers, CertifyError> {
    let parsed: File = toml::from_str(text).map_err(|e| CertifyError::Parse { file, error: e.to_string() })?;
    let mut all: Vec<Asker> =
        parsed.origins.into_iter().map(|(label, origin)| Asker { label, origin: Some(origin.into_bytes()), is_page: true }).collect();
    for (label, value) in parsed.raw {
        let origin = unescape_bytes(&value).map_err(|words| CertifyError::Wrong { file, words: format!("{label}: {words}") })?;
        all.push(Asker { label: format!("raw:{label}"), origin: Some(origin), is_page: false });
    }
    Ok(Askers { all })
}
