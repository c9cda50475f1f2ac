//! What script calls: `fetch()` (Fetch, section 5) and XMLHttpRequest, with the objects that they show.

use std::borrow::Cow;

use url::{Position, Url};

use super::{
    coding,
    defect::Defect,
    fetch::Fetch,
    grammar,
    headers::{HeaderList, sort_and_combine},
    integrity,
    network::{Limits, Network, Read, ReadEnd, part_of},
    origin::includes_credentials,
    request::{
        Body, Ending, Environment, Exposed, Failure, Referrer, ReferrerPolicy, ReferrerSource, Request, Response, Shown, Source, Tainting,
    },
    safelist,
    trace::{Algorithm, Trace},
    user_agent::UserAgent,
};
use crate::{
    bind::{Action, ApiWord},
    format::{BodyEntry, CacheMode, Credentials, Mode, RedirectMode, ResponseType, TimingEntry, UploadListener},
    handling::{Copying, Edit},
    words::{Outcome, Reason},
};

/// A call of script, made ready: what does not depend on any answer is worked out once.
#[derive(Debug, Clone)]
pub struct Call {
    /// What script asks for.
    pub action: Action,
    /// The URL, parsed; `None` when it cannot be.
    url: Option<Url>,
    referrer: Option<ReferrerSource>,
    /// Header names and values as bytes; `None` where a character is beyond U+00FF.
    headers: Vec<Option<(Vec<u8>, Vec<u8>)>>,
    body: Option<Payload>,
}

/// A body as extracting gives it (Fetch, extract a body).
#[derive(Debug, Clone)]
struct Payload {
    bytes: Vec<u8>,
    /// How many these are, as `Content-Length` says it.
    length: String,
    content_type: Option<String>,
    is_stream: bool,
    /// Whether send() rewrites the charset of the author's Content-Type (XMLHttpRequest, send(), step 4.5.1).
    is_text: bool,
}

/// The boundary of multipart bodies: any string will do that the parts do not hold.
const BOUNDARY: &str = "----corscheck7MA4YWxkTrZu0gW";

impl Call {
    /// Makes a call ready; `base` is the API base URL.
    pub fn new(action: Action, base: &Url) -> Self {
        let bytes = |text: &str| grammar::isomorphic_encode(text).map(Cow::into_owned);
        Self {
            url: base.join(&action.url).ok(),
            referrer: action.referrer.as_ref().and_then(|r| base.join(r).ok()).map(ReferrerSource::new),
            headers: action.headers.iter().map(|(n, v)| Some((bytes(n)?, bytes(v)?))).collect(),
            body: action.body.as_ref().map(payload),
            action,
        }
    }

    pub(super) fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    /// The body's bytes, their number, and their type.
    pub(super) fn payload(&self) -> Option<(&[u8], &str, Option<&str>)> {
        self.body.as_ref().map(|p| (&p.bytes[..], &p.length[..], p.content_type.as_deref()))
    }
}

fn payload(body: &BodyEntry) -> Payload {
    let plain = |bytes: Vec<u8>, content_type: Option<&str>| Payload {
        length: bytes.len().to_string(),
        bytes,
        content_type: content_type.map(str::to_owned),
        is_stream: false,
        is_text: false,
    };
    match body {
        BodyEntry::Text(text) => Payload { is_text: true, ..plain(text.clone().into_bytes(), Some("text/plain;charset=UTF-8")) },
        BodyEntry::Size(n) => Payload { is_text: true, ..plain(vec![b'x'; *n as usize], Some("text/plain;charset=UTF-8")) },
        BodyEntry::Form(pairs) => {
            let form: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            Payload { is_text: true, ..plain(form.into_bytes(), Some("application/x-www-form-urlencoded;charset=UTF-8")) }
        }
        BodyEntry::Multipart(pairs) => {
            let newlines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
            let escape = |name: &str| newlines(name).replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
            let part = |(name, value): &(String, String)| {
                let (name, value) = (escape(name), newlines(value));
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            };
            let text: String = pairs.iter().map(part).chain([format!("--{BOUNDARY}--\r\n")]).collect();
            plain(text.into_bytes(), Some(&format!("multipart/form-data; boundary={BOUNDARY}")))
        }
        BodyEntry::Bytes(bytes) => plain(bytes.clone(), None),
        BodyEntry::Blob(blob) => {
            // A type with characters outside of ASCII's printable ones counts as none (File API, Blob constructor).
            let r#type = Some(&blob.r#type).filter(|t| !t.is_empty() && t.bytes().all(|b| (0x20..0x7f).contains(&b)));
            plain(blob.data.clone().into_bytes(), r#type.map(|t| t.to_ascii_lowercase()).as_deref())
        }
        BodyEntry::Stream(chunks) => Payload { is_stream: true, ..plain(chunks.concat().into_bytes(), None) },
        BodyEntry::Document(document) => {
            let content_type = if document.r#type == "text/html" { "text/html;charset=UTF-8" } else { "application/xml;charset=UTF-8" };
            Payload { is_text: true, ..plain(document.markup.clone().into_bytes(), Some(content_type)) }
        }
    }
}

/// What a page may see of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View<'a> {
    /// How it ended.
    pub end: End<'a>,
    /// Why, when it did not end in a response.
    pub reason: Option<Reason>,
    /// XHR: events on the object, repeats folded.
    pub events: Vec<&'static str>,
    /// XHR: events on the upload object, repeats folded.
    pub upload_events: Vec<&'static str>,
    /// The exception a call threw while the request went on.
    pub thrown: Option<&'static str>,
    /// XHR that failed: the status that it shows all the same; 0, if it conforms.
    pub surface_status: Option<u16>,
    /// Whether Resource Timing tells the times of the request, where that is asked.
    pub timing: Option<bool>,
    /// What else it tells of the request, where that is asked.
    pub entry: Option<TimingEntry>,
    /// The requests that a service worker saw.
    pub worker_saw: Vec<String>,
}

