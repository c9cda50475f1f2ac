//! What a certification asks: policies, who asks, probes, and the rules that a server may break.
//!
//! All of it is data below `cases/certify/`. A [`Policy`] says what an owner means; [`perfect`] answers as a server that does exactly
//! that, so that what a page must see of it is the oracle's word and not a list of headers; [`Probe`]s say what is asked; a
//! [`Rule`] names a duty, and the findings that show that it is broken.

pub mod application;
pub mod origin;
pub mod perfect;
pub mod policy;
pub mod probe;
pub mod rule;
pub mod service;
pub mod tags;

pub use origin::{Asker, Askers};
pub use perfect::Perfect;
pub use policy::{Grant, Origins, Policy, Written};
pub use probe::{Probe, Probes};
pub use rule::{Rule, Severity};
pub use service::{Declared, Service};
pub use tags::{Pattern, Tags};

/// A file of `cases/certify/` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CertifyError {
    /// It is not what its format says; the words point at the place.
    #[error("{file}: {error}")]
    Parse {
        /// The file.
        file: &'static str,
        /// What is wrong, and where.
        error: String,
    },
    /// Something in it contradicts the rest.
    #[error("{file}: {words}")]
    Wrong {
        /// The file.
        file: &'static str,
        /// What is wrong.
        words: String,
    },
}

/// Everything that a certification asks.
#[derive(Debug, Clone)]
pub struct Book {
    /// The policies, in the order of the file.
    pub policies: Vec<Policy>,
    /// Who asks.
    pub askers: Askers,
    /// What is asked.
    pub probes: Probes,
    /// The duties.
    pub rules: Vec<Rule>,
}

impl Book {
    /// The book in the binary.
    ///
    /// # Errors
    ///
    /// A mistake in one of its files; a test sees to it that there is none.
    pub fn embedded() -> Result<Self, CertifyError> {
        let policies = policy::parse("cases/certify/policies.toml", include_str!("../../certify/policies.toml"))?;
        let askers = origin::parse("cases/certify/origins.toml", include_str!("../../certify/origins.toml"))?;
        let probes = probe::parse("cases/certify/probes.toml", include_str!("../../certify/probes.toml"))?;
        let rules = rule::parse("cases/certify/rules.toml", include_str!("../../certify/rules.toml"))?;
        Ok(Self { policies, askers, probes, rules })
    }

    /// The policy with this id.
    pub fn policy(&self, id: &str) -> Option<&Policy> {
        self.policies.iter().find(|p| p.id == id)
    }
}
