//! Requests, responses and the environment they are made from (Fetch, requests; responses).

use std::{borrow::Cow, iter};

use url::Url;

use super::{
    headers::HeaderList,
    network::Read,
    origin::{Origin, Relation, is_potentially_trustworthy, same_origin, same_site, strip_for_referrer},
    policy::Policies,
};
use crate::{
    format::{CacheMode, Credentials, Mode, RedirectMode, ResponseType},
    handling::BlobUrl,
    words::Reason,
    worker::WorkerAnswer,
};

/// Where requests are made: what the algorithms look at of an environment settings object (HTML).
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its network partition key: the site of its top-level origin (Fetch, network partition keys).
    pub partition: String,
    /// Its origin.
    pub origin: Origin,
    /// The origin of the page around it: its own, unless that is opaque.
    pub page_origin: Origin,
    /// Its URL.
    pub url: Url,
    /// What addresses of the page are relative to.
    pub base: Url,
    /// Where that is.
    pub base_origin: Origin,
    /// Whether its origin is that of who made it and not of its own URL.
    pub inherits_origin: bool,
    /// What a referrer of `client` stands for: its URL.
    pub referrer: ReferrerSource,
    /// Whether its global object is a Window with a navigable: only there can a person be asked for a password.
    pub is_window: bool,
    /// Its policy container's referrer policy.
    pub referrer_policy: ReferrerPolicy,
    /// The rest of its policy container.
    pub policies: Policies,
    /// The service worker that controls it: pages with settings of their own leave it without.
    pub worker: Option<Box<Environment>>,
    /// Whether it has a cross-site ancestor (HTML, environment settings object).
    pub has_cross_site_ancestor: bool,
}

/// A referrer policy (Referrer Policy, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReferrerPolicy {
    /// `no-referrer`.
    NoReferrer,
    /// `no-referrer-when-downgrade`.
    NoReferrerWhenDowngrade,
    /// `same-origin`.
    SameOrigin,
    /// `origin`.
    Origin,
    /// `strict-origin`.
    StrictOrigin,
    /// `origin-when-cross-origin`.
    OriginWhenCrossOrigin,
    /// `strict-origin-when-cross-origin`: the default.
    StrictOriginWhenCrossOrigin,
    /// `unsafe-url`.
    UnsafeUrl,
}

impl ReferrerPolicy {
    /// Parses the word of a policy; the empty string stands for the default.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "no-referrer" => Self::NoReferrer,
            "no-referrer-when-downgrade" => Self::NoReferrerWhenDowngrade,
            "same-origin" => Self::SameOrigin,
            "origin" => Self::Origin,
            "strict-origin" => Self::StrictOrigin,
            "origin-when-cross-origin" => Self::OriginWhenCrossOrigin,
            "strict-origin-when-cross-origin" | "" => Self::StrictOriginWhenCrossOrigin,
            "unsafe-url" => Self::UnsafeUrl,
            _ => return None,
        })
    }
}

/// The longest URL that `Referer` shows whole (Referrer Policy, determine request's referrer, step 6).
const LONGEST_REFERRER: usize = 4096;

/// A URL that requests may be referred from, with all that `Referer` may show of it.
#[derive(Debug, Clone)]
pub struct ReferrerSource {
    pub(super) url: Url,
    /// Its own origin.
    pub(super) from: Origin,
    /// Whether what it names cannot be read or changed on its way.
    pub(super) is_trustworthy: bool,
    /// The whole URL, stripped; none for a local scheme.
    full: Option<String>,
    /// Its origin alone.
    origin: Option<String>,
}

impl ReferrerSource {
    /// Strips a URL for use as a referrer (Referrer Policy, determine request's referrer, steps 4 to 6).
    pub fn new(url: Url) -> Self {
        let origin = strip_for_referrer(&url, true);
        let full = strip_for_referrer(&url, false).filter(|full| full.len() <= LONGEST_REFERRER).or_else(|| origin.clone());
        Self { from: Origin::of(&url), is_trustworthy: is_potentially_trustworthy(&url), url, full, origin }
    }
}

