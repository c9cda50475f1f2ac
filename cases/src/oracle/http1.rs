//! Reads a response of HTTP/1 as a user agent must: Fetch, HTTP-network fetch, step 8.5, on RFC 9112.
//!
//! It does no I/O: the simulated user agent feeds it what its sockets bring, the oracle the bytes of a script, and both come to
//! the same. Field names stay as they were sent, values are bytes without the white space around them.
//!
//! Where the RFC leaves a choice, the reading is the one that the catalogue demands at level `must`: a NUL in a field value rejects
//! the message, other control characters stay in it. Where the catalogue leaves it open too (level `info`) or has no case, the
//! reading is the strict one: lines end in CRLF, nothing stands before a status line, the version is `HTTP/1.` and a digit, every
//! field line is a token, a colon and a value, and what is otherwise is no response. Two tolerances are left:
//!
//! - obsolete line folding becomes a space, which RFC 9112, section 5.2, demands of user agents;
//! - a status line may end right behind the code (section 4 lets recipients be lenient there), since servers leave out the space
//!   before an absent reason phrase and no other reading of such a line exists.
//!
//! HTTP/0.9, an answer without a status line, is not supported (RFC 9112, appendix C.1).

/// The most bytes of a head with its empty line, of a chunk's size line and of a trailer section.
///
/// RFC 9110, section 5.4, leaves the limit to the recipient.
pub const MAX_HEAD: usize = 256 * 1024;

/// Status line and header fields of a response, interim or final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The digit behind `HTTP/1.`; above 1 it means the same as 1 (RFC 9110, section 2.5).
    pub version_minor: u8,
    /// The status code, 0 to 999: three digits, whatever they are.
    pub status: u16,
    /// The reason phrase, byte by byte; empty when absent.
    pub reason: Vec<u8>,
    /// Names as sent (they are tokens) and values without spaces and tabs around them, in order.
    pub fields: Vec<(String, Vec<u8>)>,
}

/// What is wrong with bytes that are no response.
///
/// Positions count from the start of the bytes that were given; in a body, from the start of the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes do not begin with `HTTP/` (RFC 9112, section 2.3).
    #[error("no status line: byte {at} does not belong to `HTTP/`")]
    NoStatusLine {
        /// The first other byte.
        at: usize,
    },
    /// The version is not `1.` and a digit.
    #[error("the version is not `1.` and a digit, at byte {at}")]
    Version {
        /// The first other byte.
        at: usize,
    },
    /// The status code is not three digits between spaces (RFC 9112, section 4).
    #[error("the status code is not three digits, at byte {at}")]
    StatusCode {
        /// The first other byte.
        at: usize,
    },
    /// White space before the first header field (RFC 9112, section 2.2).
    #[error("white space before the first header field, at byte {at}")]
    LeadingSpace {
        /// The white space.
        at: usize,
    },
    /// A field line without a colon (RFC 9112, section 5).
    #[error("a field line without a colon, at byte {at}")]
    NoColon {
        /// The start of the line.
        at: usize,
    },
    /// A field line that begins with its colon (RFC 9112, section 5).
    #[error("a field without a name, at byte {at}")]
    EmptyName {
        /// The colon.
        at: usize,
    },
    /// White space between a field name and its colon (RFC 9112, section 5.1).
    #[error("white space before the colon, at byte {at}")]
    SpaceBeforeColon {
        /// The white space.
        at: usize,
    },
    /// A byte that is not of a token in a field name (RFC 9110, section 5.1).
    #[error("byte 0x{byte:02X} in a field name, at byte {at}")]
    FieldName {
        /// The byte.
        byte: u8,
        /// Where it stands.
        at: usize,
    },
    /// A NUL in a field value (RFC 9110, section 5.5) or a reason phrase.
    #[error("a NUL, at byte {at}")]
    Nul {
        /// The NUL.
        at: usize,
    },
    /// A CR without an LF behind it (RFC 9112, section 2.2).
    #[error("a CR without LF, at byte {at}")]
    BareCr {
        /// The CR.
        at: usize,
    },
    /// An LF without a CR before it (RFC 9112, section 2.2).
    #[error("an LF without CR, at byte {at}")]
    BareLf {
        /// The LF.
        at: usize,
    },
    /// A head, chunk size line or trailer section longer than [`MAX_HEAD`].
    #[error("more than {MAX_HEAD} bytes without an end, at byte {at}")]
    TooLarge {
        /// The first byte above the limit.
        at: usize,
    },
    /// Content-Length is not one number (RFC 9112, section 6.3, item 5).
    #[error("Content-Length is not one number: {value}")]
    ContentLength {
        /// The values of its fields, joined; odd bytes escaped.
        value: String,
    },
    /// Transfer-Encoding is not a list of transfer codings, or chunked is in it twice or with parameters (RFC 9112, sections 6.1
    /// and 7.1).
    #[error("Transfer-Encoding is no list of transfer codings: {value}")]
    TransferEncoding {
        /// The values of its fields, joined; odd bytes escaped.
        value: String,
    },
    /// The status is 101, and nobody asked for another protocol (RFC 9110, section 7.8).
    #[error("a switch of protocols that was not asked for")]
    UnaskedSwitch,
    /// A chunk does not begin with its size in hexadecimal digits (RFC 9112, section 7.1).
    #[error("no chunk size, at byte {at} of the body")]
    ChunkSize {
        /// The first other byte.
        at: usize,
    },
    /// No CRLF stands behind the data of a chunk (RFC 9112, section 7.1).
    #[error("a chunk goes on behind its size, at byte {at} of the body")]
    ChunkEnd {
        /// The byte in place of the CR or LF.
        at: usize,
    },
}

impl Head {
    /// Whether another head follows this one: its status is from 100 to 199 (HTTP-network fetch, step 8.5).
    ///
    /// # Errors
    ///
    /// The status is 101. A server must not switch to a protocol that was not asked for (RFC 9110, section 7.8), only WebSocket
    /// connections ask, and what follows is not HTTP.
    pub fn is_interim(&self) -> Result<bool, Malformed> {
        match self.status {
            101 => Err(Malformed::UnaskedSwitch),
            status => Ok(matches!(status, 100..=199)),
        }
    }

    /// All values of the fields of one name, joined as one list (RFC 9110, section 5.3); none when there is no such field.
    fn joined(&self, name: &str) -> Option<Vec<u8>> {
        let values: Vec<&[u8]> = self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_slice()).collect();
        (!values.is_empty()).then(|| values.join(&b", "[..]))
    }
}

/// Reads the head, final or interim, at the start of `bytes`, and its length with the empty line; `None` when more bytes are needed.
///
/// It begins anew at each call, so its caller keeps the bytes until the head is whole. The result of a head does not depend on how
/// its bytes were cut.
///
/// # Errors
///
/// The bytes are not the beginning of any response, whatever may follow.
pub fn head(bytes: &[u8]) -> Result<Option<(Head, usize)>, Malformed> {
    head_from(bytes, 0)
}

/// [`head`] at a place within `bytes`, to whose start all positions refer: also that of the end.
fn head_from(bytes: &[u8], start: usize) -> Result<Option<(Head, usize)>, Malformed> {
    let limit = bytes.len().min(start.saturating_add(MAX_HEAD));
    let whole = parse_head(&bytes[..limit], start)?;
    if whole.is_none() && limit - start == MAX_HEAD {
        return Err(Malformed::TooLarge { at: limit });
    }
    Ok(whole)
}

