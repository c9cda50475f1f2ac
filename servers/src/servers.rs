//! The origins of a run: started together, stopped together.

use std::{collections::BTreeMap, io, net::IpAddr, sync::Arc};

use axum::Router;
use corscheck_cases::{Alias, Topology, script::Script, topology::Protocol};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::{
    Exchange, Token,
    listener::{self, Listener, Origin, Port},
    recorder::Recorder,
    socket::Life,
    tls::Identity,
};

/// What the caller brings.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Pages served on every origin for any path that does not start with `/t/`. Handlers learn which origin was asked by
    /// `axum::Extension<Alias>`.
    pub pages: Router,
    /// An address of this machine on which every origin listens besides loopback, and which is the host of all of them then: whoever
    /// can reach it can reach every page, and what cases script.
    pub address: Option<IpAddr>,
}

/// Why the servers could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No port could be had.
    #[error("cannot listen on a loopback port for the origin `{alias}`: {error}")]
    Bind {
        /// The origin.
        alias: Alias,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The certificates could not be made.
    #[error("cannot make the throw-away certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS refused its configuration.
    #[error("cannot configure TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// One server for each alias of the topology, on loopback.
///
/// Dropping it ends them as [`Servers::stop`] does, without waiting for the end.
pub struct Servers {
    topology: Topology,
    /// Whether every origin listens on `[::1]` too.
    has_ipv6: bool,
    recorder: Arc<Recorder>,
    ca_pem: String,
    origins: BTreeMap<Alias, Running>,
    /// Ports on which nobody listens, held so that nobody else gets them.
    _reserved: Vec<Port>,
}

struct Running {
    life: Arc<Life>,
    listeners: Vec<Arc<Listener>>,
    tasks: Vec<JoinHandle<()>>,
}

fn topology_of(ports: BTreeMap<Alias, u16>, address: Option<IpAddr>) -> Topology {
    match address {
        None => Topology::new(ports),
        Some(IpAddr::V4(v4)) => Topology::new(ports).on_host(v4.to_string()),
        Some(IpAddr::V6(v6)) => Topology::new(ports).on_host(format!("[{v6}]")),
    }
}

impl Servers {
    /// Binds every origin and starts to serve.
    ///
    /// # Errors
    ///
    /// When a port cannot be had or the certificates cannot be made.
    #[expect(clippy::unused_async, reason = "a runtime is needed: an async function cannot be called without one by mistake")]
    pub async fn start(options: Options) -> Result<Servers, StartError> {
        let identity = Identity::new()?;
        let recorder = Arc::new(Recorder::new());
        let mut ports = BTreeMap::new();
        let mut origins = BTreeMap::new();
        let mut reserved = Vec::new();
        let mut has_ipv6 = true;
        for &alias in Alias::ALL {
            let bind = |error| StartError::Bind { alias, error };
            let port = Port::reserve(options.address).map_err(bind)?;
            ports.insert(alias, port.number);
            has_ipv6 &= port.is_dual();
            if alias.protocol() == Protocol::Nothing {
                reserved.push(port);
                continue;
            }
            let life = Arc::new(Life::new());
            let origin = Arc::new(Origin {
                at: alias,
                pages: options.pages.clone(),
                recorder: Arc::clone(&recorder),
                life: Arc::clone(&life),
                tls: identity.config(alias)?.map(TlsAcceptor::from),
            });
            let listeners = port.listen().map_err(bind)?;
            let serve = |listener: &Arc<_>| tokio::spawn(listener::serve(Arc::clone(listener), Arc::clone(&origin)));
            let tasks = listeners.iter().map(serve).collect();
            origins.insert(alias, Running { life, listeners, tasks });
        }
        let ca_pem = identity.ca_pem().to_owned();
        Ok(Self { topology: topology_of(ports, options.address), has_ipv6, recorder, ca_pem, origins, _reserved: reserved })
    }

    /// Whether the machine has an IPv6 loopback address, and the origins listen there.
    pub fn has_ipv6(&self) -> bool {
        self.has_ipv6
    }

    /// The port that each alias got.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Answers below `/t/TOKEN/` with this script from now on, beginning with its first step. What an earlier script of the
    /// same token recorded is forgotten.
    pub fn register(&self, token: &Token, script: Script) {
        self.recorder.register(token, script);
    }

    /// Answers with this element of the script's steps from now on.
    pub fn set_step(&self, token: &Token, step: usize) {
        self.recorder.set_step(token, step);
    }

    /// What was recorded so far, in order of arrival.
    pub fn exchanges(&self, token: &Token) -> Vec<Exchange> {
        self.recorder.exchanges(token)
    }

    /// What was recorded, in order of arrival; the token and its script are forgotten.
    ///
    /// Connections that answer under it (delayed, hanging) are closed. Later requests are answered with a plain 404 and leave
    /// no trace.
    pub fn take(&self, token: &Token) -> Vec<Exchange> {
        self.recorder.take(token)
    }

    /// The certificate of the authority that signed the certificates of the https origins, made for this run alone.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Lets an origin crash: connections to it are refused from now on, and those that are open are reset.
    pub fn kill(&self, alias: Alias) {
        if let Some(running) = self.origins.get(&alias) {
            running.end(true);
        }
    }

    /// Closes every listener and every connection, and waits until they are closed.
    pub async fn stop(mut self) {
        let origins = std::mem::take(&mut self.origins);
        for running in origins.values() {
            running.end(false);
        }
        for task in origins.into_values().flat_map(|running| running.tasks) {
            // An error means that the task is gone, which is what is waited for.
            _ = task.await;
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for running in self.origins.values() {
            running.end(false);
        }
    }
}

impl Running {
    fn end(&self, crash: bool) {
        self.listeners.iter().for_each(|listener| listener.close());
        self.life.end(crash);
    }
}