/// How a request ended for its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End<'a> {
    /// An element or another interface has what it asked for.
    Loaded {
        /// Whether the page may look into it.
        readable: bool,
    },
    /// A response.
    Response(Seen<'a>),
    /// A network error, by the name of the exception or event.
    NetworkError(&'static str),
    /// An exception before there was a request, by name.
    Refused(&'static str),
    /// The page's own abort or timeout, by the name of the exception or event.
    Aborted(&'static str),
}

/// A response as a page sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<'a> {
    /// `response.type`.
    pub kind: ResponseType,
    /// Status.
    pub status: u16,
    /// Status message.
    pub status_text: Cow<'a, [u8]>,
    /// URL, without fragment.
    pub url: Cow<'a, str>,
    /// Whether it was redirected.
    pub redirected: bool,
    /// Header fields in the order of iteration, values joined.
    pub headers: Vec<(Cow<'a, str>, Cow<'a, [u8]>)>,
    /// The body.
    pub body: Cow<'a, [u8]>,
    /// The exception that reading the body gives.
    pub body_error: Option<&'static str>,
    /// Header values are shown as UTF-8 (a defect).
    pub utf8_values: bool,
}

impl End<'_> {
    /// The same, with copies of what it borrows.
    pub fn into_owned(self) -> End<'static> {
        match self {
            End::Response(seen) => End::Response(seen.into_owned()),
            End::Loaded { readable } => End::Loaded { readable },
            End::NetworkError(name) => End::NetworkError(name),
            End::Refused(name) => End::Refused(name),
            End::Aborted(name) => End::Aborted(name),
        }
    }
}

impl Seen<'_> {
    /// The same, with copies of what it borrows.
    pub fn into_owned(self) -> Seen<'static> {
        fn owned<T: ToOwned + ?Sized>(cow: Cow<'_, T>) -> Cow<'static, T> {
            Cow::Owned(cow.into_owned())
        }
        Seen {
            status_text: owned(self.status_text),
            url: owned(self.url),
            headers: self.headers.into_iter().map(|(n, v)| (owned(n), owned(v))).collect(),
            body: owned(self.body),
            ..self
        }
    }
}

impl View<'_> {
    /// The same, with copies of what it borrows.
    pub fn into_owned(self) -> View<'static> {
        View { end: self.end.into_owned(), ..self }
    }
}

impl<'a> View<'a> {
    /// The outcome.
    pub fn outcome(&self) -> Outcome {
        match &self.end {
            End::Response(seen) => match seen.kind {
                ResponseType::Opaque => Outcome::Opaque,
                ResponseType::OpaqueRedirect => Outcome::OpaqueRedirect,
                _ => Outcome::Allowed,
            },
            End::Loaded { readable: true } => Outcome::Allowed,
            End::Loaded { readable: false } => Outcome::Opaque,
            End::NetworkError(_) => Outcome::Blocked,
            End::Refused(_) => Outcome::Refused,
            End::Aborted(_) => Outcome::Aborted,
        }
    }

    fn ended(end: End<'a>, reason: Reason) -> Self {
        Self {
            end,
            reason: Some(reason),
            events: Vec::new(),
            upload_events: Vec::new(),
            thrown: None,
            surface_status: None,
            timing: None,
            entry: None,
            worker_saw: Vec::new(),
        }
    }
}

impl UserAgent {
    /// Does what a call of script asks for, and gives what the page sees of it.
    pub fn call<'a, N: Network<'a>, T: Trace>(&mut self, call: &'a Call, env: &'a Environment, net: &mut N, trace: &mut T) -> View<'a> {
        let limits = Limits { abort_after_ms: call.action.abort_after_ms.filter(|ms| *ms > 0), timeout_ms: call.action.timeout_ms };
        if self.defects.is_empty() {
            Fetch::<_, _, false> {
                ua: self,
                env,
                net,
                trace,
                limits,
                transmitted: false,
                timing_failed: false,
                timed: call.action.timing,
                preflighted: false,
                told: Told::default(),
                worker_saw: Vec::new(),
            }
            .call(call)
        } else {
            Fetch::<_, _, true> {
                ua: self,
                env,
                net,
                trace,
                limits,
                transmitted: false,
                timing_failed: false,
                timed: call.action.timing,
                preflighted: false,
                told: Told::default(),
                worker_saw: Vec::new(),
            }
            .call(call)
        }
    }
}

/// What Resource Timing tells of the response.
#[derive(Debug, Default)]
pub(super) struct Told {
    status: u16,
    content_type: String,
    encoded: u64,
    decoded: u64,
    server_timing: Vec<String>,
}

/// Minimize a supported MIME type (MIME Sniffing, section 4.7), of the types that cases have.
fn minimized(essence: &str) -> &str {
    if grammar::is_javascript_mime_essence(essence) {
        return "text/javascript";
    }
    match essence {
        "application/json" | "text/json" => "application/json",
        _ if essence.ends_with("+json") => "application/json",
        "image/svg+xml" => "image/svg+xml",
        "application/xml" | "text/xml" => "application/xml",
        _ if essence.ends_with("+xml") => "application/xml",
        "text/plain" | "text/html" | "text/css" | "image/png" => essence,
        _ => "",
    }
}

/// An API threw: the name of the exception, and the step.
pub(super) struct Thrown {
    name: &'static str,
    algorithm: Algorithm,
    step: &'static str,
    says: &'static str,
}