fn parse_head(bytes: &[u8], start: usize) -> Result<Option<(Head, usize)>, Malformed> {
    status_line_start(&bytes[start..], start)?;
    let Some(mut line) = line_at(bytes, start)? else {
        return Ok(None);
    };
    let mut head = status_line(line.content, start)?;
    loop {
        let at = line.next;
        match line_at(bytes, at)? {
            None => return Ok(None),
            Some(next) => line = next,
        }
        match line.content {
            [] => break,
            [b' ' | b'\t', ..] => fold(&mut head, line.content, at)?,
            content => head.fields.push(field(content, at)?),
        }
    }
    for (_, value) in &mut head.fields {
        // A fold at either end of a value has left its space there.
        if trim(value).len() < value.len() {
            *value = trim(value).to_vec();
        }
    }
    Ok(Some((head, line.next)))
}

/// A line, without its CRLF, and where the next one begins.
struct Line<'a> {
    content: &'a [u8],
    next: usize,
}

/// The line that begins at `start`; `None` when its end has not come yet.
///
/// RFC 9112, section 2.2: a recipient may take a single LF for a line end; the strict reading, which this one is, does not. A bare
/// CR makes its element invalid.
fn line_at(bytes: &[u8], start: usize) -> Result<Option<Line<'_>>, Malformed> {
    let Some(length) = bytes[start..].iter().position(|b| matches!(b, b'\r' | b'\n')) else {
        return Ok(None);
    };
    let at = start + length;
    match bytes[at..] {
        [b'\r', b'\n', ..] => Ok(Some(Line { content: &bytes[start..at], next: at + 2 })),
        [b'\r'] => Ok(None),
        [b'\r', ..] => Err(Malformed::BareCr { at }),
        _ => Err(Malformed::BareLf { at }),
    }
}

/// Refuses bytes that no status line begins with as soon as there is one (RFC 9112, section 2.3: the name is case-sensitive).
///
/// Empty lines before it are not skipped: section 2.2 allows that to servers alone.
fn status_line_start(bytes: &[u8], start: usize) -> Result<(), Malformed> {
    const START: &[u8] = b"HTTP/1.";
    match START.iter().zip(bytes).position(|(expected, got)| expected != got) {
        None => Ok(()),
        Some(i) if i < b"HTTP/".len() => Err(Malformed::NoStatusLine { at: start + i }),
        Some(i) => Err(Malformed::Version { at: start + i }),
    }
}

/// RFC 9112, section 4: `HTTP/1.x`, a space, three digits, and a space before the reason phrase.
fn status_line(line: &[u8], start: usize) -> Result<Head, Malformed> {
    let version_minor = match line.get(7) {
        Some(digit) if digit.is_ascii_digit() => digit - b'0',
        _ => return Err(Malformed::Version { at: start + line.len().min(7) }),
    };
    match line.get(8) {
        Some(b' ') => {}
        Some(_) => return Err(Malformed::Version { at: start + 8 }),
        None => return Err(Malformed::StatusCode { at: start + 8 }),
    }
    let mut status = 0;
    for i in 9..12 {
        match line.get(i) {
            Some(digit) if digit.is_ascii_digit() => status = status * 10 + u16::from(digit - b'0'),
            _ => return Err(Malformed::StatusCode { at: start + i }),
        }
    }
    let reason = match &line[12..] {
        // The space behind the code is absent: a tolerance, see the module.
        [] => &[],
        [b' ', reason @ ..] => reason,
        _ => return Err(Malformed::StatusCode { at: start + 12 }),
    };
    refuse_nul(reason, start + line.len() - reason.len())?;
    Ok(Head { version_minor, status, reason: reason.to_vec(), fields: Vec::new() })
}

/// RFC 9112, section 5: a name that is a token, a colon right behind it, and a value.
///
/// Section 5.1 allows no white space before the colon and says only what servers and proxies do about it; like a line without a
/// colon it makes the message invalid, from which a recipient may recover (RFC 9110, section 2.4), and this one does not.
fn field(line: &[u8], start: usize) -> Result<(String, Vec<u8>), Malformed> {
    let colon = line.iter().position(|&b| b == b':').ok_or(Malformed::NoColon { at: start })?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() {
        return Err(Malformed::EmptyName { at: start });
    }
    if let Some(i) = name.iter().position(|&b| !is_token_byte(b)) {
        let at = start + i;
        return Err(match name[i..] {
            [b' ' | b'\t', ref rest @ ..] if trim(rest).is_empty() => Malformed::SpaceBeforeColon { at },
            _ => Malformed::FieldName { byte: name[i], at },
        });
    }
    refuse_nul(value, start + colon + 1)?;
    Ok((name.iter().copied().map(char::from).collect(), trim(value).to_vec()))
}

/// RFC 9112, section 5.2: a user agent must replace each fold (optional white space, CRLF, white space) by spaces; here it is one.
fn fold(head: &mut Head, line: &[u8], start: usize) -> Result<(), Malformed> {
    let Some((_, value)) = head.fields.last_mut() else {
        // Section 2.2: it must be rejected, or ignored with all such lines behind it.
        return Err(Malformed::LeadingSpace { at: start });
    };
    refuse_nul(line, start)?;
    value.push(b' ');
    value.extend_from_slice(trim(line));
    Ok(())
}

/// RFC 9110, section 5.5: a NUL in a field value rejects the message or becomes a space; a header value of Fetch cannot hold it.
///
/// Other control characters are invalid and may be retained, and are.
fn refuse_nul(bytes: &[u8], start: usize) -> Result<(), Malformed> {
    match bytes.iter().position(|&b| b == 0) {
        None => Ok(()),
        Some(i) => Err(Malformed::Nul { at: start + i }),
    }
}

/// Whether a token can hold this byte (RFC 9110, section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Without spaces and tabs around it (OWS; RFC 9110, section 5.6.3).
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// How the end of a body is told (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// It has so many bytes.
    Length(u64),
    /// By the chunked transfer coding.
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

/// How the end of the body behind `head` is told: RFC 9112, section 6.3, in its order.
///
/// Codings other than chunked are not undone: nobody asked for them with TE. A message of HTTP/1.0 with Transfer-Encoding is read
/// like any other; that its connection is not used again (section 6.1) is left to the caller.
///
/// # Errors
///
/// Content-Length or Transfer-Encoding is invalid: the user agent closes the connection and discards the response.
pub fn framing(head: &Head, method_is_head: bool) -> Result<Framing, Malformed> {
    // Item 1: whatever the fields say.
    if method_is_head || matches!(head.status, 100..=199 | 204 | 304) {
        return Ok(Framing::None);
    }
    // Item 2 is about CONNECT, which no page can send. Item 3: Transfer-Encoding overrides Content-Length, even an invalid one.
    if let Some(value) = head.joined("Transfer-Encoding") {
        // Item 4.
        return match ends_chunked(&value) {
            Some(true) => Ok(Framing::Chunked),
            Some(false) => Ok(Framing::UntilClose),
            None => Err(Malformed::TransferEncoding { value: value.escape_ascii().to_string() }),
        };
    }
    // Items 5 and 6.
    if let Some(value) = head.joined("Content-Length") {
        let length = content_length(&value).ok_or_else(|| Malformed::ContentLength { value: value.escape_ascii().to_string() })?;
        return Ok(Framing::Length(length));
    }
    // Item 8.
    Ok(Framing::UntilClose)
}

