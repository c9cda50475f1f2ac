//! The HTTP client of the simulated user agent: it writes and reads every byte itself, and keeps a record of them.
//!
//! ```no_run
//! use corscheck::simulated::client::{Client, ClientOptions};
//! use corscheck_cases::oracle::{Call, Path, UserAgent, scenario::environment};
//! # fn with(call: &Call, environment: &corscheck_cases::oracle::Environment) {
//! let mut client = Client::new(ClientOptions::default());
//! let mut path = Path::new();
//! let view = UserAgent::new().call(call, environment, &mut client, &mut path);
//! for exchange in client.records() {
//!     println!("{} {}: {} bytes of head", exchange.method, exchange.url, exchange.received_head.len());
//! }
//! # }
//! ```

use std::{
    borrow::Cow,
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use corscheck_cases::oracle::{
    defect::Defect,
    http1::Head,
    network::{Fault, Incoming, Limits, Network, Outgoing, Read, ReadEnd, accepted},
};
use corscheck_servers::HttpVersion;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem, pem::PemObject},
};
use url::Url;

use super::{
    connection::{Connection, Deadline, Expiry, Stop},
    http1, http2,
};

/// How a client reaches servers.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The authorities whose certificates are trusted.
    pub roots: RootCertStore,
    /// Where to connect to instead of asking for the address of a host, by host and port.
    pub resolve: HashMap<(String, u16), SocketAddr>,
    /// How long one address may take to accept a connection.
    pub connect_timeout: Duration,
    /// How long a server may take: from the request to the head of its response, and from there to the end of the body.
    pub answer_timeout: Duration,
    /// Bodies of more bytes are broken off.
    pub most_body: usize,
}

impl Default for ClientOptions {
    /// Trusts nobody, and waits no longer than the agents in browsers do.
    fn default() -> Self {
        Self {
            roots: RootCertStore::empty(),
            resolve: HashMap::new(),
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(10),
            most_body: 64 * 1024 * 1024,
        }
    }
}

/// A certificate that cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// It is no PEM.
    #[error("no certificate in PEM: {0}")]
    Pem(pem::Error),
    /// It is no certificate.
    #[error("not a certificate: {0}")]
    Certificate(#[from] rustls::Error),
}

impl ClientOptions {
    /// Trusts the authorities of a PEM text besides.
    ///
    /// # Errors
    ///
    /// Something in it is no certificate.
    pub fn trusting(mut self, pem: &str) -> Result<Self, RootError> {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            self.roots.add(certificate.map_err(RootError::Pem)?)?;
        }
        Ok(self)
    }
}

/// One exchange as it crossed the wire.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Where the request was to go.
    pub url: Url,
    /// Its method.
    pub method: String,
    /// Whether it is a CORS-preflight request.
    pub is_preflight: bool,
    /// The server's address and what is spoken there; absent when there was no connection.
    pub server: Option<(SocketAddr, HttpVersion)>,
    /// Every byte up to and including the empty line. Of HTTP/2, and so below, a rendering.
    pub sent_head: Vec<u8>,
    /// The body, transfer coding not counted.
    pub sent_body: Vec<u8>,
    /// The heads of interim responses.
    pub interim: Vec<Vec<u8>>,
    /// The head of the final response; where there is none, the bytes that came instead.
    pub received_head: Vec<u8>,
    /// The content of the response's body as far as it was read, transfer coding undone.
    pub received_body: Vec<u8>,
    /// How reading the body ended; absent when nobody read it.
    pub body_end: Option<ReadEnd>,
    /// Why there is no response.
    pub fault: Option<Fault>,
    /// The time from the start to the head of the response, or to the fault.
    pub took: Duration,
}

/// An HTTP client, and the record of its exchanges.
///
/// Each request has a connection of its own. Many clients can share what is costly: see [`Client::fresh`].
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
    patience: Duration,
    records: Vec<Recorded>,
    gave_up: Option<Duration>,
}

#[derive(Debug)]
struct Shared {
    options: ClientOptions,
    tls: Arc<ClientConfig>,
    started: Instant,
    /// The time at the start, in milliseconds since the Unix epoch: dates of cookies count from there.
    started_ms: u64,
}

/// A response's body that is still to be read.
pub struct Body {
    /// The record it belongs to.
    record: usize,
    source: Source,
}

enum Source {
    /// A head that nothing follows.
    Nothing,
    Http1(Box<http1::Body>),
    Http2(Box<http2::Body>),
}

impl Client {
    /// A client that has asked nothing yet.
    pub fn new(options: ClientOptions) -> Self {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks the versions that rustls takes for safe")
            .with_root_certificates(options.roots.clone())
            .with_no_client_auth();
        Self::with_tls(options, tls)
    }

    /// The same with a TLS configuration of the caller's own, in place of the trusted authorities; the protocols that it offers are
    /// still the client's.
    pub fn with_tls(options: ClientOptions, mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let patience = options.answer_timeout;
        let started_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
        let shared = Shared { options, tls: Arc::new(tls), started: Instant::now(), started_ms };
        Self { shared: Arc::new(shared), patience, records: Vec::new(), gave_up: None }
    }

