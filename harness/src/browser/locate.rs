//! Which browsers and drivers are installed, and what is missing.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::Signal;

use super::Engine;
use super::processes::signal_group;

/// How long a program may take to tell its version; a cold start of Firefox takes a second or two.
const VERSION_LIMIT: Duration = Duration::from_secs(15);

/// Programs named by flags; what is not named is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// The browser.
    pub browser: Option<PathBuf>,
    /// Its driver, or the folder that holds it.
    pub driver: Option<PathBuf>,
}

/// A browser and a driver that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The engine.
    pub engine: Engine,
    /// The browser's program.
    pub browser: PathBuf,
    /// The driver's program.
    pub driver: PathBuf,
    /// The browser's version, or `unknown`.
    pub browser_version: String,
    /// The driver's version, or `unknown`.
    pub driver_version: String,
}

/// An engine that cannot be started here, with what is missing and how to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The engine.
    pub engine: Engine,
    /// What is missing, one thing each.
    pub what: Vec<String>,
    /// How to get it, one way each.
    pub how: Vec<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be started: {}.", self.engine.title(), self.what.join("; "))?;
        for way in &self.how {
            write!(f, "\n  {way}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Missing {}

/// Looks for an engine's browser and driver: by flag, by environment, in `PATH`, in the usual places. Takes as long as the
/// programs take to tell their versions.
///
/// # Errors
///
/// What is missing, or named by a flag or a variable and not there.
pub fn locate(engine: Engine, paths: &Paths) -> Result<Installed, Missing> {
    search(&Here, engine, paths)
}

/// What the search asks of the machine; tests answer for one of their own.
trait Surroundings {
    fn var(&self, name: &str) -> Option<OsString>;
    fn is_program(&self, path: &Path) -> bool;
    fn entries(&self, dir: &Path) -> Vec<PathBuf>;
    fn version(&self, program: &Path, args: &[&str]) -> Option<String>;
}

struct Programs {
    /// The variables that may name the browser.
    browser_vars: &'static [&'static str],
    browsers: &'static [&'static str],
    /// The variables that may name the driver or its folder.
    driver_vars: &'static [&'static str],
    driver: &'static str,
    /// The Debian packages that bring the browser, and the driver.
    packages: (&'static str, Option<&'static str>),
}

fn programs(engine: Engine) -> Programs {
    match engine {
        Engine::Chromium => Programs {
            browser_vars: &["CHROME_BIN"],
            browsers: &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"],
            driver_vars: &["CHROMEWEBDRIVER"],
            driver: "chromedriver",
            packages: ("chromium", Some("chromium-driver")),
        },
        Engine::Firefox => Programs {
            browser_vars: &["FIREFOX_BIN"],
            browsers: &["firefox", "firefox-esr"],
            driver_vars: &["GECKOWEBDRIVER"],
            driver: "geckodriver",
            packages: ("firefox-esr", None),
        },
        Engine::Webkit => Programs {
            browser_vars: &["WEBKIT_BIN"],
            browsers: &["MiniBrowser"],
            driver_vars: &["WEBKITWEBDRIVER"],
            driver: "WebKitWebDriver",
            packages: ("webkit2gtk-driver", Some("webkit2gtk-driver")),
        },
    }
}

fn search(machine: &dyn Surroundings, engine: Engine, paths: &Paths) -> Result<Installed, Missing> {
    let programs = programs(engine);
    let mut what = Vec::new();
    let mut packages = Vec::new();
    let mut how = Vec::new();

    let browser = named(machine, paths.browser.as_deref(), programs.browser_vars, programs.browsers).unwrap_or_else(|| {
        find(machine, programs.browsers, &browser_places(machine, engine))
            .ok_or_else(|| format!("no browser ({})", programs.browsers.join(", ")))
    });
    let driver = named(machine, paths.driver.as_deref(), programs.driver_vars, &[programs.driver]).unwrap_or_else(|| {
        find(machine, &[programs.driver], &driver_places(machine, engine)).ok_or_else(|| format!("no driver ({})", programs.driver))
    });
    if let Err(missing) = &browser {
        what.push(missing.clone());
        packages.push(programs.packages.0);
    }
    if let Err(missing) = &driver {
        what.push(missing.clone());
        match programs.packages.1 {
            Some(package) => packages.push(package),
            None => how.push("any system: cargo install geckodriver --locked (it is not in Debian)".to_owned()),
        }
    }
    if engine == Engine::Webkit && cfg!(target_os = "linux") && machine.var("DISPLAY").is_none() && find(machine, &["Xvfb"], &[]).is_none()
    {
        what.push("no display: DISPLAY is not set and Xvfb is not installed".to_owned());
        packages.push("xvfb");
    }

    match (browser, driver) {
        (Ok(browser), Ok(driver)) if what.is_empty() => Ok(Installed {
            engine,
            browser_version: version(machine, engine, &browser, true),
            driver_version: version(machine, engine, &driver, false),
            browser,
            driver,
        }),
        _ => {
            packages.dedup();
            if !packages.is_empty() {
                how.insert(0, format!("Debian, Ubuntu: apt-get install --no-install-recommends {}", packages.join(" ")));
            }
            how.push(elsewhere(engine).to_owned());
            Err(Missing { engine, what, how })
        }
    }
}

