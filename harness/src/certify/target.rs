//! Targets: a folder with a `target.toml` and a small program, from the binary or from a disk.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use corscheck_servers::middleware;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The reference, which is a part of this program.
pub const REFERENCE: &str = "reference";

/// What a `target.toml` says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// As people call it.
    pub title: String,
    /// The language of the middleware.
    pub language: String,
    /// The package that is certified.
    pub product: String,
    /// Where its users find it.
    pub homepage: String,
    /// Programs that must be on `PATH`.
    #[serde(default)]
    pub needs: Vec<String>,
    /// How to get them, in words.
    #[serde(default)]
    pub how: String,
    /// The Debian packages that bring them.
    #[serde(default)]
    pub apt: Vec<String>,
    /// Commands that install it, one after the other, in a copy of the folder.
    #[serde(default)]
    pub install: Vec<Vec<String>>,
    /// The command that starts it.
    pub start: Vec<String>,
    /// The command that prints the version of the product.
    pub version: Vec<String>,
    /// Where each part of a policy is set.
    #[serde(default)]
    pub knobs: Knobs,
    /// What it is a negative control for.
    pub control: Option<Control>,
}

/// Where the middleware's users set each part of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Knobs {
    /// Who may read.
    pub origins: Option<String>,
    /// Whether with credentials.
    pub credentials: Option<String>,
    /// Methods.
    pub methods: Option<String>,
    /// Request headers.
    pub request_headers: Option<String>,
    /// Response headers.
    pub expose: Option<String>,
    /// How long preflights are kept.
    pub max_age: Option<String>,
}

/// A version that is known to have had a defect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Control {
    /// The published advisory or fix.
    pub affected_by: String,
    /// The target in which it is fixed.
    pub fixed_in: String,
}

/// A target that can be started.
#[derive(Debug, Clone)]
pub struct Target {
    /// The name of its folder.
    pub name: String,
    /// What its `target.toml` says.
    pub manifest: Manifest,
    /// Its files, by path below its folder.
    files: Vec<(String, Vec<u8>)>,
}

/// A target that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// There is none of that name.
    #[error("there is no target `{name}`: a name of `corscheck list --targets`, or a folder with a target.toml{near}")]
    Unknown {
        /// The name.
        name: String,
        /// The nearest names, in words.
        near: String,
    },
    /// Its folder cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// Where.
        path: String,
        /// The system's objection.
        error: io::Error,
    },
    /// Its `target.toml` is wrong.
    #[error("{path}: {error}")]
    Manifest {
        /// Where.
        path: String,
        /// What is wrong, and where.
        error: String,
    },
    /// Something that it needs is not there.
    #[error("{name} needs {missing}, which is not on PATH{}", if how.is_empty() { String::new() } else { format!(": {how}") })]
    Needs {
        /// The target.
        name: String,
        /// What is missing.
        missing: String,
        /// How to get it.
        how: String,
    },
    /// It could not be installed.
    #[error("{name} could not be installed: `{command}` {ended}\n{output}")]
    Install {
        /// The target.
        name: String,
        /// The command.
        command: String,
        /// How it ended.
        ended: String,
        /// The end of what it printed.
        output: String,
    },
}

/// The manifest of the reference.
const OWN: &str = r#"
title = "corscheck's reference"
language = "Rust"
product = "corscheck"
homepage = "https://github.com/corscheck/corscheck"
start = ["{corscheck}", "reference"]
version = ["{corscheck}", "--version"]
"#;

