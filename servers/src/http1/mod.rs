//! HTTP/1.1, byte by byte: the connection loop and the writing of answers.

pub(crate) mod head;
mod input;
mod raw;

use std::{io, pin::pin, sync::Arc, time::Duration};

use corscheck_cases::{
    compose::{Composed, compose},
    script::{Answer, Field, Http, Message, Then},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use self::{
    head::{Head, Target},
    input::{BodyEnd, HeadEnd, Input},
};
use crate::{
    Fate, HttpVersion, RecordedAnswer, WireBytes,
    exchange::KEPT_BODY,
    listener::Origin,
    pages,
    recorder::{Arrival, Attempt, Recording},
    socket::Stream,
};

const UNKNOWN_TOKEN: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
const UNSCRIPTED: &[u8] = b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n";
const HEAD_TOO_LARGE: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A WebSocket's closing frame without a word (RFC 6455, section 5.5.1).
const CLOSE_FRAME: &[u8] = &[0x88, 0];

/// The end of an answer that is written after its fate is settled (see [`Fate`]): what fits into a socket's buffer.
const TAIL: usize = 32 * 1024;

/// How long a peer may take to close a connection after the server did, before the socket is dropped.
const LINGER: Duration = Duration::from_secs(1);

/// Serves a connection until one side ends it or it is handed over to the pages.
pub(crate) async fn serve(stream: Stream, origin: Arc<Origin>) {
    let id = origin.recorder.connection();
    let mut connection = Connection { stream, input: Input::default(), output: Vec::new(), id };
    loop {
        match connection.exchange(&origin).await {
            Next::Request => {}
            Next::Pages => {
                let unread = connection.input.into_unread();
                return pages::hand_over(connection.stream, unread, origin).await;
            }
            Next::Close => return connection.close().await,
            Next::Reset => return connection.stream.reset(),
            Next::Gone => return,
        }
    }
}

struct Connection {
    stream: Stream,
    input: Input,
    output: Vec<u8>,
    id: u64,
}

/// What becomes of a composed answer once it is sent.
fn fate_of(composed: &Composed) -> Fate {
    if composed.is_short { Fate::Cut } else { Fate::Sent }
}

/// What follows an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Request,
    Pages,
    Close,
    Reset,
    /// Nothing can be said to the peer any more, or nothing should.
    Gone,
}

/// Why an answer stops midway.
enum Stopped {
    /// The token was taken: nobody waits for this answer.
    Taken,
    /// The peer is gone.
    Peer(String),
}

impl Connection {
    /// Reads one request and answers it.
    async fn exchange(&mut self, origin: &Origin) -> Next {
        let length = match self.input.head(&mut self.stream).await {
            HeadEnd::At(length) => length,
            HeadEnd::NotHttp => return Next::Pages,
            HeadEnd::TooLarge => {
                _ = self.stream.write_all(HEAD_TOO_LARGE).await;
                return Next::Close;
            }
            HeadEnd::Closed => return Next::Gone,
        };
        let head = Head::parse(&self.input.unread()[..length]);
        let Target::Case { token, path } = head.target() else {
            return Next::Pages;
        };
        let attempt = std::str::from_utf8(token).ok().and_then(|token| origin.recorder.attempt(token));
        let (has_no_body, expects_continue) = (head.method == b"HEAD", head.expects_continue());
        let (keep, framing, accept) = (head.keeps_connection(), head.framing(), head.websocket_accept());
        let recorded = attempt.and_then(|attempt| {
            let request = head.record(framing);
            let arrival = Arrival { at: origin.at, connection: self.id, protocol: HttpVersion::Http1, request };
            origin.recorder.arrive(attempt, arrival, path)
        });
        self.input.consume(length);

        if expects_continue && framing.has_body() && self.input.unread().is_empty() && self.stream.write_all(CONTINUE).await.is_err() {
            return Next::Gone;
        }
        let (body, end) = self.input.body(&mut self.stream, framing).await;
        let Some((mut recording, chosen)) = recorded else {
            return match self.stream.write_all(UNKNOWN_TOKEN).await {
                Ok(()) if keep && end == BodyEnd::Complete => Next::Request,
                Ok(()) => Next::Close,
                Err(_) => Next::Gone,
            };
        };
        if framing.has_body() {
            recording.body(body.kept, body.length, end == BodyEnd::Complete);
        }
        if end == BodyEnd::Lost {
            recording.fail("the peer closed the connection before its request was complete");
            return Next::Gone;
        }

        let next = match &chosen {
            Some(chosen) => match (accept, &chosen.answer().message) {
                (Some(accept), Message::Http(http)) if http.status == 101 => {
                    self.switch(&mut recording, http.clone(), chosen.answer().delay_ms, accept).await
                }
                _ => self.answer(&mut recording, chosen.answer(), has_no_body).await,
            },
            None => self.unscripted(&mut recording).await,
        };
        match next {
            Ok(Next::Request) if !keep || end != BodyEnd::Complete => Next::Close,
            Ok(next) => next,
            Err(Stopped::Taken) => Next::Close,
            Err(Stopped::Peer(error)) => {
                recording.fail(error);
                Next::Gone
            }
        }
    }