fn elsewhere(engine: Engine) -> &'static str {
    match engine {
        Engine::Chromium => {
            "other systems: install Chromium or Google Chrome and the chromedriver of the same version, and put both in PATH, or name them in CHROME_BIN and CHROMEWEBDRIVER"
        }
        Engine::Firefox => {
            "other systems: install Firefox and geckodriver and put both in PATH, or name them in FIREFOX_BIN and GECKOWEBDRIVER"
        }
        Engine::Webkit => {
            "other systems: install WebKitGTK with its MiniBrowser, WebKitWebDriver and Xvfb, and name the first two in WEBKIT_BIN and WEBKITWEBDRIVER if they are not found"
        }
    }
}

/// A program named by a flag or a variable: no answer when none is named, an error when what is named is not there.
fn named(machine: &dyn Surroundings, flag: Option<&Path>, vars: &[&str], names: &[&str]) -> Option<Result<PathBuf, String>> {
    if let Some(path) = flag {
        return Some(file_or_in(machine, path, names).ok_or_else(|| format!("{} is not a program that can be run", path.display())));
    }
    vars.iter().find_map(|var| {
        let value = machine.var(var).filter(|value| !value.is_empty())?;
        let path = Path::new(&value);
        Some(
            file_or_in(machine, path, names)
                .ok_or_else(|| format!("{var} names {}, where there is no {} that can be run", path.display(), names.join(" or "))),
        )
    })
}

fn file_or_in(machine: &dyn Surroundings, path: &Path, names: &[&str]) -> Option<PathBuf> {
    let inside = names.iter().map(|name| path.join(name));
    std::iter::once(path.to_owned()).chain(inside).find(|candidate| machine.is_program(candidate))
}

