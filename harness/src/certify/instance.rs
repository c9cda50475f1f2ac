//! One running instance of a target, with one policy.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use corscheck_cases::certify::Written;
use rustix::process::Signal;

use super::target::Installed;
use crate::{browser::processes, exit::Exit};

/// How long a program may take until it listens.
const START: Duration = Duration::from_secs(60);

/// How long it may take to end when it is asked to.
const END: Duration = Duration::from_secs(5);

/// Between two looks at a program that starts or ends.
const LOOK: Duration = Duration::from_millis(5);

/// How much of what a program printed is shown.
const TAIL: usize = 2000;

/// How a start ended.
#[derive(Debug)]
pub enum Start {
    /// It listens.
    Up(Instance),
    /// The middleware has no option for this, in the adapter's words.
    Unsupported(String),
    /// The middleware refuses this configuration, in its words.
    Refused(String),
    /// It ended, or never listened.
    Crashed(String),
}

/// A program that listens.
#[derive(Debug)]
pub struct Instance {
    /// Where.
    pub address: SocketAddr,
    /// From its start until it listened.
    pub took: Duration,
    process: Option<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    mark: String,
    scratch: PathBuf,
    log: PathBuf,
    is_over: bool,
}

/// What is wrong with how a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Nothing.
    Peaceful,
    /// It had ended before it was asked to.
    Early(String),
    /// It did not end when it was asked to.
    Stubborn,
    /// It left processes behind, which were ended.
    Children(usize),
}

/// Whether it is a process with this mark, or of this group, that listens on a port (nginx writes over its environment); where the system does not tell, it is taken to be.
fn is_listened_on_by(port: u16, mark: &str, group: u32) -> bool {
    let Ok(table) = fs::read_to_string("/proc/net/tcp") else { return true };
    let wanted = format!(":{port:04X}");
    // Local address, remote address, state (0A: it listens), and seven columns further the inode.
    let inodes: Vec<String> = table
        .lines()
        .skip(1)
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>())
        .filter(|columns| columns.len() > 9 && columns[1].ends_with(&wanted) && columns[3] == "0A")
        .map(|columns| format!("socket:[{}]", columns[9]))
        .collect();
    // On IPv6 alone, it stands in another table.
    inodes.is_empty()
        || processes::bearing(mark).into_iter().chain(members(group)).any(|pid| {
            let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            files
                .filter_map(|file| fs::read_link(file.path()).ok())
                .any(|link| inodes.iter().any(|inode| link.as_os_str() == inode.as_str()))
        })
}

/// The processes of a group that are not dead.
fn members(group: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // Behind the name in brackets: state, parent, group.
    let of = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        fields.next().filter(|state| *state != "Z")?;
        fields.nth(1)?.parse::<u32>().ok()
    };
    pids.filter(|pid| of(pid) == Some(group)).collect()
}

/// What the marks of all programs that this one starts begin with.
fn marks() -> String {
    format!("corscheck-target-{}-", std::process::id())
}

/// From here on an interruption ends every program that was started, and then this one.
pub fn end_all_on_interrupt() {
    std::thread::spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(crate::run::interrupted());
        processes::sweep(&marks());
        SCRATCH.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|folder| processes::remove_dir(folder));
        eprintln!("interrupted");
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
}

/// The folders of programs that run.
static SCRATCH: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Ports for targets: below those that systems give to connections, so that no connection has one by chance.
const PORTS: std::ops::Range<u16> = 18_000..32_000;

/// A port that nobody listens on, and that this program gives away once.
fn free_port() -> io::Result<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let (first, many) = (PORTS.start, PORTS.end - PORTS.start);
    // From another place in each program: several may run beside each other.
    let start = (std::process::id() % u32::from(many)) as u16;
    let candidates = (0..many).map(|n| first + ((u32::from(start) + u32::from(n)) % u32::from(many)) as u16);
    for port in candidates {
        if !given.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            given.insert(port);
            return Ok(port);
        }
    }
    Err(io::Error::other("no port is free"))
}

static COUNT: AtomicU64 = AtomicU64::new(0);

impl Instance {
    /// Starts a target and waits until it listens.
    ///
    /// # Errors
    ///
    /// No folder, no port.
    pub fn start(installed: &Installed, policy: &Written) -> io::Result<Start> {
        let policy = serde_json::to_string(policy).map_err(io::Error::other)?;
        for attempt in 0.. {
            match Self::try_start(installed, &policy)? {
                // Somebody else was faster with the port.
                Start::Crashed(words)
                    if attempt < 2 && (words.contains("EADDRINUSE") || words.to_ascii_lowercase().contains("address already in use")) => {}
                start => return Ok(start),
            }
        }
        unreachable!("the loop returns")
    }

