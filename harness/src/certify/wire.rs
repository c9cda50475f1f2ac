//! The wire between certification and target: bytes sent and read as they are, and the simulated user agent's requests.

use std::{
    borrow::Cow,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use corscheck_cases::{
    Alias,
    oracle::{
        headers::HeaderList,
        http1::{self, End, Whole, WholeEnd},
        network::{Fault, Incoming, Limits, Network, Outgoing, Read, ReadEnd},
    },
    text::escape,
};
use corscheck_servers::{Exchange, Fate, HttpVersion, RecordedAnswer, RecordedRequest, WireBytes};
use url::Url;

use crate::{
    explain::wire::Response,
    simulated::client::{Client, ClientOptions, Recorded},
};

/// How long a target may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How many bytes of a body are kept.
const KEPT: usize = 4096;

/// The origin that stands for the target in exchanges.
pub const AT: Alias = Alias::BTls;

/// What came back for bytes that were sent.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The response, where one came.
    pub response: Option<Response>,
    /// Why not, in words.
    pub fault: Option<String>,
    /// How many bytes came.
    pub bytes: usize,
    /// The head of the answer, byte by byte.
    pub head: Vec<u8>,
    /// How long it took.
    pub took: Duration,
    /// The evidence.
    pub exchange: Exchange,
}

/// Sends a request byte by byte on a connection of its own, and reads what comes.
pub fn send(address: SocketAddr, host: &str, (method, target): (&str, &str), lines: &[Vec<u8>]) -> Answered {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    let named = |name: &[u8]| {
        lines.iter().any(|line| line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name) && line[name.len()] == b':')
    };
    if !named(b"host") {
        bytes.extend_from_slice(format!("Host: {host}\r\n").as_bytes());
    }
    for line in lines {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"Connection: close\r\n\r\n");
    let started = Instant::now();
    let mut received = Vec::new();
    let ended = exchange(address, &bytes, &mut received, method == "HEAD");
    let took = started.elapsed();
    let whole = http1::response(&received, if ended.is_ok() { End::Closed } else { End::Open }, method == "HEAD");
    let (response, fault) = match whole {
        Whole::Response { head, body, .. } => (Some(response(head.status, &head.reason, &head.fields, body)), None),
        Whole::Malformed(words) => (None, Some(format!("the answer is malformed: {words}"))),
        Whole::NoResponse { .. } => {
            (None, Some(ended.err().map_or_else(|| "the connection was closed without an answer".to_owned(), |e| e.to_string())))
        }
    };
    let length = received.windows(4).position(|w| w == b"\r\n\r\n").map_or(received.len(), |at| at + 4);
    let exchange = evidence((method, target), &bytes, &received[..length], response.as_ref(), fault.as_deref(), took);
    Answered { response, fault, bytes: received.len(), head: received[..length].to_vec(), took, exchange }
}

fn exchange(address: SocketAddr, bytes: &[u8], received: &mut Vec<u8>, is_head: bool) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let deadline = Instant::now() + PATIENCE;
    // A server may answer, and close, before it has read all.
    let written = stream.write_all(bytes);
    let mut buffer = [0; 16 * 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::other(format!("no answer within {} s", PATIENCE.as_secs())));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer) {
            Ok(0) => return if received.is_empty() { written } else { Ok(()) },
            Ok(n) => received.extend_from_slice(&buffer[..n]),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::other(format!("no answer within {} s", PATIENCE.as_secs())));
            }
            Err(e) if received.is_empty() => return Err(e),
            Err(_) => return Ok(()),
        }
        if matches!(http1::response(received, End::Open, is_head), Whole::Response { end: WholeEnd::Complete, .. }) {
            return Ok(());
        }
    }
}

fn response(status: u16, reason: &[u8], fields: &[(String, Vec<u8>)], body: Vec<u8>) -> Response {
    let mut headers = HeaderList::new();
    for (name, value) in fields {
        headers.append(name.clone(), value.clone());
    }
    Response { status, reason: reason.to_vec(), headers, body, body_end: Some(ReadEnd::Complete) }
}

