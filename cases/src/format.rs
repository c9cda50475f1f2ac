//! The catalogue's file format, exactly as it stands in TOML.
//!
//! These types are what serde reads and what the JSON Schema is generated from. [`crate::case`] turns them into a model in which
//! contradictions cannot be written down.

use std::{collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use toml::Spanned;

use crate::{
    behaviour::BehaviourId,
    case::CaseId,
    handling::{BlobUrl, Handling},
    page::PageSettings,
    text::{Bytes, Text},
    topology::{Alias, Context},
    words::{Level, Outcome, Reason},
    worker::Answering,
};

pub use crate::one_or_many::deserialize as one_or_many;

/// A file below `cases/catalogue/`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// The cases, in reading order.
    #[serde(default, rename = "case")]
    pub cases: Vec<CaseEntry>,
}

/// One case: either `request`, `preflight`, `redirects`, `response` and `expect`, or `steps` that each hold them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CaseEntry {
    /// `area/slug`, hand-written, unique, never reused.
    #[schemars(with = "CaseId")]
    pub id: Spanned<CaseId>,
    /// One sentence that is true of a conforming browser.
    pub title: String,
    /// The behaviours of the checklist that this case shows.
    #[schemars(length(min = 1))]
    pub behaviours: Vec<BehaviourId>,
    /// Where the standard says so: `fetch#ANCHOR`, `xhr#ANCHOR` or another standard's.
    pub spec: SpecRef,
    /// Why the expectation is right: the algorithm and step, in words.
    pub why: String,
    /// Why no defect of a user agent can be told by this case, where that is so: the kill matrix demands it.
    pub undetectable: Option<String>,
    /// How binding it is.
    #[serde(default)]
    pub level: Level,
    /// The page's origin.
    #[serde(default = "default_page")]
    pub page: Alias,
    /// What the page is besides: its header fields, its `<base>`, its `document.domain`.
    #[serde(default)]
    pub document: PageSettings,
    /// Where in the page the requests are made.
    #[serde(default)]
    pub context: Context,
    /// Variants of this case that must come to the same: `.xhr` and `.worker` are added to the id.
    #[serde(default)]
    pub also: Vec<Variant>,
    /// The request, for a case of one step.
    #[schemars(with = "Option<RequestEntry>")]
    pub request: Option<Spanned<RequestEntry>>,
    /// Answers to preflights: one, or a list for the first, second … of them.
    #[serde(default, deserialize_with = "crate::one_or_many::deserialize")]
    #[schemars(with = "OneOrMany<AnswerEntry>")]
    pub preflight: Vec<AnswerEntry>,
    /// The chain of redirects before the final response.
    #[serde(default)]
    pub redirects: Vec<RedirectEntry>,
    /// Answers to the actual request: one, or a list for the first, second … of them.
    #[serde(default, deserialize_with = "crate::one_or_many::deserialize")]
    #[schemars(with = "OneOrMany<AnswerEntry>")]
    pub response: Vec<AnswerEntry>,
    /// Answers to the actual request where it is conditional (If-None-Match, If-Modified-Since); those of `response` when absent.
    #[serde(default, deserialize_with = "crate::one_or_many::deserialize")]
    #[schemars(with = "OneOrMany<AnswerEntry>")]
    pub revalidation: Vec<AnswerEntry>,
    /// What must happen.
    #[schemars(with = "Option<ExpectEntry>")]
    pub expect: Option<Spanned<ExpectEntry>>,
    /// Several requests that share one token, and with it cookies and caches.
    #[serde(default)]
    pub steps: Vec<StepEntry>,
}

fn default_page() -> Alias {
    Alias::A
}

