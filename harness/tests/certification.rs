//! The second kill matrix: every class of defects, switched on in the reference, is caught by the rule of its class; and the reference
//! without one breaks no rule.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr, path::Path};

use corscheck::certify::{
    self, Asked, Took,
    certificate::{Certificate, Grade, Standing, Subject},
    outcome::Outcome,
    started, wire,
};
use corscheck_cases::certify::{Book, Declared, Policy, Tags, application::Observed};
use corscheck_servers::reference::{DEFECTS, Reference};
use tokio::{net::TcpListener, runtime::Runtime};

/// Where the matrix is published, beside the first one.
const MATRIX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cases/certify/KILLS.md");

/// The same, of deployed services.
const SERVICES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cases/certify/KILLS-OF-SERVICES.md");

fn book() -> Book {
    Book::embedded().unwrap_or_else(|e| panic!("{e}"))
}

/// A reference with a policy, on a port of its own.
fn started_with(runtime: &Runtime, policy: &Policy, defect: Option<&str>) -> Result<SocketAddr, Took> {
    let json = serde_json::to_string(&policy.written).expect("a policy is JSON");
    let made = std::panic::catch_unwind(|| Reference::new(&json, defect));
    let reference = match made {
        Err(_) => return Err(Took::Crashed("it panicked".to_owned())),
        Ok(Err(refusal)) => return Err(Took::Refused(refusal.to_string())),
        Ok(Ok(reference)) => reference,
    };
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(reference.serve(listener));
    Ok(address)
}

fn asked(runtime: &Runtime, book: &Book, policy: &Policy, defect: Option<&str>, only: &dyn Fn(&Tags) -> bool) -> Asked {
    let mut asked = Asked { policy: policy.id.clone(), took: Took::Started, outcomes: Vec::new(), ending: None };
    match started_with(runtime, policy, defect) {
        Ok(address) => {
            asked.outcomes = certify::ask(book, policy, address, &certify::origin_of(policy), only).unwrap_or_else(|e| panic!("{e}"));
            if policy.is_trap() {
                asked.outcomes.push(started(policy, "started", ""));
            }
        }
        Err(took) => {
            if let Took::Crashed(words) = &took {
                asked.outcomes.push(started(policy, "start", words));
            }
            asked.took = took;
        }
    }
    asked
}

fn certificate(book: &Book, asked: &[Asked]) -> Certificate {
    let target = Subject {
        name: "reference".to_owned(),
        title: String::new(),
        product: String::new(),
        version: String::new(),
        language: String::new(),
        knobs: Default::default(),
    };
    Certificate::new(book, target, asked, &[], Vec::new(), String::new(), &[])
}

fn broken(certificate: &Certificate) -> Vec<String> {
    certificate.rules.iter().filter(|r| r.standing == Standing::Broken).map(|r| r.id.clone()).collect()
}

#[test]
fn the_reference_breaks_no_rule() {
    let (runtime, book) = (Runtime::new().expect("threads"), book());
    let asked: Vec<Asked> = book.policies.iter().map(|p| asked(&runtime, &book, p, None, &|_| true)).collect();
    let certificate = certificate(&book, &asked);
    for rule in certificate.rules.iter().filter(|r| r.standing == Standing::Broken) {
        for shown in &rule.shown {
            println!(
                "{} {} {}: expected {}, saw {}\n  {}\n{:?}",
                rule.id, shown.policy, shown.probe, shown.expected, shown.seen, shown.tags, shown.wire
            );
        }
    }
    assert_eq!(broken(&certificate), Vec::<String>::new());
    assert_eq!(certificate.grade, Grade::CertifiedStrict);
    let refused: Vec<&str> = asked.iter().filter(|a| matches!(a.took, Took::Refused(_))).map(|a| &*a.policy).collect();
    assert_eq!(refused, ["t1", "t2-suffix", "t2-universal", "t3-scheme"]);
    assert!(asked.iter().all(|a| matches!(a.took, Took::Started | Took::Refused(_))));
    // Everything that a started policy asks was asked, and nothing was vacuous.
    let total: usize = asked.iter().map(|a| a.outcomes.len()).sum();
    assert!(total > 700, "{total} probes");
}

