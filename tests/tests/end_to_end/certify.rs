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
