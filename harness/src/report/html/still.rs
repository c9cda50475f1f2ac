//! What a report shows without script: a summary that can be read, printed and searched.

use std::fmt::Write as _;

use crate::{
    event::CaseResult,
    report::{
        count, failure, printable,
        tally::{Kind, Tally},
    },
};

use super::columns::Column;
use crate::report::split::{Part, subject_of};

/// Unexpected results that are shown; the rest is counted.
const MOST: usize = 200;

/// Text as HTML and XML have it.
pub(in crate::report) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// What came of it, in one sentence.
pub(super) fn sentence(columns: &[Column<'_>]) -> String {
    let tally = Tally::of(columns.iter().flat_map(|c| c.results.iter().map(|(_, r)| *r)), false);
    let total = count(tally.total(), "result", "results");
    let all = format!("{total} in {}", count(columns.len(), "column", "columns"));
    match tally.attention() {
        0 if tally.total() == 0 => "No results.".to_owned(),
        0 => format!("As expected: {all}, none unexpected."),
        n => format!("{n} unexpected of {all}: {}.", tally.attention_words()),
    }
}

/// The summary.
pub(super) fn summary(columns: &[Column<'_>]) -> String {
    let mut out = format!("<h1>corscheck</h1>\n<p><strong>{}</strong></p>\n", escape(&sentence(columns)));
    out.push_str("<p>This page shows more with script: every case, the wire, the steps of the standard.</p>\n");
    table(&mut out, columns, &|_| None);
    unexpected(&mut out, columns);
    out
}

/// What leads to the parts of a report.
pub(super) fn index(columns: &[Column<'_>], parts: &[Part]) -> String {
    let mut out = format!("<h1>corscheck</h1>\n<p><strong>{}</strong></p>\n", escape(&sentence(columns)));
    out.push_str("<p>Each name leads to a report of its own, which lies beside this page.</p>\n");
    table(&mut out, columns, &|column| parts.iter().find(|p| p.subject == subject_of(column)).map(|p| p.file.clone()));
    unexpected(&mut out, columns);
    out
}

/// The results of each column in numbers, with where its name leads to.
fn table(out: &mut String, columns: &[Column<'_>], leads: &dyn Fn(&Column<'_>) -> Option<String>) {
    out.push_str("<table>\n<caption>Results by column</caption>\n<tr><th scope=\"col\">column</th>");
    let kinds = [Kind::Agrees].iter().chain(Kind::BESIDE_AGREEMENT);
    for kind in kinds.clone() {
        _ = write!(out, "<th scope=\"col\">{}</th>", kind.words());
    }
    out.push_str("</tr>\n");
    for column in columns {
        let tally = Tally::of(column.results.iter().map(|(_, r)| *r), false);
        let mut name = escape(&column.name());
        if let Some(file) = leads(column) {
            name = format!("<a href=\"{}\">{name}</a>", escape(&file));
        }
        _ = write!(out, "<tr><th scope=\"row\">{name}</th>");
        for &kind in kinds.clone() {
            _ = write!(out, "<td>{}</td>", tally.kind(kind));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table>\n");
}

fn unexpected(out: &mut String, columns: &[Column<'_>]) {
    let all = columns.iter().flat_map(|column| column.results.iter().map(move |(_, result)| (column, *result)));
    let mut wanted: Vec<(&Column<'_>, &CaseResult)> = all.filter(|(_, r)| Kind::of(r).needs_attention()).collect();
    if wanted.is_empty() {
        return;
    }
    wanted.sort_by(|(_, a), (_, b)| (Kind::of(a), &a.case).cmp(&(Kind::of(b), &b.case)));
    out.push_str("<h2>Unexpected</h2>\n<ul>\n");
    for (column, result) in wanted.iter().take(MOST) {
        let words = [Kind::of(result).words(), &result.case, &column.name(), &result.title, &failure::short(result)].map(escape);
        let [kind, case, name, title, short] = words;
        _ = writeln!(out, "<li><strong>{kind}</strong> <code>{case}</code> in {name}<br>{title}<br>{short}</li>");
    }
    out.push_str("</ul>\n");
    if wanted.len() > MOST {
        _ = writeln!(out, "<p>And {} more.</p>", wanted.len() - MOST);
    }
}
