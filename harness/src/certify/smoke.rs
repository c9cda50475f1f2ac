//! The smoke check: before a middleware is blamed, its adapter is.

use std::{collections::BTreeSet, net::SocketAddr};

use corscheck_cases::{
    certify::{
        application::{self, PATHS, SIGNATURE},
        policy::{Options, Strings, Written},
    },
    text::escape,
};

use super::{
    instance::{Instance, Start},
    target::Installed,
    wire::{Answered, send},
};

/// An origin of the first of the two policies.
const ONE: &str = "https://one.smoke.test";

/// An origin of the second.
const TWO: &str = "https://two.smoke.test";

/// A policy that allows one origin.
fn policy(origin: &str) -> Written {
    let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
    Written::Options(Options {
        origins: Strings::List(vec![origin.to_owned()]),
        credentials: false,
        methods: list(&["GET", "HEAD", "POST", "PUT"]),
        request_headers: list(&["X-A"]),
        expose: Vec::new(),
        max_age: None,
    })
}

/// Looks at the adapter of a target; gives what is wrong with it, in words.
///
/// # Errors
///
/// No folder, no port.
pub fn check(installed: &Installed) -> std::io::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut allowed = Vec::new();
    for origin in [ONE, TWO] {
        match Instance::start(installed, &policy(origin))? {
            Start::Up(instance) => {
                if origin == ONE {
                    application(instance.address, &mut wrong);
                }
                let allows = |origin: &str| {
                    let answered = get(instance.address, "GET", "/r", &[format!("Origin: {origin}").into_bytes()]);
                    answered.response.and_then(|r| r.headers.get("Access-Control-Allow-Origin").map(|v| escape(&v)))
                };
                allowed.push((allows(ONE), allows(TWO)));
                end(instance, &mut wrong);
            }
            Start::Unsupported(words) => {
                wrong.push(format!("it says that one origin without credentials is unsupported ({words}): nothing can be certified"));
            }
            Start::Refused(words) => {
                wrong.push(format!("it says that one origin without credentials is refused ({words}): nothing can be certified"));
            }
            Start::Crashed(words) => {
                wrong.push(format!("it does not start: {words}"));
                // It will not with the other one either, and may take its time.
                break;
            }
        }
    }
    // What is wrong under both policies is told once.
    let mut told = BTreeSet::new();
    wrong.retain(|words| told.insert(words.clone()));
    if let [first, second] = &allowed[..] {
        let any = |(one, two): &(Option<String>, Option<String>)| one.is_some() || two.is_some();
        if !any(first) && !any(second) {
            wrong.push(
                "no answer to an allowed origin has Access-Control-Allow-Origin: is the middleware there, and in front of the routes?"
                    .to_owned(),
            );
        } else if first == second {
            let shown = first.0.as_deref().unwrap_or("nothing");
            wrong.push(format!("two policies for different origins make no difference (Access-Control-Allow-Origin: {shown}): CORSCHECK_POLICY is not what the middleware gets"));
        }
    }
    Ok(wrong)
}

fn end(instance: Instance, wrong: &mut Vec<String>) {
    use super::instance::Ending;
    match instance.end() {
        Ending::Peaceful => {}
        Ending::Early(words) => wrong.push(format!("it ended by itself: {words}")),
        Ending::Stubborn => wrong.push("it does not end on SIGTERM".to_owned()),
        Ending::Children(n) => wrong.push(format!("it leaves {n} processes behind when it ends")),
    }
}

fn get(address: SocketAddr, method: &str, path: &str, lines: &[Vec<u8>]) -> Answered {
    send(address, "smoke.test", (method, path), lines)
}

/// The fixed application, path by path.
fn application(address: SocketAddr, wrong: &mut Vec<String>) {
    for path in PATHS {
        let target = format!("{path}?smoke=1");
        let answered = get(address, "GET", &target, &[]);
        let must = application::answer("GET", path, Some("smoke=1"));
        let Some(response) = answered.response else {
            // Where a handler throws, some servers close the connection: that is the framework's, and found later.
            if must.own {
                wrong.push(format!("GET {path}: {}", answered.fault.unwrap_or_default()));
            }
            continue;
        };
        if response.status != must.status {
            wrong.push(format!("GET {path} is answered with {}, where the application has {}", response.status, must.status));
            continue;
        }
        if !must.own {
            continue;
        }
        if response.headers.get(SIGNATURE.0).as_deref() != Some(SIGNATURE.1.as_bytes()) {
            wrong.push(format!("GET {path}: {}: {} is missing: it is not the application that answers", SIGNATURE.0, SIGNATURE.1));
        }
        if must.body.is_some_and(|body| body.as_bytes() != response.body) {
            wrong.push(format!(
                "GET {path}: the body is `{}`, where the application has `{}`",
                escape(&response.body[..response.body.len().min(60)]),
                must.body.unwrap_or_default()
            ));
        }
        for (name, value) in must.fields.iter().filter(|(name, _)| !name.starts_with("Access-Control-")) {
            let found = response.headers.get(name).map(|v| String::from_utf8_lossy(&v).into_owned()).unwrap_or_default();
            // What the middleware does to Vary is the middleware's.
            if *name != "Vary" && !found.to_ascii_lowercase().contains(&value.to_ascii_lowercase()) {
                wrong.push(format!("GET {path}: {name} is `{found}`, where the application has `{value}`"));
            }
        }
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let lines = if method == "DELETE" { Vec::new() } else { vec![b"Content-Length: 0".to_vec()] };
        let status = get(address, method, "/r", &lines).response.map(|r| r.status);
        if status != Some(200) {
            let shown = status.map_or_else(|| "nothing".to_owned(), |s| s.to_string());
            wrong.push(format!("{method} /r is answered with {shown}, where the application has 200"));
        }
    }
}