/// The number that all elements of the list are; too large ones saturate, and such a body never comes to its end.
///
/// Empty elements do not count (RFC 9110, section 5.6.1.2), and one number there must be.
fn content_length(value: &[u8]) -> Option<u64> {
    let mut length: Option<&[u8]> = None;
    for element in value.split(|&b| b == b',').map(trim).filter(|e| !e.is_empty()) {
        if !element.iter().all(u8::is_ascii_digit) {
            return None;
        }
        // Digits are compared, not numbers: two that are too large may differ.
        let zeros = element.iter().take_while(|&&b| b == b'0').count();
        let digits = &element[zeros..];
        if length.is_some_and(|other| other != digits) {
            return None;
        }
        length = Some(digits);
    }
    Some(length?.iter().fold(0, |n: u64, digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0'))))
}

/// Whether chunked is the last transfer coding of the list; `None` when it is not a list of transfer codings (RFC 9110, section
/// 10.1.4), or chunked stands in it twice (RFC 9112, section 6.1) or has parameters (section 7.1).
fn ends_chunked(value: &[u8]) -> Option<bool> {
    let (mut is_last, mut seen) = (false, false);
    for element in unquoted_elements(value).into_iter().map(trim).filter(|e| !e.is_empty()) {
        let end = element.iter().position(|&b| b == b';').unwrap_or(element.len());
        let name = trim(&element[..end]);
        if name.is_empty() || !name.iter().copied().all(is_token_byte) {
            return None;
        }
        is_last = name.eq_ignore_ascii_case(b"chunked");
        if is_last && (seen || end < element.len()) {
            return None;
        }
        seen |= is_last;
    }
    Some(is_last)
}

/// The elements between commas that stand in no quoted string.
fn unquoted_elements(value: &[u8]) -> Vec<&[u8]> {
    let (mut elements, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (i, &byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                elements.push(&value[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    elements.push(&value[start..]);
    elements
}

/// Reads a body from the bytes behind its head, however they are cut.
#[derive(Debug, Clone)]
pub struct BodyReader {
    state: State,
    /// Bytes of the body that were read, framing and all.
    at: usize,
    /// Bytes of the present chunk size line, or of the trailer section.
    overhead: usize,
    fault: Option<Malformed>,
}

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// All of it came.
    Complete,
    /// It is cut short, or its framing is broken.
    Broken,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing.
    Complete,
    /// Content, until the connection ends.
    UntilClose,
    /// So many bytes of content, not none.
    Length(u64),
    /// A digit of a chunk size, or its end when there is one already.
    Size(Option<u64>),
    /// White space behind the size, which only an extension can follow.
    Gap(u64),
    /// The rest of an extension, which is ignored (RFC 9112, section 7.1.1).
    Extension(u64),
    /// The LF behind the size.
    SizeLf(u64),
    /// So many bytes of a chunk, not none.
    Data(u64),
    /// The CR behind a chunk.
    DataCr,
    /// The LF behind a chunk.
    DataLf,
    /// A line of the trailer section, or the empty one behind it.
    TrailerStart,
    /// The rest of a line of the trailer section.
    Trailer,
    /// The LF of such a line, the empty one or another.
    TrailerLf { is_empty: bool },
}

impl BodyReader {
    /// At the start of a body.
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Complete,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size(None),
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, at: 0, overhead: 0, fault: None }
    }

    /// Reads the next bytes, appends their content to `out` and says how many of them belong to the body: fewer than all only when
    /// the body is complete.
    ///
    /// Trailer fields are read over (RFC 9112, section 7.1.2): they never join the head.
    ///
    /// # Errors
    ///
    /// The chunked coding is broken, now or at an earlier call; `out` has got what came before.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Malformed> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let mut used = 0;
        while let [byte, ..] = bytes[used..] {
            let content = match self.state {
                State::Complete => break,
                State::UntilClose => bytes.len() - used,
                State::Length(left) | State::Data(left) => usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - used),
                _ => 0,
            };
            if content > 0 {
                out.extend_from_slice(&bytes[used..used + content]);
                self.state = self.state.after_content(content as u64);
            } else {
                self.state = self.overhead_byte(byte).inspect_err(|fault| self.fault = Some(fault.clone()))?;
            }
            used += content.max(1);
            self.at = self.at.saturating_add(content.max(1));
        }
        Ok(used)
    }

    fn overhead_byte(&mut self, byte: u8) -> Result<State, Malformed> {
        let next = self.state.after(byte, self.at)?;
        let begins_anew = matches!(next, State::Data(_)) || (matches!(self.state, State::SizeLf(_)) && next == State::TrailerStart);
        self.overhead = if begins_anew { 0 } else { self.overhead + 1 };
        if self.overhead > MAX_HEAD {
            return Err(Malformed::TooLarge { at: self.at });
        }
        Ok(next)
    }

    /// Whether all of the body was read. One that ends with the connection is complete only by [`BodyReader::end`].
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// The connection has ended, in order or by a reset: what became of the body (RFC 9112, section 8).
    ///
    /// A chunked body is complete only with the empty line behind its last chunk (section 7.1). A TLS connection that ends without
    /// closure alert counts as reset (section 9.8).
    pub fn end(&mut self, reset: bool) -> BodyEnd {
        if self.state == State::UntilClose && !reset {
            self.state = State::Complete;
        }
        if self.is_complete() { BodyEnd::Complete } else { BodyEnd::Broken }
    }
}

impl State {
    /// After so many bytes of content, no more than are to come.
    fn after_content(self, length: u64) -> Self {
        match self {
            State::Length(left) if left > length => State::Length(left - length),
            State::Length(_) => State::Complete,
            State::Data(left) if left > length => State::Data(left - length),
            State::Data(_) => State::DataCr,
            other => other,
        }
    }

    /// After a byte of the chunked coding (RFC 9112, section 7.1) at `at` that is not content.
    fn after(self, byte: u8, at: usize) -> Result<Self, Malformed> {
        match (self, byte) {
            (State::Complete | State::UntilClose | State::Length(_) | State::Data(_), _) => Ok(self),

            (State::Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                // A size above all numbers stays above them: the chunk never ends.
                Ok(State::Size(Some(size.unwrap_or(0).saturating_mul(16).saturating_add(digit))))
            }
            (State::Size(Some(size)) | State::Extension(size), b'\r') => Ok(State::SizeLf(size)),
            (State::Size(Some(size)) | State::Gap(size), b' ' | b'\t') => Ok(State::Gap(size)),
            (State::Size(Some(size)) | State::Gap(size), b';') => Ok(State::Extension(size)),
            (State::Size(_) | State::Gap(_), _) => Err(Malformed::ChunkSize { at }),
            (State::Extension(_) | State::Trailer | State::TrailerStart, b'\n') => Err(Malformed::BareLf { at }),
            (State::Extension(size), _) => Ok(State::Extension(size)),
            (State::SizeLf(0), b'\n') => Ok(State::TrailerStart),
            (State::SizeLf(size), b'\n') => Ok(State::Data(size)),

            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size(None)),
            (State::DataCr | State::DataLf, _) => Err(Malformed::ChunkEnd { at }),

            (State::TrailerStart, b'\r') => Ok(State::TrailerLf { is_empty: true }),
            (State::Trailer, b'\r') => Ok(State::TrailerLf { is_empty: false }),
            (State::TrailerStart | State::Trailer, _) => Ok(State::Trailer),
            (State::TrailerLf { is_empty: true }, b'\n') => Ok(State::Complete),
            (State::TrailerLf { is_empty: false }, b'\n') => Ok(State::TrailerStart),

            (State::SizeLf(_) | State::TrailerLf { .. }, _) => Err(Malformed::BareCr { at: at.saturating_sub(1) }),
        }
    }
}

