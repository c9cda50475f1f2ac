//! The simulated user agent against the real servers: what is seen and what is predicted are the same, whatever is wrong with it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use corscheck::{
    drive::{Drive, Provisional},
    event::{CaseResult, Event},
    judge::judge,
    observation::{Observation, PageEnd},
    simulated::{
        client::{Client, ClientOptions},
        observe::observation,
        page::Link,
    },
    user_agent::{Simulated, UserAgent},
    verdict::{Cause, Judgement, Verdict},
};
use corscheck_cases::{
    Alias, Case, Catalogue, Topology,
    bind::bind,
    oracle::{Defect, Defects, Scenario, scenario::environment},
};
use corscheck_servers::{Options, Servers, Token};
use tokio::sync::{Semaphore, mpsc};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("threads").block_on(future)
}

async fn servers() -> Arc<Servers> {
    Arc::new(Servers::start(Options::default()).await.expect("ports"))
}

/// Drives the simulated user agent through the cases; what they came to, by id.
async fn results(servers: &Arc<Servers>, cases: &[Arc<Case>], defects: Defects) -> BTreeMap<String, CaseResult> {
    let (events, mut arriving) = mpsc::unbounded_channel();
    let drive = Drive {
        agent: UserAgent::Simulated(Simulated::new(servers, defects).expect("a certificate")),
        servers: servers.clone(),
        events,
        known: Vec::new(),
        cases: cases.to_vec(),
        provisional: Provisional::default(),
        repeat: 1,
    };
    let driving = tokio::spawn(drive.run());
    let mut results = BTreeMap::new();
    while let Some(event) = arriving.recv().await {
        if let Event::Result(result) = event {
            results.insert(result.case.clone(), *result);
        }
    }
    driving.await.expect("no panic").expect("a session");
    results
}

/// The catalogue without the cases that wait for real time.
fn quick() -> Vec<Arc<Case>> {
    let catalogue = Catalogue::embedded().expect("it parses");
    let gives_up = |c: &Case| c.steps.iter().any(|s| s.request.abort_after_ms.is_some_and(|ms| ms > 0));
    catalogue.cases().iter().filter(|c| !c.is_slow() && !gives_up(c)).cloned().map(Arc::new).collect()
}

fn parsed(rest: &str) -> Arc<Case> {
    let text = format!(
        "[[case]]\nid = \"area/case\"\ntitle = \"A case of the tests\"\nbehaviours = [\"cors-check/acao-absent\"]\n\
         spec = \"fetch#concept-cors-check\"\nwhy = \"CORS check, step 2.\"\n{rest}\n"
    );
    let catalogue = Catalogue::parse([("case.toml", &*text)]).unwrap_or_else(|e| panic!("{e}"));
    Arc::new(catalogue.cases()[0].clone())
}

fn predicted(case: &Case, topology: &Topology, defects: Defects) -> Judgement {
    let token = "0123456789abcdef0123456789abcdef";
    let scenario = Scenario::new(case, topology, token);
    judge(&bind(case, topology, token).steps, &observation(&scenario, &scenario.predict_with(defects)))
}

/// Where the verdict of the wire and the predicted one part, case by case.
async fn contradictions(defect: Defect) -> Vec<String> {
    let (cases, servers) = (quick(), servers().await);
    let defects = Defects::only(defect);
    let seen = results(&servers, &cases, defects).await;
    assert_eq!(seen.len(), cases.len());
    let gist = |judgement: &Judgement| {
        let point = judgement.differences.first().map(|d| format!(" at {}", d.point)).unwrap_or_default();
        format!("{}{point}", judgement.verdict)
    };
    let contradiction = |case: &Arc<Case>| {
        let judgement = &seen[case.id.as_str()].last()?.judgement;
        if let Verdict::NotJudged(Cause::NoAnswer { .. }) = judgement.verdict {
            // It reads a body that never ends, which it should not have been given: the prediction knows, on the wire it waits.
            return None;
        }
        let seen = gist(judgement);
        let predicted = gist(&predicted(case, servers.topology(), defects));
        (seen != predicted).then(|| format!("{defect}: {}: predicted {predicted}, seen {seen}", case.id))
    };
    cases.iter().filter_map(contradiction).collect()
}

