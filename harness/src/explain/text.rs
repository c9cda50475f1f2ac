//! The explanation for people: several blocks of lines, none of which can steer a terminal.

use std::fmt::Write as _;

use corscheck_cases::{
    bind::ApiWord,
    format::{Credentials, Mode, RedirectMode},
    oracle::headers::HeaderList,
    text::escape,
};
use corscheck_servers::HttpVersion;
use url::Position;

use super::{
    Explanation, Source,
    diagnosis::{Diagnosis, Rank},
    fix::{Edit, Fix, Proof},
    probe,
    symptoms::FaultWords,
    wire::{Exchange, Response, Socket},
};
use crate::report::{Paint, count, printable, wrap};

/// Where prose is broken; data never is, so that it can be copied.
const PROSE: usize = 100;

/// How much of a body is shown.
const SHOWN_BODY: usize = 160;

/// The explanation in full, the last line ended.
pub fn text(explanation: &Explanation, color: bool) -> String {
    let mut sheet = Sheet { out: String::new(), paint: Paint(color) };
    sheet.head(explanation);
    sheet.path(explanation);
    sheet.wire(explanation);
    sheet.probes(explanation);
    sheet.diagnoses(explanation, Rank::Cause);
    sheet.fix(explanation);
    sheet.diagnoses(explanation, Rank::Warning);
    sheet.diagnoses(explanation, Rank::Note);
    sheet.consoles(explanation);
    sheet.browser(explanation);
    sheet.out
}

struct Sheet {
    out: String,
    paint: Paint,
}

impl Sheet {
    fn line(&mut self, indent: usize, text: &str) {
        let text = text.trim_end();
        let indent = if text.is_empty() { 0 } else { indent };
        _ = writeln!(self.out, "{:indent$}{text}", "");
    }

    fn prose(&mut self, indent: usize, text: &str) {
        for line in wrap(text, PROSE) {
            self.line(indent, &line);
        }
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        let text = self.paint.bold(text);
        self.line(0, &text);
    }

    /// A label with prose behind it.
    fn labelled(&mut self, label: &str, text: &str) {
        const LABEL: usize = 8;
        for (i, line) in wrap(text, PROSE).iter().enumerate() {
            let label = self.paint.dim(&format!("{:LABEL$}", if i == 0 { label } else { "" }));
            self.line(2, &format!("{label} {line}"));
        }
    }

    fn head(&mut self, explanation: &Explanation) {
        let verdict = &explanation.verdict;
        let reason = verdict.reason.map(|r| format!("  {r}")).unwrap_or_default();
        let word = self.paint.bold(&verdict.word.word().to_uppercase());
        self.line(0, &format!("{word}{reason}"));
        self.prose(2, &verdict.sentence);
        if let Some(effect) = &verdict.effect {
            self.prose(2, effect);
        }
        self.prose(2, &asked(explanation));
        for remark in &explanation.evidence.question.remarks {
            self.prose(2, remark);
        }
        if let Source::File(name) = &explanation.source {
            self.prose(2, &format!("The answers are those that {name} describes; nothing was sent."));
        }
        for exchange in explanation.evidence.run.exchanges.iter().filter(|x| x.is_assumed()) {
            self.prose(2, &format!("The answer to {} is not described: it is taken to grant everything.", exchange.title()));
        }
    }

    fn path(&mut self, explanation: &Explanation) {
        self.heading("path");
        for (i, step) in explanation.evidence.run.path.iter().enumerate() {
            let mark = if step.decides { "=>" } else { "  " };
            let place = self.paint.dim(&format!("{}, step {}:", step.algorithm, step.step));
            self.line(0, &format!("{mark}{:>3} {place} {}", i + 1, printable(&step.says)));
            if let Some(compared) = &step.compared {
                self.line(8, &format!("wanted {}", printable(&compared.wanted)));
                self.line(8, &format!("found  {}", printable(&compared.found)));
            }
        }
    }

    fn wire(&mut self, explanation: &Explanation) {
        self.heading("wire");
        let exchanges = &explanation.evidence.run.exchanges;
        if exchanges.is_empty() {
            self.line(2, "nothing: no request leaves the browser");
        }
        for (i, exchange) in exchanges.iter().enumerate() {
            let what = if exchange.is_preflight { "preflight" } else { "request" };
            let title = format!("{}. {what}{}", i + 1, exchange.socket.as_deref().map(peer).unwrap_or_default());
            let title = self.paint.dim(&title);
            self.line(2, &title);
            for line in sent(exchange) {
                self.line(5, &format!("> {line}"));
            }
            if exchange.sent_bytes > 0 {
                self.line(5, &format!("> ({} of body)", count(exchange.sent_bytes, "byte", "bytes")));
            }
            for line in received(exchange) {
                self.line(5, &format!("< {line}"));
            }
        }
    }

