//! The reporters: what is shown and written of a run.
//!
//! Each is made from the events of [`crate::event`] or from the results they leave behind, and does nothing else:
//!
//! - [`jsonl`] writes and reads `results.jsonl`, from which everything else can be made again;
//! - [`terminal`] shows the run as it goes;
//! - [`failure`] tells one result in full;
//! - [`junit`] and [`summary`] render results for CI servers and pull requests;
//! - [`html`] makes the page that answers everything else;
//! - [`compare`] tells what changed between two runs;
//! - [`wptreport`] and [`badge`] are for the tools of others.

pub mod badge;
pub mod compare;
pub mod failure;
pub mod html;
pub mod jsonl;
pub mod junit;
pub mod redact;
pub mod split;
pub mod summary;
pub mod terminal;
pub mod wptreport;

mod annotations;
mod bars;
mod evidence;
#[cfg(test)]
mod fixtures;
mod style;
pub(crate) mod tally;

use std::{borrow::Cow, collections::HashMap, fmt::Write as _};

pub(crate) use evidence::{answer_lines, page_end as page_words};
pub use failure::CaseWords;
pub(crate) use failure::wrap;
use html::still::escape as still_escape;
pub(crate) use style::Paint;
pub use style::{ColorChoice, Environment};

/// What the catalogue says about cases, by id with axes.
pub type Words = HashMap<String, CaseWords>;

/// Text in which nothing can steer a terminal, end a line or be lost in XML: such characters are shown escaped.
///
/// Bidirectional controls are among them, since they make a line read as something it is not.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if harmful(c) && u32::from(c) < 0x100 => _ = write!(out, "\\x{:02X}", u32::from(c)),
            c if harmful(c) => _ = write!(out, "\\u{{{:X}}}", u32::from(c)),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A length of time for people.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

/// A number with its noun.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_a_terminal() {
        assert_eq!(printable("plain é → text"), "plain é → text");
        assert_eq!(printable("a\x1b[31mb\r\n\t\u{9b}\u{202e}\u{ffff}"), r"a\x1B[31mb\r\n\t\x9B\u{202E}\u{FFFF}");
    }

    #[test]
    fn durations_are_for_people() {
        assert_eq!(duration(0), "0.0 s");
        assert_eq!(duration(59_999), "59.9 s");
        assert_eq!(duration(61_000), "1 min 1 s");
    }
}
