//! What the tests of the harness as a whole share: places in which the program runs, the processes it leaves, the browsers that
//! are there.

mod browsers;
mod place;
mod processes;

pub use browsers::{Turn, browsers, turn};
pub use place::{Ended, Place, Running};
pub use processes::{Process, Signal, bearing, is_alive, signal};

use std::time::{Duration, Instant};

/// Between two looks at something that announces itself to nobody.
const LOOK: Duration = Duration::from_millis(10);

/// Looks until `what` gives something, `within` at most.
pub fn eventually<T>(within: Duration, mut what: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = what() {
            return Some(found);
        }
        if started.elapsed() >= within {
            return None;
        }
        std::thread::sleep(LOOK);
    }
}
