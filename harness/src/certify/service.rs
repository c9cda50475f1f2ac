//! A deployed service, asked through a [`Forward`] that leads to it and to nobody else.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, ToSocketAddrs as _},
    sync::Arc,
    time::Duration,
};

use corscheck_cases::{
    certify::{
        Book, Declared, Service,
        application::Observed,
        service::{DeclaredPath, SAFE},
    },
    text::slug,
};
use corscheck_servers::forward::{Forward, ForwardOptions};
use rustls::pki_types::ServerName;
use tokio::runtime::Runtime;
use url::{Host, Url};

use super::{
    Asked, Took, ask_these, beside,
    browsers::{self, Behind, Questions},
    outcome::Outcome,
    wire::send,
};
use crate::{browser::Endpoint, explain::live::Access};

/// By this name pages know a service whose own name they cannot have beside their own.
const ALIAS: &str = "service.test";

/// Fields of an answer that are about the connection, about this one answer, or about CORS.
const NOT_OBSERVED: &[&str] =
    &["connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "date", "set-cookie", "vary", "location"];

/// A service that is reached.
pub struct Deployed {
    runtime: Runtime,
    forward: Forward,
    /// The origin by which pages know it.
    pub origin: String,
    /// Its paths, ready to be asked.
    pub services: Vec<Service>,
    /// What is worth knowing of its paths before they are asked.
    pub notes: Vec<String>,
    rate: u32,
}

/// Why a service cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// Its URL is none that can be asked.
    #[error("{0}")]
    Url(String),
    /// It cannot be connected to, or gives no answer.
    #[error("{0}")]
    Silent(String),
}

