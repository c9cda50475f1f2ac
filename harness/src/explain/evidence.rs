//! Everything that is known of a request: what symptoms look at.

use corscheck_cases::{Outcome, Reason};

use super::{
    described::Described,
    near::{Near, near},
    probe::{Kind, Probe},
    question::Question,
    reach::Reach,
    run::{Run, run_described},
    wire::{Answer, Exchange, Response},
};

/// What was asked, what came of it, and what was asked besides.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What was asked.
    pub question: Question,
    /// What came of it.
    pub run: Run,
    /// What was asked besides, to tell causes apart, in order.
    pub probes: Vec<Probe>,
    /// How far a connection gets, where there was no response.
    pub reach: Option<Reach>,
    /// Answers that are described for requests that were never made.
    pub unasked: Vec<Answer>,
}

impl Evidence {
    /// What is known of described answers.
    pub fn described(question: Question, mut network: Described) -> Self {
        let run = run_described(&question, &mut network);
        Self { unasked: network.unasked().to_vec(), ..Self::new(question, run) }
    }

    /// What is known when nothing was asked besides.
    pub fn new(question: Question, run: Run) -> Self {
        Self { question, run, probes: Vec::new(), reach: None, unasked: Vec::new() }
    }

    /// Why there is nothing to read, if so.
    pub fn reason(&self) -> Option<Reason> {
        self.run.reason()
    }

    /// Whether the page may read the answer.
    pub fn is_allowed(&self) -> bool {
        self.run.outcome() == Outcome::Allowed
    }

    /// The exchange at which it ended: the last one.
    pub fn decisive(&self) -> Option<&Exchange> {
        self.run.exchanges.last()
    }

    /// The exchange whose answer was refused for one of these reasons, and the answer.
    pub fn refused_for(&self, reasons: &[Reason]) -> Option<(&Exchange, &Response)> {
        let exchange = self.decisive().filter(|_| self.reason().is_some_and(|reason| reasons.contains(&reason)))?;
        Some((exchange, exchange.response()?))
    }

    /// The preflight at which it ended, and its answer.
    pub fn refused_preflight(&self) -> Option<(&Exchange, &Response)> {
        let exchange = self.decisive().filter(|x| x.is_preflight && self.run.outcome() == Outcome::Blocked)?;
        Some((exchange, exchange.response()?))
    }

    /// The last preflight and its answer.
    pub fn preflight(&self) -> Option<(&Exchange, &Response)> {
        let exchange = self.run.exchanges.iter().rfind(|x| x.is_preflight)?;
        Some((exchange, exchange.response()?))
    }

    /// The last request that is no preflight, and its answer.
    pub fn actual(&self) -> Option<(&Exchange, &Response)> {
        let exchange = self.run.exchanges.iter().rfind(|x| !x.is_preflight)?;
        Some((exchange, exchange.response()?))
    }

    /// The actual request that was refused because there is no Access-Control-Allow-Origin, and its answer.
    pub fn lacks_allow_origin(&self) -> Option<(&Exchange, &Response)> {
        self.refused_for(&[Reason::AcaoMissing]).filter(|(exchange, _)| !exchange.is_preflight)
    }

    /// The answer to a probe.
    pub fn probe(&self, kind: Kind) -> Option<&Response> {
        self.probes.iter().find(|p| p.kind == kind)?.exchange.response()
    }

    /// The answer to GET with the page's own origin: of the request itself, or of a probe.
    pub fn own_get(&self) -> Option<&Response> {
        let first = self.run.exchanges.iter().find(|x| !x.is_preflight);
        let own = first.filter(|x| x.method == "GET" && !x.is_assumed()).and_then(Exchange::response);
        own.or_else(|| self.probe(Kind::OwnOrigin))
    }

    /// The value of Access-Control-Allow-Origin that a check refused, with the origin that it was compared with.
    pub fn refused_value(&self) -> Option<(String, String)> {
        let (exchange, response) = self.refused_for(&[Reason::AcaoMismatch, Reason::AcaoInvalid, Reason::AcaoMultiple])?;
        Some((response.allow_origin()?, exchange.origin()?))
    }

    /// How what the server was told differs from the origin: by the value that it sends, or by the origin that it takes instead.
    pub fn near_origin(&self) -> Option<(Near, String)> {
        if let Some((value, origin)) = self.refused_value() {
            return near(&value, &origin).map(|kind| (kind, value));
        }
        self.refused_for(&[Reason::AcaoMissing])?;
        if self.alternates().is_some() || self.probe(Kind::OtherOrigin).is_some_and(|other| other.allow_origin().is_some()) {
            return None;
        }
        self.probes.iter().find_map(|probe| match probe.kind {
            Kind::Variant(kind) if probe.exchange.response()?.allow_origin().is_some() => Some((kind, probe.exchange.origin()?)),
            _ => None,
        })
    }

    /// Two answers to one and the same GET, where they differ in what they allow.
    pub fn alternates(&self) -> Option<(&Response, &Response)> {
        let (first, again) = (self.own_get()?, self.probe(Kind::Again)?);
        (first.status == again.status && first.allow_origin() != again.allow_origin()).then_some((first, again))
    }

    /// Whether the server answers an origin that it cannot know with that origin.
    pub fn reflects_any_origin(&self) -> bool {
        self.probe(Kind::OtherOrigin).and_then(Response::allow_origin).is_some_and(|value| value == super::probe::OTHER_ORIGIN)
    }

    /// Whether redirects have made the request's origin `null`.
    pub fn is_tainted(&self) -> bool {
        self.question.origin() != "null" && self.decisive().and_then(Exchange::origin).is_some_and(|origin| origin == "null")
    }

    /// The redirect that led to the exchange at which it ended, and its answer.
    pub fn redirect(&self) -> Option<(&Exchange, &Response)> {
        let exchange = self.run.exchanges.iter().rev().skip(1).find(|x| !x.is_preflight)?;
        exchange.response().filter(|r| r.is_redirect()).map(|response| (exchange, response))
    }
}
