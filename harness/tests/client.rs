//! The client of the simulated user agent, against servers that say anything.

use std::{
    borrow::Cow,
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use corscheck::simulated::client::{Client, ClientOptions};
use corscheck_cases::{
    Alias,
    oracle::{
        Defect, Defects,
        headers::HeaderList,
        network::{Fault, Incoming, Limits, Network, Outgoing, Read, ReadEnd},
    },
    script::{Answer, Field, Framing, Http, Message, Resource, Script, Then},
};
use corscheck_servers::{HttpVersion, Options, Servers, Token};
use url::Url;

const PATIENCE: Duration = Duration::from_secs(5);

/// A server for one connection: reads a head, then does as told; gives what it read in all.
struct Server {
    url: Url,
    thread: JoinHandle<Vec<u8>>,
}

impl Server {
    fn new(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let mut received = Vec::new();
            let mut buffer = [0; 4096];
            while !received.windows(4).any(|w| w == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(n @ 1..) => received.extend_from_slice(&buffer[..n]),
                    _ => return received,
                }
            }
            answer(&mut stream);
            // What is written is there before the end of the connection, however the client leaves.
            _ = stream.shutdown(Shutdown::Write);
            _ = stream.read_to_end(&mut received);
            received
        });
        Self { url: Url::parse(&format!("http://a.localhost:{port}/path?query")).expect("a URL"), thread }
    }

    /// Writes the bytes and closes.
    fn saying(bytes: &'static [u8]) -> Self {
        Self::new(move |stream| _ = stream.write_all(bytes))
    }

    /// Writes the bytes and keeps the connection open until the client leaves.
    fn staying(bytes: &'static [u8]) -> Self {
        Self::new(move |stream| {
            _ = stream.write_all(bytes);
            _ = stream.read_to_end(&mut Vec::new());
        })
    }

    fn received(self) -> String {
        let bytes = self.thread.join().expect("the server ends");
        bytes.iter().map(|b| char::from(*b)).collect()
    }
}

/// A request in short.
struct Ask<'a> {
    method: &'a str,
    headers: &'a [(&'static str, &'static [u8])],
    body: Option<&'static [u8]>,
    streams: bool,
    limits: Limits,
    defects: Defects,
}

const GET: Ask<'static> = Ask { method: "GET", headers: &[], body: None, streams: false, limits: NO_LIMITS, defects: Defects::NONE };

const NO_LIMITS: Limits = Limits { abort_after_ms: None, timeout_ms: None };

fn exchange<B>(client: &mut impl Network<'static, Body = B>, url: &Url, ask: &Ask<'_>) -> Result<Incoming<'static, B>, Fault> {
    let mut headers = HeaderList::new();
    for (name, value) in ask.headers {
        headers.append((*name).to_owned(), value.to_vec());
    }
    client.exchange(Outgoing {
        url: &Cow::Owned(url.clone()),
        method: &Cow::Owned(ask.method.to_owned()),
        headers,
        body: ask.body,
        streams: ask.streams,
        is_preflight: false,
        credentials: false,
        new_connection: true,
        limits: ask.limits,
        defects: &ask.defects,
    })
}

fn client() -> Client {
    Client::new(ClientOptions { answer_timeout: PATIENCE, ..ClientOptions::default() })
}

type Fields = Vec<(String, Vec<u8>)>;

/// Asks and reads the body.
fn whole(client: &mut Client, url: &Url, ask: &Ask<'_>) -> Result<(u16, Fields, Read<'static>), Fault> {
    let incoming = exchange(client, url, ask)?;
    let headers = incoming.headers.iter().map(|h| (h.name.to_string(), h.value.to_vec())).collect();
    Ok((incoming.status, headers, client.read(incoming.body, ask.limits)))
}

