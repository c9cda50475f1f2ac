//! The head of a request: taken apart, never judged. Whatever a browser sends is evidence.

use base64::{Engine as _, engine::general_purpose::STANDARD};
pub(crate) use corscheck_cases::compose::{parse_field, parse_length, strip};
use corscheck_cases::text::escape;
use sha1::{Digest as _, Sha1};

use crate::{RecordedRequest, WireBytes};

/// A head, borrowed from the bytes that were read.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    bytes: &'a [u8],
    pub(crate) method: &'a [u8],
    target: &'a [u8],
    version: &'a [u8],
    /// Names and stripped values.
    fields: Vec<(&'a [u8], &'a [u8])>,
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// To `/t/TOKEN/PATH`.
    Case {
        token: &'a [u8],
        path: &'a [u8],
    },
    Pages,
}

/// How the end of a request's body is told (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    None,
    Length(u64),
    Chunked,
    /// The fields contradict each other or make no sense.
    Unclear,
}

impl Framing {
    pub(crate) fn has_body(self) -> bool {
        !matches!(self, Framing::None | Framing::Length(0))
    }
}

impl<'a> Head<'a> {
    /// Takes a head apart: any bytes, up to and including an empty line.
    pub(crate) fn parse(bytes: &'a [u8]) -> Self {
        let without_end = |line: &'a [u8]| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            line.strip_suffix(b"\r").unwrap_or(line)
        };
        let mut lines = bytes.split_inclusive(|&b| b == b'\n').map(without_end).filter(|line| !line.is_empty());
        let request_line = lines.next().unwrap_or_default();
        let (method, rest) = split_at_byte(request_line, request_line.iter().position(|&b| b == b' '));
        let (target, version) = split_at_byte(rest, rest.iter().rposition(|&b| b == b' '));
        let fields = lines.map(parse_field).collect();
        Self { bytes, method, target, version, fields }
    }

    pub(crate) fn target(&self) -> Target<'a> {
        target(self.target)
    }

    /// Whether the client wants to use the connection again (RFC 9112, section 9.3).
    pub(crate) fn keeps_connection(&self) -> bool {
        let says = |option: &[u8]| self.list("connection").any(|word| word.eq_ignore_ascii_case(option));
        if self.version == b"HTTP/1.0" { says(b"keep-alive") } else { !says(b"close") }
    }

    pub(crate) fn expects_continue(&self) -> bool {
        self.list("expect").any(|word| word.eq_ignore_ascii_case(b"100-continue"))
    }

    pub(crate) fn framing(&self) -> Framing {
        if let Some(last) = self.list("transfer-encoding").last() {
            return if last.eq_ignore_ascii_case(b"chunked") { Framing::Chunked } else { Framing::Unclear };
        }
        let mut lengths = self.list("content-length");
        let Some(first) = lengths.next() else {
            return Framing::None;
        };
        if lengths.any(|other| other != first) {
            return Framing::Unclear;
        }
        parse_length(first).map_or(Framing::Unclear, Framing::Length)
    }

    /// What answers the key of a WebSocket's opening handshake (RFC 6455, section 4.2.2, item 5.4); `None` where it is none.
    pub(crate) fn websocket_accept(&self) -> Option<String> {
        let key = self.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"sec-websocket-key"))?.1;
        let digest = Sha1::new().chain_update(key).chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
        Some(STANDARD.encode(digest))
    }

    /// A copy for the record.
    pub(crate) fn record(&self, framing: Framing) -> RecordedRequest {
        RecordedRequest {
            method: escape(self.method),
            target: escape(self.target),
            head: Some(WireBytes::from(self.bytes)),
            fields: self.fields.iter().map(|&(name, value)| (WireBytes::from(name), WireBytes::from(value))).collect(),
            body: WireBytes::default(),
            body_length: 0,
            body_complete: !framing.has_body(),
        }
    }

    /// The members of a list-valued field.
    fn list(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        let values = self.fields.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
        values.flat_map(|(_, value)| value.split(|&b| b == b',')).map(strip)
    }
}

