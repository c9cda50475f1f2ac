//! Embeds the adapters: collects every file below `middleware/` into a list of (path, content).

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

/// What an installation makes is no part of an adapter.
const NOT_OURS: &[&str] = &["node_modules", "target", ".venv", "__pycache__", ".gitignore", "README.md"];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("middleware");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("middleware.rs");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut code = Vec::new();
    writeln!(
        code,
        "/// Path below `servers/middleware/`, and content, of every file of an adapter.\npub static FILES: &[(&str, &[u8])] = &["
    )
    .expect("a Vec takes everything");
    for file in files {
        let shown = file.strip_prefix(&root).expect("it is below").display().to_string();
        writeln!(code, "    ({shown:?}, include_bytes!({:?})),", file).expect("a Vec takes everything");
    }
    writeln!(code, "];").expect("a Vec takes everything");
    fs::write(out, code).expect("OUT_DIR is writable");
    println!("cargo::rerun-if-changed=build.rs");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
