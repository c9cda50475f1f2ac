//! The oracle on input that nobody meant: cases of the catalogue, and what is asked and answered in them broken byte by byte.
//!
//! It must never panic, and a page must never see anything of what was kept from it. A second is spent on it by default;
//! `FUZZ_SECONDS=600 cargo test --release -p corscheck-cases --test fuzz` spends more, `FUZZ_SEED` begins elsewhere.

use std::time::{Duration, Instant};

use corscheck_cases::{
    Catalogue, Topology,
    bind::bind,
    compose::compose,
    format::Mode,
    oracle::{Defect, Defects, End, NoTrace, Path, Scenario, UserAgent},
    script::{Answer, Field, Message},
};
use rand::{RngExt as _, SeedableRng, rngs::StdRng, seq::IndexedRandom as _};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Values that stand at the edges of grammars.
const EDGES: &[&[u8]] = &[
    b"",
    b"*",
    b"null",
    b"true",
    b"TRUE",
    b" ",
    b"\t",
    b",",
    b",,",
    b"*, *",
    b"\"",
    b"\\",
    b"\0",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"0",
    b"-1",
    b"18446744073709551616",
    b"99999999999999999999999999999",
    b"1e9",
    b"PUT",
    b"put",
    b"authorization",
    b"http://",
    b"http://[::1",
    b"//",
    b"data:,x",
    b"data:;base64,!",
    b"blob:http://a/",
    b"about:blank",
    b"javascript:0",
    b"http://a.localhost:99999/",
    b"http://%zz/",
    b"http://user:pass@b.localhost/",
    b"..",
    b"?",
    b"#",
    b"\r\n",
    b"a\r\nb: c",
    b"gzip",
    b"chunked",
    b"gzip, gzip",
    b"identity",
    b"text/plain;charset=\"",
    b"bytes=0-",
    b"bytes=-",
    b"k=v; SameSite=None; Secure; Max-Age=-1",
    b"=;=;=",
    b"; Path",
    b"Expires=0",
];

/// Names of fields that the algorithms look at.
const NAMES: &[&str] = &[
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Timing-Allow-Origin",
    "Cross-Origin-Resource-Policy",
    "Location",
    "Set-Cookie",
    "Content-Type",
    "Content-Length",
    "Content-Encoding",
    "Transfer-Encoding",
    "Connection",
    "Referrer-Policy",
    "Vary",
    "WWW-Authenticate",
    "Content-Range",
    "Range",
    "Authorization",
    "Cookie",
    "Origin",
    "X-A",
    "",
];

fn bytes(rng: &mut StdRng) -> Vec<u8> {
    match rng.random_range(0..4) {
        0 => EDGES.choose(rng).expect("there are some").to_vec(),
        1 => (0..rng.random_range(0..40)).map(|_| rng.random()).collect(),
        2 => {
            let (one, times) = (EDGES.choose(rng).expect("there are some"), rng.random_range(1..300));
            one.repeat(times)
        }
        _ => [*EDGES.choose(rng).expect("there are some"), b", ", EDGES.choose(rng).expect("there are some")].concat(),
    }
}

fn broken(rng: &mut StdRng, bytes_before: &mut Vec<u8>) {
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..=bytes_before.len());
        match rng.random_range(0..5) {
            0 => drop(bytes_before.splice(at..at, bytes(rng))),
            1 => bytes_before.truncate(at),
            2 if at < bytes_before.len() => bytes_before[at] ^= 1 << rng.random_range(0..8),
            3 if at < bytes_before.len() => drop(bytes_before.remove(at)),
            _ => {
                let end = (at + rng.random_range(0..20)).min(bytes_before.len());
                let part = bytes_before[at..end].to_vec();
                bytes_before.extend(part);
            }
        }
    }
}

