//! The catalogue that is part of the program: it parses, it binds, and it is of the quality that its guide asks for.

use std::collections::{BTreeMap, HashMap};

use corscheck_cases::{Case, Catalogue, Outcome, Topology, bind::bind, families::Families, known};

const TOKEN: &str = "0123456789abcdef";

fn catalogue() -> Catalogue {
    match Catalogue::embedded() {
        Ok(catalogue) => catalogue,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

/// The cases as written by hand, without the variants that `also` made of them.
fn entries(catalogue: &Catalogue) -> impl Iterator<Item = &Case> {
    // An id without axes has no dot: the parser sees to it.
    catalogue.cases().iter().filter(|c| !c.id.as_str().contains('.'))
}

#[test]
fn it_is_large() {
    let catalogue = catalogue();
    let entries = entries(&catalogue).count();
    assert!(entries >= 200, "{entries} entries");
    assert!(catalogue.cases().len() > entries, "some entry has variants");
}

#[test]
fn areas_are_counted() {
    let catalogue = catalogue();
    let mut areas: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for case in catalogue.cases() {
        let [entries, cases, blocked] = areas.entry(case.id.area()).or_default();
        *entries += usize::from(!case.id.as_str().contains('.'));
        *cases += 1;
        *blocked += usize::from(case.steps.iter().any(|s| s.expect.read == Outcome::Blocked));
    }
    println!("{:<20} {:>7} {:>7} {:>7}", "area", "entries", "cases", "blocked");
    for (area, [entries, cases, blocked]) in &areas {
        println!("{area:<20} {entries:>7} {cases:>7} {blocked:>7}");
        assert!(!area.is_empty() && *entries > 0, "{area} consists of variants alone");
    }
}

#[test]
fn ids_find_their_case() {
    let catalogue = catalogue();
    for case in catalogue.cases() {
        let found = catalogue.find(case.id.as_str()).expect("its own id finds it");
        assert_eq!((&found.place, found.context), (&case.place, case.context), "{} is there twice", case.id);
        let (area, slug) = case.id.as_str().split_once('/').expect("an area before the slash");
        assert_eq!(case.id.area(), area);
        assert!(!slug.contains('/'), "{}", case.id);
    }
}

#[test]
fn titles_are_sentences_of_their_own() {
    let catalogue = catalogue();
    let mut seen: HashMap<&str, &Case> = HashMap::new();
    let mut wrong = Vec::new();
    for case in entries(&catalogue) {
        if case.title.ends_with('.') || case.title.chars().count() < 15 || case.title.trim() != case.title {
            wrong.push(format!("{}: `{}` is short or ends in a full stop", case.id, case.title));
        }
        if let Some(other) = seen.insert(&case.title, case) {
            wrong.push(format!("{} and {} have one title: `{}`", other.id, case.id, case.title));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn expectations_have_grounds() {
    let catalogue = catalogue();
    let short = entries(&catalogue).filter(|c| c.why.trim().chars().count() < 30);
    let short: Vec<_> = short.map(|c| format!("{}: `{}` says too little", c.id, c.why)).collect();
    assert!(short.is_empty(), "{}", short.join("\n"));
    let stepless: Vec<_> = entries(&catalogue).filter(|c| !names_a_step(&c.why)).map(|c| format!("{}: `{}`", c.id, c.why)).collect();
    assert!(stepless.is_empty(), "these name no step of the standard:\n{}", stepless.join("\n"));
    for case in catalogue.cases() {
        assert!(case.spec.url().starts_with("https://"), "{}: {}", case.id, case.spec.url());
    }
}

/// Whether a text cites a numbered step: `step 4.1`, `steps 1 and 2`.
fn names_a_step(why: &str) -> bool {
    let after = |word: &str| why.match_indices(word).any(|(at, _)| why[at + word.len()..].starts_with(|c: char| c.is_ascii_digit()));
    after("step ") || after("steps ")
}

#[test]
fn a_step_is_a_number() {
    assert!(names_a_step("CORS check, step 2: no field.") && names_a_step("CORS check, steps 1 and 2."));
    assert!(!names_a_step("CORS check: a step too far.") && !names_a_step("It steps back.") && !names_a_step("Fetch, section 4."));
}

#[test]
fn every_case_binds() {
    let topology = Topology::example();
    for case in catalogue().cases() {
        let bound = bind(case, &topology, TOKEN);
        assert_eq!(bound.steps.len(), case.steps.len(), "{}", case.id);
        assert_eq!(bound.script.steps.len(), case.steps.len(), "{}", case.id);
        for (step, made) in case.steps.iter().zip(&bound.steps) {
            assert!(!made.action.url.contains(['{', '}']), "{}: {}", case.id, made.action.url);
            // A URL that leads to a server of ours is told apart from all others by its token.
            let ours = step.request.target.to.is_some() && step.request.target.url.is_none();
            if ours {
                assert!(made.action.url.contains(&format!("/t/{TOKEN}/")), "{}: {}", case.id, made.action.url);
            }
            assert!(!made.expect.wires.is_empty(), "{}: no list of exchanges", case.id);
        }
    }
}

#[test]
fn every_url_that_reaches_a_server_has_the_token() {
    let topology = Topology::example();
    for case in catalogue().cases() {
        for (step, made) in case.steps.iter().zip(&bind(case, &topology, TOKEN).steps) {
            let reaches = made.expect.wires.iter().any(|wire| !wire.is_empty());
            if reaches {
                assert!(made.action.url.contains(TOKEN), "{}: {} would be recorded nowhere", case.id, made.action.url);
            }
            assert!(!reaches || !step.resources.is_empty(), "{}: exchanges without a script", case.id);
        }
    }
}

#[test]
fn a_blocked_case_has_an_allowed_one_beside_it() {
    let catalogue = catalogue();
    let mut areas: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for case in entries(&catalogue) {
        let (blocked, open) = areas.entry(case.id.area()).or_default();
        let reads = || case.steps.iter().map(|s| s.expect.read);
        *blocked += usize::from(reads().any(|r| r == Outcome::Blocked));
        *open += usize::from(reads().any(|r| r.openness() > Outcome::Blocked.openness()));
    }
    let lonely: Vec<_> = areas.iter().filter(|(_, (blocked, open))| *blocked > 0 && *open == 0).map(|(area, _)| *area).collect();
    assert!(lonely.is_empty(), "a browser that blocks everything passes these areas: {}", lonely.join(", "));
}

#[test]
fn no_case_takes_every_outcome() {
    for case in catalogue().cases() {
        for step in &case.steps {
            let mut open = step.expect.or_read.clone();
            open.push(step.expect.read);
            open.sort_unstable();
            open.dedup();
            assert_eq!(open.len(), step.expect.or_read.len() + 1, "{}: an outcome is named twice", case.id);
            assert!(open.len() < 4, "{}: nothing would be wrong", case.id);
        }
    }
}

#[test]
fn known_deviations_are_of_the_catalogue() {
    let catalogue = catalogue();
    let families = Families::embedded().expect("they parse");
    for engine in ["chromium", "firefox", "webkit"] {
        match known::embedded(engine, &catalogue, &families) {
            Ok(entries) => println!("{engine}: {} known deviations", entries.len()),
            Err(diagnostics) => panic!("{diagnostics}"),
        }
    }
    assert!(known::embedded("no-such-engine", &catalogue, &families).expect("nothing is known of it").is_empty());
}

/// The example of the guide is a case like any other.
#[test]
fn the_example_of_the_guide_parses() {
    let guide = include_str!("../README.md");
    let start = guide.find("```toml\n").expect("the guide has an example") + "```toml\n".len();
    let end = start + guide[start..].find("```").expect("it ends");
    let parsed = Catalogue::parse([("README.md", &guide[start..end])]).expect("the example parses");
    assert_eq!(parsed.cases().len(), 3, "itself and two variants");
}
