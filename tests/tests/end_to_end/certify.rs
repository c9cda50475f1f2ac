//! Certification as a whole: real middlewares, started from their registries, asked by a real browser; and adapters that are wrong.

use std::{fs, time::Instant};

use corscheck_tests::{Signal, browsers, signal, turn};
use serde_json::Value;

use crate::place;

/// Where targets are installed: beside what cargo builds, so that the next run finds them.
fn cache() -> String {
    let target = std::path::Path::new(crate::PROGRAM).parent().and_then(|p| p.parent()).expect("cargo's folder");
    target.join("corscheck-cache").display().to_string()
}

fn certificate(place: &corscheck_tests::Place, target: &str) -> Value {
    let path = place.dir().join(format!("out/{target}/corscheck-certificate.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).expect("a certificate is JSON")
}

fn standing<'c>(certificate: &'c Value, rule: &str) -> &'c Value {
    let rules = certificate["rules"].as_array().expect("rules");
    rules.iter().find(|r| r["id"] == rule).unwrap_or_else(|| panic!("no rule {rule}"))
}

/// Results of a browser by verdict.
fn verdicts(place: &corscheck_tests::Place, target: &str, browser: &str, verdict: &str) -> usize {
    let text = fs::read_to_string(place.dir().join(format!("out/{target}/results.jsonl"))).expect("results");
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a record"));
    records
        .filter(|r| r["record"] == "result" && r["browser"] == browser && (r["verdict"] == verdict || r["verdict"][verdict].is_object()))
        .count()
}

#[test]
fn the_reference_is_certified_in_every_browser() {
    let turn = turn();
    let place = place();
    let policies = "p1,p3,p4,p5,p6,p8,p10,t1";
    let names: Vec<String> = browsers().iter().map(|b| b.engine.word().to_owned()).collect();
    let ended = place.run(["certify", "reference", "--out", "out", "--policy", policies, "--browser", &names.join(",")]);
    ended.expect_code(0);
    let made = certificate(&place, "reference");
    assert_eq!(made["grade"], "certified-strict", "{}", ended.stdout);
    for name in &names {
        assert_eq!(standing(&made, "S05")["browsers"][name], "held", "{name}");
        assert_eq!(standing(&made, "S14")["browsers"][name], "held", "{name}");
        assert_eq!(verdicts(&place, "reference", name, "not-judged"), 0, "{name}");
        assert!(verdicts(&place, "reference", name, "agrees") > 300, "{name}");
    }
    // The negative control: who lets strangers in is found in every browser.
    for (defect, rule) in [("S05", "S05"), ("S14", "S14"), ("F01", "F01")] {
        let mut command = place.command(["certify", "reference", "--out", "out", "--policy", "p1", "--browser", &names.join(",")]);
        let output = command.env("CORSCHECK_DEFECT", defect).output().expect("it can be started");
        assert_eq!(output.status.code(), Some(1), "{defect}: {}", String::from_utf8_lossy(&output.stdout));
        let made = certificate(&place, "reference");
        for name in &names {
            assert_eq!(standing(&made, rule)["browsers"][name], "broken", "{defect} in {name}");
        }
    }
    drop(turn);
    place.expect_nothing_left();
}

/// An interruption while browsers ask leaves neither browsers nor targets behind.
#[test]
fn an_interrupted_certification_leaves_nothing() {
    let turn = turn();
    let place = place();
    let names: Vec<String> = browsers().iter().map(|b| b.engine.word().to_owned()).collect();
    let running = place.start(["certify", "reference", "--out", "out", "--browser", &names.join(",")]);
    std::thread::sleep(std::time::Duration::from_secs(12));
    signal(running.pid(), Signal::INT);
    let ended = running.end();
    ended.expect_code(130);
    drop(turn);
    place.expect_nothing_left();
}

/// Three of different languages, in a browser: each certificate says who was asked, by whom, and what came of it.
#[test]
fn real_middlewares_are_certified_in_a_browser() {
    let turn = turn();
    let place = place();
    let browser = browsers().first().map(|b| b.engine.word().to_owned()).expect("a browser");
    for target in ["express-cors", "flask-cors", "nginx"] {
        let mut command = place.command(["certify", target, "--out", "out", "--policy", "p1,p2,p8,t1", "--browser", &browser]);
        let started = Instant::now();
        let output = command.env("CORSCHECK_CACHE", cache()).output().expect("it can be started");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(matches!(output.status.code(), Some(0 | 1)), "{target} after {:?}: {text}", started.elapsed());
        let made = certificate(&place, target);
        assert!(
            made["target"]["version"].as_str().is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit())),
            "{target}: {}",
            made["target"]
        );
        assert!(made["agents"].as_array().is_some_and(|a| a.len() == 2), "{target}");
        assert!(verdicts(&place, target, &browser, "agrees") > 100, "{target}: {text}");
        assert_eq!(verdicts(&place, target, &browser, "not-judged"), 0, "{target}: {text}");
        // What a page of one exact origin comes to is right in all of them.
        for rule in ["S05", "S07", "S12", "S13", "S14"] {
            assert_eq!(standing(&made, rule)["standing"], "held", "{target} {rule}: {text}");
            assert_eq!(standing(&made, rule)["browsers"][&browser], "held", "{target} {rule}: {text}");
        }
        for file in ["certificate.md", "junit.xml", "badge.svg", "badge.json"] {
            assert!(place.dir().join(format!("out/{target}/{file}")).exists(), "{target}: {file}");
        }
    }
    let report = fs::read_to_string(place.dir().join("out/report.html")).expect("a report");
    assert!(report.contains("nginx"), "the report names its subject");
    drop(turn);
    place.expect_nothing_left();
}