/// A request's referrer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Referrer<'a> {
    None,
    Client,
    /// A URL, or what a referrer policy has left of it.
    Url(&'a ReferrerSource, Shown),
}

/// How much of a URL a referrer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Full,
    Origin,
}

impl<'a> Referrer<'a> {
    /// The value of `Referer`.
    pub(super) fn value(self) -> Option<&'a str> {
        match self {
            Referrer::None | Referrer::Client => None,
            Referrer::Url(source, Shown::Full) => source.full.as_deref(),
            Referrer::Url(source, Shown::Origin) => source.origin.as_deref(),
        }
    }
}

/// How far a request has left its origin (Fetch, response tainting).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tainting {
    Basic,
    Cors,
    Opaque,
}

/// How far redirects have led a request astray (Fetch, redirect-taint).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Taint {
    SameOrigin,
    SameSite,
    CrossSite,
}

/// A request's destination, as far as anything here has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Of `fetch()`, XMLHttpRequest, EventSource, beacons.
    Empty,
    /// `image`.
    Image,
    /// `script`.
    Script,
    /// `style`.
    Style,
    /// `font`.
    Font,
    /// `audio`.
    Audio,
    /// `video`.
    Video,
    /// `track`.
    Track,
    /// `iframe`.
    Frame,
    /// `object`.
    Object,
    /// `embed`.
    Embed,
    /// `worker`.
    Worker,
    /// `sharedworker`.
    SharedWorker,
    /// `audioworklet`.
    AudioWorklet,
}

impl Destination {
    /// As `Sec-Fetch-Dest` says it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Destination::Empty => "empty",
            Destination::Image => "image",
            Destination::Script => "script",
            Destination::Style => "style",
            Destination::Font => "font",
            Destination::Audio => "audio",
            Destination::Video => "video",
            Destination::Track => "track",
            Destination::Frame => "iframe",
            Destination::Object => "object",
            Destination::Embed => "embed",
            Destination::Worker => "worker",
            Destination::SharedWorker => "sharedworker",
            Destination::AudioWorklet => "audioworklet",
        }
    }
}

/// A request body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body<'a> {
    pub(super) bytes: &'a [u8],
    /// How many bytes it has, as `Content-Length` says it.
    pub(super) length: &'a str,
    /// Whether its source is null: it came from a stream and cannot be sent twice.
    pub(super) is_stream: bool,
}

/// A URL list (Fetch, requests): one URL, and those that redirects have led to.
#[derive(Debug, Clone)]
pub(super) struct UrlList<'a> {
    first: Cow<'a, Url>,
    more: Vec<Cow<'a, Url>>,
}

impl<'a> UrlList<'a> {
    pub(super) fn new(first: Cow<'a, Url>) -> Self {
        Self { first, more: Vec::new() }
    }

    pub(super) fn first(&self) -> &Cow<'a, Url> {
        &self.first
    }

    pub(super) fn last(&self) -> &Cow<'a, Url> {
        self.more.last().unwrap_or(&self.first)
    }

    pub(super) fn replace_last(&mut self, url: Url) {
        *self.more.last_mut().unwrap_or(&mut self.first) = Cow::Owned(url);
    }

    pub(super) fn push(&mut self, url: Url) {
        self.more.push(Cow::Owned(url));
    }

    /// Whether redirects have led to other URLs.
    pub(super) fn is_redirected(&self) -> bool {
        !self.more.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Cow<'a, Url>> {
        iter::once(&self.first).chain(&self.more)
    }
}

