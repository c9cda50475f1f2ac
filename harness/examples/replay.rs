//! throw-away
use corscheck::{report::jsonl, standing::standing, verdict::Standing};
use corscheck_cases::{Catalogue, families::Families, known};
use std::collections::BTreeMap;
fn main() {
    let families = Families::embedded().unwrap();
    let catalogue = Catalogue::embedded().unwrap();
    let r = jsonl::read(std::path::Path::new(&std::env::args().nth(1).unwrap())).unwrap();
    let mut hits: BTreeMap<(String, usize), usize> = BTreeMap::new();
    let mut left: BTreeMap<(String, String, String, String), Vec<String>> = BTreeMap::new();
    let mut knowns = BTreeMap::new();
    for e in ["chromium", "firefox", "webkit"] {
        let t = std::fs::read_to_string(format!("cases/known/{e}.toml")).unwrap();
        knowns.insert(e.to_owned(), known::parse(e, &t, &catalogue, &families).unwrap_or_else(|d| panic!("{d}")));
    }
    for res in &r.results {
        if !res.verdict.is_mismatch() { continue }
        let k = &knowns[&res.browser];
        let Some(case) = families.find(&res.case) else { continue };
        let case = case.unwrap();
        let (s, entry) = standing(&case, &res.attempts, k);
        if let Some(e) = entry { *hits.entry((res.browser.clone(), k.iter().position(|x| std::ptr::eq(x, e)).unwrap())).or_default() += 1; }
        if s != Standing::Known {
            let d = &res.attempts.last().unwrap().judgement.differences[0];
            left.entry((res.browser.clone(), case.id.area().to_owned(), res.verdict.word().to_owned(), format!("{} {:?}", d.point, case.steps.last().unwrap().expect.reasons))).or_default().push(format!("{} | {} | {}", res.case, d.expected, d.seen));
        }
    }
    for (e, k) in &knowns {
        for (i, x) in k.iter().enumerate() {
            if let Some(f) = &x.filter { println!("{e} #{i} {} hits {:?}", hits.get(&(e.clone(), i)).copied().unwrap_or(0), x.consequence.chars().take(90).collect::<String>()); let _ = f; }
        }
    }
    for (k, v) in &mut left { v.sort_by_key(|s| s.len()); println!("{} {k:?}", v.len()); for c in v.iter().take(12) { println!("    {c}"); } }
}
