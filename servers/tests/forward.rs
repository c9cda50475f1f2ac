//! The way to a deployed server: to it and to nobody else, what may be sent and no faster than told.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use corscheck_servers::forward::{Forward, ForwardOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

const LIMIT: Duration = Duration::from_secs(10);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that answers everything alike, and tells what it was sent; with how many connections it had.
async fn server() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 8192];
                while let Ok(n) = stream.read(&mut buffer).await
                    && n > 0
                {
                    _ = tell.send(buffer[..n].to_vec());
                    if buffer[..n].ends_with(b"\r\n\r\n") || buffer[..n].ends_with(b"END") {
                        _ = stream.write_all(ANSWER).await;
                    }
                }
            });
        }
    });
    (address, told)
}

async fn forward(address: std::net::SocketAddr, interval: Duration) -> Forward {
    Forward::start(ForwardOptions {
        address,
        tls: None,
        known_as: "service.test".to_owned(),
        host: "127.0.0.1:8080".to_owned(),
        allows: Arc::new(|method, target| method != "DELETE" && target.starts_with("/api")),
        interval,
    })
    .await
    .expect("a forwarder")
}

/// What comes back for bytes that are sent.
async fn ask(forward: &Forward, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(forward.address()).await.expect("a connection");
    stream.write_all(bytes).await.expect("it takes the request");
    let mut all = vec![0; 8192];
    let n = timeout(LIMIT, stream.read(&mut all)).await.expect("in time").unwrap_or(0);
    all.truncate(n);
    all
}

#[tokio::test]
async fn bytes_are_passed_on_as_they_are_but_for_the_name() {
    let (address, mut told) = server().await;
    let forward = forward(address, Duration::ZERO).await;
    let odd = b"GET /api?x=1 HTTP/1.1\r\nHOST:service.test:4711\r\nOrigin:  https://\xE9.test \r\nX: service.test\r\n\r\n";
    assert_eq!(ask(&forward, odd).await, ANSWER);
    assert_eq!(
        told.recv().await.expect("a request"),
        b"GET /api?x=1 HTTP/1.1\r\nHOST: 127.0.0.1:8080\r\nOrigin:  https://\xE9.test \r\nX: service.test\r\n\r\n"
    );
    // Somebody else's name is what is to be looked at.
    assert_eq!(ask(&forward, b"GET /api HTTP/1.1\r\nHost: evil.test\r\n\r\n").await, ANSWER);
    assert_eq!(told.recv().await.expect("a request"), b"GET /api HTTP/1.1\r\nHost: evil.test\r\n\r\n");
    assert_eq!((forward.sent(), forward.refused()), (2, 0));
}

#[tokio::test]
async fn what_may_not_be_sent_is_not_and_ends_the_connection() {
    let (address, mut told) = server().await;
    let forward = forward(address, Duration::ZERO).await;
    for refused in [
        "DELETE /api HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET http://other.test/api HTTP/1.1\r\n\r\n",
        "CONNECT other.test:443 HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(ask(&forward, refused.as_bytes()).await, b"", "{refused}");
    }
    assert_eq!((forward.sent(), forward.refused()), (0, 4));
    // Behind one that may be sent, on the same connection, too; a body is no request.
    let mut stream = TcpStream::connect(forward.address()).await.expect("a connection");
    let mut answer = vec![0; ANSWER.len()];
    stream.write_all(b"POST /api HTTP/1.1\r\nContent-Length: 29\r\n\r\nDELETE /api HTTP/1.1\r\n\r\n--END").await.expect("it takes it");
    timeout(LIMIT, stream.read_exact(&mut answer)).await.expect("in time").expect("an answer");
    assert_eq!(answer, ANSWER);
    stream.write_all(b"DELETE /api HTTP/1.1\r\n\r\n").await.expect("it takes it");
    assert_eq!(timeout(LIMIT, stream.read(&mut answer)).await.expect("in time").unwrap_or(0), 0);
    let mut all = Vec::new();
    while let Ok(Some(bytes)) = timeout(Duration::from_millis(300), told.recv()).await {
        all.extend(bytes);
    }
    assert!(all.ends_with(b"END") && all.starts_with(b"POST"), "{}", String::from_utf8_lossy(&all));
    assert_eq!((forward.sent(), forward.refused()), (1, 5));
}

#[tokio::test]
async fn it_sends_no_faster_than_it_was_told() {
    let (address, _told) = server().await;
    let forward = forward(address, Duration::from_millis(50)).await;
    let begun = Instant::now();
    let asks = (0..9).map(|_| ask(&forward, b"GET /api HTTP/1.1\r\n\r\n"));
    let answers = futures_util::future::join_all(asks).await;
    assert!(answers.iter().all(|a| a == ANSWER));
    // The first at once, and then one after the other: a lower bound, which holds on the slowest machine.
    assert!(begun.elapsed() >= Duration::from_millis(8 * 50), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_is_not_there_gives_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let forward = forward(address, Duration::ZERO).await;
    assert_eq!(ask(&forward, b"GET /api HTTP/1.1\r\n\r\n").await, b"");
}
