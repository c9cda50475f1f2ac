//! Servers that crash, stop and forget.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
};

use corscheck_cases::{
    Alias,
    script::{Message, Then},
    topology::Protocol,
};
use corscheck_servers::Fate;

use crate::support::{Setup, ask, expect, ok, rest, then};

fn refused(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dead_origin_refuses() {
    let setup = Setup::answering(vec![]).await;
    assert!(refused(setup.servers.topology().port(Alias::Dead)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_origin_listens_on_a_port_of_its_own() {
    let setup = Setup::answering(vec![]).await;
    let mut ports: Vec<_> = Alias::ALL.iter().map(|&alias| setup.servers.topology().port(alias)).collect();
    for alias in Alias::ALL.iter().filter(|alias| alias.protocol() != Protocol::Nothing) {
        drop(setup.connect(*alias));
    }
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), Alias::ALL.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_loopback_addresses_lead_to_the_same_origin() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        // There is no IPv6 on this machine, and nothing to meet there.
        return;
    }
    let setup = Setup::answering(vec![]).await;
    let mut stream = TcpStream::connect((Ipv6Addr::LOCALHOST, setup.servers.topology().port(Alias::C))).expect("connects");
    stream.write_all(b"GET /page HTTP/1.1\r\n\r\n").expect("writes");
    assert!(rest(&mut stream).ends_with("page of c"));
    let dead = setup.servers.topology().port(Alias::Dead);
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, dead)).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_origin_refuses_and_resets_and_the_others_live() {
    let setup = Setup::answering(vec![ok("hi"), then(Message::Nothing, Then::Hang)]).await;
    let mut idle = setup.get();
    expect(&mut idle, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let mut hung = setup.get();
    setup.until(|e| e.len() == 2 && e[1].answer.fate == Fate::Cut).await;
    setup.servers.kill(Alias::B);
    assert!(refused(setup.servers.topology().port(Alias::B)));
    for stream in [&mut idle, &mut hung] {
        assert_eq!(stream.read(&mut [0; 1]).map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    }
    let mut other = setup.connect(Alias::A);
    other.write_all(b"GET /page HTTP/1.1\r\n\r\n").expect("writes");
    assert!(rest(&mut other).ends_with("page of a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_closes_everything() {
    let setup = Setup::answering(vec![then(Message::Nothing, Then::Hang)]).await;
    let mut hung = setup.get();
    setup.until(|e| e.len() == 1).await;
    let port = setup.servers.topology().port(Alias::B);
    setup.servers.stop().await;
    assert!(refused(port));
    assert_eq!(hung.read(&mut [0; 1]).expect("closed in order"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn drop_closes_everything() {
    let setup = Setup::answering(vec![then(Message::Nothing, Then::Hang)]).await;
    let mut hung = setup.get();
    setup.until(|e| e.len() == 1).await;
    let port = setup.servers.topology().port(Alias::B);
    drop(setup);
    assert!(refused(port));
    assert_eq!(hung.read(&mut [0; 1]).expect("closed in order"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_token_is_unknown() {
    let setup = Setup::answering(vec![ok("hi")]).await;
    let request = setup.request("GET", "x", "Connection: close\r\n");
    assert!(ask(&setup, &request).ends_with("hi"));
    assert_eq!(setup.servers.take(&setup.token).len(), 1);
    assert!(ask(&setup, &request).starts_with("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(setup.exchanges(), []);
    assert_eq!(setup.servers.take(&setup.token), []);
}
