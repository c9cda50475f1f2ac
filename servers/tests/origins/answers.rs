//! What a client gets of an answer.

use std::{io::Write, time::Instant};

use corscheck_cases::script::{Answer, Field, Framing, Interim, Message, Then};
use corscheck_servers::Fate;

use crate::support::{Setup, ask, expect, http, ok, pair, raw, resource, rest, then};

const CLOSE: &str = "Connection: close\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_sent_as_scripted() {
    let mut http = http(200, "");
    http.reason = Some(b"Fine \xff".to_vec());
    http.fields =
        vec![pair("x-ODD", b"\xe9"), pair("x-odd", ""), Field::Line(b" folded".to_vec()), Field::Line(b"no colon".to_vec()), pair("", "a")];
    let setup = Setup::answering(vec![then(Message::Http(http), Then::Close)]).await;
    let mut stream = setup.get();
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer).expect("reads");
    let expected = b"HTTP/1.1 200 Fine \xff\r\nx-ODD: \xe9\r\nx-odd: \r\n folded\r\nno colon\r\n: a\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(answer, expected);
    assert_eq!(&setup.exchanges()[0].answer.head[..], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_chunks_are_sent_as_they_are() {
    let chunks = ["HTTP/1.1 200 OK\nX", ": y\n\r\r\n", "\u{0}", "", "HTTP/1.1"];
    let setup = Setup::answering(vec![raw(&chunks, Then::Close)]).await;
    let mut stream = setup.get();
    assert_eq!(rest(&mut stream), chunks.concat());
    let answer = &setup.exchanges()[0].answer;
    assert_eq!((answer.status, &answer.fate), (Some(200), &Fate::Cut));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_raw_answer_keeps_the_connection() {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let setup = Setup::answering(vec![raw(&[whole], Then::Keep), raw(&["HTTP/1.1 200 OK\r\n\r\nopen"], Then::Keep)]).await;
    let mut stream = setup.send(setup.request("GET", "x", "").repeat(2));
    assert_eq!(rest(&mut stream), format!("{whole}HTTP/1.1 200 OK\r\n\r\nopen"));
    let answers = setup.exchanges().into_iter().map(|e| (e.answer.fate, e.answer.body.0));
    assert_eq!(Vec::from_iter(answers), [(Fate::Sent, b"hi".to_vec()), (Fate::Sent, b"open".to_vec())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nth_answer_goes_to_the_nth_request_and_the_last_repeats() {
    let preflights = vec![ok("p1"), ok("p2")];
    let setup = Setup::new(vec![vec![resource("a/b", preflights, vec![ok("r1"), ok("r2")]), resource("", vec![], vec![ok("root")])]]).await;
    let preflight = format!("access-control-request-method: PUT\r\n{CLOSE}");
    let body = |answer: String| answer.split("\r\n\r\n").nth(1).expect("a body").to_owned();
    let ask = |method, path, rest: &str| body(ask(&setup, setup.request(method, path, rest)));
    assert_eq!(ask("GET", "a/b", CLOSE), "r1");
    assert_eq!(ask("OPTIONS", "a/b", &preflight), "p1");
    assert_eq!(ask("OPTIONS", "a/b", CLOSE), "r2");
    assert_eq!(ask("PUT", "a/b?query=1", CLOSE), "r2");
    assert_eq!(ask("OPTIONS", "a/b", &preflight), "p2");
    assert_eq!(ask("OPTIONS", "a/b", &preflight), "p2");
    assert_eq!(ask("GET", "", CLOSE), "root");
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_answer_each_for_themselves() {
    let setup = Setup::new(vec![vec![resource("x", vec![], vec![ok("0")])], vec![resource("x", vec![], vec![ok("1a"), ok("1b")])]]).await;
    let ask = || ask(&setup, setup.request("GET", "x", CLOSE));
    assert!(ask().ends_with("\r\n0"));
    setup.servers.set_step(&setup.token, 1);
    assert!(ask().ends_with("1a"));
    assert!(ask().ends_with("1b"));
    setup.servers.set_step(&setup.token, 7);
    assert!(ask().starts_with("HTTP/1.1 501"));
    let steps: Vec<_> = setup.exchanges().iter().map(|e| e.step).collect();
    assert_eq!(steps, [0, 1, 1, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn interim_responses_go_first() {
    let mut http = http(200, "hi");
    http.interim = vec![Interim { status: 103, fields: vec![pair("Link", "</x>")] }];
    let setup = Setup::answering(vec![then(Message::Http(http), Then::Keep)]).await;
    let mut stream = setup.get();
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    expect(&mut stream, &format!("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n{head}hi"));
    assert_eq!(setup.exchanges()[0].answer.head.0, head.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn head_and_204_have_no_body_and_keep_the_connection() {
    let setup = Setup::answering(vec![ok("hi"), then(Message::Http(http(204, "hi")), Then::Keep), ok("end")]).await;
    let mut stream = setup.send(setup.request("HEAD", "x", "") + &setup.request("GET", "x", "").repeat(2));
    expect(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    expect(&mut stream, "HTTP/1.1 204 No Content\r\n\r\n");
    expect(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend");
}

#[tokio::test(flavor = "multi_thread")]
async fn framings_that_lie_or_close_end_the_connection() {
    for (framing, sent, fate) in [
        (Framing::Declared(5), "Content-Length: 5\r\n\r\nhi", Fate::Cut),
        (Framing::Declared(1), "Content-Length: 1\r\n\r\nhi", Fate::Sent),
        (Framing::Close, "Connection: close\r\n\r\nhi", Fate::Sent),
    ] {
        let mut http = http(200, "hi");
        http.framing = framing;
        let setup = Setup::answering(vec![then(Message::Http(http), Then::Keep)]).await;
        let mut stream = setup.send(setup.request("GET", "x", "").repeat(2));
        assert_eq!(rest(&mut stream), format!("HTTP/1.1 200 OK\r\n{sent}"));
        let [exchange] = &setup.exchanges()[..] else { panic!("the second request is not answered") };
        assert_eq!(exchange.answer.fate, fate);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chunked_answers_keep_the_connection() {
    let mut http = http(200, "hi");
    http.framing = Framing::Chunked;
    let setup = Setup::answering(vec![then(Message::Http(http), Then::Keep)]).await;
    let mut stream = setup.send(setup.request("GET", "x", "").repeat(2));
    expect(&mut stream, &"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n".repeat(2));
    assert_eq!(setup.exchanges()[0].answer.body.0, b"hi");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_body_ends_where_the_script_says() {
    let mut http = http(200, "body");
    http.cut = Some(2);
    let setup = Setup::answering(vec![then(Message::Http(http), Then::Keep)]).await;
    let mut stream = setup.get();
    assert_eq!(rest(&mut stream), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo");
    let answer = &setup.exchanges()[0].answer;
    assert_eq!((answer.body_length, &answer.fate), (2, &Fate::Cut));
}

#[tokio::test(flavor = "multi_thread")]
async fn delays_come_before_head_and_body() {
    let mut http = http(200, "hi");
    http.body_delay_ms = 60;
    let setup = Setup::answering(vec![Answer { delay_ms: 60, message: Message::Http(http), then: Then::Keep }]).await;
    let start = Instant::now();
    let mut stream = setup.get();
    expect(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    assert!(start.elapsed().as_millis() >= 60);
    let answer = &setup.exchanges()[0].answer;
    assert_eq!((answer.status, &answer.fate), (Some(200), &Fate::Pending));
    // What arrives meanwhile is answered afterwards.
    stream.write_all(setup.request("GET", "y", "").as_bytes()).expect("writes");
    expect(&mut stream, "hiHTTP/1.1 501 Not Implemented\r\n");
    assert!(start.elapsed().as_millis() >= 120);
    assert_eq!(setup.exchanges()[0].answer.fate, Fate::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_arrives_whole_and_only_its_beginning_is_kept() {
    let body = "0123456789abcdef".repeat(1 << 18);
    let setup = Setup::answering(vec![ok(&body)]).await;
    let answer = ask(&setup, setup.request("GET", "x", CLOSE));
    assert!(answer.ends_with(&format!("\r\n\r\n{body}")));
    let recorded = &setup.exchanges()[0].answer;
    assert_eq!((recorded.body_length, recorded.body.len(), &recorded.fate), (4 << 20, 4096, &Fate::Sent));
}
