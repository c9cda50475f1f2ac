//! The origins of a run, by alias, and the contexts a request is made from.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! aliases {
    ($( $(#[doc = $doc:literal])* $name:ident = $word:literal, $scheme:ident, $host:literal, $protocol:ident; )*) => {
        /// One origin of the topology.
        ///
        /// `localhost` is a public suffix by the default rule, so `a.localhost` and `b.localhost` are different sites, while
        /// the ports and subdomains of one of them are the same site.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Alias {
            $( $(#[doc = $doc])* #[serde(rename = $word)] $name, )*
        }

        impl Alias {
            /// Every alias, in the order of this list.
            pub const ALL: &'static [Alias] = &[$( Alias::$name, )*];

            /// The word used in files, on terminals and in reports.
            pub fn word(self) -> &'static str {
                match self { $( Alias::$name => $word, )* }
            }

            /// The scheme of its URLs.
            pub fn scheme(self) -> Scheme {
                match self { $( Alias::$name => Scheme::$scheme, )* }
            }

            /// The host of its URLs; all of them resolve to a loopback address.
            pub fn host(self) -> &'static str {
                match self { $( Alias::$name => $host, )* }
            }

            /// The version of HTTP its server speaks.
            pub fn protocol(self) -> Protocol {
                match self { $( Alias::$name => Protocol::$protocol, )* }
            }
        }
    };
}

aliases! {
    /// The page's usual origin.
    A = "a", Http, "a.localhost", Http1;
    /// The host of `a` on another port: cross-origin, same site.
    APort = "a-port", Http, "a.localhost", Http1;
    /// A subdomain of `a`: cross-origin, same site.
    ASub = "a-sub", Http, "sub.a.localhost", Http1;
    /// The usual other origin: cross-site.
    B = "b", Http, "b.localhost", Http1;
    /// The host of `b` on another port.
    BPort = "b-port", Http, "b.localhost", Http1;
    /// A subdomain of `b`.
    BSub = "b-sub", Http, "sub.b.localhost", Http1;
    /// A third site.
    C = "c", Http, "c.localhost", Http1;
    /// An IPv4 address instead of a name.
    Ip = "ip", Http, "127.0.0.1", Http1;
    /// The name `localhost` itself.
    Localhost = "localhost", Http, "localhost", Http1;
    /// The host of `a` over https.
    ATls = "a-tls", Https, "a.localhost", Http1;
    /// The host of `a` over https on another port.
    APortTls = "a-port-tls", Https, "a.localhost", Http1;
    /// The subdomain of `a` over https.
    ASubTls = "a-sub-tls", Https, "sub.a.localhost", Http1;
    /// The host of `b` over https.
    BTls = "b-tls", Https, "b.localhost", Http1;
    /// The host of `b` over https on another port.
    BPortTls = "b-port-tls", Https, "b.localhost", Http1;
    /// The third site over https.
    CTls = "c-tls", Https, "c.localhost", Http1;
    /// The host of `a` over HTTP/2 and TLS.
    AH2 = "a-h2", Https, "a.localhost", Http2;
    /// The host of `b` over HTTP/2 and TLS.
    BH2 = "b-h2", Https, "b.localhost", Http2;
    /// The third site over HTTP/2 and TLS, for cases about connections: what else asks there would leave some behind.
    CH2 = "c-h2", Https, "c.localhost", Http2;
    /// A name outside `localhost`, which is not potentially trustworthy over http.
    XTest = "x-test", Http, "a.base.test", Http1;
    /// Another site outside `localhost`.
    YTest = "y-test", Http, "b.other.test", Http1;
    /// The host of `x-test` over https.
    XTestTls = "x-test-tls", Https, "a.base.test", Http1;
    /// An internationalised name, as it stands in URLs: `bücher.test`.
    Idn = "idn", Http, "xn--bcher-kva.test", Http1;
    /// An IPv6 address instead of a name.
    Ip6 = "ip6", Http, "[::1]", Http1;
    /// A port on which nobody listens: every connection is refused.
    Dead = "dead", Http, "b.localhost", Nothing;
}

impl Alias {
    /// What a user agent and its machine must have to reach it.
    pub fn reach(self) -> Reach {
        match self.host() {
            "[::1]" => Reach::Ipv6,
            host if host.ends_with(".test") => Reach::Names,
            _ => Reach::Loopback,
        }
    }
}

/// What it takes to reach an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Nothing: every engine finds names below `localhost`.
    Loopback,
    /// An engine that can be told where a name is.
    Names,
    /// A machine with an IPv6 loopback address.
    Ipv6,
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The scheme of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme as it stands in a URL, without the colon.
    pub fn word(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// What an origin's server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, negotiated by ALPN.
    Http2,
    /// Nothing listens.
    Nothing,
}

