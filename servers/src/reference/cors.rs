//! The middleware: from a request, and the application's answer to it, to the answer.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use corscheck_cases::certify::application::{self, PNG, SIGNATURE};
use url::Url;

use super::{
    http::{Answer, Request},
    patterns::Pattern,
    policy::{Scope, Settings},
};

/// More names are not repeated: no page needs so many.
const MOST_NAMES: usize = 100;

/// The middleware with its settings.
#[derive(Debug)]
pub(super) struct Cors {
    settings: Settings,
    /// What the defects that remember remember.
    denied_last: AtomicBool,
    handler_was_asked: AtomicBool,
    matched: AtomicUsize,
}

/// What a request is granted.
#[derive(Debug)]
struct Granted {
    allow_origin: Vec<u8>,
    credentials: bool,
}

impl Cors {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, denied_last: AtomicBool::new(false), handler_was_asked: AtomicBool::new(false), matched: AtomicUsize::new(0) }
    }

    fn is(&self, defect: &str) -> bool {
        self.settings.defect == Some(defect)
    }

    /// The answer to a request.
    pub(super) fn answer(&self, request: &Request) -> Answer {
        if self.is("R01") && request.values("origin").iter().any(|o| !o.is_ascii()) {
            return Answer { dies: true, ..Answer::new(500) };
        }
        if self.is("R03") && request.values("origin").iter().any(|o| o.is_empty()) {
            return Answer::new(500);
        }
        if self.is("S22") && request.path == "/dup" {
            self.handler_was_asked.store(true, Ordering::Relaxed);
        }
        let scope = self.scope(&request.path);
        let requested = request.single("access-control-request-method");
        let is_preflight = (request.method == "OPTIONS" || self.is("R02")) && request.has("origin") && requested.is_some();
        let granted = scope.and_then(|scope| self.granted(scope, request));
        self.denied_last.store(granted.is_none() && request.has("origin"), Ordering::Relaxed);
        let swallowed = self.is("F07") && request.method == "OPTIONS";
        match (scope, requested) {
            (Some(_), Some(_)) if is_preflight && self.is("F32") => Answer::new(405),
            (Some(scope), Some(method)) if is_preflight => self.preflight(scope, request, method, granted),
            (Some(_), _) if swallowed => Answer::new(204),
            _ if self.is("F09") && request.has("origin") && granted.is_none() => {
                Answer { body: b"Invalid CORS request".to_vec(), ..Answer::new(403) }
            }
            (scope, _) => self.actual(scope, request, granted),
        }
    }

    /// The policy of a path: that of the longest prefix. Everything else has none.
    fn scope(&self, path: &str) -> Option<&Scope> {
        let below =
            |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/'));
        let found = self.settings.scopes.iter().filter(|s| below(&s.path)).max_by_key(|s| s.path.len());
        // The defect: what no policy matches gets the first one.
        found.or_else(|| self.settings.scopes.first().filter(|_| self.is("S18")))
    }

    fn granted(&self, scope: &Scope, request: &Request) -> Option<Granted> {
        let credentials = scope.credentials || self.is("S04");
        let origins = request.values("origin");
        if scope.origins.contains(&Pattern::Any) {
            let repeats = scope.credentials && !self.is("F20") || self.settings.is_default && self.is("S03");
            let allow_origin = match origins.first() {
                Some(origin) if repeats => origin.to_vec(),
                None if self.is("C05") => return None,
                _ => b"*".to_vec(),
            };
            return Some(Granted { allow_origin, credentials: scope.credentials });
        }
        if self.is("C10") && scope.written.len() == 1 {
            // Static: the one origin, always.
            return Some(Granted {
                allow_origin: scope.written[0].clone().into_bytes(),
                credentials: credentials && request.has("origin"),
            });
        }
        if self.is("R03") && origins.len() > 1 {
            return Some(Granted { allow_origin: origins.join(&b", "[..]), credentials });
        }
        let origin = std::str::from_utf8(request.single("origin")?).ok()?;
        if !self.allows(scope, origin, request) {
            return None;
        }
        let allow_origin = if self.is("F27") && scope.written.len() > 1 { scope.written.join(", ") } else { origin.to_owned() };
        Some(Granted { allow_origin: allow_origin.into_bytes(), credentials })
    }

    fn allows(&self, scope: &Scope, origin: &str, request: &Request) -> bool {
        if self.is("S16") && self.denied_last.load(Ordering::Relaxed) {
            return false;
        }
        let listed = scope.origins.iter().any(|p| p.matches(origin)) && !(self.is("I03") && origin.contains('_'));
        if self.is("F29") && listed {
            return self.matched.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        }
        if self.is("S06") && scope.origins.iter().any(|p| matches!(p, Pattern::Wild(..))) {
            return scope.origins.iter().any(|p| matches!(p, Pattern::Wild(before, behind) if as_expression(before, behind, origin)));
        }
        listed
            || scope.origins.iter().any(|p| self.lets_in(p, origin))
            || self.believes(origin, request)
            || self.is("S14") && origin == "null"
    }

    /// Whether a defect takes an origin for one that a pattern means.
    fn lets_in(&self, pattern: &Pattern, origin: &str) -> bool {
        match pattern {
            Pattern::Origin(one) => match self.settings.defect {
                Some("S05") => origin.starts_with(&**one),
                Some("S07") => one.len() == origin.len() && one.bytes().zip(origin.bytes()).all(|(a, b)| a == b || a == b'.'),
                Some("S12") => origin.replacen("http:", "https:", 1) == *one,
                Some("S13") => origin.rsplit_once(':').is_some_and(|(before, _)| before == one),
                Some("S21") => Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *one),
                _ => false,
            },
            Pattern::Wild(before, behind) => match self.settings.defect {
                Some("S05") => origin.starts_with(&**before) && origin.contains(&**behind),
                Some("S08") => origin.starts_with(&**before) && origin.ends_with(behind.trim_start_matches('.')),
                Some("I02") => origin.len() > before.len() + behind.len() && origin.starts_with(&**before) && origin.ends_with(&**behind),
                Some("S09") => origin.starts_with(&**before) && origin.ends_with(&**behind),
                Some("S12") => pattern.matches(&origin.replacen("http:", "https:", 1)),
                Some("S13") => origin.rsplit_once(':').is_some_and(|(without, _)| pattern.matches(without)),
                _ => false,
            },
            Pattern::Opaque | Pattern::Any => false,
        }
    }

    /// The defect S17: what other fields say is believed.
    fn believes(&self, origin: &str, request: &Request) -> bool {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        self.is("S17") && ["host", "x-forwarded-host"].iter().any(|name| request.single(name).is_some_and(|v| v == host.as_bytes()))
    }

    fn preflight(&self, scope: &Scope, request: &Request, method: &[u8], granted: Option<Granted>) -> Answer {
        let mut answer = Answer::new(204);
        if self.is("F05") && request.path == "/302" {
            answer.status = 302;
            answer.add("Location", "/r");
        }
        if self.is("F06") && request.path == "/401" {
            answer.status = 401;
        }
        if request.method != "OPTIONS" {
            answer.status = 200;
        }
        self.vary(&mut answer, scope, request, granted.is_some(), true);
        let refused = self.refuses_preflight(scope, request, method);
        let Some(granted) = granted.filter(|_| !refused) else {
            self.denied(&mut answer, scope);
            return answer;
        };
        self.origin(&mut answer, &granted);
        let methods = if scope.methods.iter().any(|m| m == "*") {
            match () {
                () if self.is("F17") => b"GET, HEAD, PUT, PATCH, POST, DELETE".to_vec(),
                () if self.is("F21") => b"*".to_vec(),
                () => method.to_vec(),
            }
        } else if self.is("S23")
            && scope.methods.iter().any(|m| m.to_ascii_lowercase().contains(&String::from_utf8_lossy(method).to_ascii_lowercase()))
        {
            method.to_vec()
        } else {
            let methods = scope.methods.join(", ");
            if self.is("F18") { methods.to_ascii_uppercase() } else { methods }.into_bytes()
        };
        if !methods.is_empty() {
            answer.add("Access-Control-Allow-Methods", methods);
        }
        let headers = self.allowed_headers(scope, request);
        if !headers.is_empty() {
            answer.add("Access-Control-Allow-Headers", headers);
        }
        if let Some(seconds) = scope.max_age.filter(|s| !(self.is("F23") && *s == 0)) {
            answer.add("Access-Control-Max-Age", if self.is("F24") { seconds.min(600) } else { seconds }.to_string());
        }
        if self.is("S20") && request.has("access-control-request-private-network") {
            answer.add("Access-Control-Allow-Private-Network", "true");
        }
        if self.is("H03") && !scope.expose.is_empty() {
            answer.add("Access-Control-Expose-Headers", scope.expose.join(", "));
        }
        answer
    }

    /// The defects that refuse what they should let pass.
    fn refuses_preflight(&self, scope: &Scope, request: &Request, method: &[u8]) -> bool {
        let asked = request.values("access-control-request-headers");
        let elements = || asked.iter().flat_map(|line| line.split(|b| *b == b','));
        match self.settings.defect {
            Some("F10") => scope.methods.iter().all(|m| m != "*" && m.as_bytes() != method),
            Some("F13") => asked.iter().any(|line| !line.is_empty()) && elements().any(|e| e.trim_ascii().is_empty()),
            Some("F14") => asked.iter().any(|line| line.is_empty()),
            Some("F15") => elements().any(|e| e != e.trim_ascii()),
            Some("F16") => elements().any(|e| e.iter().any(u8::is_ascii_uppercase)),
            Some("F34") => request.has("access-control-request-private-network"),
            _ => false,
        }
    }

    fn allowed_headers(&self, scope: &Scope, request: &Request) -> Vec<u8> {
        let asked = request.values("access-control-request-headers");
        let joined = asked.join(&b","[..]);
        if self.is("P01") || self.is("P02") {
            self.waste(&joined);
        }
        let any = scope.headers.iter().any(|h| h == "*");
        match self.settings.defect {
            Some("S19" | "S25") => return joined,
            Some("P03") if any => return joined.repeat(2),
            Some("F21") if any && scope.credentials => return b"*".to_vec(),
            Some("F22") if any => return b"*".to_vec(),
            Some("F12") => {
                let first = String::from_utf8_lossy(asked.first().copied().unwrap_or_default()).into_owned();
                let names: Vec<&str> = first
                    .split(',')
                    .map(str::trim)
                    .filter(|n| scope.headers.iter().any(|h| h == "*" || h.eq_ignore_ascii_case(n)))
                    .collect();
                return names.join(", ").into_bytes();
            }
            _ => {}
        }
        if !any {
            return scope.headers.join(", ").into_bytes();
        }
        // Names alone, each once, and no more than a page needs.
        let mut names: Vec<&[u8]> = Vec::new();
        for name in joined.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
            if !name.is_empty() && name.iter().all(|b| is_token(*b)) && !names.contains(&name) {
                names.push(name);
            }
            if names.len() == MOST_NAMES {
                break;
            }
        }
        names.join(&b", "[..])
    }

    /// The defects P01 and P02: time that grows with the square of the list.
    fn waste(&self, list: &[u8]) {
        let steps = if self.is("P01") { list.iter().filter(|b| **b == b',').count() } else { list.len() };
        let mut sum = 0_u64;
        for i in 0..steps {
            for j in 0..steps {
                sum = std::hint::black_box(sum.wrapping_add((i ^ j) as u64));
            }
        }
    }

    fn actual(&self, scope: Option<&Scope>, request: &Request, granted: Option<Granted>) -> Answer {
        let path = if self.is("S18") { request.path.to_ascii_lowercase() } else { request.path.clone() };
        let mut answer = application(&request.method, &path, request.query.as_deref());
        let Some(scope) = scope else { return answer };
        let skipped = match self.settings.defect {
            Some("F01") => answer.status == 500,
            Some("F02") => matches!(answer.status, 404 | 405 | 413),
            Some("F03") => matches!(answer.status, 401 | 403),
            Some("F04") => answer.status == 302,
            Some("C12") => answer.status == 304,
            Some("F08") => request.method == "OPTIONS",
            Some("F11") => scope.methods.iter().all(|m| m != "*" && *m != request.method),
            Some("F35") => request.path == "/img",
            _ => false,
        };
        self.vary(&mut answer, scope, request, granted.is_some(), false);
        if skipped {
            return answer;
        }
        let Some(granted) = granted else {
            answer.remove("Access-Control-Allow-Origin");
            self.denied(&mut answer, scope);
            return answer;
        };
        if self.is("I01") && answer.has("Access-Control-Allow-Origin") {
            return answer;
        }
        if !self.is("F26") {
            // One layer decides.
            answer.remove("Access-Control-Allow-Origin");
        }
        self.origin(&mut answer, &granted);
        if !scope.expose.is_empty() && !self.is("F33") {
            answer.add("Access-Control-Expose-Headers", scope.expose.join(", "));
        }
        if self.handler_was_asked.load(Ordering::Relaxed) {
            answer.add("Access-Control-Expose-Headers", "X-Of-The-Handler");
        }
        if self.is("H03") {
            answer.add("Access-Control-Allow-Methods", scope.methods.join(", "));
        }
        answer
    }

    fn origin(&self, answer: &mut Answer, granted: &Granted) {
        answer.add("Access-Control-Allow-Origin", granted.allow_origin.clone());
        if granted.credentials {
            answer.add("Access-Control-Allow-Credentials", "true");
        } else if self.is("H02") {
            answer.add("Access-Control-Allow-Credentials", "false");
        }
    }

    /// What defects tell who is denied.
    fn denied(&self, answer: &mut Answer, scope: &Scope) {
        match self.settings.defect {
            Some("S15") => answer.add("Access-Control-Allow-Origin", "null"),
            Some("F28") => answer.add("Access-Control-Allow-Origin", "false"),
            Some("H01") => {
                answer.add("Access-Control-Allow-Credentials", "true");
                answer.add("Access-Control-Allow-Methods", scope.methods.join(", "));
            }
            Some("H04") => answer.add("X-CORS-Error", format!("not one of {}", scope.written.join(" "))),
            _ => {}
        }
    }

    /// Says what the answer depends on.
    fn vary(&self, answer: &mut Answer, scope: &Scope, request: &Request, is_granted: bool, is_preflight: bool) {
        let is_static = scope.origins.contains(&Pattern::Any) && !scope.credentials || scope.origins.is_empty();
        let forgotten = match self.settings.defect {
            Some("C01") => is_granted,
            Some("C02") => !request.has("origin"),
            Some("C03") => !is_granted && request.has("origin"),
            Some("C04" | "C10") => scope.written.len() == 1,
            _ => false,
        };
        if self.is("C06") {
            answer.remove("Vary");
        }
        if self.is("C08") {
            answer.add("Vary", "*");
        }
        if is_preflight {
            answer.add(
                "Vary",
                if self.is("C11") { "Origin" } else { "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" },
            );
        } else if !forgotten && (!is_static || self.is("C09")) {
            answer.add("Vary", "Origin");
        }
    }
}

/// The application behind it.
fn application(method: &str, path: &str, query: Option<&str>) -> Answer {
    let made = application::answer(method, path, query);
    let mut answer = Answer::new(made.status);
    for (name, value) in made.fields {
        answer.add(&name, value);
    }
    if made.own {
        answer.add(SIGNATURE.0, SIGNATURE.1);
    }
    answer.body = if path == "/img" { PNG.to_vec() } else { made.body.unwrap_or("the framework").as_bytes().to_vec() };
    if path == "/slow" {
        answer.delay = Duration::from_millis(300);
    }
    answer
}

/// The defect S06: `https://*.base.test` as a regular expression that is matched at the start.
fn as_expression(before: &str, behind: &str, origin: &str) -> bool {
    let Some(rest) = origin.strip_prefix(before.trim_end_matches('/')) else { return false };
    let rest = rest.trim_start_matches('/');
    let mut chars = rest.chars();
    chars.next().is_some() && chars.as_str().starts_with(behind.trim_start_matches('.'))
}

/// A character of a token (RFC 9110, section 5.6.2).
fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}