    fn probes(&mut self, explanation: &Explanation) {
        let probes = &explanation.evidence.probes;
        if probes.is_empty() {
            return;
        }
        self.heading("probes");
        let words = count(probes.len(), "harmless request was", "harmless requests were");
        self.prose(2, &format!("{words} sent besides, to tell causes apart (--no-probe sends none):"));
        for made in probes {
            let (asked, answered, told) = probe::told(&explanation.evidence, made);
            self.line(2, &format!("{}: {}", printable(&asked), printable(&answered)));
            self.line(6, &printable(&told));
        }
    }

    fn diagnoses(&mut self, explanation: &Explanation, rank: Rank) {
        let ranked = explanation.diagnoses.iter().filter(|d| d.rank == rank);
        for (i, diagnosis) in ranked.enumerate() {
            let heading = match rank {
                Rank::Cause if i == 0 => "likely cause",
                Rank::Cause => "also",
                Rank::Warning => "warning",
                Rank::Note => "note",
            };
            self.heading(&format!("{heading}  [{}]", diagnosis.id));
            self.diagnosis(diagnosis);
        }
        if rank == Rank::Cause && is_unexplained(explanation) {
            self.heading("likely cause");
            self.prose(2, "Not one that is known here: the path says which step refuses, and the wire what it saw.");
        }
    }

    fn diagnosis(&mut self, diagnosis: &Diagnosis) {
        self.prose(2, &diagnosis.cause);
        self.labelled("told by", &diagnosis.told);
        self.labelled("remedy", &diagnosis.remedy);
    }

    fn fix(&mut self, explanation: &Explanation) {
        let Some(Fix { edits, proof }) = &explanation.fix else { return };
        self.heading("fix");
        for edit in edits {
            self.edit(edit);
        }
        let words = match proof {
            Proof::Allowed => "Tried: with these changes the request is allowed.",
            Proof::AskAgain => "Not tried: what that URL answers is not known yet. Ask again with it.",
            Proof::None => "No header mends it: the cause above says what does.",
        };
        self.prose(2, words);
    }

    fn edit(&mut self, edit: &Edit) {
        let unseen = if edit.seen { "" } else { " (not seen yet; it must have)" };
        let title = self.paint.dim(&format!("{}{unseen}", printable(&edit.to)));
        self.line(2, &title);
        for line in &edit.removed {
            self.line(4, &format!("- {}", printable(line)));
        }
        for line in &edit.added {
            let line = self.paint.bold(&format!("+ {}", printable(line)));
            self.line(4, &line);
        }
    }

    fn consoles(&mut self, explanation: &Explanation) {
        let consoles = &explanation.consoles;
        if consoles.chrome.is_empty() && consoles.firefox.is_empty() {
            return;
        }
        self.heading("consoles");
        if let Some(note) = consoles.note {
            self.prose(2, note);
        }
        if !consoles.chrome.is_empty() {
            self.line(2, "Chrome");
        }
        for line in &consoles.chrome {
            self.line(4, &printable(line));
        }
        if !consoles.firefox.is_empty() {
            self.line(2, "Firefox");
        }
        for line in &consoles.firefox {
            let category = line.category.map(|c| format!(" [{c}]")).unwrap_or_default();
            self.line(4, &printable(&format!("{}{category}", line.text)));
            if let Some(link) = &line.link {
                self.line(4, link);
            }
        }
    }
}

impl Sheet {
    fn browser(&mut self, explanation: &Explanation) {
        let confirmed = match &explanation.confirmation {
            None => return,
            Some(Err(words)) => {
                self.heading("browser");
                self.prose(2, &format!("Not confirmed. {words}"));
                return;
            }
            Some(Ok(confirmed)) => confirmed,
        };
        self.heading("browser");
        let agrees = if confirmed.agrees { "agrees" } else { "DISAGREES" };
        let outcome = confirmed.outcome.map_or("no answer from the page", |o| o.word());
        let reason = confirmed.reason.map_or_else(|| "it names no reason".to_owned(), |r| format!("it names {r}"));
        self.prose(2, &format!("{} {} {agrees}: {outcome}, and {reason}.", confirmed.browser, confirmed.version));
        self.prose(
            2,
            "The recorded answers were replayed to it by servers of this program, to a page of its own origin: where an answer names the \
             page's origin, the replay named that one. Cookies, TLS and addresses of the real servers had no part in it.",
        );
        for line in &confirmed.differences {
            self.line(4, &printable(line));
        }
        for line in &confirmed.words {
            self.line(4, &printable(&format!("\"{line}\"")));
        }
    }
}

