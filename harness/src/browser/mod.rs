//! Real browsers, driven over WebDriver.
//!
//! [`locate`] finds what is installed, a [`Guard`] makes sure that nothing outlives the run, and a [`Session`] is one
//! browser with one driver and a fresh profile. What the engine itself says of a blocked request is a [`Word`].
//!
//! Nothing here knows a case: a session navigates, runs scripts and passes on words.

mod capabilities;
mod driver;
mod error;
mod guard;
mod locate;
pub(crate) mod processes;
mod session;
mod watchdog;
mod wire;
mod words;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use error::SessionError;
pub use guard::Guard;
pub use locate::{Installed, Missing, Paths, locate};
pub use session::Session;
pub use words::{Word, chromium_reason, firefox_reason};

/// A browser engine that the harness can drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Blink: Chromium, Google Chrome.
    Chromium,
    /// Gecko: Firefox.
    Firefox,
    /// WebKit: Safari's engine, as WebKitGTK's MiniBrowser.
    Webkit,
}

impl Engine {
    /// Every engine, in the order in which reports show them.
    pub const ALL: &'static [Engine] = &[Engine::Chromium, Engine::Firefox, Engine::Webkit];

    /// The word used in files, on terminals and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Engine::Chromium => "chromium",
            Engine::Firefox => "firefox",
            Engine::Webkit => "webkit",
        }
    }

    /// The name as its makers write it.
    pub fn title(self) -> &'static str {
        match self {
            Engine::Chromium => "Chromium",
            Engine::Firefox => "Firefox",
            Engine::Webkit => "WebKit",
        }
    }

    /// Reads an engine's word or one of the names people use for it.
    ///
    /// # Errors
    ///
    /// Any other name: the error says which are allowed.
    pub fn parse(name: &str) -> Result<Engine, UnknownEngine> {
        match name.trim().to_ascii_lowercase().as_str() {
            "chromium" | "chrome" | "google-chrome" => Ok(Engine::Chromium),
            "firefox" => Ok(Engine::Firefox),
            "webkit" | "safari" | "webkitgtk" => Ok(Engine::Webkit),
            _ => Err(UnknownEngine { name: name.to_owned() }),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl std::str::FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Engine, UnknownEngine> {
        Engine::parse(name)
    }
}

/// A name that no engine goes by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no browser is called `{name}`; use chromium (also chrome, google-chrome), firefox, or webkit (also safari, webkitgtk)")]
pub struct UnknownEngine {
    /// The name as it was given.
    pub name: String,
}

/// Where a session is to be had.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// A driver that the harness starts and ends.
    Local(Installed),
    /// A remote end that runs already: a driver, a grid, a device farm.
    Remote {
        /// Its address, `http://` or `https://`, with user and password where it wants them.
        url: String,
        /// The engine to ask it for.
        engine: Engine,
    },
}

impl Endpoint {
    /// The engine that answers there.
    pub fn engine(&self) -> Engine {
        match self {
            Endpoint::Local(installed) => installed.engine,
            Endpoint::Remote { engine, .. } => *engine,
        }
    }
}

/// What a session should be like.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Show the browser's window (needs a display).
    pub headed: bool,
    /// Capabilities merged over those of the harness: objects by key, lists appended, anything else replaced.
    pub capabilities: Map<String, Value>,
    /// The URL of the proxy that leads everywhere, for engines that take it from their environment (WebKit); others by capability.
    pub proxy: Option<String>,
    /// How long a script may run before the driver stops it; [`Session::execute`] gives up two seconds later.
    pub script_timeout: Duration,
}

impl Default for SessionOptions {
    fn default() -> Self {
        SessionOptions { headed: false, capabilities: Map::new(), proxy: None, script_timeout: Duration::from_secs(8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_read_by_any_of_their_names() {
        for &engine in Engine::ALL {
            assert_eq!(Engine::parse(engine.word()), Ok(engine));
            assert_eq!(serde_json::to_value(engine).expect("serialises"), engine.word());
        }
        for (name, engine) in
            [("Chrome", Engine::Chromium), ("google-chrome", Engine::Chromium), ("safari", Engine::Webkit), ("webkitgtk", Engine::Webkit)]
        {
            assert_eq!(Engine::parse(name), Ok(engine));
        }
        let error = Engine::parse("opera").expect_err("no such engine").to_string();
        assert!(error.contains("`opera`") && error.contains("chromium") && error.contains("webkit"), "{error}");
    }
}