/// One step of a case.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StepEntry {
    /// Time to let pass before this step, in milliseconds.
    #[serde(default)]
    pub wait_ms: u32,
    /// Where in the page this request is made; the case's context when absent.
    pub context: Option<Context>,
    /// The request.
    #[schemars(with = "RequestEntry")]
    pub request: Spanned<RequestEntry>,
    /// Answers to preflights: one, or a list for the first, second … of them.
    #[serde(default, deserialize_with = "crate::one_or_many::deserialize")]
    #[schemars(with = "OneOrMany<AnswerEntry>")]
    pub preflight: Vec<AnswerEntry>,
    /// The chain of redirects before the final response.
    #[serde(default)]
    pub redirects: Vec<RedirectEntry>,
    /// Answers to the actual request: one, or a list for the first, second … of them.
    #[serde(default, deserialize_with = "crate::one_or_many::deserialize")]
    #[schemars(with = "OneOrMany<AnswerEntry>")]
    pub response: Vec<AnswerEntry>,
    /// Answers to the actual request where it is conditional (If-None-Match, If-Modified-Since); those of `response` when absent.
    #[serde(default, deserialize_with = "crate::one_or_many::deserialize")]
    #[schemars(with = "OneOrMany<AnswerEntry>")]
    pub revalidation: Vec<AnswerEntry>,
    /// What must happen.
    #[schemars(with = "ExpectEntry")]
    pub expect: Spanned<ExpectEntry>,
}

/// A permutation of a case that the same expectation holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
pub enum Variant {
    /// By XMLHttpRequest instead of `fetch()`.
    #[serde(rename = "xhr")]
    Xhr,
    /// From a dedicated worker instead of a window.
    #[serde(rename = "worker")]
    Worker,
    /// By XMLHttpRequest in a dedicated worker.
    #[serde(rename = "xhr.worker")]
    XhrWorker,
}

/// What makes the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// `fetch()`.
    #[default]
    Fetch,
    /// XMLHttpRequest.
    Xhr,
    /// `<img>`.
    Img,
    /// `<script>`, a classic one.
    Script,
    /// `<script type=module>`.
    Module,
    /// `import()`.
    Import,
    /// `importScripts()` of a worker.
    ImportScripts,
    /// `<link rel=stylesheet>`.
    Style,
    /// FontFace.
    Font,
    /// `<track>` of a `<video>`, which has the `crossorigin` attribute.
    Track,
    /// EventSource.
    EventSource,
    /// `navigator.sendBeacon()`.
    Beacon,
    /// `fetchLater()`, to be sent at once.
    FetchLater,
    /// An image that `createImageBitmap()` reads.
    ImageBitmap,
    /// An image that fills a canvas as a pattern.
    ImagePattern,
    /// An image that is a texture of WebGL.
    ImageTexture,
    /// `mask-image` of a style.
    MaskImage,
    /// `shape-outside` of a style.
    ShapeOutside,
    /// `background-image` of a style.
    BackgroundImage,
    /// `<iframe>`.
    Frame,
    /// `<object>`.
    Object,
    /// `<embed>`.
    Embed,
    /// `<form>`, sent into an iframe.
    Form,
    /// `new Worker()`.
    DedicatedWorker,
    /// `new SharedWorker()`.
    SharedWorker,
    /// What a module worker imports.
    WorkerImport,
    /// `audioWorklet.addModule()`.
    Worklet,
    /// `<audio>`.
    Audio,
    /// `<video>` (and a canvas).
    Video,
    /// `new WebSocket()`.
    WebSocket,
    /// `<a ping>` that is followed.
    Ping,
    /// `fetch()` with keepalive in a frame that is taken away at once.
    KeepaliveFrame,
    /// `<link rel=preload>`.
    Preload,
    /// `<link rel=modulepreload>`.
    ModulePreload,
}

/// What a preload is for: the `as` attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PreloadAs {
    /// `fetch`.
    Fetch,
    /// `font`.
    Font,
    /// `image`.
    Image,
    /// `script`.
    Script,
    /// `style`.
    Style,
}

/// The `crossorigin` attribute of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrossOrigin {
    /// `anonymous`.
    Anonymous,
    /// `use-credentials`.
    UseCredentials,
}

