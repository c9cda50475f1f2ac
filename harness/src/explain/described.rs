//! A network without servers: it answers with what somebody described, or with what was recorded.

use std::borrow::Cow;

use corscheck_cases::oracle::{
    headers::HeaderList,
    network::{Fault, Incoming, Limits, Network, Outgoing, Read, ReadEnd},
};

use super::wire::{Answer, KEPT_BODY, Response};

/// Answers without servers.
#[derive(Debug, Clone)]
pub struct Described {
    answers: Answers,
    /// How many requests there were.
    requests: usize,
    /// Which of them got an answer that nobody described.
    assumed: Vec<usize>,
}

#[derive(Debug, Clone)]
enum Answers {
    /// To the n-th preflight the n-th, to the n-th other request the n-th.
    ByKind { preflight: List, response: List },
    /// To the n-th request the n-th.
    InOrder(Vec<Answer>),
}

#[derive(Debug, Clone, Default)]
struct List {
    answers: Vec<Answer>,
    asked: usize,
}

impl List {
    /// The next answer. The last one repeats, unless it leads on.
    fn next(&mut self) -> Option<Answer> {
        let last = self.answers.last()?;
        let leads_on = matches!(last, Answer::Response(response) if response.is_redirect());
        self.asked += 1;
        match self.answers.get(self.asked - 1) {
            Some(answer) => Some(answer.clone()),
            None => (!leads_on).then(|| last.clone()),
        }
    }
}

impl Described {
    /// Answers as a file describes them. A request that it has no answer for is granted.
    pub fn by_kind(preflight: Vec<Answer>, response: Vec<Answer>) -> Self {
        let list = |answers| List { answers, asked: 0 };
        Self::new(Answers::ByKind { preflight: list(preflight), response: list(response) })
    }

    /// Answers as they were recorded. A request beyond them gets a 200 without any header.
    pub fn in_order(answers: Vec<Answer>) -> Self {
        Self::new(Answers::InOrder(answers))
    }

    fn new(answers: Answers) -> Self {
        Self { answers, requests: 0, assumed: Vec::new() }
    }

    /// What is described for requests that were not made: those after a preflight that was refused.
    pub fn unasked(&self) -> &[Answer] {
        match &self.answers {
            Answers::ByKind { response, .. } => response.answers.get(response.asked..).unwrap_or_default(),
            Answers::InOrder(answers) => answers.get(self.requests..).unwrap_or_default(),
        }
    }

    /// Which requests, counted from 0, got an answer that nobody described.
    pub fn assumed(&self) -> &[usize] {
        &self.assumed
    }
}

/// An answer that grants everything that is asked for.
fn granted(request: &Outgoing<'_, '_>) -> Response {
    let mut headers = HeaderList::new();
    for (asked, granted) in [
        ("Origin", "Access-Control-Allow-Origin"),
        ("Access-Control-Request-Method", "Access-Control-Allow-Methods"),
        ("Access-Control-Request-Headers", "Access-Control-Allow-Headers"),
    ] {
        if let Some(value) = request.headers.get(asked) {
            headers.append(granted, value.into_owned());
        }
    }
    headers.append("Access-Control-Allow-Credentials", &b"true"[..]);
    Response::new(if request.is_preflight { 204 } else { 200 }, headers)
}

impl<'a> Network<'a> for Described {
    type Body = (Vec<u8>, ReadEnd);

    fn exchange(&mut self, request: Outgoing<'_, 'a>) -> Result<Incoming<'a, Self::Body>, Fault> {
        let index = self.requests;
        self.requests += 1;
        let (described, otherwise) = match &mut self.answers {
            Answers::ByKind { preflight, response } => {
                ((if request.is_preflight { preflight } else { response }).next(), granted(&request))
            }
            Answers::InOrder(answers) => (answers.get(index).cloned(), Response::new(200, HeaderList::new())),
        };
        let response = match described {
            Some(Answer::Response(response)) => response,
            Some(Answer::Fault(fault)) => return Err(fault),
            Some(Answer::Assumed(response)) => {
                self.assumed.push(index);
                response
            }
            None => {
                self.assumed.push(index);
                otherwise
            }
        };
        let body = match response.body_end {
            Some(end) if response.body.len() < KEPT_BODY => (response.body, end),
            // Not all of it is known: its bytes decide nothing, only that they can be decoded.
            Some(_) | None => (response.empty_body().to_vec(), ReadEnd::Complete),
        };
        Ok(Incoming { status: response.status, status_text: Cow::Owned(response.reason), headers: response.headers, body })
    }

    fn read(&mut self, (bytes, end): Self::Body, _: Limits) -> Read<'a> {
        Read { bytes: Cow::Owned(bytes), end }
    }

    fn now_ms(&mut self) -> u64 {
        0
    }
}
