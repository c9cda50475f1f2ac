//! Evidence for tests: described answers through the real state machine, and probes with described answers.

use corscheck_cases::{
    format::{Api, BodyEntry, Credentials, Mode, RedirectMode},
    oracle::{
        headers::HeaderList,
        network::{Fault, ReadEnd},
    },
};

use super::{
    described::Described,
    evidence::Evidence,
    probe::{Kind, Probe},
    question::Asked,
    reach::Reach,
    wire::{Answer, Exchange, Response},
};

pub(super) const ORIGIN: &str = "https://app.example.com";

/// A request and the answers to it, step by step.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    asked: Asked,
    preflight: Vec<Answer>,
    response: Vec<Answer>,
    probes: Vec<(Kind, Response)>,
    reach: Option<Reach>,
}

/// A response from its lines: `Name: value`; what follows an empty line is the body.
pub(super) fn response(status: u16, lines: &str) -> Response {
    let (head, body) = lines.split_once("\n\n").unwrap_or((lines, ""));
    let mut headers = HeaderList::new();
    for line in head.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').expect("a field");
        headers.append(name.to_owned(), value.trim().as_bytes().to_vec());
    }
    let reason = http::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or_default();
    Response { status, reason: reason.as_bytes().to_vec(), headers, body: body.as_bytes().to_vec(), body_end: Some(ReadEnd::Complete) }
}

impl Scene {
    pub(super) fn new(method: &str, url: &str) -> Self {
        Self {
            asked: Asked {
                url: Some(url.to_owned()),
                origin: Some(ORIGIN.to_owned()),
                method: Some(method.to_owned()),
                ..Asked::default()
            },
            preflight: Vec::new(),
            response: Vec::new(),
            probes: Vec::new(),
            reach: None,
        }
    }

    pub(super) fn get() -> Self {
        Self::new("GET", "https://api.example.com/x")
    }

    pub(super) fn put() -> Self {
        Self::new("PUT", "https://api.example.com/x")
    }

    pub(super) fn origin(mut self, origin: &str) -> Self {
        self.asked.origin = Some(origin.to_owned());
        self
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.asked.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn body(mut self, text: &str) -> Self {
        self.asked.body = Some(BodyEntry::Text(text.to_owned()));
        self
    }

    pub(super) fn include(mut self) -> Self {
        self.asked.credentials = Some(Credentials::Include);
        self
    }

    pub(super) fn mode(mut self, mode: Mode) -> Self {
        self.asked.mode = Some(mode);
        self
    }

    pub(super) fn redirect(mut self, redirect: RedirectMode) -> Self {
        self.asked.redirect = Some(redirect);
        self
    }

    pub(super) fn xhr_with_progress(mut self) -> Self {
        self.asked.api = Some(Api::Xhr);
        self.asked.upload_listener = true;
        self
    }

    pub(super) fn expects(mut self, name: &str) -> Self {
        self.asked.expects_headers.push(name.to_owned());
        self
    }

    pub(super) fn preflight(mut self, status: u16, lines: &str) -> Self {
        self.preflight.push(Answer::Response(response(status, lines)));
        self
    }

    pub(super) fn answer(mut self, status: u16, lines: &str) -> Self {
        self.response.push(Answer::Response(response(status, lines)));
        self
    }

    pub(super) fn unanswered(mut self, fault: Fault, reach: Reach) -> Self {
        self.preflight.push(Answer::Fault(fault.clone()));
        self.response.push(Answer::Fault(fault));
        self.reach = Some(reach);
        self
    }

    /// Nobody looked how far a connection gets.
    pub(super) fn without_reach(mut self) -> Self {
        self.reach = None;
        self
    }

    /// A probe, and what it is answered.
    pub(super) fn probe(mut self, kind: Kind, status: u16, lines: &str) -> Self {
        self.probes.push((kind, response(status, lines)));
        self
    }

    pub(super) fn evidence(self) -> Evidence {
        let question = self.asked.question().expect("a question");
        let mut evidence = Evidence::described(question, Described::by_kind(self.preflight, self.response));
        for (kind, answer) in self.probes {
            let exchange = probe_exchange(&evidence, kind, answer);
            evidence.probes.push(Probe { kind, exchange });
        }
        evidence.reach = self.reach;
        evidence
    }
}

/// The exchange of a probe, its request as the program would make it.
fn probe_exchange(evidence: &Evidence, kind: Kind, answer: Response) -> Exchange {
    let mut exchange = super::probe::exchange(evidence, kind);
    exchange.answer = Answer::Response(answer);
    exchange
}
