//! What is asked of a service: what is asked of middlewares, in the service's own terms.

use super::{DeclaredPath, SAFELISTED, near::Anchor};
use crate::{
    certify::{
        Asker, Askers, Policy, Probe, Tags,
        application::Observed,
        probe::{Ask, PageApi, PageAsk, SetAsk},
    },
    format::Credentials,
};

/// The terms of a service, into which probes are put.
pub(super) struct Terms<'t> {
    /// The whole path.
    pub(super) at: &'t str,
    /// What is meant there.
    pub(super) policy: &'t Policy,
    /// What is declared.
    pub(super) declared: &'t DeclaredPath,
    /// The origin of which near misses are made.
    pub(super) anchor: &'t Anchor,
    /// What is answered when no page asks.
    pub(super) observed: &'t Observed,
    /// The methods that may really be sent.
    pub(super) methods: &'t [String],
    /// Whether the path redirects.
    pub(super) redirects: bool,
}

/// The path of the book's resource.
const RESOURCE: &str = "/r";

/// A request header that no service lists.
const UNLISTED: &str = "X-Corscheck-Unlisted";

/// How many methods and headers are asked for one by one.
const MOST: usize = 8;

/// Probes that say nothing of a service: they are about the fixed application, or cost it too much.
const LEFT_OUT: &[&str] =
    &["vary-of-the-application", "disclosed", "same-origin-post", "requested-many", "long-origin", "unlisted-method-itself"];

/// Probes of the book that name its own methods and headers, in place of which a service is asked for its own.
const REPLACED: &[&str] =
    &["preflighted-method", "preflighted-header", "preflighted-together", "exposed", "conditional", "options", "twice"];