#[test]
fn every_defect_is_caught_by_the_rule_of_its_class() {
    let (runtime, book) = (Runtime::new().expect("threads"), book());
    let halves: Vec<Vec<&'static str>> = (0..2).map(|n| DEFECTS.iter().copied().skip(n).step_by(2).collect()).collect();
    let rows = |half: &Vec<&'static str>| half.iter().map(|defect| (*defect, row(&runtime, &book, defect))).collect::<Vec<_>>();
    let rows = &rows;
    let matrix: BTreeMap<&'static str, Vec<String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = halves.iter().map(|half| scope.spawn(move || rows(half))).collect();
        workers.into_iter().flat_map(|w| w.join().expect("no panic")).collect()
    });
    let missed: Vec<String> = matrix
        .iter()
        .filter(|(defect, broken)| !broken.iter().any(|id| id == *defect))
        .map(|(defect, broken)| format!("{defect}: {broken:?}"))
        .collect();
    assert!(missed.is_empty(), "{} of {} defects are not caught:\n{}", missed.len(), DEFECTS.len(), missed.join("\n"));
    published(&book, &matrix);
}

/// The rules that a defect breaks, asked by the probes of its own rule.
fn row(runtime: &Runtime, book: &Book, defect: &str) -> Vec<String> {
    let rule = book.rules.iter().find(|r| r.id == defect).unwrap_or_else(|| panic!("no rule {defect}"));
    let only = |tags: &Tags| rule.shown_by.iter().any(|p| p.asks(tags));
    let asked: Vec<Asked> = book.policies.iter().map(|p| asked(runtime, book, p, Some(defect), &only)).collect();
    // What is found by the clock alone is found now and then by chance: it stands in its own row.
    let by_the_clock = ["P01", "P02"];
    broken(&certificate(book, &asked)).into_iter().filter(|id| id == defect || !by_the_clock.contains(&&**id)).collect()
}

/// Two requests show that a cache may not serve one for the other: these two, and the one that is kept first.
#[test]
fn a_swap_is_shown_by_its_two_requests() {
    let (runtime, book) = (Runtime::new().expect("threads"), book());
    for (defect, policy) in [("C01", "p3"), ("C02", "p3"), ("C03", "p4"), ("C01", "p11"), ("C03", "p11")] {
        let policy = book.policy(policy).expect("a policy");
        let only = |tags: &Tags| ["swap", "cached"].contains(&tags.get("probe").unwrap_or_default());
        let certificate = certificate(&book, &[asked(&runtime, &book, policy, Some(defect), &only)]);
        let rule = certificate.rules.iter().find(|r| r.id == defect).expect("the rule");
        let shown = rule.shown.first().unwrap_or_else(|| panic!("{defect} is not shown under {}", policy.id));
        let of = |label: &str| book.askers.iter().find(|a| a.label == label).and_then(|a| a.text()).map(|o| format!("Origin: {o}\n"));
        let named = |tag: &str| of(shown.tags.get(tag).expect("a label"));
        assert_eq!(shown.wire.len(), 2, "{defect}: {shown:?}");
        for (wire, origin) in shown.wire.iter().zip([named("first"), named("origin")]) {
            match origin {
                Some(origin) => assert!(wire.request.contains(&origin), "{defect}: {origin} is not in {}", wire.request),
                None => assert!(!wire.request.contains("Origin: "), "{defect}: {}", wire.request),
            }
        }
    }
}

