//! One browser with a fresh profile, and the commands it takes. Every command has a time limit.

use std::future::Future;
use std::io;
use std::time::Duration;

use fantoccini::error::{CmdError, NewSessionError};
use fantoccini::wd::{PrintConfigurationBuilder, PrintOrientation, WindowHandle};
use fantoccini::{Client, ClientBuilder};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::capabilities::{self, Machine};
use super::driver::Driver;
use super::wire::SessionCommand;
use super::words::{self, Word};
use super::{Endpoint, Engine, Guard, SessionError, SessionOptions, error};

/// A session with a ready driver takes 1 to 4 s; a loaded machine or a grid with a queue takes longer.
const START_LIMIT: Duration = Duration::from_secs(40);
const GOTO_LIMIT: Duration = Duration::from_secs(20);
const WORDS_LIMIT: Duration = Duration::from_secs(5);
const CLOSE_LIMIT: Duration = Duration::from_secs(3);

/// What a script may take beyond the driver's own limit, so that the driver can say which it was.
const SCRIPT_GRACE: Duration = Duration::from_secs(2);

/// A running browser. Dropping it kills the browser; [`Session::end`] lets it go in peace.
#[derive(Debug)]
pub struct Session {
    engine: Engine,
    // Before the driver, so that its farewell is sent before the driver is killed.
    client: Client,
    driver: Option<Driver>,
    told: Told,
    script_limit: Duration,
    /// Windows besides the first.
    windows: Vec<WindowHandle>,
}

/// What the session's capabilities tell.
#[derive(Debug, Default)]
struct Told {
    browser: String,
    driver: Option<String>,
    platform: Option<String>,
}

impl Session {
    /// Starts a browser at `endpoint`, with a fresh profile and everything it needs.
    ///
    /// # Errors
    ///
    /// The driver, the display or the browser does not start, or not in time (a minute and a half at worst). All that was
    /// started is ended then.
    pub async fn start(endpoint: &Endpoint, options: &SessionOptions, guard: &Guard) -> Result<Session, SessionError> {
        let engine = endpoint.engine();
        let (driver, url, asked) = match endpoint {
            Endpoint::Local(installed) => {
                let driver = Driver::start(installed, options.headed, options.proxy.as_deref(), guard).await?;
                let asked = capabilities::local(installed, options, driver.dir(), Machine::here());
                let url = driver.url.clone();
                (Some(driver), url, asked)
            }
            Endpoint::Remote { url, .. } => (None, with_slash(url)?, capabilities::remote(engine, options)),
        };
        let log = || driver.as_ref().map(Driver::log_tail).unwrap_or_default();
        let client = match timeout(START_LIMIT, connect(&url, asked)).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(SessionError::of_start(engine, &error, log())),
            Err(_) => {
                let why = format!("no answer within {} s", START_LIMIT.as_secs());
                return Err(SessionError::NoSession { engine, why, log: log() });
            }
        };
        let told = client.capabilities().map(read_told).unwrap_or_default();
        let session = Session { engine, client, driver, told, script_limit: options.script_timeout + SCRIPT_GRACE, windows: Vec::new() };
        session
            .limited("set timeouts", WORDS_LIMIT, session.client.issue_cmd(SessionCommand::script_timeout(options.script_timeout)))
            .await?;
        if engine == Engine::Firefox {
            let listening = session.in_gecko(words::GECKO_LISTEN).await;
            // A remote end seldom allows it; then there are no words.
            if session.driver.is_some() {
                listening?;
            }
        }
        Ok(session)
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The browser's own name and version, as its capabilities tell: `chrome 156.0.8078.79`.
    pub fn browser_version(&self) -> &str {
        &self.told.browser
    }

    /// The driver's version, where the capabilities tell it.
    pub fn driver_version(&self) -> Option<&str> {
        self.told.driver.as_deref()
    }

    /// The platform the browser runs on, where the capabilities tell it.
    pub fn platform(&self) -> Option<&str> {
        self.told.platform.as_deref()
    }

    /// Navigates to `url` and waits until it is loaded.
    ///
    /// # Errors
    ///
    /// The page does not load within 20 s, or the session is lost.
    pub async fn goto(&self, url: &str) -> Result<(), SessionError> {
        self.limited("goto", GOTO_LIMIT, self.client.issue_cmd(SessionCommand::navigate(url))).await?;
        Ok(())
    }

