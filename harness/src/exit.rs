//! Exit codes: one documented type.

use std::process::{ExitCode, Termination};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// 0: every result is as expected, or known; what was explained may be read.
    AsExpected = 0,
    /// 1: there are unexpected results, stale baseline entries, or cases that could not be judged; what was explained may not be read.
    Unexpected = 1,
    /// 2: the command line or a file it names is wrong.
    Usage = 2,
    /// 3: the machine lacks what the command needs: a browser, a driver, a writable folder, a server that answers.
    Environment = 3,
    /// 4: nothing was selected.
    NothingSelected = 4,
    /// 130: interrupted (Ctrl-C); what was recorded until then is written.
    Interrupted = 130,
}

impl Exit {
    /// The number the operating system gets.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
