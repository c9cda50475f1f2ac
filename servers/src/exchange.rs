//! The evidence: one request as it came off the wire, and what was sent in answer.

use corscheck_cases::Alias;
use serde::{Deserialize, Serialize};

use crate::WireBytes;

/// One request and its answer at one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The origin that was asked.
    pub at: Alias,
    /// The step of the script that was current when the request arrived.
    pub step: u32,
    /// Which connection it came on; numbers are unique within a run.
    pub connection: u64,
    /// Its place in the order of arrival over all origins of the run.
    pub sequence: u64,
    /// The version of HTTP the connection speaks.
    pub protocol: HttpVersion,
    /// When the head was complete, in microseconds since the servers started.
    pub arrived_us: u64,
    /// When the last bytes of the answer were handed to the socket, in microseconds since the servers started.
    pub answered_us: Option<u64>,
    /// What arrived.
    pub request: RecordedRequest,
    /// What was sent.
    pub answer: RecordedAnswer,
}

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HttpVersion {
    /// HTTP/1.1 (and 1.0).
    #[serde(rename = "http/1.1")]
    Http1,
    /// HTTP/2.
    #[serde(rename = "h2")]
    Http2,
}

/// A request as it came off the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRequest {
    /// The method, escaped.
    pub method: String,
    /// The request target, escaped: as on the request line; of HTTP/2 the `:path`.
    pub target: String,
    /// Every byte up to and including the empty line. Absent on HTTP/2, which compresses it.
    pub head: Option<WireBytes>,
    /// Name and value of each field, in order; white space around a value is stripped, nothing else is changed.
    ///
    /// A line without a colon is all name; a folded line has an empty name. On HTTP/2 the values of one name keep their
    /// order, while the order across names is the library's, and pseudo-fields (`:authority`) are left out.
    pub fields: Vec<(WireBytes, WireBytes)>,
    /// The first 4096 bytes of the body, transfer coding undone.
    pub body: WireBytes,
    /// The length of the body as far as it arrived.
    pub body_length: u64,
    /// Whether the body arrived to its end.
    pub body_complete: bool,
}

impl RecordedRequest {
    /// The values of every field of this name, in order; names are compared without regard to case.
    pub fn values(&self, name: &str) -> Vec<&[u8]> {
        let matching = self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
        matching.map(|(_, value)| &value.0[..]).collect()
    }

    /// Whether it is a CORS-preflight request: OPTIONS with `Access-Control-Request-Method` (Fetch, HTTP requests).
    pub fn is_preflight(&self) -> bool {
        self.method == "OPTIONS" && self.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(b"access-control-request-method"))
    }

    /// Whether it is conditional, as those are which validate what a cache holds (RFC 9111, section 4.3.1).
    pub fn is_conditional(&self) -> bool {
        let names = [&b"if-none-match"[..], b"if-modified-since"];
        self.fields.iter().any(|(n, _)| names.iter().any(|name| n.eq_ignore_ascii_case(name)))
    }

    /// The path below the token, as [`Resource::path`](corscheck_cases::script::Resource::path) has it: percent-encoded,
    /// without a slash at its start and without the query.
    pub fn path(&self) -> &str {
        let path = self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path);
        let below = path.find("/t/").map_or(path, |at| &path[at + 3..]);
        below.split_once('/').map_or("", |(_, path)| path)
    }

    /// The query, without the question mark.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }
}

/// An answer as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecordedAnswer {
    /// The status code of the final response, where one could be read out of what was sent.
    pub status: Option<u16>,
    /// The head of the final response as sent; on HTTP/2 a rendering of it.
    pub head: WireBytes,
    /// The length of the body as far as it was sent, transfer coding not counted.
    pub body_length: u64,
    /// The first 4096 bytes of that body.
    pub body: WireBytes,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an answer.
///
/// It is settled just before the last bytes are handed to the socket, so that a page that saw the end of an answer never finds
/// it pending here, and corrected when handing them over fails.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Not all is sent yet.
    #[default]
    Pending,
    /// All of it was handed to the socket.
    Sent,
    /// It ended early, because the script says so.
    Cut,
    /// It could not be sent.
    Failed {
        /// What went wrong, in words.
        error: String,
    },
    /// Nothing was scripted for this request: a plain 501 without any CORS header was sent.
    Unscripted,
}

/// How much of a body is kept.
pub(crate) const KEPT_BODY: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> RecordedRequest {
        let wire = |s: &str| WireBytes::from(s.as_bytes());
        RecordedRequest {
            method: method.to_owned(),
            target: target.to_owned(),
            head: None,
            fields: fields.iter().map(|(n, v)| (wire(n), wire(v))).collect(),
            body: WireBytes::default(),
            body_length: 0,
            body_complete: true,
        }
    }

    #[test]
    fn a_preflight_is_options_with_the_field() {
        assert!(request("OPTIONS", "/", &[("access-control-REQUEST-method", "PUT")]).is_preflight());
        assert!(!request("OPTIONS", "/", &[]).is_preflight());
        assert!(!request("GET", "/", &[("Access-Control-Request-Method", "PUT")]).is_preflight());
    }

    #[test]
    fn path_and_query_are_below_the_token() {
        let path = |target| request("GET", target, &[]).path().to_owned();
        assert_eq!(path("/t/00/a/b%20?x=/t/1/2"), "a/b%20");
        assert_eq!(path("http://a.localhost:1/t/00/x"), "x");
        assert_eq!(path("/t/00"), "");
        assert_eq!(path("/t/00/"), "");
        assert_eq!(request("GET", "/t/00/?a?b", &[]).query(), Some("a?b"));
        assert_eq!(request("GET", "/t/00/", &[]).query(), None);
    }

    #[test]
    fn values_keep_their_order_whatever_the_case_of_the_name() {
        let request = request("GET", "/", &[("X-a", "1"), ("b", "2"), ("x-A", "3")]);
        assert_eq!(request.values("X-A"), [b"1", b"3"]);
    }

    #[test]
    fn fates_have_words() {
        let json = |fate| serde_json::to_string(&fate).expect("serialises");
        assert_eq!(json(Fate::Sent), r#""sent""#);
        assert_eq!(json(Fate::Failed { error: "x".to_owned() }), r#"{"failed":{"error":"x"}}"#);
    }
}
