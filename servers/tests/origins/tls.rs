//! The https origins, over HTTP/1.1 and HTTP/2.

use std::{net::Ipv4Addr, sync::Arc};

use axum::body::Body;
use corscheck_cases::{
    Alias,
    script::{Answer, Field, Framing, Http, Interim, Message, Resource, Then},
};
use corscheck_servers::{Exchange, Fate, HttpVersion};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::{Setup, http, ok, pair, raw, then};

async fn connect(setup: &Setup, alias: Alias, alpn: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(setup.servers.ca_pem().as_bytes()).expect("a certificate");
    roots.add(ca).expect("a good certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|word| word.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, setup.servers.topology().port(alias))).await?;
    let name = ServerName::try_from(alias.host()).expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn at(alias: Alias, response: Vec<Answer<Vec<u8>>>) -> Vec<Vec<Resource<Vec<u8>>>> {
    vec![vec![Resource { at: alias, path: "x".to_owned(), preflight: vec![], response, revalidation: Vec::new() }]]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tls_origin_has_a_certificate_that_the_authority_signed() {
    let setup = Setup::new(vec![]).await;
    for &alias in Alias::ALL.iter().filter(|alias| alias.scheme().word() == "https") {
        let stream = connect(&setup, alias, &["h2", "http/1.1"]).await.expect("a handshake");
        let expected: &[u8] = if matches!(alias, Alias::AH2 | Alias::BH2 | Alias::CH2) { b"h2" } else { b"http/1.1" };
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(expected), "{alias}");
    }
    assert!(connect(&setup, Alias::AH2, &["http/1.1"]).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_carries_the_same_answers() {
    let setup = Setup::new(at(Alias::BTls, vec![ok("hi"), then(Message::Http(http(200, "hi")), Then::Close)])).await;
    let mut stream = connect(&setup, Alias::BTls, &[]).await.expect("a handshake");
    stream.write_all(setup.request("GET", "x", "").repeat(2).as_bytes()).await.expect("writes");
    let mut answer = String::new();
    // Without close_notify this would be an error.
    stream.read_to_string(&mut answer).await.expect("closed in order");
    assert_eq!(answer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".repeat(2));
    assert_eq!(setup.exchanges()[1].at, Alias::BTls);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_reset_beneath() {
    let setup = Setup::new(at(Alias::BTls, vec![then(Message::Nothing, Then::Reset)])).await;
    let mut stream = connect(&setup, Alias::BTls, &[]).await.expect("a handshake");
    stream.write_all(setup.request("GET", "x", "").as_bytes()).await.expect("writes");
    let error = stream.read(&mut [0; 1]).await.expect_err("a reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

/// An HTTP/2 client with one connection to `b-h2`.
struct Client {
    setup: Setup,
    sender: http2::SendRequest<Body>,
}

impl Client {
    async fn new(response: Vec<Answer<Vec<u8>>>) -> Self {
        let setup = Setup::new(at(Alias::BH2, response)).await;
        let stream = connect(&setup, Alias::BH2, &["h2"]).await.expect("a handshake");
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = handshake.expect("an HTTP/2 handshake");
        tokio::spawn(connection);
        Self { setup, sender }
    }

    async fn send(&mut self, method: &str, path: &str, body: &'static str) -> hyper::Result<Response<Incoming>> {
        let uri = format!("{}{path}", self.setup.servers.topology().origin(Alias::BH2));
        let body = if body.is_empty() { Body::empty() } else { Body::from(body) };
        let request = Request::builder().method(method).uri(uri).header("x-a", "1").header("X-A", &b"\xe9"[..]).body(body);
        self.sender.ready().await?;
        self.sender.send_request(request.expect("a request")).await
    }

    async fn case(&mut self, method: &str) -> hyper::Result<Response<Incoming>> {
        let path = format!("/t/{}/x?q", self.setup.token);
        self.send(method, &path, if method == "POST" { "body" } else { "" }).await
    }

    async fn settled(&self) -> Exchange {
        let settled = |e: &[Exchange]| e.last().is_some_and(|e| e.answer.fate != Fate::Pending);
        self.setup.until(settled).await.pop().expect("an exchange")
    }
}

async fn text(response: Response<Incoming>) -> hyper::Result<String> {
    Ok(String::from_utf8_lossy(&response.into_body().collect().await?.to_bytes()).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_answers_and_records() {
    let mut scripted = http(200, "hi");
    scripted.fields = vec![pair("Access-Control-Allow-Origin", "*"), pair("X-Odd", b"\xff"), pair("x-odd", "2")];
    let mut client = Client::new(vec![then(Message::Http(scripted), Then::Keep)]).await;
    let response = client.case("POST").await.expect("a response");
    let names: Vec<_> = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let field = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    let mut expected = vec![field("access-control-allow-origin", b"*"), field("x-odd", b"\xff"), field("x-odd", b"2")];
    expected.push(field("content-length", b"2"));
    assert_eq!(names, expected);
    assert_eq!(text(response).await.expect("a body"), "hi");

    let exchange = client.settled().await;
    assert_eq!((exchange.at, exchange.protocol), (Alias::BH2, HttpVersion::Http2));
    assert_eq!(exchange.request.method, "POST");
    assert_eq!(exchange.request.target, format!("/t/{}/x?q", client.setup.token));
    assert_eq!(exchange.request.values("X-a"), [&b"1"[..], b"\xe9"]);
    assert_eq!((&exchange.request.body[..], exchange.request.body_complete), (&b"body"[..], true));
    assert_eq!((exchange.answer.status, exchange.answer.fate), (Some(200), Fate::Sent));
    assert!(exchange.answer.head.starts_with(b"HTTP/2 200\r\naccess-control-allow-origin: *\r\n"));
    let head = client.case("HEAD").await.expect("a response");
    assert_eq!(head.headers()["content-length"], "2");
    assert_eq!(text(head).await.expect("no body"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_serves_pages_and_refuses_what_nobody_scripted() {
    let mut client = Client::new(vec![]).await;
    let page = client.send("GET", "/page", "").await.expect("a response");
    assert_eq!(text(page).await.expect("a body"), "page of b-h2");
    assert_eq!(client.send("GET", "/t/0/x", "").await.expect("a response").status(), 404);
    let unscripted = client.case("GET").await.expect("a response");
    assert_eq!(unscripted.status(), 501);
    assert!(unscripted.headers().is_empty(), "{:?}", unscripted.headers());
    assert_eq!(client.settled().await.answer.fate, Fate::Unscripted);
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_says_what_it_cannot_carry() {
    let with = |change: &dyn Fn(&mut Http<Vec<u8>>)| {
        let mut http = http(200, "hi");
        change(&mut http);
        then(Message::Http(http), Then::Keep)
    };
    let answers = vec![
        raw(&["x"], Then::Keep),
        then(Message::Http(http(200, "hi")), Then::Reset),
        with(&|http| http.fields = vec![Field::Line(b"x".to_vec())]),
        with(&|http| http.fields = vec![pair("a b", "c")]),
        with(&|http| http.fields = vec![pair("a", "c\nd")]),
        with(&|http| http.fields = vec![pair("Connection", "close")]),
        with(&|http| {
            http.interim = vec![Interim { status: 103, fields: vec![] }];
        }),
        with(&|http| http.status = 99),
    ];
    let count = answers.len();
    let mut client = Client::new(answers).await;
    for nth in 0..count {
        client.case("GET").await.expect_err("the stream is reset");
        let fate = client.settled().await.answer.fate;
        assert!(matches!(&fate, Fate::Failed { error } if error.contains("HTTP/2")), "{nth}: {fate:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_cuts_and_drops() {
    let mut cut = http(200, "body");
    cut.cut = Some(2);
    let mut slow = http(200, "slow");
    (slow.framing, slow.body_delay_ms) = (Framing::Close, 30);
    let answers = vec![then(Message::Http(cut), Then::Close), then(Message::Nothing, Then::Close), then(Message::Http(slow), Then::Keep)];
    let mut client = Client::new(answers.clone()).await;
    let mut response = client.case("GET").await.expect("a head");
    let frame = response.body_mut().frame().await.expect("a frame").expect("data");
    assert_eq!(frame.into_data().expect("data"), "bo");
    response.body_mut().frame().await.expect("an end").expect_err("a reset");
    assert_eq!(client.settled().await.answer.fate, Fate::Cut);

    let mut client = Client::new(answers[1..].to_vec()).await;
    client.case("GET").await.expect_err("the stream is reset");
    assert_eq!(client.settled().await.answer.fate, Fate::Cut);
    let slow = client.case("GET").await.expect("a head");
    assert_eq!(client.setup.exchanges()[1].answer.fate, Fate::Pending);
    assert_eq!(text(slow).await.expect("a body"), "slow");
    assert_eq!(client.settled().await.answer.fate, Fate::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_hangs_until_the_token_is_taken_and_notices_a_peer_that_goes_away() {
    let delayed = Answer { delay_ms: 60_000, ..ok("hi") };
    let mut client = Client::new(vec![delayed, then(Message::Nothing, Then::Hang)]).await;
    let gone = tokio::time::timeout(std::time::Duration::from_millis(100), client.case("GET")).await;
    assert!(gone.is_err(), "no answer yet");
    let exchange = client.settled().await;
    assert!(matches!(exchange.answer.fate, Fate::Failed { .. }), "{:?}", exchange.answer.fate);

    let path = format!("/t/{}/x", client.setup.token);
    let hung = client.sender.clone().send_request(
        Request::get(format!("{}{path}", client.setup.servers.topology().origin(Alias::BH2))).body(Body::empty()).expect("a request"),
    );
    let hung = tokio::spawn(hung);
    client.setup.until(|e| e.len() == 2 && e[1].answer.fate == Fate::Cut).await;
    assert!(!hung.is_finished());
    client.setup.servers.take(&client.setup.token);
    hung.await.expect("no panic").expect_err("the stream is reset");
}
