//! Ports and the acceptance of connections.

use std::{
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use axum::Router;
use corscheck_cases::{Alias, topology::Protocol};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    http1, http2,
    recorder::Recorder,
    socket::{Life, Socket, Stream},
};

/// Connections of one listener at the same time; further ones wait in the backlog. Browsers open six per host and profile.
const MAX_CONNECTIONS: usize = 512;

/// Time for a TLS handshake on loopback, on a machine that is busy.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Attempts to find a port that is free on both loopback addresses.
const PORT_ATTEMPTS: usize = 32;

/// What every connection of an origin knows.
pub(crate) struct Origin {
    pub(crate) at: Alias,
    pub(crate) pages: Router,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) life: Arc<Life>,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// A port held on 127.0.0.1, and on `[::1]` where there is one: browsers may try either for a name.
pub(crate) struct Port {
    pub(crate) number: u16,
    sockets: Vec<TcpSocket>,
    is_dual: bool,
}

impl Port {
    /// Holds a port that the system chooses. While it is not listened on, connections to it are refused.
    /// `besides` is another address of this machine that it is held on.
    pub(crate) fn reserve(besides: Option<IpAddr>) -> io::Result<Self> {
        let mut attempt = 0;
        loop {
            let v4 = TcpSocket::new_v4()?;
            v4.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
            let number = v4.local_addr()?.port();
            let elsewhere = besides
                .filter(|address| ![IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].contains(address))
                .map(|address| Self::bind(SocketAddr::new(address, number)));
            let elsewhere = match elsewhere.transpose() {
                // Another number may be free there.
                Err(e) if e.kind() == io::ErrorKind::AddrInUse && attempt < PORT_ATTEMPTS => {
                    attempt += 1;
                    continue;
                }
                elsewhere => elsewhere?,
            };
            match Self::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, number))) {
                Ok(v6) => {
                    return Ok(Self { number, sockets: [v4, v6].into_iter().chain(elsewhere).collect(), is_dual: true });
                }
                // Somebody else's: a browser that tries IPv6 first would meet them. Another number may be free.
                Err(e) if e.kind() == io::ErrorKind::AddrInUse && attempt < PORT_ATTEMPTS => {
                    attempt += 1;
                }
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => return Err(e),
                // There is no IPv6 here, so nobody can be met there.
                Err(_) => {
                    return Ok(Self { number, sockets: [v4].into_iter().chain(elsewhere).collect(), is_dual: false });
                }
            }
        }
    }

    /// Whether it is held on both loopback addresses.
    pub(crate) fn is_dual(&self) -> bool {
        self.is_dual
    }

    fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind(address)?;
        Ok(socket)
    }

    /// Starts to listen.
    pub(crate) fn listen(self) -> io::Result<Vec<Arc<Listener>>> {
        let listen = |socket: TcpSocket| {
            let listener = socket.listen(1024)?;
            Ok(Arc::new(Listener(Mutex::new(Some(listener)))))
        };
        self.sockets.into_iter().map(listen).collect()
    }
}

/// A listening socket that can be closed at once from outside.
pub(crate) struct Listener(Mutex<Option<TcpListener>>);

impl Listener {
    /// Stops to listen: from here on connections are refused.
    pub(crate) fn close(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The next connection; none once closed.
    async fn accept(&self) -> Option<io::Result<TcpStream>> {
        poll_fn(|cx| match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Poll::Ready(None),
            Some(listener) => listener.poll_accept(cx).map(|accepted| Some(accepted.map(|(stream, _)| stream))),
        })
        .await
    }
}

/// Accepts and serves connections until the origin ends; then ends those that are left.
pub(crate) async fn serve(listener: Arc<Listener>, origin: Arc<Origin>) {
    let mut connections = JoinSet::new();
    let mut ended = std::pin::pin!(origin.life.ended());
    loop {
        tokio::select! {
            () = &mut ended => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                None => break,
                Some(Ok(stream)) => drop(connections.spawn(connection(stream, Arc::clone(&origin)))),
                // Out of file descriptors, or a connection that is gone already. The former must not become a busy loop.
                Some(Err(_)) => sleep(Duration::from_millis(20)).await,
            },
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, origin: Arc<Origin>) {
    let socket = Socket::new(stream, Arc::clone(&origin.life));
    let stream = match &origin.tls {
        None => Stream::Plain(socket),
        Some(tls) => match timeout(HANDSHAKE, tls.accept(socket)).await {
            Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
            Ok(Err(_)) | Err(_) => return,
        },
    };
    match origin.at.protocol() {
        Protocol::Http1 => http1::serve(stream, origin).await,
        Protocol::Http2 => http2::serve(stream, origin).await,
        // Such a port is never listened on.
        Protocol::Nothing => {}
    }
}