/// A request (Fetch, requests), as far as the algorithms here look at it.
#[derive(Debug, Clone)]
pub(super) struct Request<'a> {
    pub(super) method: Cow<'a, str>,
    pub(super) urls: UrlList<'a>,
    pub(super) headers: HeaderList<'a>,
    pub(super) body: Option<Body<'a>>,
    /// What a service worker makes of it; none where it goes past (service-workers mode "none").
    pub(super) worker: Option<&'a WorkerAnswer>,
    /// Whether a service worker sees it go to its next URL, without answering.
    pub(super) worker_watches: bool,
    /// What the blob: URL stands for that it may go to.
    pub(super) blob: Option<&'a BlobUrl>,
    pub(super) destination: Destination,
    pub(super) mode: Mode,
    pub(super) credentials: Credentials,
    pub(super) redirect: RedirectMode,
    pub(super) cache: CacheMode,
    pub(super) referrer: Referrer<'a>,
    pub(super) referrer_policy: Option<ReferrerPolicy>,
    pub(super) integrity: &'a str,
    pub(super) keepalive: bool,
    pub(super) use_cors_preflight: bool,
    pub(super) use_url_credentials: bool,
    /// Whether script has given it a header: such a request takes no preload.
    pub(super) has_author_headers: bool,
    pub(super) tainting: Tainting,
    pub(super) redirects: u32,
    pub(super) timing_allow_failed: bool,
    pub(super) taint: Taint,
    /// The farthest that the URLs behind the first are from the page's origin.
    pub(super) farthest: Relation,
}

impl<'a> Request<'a> {
    pub(super) fn new(url: Cow<'a, Url>) -> Self {
        Self {
            method: Cow::Borrowed("GET"),
            urls: UrlList::new(url),
            headers: HeaderList::with_capacity(4),
            body: None,
            worker: None,
            worker_watches: false,
            blob: None,
            destination: Destination::Empty,
            mode: Mode::Cors,
            credentials: Credentials::SameOrigin,
            redirect: RedirectMode::Follow,
            cache: CacheMode::Default,
            referrer: Referrer::Client,
            referrer_policy: None,
            integrity: "",
            keepalive: false,
            use_cors_preflight: false,
            use_url_credentials: false,
            has_author_headers: false,
            tainting: Tainting::Basic,
            redirects: 0,
            timing_allow_failed: false,
            taint: Taint::SameOrigin,
            farthest: Relation::SameOrigin,
        }
    }

    /// The current URL: the last of the list.
    pub(super) fn url(&self) -> &Url {
        self.urls.last()
    }

    pub(super) fn includes(&self) -> bool {
        self.credentials == Credentials::Include
    }

    /// Appends a URL to the list and brings the redirect-taint up to date (Fetch, redirect-taint).
    pub(super) fn push_url(&mut self, url: Url, origin: &Origin) {
        let last = self.url();
        // Step 4.2: once cross-site, always.
        match origin.relation(last) {
            Relation::SameOrigin => {}
            Relation::CrossSite if !same_site(&url, last) => self.taint = Taint::CrossSite,
            _ if !same_origin(&url, last) => self.taint = self.taint.max(Taint::SameSite),
            _ => {}
        }
        self.farthest = self.farthest.max(origin.relation(&url));
        self.urls.push(url);
    }
}

/// A response (Fetch, responses). Its URL list is that of its request.
#[derive(Debug)]
pub(super) struct Response<'a, B> {
    pub(super) kind: ResponseType,
    pub(super) status: u16,
    pub(super) status_text: Cow<'a, [u8]>,
    pub(super) headers: HeaderList<'a>,
    pub(super) body: Source<'a, B>,
    pub(super) range_requested: bool,
    pub(super) cache_state: CacheState,
}

/// Where a response was taken from (Fetch, response, cache state).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CacheState {
    /// The network.
    None,
    /// The HTTP cache, and nobody was asked.
    Local,
    /// The HTTP cache, after a server has said that it still holds.
    Validated,
}

/// Where a response's bytes come from.
#[derive(Debug)]
pub(super) enum Source<'a, B> {
    /// There is no body.
    Null,
    /// They are at hand.
    Bytes(Cow<'a, [u8]>),
    /// They were read already, to whatever end.
    Read(Read<'a>),
    /// They are still to be read.
    Network(B),
}

/// The CORS-exposed header-name list of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exposed<'h> {
    Nothing,
    All,
    Names(Vec<&'h str>),
}

/// A network error (Fetch, responses), and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// Whether the page ended it itself.
    pub end: Ending,
    /// The status of the response that was taken back, if there was one; never shown to pages.
    pub hidden_status: Option<u16>,
}

/// Who ended a request that gave a network error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The user agent.
    Error,
    /// The page's abort.
    Aborted,
    /// The page's timeout.
    TimedOut,
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self { reason, end: Ending::Error, hidden_status: None }
    }
}
