//! Everything started is ended: on success, on failure, on panic, on Ctrl-C, and when the harness is killed.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::processes::{Processes, remove_dir, sweep};
use super::watchdog::Watchdog;

/// Stands guard over the processes and temporary files of one run; dropping it ends them.
///
/// On Linux every process that descends from the run is ended, in whatever group it is, and a watchdog does the same when
/// the harness ends without dropping this. On other systems only the process groups of open sessions are ended.
#[derive(Debug)]
pub struct Guard {
    run: String,
    dir: tempfile::TempDir,
    sessions: AtomicU32,
    watchdog: Option<Watchdog>,
}

impl Guard {
    /// Makes the directory of the run and starts its watchdog.
    ///
    /// # Errors
    ///
    /// There is no place for temporary files, no source of randomness, or no `/bin/sh`.
    pub fn new() -> io::Result<Guard> {
        let run = format!("{:016x}", getrandom::u64().map_err(io::Error::other)?);
        // The name bears the run's mark, so that whoever has it in its arguments is found by it.
        let dir = tempfile::Builder::new().prefix(&format!("corscheck-{run}")).rand_bytes(0).tempdir()?;
        let watchdog = Some(Watchdog::start(&run, dir.path())?);
        Ok(Guard { run, dir, sessions: AtomicU32::new(0), watchdog })
    }

    /// The directory that holds everything temporary of this run; it is removed at the end.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Marks a command as one of this run: what it starts is ended with the run.
    pub fn mark(&self, command: &mut Command) {
        command.env("CORSCHECK_RUN", &self.run).process_group(0);
    }

    /// A place for the processes of one more session.
    pub(super) fn session(&self) -> io::Result<Processes> {
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        // Padded, so that no session's mark is the beginning of another's.
        let mark = format!("{}/{number:06}", self.run);
        Processes::new(&self.run, mark, self.dir.path().join(format!("{number:06}")))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        sweep(&self.run);
        remove_dir(self.dir.path());
        // Last, so that it stands until there is nothing left to guard.
        self.watchdog = None;
    }
}
