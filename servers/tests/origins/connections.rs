//! What becomes of a connection after an answer.

use std::{
    io::{ErrorKind, Read},
    net::TcpStream,
};

use corscheck_cases::script::{Answer, Message, Then};
use corscheck_servers::Fate;

use crate::support::{Setup, expect, http, ok, rest, then};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

fn error_kind(stream: &mut TcpStream) -> Option<ErrorKind> {
    stream.read(&mut [0; 16]).err().map(|error| error.kind())
}

#[tokio::test(flavor = "multi_thread")]
async fn close_ends_in_order() {
    let setup = Setup::answering(vec![then(Message::Http(http(200, "hi")), Then::Close)]).await;
    let mut stream = setup.send(setup.request("GET", "x", "").repeat(2));
    assert_eq!(rest(&mut stream), OK);
    assert_eq!(setup.exchanges().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_is_a_reset() {
    let setup = Setup::answering(vec![then(Message::Http(http(200, "hi")), Then::Reset), then(Message::Nothing, Then::Reset)]).await;
    let mut stream = setup.get();
    expect(&mut stream, OK);
    assert_eq!(error_kind(&mut stream), Some(ErrorKind::ConnectionReset));
    let mut stream = setup.get();
    assert_eq!(error_kind(&mut stream), Some(ErrorKind::ConnectionReset));
    let fates: Vec<_> = setup.exchanges().into_iter().map(|e| (e.answer.fate, e.answered_us.is_some())).collect();
    assert_eq!(fates, [(Fate::Sent, true), (Fate::Cut, false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_closes_without_a_byte() {
    let setup = Setup::answering(vec![then(Message::Nothing, Then::Close)]).await;
    let mut stream = setup.get();
    assert_eq!(rest(&mut stream), "");
    assert_eq!(setup.exchanges()[0].answer.fate, Fate::Cut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_lasts_until_the_token_is_taken() {
    for (message, sent, fate) in [(Message::Nothing, "", Fate::Cut), (Message::Http(http(200, "hi")), OK, Fate::Sent)] {
        let setup = Setup::answering(vec![then(message, Then::Hang)]).await;
        let mut stream = setup.get();
        expect(&mut stream, sent);
        setup.until(|e| e.len() == 1 && e[0].answer.fate == fate).await;
        stream.set_nonblocking(true).expect("sets");
        assert_eq!(error_kind(&mut stream), Some(ErrorKind::WouldBlock));
        stream.set_nonblocking(false).expect("sets");
        assert_eq!(setup.servers.take(&setup.token).len(), 1);
        assert_eq!(rest(&mut stream), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_goes_away_is_noticed_within_a_delay() {
    let setup = Setup::answering(vec![Answer { delay_ms: 60_000, ..ok("hi") }]).await;
    drop(setup.get());
    let exchanges = setup.until(|e| e.len() == 1 && e[0].answer.fate != Fate::Pending).await;
    assert!(matches!(&exchanges[0].answer.fate, Fate::Failed { error } if error.contains("closed")));
    assert_eq!(exchanges[0].answered_us, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_reads_is_let_go_when_the_token_is_taken() {
    let setup = Setup::answering(vec![ok(&"x".repeat(32 << 20))]).await;
    let mut stream = setup.get();
    setup.until(|e| e.len() == 1 && e[0].answer.status == Some(200)).await;
    let exchanges = setup.servers.take(&setup.token);
    assert_eq!(exchanges[0].answer.fate, Fate::Pending);
    let mut bytes = Vec::new();
    // Closed in order or not: it ends, and early.
    _ = stream.read_to_end(&mut bytes);
    assert!(bytes.len() < 32 << 20);
}
