//! The caller's own pages, on every origin, and the hand-over of a connection to them.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{Router, body::Body};
use http::{HeaderValue, Request, Response, StatusCode, header::CONNECTION};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower::ServiceExt;

use crate::{listener::Origin, socket::Stream};

/// Serves the rest of a connection from the pages, beginning with bytes that were read already.
///
/// Each answer closes the connection, so that the requests of cases come only on connections whose every byte is recorded.
pub(crate) async fn hand_over(stream: Stream, unread: Vec<u8>, origin: Arc<Origin>) {
    let io = TokioIo::new(HandedOver { stream, unread, replayed: 0, ended: Some(Box::pin(origin.life.ended())) });
    let service = service_fn(move |request: Request<Incoming>| {
        let pages = answer(&origin, request);
        async {
            let mut response = pages.await?;
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    // An error is the peer's (garbage, a lost connection) and is answered by hyper where it can be.
    _ = http1::Builder::new().serve_connection(io, service).with_upgrades().await;
}

/// What the pages answer at this origin; their handlers get its alias by `axum::Extension`.
pub(crate) fn answer(
    origin: &Origin,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + Send + use<> {
    let pages: Router = origin.pages.clone();
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(origin.at);
    pages.oneshot(request)
}

/// A stream that first gives back what was read from it, and that fails once the origin has ended: a WebSocket outlives the
/// task of its connection.
struct HandedOver {
    stream: Stream,
    unread: Vec<u8>,
    replayed: usize,
    /// Absent once it has resolved.
    ended: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl AsyncRead for HandedOver {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let rest = &this.unread[this.replayed..];
        if !rest.is_empty() {
            let length = rest.len().min(buf.remaining());
            buf.put_slice(&rest[..length]);
            this.replayed += length;
            return Poll::Ready(Ok(()));
        }
        if this.ended.as_mut().is_none_or(|ended| ended.as_mut().poll(cx).is_ready()) {
            this.ended = None;
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for HandedOver {
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
