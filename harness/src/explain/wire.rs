//! The wire: every exchange of a request, in order, as far as the network beneath knows it.

use std::net::SocketAddr;

use corscheck_cases::oracle::{
    headers::HeaderList,
    network::{Fault, Outgoing, ReadEnd, host_of, wire_fields},
};
use corscheck_servers::HttpVersion;
use url::Url;

/// How many bytes of a body are kept.
pub const KEPT_BODY: usize = 4096;

/// One request, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Whether it is a CORS-preflight request.
    pub is_preflight: bool,
    /// Where it went.
    pub url: Url,
    /// Its method.
    pub method: String,
    /// Its fields in order, with those of the connection.
    pub request: HeaderList<'static>,
    /// The length of its body.
    pub sent_bytes: usize,
    /// What came of it.
    pub answer: Answer,
    /// What only sockets know of it.
    pub socket: Option<Box<Socket>>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A response.
    Response(Response),
    /// Nobody said what the answer is; this one was taken for it, so that the explanation can go on.
    Assumed(Response),
    /// There is no response.
    Fault(Fault),
}

/// A response.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Reason phrase; empty over HTTP/2.
    pub reason: Vec<u8>,
    /// Fields in order.
    pub headers: HeaderList<'static>,
    /// The first bytes of the body, as far as it was read.
    pub body: Vec<u8>,
    /// How reading it ended; absent when nobody read it to its end.
    pub body_end: Option<ReadEnd>,
}

/// What only sockets know of an exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct Socket {
    /// The server's address, when there was a connection.
    pub server: Option<(SocketAddr, HttpVersion)>,
    /// The head of the request as it was sent; of HTTP/2 a rendering.
    pub sent: Vec<u8>,
    /// The head of the response as it came; where there is none, the bytes that came instead.
    pub received: Vec<u8>,
    /// The time to the head of the response, or to the fault, in milliseconds.
    pub ms: u64,
}

impl Exchange {
    /// An exchange of which the answer is still to come.
    pub fn begun(request: &Outgoing<'_, '_>) -> Self {
        let host = host_of(request.url);
        let mut fields = HeaderList::new();
        for (name, value) in wire_fields(host, &request.headers) {
            fields.append(name.to_owned(), value.into_owned());
        }
        Self {
            is_preflight: request.is_preflight,
            url: request.url.as_ref().clone(),
            method: request.method.to_string(),
            request: fields,
            sent_bytes: request.body.map_or(0, <[u8]>::len),
            answer: Answer::Fault(Fault::Broken("the answer has not come".into())),
            socket: None,
        }
    }

    /// The response, also an assumed one.
    pub fn response(&self) -> Option<&Response> {
        match &self.answer {
            Answer::Response(response) | Answer::Assumed(response) => Some(response),
            Answer::Fault(_) => None,
        }
    }

    /// The same, to be changed.
    pub fn response_mut(&mut self) -> Option<&mut Response> {
        match &mut self.answer {
            Answer::Response(response) | Answer::Assumed(response) => Some(response),
            Answer::Fault(_) => None,
        }
    }

    /// Why there is no response.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.answer {
            Answer::Fault(fault) => Some(fault),
            Answer::Response(_) | Answer::Assumed(_) => None,
        }
    }

    /// Whether the answer is one that nobody gave.
    pub fn is_assumed(&self) -> bool {
        matches!(self.answer, Answer::Assumed(_))
    }

    /// The value of `Origin`, as it was sent.
    pub fn origin(&self) -> Option<String> {
        Some(String::from_utf8_lossy(&self.request.get("Origin")?).into_owned())
    }

    /// What it is an answer to, in words: `the preflight OPTIONS http://…`.
    pub fn title(&self) -> String {
        format!("{}{} {}", if self.is_preflight { "the preflight " } else { "" }, self.method, self.url)
    }
}

impl Response {
    /// A response of which nothing but the head matters.
    pub fn new(status: u16, headers: HeaderList<'static>) -> Self {
        Self { status, reason: Vec::new(), headers, body: Vec::new(), body_end: None }
    }

    /// Whether the status is an ok status (Fetch, ok status).
    pub fn is_ok(&self) -> bool {
        corscheck_cases::oracle::grammar::is_ok_status(self.status)
    }

    /// Whether the status is a redirect status (Fetch, redirect status).
    pub fn is_redirect(&self) -> bool {
        corscheck_cases::oracle::grammar::is_redirect_status(self.status)
    }

    /// The value of a header as text, repeated fields joined; bytes beyond ASCII as the characters of their numbers.
    pub fn text(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| corscheck_cases::oracle::grammar::isomorphic_decode(&value).into_owned())
    }

    /// The elements of a list header, without the white space around them.
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|e| !e.is_empty()).map(str::to_owned).collect()
    }

    /// Whether a list header has this element, whatever its case.
    pub fn lists(&self, name: &str, element: &str) -> bool {
        self.list(name).iter().any(|e| e.eq_ignore_ascii_case(element))
    }

    /// `Access-Control-Allow-Origin`, repeated fields joined.
    pub fn allow_origin(&self) -> Option<String> {
        self.text("Access-Control-Allow-Origin")
    }

    /// Whether caches are told that the answer depends on the request's origin.
    pub fn varies_by_origin(&self) -> bool {
        self.lists("Vary", "Origin") || self.lists("Vary", "*")
    }

    /// An empty body in the content coding that the fields name.
    pub fn empty_body(&self) -> &'static [u8] {
        match self.text("Content-Encoding").unwrap_or_default().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0",
            "deflate" => b"\x78\x9c\x03\0\0\0\0\x01",
            _ => b"",
        }
    }

    /// The first bytes of the body as text.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
