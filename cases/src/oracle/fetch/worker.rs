//! HTTP fetch, step 3: a service worker between a page and the network.

use std::borrow::Cow;

use url::Url;

use super::{Fetch, Fetched};
use crate::{
    format::{Credentials, Mode, RedirectMode, ResponseType},
    oracle::{
        defect::Defect,
        grammar,
        headers::HeaderList,
        network::Network,
        request::{CacheState, Failure, Request, Response, Source, Tainting},
        trace::{Algorithm, Trace},
    },
    words::Reason,
    worker::{Respond, WorkerAnswer},
};

/// A response of a worker, and the request that it made for it; none, where it made the Response itself.
pub(super) struct Served<'a, B> {
    response: Response<'a, B>,
    inner: Option<Request<'a>>,
}

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// Handle fetch: what the worker gives for a request, if it gives anything.
    pub(super) fn handle_fetch(&mut self, request: &mut Request<'a>) -> Result<Option<Served<'a, N::Body>>, Failure> {
        use Algorithm::HttpFetch;
        if std::mem::take(&mut request.worker_watches) {
            self.worker_sees(request);
        }
        // Each request is answered once; a redirect from the network makes no event at all.
        let Some(answer) = request.worker.take() else { return Ok(None) };
        self.worker_sees(request);
        if self.has(Defect::WorkerIgnored) {
            return Ok(None);
        }
        let ourselves = |response| Ok(Some(Served { response, inner: None }));
        match answer.respond {
            Respond::Nothing => {
                self.note(HttpFetch, "3.4", "the service worker does not respond: the network does");
                request.worker_watches = self.has(Defect::WorkerSeesRedirects);
                Ok(None)
            }
            Respond::Error => {
                Err(self.fail(HttpFetch, "3.5.7", "the service worker gives a response of type error", Reason::ServiceWorker))
            }
            Respond::Reject => Err(self.fail(HttpFetch, "3.5.7", "the service worker's promise is rejected", Reason::ServiceWorker)),
            Respond::Response => ourselves(made(answer)),
            Respond::Redirect => {
                // What follows is another event, which the worker leaves to the network.
                request.worker_watches = true;
                let mut response = made(answer);
                response.status = answer.status.unwrap_or(302);
                response.headers.append("Location", answer.next.as_bytes());
                ourselves(response)
            }
            Respond::Pass | Respond::Fetch | Respond::FetchNext => self.fetched_by_worker(request, answer).map(Some),
        }
    }

    fn worker_sees(&mut self, request: &Request<'a>) {
        let below = request.url().path().split('/').nth(3).unwrap_or_default();
        self.worker_saw.push(format!("{} {below}", request.method));
    }

    /// `fetch()` in the worker: a request of its own, with a verdict of its own.
    fn fetched_by_worker(&mut self, request: &Request<'a>, answer: &'a WorkerAnswer) -> Result<Served<'a, N::Body>, Failure> {
        let url = match answer.respond {
            Respond::FetchNext => Url::parse(&answer.next).map_or_else(|_| request.urls.last().clone(), Cow::Owned),
            _ => request.urls.last().clone(),
        };
        let mut inner = Request::new(url);
        if answer.respond == Respond::Pass {
            inner.method = request.method.clone();
            inner.headers = request.headers.clone();
            inner.body = request.body;
            (inner.mode, inner.credentials) = (request.mode, request.credentials);
            (inner.redirect, inner.cache) = (request.redirect, request.cache);
            inner.use_cors_preflight = request.use_cors_preflight;
        } else {
            inner.mode = answer.mode.unwrap_or(Mode::Cors);
            inner.credentials = answer.credentials.unwrap_or(Credentials::SameOrigin);
            inner.redirect = answer.redirect.unwrap_or(RedirectMode::Follow);
            self.append_defaults(&mut inner);
        }
        self.note(Algorithm::HttpFetch, "3.4", "the service worker makes a request of its own");
        let page = self.env;
        self.env = page.worker.as_deref().unwrap_or(page);
        let fetched = self.main_fetch(&mut inner, false);
        self.env = page;
        match fetched {
            Err(failure) if self.has(Defect::WorkerUnchecked) && failure.hidden_status.is_some() => {
                Ok(Served { response: made(answer), inner: Some(inner) })
            }
            response => Ok(Served { response: response?, inner: Some(inner) }),
        }
    }

    /// HTTP fetch, steps 3.5.7, 5 and 6, for what a worker gave.
    pub(super) fn served_by_worker(&mut self, request: &mut Request<'a>, served: Served<'a, N::Body>) -> Fetched<'a, N::Body> {
        use Algorithm::HttpFetch;
        let Served { response, inner } = served;
        let kind = response.kind;
        let redirected = inner.as_ref().is_some_and(|inner| inner.urls.is_redirected());
        let refused = [
            (
                request.mode == Mode::SameOrigin && kind == ResponseType::Cors && !self.has(Defect::WorkerCorsForSameOrigin),
                "a response of type cors, and mode same-origin",
            ),
            (
                request.mode != Mode::NoCors && kind == ResponseType::Opaque && !self.has(Defect::WorkerOpaqueForCors),
                "an opaque response, and a mode other than no-cors",
            ),
            (
                request.redirect != RedirectMode::Manual && kind == ResponseType::OpaqueRedirect && !self.has(Defect::WorkerOpaqueRedirect),
                "an opaque-redirect response, and a redirect mode other than manual",
            ),
            (
                request.redirect != RedirectMode::Follow && redirected && !self.has(Defect::WorkerRedirected),
                "a redirected response, and a redirect mode other than follow",
            ),
        ];
        if let Some((_, says)) = refused.into_iter().find(|(refused, _)| *refused) {
            return Err(self.fail(HttpFetch, "3.5.7", says, Reason::ServiceWorker));
        }
        self.note(HttpFetch, "3.5", "the service worker's response is taken, without a CORS check");
        if self.has(Defect::WorkerChecked) && request.tainting == Tainting::Cors && inner.is_none() {
            self.cors_check(request, &response, false)?;
        }
        let opaque = kind == ResponseType::Opaque && !self.has(Defect::WorkerCorpSkipped);
        if opaque && !self.corp_allows(request, &response) {
            return Err(self.fail(HttpFetch, "5", "Cross-Origin-Resource-Policy blocks the response", Reason::Corp));
        }
        if let Some(inner) = inner {
            // The URL list of a response is that of the request it answered.
            request.urls = inner.urls;
            return Ok(response);
        }
        if !grammar::is_redirect_status(response.status) || !response.headers.contains("Location") {
            return Ok(response);
        }
        match request.redirect {
            RedirectMode::Error => Err(self.fail(HttpFetch, "6.3", "redirect mode error, and a redirect", Reason::RedirectError)),
            RedirectMode::Manual => Ok(Response { kind: ResponseType::OpaqueRedirect, ..response }),
            RedirectMode::Follow => self.http_redirect_fetch(request, response),
        }
    }
}

/// A Response that the worker makes itself.
fn made<'a, B>(answer: &'a WorkerAnswer) -> Response<'a, B> {
    let mut headers = HeaderList::new();
    for (name, value) in &answer.headers {
        headers.append(name.as_str(), value.as_bytes());
    }
    if !answer.body.is_empty() && !headers.contains("Content-Type") {
        headers.append("Content-Type", &b"text/plain;charset=UTF-8"[..]);
    }
    Response {
        kind: ResponseType::Default,
        status: answer.status.unwrap_or(200),
        status_text: Cow::Borrowed(b""),
        headers,
        body: Source::Bytes(Cow::Borrowed(answer.body.as_bytes())),
        range_requested: false,
        cache_state: CacheState::None,
    }
}
