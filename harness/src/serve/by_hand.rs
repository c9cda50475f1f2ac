//! The user agent that nobody drives: a window that a page of ours leads from page to page.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use crate::agent::Hub;

/// Its word in files, on terminals and in reports: which browser it is, its version says.
pub const BY_HAND: &str = "by-hand";

/// A window of a browser that was opened by hand.
#[derive(Debug, Clone)]
pub struct ByHand {
    /// Where the agents in its pages report.
    pub(crate) hub: Hub,
    commands: mpsc::UnboundedSender<Value>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    stopped: AtomicBool,
    stop: Notify,
    gone: Mutex<Option<String>>,
}

impl ByHand {
    pub(super) fn new(hub: Hub, commands: mpsc::UnboundedSender<Value>) -> Self {
        Self { hub, commands, state: Arc::default() }
    }

    /// A run begins: what was said of the one before is forgotten.
    pub(super) fn begin(&self) {
        self.state.stopped.store(false, Ordering::SeqCst);
        self.state.gone.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(super) fn stop(&self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        self.state.stop.notify_waiters();
    }

    pub(super) async fn stopped(&self) {
        let notified = self.state.stop.notified();
        if !self.state.stopped.load(Ordering::SeqCst) {
            notified.await;
        }
    }

    pub(super) fn gone(&self, words: String) {
        *self.state.gone.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    /// Whether the window is still there, as far as the page has said.
    pub(crate) fn is_there(&self) -> bool {
        !self.commands.is_closed() && self.state.gone.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Leads the window to an address.
    ///
    /// # Errors
    ///
    /// The page is gone, in words.
    pub(crate) fn open(&self, url: &str) -> Result<(), String> {
        let gone = self.state.gone.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match gone {
            Some(words) => Err(words),
            None => self.commands.send(json!({ "open": url })).map_err(|_| "the page that runs cases is gone".to_owned()),
        }
    }
}

/// The engine that a `User-Agent` names, as far as there are known deviations of it, and its name and version.
pub(super) fn identify(agent: &str) -> (Option<&'static str>, String) {
    let version = |product: &str| {
        let rest = &agent[agent.find(&format!("{product}/"))? + product.len() + 1..];
        Some(rest.split([' ', ';', ')']).next().unwrap_or_default().to_owned())
    };
    // Everybody says Mozilla, Chromium says Safari, and Edge says Chrome.
    let names = [
        ("Edg", "Edge", Some("chromium")),
        ("OPR", "Opera", Some("chromium")),
        ("HeadlessChrome", "Chrome", Some("chromium")),
        ("Chrome", "Chrome", Some("chromium")),
        ("Firefox", "Firefox", Some("firefox")),
        ("Version", "Safari", Some("webkit")),
    ];
    for (product, name, engine) in names {
        if let Some(version) = version(product).filter(|_| product != "Version" || agent.contains("Safari/")) {
            return (engine, format!("{name} {version}"));
        }
    }
    let short: String = agent.chars().take(80).collect();
    (None, if short.is_empty() { "unknown".to_owned() } else { short })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_known_by_what_they_say() {
        for (agent, engine, version) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
                Some("chromium"),
                "Chrome 156.0.0.0",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.1",
                Some("chromium"),
                "Edge 156.0.1",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", Some("firefox"), "Firefox 153.0"),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                Some("webkit"),
                "Safari 26.0",
            ),
            ("curl/8", None, "curl/8"),
            ("", None, "unknown"),
        ] {
            assert_eq!(identify(agent), (engine, version.to_owned()), "{agent}");
        }
    }
}
