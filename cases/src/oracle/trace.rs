//! The path: which steps of which algorithms a prediction went through, and what they compared.

use std::{borrow::Cow, fmt};

use serde::{Serialize, Serializer};

macro_rules! algorithms {
    ($( $(#[doc = $doc:literal])* $name:ident = $words:literal, $spec:literal; )*) => {
        /// An algorithm of a standard that the oracle implements.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Algorithm {
            $( $(#[doc = $doc])* $name, )*
        }

        impl Algorithm {
            /// Every algorithm, in the order of this list.
            pub const ALL: &'static [Algorithm] = &[$( Algorithm::$name, )*];

            /// Its name in the standard.
            pub fn name(self) -> &'static str {
                match self { $( Algorithm::$name => $words, )* }
            }

            /// Where it stands: `STANDARD#ANCHOR`, as in case files.
            pub fn spec(self) -> &'static str {
                match self { $( Algorithm::$name => $spec, )* }
            }
        }
    };
}

algorithms! {
    /// Fetch API: the Request constructor.
    NewRequest = "new Request(input, init)", "fetch#dom-request";
    /// Fetch API: appending to a Headers object.
    HeadersAppend = "append to a Headers object", "fetch#concept-headers-append";
    /// Fetch API: the `fetch()` method.
    FetchMethod = "fetch(input, init)", "fetch#dom-global-fetch";
    /// XMLHttpRequest: `open()`.
    XhrOpen = "open()", "xhr#the-open()-method";
    /// XMLHttpRequest: `setRequestHeader()`.
    XhrSetRequestHeader = "setRequestHeader()", "xhr#the-setrequestheader()-method";
    /// XMLHttpRequest: `send()`.
    XhrSend = "send()", "xhr#the-send()-method";
    /// XMLHttpRequest: `abort()`.
    XhrAbort = "abort()", "xhr#the-abort()-method";
    /// Fetching.
    Fetching = "fetching", "fetch#concept-fetch";
    /// Main fetch.
    MainFetch = "main fetch", "fetch#concept-main-fetch";
    /// Scheme fetch.
    SchemeFetch = "scheme fetch", "fetch#concept-scheme-fetch";
    /// HTTP fetch.
    HttpFetch = "HTTP fetch", "fetch#concept-http-fetch";
    /// HTTP-redirect fetch.
    HttpRedirectFetch = "HTTP-redirect fetch", "fetch#concept-http-redirect-fetch";
    /// HTTP-network-or-cache fetch.
    HttpNetworkOrCacheFetch = "HTTP-network-or-cache fetch", "fetch#concept-http-network-or-cache-fetch";
    /// HTTP-network fetch.
    HttpNetworkFetch = "HTTP-network fetch", "fetch#concept-http-network-fetch";
    /// CORS-preflight fetch.
    CorsPreflightFetch = "CORS-preflight fetch", "fetch#cors-preflight-fetch-0";
    /// CORS-unsafe request-header names.
    UnsafeNames = "CORS-unsafe request-header names", "fetch#cors-unsafe-request-header-names";
    /// Append a request Origin header.
    OriginHeader = "append a request Origin header", "fetch#append-a-request-origin-header";
    /// Serializing a request origin.
    SerializeOrigin = "serializing a request origin", "fetch#serializing-a-request-origin";
    /// CORS check.
    CorsCheck = "CORS check", "fetch#concept-cors-check";
    /// TAO check.
    TaoCheck = "TAO check", "fetch#concept-tao-check";
    /// Cross-origin resource policy check.
    CorpCheck = "cross-origin resource policy internal check", "fetch#cross-origin-resource-policy-internal-check";
    /// Should response to request be blocked due to its MIME type?
    MimeTypeCheck = "should response be blocked due to its MIME type?", "fetch#should-response-to-request-be-blocked-due-to-mime-type?";
    /// Should response to request be blocked due to nosniff?
    NosniffCheck = "should response be blocked due to nosniff?", "fetch#should-response-to-request-be-blocked-due-to-nosniff?";
    /// An element, or another interface, in steps of this project's own (HTML spreads them over many algorithms): 1 its URL, 2 its
    /// request, 3 the body, 4 whether it takes it, 5 whether the page may look.
    Initiator = "an element's request and response (corscheck's own steps)", "html#create-a-potential-cors-request";
    /// Append a request Cookie header.
    CookieHeader = "append a request Cookie header", "fetch#append-a-request-cookie-header";
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One step that a prediction went through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathStep {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The number of the step in it, `4.1.2`.
    pub step: &'static str,
    /// What it came to, in words.
    pub says: Cow<'static, str>,
    /// What was compared with what, where the step compares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// Whether the request ended here.
    pub decides: bool,
}

/// Two values that a step held against each other, escaped as in case files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// What the standard asks for.
    pub wanted: String,
    /// What was there.
    pub found: String,
}

impl fmt::Display for PathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, step {}: {}", self.algorithm, self.step, self.says)?;
        if let Some(Compared { wanted, found }) = &self.compared {
            write!(f, " [wanted {wanted}; found {found}]")?;
        }
        Ok(())
    }
}

/// What keeps the path, or does not.
pub trait Trace {
    /// Whether anything is kept: steps are not even built otherwise.
    const ON: bool;
    /// Keeps a step.
    fn push(&mut self, step: PathStep);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTrace;

impl Trace for NoTrace {
    const ON: bool = false;
    fn push(&mut self, _: PathStep) {}
}

/// Keeps every step, in order.
pub type Path = Vec<PathStep>;

impl Trace for Path {
    const ON: bool = true;
    fn push(&mut self, step: PathStep) {
        Vec::push(self, step);
    }
}
