//! `corscheck explain` against small servers that are wrong in the ways that servers are.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use corscheck_cases::{
    Alias,
    script::{Answer, Field, Framing, Http, Message, Resource, Script, Then},
};
use corscheck_servers::{Options, Servers, Token};
use corscheck_tests::{Ended, Place, browsers, turn};
use serde_json::Value;

use crate::place;

const ORIGIN: &str = "https://app.example.com";

/// A request as a server of these tests sees it.
#[derive(Debug, Clone)]
struct Asked {
    method: String,
    path: String,
    origin: Option<String>,
    preflight: bool,
}

/// A server on loopback that answers each connection once, and keeps what it was asked.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers with the bytes that `answer` makes of a request.
    fn new(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = asked.clone();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &answer, &record);
            }
        });
        Self { port, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panicked").clone()
    }

    fn methods(&self) -> Vec<String> {
        self.asked().into_iter().map(|a| a.method).collect()
    }
}

fn serve(mut stream: TcpStream, answer: &impl Fn(&Asked) -> Vec<u8>, record: &Mutex<Vec<Asked>>) {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => head.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut words = text.split(' ').map(str::to_owned);
    let field = |name: &str| {
        let prefix = format!("{name}: ");
        text.lines().find_map(|l| l.to_ascii_lowercase().starts_with(&prefix).then(|| l[prefix.len()..].to_owned()))
    };
    let asked = Asked {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        origin: field("origin"),
        preflight: field("access-control-request-method").is_some(),
    };
    let bytes = answer(&asked);
    record.lock().expect("nobody panicked").push(asked);
    // Whoever asked may have gone already.
    _ = stream.write_all(&bytes);
}

/// A response without a body.
fn head(status: &str, lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{}Content-Length: 0\r\nConnection: close\r\n\r\n", lines.replace('\n', "\r\n")).into_bytes()
}

fn explain(place: &Place, args: &[&str]) -> Ended {
    let mut all = vec!["explain"];
    all.extend(args);
    place.run(all)
}

fn json(place: &Place, args: &[&str]) -> (Value, Option<i32>) {
    let mut all = args.to_vec();
    all.extend(["--format", "json"]);
    let ended = explain(place, &all);
    let document = serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}\n{}\n{}", ended.stdout, ended.stderr));
    (document, ended.code())
}

/// The ids of the diagnoses of one rank.
fn ids(document: &Value, rank: &str) -> Vec<String> {
    let diagnoses = document["diagnoses"].as_array().expect("a list");
    diagnoses.iter().filter(|d| d["rank"] == rank).map(|d| d["id"].as_str().expect("an id").to_owned()).collect()
}

/// What is printed, with ports that are the same in every run.
fn printed(ended: &Ended, server: &Server) -> String {
    ended.stdout.replace(&server.port.to_string(), "PORT")
}

#[test]
fn a_blocked_put_is_told_in_full() {
    let place = place();
    let server = Server::new(|asked| match asked.method.as_str() {
        "OPTIONS" => head("204 No Content", "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Methods: GET\n"),
        _ => head("200 OK", "Access-Control-Allow-Origin: *\n"),
    });
    let url = server.url("/x?q=1");
    let args = [&*url, "--origin", ORIGIN, "--method", "PUT", "--header", "X-Token: 1", "--credentials", "include"];
    let ended = explain(&place, &args);
    ended.expect_code(1);
    insta::assert_snapshot!("blocked_put", printed(&ended, &server));
    assert!(!server.methods().contains(&"PUT".to_owned()), "a PUT was sent that no preflight allowed: {:?}", server.asked());
    place.expect_nothing_left();
}

#[test]
fn an_allowed_read_with_dangers_ends_with_0_and_warns() {
    let place = place();
    let server = Server::new(|asked| match &asked.origin {
        Some(origin) => head("200 OK", &format!("Access-Control-Allow-Origin: {origin}\nAccess-Control-Allow-Credentials: true\n")),
        None => head("200 OK", ""),
    });
    let (document, code) = json(&place, &[&server.url("/x"), "--origin", ORIGIN, "--credentials", "include"]);
    assert_eq!((code, document["verdict"]["word"].as_str()), (Some(0), Some("allowed")));
    assert_eq!(ids(&document, "warning"), ["reflects-any-origin-with-credentials", "allows-null-origin", "vary-missing"]);
    assert_eq!(document["format"], 1);
    // The wire is there byte for byte.
    let received = document["wire"][0]["socket"]["received"].as_str().expect("bytes");
    assert!(received.starts_with(r"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://app.example.com\r\n"), "{received}");
}

