//! Whether there is colour, and which.

use std::{env, ffi::OsString, io::IsTerminal};

use super::tally::Kind;

/// What `--color` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ColorChoice {
    /// Where a terminal reads it, unless the environment says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the surroundings say about how to report: read once, so that everything below is a pure function of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Environment {
    /// Standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// `NO_COLOR` is set and not empty (no-color.org).
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is set and not `0` (bixense.com/clicolors).
    pub clicolor_force: bool,
    /// `TERM=dumb`: neither colour nor a cursor that moves.
    pub dumb: bool,
    /// `GITHUB_ACTIONS=true`: the log understands workflow commands.
    pub github_actions: bool,
}

impl Environment {
    /// Reads the environment of this process.
    pub fn detect() -> Self {
        Self::from_lookup(|name| env::var_os(name), std::io::stdout().is_terminal(), std::io::stderr().is_terminal())
    }

    fn from_lookup(var: impl Fn(&str) -> Option<OsString>, stdout_is_terminal: bool, stderr_is_terminal: bool) -> Self {
        let set = |name| var(name).filter(|v| !v.is_empty());
        Self {
            stdout_is_terminal,
            stderr_is_terminal,
            no_color: set("NO_COLOR").is_some(),
            clicolor_force: set("CLICOLOR_FORCE").is_some_and(|v| v != "0"),
            dumb: set("TERM").is_some_and(|v| v == "dumb"),
            github_actions: set("GITHUB_ACTIONS").is_some_and(|v| v == "true"),
        }
    }

    /// Whether standard output gets colour. What the user typed goes before what stands in the environment.
    pub fn color(&self, choice: ColorChoice) -> bool {
        match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if self.no_color => false,
            ColorChoice::Auto => self.clicolor_force || (self.stdout_is_terminal && !self.dumb),
        }
    }
}

/// Paints text, or leaves it alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    pub(crate) fn bold(self, text: &str) -> String {
        self.sgr("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.sgr("2", text)
    }

    /// The colour of a kind of result. Only verdicts have one; a read that was blocked is no verdict and has none.
    pub(crate) fn kind(self, kind: Kind, text: &str) -> String {
        match kind {
            Kind::TooOpen => self.sgr("1;31", text),
            Kind::TooStrict | Kind::WrongWire => self.sgr("33", text),
            Kind::Stale => self.sgr("35", text),
            Kind::Flaky | Kind::NotJudged => self.sgr("1", text),
            Kind::Known | Kind::Recorded | Kind::Unsupported => self.sgr("2", text),
            Kind::Agrees => text.to_owned(),
        }
    }

    fn sgr(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(vars: &[(&str, &str)], terminal: bool) -> Environment {
        let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
        Environment::from_lookup(var, terminal, terminal)
    }

    #[test]
    fn the_command_line_goes_before_the_environment() {
        let color = |choice, vars: &[(&str, &str)], terminal| environment(vars, terminal).color(choice);
        assert!(color(ColorChoice::Auto, &[], true));
        assert!(!color(ColorChoice::Auto, &[], false));
        assert!(color(ColorChoice::Auto, &[("CLICOLOR_FORCE", "1")], false));
        assert!(!color(ColorChoice::Auto, &[("CLICOLOR_FORCE", "0")], false));
        assert!(!color(ColorChoice::Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true));
        assert!(color(ColorChoice::Auto, &[("NO_COLOR", "")], true));
        assert!(!color(ColorChoice::Auto, &[("TERM", "dumb")], true));
        assert!(color(ColorChoice::Always, &[("NO_COLOR", "1")], false));
        assert!(!color(ColorChoice::Never, &[("CLICOLOR_FORCE", "1")], true));
    }

    #[test]
    fn only_the_words_of_github_turn_its_commands_on() {
        assert!(environment(&[("GITHUB_ACTIONS", "true")], false).github_actions);
        assert!(!environment(&[("GITHUB_ACTIONS", "")], false).github_actions);
    }
}
