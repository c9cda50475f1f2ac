//! What lies beneath HTTP-network fetch: the one place where a fetch meets a server, real or described.

use std::borrow::Cow;

use url::{Position, Url};

use super::{
    defect::{Defect, Defects},
    headers::HeaderList,
};

/// Answers requests: scripted answers for the oracle, sockets for the simulated user agent.
pub trait Network<'a> {
    /// A response's body that is still to be read.
    type Body;

    /// Sends a request and waits for the head of its response (Fetch, HTTP-network fetch, step 8.5).
    ///
    /// # Errors
    ///
    /// There is no response: the connection or the message was broken, or the limits of the request ended it.
    fn exchange(&mut self, request: Outgoing<'_, 'a>) -> Result<Incoming<'a, Self::Body>, Fault>;

    /// Reads a body to its end.
    fn read(&mut self, body: Self::Body, limits: Limits) -> Read<'a>;

    /// The clock, in milliseconds since any fixed moment.
    fn now_ms(&mut self) -> u64;
}

/// A request as it goes to the wire.
#[derive(Debug)]
pub struct Outgoing<'r, 'a> {
    /// Where to.
    pub url: &'r Cow<'a, Url>,
    /// The method.
    pub method: &'r Cow<'a, str>,
    /// The fields, without those of the connection (Host, Connection, Accept-Encoding …).
    pub headers: HeaderList<'a>,
    /// The body's bytes.
    pub body: Option<&'a [u8]>,
    /// Whether the body is a stream, whose length nobody knows.
    pub streams: bool,
    /// Whether it is a CORS-preflight request.
    pub is_preflight: bool,
    /// Whether it includes credentials: such requests have connections of their own (Fetch, obtain a connection).
    pub credentials: bool,
    /// Whether it needs a connection that nothing was sent on before.
    pub new_connection: bool,
    /// When to give up.
    pub limits: Limits,
    /// What is wrong with the user agent: some defects are of its HTTP.
    pub defects: &'r Defects,
}

impl Outgoing<'_, '_> {
    /// Whether it asks for another protocol: a WebSocket's opening handshake. No script can set this field.
    pub fn asks_for_websocket(&self) -> bool {
        self.headers.contains("Sec-WebSocket-Key")
    }
}

/// When the page gives a request up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// The page aborts so many milliseconds after everything else has gone as far as it goes.
    pub abort_after_ms: Option<u32>,
    /// XMLHttpRequest's timeout, in milliseconds.
    pub timeout_ms: Option<u32>,
}

/// The head of a response.
#[derive(Debug)]
pub struct Incoming<'a, B> {
    /// Status code.
    pub status: u16,
    /// Reason phrase; empty over HTTP/2.
    pub status_text: Cow<'a, [u8]>,
    /// Fields in order.
    pub headers: HeaderList<'a>,
    /// The body, still to be read.
    pub body: B,
}

/// A body that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<'a> {
    /// Its bytes, as far as they came.
    pub bytes: Cow<'a, [u8]>,
    /// How it ended.
    pub end: ReadEnd,
}

/// How reading a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadEnd {
    /// Every byte came.
    Complete,
    /// The connection ended too early, or the framing is broken.
    Broken,
    /// The page aborted.
    Aborted,
    /// The timeout passed.
    TimedOut,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No connection.
    Unreachable(Cow<'static, str>),
    /// The body is a stream, and the connection speaks HTTP/1.x.
    StreamOverHttp1,
    /// The connection or the message was broken.
    Broken(Cow<'static, str>),
    /// The page aborted.
    Aborted,
    /// The timeout passed.
    TimedOut,
}

/// The fields as they are written: those of the connection, which HTTP adds (HTTP-network-or-cache fetch, step 8.20), and those of
/// one name as one field (RFC 9110, section 5.3).
pub fn wire_fields<'h>(host: &'h str, headers: &'h HeaderList<'_>) -> Vec<(&'h str, Cow<'h, [u8]>)> {
    let mut fields = Vec::with_capacity(headers.len() + 3);
    fields.push(("Host", Cow::Borrowed(host.as_bytes())));
    if !headers.contains("Connection") {
        fields.push(("Connection", Cow::Borrowed(&b"keep-alive"[..])));
    }
    for header in headers.iter() {
        if !fields.iter().any(|(name, _)| header.name.eq_ignore_ascii_case(name)) {
            // It is there: this is its first field.
            fields.push((&header.name, headers.get(&header.name).unwrap_or_default()));
        }
    }
    if !headers.contains("Accept-Encoding") {
        fields.push(("Accept-Encoding", Cow::Borrowed(&b"gzip, deflate"[..])));
    }
    fields
}

/// A part of a URL, borrowed for as long as the URL is.
pub(super) fn part_of<'a>(url: &Cow<'a, Url>, part: impl Fn(&Url) -> &str) -> Cow<'a, str> {
    match url {
        Cow::Borrowed(url) => Cow::Borrowed(part(url)),
        Cow::Owned(url) => Cow::Owned(part(url).to_owned()),
    }
}

/// The value of `Host`: host and port, without a default port.
pub fn host_of(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// Path and query, as on the request line.
pub fn target_of(url: &Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}

/// Names and values of fields, as they were received.
pub type Fields = [(String, Vec<u8>)];

/// The header list of a response, given the first interim response before it (HTTP-network fetch, step 8.5: they are passed over).
///
/// The status is there only where a defect takes the interim response for the response: then nothing follows its head.
pub fn accepted<'h>(interim: Option<(u16, &'h Fields)>, fields: &'h Fields, defects: &Defects) -> (Option<u16>, HeaderList<'h>) {
    let mut headers = HeaderList::with_capacity(fields.len());
    let mut append = |fields: &'h Fields| fields.iter().for_each(|(n, v)| headers.append(n.as_str(), v.as_slice()));
    if let Some((status, fields)) = interim {
        if defects.has(Defect::InterimFinal) {
            append(fields);
            return (Some(status), headers);
        }
        if defects.has(Defect::AcaoFromInterim) {
            append(fields);
        }
    }
    append(fields);
    (None, headers)
}
