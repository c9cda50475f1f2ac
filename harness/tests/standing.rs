//! Where a verdict stands: every verdict against every level, with and without a known deviation, alone and after others.

use std::sync::Arc;

use corscheck::{
    event::{Attempt, CaseResult},
    observation::Observation,
    standing::{idle, standing},
    verdict::{Cause, Difference, Judgement, Standing, Verdict},
};
use corscheck_cases::{Case, Catalogue, Level, families::Families, known, known::Known};

const ID: &str = "area/slug";

fn catalogue(level: &str) -> Catalogue {
    let text = format!(
        r#"[[case]]
        id = "{ID}"
        title = "A case for the tests"
        behaviours = ["cors-check/acao-exact-match"]
        spec = "fetch#concept-cors-check"
        why = "For the tests."
        level = "{level}"
        also = ["xhr"]
        request = {{ to = "b" }}
        response = {{}}
        expect = {{ read = "blocked", reason = "acao-missing", or-reasons = ["network"], wire = ["GET"] }}"#
    );
    Catalogue::parse([("area.toml", text.as_str())]).unwrap_or_else(|e| panic!("{e}"))
}

fn case(level: Level) -> Case {
    catalogue(level.word()).cases()[0].clone()
}

fn attempt(verdict: Verdict, points: &[&str]) -> Attempt {
    let difference = |point: &&str| Difference { step: 0, point: (*point).to_owned(), expected: "x".to_owned(), seen: "y".to_owned() };
    Attempt {
        session: 1,
        token: "0123456789abcdef".to_owned(),
        judgement: Judgement { verdict, differences: points.iter().map(difference).collect() },
        observation: Observation { pages: Vec::new(), exchanges: Vec::new(), words: Vec::new() },
    }
}

fn agrees() -> Attempt {
    attempt(Verdict::Agrees, &[])
}

fn not_judged() -> Attempt {
    attempt(Verdict::NotJudged(Cause::NoAnswer { step: 0 }), &[])
}

fn unsupported() -> Attempt {
    attempt(Verdict::Unsupported("request streams".to_owned()), &[])
}

fn too_open() -> Attempt {
    attempt(Verdict::TooOpen, &["page.outcome", "wire.extra"])
}

fn too_strict() -> Attempt {
    attempt(Verdict::TooStrict, &["page.outcome"])
}

fn wrong_wire() -> Attempt {
    attempt(Verdict::WrongWire, &["wire.extra"])
}

/// The known deviation that [`too_open`] shows, with other keys where given.
fn entry(keys: &[(&str, &str)]) -> Vec<Known> {
    let mut all = [
        ("cases", "[\"area/slug\"]"),
        ("verdict", "\"too-open\""),
        ("reason", "\"acao-missing\""),
        ("point", "\"page.outcome\""),
        ("versions", "[\"140\"]"),
        ("link", "\"https://bugs.example/1\""),
        ("consequence", "\"None.\""),
    ];
    for (key, value) in keys {
        let place = all.iter_mut().find(|(k, _)| k == key).expect("a key of an entry");
        place.1 = value;
    }
    let lines: Vec<_> = all.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("{key} = {value}")).collect();
    let text = format!("[[known]]\n{}\n", lines.join("\n"));
    known::parse("known/engine.toml", &text, &catalogue("must"), &Families::default()).unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn stands(level: Level, attempts: &[Attempt], known: &[Known], expected: Standing) {
    let (seen, entry) = standing(&case(level), attempts, known);
    assert_eq!(seen, expected, "at {}", level.word());
    assert_eq!(entry.is_some(), !known.is_empty(), "the entry of the case is handed on");
}

const LEVELS: [Level; 3] = [Level::Must, Level::Should, Level::Info];

#[test]
fn what_agrees_is_as_expected() {
    for level in LEVELS {
        stands(level, &[agrees()], &[], Standing::AsExpected);
    }
}

#[test]
fn a_mismatch_is_unexpected_unless_it_is_recorded_only() {
    for mismatch in [too_open, too_strict, wrong_wire] {
        stands(Level::Must, &[mismatch()], &[], Standing::Unexpected);
        stands(Level::Should, &[mismatch()], &[], Standing::Unexpected);
        stands(Level::Info, &[mismatch()], &[], Standing::AsExpected);
    }
}

#[test]
fn what_proves_nothing_is_unexpected_at_every_level() {
    for level in LEVELS {
        stands(level, &[not_judged()], &[], Standing::Unexpected);
        stands(level, &[not_judged()], &entry(&[]), Standing::Unexpected);
        stands(level, &[], &[], Standing::Unexpected);
    }
}

#[test]
fn what_the_engine_lacks_is_as_expected() {
    for level in LEVELS {
        stands(level, &[unsupported()], &[], Standing::AsExpected);
        // An entry says how it fails, and it cannot even be tried.
        stands(level, &[unsupported()], &entry(&[]), Standing::Stale);
    }
}

