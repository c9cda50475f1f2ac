//! Workflow commands of GitHub Actions: results that show up beside the log and on the pull request.

use crate::event::{CaseResult, Header};

use super::{failure, printable, tally::Kind};

/// GitHub shows ten errors and ten warnings of a step and drops the rest.
const MOST: usize = 10;

/// The commands for the results that need attention, the most urgent first: errors where they fail the run, else warnings.
pub(crate) fn lines<'a>(results: impl IntoIterator<Item = &'a CaseResult>, header: Option<&Header>, strict: bool) -> Vec<String> {
    let mut wanted: Vec<&CaseResult> = results.into_iter().filter(|r| Kind::of(r).needs_attention()).collect();
    wanted.sort_by_key(|r| (!r.fails_run(strict), Kind::of(r)));
    wanted.into_iter().take(MOST).map(|result| line(result, header, strict)).collect()
}

fn line(result: &CaseResult, header: Option<&Header>, strict: bool) -> String {
    let command = if result.fails_run(strict) { "error" } else { "warning" };
    let title = format!("{}: {} in {}", Kind::of(result).words(), result.case, result.browser);
    let repeat = failure::repeat_command(result, header);
    let message = [&result.title, &failure::short(result), &repeat].map(|line| printable(line)).join("\n");
    format!("::{command} title={}::{}", property(&printable(&title)), data(&message))
}

/// The message of a command; see `escapeData` of actions/toolkit, `packages/core/src/command.ts`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command; see `escapeProperty` there.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn the_most_urgent_come_first_and_each_is_one_line() {
        let results = fixtures::all();
        insta::assert_snapshot!(lines(&results, None, false).join("\n"), @"
        ::error title=too open%3A preflight/header-not-listed in firefox::A request header that the preflight answer does not list blocks the request%0Apage.outcome: expected blocked, saw allowed%0Acorscheck run --browser firefox preflight/header-not-listed
        ::error title=wrong wire%3A redirect/taints-origin in webkit::A redirect taints the origin%0Awire.field:Origin: expected null, saw http://a.localhost:8001 (GET b)%0Acorscheck run --browser webkit redirect/taints-origin
        ::error title=stale%3A simple/stale in firefox::A simple read that is allowed%0Astale: a known deviation says that it fails, and it agrees%0Acorscheck run --browser firefox simple/stale
        ::error title=not judged%3A simple/dead in webkit::A read in a session that died%0Acontrol failed: a -> b gave blocked%0Acorscheck run --browser webkit simple/dead
        ::warning title=too strict%3A cache/second-read in chromium::The second read is answered%0Astep 2: page.outcome: expected allowed, saw blocked%0Acorscheck run --browser chromium cache/second-read
        ::warning title=flaky%3A simple/flaky in chromium::A simple read that is allowed%0Atoo-strict, then agrees%0Acorscheck run --browser chromium simple/flaky
        ");
    }

    #[test]
    fn no_more_than_github_shows() {
        let many = vec![fixtures::too_open(); 11];
        assert_eq!(lines(&many, None, false).len(), 10);
    }

    #[test]
    fn data_cannot_end_a_command_or_begin_another() {
        let line = line(&fixtures::hostile(), None, false);
        assert_eq!(line.lines().count(), 1);
        let title = line.strip_prefix("::error title=").and_then(|rest| rest.split("::").next()).expect("a title");
        assert!(!title.contains([',', ':', '\n', '\r']), "{title}");
    }
}
