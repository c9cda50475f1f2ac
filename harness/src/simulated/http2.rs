//! HTTP/2 by the `h2` crate, driven on the thread that waits for it: one connection, one stream.
//!
//! What is recorded of heads is a rendering: HTTP/2 compresses them, and the library keeps the fields alone.

use std::{
    future::Future as _,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use corscheck_cases::oracle::{
    http1::Head,
    network::{Outgoing, ReadEnd, host_of, target_of, wire_fields},
};
use h2::{
    RecvStream, SendStream,
    client::{Builder, Connection as Protocol, ResponseFuture, SendRequest},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    client::Recorded,
    connection::{Connection, Deadline, Stop},
};

/// The longest list of fields that is taken.
const MOST_FIELDS: u32 = 256 * 1024;

/// Between two looks at a socket that takes no more bytes: only reading can be waited for.
const WRITE_LOOK: Duration = Duration::from_millis(5);

/// A body whose head is there.
pub(super) struct Body {
    stream: RecvStream,
    driver: Driver,
    /// Kept, since the connection ends without it.
    _requests: SendRequest<Bytes>,
}

/// Sends the request and waits for the heads of its response: the interim ones and the final one.
pub(super) fn exchange(
    connection: Connection,
    request: &Outgoing<'_, '_>,
    deadline: &Deadline,
    record: &mut Recorded,
) -> Result<(Vec<Head>, Head, Body), Stop> {
    let (head, rendered) = request_head(request)?;
    record.sent_head = rendered;
    record.sent_body = request.body.unwrap_or_default().to_vec();
    let socket = connection.socket().try_clone().and_then(|socket| socket.set_nonblocking(true).map(|()| socket)).map_err(Stop::Lost)?;
    let flag = Arc::new(Flag::default());
    let io = Io { connection, is_full: flag.clone() };
    let (mut requests, protocol) = shake_hands(io, &socket, &flag, deadline)?;
    let mut driver = Driver { protocol, socket, flag, ended: None };
    let (response, sending) = requests.send_request(head, request.body.is_none()).map_err(Stop::broken)?;
    let mut interim = Vec::new();
    let body = request.body.map(Bytes::copy_from_slice).unwrap_or_default();
    let mut exchange = Exchange { response, sending: request.body.is_some().then_some(sending), body, interim: Vec::new() };
    let response = driver.drive(deadline, |cx| exchange.poll(cx));
    for (status, fields) in std::mem::take(&mut exchange.interim) {
        let (head, raw) = received_head(status, &fields);
        head.is_interim().map_err(Stop::broken)?;
        record.interim.push(raw);
        interim.push(head);
    }
    let (parts, stream) = response?.map_err(|e| Stop::broken(format!("HTTP/2: {e}")))?.into_parts();
    let (head, raw) = received_head(parts.status, &parts.headers);
    record.received_head = raw;
    Ok((interim, head, Body { stream, driver, _requests: requests }))
}

impl Body {
    /// Reads to the end; gives what came and how it ended. Bodies longer than `most` bytes are broken off.
    pub(super) fn read(mut self, most: usize, deadline: &Deadline) -> (Vec<u8>, Result<ReadEnd, Stop>) {
        let mut content = Vec::new();
        let stream = &mut self.stream;
        let end = self.driver.drive(deadline, |cx| {
            loop {
                match stream.poll_data(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(None) => return Poll::Ready(ReadEnd::Complete),
                    Poll::Ready(Some(Err(_))) => return Poll::Ready(ReadEnd::Broken),
                    Poll::Ready(Some(Ok(bytes))) => {
                        content.extend_from_slice(&bytes);
                        // It fails only for more than was received.
                        _ = stream.flow_control().release_capacity(bytes.len());
                        if content.len() > most {
                            return Poll::Ready(ReadEnd::Broken);
                        }
                    }
                }
            }
        });
        match end {
            Err(Stop::Lost(_) | Stop::Fault(_)) => (content, Ok(ReadEnd::Broken)),
            end => (content, end),
        }
    }
}

/// A request under way.
struct Exchange {
    response: ResponseFuture,
    /// There as long as some of the body is to be sent.
    sending: Option<SendStream<Bytes>>,
    body: Bytes,
    interim: Vec<(StatusCode, HeaderMap)>,
}

impl Exchange {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<http::Response<RecvStream>, h2::Error>> {
        // Whether or not the body could be sent, the response says what became of it.
        self.send(cx);
        while let Poll::Ready(Some(interim)) = self.response.poll_informational(cx) {
            let (parts, ()) = interim?.into_parts();
            self.interim.push((parts.status, parts.headers));
        }
        Pin::new(&mut self.response).poll(cx)
    }

    /// Sends as much of the body as the server takes.
    fn send(&mut self, cx: &mut Context<'_>) {
        while let Some(stream) = &mut self.sending {
            stream.reserve_capacity(self.body.len());
            let capacity = match stream.capacity() {
                0 if !self.body.is_empty() => match stream.poll_capacity(cx) {
                    Poll::Pending => return,
                    Poll::Ready(Some(Ok(capacity))) => capacity,
                    Poll::Ready(_) => {
                        self.sending = None;
                        return;
                    }
                },
                capacity => capacity,
            };
            let part = self.body.split_to(capacity.min(self.body.len()));
            let is_last = self.body.is_empty();
            if stream.send_data(part, is_last).is_err() || is_last {
                self.sending = None;
            }
        }
    }
}

/// What moves the connection while something is waited for.
struct Driver {
    protocol: Protocol<Io, Bytes>,
    /// The socket beneath, not blocking.
    socket: TcpStream,
    flag: Arc<Flag>,
    /// How the connection ended.
    ended: Option<Result<(), h2::Error>>,
}

impl Driver {
    /// Looks again and again until there is what is looked for.
    fn drive<T>(&mut self, deadline: &Deadline, mut look: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Result<T, Stop> {
        let waker = Waker::from(self.flag.clone());
        let mut cx = Context::from_waker(&waker);
        loop {
            if self.ended.is_none()
                && let Poll::Ready(end) = Pin::new(&mut self.protocol).poll(&mut cx)
            {
                self.ended = Some(end);
            }
            if let Poll::Ready(found) = look(&mut cx) {
                return Ok(found);
            }
            if self.flag.take_woken() {
                deadline.left()?;
                continue;
            }
            match &self.ended {
                None => wait(&self.socket, &self.flag, deadline)?,
                Some(Ok(())) => return Err(Stop::broken("the connection ended before a response")),
                Some(Err(error)) => return Err(Stop::broken(format!("HTTP/2: {error}"))),
            }
        }
    }
}

/// The preface is sent; nothing is waited for but room for it.
fn shake_hands(
    io: Io,
    socket: &TcpStream,
    flag: &Arc<Flag>,
    deadline: &Deadline,
) -> Result<(SendRequest<Bytes>, Protocol<Io, Bytes>), Stop> {
    let mut builder = Builder::new();
    builder.enable_push(false).max_header_list_size(MOST_FIELDS);
    let mut handshake = Box::pin(builder.handshake(io));
    let waker = Waker::from(flag.clone());
    loop {
        match handshake.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done.map_err(|e| Stop::broken(format!("HTTP/2: {e}"))),
            Poll::Pending => wait(socket, flag, deadline)?,
        }
    }
}

/// Waits until there is something to read, or for a moment where something is to be written.
fn wait(socket: &TcpStream, flag: &Flag, deadline: &Deadline) -> Result<(), Stop> {
    let left = deadline.left()?;
    let most = if flag.is_full.swap(false, Ordering::Relaxed) { left.min(WRITE_LOOK) } else { left };
    let look = || -> io::Result<()> {
        socket.set_nonblocking(false)?;
        socket.set_read_timeout(Some(most))?;
        // Whatever it gives, the connection itself will see.
        _ = socket.peek(&mut [0]);
        socket.set_nonblocking(true)
    };
    look().map_err(Stop::Lost)
}

/// What a look that found nothing leaves behind.
#[derive(Debug, Default)]
struct Flag {
    /// Something has become ready meanwhile.
    woken: AtomicBool,
    /// The socket took no more bytes.
    is_full: AtomicBool,
}

impl Flag {
    fn take_woken(&self) -> bool {
        self.woken.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
    }
}

/// A connection that does not block, as the library wants it.
struct Io {
    connection: Connection,
    is_full: Arc<Flag>,
}

impl AsyncRead for Io {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.connection.read(buffer.initialize_unfilled()) {
            Ok(n) => {
                buffer.advance(n);
                Poll::Ready(Ok(()))
            }
            // Who waits looks at the socket itself: no waker is needed.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Err(e) => Poll::Ready(Err(e)),
        }
    }
}