impl<'a, N: Network<'a>, T: Trace, const SEEDED: bool> Fetch<'_, 'a, N, T, SEEDED> {
    fn call(mut self, call: &'a Call) -> View<'a> {
        let view = match call.action.api {
            ApiWord::Fetch => self.fetch_method(call),
            ApiWord::Xhr => self.xhr(call),
            _ => self.initiated(call),
        };
        let view = View { worker_saw: std::mem::take(&mut self.worker_saw), ..view };
        if !self.timed {
            return view;
        }
        // Fetch response handover, step 4.2.5: only a response that has passed keeps its times.
        let passed = matches!(view.end, End::Response(_) | End::Loaded { .. }) && !self.timing_failed;
        let passed = passed || self.defects().has(Defect::TaoIgnored);
        View { timing: Some(passed), entry: Some(self.timing_entry(passed)), ..view }
    }

    /// What an entry of Resource Timing says besides times (Fetch, response handover; Resource Timing, section 3.3).
    fn timing_entry(&mut self, passed: bool) -> TimingEntry {
        let told = std::mem::take(&mut self.told);
        let leaks = self.defects().has(Defect::ServerTimingAlways);
        TimingEntry {
            count: Some(if self.defects().has(Defect::PreflightHasEntry) && self.preflighted { 2 } else { 1 }),
            response_status: Some(told.status),
            content_type: Some(told.content_type),
            encoded_body_size: Some(told.encoded),
            decoded_body_size: Some(told.decoded),
            server_timing: Some(if passed || leaks { told.server_timing } else { Vec::new() }),
        }
    }

    /// Keeps what Resource Timing tells of a response: of its own headers and body, as far as the page may see them.
    fn tell(&mut self, response: &Response<'a, N::Body>, encoded: usize, decoded: usize) {
        let opaque = matches!(response.kind, ResponseType::Opaque | ResponseType::OpaqueRedirect);
        let value = response.headers.get("Server-Timing").map(|value| String::from_utf8_lossy(&value).into_owned()).unwrap_or_default();
        let name = |metric: &str| metric.split(';').next().unwrap_or_default().trim().to_owned();
        self.told.server_timing = value.split(',').map(name).filter(|name| !name.is_empty()).collect();
        if opaque && !self.defects().has(Defect::TimingTellsOpaque) {
            return;
        }
        let content_type = response.headers.get("Content-Type");
        let essence = content_type.and_then(|value| grammar::mime_essence(&value).map(Cow::into_owned));
        self.told.status = response.status;
        self.told.content_type = essence.as_deref().map(minimized).unwrap_or_default().to_owned();
        (self.told.encoded, self.told.decoded) = (encoded as u64, decoded as u64);
        if self.defects().has(Defect::TimingSizesNeedTao) && self.timing_failed {
            (self.told.encoded, self.told.decoded) = (0, 0);
        }
        if self.defects().has(Defect::TimingStatusNeedsTao) && self.timing_failed {
            (self.told.status, self.told.content_type) = (0, String::new());
        }
    }

    /// The `fetch()` method.
    fn fetch_method(&mut self, call: &'a Call) -> View<'a> {
        let mut request = match self.new_request(call) {
            Ok(request) => request,
            Err(thrown) => return self.refused(&thrown),
        };
        if call.action.abort_after_ms == Some(0) && !self.defects().has(Defect::AbortIgnored) {
            self.fail(Algorithm::FetchMethod, "4", "the signal is aborted already", Reason::Aborted);
            return View::ended(End::Aborted(self.abort_name()), Reason::Aborted);
        }
        let mut response = match self.main_fetch(&mut request, false) {
            Ok(response) => response,
            Err(failure) => return self.rejected(failure),
        };
        if request.integrity.is_empty() {
            let handling = &call.action.handling;
            if handling.clone && self.defects().has(Defect::CloneUnfiltered) {
                request.tainting = Tainting::Basic;
                response.kind = ResponseType::Basic;
            }
            let shown = self.shown(&request, response, true);
            let immutable = handling.touch && !self.defects().has(Defect::ResponseHeadersMutable);
            return View {
                end: End::Response(shown),
                thrown: immutable.then_some("TypeError"),
                ..View::ended(End::NetworkError(""), Reason::Network)
            }
            .allowed();
        }
        self.checked(&request, response)
    }

    pub(super) fn refused(&mut self, thrown: &Thrown) -> View<'a> {
        self.fail(thrown.algorithm, thrown.step, thrown.says, Reason::ApiRefused);
        let name = if self.defects().has(Defect::ErrorName) { "Error" } else { thrown.name };
        View::ended(End::Refused(name), Reason::ApiRefused)
    }

    fn abort_name(&self) -> &'static str {
        if self.defects().has(Defect::AbortIsError) { "TypeError" } else { "AbortError" }
    }

