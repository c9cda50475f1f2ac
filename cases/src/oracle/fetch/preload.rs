//! Fetching, step 11, and what it takes from: preloads of the request's document.

use std::borrow::Cow;

use super::{Fetch, Fetched};
use crate::format::ResponseType;
use crate::oracle::{
    defect::Defect,
    network::{Network, ReadEnd},
    preloads::{Entry, Key, Preloaded},
    request::{CacheState, Failure, Request, Response, Source, UrlList},
    trace::{Algorithm, Trace},
};

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// Which document this is.
    pub(in crate::oracle) fn document(&self) -> String {
        format!("{} of {} in {}", self.env.url, self.env.origin.serialized(), self.env.partition)
    }

    fn preload_key(&self, request: &Request<'a>) -> Key {
        Key {
            document: self.document(),
            url: request.urls.first().to_string(),
            destination: request.destination,
            mode: request.mode,
            credentials: request.credentials,
        }
    }

    /// The preloaded response candidate, if there is one (HTML, consume a preloaded resource).
    pub(super) fn preloaded(&mut self, request: &mut Request<'a>) -> Option<Fetched<'a, N::Body>> {
        let eligible =
            self.env.is_window && request.method == "GET" && (!request.has_author_headers || self.has(Defect::PreloadIgnoresHeaders));
        if self.ua.preloads.is_empty() || !eligible {
            return None;
        }
        let (wanted, defects) = (self.preload_key(request), self.defects());
        let fits = |key: &Key| {
            let same = (&key.document, &key.url) == (&wanted.document, &wanted.url);
            same && (key.destination == wanted.destination || defects.has(Defect::PreloadIgnoresDestination))
                && (key.mode == wanted.mode || defects.has(Defect::PreloadIgnoresMode))
                && (key.credentials == wanted.credentials || defects.has(Defect::PreloadIgnoresCredentials) && key.mode == wanted.mode)
        };
        let integrity = request.integrity;
        let takes = |had: &str| integrity.is_empty() || integrity == had || defects.has(Defect::PreloadIgnoresIntegrity);
        let mut preloads = std::mem::take(&mut self.ua.preloads);
        let entry = preloads.consume(fits, takes, defects.has(Defect::PreloadUsedTwice)).filter(|_| !defects.has(Defect::PreloadUnused));
        self.ua.preloads = preloads;
        let entry = entry?;
        self.note(Algorithm::Fetching, "11.3", "a preload of the same URL, destination, mode and credentials mode is the response");
        Some(entry.response.map(|response| {
            request.tainting = response.tainting;
            let mut urls = response.urls.into_iter();
            if let Some(first) = urls.next() {
                request.urls = UrlList::new(Cow::Owned(first));
                urls.for_each(|url| request.urls.push(url));
            }
            Response {
                kind: ResponseType::Default,
                status: response.status,
                status_text: Cow::Owned(response.status_text),
                headers: response.headers,
                body: Source::Bytes(Cow::Owned(response.body)),
                range_requested: false,
                cache_state: CacheState::None,
            }
        }))
    }

    /// Makes a preload entry (HTML, preload); gives its failure, if it is one.
    pub(in crate::oracle) fn preload(&mut self, mut request: Request<'a>) -> Result<(), Failure> {
        let key = self.preload_key(&request);
        let integrity = request.integrity.to_owned();
        let fetched = match self.main_fetch(&mut request, false) {
            Err(failure) => Err(failure),
            Ok(response) => {
                let read = self.read(response.body);
                if read.end == ReadEnd::Complete {
                    Ok(Preloaded {
                        urls: request.urls.iter().map(|url| url.as_ref().clone()).collect(),
                        tainting: request.tainting,
                        status: response.status,
                        status_text: response.status_text.into_owned(),
                        headers: response.headers.into_owned(),
                        body: read.bytes.into_owned(),
                    })
                } else {
                    Err(self.fail(Algorithm::Initiator, "3", "the body cannot be read to its end", crate::Reason::Network))
                }
            }
        };
        let end = fetched.as_ref().map(|_| ()).map_err(|failure| *failure);
        self.ua.preloads.add(key, Entry { integrity, response: fetched });
        end
    }
}
