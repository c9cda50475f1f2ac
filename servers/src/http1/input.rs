//! What was read from a connection and is not consumed yet: heads and bodies are cut out of it.

use std::{io, time::Duration};

use tokio::{io::AsyncReadExt, time::timeout};

use super::head::Framing;
use crate::{body::ReceivedBody, socket::Stream};

/// The largest head of a request: far above what browsers send, which for a URL is 2 MiB at most in theory and kilobytes here.
const MAX_HEAD: usize = 256 * 1024;

/// The longest line between the chunks of a chunked body, and the most of its trailers.
const MAX_CHUNK_LINE: usize = 16 * 1024;

/// How long a peer may be silent. Browsers keep idle connections for up to five minutes; one that is closed under them costs
/// a retry that would stand in the record.
const IDLE: Duration = Duration::from_secs(330);

/// Bytes read and not yet consumed.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
}

/// What was found at the beginning of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeadEnd {
    /// A head of this length, with the empty line.
    At(usize),
    /// No method starts like this.
    NotHttp,
    TooLarge,
    /// The peer closed the connection or fell silent.
    Closed,
}

/// How the body of a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyEnd {
    Complete,
    /// It is too long, or its end cannot be found.
    Abandoned,
    /// The peer closed the connection within it.
    Lost,
}

impl Input {
    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn into_unread(mut self) -> Vec<u8> {
        self.bytes.split_off(self.start)
    }

    pub(super) fn consume(&mut self, length: usize) {
        self.start += length;
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// Whether more may be read before something is consumed.
    pub(super) fn has_room(&self) -> bool {
        self.unread().len() < MAX_HEAD
    }

    /// Reads what there is; 0 when the peer has closed.
    pub(super) async fn read_ahead(&mut self, stream: &mut Stream) -> io::Result<usize> {
        if self.start > 0 && self.bytes.capacity() - self.bytes.len() < 1024 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.reserve(4096);
        stream.read_buf(&mut self.bytes).await
    }

    /// Reads more. Whether there is any.
    async fn fill(&mut self, stream: &mut Stream) -> bool {
        matches!(timeout(IDLE, self.read_ahead(stream)).await, Ok(Ok(1..)))
    }

    /// Reads until a head is complete.
    pub(super) async fn head(&mut self, stream: &mut Stream) -> HeadEnd {
        let mut scan = HeadScan::default();
        loop {
            if let Some(end) = scan.advance(self.unread()) {
                return end;
            }
            if !self.fill(stream).await {
                return HeadEnd::Closed;
            }
        }
    }

    /// Reads a body.
    pub(super) async fn body(&mut self, stream: &mut Stream, framing: Framing) -> (ReceivedBody, BodyEnd) {
        let mut body = ReceivedBody::default();
        let end = match framing {
            Framing::None => BodyEnd::Complete,
            Framing::Unclear => BodyEnd::Abandoned,
            Framing::Length(length) => self.exactly(stream, length, &mut body).await,
            Framing::Chunked => self.chunked(stream, &mut body).await,
        };
        (body, end)
    }

    async fn exactly(&mut self, stream: &mut Stream, mut left: u64, body: &mut ReceivedBody) -> BodyEnd {
        while left > 0 {
            if self.unread().is_empty() && !self.fill(stream).await {
                return BodyEnd::Lost;
            }
            let length = self.unread().len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let within = body.push(&self.unread()[..length]);
            self.consume(length);
            left -= length as u64;
            if !within {
                return BodyEnd::Abandoned;
            }
        }
        BodyEnd::Complete
    }

    /// The chunked transfer coding (RFC 9112, section 7.1).
    async fn chunked(&mut self, stream: &mut Stream, body: &mut ReceivedBody) -> BodyEnd {
        loop {
            let size = match self.line(stream).await {
                Ok(line) => chunk_size(&line),
                Err(end) => return end,
            };
            let Some(size) = size else {
                return BodyEnd::Abandoned;
            };
            if size == 0 {
                return self.trailers(stream).await;
            }
            match self.exactly(stream, size, body).await {
                BodyEnd::Complete => {}
                end => return end,
            }
            match self.line(stream).await {
                Ok(line) if line.is_empty() => {}
                Ok(_) => return BodyEnd::Abandoned,
                Err(end) => return end,
            }
        }
    }

    async fn trailers(&mut self, stream: &mut Stream) -> BodyEnd {
        let mut length = 0;
        loop {
            match self.line(stream).await {
                Ok(line) if line.is_empty() => return BodyEnd::Complete,
                Ok(line) => length += line.len(),
                Err(end) => return end,
            }
            if length > MAX_CHUNK_LINE {
                return BodyEnd::Abandoned;
            }
        }
    }

    /// The next line without its end.
    async fn line(&mut self, stream: &mut Stream) -> Result<Vec<u8>, BodyEnd> {
        loop {
            if let Some(end) = self.unread().iter().position(|&b| b == b'\n') {
                let line = &self.unread()[..end];
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.consume(end + 1);
                return Ok(line);
            }
            if self.unread().len() > MAX_CHUNK_LINE {
                return Err(BodyEnd::Abandoned);
            }
            if !self.fill(stream).await {
                return Err(BodyEnd::Lost);
            }
        }
    }
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|&b| b == b';').next()?.trim_ascii();
    let is_hex = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    is_hex.then(|| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).flatten()
}