/// A request as the page's script makes it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RequestEntry {
    /// The origin it goes to.
    pub to: Option<Alias>,
    /// Instead of `to`: any URL, with placeholders; for `data:`, bad ports, odd schemes.
    pub url: Option<Text>,
    /// The resource below the token; steps with the same name share one URL.
    #[serde(default = "default_path")]
    pub path: String,
    /// The query, without `?`.
    pub query: Option<String>,
    /// The fragment, without `#`.
    pub fragment: Option<String>,
    /// `user:password` to stand before the host in the URL.
    pub userinfo: Option<String>,
    /// What makes it: `fetch`, `xhr`, or an element or interface by its word.
    #[serde(default)]
    pub api: Api,
    /// Elements only: the `crossorigin` attribute.
    pub crossorigin: Option<CrossOrigin>,
    /// Preloads only: the `as` attribute; demanded.
    pub r#as: Option<PreloadAs>,
    /// The method, exactly as script passes it.
    pub method: Option<String>,
    /// Header name and value pairs, in order; a repeated name is appended.
    #[serde(default)]
    pub headers: Vec<(Text, Text)>,
    /// The body.
    pub body: Option<BodyEntry>,
    /// Credentials mode; for XMLHttpRequest `include` means withCredentials.
    pub credentials: Option<Credentials>,
    /// fetch only: request mode.
    pub mode: Option<Mode>,
    /// fetch only: redirect mode.
    pub redirect: Option<RedirectMode>,
    /// fetch only: cache mode.
    pub cache: Option<CacheMode>,
    /// fetch only: referrer, as script passes it.
    pub referrer: Option<Text>,
    /// fetch and elements: referrer policy.
    pub referrer_policy: Option<String>,
    /// fetch, scripts and style sheets: integrity metadata.
    pub integrity: Option<String>,
    /// fetch only: keepalive.
    #[serde(default)]
    pub keepalive: bool,
    /// Abort so many milliseconds after the expected exchanges have arrived; 0 aborts before the start (fetch: a signal that is
    /// already aborted).
    pub abort_after_ms: Option<u32>,
    /// In the context `controlled`: what the service worker does with the request.
    pub worker: Option<Answering>,
    /// fetch only: what script does with the Request and the Response.
    #[serde(default)]
    pub handling: Handling,
    /// fetch and XHR, instead of `to`: a blob: URL that the page makes.
    pub blob: Option<BlobUrl>,
    /// XHR only: synchronous.
    #[serde(default)]
    pub sync: bool,
    /// XHR only: listeners on `xhr.upload`.
    pub upload_listener: Option<UploadListener>,
    /// XHR only: timeout in milliseconds.
    pub timeout_ms: Option<u32>,
    /// XHR only: user and password arguments of open().
    pub open_credentials: Option<(String, String)>,
    /// XHR only: set withCredentials only after send().
    #[serde(default)]
    pub late_credentials: bool,
}

fn default_path() -> String {
    "r".to_owned()
}

/// Request mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// `cors`, the default of `fetch()`.
    Cors,
    /// `no-cors`.
    NoCors,
    /// `same-origin`.
    SameOrigin,
    /// `navigate`: script may not ask for it.
    Navigate,
    /// `websocket`: script may not ask for it.
    Websocket,
}

/// Credentials mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Credentials {
    /// `omit`.
    Omit,
    /// `same-origin`, the default.
    SameOrigin,
    /// `include`.
    Include,
}

impl Credentials {
    /// The word used in files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Credentials::Omit => "omit",
            Credentials::SameOrigin => "same-origin",
            Credentials::Include => "include",
        }
    }
}

/// Redirect mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedirectMode {
    /// `follow`, the default.
    Follow,
    /// `error`.
    Error,
    /// `manual`.
    Manual,
}

/// Cache mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CacheMode {
    /// `default`.
    Default,
    /// `no-store`.
    NoStore,
    /// `reload`.
    Reload,
    /// `no-cache`.
    NoCache,
    /// `force-cache`.
    ForceCache,
    /// `only-if-cached`.
    OnlyIfCached,
}

/// What Resource Timing tells of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// When which phase began and ended.
    Open,
    /// When it began and ended, and nothing between.
    Closed,
}

/// What an entry of Resource Timing says besides times; absent parts are not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct TimingEntry {
    /// How many entries there are for the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// `responseStatus`; 0 hides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_status: Option<u16>,
    /// `contentType`; empty hides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `encodedBodySize`; 0 hides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoded_body_size: Option<u64>,
    /// `decodedBodySize`; 0 hides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded_body_size: Option<u64>,
    /// The names in `serverTiming`, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_timing: Option<Vec<String>>,
}

impl TimingEntry {
    /// The names of the attributes that are looked at, as script knows them.
    pub fn attributes(&self) -> Vec<String> {
        let attributes = [
            ("responseStatus", self.response_status.is_some()),
            ("contentType", self.content_type.is_some()),
            ("encodedBodySize", self.encoded_body_size.is_some()),
            ("decodedBodySize", self.decoded_body_size.is_some()),
            ("serverTiming", self.server_timing.is_some()),
        ];
        attributes.iter().filter(|(_, looked_at)| *looked_at).map(|(name, _)| (*name).to_owned()).collect()
    }
}

