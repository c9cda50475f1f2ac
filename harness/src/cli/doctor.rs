//! `corscheck doctor`.

use clap::Args;
use corscheck_cases::oracle::Defects;

use super::{Failure, Places, line, say};
use crate::{
    browser::{Engine, locate},
    exit::Exit,
    user_agent::simulated_version,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  corscheck doctor\n  corscheck doctor --browser firefox --driver firefox=/opt/geckodriver")]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    places: Places,
}

/// Ends with 0 when at least one browser (every one that was asked for) can be driven.
pub(super) fn doctor(args: &DoctorArgs) -> Result<Exit, Failure> {
    let wanted = args.places.wanted()?;
    let engines = if wanted.nothing() { Engine::ALL } else { &wanted.engines };
    let mut out = String::new();
    let (mut found, mut missing) = (0, 0);
    for &engine in engines {
        match locate(engine, &args.places.paths(engine)?) {
            Ok(installed) => {
                found += 1;
                line!(out, "{}: ready", engine.title());
                line!(out, "  browser  {}  ({})", installed.browser.display(), installed.browser_version);
                line!(out, "  driver   {}  ({})", installed.driver.display(), installed.driver_version);
            }
            Err(error) => {
                missing += 1;
                line!(out, "{}: not ready", engine.title());
                for line in error.to_string().lines() {
                    line!(out, "  {line}");
                }
            }
        }
    }
    if wanted.nothing() || wanted.simulated {
        line!(out, "simulated: always ready, with `--browser simulated`");
        line!(out, "  built in  {}", simulated_version(&Defects::NONE));
    }
    say(&out)?;
    let enough = if wanted.nothing() { found > 0 } else { missing == 0 };
    Ok(if enough { Exit::AsExpected } else { Exit::Environment })
}
