//! A folder in which the program runs: its temporary files, its catalogue, its results.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use corscheck::report::jsonl::{self, Results};
use tempfile::TempDir;

use crate::{
    eventually,
    processes::{Process, Signal, bearing, signal},
};

/// How long any run of these tests may take; the longest waits out the harness's own limits.
const LIMIT: Duration = Duration::from_secs(240);

/// How long what was started may take to be gone.
const GONE: Duration = Duration::from_secs(5);

/// A folder of its own for the runs of one test. Whatever is started in it bears its path.
#[derive(Debug)]
pub struct Place {
    program: PathBuf,
    dir: TempDir,
}

/// A program that runs.
#[derive(Debug)]
pub struct Running<'a> {
    place: &'a Place,
    child: Child,
}

/// What a program came to.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
}

impl Ended {
    /// Its exit code; nothing when a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Demands an exit code.
    ///
    /// # Panics
    ///
    /// It is another.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(self.code(), Some(code), "{}\n{}\n{}", self.status, self.stdout, self.stderr);
        self
    }
}

impl Place {
    /// A fresh folder for `program`.
    ///
    /// # Panics
    ///
    /// There is no folder for temporary files.
    pub fn new(program: &str) -> Place {
        // Chromium puts a socket far below it, and the path of a socket has 107 bytes at most.
        let dir = tempfile::Builder::new().prefix("cc").tempdir().expect("a temporary folder");
        Place { program: PathBuf::from(program), dir }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file into it.
    ///
    /// # Panics
    ///
    /// The file cannot be written.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir().join(name);
        let folder = path.parent().expect("it is below the folder");
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path
    }

    /// Writes a shell script into it that can be run.
    ///
    /// # Panics
    ///
    /// The file cannot be written.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.file(name, &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path
    }

    /// The program with these arguments, its temporary files in the folder.
    pub fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(self.dir()).env("TMPDIR", self.dir()).stdin(Stdio::null());
        // Annotations for a CI server would be mixed into what is looked at.
        command.env_remove("GITHUB_ACTIONS").env("NO_COLOR", "1");
        command
    }

    /// Starts the program.
    ///
    /// # Panics
    ///
    /// It cannot be started.
    pub fn start<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Running<'_> {
        let output = |name: &str| File::create(self.dir().join(name)).expect("a file for the output");
        let mut command = self.command(args);
        let child = command.stdout(output("stdout")).stderr(output("stderr")).spawn().expect("the program can be started");
        Running { place: self, child }
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    ///
    /// It does not end in time.
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ended {
        self.start(args).end()
    }

    /// The results of a run that wrote to `out`.
    ///
    /// # Panics
    ///
    /// They cannot be read.
    pub fn results(&self) -> Results {
        jsonl::read(&self.dir().join("out").join(jsonl::FILE)).unwrap_or_else(|e| panic!("{e}"))
    }

    /// What a run that writes to `out` has recorded so far.
    pub fn results_so_far(&self) -> Option<Results> {
        jsonl::read(&self.dir().join("out").join(jsonl::PART)).ok()
    }

    /// What runs here: everything that was started by the program, and the program itself.
    pub fn processes(&self) -> Vec<Process> {
        bearing(&self.dir().display().to_string())
    }

    /// Demands that no process and no temporary folder of a run is left.
    ///
    /// # Panics
    ///
    /// Something is left after five seconds.
    #[track_caller]
    pub fn expect_nothing_left(&self) {
        let mut left = (Vec::new(), Vec::new());
        let gone = eventually(GONE, || {
            left = (self.processes(), self.folders_of_runs());
            (left.0.is_empty() && left.1.is_empty()).then_some(())
        });
        assert!(gone.is_some(), "left behind: {:?}", left);
    }

    /// The temporary folders of runs.
    pub fn folders_of_runs(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir()).into_iter().flatten().flatten();
        entries.map(|e| e.path()).filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("corscheck-"))).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A test that failed must not leave what it was about.
        for process in self.processes() {
            signal(process.pid, Signal::KILL);
        }
    }
}

impl Running<'_> {
    /// The program's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it started and what still runs.
    pub fn started(&self) -> Vec<Process> {
        let own = self.pid();
        self.place.processes().into_iter().filter(|p| p.pid != own).collect()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// It does not end in time.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let status = eventually(LIMIT, || self.child.try_wait().expect("the program can be waited for"));
        let output =
            |name: &str| fs::read(self.place.dir().join(name)).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
        let (stdout, stderr) = (output("stdout"), output("stderr"));
        match status {
            Some(status) => Ended { status, stdout, stderr },
            None => panic!("still running after {} s\n{stdout}\n{stderr}", LIMIT.as_secs()),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
