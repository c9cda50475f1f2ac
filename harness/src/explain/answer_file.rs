//! Answers that a file describes: in the words of the catalogue, or as `curl -i` saved them.

use std::borrow::Cow;

use corscheck_cases::{
    compose::{compose, parse_field},
    format::{AnswerEntry, one_or_many},
    oracle::{
        grammar::isomorphic_decode,
        headers::HeaderList,
        http1::{self, Whole, WholeEnd},
        network::{Fault, ReadEnd},
    },
    script::{Message, Then},
    text::{Resolve, Variable},
};
use serde::Deserialize;

use super::{
    described::Described,
    question::{Asked, Question},
    wire::{Answer, KEPT_BODY, Response},
};

/// A file that describes answers.
#[derive(Debug, Clone)]
pub struct AnswerFile {
    /// The request, as far as the file says what it is.
    pub asked: Asked,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    /// In the words of the catalogue; what they stand for depends on the request.
    Entries { preflight: Vec<AnswerEntry>, response: Vec<AnswerEntry> },
    /// As they came.
    Raw { preflight: Vec<Answer>, response: Vec<Answer> },
}

/// A file in the words of the catalogue.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entries {
    request: Asked,
    #[serde(deserialize_with = "one_or_many")]
    preflight: Vec<AnswerEntry>,
    #[serde(deserialize_with = "one_or_many")]
    response: Vec<AnswerEntry>,
}

impl AnswerFile {
    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// What is wrong, with line and column, and what is allowed.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let start = text.trim_ascii_start();
        if start.starts_with(b"HTTP/") {
            let (preflight, response) = raw(start)?;
            return Ok(Self { asked: Asked::default(), content: Content::Raw { preflight, response } });
        }
        let text = std::str::from_utf8(text).map_err(|e| format!("it is neither TOML nor an HTTP response: {e}"))?;
        let file: Entries = toml::from_str(text).map_err(|e| {
            format!("{e}\nexpected TOML with `preflight`, `response` and `request`, or a response as `curl -i` prints it, which begins with HTTP/")
        })?;
        let Entries { request, preflight, response } = file;
        if preflight.is_empty() && response.is_empty() {
            return Err(
                "it describes no answer: expected `response = { status = 200, headers = [[\"Name\", \"value\"]] }`, and `preflight` \
                        likewise"
                    .to_owned(),
            );
        }
        Ok(Self { asked: request, content: Content::Entries { preflight, response } })
    }

    /// The network that answers so.
    ///
    /// # Errors
    ///
    /// What in an answer contradicts what.
    pub fn network(&self, question: &Question) -> Result<Described, String> {
        match &self.content {
            Content::Raw { preflight, response } => Ok(Described::by_kind(preflight.clone(), response.clone())),
            Content::Entries { preflight, response } => {
                let answers = |entries: &[AnswerEntry]| entries.iter().map(|e| answer(e, question)).collect::<Result<Vec<_>, _>>();
                Ok(Described::by_kind(answers(preflight)?, answers(response)?))
            }
        }
    }
}

/// What the placeholders of an entry stand for, where there is no topology.
struct Placeholders<'q>(&'q Question);

impl Resolve for Placeholders<'_> {
    fn value(&self, variable: Variable) -> String {
        match variable {
            Variable::RequestOrigin => self.0.origin().to_owned(),
            Variable::Url => self.0.url.to_string(),
            _ => String::new(),
        }
    }
}

/// What a client makes of a described answer.
fn answer(entry: &AnswerEntry, question: &Question) -> Result<Answer, String> {
    let answer = entry.answer()?.map(&mut |bytes| bytes.resolve(&Placeholders(question)));
    let mut bytes = Vec::new();
    match &answer.message {
        Message::Http(http) => _ = compose(http, answer.then, false, &mut bytes),
        Message::Raw(chunks) => bytes = chunks.concat(),
        Message::Nothing => {}
    }
    let end = match answer.then {
        Then::Keep | Then::Close => http1::End::Closed,
        Then::Reset => http1::End::Reset,
        Then::Hang => http1::End::Open,
    };
    let broken = |words: Cow<'static, str>| Answer::Fault(Fault::Broken(words));
    Ok(match http1::response(&bytes, end, false) {
        Whole::Malformed(why) => broken(why.to_string().into()),
        Whole::NoResponse { silent: true } => broken("no answer ever comes".into()),
        Whole::NoResponse { silent: false } => broken("the connection ended before a response".into()),
        Whole::Response { head, body, end, .. } => {
            let mut headers = HeaderList::new();
            head.fields.into_iter().for_each(|(name, value)| headers.append(name, value));
            let body_end = if end == WholeEnd::Complete { ReadEnd::Complete } else { ReadEnd::Broken };
            let body = body[..body.len().min(KEPT_BODY)].to_vec();
            Answer::Response(Response { status: head.status, reason: head.reason, headers, body, body_end: Some(body_end) })
        }
    })
}