impl Io {
    fn written<T>(&self, done: io::Result<T>) -> Poll<io::Result<T>> {
        match done {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                self.is_full.is_full.store(true, Ordering::Relaxed);
                Poll::Pending
            }
            done => Poll::Ready(done),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = self.connection.write(bytes);
        self.written(done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = self.connection.flush();
        self.written(done)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Dropping the connection says goodbye.
        Poll::Ready(Ok(()))
    }
}

/// The request as the library takes it, and a rendering of its head.
fn request_head(request: &Outgoing<'_, '_>) -> Result<(Request<()>, Vec<u8>), Stop> {
    let refused = |what: &str| Stop::broken(format!("HTTP/2 cannot carry {what}"));
    let (host, target) = (host_of(request.url), target_of(request.url));
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| refused("the method"))?;
    let uri = Uri::builder().scheme(request.url.scheme()).authority(host).path_and_query(target).build();
    let mut rendered = format!("{} {target} HTTP/2\r\nhost: {host}\r\n", request.method).into_bytes();
    let mut fields = HeaderMap::new();
    // Those of the connection do not belong here (RFC 9113, section 8.2.2), and Host is `:authority`.
    let of_connection = |name: &str| {
        ["host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].contains(&&*name.to_ascii_lowercase())
    };
    for (name, value) in wire_fields(host, &request.headers).into_iter().filter(|(name, _)| !of_connection(name)) {
        let field = || format!("the field {name}");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused(&field()))?;
        let value = HeaderValue::from_bytes(&value).map_err(|_| refused(&field()))?;
        put_field(&mut rendered, &name, &value);
        fields.try_append(name, value).map_err(|_| refused("so many fields"))?;
    }
    rendered.extend_from_slice(b"\r\n");
    let mut head = Request::new(());
    *head.method_mut() = method;
    *head.uri_mut() = uri.map_err(|_| refused("the URL"))?;
    *head.version_mut() = Version::HTTP_2;
    *head.headers_mut() = fields;
    Ok((head, rendered))
}

/// A head as one of HTTP/1 is, without a reason phrase, and a rendering of it.
fn received_head(status: StatusCode, fields: &HeaderMap) -> (Head, Vec<u8>) {
    let mut rendered = format!("HTTP/2 {}\r\n", status.as_u16()).into_bytes();
    for (name, value) in fields {
        put_field(&mut rendered, name, value);
    }
    rendered.extend_from_slice(b"\r\n");
    let fields = fields.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    (Head { version_minor: 0, status: status.as_u16(), reason: Vec::new(), fields }, rendered)
}

fn put_field(rendered: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    rendered.extend_from_slice(name.as_str().as_bytes());
    rendered.extend_from_slice(b": ");
    rendered.extend_from_slice(value.as_bytes());
    rendered.extend_from_slice(b"\r\n");
}