macro_rules! contexts {
    ($( $(#[doc = $doc:literal])* $name:ident = $word:literal, $kind:ident, $origin:ident; )*) => {
        /// Where in the browser a request is made.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Context {
            /// A top-level document of the page's origin.
            #[default]
            Window,
            $( $(#[doc = $doc])* $name, )*
        }

        impl Context {
            /// Every context.
            pub const ALL: &'static [Context] = &[Context::Window, $( Context::$name, )*];

            /// The word used in files, on terminals and in reports.
            pub fn word(self) -> &'static str {
                match self { Context::Window => "window", $( Context::$name => $word, )* }
            }

            /// Whether it is a worker of some kind, and has no document.
            pub fn is_worker(self) -> bool {
                match self { Context::Window => false, $( Context::$name => matches!(Kind::$kind, Kind::Worker), )* }
            }

            /// Whether the origin of this context is opaque, so that it is serialised as `null`.
            pub fn is_opaque(self) -> bool {
                match self { Context::Window => false, $( Context::$name => matches!(Ownership::$origin, Ownership::Opaque), )* }
            }
        }
    };
}

/// What a context is.
enum Kind {
    Document,
    Worker,
}

/// Whose origin a context has.
enum Ownership {
    Page,
    Sibling,
    Opaque,
}

contexts! {
    /// An iframe with `sandbox="allow-scripts"`: an opaque origin, `Origin: null`.
    Sandbox = "sandbox", Document, Opaque;
    /// An iframe whose document is a `data:` URL: an opaque origin.
    Data = "data", Document, Opaque;
    /// A dedicated worker of the page's origin.
    Worker = "worker", Worker, Page;
    /// An iframe with `srcdoc`: `about:srcdoc`, of its parent's origin.
    Srcdoc = "srcdoc", Document, Page;
    /// An iframe without an address that a script has written into: `about:blank`, of its creator's origin.
    AboutBlank = "about-blank", Document, Page;
    /// An iframe whose document is a `blob:` URL: of the origin of who made the URL.
    Blob = "blob", Document, Page;
    /// A dedicated worker whose script is a `blob:` URL: of the origin of who made the URL.
    BlobWorker = "blob-worker", Worker, Page;
    /// A dedicated worker whose script is a `data:` URL: an opaque origin.
    DataWorker = "data-worker", Worker, Opaque;
    /// A shared worker of the page's origin.
    SharedWorker = "shared-worker", Worker, Page;
    /// A dedicated worker of the page's origin whose script is a module.
    ModuleWorker = "module-worker", Worker, Page;
    /// An iframe of the page's origin in a top-level document of another site (`c`), in a window of its own.
    Embedded = "embedded", Document, Page;
    /// An iframe of the page's host on another port: cross-origin to the page, same-site. Of pages at `a` and `a-tls`.
    Sibling = "sibling", Document, Sibling;
    /// An iframe of the page's origin that a service worker controls: what it does is said by `worker` of a request.
    Controlled = "controlled", Document, Page;
    /// A service worker of the page's origin.
    ServiceWorker = "service-worker", Worker, Page;
    /// A top-level document that was opened from the disk, by a `file:` URL, in a window of its own.
    File = "file", Document, Opaque;
}

impl Context {
    /// Whose origin it has in a page, unless that is opaque; none, where there is no such context.
    pub fn owner(self, page: Alias) -> Option<Alias> {
        match (self, page) {
            (Context::Sibling, Alias::A) => Some(Alias::APort),
            (Context::Sibling, Alias::ATls) => Some(Alias::APortTls),
            (Context::Sibling, _) => None,
            _ => Some(page),
        }
    }

    /// Whether it needs a service worker, which lives for a short time only: cases in such contexts have a page of their own.
    pub fn needs_service_worker(self) -> bool {
        matches!(self, Context::Controlled | Context::ServiceWorker)
    }

    /// Whether it has a top-level document of its own.
    pub fn has_own_window(self) -> bool {
        matches!(self, Context::Window | Context::Embedded | Context::File)
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The ports that the aliases got at start: with [`Alias`] everything an origin is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    ports: BTreeMap<Alias, u16>,
    /// The one host of all of them, where names below `localhost` lead nowhere: on another machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host: Option<String>,
}

impl Topology {
    /// A topology from the port of each alias.
    ///
    /// # Panics
    ///
    /// When an alias has no port: servers bind all of them or none.
    pub fn new(ports: BTreeMap<Alias, u16>) -> Self {
        for alias in Alias::ALL {
            assert!(ports.contains_key(alias), "no port for {alias}");
        }
        Self { ports, host: None }
    }

    /// The same on one host: the origins differ in their ports alone, and all are of one site.
    pub fn on_host(self, host: impl Into<String>) -> Self {
        Self { host: Some(host.into()), ..self }
    }

    /// A topology with fixed ports counting up from 8001, for tests and examples.
    pub fn example() -> Self {
        Self::new(Alias::ALL.iter().copied().zip(8001..).collect())
    }

    /// Whether every alias has its port: a topology that was read from a file of another version may lack some.
    pub fn is_whole(&self) -> bool {
        Alias::ALL.iter().all(|alias| self.ports.contains_key(alias))
    }

    /// The host of an alias, as it stands in URLs.
    pub fn host(&self, alias: Alias) -> &str {
        self.host.as_deref().unwrap_or(alias.host())
    }

    /// The port of an alias.
    pub fn port(&self, alias: Alias) -> u16 {
        self.ports[&alias]
    }

    /// The origin of an alias as the standard serialises it, without a default port.
    pub fn origin(&self, alias: Alias) -> String {
        let (scheme, host, port) = (alias.scheme(), self.host(alias), self.port(alias));
        match (scheme, port) {
            (Scheme::Http, 80) | (Scheme::Https, 443) => format!("{}://{host}", scheme.word()),
            _ => format!("{}://{host}:{port}", scheme.word()),
        }
    }

    /// What a request made in `context` of a page at `page` puts into `Origin` while it is not tainted.
    pub fn request_origin(&self, page: Alias, context: Context) -> String {
        if context.is_opaque() { "null".to_owned() } else { self.origin(context.owner(page).unwrap_or(page)) }
    }
}
