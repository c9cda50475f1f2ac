//! Elements and other interfaces that make requests (HTML; CSS Font Loading; Beacon): which request they make, and what becomes of
//! its response. See [`crate::initiator`] for what their outcomes mean.

use std::borrow::Cow;

use url::Url;

use super::{
    api::{Call, End, View},
    defect::Defect,
    fetch::Fetch,
    grammar, integrity,
    network::{Network, ReadEnd},
    request::{Body, Destination, Failure, Referrer, ReferrerPolicy, Request, Response},
    trace::{Algorithm, Trace},
};
use crate::{
    format::{Api, CacheMode, Credentials, CrossOrigin, Mode, PreloadAs, RedirectMode, ResponseType},
    words::Reason,
};

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    /// An initiator's request, and what the page sees of it.
    pub(super) fn initiated(&mut self, call: &'a Call) -> View<'a> {
        let api = call.action.api;
        if matches!(api, Api::FetchLater | Api::KeepaliveFrame) {
            return self.fetch_later(call);
        }
        let Some(url) = call.url() else {
            let failure = self.fail(Algorithm::Initiator, "1", "the URL cannot be parsed", Reason::ApiRefused);
            return blocked(api, &failure);
        };
        let mut request = self.initiator_request(call, url);
        let is_module = matches!(api, Api::Module | Api::Import | Api::ModulePreload);
        if api == Api::Preload {
            return match self.preload(request) {
                Ok(()) => loaded(false),
                Err(failure) => blocked(api, &failure),
            };
        }
        let known = is_module && self.ua.preloads.has_module(&self.document(), url.as_str());
        if known && !self.defects().has(Defect::ModulePreloadUnused) {
            self.note(Algorithm::Initiator, "2", "the module map has the script already");
            return loaded(api != Api::ModulePreload);
        }
        match self.main_fetch(&mut request, false) {
            Err(failure) => {
                // A beacon is taken and gone: nobody hears what becomes of it.
                if api.is_sent_and_gone() { loaded(false) } else { blocked(api, &failure) }
            }
            Ok(_) if api.is_sent_and_gone() => loaded(false),
            Ok(response) => match self.taken_whole(call, &request, response) {
                Ok(readable) => {
                    if is_module {
                        let document = self.document();
                        self.ua.preloads.add_module(document, url.to_string());
                    }
                    loaded(readable && api != Api::ModulePreload)
                }
                Err(failure) => blocked(api, &failure),
            },
        }
    }

    /// `fetchLater()`, and a `fetch()` whose frame is gone: a Request as for `fetch()`, and nobody hears of its response.
    fn fetch_later(&mut self, call: &'a Call) -> View<'a> {
        let mut request = match self.new_request(call) {
            Ok(request) => request,
            Err(thrown) => return self.refused(&thrown),
        };
        request.keepalive = true;
        if call.action.api == Api::KeepaliveFrame && self.defects().has(Defect::KeepaliveDies) {
            return loaded(false);
        }
        if self.defects().has(Defect::FetchLaterNoCors) {
            request.mode = Mode::NoCors;
        }
        // Whatever becomes of it.
        let _ = self.main_fetch(&mut request, false);
        loaded(false)
    }

    /// HTML, create a potential-CORS request, and what each initiator makes of it.
    fn initiator_request(&mut self, call: &'a Call, url: &'a Url) -> Request<'a> {
        let action = &call.action;
        let api = action.api;
        let mut request = Request::new(Cow::Borrowed(url));
        let crossorigin = action.crossorigin.filter(|_| !self.defects().has(Defect::CrossOriginIgnored));
        let with = |credentials: bool| if credentials { Credentials::Include } else { Credentials::SameOrigin };
        (request.mode, request.credentials) = match (api, crossorigin) {
            (Api::Module | Api::ModulePreload, _) if self.defects().has(Defect::ModuleNoCors) => (Mode::NoCors, Credentials::Include),
            (Api::Font, _) if self.defects().has(Defect::FontNoCors) => (Mode::NoCors, Credentials::Include),
            (Api::Module | Api::ModulePreload, given) => (Mode::Cors, with(given == Some(CrossOrigin::UseCredentials))),
            (Api::Import | Api::Font, _) => (Mode::Cors, Credentials::SameOrigin),
            (Api::EventSource, _) => (Mode::Cors, with(action.credentials == Some(Credentials::Include))),
            (Api::MaskImage | Api::ShapeOutside, _) if !self.defects().has(Defect::CssImagesNoCors) => {
                (Mode::Cors, Credentials::SameOrigin)
            }
            (Api::DedicatedWorker | Api::SharedWorker, _) if self.defects().has(Defect::WorkersCrossOrigin) => {
                (Mode::NoCors, Credentials::Include)
            }
            (Api::DedicatedWorker | Api::SharedWorker, _) => (Mode::SameOrigin, Credentials::SameOrigin),
            (Api::WorkerImport | Api::Worklet, _) if self.defects().has(Defect::ModuleNoCors) => (Mode::NoCors, Credentials::Include),
            (Api::WorkerImport | Api::Worklet, _) => (Mode::Cors, action.credentials.unwrap_or(Credentials::SameOrigin)),
            (Api::WebSocket, _) if self.defects().has(Defect::WebSocketOmits) => (Mode::Websocket, Credentials::Omit),
            (Api::WebSocket, _) => (Mode::Websocket, Credentials::Include),
            (Api::Frame | Api::Object | Api::Embed | Api::Form, _) => (Mode::Navigate, Credentials::Include),
            (Api::Beacon | Api::FetchLater | Api::KeepaliveFrame | Api::Ping, _) => (Mode::NoCors, Credentials::Include),
            // The same-origin fallback flag is set.
            (Api::Track, None) => (Mode::SameOrigin, Credentials::Include),
            (_, None) => (Mode::NoCors, Credentials::Include),
            (_, Some(given)) => (Mode::Cors, with(given == CrossOrigin::UseCredentials)),
        };
        if crossorigin == Some(CrossOrigin::Anonymous) && self.defects().has(Defect::AnonymousIncludes) {
            request.credentials = Credentials::Include;
        }
        if crossorigin == Some(CrossOrigin::UseCredentials) && self.defects().has(Defect::UseCredentialsOmitted) {
            request.credentials = Credentials::SameOrigin;
        }
        let says = match request.mode {
            Mode::Cors => "mode cors",
            Mode::Websocket => "mode websocket",
            Mode::SameOrigin => "mode same-origin: a track without crossorigin is of the page's own origin",
            _ => "mode no-cors",
        };
        self.note(Algorithm::Initiator, "2", says);
        request.destination = match api {
            api if api.is_img() || api.is_css_image() => Destination::Image,
            Api::Frame | Api::Form => Destination::Frame,
            Api::Object => Destination::Object,
            Api::Embed => Destination::Embed,
            Api::DedicatedWorker => Destination::Worker,
            Api::SharedWorker => Destination::SharedWorker,
            Api::WorkerImport => Destination::Script,
            Api::Worklet => Destination::AudioWorklet,
            Api::Script | Api::Module | Api::Import | Api::ImportScripts | Api::ModulePreload => Destination::Script,
            Api::Preload => match action.destination {
                None | Some(PreloadAs::Fetch) => Destination::Empty,
                Some(PreloadAs::Font) => Destination::Font,
                Some(PreloadAs::Image) => Destination::Image,
                Some(PreloadAs::Script) => Destination::Script,
                Some(PreloadAs::Style) => Destination::Style,
            },
            Api::Style => Destination::Style,
            Api::Font => Destination::Font,
            Api::Track => Destination::Track,
            Api::Audio => Destination::Audio,
            Api::Video => Destination::Video,
            _ => Destination::Empty,
        };
        request.use_url_credentials = true;
        if let Some(policy) = action.referrer_policy.as_deref().filter(|word| !word.is_empty()).and_then(ReferrerPolicy::parse) {
            request.referrer_policy = Some(policy);
        }
        request.integrity = action.integrity.as_deref().unwrap_or_default();
        match api {
            Api::EventSource => {
                request.headers.append("Accept", &b"text/event-stream"[..]);
                request.cache = CacheMode::NoStore;
            }
            // WebSockets, establish a WebSocket connection. Whoever cannot know the key cannot have made it: any one will do here.
            Api::WebSocket => {
                request.cache = CacheMode::NoStore;
                if !self.defects().has(Defect::WebSocketReferrer) {
                    request.referrer = Referrer::None;
                }
                request.redirect = RedirectMode::Error;
                for (name, value) in [
                    ("Upgrade", "websocket"),
                    ("Connection", "Upgrade"),
                    ("Sec-WebSocket-Key", "Y29yc2NoZWNrY29yc2NoZQ=="),
                    ("Sec-WebSocket-Version", "13"),
                ] {
                    request.headers.append(name, value.as_bytes());
                }
            }
            Api::Ping => {
                request.method = Cow::Borrowed("POST");
                request.keepalive = true;
                request.headers.append("Content-Type", &b"text/ping"[..]);
                request.body = Some(Body { bytes: b"PING", length: "4", is_stream: false });
                if self.defects().has(Defect::PingPreflighted) {
                    request.mode = Mode::Cors;
                }
            }
            Api::Form => {
                if let Some(method) = &action.method {
                    request.method = Cow::Borrowed(method.as_str());
                }
                if let Some((bytes, length, content_type)) = call.payload() {
                    request.body = Some(Body { bytes, length, is_stream: false });
                    // A form says no charset.
                    let content_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
                    request.headers.append("Content-Type", content_type.as_bytes());
                }
            }
            Api::Beacon => {
                request.method = Cow::Borrowed("POST");
                request.keepalive = true;
                if let Some((bytes, length, content_type)) = call.payload() {
                    request.body = Some(Body { bytes, length, is_stream: false });
                    if let Some(content_type) = content_type {
                        // Beacon, processing model: a type that is not CORS-safelisted asks first.
                        let safe = super::safelist::is_cors_safelisted("Content-Type", content_type.as_bytes());
                        if !safe && !self.defects().has(Defect::BeaconNoPreflight) {
                            request.mode = Mode::Cors;
                        }
                        request.headers.append("Content-Type", content_type.as_bytes());
                    }
                }
            }
            // The whole of it as a range, so that the server may answer with a part: HTML leaves that to the user agent.
            Api::Audio | Api::Video => request.headers.append("Range", &b"bytes=0-"[..]),
            _ => {}
        }
        let accept = match request.destination {
            Destination::Image => &b"image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"[..],
            Destination::Style => b"text/css,*/*;q=0.1",
            _ => b"*/*",
        };
        if !request.headers.contains("Accept") && api != Api::WebSocket {
            request.headers.append("Accept", accept);
        }
        self.append_defaults(&mut request);
        request
    }

    /// What becomes of a response, and of those with the rest of it: HTML, media elements, resource fetch algorithm. A media element
    /// asks for the range that is missing; each of its requests is made like the first.
    fn taken_whole(&mut self, call: &'a Call, request: &Request<'a>, response: Response<'a, N::Body>) -> Result<bool, Failure> {
        let api = call.action.api;
        let mut next = if api.is_media() { rest(&response) } else { None };
        let mut readable = self.taken(api, request, response)?;
        while let (Some(first), Some(url)) = (next, call.url()) {
            self.note(Algorithm::Initiator, "3", "the rest of it is asked for");
            let mut request = self.initiator_request(call, url);
            if self.defects().has(Defect::MediaRangesUnchecked) {
                request.mode = Mode::NoCors;
            }
            request.headers.set("Range", format!("bytes={first}-").into_bytes());
            let response = self.main_fetch(&mut request, false)?;
            // What does not go on where the last one ended is no answer, and what ends before it too.
            next = rest(&response).filter(|after| *after > first);
            let opaque = response.kind == ResponseType::Opaque;
            if self.read(response.body).end != ReadEnd::Complete {
                return Err(self.fail(Algorithm::Initiator, "3", "the body cannot be read to its end", Reason::Network));
            }
            readable &= !opaque || self.defects().has(Defect::MediaRangesUnchecked);
        }
        Ok(readable)
    }

    /// What becomes of a response: whether the page may look into it.
    fn taken(&mut self, api: Api, request: &Request<'a>, response: Response<'a, N::Body>) -> Result<bool, Failure> {
        // A document that was navigated to is open to those of its own origin.
        let closed = api == Api::Embed || api.is_navigation() && !self.env.origin.is_same(request.url());
        let (status, opaque) = (response.status, response.kind == ResponseType::Opaque || closed);
        let content_type = response.headers.get("Content-Type").and_then(|value| grammar::mime_essence(&value).map(Cow::into_owned));
        let read = self.read(response.body);
        if read.end != ReadEnd::Complete && api != Api::EventSource {
            return Err(self.fail(Algorithm::Initiator, "3", "the body cannot be read to its end", Reason::Network));
        }
        if !request.integrity.is_empty() && !self.defects().has(Defect::IntegrityIgnored) {
            let stops = opaque && !self.defects().has(Defect::IntegrityOpaque);
            if stops || !integrity::matches(request.integrity, &read.bytes, self.defects().has(Defect::IntegrityFirst)) {
                let says = if stops {
                    "integrity metadata, and a response that cannot be looked into"
                } else {
                    "the body does not match the integrity metadata"
                };
                return Err(self.fail(Algorithm::MainFetch, "23", says, Reason::Integrity));
            }
        }
        if api == Api::WebSocket && status != 101 && !self.defects().has(Defect::WebSocketStatusIgnored) {
            return Err(self.fail(Algorithm::Initiator, "4", "the status is not 101", Reason::NotUsable));
        }
        let needs_ok =
            api != Api::WebSocket && !api.is_img() && !api.is_navigation() && !self.defects().has(Defect::InitiatorStatusIgnored);
        if needs_ok && (!grammar::is_ok_status(status) || api == Api::EventSource && status != 200) {
            return Err(self.fail(Algorithm::Initiator, "4", "the status is not an ok status", Reason::NotUsable));
        }
        let is = |wanted: &str| content_type.as_deref() == Some(wanted);
        let any_type = self.defects().has(Defect::InitiatorTypeIgnored);
        let usable = match api {
            api if api.is_img() => read.bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
            Api::Style => is("text/css") || any_type,
            Api::Module | Api::Import | Api::ModulePreload | Api::WorkerImport | Api::Worklet => {
                any_type || content_type.as_deref().is_some_and(grammar::is_javascript_mime_essence)
            }
            Api::EventSource => (is("text/event-stream") || any_type) && read.bytes.starts_with(b"data: "),
            Api::Audio => read.bytes.starts_with(b"RIFF"),
            Api::Video => read.bytes.starts_with(b"\x1aE\xdf\xa3"),
            Api::Track => read.bytes.starts_with(b"WEBVTT"),
            Api::Font => read.bytes.starts_with(&[0, 1, 0, 0]),
            _ => true,
        };
        if !usable {
            return Err(self.fail(Algorithm::Initiator, "4", "its type or its content is none that it takes", Reason::NotUsable));
        }
        let peeps = match api {
            api if api.is_img() || api == Api::Video => self.defects().has(Defect::CanvasNotTainted),
            Api::Audio => self.defects().has(Defect::WebAudioHears),
            api if api.is_navigation() => self.defects().has(Defect::FramesOpen),
            Api::Script | Api::ImportScripts => self.defects().has(Defect::ErrorsNotMuted),
            Api::Style => self.defects().has(Defect::RulesReadable),
            _ => false,
        };
        self.note(Algorithm::Initiator, "5", if opaque { "CORS-cross-origin: the page may not look into it" } else { "CORS-same-origin" });
        Ok(!opaque || peeps)
    }
}

