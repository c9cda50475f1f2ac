//! Reads raw scripted bytes as a client would, for the record: where the head ends, and whether the body does.

use corscheck_cases::script::Then;

use super::head::{Head, parse_field};

/// What raw bytes amount to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) status: Option<u16>,
    /// Where the head of the final response begins.
    pub(super) head_start: usize,
    /// Where its body begins; the end of the bytes when the head has none.
    pub(super) body_start: usize,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The message says where it ends, and all of it is there.
    Delimited,
    /// It ends with the connection.
    Connection,
    /// Something is missing.
    Missing,
    /// There is more than the message holds.
    Surplus,
}

impl View {
    /// Whether the message is cut off, given what becomes of the connection.
    pub(super) fn is_cut(&self, then: Then) -> bool {
        match self.end {
            End::Delimited | End::Surplus => false,
            End::Connection => matches!(then, Then::Reset | Then::Hang),
            End::Missing => true,
        }
    }

    /// Whether the next response can follow on the same connection.
    pub(super) fn is_delimited(&self) -> bool {
        self.end == End::Delimited
    }
}

/// Reads the bytes; interim responses before the final one are skipped.
pub(super) fn view(bytes: &[u8], is_head: bool) -> View {
    let mut head_start = 0;
    loop {
        let Some(length) = head_length(&bytes[head_start..]) else {
            return View { status: status(&bytes[head_start..]), head_start, body_start: bytes.len(), end: End::Missing };
        };
        let head = &bytes[head_start..head_start + length];
        let body_start = head_start + length;
        let status = status(head);
        if matches!(status, Some(100 | 102..=199)) && body_start < bytes.len() {
            head_start = body_start;
            continue;
        }
        let end = end(head, status, &bytes[body_start..], is_head);
        return View { status, head_start, body_start, end };
    }
}

fn head_length(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    bytes.split_inclusive(|&b| b == b'\n').find_map(|line| {
        length += line.len();
        matches!(line, b"\r\n" | b"\n").then_some(length)
    })
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|&b| b == b'\n').next()?;
    let word = line.trim_ascii().split(|&b| b == b' ').find(|word| !word.is_empty() && !word.starts_with(b"HTTP/"))?;
    (line.starts_with(b"HTTP/") && word.len() == 3).then(|| std::str::from_utf8(word).ok()?.parse().ok()).flatten()
}

fn end(head: &[u8], status: Option<u16>, body: &[u8], is_head: bool) -> End {
    use super::head::Framing;
    let lengths = |expected: u64| match (body.len() as u64).cmp(&expected) {
        std::cmp::Ordering::Less => End::Missing,
        std::cmp::Ordering::Equal => End::Delimited,
        std::cmp::Ordering::Greater => End::Surplus,
    };
    if is_head || matches!(status, Some(204 | 304)) {
        return lengths(0);
    }
    // A status line takes the place of the request line; the rules for the fields are the same.
    match Head::parse(head).framing() {
        Framing::Length(length) => lengths(length),
        Framing::Chunked if ends_chunked(body) => End::Delimited,
        Framing::Chunked => End::Missing,
        Framing::None | Framing::Unclear => End::Connection,
    }
}

/// Whether a chunked body ends with its last chunk, with or without trailers; the chunks before are not looked at.
fn ends_chunked(body: &[u8]) -> bool {
    if body == b"0\r\n\r\n" || body.ends_with(b"\r\n0\r\n\r\n") {
        return true;
    }
    let Some(body) = body.strip_suffix(b"\r\n\r\n") else {
        return false;
    };
    let is_field = |line: &&[u8]| !parse_field(line).0.is_empty() && line.contains(&b':');
    let mut lines = body.rsplit(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).skip_while(is_field);
    lines.next() == Some(b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> (Option<u16>, End) {
        let view = view(bytes, false);
        (view.status, view.end)
    }

    #[test]
    fn ends() {
        assert_eq!(of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"), (Some(200), End::Delimited));
        assert_eq!(of(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"), (Some(200), End::Missing));
        assert_eq!(of(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"), (Some(200), End::Surplus));
        assert_eq!(of(b"HTTP/1.1 200\n\nab"), (Some(200), End::Connection));
        assert_eq!(of(b"HTTP/1.1 204 No Content\r\n\r\n"), (Some(204), End::Delimited));
        assert_eq!(of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), (Some(200), End::Delimited));
        assert_eq!(of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n"), (Some(200), End::Delimited));
        assert_eq!(of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na"), (Some(200), End::Missing));
        assert_eq!(of(b"HTTP/1.1 200 OK\r\nA: b"), (Some(200), End::Missing));
        assert_eq!(of(b"nonsense\r\n\r\n"), (None, End::Connection));
        assert_eq!(of(b""), (None, End::Missing));
    }

    #[test]
    fn interim_responses_are_skipped() {
        let bytes = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let view = view(bytes, false);
        assert_eq!((view.status, view.head_start, view.body_start), (Some(200), 28, bytes.len()));
    }
}