impl Target {
    /// The names of all targets in the binary.
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<&str> = middleware::FILES.iter().filter_map(|(path, _)| path.strip_suffix("/target.toml")).collect();
        names.insert(0, REFERENCE);
        names
    }

    /// The target of a name in the binary, or in a folder.
    ///
    /// # Errors
    ///
    /// There is none, or it is none.
    pub fn find(name: &str) -> Result<Self, TargetError> {
        if name == REFERENCE {
            return Self::parse(name, OWN, REFERENCE, Vec::new());
        }
        let files = built_in(name);
        if let Some((_, manifest)) = files.iter().find(|(path, _)| path == "target.toml") {
            let manifest = String::from_utf8_lossy(manifest).into_owned();
            let mut target = Self::parse(name, &manifest, &format!("servers/middleware/{name}/target.toml"), files)?;
            // A negative control has the program of the target in which the defect is fixed, and versions of its own.
            let fixed = target.manifest.control.as_ref().map(|c| built_in(&c.fixed_in)).unwrap_or_default();
            let missing: Vec<_> = fixed.into_iter().filter(|(path, _)| target.files.iter().all(|(own, _)| own != path)).collect();
            target.files.extend(missing);
            return Ok(target);
        }
        let folder = Path::new(name);
        if folder.join("target.toml").exists() {
            return Self::read(folder);
        }
        let mut near: Vec<&str> = Self::names().into_iter().filter(|n| strsim_close(n, name)).collect();
        near.truncate(3);
        let near = if near.is_empty() { String::new() } else { format!(" (near it: {})", near.join(", ")) };
        Err(TargetError::Unknown { name: name.to_owned(), near })
    }

    /// The target in a folder.
    fn read(folder: &Path) -> Result<Self, TargetError> {
        let unreadable = |path: &Path, error| TargetError::Unreadable { path: path.display().to_string(), error };
        let absolute = folder.canonicalize().map_err(|e| unreadable(folder, e))?;
        let mut files = Vec::new();
        collect(&absolute, &absolute, &mut files).map_err(|e| unreadable(folder, e))?;
        let name = absolute.file_name().map_or_else(|| "target".to_owned(), |n| n.to_string_lossy().into_owned());
        let path = absolute.join("target.toml");
        let manifest = fs::read_to_string(&path).map_err(|e| unreadable(&path, e))?;
        Self::parse(&name, &manifest, &path.display().to_string(), files)
    }

    fn parse(name: &str, manifest: &str, path: &str, files: Vec<(String, Vec<u8>)>) -> Result<Self, TargetError> {
        let wrong = |error: String| TargetError::Manifest { path: path.to_owned(), error };
        let manifest: Manifest = toml::from_str(manifest).map_err(|e| wrong(e.to_string()))?;
        if manifest.start.is_empty() || manifest.version.is_empty() {
            return Err(wrong("`start` and `version` are commands: a program and its arguments".to_owned()));
        }
        Ok(Self { name: name.to_owned(), manifest, files })
    }

    /// Makes it ready to be started: a copy of its folder in the cache, with everything that it needs in it.
    ///
    /// # Errors
    ///
    /// Something is missing on this machine, or an installation failed.
    pub fn install(&self) -> Result<Installed, TargetError> {
        if let Some(missing) = self.manifest.needs.iter().find(|program| !is_on_path(program)) {
            let how = if self.manifest.apt.is_empty() {
                self.manifest.how.clone()
            } else {
                format!("{} (apt-get install {})", self.manifest.how, self.manifest.apt.join(" "))
            };
            return Err(TargetError::Needs { name: self.name.clone(), missing: missing.clone(), how });
        }
        let folder = cache().join(format!("{}-{}", self.name, self.digest()));
        let done = folder.join(".installed");
        if !done.exists() {
            self.fill(&folder, &done)?;
        }
        let version = self.run(&self.manifest.version, &folder)?;
        // What comes behind an `@` or a space is the version alone.
        let last = version.lines().last().unwrap_or_default().trim();
        let version = last.rsplit(['@', ' ', '/']).next().unwrap_or(last).to_owned();
        Ok(Installed { folder, start: self.manifest.start.iter().map(|word| own(word)).collect(), version })
    }

    /// Installs it into `folder`, unless another process does so first; `done` tells that all of it is there.
    fn fill(&self, folder: &Path, done: &Path) -> Result<(), TargetError> {
        let unreadable = |path: &Path, error| TargetError::Unreadable { path: path.display().to_string(), error };
        let lock = folder.with_extension("lock");
        lock.parent().map_or(Ok(()), fs::create_dir_all).map_err(|e| unreadable(&lock, e))?;
        // The system gives it back when this process ends, in whatever way. The file stays: who waits for it has it open.
        let held = File::create(&lock).map_err(|e| unreadable(&lock, e))?;
        held.lock().map_err(|e| unreadable(&lock, e))?;
        if done.exists() {
            return Ok(());
        }
        // What an installation that was cut off left behind is of no use.
        _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(|e| unreadable(folder, e))?;
        for (path, content) in &self.files {
            let path = folder.join(path);
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content)).map_err(|e| unreadable(&path, e))?;
        }
        for command in &self.manifest.install {
            self.run(command, folder)?;
        }
        fs::write(done, "").map_err(|e| unreadable(done, e))
    }

    fn run(&self, command: &[String], folder: &Path) -> Result<String, TargetError> {
        let failed = |ended: String, output: &[u8]| {
            let text = String::from_utf8_lossy(output);
            let lines: Vec<&str> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(20)..].join("\n");
            TargetError::Install { name: self.name.clone(), command: command.join(" "), ended, output: tail }
        };
        let words: Vec<String> = command.iter().map(|word| own(word)).collect();
        let (program, args) = words.split_first().ok_or_else(|| failed("is empty".to_owned(), b""))?;
        let output = Command::new(program).args(args).current_dir(folder).stdin(Stdio::null()).output();
        let output = output.map_err(|e| failed(format!("could not be run: {e}"), b""))?;
        if !output.status.success() {
            return Err(failed(format!("ended with {}", output.status), &[output.stdout, output.stderr].concat()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Another folder, another copy.
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (path, content) in &self.files {
            hash.update(path.as_bytes());
            hash.update([0]);
            hash.update((content.len() as u64).to_le_bytes());
            hash.update(content);
        }
        hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect()
    }
}

/// A target in the cache.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Its copy.
    pub folder: PathBuf,
    /// What starts it.
    pub start: Vec<String>,
    /// The exact version of its product.
    pub version: String,
}