/// Where the rest of a partial response begins: behind the last byte of its Content-Range, unless nothing is left.
fn rest<B>(response: &Response<'_, B>) -> Option<u64> {
    let value = response.headers.get("Content-Range").filter(|_| response.status == 206)?;
    let (range, length) = std::str::from_utf8(&value).ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let last: u64 = range.split_once('-')?.1.parse().ok()?;
    let length: u64 = length.parse().ok()?;
    (last + 1 < length).then_some(last + 1)
}

fn loaded<'a>(readable: bool) -> View<'a> {
    View {
        end: End::Loaded { readable },
        reason: None,
        events: Vec::new(),
        upload_events: Vec::new(),
        thrown: None,
        surface_status: None,
        timing: None,
        entry: None,
        worker_saw: Vec::new(),
    }
}

fn blocked<'a>(api: Api, failure: &Failure) -> View<'a> {
    let name = match api {
        Api::Import => "TypeError",
        Api::Font | Api::ImportScripts => "NetworkError",
        _ => "error",
    };
    View {
        end: End::NetworkError(name),
        reason: Some(failure.reason),
        events: Vec::new(),
        upload_events: Vec::new(),
        thrown: None,
        surface_status: None,
        timing: None,
        entry: None,
        worker_saw: Vec::new(),
    }
}
