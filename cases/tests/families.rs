//! The families that are part of the program: every combination makes a case, ids are stable, the sample is the same every time.

use std::collections::{BTreeMap, HashSet};

use corscheck_cases::{
    Case, Catalogue, Level, Topology,
    bind::bind,
    families::{AREA, Combination, Families, Family, SAMPLE},
};
use insta::assert_snapshot;

/// In a debug build one case of so many is made; a release build makes all.
const EVERY: usize = if cfg!(debug_assertions) { 17 } else { 1 };

fn families() -> Families {
    match Families::embedded() {
        Ok(families) => families,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

fn case(family: &Family, combination: &Combination) -> Case {
    family.case(combination).unwrap_or_else(|nonsense| panic!("{nonsense}"))
}

/// A hash that does not change from one version of Rust to the next (FNV-1a).
fn hash(lines: impl IntoIterator<Item = String>) -> String {
    let mut h: u64 = 0xcbf2_9ce4_8422_2325;
    for line in lines {
        for byte in line.bytes().chain([b'\n']) {
            h = (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{h:016x}")
}

#[test]
fn every_combination_makes_a_case_that_binds() {
    let topology = Topology::example();
    for family in families().all() {
        let mut reads: BTreeMap<&str, usize> = BTreeMap::new();
        for combination in family.combinations().iter().step_by(EVERY) {
            let case = case(family, combination);
            let bound = bind(&case, &topology, "0123456789abcdef");
            assert_eq!(bound.steps.len(), case.steps.len(), "{}", case.id);
            assert_eq!(case.level, Level::Must, "{}: a prediction leaves nothing open", case.id);
            let generated = case.generated.as_ref().expect("it says what it was made from");
            assert_eq!(generated.family, family.name());
            assert_eq!(case.id.area(), format!("{AREA}{}", family.name()));
            *reads.entry(case.steps[case.steps.len() - 1].expect.read.word()).or_default() += 1;
        }
        println!("{:<20} {reads:?}", family.name());
        assert!(reads.contains_key("allowed"), "a browser that blocks everything passes {}", family.name());
    }
}

#[test]
fn ids_are_unique_and_can_be_read_back() {
    let families = families();
    let mut seen = HashSet::new();
    for family in families.all() {
        for combination in family.combinations() {
            let id = family.id(&combination);
            assert!(family.permits(&combination), "{id}");
            let (found, read) = families.decode(&id).unwrap_or_else(|| panic!("{id} cannot be read back"));
            assert_eq!((found.name(), &read), (family.name(), &combination), "{id}");
            assert!(seen.insert(id.clone()), "{id} is there twice");
        }
    }
    assert!(seen.len() >= 20_000, "{} cases", seen.len());
    for none in
        ["family-cors-check/acao", "family-cors-check/", "family-cors-check/acao-star-acao-none", "family-no/plain", "cors-check/plain"]
    {
        assert!(families.decode(none).is_none(), "{none}");
    }
    assert!(families.decode("family-cors-check/omit-xhr").is_none(), "XMLHttpRequest has no credentials mode omit");
}

/// Every pair of values that may stand together does, in some case of the family.
#[test]
fn values_meet() {
    for family in families().all() {
        let mut met = HashSet::new();
        for combination in family.combinations() {
            let values: Vec<_> = combination.values().enumerate().collect();
            for (i, a) in values.iter().enumerate() {
                met.extend(values[..i].iter().map(|b| (*b, *a)));
            }
        }
        let mut missing = Vec::new();
        for (y, second) in family.axes().iter().enumerate() {
            for (x, first) in family.axes()[..y].iter().enumerate() {
                for (v, one) in first.values.iter().enumerate() {
                    let others = second.values.iter().enumerate().filter(|(w, _)| !met.contains(&((x, v), (y, *w))));
                    missing.extend(others.map(|(_, other)| format!("{} with {}", one.word, other.word)));
                }
            }
        }
        println!("{:<20} {} pairs met, {} exclude each other", family.name(), met.len(), missing.len());
        // What is excluded is said in the family's file; a mistake there would exclude much more.
        assert!(missing.len() * 4 < met.len(), "{}: {}", family.name(), missing.join(", "));
    }
}

/// Which cases there are changes only on purpose: whoever changes a family looks at this, too.
#[test]
fn the_cases_of_each_family_are_these() {
    let families = families();
    let line = |family: &Family| {
        let combinations = family.combinations();
        format!("{:<20} {:>5} {}", family.name(), combinations.len(), hash(combinations.iter().map(|c| family.id(c))))
    };
    let lines: Vec<_> = families.all().iter().map(line).collect();
    assert_snapshot!(lines.join("\n"), @r"
    body                  1159 aefb38b3a9359226
    broken                 460 17d16cd9a78526c0
    bytes-acac            1518 53ca343aeb2849fb
    bytes-acah            2530 133ef4f1fa94123f
    bytes-acam            2530 57407b63c7c311e5
    bytes-acao            3036 5b6789739492821c
    bytes-aceh            2530 8afd378bac1e97c5
    bytes-safelist        6656 8a5e2ecff4b48c98
    cookie                2880 eec1c10ff6849b28
    cors-check            4190 eb2d9b09d22aec69
    expose                 987 bee2769d966a21cc
    mode                  3062 f7cdb32a35d1a6e6
    origin-pair           2870 0ee457a4896beb2c
    preflight-answer      4299 f9e950a90cdb8dc5
    preflight-cache       1576 5e1c2ca38eaf1b4e
    preflight-header      2889 620fb3b79bcf881f
    preflight-method      2302 3c3cad78a09c8ebb
    redirect              2888 e7c5c4a3d2783edd
    redirect-grant        3232 4f815e4a526712ad
    redirect-preflight    1904 1589d62348308ae2
    safelist              1505 c9aae32da63a0ef3
    ");
}

#[test]
fn the_sample_is_the_same_every_time_and_of_every_family() {
    let families = families();
    let ids = |size| families.sample(size).into_iter().map(|(family, c)| family.id(&c)).collect::<Vec<_>>();
    let sample = ids(SAMPLE);
    assert_eq!(sample, ids(SAMPLE));
    assert_eq!(sample.len(), SAMPLE);
    assert_eq!(sample.iter().collect::<HashSet<_>>().len(), SAMPLE);
    let mut by_family: BTreeMap<&str, usize> = BTreeMap::new();
    for id in &sample {
        *by_family.entry(id.split('/').next().unwrap_or_default()).or_default() += 1;
    }
    let share = SAMPLE / families.all().len();
    assert!(by_family.len() == families.all().len() && by_family.values().all(|n| *n >= share), "{by_family:?}");
    assert_snapshot!(hash(sample), @"146d548aaa0d30a4");
    // A sample as large as everything is everything, and no family is asked for more than it has.
    let all: usize = families.all().iter().map(|f| f.combinations().len()).sum();
    assert_eq!(ids(usize::MAX / 2).len(), all);
    assert_eq!(ids(0).len(), 0);
}

/// The cases of the sample show every value of every axis at least once, as far as the sample is large enough for that: an axis of
/// bytes has more values than its family has cases in it.
#[test]
fn the_sample_shows_most_values() {
    let families = families();
    let mut shown: HashSet<(&str, usize, usize)> = HashSet::new();
    for (family, combination) in families.sample(SAMPLE) {
        shown.extend(combination.values().enumerate().map(|(x, v)| (family.name(), x, v)));
    }
    let share = SAMPLE / families.all().len();
    let values: usize = families.all().iter().flat_map(|f| f.axes()).map(|axis| axis.values.len().min(share)).sum();
    assert!(shown.len() * 10 >= values * 8, "{} of {values} values", shown.len());
}

#[test]
fn a_case_can_be_pasted() {
    let families = families();
    for (family, combination) in families.sample(100) {
        let text = family.text(&combination).unwrap_or_else(|nonsense| panic!("{nonsense}"));
        let pasted = Catalogue::parse([("pasted.toml", &*text)]).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes}"));
        let (pasted, made) = (&pasted.cases()[0], case(family, &combination));
        assert_eq!((&pasted.id, &pasted.title, &pasted.why), (&made.id, &made.title, &made.why));
        assert!(pasted.generated.is_none(), "pasted, it is written by hand");
        assert!(text.lines().all(|line| line.len() < 3000), "{text}");
    }
    let (family, combination) = families.decode("family-preflight-cache/age-0-xhr").expect("there is such a combination");
    assert_snapshot!(family.text(&combination).unwrap_or_else(|nonsense| panic!("{nonsense}")), @r#"
    [[case]]
    id = "family-preflight-cache/age-0-xhr"
    title = "A second request after a preflighted first one with age-0, xhr comes to: allowed, then allowed"
    behaviours = ["preflight-cache/max-age-honoured", "preflight-cache/max-age-zero", "preflight-cache/method-reuse"]
    spec = "fetch#concept-cache"
    why = "Step 1: HTTP fetch, step 4.1: the CORS-preflight cache does not grant all of it: a preflight; CORS check, step 5: the origin matches, and the credentials mode is not include: success. Step 2: HTTP fetch, step 4.1: the CORS-preflight cache does not grant all of it: a preflight; CORS check, step 5: the origin matches, and the credentials mode is not include: success. (Predicted by the oracle.)"

    [[case.steps]]
    request = { to = "b", api = "xhr", method = "PUT" }
    preflight = { status = 204, headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Credentials", "true"], ["Access-Control-Allow-Methods", "PUT, DELETE"], ["Access-Control-Allow-Headers", "X-A, X-B, Authorization"], ["Access-Control-Max-Age", "0"]] }
    response = { headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Credentials", "true"], ["Cache-Control", "no-store"]] }
    expect = { read = "allowed", status = 200, header-names = ["cache-control", "content-length"], wire = [{ method = "OPTIONS", at = "b", headers = { Access-Control-Request-Headers = false, Access-Control-Request-Method = "PUT", Origin = "{origin}" } }, { method = "PUT", at = "b", headers = { Origin = "{origin}" } }] }

    [[case.steps]]
    request = { to = "b", api = "xhr", method = "PUT" }
    preflight = { status = 204, headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Credentials", "true"], ["Access-Control-Allow-Methods", "PUT, DELETE"], ["Access-Control-Allow-Headers", "X-A, X-B, Authorization"]] }
    response = { headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Credentials", "true"], ["Cache-Control", "no-store"]] }
    expect = { read = "allowed", status = 200, header-names = ["cache-control", "content-length"], wire = [{ method = "OPTIONS", at = "b", headers = { Access-Control-Request-Headers = false, Access-Control-Request-Method = "PUT", Origin = "{origin}" } }, { method = "PUT", at = "b", headers = { Origin = "{origin}" } }] }
    "#);
}

/// Reuse of the CORS-preflight cache is permitted, and never demanded.
#[test]
fn what_the_cache_may_forget_is_left_open() {
    let families = families();
    let find = |id: &str| families.find(id).expect("there is such a combination").unwrap_or_else(|nonsense| panic!("{nonsense}"));
    assert_eq!(find("family-preflight-cache/plain").steps[1].expect.wires.len(), 2);
    assert_eq!(find("family-preflight-cache/other-path").steps[1].expect.wires.len(), 1);
    let broken = find("family-broken/put");
    assert!(broken.steps[0].expect.wires[0][1].repeats && !broken.steps[0].expect.wires[0][0].repeats);
}

#[test]
fn no_case_written_by_hand_takes_an_id_of_a_family() {
    let catalogue = Catalogue::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert!(catalogue.cases().iter().all(|c| !c.id.as_str().starts_with(AREA) && c.generated.is_none()));
}

/// A family with one mistake, and what is said of it.
fn mistake(from: &str, to: &str) -> String {
    const FAMILY: &str = r#"title = "A family for the tests"
behaviours = ["cors-check/acao-absent"]
spec = "fetch#concept-cors-check"
full = ["answer"]

[base]
request = { to = "b" }
response = {}

[[axis]]
name = "answer"
values = [
    { word = "none" },
    { word = "star", response.headers = [["Access-Control-Allow-Origin", "*"]] },
]

[[axis]]
name = "mode"
values = [
    { word = "default" },
    { word = "include", only = { answer = ["star"] }, request.credentials = "include" },
]
"#;
    let parsed = Families::parse([("families/test.toml", FAMILY)]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(parsed.all()[0].combinations().len(), 3);
    assert!(FAMILY.contains(from), "{from}");
    let text = FAMILY.replacen(from, to, 1);
    match Families::parse([("families/test.toml", &*text)]) {
        Err(mistakes) => mistakes.0[0].message.clone(),
        Ok(parsed) => {
            let family = &parsed.all()[0];
            let nonsense = family.combinations().iter().find_map(|c| family.case(c).err());
            nonsense.unwrap_or_else(|| panic!("{to} is no mistake")).to_string()
        }
    }
}

#[test]
fn mistakes_are_told() {
    for (from, to, words) in [
        ("full = [\"answer\"]", "full = [\"answers\"]", "`answers` is no other axis of this family, which has answer, mode"),
        ("answer = [\"star\"]", "answer = [\"stars\"]", "has no `stars`; the nearest are star"),
        ("answer = [\"star\"]", "mode = [\"default\"]", "`mode` is no other axis"),
        ("word = \"include\"", "word = \"star\"", "`star` is a value of the axis `answer` already"),
        ("word = \"include\"", "word = \"Include\"", "cannot stand in an id"),
        ("word = \"include\"", "word = \"plain\"", "stands for the first value of every axis"),
        ("{ word = \"star\",", "{ word = \"include-include\" }, { word = \"star\",", "could be read as `include` and another word"),
        ("name = \"mode\"", "name = \"answer\"", "there are two axes `answer`"),
        ("behaviours = [\"cors-check/acao-absent\"]", "behaviours = []", "name at least one row"),
        ("request.credentials", "request.credential", "unknown field `credential`"),
        ("request.credentials", "hop-1.status = 302, request.credentials", "`redirects` is shorter"),
        ("response = {}", "response = {}\npreflights = 1", "unknown field `preflights`"),
        ("name = \"mode\"", "name = \"mode\"\nbytes = [\"00\"]", "either `values` or `bytes`"),
        (
            "[[axis]]\nname = \"mode\"",
            "[[axis]]\nname = \"byte\"\nbytes = [\"0-zz\"]\n[[axis]]\nname = \"mode\"",
            "`0-zz` is neither a byte nor a range",
        ),
        ("[[axis]]\nname = \"mode\"", "[[axis]]\nname = \"byte\"\nbytes = [\"00\"]\n[[axis]]\nname = \"mode\"", "varies nothing"),
        ("request.credentials = \"include\"", "request.method = \"PUT\"", "nothing is scripted for OPTIONS b"),
    ] {
        let told = mistake(from, to);
        assert!(told.contains(words), "{to}: {told}");
    }
}
