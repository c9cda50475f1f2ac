//! The catalogue: all cases, parsed and checked.

use std::collections::HashMap;

use crate::{
    case::{self, Case},
    diagnostic::{Diagnostic, Diagnostics, position},
    format::File,
};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// All cases of a run to choose from, in the order of files and lines.
#[derive(Debug, Clone)]
pub struct Catalogue {
    cases: Vec<Case>,
}

impl Catalogue {
    /// The catalogue that is part of the program.
    pub fn embedded() -> Result<Self, Diagnostics> {
        Self::parse(embedded::CATALOGUE.iter().copied())
    }

    /// Parses files, given as pairs of name and text; reports every mistake it finds, not the first alone.
    pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Diagnostics> {
        let mut cases: Vec<Case> = Vec::new();
        let mut seen: HashMap<String, (String, usize)> = HashMap::new();
        let mut mistakes = Vec::new();
        for (name, text) in files {
            let file: File = match toml::from_str(text) {
                Ok(file) => file,
                Err(error) => {
                    mistakes.push(Diagnostic::new(name, text, &error.span().unwrap_or(0..0), error.message()));
                    continue;
                }
            };
            for entry in &file.cases {
                let (line, _) = position(text, entry.id.span().start);
                let id = entry.id.get_ref().as_str();
                if let Some((other, at)) = seen.get(id) {
                    let message = format!("the id `{id}` is taken: {other}:{at} has it");
                    mistakes.push(Diagnostic::new(name, text, &entry.id.span(), &message));
                    continue;
                }
                seen.insert(id.to_owned(), (name.to_owned(), line));
                match case::from_entry(entry, name, line) {
                    Ok(made) => cases.extend(made),
                    Err(mistake) => mistakes.push(Diagnostic::new(name, text, &mistake.span, &mistake.message)),
                }
            }
        }
        if mistakes.is_empty() { Ok(Self { cases }) } else { Err(Diagnostics(mistakes)) }
    }

    /// The same with further cases behind: generated ones.
    pub fn with(mut self, cases: impl IntoIterator<Item = Case>) -> Self {
        self.cases.extend(cases);
        self
    }

    /// The cases, variants included.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// The case with this id.
    pub fn find(&self, id: &str) -> Option<&Case> {
        self.cases.iter().find(|c| c.id.as_str() == id)
    }
}

/// The files of families that are part of the program, as pairs of name and text.
pub(crate) fn embedded_families() -> &'static [(&'static str, &'static str)] {
    embedded::FAMILIES
}

/// The files of known deviations that are part of the program, as pairs of name and text.
pub(crate) fn embedded_known() -> &'static [(&'static str, &'static str)] {
    embedded::KNOWN
}
