//! The processes of one session: started with a mark, ended by it.
//!
//! Drivers put browsers into process groups of their own, and browsers do the same with their helpers, so that ending a
//! group ends only a part. Children inherit the environment, though: a mark in it finds them all, on Linux. Elsewhere the
//! groups are all there is.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long processes may take to end when asked politely.
const POLITE: Duration = Duration::from_secs(1);

/// How long the sweep hunts; SIGKILL cannot be refused, but a process in the kernel's hands needs its time.
const HUNT: Duration = Duration::from_secs(3);

/// Between two looks at processes that are about to end: /proc has no event for it that needs no unsafe code.
const LOOK: Duration = Duration::from_millis(10);

/// How much of a log goes into an error.
const TAIL_LINES: usize = 12;

/// The processes of one session and the directory they live in. Ends them all when dropped.
#[derive(Debug)]
pub(super) struct Processes {
    mark: String,
    run: String,
    dir: PathBuf,
    children: Vec<Child>,
}

impl Processes {
    /// A session of the run `run`, with a mark of its own and a fresh directory.
    pub(super) fn new(run: &str, mark: String, dir: PathBuf) -> io::Result<Processes> {
        fs::create_dir_all(dir.join("tmp"))?;
        Ok(Processes { mark, run: run.to_owned(), dir, children: Vec::new() })
    }

    /// The session's directory: profiles, temporary files and logs.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A command for `program` with the mark, the session's temporary directory and a group of its own.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("CORSCHECK_RUN", &self.run)
            .env("CORSCHECK_SESSION", &self.mark)
            .env("TMPDIR", self.dir.join("tmp"))
            .stdin(Stdio::null())
            .process_group(0);
        command
    }

    /// The log file `name`, to be given to a command as its output.
    pub(super) fn log(&self, name: &str) -> io::Result<File> {
        File::options().create(true).append(true).open(self.dir.join(name))
    }

    /// The last lines of the log file `name`.
    pub(super) fn log_tail(&self, name: &str) -> String {
        let text = fs::read(self.dir.join(name)).unwrap_or_default();
        tail(&String::from_utf8_lossy(&text))
    }

    /// Starts `command` and keeps its process; what comes back names it in the other calls.
    pub(super) fn spawn(&mut self, command: &mut Command) -> io::Result<usize> {
        self.children.push(command.spawn()?);
        Ok(self.children.len() - 1)
    }

    /// The process at `index`.
    pub(super) fn child(&mut self, index: usize) -> Option<&mut Child> {
        self.children.get_mut(index)
    }

    /// The id of the process at `index`.
    pub(super) fn id(&self, index: usize) -> Option<u32> {
        self.children.get(index).map(Child::id)
    }

    /// How the process at `index` ended, if it has.
    pub(super) fn ended(&mut self, index: usize) -> Option<ExitStatus> {
        self.children.get_mut(index)?.try_wait().ok().flatten()
    }

    /// Ends the processes started so far and stays usable.
    pub(super) async fn end_all(&mut self) {
        self.signal_groups(Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < POLITE && self.any_left() {
            tokio::time::sleep(LOOK).await;
        }
        self.kill_all();
    }

    /// Every live process of the session.
    pub(super) fn pids(&self) -> Vec<u32> {
        let mut pids = bearing(&self.mark);
        if !cfg!(target_os = "linux") {
            pids.extend(self.children.iter().map(Child::id));
        }
        pids
    }

    fn any_left(&mut self) -> bool {
        let running = self.children.iter_mut().any(|child| matches!(child.try_wait(), Ok(None)));
        running || !bearing(&self.mark).is_empty()
    }

    fn signal_groups(&mut self, signal: Signal) {
        for child in &mut self.children {
            // A process that was waited for has given its id back; its group may live on, but the mark finds that.
            if matches!(child.try_wait(), Ok(None)) {
                signal_group(child.id(), signal);
            }
        }
    }

    fn kill_all(&mut self) {
        self.signal_groups(Signal::KILL);
        sweep(&self.mark);
        for child in &mut self.children {
            let killed = Instant::now();
            while matches!(child.try_wait(), Ok(None)) && killed.elapsed() < HUNT {
                std::thread::sleep(LOOK);
            }
        }
        self.children.clear();
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.kill_all();
        remove_dir(&self.dir);
    }
}