/// Whether something is amiss that no symptom explains.
fn is_unexplained(explanation: &Explanation) -> bool {
    explanation.verdict.word.exit() != crate::exit::Exit::AsExpected && explanation.diagnoses.iter().all(|d| d.rank != Rank::Cause)
}

/// What the script calls, in a line.
fn asked(explanation: &Explanation) -> String {
    let action = &explanation.evidence.question.call.action;
    let mut parts = Vec::new();
    match action.api {
        ApiWord::Fetch => {
            parts.push("fetch()".to_owned());
            let mode = match explanation.evidence.question.mode() {
                Mode::Cors => "cors",
                Mode::NoCors => "no-cors",
                Mode::SameOrigin => "same-origin",
                Mode::Navigate => "navigate",
                Mode::Websocket => "websocket",
            };
            parts.push(format!("mode {mode}"));
            let credentials = match action.credentials {
                Some(Credentials::Include) => "include",
                Some(Credentials::Omit) => "omit",
                Some(Credentials::SameOrigin) | None => "same-origin",
            };
            parts.push(format!("credentials {credentials}"));
        }
        _ => {
            parts.push("XMLHttpRequest".to_owned());
            if explanation.evidence.question.includes_credentials() {
                parts.push("withCredentials".to_owned());
            }
            if action.upload_listener.is_some() {
                parts.push("listeners on upload".to_owned());
            }
        }
    }
    match action.redirect {
        Some(RedirectMode::Error) => parts.push("redirect error".to_owned()),
        Some(RedirectMode::Manual) => parts.push("redirect manual".to_owned()),
        Some(RedirectMode::Follow) | None => {}
    }
    parts.extend(action.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    format!("Asked by {}.", parts.join(", "))
}

fn peer(socket: &Socket) -> String {
    let Some((address, version)) = socket.server else { return String::new() };
    let version = match version {
        HttpVersion::Http1 => "HTTP/1.1",
        HttpVersion::Http2 => "HTTP/2",
    };
    format!(", to {address} by {version}")
}

/// The lines of a head as they crossed the wire.
fn raw_lines(head: &[u8]) -> Vec<String> {
    let lines = head.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut lines: Vec<String> = lines.map(escape).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn field_lines(headers: &HeaderList<'_>) -> impl Iterator<Item = String> {
    headers.iter().map(|h| format!("{}: {}", escape(h.name.as_bytes()), escape(&h.value)).trim_end().to_owned())
}

fn sent(exchange: &Exchange) -> Vec<String> {
    match &exchange.socket {
        Some(socket) if !socket.sent.is_empty() => raw_lines(&socket.sent),
        _ => {
            let mut lines = vec![format!("{} {}", exchange.method, &exchange.url[Position::BeforePath..Position::AfterQuery])];
            lines.extend(field_lines(&exchange.request));
            lines
        }
    }
}

fn received(exchange: &Exchange) -> Vec<String> {
    let Some(response) = exchange.response() else {
        let mut lines: Vec<_> =
            exchange.fault().map(|fault| format!("({})", printable(&FaultWords(fault).to_string()))).into_iter().collect();
        if let Some(socket) = exchange.socket.as_deref().filter(|s| !s.received.is_empty()) {
            lines.push(format!("(instead of a response: {})", shortened(&socket.received)));
        }
        return lines;
    };
    let mut lines = match &exchange.socket {
        Some(socket) if !socket.received.is_empty() => raw_lines(&socket.received),
        _ => head_lines(response),
    };
    if exchange.is_assumed() {
        lines.insert(0, "(nobody said so; taken for granted:)".to_owned());
    }
    // What a page cannot see at all often names the cause.
    if (exchange.is_preflight || response.status >= 400) && !response.body.is_empty() {
        lines.push(format!("(body: {})", shortened(&response.body)));
    }
    lines
}

fn head_lines(response: &Response) -> Vec<String> {
    let mut lines = vec![format!("{} {}", response.status, escape(&response.reason)).trim_end().to_owned()];
    lines.extend(field_lines(&response.headers));
    lines
}

fn shortened(bytes: &[u8]) -> String {
    let shown = escape(&bytes[..bytes.len().min(SHOWN_BODY)]);
    if bytes.len() > SHOWN_BODY { format!("{shown}…") } else { shown }
}

#[cfg(test)]
mod tests;