/// The defects that live in HTTP itself, where script and sockets are two pieces of code.
#[test]
fn defects_of_http_come_to_what_is_predicted() {
    for defect in [
        Defect::StreamHttp1,
        Defect::InterimFinal,
        Defect::AcaoFromInterim,
        Defect::TruncatedAccepted,
        Defect::NetworkErrorEmpty,
        Defect::BodyLost,
        // Not of HTTP: it would stop the controls, were it let.
        Defect::WildcardNever,
    ] {
        let found = block_on(contradictions(defect));
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

#[test]
#[ignore = "takes minutes"]
fn every_defect_comes_to_what_is_predicted() {
    // The client has a connection of its own for every request, whatever is wrong with the user agent.
    let of_the_pool = [Defect::ConnectionsShared, Defect::MisdirectedSameConnection];
    let shown = Defect::ALL.iter().filter(|defect| !of_the_pool.contains(defect));
    let found: Vec<_> = shown.flat_map(|defect| block_on(contradictions(*defect))).collect();
    assert!(found.is_empty(), "{} contradictions:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_server_that_is_dead_takes_the_judgement_with_it() {
    let reads = |to: &str, answer: &str, expect: &str| {
        parsed(&format!("request = {{ to = \"{to}\" }}\nresponse = {{ {answer} }}\nexpect = {{ {expect}, wire = [\"GET\"] }}"))
    };
    let denied = |to| reads(to, "", "read = \"blocked\", reason = \"acao-missing\"");
    block_on(async {
        let servers = servers().await;
        servers.kill(Alias::B);
        for (to, judged) in [("b", false), ("c", true)] {
            let results = results(&servers, &[denied(to)], Defects::NONE).await;
            match &results["area/case"].verdict {
                Verdict::Agrees => assert!(judged, "blocked by a dead server"),
                Verdict::NotJudged(Cause::ControlFailed { control }) => assert!(!judged && control.contains(" to b: "), "{control}"),
                other => panic!("{other}"),
            }
        }
    });
}

#[test]
fn an_answer_that_never_comes_is_not_a_blocked_read() {
    let case = parsed(
        "request = { to = \"b\" }\nresponse = { drop = \"hang\" }\nexpect = { read = \"blocked\", reason = \"acao-missing\", wire = [\"GET\"] }",
    );
    block_on(async {
        let servers = servers().await;
        let token = Token::new();
        let bound = bind(&case, servers.topology(), token.as_str());
        servers.register(&token, bound.script);
        let options = ClientOptions { answer_timeout: Duration::from_millis(100), ..ClientOptions::default() };
        let (client, threads) = (Arc::new(Client::new(options)), Arc::new(Semaphore::new(1)));
        let link = Link::new(
            environment(servers.topology(), case.page, &case.document.bind(servers.topology()), case.context),
            client,
            threads,
            Defects::NONE,
        );
        let page = link.tab().run(&bound.steps[0].action, Duration::ZERO).await;
        assert_eq!(page.end, PageEnd::NoAnswer { after_ms: 100.0 });
        let observation = Observation { pages: vec![page], exchanges: servers.take(&token), words: Vec::new() };
        assert_eq!(judge(&bound.steps, &observation).verdict, Verdict::NotJudged(Cause::NoAnswer { step: 0 }));
    });
}

#[test]
fn it_says_why_it_blocked_a_read() {
    let case = parsed(
        "request = { to = \"b\" }\nresponse = { headers = [[\"Access-Control-Allow-Origin\", \"http://evil.example\"]] }\n\
         expect = { read = \"blocked\", reason = \"acao-mismatch\", wire = [\"GET\"] }",
    );
    let results = block_on(async { results(&servers().await, &[case], Defects::NONE).await });
    let result = &results["area/case"];
    assert_eq!((&result.verdict, result.reason_agrees, result.browser.as_str()), (&Verdict::Agrees, Some(true), "simulated"));
    let words = &result.attempts[0].observation.words;
    assert!(
        matches!(&words[..], [word] if word.text.starts_with("CORS check, step 4") && word.text.contains("`http://evil.example`")),
        "{words:?}"
    );
}
