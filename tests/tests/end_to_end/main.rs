//! The harness as a whole: the real program, real browsers, real faults.

mod certify;
mod command_line;
mod drivers;
mod explain;
mod explain_consoles;
mod explain_guide;
mod faults;
mod leftovers;
mod report;
mod serve;
mod simulated;
mod verdicts;
mod witnesses;

use corscheck::report::jsonl::Results;
use corscheck_tests::Place;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_corscheck-under-test");

/// An answer that lets the page read.
const GRANTS: &str = r#"{ headers = [["Access-Control-Allow-Origin", "{origin}"]] }"#;

fn place() -> Place {
    Place::new(PROGRAM)
}

/// A case with what it needs to be one; `rest` says what it is about.
fn case(id: &str, rest: &str) -> String {
    format!(
        r#"
[[case]]
id = "{id}"
title = "A case of the end-to-end tests"
behaviours = ["cors-check/acao-absent"]
spec = "fetch#concept-cors-check"
why = "CORS check, step 2."
{rest}
"#
    )
}

/// A read that is granted.
fn granted(id: &str, to: &str) -> String {
    case(id, &format!("request = {{ to = \"{to}\" }}\nresponse = {GRANTS}\nexpect = {{ read = \"allowed\", wire = [\"GET\"] }}"))
}

/// A read that is not.
fn denied(id: &str, to: &str) -> String {
    case(
        id,
        &format!(
            "request = {{ to = \"{to}\" }}\nresponse = {{}}\nexpect = {{ read = \"blocked\", reason = \"acao-missing\", wire = [\"GET\"] }}"
        ),
    )
}

/// Cases that take so long that there is time to do something to the run: two and a half rounds of waiting servers, and some
/// that wait beside the rounds.
fn long_catalogue() -> String {
    let mut text = String::new();
    for n in 0..300 {
        let (answer, expect) = if n % 2 == 0 {
            (r#"headers = [["Access-Control-Allow-Origin", "{origin}"]]"#, r#"read = "allowed""#)
        } else {
            ("headers = []", r#"read = "blocked", reason = "acao-missing""#)
        };
        let rest =
            format!("request = {{ to = \"b\" }}\nresponse = {{ {answer}, delay-ms = 60 }}\nexpect = {{ {expect}, wire = [\"GET\"] }}");
        text.push_str(&case(&format!("long/{n:03}"), &rest));
    }
    for n in 0..4 {
        let rest = format!(
            "request = {{ to = \"c\" }}\nresponse = {{ headers = [[\"Access-Control-Allow-Origin\", \"*\"]], delay-ms = {} }}\nexpect = {{ read = \"allowed\", wire = [\"GET\"] }}",
            600 + n * 600
        );
        text.push_str(&case(&format!("slow/{n}"), &rest));
    }
    text
}

/// How many cases [`long_catalogue`] has.
const LONG: usize = 304;

/// Demands that each browser has exactly one result for each case.
#[track_caller]
fn expect_each_once(results: &Results, cases: usize) {
    for browser in &results.header.browsers {
        let mut ids: Vec<_> = results.results.iter().filter(|r| r.browser == browser.browser).map(|r| &r.case).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((all, ids.len()), (cases, cases), "results of {}", browser.browser);
    }
    assert_eq!(results.results.len(), cases * results.header.browsers.len());
}
