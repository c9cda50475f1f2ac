//! The bytes of a scripted HTTP response: what the servers write, and what the oracle reads.

use std::{io::Write, ops::Range};

use http::StatusCode;

use crate::script::{Field, Framing, Http, Then};

/// A composed response: where its parts stand in the output, and what they amount to.
#[derive(Debug, PartialEq, Eq)]
pub struct Composed {
    /// The status of the final response.
    pub status: u16,
    /// The head of the final response; interim responses stand before it.
    pub head: Range<usize>,
    /// The body, transfer coding not counted.
    pub content: Range<usize>,
    /// Whether something follows the head: bytes, or the end of the connection.
    pub has_more_than_head: bool,
    /// Whether it ends before its own framing says so.
    pub is_short: bool,
    /// Whether the next response can follow on the same connection.
    pub reusable: bool,
}

impl Composed {
    /// The bytes of the body in the output it was composed into.
    pub fn content<'a>(&self, output: &'a [u8]) -> &'a [u8] {
        &output[self.content.clone()]
    }
}

/// Appends the response to `output`.
pub fn compose(http: &Http<Vec<u8>>, then: Then, is_head: bool, output: &mut Vec<u8>) -> Composed {
    for interim in &http.interim {
        put_head(output, interim.status, None, &interim.fields);
        output.extend_from_slice(b"\r\n");
    }
    let own = OwnFraming::of(&http.fields);
    let forbids_body = matches!(http.status, 100..=199 | 204 | 304);
    // The orderly framing keeps to what a status forbids; the others are the author's to be wrong with.
    let is_bodyless = is_head || (forbids_body && http.framing == Framing::Length);
    let length = http.body.len();
    let cut = http.cut.filter(|&cut| cut < length && !is_bodyless);

    let start = output.len();
    put_head(output, http.status, http.reason.as_deref(), &http.fields);
    match http.framing {
        Framing::Length if forbids_body || own.any => {}
        Framing::Length => put(output, format_args!("Content-Length: {length}\r\n")),
        Framing::Chunked if own.transfer_encoding => {}
        Framing::Chunked => put(output, format_args!("Transfer-Encoding: chunked\r\n")),
        Framing::Close => put(output, format_args!("Connection: close\r\n")),
        Framing::Declared(n) => put(output, format_args!("Content-Length: {n}\r\n")),
    }
    output.extend_from_slice(b"\r\n");
    let head = start..output.len();

    let is_chunked = http.framing == Framing::Chunked && !is_bodyless;
    if is_chunked && length > 0 {
        put(output, format_args!("{length:x}\r\n"));
    }
    let content_start = output.len();
    if !is_bodyless {
        output.extend_from_slice(&http.body[..cut.unwrap_or(length)]);
    }
    let content = content_start..output.len();
    if is_chunked && cut.is_none() {
        output.extend_from_slice(if length > 0 { b"\r\n0\r\n\r\n" } else { b"0\r\n\r\n" });
    }

    let declared = match http.framing {
        Framing::Length => own.length,
        Framing::Chunked => None,
        Framing::Close => None,
        Framing::Declared(n) => Some(n),
    };
    let ends_with_connection = http.framing == Framing::Close && !is_bodyless;
    let is_short = cut.is_some()
        || (!is_bodyless && declared.is_some_and(|n| n > length as u64))
        || (ends_with_connection && matches!(then, Then::Reset | Then::Hang));
    let is_delimited = match http.framing {
        Framing::Close => false,
        _ if is_bodyless => true,
        Framing::Length if own.any => own.length == Some(length as u64),
        Framing::Length => true,
        Framing::Chunked => !forbids_body && !own.any,
        Framing::Declared(n) => n == length as u64 && !own.any && (!forbids_body || n == 0),
    };
    Composed {
        status: http.status,
        has_more_than_head: output.len() > head.end || ends_with_connection,
        head,
        content,
        is_short,
        reusable: is_delimited && cut.is_none(),
    }
}

/// What the authored fields themselves say about the end of the body.
#[derive(Debug, Default)]
struct OwnFraming {
    any: bool,
    transfer_encoding: bool,
    /// The one Content-Length, if it is a number and nothing contradicts it.
    length: Option<u64>,
}

impl OwnFraming {
    fn of(fields: &[Field<Vec<u8>>]) -> Self {
        let mut own = Self::default();
        for field in fields {
            let (name, value) = match field {
                Field::Pair(name, value) => (name.as_slice(), strip(value)),
                Field::Line(line) => parse_field(line),
            };
            let name = strip(name);
            if name.eq_ignore_ascii_case(b"content-length") {
                own.length = if own.any { None } else { parse_length(value) };
                own.any = true;
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                (own.any, own.transfer_encoding, own.length) = (true, true, None);
            }
        }
        own
    }
}

fn put_head(output: &mut Vec<u8>, status: u16, reason: Option<&[u8]>, fields: &[Field<Vec<u8>>]) {
    put(output, format_args!("HTTP/1.1 {status:03} "));
    let usual = || StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or_default().as_bytes();
    output.extend_from_slice(reason.unwrap_or_else(usual));
    output.extend_from_slice(b"\r\n");
    for field in fields {
        match field {
            Field::Pair(name, value) => {
                output.extend_from_slice(name);
                output.extend_from_slice(b": ");
                output.extend_from_slice(value);
            }
            Field::Line(line) => output.extend_from_slice(line),
        }
        output.extend_from_slice(b"\r\n");
    }
}

