//! The JSON Schema of catalogue files: it is the one in the repository, the catalogue is valid by it, and mistakes are not.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use corscheck_cases::format;
use jsonschema::Validator;
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn validator() -> Validator {
    jsonschema::validator_for(&format::schema()).expect("the schema is a schema")
}

/// The catalogue's files as JSON values, by path.
fn catalogue() -> Vec<(PathBuf, Value)> {
    let mut paths: Vec<_> = fs::read_dir(root().join("catalogue"))
        .expect("there is a catalogue")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    let json = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a catalogue file can be read");
        let value: toml::Value = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        (path, serde_json::to_value(value).expect("TOML without dates is JSON"))
    };
    paths.into_iter().map(json).collect()
}

#[test]
fn the_schema_in_the_repository_is_the_schema() {
    let path = root().join("catalogue.schema.json");
    let text = serde_json::to_string_pretty(&format::schema()).expect("a value serialises") + "\n";
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &text).expect("the schema can be written");
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == text,
        "{} is not what the format says: write it anew with UPDATE_SCHEMA=1 cargo test -p corscheck-cases --test schema",
        path.display()
    );
}

#[test]
fn every_catalogue_file_is_valid() {
    let validator = validator();
    let files = catalogue();
    assert!(!files.is_empty(), "no file to validate");
    for (path, value) in files {
        let errors: Vec<_> = validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{}:\n{}", path.display(), errors.join("\n"));
    }
}

/// A document in which every kind of value occurs.
fn good() -> Value {
    json!({ "case": [
        {
            "id": "area/slug",
            "title": "A case for the tests",
            "behaviours": ["cors-check/acao-exact-match"],
            "spec": "fetch#concept-cors-check",
            "why": "CORS check, step 6.",
            "level": "must",
            "page": "a-tls",
            "context": "sandbox",
            "also": ["xhr", "worker", "xhr.worker"],
            "request": { "to": "b", "headers": [["X-Token", "1"]], "body": { "form": [["a", "b"]] }, "credentials": "include" },
            "preflight": { "status": 204, "headers": [["Access-Control-Allow-Origin", "{origin}"], "Vary : Origin"] },
            "redirects": [{ "status": 302, "to": "c", "location": false, "preflight": [{}, { "drop": "reset" }] }],
            "response": [{ "body": "x", "interim": [{ "status": 103 }], "framing": "chunked", "then": "close" }, { "raw": ["HTTP/1.1 200 OK\\r\\n\\r\\n"] }],
            "expect": {
                "read": "allowed",
                "or-read": ["blocked"],
                "type": "cors",
                "status": 200,
                "headers": { "ETag": "x", "Vary": false, "Date": true },
                "header-names": ["etag"],
                "wire": ["OPTIONS", "GET b", {
                    "method": "GET",
                    "at": "c",
                    "headers": {
                        "Origin": "{origin}",
                        "Accept": ["*/*", "x"],
                        "Cookie": { "lacks": ["k"] },
                        "User-Agent": true,
                        "X-Token": false,
                        "Referer": { "contains": ["http"] },
                    },
                    "body": "", "body-length": 0, "target": "r?x", "repeats": true, "optional": true,
                }],
                "or-wire": [[], ["GET"]],
            },
        },
        {
            "id": "area/steps",
            "title": "A case for the tests",
            "behaviours": ["cors-check/acao-exact-match"],
            "spec": "xhr#the-send()-method",
            "why": "CORS check, step 6.",
            "steps": [{ "wait-ms": 1, "request": { "url": "data:,x" }, "expect": { "read": "blocked", "reason": "network", "wire": [] } }],
        },
    ] })
}

#[test]
fn a_document_with_every_kind_of_value_is_valid() {
    let good = good();
    let errors: Vec<_> = validator().iter_errors(&good).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert!(validator().is_valid(&json!({})), "a file without cases");
}

/// `good()` with the value at a JSON pointer replaced or added.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = good();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a slash");
    match document.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.insert(key.to_owned(), value);
        }
        Some(Value::Array(array)) => array[key.parse::<usize>().expect("an index")] = value,
        other => panic!("nothing to change at {pointer}: {other:?}"),
    }
    document
}