#[test]
fn probes_are_harmless_and_can_be_left_out() {
    let place = place();
    let server = || {
        Server::new(|asked| match (asked.method.as_str(), asked.preflight) {
            ("OPTIONS", true) => {
                head("204 No Content", "Access-Control-Allow-Origin: https://app.example.com\nAccess-Control-Allow-Methods: DELETE\n")
            }
            _ => head("200 OK", ""),
        })
    };
    let probed = server();
    let (document, code) = json(&place, &[&probed.url("/x"), "--origin", ORIGIN, "--method", "DELETE"]);
    assert_eq!((code, ids(&document, "cause")), (Some(1), vec!["only-on-preflight".to_owned()]));
    let methods = probed.methods();
    assert_eq!(methods[..2], ["OPTIONS", "DELETE"], "as a browser would");
    assert!(methods.len() > 2 && methods.len() <= 16 && methods[2..].iter().all(|m| m == "GET" || m == "OPTIONS"), "{methods:?}");
    assert_eq!(document["probes"].as_array().map(Vec::len), Some(methods.len() - 2));
    assert!(probed.asked().iter().all(|a| a.path == "/x" || a.path == "/corscheck-probe-404"), "{:?}", probed.asked());

    let bare = server();
    let (document, _) = json(&place, &[&bare.url("/x"), "--origin", ORIGIN, "--method", "DELETE", "--no-probe"]);
    assert_eq!(bare.methods(), ["OPTIONS", "DELETE"]);
    assert_eq!((&document["probes"], &document["source"]["live"]["probes"]), (&Value::Array(Vec::new()), &Value::Bool(false)));
}

/// What servers get wrong, and what is said of it.
#[test]
fn what_servers_get_wrong_is_recognised() {
    type Answer = fn(&Asked) -> Vec<u8>;
    let own = "Access-Control-Allow-Origin: https://app.example.com\n";
    assert!(own.contains(ORIGIN));
    let cases: &[(&str, &[&str], Answer)] = &[
        ("no-cors-headers", &[], |_| head("200 OK", "")),
        ("errors-lack-headers", &[], |_| head("500 Oops", "")),
        ("preflight-unauthorized", &["--method", "PUT"], |a| match a.method.as_str() {
            "OPTIONS" => head("401 Unauthorized", "WWW-Authenticate: Basic\n"),
            _ => head("200 OK", "Access-Control-Allow-Origin: *\n"),
        }),
        ("preflight-method-not-routed", &["--method", "PUT"], |a| match a.method.as_str() {
            "OPTIONS" => head("405 Method Not Allowed", "Allow: PUT\n"),
            _ => head("200 OK", "Access-Control-Allow-Origin: *\n"),
        }),
        ("preflight-redirect-slash", &["--method", "PUT"], |_| head("307 Moved", "Location: /x/\n")),
        ("only-on-actual", &["--method", "PUT"], |a| match a.method.as_str() {
            "OPTIONS" => head("200 OK", ""),
            _ => head("200 OK", "Access-Control-Allow-Origin: *\n"),
        }),
        ("two-layers", &[], |_| head("200 OK", "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Origin: *\n")),
        ("origin-trailing-slash", &[], |a| match a.origin.as_deref() {
            Some("https://app.example.com/") => head("200 OK", "Access-Control-Allow-Origin: https://app.example.com/\n"),
            _ => head("200 OK", ""),
        }),
        ("origin-not-listed", &[], |a| match a.origin.as_deref() {
            Some(_) => head("200 OK", "Vary: Origin\n"),
            None => head("200 OK", "Access-Control-Allow-Origin: https://other.example\nVary: Origin\n"),
        }),
        ("preflight-refused-by-cors-layer", &["--header", "X-Token: 1"], |a| match a.method.as_str() {
            "OPTIONS" if a.preflight => {
                b"HTTP/1.1 400 Bad Request\r\nContent-Length: 23\r\nConnection: close\r\n\r\nDisallowed CORS headers".to_vec()
            }
            _ => head("200 OK", "Access-Control-Allow-Origin: *\n"),
        }),
        ("header-not-exposed", &["--expects-header", "X-Total"], |_| head("200 OK", "Access-Control-Allow-Origin: *\nX-Total: 1\n")),
        ("redirect-to-login", &[], |a| match a.path.as_str() {
            "/login" => head("200 OK", ""),
            _ => head("302 Found", "Access-Control-Allow-Origin: *\nLocation: /login\n"),
        }),
        ("redirect-loop", &[], |_| head("302 Found", "Access-Control-Allow-Origin: *\nLocation: /x\n")),
    ];
    let place = place();
    for (id, args, answer) in cases {
        let server = Server::new(answer);
        let url = server.url("/x");
        let mut all = vec![&*url, "--origin", ORIGIN];
        all.extend(*args);
        let (document, code) = json(&place, &all);
        assert_eq!((ids(&document, "cause").first().map(String::as_str), code), (Some(*id), Some(1)), "{}", document["diagnoses"]);
    }
}

