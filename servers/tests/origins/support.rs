//! A client that sends and receives bytes, and short ways to write scripts.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::ws::{Message as Frame, WebSocketUpgrade},
    routing::get,
};
use corscheck_cases::{
    Alias,
    script::{Answer, Field, Framing, Http, Message, Resource, Script, Then},
};
use corscheck_servers::{Exchange, Options, Servers, Token};

/// Servers with a page, a WebSocket and one token whose script is given.
pub(crate) struct Setup {
    pub(crate) servers: Servers,
    pub(crate) token: Token,
}

impl Setup {
    pub(crate) async fn new(steps: Vec<Vec<Resource<Vec<u8>>>>) -> Self {
        let page = |Extension(at): Extension<Alias>| async move { format!("page of {at}") };
        // Says hello, then waits for the end.
        let talk = async |upgrade: WebSocketUpgrade| {
            upgrade.on_upgrade(async |mut socket| {
                if socket.send(Frame::text("hello")).await.is_ok() {
                    while let Some(Ok(_)) = socket.recv().await {}
                }
            })
        };
        let pages = Router::new().route("/page", get(page)).route("/socket", get(talk));
        let servers = Servers::start(Options { pages, ..Options::default() }).await.expect("servers start");
        let token = Token::new();
        servers.register(&token, Script { steps });
        Self { servers, token }
    }

    /// One resource `x` at `b` with these responses, in one step.
    pub(crate) async fn answering(response: Vec<Answer<Vec<u8>>>) -> Self {
        Self::new(vec![vec![resource("x", vec![], response)]]).await
    }

    pub(crate) fn connect(&self, alias: Alias) -> TcpStream {
        let port = self.servers.topology().port(alias);
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("sets a time-out");
        stream
    }

    /// A request for `/t/TOKEN/path`; `rest` follows the request line.
    pub(crate) fn request(&self, method: &str, path: &str, rest: &str) -> String {
        format!("{method} /t/{}/{path} HTTP/1.1\r\n{rest}\r\n", self.token)
    }

    /// Sends a GET of `x` at `b` on a fresh connection.
    pub(crate) fn get(&self) -> TcpStream {
        self.send(self.request("GET", "x", ""))
    }

    /// Sends bytes to `b` on a fresh connection.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) -> TcpStream {
        let mut stream = self.connect(Alias::B);
        stream.write_all(bytes.as_ref()).expect("writes");
        stream
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.servers.exchanges(&self.token)
    }

    /// Waits until the record satisfies a condition.
    pub(crate) async fn until(&self, condition: impl Fn(&[Exchange]) -> bool) -> Vec<Exchange> {
        for _ in 0..1000 {
            let exchanges = self.exchanges();
            if condition(&exchanges) {
                return exchanges;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the condition never holds: {:#?}", self.exchanges());
    }
}

pub(crate) fn resource(path: &str, preflight: Vec<Answer<Vec<u8>>>, response: Vec<Answer<Vec<u8>>>) -> Resource<Vec<u8>> {
    Resource { at: Alias::B, path: path.to_owned(), preflight, response, revalidation: Vec::new() }
}

pub(crate) fn http(status: u16, body: &str) -> Http<Vec<u8>> {
    Http {
        interim: vec![],
        status,
        reason: None,
        fields: vec![],
        body: body.as_bytes().to_vec(),
        body_delay_ms: 0,
        framing: Framing::Length,
        cut: None,
    }
}

pub(crate) fn pair(name: &str, value: impl AsRef<[u8]>) -> Field<Vec<u8>> {
    Field::Pair(name.as_bytes().to_vec(), value.as_ref().to_vec())
}

pub(crate) fn then(message: Message<Vec<u8>>, then: Then) -> Answer<Vec<u8>> {
    Answer { delay_ms: 0, message, then }
}

/// An answer in good order.
pub(crate) fn ok(body: &str) -> Answer<Vec<u8>> {
    then(Message::Http(http(200, body)), Then::Keep)
}

pub(crate) fn raw(chunks: &[&str], end: Then) -> Answer<Vec<u8>> {
    then(Message::Raw(chunks.iter().map(|chunk| chunk.as_bytes().to_vec()).collect()), end)
}

/// Reads until these bytes have arrived.
#[track_caller]
pub(crate) fn expect(stream: &mut TcpStream, expected: &str) {
    let mut bytes = vec![0; expected.len()];
    let mut length = 0;
    while length < bytes.len() {
        match stream.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(n) => length += n,
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&bytes[..length])),
        }
    }
    assert_eq!(String::from_utf8_lossy(&bytes[..length]), expected);
}

/// Reads until the peer closes in order.
#[track_caller]
pub(crate) fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("ends in order");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends all of a request to `b`, without waiting for what comes of it, and reads the whole answer.
#[track_caller]
pub(crate) fn ask(setup: &Setup, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = setup.send(bytes);
    rest(&mut stream)
}
