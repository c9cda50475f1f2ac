//! A shell that outlives the harness by a moment: it cleans up when the harness cannot.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Reads the directory and the run's mark, then waits for the end of its input, which comes when the harness ends in
/// whatever way. A line `done` before that says that everything was ended in order.
///
/// The mark comes over the pipe, so that the watchdog and its helpers do not bear it themselves. SIGTERM comes first
/// because an X server removes its lock file then.
const SCRIPT: &str = r#"
trap '' HUP INT TERM QUIT PIPE
IFS= read -r dir && IFS= read -r run || exit 0
while IFS= read -r line; do
  case $line in done) exit 0 ;; esac
done
hunt() {
  left=
  for p in /proc/[0-9]*; do
    case $(cat "$p/environ" "$p/cmdline" | tr '\0' '\n') in
      *"$run"*) left=1; kill "-$1" "${p#/proc/}" ;;
    esac
  done
  [ -n "$left" ]
}
hunt TERM
n=0
while [ "$n" -lt 50 ]; do
  sleep 0.2 || sleep 1
  hunt KILL || break
  n=$((n + 1))
done
cd /
case $dir in */corscheck-*) rm -rf -- "$dir" ;; esac
"#;

/// How long the watchdog may take to see that it is not needed.
const FAREWELL: Duration = Duration::from_secs(5);

/// The running shell.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// Starts a watchdog for the processes that bear `run` and the directory `dir`.
    pub(super) fn start(run: &str, dir: &Path) -> io::Result<Watchdog> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C goes to the harness's group.
            .process_group(0)
            .spawn()?;
        if let Some(pipe) = &mut shell.stdin {
            writeln!(pipe, "{}\n{run}", dir.display())?;
        }
        Ok(Watchdog { shell })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take() {
            let _ = writeln!(pipe, "done");
        }
        let asked = Instant::now();
        while matches!(self.shell.try_wait(), Ok(None)) && asked.elapsed() < FAREWELL {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