    /// `fetch()`, step 12.3: the promise is rejected.
    fn rejected(&mut self, failure: Failure) -> View<'a> {
        let end = match failure.end {
            Ending::Error if self.defects().has(Defect::ErrorName) => End::NetworkError("Error"),
            Ending::Error => End::NetworkError("TypeError"),
            Ending::Aborted if self.defects().has(Defect::AbortIsError) => End::NetworkError("TypeError"),
            Ending::Aborted => End::Aborted("AbortError"),
            Ending::TimedOut => End::Aborted("TimeoutError"),
        };
        View::ended(end, failure.reason)
    }

    /// Main fetch, step 23.
    fn checked(&mut self, request: &Request<'a>, response: Response<'a, N::Body>) -> View<'a> {
        use Algorithm::MainFetch;
        let opaque = matches!(response.kind, ResponseType::Opaque | ResponseType::OpaqueRedirect);
        if self.defects().has(Defect::IntegrityIgnored) || opaque && self.defects().has(Defect::IntegrityOpaque) {
            return View {
                end: End::Response(self.shown(request, response, true)),
                ..View::ended(End::NetworkError(""), Reason::Integrity)
            }
            .allowed();
        }
        if opaque || matches!(response.body, Source::Null) {
            let failure = self.fail(MainFetch, "23.2", "integrity metadata, and no body to compare it with", Reason::Integrity);
            return self.rejected(failure);
        }
        let seen = self.shown(request, response, true);
        let any = self.defects().has(Defect::IntegrityFirst);
        if let Some(name) = seen.body_error {
            let end = ending_of(name);
            let reason = if end == Ending::Error { Reason::Network } else { Reason::Aborted };
            let failure = self.fail(MainFetch, "23.4", "the body cannot be read to its end", reason);
            return self.rejected(Failure { end, ..failure });
        }
        if !integrity::matches(request.integrity, &seen.body, any) {
            let failure = self.fail(MainFetch, "23.3.1", "the body does not match the integrity metadata", Reason::Integrity);
            return self.rejected(failure);
        }
        self.note(MainFetch, "23.3", "the body matches the integrity metadata");
        View { end: End::Response(seen), ..View::ended(End::NetworkError(""), Reason::Integrity) }.allowed()
    }

    /// The Request constructor, with a string and a dictionary.
    pub(super) fn new_request(&mut self, call: &'a Call) -> Result<Request<'a>, Thrown> {
        use Algorithm::NewRequest;
        let defects = self.defects();
        let action = &call.action;
        let thrown = |step, says| Thrown { name: "TypeError", algorithm: NewRequest, step, says };
        let Some(url) = &call.url else { return Err(thrown("5.2", "the URL cannot be parsed")) };
        if includes_credentials(url) && !defects.has(Defect::UrlUserinfoAllowed) {
            return Err(thrown("5.3", "the URL includes credentials"));
        }
        let mut request = Request::new(Cow::Borrowed(url));
        if let Some(referrer) = &action.referrer {
            request.referrer = match &call.referrer {
                _ if referrer.is_empty() => Referrer::None,
                None => return Err(thrown("14.3.2", "the referrer cannot be parsed")),
                Some(source) if source.url.scheme() == "about" && source.url.path() == "client" => Referrer::Client,
                Some(source) if !self.env.origin.is_same(&source.url) && !defects.has(Defect::ReferrerForeign) => {
                    self.note(NewRequest, "14.3.3", "the referrer is of another origin: the page's URL is taken instead");
                    Referrer::Client
                }
                Some(source) => Referrer::Url(source, Shown::Full),
            };
        }
        if let Some(word) = &action.referrer_policy {
            match ReferrerPolicy::parse(word) {
                // The empty string leaves the policy to the policy container.
                Some(_) if word.is_empty() => {}
                Some(policy) => request.referrer_policy = Some(policy),
                None => return Err(thrown("15", "there is no such referrer policy")),
            }
        }
        request.mode = action.mode.unwrap_or(Mode::Cors);
        if matches!(request.mode, Mode::Navigate | Mode::Websocket) && !defects.has(Defect::NavigateAllowed) {
            return Err(thrown("17", "script may not ask for this mode"));
        }
        request.credentials = action.credentials.unwrap_or(match () {
            () if defects.has(Defect::CredentialsDefaultInclude) => Credentials::Include,
            () if defects.has(Defect::CredentialsDefaultOmit) => Credentials::Omit,
            () => Credentials::SameOrigin,
        });
        request.cache = action.cache.unwrap_or(CacheMode::Default);
        if request.cache == CacheMode::OnlyIfCached && request.mode != Mode::SameOrigin && !defects.has(Defect::OnlyIfCachedAllowed) {
            return Err(thrown("21", "cache mode only-if-cached needs mode same-origin"));
        }
        request.redirect = match action.redirect.unwrap_or(RedirectMode::Follow) {
            RedirectMode::Error if defects.has(Defect::RedirectErrorFollows) => RedirectMode::Follow,
            RedirectMode::Manual if defects.has(Defect::RedirectManualFollows) => RedirectMode::Follow,
            mode => mode,
        };
        request.integrity = action.integrity.as_deref().unwrap_or_default();
        request.keepalive = action.keepalive;
        if let Some(method) = &action.method {
            request.method = self.method(method).map_err(|says| thrown("25.2", says))?;
        }
        let no_cors = request.mode == Mode::NoCors;
        if no_cors && !safelist::is_cors_safelisted_method(&request.method) && !defects.has(Defect::NoCorsAnyMethod) {
            return Err(thrown("32.1", "mode no-cors takes CORS-safelisted methods only"));
        }
        for (pair, header) in action.headers.iter().zip(&call.headers) {
            self.append_header(&mut request.headers, pair, header.as_ref(), no_cors)?;
        }
        let bodyless = matches!(&*request.method, "GET" | "HEAD");
        if let Some(body) = &call.body {
            if bodyless && !defects.has(Defect::GetBodyAllowed) {
                return Err(thrown("35", "GET and HEAD take no body"));
            }
            if body.is_stream && request.keepalive {
                return Err(thrown("37.1", "a stream cannot be sent with keepalive"));
            }
            if body.is_stream && !matches!(request.mode, Mode::SameOrigin | Mode::Cors) && !defects.has(Defect::StreamNoCors) {
                return Err(thrown("39.2", "a stream needs mode same-origin or cors"));
            }
            let forced = defects.has(Defect::BodyTypeForced) && body.content_type.is_some();
            if forced {
                request.headers.delete("Content-Type");
            }
            if let Some(content_type) = &body.content_type
                && !request.headers.contains("Content-Type")
                && !defects.has(Defect::BodyTypeIgnored)
            {
                // Appending to a Headers object judges it once more: a no-cors request takes only what is safelisted.
                let content_type = grammar::normalize(content_type.as_bytes());
                if !no_cors || safelist::is_no_cors_safelisted("Content-Type", content_type) || defects.has(Defect::NoCorsAnyHeader) {
                    request.headers.append("Content-Type", content_type);
                }
            }
            request.use_cors_preflight = body.is_stream && !defects.has(Defect::PreflightNotForStream);
            request.body = Some(Body { bytes: &body.bytes, length: &body.length, is_stream: body.is_stream });
        }
        self.handle(call, &mut request)?;
        request.has_author_headers = !request.headers.is_empty();
        request.blob = action.blob.as_ref();
        request.worker = action.worker.as_ref();
        // The Accept header is set when fetching starts (Fetch, fetching, steps 12 to 14).
        self.append_defaults(&mut request);
        Ok(request)
    }

    /// What script does with a Request before it fetches it.
    fn handle(&mut self, call: &'a Call, request: &mut Request<'a>) -> Result<(), Thrown> {
        let handling = &call.action.handling;
        let no_cors = request.mode == Mode::NoCors;
        for edit in handling.edits() {
            self.edit(&mut request.headers, edit, no_cors)?;
        }
        if let Some(copy) = &handling.copy {
            self.copied(copy, request)?;
        }
        Ok(())
    }

    /// Headers: append(), set() and delete(), with the guard `request` or `request-no-cors`.
    fn edit(&mut self, list: &mut HeaderList<'a>, edit: Edit<'a>, no_cors: bool) -> Result<(), Thrown> {
        use Algorithm::HeadersAppend;
        let defects = self.defects();
        let (name, value) = match edit {
            Edit::Append(name, value) | Edit::Set(name, value) => (name, value),
            Edit::Delete(name) => {
                // delete(), steps 2 and 3: the value is beside the point.
                let stays = no_cors && !safelist::is_no_cors_safelisted_name(name) && !safelist::is_privileged_no_cors_name(name);
                if !stays && !self.is_forbidden(name, b"") && !defects.has(Defect::HeadersDeleteNothing) {
                    list.delete(name);
                }
                return Ok(());
            }
        };
        let value = Cow::Borrowed(grammar::normalize(value.as_bytes()));
        if !grammar::is_token(name.as_bytes()) || !grammar::is_header_value(&value) {
            return Err(Thrown { name: "TypeError", algorithm: HeadersAppend, step: "2", says: "an invalid header name or value" });
        }
        if self.is_forbidden(name, &value) {
            return Ok(());
        }
        let is_set = matches!(edit, Edit::Set(..)) && !defects.has(Defect::HeadersSetAppends);
        if no_cors && !defects.has(Defect::NoCorsAnyHeader) && !(defects.has(Defect::HeadersSetUnguarded) && is_set) {
            let joined = match list.get(name).filter(|_| !is_set) {
                None => value.clone(),
                Some(had) => Cow::Owned([&had, &b", "[..], &value].concat()),
            };
            if !safelist::is_no_cors_safelisted(name, &joined) {
                self.note(HeadersAppend, "3.4", format!("mode no-cors takes safelisted headers only: {name} is not changed"));
                return Ok(());
            }
        }
        if is_set {
            list.delete(name);
        }
        list.append(name, value);
        Ok(())
    }

    /// The Request constructor, with a Request and a dictionary.
    fn copied(&mut self, copy: &'a Copying, request: &mut Request<'a>) -> Result<(), Thrown> {
        use Algorithm::NewRequest;
        let defects = self.defects();
        let thrown = |step, says| Thrown { name: "TypeError", algorithm: NewRequest, step, says };
        if copy.is_empty() && !defects.has(Defect::CopyResetsModes) {
            self.note(NewRequest, "12", "a Request and no dictionary: everything is copied");
            return Ok(());
        }
        // Step 13: referrer and its policy are the client's again.
        request.referrer = Referrer::Client;
        request.referrer_policy = None;
        let kept = !defects.has(Defect::CopyResetsModes);
        request.mode = copy.mode.unwrap_or(if kept { request.mode } else { Mode::Cors });
        request.credentials = copy.credentials.unwrap_or(if kept { request.credentials } else { Credentials::SameOrigin });
        let no_cors = request.mode == Mode::NoCors;
        if no_cors && !safelist::is_cors_safelisted_method(&request.method) {
            return Err(thrown("32.1", "mode no-cors takes CORS-safelisted methods only"));
        }
        let own = request.headers.clone();
        if copy.headers.is_some() || no_cors && !defects.has(Defect::CopyKeepsHeaders) {
            // Step 33: the headers are filled in anew, by the guard of the new mode.
            request.headers = HeaderList::new();
        }
        match &copy.headers {
            Some(pairs) => {
                for (name, value) in pairs {
                    self.edit(&mut request.headers, Edit::Append(name, value), no_cors)?;
                }
            }
            None if no_cors && !defects.has(Defect::CopyKeepsHeaders) => {
                self.note(NewRequest, "33", "the headers are judged again, for mode no-cors");
                for header in own.iter() {
                    if safelist::is_no_cors_safelisted(&header.name, &header.value) || defects.has(Defect::NoCorsAnyHeader) {
                        request.headers.append(header.name.clone(), header.value.clone());
                    }
                }
            }
            None => {}
        }
        Ok(())
    }

    /// Fetching, steps 12 to 14.
    pub(super) fn append_defaults(&self, request: &mut Request<'a>) {
        if !request.headers.contains("Accept") {
            request.headers.append("Accept", &b"*/*"[..]);
        }
        if let Some(language) = self.ua.settings.accept_language
            && !request.headers.contains("Accept-Language")
        {
            request.headers.append("Accept-Language", language.as_bytes());
        }
    }

    /// Checks and normalises a method (Fetch, methods).
    fn method(&self, method: &'a str) -> Result<Cow<'a, str>, &'static str> {
        let defects = self.defects();
        if !grammar::is_token(method.as_bytes()) && !defects.has(Defect::InvalidMethodAllowed) {
            return Err("the method is no token");
        }
        if safelist::is_forbidden_method(method) && !defects.has(Defect::ForbiddenMethodsAllowed) {
            return Err("the method is forbidden");
        }
        Ok(match () {
            () if defects.has(Defect::MethodsNotNormalised) => Cow::Borrowed(method),
            () if defects.has(Defect::MethodsAllUppercased) => Cow::Owned(method.to_ascii_uppercase()),
            () => Cow::Borrowed(grammar::normalize_method(method)),
        })
    }

    /// Append to a Headers object with the guard `request` or `request-no-cors`.
    fn append_header(
        &mut self,
        list: &mut HeaderList<'a>,
        text: &'a (String, String),
        bytes: Option<&'a (Vec<u8>, Vec<u8>)>,
        no_cors: bool,
    ) -> Result<(), Thrown> {
        use Algorithm::HeadersAppend;
        let defects = self.defects();
        let thrown = |step, says| Thrown { name: "TypeError", algorithm: HeadersAppend, step, says };
        let Some((name, value)) = bytes else {
            if defects.has(Defect::InvalidHeaderAllowed) {
                return Ok(());
            }
            return Err(thrown("1", "a character beyond U+00FF is in no ByteString"));
        };
        let value = self.author_value(value, &text.1);
        if !grammar::is_token(name) || !grammar::is_header_value(&value) {
            if defects.has(Defect::InvalidHeaderAllowed) {
                return Ok(());
            }
            return Err(thrown("2", "an invalid header name or value"));
        }
        let name = text.0.as_str();
        if self.is_forbidden(name, &value) {
            if defects.has(Defect::ForbiddenThrows) {
                return Err(thrown("2", "forbidden"));
            }
            if T::ON {
                self.note(HeadersAppend, "2", format!("{name} is a forbidden request-header: it is dropped"));
            }
            return Ok(());
        }
        if no_cors && !defects.has(Defect::NoCorsAnyHeader) {
            let joined = match list.get(name) {
                None => Cow::Borrowed(&*value),
                Some(had) => Cow::Owned([&had, &b", "[..], &value].concat()),
            };
            let range = defects.has(Defect::NoCorsRange) && safelist::is_privileged_no_cors_name(name);
            if !safelist::is_no_cors_safelisted(name, &joined) && !range {
                if T::ON {
                    self.note(HeadersAppend, "3.4", format!("mode no-cors takes safelisted headers only: {name} is dropped"));
                }
                return Ok(());
            }
        }
        if defects.has(Defect::RepeatsNotJoined) {
            list.delete(name);
        }
        list.append(name, value);
        if no_cors && !defects.has(Defect::NoCorsRange) && !defects.has(Defect::NoCorsAnyHeader) {
            list.delete("Range");
        }
        Ok(())
    }

    /// A value as script set it, normalised.
    fn author_value(&self, value: &'a [u8], text: &'a str) -> Cow<'a, [u8]> {
        let value = if self.defects().has(Defect::ValuesSentUtf8) { text.as_bytes() } else { value };
        Cow::Borrowed(if self.defects().has(Defect::ValuesNotNormalised) { value } else { grammar::normalize(value) })
    }

    /// Forbidden request-header.
    fn is_forbidden(&self, name: &str, value: &[u8]) -> bool {
        let defects = &self.defects();
        let forbidden = safelist::is_forbidden_request_header(name, value);
        if defects.is_empty() {
            return forbidden;
        }
        let lower = name.to_ascii_lowercase();
        let overrides = matches!(&*lower, "x-http-method" | "x-http-method-override" | "x-method-override");
        let prefixed = lower.starts_with("sec-") || lower.starts_with("proxy-");
        let resembles = ["sec", "proxy", "second", "cookie", "access-control-request", "accept-charset", "content-len"];
        match () {
            () if overrides && defects.has(Defect::ForbiddenOverrideAll) => true,
            () if overrides && defects.has(Defect::ForbiddenOverrideSent) => false,
            () if prefixed && defects.has(Defect::ForbiddenPrefixSent) => false,
            () if defects.has(Defect::ForbiddenPrefixAll) && resembles.iter().any(|r| lower.starts_with(r)) => true,
            () if defects.has(Defect::UserAgentForbidden) && lower == "user-agent" => true,
            () if !overrides && !prefixed && defects.has(Defect::ForbiddenHeadersSent) => false,
            () => forbidden,
        }
    }

    /// The response as the page sees it: filtered, with its body read.
    fn shown(&mut self, request: &Request<'a>, mut response: Response<'a, N::Body>, is_fetch: bool) -> Seen<'a> {
        let defects = self.defects();
        let opaque = matches!(response.kind, ResponseType::Opaque | ResponseType::OpaqueRedirect);
        let url = if defects.has(Defect::UrlFirst) { request.urls.first() } else { request.urls.last() };
        let end = if defects.has(Defect::UrlWithFragment) { Position::AfterFragment } else { Position::AfterQuery };
        let url = part_of(url, |url| &url[..end]);
        if opaque {
            if self.timed {
                self.tell(&response, 1, 1);
            }
            let leak = defects.has(Defect::NoCorsStatus);
            let body = if defects.has(Defect::OpaqueBody) { self.read(response.body).bytes } else { Cow::Borrowed(&b""[..]) };
            return Seen {
                kind: response.kind,
                status: if leak { response.status } else { 0 },
                status_text: Cow::Borrowed(b""),
                url: if response.kind == ResponseType::OpaqueRedirect || defects.has(Defect::NoCorsUrl) { url } else { Cow::Borrowed("") },
                redirected: false,
                headers: Vec::new(),
                body,
                body_error: None,
                utf8_values: false,
            };
        }
        let cors = response.kind == ResponseType::Cors;
        let source = std::mem::replace(&mut response.body, Source::Null);
        let Read { mut bytes, mut end } = self.read(source);
        let encoded = bytes.len();
        if let Some(codings) = response.headers.get("Content-Encoding") {
            match coding::decode(&codings, &bytes) {
                Some(decoded) => bytes = Cow::Owned(decoded),
                // HTTP-network fetch, step 18.1.1.1.11.
                None if end == ReadEnd::Complete => end = ReadEnd::Broken,
                None => {}
            }
        }
        if self.timed {
            self.tell(&response, encoded, bytes.len());
        }
        let headers = self.filtered_headers(request, response.kind, &response.headers);
        match end {
            ReadEnd::Complete => {}
            ReadEnd::Broken => self.note(Algorithm::HttpNetworkFetch, "18.2.2", "the body breaks off: reading it fails"),
            ReadEnd::Aborted | ReadEnd::TimedOut => self.note(Algorithm::HttpNetworkFetch, "18.2.1", "aborted: reading the body fails"),
        }
        let body_error = match end {
            ReadEnd::Complete => None,
            ReadEnd::Broken if defects.has(Defect::TruncatedAccepted) => None,
            ReadEnd::Broken => Some(if defects.has(Defect::ErrorName) { "Error" } else { "TypeError" }),
            ReadEnd::Aborted => Some(self.abort_name()),
            ReadEnd::TimedOut => Some("TimeoutError"),
        };
        let mut body = bytes;
        if defects.has(Defect::BodyCut) {
            body.to_mut().pop();
        }
        Seen {
            kind: response.kind,
            status: if cors && defects.has(Defect::StatusHidden) { 200 } else { response.status },
            status_text: if cors && defects.has(Defect::StatusTextHidden) { Cow::Borrowed(&b""[..]) } else { response.status_text },
            url,
            redirected: is_fetch
                && (request.urls.is_redirected() && !defects.has(Defect::RedirectedHidden) || defects.has(Defect::RedirectedAlways)),
            headers,
            body,
            body_error,
            utf8_values: defects.has(Defect::ValuesUtf8),
        }
    }

    /// The header list of a basic or CORS filtered response, sorted and combined.
    fn filtered_headers(&self, request: &Request<'a>, kind: ResponseType, headers: &HeaderList<'a>) -> Vec<(Cow<'a, str>, Cow<'a, [u8]>)> {
        let defects = self.defects();
        let cors = kind == ResponseType::Cors && !defects.has(Defect::TypeAlwaysCors) || defects.has(Defect::FilterBasicLikeCors);
        let exposed = self.exposed(request, headers);
        let (all, exposed) = match &exposed {
            Exposed::Names(names) => (false, &names[..]),
            Exposed::Nothing => (false, &[][..]),
            Exposed::All => (true, &[][..]),
        };
        let is_shown = |name: &str| {
            if safelist::is_forbidden_response_header_name(name) {
                let named = exposed.iter().any(|e| e.eq_ignore_ascii_case(name)) || all;
                return if cors { named && defects.has(Defect::FilterSetCookie) } else { defects.has(Defect::FilterBasicSetCookie) };
            }
            if !cors || all && !(defects.has(Defect::ExposeWildcardNotAuthorization) && name.eq_ignore_ascii_case("Authorization")) {
                return true;
            }
            if defects.is_empty() {
                return safelist::is_safelisted_response_name(name, exposed);
            }
            let safelisted = safelist::is_safelisted_response_name(name, &[]);
            let safelisted = match () {
                () if defects.has(Defect::FilterTooFew) => name.eq_ignore_ascii_case("Content-Type"),
                () if defects.has(Defect::FilterNoContentLength) => safelisted && !name.eq_ignore_ascii_case("Content-Length"),
                () => safelisted,
            };
            let extra = ["etag", "date", "server", "location"].iter().any(|e| e.eq_ignore_ascii_case(name));
            let named = exposed.iter().any(|e| match () {
                () if defects.has(Defect::ExposeCaseSensitive) => *e == name,
                () if defects.has(Defect::ExposePrefix) => {
                    name.len() >= e.len() && name.as_bytes()[..e.len()].eq_ignore_ascii_case(e.as_bytes())
                }
                () => e.eq_ignore_ascii_case(name),
            });
            safelisted || named || defects.has(Defect::FilterNone) || extra && defects.has(Defect::FilterExtra)
        };
        let shown = headers.iter().filter(|h| is_shown(&h.name));
        if !SEEDED {
            return sort_and_combine(shown);
        }
        let mut list = HeaderList::new();
        for header in shown {
            if defects.has(Defect::JoinedLast) {
                list.delete(&header.name);
            }
            list.append(header.name.clone(), header.value.clone());
        }
        let mut combined = list.sort_and_combine();
        if defects.has(Defect::JoinedWithoutSpace) {
            for (name, value) in &mut combined {
                *value = Cow::Owned(list.values(name).collect::<Vec<_>>().join(&b","[..]));
            }
        }
        combined
    }

    pub(super) fn read(&mut self, body: Source<'a, N::Body>) -> Read<'a> {
        match body {
            Source::Null => Read { bytes: Cow::Borrowed(b""), end: ReadEnd::Complete },
            Source::Bytes(bytes) => Read { bytes, end: ReadEnd::Complete },
            Source::Read(read) => read,
            Source::Network(body) => self.net.read(body, self.limits),
        }
    }

    /// XMLHttpRequest, from `open()` to `loadend`.
    fn xhr(&mut self, call: &'a Call) -> View<'a> {
        let mut request = match self.xhr_request(call) {
            Ok(request) => request,
            Err(thrown) => return self.refused(&thrown),
        };
        let defects = self.defects();
        let action = &call.action;
        let listens = matches!(action.upload_listener, Some(UploadListener::Add | UploadListener::On));
        let mut xhr =
            Events { sync: action.sync, upload: listens && request.body.is_some(), complete: request.body.is_none(), ..Events::default() };
        xhr.start();
        if action.abort_after_ms == Some(0) && !defects.has(Defect::AbortIgnored) {
            self.fail(Algorithm::XhrAbort, "2", "abort() right after send()", Reason::Aborted);
            return xhr.failed("abort", End::Aborted("abort"), Reason::Aborted, defects.has(Defect::XhrNoUploadEvents));
        }
        let fetched = self.main_fetch(&mut request, false);
        if self.transmitted {
            xhr.transmitted();
        }
        let thrown = (action.late_credentials && !defects.has(Defect::XhrLateCredentials)).then_some("InvalidStateError");
        let mut view = match fetched {
            Err(failure) => self.xhr_failed(xhr, failure),
            Ok(response) => {
                let mut seen = self.shown(&request, response, false);
                match seen.body_error {
                    None => {
                        // getAllResponseHeaders(), step 3.
                        let upper = u8::to_ascii_uppercase;
                        seen.headers.sort_by(|(a, _), (b, _)| a.bytes().map(|b| upper(&b)).cmp(b.bytes().map(|b| upper(&b))));
                        if defects.has(Defect::XhrOrder) {
                            seen.headers.reverse();
                        }
                        xhr.loaded(seen, defects.has(Defect::XhrNoProgress)).upload_hidden(defects.has(Defect::XhrNoUploadEvents))
                    }
                    Some(name) => {
                        let end = ending_of(name);
                        let (step, says, reason) = match end {
                            Ending::Error if xhr.sync => {
                                ("12.2", "the body breaks off: the response stays a network error", Reason::Network)
                            }
                            Ending::Error => ("11.9.12", "the body breaks off: the response becomes a network error", Reason::Network),
                            Ending::Aborted => ("11.9.12", "the page aborts before the end of the body", Reason::Aborted),
                            Ending::TimedOut => ("11.12.2", "the timeout passes before the end of the body", Reason::Aborted),
                        };
                        let failure = self.fail(Algorithm::XhrSend, step, says, reason);
                        xhr.received = !seen.body.is_empty();
                        self.xhr_failed(xhr, Failure { end, ..failure })
                    }
                }
            }
        };
        view.thrown = thrown;
        view
    }

    /// Handle errors, and the request error steps.
    fn xhr_failed(&mut self, xhr: Events, failure: Failure) -> View<'a> {
        let defects = self.defects();
        let (event, exception) = match failure.end {
            Ending::Error => ("error", "NetworkError"),
            Ending::Aborted => ("abort", "AbortError"),
            Ending::TimedOut if defects.has(Defect::XhrTimeoutIsError) => ("error", "NetworkError"),
            Ending::TimedOut => ("timeout", "TimeoutError"),
        };
        let leak = failure.hidden_status.filter(|_| defects.has(Defect::XhrSurfaceLeaks));
        let end = match failure.end {
            // A synchronous request throws; the agent tells what was thrown.
            Ending::Error if xhr.sync && defects.has(Defect::XhrSyncSilent) => End::NetworkError("none"),
            Ending::Error if xhr.sync && defects.has(Defect::ErrorName) => End::NetworkError("Error"),
            Ending::Error if xhr.sync => End::NetworkError(exception),
            Ending::TimedOut if defects.has(Defect::XhrTimeoutIsError) => End::NetworkError("error"),
            Ending::Error => End::NetworkError(event),
            Ending::Aborted | Ending::TimedOut if xhr.sync => End::NetworkError(exception),
            Ending::Aborted | Ending::TimedOut => End::Aborted(event),
        };
        let event = if defects.has(Defect::XhrLoadOnError) { "load" } else { event };
        let mut view = xhr.failed(event, end, failure.reason, defects.has(Defect::XhrNoUploadEvents));
        view.surface_status = Some(leak.unwrap_or(0));
        view
    }

    /// `open()`, `setRequestHeader()`, and `send()` up to its request.
    fn xhr_request(&mut self, call: &'a Call) -> Result<Request<'a>, Thrown> {
        use Algorithm::{XhrOpen, XhrSend, XhrSetRequestHeader};
        let defects = self.defects();
        let action = &call.action;
        let thrown = |name, algorithm, step, says| Thrown { name, algorithm, step, says };
        let method = action.method.as_deref().unwrap_or("GET");
        if method.chars().any(|c| c > '\u{ff}') && !defects.has(Defect::InvalidMethodAllowed) {
            return Err(thrown("TypeError", XhrOpen, "1", "a character beyond U+00FF is in no ByteString"));
        }
        let method = self.method(method).map_err(|says| match says {
            "the method is forbidden" => thrown("SecurityError", XhrOpen, "3", says),
            _ => thrown("SyntaxError", XhrOpen, "2", says),
        })?;
        let Some(url) = &call.url else { return Err(thrown("SyntaxError", XhrOpen, "6", "the URL cannot be parsed")) };
        let mut url = Cow::Borrowed(url);
        if let Some((user, password)) = &action.open_credentials
            && url.has_host()
            && !defects.has(Defect::XhrCredentialsIgnored)
        {
            let url = url.to_mut();
            // An HTTP(S) URL with a host takes both.
            _ = url.set_username(user);
            _ = url.set_password(Some(password));
        }
        let mut request = Request::new(url);
        request.worker = action.worker.as_ref();
        request.blob = action.blob.as_ref();
        request.method = method;
        request.credentials = match action.credentials {
            _ if defects.has(Defect::CredentialsDefaultInclude) => Credentials::Include,
            Some(Credentials::Include) if !action.late_credentials || defects.has(Defect::XhrLateCredentials) => Credentials::Include,
            _ => Credentials::SameOrigin,
        };
        request.use_url_credentials = includes_credentials(request.url());
        for (text, bytes) in action.headers.iter().zip(&call.headers) {
            let Some((name, value)) = bytes else {
                if defects.has(Defect::InvalidHeaderAllowed) {
                    continue;
                }
                return Err(thrown("TypeError", XhrSetRequestHeader, "1", "a character beyond U+00FF is in no ByteString"));
            };
            let value = self.author_value(value, &text.1);
            if !grammar::is_token(name) || !grammar::is_header_value(&value) {
                if defects.has(Defect::InvalidHeaderAllowed) {
                    continue;
                }
                return Err(thrown("SyntaxError", XhrSetRequestHeader, "4", "an invalid header name or value"));
            }
            if self.is_forbidden(&text.0, &value) {
                if defects.has(Defect::ForbiddenThrows) {
                    return Err(thrown("SecurityError", XhrSetRequestHeader, "5", "forbidden"));
                }
                if T::ON {
                    self.note(XhrSetRequestHeader, "5", format!("{} is a forbidden request-header: it is dropped", text.0));
                }
                continue;
            }
            if defects.has(Defect::RepeatsNotJoined) {
                request.headers.delete(&text.0);
            }
            request.headers.combine(text.0.as_str(), value);
        }
        if let Some(body) = &call.body
            && (!matches!(&*request.method, "GET" | "HEAD") || defects.has(Defect::XhrGetBody))
        {
            self.xhr_content_type(&mut request.headers, body);
            request.body = Some(Body { bytes: &body.bytes, length: &body.length, is_stream: body.is_stream });
        }
        let listens = match action.upload_listener {
            Some(UploadListener::Add | UploadListener::On) => !defects.has(Defect::PreflightNotForUploadListener),
            Some(UploadListener::ReadOnly | UploadListener::Late) => defects.has(Defect::PreflightForUpload),
            None => false,
        };
        if listens {
            self.note(XhrSend, "5", "listeners on the upload object: the use-CORS-preflight flag is set");
        }
        request.use_cors_preflight = listens;
        request.has_author_headers = !request.headers.is_empty();
        self.append_defaults(&mut request);
        Ok(request)
    }

    /// `send()`, steps 4.4 to 4.6.
    fn xhr_content_type(&self, headers: &mut HeaderList<'a>, body: &'a Payload) {
        let defects = self.defects();
        if defects.has(Defect::BodyTypeForced) {
            headers.delete("Content-Type");
        }
        match headers.get("Content-Type").map(Cow::into_owned) {
            Some(own) => {
                if body.is_text
                    && !defects.has(Defect::XhrCharsetKept)
                    && let Some(changed) = grammar::with_charset_utf8(&own)
                {
                    headers.set("Content-Type", changed.into_bytes());
                }
            }
            None => {
                if let Some(content_type) = &body.content_type
                    && !defects.has(Defect::BodyTypeIgnored)
                {
                    // A Blob's type may have spaces around it; HTTP takes them off.
                    headers.set("Content-Type", grammar::normalize(content_type.as_bytes()));
                }
            }
        }
    }
}

/// Who ended a body that could not be read to its end, by the name of the exception.
fn ending_of(body_error: &str) -> Ending {
    match body_error {
        "AbortError" => Ending::Aborted,
        "TimeoutError" => Ending::TimedOut,
        _ => Ending::Error,
    }
}

/// The events of an XMLHttpRequest, repeats of one name in a row folded.
#[derive(Debug, Default)]
struct Events {
    sync: bool,
    /// Whether there are listeners on the upload object and a body.
    upload: bool,
    /// Upload complete.
    complete: bool,
    received: bool,
    own: Vec<&'static str>,
    uploads: Vec<&'static str>,
}

impl Events {
    /// `send()`, steps 11.1 to 11.5.
    fn start(&mut self) {
        if self.sync {
            return;
        }
        self.own.push("loadstart");
        if self.upload {
            self.uploads.push("loadstart");
        }
    }

    /// `send()`, step 11.8.
    fn transmitted(&mut self) {
        if !self.complete && !self.sync && self.upload {
            self.uploads.extend(["progress", "load", "loadend"]);
        }
        self.complete = true;
    }

    /// Handle response end-of-body. A synchronous request fires load and loadend too; the view leaves them out, as the agent in the
    /// page listens to asynchronous ones only.
    fn loaded(mut self, seen: Seen<'_>, no_progress: bool) -> View<'_> {
        if !self.sync {
            if !no_progress {
                self.own.push("progress");
            }
            self.own.extend(["load", "loadend"]);
        }
        View {
            end: End::Response(seen),
            reason: None,
            events: self.own,
            upload_events: self.uploads,
            thrown: None,
            surface_status: None,
            timing: None,
            entry: None,
            worker_saw: Vec::new(),
        }
    }

    /// The request error steps.
    fn failed(mut self, event: &'static str, end: End<'static>, reason: Reason, no_upload: bool) -> View<'static> {
        if !self.sync {
            if self.received {
                self.own.push("progress");
            }
            if !self.complete && self.upload {
                self.uploads.extend([event, "loadend"]);
            }
            self.own.extend([event, "loadend"]);
        }
        View {
            end,
            reason: Some(reason),
            events: self.own,
            upload_events: self.uploads,
            thrown: None,
            surface_status: Some(0),
            timing: None,
            entry: None,
            worker_saw: Vec::new(),
        }
        .upload_hidden(no_upload)
    }
}

impl View<'_> {
    /// The same without a reason: there is a response after all.
    fn allowed(self) -> Self {
        Self { reason: None, ..self }
    }

    fn upload_hidden(mut self, hidden: bool) -> Self {
        if hidden {
            self.upload_events.clear();
        }
        self
    }
}