    /// Navigates to `url` in a new window; the first one stays the one that commands are for.
    ///
    /// # Errors
    ///
    /// There is no new window, the page does not load within 20 s, or the session is lost.
    pub async fn goto_in_window(&mut self, url: &str) -> Result<(), SessionError> {
        let first = self.limited("window", WORDS_LIMIT, self.client.window()).await?;
        let opened = self.limited("new window", GOTO_LIMIT, self.client.new_window(false)).await?;
        self.windows.push(opened.handle.clone());
        self.limited("switch window", WORDS_LIMIT, self.client.switch_to_window(opened.handle)).await?;
        let gone = self.goto(url).await;
        self.limited("switch window", WORDS_LIMIT, self.client.switch_to_window(first)).await?;
        gone
    }

    /// Closes every window besides the first.
    ///
    /// # Errors
    ///
    /// The session is lost.
    pub async fn close_windows(&mut self) -> Result<(), SessionError> {
        if self.windows.is_empty() {
            return Ok(());
        }
        let first = self.limited("window", WORDS_LIMIT, self.client.window()).await?;
        for window in std::mem::take(&mut self.windows) {
            self.limited("switch window", WORDS_LIMIT, self.client.switch_to_window(window)).await?;
            self.limited("close window", WORDS_LIMIT, self.client.close_window()).await?;
        }
        self.limited("switch window", WORDS_LIMIT, self.client.switch_to_window(first)).await
    }

    /// Writes a file among the session's temporary ones; gives its `file:` URL.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or the browser runs on another machine.
    pub fn file(&self, name: &str, content: &str) -> io::Result<String> {
        let driver = self.driver.as_ref().ok_or_else(|| io::Error::other("the browser runs elsewhere"))?;
        let path = driver.dir().join(name);
        std::fs::write(&path, content)?;
        url::Url::from_file_path(&path).map(String::from).map_err(|()| io::Error::other("the folder has no address"))
    }

    /// Runs `script` as the body of a function in the page, with `args` as its `arguments`; a promise that it returns is
    /// waited for.
    ///
    /// # Errors
    ///
    /// The script throws or takes too long, or the session is lost: see [`SessionError::ends_session`].
    pub async fn execute(&self, script: &str, args: Vec<Value>) -> Result<Value, SessionError> {
        self.limited("execute", self.script_limit, self.client.execute(script, args)).await
    }

    /// Clicks the first element that a selector finds, as a person would.
    ///
    /// # Errors
    ///
    /// There is no such element, or the session is lost.
    pub async fn click(&self, selector: &str) -> Result<(), SessionError> {
        let click = async { self.client.find(fantoccini::Locator::Css(selector)).await?.click().await };
        self.limited("click", WORDS_LIMIT, click).await
    }

    /// The page on paper, landscape, as a PDF.
    ///
    /// # Errors
    ///
    /// The driver cannot print, or the session is lost.
    pub async fn print(&self) -> Result<Vec<u8>, SessionError> {
        let landscape = PrintConfigurationBuilder::default().orientation(PrintOrientation::Landscape).build();
        let configuration = landscape.expect("nothing in it is out of bounds");
        self.limited("print", GOTO_LIMIT, self.client.print(configuration)).await
    }

    /// What the browser said since the last call. WebKit says nothing, and a remote end may keep it to itself.
    ///
    /// Firefox passes its words between processes: one may come a moment after the page was told, and is in the next call
    /// then.
    ///
    /// # Errors
    ///
    /// A local session is lost.
    pub async fn words(&mut self) -> Result<Vec<Word>, SessionError> {
        let said = match self.engine {
            Engine::Chromium => self.chromium_log().await.map(|entries| words::from_chromium(&entries)),
            Engine::Firefox => self.in_gecko(words::GECKO_DRAIN).await.map(|messages| words::from_firefox(&messages)),
            Engine::Webkit => Ok(Vec::new()),
        };
        match said {
            Err(_) if self.driver.is_none() => Ok(Vec::new()),
            said => said,
        }
    }

    /// Whether the page still runs scripts; no answer within `within` means no.
    pub async fn is_alive(&self, within: Duration) -> bool {
        let answer = timeout(within, self.client.execute("return 1", Vec::new())).await;
        matches!(answer, Ok(Ok(Value::Number(_))))
    }

    /// The driver's process, if it is ours.
    pub fn driver_pid(&self) -> Option<u32> {
        self.driver.as_ref()?.pid()
    }

    /// Every live process of this session: driver, browser and its helpers, display. Empty for a remote end.
    pub fn pids(&self) -> Vec<u32> {
        self.driver.as_ref().map(Driver::pids).unwrap_or_default()
    }

    /// Ends the session: the browser is asked to quit, and whatever is left after 3 s is killed.
    pub async fn end(self) {
        let Session { client, driver, .. } = self;
        // Best effort: the processes of a local session are ended in any case.
        let _ = timeout(CLOSE_LIMIT, client.close()).await;
        if let Some(driver) = driver {
            driver.end().await;
        }
    }

