//! `corscheck serve`.

use std::{net::IpAddr, path::PathBuf};

use clap::Args;

use super::{Failure, run::runtime, say, selection::Selection};
use crate::{
    exit::Exit,
    serve::{Offer, Serving, can_be_run_on, topology_on},
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  corscheck serve                          every case, to be run by hand in any browser on this machine
  corscheck serve preflight/               some of them
  corscheck report corscheck-out corscheck-out/by-hand-1 --out corscheck-out
                                           what was run by hand as a column of the report

  corscheck serve --host 192.168.1.5       a phone on the same network too

It listens on loopback alone unless --host says otherwise, and ends with Ctrl-C.")]
pub(super) struct ServeArgs {
    #[command(flatten)]
    selection: Selection,
    /// Folder for results: each run by hand gets a folder in it.
    #[arg(long, value_name = "DIR", default_value = "corscheck-out")]
    out: PathBuf,
    /// Listen on this address of the machine too, and have every origin there: they differ in their ports then, and cases that need other
    /// hosts or TLS are left out. Whoever reaches the address can run cases and read what came of them.
    #[arg(long, value_name = "ADDRESS")]
    host: Option<IpAddr>,
}

pub(super) fn serve(args: &ServeArgs) -> Result<Exit, Failure> {
    let pool = args.selection.pool()?;
    let (cases, left): (Vec<_>, Vec<_>) = args
        .selection
        .select(&pool)?
        .into_iter()
        .partition(|case| case.contexts().iter().all(|c| *c == corscheck_cases::Context::Window || !c.has_own_window()));
    let (cases, elsewhere): (Vec<_>, Vec<_>) = match args.host.map(topology_on) {
        None => (cases, Vec::new()),
        Some(topology) => cases.into_iter().partition(|case| can_be_run_on(case, &topology)),
    };
    if cases.is_empty() {
        return Err(Failure { words: "none of these cases can be run by hand here".to_owned(), exit: Exit::NothingSelected });
    }
    let offer = Offer {
        address: args.host,
        cases,
        catalogue: pool.catalogue.clone(),
        families: pool.families,
        path: args.selection.catalogue.as_ref().map(|path| path.display().to_string()),
        out: args.out.clone(),
        command: std::env::args().collect(),
    };
    let count = offer.cases.len();
    runtime()?.block_on(async {
        let serving =
            Serving::start(offer).await.map_err(|e| Failure::environment(format!("the origin servers could not be started: {e}")))?;
        let mut words = format!(
            "open      {}\n          in any browser {}: {count} cases can be run there\n",
            serving.address(),
            if args.host.is_some() { "that reaches it" } else { "on this machine" }
        );
        if !left.is_empty() {
            words.push_str(&format!("          {} more need windows that only a driver opens: `corscheck run` runs them\n", left.len()));
        }
        if let Some(address) = args.host {
            words.push_str(&format!("          {} more need other hosts or TLS, which another machine would not find\n", elsewhere.len()));
            words.push_str(&format!(
                "exposed   every origin listens on {address} too: whoever reaches it can load the pages of cases, run\n"
            ));
            words.push_str("          them and read what came of them; nothing else of this machine is served\n");
        }
        say(&words)?;
        crate::run::interrupted().await;
        let ended = serving.ended();
        if !ended.is_empty() {
            let folders: Vec<String> = ended.iter().map(|folder| folder.display().to_string()).collect();
            say(&format!(
                "\nresults   {}\n          corscheck report {} --out {}\n",
                folders.join("\n          "),
                folders.join(" "),
                args.out.display()
            ))?;
        }
        Ok(Exit::AsExpected)
    })
}
