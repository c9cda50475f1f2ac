//! `corscheck doctor`.

use clap::Args;
use corscheck_cases::oracle::Defects;

use super::{Failure, Places};
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
    let (mut found, mut missing) = (0, 0);
    for &engine in engines {
        match locate(engine, &args.places.paths(engine)?) {
            Ok(installed) => {
                found += 1;
                println!("{}: ready", engine.title());
                println!("  browser  {}  ({})", installed.browser.display(), installed.browser_version);
                println!("  driver   {}  ({})", installed.driver.display(), installed.driver_version);
            }
            Err(error) => {
                missing += 1;
                println!("{}: not ready", engine.title());
                for line in error.to_string().lines() {
                    println!("  {line}");
                }
            }
        }
    }
    if wanted.nothing() || wanted.simulated {
        println!("simulated: always ready, with `--browser simulated`");
        println!("  built in  {}", simulated_version(&Defects::NONE));
    }
    let enough = if wanted.nothing() { found > 0 } else { missing == 0 };
    Ok(if enough { Exit::AsExpected } else { Exit::Environment })
}