/// Every rule that can be seen to fail has a defect that makes it fail.
#[test]
fn every_rule_has_a_defect() {
    for rule in book().rules.iter().filter(|r| r.unobservable.is_none() && !r.rest) {
        assert!(DEFECTS.contains(&&*rule.id), "{} cannot be seen to fail", rule.id);
    }
}

/// What a team may declare: each of these is asked of a reference that does it, and of references with a defect that say they do.
const DECLARED: &[&str] = &[
    r#"title = "one"
origins = ["https://app.base.test"]"#,
    r#"title = "some"
origins = ["https://app.base.test", "https://b.base.test"]
credentials = true
methods = ["PUT", "PATCH"]
request-headers = ["X-A", "X-B", "Content-Type"]
expose = ["X-Secret"]
max-age = 86401"#,
    r#"title = "pattern"
origins = ["https://*.base.test"]
max-age = 0
credentials = true"#,
    r#"title = "any"
origins = ["*"]
methods = ["*"]
request-headers = ["*"]"#,
    r#"title = "ours"
origins = ["https://app.base.test"]
credentials = true
methods = ["*"]
request-headers = ["*"]"#,
    r#"title = "sandboxed"
origins = ["null"]"#,
    r#"title = "nobody"
origins = []"#,
    r#"title = "with ports"
origins = ["http://localhost:3000", "http://127.0.0.1:3000"]
credentials = true"#,
];

/// The paths of the fixed application that the service is said to have.
const PATHS: &[&str] = &["/r", "/401", "/404", "/302", "/500"];

