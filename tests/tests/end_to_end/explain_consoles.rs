//! What `explain` says that consoles say, against what real consoles say.

use std::sync::Arc;

use corscheck::{
    browser::{Endpoint, Engine, SessionOptions},
    explain::{Explanation, Source, answer_file::AnswerFile, evidence::Evidence, live::confirmation, question::Asked, replay},
    run::{Plan, run},
    user_agent::Choice,
};
use corscheck_cases::{CaseId, Reason, format::Api};
use corscheck_tests::{browsers, turn};

/// Requests and answers that engines have sentences for, with the reason: answer files.
const BLOCKED: &[(&str, Reason)] = &[
    ("response = {}", Reason::AcaoMissing),
    ("response = { status = 500 }", Reason::AcaoMissing),
    ("response = { headers = [['Access-Control-Allow-Origin', 'https://other.example']] }", Reason::AcaoMismatch),
    ("response = { headers = [['Access-Control-Allow-Origin', 'null']] }", Reason::AcaoMismatch),
    ("response = { headers = [['Access-Control-Allow-Origin', '{origin}/']] }", Reason::AcaoInvalid),
    ("response = { headers = [['Access-Control-Allow-Origin', '']] }", Reason::AcaoInvalid),
    ("response = { headers = [['Access-Control-Allow-Origin', 'https://*.example.com']] }", Reason::AcaoMismatch),
    ("response = { headers = [['Access-Control-Allow-Origin', '\"{origin}\"']] }", Reason::AcaoInvalid),
    ("response = { headers = [['Access-Control-Allow-Origin', 'undefined']] }", Reason::AcaoInvalid),
    ("response = { headers = [['Access-Control-Allow-Origin', '{origin}, https://other.example']] }", Reason::AcaoMultiple),
    (
        "response = { headers = [['Access-Control-Allow-Origin', '{origin}'], ['Access-Control-Allow-Origin', '{origin}']] }",
        Reason::AcaoMultiple,
    ),
    (
        "request = { credentials = 'include' }\nresponse = { headers = [['Access-Control-Allow-Origin', '*']] }",
        Reason::WildcardWithCredentials,
    ),
    ("request = { credentials = 'include' }\nresponse = { headers = [['Access-Control-Allow-Origin', '{origin}']] }", Reason::AcacNotTrue),
    (
        "request = { credentials = 'include' }\nresponse = { headers = [['Access-Control-Allow-Origin', '{origin}'], ['Access-Control-Allow-Credentials', 'True']] }",
        Reason::AcacNotTrue,
    ),
    ("request = { method = 'PUT' }\npreflight = { status = 204 }", Reason::AcaoMissing),
    ("request = { method = 'PUT' }\npreflight = { status = 401 }", Reason::AcaoMissing),
    (
        "request = { method = 'PUT' }\npreflight = { status = 204, headers = [['Access-Control-Allow-Origin', 'https://x.example']] }",
        Reason::AcaoMismatch,
    ),
    (
        "request = { method = 'PUT' }\npreflight = { status = 403, headers = [['Access-Control-Allow-Origin', '*']] }",
        Reason::PreflightNotOk,
    ),
    (
        "request = { method = 'PUT' }\npreflight = { status = 302, headers = [['Access-Control-Allow-Origin', '*'], ['Location', '/y']] }",
        Reason::PreflightRedirect,
    ),
    (
        "request = { method = 'PUT' }\npreflight = { status = 204, headers = [['Access-Control-Allow-Origin', '*'], ['Access-Control-Allow-Methods', 'GET']] }",
        Reason::MethodNotAllowed,
    ),
    (
        "request = { headers = [['X-B', '1'], ['X-A', '1']] }\npreflight = { status = 204, headers = [['Access-Control-Allow-Origin', '*'], ['Access-Control-Allow-Headers', 'X-B']] }",
        Reason::HeaderNotAllowed,
    ),
    (
        "request = { headers = [['X-A', '1']] }\npreflight = { status = 204, headers = [['Access-Control-Allow-Origin', '*']] }",
        Reason::HeaderNotAllowed,
    ),
    (
        "request = { method = 'PUT' }\npreflight = { status = 204, headers = [['Access-Control-Allow-Origin', '*'], ['Access-Control-Allow-Methods', '[PUT]']] }",
        Reason::AllowMethodsMalformed,
    ),
    (
        "request = { headers = [['X-A', '1']] }\npreflight = { status = 204, headers = [['Access-Control-Allow-Origin', '*'], ['Access-Control-Allow-Headers', 'X A']] }",
        Reason::AllowHeadersMalformed,
    ),
    ("response = { status = 302, headers = [['Location', '/y']] }", Reason::AcaoMissing),
    ("response = [{ status = 302, headers = [['Access-Control-Allow-Origin', '*'], ['Location', '/y']] }, {}]", Reason::AcaoMissing),
    (
        "response = [{ status = 302, headers = [['Access-Control-Allow-Origin', '*'], ['Location', 'https://cdn.example.net/y']] }, { headers = [['Access-Control-Allow-Origin', '{origin}']] }]",
        Reason::AcaoMismatch,
    ),
];