/// `good()` without the key at a JSON pointer.
fn without(pointer: &str) -> Value {
    let mut document = good();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let object = document.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    object.remove(key).expect("the key is there");
    document
}

#[test]
fn mistakes_are_not_valid() {
    let validator = validator();
    let case = "/case/0";
    let at = |rest: &str| format!("{case}/{rest}");
    let wrong = [
        // Keys that do not exist.
        with("/cases", json!([])),
        with(&at("because"), json!("x")),
        with(&at("request/credential"), json!("omit")),
        with(&at("preflight/code"), json!(204)),
        with(&at("redirects/0/code"), json!(302)),
        with(&at("response/0/interim/0/reason"), json!("x")),
        with(&at("expect/statuses"), json!(200)),
        with(&at("expect/wire/2/header"), json!({})),
        with(&at("expect/wire/2/headers/Cookie"), json!({ "has": ["k"] })),
        with("/case/1/steps/0/delay-ms", json!(1)),
        // Keys that must be there.
        without(&at("id")),
        without(&at("title")),
        without(&at("behaviours")),
        without(&at("spec")),
        without(&at("why")),
        without(&at("expect/read")),
        without(&at("expect/wire")),
        without(&at("expect/wire/2/method")),
        without(&at("redirects/0/status")),
        without(&at("redirects/0/to")),
        without("/case/1/steps/0/request"),
        without("/case/1/steps/0/expect"),
        // Words that are none.
        with(&at("id"), json!("slug")),
        with(&at("id"), json!("Area/slug")),
        with(&at("id"), json!("area/-slug")),
        with(&at("id"), json!("area/slug.xhr")),
        with(&at("spec"), json!("cors#preflight")),
        with(&at("spec"), json!("fetch#")),
        with(&at("level"), json!("may")),
        with(&at("page"), json!("d")),
        with(&at("context"), json!("frame")),
        with(&at("also"), json!(["sandbox"])),
        with(&at("behaviours"), json!([])),
        with(&at("behaviours"), json!(["cors-check/no-such-row"])),
        with(&at("request/to"), json!("d")),
        with(&at("request/credentials"), json!("always")),
        with(&at("expect/read"), json!("granted")),
        with(&at("expect/or-read"), json!(["granted"])),
        with(&at("expect/reason"), json!("because")),
        with(&at("expect/type"), json!("opaque-redirect")),
        with(&at("expect/wire/2/at"), json!("d")),
        with(&at("redirects/0/to"), json!("d")),
        with(&at("response/0/framing"), json!("none")),
        with(&at("response/0/then"), json!("wait")),
        // Values of another form.
        with(&at("title"), json!(1)),
        with(&at("request/headers/0"), json!(["X-Token"])),
        with(&at("request/headers/0"), json!(["X-Token", "1", "2"])),
        with(&at("request/body"), json!({ "text": "x", "size": 1 })),
        with(&at("request/body"), json!({ "bytes": [256] })),
        with(&at("request/body"), json!("x")),
        with(&at("preflight/status"), json!("204")),
        with(&at("preflight/status"), json!(1000)),
        with(&at("preflight/headers/0"), json!(["X-Token"])),
        with(&at("preflight/headers/0"), json!(["X-Token", "1", "2"])),
        with(&at("preflight/headers/0"), json!(["X-Token", "é"])),
        with(&at("preflight/headers/1"), json!("Vary : é")),
        with(&at("response/0/interim/0/status"), json!(200)),
        with(&at("redirects/0/location"), json!(true)),
        with(&at("redirects/0/times"), json!(0)),
        with(&at("expect/headers/ETag"), json!(1)),
        with(&at("expect/wire/0"), json!(1)),
        with(&at("expect/wire/2/headers/Accept"), json!([])),
        with(&at("expect/wire/2/headers/Accept"), json!(1)),
    ];
    for (i, document) in wrong.iter().enumerate() {
        assert!(!validator.is_valid(document), "mistake {i} is valid: {}", serde_json::to_string_pretty(document).expect("serialises"));
    }
}
