//! The catalogue: all cases, parsed and checked.

use std::{collections::HashMap, sync::Arc};

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
                    Ok(made) => {
                        let source: Arc<str> = table_at(text, entry.id.span().start).into();
                        cases.extend(made.into_iter().map(|case| Case { source: Some(Arc::clone(&source)), ..case }));
                    }
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

/// The table `[[case]]` around a place in a file, without the comments behind it.
fn table_at(text: &str, at: usize) -> &str {
    const HEAD: &str = "[[case]]";
    let start = text[..at].rfind(HEAD).unwrap_or(at);
    let behind = start + HEAD.len().min(text.len() - start);
    let end = text[behind..].find(&format!("\n{HEAD}")).map_or(text.len(), |end| behind + end);
    let table = text[start..end].trim_end();
    // What is said before the next case belongs to that one.
    let comment = |line: &str| line.trim_start().starts_with('#') || line.trim().is_empty();
    let mut end = table.len();
    for line in table.lines().rev().take_while(|line| comment(line)) {
        end = end.saturating_sub(line.len() + 1);
    }
    table[..end].trim_end()
}

/// The files of families that are part of the program, as pairs of name and text.
pub(crate) fn embedded_families() -> &'static [(&'static str, &'static str)] {
    embedded::FAMILIES
}

/// The files of known deviations that are part of the program, as pairs of name and text.
pub(crate) fn embedded_known() -> &'static [(&'static str, &'static str)] {
    embedded::KNOWN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_keeps_its_own_text() {
        let catalogue = Catalogue::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        for case in catalogue.cases() {
            let source = case.source.as_ref().expect("every case of a file has a text");
            assert!(source.starts_with("[[case]]") && source.matches("[[case]]").count() == 1, "{}: {source}", case.id);
            assert!(source.ends_with(['}', ']', '"']) && source.contains("expect"), "{}: {source}", case.id);
        }
        let allowed = catalogue.find("media/video-allowed.xhr").or(catalogue.find("media/video-allowed")).expect("it is there");
        assert!(allowed.source.as_ref().is_some_and(|s| s.contains("\nid = \"media/video-allowed\"\n")));
    }
}