/// The files of a target in the binary, by path below its folder.
fn built_in(name: &str) -> Vec<(String, Vec<u8>)> {
    let prefix = format!("{name}/");
    middleware::FILES.iter().filter_map(|(path, text)| Some((path.strip_prefix(&*prefix)?.to_owned(), text.to_vec()))).collect()
}

/// `{corscheck}` is this program.
fn own(word: &str) -> String {
    if !word.contains("{corscheck}") {
        return word.to_owned();
    }
    let program = env::current_exe().map_or_else(|_| "corscheck".to_owned(), |p| p.display().to_string());
    word.replace("{corscheck}", &program)
}

/// Where targets are installed: `CORSCHECK_CACHE`, or a folder of the user's cache.
fn cache() -> PathBuf {
    let own = |variable: &str| env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = own("CORSCHECK_CACHE")
        .or_else(|| own("XDG_CACHE_HOME").map(|p| p.join("corscheck")))
        .or_else(|| own("HOME").map(|p| p.join(".cache/corscheck")));
    base.unwrap_or_else(|| env::temp_dir().join("corscheck-cache")).join("targets")
}

fn is_on_path(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    // Servers of Debian are where administrators have them.
    env::split_paths(&folders).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")]).any(|folder| folder.join(program).is_file())
}

/// Names that differ in little.
fn strsim_close(a: &str, b: &str) -> bool {
    a.contains(b) || b.contains(a) || a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count() >= 3
}

/// What an installation makes is none of the target's files.
const NOT_OURS: &[&str] = &["node_modules", "target", ".venv", "__pycache__", ".git"];

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            files.push((name, fs::read(&path)?));
        }
    }
    Ok(())
}