    /// Another client with the same options and an empty record; `longer` is added to the patience.
    pub fn fresh(&self, longer: Duration) -> Self {
        let patience = self.shared.options.answer_timeout + longer;
        Self { shared: self.shared.clone(), patience, records: Vec::new(), gave_up: None }
    }

    /// What crossed the wire, in the order in which it was asked for.
    pub fn records(&self) -> &[Recorded] {
        &self.records
    }

    /// The same; nothing is recorded afterwards.
    pub fn take_records(&mut self) -> Vec<Recorded> {
        std::mem::take(&mut self.records)
    }

    /// How long a server was waited for in vain, when one was: then it is unknown what the response would have been.
    pub fn gave_up(&self) -> Option<Duration> {
        self.gave_up
    }

    fn try_exchange(&self, request: &Outgoing<'_, '_>, record: &mut Recorded) -> Result<(Vec<Head>, Head, Source), Stop> {
        let deadline = Deadline::new(request.limits, self.patience);
        let connection = Connection::open(request.url, &self.shared.options, &self.shared.tls, &deadline)?;
        record.server = Some((connection.peer, if connection.is_http2 { HttpVersion::Http2 } else { HttpVersion::Http1 }));
        if connection.is_http2 {
            let (interim, head, body) = http2::exchange(connection, request, &deadline, record)?;
            return Ok((interim, head, Source::Http2(Box::new(body))));
        }
        if request.streams && !request.defects.has(Defect::StreamHttp1) {
            return Err(Stop::Fault(Fault::StreamOverHttp1));
        }
        let (interim, head, body) = http1::exchange(connection, request, &deadline, record)?;
        Ok((interim, head, Source::Http1(Box::new(body))))
    }

    fn fault(&mut self, stop: Stop) -> Fault {
        match stop {
            Stop::Fault(fault) => fault,
            Stop::Lost(error) => Fault::Broken(format!("the connection was lost: {error}").into()),
            Stop::Expired(Expiry::Aborted) => Fault::Aborted,
            Stop::Expired(Expiry::TimedOut) => Fault::TimedOut,
            Stop::Expired(Expiry::Patience) => {
                self.gave_up = Some(self.patience);
                Fault::Broken(format!("no answer within {} s", self.patience.as_secs_f32()).into())
            }
        }
    }
}

impl<'a> Network<'a> for Client {
    type Body = Body;

    fn exchange(&mut self, request: Outgoing<'_, 'a>) -> Result<Incoming<'a, Body>, Fault> {
        let started = Instant::now();
        let mut record = Recorded {
            url: request.url.as_ref().clone(),
            method: request.method.to_string(),
            is_preflight: request.is_preflight,
            server: None,
            sent_head: Vec::new(),
            sent_body: Vec::new(),
            interim: Vec::new(),
            received_head: Vec::new(),
            received_body: Vec::new(),
            body_end: None,
            fault: None,
            took: Duration::ZERO,
        };
        let answered = self.try_exchange(&request, &mut record).map_err(|stop| self.fault(stop));
        record.took = started.elapsed();
        record.fault = answered.as_ref().err().cloned();
        self.records.push(record);
        let (interim, head, source) = answered?;
        let record = self.records.len() - 1;
        let first = interim.first().map(|head| (head.status, &head.fields[..]));
        let (early, headers) = accepted(first, &head.fields, request.defects);
        let headers = headers.into_owned();
        Ok(match early {
            Some(status) => Incoming { status, status_text: Cow::Borrowed(b""), headers, body: Body { record, source: Source::Nothing } },
            None => Incoming { status: head.status, status_text: Cow::Owned(head.reason), headers, body: Body { record, source } },
        })
    }

    fn read(&mut self, body: Body, limits: Limits) -> Read<'a> {
        let deadline = Deadline::new(limits, self.patience);
        let most = self.shared.options.most_body;
        let (bytes, end) = match body.source {
            Source::Nothing => (Vec::new(), Ok(ReadEnd::Complete)),
            Source::Http1(body) => body.read(most, &deadline),
            Source::Http2(body) => body.read(most, &deadline),
        };
        let end = end.unwrap_or_else(|stop| match self.fault(stop) {
            Fault::Aborted => ReadEnd::Aborted,
            Fault::TimedOut => ReadEnd::TimedOut,
            Fault::Broken(_) | Fault::Unreachable(_) | Fault::StreamOverHttp1 => ReadEnd::Broken,
        });
        // It is gone when the records were taken meanwhile.
        if let Some(record) = self.records.get_mut(body.record) {
            record.received_body.clone_from(&bytes);
            record.body_end = Some(end);
        }
        Read { bytes: Cow::Owned(bytes), end }
    }

    fn now_ms(&mut self) -> u64 {
        self.shared.started_ms + self.shared.started.elapsed().as_millis() as u64
    }
}
