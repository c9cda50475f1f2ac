//! The closed vocabularies: what a page can observe, why it was refused, and how binding a case is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a request came to, as its page can tell.
///
/// "Blocked" is an observation and never a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The page got a response it can read (type `basic`, `cors` or `default`; for XMLHttpRequest a status that is not 0).
    Allowed,
    /// A network error: `fetch()` rejected with a TypeError, XMLHttpRequest fired `error` or threw a NetworkError.
    Blocked,
    /// An opaque filtered response: it came, and the page may know nothing of it.
    Opaque,
    /// An opaque-redirect filtered response (redirect mode `manual`).
    OpaqueRedirect,
    /// The API threw before there was a request: nothing can have reached the wire.
    Refused,
    /// The page's own abort signal or timeout ended the request.
    Aborted,
}

impl Outcome {
    /// How much the page got to know: the greater, the more open.
    ///
    /// Orders outcomes for the direction of a mismatch; outcomes of one rank do not differ in openness.
    pub fn openness(self) -> u8 {
        match self {
            Outcome::Refused | Outcome::Blocked | Outcome::Aborted => 0,
            Outcome::Opaque | Outcome::OpaqueRedirect => 1,
            Outcome::Allowed => 2,
        }
    }

    /// The word used in files, on terminals and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Allowed => "allowed",
            Outcome::Blocked => "blocked",
            Outcome::Opaque => "opaque",
            Outcome::OpaqueRedirect => "opaque-redirect",
            Outcome::Refused => "refused",
            Outcome::Aborted => "aborted",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How binding a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The standard demands it: a mismatch fails the run.
    #[default]
    Must,
    /// The standard recommends it or engines agree on it: a mismatch is reported and fails only a strict run.
    Should,
    /// The standard leaves it open: what happens is recorded.
    Info,
}

impl Level {
    /// The word used in files, on terminals and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::Info => "info",
        }
    }
}

macro_rules! reasons {
    ($( $(#[doc = $doc:literal])* $name:ident = $word:literal, )*) => {
        /// Why a request ended in a network error or was refused: a closed set of codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Reason {
            $( $(#[doc = $doc])* $name, )*
        }

        impl Reason {
            /// Every reason, in the order in which the guide lists them.
            pub const ALL: &'static [Reason] = &[$( Reason::$name, )*];

            /// The code used in files, on terminals and in reports.
            pub fn word(self) -> &'static str {
                match self { $( Reason::$name => $word, )* }
            }
        }
    };
}

reasons! {
    /// No Access-Control-Allow-Origin (Fetch, CORS check, step 2).
    AcaoMissing = "acao-missing",
    /// Access-Control-Allow-Origin is another value than the request's origin (CORS check, step 4).
    AcaoMismatch = "acao-mismatch",
    /// Access-Control-Allow-Origin holds several values, in one field or many (CORS check, steps 1 and 4).
    AcaoMultiple = "acao-multiple",
    /// Access-Control-Allow-Origin is no origin at all (CORS check, step 4).
    AcaoInvalid = "acao-invalid",
    /// Access-Control-Allow-Origin is `*` for a request with credentials (CORS check, step 3).
    WildcardWithCredentials = "wildcard-with-credentials",
    /// Access-Control-Allow-Credentials is not `true` (CORS check, step 7).
    AcacNotTrue = "acac-not-true",
    /// The preflight was answered with a status that is not an ok status (CORS-preflight fetch, step 7).
    PreflightNotOk = "preflight-not-ok",
    /// The preflight was answered with a redirect (CORS-preflight fetch, step 7).
    PreflightRedirect = "preflight-redirect",
    /// The preflight got no HTTP answer (CORS-preflight fetch, step 6).
    PreflightFailed = "preflight-failed",
    /// The method is not in Access-Control-Allow-Methods (CORS-preflight fetch, step 7.5).
    MethodNotAllowed = "method-not-allowed",
    /// A header is not in Access-Control-Allow-Headers (CORS-preflight fetch, steps 7.6 and 7.7).
    HeaderNotAllowed = "header-not-allowed",
    /// Access-Control-Allow-Methods is not a list of tokens (CORS-preflight fetch, step 7.3).
    AllowMethodsMalformed = "allow-methods-malformed",
    /// Access-Control-Allow-Headers is not a list of tokens (CORS-preflight fetch, step 7.3).
    AllowHeadersMalformed = "allow-headers-malformed",
    /// The request mode is `same-origin` and the URL is not (main fetch, step 12).
    ModeSameOrigin = "mode-same-origin",
    /// A `no-cors` request whose redirect mode is not `follow` (main fetch, step 12).
    NoCorsRedirectMode = "no-cors-redirect-mode",
    /// A scheme that cannot be fetched in this mode (main fetch, step 12; scheme fetch).
    SchemeNotAllowed = "scheme-not-allowed",
    /// The redirect mode is `error` and the answer redirects (HTTP fetch, step 6).
    RedirectError = "redirect-error",
    /// Location is not one URL (HTTP-redirect fetch, step 5).
    RedirectLocationInvalid = "redirect-location-invalid",
    /// Location names a scheme that is not HTTP(S) (HTTP-redirect fetch, step 6).
    RedirectScheme = "redirect-scheme",
    /// More than twenty redirects (HTTP-redirect fetch, step 7).
    RedirectLimit = "redirect-limit",
    /// Location carries a username or password where it may not (HTTP-redirect fetch, steps 9 and 10).
    RedirectUserinfo = "redirect-userinfo",
    /// A policy (CSP, mixed content) blocked the request before the wire (main fetch, step 7).
    BlockedByPolicy = "blocked-by-policy",
    /// The port is a bad port (Fetch, port blocking).
    BadPort = "bad-port",
    /// Cross-Origin-Resource-Policy blocked the response (HTTP fetch, step 5).
    Corp = "corp",
    /// The response does not match the request's integrity metadata (main fetch, step 23).
    Integrity = "integrity",
    /// `X-Content-Type-Options: nosniff`, and a type that is not the right one (main fetch, step 20).
    Nosniff = "nosniff",
    /// A MIME type that no script may have (main fetch, step 20).
    MimeType = "mime-type",
    /// The answer came, and the element makes nothing of it: an error status, another type, other content (HTML).
    NotUsable = "not-usable",
    /// A service worker gave what this request may not have (HTTP fetch, step 3.5.7).
    ServiceWorker = "service-worker",
    /// The connection or the HTTP message was broken (HTTP-network fetch).
    Network = "network",
    /// The page itself ended the request.
    Aborted = "aborted",
    /// The API refuses these arguments (Request constructor; XMLHttpRequest open(), setRequestHeader()).
    ApiRefused = "api-refused",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_serde_writes() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).expect("serialises"), reason.word());
        }
        for outcome in [Outcome::Allowed, Outcome::Blocked, Outcome::Opaque, Outcome::OpaqueRedirect, Outcome::Refused, Outcome::Aborted] {
            assert_eq!(serde_json::to_value(outcome).expect("serialises"), outcome.word());
        }
    }
}
