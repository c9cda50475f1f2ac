//! A driver of our own: started on a free port, with a display if its browser needs one, and ended with everything it started.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::{Instant, sleep, timeout};

use super::processes::Processes;
use super::{Engine, Guard, Installed, SessionError, wire};

/// How long a driver may take to become ready; they take 0.1 s on an idle machine.
const READY_LIMIT: Duration = Duration::from_secs(20);

/// How long a display may take to start.
const DISPLAY_LIMIT: Duration = Duration::from_secs(10);

/// Between two questions for a starting driver's status, which it cannot announce by itself.
const POLL: Duration = Duration::from_millis(10);

/// How often a driver is started anew: the free port found for it can be taken by another before it listens.
const ATTEMPTS: u32 = 3;

const DRIVER_LOG: &str = "driver.log";
const DISPLAY_LOG: &str = "display.log";

/// A running driver and the processes around it.
#[derive(Debug)]
pub(super) struct Driver {
    /// Where it listens.
    pub(super) url: String,
    /// The driver, its browser, its display.
    processes: Processes,
    index: usize,
}

impl Driver {
    /// Starts the driver of `installed` and waits until it is ready.
    pub(super) async fn start(installed: &Installed, headed: bool, proxy: Option<&str>, guard: &Guard) -> Result<Driver, SessionError> {
        let mut own_screen = installed.engine == Engine::Webkit && cfg!(target_os = "linux");
        // Without an Xvfb to start, the display that is there has to do.
        let display_there = std::env::var_os("DISPLAY").is_some();
        let xvfb_there = std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join("Xvfb").is_file()));
        if display_there && (headed || !xvfb_there) {
            own_screen = false;
        }
        let mut attempt = 1;
        let mut system_access = true;
        loop {
            let processes = guard.session().map_err(|source| spawn_error(guard.dir(), source))?;
            match Driver::start_once(installed, own_screen, system_access, proxy, processes).await {
                Ok(driver) => return Ok(driver),
                // geckodriver before 0.36 needs no permission for what it later wants a flag for, and refuses the flag.
                Err(SessionError::NotReady { log, .. }) if system_access && log.contains("allow-system-access") => system_access = false,
                Err(SessionError::NotReady { ended: true, .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn start_once(
        installed: &Installed,
        own_screen: bool,
        system_access: bool,
        proxy: Option<&str>,
        mut processes: Processes,
    ) -> Result<Driver, SessionError> {
        let display = if own_screen { Some(start_display(&mut processes).await?) } else { None };
        let spawn_failed = |source| spawn_error(&installed.driver, source);
        let port = free_port().map_err(spawn_failed)?;
        let mut command = processes.command(&installed.driver);
        arguments(&mut command, installed.engine, port, system_access, processes.dir()).map_err(spawn_failed)?;
        if let Some(display) = &display {
            command.env("DISPLAY", display).env_remove("WAYLAND_DISPLAY").env("GDK_BACKEND", "x11");
        }
        if let (Some(proxy), Engine::Webkit) = (proxy, installed.engine) {
            // By the capability it would speak TLS with the proxy, and trust no certificate of it.
            command.env("http_proxy", proxy).env("https_proxy", proxy).env("no_proxy", "127.0.0.1,localhost");
        }
        let log = processes.log(DRIVER_LOG).map_err(spawn_failed)?;
        command.stdout(log.try_clone().map_err(spawn_failed)?).stderr(log);
        let index = processes.spawn(&mut command).map_err(spawn_failed)?;

        let started = Instant::now();
        let (why, ended) = loop {
            // In this order: whoever answers on the port is another program if ours has ended.
            let ready = timeout(READY_LIMIT.saturating_sub(started.elapsed()), wire::is_ready(port)).await;
            if let Some(status) = processes.ended(index) {
                break (format!("it ended with {status}"), true);
            }
            if matches!(ready, Ok(Ok(true))) {
                return Ok(Driver { url: format!("http://127.0.0.1:{port}/"), processes, index });
            }
            if started.elapsed() >= READY_LIMIT {
                break (format!("no answer on port {port} within {} s", READY_LIMIT.as_secs()), false);
            }
            sleep(POLL).await;
        };
        let log = processes.log_tail(DRIVER_LOG);
        processes.end_all().await;
        Err(SessionError::NotReady { what: installed.driver.display().to_string(), why, ended, log })
    }

    /// The session's directory.
    pub(super) fn dir(&self) -> &Path {
        self.processes.dir()
    }

    /// The driver's process.
    pub(super) fn pid(&self) -> Option<u32> {
        self.processes.id(self.index)
    }

    /// Every live process of the session.
    pub(super) fn pids(&self) -> Vec<u32> {
        self.processes.pids()
    }

    /// The last lines that driver and browser wrote.
    pub(super) fn log_tail(&self) -> String {
        self.processes.log_tail(DRIVER_LOG)
    }

    /// Ends the driver, its browser and its display, and removes their directory.
    pub(super) async fn end(mut self) {
        self.processes.end_all().await;
    }
}

fn arguments(command: &mut Command, engine: Engine, port: u16, system_access: bool, dir: &Path) -> io::Result<()> {
    match engine {
        Engine::Chromium => {
            command.arg(format!("--port={port}")).arg("--log-level=SEVERE");
        }
        Engine::Firefox => {
            // The default port for BiDi is one fixed number, which two drivers cannot share.
            command.args(["--port", &port.to_string(), "--websocket-port", &free_port()?.to_string()]);
            command.arg("--profile-root").arg(dir.join("tmp"));
            if system_access {
                command.arg("--allow-system-access");
            }
            // A crash is seen by the harness; nobody reads a dump.
            command.env("MOZ_CRASHREPORTER_DISABLE", "1");
        }
        Engine::Webkit => {
            command.args([format!("--port={port}"), "--host=127.0.0.1".to_owned()]);
            // MiniBrowser has no flag for its profile: it keeps it where the desktop's rules say.
            for (variable, name) in [("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache"), ("XDG_DATA_HOME", "data")] {
                let folder = dir.join(name);
                std::fs::create_dir_all(&folder)?;
                command.env(variable, folder);
            }
            // The accessibility bus would be started for nobody.
            command.env("NO_AT_BRIDGE", "1").env("GTK_A11Y", "none");
        }
    }
    Ok(())
}

/// Starts a virtual display on a number that it chooses itself.
async fn start_display(processes: &mut Processes) -> Result<String, SessionError> {
    let program = PathBuf::from("Xvfb");
    let spawn_failed = |source| spawn_error(&program, source);
    let mut command = processes.command(&program);
    command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1280x1024x24"]);
    command.stdout(Stdio::piped()).stderr(processes.log(DISPLAY_LOG).map_err(spawn_failed)?);
    let index = processes.spawn(&mut command).map_err(spawn_failed)?;
    let told = match processes.child(index).and_then(|child| child.stdout.take()) {
        Some(stdout) => timeout(DISPLAY_LIMIT, first_line(stdout)).await,
        None => Ok(Ok(String::new())),
    };
    let why = match told {
        Ok(Ok(number)) if number.parse::<u32>().is_ok() => return Ok(format!(":{number}")),
        Ok(Ok(text)) => format!("it told no display number but {text:?}"),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no display within {} s", DISPLAY_LIMIT.as_secs()),
    };
    let log = processes.log_tail(DISPLAY_LOG);
    Err(SessionError::NotReady { what: program.display().to_string(), why, ended: true, log })
}

async fn first_line(stdout: std::process::ChildStdout) -> io::Result<String> {
    let mut pipe = pipe::Receiver::from_owned_fd(stdout.into())?;
    let mut text = Vec::new();
    while !text.contains(&b'\n') {
        if pipe.read_buf(&mut text).await? == 0 {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn spawn_error(program: &Path, source: io::Error) -> SessionError {
    SessionError::Spawn { program: program.display().to_string(), source }
}