    async fn chromium_log(&self) -> Result<Value, SessionError> {
        let drain = async {
            match self.client.issue_cmd(SessionCommand::chromium_log()).await {
                Err(error) if error::is_unknown_command(&error) => self.client.issue_cmd(SessionCommand::legacy_log()).await,
                answer => answer,
            }
        };
        self.limited("words", WORDS_LIMIT, drain).await
    }

    /// Runs `script` in the browser itself instead of the page.
    async fn in_gecko(&self, script: &str) -> Result<Value, SessionError> {
        let run = async {
            self.client.issue_cmd(SessionCommand::gecko_context("chrome")).await?;
            let answer = self.client.execute(script, Vec::new()).await;
            // Also after an error: the next script is meant for the page.
            self.client.issue_cmd(SessionCommand::gecko_context("content")).await?;
            answer
        };
        let answer = self.limited("words", WORDS_LIMIT, run).await;
        if matches!(answer, Err(SessionError::TimedOut { .. })) {
            let _ = timeout(CLOSE_LIMIT, self.client.issue_cmd(SessionCommand::gecko_context("content"))).await;
        }
        answer
    }

    async fn limited<T>(
        &self,
        command: &'static str,
        limit: Duration,
        work: impl Future<Output = Result<T, CmdError>>,
    ) -> Result<T, SessionError> {
        match timeout(limit, work).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(SessionError::of_command(command, error)),
            Err(_) => Err(SessionError::TimedOut { command, after: limit }),
        }
    }
}

async fn connect(url: &str, asked: Map<String, Value>) -> Result<Client, NewSessionError> {
    if url.starts_with("https:") {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(NewSessionError::Lost)?
            .https_only()
            .enable_http1()
            .build();
        ClientBuilder::new(connector).capabilities(asked).connect(url).await
    } else {
        ClientBuilder::new(HttpConnector::new()).capabilities(asked).connect(url).await
    }
}

/// The address with a slash at its end: commands are resolved against it, and would replace a last segment without one.
fn with_slash(url: &str) -> Result<String, SessionError> {
    let bad = |why: &str| SessionError::Address { url: url.rsplit('@').next().unwrap_or_default().to_owned(), why: why.to_owned() };
    let parsed = url::Url::parse(url).map_err(|error| bad(&error.to_string()))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(bad("its scheme is not http or https"));
    }
    let mut parsed = parsed;
    if !parsed.path().ends_with('/') {
        let path = format!("{}/", parsed.path());
        parsed.set_path(&path);
    }
    Ok(parsed.into())
}

fn read_told(capabilities: &Map<String, Value>) -> Told {
    let text = |key: &str| capabilities.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let chromedriver = capabilities.get("chrome").and_then(|chrome| chrome.get("chromedriverVersion")).and_then(Value::as_str);
    let driver = text("moz:geckodriverVersion").or_else(|| Some(chromedriver?.split(' ').next()?.to_owned()));
    let name = text("browserName").unwrap_or_default();
    let version = text("browserVersion").unwrap_or_default();
    Told { browser: format!("{name} {version}").trim().to_owned(), driver, platform: text("platformName") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_remote_address_keeps_its_path_and_hides_its_password_in_errors() {
        assert_eq!(with_slash("http://grid:4444/wd/hub").expect("an address"), "http://grid:4444/wd/hub/");
        assert_eq!(with_slash("http://127.0.0.1:4444").expect("an address"), "http://127.0.0.1:4444/");
        let error = with_slash("ftp://user:secret@grid").expect_err("not http").to_string();
        assert!(!error.contains("secret") && error.contains("grid"), "{error}");
        assert!(with_slash("localhost:4444").is_err());
    }

    #[tokio::test]
    async fn an_https_remote_end_that_is_down_is_an_error() {
        let guard = Guard::new().expect("a guard");
        let endpoint = Endpoint::Remote { url: "https://127.0.0.1:1".to_owned(), engine: Engine::Chromium };
        let error = Session::start(&endpoint, &SessionOptions::default(), &guard).await.expect_err("nobody listens");
        assert!(matches!(error, SessionError::NoSession { .. }), "{error}");
    }

    #[test]
    fn versions_are_read_from_the_capabilities() {
        let capabilities = json!({
            "browserName": "chrome", "browserVersion": "156.0", "platformName": "linux",
            "chrome": { "chromedriverVersion": "156.0.1 (abc)" },
        });
        let told = read_told(capabilities.as_object().expect("an object"));
        assert_eq!(
            (told.browser.as_str(), told.driver.as_deref(), told.platform.as_deref()),
            ("chrome 156.0", Some("156.0.1"), Some("linux"))
        );
    }
}
