//! A network that keeps a record of what goes through it.
//!
//! It reads no body for long: whether a page may read an answer is decided at its head, and streams never end.

use std::borrow::Cow;

use corscheck_cases::oracle::network::{Fault, Incoming, Limits, Network, Outgoing, Read, ReadEnd};

use super::wire::{Answer, Exchange, KEPT_BODY, Response};

/// How long a body is read, in milliseconds.
const MOST_BODY_MS: u32 = 2_000;

/// How much of a body is read.
pub const MOST_BODY: usize = 1024 * 1024;

/// Passes requests on to another network and keeps each exchange.
#[derive(Debug)]
pub struct Recording<'n, N> {
    inner: &'n mut N,
    exchanges: Vec<Exchange>,
}

/// A body that is still to be read, or was read for the record.
#[derive(Debug)]
pub struct Body<'a, B> {
    exchange: usize,
    source: Source<'a, B>,
}

#[derive(Debug)]
enum Source<'a, B> {
    Network(B),
    Read(Read<'a>),
}

impl<'n, N> Recording<'n, N> {
    /// Nothing has gone through it yet.
    pub fn new(inner: &'n mut N) -> Self {
        Self { inner, exchanges: Vec::new() }
    }

    /// What went through it, in order.
    pub fn into_exchanges(self) -> Vec<Exchange> {
        self.exchanges
    }

    /// Reads a body within limits of our own, for the record and for whoever asks.
    fn read_within<'a>(&mut self, exchange: usize, body: N::Body) -> Read<'a>
    where
        N: Network<'a>,
    {
        let read = self.inner.read(body, Limits { abort_after_ms: None, timeout_ms: Some(MOST_BODY_MS) });
        let unfinished = read.end == ReadEnd::TimedOut || read.end == ReadEnd::Broken && read.bytes.len() >= MOST_BODY;
        let Some(response) = self.exchanges[exchange].response_mut() else { return read };
        response.body = read.bytes[..read.bytes.len().min(KEPT_BODY)].to_vec();
        if unfinished {
            // Nobody broke anything: to the algorithms it is a body that is empty.
            return Read { bytes: Cow::Borrowed(response.empty_body()), end: ReadEnd::Complete };
        }
        response.body_end = Some(read.end);
        read
    }
}

impl<'a, N: Network<'a>> Network<'a> for Recording<'_, N> {
    type Body = Body<'a, N::Body>;

    fn exchange(&mut self, request: Outgoing<'_, 'a>) -> Result<Incoming<'a, Self::Body>, Fault> {
        let mut exchange = Exchange::begun(&request);
        let (index, is_preflight) = (self.exchanges.len(), request.is_preflight);
        let answered = self.inner.exchange(request);
        exchange.answer = match &answered {
            Ok(incoming) => Answer::Response(Response {
                status: incoming.status,
                reason: incoming.status_text.to_vec(),
                headers: incoming.headers.clone().into_owned(),
                body: Vec::new(),
                body_end: None,
            }),
            Err(fault) => Answer::Fault(fault.clone()),
        };
        self.exchanges.push(exchange);
        let incoming = answered?;
        // No page ever reads these, and what they say is often the cause: "Disallowed CORS headers".
        let source = if is_preflight || incoming.status >= 400 {
            Source::Read(self.read_within(index, incoming.body))
        } else {
            Source::Network(incoming.body)
        };
        Ok(Incoming {
            status: incoming.status,
            status_text: incoming.status_text,
            headers: incoming.headers,
            body: Body { exchange: index, source },
        })
    }

    fn read(&mut self, body: Self::Body, _: Limits) -> Read<'a> {
        match body.source {
            Source::Read(read) => read,
            Source::Network(inner) => self.read_within(body.exchange, inner),
        }
    }

    fn now_ms(&mut self) -> u64 {
        self.inner.now_ms()
    }
}