#[test]
fn what_is_no_matter_of_cors_ends_with_3_and_says_so() {
    let place = place();
    let refused = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let ssh = Server::new(|_| b"SSH-2.0-\x1b[31mhostile\r\n".to_vec());
    let closes = Server::new(|_| Vec::new());
    let this_one = Server::new(|asked| if asked.path == "/" { head("404 Not Found", "") } else { Vec::new() });
    for (id, url) in [
        ("connection-refused", format!("http://127.0.0.1:{refused}/x")),
        ("not-http", ssh.url("/x")),
        ("no-answer", closes.url("/x")),
        ("this-request-unanswered", this_one.url("/x")),
        ("http-on-https-port", Server::new(|_| head("200 OK", "")).url("/x").replace("http://", "https://")),
        ("host-unknown", "https://no-such-host.invalid/x".to_owned()),
    ] {
        let (document, code) = json(&place, &[&url, "--origin", ORIGIN, "--timeout", "5"]);
        assert_eq!((ids(&document, "cause"), code), (vec![id.to_owned()], Some(3)), "{url}: {document:#}");
        assert_eq!(document["verdict"]["word"], "unreachable");
    }
    let ended = explain(&place, &[&ssh.url("/x"), "--origin", ORIGIN]);
    assert!(ended.expect_code(3).stdout.contains("no matter of CORS"), "{}", ended.stdout);
    assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
    // What a browser refuses by itself reaches nobody, and is no fault of a server.
    for (id, url) in [("mixed-content", "http://192.0.2.1/x"), ("bad-port", "http://127.0.0.1:6000/x")] {
        let (document, code) = json(&place, &[url, "--origin", ORIGIN]);
        assert_eq!((ids(&document, "cause"), code), (vec![id.to_owned()], Some(1)));
        assert_eq!(document["wire"], Value::Array(Vec::new()));
    }
}

#[test]
fn hostile_bytes_do_not_steer_the_terminal() {
    let place = place();
    let server = Server::new(|_| {
        let evil = b"\x1b[2J\x07\x9b31m\xe2\x80\xae";
        let mut out = b"HTTP/1.1 200 ".to_vec();
        for part in [&evil[..], b"\r\nX-Evil: ", evil, b"\r\nAccess-Control-Allow-Origin: ", evil, b"\r\nETag: ", evil] {
            out.extend_from_slice(part);
        }
        out.extend_from_slice(b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        out
    });
    let ended = explain(&place, &[&server.url("/x"), "--origin", ORIGIN, "--color", "never"]);
    let harmful = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!ended.expect_code(1).stdout.contains(harmful), "{}", ended.stdout);
    assert!(ended.stdout.contains(r"X-Evil: \x1B[2J\x07\x9B31m\xE2\x80\xAE"), "{}", ended.stdout);
    let (document, _) = json(&place, &[&server.url("/x"), "--origin", ORIGIN]);
    assert_eq!(document["wire"][0]["answer"]["response"]["headers"][0][1], r"\x1B[2J\x07\x9B31m\xE2\x80\xAE");
}

