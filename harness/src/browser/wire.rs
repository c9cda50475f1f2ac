//! WebDriver on the wire: commands that fantoccini does not have, and the status of a driver that is starting.

use std::io;

use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A driver's status is a few hundred bytes; whoever sends more is something else.
const STATUS_LIMIT: usize = 64 * 1024;

/// A command of the session, by its path below `/session/ID/`.
#[derive(Debug)]
pub(super) struct SessionCommand {
    path: &'static str,
    body: Value,
}

impl SessionCommand {
    /// Navigates (WebDriver, Navigate To). Unlike fantoccini's own it does not ask for the current URL first.
    pub(super) fn navigate(url: &str) -> SessionCommand {
        SessionCommand { path: "url", body: json!({ "url": url }) }
    }

    /// Sets the script timeout (WebDriver, Set Timeouts).
    pub(super) fn script_timeout(limit: std::time::Duration) -> SessionCommand {
        SessionCommand { path: "timeouts", body: json!({ "script": u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) }) }
    }

    /// Drains Chromium's log; the prefix is Selenium's, which chromedriver took over.
    pub(super) fn chromium_log() -> SessionCommand {
        SessionCommand { path: "se/log", body: json!({ "type": "browser" }) }
    }

    /// The same under its name of old, which some remote ends know only.
    pub(super) fn legacy_log() -> SessionCommand {
        SessionCommand { path: "log", body: json!({ "type": "browser" }) }
    }

    /// Switches geckodriver between the page (`content`) and the browser itself (`chrome`).
    pub(super) fn gecko_context(context: &str) -> SessionCommand {
        SessionCommand { path: "moz/context", body: json!({ "context": context }) }
    }
}

impl WebDriverCompatibleCommand for SessionCommand {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// Asks the driver on `port` for its status (WebDriver, Status): whether it is ready for a session.
pub(super) async fn is_ready(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET /status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // Not every driver closes the connection when asked to: the answer ends where its JSON does.
    while answer.len() < STATUS_LIMIT {
        if stream.read_buf(&mut answer).await? == 0 {
            break;
        }
        if let Some(ready) = ready_in(&answer) {
            return Ok(ready);
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "the answer to /status is not WebDriver's"))
}

/// What a whole answer says of readiness; nothing while it is not whole.
fn ready_in(answer: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(answer).ok()?;
    let (_, body) = text.split_once("\r\n\r\n")?;
    // Between the braces, so that the frame of a chunk does not matter.
    let json = body.get(body.find('{')?..=body.rfind('}')?)?;
    let status: Value = serde_json::from_str(json).ok()?;
    status.get("value")?.get("ready")?.as_bool()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_is_read_from_a_whole_answer_only() {
        let whole = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"value\":{\"message\":\"\",\"ready\":true}}";
        assert_eq!(ready_in(whole.as_bytes()), Some(true));
        assert_eq!(ready_in(&whole.as_bytes()[..whole.len() - 1]), None);
        let chunked = "HTTP/1.1 200 OK\r\n\r\n26\r\n{\"value\":{\"message\":\"\",\"ready\":false}}\r\n0\r\n\r\n";
        assert_eq!(ready_in(chunked.as_bytes()), Some(false));
        assert_eq!(ready_in(b"HTTP/1.1 200 OK\r\n\r\n<html>"), None);
    }
}
