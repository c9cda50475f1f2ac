//! Connections that wait no longer than they may: TCP, and TLS on it.

use std::{
    fmt,
    io::{self, ErrorKind, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs},
    sync::Arc,
    time::{Duration, Instant},
};

use corscheck_cases::oracle::network::{Fault, Limits};
use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};
use url::{Host, Url};

use super::client::ClientOptions;

/// Who ends a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// The page's abort.
    Aborted,
    /// The page's timeout.
    TimedOut,
    /// The client's own patience.
    Patience,
}

/// Why a step of an exchange did not come to its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// It took too long.
    Expired(Expiry),
    /// There is no response.
    Fault(Fault),
    /// The connection was lost.
    Lost(io::Error),
}

impl Stop {
    /// The message is broken, in words.
    pub(super) fn broken(why: impl fmt::Display) -> Self {
        Stop::Fault(Fault::Broken(why.to_string().into()))
    }
}

/// Until when a wait lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    expiry: Expiry,
}

impl Deadline {
    /// From now on, by the limits of the page and the client's patience.
    pub(super) fn new(limits: Limits, patience: Duration) -> Self {
        let ms = |ms: Option<u32>| ms.map(|ms| Duration::from_millis(ms.into()));
        let mut earliest = (patience, Expiry::Patience);
        for (after, expiry) in [(ms(limits.timeout_ms), Expiry::TimedOut), (ms(limits.abort_after_ms), Expiry::Aborted)] {
            if let Some(after) = after.filter(|after| *after <= earliest.0) {
                earliest = (after, expiry);
            }
        }
        Self { at: Instant::now() + earliest.0, expiry: earliest.1 }
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Result<Duration, Stop> {
        match self.at.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => Err(Stop::Expired(self.expiry)),
        }
    }
}

/// A connection to a server.
pub(super) struct Connection {
    stream: Stream,
    /// Whether HTTP/2 was agreed on.
    pub(super) is_http2: bool,
    /// The server's address.
    pub(super) peer: SocketAddr,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Connection {
    /// Connects, and shakes hands where the URL is https.
    pub(super) fn open(url: &Url, options: &ClientOptions, tls: &Arc<ClientConfig>, deadline: &Deadline) -> Result<Self, Stop> {
        let unreachable = |why: String| Stop::Fault(Fault::Unreachable(why.into()));
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(unreachable("the URL names no server".to_owned()));
        };
        let addresses = addresses(&host, port, options).map_err(|e| unreachable(format!("{host} has no address: {e}")))?;
        let (socket, peer) = connect(&addresses, options.connect_timeout, deadline)?;
        // Small writes leave at once; a failure only delays them.
        _ = socket.set_nodelay(true);
        if url.scheme() != "https" {
            return Ok(Self { stream: Stream::Plain(socket), is_http2: false, peer });
        }
        let name = match &host {
            Host::Domain(name) => ServerName::try_from((*name).to_owned()).map_err(|e| unreachable(format!("TLS with {host}: {e}")))?,
            Host::Ipv4(ip) => ServerName::from(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => ServerName::from(IpAddr::V6(*ip)),
        };
        let connection = ClientConnection::new(tls.clone(), name).map_err(|e| unreachable(format!("TLS with {host}: {e}")))?;
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            limit(&stream.sock, deadline)?;
            match stream.conn.complete_io(&mut stream.sock) {
                Ok(_) => {}
                Err(e) if is_expiry(&e) => _ = deadline.left()?,
                Err(e) => return Err(unreachable(format!("TLS with {host}: {e}"))),
            }
        }
        let is_http2 = stream.conn.alpn_protocol() == Some(b"h2");
        Ok(Self { stream: Stream::Tls(Box::new(stream)), is_http2, peer })
    }

    /// Sends all of it.
    pub(super) fn write_all(&mut self, mut bytes: &[u8], deadline: &Deadline) -> Result<(), Stop> {
        while !bytes.is_empty() {
            limit(self.socket(), deadline)?;
            match self.write(bytes) {
                Ok(0) => return Err(Stop::Lost(ErrorKind::WriteZero.into())),
                Ok(n) => bytes = &bytes[n..],
                Err(e) if is_expiry(&e) => _ = deadline.left()?,
                Err(e) => return Err(Stop::Lost(e)),
            }
        }
        loop {
            limit(self.socket(), deadline)?;
            match self.flush() {
                Ok(()) => return Ok(()),
                Err(e) if is_expiry(&e) => _ = deadline.left()?,
                Err(e) => return Err(Stop::Lost(e)),
            }
        }
    }