/// An adapter in a folder, in Python without any package.
fn adapter(place: &corscheck_tests::Place, name: &str, cors: &str) {
    place.file(
        &format!("{name}/target.toml"),
        "title = \"x\"\nlanguage = \"Python\"\nproduct = \"x\"\nhomepage = \"https://x.test\"\nneeds = [\"python3\"]\nhow = \"Python\"\n\
         start = [\"python3\", \"server.py\"]\nversion = [\"echo\", \"1.0\"]\n",
    );
    place.file(
        &format!("{name}/server.py"),
        &format!(
            r#"
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
policy = json.loads(os.environ["CORSCHECK_POLICY"])
STATUS = {{"/401": 401, "/403": 403, "/404": 404, "/405": 405, "/413": 413, "/302": 302, "/304": 304}}
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): pass
    def answer(self):
        path, _, query = self.path.partition("?")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        own, status, body, fields = True, 200, "resource", [("X-Secret", "secret"), ("X-Other", "other"), ("ETag", '"r"'), ("Cache-Control", "max-age=600"), ("Content-Type", "text/plain")]
        if path in STATUS: status, body, fields = STATUS[path], "error", [("ETag", '"r"'), ("Location", "/r?" + query)]
        elif path == "/opt": body, fields = "own options" if self.command == "OPTIONS" else "no options", []
        elif path == "/img": fields = [("Content-Type", "image/png")]
        elif path == "/500": own, status, body, fields = False, 500, "", []
        elif path not in ("/r", "/dup", "/slow", "/get", "/public/r", "/private/r"): own, status, body, fields = False, 404, "", []
        origin = self.headers.get("Origin")
        allowed = policy.get("origins", [])
{cors}
        self.send_response(status)
        if own: self.send_header("X-App", "corscheck")
        for name, value in fields: self.send_header(name, value)
        body = b"" if status == 304 else body.encode()
        if status != 304: self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD": self.wfile.write(body)
    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_PURGE = do_OPTIONS = answer
ThreadingHTTPServer(("127.0.0.1", int(os.environ["CORSCHECK_PORT"])), Handler).serve_forever()
"#
        ),
    );
}

