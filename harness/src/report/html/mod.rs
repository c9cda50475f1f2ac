//! `report.html`: every result of some runs in one file that opens anywhere and asks nobody for anything.
//!
//! The file holds a summary in plain HTML, a style sheet, a script, and blocks of data, gzipped and in base64: `index` (cases,
//! columns, one letter for each cell), `detail` (what the catalogue says of the cases, with the oracle's paths), and for each
//! column `traces-N` (every attempt with its wire). The script inflates `index` at once and the others when they are wanted. All
//! data is text to it, and a policy by hash lets nothing else run.

pub(super) mod columns;
mod index;
mod library;
pub(super) mod still;
mod strings;
mod traces;

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use columns::Run;
pub use library::Library;

use super::split::Part;
use columns::columns;
use traces::Keep;

/// The style sheet.
pub(crate) const STYLE: &str = include_str!("../../../report/style.css");

/// The script, in the order in which its parts need each other.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("../../../report/words.js"),
    include_str!("../../../report/dom.js"),
    include_str!("../../../report/data.js"),
    include_str!("../../../report/filter.js"),
    include_str!("../../../report/route.js"),
    include_str!("../../../report/overview.js"),
    include_str!("../../../report/matrix.js"),
    include_str!("../../../report/cell.js"),
    include_str!("../../../report/spec.js"),
    include_str!("../../../report/about.js"),
    include_str!("../../../report/main.js"),
    "})();\n",
);

/// The most bytes of a file for each result, once it is beyond [`FREE`]: what is above is left out, what agrees first.
const MOST_PER_RESULT: usize = 300;

/// Files up to this size lose nothing.
const FREE: usize = 3_000_000;

/// What a report is made of.
#[derive(Debug)]
pub struct Input<'r> {
    /// The runs that it shows, merged.
    pub runs: Vec<Run<'r>>,
    /// The runs that they are compared with; none for no comparison.
    pub base: Vec<Run<'r>>,
    /// Where the cases are found.
    pub library: &'r Library,
    /// Whether flaky results and mismatches of level `should` count as failures.
    pub strict: bool,
}

/// The report as HTML.
pub fn page(input: &Input<'_>) -> String {
    let (columns, base) = (columns(&input.runs), columns(&input.base));
    let made = index::index(input, &columns, &base);
    let results: usize = columns.iter().map(|c| c.results.len()).sum();
    let most = FREE.max(results * MOST_PER_RESULT);
    let mut out = String::new();
    for keep in Keep::ALL {
        let traces: Vec<String> = columns
            .iter()
            .map(|column| {
                let numbered = column.results.iter().map(|(_, result)| (made.numbers[&*result.case], *result));
                block(&traces::block(numbered, keep))
            })
            .collect();
        let mut index = made.index.clone();
        index["dropped"] = keep.words().into();
        out = assemble(&still::summary(&columns), &still::sentence(&columns), &block(&index), &block(&made.detail), &traces);
        if out.len() <= most {
            break;
        }
    }
    out
}

/// The page that leads to the parts of a report.
pub fn index_of(runs: &[Run<'_>], parts: &[Part]) -> String {
    let columns = columns(runs);
    let policy = format!("default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'", hash(STYLE));
    let mut out = head(&policy, &still::sentence(&columns));
    out.push_str(&format!("<div id=\"app\">\n<main id=\"still\">\n{}</main>\n</div>\n</body>\n</html>\n", still::index(&columns, parts)));
    out
}

/// A page up to its body.
fn head(policy: &str, title: &str) -> String {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n"));
    out.push_str(
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n",
    );
    out.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
    out.push_str(&format!("<title>corscheck: {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n", still::escape(title)));
    out
}

fn assemble(summary: &str, title: &str, index: &str, detail: &str, traces: &[String]) -> String {
    let policy =
        format!("default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'", hash(SCRIPT), hash(STYLE));
    let mut out = head(&policy, title);
    out.reserve(index.len() + detail.len() + traces.iter().map(String::len).sum::<usize>() + 100_000);
    out.push_str(&format!("<div id=\"app\">\n<main id=\"still\">\n{summary}</main>\n</div>\n"));
    let mut data = |id: &str, content: &str| {
        out.push_str(&format!("<script type=\"application/octet-stream\" id=\"{id}\">{content}</script>\n"));
    };
    data("index", index);
    data("detail", detail);
    traces.iter().enumerate().for_each(|(i, traces)| data(&format!("traces-{i}"), traces));
    out.push_str(&format!("<script>{SCRIPT}</script>\n</body>\n</html>\n"));
    out
}

/// A value as gzipped JSON in base64.
fn block(value: &Value) -> String {
    // In one piece: each write costs the compressor a buffer.
    let json = serde_json::to_vec(value).expect("a JSON value can be written");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&json).expect("memory takes everything");
    STANDARD.encode(gzip.finish().expect("memory takes everything"))
}

/// The source expression of Content Security Policy for an inline element with this content.
pub(crate) fn hash(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content.as_bytes())))
}