/// What becomes of the connection behind the bytes of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It stays open, and no more bytes come.
    Open,
    /// It is closed in order.
    Closed,
    /// It is reset.
    Reset,
}

/// What all bytes of an answer amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whole {
    /// They are no response.
    Malformed(Malformed),
    /// There is no complete final head.
    NoResponse {
        /// The connection is open still and nothing comes; otherwise it has ended.
        silent: bool,
    },
    /// A response.
    Response {
        /// The interim heads before it.
        interim: Vec<Head>,
        /// Its head.
        head: Head,
        /// The content of its body, as far as it came.
        body: Vec<u8>,
        /// Whether that is all.
        end: WholeEnd,
        /// How many bytes stand behind a complete body; a user agent never takes them for a response (RFC 9112, section 6.3).
        rest: usize,
    },
}

/// How the body of a whole answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WholeEnd {
    /// All of it came.
    Complete,
    /// The connection ended within it, or its framing is broken.
    Broken,
    /// It is unfinished, and the connection is open.
    Silent,
}

/// Reads an answer whose bytes are all known.
///
/// Interim responses are skipped (HTTP-network fetch, step 8.5); [`Head::is_interim`] says what comes of 101. The response is there
/// once its head is, so a body that breaks is no fault of the response (step 18).
pub fn response(bytes: &[u8], end: End, method_is_head: bool) -> Whole {
    read_response(bytes, end, method_is_head).unwrap_or_else(Whole::Malformed)
}