impl Terms<'_> {
    /// Methods that are listed, and need a preflight.
    fn unsafe_methods(&self) -> Vec<&str> {
        self.declared.options.methods.iter().map(|m| &**m).filter(|m| *m != "*" && !SAFELISTED.contains(m)).collect()
    }

    fn headers(&self) -> Vec<&str> {
        self.declared.options.request_headers.iter().map(|h| &**h).filter(|h| *h != "*").collect()
    }

    /// The method by which preflights are asked for.
    fn method(&self) -> &str {
        self.unsafe_methods().first().copied().unwrap_or("PUT")
    }

    /// A probe of the book in these terms, where it has a meaning here.
    pub(super) fn fit(&self, probe: &Probe, aspect: &str) -> Option<Probe> {
        let name = probe.tags.get("probe").unwrap_or_default();
        // By more aspects than one, only what is not about who asks is asked again.
        let is_main = !["p7", "p8", "p11"].contains(&aspect) && !aspect.starts_with("p9");
        let is_more = match aspect {
            "p8" => name.starts_with("requested-") || ["forced", "get-with-requested-method"].contains(&name),
            "p7" => name == "out-of-place-preflight",
            "p11" => true,
            _ => name == "max-age",
        };
        if LEFT_OUT.contains(&name) || REPLACED.contains(&name) || !is_main && !is_more {
            return None;
        }
        let mut probe = probe.clone();
        match &mut probe.ask {
            Ask::Page(ask) => {
                if ask.path != RESOURCE || self.redirects {
                    return None;
                }
                ask.path = self.at.to_owned();
                if ask.method == "PUT" {
                    ask.method = self.method().to_owned();
                }
                if !self.may_ask(ask) {
                    return None;
                }
                probe.tags = probe.tags.with("method", &*ask.method);
            }
            Ask::Wire(ask) => {
                if ask.start.1 != RESOURCE || !self.may_send(&ask.start.0) {
                    return None;
                }
                ask.start.1 = self.at.to_owned();
                // Whoever is allowed by the policy in the book need not be by this one.
                let origins = &self.policy.grant(self.at).origins;
                let is_allowed = ask.asker.text().is_some_and(|origin| origins.allow(origin));
                if ask.expect.granted && !is_allowed
                    || ask.expect.denied && is_allowed && ask.preflight.is_none() && !ask.expect.credentials
                {
                    return None;
                }
                // The application is the service's own.
                ask.expect.body = None;
                ask.expect.alive &= self.observed.status < 500;
                let (first, second) = (self.headers().first().copied(), self.headers().get(1).copied());
                let lower = |name: Option<&str>| name.map(str::to_ascii_lowercase);
                let names = [("x-a", lower(first)), ("x-b", lower(second)), ("x-c", Some(UNLISTED.to_ascii_lowercase()))];
                let mut missing = false;
                let mut put = |text: &str| {
                    let found = names.iter().find(|(from, _)| text.trim().eq_ignore_ascii_case(from));
                    let Some((from, to)) = found else { return text.to_owned() };
                    missing |= to.is_none();
                    let to = to.clone().unwrap_or_default();
                    let to = if text.trim() == from.to_ascii_uppercase() { to.to_ascii_uppercase() } else { to };
                    text.replacen(text.trim(), &to, 1)
                };
                for line in &mut ask.lines {
                    let text = String::from_utf8_lossy(line).into_owned();
                    if let Some((name, list)) = text.split_once(':')
                        && name.eq_ignore_ascii_case("Access-Control-Request-Headers")
                    {
                        *line = format!("{name}:{}", list.split(',').map(&mut put).collect::<Vec<_>>().join(",")).into_bytes();
                    } else if text == "Access-Control-Request-Method: PUT" {
                        *line = format!("Access-Control-Request-Method: {}", self.method()).into_bytes();
                    } else {
                        *line = self.anchor.replaced(line);
                    }
                }
                if let Some(requested) = &mut ask.preflight {
                    if requested.method == "PUT" {
                        requested.method = self.method().to_owned();
                    }
                    requested.headers = requested.headers.iter().map(|h| put(h)).collect();
                }
                // What is not listed cannot be granted: what was to be shown by a grant is not asked.
                let any_method = self.declared.options.methods.iter().any(|m| m == "*");
                let granted = ask.expect.granted && ask.preflight.is_some();
                if missing || granted && self.unsafe_methods().is_empty() && !any_method {
                    return None;
                }
                // What is asked for by nobody's name is granted all the same where any is.
                if ask.expect.denied && ask.preflight.is_some() && self.declared.options.request_headers.iter().any(|h| h == "*") {
                    return None;
                }
            }
            Ask::Swap(ask) | Ask::Cached(ask) | Ask::Order(ask) => {
                if self.redirects || probe.tags.get("path") != Some(RESOURCE) {
                    return None;
                }
                *ask = SetAsk { path: self.at.to_owned(), between: None, ..ask.clone() };
                probe.tags = probe.tags.with("path", self.at);
            }
            Ask::Growth(_) => return None,
        }
        Some(probe)
    }

    fn may_send(&self, method: &str) -> bool {
        self.methods.iter().any(|m| m == method)
    }

    /// Whether a page may ask so: its request is one that may be sent, or has a preflight before it, and is not sent then.
    fn may_ask(&self, ask: &PageAsk) -> bool {
        self.may_send(&ask.method) || !SAFELISTED.contains(&&*ask.method) || ask.api == PageApi::XhrUpload
    }

    /// What is asked of the methods and headers that this service lists, and of some that it does not.
    pub(super) fn own(&self, askers: &Askers, probes: &mut Vec<Probe>) {
        if self.redirects {
            return;
        }
        let options = &self.declared.options;
        let credentials = [Credentials::SameOrigin, Credentials::Include];
        let credentials = if options.credentials { &credentials[..] } else { &credentials[..1] };
        let who: Vec<&Asker> = askers.iter().filter(|a| a.label == "app" || a.label == "evil").collect();
        let header = |name: &str| {
            let value = match name.to_ascii_lowercase().as_str() {
                "content-type" => "application/json",
                "authorization" => "Basic eA==",
                "range" => "bytes=0-1",
                _ => "1",
            };
            (name.to_owned(), value.to_owned())
        };
        let mut add = |name: &str, title: &str, asker: &Asker, method: &str, headers: Vec<(String, String)>, more: &str| {
            for credentials in credentials {
                let tags = Tags::new()
                    .with("policy", "p8")
                    .with("probe", name)
                    .with("group", "G2")
                    .with("answers", "read,reflection")
                    .with("origin", &*asker.label)
                    .with("method", method)
                    .with("path", self.at)
                    .with("credentials", credentials.word())
                    .with("header", headers.iter().map(|(n, v)| format!("{n}:{v}")).collect::<Vec<_>>().join("|"))
                    .with("api", "fetch");
                let ask = PageAsk {
                    asker: asker.clone(),
                    path: self.at.to_owned(),
                    method: method.to_owned(),
                    headers: headers.clone(),
                    credentials: *credentials,
                    see: Vec::new(),
                    api: PageApi::Fetch,
                };
                let id = format!("{name}.{}.{more}.{}", asker.label, credentials.word());
                probes.push(Probe { id, title: title.to_owned(), tags, ask: Ask::Page(ask) });
            }
        };
        let any = |list: &[String]| list.iter().any(|name| name == "*");
        // Where any is allowed, all of them are right; else one is enough that is not.
        let more_methods = if any(&options.methods) { 3 } else { 1 };
        let unlisted = ["DELETE", "PATCH", "PURGE"].into_iter().filter(|m| !options.methods.iter().any(|own| own == m)).take(more_methods);
        let more_headers: &[&str] = if any(&options.request_headers) { &["Authorization", "Content-Type"] } else { &[] };
        let lower = options.methods.iter().any(|m| m == "PATCH").then_some("patch");
        for asker in &who {
            for method in self.unsafe_methods().into_iter().take(MOST).chain(unlisted.clone()).chain(lower) {
                let word = if method == "patch" { "patch-lower".to_owned() } else { method.to_ascii_lowercase() };
                add("preflighted-method", "A page uses a method", asker, method, Vec::new(), &word);
            }
            for name in self.headers().into_iter().take(MOST).chain(more_headers.iter().copied()).chain([UNLISTED]) {
                add("preflighted-header", "A page sends a header", asker, "GET", vec![header(name)], &name.to_ascii_lowercase());
            }
            let all: Vec<_> = self.headers().into_iter().take(MOST).map(header).collect();
            if all.len() > 1 || !all.is_empty() && !self.unsafe_methods().is_empty() {
                add("preflighted-together", "A page uses a method and sends all headers that are listed", asker, self.method(), all, "all");
            }
        }
        let safelisted = ["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"];
        let others = self.observed.fields.iter().map(|(name, _)| name).filter(|name| {
            let lower = name.to_ascii_lowercase();
            !safelisted.contains(&&*lower) && !lower.starts_with("access-control-") && lower != "set-cookie"
        });
        let mut see: Vec<String> = options.expose.iter().filter(|name| *name != "*").take(MOST).cloned().collect();
        for name in others {
            if see.len() < 2 * MOST && !see.iter().any(|s| s.eq_ignore_ascii_case(name)) {
                see.push(name.to_string());
            }
        }
        for asker in who.iter().filter(|a| a.label == "app") {
            for mode in credentials {
                let tags = Tags::new()
                    .with("policy", "p7")
                    .with("probe", "exposed")
                    .with("group", "G1")
                    .with("answers", "read,reflection")
                    .with("origin", &*asker.label)
                    .with("method", "GET")
                    .with("path", self.at)
                    .with("credentials", mode.word())
                    .with("header", "")
                    .with("api", "fetch");
                let ask = PageAsk {
                    asker: (*asker).clone(),
                    path: self.at.to_owned(),
                    method: "GET".to_owned(),
                    headers: Vec::new(),
                    credentials: *mode,
                    see: see.clone(),
                    api: PageApi::Fetch,
                };
                probes.push(Probe {
                    id: format!("exposed.{}.{}", asker.label, mode.word()),
                    title: "A page looks at response headers".to_owned(),
                    tags,
                    ask: Ask::Page(ask),
                });
            }
        }
    }
}
