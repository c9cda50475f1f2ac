//! Embeds the catalogue: collects every TOML file below `catalogue/`, `families/` and `known/` into lists of (path, text).

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("embedded.rs");
    let mut code = Vec::new();
    for (name, folder) in [("CATALOGUE", "catalogue"), ("FAMILIES", "families"), ("KNOWN", "known")] {
        let mut files = Vec::new();
        collect(&root.join(folder), &mut files);
        files.sort();
        writeln!(code, "pub(crate) static {name}: &[(&str, &str)] = &[").expect("a Vec takes everything");
        for file in files {
            let shown = file.strip_prefix(&root).expect("it is below").display().to_string();
            writeln!(code, "    ({:?}, include_str!({:?})),", format!("cases/{shown}"), file).expect("a Vec takes everything");
        }
        writeln!(code, "];").expect("a Vec takes everything");
        println!("cargo::rerun-if-changed={folder}");
    }
    fs::write(out, code).expect("OUT_DIR is writable");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "toml") {
            files.push(path);
        }
    }
}