    /// Waits for more bytes; none when the server closed the connection in order.
    pub(super) fn read_some(&mut self, buffer: &mut [u8], deadline: &Deadline) -> Result<usize, Stop> {
        loop {
            limit(self.socket(), deadline)?;
            match self.read(buffer) {
                Ok(n) => return Ok(n),
                Err(e) if is_expiry(&e) => _ = deadline.left()?,
                Err(e) => return Err(Stop::Lost(e)),
            }
        }
    }

    /// The socket beneath.
    pub(super) fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(tls) => &tls.sock,
        }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.read(buffer),
            Stream::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.flush(),
            Stream::Tls(tls) => tls.flush(),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Stream::Tls(tls) = &mut self.stream {
            // A farewell that cannot be sent is no loss.
            _ = tls.sock.set_nonblocking(true);
            tls.conn.send_close_notify();
            _ = tls.conn.write_tls(&mut tls.sock);
        }
        _ = self.socket().shutdown(Shutdown::Both);
    }
}

/// Whether a read or write only took too long; also, a signal may have come between.
fn is_expiry(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Lets no read or write of the socket take longer than what is left.
fn limit(socket: &TcpStream, deadline: &Deadline) -> Result<(), Stop> {
    let left = Some(deadline.left()?);
    socket.set_read_timeout(left).and_then(|()| socket.set_write_timeout(left)).map_err(Stop::Lost)
}

fn connect(addresses: &[SocketAddr], most: Duration, deadline: &Deadline) -> Result<(TcpStream, SocketAddr), Stop> {
    let mut first = None;
    for address in addresses {
        match TcpStream::connect_timeout(address, deadline.left()?.min(most)) {
            Ok(socket) => return Ok((socket, *address)),
            Err(error) => {
                deadline.left()?;
                first.get_or_insert(format!("{address}: {error}"));
            }
        }
    }
    let why = first.unwrap_or_else(|| "the host has no address".to_owned());
    Err(Stop::Fault(Fault::Unreachable(why.into())))
}

/// Where a host is: names below `localhost` are this machine (Let 'localhost' be localhost, section 2), as in browsers.
fn addresses(host: &Host<&str>, port: u16, options: &ClientOptions) -> io::Result<Vec<SocketAddr>> {
    let name = match host {
        Host::Ipv4(ip) => return Ok(vec![SocketAddr::from((*ip, port))]),
        Host::Ipv6(ip) => return Ok(vec![SocketAddr::from((*ip, port))]),
        Host::Domain(name) => *name,
    };
    if let Some(address) = options.resolve.get(&(name.to_owned(), port)) {
        return Ok(vec![*address]);
    }
    let local = name.strip_suffix('.').unwrap_or(name);
    if local == "localhost" || local.ends_with(".localhost") {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]);
    }
    Ok((name, port).to_socket_addrs()?.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_limit_ends_a_wait() {
        let of = |abort_after_ms, timeout_ms| Deadline::new(Limits { abort_after_ms, timeout_ms }, Duration::from_millis(500)).expiry;
        assert_eq!(of(None, None), Expiry::Patience);
        assert_eq!(of(Some(400), None), Expiry::Aborted);
        assert_eq!(of(None, Some(400)), Expiry::TimedOut);
        assert_eq!(of(Some(400), Some(300)), Expiry::TimedOut);
        assert_eq!(of(Some(300), Some(300)), Expiry::Aborted, "as in the oracle, the abort comes first");
        assert_eq!(of(Some(600), Some(700)), Expiry::Patience);
    }

    #[test]
    fn names_below_localhost_are_this_machine() {
        let port = 7;
        let mut options = ClientOptions::default();
        options.resolve.insert(("app.example.com".to_owned(), port), SocketAddr::from((Ipv4Addr::LOCALHOST, 8)));
        let of = |host: &str| {
            let url = Url::parse(&format!("http://{host}/")).expect("a URL");
            addresses(&url.host().expect("a host"), port, &options).expect("addresses")
        };
        let here = [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))];
        for host in ["localhost", "a.localhost", "sub.a.localhost", "a.localhost."] {
            assert_eq!(of(host), here, "{host}");
        }
        assert_eq!(of("127.0.0.2"), [SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), port))]);
        assert_eq!(of("[::1]"), here[1..]);
        assert_eq!(of("app.example.com"), [SocketAddr::from((Ipv4Addr::LOCALHOST, 8))]);
    }
}
