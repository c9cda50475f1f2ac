//! `corscheck shrink`.

use std::sync::Arc;

use clap::Args;
use corscheck_servers::{Options, Servers};

use super::{
    Failure, Places,
    run::{choices, runtime},
    say,
    selection::families,
};
use crate::{
    agent::Hub,
    browser::SessionOptions,
    exit::Exit,
    rerun::Rerun,
    run::ready,
    shrink::{self, BUDGET},
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  corscheck shrink family-redirect/via-bc-put --browser firefox
  corscheck shrink family-redirect/via-bc-put --budget 200 >> my-cases/found.toml

Known deviations count as failures here, too.")]
pub(super) struct ShrinkArgs {
    /// The id of a generated case that fails.
    id: String,
    #[command(flatten)]
    places: Places,
    /// How many cases may be run.
    #[arg(long, default_value_t = BUDGET)]
    budget: usize,
    /// Make the simulated user agent wrong in this way; may be given again.
    #[arg(long, value_name = "NAME")]
    defect: Vec<String>,
    /// Show the browsers' windows.
    #[arg(long)]
    headed: bool,
}

/// Ends with 1 when the case fails in some browser: what is printed then is worth a look.
pub(super) fn shrink(args: &ShrinkArgs) -> Result<Exit, Failure> {
    let families = families()?;
    let case = families.find(&args.id).ok_or_else(|| Failure::usage(format!("{} is no generated case", args.id)))??;
    let case = Arc::new(case);
    let (choices, _) = choices(&args.places, &args.defect)?;
    let options = SessionOptions { headed: args.headed, ..SessionOptions::default() };
    runtime()?.block_on(async {
        let hub = Hub::default();
        let servers =
            Servers::start(Options { pages: hub.router(), ..Options::default() }).await.map_err(|e| Failure::environment(e.to_string()))?;
        let servers = Arc::new(servers);
        let agents = ready(&choices, &options, &servers, &hub).map_err(|e| Failure::environment(e.to_string()))?;
        let mut exit = Exit::AsExpected;
        for agent in agents {
            let mut rerun = Rerun::new(agent, servers.clone());
            let browser = rerun.word();
            let first = rerun.attempt(&case).await.map_err(Failure::environment)?;
            if first.judgement.verdict.is_mismatch() {
                exit = Exit::Unexpected;
                let shrunk = shrink::shrink(&families, &args.id, first, &[], &mut rerun, args.budget).await;
                let shrunk = shrunk.map_err(Failure::environment)?;
                eprintln!(
                    "{browser}: {} after {} more cases",
                    if shrunk.id == args.id { "nothing is simpler" } else { &shrunk.id },
                    shrunk.tried
                );
                say(&format!("{}\n", shrunk.toml))?;
            } else {
                eprintln!("{browser}: {} is {}", args.id, first.judgement.verdict);
            }
            rerun.end().await;
        }
        Ok(exit)
    })
}
