//! Where a verdict stands: every verdict against every level, with and without a known deviation, alone and after others.

use corscheck::{
    event::Attempt,
    observation::Observation,
    standing::standing,
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
