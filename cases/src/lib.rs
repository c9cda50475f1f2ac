//! What is asked of a user agent, and what is right.
//!
//! This crate is pure: it does no I/O and knows neither browsers nor sockets. It holds
//!
//! - the **model**: [`Case`], [`Step`], [`Request`], [`script::Answer`], [`Expect`];
//! - the **format** of catalogue files ([`mod@format`]) and the parser with errors that point at the place ([`Catalogue::parse`]);
//! - the **topology**: the origins of a run by [`Alias`];
//! - the closed vocabularies: [`Outcome`], [`Reason`], [`Level`], [`BehaviourId`];
//! - the **families** ([`families`]): cases expanded over parameters, expected to come to what the oracle predicts;
//! - **binding** ([`bind`]): a case, a topology and a token become bytes for the servers, instructions for the page
//!   and resolved expectations for the judge.

pub mod behaviour;
pub mod bind;
pub mod case;
pub mod catalogue;
pub mod certify;
pub mod compose;
pub mod coverage;
pub mod diagnostic;
pub mod families;
pub mod format;
pub mod handling;
pub mod known;
pub mod oracle;
pub mod page;
pub mod script;
pub mod select;
pub mod text;
pub mod topology;
pub mod words;
pub mod worker;

pub mod initiator;
mod one_or_many;

pub use behaviour::{Behaviour, BehaviourId};
pub use case::{Case, CaseId, Expect, Request, Step};
pub use catalogue::Catalogue;
pub use topology::{Alias, Context, Topology};
pub use words::{Level, Outcome, Reason};