    async fn unscripted(&mut self, recording: &mut Recording) -> Result<Next, Stopped> {
        let head = WireBytes::from(UNSCRIPTED);
        recording.answer(RecordedAnswer { status: Some(501), head, fate: Fate::Unscripted, ..RecordedAnswer::default() });
        write(&mut self.stream, recording.attempt(), UNSCRIPTED).await?;
        Ok(Next::Request)
    }

    /// Opens a WebSocket, and closes it once the peer has said anything.
    async fn switch(&mut self, recording: &mut Recording, mut http: Http<Vec<u8>>, delay_ms: u32, accept: String) -> Result<Next, Stopped> {
        self.pause(recording.attempt(), delay_ms).await?;
        let pair = |name: &str, value: &str| Field::Pair(name.into(), value.into());
        http.fields.extend([pair("Upgrade", "websocket"), pair("Connection", "Upgrade"), pair("Sec-WebSocket-Accept", &accept)]);
        self.output.clear();
        let composed = compose(&http, Then::Keep, false, &mut self.output);
        self.send(recording, &composed, 0).await?;
        if self.input.unread().is_empty() {
            let mut word = [0; 1];
            tokio::select! {
                () = recording.attempt().ended() => {}
                read = self.stream.read(&mut word) => if !matches!(read, Ok(1..)) {
                    return Ok(Next::Gone);
                },
            }
        }
        _ = self.stream.write_all(CLOSE_FRAME).await;
        Ok(Next::Close)
    }

    async fn answer(&mut self, recording: &mut Recording, answer: &Answer<Vec<u8>>, is_head: bool) -> Result<Next, Stopped> {
        self.pause(recording.attempt(), answer.delay_ms).await?;
        let may_keep = match &answer.message {
            Message::Http(http) => {
                self.output.clear();
                let composed = compose(http, answer.then, is_head, &mut self.output);
                self.send(recording, &composed, http.body_delay_ms).await?;
                composed.reusable
            }
            Message::Raw(chunks) => self.send_raw(recording, chunks, answer.then, is_head).await?,
            Message::Nothing => {
                recording.silent();
                // A next request on this connection could only be answered in place of this one.
                return if answer.then == Then::Keep {
                    self.hang(recording.attempt()).await
                } else {
                    self.then(recording, answer.then).await
                };
            }
        };
        match answer.then {
            Then::Keep if !may_keep => Ok(Next::Close),
            then => self.then(recording, then).await,
        }
    }

    async fn then(&mut self, recording: &Recording, then: Then) -> Result<Next, Stopped> {
        match then {
            Then::Keep => Ok(Next::Request),
            Then::Close => Ok(Next::Close),
            Then::Reset => Ok(Next::Reset),
            Then::Hang => self.hang(recording.attempt()).await,
        }
    }

