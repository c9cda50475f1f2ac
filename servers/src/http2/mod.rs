//! HTTP/2, spoken by hyper: the same script and the same record, as far as the library lets them through.
//!
//! What HTTP/2 or the library cannot express (raw bytes, odd field lines, interim responses, a reset of the connection)
//! resets the stream, and the record says why.

mod scripted_body;

use std::{pin::pin, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use corscheck_cases::{
    script::{Answer, Field, Framing, Http, Message, Then},
    text::escape,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{CONTENT_LENGTH, HOST},
    request::Parts,
};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{sync::Notify, time::sleep};

use self::scripted_body::{End, ScriptedBody};
use crate::{
    Fate, HttpVersion, RecordedAnswer, RecordedRequest, WireBytes,
    body::ReceivedBody,
    exchange::KEPT_BODY,
    listener::Origin,
    pages,
    recorder::{Arrival, Attempt, Recording},
    socket::Stream,
};

/// Streams of one connection at the same time.
const MAX_STREAMS: u32 = 256;

/// Serves a connection until one side ends it.
pub(crate) async fn serve(stream: Stream, origin: Arc<Origin>) {
    let id = origin.recorder.connection();
    let close = Arc::new(Notify::new());
    let service = service_fn({
        let close = Arc::clone(&close);
        move |request| exchange(Arc::clone(&origin), id, Arc::clone(&close), request)
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        // The fields are the script's, to the last one.
        .auto_date_header(false)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(256 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    loop {
        tokio::select! {
            // An error is the peer's: every exchange under way notes it by itself.
            _ = &mut connection => return,
            () = close.notified() => connection.as_mut().graceful_shutdown(),
        }
    }
}

/// Resets the stream.
#[derive(Debug, thiserror::Error)]
#[error("the stream is reset")]
struct ResetStream;

async fn exchange(
    origin: Arc<Origin>,
    connection: u64,
    close: Arc<Notify>,
    request: Request<Incoming>,
) -> Result<Response<Body>, ResetStream> {
    let Some((token, path)) = case_of(request.uri().path()) else {
        let Ok(response) = pages::answer(&origin, with_host(request)).await;
        return Ok(response);
    };
    let attempt = origin.recorder.attempt(token);
    let path = path.to_owned();
    let (head, mut incoming) = request.into_parts();
    let arrived = attempt.and_then(|attempt| {
        let request = record(&head, hyper::body::Body::is_end_stream(&incoming));
        let arrival = Arrival { at: origin.at, connection, protocol: HttpVersion::Http2, request };
        origin.recorder.arrive(attempt, arrival, path.as_bytes())
    });
    let Some((mut recording, chosen)) = arrived else {
        return Ok(plain(StatusCode::NOT_FOUND));
    };
    if !hyper::body::Body::is_end_stream(&incoming) {
        receive(&mut incoming, &mut recording).await?;
    }
    let Some(chosen) = chosen else {
        let head = WireBytes::from(&b"HTTP/2 501\r\n\r\n"[..]);
        recording.answer(RecordedAnswer { status: Some(501), head, fate: Fate::Unscripted, ..RecordedAnswer::default() });
        return Ok(plain(StatusCode::NOT_IMPLEMENTED));
    };
    let answer = chosen.answer();
    let response = respond(recording, answer, head.method == Method::HEAD).await?;
    if answer.then == Then::Close {
        close.notify_one();
    }
    Ok(response)
}

/// Token and path of a case's URL.
fn case_of(path: &str) -> Option<(&str, &str)> {
    let below = path.strip_prefix("/t/")?;
    Some(below.split_once('/').unwrap_or((below, "")))
}

/// With a Host field made of `:authority`, where the pages look for it as in HTTP/1.1.
fn with_host(mut request: Request<Incoming>) -> Request<Incoming> {
    let authority = request.uri().authority().and_then(|a| HeaderValue::from_str(a.as_str()).ok());
    if let Some(authority) = authority {
        request.headers_mut().entry(HOST).or_insert(authority);
    }
    request
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn record(head: &Parts, is_bodyless: bool) -> RecordedRequest {
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let field = |(name, value): (&HeaderName, &HeaderValue)| (WireBytes::from(name.as_str().as_bytes()), WireBytes::from(value.as_bytes()));
    RecordedRequest {
        method: escape(head.method.as_str().as_bytes()),
        target: escape(target.as_bytes()),
        head: None,
        fields: head.headers.iter().map(field).collect(),
        body: WireBytes::default(),
        body_length: 0,
        body_complete: is_bodyless,
    }
}

async fn receive(incoming: &mut Incoming, recording: &mut Recording) -> Result<(), ResetStream> {
    let mut body = ReceivedBody::default();
    while let Some(frame) = incoming.frame().await {
        let problem = match frame {
            Err(error) => Some(error.to_string()),
            Ok(frame) if frame.data_ref().is_none_or(|data| body.push(data)) => None,
            Ok(_) => Some("the body of the request is too long".to_owned()),
        };
        if let Some(problem) = problem {
            recording.body(body.kept, body.length, false);
            recording.fail(problem);
            return Err(ResetStream);
        }
    }
    recording.body(body.kept, body.length, true);
    Ok(())
}

async fn respond(mut recording: Recording, answer: &Answer<Vec<u8>>, is_head: bool) -> Result<Response<Body>, ResetStream> {
    pause(recording.attempt(), answer.delay_ms).await?;
    let prepared = match &answer.message {
        Message::Nothing => {
            recording.silent();
            if matches!(answer.then, Then::Keep | Then::Hang) {
                recording.attempt().ended().await;
            }
            return Err(ResetStream);
        }
        Message::Raw(_) => Err("HTTP/2 cannot carry raw bytes".to_owned()),
        Message::Http(_) if answer.then == Then::Reset => Err("over HTTP/2 the connection is not reset".to_owned()),
        Message::Http(http) => fields(http, is_head).map(|fields| (http, fields)),
    };
    match prepared {
        Ok((http, (status, fields))) => Ok(response(recording, http, status, fields, answer.then, is_head)),
        Err(error) => {
            recording.fail(error);
            Err(ResetStream)
        }
    }
}

async fn pause(attempt: &Attempt, ms: u32) -> Result<(), ResetStream> {
    if ms == 0 {
        return Ok(());
    }
    tokio::select! {
        () = sleep(Duration::from_millis(ms.into())) => Ok(()),
        () = attempt.ended() => Err(ResetStream),
    }
}

/// Status and fields as the library takes them, or what it refuses, in words.
fn fields(http: &Http<Vec<u8>>, is_head: bool) -> Result<(StatusCode, HeaderMap), String> {
    if !http.interim.is_empty() {
        return Err("interim responses cannot be sent over HTTP/2 here".to_owned());
    }
    let status = StatusCode::from_u16(http.status).ok().filter(|status| !status.is_informational());
    let status = status.ok_or_else(|| format!("HTTP/2 cannot carry the final status {}", http.status))?;
    let mut fields = HeaderMap::new();
    for field in &http.fields {
        let (name, value) = match field {
            Field::Pair(name, value) => (name, value),
            Field::Line(line) => {
                return Err(format!("HTTP/2 has no field lines: `{}`", escape(line)));
            }
        };
        let refused = || format!("HTTP/2 cannot carry the field `{}: {}`", escape(name), escape(value));
        let name = HeaderName::from_bytes(name).map_err(|_| refused())?;
        // RFC 9113, section 8.2.2; the library would drop them in silence.
        if ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].contains(&name.as_str()) {
            return Err(refused());
        }
        let value = HeaderValue::from_bytes(value).map_err(|_| refused())?;
        fields.try_append(name, value).map_err(|_| "too many fields".to_owned())?;
    }
    let forbids_body = matches!(http.status, 204 | 304);
    match http.framing {
        Framing::Length if !forbids_body && !fields.contains_key(CONTENT_LENGTH) => {
            fields.insert(CONTENT_LENGTH, HeaderValue::from(http.body.len()));
        }
        Framing::Declared(length) => {
            fields.append(CONTENT_LENGTH, HeaderValue::from(length));
        }
        // The end of the stream tells the end of the body.
        Framing::Length | Framing::Chunked | Framing::Close => {}
    }
    if forbids_body && !is_head && !http.body.is_empty() && http.framing != Framing::Length {
        return Err(format!("a body cannot follow the status {} over HTTP/2", http.status));
    }
    Ok((status, fields))
}

fn response(
    mut recording: Recording,
    http: &Http<Vec<u8>>,
    status: StatusCode,
    fields: HeaderMap,
    then: Then,
    is_head: bool,
) -> Response<Body> {
    let is_bodyless = is_head || matches!(http.status, 204 | 304);
    let length = if is_bodyless { 0 } else { http.cut.unwrap_or(usize::MAX).min(http.body.len()) };
    let content = Bytes::copy_from_slice(&http.body[..length]);
    let is_cut = !is_bodyless && length < http.body.len();
    let is_short = matches!(http.framing, Framing::Declared(n) if !is_bodyless && n > length as u64);
    let answer = RecordedAnswer {
        status: Some(status.as_u16()),
        head: render(status, &fields),
        body_length: length as u64,
        body: WireBytes::from(&content[..length.min(KEPT_BODY)]),
        fate: Fate::Pending,
    };
    recording.answer(answer);
    let fate = if is_cut || is_short { Fate::Cut } else { Fate::Sent };
    let body = if !is_cut && content.is_empty() && (is_bodyless || http.body_delay_ms == 0) {
        recording.settle(fate);
        Body::empty()
    } else {
        let end = match (is_cut, then) {
            (false, _) => End::InOrder,
            (true, Then::Hang) => End::Hang,
            (true, _) => End::Reset,
        };
        Body::new(ScriptedBody::new(recording, content, http.body_delay_ms, fate, end))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    response
}

/// The head as a person would write it; what crosses the wire is compressed.
fn render(status: StatusCode, fields: &HeaderMap) -> WireBytes {
    let mut head = format!("HTTP/2 {}\r\n", status.as_u16()).into_bytes();
    for (name, value) in fields {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    WireBytes(head)
}