#[test]
fn a_mismatch_as_its_entry_says_is_known() {
    for level in LEVELS {
        stands(level, &[too_open()], &entry(&[]), Standing::Known);
    }
    stands(Level::Must, &[too_open()], &entry(&[("reason", "\"network\"")]), Standing::Known);
    stands(Level::Must, &[too_open()], &entry(&[("reason", "")]), Standing::Known);
    stands(Level::Must, &[too_strict()], &entry(&[("verdict", "\"too-strict\"")]), Standing::Known);
    stands(Level::Must, &[wrong_wire()], &entry(&[("verdict", "\"wrong-wire\""), ("point", "\"wire.extra\"")]), Standing::Known);
}

#[test]
fn an_entry_that_says_something_else_is_stale() {
    for level in LEVELS {
        stands(level, &[agrees()], &entry(&[]), Standing::Stale);
        stands(level, &[too_strict()], &entry(&[]), Standing::Stale);
        stands(level, &[wrong_wire()], &entry(&[]), Standing::Stale);
    }
    stands(Level::Must, &[too_open()], &entry(&[("point", "\"page.header:etag\"")]), Standing::Stale);
    // The decisive difference counts, and not one that follows it.
    stands(Level::Must, &[too_open()], &entry(&[("point", "\"wire.extra\"")]), Standing::Stale);
    stands(Level::Must, &[too_open()], &entry(&[("verdict", "\"wrong-wire\"")]), Standing::Stale);
}

#[test]
fn an_entry_with_a_reason_the_case_does_not_expect_is_a_mistake() {
    let text = "[[known]]\ncases = [\"area/slug\"]\nverdict = \"too-open\"\nreason = \"acao-mismatch\"\npoint = \"page.outcome\"\nversions = [\"1\"]\nlink = \"https://bugs.example/1\"\nconsequence = \"None.\"\n";
    let error =
        known::parse("known/engine.toml", text, &catalogue("must"), &Families::default()).expect_err("the case expects another reason");
    assert!(error.to_string().contains("does not expect the reason `acao-mismatch`"), "{error}");
}

#[test]
fn an_entry_of_another_case_says_nothing() {
    // The variant's own id is meant, and not the one it is derived from.
    let known = entry(&[("cases", "[\"area/slug.xhr\"]")]);
    let (seen, entry) = standing(&case(Level::Must), &[too_open()], &known);
    assert_eq!((seen, entry.is_none()), (Standing::Unexpected, true));
    let catalogue = catalogue("must");
    let variant = catalogue.find("area/slug.xhr").expect("the variant is there");
    assert_eq!(standing(variant, &[too_open()], &known).0, Standing::Known);
}

#[test]
fn the_entry_is_handed_on() {
    let known = entry(&[]);
    let (_, entry) = standing(&case(Level::Must), &[too_open()], &known);
    assert_eq!(entry.map(|k| k.link.as_str()), Some("https://bugs.example/1"));
}

#[test]
fn attempts_that_differ_are_flaky() {
    for level in LEVELS {
        stands(level, &[too_open(), agrees()], &[], Standing::Flaky);
        stands(level, &[agrees(), too_open()], &[], Standing::Flaky);
        stands(level, &[too_open(), too_open(), too_strict()], &[], Standing::Flaky);
        stands(level, &[too_open(), agrees()], &entry(&[]), Standing::Flaky);
        stands(level, &[too_open(), not_judged(), agrees()], &[], Standing::Flaky);
    }
}

#[test]
fn attempts_that_concur_are_not_flaky() {
    stands(Level::Must, &[too_open(), too_open(), too_open()], &[], Standing::Unexpected);
    stands(Level::Must, &[too_open(), too_open()], &entry(&[]), Standing::Known);
    stands(Level::Must, &[agrees(), agrees()], &entry(&[]), Standing::Stale);
    stands(Level::Must, &[agrees(), agrees()], &[], Standing::AsExpected);
}

#[test]
fn an_attempt_that_proves_nothing_contradicts_no_other() {
    stands(Level::Must, &[not_judged(), agrees()], &[], Standing::AsExpected);
    stands(Level::Must, &[not_judged(), too_open()], &entry(&[]), Standing::Known);
    stands(Level::Must, &[not_judged(), too_open()], &[], Standing::Unexpected);
    // The last attempt counts: a case is not green because it once was.
    stands(Level::Must, &[agrees(), not_judged()], &[], Standing::Unexpected);
    stands(Level::Must, &[too_open(), not_judged()], &entry(&[]), Standing::Unexpected);
}

// --- Entries for generated cases

const STAR: &str = "family-cors-check/acao-star-include";

fn generated(id: &str) -> Case {
    let families = Families::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    families.find(id).expect("there is such a combination").unwrap_or_else(|nonsense| panic!("{nonsense}"))
}

