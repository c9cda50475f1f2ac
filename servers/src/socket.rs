//! The stream beneath a connection, plain or TLS, which can be reset and can be ended from outside.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
};
use tokio_rustls::server::TlsStream;

/// Whether an origin still serves; shared by its listeners and connections.
#[derive(Debug)]
pub(crate) struct Life {
    ended: watch::Sender<bool>,
    crashed: AtomicBool,
}

impl Life {
    pub(crate) fn new() -> Self {
        Self { ended: watch::Sender::new(false), crashed: AtomicBool::new(false) }
    }

    /// Ends the origin; connections are closed, or reset if it is to look like a crash.
    pub(crate) fn end(&self, crash: bool) {
        if crash {
            self.crashed.store(true, Ordering::SeqCst);
        }
        self.ended.send_replace(true);
    }

    /// Resolves once the origin has ended.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut ended = self.ended.subscribe();
        async move {
            // An error means that the sender is gone, which is an end as well.
            _ = ended.wait_for(|ended| *ended).await;
        }
    }
}

/// A TCP connection that is reset instead of closed when it, or the crash of its origin, demands.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    life: Arc<Life>,
    reset: bool,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, life: Arc<Life>) -> Self {
        // Chunks of an answer leave when they are written; a failure only delays them.
        _ = stream.set_nodelay(true);
        Self { stream, life, reset: false }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset || self.life.crashed.load(Ordering::SeqCst) {
            // The close that follows then sends RST instead of FIN.
            _ = self.stream.set_zero_linger();
        }
    }
}

/// What a connection reads from and writes to.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    /// Resets the TCP connection, beneath TLS too.
    pub(crate) fn reset(mut self) {
        match &mut self {
            Stream::Plain(socket) => socket.reset = true,
            Stream::Tls(tls) => tls.get_mut().0.reset = true,
        }
    }
}

macro_rules! delegate {
    ($self:ident . $method:ident ( $($argument:expr),* )) => {
        match $self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).$method($($argument),*),
            Stream::Tls(tls) => Pin::new(tls).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self.poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.poll_shutdown(cx))
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