/// Looks for the empty line after a head, without looking at any byte twice.
#[derive(Debug, Default)]
struct HeadScan {
    at: usize,
    line_start: usize,
    in_head: bool,
}

impl HeadScan {
    fn advance(&mut self, unread: &[u8]) -> Option<HeadEnd> {
        while let Some(&byte) = unread.get(self.at) {
            if !self.in_head {
                // Empty lines before a request are ignored (RFC 9112, section 2.2).
                if matches!(byte, b'\r' | b'\n') {
                    self.at += 1;
                    self.line_start = self.at;
                    continue;
                }
                if !is_token_byte(byte) {
                    return Some(HeadEnd::NotHttp);
                }
                self.in_head = true;
            }
            let Some(line_feed) = unread[self.at..].iter().position(|&b| b == b'\n') else {
                self.at = unread.len();
                break;
            };
            self.at += line_feed + 1;
            let line = &unread[self.line_start..self.at];
            self.line_start = self.at;
            if matches!(line, b"\n" | b"\r\n") {
                return Some(HeadEnd::At(self.at));
            }
        }
        (unread.len() > MAX_HEAD).then_some(HeadEnd::TooLarge)
    }
}

/// Whether a method can hold this byte (RFC 9110, section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan_bytewise(bytes: &[u8]) -> Option<HeadEnd> {
        let mut scan = HeadScan::default();
        (0..=bytes.len()).find_map(|length| scan.advance(&bytes[..length]))
    }

    #[test]
    fn a_head_ends_at_its_first_empty_line_however_it_arrives() {
        for (bytes, end) in [
            (&b"GET / HTTP/1.1\r\n\r\nrest"[..], Some(HeadEnd::At(18))),
            (b"GET / HTTP/1.1\n\nrest", Some(HeadEnd::At(16))),
            (b"\r\n\r\nGET /\r\nA: b\r\n\r\n", Some(HeadEnd::At(19))),
            (b"GET / HTTP/1.1\r\nA: b\r\n", None),
            (b"\r\n\r\n", None),
            (b"\x16\x03\x01", Some(HeadEnd::NotHttp)),
            (b"", None),
        ] {
            assert_eq!(HeadScan::default().advance(bytes), end, "{bytes:?}");
            assert_eq!(scan_bytewise(bytes), end, "{bytes:?}");
        }
    }

    #[test]
    fn a_head_without_end_is_given_up() {
        for filler in [b'a', b'\n'] {
            assert_eq!(HeadScan::default().advance(&vec![filler; MAX_HEAD + 1]), Some(HeadEnd::TooLarge));
        }
    }

    #[test]
    fn chunk_sizes() {
        assert_eq!(chunk_size(b"1F;x=y"), Some(31));
        assert_eq!(chunk_size(b" 0 "), Some(0));
        for line in [&b""[..], b"+1", b"-1", b"g", b"11111111111111111", b"\xff"] {
            assert_eq!(chunk_size(line), None, "{line:?}");
        }
    }
}
