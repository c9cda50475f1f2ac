//! How fast a run is against the limit: a bare in-page loop of the same fetches, in the same session of the same browser.

pub mod report;

use std::{sync::Arc, time::Instant};

use corscheck_cases::{Alias, Catalogue, Context, bind::bind};
use corscheck_servers::{Options, Servers, Token};
use tokio::sync::mpsc;

use crate::{
    agent::{self, Hub},
    browser::{Endpoint, Guard, SessionOptions},
    drive::Drive,
    event::Event,
    exit::Exit,
    user_agent::{Browser, Link, Session, UserAgent},
};

/// How many fetches the bare loop keeps under way: it was fastest so, or as fast as with any other number, in all three engines.
const BARE_WIDTH: usize = 16;

/// The kinds of case that are measured: name, the case, and what the bare loop passes to `fetch()`.
const KINDS: &[(&str, &str, &str)] = &[
    (
        "read allowed",
        r#"
request = { to = "b" }
response = { headers = [["Access-Control-Allow-Origin", "{origin}"]] }
expect = { read = "allowed", wire = ["GET"] }
"#,
        "{}",
    ),
    (
        "read blocked",
        r#"
request = { to = "b" }
response = {}
expect = { read = "blocked", reason = "acao-missing", wire = ["GET"] }
"#,
        "{}",
    ),
    (
        "preflighted PUT",
        r#"
request = { to = "b", method = "PUT" }
preflight = { headers = [["Access-Control-Allow-Origin", "{origin}"], ["Access-Control-Allow-Methods", "PUT"]] }
response = { headers = [["Access-Control-Allow-Origin", "{origin}"]] }
expect = { read = "allowed", wire = ["OPTIONS", "PUT"] }
"#,
        r#"{"method":"PUT"}"#,
    ),
];

/// Measures each browser alone: `rounds` times both ways in turn, `cases` requests of each kind.
///
/// # Errors
///
/// Words for a browser or server that cannot be started.
pub async fn bench(endpoints: &[Endpoint], cases: usize, rounds: usize) -> Result<Exit, String> {
    println!(
        "{:<10} {:<16} {:>12} {:>12} {:>8}   (cases per second; {cases} cases, median of {rounds})",
        "browser", "kind", "bare loop", "harness", "ratio"
    );
    for endpoint in endpoints {
        one(endpoint, cases, rounds).await?;
    }
    Ok(Exit::AsExpected)
}

async fn one(endpoint: &Endpoint, count: usize, rounds: usize) -> Result<(), String> {
    let words = |e: &dyn std::fmt::Display| e.to_string();
    let hub = Hub::default();
    let servers = Arc::new(Servers::start(Options { pages: hub.router(), ..Options::default() }).await.map_err(|e| words(&e))?);
    let guard = Arc::new(Guard::new().map_err(|e| words(&e))?);
    let agent = UserAgent::Browser(Browser { endpoint: endpoint.clone(), options: SessionOptions::default(), guard, hub });
    let started = Instant::now();
    let mut session = agent.start().await?;
    let start_up = started.elapsed();
    for (kind, text, init) in KINDS {
        let catalogue = catalogue(text, count)?;
        let cases: Vec<_> = catalogue.cases().iter().cloned().map(Arc::new).collect();
        let init: serde_json::Value = serde_json::from_str(init).map_err(|e| words(&e))?;
        let (mut bare, mut harness) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let link = open(&servers, &mut session).await?;
            // Once unmeasured: connections and caches of the browser are warm for both.
            bare_loop(&servers, &cases[..count.min(50)], &link, &init).await?;
            bare.push(count as f64 / bare_loop(&servers, &cases, &link, &init).await?);
            let (events, mut arriving) = mpsc::unbounded_channel();
            let drive = Drive {
                agent: agent.clone(),
                servers: servers.clone(),
                events,
                known: Vec::new(),
                cases: cases.clone(),
                provisional: crate::drive::Provisional::default(),
                repeat: 1,
            };
            let (agreed, took) = drive.run_in(&mut session).await?;
            harness.push(count as f64 / took.as_secs_f64());
            arriving.close();
            while let Some(event) = arriving.recv().await {
                if let Event::Note { text, .. } = event {
                    eprintln!("note: {text}");
                }
            }
            if agreed != count {
                return Err(format!("{kind}: only {agreed} of {count} cases agree; the figures would mean nothing"));
            }
        }
        let (bare, harness) = (median(bare), median(harness));
        println!("{:<10} {kind:<16} {bare:>12.0} {harness:>12.0} {:>8.2}", endpoint.engine().word(), harness / bare);
    }
    println!("{:<10} start of a session: {:.1} s", endpoint.engine().word(), start_up.as_secs_f64());
    session.end().await;
    Ok(())
}

fn catalogue(text: &str, count: usize) -> Result<Catalogue, String> {
    let file: String = (0..count)
        .map(|i| {
            format!(
                "[[case]]\nid = \"bench/case-{i}\"\ntitle = \"t\"\nbehaviours = [\"cors-check/acao-absent\"]\nspec = \"fetch#concept-cors-check\"\nwhy = \"w\"\n{text}\n"
            )
        })
        .collect();
    Catalogue::parse([("bench.toml", file.as_str())]).map_err(|e| e.to_string())
}

async fn open(servers: &Servers, session: &mut Session) -> Result<agent::Link, String> {
    let mut links = session.open(servers.topology(), Alias::A, &corscheck_cases::page::PageSettings::default(), &[Context::Window]).await?;
    match links.remove(&Context::Window) {
        Some(Link::Browser(link)) => Ok(link),
        Some(Link::Simulated(_)) | None => Err("the page has no agent".to_owned()),
    }
}

/// The same requests without the harness: one page loop, no controls, no words, no judge. In seconds.
async fn bare_loop(
    servers: &Servers,
    cases: &[Arc<corscheck_cases::Case>],
    link: &agent::Link,
    init: &serde_json::Value,
) -> Result<f64, String> {
    let mut tokens = Vec::new();
    let mut urls = Vec::new();
    for case in cases {
        let token = Token::new();
        let bound = bind(case, servers.topology(), token.as_str());
        urls.push(bound.steps[0].action.url.clone());
        servers.register(&token, bound.script);
        tokens.push(token);
    }
    let bare = link.bare(&urls, BARE_WIDTH, init.clone()).await.map_err(|e| e.to_string())?;
    for token in tokens {
        servers.take(&token);
    }
    Ok(bare.ms / 1000.0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