impl Timing {
    /// The word used in files, on terminals and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Timing::Open => "open",
            Timing::Closed => "closed",
        }
    }
}

/// How a listener is put on `xhr.upload`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UploadListener {
    /// `addEventListener("progress", …)`.
    Add,
    /// `onprogress = …`.
    On,
    /// `xhr.upload` is read and nothing is added.
    ReadOnly,
    /// `addEventListener("progress", …)` after send().
    Late,
}

/// A request body, by the kind of object script passes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BodyEntry {
    /// A string.
    Text(String),
    /// A string of so many `x`.
    Size(u32),
    /// URLSearchParams from pairs.
    Form(Vec<(String, String)>),
    /// FormData from pairs.
    Multipart(Vec<(String, String)>),
    /// A Uint8Array with these bytes.
    Bytes(Vec<u8>),
    /// A Blob.
    Blob(BlobEntry),
    /// A ReadableStream of these strings (fetch only).
    Stream(Vec<String>),
    /// A Document parsed from this markup (XHR in a window only).
    Document(DocumentEntry),
}

/// A Blob body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlobEntry {
    /// Its content.
    pub data: String,
    /// Its type; an untyped Blob when empty.
    #[serde(default)]
    pub r#type: String,
}

/// A Document body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentEntry {
    /// The markup.
    pub markup: String,
    /// `text/html` or `application/xml`.
    pub r#type: String,
}

/// An answer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AnswerEntry {
    /// Status code; 200 when absent.
    #[schemars(range(max = 999))]
    pub status: Option<u16>,
    /// Reason phrase.
    pub reason: Option<Bytes>,
    /// Header fields in order: `[name, value]`, or one string for a raw line.
    #[serde(default)]
    pub headers: Vec<FieldEntry>,
    /// Body; for the actual response a text with the token when absent.
    pub body: Option<Bytes>,
    /// Instead of `body`, for `audio` and `video`: these bytes of their content, `FIRST-LAST` or `FIRST-`, both counted, with
    /// status 206 and the Content-Range that goes with them.
    pub range: Option<String>,
    /// Interim responses before it.
    #[serde(default)]
    pub interim: Vec<InterimEntry>,
    /// Time before the first byte, in milliseconds.
    #[serde(default)]
    pub delay_ms: u32,
    /// Time between head and body, in milliseconds.
    #[serde(default)]
    pub body_delay_ms: u32,
    /// How the body's end is told.
    pub framing: Option<FramingEntry>,
    /// A Content-Length that may be a lie.
    pub content_length: Option<u64>,
    /// Send only so many bytes of the body.
    pub cut: Option<usize>,
    /// What becomes of the connection.
    pub then: Option<ThenEntry>,
    /// Instead of everything above but `delay-ms` and `then`: the bytes of the answer, chunk by chunk.
    pub raw: Option<Vec<Bytes>>,
    /// Instead of everything above but `delay-ms`: no answer, and this done to the connection.
    pub drop: Option<DropEntry>,
}

/// How a body's end is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FramingEntry {
    /// A true Content-Length.
    Length,
    /// Chunked transfer coding.
    Chunked,
    /// The end of the connection.
    Close,
}

/// What becomes of a connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ThenEntry {
    /// Kept open.
    Keep,
    /// Closed.
    Close,
    /// Reset.
    Reset,
    /// Left silent.
    Hang,
}

/// What is done instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DropEntry {
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// Silence.
    Hang,
}

/// An interim response.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InterimEntry {
    /// 100 to 199.
    #[schemars(range(min = 100, max = 199))]
    pub status: u16,
    /// Its fields.
    #[serde(default)]
    pub headers: Vec<FieldEntry>,
}

/// A redirect on the way to the final response.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedirectEntry {
    /// The redirect status.
    pub status: u16,
    /// The origin it leads to.
    pub to: Alias,
    /// Fields besides Location.
    #[serde(default)]
    pub headers: Vec<FieldEntry>,
    /// Location; `{next}` when absent, `""` for an empty one. `false`: no such field.
    #[serde(default)]
    pub location: LocationEntry,
    /// Answers to a preflight at the URL it leads to.
    #[serde(default, deserialize_with = "crate::one_or_many::deserialize")]
    #[schemars(with = "OneOrMany<AnswerEntry>")]
    pub preflight: Vec<AnswerEntry>,
    /// The same redirect so many times in a row, to so many URLs.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub times: u32,
    /// Time before it is answered, in milliseconds.
    #[serde(default)]
    pub delay_ms: u32,
}