/// The parts before and after a byte; all is before it when it is nowhere.
fn split_at_byte(bytes: &[u8], at: Option<usize>) -> (&[u8], &[u8]) {
    at.map_or((bytes, &[]), |at| (&bytes[..at], &bytes[at + 1..]))
}

fn target(target: &[u8]) -> Target<'_> {
    let Some(below) = path_and_query(target).strip_prefix(b"/t/") else {
        return Target::Pages;
    };
    let (below, _query) = split_at_byte(below, below.iter().position(|&b| b == b'?'));
    let (token, path) = split_at_byte(below, below.iter().position(|&b| b == b'/'));
    Target::Case { token, path }
}

/// Without scheme and authority, which clients that believe to speak to a proxy send (RFC 9112, section 3.2.2).
fn path_and_query(target: &[u8]) -> &[u8] {
    if target.starts_with(b"/") {
        return target;
    }
    let Some(scheme_end) = target.windows(3).position(|w| w == b"://") else {
        return target;
    };
    let rest = &target[scheme_end + 3..];
    rest.iter().position(|&b| b == b'/').map_or(&[], |at| &rest[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let case = |token, path| Target::Case { token, path };
        assert_eq!(target(b"/t/01/a/b?c/d"), case(b"01", b"a/b"));
        assert_eq!(target(b"/t/01"), case(b"01", b""));
        assert_eq!(target(b"/t/01?x"), case(b"01", b""));
        assert_eq!(target(b"/t/"), case(b"", b""));
        assert_eq!(target(b"http://a:1/t/01/x"), case(b"01", b"x"));
        for pages in [&b"/"[..], b"/t", b"/tx", b"*", b"", b"http://a", b"a:443"] {
            assert_eq!(target(pages), Target::Pages);
        }
    }

    #[test]
    fn framings() {
        let framing = |fields: &str| Head::parse(format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n").as_bytes()).framing();
        assert_eq!(framing("A: b"), Framing::None);
        assert_eq!(framing("content-LENGTH:  7 "), Framing::Length(7));
        assert_eq!(framing("Content-Length: 7, 7"), Framing::Length(7));
        assert_eq!(framing("Content-Length: 7\r\nContent-Length: 8"), Framing::Unclear);
        assert_eq!(framing("Content-Length: +7"), Framing::Unclear);
        assert_eq!(framing("Content-Length: 99999999999999999999"), Framing::Unclear);
        assert_eq!(framing("Transfer-Encoding: gzip, Chunked\r\nContent-Length: 7"), Framing::Chunked);
        assert_eq!(framing("Transfer-Encoding: gzip"), Framing::Unclear);
    }

    #[test]
    fn connections_are_kept_by_version_and_field() {
        let keeps = |rest: &str| Head::parse(format!("GET / {rest}\r\n\r\n").as_bytes()).keeps_connection();
        assert!(keeps("HTTP/1.1"));
        assert!(!keeps("HTTP/1.1\r\nConnection: x, Close"));
        assert!(!keeps("HTTP/1.0"));
        assert!(keeps("HTTP/1.0\r\nConnection: Keep-Alive"));
    }

    #[test]
    fn odd_heads_are_taken_apart_as_they_are() {
        let head = Head::parse(b"\r\nGET /a b HTTP/1.1\nA:\t1 \t\n folded\nno colon\n: x\n\n");
        assert_eq!((head.method, head.target, head.version), (&b"GET"[..], &b"/a b"[..], &b"HTTP/1.1"[..]));
        let expected: [(&[u8], &[u8]); 4] = [(b"A", b"1"), (b"", b"folded"), (b"no colon", b""), (b"", b"x")];
        assert_eq!(head.fields, expected);
        for bytes in [&b""[..], b"\n", b" ", b"X", b"X Y", b"\xff\xff\n\n"] {
            _ = Head::parse(bytes).framing();
        }
    }
}
