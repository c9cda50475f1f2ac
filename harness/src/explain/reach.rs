//! How far a connection to a server gets: what tells a dead server from a blocked read, which a page cannot.

use serde::Serialize;

/// How far it gets, by the step that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// The name of the host has no address.
    Unresolved {
        /// What the system said.
        words: String,
    },
    /// A host is there, and nobody listens on the port.
    Refused {
        /// The address.
        address: String,
    },
    /// No connection comes about in time.
    NoConnection {
        /// The address, and what the system said.
        words: String,
    },
    /// TLS does not come about.
    Tls {
        /// Why not.
        fault: TlsFault,
        /// In the words of the TLS library.
        words: String,
    },
    /// An https URL, and the server speaks HTTP without TLS.
    PlainOnTls,
    /// An http URL, and the server speaks TLS.
    TlsOnPlain,
    /// The server speaks something that is not HTTP.
    NotHttp {
        /// The first bytes that it sent, escaped.
        first: String,
    },
    /// It takes the connection and says nothing.
    Silent {
        /// How long it was waited for, in milliseconds.
        after_ms: u64,
    },
    /// It closes the connection without a word.
    Closed,
    /// It speaks HTTP: it was this request that it did not answer.
    Http {
        /// The status of its answer to `HEAD /`; absent where HTTP/2 was agreed on, and nothing was asked.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
}

/// What is wrong with TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsFault {
    /// Nobody trusted signed the certificate.
    UnknownIssuer,
    /// The certificate is for other names.
    WrongName,
    /// It has expired, or is not valid yet.
    Expired,
    /// Something else.
    Other,
}