fn one() -> u32 {
    1
}

/// The Location of a redirect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LocationEntry {
    /// The URL of the next resource.
    #[default]
    Next,
    /// These bytes.
    Is(Bytes),
    /// No Location field.
    Absent,
}

impl<'de> Deserialize<'de> for LocationEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = LocationEntry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Location as a string, or `false` for none")
            }
            fn visit_bool<E: Error>(self, v: bool) -> Result<Self::Value, E> {
                if v { Err(E::custom("`true` says nothing: leave `location` out for the next URL")) } else { Ok(LocationEntry::Absent) }
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
                Bytes::parse(v).map(LocationEntry::Is).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl JsonSchema for LocationEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Location".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let bytes = generator.subschema_for::<Bytes>();
        json_schema!({ "anyOf": [bytes, { "const": false }] })
    }
}

/// A header field: `["Name", "value"]`, or `"Name : raw line"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldEntry {
    /// Name and value.
    Pair(Bytes, Bytes),
    /// A raw line, without its line end.
    Line(Bytes),
}

impl<'de> Deserialize<'de> for FieldEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = FieldEntry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header field: [\"Name\", \"value\"], or one string for a raw line")
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
                Bytes::parse(v).map(FieldEntry::Line).map_err(E::custom)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let name = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                let value = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
                if seq.next_element::<Bytes>()?.is_some() {
                    return Err(A::Error::invalid_length(3, &self));
                }
                Ok(FieldEntry::Pair(name, value))
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl JsonSchema for FieldEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Field".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let bytes = generator.subschema_for::<Bytes>();
        json_schema!({ "anyOf": [bytes.clone(), { "type": "array", "prefixItems": [bytes.clone(), bytes], "minItems": 2, "maxItems": 2 }] })
    }
}

/// What must happen.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectEntry {
    /// What the request comes to.
    pub read: Outcome,
    /// Why it is blocked or refused; demanded then, forbidden otherwise.
    pub reason: Option<Reason>,
    /// Reasons that are as right, where one fault can be named in two ways.
    #[serde(default)]
    pub or_reasons: Vec<Reason>,
    /// Outcomes the standard leaves open besides `read` (level `info` or `should`).
    #[serde(default)]
    pub or_read: Vec<Outcome>,
    /// `response.type`.
    pub r#type: Option<ResponseType>,
    /// Status as the page sees it.
    pub status: Option<u16>,
    /// Status text as the page sees it.
    pub status_text: Option<String>,
    /// `response.url` or `xhr.responseURL`.
    pub url: Option<Text>,
    /// `response.redirected`.
    pub redirected: Option<bool>,
    /// Header fields as the page sees them: a value, or `false` for null.
    #[serde(default)]
    pub headers: BTreeMap<String, SeenEntry>,
    /// Every header name that iterating over the headers gives, in order.
    pub header_names: Option<Vec<String>>,
    /// The body as the page sees it; when absent, the body that was served.
    pub body: Option<Text>,
    /// Reading the body fails after the response was readable.
    #[serde(default)]
    pub body_fails: bool,
    /// Name of the exception.
    pub error: Option<String>,
    /// XHR: the events on the request, in order, repeats folded.
    pub events: Option<Vec<String>>,
    /// XHR: the events on the upload object, in order, repeats folded.
    pub upload_events: Option<Vec<String>>,
    /// Whether Resource Timing tells the times of the request: `open` or `closed`.
    pub timing: Option<Timing>,
    /// What else is in its entry of Resource Timing.
    pub entry: Option<TimingEntry>,
    /// In the context `controlled`: the requests that the service worker sees, in order: `"GET r"`, method and path.
    pub worker_sees: Option<Vec<String>>,
    /// The exchanges on the wire, in order: `"GET b"`, or a table with what to look at.
    pub wire: Vec<ExchangeEntry>,
    /// Other lists of exchanges that the standard permits as well.
    #[serde(default)]
    pub or_wire: Vec<Vec<ExchangeEntry>>,
    /// Other things that may happen instead, each told in full: page and wire belong together.
    #[serde(default)]
    pub or: Vec<ExpectEntry>,
}

