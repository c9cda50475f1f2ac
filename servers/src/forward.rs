//! A way to one deployed server, and to no other: what is asked of it goes through here.
//!
//! It listens on loopback, and everything that it takes leads to the one address that it was made for, over TLS where the server speaks
//! that. Bytes are passed on as they come, in both directions, but for the value of `Host` where that is the name by which the asking
//! side knows the server. It sends no more requests in a second than it was told, and none that it was not allowed: then the connection
//! is closed without an answer.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use corscheck_cases::oracle::http1::{self, BodyReader};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, WriteHalf, split},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
    sync::Mutex,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::TlsConnector;

use crate::http1::head::{Framing, Head};

/// The largest head of a request that is passed on.
const MOST_HEAD: usize = 256 * 1024;

/// How long a connection to the server may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long the last answer may take, once the asking side has nothing more to ask.
const LAST: Duration = Duration::from_secs(30);

/// Tells by method and target (as in the request line) whether a request may be sent.
pub type Allows = Arc<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// To whom, and what.
#[derive(Clone)]
pub struct ForwardOptions {
    /// The only address that is ever connected to.
    pub address: SocketAddr,
    /// How TLS is spoken with the server, and its name there; without it, plain.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// The name by which the asking side knows the server: with or without a port, in `Host`.
    pub known_as: String,
    /// What stands in its place.
    pub host: String,
    /// Which requests may be sent.
    pub allows: Allows,
    /// The least time between two requests.
    pub interval: Duration,
}

/// A forwarder that runs until it is dropped.
pub struct Forward {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    options: ForwardOptions,
    /// When the next request may be sent.
    next: Mutex<Instant>,
    sent: AtomicU64,
    refused: AtomicU64,
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

impl Forward {
    /// Listens on a loopback port of the system's choice.
    ///
    /// # Errors
    ///
    /// No port.
    pub async fn start(options: ForwardOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { options, next: Mutex::new(Instant::now()), sent: AtomicU64::new(0), refused: AtomicU64::new(0) });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests it has sent.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// How many it has not, because they were not allowed.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, Arc::clone(&shared)))),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// One connection of the asking side, and one to the server behind it.
async fn connection(client: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let (mut requests, mut answers) = client.into_split();
    let mut unread = Vec::new();
    let Some(head) = shared.head(&mut requests, &mut unread).await? else { return Ok(()) };
    let server = shared.connect().await?;
    let (mut from, mut to) = split(server);
    let mut back = tokio::spawn(async move {
        let copied = tokio::io::copy(&mut from, &mut answers).await;
        _ = answers.shutdown().await;
        copied
    });
    let forth = pass_on(&mut requests, &mut to, unread, head, &shared).await;
    // Without the whole request there is nothing to be answered.
    if forth.is_ok() {
        _ = timeout(LAST, &mut back).await;
    }
    back.abort();
    forth
}

/// Requests, one after the other, until the asking side has no more.
async fn pass_on(
    client: &mut OwnedReadHalf,
    server: &mut WriteHalf<Box<dyn Wire>>,
    mut unread: Vec<u8>,
    first: Vec<u8>,
    shared: &Shared,
) -> io::Result<()> {
    let mut head = first;
    loop {
        let framing = Head::parse(&head).framing();
        server.write_all(&shared.addressed(&head)).await?;
        shared.sent.fetch_add(1, Ordering::Relaxed);
        let mut reader = BodyReader::new(match framing {
            Framing::None => http1::Framing::Length(0),
            Framing::Length(length) => http1::Framing::Length(length),
            Framing::Chunked => http1::Framing::Chunked,
            Framing::Unclear => http1::Framing::UntilClose,
        });
        let mut content = Vec::new();
        loop {
            let used = reader.feed(&unread, &mut content).map_err(|e| io::Error::other(e.to_string()))?;
            server.write_all(&unread[..used]).await?;
            server.flush().await?;
            unread.drain(..used);
            content.clear();
            if reader.is_complete() {
                break;
            }
            if client.read_buf(&mut unread).await? == 0 {
                return Ok(());
            }
        }
        match shared.head(client, &mut unread).await? {
            Some(next) => head = next,
            None => return Ok(()),
        }
    }
}

impl Shared {
    /// The head of the next request, when its turn has come; none where the asking side has no more.
    async fn head(&self, client: &mut OwnedReadHalf, unread: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        let end = loop {
            if let Some(at) = unread.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if unread.len() > MOST_HEAD {
                return Err(io::Error::other("the head is too long"));
            }
            if client.read_buf(unread).await? == 0 {
                return Ok(None);
            }
        };
        let head: Vec<u8> = unread.drain(..end).collect();
        let line = String::from_utf8_lossy(head.split(|b| *b == b'\r').next().unwrap_or_default()).into_owned();
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if !(self.options.allows)(method, target) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(io::Error::other(format!("{method} {target} may not be sent")));
        }
        let turn = {
            let mut next = self.next.lock().await;
            let turn = (*next).max(Instant::now());
            *next = turn + self.options.interval;
            turn
        };
        sleep_until(turn).await;
        Ok(Some(head))
    }

    /// A head with the server's own name in `Host`, where it has the one by which the asking side knows it.
    fn addressed(&self, head: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(head.len());
        for line in head.split_inclusive(|b| *b == b'\n') {
            let value = line.get(..5).filter(|name| name.eq_ignore_ascii_case(b"host:")).map(|_| line[5..].trim_ascii());
            let name = |value: &[u8]| value.split(|b| *b == b':').next() == Some(self.options.known_as.as_bytes());
            match value.filter(|value| name(value)) {
                Some(_) => {
                    out.extend_from_slice(&line[..5]);
                    out.extend_from_slice(format!(" {}\r\n", self.options.host).as_bytes());
                }
                None => out.extend_from_slice(line),
            }
        }
        out
    }

    async fn connect(&self) -> io::Result<Box<dyn Wire>> {
        let stream = timeout(CONNECT, TcpStream::connect(self.options.address)).await??;
        stream.set_nodelay(true)?;
        Ok(match &self.options.tls {
            None => Box::new(stream),
            Some((config, name)) => {
                let connector = TlsConnector::from(Arc::clone(config));
                Box::new(timeout(CONNECT, connector.connect(name.clone(), stream)).await??)
            }
        })
    }
}
