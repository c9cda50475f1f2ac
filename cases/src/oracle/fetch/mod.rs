//! Fetching (Fetch, section 4): main fetch and everything it calls, step by step.
//!
//! Whatever a step of the standard does that no page and no server can notice (tasks, parallelism, timing, reports) is left out.
//! Branches name the step they stand for; those that belong to a seeded [`Defect`] name the defect.

mod cache;
mod checks;
mod fields;
mod http_fetch;
mod main_fetch;
mod network;
mod preflight;
mod preload;
mod redirect;
mod worker;

use std::borrow::Cow;

use super::{
    defect::{Defect, Defects},
    grammar::{self, Extracted},
    headers::HeaderList,
    lapses,
    network::{Limits, Network},
    origin::Origin,
    request::{Environment, Failure, Request, Response, Taint},
    safelist,
    trace::{Algorithm, Compared, PathStep, Trace},
    user_agent::UserAgent,
};
use crate::{text::escape, words::Reason};

/// One fetch under way. `SEEDED` says whether the user agent has defects: where it has none, the compiler leaves no branch of them.
pub(super) struct Fetch<'u, 'a, N, T, const SEEDED: bool> {
    pub(super) ua: &'u mut UserAgent,
    pub(super) env: &'a Environment,
    pub(super) net: &'u mut N,
    pub(super) trace: &'u mut T,
    pub(super) limits: Limits,
    /// Whether the body of the actual request was handed to the network: what upload events tell.
    pub(super) transmitted: bool,
    /// Whether the times are asked for.
    pub(super) timed: bool,
    /// Whether a response has not passed the TAO check.
    pub(super) timing_failed: bool,
    /// The requests that a service worker saw.
    pub(super) worker_saw: Vec<String>,
    /// Whether a preflight was sent.
    pub(super) preflighted: bool,
    /// What Resource Timing tells of the response.
    pub(super) told: super::api::Told,
}

type Fetched<'a, B> = Result<Response<'a, B>, Failure>;

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    #[inline]
    fn has(&self, defect: Defect) -> bool {
        SEEDED && self.ua.defects.has(defect)
    }

    #[inline]
    pub(super) fn defects(&self) -> Defects {
        if SEEDED { self.ua.defects } else { Defects::NONE }
    }

    /// What defects make of something: nothing, where there are none.
    #[inline]
    fn lapse<R: Default>(&self, lapse: impl FnOnce(&Defects) -> R) -> R {
        if SEEDED { lapse(&self.ua.defects) } else { R::default() }
    }

    /// Keeps a step of the path, when somebody wants it.
    pub(super) fn note(&mut self, algorithm: Algorithm, step: &'static str, says: impl Into<Cow<'static, str>>) {
        if T::ON {
            self.trace.push(PathStep { algorithm, step, says: says.into(), compared: None, decides: false });
        }
    }

    /// Keeps a step that compared two values.
    fn compare(&mut self, algorithm: Algorithm, step: &'static str, says: &'static str, wanted: &[u8], found: Option<&[u8]>) {
        if T::ON {
            let found = found.map_or_else(|| "nothing".to_owned(), |f| format!("`{}`", escape(f)));
            let compared = Some(Compared { wanted: format!("`{}`", escape(wanted)), found });
            self.trace.push(PathStep { algorithm, step, says: says.into(), compared, decides: false });
        }
    }

    /// Keeps the step that ended the request.
    pub(super) fn fail(&mut self, algorithm: Algorithm, step: &'static str, says: impl Into<Cow<'static, str>>, reason: Reason) -> Failure {
        if T::ON {
            self.trace.push(PathStep { algorithm, step, says: says.into(), compared: None, decides: true });
        }
        Failure::from(reason)
    }

    /// The request's origin, which a defect may take from the page around an opaque origin.
    pub(super) fn origin(&self) -> &'a Origin {
        if self.has(Defect::InheritedOriginOpaque) && self.env.inherits_origin {
            return &Origin::Opaque;
        }
        if self.has(Defect::OriginOfBase) && self.env.base_origin != self.env.page_origin {
            return &self.env.base_origin;
        }
        if self.has(Defect::OpaqueOriginIsHost) { &self.env.page_origin } else { &self.env.origin }
    }

    pub(super) fn is_safelisted_method(&self, method: &str) -> bool {
        self.lapse(|d| lapses::method_is_safe(d, method)).unwrap_or_else(|| safelist::is_cors_safelisted_method(method))
    }

    pub(super) fn unsafe_names<'r>(&self, request: &'r Request<'a>) -> Vec<Cow<'r, str>> {
        self.lapse(|d| lapses::unsafe_names(d, &request.headers)).unwrap_or_else(|| safelist::unsafe_names(&request.headers))
    }

    pub(super) fn has_unsafe_names(&self, request: &Request<'a>) -> bool {
        if SEEDED { !self.unsafe_names(request).is_empty() } else { safelist::has_unsafe_names(&request.headers) }
    }

    /// Serializing a request origin.
    pub(super) fn serialized_origin(&self, request: &Request<'a>) -> &'a str {
        let tainted = match request.taint {
            Taint::SameOrigin => {
                self.has(Defect::RedirectTaintEarly) && request.urls.iter().any(|u| !self.env.origin.is_same(u)) && request.redirects > 0
            }
            Taint::SameSite | Taint::CrossSite => !self.has(Defect::RedirectNoTaint),
        };
        if tainted { "null" } else { self.origin().serialized() }
    }

    /// Extract header list values, of a list of tokens.
    pub(super) fn list<'h>(&self, headers: &'h HeaderList<'_>, name: &str) -> List<'h> {
        self.lapse(|d| lapses::list(d, headers, name)).unwrap_or_else(|| match grammar::extract_tokens(headers, name) {
            Extracted::Absent => Ok(None),
            Extracted::Failure => Err(()),
            Extracted::Values(values) => Ok(Some(values)),
        })
    }
}

/// A list that may be absent or malformed.
pub(super) type List<'h> = Result<Option<Vec<&'h str>>, ()>;
