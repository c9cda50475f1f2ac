//! Live controls: reads that must succeed, before and after the cases they stand for.
//!
//! A page cannot tell a CORS block from a dead port or a crashed server. So a blocked read counts only if a plain allowed read
//! from the same context to the same origin succeeded before it and after it, with its exchange seen on the wire.

use std::{collections::HashMap, time::Duration};

use corscheck_cases::{
    Alias, Context,
    bind::{Action, ApiWord, CASE_ROOT},
    script::{Answer, Field, Framing, Http, Message, Resource, Script, Then},
};
use corscheck_servers::{Fate, Servers, Token};
use futures_util::future::join_all;

use crate::{agent::Lost, observation::PageEnd, user_agent::Link};

const BODY: &str = "control";

/// Reads controls in the contexts of one page.
pub struct Controls<'a> {
    servers: &'a Servers,
    page: Alias,
    links: &'a HashMap<Context, Link>,
}

/// What the latest controls came to, by context and origin.
#[derive(Debug, Clone, Default)]
pub struct Readings {
    by_pair: HashMap<(Context, Alias), Result<(), String>>,
    lost: Option<Lost>,
}

impl Readings {
    /// Takes over newer readings.
    pub fn merge(&mut self, newer: Readings) {
        self.by_pair.extend(newer.by_pair);
        self.lost = self.lost.or(newer.lost);
    }

    /// Whether a page was gone when its control was to be read: then the controls say nothing of any server.
    pub fn lost(&self) -> Option<Lost> {
        self.lost
    }

    /// The first of the wanted controls that did not succeed, in words.
    pub fn failure(&self, wanted: &[(Context, Alias)]) -> Option<String> {
        wanted.iter().find_map(|pair| match self.by_pair.get(pair) {
            Some(Ok(())) => None,
            Some(Err(words)) => Some(format!("{} to {}: {words}", pair.0, pair.1)),
            None => Some(format!("{} to {}: never read", pair.0, pair.1)),
        })
    }
}

impl<'a> Controls<'a> {
    /// Controls for the contexts of the page at `page`.
    pub fn new(servers: &'a Servers, page: Alias, links: &'a HashMap<Context, Link>) -> Self {
        Self { servers, page, links }
    }

    /// Reads each pair once, all at the same time.
    pub async fn read(&self, pairs: &[(Context, Alias)]) -> Readings {
        let readings = pairs.iter().map(|&(context, alias)| async move { ((context, alias), self.one(context, alias).await) });
        let mut out = Readings::default();
        for (pair, reading) in join_all(readings).await {
            let reading = match reading {
                Ok(()) => Ok(()),
                Err(Failed::Control(words)) => Err(words),
                Err(Failed::Page(lost)) => {
                    out.lost = Some(lost);
                    Err(lost.to_string())
                }
            };
            out.by_pair.insert(pair, reading);
        }
        out
    }

    async fn one(&self, context: Context, alias: Alias) -> Result<(), Failed> {
        let link = self.links.get(&context).ok_or(Failed::Page(Lost::Closed))?;
        let token = Token::new();
        self.servers.register(&token, script(alias));
        let url = format!("{}{CASE_ROOT}{token}/control", self.servers.topology().origin(alias));
        let result = link.control().run(&action(url), Duration::ZERO, std::future::pending()).await;
        let exchanges = self.servers.take(&token);
        let page = result.map_err(Failed::Page)?;
        let delivered = exchanges.iter().any(|x| x.answer.fate == Fate::Sent);
        match page.end {
            PageEnd::Response(r) if r.body == BODY && delivered => Ok(()),
            // Where there is no such context nothing is judged, and nothing needs a control.
            PageEnd::Unsupported(_) => Ok(()),
            end if !delivered => Err(Failed::Control(format!("the request never got its answer ({})", shown(&end)))),
            end => Err(Failed::Control(format!("a read that page {} must be granted came to {}", self.page, shown(&end)))),
        }
    }
}

enum Failed {
    Control(String),
    Page(Lost),
}

fn shown(end: &PageEnd) -> String {
    match end {
        PageEnd::Response(r) => format!("status {}", r.status),
        PageEnd::Loaded { .. } => "loaded".to_owned(),
        PageEnd::NetworkError(e) | PageEnd::Refused(e) | PageEnd::Aborted(e) => format!("{}: {}", e.name, e.message),
        PageEnd::Unsupported(words) | PageEnd::AgentFault(words) => words.clone(),
        PageEnd::NoAnswer { after_ms } => format!("nothing within {after_ms:.0} ms"),
    }
}

fn script(alias: Alias) -> Script {
    let response = Answer {
        delay_ms: 0,
        message: Message::Http(Http {
            interim: Vec::new(),
            status: 200,
            reason: None,
            fields: vec![Field::Pair(b"Access-Control-Allow-Origin".to_vec(), b"*".to_vec())],
            body: BODY.as_bytes().to_vec(),
            body_delay_ms: 0,
            framing: Framing::Length,
            cut: None,
        }),
        then: Then::Keep,
    };
    Script {
        steps: vec![vec![Resource {
            at: alias,
            path: "control".to_owned(),
            preflight: Vec::new(),
            response: vec![response],
            revalidation: Vec::new(),
        }]],
    }
}

/// A plain `fetch(url)`.
pub(crate) fn action(url: String) -> Action {
    Action {
        wait_ms: 0,
        api: ApiWord::Fetch,
        crossorigin: None,
        destination: None,
        timing: false,
        url,
        method: None,
        headers: Vec::new(),
        body: None,
        credentials: None,
        abort_after_ms: None,
        mode: None,
        redirect: None,
        cache: None,
        referrer: None,
        referrer_policy: None,
        integrity: None,
        keepalive: false,
        handling: corscheck_cases::handling::Handling::default(),
        worker: None,
        blob: None,
        entry: Vec::new(),
        sync: false,
        upload_listener: None,
        timeout_ms: None,
        open_credentials: None,
        late_credentials: false,
        probe_headers: Vec::new(),
    }
}
