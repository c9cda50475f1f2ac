//! The browsers that are there, and whose turn it is to use them.

use std::{
    fs::{File, OpenOptions},
    sync::OnceLock,
};

use corscheck::browser::{Engine, Installed, Missing, Paths, locate};

/// Every engine, installed or with what is missing.
fn located() -> &'static [(Engine, Result<Installed, Missing>)] {
    static LOCATED: OnceLock<Vec<(Engine, Result<Installed, Missing>)>> = OnceLock::new();
    LOCATED.get_or_init(|| Engine::ALL.iter().map(|&engine| (engine, locate(engine, &Paths::default()))).collect())
}

/// The browsers that can be driven here; empty when the calling test has nothing to do.
///
/// A test that cannot run says so on stderr. On a CI server (`CI=true`) a browser must be there, or a broken installation
/// would look like success.
///
/// # Panics
///
/// There is no browser and `CI` is `true`.
pub fn browsers() -> Vec<Installed> {
    let mut found = Vec::new();
    for (engine, result) in located() {
        match result {
            Ok(installed) => found.push(installed.clone()),
            Err(missing) => eprintln!("not tested with {}: {missing}", engine.title()),
        }
    }
    if found.is_empty() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no browser can be driven, and on a CI server one must be there");
        eprintln!("NOT TESTED: no browser can be driven here");
    }
    found
}

/// The right to run browsers, one test at a time: timings would be others with two of them, and a small machine swaps.
#[derive(Debug)]
pub struct Turn {
    // Gone with the file, also when the test's process is killed.
    _lock: File,
}

/// Waits for the turn, over all test programs of this machine.
///
/// # Panics
///
/// There is no folder for temporary files.
pub fn turn() -> Turn {
    let path = std::env::temp_dir().join("corscheck-tests.lock");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let lock = lock.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    lock.lock().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Turn { _lock: lock }
}