/// The first of `names` in `PATH`, name by name, then the first of `places`.
fn find(machine: &dyn Surroundings, names: &[&str], places: &[PathBuf]) -> Option<PathBuf> {
    let path = machine.var("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let in_path = names.iter().flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
    in_path.chain(places.iter().cloned()).find(|candidate| machine.is_program(candidate))
}

fn browser_places(machine: &dyn Surroundings, engine: Engine) -> Vec<PathBuf> {
    match engine {
        Engine::Chromium => vec![
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome".into(),
            "/Applications/Chromium.app/Contents/MacOS/Chromium".into(),
        ],
        Engine::Firefox => vec!["/Applications/Firefox.app/Contents/MacOS/firefox".into()],
        // Distributions keep it out of PATH; the folder depends on the architecture and on the version of GTK.
        Engine::Webkit => {
            let mut roots = machine.entries(Path::new("/usr/lib"));
            roots.sort();
            roots.extend(["/usr/lib", "/usr/lib64", "/usr/libexec"].map(PathBuf::from));
            let versions = ["webkit2gtk-4.1", "webkitgtk-6.0", "webkit2gtk-4.0"];
            versions.iter().flat_map(|version| roots.iter().map(move |root| root.join(version).join("MiniBrowser"))).collect()
        }
    }
}

fn driver_places(machine: &dyn Surroundings, engine: Engine) -> Vec<PathBuf> {
    let home = machine.var("HOME").map(PathBuf::from);
    match engine {
        Engine::Chromium => vec!["/usr/lib/chromium-browser/chromedriver".into(), "/usr/lib/chromium/chromedriver".into()],
        // Where `cargo install` puts it, which is not in everyone's PATH.
        Engine::Firefox => home.map(|home| home.join(".cargo/bin/geckodriver")).into_iter().collect(),
        Engine::Webkit => Vec::new(),
    }
}

fn version(machine: &dyn Surroundings, engine: Engine, program: &Path, browser: bool) -> String {
    let told = if engine == Engine::Webkit {
        // Its driver knows no `--version`, and its browser wants a display before it tells.
        let package = if browser { "libwebkit2gtk-4.1-0" } else { "webkit2gtk-driver" };
        machine.version(Path::new("dpkg-query"), &["--show", "--showformat=${Version}", package])
    } else {
        machine.version(program, &["--version"])
    };
    let number = told.as_deref().and_then(number).unwrap_or("unknown");
    // What follows the hyphen of a Debian version is Debian's.
    number.split('-').next().unwrap_or(number).to_owned()
}

/// The first word that begins with a digit: the version in `Mozilla Firefox 128.0esr`.
fn number(text: &str) -> Option<&str> {
    text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
}

/// The machine this runs on.
struct Here;

impl Surroundings for Here {
    fn var(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn is_program(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    }

    fn entries(&self, dir: &Path) -> Vec<PathBuf> {
        fs::read_dir(dir).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
    }

    fn version(&self, program: &Path, args: &[&str]) -> Option<String> {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .ok()?;
        let mut stdout = child.stdout.take()?;
        let (send, receive) = mpsc::channel();
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stdout.read_to_end(&mut text);
            let _ = send.send(text);
        });
        let text = receive.recv_timeout(VERSION_LIMIT).ok();
        // The group also holds what a wrapper script started; harmless when all have ended.
        signal_group(child.id(), Signal::KILL);
        let _ = child.wait();
        text.map(|text| String::from_utf8_lossy(&text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Fake {
        vars: Vec<(&'static str, &'static str)>,
        programs: Vec<&'static str>,
    }

    impl Surroundings for Fake {
        fn var(&self, name: &str) -> Option<OsString> {
            self.vars.iter().find(|(var, _)| *var == name).map(|(_, value)| value.into())
        }

        fn is_program(&self, path: &Path) -> bool {
            self.programs.iter().any(|program| Path::new(program) == path)
        }

        fn entries(&self, dir: &Path) -> Vec<PathBuf> {
            vec![dir.join("x86_64-linux-gnu"), dir.join("firefox")]
        }

        fn version(&self, program: &Path, _args: &[&str]) -> Option<String> {
            Some(format!("{} 12.3 of today", program.file_name()?.to_str()?))
        }
    }

    fn with_path(programs: &[&'static str]) -> Fake {
        Fake { vars: vec![("PATH", "/usr/bin:/opt/bin"), ("HOME", "/home/u")], programs: programs.to_vec() }
    }

    #[test]
    fn flags_come_before_variables_and_variables_before_path() {
        let mut fake =
            with_path(&["/flag/chrome", "/env/chrome", "/usr/bin/chromium", "/usr/bin/chromedriver", "/env/drivers/chromedriver"]);
        let none = Paths::default();
        let found = search(&fake, Engine::Chromium, &none).expect("in PATH");
        assert_eq!((found.browser.to_str(), found.driver.to_str()), (Some("/usr/bin/chromium"), Some("/usr/bin/chromedriver")));
        assert_eq!(found.browser_version, "12.3");

        fake.vars.extend([("CHROME_BIN", "/env/chrome"), ("CHROMEWEBDRIVER", "/env/drivers")]);
        let found = search(&fake, Engine::Chromium, &none).expect("in the environment");
        assert_eq!((found.browser.to_str(), found.driver.to_str()), (Some("/env/chrome"), Some("/env/drivers/chromedriver")));

        let flags = Paths { browser: Some("/flag/chrome".into()), driver: None };
        assert_eq!(search(&fake, Engine::Chromium, &flags).expect("by flag").browser.to_str(), Some("/flag/chrome"));
    }

    #[test]
    fn names_come_in_order_whatever_the_order_of_folders() {
        let fake = with_path(&["/usr/bin/google-chrome", "/opt/bin/chromium", "/usr/bin/chromedriver"]);
        assert_eq!(search(&fake, Engine::Chromium, &Paths::default()).expect("found").browser.to_str(), Some("/opt/bin/chromium"));
    }

    #[test]
    fn geckodriver_is_found_where_cargo_puts_it() {
        let fake = with_path(&["/usr/bin/firefox-esr", "/home/u/.cargo/bin/geckodriver"]);
        assert_eq!(
            search(&fake, Engine::Firefox, &Paths::default()).expect("found").driver.to_str(),
            Some("/home/u/.cargo/bin/geckodriver")
        );
    }

    #[test]
    fn minibrowser_is_found_whatever_the_architecture() {
        let fake = with_path(&["/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser", "/usr/bin/WebKitWebDriver", "/usr/bin/Xvfb"]);
        assert!(search(&fake, Engine::Webkit, &Paths::default()).is_ok());
    }

    #[test]
    fn what_is_missing_is_told_with_how_to_get_it() {
        let missing = search(&with_path(&[]), Engine::Webkit, &Paths::default()).expect_err("nothing is installed");
        assert_eq!(missing.what.len(), if cfg!(target_os = "linux") { 3 } else { 2 });
        assert!(missing.how[0].ends_with("webkit2gtk-driver xvfb") || !cfg!(target_os = "linux"), "{missing}");

        let missing = search(&with_path(&["/usr/bin/firefox"]), Engine::Firefox, &Paths::default()).expect_err("no driver");
        assert_eq!(missing.what, ["no driver (geckodriver)"]);
        assert!(missing.to_string().contains("cargo install geckodriver --locked"), "{missing}");
    }

    #[test]
    fn a_name_that_leads_nowhere_is_an_error_and_not_passed_over() {
        let mut fake = with_path(&["/usr/bin/chromium", "/usr/bin/chromedriver"]);
        fake.vars.push(("CHROMEWEBDRIVER", "/nowhere"));
        let missing = search(&fake, Engine::Chromium, &Paths::default()).expect_err("the variable leads nowhere");
        assert!(missing.what[0].contains("CHROMEWEBDRIVER names /nowhere"), "{missing}");
    }

    #[test]
    fn versions_are_the_first_number() {
        assert_eq!(number("Mozilla Firefox 153.7.0esr"), Some("153.7.0esr"));
        assert_eq!(number("Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)"), Some("156.0.8078.79"));
        assert_eq!(number("none here"), None);
    }
}
