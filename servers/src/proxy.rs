//! The recording proxy of certifications: it stands between browsers and targets, and gives pages any origin there is.
//!
//! A browser is told to use it for http and https. It answers for two kinds of hosts and for nobody else, so that nothing that a browser
//! does besides reaches anybody: hosts of **pages**, which it serves from the caller's router, and hosts of **targets**, to whose address
//! it passes every byte on as it comes, in both directions, and keeps a record. TLS ends here, with a certificate of an authority made for
//! the run. It mends nothing: an answer that is cut off is cut off for the browser, and a connection that a target closes is closed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::Router;
use corscheck_cases::{
    Alias,
    oracle::http1::{self, BodyEnd, BodyReader, framing},
};
use http::Request;
use hyper::{body::Incoming, server, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::{
    Exchange, Fate, HttpVersion, RecordedAnswer, StartError, WireBytes,
    exchange::KEPT_BODY,
    http1::head::{Framing as RequestFraming, Head},
    tls::Identity,
};

/// The query parameter that tells attempts apart.
pub const TOKEN: &str = "corscheck";

/// The largest head of a request that is passed on.
const MOST_HEAD: usize = 256 * 1024;

/// How long a client may be silent between two requests.
const IDLE: Duration = Duration::from_secs(330);

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// What the proxy answers for.
#[derive(Debug, Default)]
pub struct ProxyOptions {
    /// Served at every host of pages.
    pub pages: Router,
    /// The hosts of pages.
    pub page_hosts: BTreeSet<String>,
    /// The hosts of targets, which may get their addresses later.
    pub target_hosts: BTreeSet<String>,
}

/// A proxy that runs until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    identity: Identity,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    options: ProxyOptions,
    targets: Mutex<BTreeMap<String, SocketAddr>>,
    exchanges: Mutex<HashMap<String, Vec<Exchange>>>,
    tls: TlsAcceptor,
    started: Instant,
    connections: AtomicU64,
    sequence: AtomicU64,
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

impl Proxy {
    /// Listens on a loopback port of the system's choice.
    ///
    /// # Errors
    ///
    /// No port, no certificate.
    pub async fn start(options: ProxyOptions) -> Result<Self, StartError> {
        let hosts = options.page_hosts.iter().chain(&options.target_hosts).map(|host| host.trim_end_matches('.').to_owned());
        let identity = Identity::of(hosts.collect())?;
        let tls = TlsAcceptor::from(identity.http1()?);
        let bind = |error| StartError::Bind { alias: Alias::BTls, error };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let shared = Arc::new(Shared {
            options,
            targets: Mutex::default(),
            exchanges: Mutex::default(),
            tls,
            started: Instant::now(),
            connections: AtomicU64::new(0),
            sequence: AtomicU64::new(0),
        });
        let task = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { address, identity, shared, task })
    }

    /// Where browsers find it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The authority of its certificate.
    pub fn ca_pem(&self) -> &str {
        self.identity.ca_pem()
    }

    /// Its certificate itself, the same for all hosts.
    pub fn certificate_pem(&self) -> &str {
        self.identity.leaf_pem()
    }

    /// From here on a host leads to this address; to none, and connections to it fail.
    pub fn lead(&self, host: &str, address: Option<SocketAddr>) {
        let mut targets = self.shared.targets.lock().unwrap_or_else(PoisonError::into_inner);
        match address {
            Some(address) => _ = targets.insert(host.to_owned(), address),
            None => _ = targets.remove(host),
        }
    }

    /// What was recorded of an attempt, in order of arrival; it is forgotten.
    pub fn take(&self, token: &str) -> Vec<Exchange> {
        self.shared.exchanges.lock().unwrap_or_else(PoisonError::into_inner).remove(token).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            // Whatever becomes of a connection is in the record, where it belongs there.
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, shared.clone()))),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Bytes up to and including an empty line; none where the connection ends first.
async fn read_head(stream: &mut dyn Wire, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
    loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            return Ok(Some(at + 4));
        }
        if buffer.len() > MOST_HEAD {
            return Err(io::Error::other("the head is too long"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// One connection of a browser. WebKit speaks TLS with the proxy itself where it is to lead https.
async fn connection(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    let is_tls = timeout(IDLE, stream.peek(&mut first)).await?? == 1 && first[0] == TLS;
    let stream: Box<dyn Wire> = if is_tls { Box::new(timeout(HANDSHAKE, shared.tls.accept(stream)).await??) } else { Box::new(stream) };
    proxied(stream, shared).await
}

/// The first byte of a TLS handshake; no method of HTTP begins with it.
const TLS: u8 = 0x16;

/// What a browser asks of its proxy: a tunnel, or plain requests.
async fn proxied(mut stream: Box<dyn Wire>, shared: Arc<Shared>) -> io::Result<()> {
    const FORBIDDEN: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let mut buffer = Vec::new();
    let Some(end) = timeout(IDLE, read_head(&mut *stream, &mut buffer)).await?? else { return Ok(()) };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method != "CONNECT" {
        // A plain request: pages over http and their WebSockets, and nothing else.
        let rest = ["http://", "ws://"].iter().find_map(|scheme| target.strip_prefix(scheme)).unwrap_or_default();
        let host = rest.split(['/', '?', ':']).next().unwrap_or_default();
        return match shared.options.page_hosts.contains(host) {
            true => pages(Replay { unread: buffer, at: 0, stream }, shared).await,
            false => stream.write_all(FORBIDDEN).await,
        };
    }
    let host = target.rsplit_once(':').map_or(target, |(host, _)| host).to_owned();
    let is_page = shared.options.page_hosts.contains(&host);
    if !is_page && !shared.options.target_hosts.contains(&host) {
        return stream.write_all(FORBIDDEN).await;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    stream.flush().await?;
    let mut unread = buffer.split_off(end);
    if unread.is_empty() && timeout(IDLE, stream.read_buf(&mut unread)).await?? == 0 {
        return Ok(());
    }
    let is_tls = unread[0] == TLS;
    let stream = Replay { unread, at: 0, stream };
    let mut stream: Box<dyn Wire> = if is_tls { Box::new(timeout(HANDSHAKE, shared.tls.accept(stream)).await??) } else { Box::new(stream) };
    if is_page {
        return pages(stream, shared).await;
    }
    pass_on(&mut *stream, &host, &shared).await
}

/// Serves the rest of a connection from the caller's pages.
async fn pages(stream: impl Wire + 'static, shared: Arc<Shared>) -> io::Result<()> {
    let service = service_fn(move |request: Request<Incoming>| {
        let pages = shared.options.pages.clone();
        // To a proxy the target is a whole URL; to a router it is a path.
        let (mut parts, body) = request.into_parts();
        if let Some(path) = parts.uri.path_and_query().map(|path| path.as_str().to_owned())
            && let Ok(uri) = path.parse()
        {
            parts.uri = uri;
        }
        pages.oneshot(Request::from_parts(parts, axum::body::Body::new(body)))
    });
    server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await.map_err(io::Error::other)
}

/// Passes requests on to a target, and its answers back, until either side ends.
async fn pass_on(client: &mut dyn Wire, host: &str, shared: &Arc<Shared>) -> io::Result<()> {
    let address = shared.targets.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied();
    let Some(address) = address else { return Ok(()) };
    let mut target = TcpStream::connect(address).await?;
    target.set_nodelay(true)?;
    let connection = shared.connections.fetch_add(1, Ordering::Relaxed);
    let (mut requests, mut answers) = (Vec::new(), Vec::new());
    loop {
        // A target that closes in between closes for the browser too.
        let end = loop {
            if let Some(at) = requests.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if requests.len() > MOST_HEAD {
                return Ok(());
            }
            tokio::select! {
                read = timeout(IDLE, client.read_buf(&mut requests)) => if read?? == 0 { return Ok(()) },
                read = target.read_buf(&mut answers), if requests.is_empty() => if read? == 0 { return Ok(()) },
            }
        };
        let head: Vec<u8> = requests.drain(..end).collect();
        let recorded = Recorded::begin(shared, connection, &head);
        target.write_all(&head).await?;
        let parsed = Head::parse(&head);
        let (is_head, request_framing) = (parsed.method == b"HEAD", parsed.framing());
        body(client, &mut target, &mut requests, request_framing).await?;
        let ended = answer(client, &mut target, &mut answers, is_head, &recorded).await;
        let fate = match &ended {
            Ok(_) => Fate::Sent,
            Err(error) => Fate::Failed { error: error.to_string() },
        };
        recorded.change(|x| x.answer.fate = fate);
        if !ended.unwrap_or(false) {
            return client.shutdown().await;
        }
    }
}

/// Passes the body of a request on.
async fn body(client: &mut dyn Wire, target: &mut TcpStream, unread: &mut Vec<u8>, framing: RequestFraming) -> io::Result<()> {
    let mut reader = BodyReader::new(match framing {
        RequestFraming::None => return Ok(()),
        RequestFraming::Length(length) => http1::Framing::Length(length),
        RequestFraming::Chunked => http1::Framing::Chunked,
        RequestFraming::Unclear => http1::Framing::UntilClose,
    });
    let mut content = Vec::new();
    loop {
        let used = reader.feed(unread, &mut content).map_err(|e| io::Error::other(e.to_string()))?;
        target.write_all(&unread[..used]).await?;
        unread.drain(..used);
        if reader.is_complete() || client.read_buf(unread).await? == 0 {
            return Ok(());
        }
    }
}

/// Passes an answer back as it comes; gives whether the connection can go on.
async fn answer(
    client: &mut dyn Wire,
    target: &mut TcpStream,
    unread: &mut Vec<u8>,
    is_head: bool,
    recorded: &Recorded,
) -> io::Result<bool> {
    let lost = || io::Error::other("the connection was closed without an answer");
    let head = loop {
        let Some(end) = read_head(target, unread).await? else {
            // What there is of it is passed on, and then nothing: half-sent stays half-sent.
            client.write_all(unread).await?;
            recorded.change(|x| x.answer.head = WireBytes::from(&unread[..]));
            return Err(lost());
        };
        let bytes: Vec<u8> = unread.drain(..end).collect();
        client.write_all(&bytes).await?;
        let Ok(Some((head, _))) = http1::head(&bytes) else {
            recorded.change(|x| x.answer.head = WireBytes::from(&bytes[..]));
            client.write_all(unread).await?;
            return Err(io::Error::other("the head of the answer is malformed"));
        };
        if head.is_interim().unwrap_or(false) {
            continue;
        }
        recorded.change(|x| {
            x.answer.status = Some(head.status);
            x.answer.head = WireBytes::from(&bytes[..]);
        });
        break head;
    };
    let framing = framing(&head, is_head).map_err(|e| io::Error::other(e.to_string()))?;
    let until_close = framing == http1::Framing::UntilClose;
    let mut reader = BodyReader::new(framing);
    let mut content = Vec::new();
    loop {
        let used = reader.feed(unread, &mut content).map_err(|e| io::Error::other(e.to_string()))?;
        // In the record before the browser has it.
        recorded.change(|x| {
            x.answer.body = WireBytes::from(&content[..content.len().min(KEPT_BODY)]);
            x.answer.body_length = content.len() as u64;
            x.answered_us = Some(recorded.now());
        });
        client.write_all(&unread[..used]).await?;
        client.flush().await?;
        unread.drain(..used);
        if reader.is_complete() {
            return Ok(!until_close);
        }
        if target.read_buf(unread).await? == 0 {
            return match reader.end(false) {
                BodyEnd::Complete => Ok(false),
                BodyEnd::Broken => Err(io::Error::other("the answer is cut off")),
            };
        }
    }
}

/// The place of one exchange in the record.
struct Recorded {
    shared: Arc<Shared>,
    token: String,
    index: usize,
}

impl Recorded {
    fn begin(shared: &Arc<Shared>, connection: u64, head: &[u8]) -> Self {
        let parsed = Head::parse(head);
        let request = parsed.record(parsed.framing());
        let token = request
            .query()
            .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix(TOKEN)?.strip_prefix('=')))
            .unwrap_or_default()
            .to_owned();
        let exchange = Exchange {
            at: Alias::BTls,
            step: 0,
            connection,
            sequence: shared.sequence.fetch_add(1, Ordering::Relaxed),
            protocol: HttpVersion::Http1,
            arrived_us: micros(shared.started),
            answered_us: None,
            request,
            answer: RecordedAnswer::default(),
        };
        let mut all = shared.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        let list = all.entry(token.clone()).or_default();
        list.push(exchange);
        Self { shared: shared.clone(), index: list.len() - 1, token }
    }

    fn change(&self, change: impl FnOnce(&mut Exchange)) {
        let mut all = self.shared.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have been taken meanwhile.
        if let Some(exchange) = all.get_mut(&self.token).and_then(|list| list.get_mut(self.index)) {
            change(exchange);
        }
    }

    fn now(&self) -> u64 {
        micros(self.shared.started)
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// A stream that first gives back what was read from it.
struct Replay {
    unread: Vec<u8>,
    at: usize,
    stream: Box<dyn Wire>,
}

impl AsyncRead for Replay {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        let this = &mut *self;
        let rest = &this.unread[this.at..];
        if !rest.is_empty() {
            let length = rest.len().min(buf.remaining());
            buf.put_slice(&rest[..length]);
            this.at += length;
            return std::task::Poll::Ready(Ok(()));
        }
        std::pin::Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Replay {
    fn poll_write(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>, buf: &[u8]) -> std::task::Poll<io::Result<usize>> {
        std::pin::Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
