//! The caller's own pages beside the cases.

use std::io::{Read, Write};

use corscheck_cases::{Alias, topology::Protocol};

use crate::support::{Setup, expect, ok, rest};

#[tokio::test(flavor = "multi_thread")]
async fn every_origin_serves_the_pages_and_says_close() {
    let setup = Setup::answering(vec![]).await;
    let plain = Alias::ALL.iter().filter(|a| a.protocol() == Protocol::Http1 && a.scheme().word() == "http");
    for &alias in plain {
        let mut stream = setup.connect(alias);
        stream.write_all(b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n").expect("writes");
        let answer = rest(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with(&format!("page of {alias}")), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_icon_that_nobody_has_is_404() {
    let setup = Setup::answering(vec![]).await;
    let mut stream = setup.send("GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(rest(&mut stream).starts_with("HTTP/1.1 404"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_follow_a_case_on_the_same_connection() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    // At once and byte by byte: what was read already is handed over too.
    let mut stream = setup.send(setup.request("GET", "x", "") + "GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    assert!(rest(&mut stream).ends_with("page of b"));

    let mut stream = setup.get();
    expect(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    for byte in b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n" {
        stream.write_all(&[*byte]).expect("writes");
    }
    assert!(rest(&mut stream).ends_with("page of b"));
    assert_eq!(setup.exchanges().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_socket_lives_until_the_servers_stop() {
    let setup = Setup::answering(vec![]).await;
    let mut stream = setup.send(
        "GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    let mut answer = String::new();
    while !answer.ends_with("hello") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("reads");
        answer.push(char::from(byte[0]));
    }
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(!answer.contains("close"), "{answer}");
    setup.servers.stop().await;
    rest(&mut stream);
}
