//! The kill matrix: each seeded defect of a user agent against each case of the catalogue.
//!
//! A defect that no case catches is a hole in the catalogue; a case that catches no defect may be a case that cannot fail.

use std::{collections::BTreeMap, fmt::Write as _, fs, thread};

use corscheck::{judge::judge, simulated::observe::observation, verdict::Verdict};
use corscheck_cases::{
    Case, Catalogue, Level, Topology,
    bind::{BoundStep, bind},
    oracle::{Defect, Defects, Scenario},
};

const TOKEN: &str = "0123456789abcdef";

struct Ready<'c> {
    case: &'c Case,
    scenario: Scenario,
    steps: Vec<BoundStep>,
}

/// The cases that each defect fails, by name; judged, not counted.
fn matrix<'c>(ready: &[Ready<'c>]) -> BTreeMap<Defect, Vec<&'c Case>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let chunks: Vec<Vec<Defect>> = (0..threads).map(|t| Defect::ALL.iter().copied().skip(t).step_by(threads).collect()).collect();
    thread::scope(|scope| {
        let workers: Vec<_> =
            chunks.iter().map(|defects| scope.spawn(|| defects.iter().map(|d| (*d, killers(*d, ready))).collect::<Vec<_>>())).collect();
        workers.into_iter().flat_map(|w| w.join().expect("no panic")).collect()
    })
}

fn killers<'c>(defect: Defect, ready: &[Ready<'c>]) -> Vec<&'c Case> {
    let fails = |r: &&Ready<'c>| {
        let prediction = r.scenario.predict_with(Defects::only(defect));
        judge(&r.steps, &observation(&r.scenario, &prediction)).verdict != Verdict::Agrees
    };
    ready.iter().filter(fails).map(|r| r.case).collect()
}

#[test]
fn every_defect_is_caught_and_every_case_can_fail() {
    let catalogue = Catalogue::embedded().expect("it parses");
    let topology = Topology::example();
    let ready: Vec<_> = catalogue
        .cases()
        .iter()
        .map(|case| Ready { case, scenario: Scenario::new(case, &topology, TOKEN), steps: bind(case, &topology, TOKEN).steps })
        .collect();
    let matrix = matrix(&ready);
    let mut catches: BTreeMap<&str, usize> = BTreeMap::new();
    for case in matrix.values().flatten() {
        *catches.entry(case.id.as_str()).or_default() += 1;
    }
    let mut wrong = String::new();
    for (defect, cases) in &matrix {
        if cases.is_empty() {
            _ = writeln!(wrong, "no case catches {defect}: {}", defect.says());
        }
    }
    for case in ready.iter().map(|r| r.case).filter(|c| c.level == Level::Must) {
        match (catches.get(case.id.as_str()), &case.undetectable) {
            (None, None) => _ = writeln!(wrong, "no defect fails {}, and it does not say why (`undetectable`)", case.id),
            (Some(n), Some(_)) => _ = writeln!(wrong, "{n} defects fail {}, which says that none can (`undetectable`)", case.id),
            _ => {}
        }
    }
    let kills = catches.values().sum::<usize>();
    println!("{} defects, {} cases, {kills} kills", matrix.len(), ready.len());
    assert!(wrong.is_empty(), "{wrong}");

    let page = page(&matrix, &ready, &catches);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../cases/KILLS.md");
    if std::env::var_os("UPDATE_KILLS").is_some() {
        fs::write(path, &page).expect("it can be written");
    }
    let published = fs::read_to_string(path).expect("cases/KILLS.md is there");
    assert!(published == page, "cases/KILLS.md is not what the matrix says: UPDATE_KILLS=1 writes it");
}

/// What is published: each defect with the cases that catch it, and each case that catches none with its reason.
fn page(matrix: &BTreeMap<Defect, Vec<&Case>>, ready: &[Ready<'_>], catches: &BTreeMap<&str, usize>) -> String {
    let kills = catches.values().sum::<usize>();
    let mut out = format!(
        "# The kill matrix\n\nEach of {} seeded defects of a user agent against each of {} cases: {kills} times a case fails. Every defect is \
         caught; a `must` case that catches none says why. A test computes this page; `UPDATE_KILLS=1 cargo test -p corscheck --test \
         kill_matrix` writes it.\n",
        matrix.len(),
        ready.len()
    );
    let mut area = "";
    for (defect, cases) in matrix {
        if defect.area() != area {
            area = defect.area();
            _ = write!(out, "\n## {area}\n\n| defect | what is wrong | caught by | such as |\n|---|---|---|---|\n");
        }
        // The most telling case is the one that catches the fewest others.
        let others = |c: &&&Case| (c.level != Level::Must, catches.get(c.id.as_str()).copied().unwrap_or_default());
        let example = cases.iter().min_by_key(others).map_or("", |c| c.id.as_str());
        _ = writeln!(out, "| `{defect}` | {} | {} | `{example}` |", defect.says(), cases.len());
    }
    out.push_str("\n## Cases that no defect can fail\n\n| case | why |\n|---|---|\n");
    for case in ready.iter().map(|r| r.case) {
        if let Some(why) = &case.undetectable {
            _ = writeln!(out, "| `{}` | {why} |", case.id);
        }
    }
    out
}