/// An entry that covers generated cases by a filter.
fn filtered(filter: &str, reason: &str) -> Vec<Known> {
    let reason = if reason.is_empty() { String::new() } else { format!("reason = \"{reason}\"\n") };
    let text = format!(
        "[[known]]\nfilter = \"{filter}\"\nverdict = \"too-open\"\n{reason}point = \"page.outcome\"\nversions = [\"1\"]\n\
         link = \"https://bugs.example/1\"\nconsequence = \"None.\"\n"
    );
    let families = Families::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    known::parse("known/engine.toml", &text, &catalogue("must"), &families).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_filter_covers_what_it_chooses_and_fails_as_it_says() {
    let case = generated(STAR);
    let of = |attempt: Attempt, filter: &str, reason: &str| standing(&case, &[attempt], &filtered(filter, reason)).0;
    assert_eq!(of(too_open(), "family:cors-check with-acao:acao-star", ""), Standing::Known);
    assert_eq!(of(too_open(), "family:cors-check", "wildcard-with-credentials"), Standing::Known);
    // What it does not say is as unexpected as ever, and what agrees proves nothing against it.
    assert_eq!(of(too_open(), "family:cors-check", "acao-missing"), Standing::Unexpected);
    assert_eq!(of(too_open(), "family:cors-check with-acao:acao-none", ""), Standing::Unexpected);
    assert_eq!(of(too_strict(), "family:cors-check", ""), Standing::Unexpected);
    assert_eq!(of(agrees(), "family:cors-check", ""), Standing::AsExpected);
    assert_eq!(of(unsupported(), "family:cors-check", ""), Standing::AsExpected);
    // A case written by hand is named by its id.
    assert_eq!(standing(&self::case(Level::Must), &[too_open()], &filtered("family:*", "")).0, Standing::Unexpected);
}

#[test]
fn a_generated_case_can_be_named_by_its_id_too() {
    let families = Families::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let text = |id: &str| {
        format!(
            "[[known]]\ncases = [\"{id}\"]\nverdict = \"too-open\"\npoint = \"page.outcome\"\nversions = [\"1\"]\n\
             link = \"https://bugs.example/1\"\nconsequence = \"None.\"\n"
        )
    };
    let parse = |text: &str| known::parse("known/engine.toml", text, &catalogue("must"), &families);
    let known = parse(&text(STAR)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(standing(&generated(STAR), &[too_open()], &known).0, Standing::Known);
    assert_eq!(standing(&generated(STAR), &[agrees()], &known).0, Standing::Stale);
    assert!(parse(&text("family-cors-check/acao-moon")).is_err());
    for (from, to, words) in [
        ("cases = ", "filter = \"with-acao:acao-star\"\ncases = ", "either `cases` or a `filter`"),
        (
            "cases = [\"family-cors-check/acao-star-include\"]",
            "filter = \"with-acao:acao-star\"",
            "by `family:NAME`; there are body, broken",
        ),
        ("cases = [\"family-cors-check/acao-star-include\"]", "filter = \"family:none\"", "by `family:NAME`"),
        ("cases = [\"family-cors-check/acao-star-include\"]", "filter = \"colour:red\"", "unknown key `colour`"),
    ] {
        let error = parse(&text(STAR).replace(from, to)).expect_err(to).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_filter_that_no_failure_bears_out_is_idle() {
    let cases = [Arc::new(generated(STAR)), Arc::new(generated("family-cors-check/plain"))];
    let known = filtered("family:cors-check with-acao:acao-star", "");
    let idle_with = |attempts: [Attempt; 2], whole: bool| {
        let results: Vec<CaseResult> = cases.iter().zip(attempts).map(|(case, attempt)| result(case, attempt)).collect();
        idle(&known, &cases, &results.iter().collect::<Vec<_>>(), &|_| whole).len()
    };
    assert_eq!(idle_with([too_open(), agrees()], true), 0);
    assert_eq!(idle_with([agrees(), agrees()], true), 1);
    assert_eq!(idle_with([too_strict(), agrees()], true), 1);
    // The case that fails so is not one that it chooses.
    assert_eq!(idle_with([agrees(), too_open()], true), 1);
    // Of a part of a family nothing follows.
    assert_eq!(idle_with([agrees(), agrees()], false), 0);
    assert_eq!(idle(&entry(&[]), &cases, &[], &|_| true).len(), 0, "an entry by id is told by its own case");
}

fn result(case: &Case, attempt: Attempt) -> CaseResult {
    CaseResult {
        case: case.id.as_str().to_owned(),
        title: case.title.clone(),
        browser: "chromium".to_owned(),
        level: case.level,
        place: "a/window".to_owned(),
        verdict: attempt.judgement.verdict.clone(),
        standing: Standing::Unexpected,
        known: None,
        expected: Vec::new(),
        reasons: Vec::new(),
        reason_agrees: None,
        attempts: vec![attempt],
        rules: Vec::new(),
        path: Vec::new(),
    }
}
