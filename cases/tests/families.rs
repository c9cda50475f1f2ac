//! The families that are part of the program: every combination makes a case, ids are stable, the sample is the same every time.

use std::{collections::HashSet, time::Instant};

use corscheck_cases::families::{Families, SAMPLE};

fn families() -> Families {
    match Families::embedded() {
        Ok(families) => families,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

#[test]
fn every_combination_makes_a_case() {
    let families = families();
    let mut total = 0;
    let mut wrong = Vec::new();
    for family in families.all() {
        let started = Instant::now();
        let combinations = family.combinations();
        let listed = started.elapsed();
        let mut reads = std::collections::BTreeMap::new();
        for combination in &combinations {
            match family.case(combination) {
                Ok(case) => *reads.entry(case.steps.last().expect("it has steps").expect.read.word()).or_insert(0) += 1,
                Err(nonsense) => wrong.push(nonsense.to_string()),
            }
        }
        total += combinations.len();
        println!(
            "{:<20} {:>6} of {:>12} {listed:?} {:?} {reads:?}",
            family.name(),
            combinations.len(),
            family.permitted(),
            started.elapsed()
        );
    }
    println!("{total}");
    assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}