    fn try_start(installed: &Installed, policy: &str) -> io::Result<Start> {
        let scratch = tempfile::Builder::new().prefix("corscheck-target-").tempdir()?.keep();
        let log = scratch.join("output");
        SCRATCH.lock().unwrap_or_else(PoisonError::into_inner).insert(scratch.clone());
        let inner = scratch.join("scratch");
        fs::create_dir(&inner)?;
        let port = free_port()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mark = format!("{}{}-", marks(), COUNT.fetch_add(1, Ordering::Relaxed));
        let output = File::create(&log)?;
        let (program, args) = installed.start.split_first().ok_or_else(|| io::Error::other("`start` is empty"))?;
        let started = Instant::now();
        // A program below the folder is found from there.
        let own = installed.folder.join(program);
        let spawned = Command::new(if program.contains('/') && own.exists() { own.as_os_str() } else { program.as_ref() })
            .args(args)
            .current_dir(&installed.folder)
            .env("CORSCHECK_HOST", "127.0.0.1")
            .env("CORSCHECK_PORT", port.to_string())
            .env("CORSCHECK_POLICY", policy)
            .env("CORSCHECK_SCRATCH", &inner)
            .env("CORSCHECK_TARGET", &mark)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn();
        let child = match spawned {
            Ok(child) => child,
            Err(error) => {
                _ = fs::remove_dir_all(&scratch);
                return Ok(Start::Crashed(format!("{program}: {error}")));
            }
        };
        let mut process = Process { child, mark, scratch, log, is_over: false };
        loop {
            if let Some(status) = process.ended()? {
                let text = process.printed();
                let told = |word: &str| {
                    text.lines().find_map(|line| line.split_once(&format!("corscheck: {word} ")).map(|(_, words)| words.trim().to_owned()))
                };
                return Ok(match (told("unsupported"), told("refused")) {
                    (Some(words), _) => Start::Unsupported(words),
                    (None, Some(words)) => Start::Refused(words),
                    (None, None) => Start::Crashed(format!("ended with {status} before it listened: {}", process.tail())),
                });
            }
            if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
                if !is_listened_on_by(port, &process.mark, process.child.id()) {
                    return Ok(Start::Crashed("address already in use: another program listens there".to_owned()));
                }
                return Ok(Start::Up(Self { address, took: started.elapsed(), process: Some(process) }));
            }
            if started.elapsed() > START {
                return Ok(Start::Crashed(format!("did not listen within {} s: {}", START.as_secs(), process.tail())));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Why it does not run any more; nothing while it does.
    pub fn died(&mut self) -> Option<String> {
        let process = self.process.as_mut()?;
        let status = process.ended().ok().flatten()?;
        Some(format!("ended with {status}: {}", process.tail()))
    }

    /// Asks it to end, and sees to it that it does.
    pub fn end(mut self) -> Ending {
        let Some(mut process) = self.process.take() else { return Ending::Peaceful };
        if let Ok(Some(status)) = process.ended() {
            return Ending::Early(format!("ended with {status}: {}", process.tail()));
        }
        processes::signal_group(process.child.id(), Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < END {
            if matches!(process.child.try_wait(), Ok(Some(_))) {
                let left = processes::bearing(&process.mark).len();
                _ = process.ended();
                return if left > 0 { Ending::Children(left) } else { Ending::Peaceful };
            }
            std::thread::sleep(LOOK);
        }
        Ending::Stubborn
    }
}

impl Process {
    /// How it ended, if it has; what it left in its group ends with it.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() && !std::mem::replace(&mut self.is_over, true) {
            // At once, while nobody else can have its number: a child that is just being started bears no mark yet.
            processes::signal_group(self.child.id(), Signal::KILL);
        }
        Ok(status)
    }

    fn printed(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn tail(&self) -> String {
        let text = self.printed();
        let text = text.trim();
        let from = text.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
        text[from..].to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            processes::signal_group(self.child.id(), Signal::KILL);
            _ = self.child.wait();
        }
        // Whatever has left its group bears the mark.
        processes::sweep(&self.mark);
        processes::remove_dir(&self.scratch);
        SCRATCH.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.scratch);
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use corscheck_cases::certify::Book;

    use super::*;

    /// Children that are just being started have no environment that could be read; here they have none at all.
    #[test]
    fn what_a_program_leaves_while_it_ends_is_ended_too() {
        let book = Book::embedded().expect("the book");
        let written = &book.policies.first().expect("a policy").written;
        let script = "echo $$; for n in 1 2 3 4; do env -i sleep 1000 & done";
        let installed =
            Installed { folder: PathBuf::from("/"), start: ["sh", "-c", script].map(str::to_owned).to_vec(), version: String::new() };
        for _ in 0..20 {
            let Start::Crashed(words) = Instance::start(&installed, written).expect("it can be started") else { panic!("it listens") };
            let group: u32 = words.rsplit(' ').next().and_then(|word| word.trim().parse().ok()).expect("its number");
            let gone = (0..100).any(|_| {
                std::thread::sleep(LOOK);
                members(group).is_empty()
            });
            assert!(gone, "group {group} lives on: {:?}", members(group));
        }
    }
}