/// The answers of a text that begins with a status line: to the preflight, and to other requests.
///
/// One is that of the actual request. Of several the first is the preflight's, unless it leads on: then they are the way of a
/// redirect, as `curl -iL` prints it. Interim responses and those of a proxy to CONNECT are passed over.
fn raw(text: &[u8]) -> Result<(Vec<Answer>, Vec<Answer>), String> {
    let mut answers = Vec::new();
    let mut rest = text;
    while !rest.trim_ascii_start().is_empty() {
        let (response, after) = next_response(rest)?;
        rest = after;
        let to_connect = response.status == 200 && response.reason.eq_ignore_ascii_case(b"Connection established");
        if !(100..200).contains(&response.status) && !to_connect {
            answers.push(response);
        }
    }
    let Some(first) = answers.first() else { return Err("there is no final response in it".to_owned()) };
    let has_preflight = answers.len() > 1 && !first.is_redirect();
    let rest = answers.split_off(usize::from(has_preflight));
    let answers_of = |responses: Vec<Response>| responses.into_iter().map(Answer::Response).collect();
    Ok((answers_of(answers), answers_of(rest)))
}

/// Reads one response as it was printed: any version, lines that end in LF or CRLF.
fn next_response(text: &[u8]) -> Result<(Response, &[u8]), String> {
    let text = text.trim_ascii_start();
    let (line, mut rest) = split_line(text);
    let shown = isomorphic_decode(line).into_owned();
    let mut words = shown.splitn(3, ' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().filter(|w| w.len() == 3).and_then(|w| w.parse().ok());
    let (true, Some(status)) = (version.starts_with("HTTP/"), status) else {
        return Err(format!("`{shown}` is no status line: expected one like `HTTP/1.1 200 OK` or `HTTP/2 200`"));
    };
    let reason = words.next().unwrap_or_default().trim().as_bytes().to_vec();
    let mut headers = HeaderList::new();
    loop {
        let (line, after) = split_line(rest);
        rest = after;
        if line.is_empty() {
            break;
        }
        let (name, value) = parse_field(line);
        if name.is_empty() || !line.contains(&b':') {
            return Err(format!("`{}` is no header field: expected one like `Name: value`", isomorphic_decode(line)));
        }
        headers.append(isomorphic_decode(name).into_owned(), value.to_vec());
    }
    let length = headers.get("Content-Length").and_then(|v| std::str::from_utf8(&v).ok()?.trim().parse().ok());
    let end = body_end(rest, length);
    let body = rest[..end.min(KEPT_BODY)].to_vec();
    // What was printed may have been decoded already: then its bytes are not those of the coding.
    let body_end = (!headers.contains("Content-Encoding")).then_some(ReadEnd::Complete);
    Ok((Response { status, reason, headers, body, body_end }, &rest[end..]))
}

/// Where a body ends: where its length says so, if the next response or nothing stands there; else before the next status line.
fn body_end(rest: &[u8], length: Option<usize>) -> usize {
    if let Some(length) = length
        && let Some(after) = rest.get(length..)
        && (after.trim_ascii_start().is_empty() || is_status_line(after.trim_ascii_start()))
    {
        return length;
    }
    let starts = std::iter::once(0).chain(rest.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1));
    starts.filter(|at| is_status_line(&rest[*at..])).min().unwrap_or(rest.len())
}

fn is_status_line(text: &[u8]) -> bool {
    let (line, _) = split_line(text);
    let mut words = line.split(|b| *b == b' ');
    words.next().is_some_and(|version| version.starts_with(b"HTTP/"))
        && words.next().is_some_and(|status| status.len() == 3 && status.iter().all(u8::is_ascii_digit))
}

/// A line without its end, and what follows.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match text.iter().position(|b| *b == b'\n') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[][..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

#[cfg(test)]
mod tests {
    use corscheck_cases::{Outcome, Reason};

    use super::*;
    use crate::explain::{evidence::Evidence, run::Run};