/// A header value as the page sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenEntry {
    /// null.
    Hidden,
    /// Any value.
    Present,
    /// This value.
    Is(Text),
}

impl<'de> Deserialize<'de> for SeenEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = SeenEntry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, `true` for any, or `false` for null")
            }
            fn visit_bool<E: Error>(self, v: bool) -> Result<Self::Value, E> {
                Ok(if v { SeenEntry::Present } else { SeenEntry::Hidden })
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
                Text::parse(v).map(SeenEntry::Is).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl JsonSchema for SeenEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Seen".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Text>();
        json_schema!({ "anyOf": [text, { "type": "boolean" }] })
    }
}

/// `response.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseType {
    /// `basic`.
    Basic,
    /// `cors`.
    Cors,
    /// `default`.
    Default,
    /// `error`.
    Error,
    /// `opaque`.
    Opaque,
    /// `opaqueredirect`.
    #[serde(rename = "opaqueredirect")]
    OpaqueRedirect,
}

/// An exchange that must be on the wire: `"METHOD ALIAS"`, or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeEntry {
    /// The method, case kept.
    pub method: String,
    /// The origin that got it; the request's own when absent.
    pub at: Option<Alias>,
    /// Request header fields to look at.
    pub headers: BTreeMap<String, FieldCheckEntry>,
    /// Bytes of the request's body.
    pub body: Option<Bytes>,
    /// How many bytes the request's body has.
    pub body_length: Option<usize>,
    /// The request target below the token must be this (path and query as sent).
    pub target: Option<String>,
    /// May happen again and again (a browser's own retries on a broken connection).
    pub repeats: bool,
    /// May be missing.
    pub optional: bool,
    /// A word for the connection it comes over: those of different words in a case are different connections.
    pub connection: Option<String>,
}

/// The table form of [`ExchangeEntry`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ExchangeTable {
    /// The method, case kept.
    method: String,
    /// The origin that got it; the request's own when absent.
    at: Option<Alias>,
    /// Request header fields to look at.
    #[serde(default)]
    headers: BTreeMap<String, FieldCheckEntry>,
    /// Bytes of the request's body.
    body: Option<Bytes>,
    /// How many bytes the request's body has.
    body_length: Option<usize>,
    /// The request target below the token must be this.
    target: Option<String>,
    /// May happen again and again.
    #[serde(default)]
    repeats: bool,
    /// May be missing.
    #[serde(default)]
    optional: bool,
    /// A word for the connection it comes over: exchanges of a case with different words never share one.
    connection: Option<String>,
}

impl<'de> Deserialize<'de> for ExchangeEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = ExchangeEntry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an exchange: \"METHOD\", \"METHOD ALIAS\", or a table with `method`")
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
                let (method, at) = match v.split_once(' ') {
                    None => (v, None),
                    Some((method, at)) => (method, Some(at)),
                };
                let at = at
                    .map(|word| {
                        Alias::ALL.iter().copied().find(|a| a.word() == word).ok_or_else(|| {
                            let all: Vec<_> = Alias::ALL.iter().map(|a| a.word()).collect();
                            E::custom(format!("unknown alias `{word}` in `{v}`, expected one of {}", all.join(", ")))
                        })
                    })
                    .transpose()?;
                if method.is_empty() {
                    return Err(E::custom("an exchange needs a method"));
                }
                Ok(ExchangeEntry {
                    method: method.to_owned(),
                    at,
                    headers: BTreeMap::new(),
                    body: None,
                    body_length: None,
                    target: None,
                    repeats: false,
                    optional: false,
                    connection: None,
                })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let t = ExchangeTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ExchangeEntry {
                    method: t.method,
                    at: t.at,
                    headers: t.headers,
                    body: t.body,
                    body_length: t.body_length,
                    target: t.target,
                    repeats: t.repeats,
                    optional: t.optional,
                    connection: t.connection,
                })
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl JsonSchema for ExchangeEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Exchange".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<ExchangeTable>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}

/// What a request header field must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldCheckEntry {
    /// There must be none.
    Absent,
    /// There must be at least one, with any value.
    Present,
    /// There must be exactly one, with these bytes.
    Is(Bytes),
    /// There must be exactly one, with one of these values.
    OneOf(Vec<Bytes>),
    /// There must be exactly one that contains each of these.
    Contains(Vec<Bytes>),
    /// There may be fields; none contains any of these.
    Lacks(Vec<Bytes>),
}

