//! `corscheck serve`.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, run::runtime, say, selection::Selection};
use crate::{
    exit::Exit,
    serve::{Offer, Serving},
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  corscheck serve                          every case, to be run by hand in any browser on this machine
  corscheck serve preflight/               some of them
  corscheck report corscheck-out corscheck-out/by-hand-1 --out corscheck-out
                                           what was run by hand as a column of the report

It listens on loopback alone, and ends with Ctrl-C.")]
pub(super) struct ServeArgs {
    #[command(flatten)]
    selection: Selection,
    /// Folder for results: each run by hand gets a folder in it.
    #[arg(long, value_name = "DIR", default_value = "corscheck-out")]
    out: PathBuf,
}

pub(super) fn serve(args: &ServeArgs) -> Result<Exit, Failure> {
    let pool = args.selection.pool()?;
    let (cases, left): (Vec<_>, Vec<_>) = args
        .selection
        .select(&pool)?
        .into_iter()
        .partition(|case| case.contexts().iter().all(|c| *c == corscheck_cases::Context::Window || !c.has_own_window()));
    let offer = Offer {
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
        let mut words =
            format!("open      {}\n          in any browser on this machine: {count} cases can be run there\n", serving.address());
        if !left.is_empty() {
            words.push_str(&format!("          {} more need windows that only a driver opens: `corscheck run` runs them\n", left.len()));
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
