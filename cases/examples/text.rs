use corscheck_cases::families::Families;
fn main() {
    let f = Families::embedded().unwrap();
    for id in std::env::args().skip(1) {
        let (fam, c) = f.decode(&id).unwrap();
        println!("{}", fam.text(&c).unwrap_or_else(|e| e.to_string()));
    }
    if std::env::args().len() == 1 {
        for (fam, c) in f.sample(40) {
            println!("{}", fam.text(&c).unwrap());
        }
    }
}
