//! What can go wrong with a session, in words that say what to do next.

use std::io;
use std::time::Duration;

use fantoccini::error::{CmdError, ErrorStatus, NewSessionError};

use super::Engine;

/// A session could not be had, or a command of it failed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A program could not be started at all.
    #[error("cannot start {program}: {source}")]
    Spawn {
        /// The program, as it was called.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// The driver (or the virtual display) ran but never became ready.
    #[error("{what} did not become ready: {why}{}", quoted(.log))]
    NotReady {
        /// The program.
        what: String,
        /// What was seen instead.
        why: String,
        /// Whether it ended, so that another start (on another port) may help; it was only silent otherwise.
        ended: bool,
        /// The last lines that it wrote.
        log: String,
    },
    /// The driver answered but gave no session.
    #[error("no {} session: {why}{}", .engine.title(), quoted(.log))]
    NoSession {
        /// The engine that was asked for.
        engine: Engine,
        /// The driver's words.
        why: String,
        /// The last lines that it wrote; empty for a remote end.
        log: String,
    },
    /// The address of a remote end cannot be used.
    #[error("cannot use the remote end {url}: {why}; give an http:// or https:// address such as http://127.0.0.1:4444")]
    Address {
        /// The address, without any password.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A command got no answer in time: the page, the browser or the driver hangs.
    #[error("{command} got no answer within {} s", .after.as_secs_f32())]
    TimedOut {
        /// The command.
        command: &'static str,
        /// The limit.
        after: Duration,
    },
    /// The driver answered a command with an error.
    #[error("{command} failed: {why}")]
    Refused {
        /// The command.
        command: &'static str,
        /// The error code of WebDriver, such as `javascript error`.
        code: String,
        /// The driver's words.
        why: String,
    },
    /// The driver is gone, or what it answers is not WebDriver.
    #[error("{command} failed: the connection to the driver is lost ({why})")]
    Lost {
        /// The command.
        command: &'static str,
        /// What was seen.
        why: String,
    },
}

impl SessionError {
    /// Whether the session is of no more use and has to be replaced.
    ///
    /// An error of the script or of its arguments leaves the session as it was; everything else ends it.
    pub fn ends_session(&self) -> bool {
        match self {
            SessionError::Refused { code, .. } => !matches!(
                code.as_str(),
                "javascript error" | "invalid argument" | "script timeout" | "unknown command" | "unsupported operation" | "unknown method"
            ),
            _ => true,
        }
    }

    pub(super) fn of_command(command: &'static str, error: CmdError) -> SessionError {
        match error {
            CmdError::Standard(told) => SessionError::Refused { command, code: told.error.to_string(), why: told.to_string() },
            other => SessionError::Lost { command, why: chain(&other) },
        }
    }

    pub(super) fn of_start(engine: Engine, error: &NewSessionError, log: String) -> SessionError {
        let why = match error {
            NewSessionError::SessionNotCreated(told) => told.message.to_string(),
            // The driver's own words are in the JSON of an `unknown error`.
            NewSessionError::NotW3C(answer) => {
                answer.get("message").and_then(|message| message.as_str()).map_or_else(|| answer.to_string(), str::to_owned)
            }
            other => chain(other),
        };
        SessionError::NoSession { engine, why, log }
    }
}

/// Whether the remote end does not know the command, so that another spelling may be tried.
pub(super) fn is_unknown_command(error: &CmdError) -> bool {
    match error {
        CmdError::Standard(told) => {
            matches!(
                told.error,
                ErrorStatus::UnknownCommand | ErrorStatus::UnknownMethod | ErrorStatus::UnknownPath | ErrorStatus::UnsupportedOperation
            )
        }
        // Some remote ends answer an unknown path with a page of HTML.
        CmdError::NotJson(_) => true,
        _ => false,
    }
}

/// An error with its causes, which hyper keeps out of its own words ("client error (Connect)").
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !words.contains(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = inner.source();
    }
    words
}

fn quoted(log: &str) -> String {
    if log.is_empty() {
        return String::new();
    }
    let lines: String = log.lines().map(|line| format!("\n  | {line}")).collect();
    format!("\nits last words:{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> SessionError {
        SessionError::Refused { command: "execute", code: code.to_owned(), why: String::new() }
    }

    #[test]
    fn only_errors_of_the_script_leave_the_session_usable() {
        assert!(!refused("javascript error").ends_session());
        assert!(!refused("script timeout").ends_session());
        assert!(refused("invalid session id").ends_session());
        assert!(refused("unknown error").ends_session());
        assert!(SessionError::TimedOut { command: "goto", after: Duration::from_secs(20) }.ends_session());
    }

    #[test]
    fn a_failed_start_quotes_the_log() {
        let error = SessionError::NotReady { what: "geckodriver".into(), why: "it exited".into(), ended: true, log: "one\ntwo".into() };
        assert_eq!(error.to_string(), "geckodriver did not become ready: it exited\nits last words:\n  | one\n  | two");
    }
}
