//! What the record holds of a request.

use std::io::Write;

use corscheck_cases::Alias;
use corscheck_servers::{Exchange, Fate, HttpVersion, Token};

use crate::support::{Setup, ask, expect, ok, resource, rest};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_of_a_head_is_kept_in_case_and_order() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    let head = [
        format!("GeT /t/{}/x?q=%20\\\"<> HTTP/1.1\r\n", setup.token).as_bytes(),
        b"hOST: b\r\nX-a:1\r\nx-A: \t two \t\r\nX-Bytes: \xff\xe9 \x01\r\nX-a:\r\nodd\r\nConnection: close\r\n\r\n",
    ]
    .concat();
    let mut stream = setup.send(&head);
    assert_eq!(rest(&mut stream), OK);

    let [exchange] = &setup.exchanges()[..] else { panic!("one exchange") };
    let request = &exchange.request;
    assert_eq!(request.head.as_deref(), Some(&head[..]));
    assert_eq!(request.method, "GeT");
    assert_eq!(request.target, format!("/t/{}/x?q=%20\\\\\"<>", setup.token));
    assert_eq!(request.path(), "x");
    let fields: Vec<(&[u8], &[u8])> = request.fields.iter().map(|(n, v)| (&n[..], &v[..])).collect();
    let expected: [(&[u8], &[u8]); 7] = [
        (b"hOST", b"b"),
        (b"X-a", b"1"),
        (b"x-A", b"two"),
        (b"X-Bytes", b"\xff\xe9 \x01"),
        (b"X-a", b""),
        (b"odd", b""),
        (b"Connection", b"close"),
    ];
    assert_eq!(fields, expected);
    assert_eq!(request.values("x-a"), [&b"1"[..], b"two", b""]);
    assert_eq!((exchange.at, exchange.step, exchange.protocol), (Alias::B, 0, HttpVersion::Http1));
    assert!(exchange.answered_us >= Some(exchange.arrived_us));
    assert_eq!(exchange.answer.status, Some(200));
    assert_eq!((exchange.answer.body_length, &exchange.answer.body[..]), (2, &b"hi"[..]));
    assert_eq!([&exchange.answer.head[..], b"hi"].concat(), OK.as_bytes());
    assert_eq!(exchange.answer.fate, Fate::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_survives_json() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    ask(&setup, setup.request("POST", "x", "X: \u{e9}\r\nContent-Length: 1\r\nConnection: close\r\n") + "\u{1}");
    let exchanges = setup.exchanges();
    let json = serde_json::to_string(&exchanges).expect("serialises");
    assert!(json.contains(r#""\\xC3\\xA9""#) && json.contains(r#""body":"\\x01""#), "{json}");
    assert_eq!(serde_json::from_str::<Vec<Exchange>>(&json).expect("deserialises"), exchanges);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sized_body_is_kept_to_4096_bytes_and_counted_to_its_end() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    let body = "0123456789".repeat(1000);
    let request = setup.request("POST", "x", "Content-Length: 10000\r\n");
    let mut stream = setup.send(request);
    let pending = setup.until(|exchanges| exchanges.len() == 1).await;
    assert!(!pending[0].request.body_complete);
    assert_eq!(pending[0].answer.fate, Fate::Pending);
    stream.write_all(body.as_bytes()).expect("writes");
    expect(&mut stream, OK);

    let request = &setup.exchanges()[0].request;
    assert_eq!(&request.body[..], &body.as_bytes()[..4096]);
    assert_eq!((request.body_length, request.body_complete), (10_000, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_body_is_put_together() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    let request = setup.request("POST", "x", "Transfer-Encoding: chunked\r\n");
    let mut stream = setup.send(format!("{request}4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\nTrailer: x\r\n\r\n"));
    expect(&mut stream, OK);
    stream.write_all(setup.request("GET", "x", "").as_bytes()).expect("writes");
    expect(&mut stream, OK);

    let exchanges = setup.exchanges();
    assert_eq!(&exchanges[0].request.body[..], b"Wikipedia");
    assert_eq!((exchanges[0].request.body_length, exchanges[0].request.body_complete), (9, true));
    assert_eq!(exchanges[1].request.method, "GET");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_100_gets_it() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    let mut stream = setup.send(setup.request("POST", "x", "Content-Length: 1\r\nExpect: 100-Continue\r\n"));
    expect(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"x").expect("writes");
    expect(&mut stream, OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_a_failure_in_the_record() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    drop(setup.send(setup.request("POST", "x", "Content-Length: 5\r\n") + "abc"));
    let exchanges = setup.until(|e| e.len() == 1 && e[0].answer.fate != Fate::Pending).await;
    assert!(matches!(&exchanges[0].answer.fate, Fate::Failed { error } if error.contains("closed")));
    assert_eq!((exchanges[0].request.body_length, exchanges[0].request.body_complete), (3, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_on_one_connection_share_its_number_and_keep_their_order() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    let request = setup.request("GET", "x", "");
    let mut stream = setup.send(request.repeat(2));
    expect(&mut stream, &OK.repeat(2));
    stream.write_all(request.as_bytes()).expect("writes");
    expect(&mut stream, OK);
    let mut other = setup.get();
    expect(&mut other, OK);

    let exchanges = setup.exchanges();
    let connections: Vec<_> = exchanges.iter().map(|e| e.connection).collect();
    assert!(matches!(connections[..], [a, b, c, d] if a == b && b == c && c != d), "{connections:?}");
    assert!(exchanges.is_sorted_by(|a, b| a.sequence < b.sequence && a.arrived_us <= b.arrived_us));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_scripted_is_501_and_recorded() {
    let setup = Setup::new(vec![vec![resource("x", vec![], vec![ok("hi")])]]).await;
    let preflight = "Access-Control-Request-Method: PUT\r\nConnection: close\r\n";
    for request in [setup.request("OPTIONS", "x", preflight), setup.request("GET", "y", "Connection: close\r\n")] {
        assert_eq!(ask(&setup, request), "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n");
    }
    let exchanges = setup.exchanges();
    assert!(exchanges[0].request.is_preflight() && !exchanges[1].request.is_preflight());
    for exchange in exchanges {
        assert_eq!((exchange.answer.fate, exchange.answer.status), (Fate::Unscripted, Some(501)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_token_is_404_and_leaves_no_trace() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    let unknown = Token::new();
    for token in [unknown.as_str(), "", "zz", "%00"] {
        let request = format!("POST /t/{token}/x HTTP/1.1\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
        assert_eq!(ask(&setup, request), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    assert_eq!(setup.servers.exchanges(&unknown), []);
    assert_eq!(setup.exchanges(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_neither_panic_nor_stop_the_servers() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    let huge = setup.request("GET", "x", &format!("X: {}\r\n", "a".repeat(300 * 1024)));
    let answer = {
        let mut stream = setup.send(&huge);
        let mut answer = vec![0; 12];
        std::io::Read::read_exact(&mut stream, &mut answer).expect("an answer");
        answer
    };
    assert_eq!(answer, b"HTTP/1.1 431");
    let path = |rest: &str| format!("GET /t/{}/x HTTP/1.1\r\n{rest}\r\n\r\n", setup.token).into_bytes();
    let hostile: Vec<Vec<u8>> = vec![
        vec![],
        vec![0; 1000],
        (0..=255).collect(),
        b"\x16\x03\x01\x02\x00".to_vec(),
        b"\r\n\r\n\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"GET /t/ HTTP/1.1\r\n\r\n".to_vec(),
        path("Content-Length: -1"),
        path("Content-Length: 18446744073709551615"),
        path("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
        path("Transfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        path(": \r\n:\r\n \r\n\t"),
    ];
    for bytes in hostile {
        let mut stream = setup.send(&bytes);
        // The other side may have closed on sight.
        _ = stream.shutdown(std::net::Shutdown::Write);
        _ = std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    }
    let mut stream = setup.get();
    expect(&mut stream, OK);
}