/// The table form of [`FieldCheckEntry`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FieldCheckTable {
    /// Exactly one field that contains each of these.
    contains: Option<Vec<Bytes>>,
    /// No field contains any of these.
    lacks: Option<Vec<Bytes>>,
}

impl<'de> Deserialize<'de> for FieldCheckEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = FieldCheckEntry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, a list of values, `true`, `false`, { contains = [\"…\"] } or { lacks = [\"…\"] }")
            }
            fn visit_bool<E: Error>(self, v: bool) -> Result<Self::Value, E> {
                Ok(if v { FieldCheckEntry::Present } else { FieldCheckEntry::Absent })
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
                Bytes::parse(v).map(FieldCheckEntry::Is).map_err(E::custom)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                if values.is_empty() {
                    return Err(A::Error::custom("an empty list can never match"));
                }
                Ok(FieldCheckEntry::OneOf(values))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let t = FieldCheckTable::deserialize(MapAccessDeserializer::new(map))?;
                match (t.contains, t.lacks) {
                    (Some(values), None) if !values.is_empty() => Ok(FieldCheckEntry::Contains(values)),
                    (None, Some(values)) if !values.is_empty() => Ok(FieldCheckEntry::Lacks(values)),
                    _ => Err(A::Error::custom("expected either `contains` or `lacks`, with at least one value")),
                }
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl JsonSchema for FieldCheckEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldCheck".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let bytes = generator.subschema_for::<Bytes>();
        let table = generator.subschema_for::<FieldCheckTable>();
        json_schema!({ "anyOf": [bytes.clone(), { "type": "boolean" }, { "type": "array", "items": bytes, "minItems": 1 }, table] })
    }
}

/// A reference into a standard: `fetch#concept-cors-check`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct SpecRef(String);

impl SpecRef {
    const STANDARDS: &'static [(&'static str, &'static str)] = &[
        ("fetch", "https://fetch.spec.whatwg.org/"),
        ("xhr", "https://xhr.spec.whatwg.org/"),
        ("html", "https://html.spec.whatwg.org/multipage/"),
        ("url", "https://url.spec.whatwg.org/"),
        ("fetch-metadata", "https://w3c.github.io/webappsec-fetch-metadata/"),
        ("referrer-policy", "https://w3c.github.io/webappsec-referrer-policy/"),
        ("rfc9110", "https://www.rfc-editor.org/rfc/rfc9110"),
        ("rfc9111", "https://www.rfc-editor.org/rfc/rfc9111"),
        ("rfc9112", "https://www.rfc-editor.org/rfc/rfc9112"),
        ("rfc6265bis", "https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html"),
    ];

    /// As it stands in the file.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of the place in the living standard.
    pub fn url(&self) -> String {
        Self::address(&self.0)
    }

    /// The address of a reference that stands in another file than the catalogue's.
    pub(crate) fn address(reference: &str) -> String {
        let (standard, anchor) = reference.split_once('#').unwrap_or((reference, ""));
        let base = Self::STANDARDS.iter().find(|(name, _)| *name == standard).map_or("", |(_, url)| url);
        format!("{base}#{anchor}")
    }
}

impl<'de> Deserialize<'de> for SpecRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = String::deserialize(deserializer)?;
        let known = source.split_once('#').is_some_and(|(s, a)| !a.is_empty() && Self::STANDARDS.iter().any(|(name, _)| *name == s));
        if known {
            return Ok(SpecRef(source));
        }
        let names: Vec<_> = Self::STANDARDS.iter().map(|(name, _)| *name).collect();
        Err(D::Error::custom(format!("`{source}` is no reference: expected STANDARD#ANCHOR with a standard of {}", names.join(", "))))
    }
}

impl JsonSchema for SpecRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SpecRef".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = Self::STANDARDS.iter().map(|(name, _)| *name).collect();
        json_schema!({ "type": "string", "pattern": format!("^({})#.+$", names.join("|")) })
    }
}

/// For the schema: a table or a list of them.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used; one_or_many reads the values")]
enum OneOrMany<T> {
    /// One.
    One(T),
    /// Several: for the first, the second …; the last one repeats.
    Many(Vec<T>),
}

/// The JSON Schema of [`File`], for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(File).to_value()
}
