//! What a browser would do: the oracle's state machine over a network, and everything it leaves behind.

use corscheck_cases::{
    Outcome, Reason,
    oracle::{Path, UserAgent, View, network::Network},
};

use super::{
    described::Described,
    question::Question,
    recording::Recording,
    wire::{Answer, Exchange},
};

/// A request from its call to its end.
#[derive(Debug, Clone)]
pub struct Run {
    /// What the page sees of it.
    pub view: View<'static>,
    /// The steps of the standard's algorithms that it went through.
    pub path: Path,
    /// What crossed the wire, in order.
    pub exchanges: Vec<Exchange>,
}

impl Run {
    /// What it came to.
    pub fn outcome(&self) -> Outcome {
        self.view.outcome()
    }

    /// Why, when it came to no response.
    pub fn reason(&self) -> Option<Reason> {
        self.view.reason
    }

    /// Whether it ended because there is no response, rather than by what a response says.
    pub fn is_unanswered(&self) -> bool {
        let fault = self.exchanges.last().is_some_and(|x| x.fault().is_some());
        fault && matches!(self.reason(), Some(Reason::Network | Reason::PreflightFailed | Reason::Aborted))
    }
}

/// Makes a request over a network, as a browser that remembers nothing would.
pub fn run<'a, N: Network<'a>>(question: &'a Question, network: &mut N) -> Run {
    let mut recording = Recording::new(network);
    let mut path = Path::new();
    let view = UserAgent::new().call(&question.call, &question.environment, &mut recording, &mut path);
    Run { view: view.into_owned(), path, exchanges: recording.into_exchanges() }
}

/// The same over described answers; those that nobody described are marked.
pub fn run_described(question: &Question, network: &mut Described) -> Run {
    let mut run = run(question, network);
    for &index in network.assumed() {
        if let Some(Exchange { answer, .. }) = run.exchanges.get_mut(index)
            && let Answer::Response(response) = answer
        {
            *answer = Answer::Assumed(response.clone());
        }
    }
    run
}