fn explanations() -> Vec<Explanation> {
    let mut all = Vec::new();
    for (text, reason) in BLOCKED {
        for api in [Api::Fetch, Api::Xhr] {
            let file = AnswerFile::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
            let asked = Asked {
                url: Some("https://api.example.com/x".to_owned()),
                origin: Some("https://app.example.com".to_owned()),
                api: Some(api),
                ..Asked::default()
            };
            let question = asked.or(file.asked.clone()).question().unwrap_or_else(|e| panic!("{text}: {e}"));
            let network = file.network(&question).unwrap_or_else(|e| panic!("{text}: {e}"));
            let explanation = Explanation::of(Evidence::described(question, network), Source::File("a.toml".to_owned()));
            assert_eq!(explanation.verdict.reason, Some(*reason), "{text}");
            all.push(explanation);
        }
    }
    all
}

#[test]
fn consoles_say_what_explain_says_they_say() {
    let explanations = explanations();
    for browser in browsers() {
        let engine = browser.engine;
        if engine == Engine::Webkit {
            // It gives no words of its own.
            continue;
        }
        let _turn = turn();
        let cases = explanations.iter().enumerate().map(|(n, explanation)| {
            let mut case = replay::case(&explanation.evidence).unwrap_or_else(|e| panic!("{e}"));
            case.id = CaseId::parse(&format!("explain/{n:03}")).expect("an id");
            Arc::new(case)
        });
        let plan = Plan {
            cases: cases.collect(),
            agents: vec![(Choice::Browser(Endpoint::Local(browser)), Vec::new())],
            session: SessionOptions::default(),
            command: Vec::new(),
            catalogue: None,
            repeat: 1,
            strict: false,
            whole: Vec::new(),
            families: None,
        };
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let outcome = runtime.block_on(run(plan, &mut [])).expect("a run");
        assert_eq!(outcome.results.len(), explanations.len());
        let mut wrong = Vec::new();
        for result in &outcome.results {
            let n: usize = result.case["explain/".len()..].parse().expect("a number");
            let explanation = &explanations[n];
            let confirmed = confirmation(explanation, &outcome.header.browsers[0], result.last().expect("an attempt"));
            let said: Vec<&str> = match engine {
                Engine::Chromium => explanation.consoles.chrome.iter().map(String::as_str).collect(),
                _ => explanation.consoles.firefox.iter().map(|line| line.text.as_str()).collect(),
            };
            let heard = confirmed.words.first().map(String::as_str);
            if !confirmed.agrees || heard.is_none_or(|words| words != said[0]) {
                wrong.push(format!(
                    "{}\n  {:?}\n  says  {}\n  heard {heard:?}",
                    explanation.verdict.sentence, confirmed.differences, said[0]
                ));
            }
        }
        assert!(wrong.is_empty(), "{} of {} in {engine:?}:\n{}", wrong.len(), explanations.len(), wrong.join("\n"));
    }
}
