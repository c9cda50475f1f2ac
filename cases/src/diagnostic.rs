//! Errors in catalogue files: file, line, column, the offending text and what is allowed.

use std::{fmt, ops::Range};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One mistake in one file.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The file, as it was named to the parser.
    pub file: String,
    /// Line of the offending text, from 1.
    pub line: usize,
    /// Column of the offending text in characters, from 1.
    pub column: usize,
    /// What is wrong and what is allowed.
    pub message: String,
    rendered: String,
}

impl Diagnostic {
    /// A mistake at a byte range of a source.
    pub fn new(file: &str, source: &str, span: &Range<usize>, message: &str) -> Self {
        let start = span.start.min(source.len());
        let end = span.end.clamp(start, source.len());
        // A table's span covers all of it; its first line is enough to find it.
        let end = source[start..end].find('\n').map_or(end, |n| start + n);
        let (line, column) = position(source, start);
        let report = &[Level::ERROR
            .primary_title(message)
            .element(Snippet::source(source).path(file).annotation(AnnotationKind::Primary.span(start..end)))];
        let rendered = Renderer::plain().render(report);
        Self { file: file.to_owned(), line, column, message: message.to_owned(), rendered }
    }
}

/// Line and column of a byte offset, both from 1.
pub(crate) fn position(source: &str, offset: usize) -> (usize, usize) {
    let before = &source[..offset.min(source.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered)
    }
}

/// Every mistake found in a catalogue.
#[derive(Debug, Clone)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.0 {
            writeln!(f, "{diagnostic}\n")?;
        }
        write!(f, "{} mistake{} in the catalogue", self.0.len(), if self.0.len() == 1 { "" } else { "s" })
    }
}

impl std::error::Error for Diagnostics {}
