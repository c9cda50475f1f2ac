//! What the servers answer: a script of messages, well formed or malformed byte by byte.
//!
//! The types are generic over their bytes: [`crate::text::Bytes`] as authored, `Vec<u8>` once bound to a topology and a token.

use crate::topology::Alias;

/// One answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<B> {
    /// Time between the end of the request and the first byte of the answer, in milliseconds.
    pub delay_ms: u32,
    /// What is sent.
    pub message: Message<B>,
    /// What becomes of the connection after it.
    pub then: Then,
}

/// What is sent in answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<B> {
    /// An HTTP response, framed by the server.
    Http(Http<B>),
    /// Exactly these bytes, chunk by chunk, each written by itself.
    Raw(Vec<B>),
    /// No byte at all.
    Nothing,
}

/// An HTTP response whose parts may each be wrong on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http<B> {
    /// Interim (1xx) responses sent before it.
    pub interim: Vec<Interim<B>>,
    /// The status code, 0 to 999.
    pub status: u16,
    /// The reason phrase; the usual one when absent.
    pub reason: Option<B>,
    /// The header fields, in order.
    pub fields: Vec<Field<B>>,
    /// The body.
    pub body: B,
    /// Time between head and body, in milliseconds.
    pub body_delay_ms: u32,
    /// How the end of the body is told.
    pub framing: Framing,
    /// Send only so many bytes of the body, then do as [`Answer::then`] says.
    pub cut: Option<usize>,
}

/// An interim response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interim<B> {
    /// 100 to 199.
    pub status: u16,
    /// Its fields.
    pub fields: Vec<Field<B>>,
}

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field<B> {
    /// Written as `name: value` with one space.
    Pair(B, B),
    /// Written as it is: odd white space, obsolete folding, no colon.
    Line(B),
}

/// How the end of a body is told (RFC 9112, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// A Content-Length with the true length; none where the status or method forbids a body.
    #[default]
    Length,
    /// Chunked transfer coding, in one chunk.
    Chunked,
    /// The end of the connection.
    Close,
    /// A Content-Length with this number, whatever the body is.
    Declared(u64),
}

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Then {
    /// It stays open for the next request.
    #[default]
    Keep,
    /// It is closed in order (FIN).
    Close,
    /// It is reset (RST).
    Reset,
    /// It is left open and silent until the peer closes it or the attempt ends.
    Hang,
}

/// What a server answers at one URL during one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource<B> {
    /// Whose server.
    pub at: Alias,
    /// The path below the token, without a slash at its start; the query is not part of it.
    pub path: String,
    /// Answers to CORS-preflight requests (OPTIONS with Access-Control-Request-Method): the n-th to the n-th, the last one repeats.
    /// Empty: there is no answer scripted, and one that comes is evidence of its own.
    pub preflight: Vec<Answer<B>>,
    /// Answers to all other requests, likewise.
    pub response: Vec<Answer<B>>,
    /// Answers to those of them that are conditional, where they differ: there are none, and they get those of `response`.
    pub revalidation: Vec<Answer<B>>,
}

/// Which answers of a resource are for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asked {
    /// Those to preflights.
    Preflight,
    /// Those to conditional requests.
    Revalidation,
    /// Those to others.
    Response,
}

impl<B> Resource<B> {
    /// Which answers a request gets: it is known by its fields, not by who sent it.
    pub fn asked(&self, is_preflight: bool, is_conditional: bool) -> Asked {
        match () {
            () if is_preflight => Asked::Preflight,
            () if is_conditional && !self.revalidation.is_empty() => Asked::Revalidation,
            () => Asked::Response,
        }
    }

    /// These answers.
    pub fn answers(&self, asked: Asked) -> &[Answer<B>] {
        match asked {
            Asked::Preflight => &self.preflight,
            Asked::Revalidation => &self.revalidation,
            Asked::Response => &self.response,
        }
    }
}

/// Everything the servers answer for one attempt at one case: the resources of each step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Resources by step.
    pub steps: Vec<Vec<Resource<Vec<u8>>>>,
}

impl<B> Answer<B> {
    /// The same answer with other bytes.
    pub fn map<C>(&self, f: &mut dyn FnMut(&B) -> C) -> Answer<C> {
        let message = match &self.message {
            Message::Http(http) => Message::Http(Http {
                interim: http.interim.iter().map(|i| Interim { status: i.status, fields: map_fields(&i.fields, f) }).collect(),
                status: http.status,
                reason: http.reason.as_ref().map(&mut *f),
                fields: map_fields(&http.fields, f),
                body: f(&http.body),
                body_delay_ms: http.body_delay_ms,
                framing: http.framing,
                cut: http.cut,
            }),
            Message::Raw(chunks) => Message::Raw(chunks.iter().map(f).collect()),
            Message::Nothing => Message::Nothing,
        };
        Answer { delay_ms: self.delay_ms, message, then: self.then }
    }
}

fn map_fields<B, C>(fields: &[Field<B>], f: &mut dyn FnMut(&B) -> C) -> Vec<Field<C>> {
    fields
        .iter()
        .map(|field| match field {
            Field::Pair(name, value) => Field::Pair(f(name), f(value)),
            Field::Line(line) => Field::Line(f(line)),
        })
        .collect()
}