fn breaks(rng: &mut StdRng, answer: &mut Answer<Vec<u8>>) {
    match &mut answer.message {
        Message::Http(http) => match rng.random_range(0..8) {
            0 => http.status = rng.random_range(0..1000),
            1 => broken(rng, &mut http.body),
            2 => {
                // The whole message, taken apart as bytes.
                let mut whole = Vec::new();
                compose(http, answer.then, false, &mut whole);
                broken(rng, &mut whole);
                answer.message = Message::Raw(vec![whole]);
            }
            3 => http.fields.clear(),
            _ => {
                let name = NAMES.choose(rng).expect("there are some").as_bytes().to_vec();
                let at = rng.random_range(0..=http.fields.len());
                match http.fields.get_mut(at) {
                    Some(Field::Pair(_, value)) if rng.random() => *value = bytes(rng),
                    Some(Field::Pair(name, _)) if rng.random() => broken(rng, name),
                    Some(Field::Line(line)) => broken(rng, line),
                    _ => http.fields.insert(at, Field::Pair(name, bytes(rng))),
                }
            }
        },
        Message::Raw(chunks) => chunks.iter_mut().for_each(|chunk| broken(rng, chunk)),
        Message::Nothing => answer.message = Message::Raw(vec![bytes(rng)]),
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

/// A case whose answers and calls were broken.
fn input(rng: &mut StdRng, catalogue: &Catalogue, topology: &Topology) -> (String, Scenario) {
    let case = catalogue.cases().choose(rng).expect("there are cases");
    let mut bound = bind(case, topology, TOKEN);
    for resource in bound.script.steps.iter_mut().flatten() {
        for answer in resource.preflight.iter_mut().chain(&mut resource.response) {
            while rng.random() {
                breaks(rng, answer);
            }
        }
    }
    for step in &mut bound.steps {
        let action = &mut step.action;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        match rng.random_range(0..10) {
            0 => action.url = text(bytes(rng)),
            1 => action.method = Some(text(bytes(rng))),
            2 | 3 => action.headers.push((NAMES.choose(rng).expect("some").to_string(), text(bytes(rng)))),
            4 => action.headers.push((text(bytes(rng)), "1".to_owned())),
            5 => action.mode = Some(*[Mode::Cors, Mode::NoCors, Mode::SameOrigin, Mode::Navigate].choose(rng).expect("some")),
            6 => action.integrity = Some(text(bytes(rng))),
            _ => {}
        }
    }
    (case.id.to_string(), Scenario::of(case, topology, TOKEN, bound))
}

/// How many steps ended in a response, in a network error, refused, aborted.
type Ends = [u64; 4];

/// What every prediction must keep to.
fn check(scenario: &Scenario, defects: Defects) -> Result<Ends, String> {
    let with = scenario.run::<Path>(&mut UserAgent::with(defects));
    let without = scenario.run::<NoTrace>(&mut UserAgent::with(defects));
    let mut ends = [0; 4];
    for (step, other) in with.steps.iter().zip(&without.steps) {
        let view = &step.view;
        if *view != other.view {
            return Err(format!("the path changes what happens: {view:?} and {:?}", other.view));
        }
        let end = match view.end {
            End::Response(_) | End::Loaded { .. } => 0,
            End::NetworkError(_) => 1,
            End::Refused(_) => 2,
            End::Aborted(_) => 3,
        };
        ends[end] += 1;
        if end != 0 && (view.reason.is_none() || view.surface_status.is_some_and(|s| s != 0)) {
            return Err(format!("a failure without reason, or one that tells of its answer: {view:?}"));
        }
        if end != 2 && step.path.is_empty() {
            return Err("nothing on the path".to_owned());
        }
    }
    Ok(ends)
}

/// Tries inputs until the time is over or one fails.
fn fuzz(seed: u64, time: Duration, defects: Defects) -> Result<(u64, Ends), String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let (catalogue, topology) = (Catalogue::embedded().expect("it parses"), Topology::example());
    let deadline = Instant::now() + time;
    let (mut tried, mut ends) = (0, [0; 4]);
    while Instant::now() < deadline {
        let (id, scenario) = input(&mut rng, &catalogue, &topology);
        let what = format!("seed {seed}, input {tried}, from {id}");
        // Besides, whatever else is wrong with the user agent, it must not panic.
        let wrong: Defects = Defect::ALL.iter().copied().filter(|_| rng.random_ratio(1, 200)).collect();
        let checked = std::panic::catch_unwind(|| {
            scenario.run::<Path>(&mut UserAgent::with(wrong));
            check(&scenario, defects)
        });
        let one = checked.map_err(|_| format!("{what}: it panics"))?.map_err(|words| format!("{what}: {words}"))?;
        ends.iter_mut().zip(one).for_each(|(sum, n)| *sum += n);
        tried += 1;
    }
    Ok((tried, ends))
}

#[test]
fn nothing_makes_it_panic_or_tell_what_is_hidden() {
    let (seed, time) = (number("FUZZ_SEED", 1), Duration::from_secs(number("FUZZ_SECONDS", 1)));
    let (tried, ends) = fuzz(seed, time, Defects::NONE).unwrap_or_else(|words| panic!("{words}"));
    println!("{tried} inputs: {} responses, {} network errors, {} refused, {} aborted", ends[0], ends[1], ends[2], ends[3]);
    // Input that always ends in the same way would test nothing.
    assert!(ends[0] * 10 > tried && ends[1] * 10 > tried && ends[2] > 0, "{ends:?} of {tried}");
}

#[test]
fn what_is_told_of_hidden_answers_is_found() {
    let found = fuzz(1, Duration::from_secs(60), Defects::from_iter([Defect::XhrSurfaceLeaks]));
    assert!(found.is_err_and(|words| words.contains("tells of its answer")));
}
