//! A server that does exactly what a policy means: beneath the oracle it says what a page must see.

use std::borrow::Cow;

use super::{
    application::{PNG, SIGNATURE},
    policy::{Grant, Origins, Policy},
};
use crate::oracle::{
    headers::HeaderList,
    network::{Fault, Incoming, Limits, Network, Outgoing, Read, ReadEnd, target_of},
};

/// Answers as a server that does what a policy means, with the fixed application behind it.
#[derive(Debug)]
pub struct Perfect<'p> {
    policy: &'p Policy,
    /// The methods of the requests so far, in order.
    asked: Vec<String>,
}

impl<'p> Perfect<'p> {
    /// One for this policy, with the fixed application.
    pub fn new(policy: &'p Policy) -> Self {
        Self { policy, asked: Vec::new() }
    }

    /// The methods of the requests so far, in order.
    pub fn asked(&self) -> &[String] {
        &self.asked
    }
}

/// What a preflight asks for: method and headers.
type Requested<'r> = (&'r [u8], Option<Cow<'r, [u8]>>);

/// The fields by which a grant answers an origin, and for a preflight what it asks for.
fn fields(grant: &Grant, origin: &[u8], requested: Option<Requested<'_>>) -> Vec<(&'static str, Vec<u8>)> {
    let allowed = match &grant.origins {
        // With credentials nobody; without them an asterisk is as good as nothing.
        Origins::Open => return vec![("Access-Control-Allow-Origin", b"*".to_vec())],
        origins => std::str::from_utf8(origin).is_ok_and(|origin| origins.allow(origin)),
    };
    if !allowed {
        return Vec::new();
    }
    let star = grant.origins == Origins::Any && !grant.credentials;
    let mut fields = vec![("Access-Control-Allow-Origin", if star { b"*".to_vec() } else { origin.to_vec() })];
    if grant.credentials {
        fields.push(("Access-Control-Allow-Credentials", b"true".to_vec()));
    }
    match requested {
        Some((method, headers)) => {
            let methods = if grant.any_method() { method.to_vec() } else { grant.methods.join(", ").into_bytes() };
            let headers =
                if grant.any_header() { headers.unwrap_or_default().into_owned() } else { grant.request_headers.join(", ").into_bytes() };
            fields.extend(
                [("Access-Control-Allow-Methods", methods), ("Access-Control-Allow-Headers", headers)]
                    .into_iter()
                    .filter(|(_, v)| !v.is_empty()),
            );
            if let Some(seconds) = grant.max_age {
                fields.push(("Access-Control-Max-Age", seconds.to_string().into_bytes()));
            }
        }
        None => {
            let exposed =
                grant.expose.iter().flatten().filter(|name| !(grant.credentials && *name == "*")).cloned().collect::<Vec<_>>().join(", ");
            if !exposed.is_empty() {
                fields.push(("Access-Control-Expose-Headers", exposed.into_bytes()));
            }
        }
    }
    fields
}

impl<'a> Network<'a> for Perfect<'_> {
    type Body = Vec<u8>;

    fn exchange(&mut self, request: Outgoing<'_, 'a>) -> Result<Incoming<'a, Self::Body>, Fault> {
        self.asked.push(request.method.to_string());
        let target = target_of(request.url);
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let mut headers = HeaderList::new();
        let origin = request.headers.get("Origin");
        let requested = request.headers.get("Access-Control-Request-Method").filter(|_| request.method == "OPTIONS");
        let grant = self.policy.grant(path);
        match (&grant.origins, grant.credentials) {
            // The same for everybody, whoever asks.
            (Origins::Any, false) if origin.is_none() => headers.append("Access-Control-Allow-Origin", &b"*"[..]),
            (Origins::Any, false) => {}
            _ => headers.append("Vary", &b"Origin"[..]),
        }
        if let Some(origin) = &origin {
            let asked = requested.as_deref().map(|method| (method, request.headers.get("Access-Control-Request-Headers")));
            for (name, value) in fields(grant, origin, asked) {
                headers.append(name, value);
            }
        }
        let (status, body) = match requested.is_some() {
            true => (204, Vec::new()),
            false => {
                let answer = self.policy.application.answer(request.method, path, query);
                // What a handler sets of CORS gives way to the policy.
                for (name, value) in answer.fields.into_iter().filter(|(name, _)| !name.starts_with("Access-Control-")) {
                    headers.append(name, value.into_bytes());
                }
                if answer.own {
                    headers.append(SIGNATURE.0, SIGNATURE.1.as_bytes());
                }
                (answer.status, if path == "/img" { PNG.to_vec() } else { answer.body.unwrap_or_default().as_bytes().to_vec() })
            }
        };
        Ok(Incoming { status, status_text: Cow::Borrowed(b""), headers, body: if request.method == "HEAD" { Vec::new() } else { body } })
    }

    fn read(&mut self, body: Self::Body, _: Limits) -> Read<'a> {
        Read { bytes: Cow::Owned(body), end: ReadEnd::Complete }
    }

    fn now_ms(&mut self) -> u64 {
        0
    }
}
