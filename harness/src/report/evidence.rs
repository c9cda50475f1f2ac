//! The three witnesses in lines of text: the page, the wire, the browser's own words.
//!
//! No line holds a character that could steer a terminal.

use std::fmt::Write as _;

use corscheck_cases::{
    script::{Answer, Field, Message, Then},
    text::escape,
};
use corscheck_servers::{Exchange, Fate, RecordedAnswer};

use crate::observation::{Exception, PageEnd, PageResponse, Word};

use super::{count, duration, printable};

/// How a step ended for the page.
pub(crate) fn page_end(end: &PageEnd) -> String {
    let outcome = end.outcome().map_or("no answer", |o| o.word());
    match end {
        PageEnd::Response(response) => {
            let mut out = format!("{outcome}: {}", response.status);
            if !response.status_text.is_empty() {
                _ = write!(out, " {}", response.status_text);
            }
            if let Some(r#type) = &response.r#type {
                _ = write!(out, ", type {type}");
            }
            if response.redirected == Some(true) {
                out.push_str(", redirected");
            }
            _ = write!(out, ", {} of body", count(usize::try_from(response.body_length).unwrap_or(usize::MAX), "byte", "bytes"));
            printable(&out).into_owned()
        }
        PageEnd::Loaded { readable: true } => format!("{outcome}: it has it, and may look into it"),
        PageEnd::Loaded { readable: false } => format!("{outcome}: it has it, and may not look into it"),
        PageEnd::NetworkError(e) | PageEnd::Refused(e) | PageEnd::Aborted(e) => {
            format!("{outcome}: {}", printable(&exception(e)))
        }
        PageEnd::Unsupported(words) => format!("not supported: {}", printable(words)),
        PageEnd::AgentFault(words) => format!("the agent failed: {}", printable(words)),
        // Of the agent's making and never negative; the cast saturates.
        PageEnd::NoAnswer { after_ms } => format!("{outcome} within {}", duration(*after_ms as u64)),
    }
}

/// The headers as the page sees them, and what else is worth a line.
pub(crate) fn response_lines(response: &PageResponse) -> Vec<String> {
    let mut lines = Vec::new();
    let mut header = |name: &str, value: &str| lines.push(format!("  {}", printable(&format!("{name}: {value}"))));
    for (name, value) in &response.headers {
        header(name, value);
    }
    for (name, value) in &response.probed {
        // What iteration gives with the same value needs no second line; where the two ways differ, that may be the failure.
        if !response.headers.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && Some(v) == value.as_ref()) {
            header(&format!("{name} (asked for)"), value.as_deref().unwrap_or("null"));
        }
    }
    if let Some(error) = &response.body_error {
        header("reading the body", &exception(error));
    }
    lines
}

/// A request and its answer, as far as they decide.
pub(crate) fn exchange_lines(exchange: &Exchange) -> Vec<String> {
    let (request, answer) = (&exchange.request, &exchange.answer);
    let query = request.query().map(|q| format!("?{q}")).unwrap_or_default();
    let head = format!("{} {}  /{}{query}", request.method, exchange.at, request.path());
    let mut lines = vec![printable(&head).into_owned()];
    let deciding = request.fields.iter().filter(|(name, _)| decides_request(name));
    lines.extend(deciding.map(|(name, value)| format!("    {name}: {value}").trim_end().to_owned()));
    lines.push(format!("  <- {}", printable(&answer_status(answer))));
    lines.extend(deciding_lines(&answer.head).into_iter().map(|line| format!("    {line}")));
    lines
}

/// A sentence of the browser, what it means to its engine and to us.
pub(crate) fn word_line(word: &Word) -> String {
    let category = word.category.as_ref().map(|c| format!(" [{c}]")).unwrap_or_default();
    let reason = word.reason.map(|r| format!(" -> {r}")).unwrap_or_default();
    printable(&format!("\"{}\"{category}{reason}", word.text.trim())).into_owned()
}

fn exception(e: &Exception) -> String {
    if e.message.is_empty() { e.name.clone() } else { format!("{}: {}", e.name, e.message) }
}

fn decides_request(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(b"access-control-") || [&b"origin"[..], b"cookie", b"authorization", b"content-type"].contains(&&name[..])
}

fn answer_status(answer: &RecordedAnswer) -> String {
    let status = answer.status.map_or_else(|| "no status".to_owned(), |s| s.to_string());
    match &answer.fate {
        Fate::Sent => status,
        Fate::Pending => format!("{status}, not sent to its end"),
        Fate::Cut => format!("{status}, cut short as scripted"),
        Fate::Failed { error } => format!("{status}, could not be sent: {error}"),
        Fate::Unscripted => format!("{status}, nothing is scripted for this request"),
    }
}

/// The lines of an answer's head that decide, as they were sent; a folded line belongs to the one before it.
fn deciding_lines(head: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    let mut last_decides = false;
    for line in head.split(|&b| b == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        if !folded {
            let name = line.split(|&b| b == b':').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
            last_decides = name.starts_with(b"access-control-") || [&b"location"[..], b"set-cookie"].contains(&&name[..]);
        }
        if last_decides {
            out.push(escape(line));
        }
    }
    out
}

/// A scripted answer, part by part.
pub(crate) fn answer_lines(answer: &Answer<Vec<u8>>) -> Vec<String> {
    let mut parts = Vec::new();
    if answer.delay_ms > 0 {
        parts.push(format!("after {} ms", answer.delay_ms));
    }
    match &answer.message {
        Message::Http(http) => {
            parts.extend(http.interim.iter().map(|i| format!("{} first", i.status)));
            parts.push(http.status.to_string());
            parts.extend(http.fields.iter().map(|f| match f {
                Field::Pair(name, value) => format!("{}: {}", escape(name), escape(value)),
                Field::Line(line) => format!("raw line `{}`", escape(line)),
            }));
            if let Some(cut) = http.cut {
                parts.push(format!("body cut after {cut} bytes"));
            }
        }
        Message::Raw(chunks) => parts.push(format!("raw `{}`", chunks.iter().map(|c| escape(c)).collect::<String>())),
        Message::Nothing => parts.push("no answer".to_owned()),
    }
    if answer.then != Then::Keep {
        parts.push(format!("then {}", format!("{:?}", answer.then).to_lowercase()));
    }
    parts
}