fn evidence(
    (method, target): (&str, &str),
    sent: &[u8],
    head: &[u8],
    response: Option<&Response>,
    fault: Option<&str>,
    took: Duration,
) -> Exchange {
    let wire = |bytes: &[u8]| WireBytes::from(bytes);
    let body = response.map(|r| &r.body[..]).unwrap_or_default();
    let fields = sent
        .split(|b| *b == b'\n')
        .skip(1)
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
        .map(|line| match line.iter().position(|b| *b == b':') {
            Some(at) => (wire(&line[..at]), wire(line[at + 1..].trim_ascii())),
            None => (wire(line), wire(b"")),
        })
        .collect();
    Exchange {
        at: AT,
        step: 0,
        connection: 0,
        sequence: 0,
        protocol: HttpVersion::Http1,
        arrived_us: 0,
        answered_us: Some(u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
        request: RecordedRequest {
            method: escape(method.as_bytes()),
            target: escape(target.as_bytes()),
            head: Some(WireBytes::from(sent)),
            fields,
            body: WireBytes::default(),
            body_length: 0,
            body_complete: true,
        },
        answer: RecordedAnswer {
            status: response.map(|r| r.status),
            head: wire(head),
            body_length: body.len() as u64,
            body: wire(&body[..body.len().min(KEPT)]),
            fate: match fault {
                None => Fate::Sent,
                Some(words) => Fate::Failed { error: words.to_owned() },
            },
        },
    }
}

/// The target's server, as the simulated user agent reaches it: in the world of pages it is an https origin, on the wire it is a port.
#[derive(Debug)]
pub struct Wire {
    client: Client,
    host: String,
    port: u16,
    methods: Option<Vec<String>>,
    passed: bool,
}

impl Wire {
    /// To the server at an address, which pages know by a host name.
    pub fn new(address: SocketAddr, host: &str) -> Self {
        let mut options = ClientOptions { answer_timeout: PATIENCE, ..ClientOptions::default() };
        options.resolve.insert((host.to_owned(), address.port()), address);
        Self { client: Client::new(options), host: host.to_owned(), port: address.port(), methods: None, passed: false }
    }

    /// The same, where only these methods are really sent: behind a preflight, every other is taken to be granted without being sent, so
    /// that what comes of it is the preflight's doing.
    #[must_use]
    pub fn sending(mut self, methods: Option<&[String]>) -> Self {
        self.methods = methods.map(<[String]>::to_vec);
        self
    }

    /// The exchanges so far, as evidence; and the same as the oracle reads them.
    pub fn take(&mut self) -> Vec<(Exchange, Option<Response>)> {
        self.client.take_records().into_iter().map(recorded).collect()
    }
}

fn recorded(record: Recorded) -> (Exchange, Option<Response>) {
    let target = format!("{}{}", record.url.path(), record.url.query().map(|q| format!("?{q}")).unwrap_or_default());
    let answer = match http1::head(&record.received_head) {
        Ok(Some((head, _))) if record.fault.is_none() => Some(response(head.status, &head.reason, &head.fields, record.received_body)),
        _ => None,
    };
    let fault = record.fault.as_ref().map(|f| match f {
        Fault::Unreachable(words) | Fault::Broken(words) => words.to_string(),
        Fault::StreamOverHttp1 => "a stream over HTTP/1.1".to_owned(),
        Fault::Aborted => "aborted".to_owned(),
        Fault::TimedOut => "timed out".to_owned(),
    });
    (evidence((&record.method, &target), &record.sent_head, &record.received_head, answer.as_ref(), fault.as_deref(), record.took), answer)
}

/// An answer that keeps nothing from whoever asks.
fn granted<'a>(request: &Outgoing<'_, 'a>) -> Incoming<'a, Body<'a>> {
    let mut headers = HeaderList::new();
    if let Some(origin) = request.headers.get("Origin") {
        headers.append("Access-Control-Allow-Origin", origin.into_owned());
        headers.append("Access-Control-Allow-Credentials", &b"true"[..]);
    }
    Incoming { status: 200, status_text: Cow::Borrowed(b""), headers, body: None }
}

/// The body of an answer; none where nothing was sent.
type Body<'a> = Option<<Client as Network<'a>>::Body>;

impl<'a> Network<'a> for Wire {
    type Body = Body<'a>;

    fn exchange(&mut self, request: Outgoing<'_, 'a>) -> Result<Incoming<'a, Self::Body>, Fault> {
        if request.url.host_str() != Some(&self.host) {
            // Nothing is sent to any other host.
            return Err(Fault::Unreachable("certification asks one server alone".into()));
        }
        let is_preflight = request.method == "OPTIONS" && request.headers.contains("Access-Control-Request-Method");
        if !is_preflight && self.methods.as_ref().is_some_and(|methods| methods.iter().all(|m| **m != *request.method)) {
            return if std::mem::take(&mut self.passed) {
                Ok(granted(&request))
            } else {
                Err(Fault::Unreachable(format!("{} may not be sent", request.method).into()))
            };
        }
        self.passed = is_preflight;
        let mut url: Url = request.url.as_ref().clone();
        // The scheme and the port are those of the wire.
        _ = url.set_scheme("http");
        _ = url.set_port(Some(self.port));
        let url = Cow::Owned(url);
        let Incoming { status, status_text, headers, body } = self.client.exchange(Outgoing { url: &url, ..request })?;
        Ok(Incoming { status, status_text, headers, body: Some(body) })
    }

    fn read(&mut self, body: Self::Body, limits: Limits) -> Read<'a> {
        match body {
            Some(body) => <Client as Network<'a>>::read(&mut self.client, body, limits),
            None => Read { bytes: Cow::Borrowed(b""), end: ReadEnd::Complete },
        }
    }

    fn now_ms(&mut self) -> u64 {
        <Client as Network<'a>>::now_ms(&mut self.client)
    }
}
