//! The part of an explanation that asks servers: sockets under the state machine, and how far a connection gets.

mod access;
mod browser;
mod connect;

pub use access::{Access, AccessError, Resolve};
pub use browser::{Confirmation, Unconfirmed, confirm, confirmation};

use super::{evidence::Evidence, probe, question::Question, run::run, wire::Socket};
use crate::simulated::client::Recorded;

/// Asks, as a browser would, and besides, where probes are wanted.
///
/// # Errors
///
/// A certificate that was to be trusted cannot be.
pub fn evidence(question: Question, access: &Access, probes: bool) -> Result<Evidence, AccessError> {
    let mut client = access.client()?;
    let run = run(&question, &mut client);
    let mut evidence = Evidence::new(question, run);
    if evidence.run.is_unanswered() {
        evidence.reach = evidence.decisive().map(|x| x.url.clone()).map(|url| connect::reach(&url, access)).transpose()?;
    } else if probes {
        probe::probe(&mut evidence, &mut client);
    }
    // Each exchange of the client has its record, in the same order.
    let records = client.take_records();
    let exchanges = evidence.run.exchanges.iter_mut().chain(evidence.probes.iter_mut().map(|p| &mut p.exchange));
    for (exchange, record) in exchanges.zip(&records) {
        exchange.socket = Some(Box::new(socket(record)));
    }
    Ok(evidence)
}

fn socket(record: &Recorded) -> Socket {
    Socket {
        server: record.server,
        sent: record.sent_head.clone(),
        received: record.received_head.clone(),
        ms: u64::try_from(record.took.as_millis()).unwrap_or(u64::MAX),
    }
}