/// Asks a reference, with or without a defect, as a deployed service under each of the policies.
fn asked_as_service(runtime: &Runtime, book: &Book, defect: Option<&str>, policies: &mut Vec<Policy>) -> Vec<Asked> {
    const TARGET: &str = "https://api.service.test";
    let mut all = Vec::new();
    // With a defect, one policy is asked everywhere, and some on one path.
    let few = defect.is_some();
    for text in DECLARED.iter().take(if few { 5 } else { DECLARED.len() }) {
        let mut declared = Declared::parse(text).unwrap_or_else(|e| panic!("{e}"));
        let one = declared.paths.remove(0);
        for path in PATHS.iter().take(if few && declared.title != "some" { 1 } else { PATHS.len() }) {
            let like = Policy::of("x", "x", one.options.clone());
            let Ok(address) = started_with(runtime, &like, defect) else { continue };
            let answered = wire::send(address, "api.service.test", ("GET", path), &[]);
            let Some(response) = answered.response else { continue };
            let fields = response.headers.iter().map(|h| (h.name.to_string().into(), String::from_utf8_lossy(&h.value).into_owned()));
            let fields =
                fields.filter(|(name, _): &(std::borrow::Cow<'static, str>, String)| !name.starts_with("Access-Control") && name != "Vary");
            let observed = Observed { status: response.status, fields: fields.collect() };
            let service = book.service(&one, path, &observed, TARGET).unwrap_or_else(|e| panic!("{e}"));
            let outcomes = certify::ask_these(&service.probes, &service.policy, address, TARGET, Some(&service.methods));
            let outcomes = outcomes.unwrap_or_else(|e| panic!("{e}"));
            // Nothing but what changes nothing was sent.
            for exchange in outcomes.iter().flat_map(|o| &o.observation.exchanges) {
                assert!(["GET", "HEAD", "OPTIONS"].contains(&&*exchange.request.method), "{}", exchange.request.method);
            }
            let id = format!("{} {path}", declared.title);
            let outcomes = outcomes.into_iter().map(|o| Outcome { policy: id.clone(), ..o }).collect();
            let mut policy = service.policy;
            policy.id.clone_from(&id);
            policies.push(policy);
            all.push(Asked { policy: id, took: Took::Started, outcomes, ending: None });
        }
    }
    all
}

/// A service that does what it declares breaks no rule, whatever it declares; and what is found of one that does not is on record.
#[test]
fn a_deployed_service_is_held_to_what_it_declares() {
    let (runtime, book) = (Runtime::new().expect("threads"), book());
    let found = |defect: Option<&str>| {
        let mut book = book.clone();
        let mut policies = Vec::new();
        let asked = asked_as_service(&runtime, &book, defect, &mut policies);
        assert!(defect.is_some() || asked.len() == DECLARED.len() * PATHS.len(), "{} were asked", asked.len());
        book.policies = policies;
        let certificate = certificate(&book, &asked);
        for rule in certificate.rules.iter().filter(|r| defect.is_none() && r.standing == Standing::Broken) {
            for shown in &rule.shown {
                println!("{} {} {}: expected {}, saw {}\n{:?}", rule.id, shown.policy, shown.probe, shown.expected, shown.seen, shown.wire);
            }
        }
        broken(&certificate)
    };
    assert_eq!(found(None), Vec::<String>::new());
    let mut text = String::from(
        "# Defects of servers that are found in a deployed service\n\nEach class of defects is switched on in the reference, which is then asked as a service is, with nothing but GET, HEAD and OPTIONS. What \
         is not\nfound is about an application that only a test has, or would have to be sent. Computed by `harness/tests/certification.rs`;\n`CORSCHECK_BLESS=1` writes it anew.\n\n| defect | what goes wrong | caught by |\n|---|---|---|\n",
    );
    let halves: Vec<Vec<&'static str>> = (0..2).map(|n| DEFECTS.iter().copied().skip(n).step_by(2).collect()).collect();
    let (found, by_the_clock) = (&found, ["P01", "P02"]);
    let rows = |half: &Vec<&'static str>| half.iter().map(|defect| (*defect, found(Some(defect)))).collect::<Vec<_>>();
    let rows = &rows;
    let matrix: BTreeMap<&'static str, Vec<String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = halves.iter().map(|half| scope.spawn(move || rows(half))).collect();
        workers.into_iter().flat_map(|w| w.join().expect("no panic")).collect()
    });
    let mut caught = 0;
    for (defect, rules) in matrix.iter().filter(|(d, _)| !by_the_clock.contains(d)) {
        let rules: Vec<&str> = rules.iter().map(|id| &**id).filter(|id| !by_the_clock.contains(id)).collect();
        caught += usize::from(!rules.is_empty());
        let title = book.rules.iter().find(|r| r.id == *defect).map_or("", |r| &r.title);
        _ = writeln!(text, "| {defect} | {title} | {} |", rules.join(" "));
    }
    println!("{caught} of {} defects are found", DEFECTS.len());
    compared(Path::new(SERVICES), &text);
    assert!(caught * 10 > DEFECTS.len() * 7, "only {caught} are found");
}

fn published(book: &Book, matrix: &BTreeMap<&'static str, Vec<String>>) {
    let mut text = String::from(
        "# Defects of servers, and the rules that catch them\n\nEach class of defects is switched on in the reference, one at a time, and asked for by the probes of its rule: the rules that were \
         seen to\nbreak. Computed by `harness/tests/certification.rs`; `CORSCHECK_BLESS=1` writes it anew.\n\n| defect | what goes wrong | caught by |\n|---|---|---|\n",
    );
    for (defect, rules) in matrix {
        let title = book.rules.iter().find(|r| r.id == *defect).map_or("", |r| &r.title);
        _ = writeln!(text, "| {defect} | {title} | {} |", rules.join(" "));
    }
    compared(Path::new(MATRIX), &text);
}

/// Holds what is published against what was computed.
fn compared(path: &Path, text: &str) {
    if std::env::var_os("CORSCHECK_BLESS").is_some() {
        std::fs::write(path, text).expect("it can be written");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    for line in text.lines().filter(|line| !there.lines().any(|l| l == *line)) {
        println!("computed: {line}");
    }
    let path = path.display();
    assert!(there == text, "{path} is not what was computed: run the test with CORSCHECK_BLESS=1 and look at what changed");
}