    async fn send(&mut self, recording: &mut Recording, composed: &Composed, body_delay_ms: u32) -> Result<(), Stopped> {
        let kept = &composed.content(&self.output)[..composed.content.len().min(KEPT_BODY)];
        let mut answer = RecordedAnswer {
            status: Some(composed.status),
            head: WireBytes::from(&self.output[composed.head.clone()]),
            body_length: composed.content.len() as u64,
            body: WireBytes::from(kept),
            fate: Fate::Pending,
        };
        let mut start = 0;
        if body_delay_ms > 0 && composed.has_more_than_head {
            recording.answer(answer);
            write(&mut self.stream, recording.attempt(), &self.output[..composed.head.end]).await?;
            start = composed.head.end;
            self.pause(recording.attempt(), body_delay_ms).await?;
            self.write_last(recording, start, fate_of(composed)).await
        } else if self.output.len() > TAIL {
            recording.answer(answer);
            self.write_last(recording, start, fate_of(composed)).await
        } else {
            answer.fate = fate_of(composed);
            recording.answer(answer);
            write(&mut self.stream, recording.attempt(), &self.output).await
        }
    }

    /// Writes the output from `start`, and settles the fate before its last bytes.
    async fn write_last(&mut self, recording: &mut Recording, start: usize, fate: Fate) -> Result<(), Stopped> {
        let tail = self.output.len().saturating_sub(TAIL).max(start);
        if tail > start {
            write(&mut self.stream, recording.attempt(), &self.output[start..tail]).await?;
        }
        recording.settle(fate);
        write(&mut self.stream, recording.attempt(), &self.output[tail..]).await
    }

    /// Writes each chunk by itself. Whether the connection can be used again.
    async fn send_raw(&mut self, recording: &mut Recording, chunks: &[Vec<u8>], then: Then, is_head: bool) -> Result<bool, Stopped> {
        let bytes = chunks.concat();
        let view = raw::view(&bytes, is_head);
        let body = &bytes[view.body_start..];
        recording.answer(RecordedAnswer {
            status: view.status,
            head: WireBytes::from(&bytes[view.head_start..view.body_start]),
            body_length: body.len() as u64,
            body: WireBytes::from(&body[..body.len().min(KEPT_BODY)]),
            fate: Fate::Pending,
        });
        let last = chunks.len().saturating_sub(1);
        for chunk in &chunks[..last] {
            write(&mut self.stream, recording.attempt(), chunk).await?;
        }
        recording.settle(if view.is_cut(then) { Fate::Cut } else { Fate::Sent });
        for chunk in &chunks[last..] {
            write(&mut self.stream, recording.attempt(), chunk).await?;
        }
        Ok(view.is_delimited())
    }

    /// Waits; a peer that goes away meanwhile is noticed.
    async fn pause(&mut self, attempt: &Attempt, ms: u32) -> Result<(), Stopped> {
        if ms == 0 {
            return Ok(());
        }
        let mut elapsed = pin!(sleep(Duration::from_millis(ms.into())));
        loop {
            tokio::select! {
                () = &mut elapsed => return Ok(()),
                () = attempt.ended() => return Err(Stopped::Taken),
                read = self.input.read_ahead(&mut self.stream), if self.input.has_room() => match read {
                    Ok(0) => return Err(Stopped::Peer("the peer closed the connection before the answer was sent".to_owned())),
                    Ok(_) => {}
                    Err(error) => return Err(Stopped::Peer(error.to_string())),
                },
            }
        }
    }

    /// Says nothing until the peer closes or the token is taken.
    async fn hang(&mut self, attempt: &Attempt) -> Result<Next, Stopped> {
        tokio::select! {
            () = attempt.ended() => Ok(Next::Close),
            () = drain(&mut self.stream) => Ok(Next::Gone),
        }
    }

    /// Closes in order. What the peer still sends is read: a socket closed on unread bytes sends RST, which can overtake the
    /// answer.
    async fn close(mut self) {
        if self.stream.shutdown().await.is_ok() {
            _ = timeout(LINGER, drain(&mut self.stream)).await;
        }
    }
}

async fn write(stream: &mut Stream, attempt: &Attempt, bytes: &[u8]) -> Result<(), Stopped> {
    let write = async {
        stream.write_all(bytes).await?;
        // TLS may hold back what did not fit into the socket.
        stream.flush().await
    };
    tokio::select! {
        biased;
        written = write => written.map_err(|error: io::Error| Stopped::Peer(error.to_string())),
        () = attempt.ended() => Err(Stopped::Taken),
    }
}

/// Reads and forgets until the peer closes.
async fn drain(stream: &mut Stream) {
    let mut forgotten = [0; 4096];
    while let Ok(1..) = stream.read(&mut forgotten).await {}
}
