//! Whether every behaviour of the checklist is shown by a case, or says why none shows it.

use corscheck_cases::{
    Catalogue,
    coverage::{Row, Standing, Sums, coverage},
};

fn rows() -> Vec<Row> {
    coverage(Catalogue::embedded().expect("it parses").cases())
}

/// Every behaviour has a case, or one reason why it has none.
#[test]
fn there_are_no_gaps() {
    let rows = rows();
    let mut wrong = Vec::new();
    for row in &rows {
        let id = &row.behaviour.id;
        if row.standing == Standing::Gap {
            wrong.push(format!("{id} has neither a case nor a reason why there is none"));
        }
        let given = [&row.behaviour.no_case, &row.behaviour.untestable].iter().filter(|r| r.is_some()).count();
        if given > 1 || matches!(row.standing, Standing::Covered { .. }) && given > 0 {
            wrong.push(format!("{id} has a case and a reason for none, or several reasons"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{:?}", Sums::of(&rows));
}

/// Without its cases a behaviour is a gap.
#[test]
fn a_behaviour_without_cases_is_found() {
    let catalogue = Catalogue::embedded().expect("it parses");
    let rows = coverage(catalogue.cases().iter().filter(|c| c.behaviours.iter().all(|b| b.as_str() != "cors-check/acao-absent")));
    let row = rows.iter().find(|r| r.behaviour.id == "cors-check/acao-absent").expect("it is in the checklist");
    assert_eq!(row.standing, Standing::Gap);
    assert!(Sums::of(&coverage([])).covered == 0);
}

/// A reason that leans on another behaviour names it in backticks, and that one is shown by cases.
#[test]
fn reasons_lean_on_what_is_shown() {
    let rows = rows();
    let wrong = unsupported_reasons(&rows);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Without the cases of one of them, the reasons that lean on it fall.
    let catalogue = Catalogue::embedded().expect("it parses");
    let without = catalogue.cases().iter().filter(|c| c.behaviours.iter().all(|b| b.as_str() != "preflight/header-not-listed"));
    let wrong = unsupported_reasons(&coverage(without));
    assert!(wrong.iter().any(|w| w.starts_with("server/acrh-all-or-nothing")), "{wrong:?}");
}

fn unsupported_reasons(rows: &[Row]) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        let (Standing::NoCase { why } | Standing::Untestable { why }) = &row.standing else { continue };
        for id in why.split('`').skip(1).step_by(2).filter(|word| word.contains('/') && !word.contains([' ', ':', '<'])) {
            match rows.iter().find(|r| r.behaviour.id == id) {
                Some(Row { standing: Standing::Covered { .. }, .. }) => {}
                Some(_) => wrong.push(format!("{} leans on `{id}`, which no case shows", row.behaviour.id)),
                None => wrong.push(format!("{} leans on `{id}`, which is no behaviour", row.behaviour.id)),
            }
        }
    }
    wrong
}