    fn read(text: &str) -> AnswerFile {
        AnswerFile::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}"))
    }

    fn error(text: &str) -> String {
        AnswerFile::parse(text.as_bytes()).expect_err("it is wrong")
    }

    fn explained(text: &str, method: &str) -> Evidence {
        let file = read(text);
        let options = Asked {
            url: Some("https://api.example.com/x".to_owned()),
            method: Some(method.to_owned()),
            origin: Some("https://app.example.com".to_owned()),
            ..Asked::default()
        };
        let question = options.or(file.asked.clone()).question().expect("a question");
        let network = file.network(&question).expect("answers");
        Evidence::described(question, network)
    }

    fn ended(run: &Run) -> (Outcome, Option<Reason>, Vec<u16>) {
        (run.outcome(), run.reason(), run.exchanges.iter().filter_map(|x| Some(x.response()?.status)).collect())
    }

    #[test]
    fn the_words_of_the_catalogue() {
        let text = r#"
            request = { url = "https://api.example.com/x", origin = "https://app.example.com", method = "PUT", body = { text = "x" } }
            preflight = { status = 204, headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Methods", "PUT"]] }
            response = [{ status = 307, headers = [["Access-Control-Allow-Origin", "*"], ["Location", "/y"]] }, { drop = "close" }]
        "#;
        let file = read(text);
        let question = file.asked.clone().question().expect("a question");
        let mut network = file.network(&question).expect("answers");
        let run = crate::explain::run::run_described(&question, &mut network);
        assert_eq!(ended(&run), (Outcome::Blocked, Some(Reason::Network), vec![204, 307, 204]));
        assert_eq!(run.exchanges.len(), 4, "the preflight's answer repeats");
        assert!(run.is_unanswered());
        let raw = explained("response = { raw = ['HTTP/1.1 200 OK\\r\\nA b: c\\r\\n\\r\\n'] }", "GET");
        assert_eq!(raw.reason(), Some(Reason::Network), "it is no HTTP");
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        assert!(error("response = { statsu = 200 }").contains("line 1"), "{}", error("response = { statsu = 200 }"));
        assert!(error("respons = {}").contains("`preflight`"), "{}", error("respons = {}"));
        assert!(error("").contains("it describes no answer"));
        assert!(error("<html>").contains("curl -i"), "{}", error("<html>"));
        assert!(error("HTTP/1.1 OK\n\n").contains("is no status line"));
        assert!(error("HTTP/1.1 200 OK\nno field\n\n").contains("`no field` is no header field"));
        assert!(error("HTTP/1.1 100 Continue\n\n").contains("no final response"));
        let file = read("response = { raw = ['x'], status = 200 }");
        let question = Asked { url: Some("https://x.example/".to_owned()), ..Asked::default() }.question().expect("a question");
        assert!(file.network(&question).expect_err("a contradiction").contains("`raw`"));
        assert!(AnswerFile::parse(b"\xff").is_err());
    }

    #[test]
    fn what_curl_prints() {
        let one = "HTTP/2 200 \r\naccess-control-allow-origin: https://app.example.com\r\nx:y\r\n\r\nbody\n";
        assert_eq!(ended(&explained(one, "GET").run), (Outcome::Allowed, None, vec![200]));
        // One answer is that of the actual request; nobody said what the preflight's is.
        let evidence = explained(one, "PUT");
        assert_eq!(ended(&evidence.run), (Outcome::Allowed, None, vec![204, 200]));
        assert!(evidence.run.exchanges[0].is_assumed() && !evidence.run.exchanges[1].is_assumed());
        // Two: the preflight's, then the other. Proxies and interim responses do not count; lines may end in LF.
        let two = "HTTP/1.1 200 Connection established\n\nHTTP/1.1 403 Forbidden\nContent-Length: 16\n\nHTTP/1.1 200 OK\n\n\
                   HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nAccess-Control-Allow-Origin: *\n\nHTTP is fun\n";
        let evidence = explained(two, "PUT");
        assert_eq!(ended(&evidence.run), (Outcome::Blocked, Some(Reason::AcaoMissing), vec![403]));
        assert_eq!(evidence.unasked.len(), 1);
        assert!(matches!(&evidence.unasked[0], Answer::Response(r) if r.body == b"HTTP is fun\n"), "{:?}", evidence.unasked);
        assert_eq!(evidence.run.exchanges[0].response().map(|r| r.body.as_slice()), Some(&b"HTTP/1.1 200 OK\n"[..]), "by its length");
        // The way of a redirect.
        let way = "HTTP/1.1 302 Found\nLocation: /y\nAccess-Control-Allow-Origin: *\n\nHTTP/1.1 200 OK\nAccess-Control-Allow-Origin: *\n\n";
        assert_eq!(ended(&explained(way, "GET").run), (Outcome::Allowed, None, vec![302, 200]));
        // A way that is not described to its end is taken to end well.
        let cut = "HTTP/1.1 302 Found\nLocation: /y\nAccess-Control-Allow-Origin: *\n\n";
        let evidence = explained(cut, "GET");
        assert_eq!(ended(&evidence.run), (Outcome::Allowed, None, vec![302, 200]));
        assert!(evidence.run.exchanges[1].is_assumed());
        // What was decoded on the way needs not decode again.
        let gzip = "HTTP/1.1 200 OK\nContent-Encoding: gzip\nAccess-Control-Allow-Origin: *\n\nplain";
        assert_eq!(ended(&explained(gzip, "GET").run), (Outcome::Allowed, None, vec![200]));
    }
}