#[test]
fn described_answers_are_explained_without_a_network() {
    let place = place();
    place.file(
        "answer.toml",
        r#"
request = { url = "https://api.example.com/x", origin = "https://app.example.com", method = "PATCH" }
preflight = { status = 204, headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Methods", "GET, PUT"]] }
response = { headers = [["Access-Control-Allow-Origin", "{origin}"], ["Vary", "Origin"]] }
"#,
    );
    let ended = explain(&place, &["--answer", "answer.toml"]);
    ended.expect_code(1);
    insta::assert_snapshot!("described_answer", ended.stdout);
    // Options go before the file.
    explain(&place, &["--answer", "answer.toml", "--method", "PUT"]).expect_code(0);

    place.file("curl.txt", "HTTP/2 200 \ncontent-type: application/json\naccess-control-allow-origin: http://app.example.com\n\n{}\n");
    let (document, code) = json(&place, &["--answer", "curl.txt", "--origin", ORIGIN]);
    assert_eq!((ids(&document, "cause"), code), (vec!["origin-scheme".to_owned()], Some(1)));
    let remarks = document["question"]["remarks"].as_array().expect("a list");
    assert!(remarks.iter().any(|r| r.as_str().is_some_and(|r| r.contains("No URL was given"))), "{remarks:?}");

    // From standard input.
    let mut command = place.command(["explain", "--answer", "-", "--origin", ORIGIN, "--format", "json"]);
    let file = std::fs::File::open(place.dir().join("curl.txt")).expect("the file");
    let ended = command.stdin(file).output().expect("the program can be started");
    let document: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    assert_eq!(ids(&document, "cause"), ["origin-scheme"]);
    place.expect_nothing_left();
}

#[test]
fn mistakes_end_with_2_and_say_what_is_expected() {
    let place = place();
    place.file("wrong.toml", "response = { statsu = 200 }");
    place.file("wrong.pem", "no PEM");
    let url = "http://127.0.0.1:1/";
    for (args, words) in [
        (&[][..], "Usage"),
        (&["127.0.0.1:80/x"], "URL"),
        (&["localhost:80/x"], "http://localhost:80/x"),
        (&[url, "--origin", "app.example.com"], "SCHEME://HOST"),
        (&[url, "--header", "X-Token"], "NAME: VALUE"),
        (&[url, "--credentials", "yes"], "same-origin"),
        (&[url, "--mode", "cros"], "no-cors"),
        (&[url, "--api", "xhr", "--mode", "cors"], "XMLHttpRequest"),
        (&[url, "--upload-listener"], "XMLHttpRequest"),
        (&[url, "--timeout", "0"], "0 seconds"),
        (&[url, "--resolve", "x"], "HOST:PORT:ADDRESS"),
        (&[url, "--ca", "no-such-file"], "no-such-file"),
        (&[url, "--ca", "wrong.pem"], "PEM"),
        (&[url, "--browser", "opera"], "opera"),
        (&[url, "--browser", "simulated"], "chrome"),
        (&["--answer", "no-such-file"], "no-such-file"),
        (&["--answer", "wrong.toml"], "line 1"),
        (&["--answer", "wrong.toml", "--no-probe"], "--no-probe"),
    ] {
        let ended = explain(&place, args);
        assert!(ended.expect_code(2).stderr.contains(words), "{args:?}: `{words}` is missing:\n{}", ended.stderr);
        assert!(ended.stdout.is_empty(), "{args:?}: {}", ended.stdout);
    }
    let help = explain(&place, &["--help"]);
    for word in ["Examples:", "Exit codes:", "--no-probe", "--expects-header", "curl -i"] {
        assert!(help.expect_code(0).stdout.contains(word), "{word} is missing:\n{}", help.stdout);
    }
}

/// A script that answers one resource with this header.
fn script(at: Alias, allow: &str) -> Script {
    let http = Http {
        interim: Vec::new(),
        status: 200,
        reason: None,
        fields: vec![Field::Pair(b"Access-Control-Allow-Origin".to_vec(), allow.as_bytes().to_vec())],
        body: b"hello".to_vec(),
        body_delay_ms: 0,
        framing: Framing::Length,
        cut: None,
    };
    let answer = Answer { delay_ms: 0, message: Message::Http(http), then: Then::Keep };
    Script {
        steps: vec![vec![Resource { at, path: "r".to_owned(), preflight: Vec::new(), response: vec![answer], revalidation: Vec::new() }]],
    }
}

#[test]
fn certificates_are_checked_trusted_or_ignored_as_told() {
    let place = place();
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let servers = runtime.block_on(Servers::start(Options::default())).expect("ports");
    place.file("ca.pem", servers.ca_pem());
    let token = Token::new();
    for (alias, protocol) in [(Alias::BTls, "http/1.1"), (Alias::BH2, "h2")] {
        servers.register(&token, script(alias, ORIGIN));
        let url = format!("{}/t/{token}/r", servers.topology().origin(alias));
        let (document, code) = json(&place, &[&url, "--origin", ORIGIN, "--no-probe"]);
        assert_eq!((ids(&document, "cause"), code), (vec!["certificate-not-trusted".to_owned()], Some(3)));
        for trust in [&["--ca", "ca.pem"][..], &["--insecure"]] {
            let mut args = vec![&*url, "--origin", ORIGIN, "--no-probe"];
            args.extend(trust);
            let (document, code) = json(&place, &args);
            assert_eq!((document["verdict"]["word"].as_str(), code), (Some("allowed"), Some(0)), "{trust:?}");
            assert_eq!(document["wire"][0]["socket"]["protocol"], protocol);
        }
        // Another name for the same address, which the certificate does not have.
        let port = servers.topology().port(alias);
        let other = format!("https://api.example.com:{port}/t/{token}/r");
        let resolve = format!("api.example.com:{port}:127.0.0.1");
        let (document, code) = json(&place, &[&other, "--origin", ORIGIN, "--ca", "ca.pem", "--resolve", &resolve]);
        assert_eq!(code, Some(3));
        assert_eq!(document["reach"]["tls"]["fault"], "wrong-name", "{}", document["reach"]);
        let (document, code) = json(&place, &[&other, "--origin", ORIGIN, "--insecure", "--resolve", &resolve, "--no-probe"]);
        assert_eq!((document["verdict"]["word"].as_str(), code), (Some("allowed"), Some(0)));
    }
    // Plain HTTP to a port that speaks TLS.
    let url = format!("http://127.0.0.1:{}/x", servers.topology().port(Alias::BTls));
    let (document, code) = json(&place, &[&url, "--origin", "http://app.example.com"]);
    assert_eq!((ids(&document, "cause"), code), (vec!["https-on-http-port".to_owned()], Some(3)), "{:#}", document["reach"]);
    runtime.block_on(servers.stop());
}

#[test]
fn a_real_browser_confirms_what_was_recorded() {
    let place = place();
    let server = Server::new(|asked| match asked.method.as_str() {
        "OPTIONS" => head("204 No Content", "Access-Control-Allow-Origin: https://app.example.com\nAccess-Control-Allow-Methods: GET\n"),
        _ => head("200 OK", "Access-Control-Allow-Origin: https://app.example.com\n"),
    });
    for browser in browsers() {
        let _turn = turn();
        let name = browser.engine.word();
        let url = server.url("/x");
        let (document, code) = json(&place, &[&url, "--origin", ORIGIN, "--method", "PUT", "--no-probe", "--browser", name]);
        let confirmation = &document["browser"]["confirmation"];
        assert_eq!((code, confirmation["agrees"].as_bool()), (Some(1), Some(true)), "{confirmation:#}");
        assert_eq!((&confirmation["browser"], &confirmation["outcome"]), (&Value::from(name), &Value::from("blocked")));
        if name != "webkit" {
            assert_eq!(confirmation["reason"], "method-not-allowed", "{confirmation:#}");
            // The words speak of the server that was asked, not of the replay.
            let words = confirmation["words"][0].as_str().expect("words");
            assert!(words.contains(&url), "{words}");
        }
        let ended = explain(&place, &[&url, "--origin", ORIGIN, "--no-probe", "--browser", name]);
        assert!(ended.expect_code(0).stdout.contains(" agrees: allowed"), "{}", ended.stdout);
        // Against the standard all engines let this pass: that is told, and ends with 1.
        place.file("a.toml", "preflight = { status = 204, headers = [[\"Access-Control-Allow-Origin\", \"*\"], [\"Access-Control-Allow-Headers\", \"*\"]] }\nresponse = { headers = [[\"Access-Control-Allow-Origin\", \"*\"]] }");
        let ended = explain(&place, &["--answer", "a.toml", "--header", "Authorization: x", "--browser", name]);
        assert!(ended.expect_code(1).stdout.contains(" DISAGREES: allowed"), "{}", ended.stdout);
        // Nothing was sent, so nothing can be replayed.
        let ended = explain(&place, &["http://127.0.0.1:6000/", "--browser", name]);
        assert!(ended.expect_code(1).stdout.contains("Not confirmed."), "{}", ended.stdout);
    }
    place.expect_nothing_left();
}