impl Deployed {
    /// Looks a service up, and once at each of its paths.
    ///
    /// # Errors
    ///
    /// It cannot be reached.
    pub fn reach(book: &Book, url: &str, declared: &Declared, access: &Access) -> Result<Self, Unreachable> {
        let wrong = |words: String| Unreachable::Url(format!("{url}: {words}"));
        let url = Url::parse(url).map_err(|e| wrong(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(wrong("expected http or https, a host, and perhaps a port and a path".to_owned()));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or_default();
        let options = access.options().map_err(|e| Unreachable::Url(e.to_string()))?;
        let told = options.resolve.get(&(host.clone(), port)).copied();
        let found = told
            .map(|a| Ok(vec![a]))
            .unwrap_or_else(|| (host.trim_matches(['[', ']']), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>));
        let silent = |words: String| Unreachable::Silent(format!("{url}: {words}"));
        let found = found.map_err(|e| silent(e.to_string()))?;
        // One of them, once and for all.
        let connects = |a: &&SocketAddr| std::net::TcpStream::connect_timeout(a, options.connect_timeout).is_ok();
        let address = *found.iter().find(connects).ok_or_else(|| silent("nobody accepts a connection there".to_owned()))?;
        let tls = match url.scheme() {
            "https" => {
                let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|e| wrong(e.to_string()))?;
                Some((Arc::new(access.tls(&options)), name))
            }
            _ => None,
        };
        let own_origins = declared.paths.iter().flat_map(|p| match &p.options.origins {
            corscheck_cases::certify::policy::Strings::List(list) => list.clone(),
            corscheck_cases::certify::policy::Strings::One(one) => vec![one.clone()],
        });
        let name = known_as(&url, &own_origins.collect::<Vec<_>>());
        let runtime = Runtime::new().map_err(|e| silent(e.to_string()))?;
        let base = url.path().trim_end_matches('/').to_owned();
        let at = |path: &DeclaredPath| if path.path.is_empty() { url.path().to_owned() } else { format!("{base}{}", path.path) };
        let allowed: BTreeMap<String, Vec<String>> = declared.paths.iter().map(|p| (at(p), p.send.clone())).collect();
        let authority = format!("{host}{}", url.port().map(|p| format!(":{p}")).unwrap_or_default());
        let forward = runtime
            .block_on(async {
                Forward::start(ForwardOptions {
                    address,
                    tls,
                    known_as: name.clone(),
                    host: authority,
                    allows: Arc::new(move |method, target| allows(&allowed, method, target)),
                    interval: Duration::from_secs(1) / declared.rate,
                })
                .await
            })
            .map_err(|e| silent(e.to_string()))?;
        let origin = format!("https://{name}");
        let mut deployed = Self { runtime, forward, origin, services: Vec::new(), notes: Vec::new(), rate: declared.rate };
        for path in &declared.paths {
            let at = at(path);
            let answered = send(deployed.forward.address(), &name, ("GET", &at), &[]);
            let Some(response) = answered.response else {
                return Err(Unreachable::Silent(format!("{url}: GET {at}: {}", answered.fault.unwrap_or_default())));
            };
            let field = |name: &str| {
                let lower = name.to_ascii_lowercase();
                !NOT_OBSERVED.contains(&&*lower) && !lower.starts_with("access-control-")
            };
            let fields = response.headers.iter().filter(|h| field(&h.name));
            let fields = fields.map(|h| (h.name.to_string().into(), String::from_utf8_lossy(&h.value).into_owned())).collect();
            if (300..400).contains(&response.status) && response.status != 304 {
                deployed.notes.push(format!("{at} redirects ({}): only what is seen byte by byte is asked there", response.status));
            }
            let observed = Observed { status: response.status, fields };
            let mut service = book.service(path, &at, &observed, &deployed.origin).map_err(|e| Unreachable::Url(e.to_string()))?;
            // Two paths may differ in what no id has.
            let taken = deployed.services.iter().filter(|other| slug(&other.policy.title) == slug(&at)).count();
            if taken > 0 {
                service.policy.id = format!("{}-{}", service.policy.id, taken + 1);
            }
            deployed.services.push(service);
        }
        Ok(deployed)
    }

    /// How many requests were sent to it, and how many were not because they are not allowed.
    pub fn counts(&self) -> (u64, u64) {
        (self.forward.sent(), self.forward.refused())
    }

    /// Asks all paths, by the simulated user agent and byte by byte, so many beside each other.
    ///
    /// # Errors
    ///
    /// A probe cannot be made.
    pub fn simulated(&self, jobs: usize, told: &(dyn Fn(&Asked) + Sync)) -> Result<Vec<Asked>, String> {
        beside(self.services.len(), jobs, &|number| {
            let Service { policy, probes, methods } = &self.services[number];
            let outcomes = ask_these(probes, policy, self.forward.address(), &self.origin, Some(methods)).map_err(|e| e.to_string())?;
            let outcomes = outcomes.into_iter().map(|o| Outcome { policy: policy.id.clone(), ..o }).collect();
            let asked = Asked { policy: policy.id.clone(), took: Took::Started, outcomes, ending: None };
            told(&asked);
            Ok(asked)
        })
    }

    /// Asks all paths in a browser. Pages make only requests that may really be sent.
    ///
    /// # Errors
    ///
    /// The browser cannot be started, or no page comes up in it, in words.
    pub fn in_browser(&self, endpoint: &Endpoint, headed: bool) -> Result<Vec<Asked>, String> {
        let questions: Vec<Questions<'_>> = self
            .services
            .iter()
            .map(|service| {
                let may = |method: &str| service.methods.iter().any(|m| m == method);
                let sent = |probe: &&corscheck_cases::certify::Probe| match &probe.ask {
                    corscheck_cases::certify::probe::Ask::Page(ask) => may(&ask.method),
                    _ => false,
                };
                let probes = service.probes.iter().filter(sent).cloned().collect();
                Questions { policy: &service.policy, origin: self.origin.clone(), probes }
            })
            .collect();
        // A page waits for its requests: more at once than the rate lets through in some seconds would come to nothing.
        let width = usize::try_from(self.rate).unwrap_or(browsers::WIDTH);
        let behind = Behind::Server(self.forward.address());
        self.runtime.block_on(browsers::certify(&questions, behind, endpoint, headed, width))
    }
}

/// Whether a request may be sent: to a path that is declared, by a method that changes nothing or is allowed there.
fn allows(paths: &BTreeMap<String, Vec<String>>, method: &str, target: &str) -> bool {
    // A path may be declared with a query; what tells attempts apart comes behind it.
    let declared = paths.iter().find(|(path, _)| {
        target
            .strip_prefix(&***path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('?') || path.contains('?') && rest.starts_with('&'))
    });
    declared.is_some_and(|(_, send)| SAFE.contains(&method) || send.iter().any(|m| m == method))
}

/// The name by which pages know a service: its own, unless that is a loopback's or one of the pages'.
fn known_as(url: &Url, origins: &[String]) -> String {
    let Some(Host::Domain(name)) = url.host() else { return ALIAS.to_owned() };
    let is_loopback = name == "localhost" || name.ends_with(".localhost");
    // Theirs, and those of near misses.
    let is_page = origins.iter().any(|o| {
        let host = o.split_once("://").map_or(&**o, |(_, rest)| rest).split(':').next().unwrap_or_default();
        let base = host.split_once('.').map_or("", |(_, base)| base);
        let labels = ["app.", "b.", "x.", "x.y.z.", "a_b.", "evil", "xn--pp-via."];
        host == name || base == name || format!("x.{host}") == name || labels.iter().any(|label| format!("{label}{base}") == name)
    });
    if is_loopback || is_page { ALIAS.to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_declared_may_be_sent() {
        let paths = BTreeMap::from([("/api/items".to_owned(), vec![]), ("/api/orders?x=1".to_owned(), vec!["PUT".to_owned()])]);
        for (method, target, may) in [
            ("GET", "/api/items", true),
            ("GET", "/api/items?corscheck=1", true),
            ("OPTIONS", "/api/items", true),
            ("PUT", "/api/items", false),
            ("get", "/api/items", false),
            ("GET", "/api/items/1", false),
            ("GET", "/api/other", false),
            ("GET", "/", false),
            ("PUT", "/api/orders?x=1", true),
            ("PUT", "/api/orders?x=1&corscheck=1", true),
            ("PUT", "/api/orders", false),
            ("POST", "/api/orders?x=1", false),
        ] {
            assert_eq!(allows(&paths, method, target), may, "{method} {target}");
        }
    }

    #[test]
    fn a_service_keeps_its_name_where_pages_leave_it() {
        let name = |url: &str, origin: &str| known_as(&Url::parse(url).expect("a URL"), &[origin.to_owned()]);
        assert_eq!(name("https://api.example.com/v1", "https://app.example.com"), "api.example.com");
        assert_eq!(name("http://127.0.0.1:8080/", "https://app.example.com"), ALIAS);
        assert_eq!(name("http://localhost:8080/", "http://localhost:3000"), ALIAS);
        assert_eq!(name("https://example.com/api", "https://example.com"), ALIAS);
        assert_eq!(name("https://api.example.com/", "https://*.example.com"), "api.example.com");
        assert_eq!(name("https://b.example.com/", "https://*.example.com"), ALIAS);
    }
}