fn read_response(bytes: &[u8], end: End, method_is_head: bool) -> Result<Whole, Malformed> {
    let (mut interim, mut start) = (Vec::new(), 0);
    let head = loop {
        let Some((head, next)) = head_from(bytes, start)? else {
            return Ok(Whole::NoResponse { silent: end == End::Open });
        };
        start = next;
        if !head.is_interim()? {
            break head;
        }
        interim.push(head);
    };
    let mut reader = BodyReader::new(framing(&head, method_is_head)?);
    let mut body = Vec::new();
    let fed = reader.feed(&bytes[start..], &mut body);
    let body_end = match (&fed, end) {
        (Err(_), _) => WholeEnd::Broken,
        (Ok(_), _) if reader.is_complete() => WholeEnd::Complete,
        (Ok(_), End::Open) => WholeEnd::Silent,
        (Ok(_), End::Closed | End::Reset) => match reader.end(end == End::Reset) {
            BodyEnd::Complete => WholeEnd::Complete,
            BodyEnd::Broken => WholeEnd::Broken,
        },
    };
    let rest = fed.map_or(0, |used| bytes.len() - start - used);
    Ok(Whole::Response { interim, head, body, end: body_end, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: End = End::Closed;

    fn fields_of(head: &Head) -> Vec<(&str, &[u8])> {
        head.fields.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
    }

    /// The fields of a head with these field lines.
    fn fields(lines: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Malformed> {
        let bytes = [b"HTTP/1.1 200 OK\r\n", lines, b"\r\n\r\nrest"].concat();
        let (head, length) = head(&bytes)?.expect("it ends with an empty line");
        assert_eq!(length, bytes.len() - 4);
        Ok(head.fields)
    }

    /// The framing that these field lines make.
    fn framing_of(status: u16, method_is_head: bool, lines: &str) -> Result<Framing, Malformed> {
        let bytes = format!("HTTP/1.1 {status:03} \r\n{lines}\r\n");
        framing(&head(bytes.as_bytes())?.expect("whole").0, method_is_head)
    }

    /// A response in short: status, content, end, surplus.
    fn short(whole: &Whole) -> Option<(u16, &str, WholeEnd, usize)> {
        match whole {
            Whole::Response { head, body, end, rest, .. } => Some((head.status, std::str::from_utf8(body).expect("ASCII"), *end, *rest)),
            Whole::Malformed(_) | Whole::NoResponse { .. } => None,
        }
    }

    /// Reads a body in pieces of `step` bytes: its content, how many bytes belong to it, and its fault.
    fn feed(framing: Framing, bytes: &[u8], step: usize) -> (BodyReader, Vec<u8>, usize, Option<Malformed>) {
        let (mut reader, mut out, mut used) = (BodyReader::new(framing), Vec::new(), 0);
        for piece in bytes.chunks(step) {
            match reader.feed(piece, &mut out) {
                Ok(n) => used += n,
                Err(fault) => return (reader, out, used, Some(fault)),
            }
        }
        (reader, out, used, None)
    }

    #[test]
    fn status_lines() {
        for (line, minor, status, reason) in [
            (&b"HTTP/1.1 200 OK"[..], 1, 200, &b"OK"[..]),
            (b"HTTP/1.1 200 Quite Fine", 1, 200, b"Quite Fine"),
            (b"HTTP/1.0 404 ", 0, 404, b""),
            (b"HTTP/1.1 404", 1, 404, b""),
            (b"HTTP/1.9 200  two ", 9, 200, b" two "),
            (b"HTTP/1.1 200 \xE9\x01", 1, 200, b"\xE9\x01"),
            (b"HTTP/1.1 600 Odd", 1, 600, b"Odd"),
            (b"HTTP/1.1 999 Odd", 1, 999, b"Odd"),
            (b"HTTP/1.1 007 Odd", 1, 7, b"Odd"),
            (b"HTTP/1.1 000 Odd", 1, 0, b"Odd"),
        ] {
            let bytes = [line, b"\r\n\r\n"].concat();
            let (head, length) = head(&bytes).expect("well formed").expect("whole");
            assert_eq!((head.version_minor, head.status, head.reason.as_slice()), (minor, status, reason), "{}", line.escape_ascii());
            assert_eq!(length, bytes.len());
        }
    }

    #[test]
    fn bytes_that_are_no_status_line() {
        let none = |at| Malformed::NoStatusLine { at };
        let version = |at| Malformed::Version { at };
        let code = |at| Malformed::StatusCode { at };
        for (bytes, expected) in [
            (&b"garbage"[..], none(0)),
            (b"this is no HTTP message\r\n\r\n", none(0)),
            (b"<html>", none(0)),
            (b"\r\nHTTP/1.1 200 OK\r\n\r\n", none(0)),
            (b" HTTP/1.1 200 OK\r\n\r\n", none(0)),
            (b"\xEF\xBB\xBFHTTP/1.1 200 OK\r\n\r\n", none(0)),
            (b"http/1.1 200 OK\r\n\r\n", none(0)),
            (b"HTTP 200 OK\r\n\r\n", none(4)),
            (b"HTTP/2.0 200 OK\r\n\r\n", version(5)),
            (b"HTTP/0.9 200 OK\r\n\r\n", version(5)),
            (b"HTTP/1 200 OK\r\n\r\n", version(6)),
            (b"HTTP/1.\r\n\r\n", version(7)),
            (b"HTTP/1.x 200 OK\r\n\r\n", version(7)),
            (b"HTTP/1.10 200 OK\r\n\r\n", version(8)),
            (b"HTTP/1.1\t200 OK\r\n\r\n", version(8)),
            (b"HTTP/1.1\r\n\r\n", code(8)),
            (b"HTTP/1.1 \r\n\r\n", code(9)),
            (b"HTTP/1.1  200 OK\r\n\r\n", code(9)),
            (b"HTTP/1.1 abc OK\r\n\r\n", code(9)),
            (b"HTTP/1.1 -20 OK\r\n\r\n", code(9)),
            (b"HTTP/1.1 99 OK\r\n\r\n", code(11)),
            (b"HTTP/1.1 20\r\n\r\n", code(11)),
            (b"HTTP/1.1 1000 OK\r\n\r\n", code(12)),
            (b"HTTP/1.1 200OK\r\n\r\n", code(12)),
            (b"HTTP/1.1 200\tOK\r\n\r\n", code(12)),
            (b"HTTP/1.1 200 O\0K\r\n\r\n", Malformed::Nul { at: 14 }),
            (b"HTTP/1.1 200 O\rK\r\n\r\n", Malformed::BareCr { at: 14 }),
            (b"HTTP/1.1 200 OK\n\n", Malformed::BareLf { at: 15 }),
        ] {
            assert_eq!(head(bytes), Err(expected), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn heads_that_may_go_on() {
        for bytes in [
            &b""[..],
            b"H",
            b"HTTP/1.1 2",
            b"HTTP/1.1 abc",
            b"HTTP/1.1 200 OK\r",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nA: b\r\n",
            b"HTTP/1.1 200 OK\r\nA: b\r\n\r",
            b"HTTP/1.1 200 OK\r\nno colon yet",
        ] {
            assert_eq!(head(bytes), Ok(None), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn field_lines() {
        for (lines, expected) in [
            (&b"A: b"[..], &[("A", &b"b"[..])][..]),
            (b"A:b", &[("A", b"b")]),
            (b"aCcess-X: \t b c \t", &[("aCcess-X", b"b c")]),
            (b"A:\t\r\nB:", &[("A", b""), ("B", b"")]),
            (b"A: 1\r\na: 2\r\nA: 1", &[("A", b"1"), ("a", b"2"), ("A", b"1")]),
            (b"A: b: c:", &[("A", b"b: c:")]),
            (b"!#$%&'*+-.^_`|~09azAZ: x", &[("!#$%&'*+-.^_`|~09azAZ", b"x")]),
            // Only spaces and tabs are white space; all bytes but NUL, CR and LF stay.
            (b"A: \x0Bb\x0C\x7F", &[("A", b"\x0Bb\x0C\x7F")]),
            (b"A: \xA0\xFF\xC3\xA9", &[("A", b"\xA0\xFF\xC3\xA9")]),
            (b"A: \xEF\xBB\xBFb", &[("A", b"\xEF\xBB\xBFb")]),
            // Folds.
            (b"A: b\r\n c", &[("A", b"b c")]),
            (b"A: b \t\r\n\t \tc \t\r\nD: e", &[("A", b"b c"), ("D", b"e")]),
            (b"A:\r\n b", &[("A", b"b")]),
            (b"A: b\r\n ", &[("A", b"b")]),
            (b"A: b\r\n \r\n c", &[("A", b"b  c")]),
            (b"A: b\r\n C: d", &[("A", b"b C: d")]),
        ] {
            let found = fields(lines).expect("well formed");
            let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
            assert_eq!(found, expected, "{}", lines.escape_ascii());
        }
    }

    #[test]
    fn lines_that_are_no_fields() {
        // The first line begins at byte 17.
        for (lines, expected) in [
            (&b" A: b"[..], Malformed::LeadingSpace { at: 17 }),
            (b"\tx", Malformed::LeadingSpace { at: 17 }),
            (b"no colon", Malformed::NoColon { at: 17 }),
            (b"A: b\r\nX", Malformed::NoColon { at: 23 }),
            (b": x", Malformed::EmptyName { at: 17 }),
            (b"A : b", Malformed::SpaceBeforeColon { at: 18 }),
            (b"A \t: b", Malformed::SpaceBeforeColon { at: 18 }),
            (b"A b: c", Malformed::FieldName { byte: b' ', at: 18 }),
            (b"\xE9: c", Malformed::FieldName { byte: 0xE9, at: 17 }),
            (b"A\0: c", Malformed::FieldName { byte: 0, at: 18 }),
            (b"A(: c", Malformed::FieldName { byte: b'(', at: 18 }),
            (b"A: b\0c", Malformed::Nul { at: 21 }),
            (b"A: b\0", Malformed::Nul { at: 21 }),
            (b"A:\0", Malformed::Nul { at: 19 }),
            (b"A: b\r\n c\0", Malformed::Nul { at: 25 }),
            (b"A: b\rc", Malformed::BareCr { at: 21 }),
            (b"A: b\r\r\n", Malformed::BareCr { at: 21 }),
            (b"A: b\nB: c", Malformed::BareLf { at: 21 }),
            (b"\n", Malformed::BareLf { at: 17 }),
        ] {
            assert_eq!(fields(lines), Err(expected), "{}", lines.escape_ascii());
        }
    }

    #[test]
    fn faults_say_what_and_where() {
        for (fault, expected) in [
            (Malformed::NoStatusLine { at: 3 }, "no status line: byte 3 does not belong to `HTTP/`"),
            (Malformed::FieldName { byte: 0, at: 18 }, "byte 0x00 in a field name, at byte 18"),
            (Malformed::TooLarge { at: MAX_HEAD }, "more than 262144 bytes without an end, at byte 262144"),
            (framing_of(200, false, "Content-Length: 5, \x0B\r\n").expect_err("no number"), r"Content-Length is not one number: 5, \x0b"),
        ] {
            assert_eq!(fault.to_string(), expected);
        }
    }

    #[test]
    fn a_head_has_a_limit() {
        let start = b"HTTP/1.1 200 OK\r\nA: ";
        let with_value = |length: usize| [&start[..], &vec![b'x'; length], b"\r\n\r\n"].concat();
        let most = MAX_HEAD - start.len() - 4;
        assert_eq!(head(&with_value(most)).expect("within").expect("whole").1, MAX_HEAD);
        let above = with_value(most + 1);
        assert_eq!(head(&above), Err(Malformed::TooLarge { at: MAX_HEAD }));
        assert_eq!(head(&above[..MAX_HEAD]), Err(Malformed::TooLarge { at: MAX_HEAD }));
        assert_eq!(head(&above[..MAX_HEAD - 1]), Ok(None));
        // Each head of an answer has the whole limit.
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        assert!(short(&response(&[&interim[..], &with_value(most)].concat(), CLOSED, false)).is_some());
        let expected = Whole::Malformed(Malformed::TooLarge { at: MAX_HEAD + interim.len() });
        assert_eq!(response(&[&interim[..], &above].concat(), CLOSED, false), expected);
    }

    #[test]
    fn framings() {
        for (lines, expected) in [
            ("", Framing::UntilClose),
            ("A: b\r\n", Framing::UntilClose),
            ("content-LENGTH:\t7 \r\n", Framing::Length(7)),
            ("Content-Length: 0\r\n", Framing::Length(0)),
            ("Content-Length: 007\r\n", Framing::Length(7)),
            ("Content-Length: 5, 5\r\n", Framing::Length(5)),
            ("Content-Length: 5,05,,\t5 ,\r\n", Framing::Length(5)),
            ("Content-Length: 5\r\nContent-length: 5\r\n", Framing::Length(5)),
            ("Content-Length: 18446744073709551615\r\n", Framing::Length(u64::MAX)),
            ("Content-Length: 99999999999999999999\r\n", Framing::Length(u64::MAX)),
            ("Transfer-Encoding: chunked\r\n", Framing::Chunked),
            ("transfer-encoding: gzip, CHUNKED ,\r\n", Framing::Chunked),
            ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", Framing::Chunked),
            ("Transfer-Encoding: a;b=\"c, \\\"d\", chunked\r\n", Framing::Chunked),
            ("Transfer-Encoding: a;b=\"c, chunked\"\r\n", Framing::UntilClose),
            ("Transfer-Encoding: chunked, gzip\r\n", Framing::UntilClose),
            ("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", Framing::UntilClose),
            ("Transfer-Encoding:\r\n", Framing::UntilClose),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Framing::Chunked),
            ("Transfer-Encoding: chunked\r\nContent-Length: x\r\nContent-Length: 5\r\n", Framing::Chunked),
        ] {
            assert_eq!(framing_of(200, false, lines), Ok(expected), "{lines}");
            for status in [0, 205, 299, 404, 600] {
                assert_eq!(framing_of(status, false, lines), Ok(expected), "{status} {lines}");
            }
            for (status, is_head) in [(200, true), (100, false), (103, false), (199, false), (204, false), (304, false)] {
                assert_eq!(framing_of(status, is_head, lines), Ok(Framing::None), "{status} {lines}");
            }
        }
    }

    #[test]
    fn lengths_and_codings_that_are_none() {
        for value in
            ["", ",", "x", "+5", "-1", "5.0", "0x5", "5 5", "5;a", "\"5\"", "5, 6", "5, x", "99999999999999999999, 99999999999999999998"]
        {
            let lines = format!("Content-Length: {value}\r\n");
            assert!(matches!(framing_of(200, false, &lines), Err(Malformed::ContentLength { .. })), "{value}");
            assert_eq!(framing_of(200, true, &lines), Ok(Framing::None));
            assert_eq!(framing_of(304, false, &lines), Ok(Framing::None));
        }
        let two = framing_of(200, false, "Content-Length: 2\r\nA: b\r\ncontent-length: 3\r\n");
        assert_eq!(two, Err(Malformed::ContentLength { value: "2, 3".to_owned() }));
        for value in
            ["chunked, chunked", "chunked;a=b", "chunked ;", "\x0Bchunked", "chun ked", "\"chunked\"", "chunked, ;a", "ch\u{fc}nked"]
        {
            let lines = format!("Transfer-Encoding: {value}\r\nContent-Length: 5\r\n");
            assert!(matches!(framing_of(200, false, &lines), Err(Malformed::TransferEncoding { .. })), "{value}");
        }
    }

    #[test]
    fn bodies() {
        // Framing, bytes, content, bytes that belong to it, complete at once, complete when the connection ends.
        for (framing, bytes, content, used, at_once, at_end) in [
            (Framing::None, "abc", "", 0, true, true),
            (Framing::Length(0), "abc", "", 0, true, true),
            (Framing::Length(2), "abc", "ab", 2, true, true),
            (Framing::Length(3), "abc", "abc", 3, true, true),
            (Framing::Length(4), "abc", "abc", 3, false, false),
            (Framing::Length(u64::MAX), "abc", "abc", 3, false, false),
            (Framing::UntilClose, "abc", "abc", 3, false, true),
            (Framing::UntilClose, "", "", 0, false, true),
            (Framing::Chunked, "", "", 0, false, false),
            (Framing::Chunked, "0\r\n\r\n", "", 5, true, true),
            (Framing::Chunked, "3\r\nabc\r\n0\r\n\r\nHTTP/1.1", "abc", 13, true, true),
            (Framing::Chunked, "3\r\nabc\r\n0\r\n", "abc", 11, false, false),
            (Framing::Chunked, "3\r\nabc\r\n0\r\n\r", "abc", 12, false, false),
            (Framing::Chunked, "3\r\nab", "ab", 5, false, false),
            (Framing::Chunked, "0000a\r\n0123456789\r\n000\r\n\r\n", "0123456789", 26, true, true),
            (Framing::Chunked, "A\r\n0\r\n\r\n01234\r\n0\r\n\r\n", "0\r\n\r\n01234", 20, true, true),
            (Framing::Chunked, "1;a=b;c=\"d;\"\r\nx\r\n1 \t; y\r\nz\r\n0;end\r\n\r\n", "xz", 37, true, true),
            (Framing::Chunked, "1\r\nx\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\nrest", "x", 36, true, true),
            (Framing::Chunked, "1\r\nx\r\n0\r\nA: b", "x", 13, false, false),
            (Framing::Chunked, "ffffffffffffffffffff\r\nabc", "abc", 25, false, false),
        ] {
            for step in 1..=bytes.len().max(1) {
                let (mut reader, out, consumed, fault) = feed(framing, bytes.as_bytes(), step);
                assert_eq!(fault, None, "{bytes}");
                assert_eq!((out.as_slice(), consumed), (content.as_bytes(), used), "{framing:?} {bytes} by {step}");
                assert_eq!(reader.is_complete(), at_once, "{framing:?} {bytes}");
                let after_reset = reader.clone().end(true);
                assert_eq!(after_reset, if at_once { BodyEnd::Complete } else { BodyEnd::Broken }, "{framing:?} {bytes}");
                assert_eq!(reader.end(false), if at_end { BodyEnd::Complete } else { BodyEnd::Broken }, "{framing:?} {bytes}");
                assert_eq!(reader.is_complete(), at_end);
            }
        }
    }

    #[test]
    fn broken_chunks() {
        let size = |at| Malformed::ChunkSize { at };
        for (bytes, content, expected) in [
            ("\r\n", "", size(0)),
            (" 3\r\n", "", size(0)),
            ("x", "", size(0)),
            ("-1\r\n", "", size(0)),
            ("0x3\r\n", "", size(1)),
            (";a\r\n", "", size(0)),
            ("3\nabc", "", size(1)),
            ("3 \r\nabc", "", size(2)),
            ("3 4\r\nabc", "", size(2)),
            ("3\rabc", "", Malformed::BareCr { at: 1 }),
            ("3;a\nabc", "", Malformed::BareLf { at: 3 }),
            ("3;a\r\rabc", "", Malformed::BareCr { at: 3 }),
            ("3\r\nabcd\r\n", "abc", Malformed::ChunkEnd { at: 6 }),
            ("3\r\nabc\n0\r\n\r\n", "abc", Malformed::ChunkEnd { at: 6 }),
            ("3\r\nabc\r0\r\n\r\n", "abc", Malformed::ChunkEnd { at: 7 }),
            ("3\r\nabc\r\n\r\n", "abc", size(8)),
            ("0\r\n\n", "", Malformed::BareLf { at: 3 }),
            ("0\r\nA: b\n\n", "", Malformed::BareLf { at: 7 }),
            ("0\r\nA: b\rc\r\n\r\n", "", Malformed::BareCr { at: 7 }),
            ("0\r\n\rx", "", Malformed::BareCr { at: 3 }),
        ] {
            for step in 1..=bytes.len() {
                let (mut reader, mut out, _, fault) = feed(Framing::Chunked, bytes.as_bytes(), step);
                assert_eq!(fault.as_ref(), Some(&expected), "{bytes:?} by {step}");
                assert_eq!(out, content.as_bytes(), "{bytes:?}");
                assert_eq!(reader.feed(b"", &mut out), Err(expected.clone()), "it stays so");
                assert_eq!((reader.is_complete(), reader.end(false)), (false, BodyEnd::Broken));
            }
        }
    }

    #[test]
    fn what_is_not_content_has_a_limit() {
        let fault = |bytes: &[u8]| feed(Framing::Chunked, bytes, 4096).3;
        let x = vec![b'x'; MAX_HEAD];
        let zeros = vec![b'0'; MAX_HEAD + 1];
        assert_eq!(fault(&zeros), Some(Malformed::TooLarge { at: MAX_HEAD }));
        assert!(matches!(fault(&[b"1;", &x[..]].concat()), Some(Malformed::TooLarge { .. })));
        assert!(matches!(fault(&[b"0\r\n", &x[..], b"x"].concat()), Some(Malformed::TooLarge { .. })));
        // It is not one for all chunks together.
        let chunk = [b"1;", &x[..MAX_HEAD / 2], b"\r\nx\r\n"].concat();
        assert_eq!(fault(&chunk.repeat(5)), None);
    }

    #[test]
    fn whole_answers() {
        use WholeEnd::{Broken, Complete, Silent};
        let ok = "HTTP/1.1 200 OK\r\n";
        let each = |bytes: &str, expected: [Option<(u16, &str, WholeEnd, usize)>; 3]| {
            for (end, expected) in [End::Open, End::Closed, End::Reset].into_iter().zip(expected) {
                assert_eq!(short(&response(bytes.as_bytes(), end, false)), expected, "{bytes:?} {end:?}");
            }
        };
        let all = |found| [Some(found); 3];
        each(&format!("{ok}Content-Length: 2\r\n\r\nok"), all((200, "ok", Complete, 0)));
        each(&format!("{ok}Content-Length: 2\r\n\r\nokay"), all((200, "ok", Complete, 2)));
        each(
            &format!("{ok}Content-Length: 9\r\n\r\nok"),
            [Some((200, "ok", Silent, 0)), Some((200, "ok", Broken, 0)), Some((200, "ok", Broken, 0))],
        );
        each(&format!("{ok}\r\nok"), [Some((200, "ok", Silent, 0)), Some((200, "ok", Complete, 0)), Some((200, "ok", Broken, 0))]);
        each(&format!("{ok}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n."), all((200, "ok", Complete, 1)));
        each(&format!("{ok}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nxyz"), all((200, "ok", Broken, 0)));
        each("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\nabc", all((204, "", Complete, 3)));
        each("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", all((200, "ok", Complete, 0)));
        let head = response(format!("{ok}Content-Length: 9\r\n\r\n").as_bytes(), End::Open, true);
        assert_eq!(short(&head), Some((200, "", Complete, 0)));
    }

    #[test]
    fn interim_responses_are_skipped() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: 1\r\nContent-Length: 5\r\n\r\nHTTP/1.1 199 \r\n\r\n\
                      HTTP/1.1 200 OK\r\nB: 2\r\nContent-Length: 0\r\n\r\n";
        let Whole::Response { interim, head, end, .. } = response(bytes, End::Open, false) else {
            panic!("a response");
        };
        assert_eq!(interim.iter().map(|h| h.status).collect::<Vec<_>>(), [100, 103, 199]);
        assert_eq!(fields_of(&interim[1]), [("A", &b"1"[..]), ("Content-Length", b"5")]);
        assert_eq!((head.status, fields_of(&head)[0], end), (200, ("B", &b"2"[..]), WholeEnd::Complete));
        for (end, silent) in [(End::Open, true), (End::Closed, false), (End::Reset, false)] {
            for bytes in [&b""[..], b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"] {
                assert_eq!(response(bytes, end, false), Whole::NoResponse { silent });
            }
        }
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        assert_eq!(response(switch, CLOSED, false), Whole::Malformed(Malformed::UnaskedSwitch));
        // Positions count from the start of the answer.
        let fault = b"HTTP/1.1 100 \r\n\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        assert_eq!(response(fault, CLOSED, false), Whole::Malformed(Malformed::NoStatusLine { at: 17 }));
    }

    /// What the catalogue's cases with odd answers rest upon; their names stand in front.
    #[test]
    fn the_catalogue() {
        const ORIGIN: &str = "Access-Control-Allow-Origin: http://a";
        let get = |whole: &Whole, name: &str| match whole {
            Whole::Response { head, .. } => head.joined(name).map(|value| value.escape_ascii().to_string()),
            Whole::Malformed(_) | Whole::NoResponse { .. } => None,
        };
        let acao = |whole: &Whole| get(whole, "access-control-allow-origin");
        let body = "Content-Length: 2\r\n\r\nok";
        for (case, lines, expected) in [
            ("cors-check/acao-blank", "Access-Control-Allow-Origin:   ", Some("")),
            ("cors-check/acao-no-space", "Access-Control-Allow-Origin:http://a", Some("http://a")),
            ("cors-check/acao-tabs-and-spaces", "Access-Control-Allow-Origin: \t http://a \t ", Some("http://a")),
            ("cors-check/acao-vt-before", "Access-Control-Allow-Origin: \x0Bhttp://a", Some("\\x0bhttp://a")),
            ("cors-check/acao-ff-after", "Access-Control-Allow-Origin: http://a\x0C", Some("http://a\\x0c")),
            ("bytes/no-nul", "Access-Control-Allow-Origin: http://a\r\nX-A: ab", Some("http://a")),
            ("bytes/nul-in-header", "Access-Control-Allow-Origin: http://a\r\nX-A: a\0b", None),
            ("bytes/nul-in-acao", "Access-Control-Allow-Origin: http://a\0", None),
            ("bytes/folded-value", "Access-Control-Allow-Origin:\r\n http://a", Some("http://a")),
            ("bytes/folded-suffix", "Access-Control-Allow-Origin: http://a\r\n x", Some("http://a x")),
            ("bytes/space-before-colon", "Access-Control-Allow-Origin : http://a", None),
            ("bytes/two-content-lengths", "Access-Control-Allow-Origin: http://a\r\nContent-Length: 3", None),
        ] {
            let whole = response(format!("HTTP/1.1 200 OK\r\n{lines}\r\n{body}").as_bytes(), End::Open, false);
            assert_eq!(acao(&whole).as_deref(), expected, "{case}");
            assert_eq!(matches!(whole, Whole::Malformed(_)), expected.is_none(), "{case}");
        }
        for (case, line) in [
            ("bytes/status-no-number", "HTTP/1.1 abc OK\r\n"),
            ("bytes/bare-lf", "HTTP/1.1 200 OK\n"),
            ("bytes/garbage", "this is no HTTP message\r\n\r\n"),
            ("preflight/answer-no-http", "garbage\r\n\r\n"),
        ] {
            let whole = response(format!("{line}{ORIGIN}\r\n{body}").as_bytes(), End::Open, false);
            assert!(matches!(whole, Whole::Malformed(_)), "{case}");
        }
        for (status, case) in
            [(299, "bytes/status-299"), (304, "cors-check/status-304"), (600, "bytes/status-600"), (999, "bytes/status-999")]
        {
            let whole = response(format!("HTTP/1.1 {status} Odd\r\n{ORIGIN}\r\n{body}").as_bytes(), End::Open, false);
            assert_eq!((short(&whole).map(|s| s.0), acao(&whole).as_deref()), (Some(status), Some("http://a")), "{case}");
        }
        // preflight/answer-cut-in-head
        let cut = format!("HTTP/1.1 204 No Content\r\n{ORIGIN}\r\nAccess-Control-Allow-Me");
        assert_eq!(response(cut.as_bytes(), CLOSED, false), Whole::NoResponse { silent: false });
        // cors-check/trailer-only, trailer-twin
        for (lines, expected) in [("", None), ("Access-Control-Allow-Origin: http://a\r\n", Some("http://a"))] {
            let bytes = format!("HTTP/1.1 200 OK\r\n{lines}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n{ORIGIN}\r\n\r\n");
            let whole = response(bytes.as_bytes(), End::Open, false);
            assert_eq!(acao(&whole).as_deref(), expected);
            assert_eq!(short(&whole), Some((200, "ok", WholeEnd::Complete, 0)));
        }
    }

    const SAMPLES: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc, rest",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 \r\nA: b\r\n c\r\n\
          Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: 1\r\n\r\nrest",
        b"HTTP/1.0 200\r\n\r\nuntil the end\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\nA: b\n\n",
        b"HTTX",
    ];

    /// Reads an answer as a socket brings it: piece by piece, each with what the reader before it left.
    fn piecewise(bytes: &[u8], end: End, pieces: &[usize]) -> Whole {
        let (mut buffer, mut interim) = (Vec::new(), Vec::new());
        let mut present: Option<(Head, BodyReader)> = None;
        let (mut body, mut rest, mut is_broken) = (Vec::new(), 0, false);
        let mut at = 0;
        for &piece in pieces {
            buffer.extend_from_slice(&bytes[at..at + piece]);
            at += piece;
            while present.is_none() {
                match head(&buffer) {
                    // Positions are those of this head; of all of the answer they are to be.
                    Err(_) => return response(&bytes[..at], end, false),
                    Ok(None) => break,
                    Ok(Some((head, length))) => {
                        buffer.drain(..length);
                        match head.is_interim() {
                            Err(fault) => return Whole::Malformed(fault),
                            Ok(true) => interim.push(head),
                            Ok(false) => match framing(&head, false) {
                                Err(fault) => return Whole::Malformed(fault),
                                Ok(framing) => present = Some((head, BodyReader::new(framing))),
                            },
                        }
                    }
                }
            }
            if let Some((_, reader)) = &mut present {
                let fed = reader.feed(&buffer, &mut body);
                is_broken |= fed.is_err();
                rest += fed.map_or(0, |used| buffer.len() - used);
                buffer.clear();
            }
        }
        let Some((head, mut reader)) = present else {
            return Whole::NoResponse { silent: end == End::Open };
        };
        let body_end = match end {
            _ if is_broken => WholeEnd::Broken,
            End::Open if reader.is_complete() => WholeEnd::Complete,
            End::Open => WholeEnd::Silent,
            _ if reader.end(end == End::Reset) == BodyEnd::Complete => WholeEnd::Complete,
            _ => WholeEnd::Broken,
        };
        Whole::Response { interim, head, body, end: body_end, rest }
    }

    #[test]
    fn however_bytes_are_cut_they_come_to_the_same() {
        for bytes in SAMPLES {
            for end in [End::Open, End::Closed, End::Reset] {
                // Every prefix is an answer of its own; one byte at a time, and in two pieces everywhere.
                for length in 0..=bytes.len() {
                    let bytes = &bytes[..length];
                    let whole = response(bytes, end, false);
                    assert_eq!(piecewise(bytes, end, &vec![1; length]), whole, "{}", bytes.escape_ascii());
                    for split in 0..=length {
                        assert_eq!(piecewise(bytes, end, &[split, length - split]), whole, "{} at {split}", bytes.escape_ascii());
                    }
                }
            }
        }
    }

    #[test]
    fn a_prefix_is_unfinished_or_has_the_result_of_the_whole() {
        for bytes in SAMPLES {
            let whole = head(bytes);
            let mut found = Ok(None);
            for length in 0..=bytes.len() {
                let prefix = head(&bytes[..length]);
                assert!(prefix == Ok(None) || prefix == whole, "{} at {length}", bytes.escape_ascii());
                assert!(found == Ok(None) || prefix == found, "it stays so");
                found = prefix;
            }
            assert_eq!(found, whole);
        }
    }

    /// Xorshift: small, and the same in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % limit as u64).expect("below a usize")
        }
    }

    #[test]
    fn random_bytes_do_no_harm_and_cutting_them_neither() {
        const WORDS: &[&[u8]] = &[
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 ",
            b"103 \r\n",
            b"204",
            b"\r\n",
            b"\r",
            b"\n",
            b" ",
            b"\t",
            b":",
            b",",
            b";",
            b"\"",
            b"\\",
            b"\0",
            b"\xFF",
            b"A: b\r\n",
            b"Content-Length: ",
            b"Transfer-Encoding: ",
            b"chunked",
            b"chunked\r\n\r\n",
            b"0\r\n\r\n",
            b"3\r\nabc\r\n",
            b"5",
            b"ffffffffffffffffff",
        ];
        let mut random = Random(0x2545_F491_4F6C_DD1D);
        for round in 0..30_000 {
            let mut bytes = Vec::new();
            if round % 3 != 0 {
                bytes.extend_from_slice(WORDS[0]);
            }
            for _ in 0..random.below(12) {
                match random.below(8) {
                    0 => bytes.push(u8::try_from(random.below(256)).expect("a byte")),
                    _ => bytes.extend_from_slice(WORDS[random.below(WORDS.len())]),
                }
            }
            let mut sample = SAMPLES[random.below(SAMPLES.len())].to_vec();
            let place = random.below(sample.len());
            sample[place] = u8::try_from(random.below(256)).expect("a byte");
            for bytes in [bytes, sample] {
                let mut pieces = Vec::new();
                let mut left = bytes.len();
                while left > 0 {
                    pieces.push(1 + random.below(left.min(9)));
                    left -= pieces[pieces.len() - 1];
                }
                for end in [End::Open, End::Closed, End::Reset] {
                    let whole = response(&bytes, end, false);
                    assert_eq!(piecewise(&bytes, end, &pieces), whole, "{}", bytes.escape_ascii());
                    _ = response(&bytes, end, true);
                }
                for framing in [Framing::None, Framing::Length(4), Framing::Chunked, Framing::UntilClose] {
                    _ = feed(framing, &bytes, 7);
                }
                if let Err(fault) = head(&bytes) {
                    assert!(!fault.to_string().is_empty());
                }
            }
        }
    }
}
