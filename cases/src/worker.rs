//! What a service worker makes of the fetch event of a request: data that the one worker of this project acts on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    format::{Credentials, Mode, RedirectMode},
    text::{Resolve, Text},
};

/// What the worker does with the first fetch event of a step. Later ones go to the network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Answering {
    /// What it responds with.
    pub respond: Respond,
    /// Status of a Response that it makes; 200 when absent, 302 of a redirect.
    pub status: Option<u16>,
    /// Headers of a Response that it makes.
    #[serde(default)]
    pub headers: Vec<(Text, Text)>,
    /// Body of a Response that it makes.
    pub body: Option<Text>,
    /// Mode of the request that it makes itself.
    pub mode: Option<Mode>,
    /// Credentials mode of the request that it makes itself.
    pub credentials: Option<Credentials>,
    /// Redirect mode of the request that it makes itself.
    pub redirect: Option<RedirectMode>,
}

/// What a worker responds with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Respond {
    /// It does not call `respondWith()`.
    Nothing,
    /// `new Response(body, { status, headers })`.
    Response,
    /// `Response.error()`.
    Error,
    /// A promise that is rejected.
    Reject,
    /// `Response.redirect()` to the next resource.
    Redirect,
    /// `fetch(event.request)`.
    Pass,
    /// `fetch()` of the same URL, with modes of its own.
    Fetch,
    /// `fetch()` of the next resource.
    FetchNext,
}

/// [`Answering`], resolved, as it crosses to the worker in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerAnswer {
    /// What it responds with.
    pub respond: Respond,
    /// Status of a Response that it makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Headers of a Response that it makes.
    pub headers: Vec<(String, String)>,
    /// Body of a Response that it makes.
    pub body: String,
    /// The URL of the next resource.
    pub next: String,
    /// Mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Credentials mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// Redirect mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<RedirectMode>,
}

impl Answering {
    /// With every placeholder replaced.
    pub(crate) fn bind(&self, resolver: &dyn Resolve, next: String) -> WorkerAnswer {
        WorkerAnswer {
            respond: self.respond,
            status: self.status,
            headers: self.headers.iter().map(|(n, v)| (n.resolve(resolver), v.resolve(resolver))).collect(),
            body: self.body.as_ref().map(|b| b.resolve(resolver)).unwrap_or_default(),
            next,
            mode: self.mode,
            credentials: self.credentials,
            redirect: self.redirect,
        }
    }
}