/// Kills every process that bears `mark`, until none is left.
pub(crate) fn sweep(mark: &str) {
    let started = Instant::now();
    loop {
        let left = bearing(mark);
        if left.is_empty() || started.elapsed() > HUNT {
            return;
        }
        for pid in left {
            signal(pid, Signal::KILL);
        }
        std::thread::sleep(LOOK);
    }
}

/// Removes a directory that ending processes may still be writing to.
pub(crate) fn remove_dir(dir: &Path) {
    let started = Instant::now();
    while let Err(error) = fs::remove_dir_all(dir) {
        if error.kind() == io::ErrorKind::NotFound || started.elapsed() > POLITE {
            return;
        }
        std::thread::sleep(LOOK);
    }
}

/// Signals the process group that `leader` leads.
pub(crate) fn signal_group(leader: u32, signal: Signal) {
    if let Some(pid) = to_pid(leader) {
        // It may have ended by itself: nothing to do then.
        let _ = kill_process_group(pid, signal);
    }
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = to_pid(pid) {
        let _ = kill_process(pid, signal);
    }
}

fn to_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// The live processes that bear `mark` in their environment or their arguments, and all their descendants.
///
/// The arguments matter because Chromium's children write their titles over their environment, and the descendants because
/// a sandboxed process hides both.
pub(crate) fn bearing(mark: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let own = std::process::id();
    let mut parents: Vec<(u32, u32)> = Vec::new();
    let mut found: Vec<u32> = Vec::new();
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let path = entry.path();
        let Some(parent) = fs::read_to_string(path.join("stat")).ok().and_then(|stat| parent_of(&stat)) else { continue };
        if pid == own {
            continue;
        }
        parents.push((pid, parent));
        if holds(&path.join("environ"), mark) || holds(&path.join("cmdline"), mark) {
            found.push(pid);
        }
    }
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        for &(pid, its_parent) in &parents {
            if its_parent == parent && !found.contains(&pid) {
                found.push(pid);
            }
        }
        next += 1;
    }
    found
}

/// The parent named in a `/proc/PID/stat` line, unless the process is dead and only waits to be reaped.
fn parent_of(stat: &str) -> Option<u32> {
    // The program's name stands in parentheses and may hold any byte, so fields are counted from its end.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    match fields.next()? {
        "Z" | "X" | "x" => None,
        _ => fields.next()?.parse().ok(),
    }
}

fn holds(path: &Path, mark: &str) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.windows(mark.len()).any(|window| window == mark.as_bytes()))
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_read_past_any_name_and_the_dead_do_not_count() {
        assert_eq!(parent_of("42 (Web) Content (x) S 7 42 42 0"), Some(7));
        assert_eq!(parent_of("42 (chrome) Z 7 42 42 0"), None);
        assert_eq!(parent_of(""), None);
    }

    #[test]
    fn the_tail_is_the_end_without_blank_lines() {
        let text: String = (0..40).map(|n| format!("line {n}\n\n")).collect();
        let tail = tail(&text);
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.ends_with("line 39"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_in_another_group_is_found_by_the_mark_and_ended() {
        let mark = format!("corscheck-test-{}", std::process::id());
        let dir = std::env::temp_dir().join(&mark);
        let mut processes = Processes::new("run", mark.clone(), dir.clone()).expect("a directory");
        // The shell ends at once; `setsid` leaves its group, so that only the mark can find it.
        let mut shell = processes.command(Path::new("/bin/sh"));
        shell.args(["-c", "setsid sleep 600 & exec sleep 600"]);
        processes.spawn(&mut shell).expect("a shell");
        let started = Instant::now();
        while processes.pids().len() < 2 && started.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(LOOK);
        }
        assert!(processes.pids().len() >= 2, "{:?}", processes.pids());
        drop(processes);
        assert_eq!(bearing(&mark), Vec::<u32>::new());
        assert!(!dir.exists());
    }
}