/// The body of a 200, and how it ended.
fn body_of(server: &Server, ask: &Ask<'_>) -> (String, ReadEnd) {
    let (status, _, read) = whole(&mut client(), &server.url, ask).expect("a response");
    assert_eq!(status, 200);
    (String::from_utf8_lossy(&read.bytes).into_owned(), read.end)
}

fn whole_body(text: &str) -> (String, ReadEnd) {
    (text.to_owned(), ReadEnd::Complete)
}

fn broken_body(text: &str) -> (String, ReadEnd) {
    (text.to_owned(), ReadEnd::Broken)
}

#[test]
fn a_request_goes_out_byte_by_byte_as_it_is_asked_for() {
    let server = Server::saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let mut client = client();
    let headers: &[(&str, &[u8])] = &[("aCCept", b"*/*"), ("X-Odd", b"\xE9 \x01"), ("X-Twice", b"1"), ("X-Empty", b""), ("x-twice", b"2")];
    let ask = Ask { method: "pUt", headers, body: Some(b"body\0"), ..GET };
    let url = Url::parse(&format!("{}&a=%20'|#fragment", server.url)).expect("a URL");
    whole(&mut client, &url, &ask).expect("a response");
    let port = url.port().expect("a port");
    let expected = format!(
        "pUt /path?query&a=%20%27| HTTP/1.1\r\nHost: a.localhost:{port}\r\nConnection: keep-alive\r\naCCept: */*\r\nX-Odd: \u{e9} \u{1}\r\n\
         X-Twice: 1, 2\r\nX-Empty: \r\nAccept-Encoding: gzip, deflate\r\n\r\nbody\0"
    );
    assert_eq!(server.received(), expected);
    let record = &client.records()[0];
    assert_eq!(record.sent_head.iter().chain(&record.sent_body).map(|b| char::from(*b)).collect::<String>(), expected);
    assert_eq!(record.received_head, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(record.server, Some((SocketAddr::from(([127, 0, 0, 1], port)), HttpVersion::Http1)));
    assert_eq!((record.body_end, &record.fault), (Some(ReadEnd::Complete), &None));
}

#[test]
fn a_stream_goes_over_http1_only_where_that_is_the_defect() {
    let stream = Ask { method: "POST", body: Some(b"twelve bytes"), streams: true, ..GET };
    let server = Server::saying(b"");
    assert_eq!(exchange(&mut client(), &server.url, &stream).err(), Some(Fault::StreamOverHttp1));
    assert_eq!(server.received(), "", "nothing is sent");

    for (body, sent) in [(&b"twelve bytes"[..], "c\r\ntwelve bytes\r\n0\r\n\r\n"), (b"", "0\r\n\r\n")] {
        let server = Server::saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let ask = Ask { body: Some(body), defects: Defects::only(Defect::StreamHttp1), ..stream };
        exchange(&mut client(), &server.url, &ask).expect("a response");
        let received = server.received();
        assert!(received.ends_with(&format!("\r\nTransfer-Encoding: chunked\r\n\r\n{sent}")), "{received}");
    }
}

#[test]
fn bytes_may_come_one_at_a_time() {
    let server = Server::new(|stream| {
        let answer = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 Fine\r\nX-A:  1 \r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n";
        for byte in answer {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_micros(300));
        }
    });
    let mut client = client();
    let incoming = exchange(&mut client, &server.url, &GET).expect("a response");
    assert_eq!((incoming.status, &*incoming.status_text), (200, &b"Fine"[..]));
    assert_eq!(incoming.headers.get("x-a").as_deref(), Some(&b"1"[..]));
    let read = client.read(incoming.body, NO_LIMITS);
    assert_eq!((&*read.bytes, read.end), (&b"abc"[..], ReadEnd::Complete));
    let record = &client.records()[0];
    assert_eq!(record.interim, [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"]);
    assert_eq!(record.received_head, b"HTTP/1.1 200 Fine\r\nX-A:  1 \r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(record.received_body, b"abc");
}

#[test]
fn what_is_no_response_is_a_broken_connection() {
    for (said, why) in [
        (&b"HTTP/0.9 200 OK\r\n\r\n"[..], "version"),
        (b"nonsense\r\n\r\n", "status line"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "three digits"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "without a colon"),
        (b"HTTP/1.1 200 OK\r\nA : 1\r\n\r\n", "white space before the colon"),
        (b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", "NUL"),
        (b"HTTP/1.1 200 OK\nA: 1\n\n", "LF without CR"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "switch of protocols"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        (b"", "ended before a response"),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\n", "ended before a response"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "ended before a response"),
    ] {
        let server = Server::saying(said);
        let mut client = client();
        let fault = exchange(&mut client, &server.url, &GET).err();
        assert!(matches!(&fault, Some(Fault::Broken(words)) if words.contains(why)), "{}: {fault:?}", said.escape_ascii());
        let record = &client.records()[0];
        let recorded = [record.interim.concat(), record.received_head.clone()].concat();
        assert!(said.starts_with(&recorded) && record.fault == fault, "{}", recorded.escape_ascii());
        assert_eq!(client.gave_up(), None);
    }
}

#[test]
fn a_body_ends_as_its_framing_says() {
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    let answer = |rest: &str| -> &'static [u8] { format!("{OK}{rest}").into_bytes().leak() };
    // The connection stays open: the end of the body is known without it.
    for (rest, body) in [
        ("Content-Length: 3\r\n\r\nabc", "abc"),
        ("Content-Length: 3\r\n\r\nabcHTTP/1.1 500 Surplus\r\n\r\n", "abc"),
        ("Content-Length: 3, 3\r\n\r\nabc", "abc"),
        ("Content-Length: 0\r\n\r\n", ""),
        ("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "abc"),
    ] {
        assert_eq!(body_of(&Server::staying(answer(rest)), &GET), whole_body(body), "{rest}");
    }
    for (rest, expected) in [
        ("\r\nabc", whole_body("abc")),
        ("Transfer-Encoding: gzip\r\n\r\nabc", whole_body("abc")),
        ("Content-Length: 4\r\n\r\nabc", broken_body("abc")),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", broken_body("abc")),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", broken_body("abc")),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", broken_body("abc")),
        ("Transfer-Encoding: chunked\r\n\r\nx\r\n", broken_body("")),
    ] {
        assert_eq!(body_of(&Server::saying(answer(rest)), &GET), expected, "{rest}");
    }
}

#[test]
fn head_and_some_statuses_have_no_body() {
    let head = Ask { method: "HEAD", ..GET };
    let server = Server::staying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(body_of(&server, &head), whole_body(""));
    for said in
        [&b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"[..], b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"]
    {
        let server = Server::staying(said);
        let (_, _, read) = whole(&mut client(), &server.url, &GET).expect("a response");
        assert_eq!((&*read.bytes, read.end), (&b""[..], ReadEnd::Complete));
    }
}

#[test]
fn interim_responses_count_where_that_is_the_defect() {
    const SAID: &[u8] =
        b"HTTP/1.1 103 Early\r\nX: 1\r\n\r\nHTTP/1.1 102 Later\r\nY: 2\r\n\r\nHTTP/1.1 200 OK\r\nX: 3\r\nContent-Length: 1\r\n\r\na";
    let of = |defects| {
        let server = Server::saying(SAID);
        let (status, headers, read) = whole(&mut client(), &server.url, &Ask { defects, ..GET }).expect("a response");
        let headers: Vec<_> = headers.iter().map(|(n, v)| format!("{n}: {}", String::from_utf8_lossy(v))).collect();
        (status, headers.join(" "), String::from_utf8_lossy(&read.bytes).into_owned())
    };
    let told = |status, headers: &str, body: &str| (status, headers.to_owned(), body.to_owned());
    assert_eq!(of(Defects::NONE), told(200, "X: 3 Content-Length: 1", "a"));
    assert_eq!(of(Defects::only(Defect::InterimFinal)), told(103, "X: 1", ""));
    assert_eq!(of(Defects::only(Defect::AcaoFromInterim)), told(200, "X: 1 X: 3 Content-Length: 1", "a"));
}

#[test]
fn limits_end_the_wait_for_a_head() {
    for said in [&b""[..], b"HTTP/1.1 200 OK\r\nA: 1", b"HTTP/1.1 103 Early\r\n\r\n"] {
        for (abort_after_ms, timeout_ms, fault) in
            [(Some(60), None, Fault::Aborted), (None, Some(60), Fault::TimedOut), (Some(60), Some(3000), Fault::Aborted)]
        {
            let server = Server::staying(said);
            let limits = Limits { abort_after_ms, timeout_ms };
            let started = Instant::now();
            assert_eq!(exchange(&mut client(), &server.url, &Ask { limits, ..GET }).err(), Some(fault));
            let took = started.elapsed();
            assert!((60..2000).contains(&took.as_millis()), "{took:?}");
        }
    }
}

#[test]
fn limits_end_the_wait_for_a_body_and_keep_what_came() {
    for (abort_after_ms, timeout_ms, end) in [(Some(60), None, ReadEnd::Aborted), (None, Some(60), ReadEnd::TimedOut)] {
        let server = Server::staying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
        let limits = Limits { abort_after_ms, timeout_ms };
        let mut client = client();
        let (_, _, read) = whole(&mut client, &server.url, &Ask { limits, ..GET }).expect("a response");
        assert_eq!((&*read.bytes, read.end), (&b"abc"[..], end));
        assert_eq!((client.gave_up(), client.records()[0].body_end), (None, Some(end)));
    }
}

#[test]
fn patience_ends_and_is_told_apart_from_a_broken_connection() {
    let impatient = || Client::new(ClientOptions { answer_timeout: Duration::from_millis(80), ..ClientOptions::default() });
    for said in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"] {
        let server = Server::staying(said);
        let mut client = impatient();
        match whole(&mut client, &server.url, &GET) {
            Err(Fault::Broken(words)) => assert!(said.is_empty() && words.contains("0.08 s"), "{words}"),
            Ok((_, _, read)) => assert_eq!((&*read.bytes, read.end), (&b"abc"[..], ReadEnd::Broken)),
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(client.gave_up(), Some(Duration::from_millis(80)));
        let longer = impatient().fresh(Duration::from_secs(1));
        assert!(longer.records().is_empty() && longer.gave_up().is_none());
    }
    // Bytes that keep coming do not make it last.
    let server = Server::new(|stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let mut client = impatient();
    let (_, _, read) = whole(&mut client, &server.url, &GET).expect("a response");
    assert!(read.end == ReadEnd::Broken && client.gave_up().is_some());
}

#[test]
fn a_body_too_long_is_broken_off() {
    let server = Server::saying(b"HTTP/1.1 200 OK\r\n\r\n0123456789");
    let mut client = Client::new(ClientOptions { most_body: 5, ..ClientOptions::default() });
    assert_eq!(whole(&mut client, &server.url, &GET).expect("a response").2.end, ReadEnd::Broken);
}

#[test]
fn an_answer_counts_although_the_request_could_not_be_sent() {
    // More than sockets hold: the rest of it meets a closed connection.
    let body: &[u8] = vec![b'x'; 16 << 20].leak();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = Url::parse(&format!("http://{}/", listener.local_addr().expect("an address"))).expect("a URL");
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n").expect("it is there");
        stream.shutdown(Shutdown::Write).expect("it is there");
        // The client goes on sending for a while before the connection is gone.
        let mut buffer = vec![0; 1 << 20];
        while matches!(stream.read(&mut buffer), Ok(1..)) {}
    });
    let ask = Ask { method: "POST", body: Some(body), ..GET };
    assert_eq!(exchange(&mut client(), &url, &ask).expect("a response").status, 413);
    thread.join().expect("the server ends");
}

#[test]
fn where_nobody_listens_there_is_no_connection() {
    let port = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let mut client = client();
    for url in [format!("http://127.0.0.1:{port}/"), format!("https://127.0.0.1:{port}/"), "http://no-such-host.invalid/".to_owned()] {
        let fault = exchange(&mut client, &Url::parse(&url).expect("a URL"), &GET).err();
        assert!(matches!(&fault, Some(Fault::Unreachable(_))), "{url}: {fault:?}");
    }
    assert!(client.records().iter().all(|r| r.server.is_none() && r.sent_head.is_empty()));
    assert_eq!((client.take_records().len(), client.records().len()), (3, 0));
}

#[test]
fn hosts_may_be_told_to_be_elsewhere() {
    let server = Server::saying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let mut options = ClientOptions::default();
    let port = server.url.port().expect("a port");
    options.resolve.insert(("app.example.com".to_owned(), 80), SocketAddr::from(([127, 0, 0, 1], port)));
    let url = Url::parse("http://app.example.com/").expect("a URL");
    exchange(&mut Client::new(options), &url, &GET).expect("a response");
    assert!(server.received().starts_with("GET / HTTP/1.1\r\nHost: app.example.com\r\n"));
}

/// An answer of the servers.
fn answer(status: u16, body: Vec<u8>, cut: Option<usize>, then: Then) -> Answer<Vec<u8>> {
    let http = Http {
        interim: Vec::new(),
        status,
        reason: None,
        fields: vec![Field::Pair(b"X-A".to_vec(), b"1".to_vec()), Field::Pair(b"X-A".to_vec(), b"\xE9".to_vec())],
        body,
        body_delay_ms: 0,
        framing: Framing::Length,
        cut,
    };
    Answer { delay_ms: 0, message: Message::Http(http), then }
}

struct Scripted {
    servers: Servers,
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Scripted {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let servers = runtime.block_on(Servers::start(Options::default())).expect("ports");
        let options = ClientOptions { answer_timeout: PATIENCE, ..ClientOptions::default() };
        let client = Client::new(options.trusting(servers.ca_pem()).expect("a certificate"));
        Self { servers, runtime, client }
    }

    /// The URL at which an answer waits.
    fn at(&self, alias: Alias, answer: Answer<Vec<u8>>) -> (Token, Url) {
        let token = Token::new();
        let resource =
            Resource { at: alias, path: "x".to_owned(), preflight: Vec::new(), response: vec![answer], revalidation: Vec::new() };
        self.servers.register(&token, Script { steps: vec![vec![resource]] });
        let url = format!("{}/t/{token}/x", self.servers.topology().origin(alias));
        (token, Url::parse(&url).expect("a URL"))
    }
}

#[test]
fn tls_is_spoken_with_those_who_are_trusted() {
    let mut scripted = Scripted::new();
    for (alias, version) in [(Alias::BTls, HttpVersion::Http1), (Alias::BH2, HttpVersion::Http2)] {
        let (_, url) = scripted.at(alias, answer(200, b"secret".to_vec(), None, Then::Keep));
        let (status, headers, read) = whole(&mut scripted.client, &url, &GET).expect("a response");
        let values: Vec<_> = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("x-a")).map(|(_, v)| &v[..]).collect();
        assert_eq!((status, &*read.bytes, values), (200, &b"secret"[..], vec![&b"1"[..], b"\xE9"]));
        assert_eq!(scripted.client.records().last().and_then(|r| r.server).map(|(_, v)| v), Some(version));
        let fault = exchange(&mut client(), &url, &GET).err();
        assert!(matches!(&fault, Some(Fault::Unreachable(words)) if words.contains("TLS with b.localhost")), "{fault:?}");
    }
    scripted.runtime.block_on(scripted.servers.stop());
}

#[test]
fn http2_carries_requests_with_bodies_of_any_length() {
    let mut scripted = Scripted::new();
    for length in [0, 1, 100_000, 3_000_000] {
        let (token, url) = scripted.at(Alias::BH2, answer(200, vec![b'y'; length], None, Then::Keep));
        let body: &[u8] = vec![b'x'; length].leak();
        let ask = Ask { method: "POST", headers: &[("X-Sent", b"1"), ("X-Other", b"2")], body: Some(body), streams: true, ..GET };
        let (_, _, read) = whole(&mut scripted.client, &url, &ask).expect("a response");
        assert_eq!((read.bytes.len(), read.end), (length, ReadEnd::Complete));
        let exchange = scripted.servers.take(&token).pop().expect("it was recorded");
        assert_eq!((exchange.request.body_length, exchange.request.body_complete), (length as u64, true));
        assert_eq!((exchange.request.values("x-sent"), exchange.request.values("host").len()), (vec![&b"1"[..]], 0));
    }
    let rendered = String::from_utf8_lossy(&scripted.client.records()[0].sent_head).into_owned();
    assert!(rendered.starts_with("POST /t/") && rendered.contains("/x HTTP/2\r\nhost: b.localhost:"), "{rendered}");
    assert!(rendered.contains("\r\nx-sent: 1\r\nx-other: 2\r\n") && !rendered.contains("connection"), "{rendered}");
    let refused = Ask { headers: &[("X-Control", b"\x01")], ..GET };
    let (_, url) = scripted.at(Alias::BH2, answer(200, Vec::new(), None, Then::Keep));
    let fault = exchange(&mut scripted.client, &url, &refused).err();
    assert!(matches!(&fault, Some(Fault::Broken(words)) if words.contains("X-Control")), "{fault:?}");
}

#[test]
fn http2_streams_that_stop_are_broken_and_limits_hold() {
    let mut scripted = Scripted::new();
    let (_, url) = scripted.at(Alias::BH2, answer(200, b"abcdef".to_vec(), Some(3), Then::Reset));
    // Over HTTP/2 the script cannot reset the connection: the stream is reset instead of an answer.
    assert!(matches!(exchange(&mut scripted.client, &url, &GET).err(), Some(Fault::Broken(_))));
    let (_, url) = scripted.at(Alias::BH2, answer(200, b"abcdef".to_vec(), Some(3), Then::Close));
    let (_, _, read) = whole(&mut scripted.client, &url, &GET).expect("a response");
    assert_eq!((&*read.bytes, read.end), (&b"abc"[..], ReadEnd::Broken));

    let limits = Limits { abort_after_ms: Some(60), timeout_ms: None };
    let (_, url) = scripted.at(Alias::BH2, answer(200, b"abcdef".to_vec(), Some(3), Then::Hang));
    let (_, _, read) = whole(&mut scripted.client, &url, &Ask { limits, ..GET }).expect("a response");
    assert_eq!((&*read.bytes, read.end), (&b"abc"[..], ReadEnd::Aborted));
    let nothing = Answer { delay_ms: 0, message: Message::Nothing, then: Then::Hang };
    let (_, url) = scripted.at(Alias::BH2, nothing);
    let limits = Limits { abort_after_ms: None, timeout_ms: Some(60) };
    assert_eq!(exchange(&mut scripted.client, &url, &Ask { limits, ..GET }).err(), Some(Fault::TimedOut));
    assert_eq!(scripted.client.gave_up(), None);
}

#[test]
fn the_clock_goes_on_from_the_present() {
    let mut client = client();
    let clock = |client: &mut Client| <Client as Network<'static>>::now_ms(client);
    let before = clock(&mut client);
    std::thread::sleep(Duration::from_millis(5));
    assert!(clock(&mut client) >= before + 5);
    // Dates of cookies are compared with it: it is after 2020.
    assert!(before > 1_577_836_800_000);
}
