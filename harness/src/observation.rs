//! What was observed: what the page saw, what crossed the wire, and the browser's own words.

use corscheck_cases::{
    Outcome, Reason,
    format::{Timing, TimingEntry},
};
use corscheck_servers::Exchange;
use serde::{Deserialize, Serialize};

/// Everything one attempt at a case gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What the page saw, step by step; shorter than the case when the page stopped answering.
    pub pages: Vec<PageResult>,
    /// What crossed the wire, in order of arrival.
    pub exchanges: Vec<Exchange>,
    /// The browser's own words on it, as far as the driver gives them.
    pub words: Vec<Word>,
}

impl Observation {
    /// The first reason that the browser's own words name.
    pub fn reason(&self) -> Option<Reason> {
        self.words.iter().find_map(|w| w.reason)
    }
}

/// One sentence of the browser, from its log or console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// The sentence.
    pub text: String,
    /// A category that is stable over languages, where the engine has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub category: Option<String>,
    /// Our reason code for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Reason>,
}

/// What the page saw of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageResult {
    /// How it ended.
    pub end: PageEnd,
    /// XHR: the events on the request, repeats folded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// XHR: the events on the upload object, repeats folded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upload_events: Vec<String>,
    /// What Resource Timing tells of the request, where that was asked; absent where it has no entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
    /// What else its entry says, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Box<TimingEntry>>,
    /// The requests that a service worker saw, method and path, where there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worker_saw: Vec<String>,
    /// An exception that a call threw while the request went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thrown: Option<Exception>,
    /// XHR that failed: what the object shows all the same; nothing, if it is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Box<PageResponse>>,
    /// From start to end by the page's clock, in milliseconds.
    pub ms: f64,
}

/// How a step ended for the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageEnd {
    /// There is a response.
    Response(Box<PageResponse>),
    /// An element or another interface has what it asked for.
    Loaded {
        /// Whether the page can look into it.
        readable: bool,
    },
    /// The promise was rejected, `error` was fired, or a synchronous send() threw a NetworkError.
    NetworkError(Exception),
    /// The API threw before there was a request.
    Refused(Exception),
    /// The page's own abort or timeout ended it.
    Aborted(Exception),
    /// The engine lacks what the request needs, in words.
    Unsupported(String),
    /// The agent itself failed, in its words: nothing was observed.
    AgentFault(String),
    /// Nothing came within the agent's patience.
    NoAnswer {
        /// How long the agent waited, in milliseconds.
        after_ms: f64,
    },
}

/// A response as the page sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageResponse {
    /// `response.type`; absent for XMLHttpRequest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Status.
    pub status: u16,
    /// Status text.
    pub status_text: String,
    /// URL.
    pub url: String,
    /// `response.redirected`; absent for XMLHttpRequest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirected: Option<bool>,
    /// The headers that iteration gives, in its order.
    pub headers: Vec<(String, String)>,
    /// Headers that were asked for by name: the value, or null.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probed: Vec<(String, Option<String>)>,
    /// The first 4096 bytes of the body, each byte as the character of its number.
    pub body: String,
    /// Length of the body in bytes.
    pub body_length: u64,
    /// The exception that reading the body gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_error: Option<Exception>,
}

/// A thrown or rejected value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// `TypeError`, `NetworkError` …
    pub name: String,
    /// Its message, in the engine's words.
    #[serde(default)]
    pub message: String,
}

impl PageResult {
    /// Every exception the step gave, the decisive one first: of the request, of reading the body, of a call beside it.
    pub fn exceptions(&self) -> impl Iterator<Item = &Exception> {
        let body = match &self.end {
            PageEnd::Response(response) => response.body_error.as_ref(),
            _ => None,
        };
        self.end.exception().into_iter().chain(body).chain(&self.thrown)
    }
}

impl PageEnd {
    /// The outcome, unless there was no answer or nothing was asked.
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            PageEnd::Response(r) => Some(match r.r#type.as_deref() {
                Some("opaque") => Outcome::Opaque,
                Some("opaqueredirect") => Outcome::OpaqueRedirect,
                Some("error") => Outcome::Blocked,
                _ => Outcome::Allowed,
            }),
            PageEnd::Loaded { readable: true } => Some(Outcome::Allowed),
            PageEnd::Loaded { readable: false } => Some(Outcome::Opaque),
            PageEnd::NetworkError(_) => Some(Outcome::Blocked),
            PageEnd::Refused(_) => Some(Outcome::Refused),
            PageEnd::Aborted(_) => Some(Outcome::Aborted),
            PageEnd::NoAnswer { .. } | PageEnd::Unsupported(_) | PageEnd::AgentFault(_) => None,
        }
    }

    /// The exception, where there is one.
    pub fn exception(&self) -> Option<&Exception> {
        match self {
            PageEnd::NetworkError(e) | PageEnd::Refused(e) | PageEnd::Aborted(e) => Some(e),
            PageEnd::Response(_) | PageEnd::Loaded { .. } | PageEnd::NoAnswer { .. } | PageEnd::Unsupported(_) | PageEnd::AgentFault(_) => {
                None
            }
        }
    }
}