#[test]
fn an_adapter_is_blamed_before_its_middleware() {
    let place = place();
    let certify = |name: &str| {
        let output = place
            .command(["certify", name, "--out", "out", "--policy", "p1", "--browser", "simulated"])
            .env("CORSCHECK_CACHE", place.dir().join("cache"))
            .output()
            .expect("it can be started");
        (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    };
    let grant = "        if origin in allowed: fields.append((\"Access-Control-Allow-Origin\", origin))";
    // The positive control: with a middleware of one line it is certified as far as it goes.
    adapter(&place, "right", grant);
    let (code, said) = certify("./right");
    assert!(matches!(code, Some(0 | 1)) && said.contains("./right") || said.contains("right (Python)"), "{code:?} {said}");
    for (name, cors, words) in [
        ("ignores-policy", "        fields.append((\"Access-Control-Allow-Origin\", \"*\"))", "make no difference"),
        ("no-middleware", "        pass", "is the middleware there"),
        ("no-application", "        body, own = \"something else\", False", "is missing"),
        ("exits", "        os._exit(3)", "exits"),
    ] {
        adapter(&place, name, cors);
        let (code, said) = certify(&format!("./{name}"));
        assert_eq!(code, Some(3), "{name}: {said}");
        assert!(said.contains("the adapter is not what it should be") && (said.contains(words) || name == "exits"), "{name}: {said}");
    }
    place.file("crashes/target.toml", "title = \"x\"\nlanguage = \"sh\"\nproduct = \"x\"\nhomepage = \"x\"\nstart = [\"sh\", \"-c\", \"echo gone; exit 7\"]\nversion = [\"echo\", \"1\"]\n");
    let (code, said) = certify("./crashes");
    assert!(code == Some(3) && said.contains("gone") && said.contains("exit status: 7"), "{said}");
    place.file("orphans/target.toml", "title = \"x\"\nlanguage = \"sh\"\nproduct = \"x\"\nhomepage = \"x\"\nstart = [\"sh\", \"-c\", \"sleep 1000 & exit 0\"]\nversion = [\"echo\", \"1\"]\n");
    assert_eq!(certify("./orphans").0, Some(3));
    let (code, said) = certify("no-such-target");
    assert!(code == Some(2) && said.contains("there is no target"), "{said}");
    place.expect_nothing_left();
}

/// What is accepted with a reason does not fail a certification; what is accepted for nothing does.
#[test]
fn accepted_rules_are_a_baseline() {
    let place = place();
    adapter(&place, "mine", "        if origin in allowed: fields.append((\"Access-Control-Allow-Origin\", origin))");
    let run = |accept: &str| {
        place.file("accept.toml", accept);
        let output = place
            .command(["certify", "./mine", "--out", "out", "--policy", "p1,p3", "--browser", "simulated", "--accept", "accept.toml"])
            .env("CORSCHECK_CACHE", place.dir().join("cache"))
            .output()
            .expect("it can be started");
        (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    };
    let (code, said) = run("");
    assert_eq!(code, Some(1), "{said}");
    let made = certificate(&place, "mine");
    // It sends no Vary, and answers no preflight: both are found.
    assert_eq!(standing(&made, "C03")["standing"], "broken", "{said}");
    let broken: Vec<String> = made["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .filter(|r| r["standing"] == "broken")
        .map(|r| format!("[[accept]]\nrule = \"{}\"\nwhy = \"a test\"\n", r["id"].as_str().expect("an id")))
        .collect();
    let (code, said) = run(&broken.concat());
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&format!("{}[[accept]]\nrule = \"S05\"\nwhy = \"held\"\n", broken.concat()));
    assert!(code == Some(1) && said.contains("stale"), "{said}");
    let (code, said) = run("[[accept]]\nrule = \"Z99\"\nwhy = \"x\"\n");
    assert!(code == Some(2) && said.contains("there is no rule `Z99`"), "{said}");
}

/// Old versions with published defects show them, and the versions in which those are fixed do not: by the same program.
#[test]
fn published_defects_are_found_and_gone_where_they_are_fixed() {
    let place = place();
    for (affected, fixed, policy, rule) in [
        ("koa-cors-4", "koa-cors", "default", "S03"),
        ("flask-cors-4", "flask-cors", "p1", "S20"),
        ("starlette-0-13", "starlette", "p4", "S05"),
    ] {
        for (target, wanted) in [(affected, "broken"), (fixed, "held")] {
            let mut command = place.command(["certify", target, "--out", "out", "--policy", policy, "--browser", "simulated"]);
            let output = command.env("CORSCHECK_CACHE", cache()).output().expect("it can be started");
            let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(matches!(output.status.code(), Some(0 | 1)), "{target}: {text}");
            assert_eq!(standing(&certificate(&place, target), rule)["standing"], wanted, "{target} {rule}: {text}");
        }
    }
    place.expect_nothing_left();
}

/// The reference as a service that runs somewhere, and what it is said to allow.
struct Deployed(std::process::Child, String);

impl Deployed {
    fn start(place: &corscheck_tests::Place, defect: Option<&str>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut command = place.command(["reference"]);
        command.env("CORSCHECK_HOST", "127.0.0.1").env("CORSCHECK_PORT", port.to_string()).env(
            "CORSCHECK_POLICY",
            r#"{"origins": ["https://app.example.com", "https://admin.example.com"], "credentials": true, "methods": ["PUT"],
               "requestHeaders": ["Content-Type"], "expose": ["X-Other"], "maxAge": 600}"#,
        );
        if let Some(defect) = defect {
            command.env("CORSCHECK_DEFECT", defect);
        }
        let child = command.spawn().expect("it starts");
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed().as_secs() < 20, "it does not listen");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Self(child, format!("http://127.0.0.1:{port}"))
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// The policy file of that service.
const POLICY: &str = r#"
title = "Secret Project"
origins = ["https://app.example.com", "https://admin.example.com"]
credentials = true
methods = ["PUT"]
request-headers = ["Content-Type"]
expose = ["X-Other"]
max-age = 600
rate = 400
[[path]]
path = "/r"
[[path]]
path = "/404"
"#;

#[test]
fn a_deployed_service_is_certified_by_its_policy_file() {
    let turn = turn();
    let place = place();
    place.file("policy.toml", POLICY);
    let names: Vec<String> = browsers().iter().map(|b| b.engine.word().to_owned()).collect();
    let certify = |service: &Deployed, more: &[&str]| {
        let mut command = place.command(["certify", "--url", &service.1, "--policy", "policy.toml", "--out", "out"]);
        let output = command.args(more).output().expect("it can be started");
        (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    };
    let right = Deployed::start(&place, None);
    let (code, said) = certify(&right, &["--browser", &names.join(",")]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(certificate(&place, "secret-project")["grade"], "certified-strict", "{said}");
    for browser in names.iter().map(String::as_str).chain(["simulated"]) {
        assert!(verdicts(&place, "secret-project", browser, "agrees") > 80, "{browser}: {said}");
        assert_eq!(verdicts(&place, "secret-project", browser, "not-judged"), 0, "{browser}: {said}");
    }
    // Nothing but what changes nothing was sent, to these paths alone.
    let text = fs::read_to_string(place.dir().join("out/secret-project/results.jsonl")).expect("results");
    let mut seen = std::collections::BTreeSet::new();
    for record in text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a record")) {
        for exchange in record["attempts"].as_array().into_iter().flatten().flat_map(|a| a["observation"]["exchanges"].as_array()).flatten()
        {
            let request = &exchange["request"];
            let path = request["target"].as_str().expect("a target").split('?').next().expect("a path").to_owned();
            seen.insert((request["method"].as_str().expect("a method").to_owned(), path));
        }
    }
    let all = ["GET", "HEAD", "OPTIONS"].iter().flat_map(|m| ["/r", "/404"].map(|p| ((*m).to_owned(), p.to_owned())));
    assert_eq!(seen, all.collect());
    // The negative controls: the same service, and it does not do what is declared.
    for (defect, more) in [("S05", &names[0][..]), ("S13", "simulated"), ("F02", "simulated"), ("F14", "simulated")] {
        let wrong = Deployed::start(&place, Some(defect));
        let (code, said) = certify(&wrong, &["--browser", more]);
        assert_eq!(code, Some(1), "{defect}: {said}");
        let made = certificate(&place, "secret-project");
        assert_eq!(standing(&made, defect)["standing"], "broken", "{defect}: {said}");
        if more != "simulated" {
            assert_eq!(standing(&made, defect)["browsers"][more], "broken", "{defect}: {said}");
        }
    }
    // What is redacted tells nobody which service it was.
    let (code, said) = certify(&right, &["--browser", "simulated", "--redact"]);
    assert_eq!(code, Some(0), "{said}");
    for file in [
        "a-service/corscheck-certificate.json",
        "a-service/results.jsonl",
        "a-service/certificate.md",
        "a-service/junit.xml",
        "report.html",
    ] {
        let text = fs::read_to_string(place.dir().join("out").join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        for word in ["example.com", "EXAMPLE.COM", "Secret Project", "secret-project", &right.1["http://".len()..]] {
            assert!(!text.contains(word), "{file}: {word}");
        }
    }
    let text = fs::read_to_string(place.dir().join("out/a-service/results.jsonl")).expect("results");
    assert!(text.contains("Access-Control-Allow-Origin: https://origin-1.test"), "what a verdict rests on stays");
    drop(right);
    // Nobody there.
    let (code, said) = certify(
        &Deployed(std::process::Command::new("true").spawn().expect("true"), "http://127.0.0.1:9".to_owned()),
        &["--browser", "simulated"],
    );
    assert!(code == Some(3) && said.contains("nobody accepts a connection"), "{code:?} {said}");
    drop(turn);
    place.expect_nothing_left();
}

#[test]
fn policy_files_are_written_and_refused_in_words() {
    let place = place();
    place.run(["certify", "--init"]).expect_code(0);
    let file = place.dir().join("corscheck-policy.toml");
    let text = fs::read_to_string(&file).expect("it is written");
    assert!(text.contains("[[path]]") && text.contains("credentials = true"), "{text}");
    // What is there is not written over.
    place.run(["certify", "--init"]).expect_code(2);
    // What it writes can be used as it is: it names nobody who is there.
    let refused = |text: &str, words: &str| {
        place.file("policy.toml", text);
        let output = place
            .command(["certify", "--url", "http://127.0.0.1:9", "--policy", "policy.toml", "--ua", "simulated"])
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(words), "{text}: {said}");
    };
    refused("title = \"x\"", "`origins` is missing");
    refused("title = \"x\"\norigins = [\"*\"]\ncredentials = true", "every user's data");
    refused("title = \"x\"\norigins = [\"https://a.test/\"]", "serialized it is `https://a.test`");
    refused("title = \"x\"\norigins = [\"a.test\"]", "an origin is a scheme");
    refused("title = \"x\"\norigins = [\"https://*\"]", "a pattern has one `*`");
    refused("title = \"x\"\norigins = []\ncredentails = true", "`credentails` is not known");
    refused("title = \"x\"\norigins = []\n[[path]]\npath = \"r\"", "begins with a slash");
    refused("title = \"x\"\norigins = []\n[[path]]\npath = \"/r\"\nrate = 3", "for the whole service");
}