fn put(output: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    _ = output.write_fmt(text);
}

/// A Content-Length: digits alone.
pub fn parse_length(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}

/// Name and value of a field line; a folded line is all value, one without a colon all name.
pub fn parse_field(line: &[u8]) -> (&[u8], &[u8]) {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return (b"", strip(line));
    }
    let (name, value) = line.iter().position(|&b| b == b':').map_or((line, &[][..]), |at| (&line[..at], &line[at + 1..]));
    (name, strip(value))
}

/// Without spaces and tabs around it.
pub fn strip(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use crate::script::Interim;

    use super::*;

    fn http(status: u16, fields: &[(&str, &str)], body: &str, framing: Framing) -> Http<Vec<u8>> {
        let pair = |(name, value): &(&str, &str)| Field::Pair(name.as_bytes().to_vec(), value.as_bytes().to_vec());
        Http {
            interim: Vec::new(),
            status,
            reason: None,
            fields: fields.iter().map(pair).collect(),
            body: body.as_bytes().to_vec(),
            body_delay_ms: 0,
            framing,
            cut: None,
        }
    }

    fn composed(http: &Http<Vec<u8>>, is_head: bool) -> (String, Composed) {
        let mut output = Vec::new();
        let composed = compose(http, Then::Keep, is_head, &mut output);
        (String::from_utf8(output).expect("ASCII"), composed)
    }

    fn wire(http: &Http<Vec<u8>>) -> String {
        composed(http, false).0
    }

    #[test]
    fn each_framing_has_its_bytes() {
        let of = |framing| composed(&http(200, &[("A", "b")], "body", framing), false);
        for (framing, expected, reusable, is_short) in [
            (Framing::Length, "Content-Length: 4\r\n\r\nbody", true, false),
            (Framing::Chunked, "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", true, false),
            (Framing::Close, "Connection: close\r\n\r\nbody", false, false),
            (Framing::Declared(9), "Content-Length: 9\r\n\r\nbody", false, true),
            (Framing::Declared(2), "Content-Length: 2\r\n\r\nbody", false, false),
            (Framing::Declared(4), "Content-Length: 4\r\n\r\nbody", true, false),
        ] {
            let (bytes, composed) = of(framing);
            assert_eq!(bytes, format!("HTTP/1.1 200 OK\r\nA: b\r\n{expected}"));
            assert_eq!((composed.reusable, composed.is_short), (reusable, is_short), "{framing:?}");
            assert_eq!(composed.content(bytes.as_bytes()), b"body");
        }
    }

    #[test]
    fn a_head_response_has_the_fields_of_a_body_and_none_of_its_bytes() {
        for framing in [Framing::Length, Framing::Chunked, Framing::Declared(9)] {
            let (bytes, composed) = composed(&http(200, &[], "body", framing), true);
            assert!(bytes.ends_with("\r\n\r\n") && bytes.contains("-"), "{bytes}");
            assert!(composed.content.is_empty() && composed.reusable && !composed.is_short);
        }
    }

    #[test]
    fn statuses_without_a_body_get_no_length() {
        for status in [204, 304, 103] {
            assert!(!wire(&http(status, &[], "", Framing::Length)).contains("Content-Length"));
        }
        assert!(wire(&http(205, &[], "", Framing::Length)).contains("Content-Length: 0\r\n"));
    }

    #[test]
    fn authored_framing_is_left_alone_and_checked() {
        for (name, value, reusable) in [("content-length", "4", true), ("Content-Length", "5", false), ("TRANSFER-encoding", "x", false)] {
            let (bytes, composed) = composed(&http(200, &[(name, value)], "body", Framing::Length), false);
            assert_eq!(bytes, format!("HTTP/1.1 200 OK\r\n{name}: {value}\r\n\r\nbody"));
            assert_eq!(composed.reusable, reusable, "{name}: {value}");
        }
    }

    #[test]
    fn reason_lines_interim_and_cut() {
        let mut http = http(299, &[], "body", Framing::Length);
        assert!(wire(&http).starts_with("HTTP/1.1 299 \r\n"));
        http.status = 7;
        assert!(wire(&http).starts_with("HTTP/1.1 007 \r\n"));
        http.reason = Some(b"Because".to_vec());
        http.fields = vec![Field::Line(b" odd".to_vec())];
        http.interim = vec![Interim { status: 103, fields: Vec::new() }];
        http.cut = Some(2);
        let (bytes, composed) = composed(&http, false);
        assert_eq!(bytes, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 007 Because\r\n odd\r\nContent-Length: 4\r\n\r\nbo");
        assert!(bytes[composed.head.clone()].starts_with("HTTP/1.1 007"));
        assert_eq!((composed.is_short, composed.reusable), (true, false));
    }

    #[test]
    fn a_cut_chunked_body_has_no_end() {
        let mut http = http(200, &[], "body", Framing::Chunked);
        http.cut = Some(0);
        assert!(wire(&http).ends_with("\r\n\r\n4\r\n"));
        http.cut = Some(4);
        assert!(wire(&http).ends_with("4\r\nbody\r\n0\r\n\r\n"));
    }
}
