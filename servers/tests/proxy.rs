//! The recording proxy: what crosses it is what was sent, and what is cut off stays cut off.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use corscheck_servers::{
    Fate,
    proxy::{Proxy, ProxyOptions},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const HOST: &str = "api.test";
const LIMIT: Duration = Duration::from_secs(10);

/// A target that answers the first request with these bytes and closes, and gives back what it was asked.
async fn target(answers: &'static [&'static [u8]], closes: bool) -> (SocketAddr, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut all = Vec::new();
        for answer in answers {
            let mut buffer = vec![0; 4096];
            let n = stream.read(&mut buffer).await.expect("a request");
            all.extend_from_slice(&buffer[..n]);
            stream.write_all(answer).await.expect("it takes the answer");
        }
        if !closes {
            // Whoever waits for the end waits for the client.
            let mut rest = Vec::new();
            _ = stream.read_to_end(&mut rest).await;
        }
        all
    });
    (address, asked)
}

async fn proxy() -> Proxy {
    let pages = Router::new().route("/page", get(|| async { "a page" }));
    let one = |host: &str| BTreeSet::from([host.to_owned()]);
    Proxy::start(ProxyOptions { pages, page_hosts: one("app.test"), target_hosts: one(HOST) }).await.expect("a proxy")
}

/// A tunnel to a host, without TLS in it.
async fn tunnel(proxy: &Proxy, host: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(proxy.address()).await.expect("a connection");
    stream.write_all(format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.expect("it takes the request");
    let mut buffer = vec![0; 4096];
    let n = timeout(LIMIT, stream.read(&mut buffer)).await.expect("in time").expect("an answer");
    (stream, String::from_utf8_lossy(&buffer[..n]).into_owned())
}

async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    _ = timeout(LIMIT, stream.read_to_end(&mut all)).await.expect("it ends in time");
    all
}

#[tokio::test]
async fn bytes_are_passed_on_as_they_are_and_recorded() {
    const ANSWER: &[u8] = b"HTTP/1.1 200 Odd  Reason\r\naccess-CONTROL-allow-origin:\t https://x.test \r\nX: \xff\xfe\r\nX: 2\r\nContent-Length: 3\r\n\r\nabc";
    const SECOND: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    let proxy = proxy().await;
    let (address, asked) = target(&[ANSWER, SECOND], false).await;
    proxy.lead(HOST, Some(address));
    let (mut stream, said) = tunnel(&proxy, HOST).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    // Two requests on one connection.
    let first: &[u8] = b"GET /r?corscheck=t HTTP/1.1\r\nhOsT: api.test\r\nOrigin:   https://app.test\r\n\r\n";
    stream.write_all(first).await.expect("it takes the request");
    let mut buffer = vec![0; ANSWER.len()];
    timeout(LIMIT, stream.read_exact(&mut buffer)).await.expect("in time").expect("an answer");
    assert_eq!(buffer, ANSWER);
    let second: &[u8] = b"POST /r?corscheck=t HTTP/1.1\r\nHost: api.test\r\nContent-Length: 2\r\n\r\nhi";
    stream.write_all(second).await.expect("it takes the request");
    let mut buffer = vec![0; SECOND.len()];
    timeout(LIMIT, stream.read_exact(&mut buffer)).await.expect("in time").expect("an answer");
    assert_eq!(buffer, SECOND);
    drop(stream);
    let all = timeout(LIMIT, asked).await.expect("in time").expect("no panic");
    assert_eq!(all[..first.len()], *first);
    let recorded = proxy.take("t");
    assert_eq!(recorded.len(), 2);
    assert_eq!(recorded[0].request.head.as_ref().expect("a head").0, first);
    assert_eq!(
        (recorded[0].answer.status, &recorded[0].answer.fate, &recorded[0].answer.body.0[..]),
        (Some(200), &Fate::Sent, &b"abc"[..])
    );
    assert_eq!(&recorded[1].answer.body.0[..], b"de");
    assert_eq!(recorded[0].connection, recorded[1].connection);
    assert!(proxy.take("t").is_empty());
}

#[tokio::test]
async fn half_an_answer_stays_half_an_answer() {
    for (answer, half_head) in
        [(&b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"[..], false), (b"HTTP/1.1 200 OK\r\nConte", true), (b"", true)]
    {
        let proxy = proxy().await;
        let (address, _asked) = target(Box::leak(Box::new([answer])), true).await;
        proxy.lead(HOST, Some(address));
        let (mut stream, _) = tunnel(&proxy, HOST).await;
        stream.write_all(b"GET /r?corscheck=t HTTP/1.1\r\nHost: api.test\r\n\r\n").await.expect("it takes the request");
        assert_eq!(rest(&mut stream).await, answer);
        let recorded = proxy.take("t");
        assert!(matches!(recorded[0].answer.fate, Fate::Failed { .. }), "{:?}", recorded[0].answer);
        assert_eq!(recorded[0].answer.status.is_none(), half_head);
    }
}

#[tokio::test]
async fn it_answers_for_nobody_else() {
    let proxy = proxy().await;
    let (_, said) = tunnel(&proxy, "update.example").await;
    assert!(said.starts_with("HTTP/1.1 403"), "{said}");
    for request in [
        "GET http://update.example/ HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n",
        "GET http://api.test/r HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(proxy.address()).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("it takes the request");
        let said = rest(&mut stream).await;
        assert!(said.starts_with(b"HTTP/1.1 403"), "{request}: {}", String::from_utf8_lossy(&said));
    }
}

#[tokio::test]
async fn pages_are_served_over_http_and_in_tunnels() {
    let proxy = proxy().await;
    let mut plain = TcpStream::connect(proxy.address()).await.expect("a connection");
    plain
        .write_all(b"GET http://app.test/page HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n")
        .await
        .expect("it takes the request");
    assert!(rest(&mut plain).await.ends_with(b"a page"));
    let (mut stream, _) = tunnel(&proxy, "app.test").await;
    stream.write_all(b"GET /page HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n").await.expect("it takes the request");
    assert!(rest(&mut stream).await.ends_with(b"a page"));
}
