//! Processes as /proc shows them.

use std::{fs, path::Path};

use rustix::process::Pid;
pub use rustix::process::Signal;

/// A process at the time of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// When it started, in ticks since boot; an id with another start is another process.
    pub started: u64,
    /// The name of its program.
    pub program: String,
    parent: u32,
}

impl Process {
    /// Whether it is a WebDriver server.
    pub fn is_driver(&self) -> bool {
        ["chromedriver", "geckodriver", "WebKitWebDriver"].contains(&&*self.program)
    }

    /// Whether it belongs to a browser of this engine: the browser itself or one of its helpers.
    pub fn is_browser(&self, engine: &str) -> bool {
        let names: &[&str] = match engine {
            "chromium" => &["chromium", "chrome"],
            "firefox" => &["firefox"],
            _ => &["MiniBrowser", "WebKitWebProcess", "WebKitNetworkProcess", "WebKitGPUProcess"],
        };
        !self.is_driver() && names.iter().any(|name| self.program.starts_with(name))
    }

    /// Whether it is the driver of this engine.
    pub fn is_driver_of(&self, engine: &str) -> bool {
        let name = match engine {
            "chromium" => "chromedriver",
            "firefox" => "geckodriver",
            _ => "WebKitWebDriver",
        };
        self.program == name
    }
}

/// The live processes with `mark` in their environment or arguments, and all that descend from them; not the caller.
pub fn bearing(mark: &str) -> Vec<Process> {
    let all: Vec<Process> = fs::read_dir("/proc")
        .map(|entries| entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).filter_map(look).collect())
        .unwrap_or_default();
    let own = std::process::id();
    let (mut found, mut rest): (Vec<_>, Vec<_>) = all.into_iter().filter(|p| p.pid != own).partition(|p| {
        let proc = Path::new("/proc").join(p.pid.to_string());
        holds(&proc.join("environ"), mark) || holds(&proc.join("cmdline"), mark)
    });
    let mut next = 0;
    while next < found.len() {
        let parent = found[next].pid;
        let (children, others) = rest.into_iter().partition(|p| p.parent == parent);
        found.extend::<Vec<_>>(children);
        rest = others;
        next += 1;
    }
    found
}

/// Whether this very process still runs.
pub fn is_alive(process: &Process) -> bool {
    look(process.pid).is_some_and(|now| now.started == process.started)
}

/// Sends a signal; a process that is gone is none the worse for it.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Nothing for a process that is gone or dead and waits to be reaped.
fn look(pid: u32) -> Option<Process> {
    let proc = Path::new("/proc").join(pid.to_string());
    let stat = fs::read_to_string(proc.join("stat")).ok()?;
    // The name stands in parentheses and may hold any byte, so fields are counted from its end.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X" | "x") {
        return None;
    }
    let program = fs::read_link(proc.join("exe")).ok()?;
    let program = program.file_name()?.to_str()?.trim_end_matches(" (deleted)").to_owned();
    Some(Process { pid, parent: fields.get(1)?.parse().ok()?, started: fields.get(19)?.parse().ok()?, program })
}

fn holds(path: &Path, mark: &str) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.windows(mark.len()).any(|window| window == mark.as_bytes()))
}
