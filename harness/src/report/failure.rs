//! One result in full: what was expected and why, what was seen, where they part, and how to see it again.

use std::fmt::Write as _;

use corscheck_cases::{Case, Reason};
use corscheck_servers::Exchange;

use crate::{
    event::{Attempt, CaseResult, Header},
    observation::{PageEnd, PageResult, Word},
    verdict::{Difference, Standing, Verdict},
};

use super::{
    count,
    evidence::{exchange_lines, page_end, response_lines, word_line},
    printable,
    style::Paint,
    tally::Kind,
};

/// What the catalogue says about a case and results do not repeat.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseWords {
    /// The case's `why`.
    pub why: String,
    /// The section of the standard, as the case names it.
    pub spec: String,
    /// Its address.
    pub spec_url: String,
    /// The file the case stands in.
    pub file: String,
    /// The line it begins at, from 1.
    pub line: usize,
}

impl CaseWords {
    /// The words of a case.
    pub fn of(case: &Case) -> Self {
        Self {
            why: case.why.clone(),
            spec: case.spec.as_str().to_owned(),
            spec_url: case.spec.url(),
            file: case.place.file.clone(),
            line: case.place.line,
        }
    }
}

/// What [`text`] needs besides the result.
#[derive(Debug, Clone)]
pub struct FailureContext<'a> {
    /// Whether to colour.
    pub color: bool,
    /// The command that repeats it; see [`repeat_command`].
    pub repeat_command: String,
    /// The case's words, where the catalogue at hand has the case.
    pub words: Option<&'a CaseWords>,
}

/// Exchanges and words beyond these are counted only: a redirect limit takes 21 exchanges, more is a loop.
const MOST_EXCHANGES: usize = 24;
const MOST_WORDS: usize = 6;

/// The result in full, several lines, the last one ended.
///
/// No character of any data in it can steer a terminal.
pub fn text(result: &CaseResult, context: &FailureContext<'_>) -> String {
    let kind = Kind::of(result);
    let mut sheet = Sheet { out: String::new(), paint: Paint(context.color) };
    sheet.headline(result, kind);
    if let Some(known) = &result.known {
        sheet.row("known", printable(known));
    }
    sheet.expectation(result, context.words);
    if let Some(attempt) = result.last() {
        sheet.page(result, &attempt.observation.pages);
        sheet.wire(result, &attempt.observation.exchanges);
        sheet.browser_words(&attempt.observation.words);
        sheet.reason(result, attempt.observation.reason());
        sheet.differences(result, &attempt.judgement.differences);
    }
    sheet.attempts(result);
    if let Some(words) = context.words {
        sheet.row("case", printable(&format!("{}:{}", words.file, words.line)));
    }
    sheet.row("repeat", printable(&context.repeat_command));
    sheet.out
}

/// The command that repeats a result; `header` is that of its run, as far as it is known.
pub fn repeat_command(result: &CaseResult, header: Option<&Header>) -> String {
    let browsers = header.iter().flat_map(|h| &h.browsers);
    let defects = browsers.filter(|b| b.browser == result.browser).flat_map(|b| &b.defects);
    let defects: String = defects.map(|defect| format!(" --defect {}", shell_word(defect))).collect();
    let catalogue = header.and_then(|h| h.catalogue.as_deref()).map(|path| format!(" --catalogue {}", shell_word(path)));
    let catalogue = catalogue.unwrap_or_default();
    format!("corscheck run{catalogue} --browser {}{defects} {}", shell_word(&result.browser), shell_word(&result.case))
}

/// What is wrong, in words: the direction and what it means.
pub(crate) fn direction(result: &CaseResult) -> String {
    let of_verdict = match &result.verdict {
        Verdict::Agrees => "agrees: as the standard says".to_owned(),
        Verdict::TooOpen if seen_as(result, "allowed") => "too open: the page could read what the standard hides".to_owned(),
        Verdict::TooOpen => "too open: the page got to know what the standard hides".to_owned(),
        Verdict::TooStrict => "too strict: the page was denied what the standard grants".to_owned(),
        Verdict::WrongWire => "wrong wire: the outcome is right, how it came about is not".to_owned(),
        Verdict::NotJudged(cause) => format!("not judged: {}", printable(&cause.to_string())),
        Verdict::Unsupported(words) => format!("unsupported: {}", printable(words)),
    };
    match (result.standing, &result.verdict) {
        (Standing::Stale, Verdict::Agrees) => "stale: a known deviation says that it fails, and it agrees".to_owned(),
        (Standing::Stale, _) => format!("stale: it fails otherwise than the known deviation says; {of_verdict}"),
        (Standing::Flaky, _) => format!("flaky: the attempts came to {}", verdicts(result)),
        _ => of_verdict,
    }
}

/// Where it parts from what is right, in one line without control characters.
pub(crate) fn short(result: &CaseResult) -> String {
    let decisive = result.last().and_then(|attempt| attempt.judgement.differences.first());
    match (decisive, &result.verdict) {
        _ if result.standing == Standing::Flaky => verdicts(result),
        (_, Verdict::NotJudged(cause)) => printable(&cause.to_string()).into_owned(),
        (_, Verdict::Unsupported(words)) => printable(words).into_owned(),
        (Some(difference), _) => part(result, difference),
        (None, _) => direction(result),
    }
}

/// The verdicts of the attempts in their order.
fn verdicts(result: &CaseResult) -> String {
    let words: Vec<_> = result.attempts.iter().map(|a| a.judgement.verdict.word()).collect();
    words.join(", then ")
}

fn seen_as(result: &CaseResult, outcome: &str) -> bool {
    let decisive = result.last().and_then(|attempt| attempt.judgement.differences.first());
    decisive.is_none_or(|d| d.point != "page.outcome" || d.seen == outcome)
}

fn part(result: &CaseResult, difference: &Difference) -> String {
    let Difference { step, point, expected, seen } = difference;
    let words = format!("{point}: expected {}, saw {}", or_nothing(expected), or_nothing(seen));
    printable(&format!("{}{words}", step_prefix(result, *step))).into_owned()
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

/// `step 2: ` where a case has several.
fn step_prefix(result: &CaseResult, step: usize) -> String {
    if result.expected.len() > 1 { format!("step {}: ", step + 1) } else { String::new() }
}

fn shell_word(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_' | b':' | b'+' | b'=' | b',');
    if !word.is_empty() && word.bytes().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Rows of a label and its lines.
struct Sheet {
    out: String,
    paint: Paint,
}

impl Sheet {
    /// Wide enough for the longest label.
    const LABEL: usize = 10;
    /// Where prose is broken; data never is, so that it can be copied.
    const PROSE: usize = 100;

    fn headline(&mut self, result: &CaseResult, kind: Kind) {
        let mark = self.paint.kind(kind, &kind.words().to_uppercase());
        let id = self.paint.bold(&printable(&result.case));
        let (browser, place) = (printable(&result.browser), printable(&result.place));
        _ = writeln!(self.out, "{mark}  {id}  in {browser}, {place} ({})", result.level.word());
        _ = writeln!(self.out, "  {}", printable(&result.title));
        _ = writeln!(self.out, "  {}", self.paint.kind(kind, &direction(result)));
    }

    fn row(&mut self, label: &str, value: impl AsRef<str>) {
        self.rows(label, [value]);
    }

    fn rows(&mut self, label: &str, values: impl IntoIterator<Item = impl AsRef<str>>) {
        for (i, value) in values.into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            // Padded before it is painted: escape codes have no width.
            let label = self.paint.dim(&format!("{label:<width$}", width = Self::LABEL));
            _ = writeln!(self.out, "  {label} {}", value.as_ref());
        }
    }

    fn expectation(&mut self, result: &CaseResult, words: Option<&CaseWords>) {
        let mut lines = Vec::new();
        for (i, expected) in result.expected.iter().enumerate() {
            lines.push(format!("{}{}", step_prefix(result, i), printable(expected)));
            if let Some(reasons) = result.reasons.get(i).filter(|r| !r.is_empty()) {
                lines.push(format!("  because of {}", list(reasons)));
            }
        }
        self.rows("expected", lines);
        let Some(words) = words else { return };
        let mut lines: Vec<String> = wrap(&words.why, Self::PROSE);
        lines.push(printable(format!("{}  {}", words.spec, words.spec_url).trim()).into_owned());
        self.rows("why", lines.iter().filter(|l| !l.is_empty()));
    }

    fn page(&mut self, result: &CaseResult, pages: &[PageResult]) {
        let mut lines: Vec<String> = Vec::new();
        for (i, page) in pages.iter().enumerate() {
            lines.push(format!("{}{}", step_prefix(result, i), page_end(&page.end)));
            for (what, events) in [("events", &page.events), ("upload events", &page.upload_events)] {
                if !events.is_empty() {
                    lines.push(format!("  {what}: {}", printable(&events.join(" "))));
                }
            }
            if let PageEnd::Response(response) = &page.end {
                lines.extend(response_lines(response));
            }
        }
        if pages.len() < result.expected.len() {
            lines.push(format!("{}nothing: the page gave no answer", step_prefix(result, pages.len())));
        }
        self.rows("page", lines);
    }

    fn wire(&mut self, result: &CaseResult, exchanges: &[Exchange]) {
        let mut lines: Vec<String> = Vec::new();
        for exchange in exchanges.iter().take(MOST_EXCHANGES) {
            let step = step_prefix(result, exchange.step as usize);
            let own = exchange_lines(exchange).into_iter().enumerate();
            lines.extend(own.map(|(i, line)| if i == 0 { format!("{step}{line}") } else { line }));
        }
        match exchanges.len() {
            0 => lines.push("nothing: no request reached a server".to_owned()),
            n if n > MOST_EXCHANGES => lines.push(format!("and {} more", count(n - MOST_EXCHANGES, "exchange", "exchanges"))),
            _ => {}
        }
        self.rows("wire", lines);
    }

    fn browser_words(&mut self, words: &[Word]) {
        let mut lines: Vec<String> = words.iter().take(MOST_WORDS).map(word_line).collect();
        if words.len() > MOST_WORDS {
            lines.push(format!("and {} more", words.len() - MOST_WORDS));
        }
        if lines.is_empty() {
            lines.push("gave no words of its own".to_owned());
        }
        self.rows("browser", lines);
    }

    fn reason(&mut self, result: &CaseResult, named: Option<Reason>) {
        let right = list(&result.reasons.concat());
        match (result.reason_agrees, named) {
            (Some(true), Some(named)) => self.row("reason", format!("the browser's is right: {named}")),
            (Some(false), Some(named)) => self.row("reason", format!("the browser names {named}, right is {right}")),
            (Some(true), None) => self.row("reason", "the browser's is right"),
            (Some(false), None) => self.row("reason", format!("the browser names another than {right}")),
            (None, _) => {}
        }
    }

    fn differences(&mut self, result: &CaseResult, differences: &[Difference]) {
        let mut lines = differences.iter().map(|d| part(result, d));
        if let Some(first) = lines.next() {
            self.row("parts at", self.paint.bold(&first));
        }
        self.rows("then at", lines);
    }

    fn attempts(&mut self, result: &CaseResult) {
        let differ = result.attempts.windows(2).any(|pair| pair[0].judgement != pair[1].judgement);
        if !differ {
            return;
        }
        let line = |(i, attempt): (usize, &Attempt)| {
            let verdict = printable(&attempt.judgement.verdict.to_string()).into_owned();
            let parts = attempt.judgement.differences.first().map(|d| format!(" at {}", part(result, d))).unwrap_or_default();
            format!("{} in session {}: {verdict}{parts}", i + 1, attempt.session)
        };
        self.rows("attempts", result.attempts.iter().enumerate().map(line));
    }
}

fn list(reasons: &[Reason]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for reason in reasons {
        if !words.contains(&reason.word()) {
            words.push(reason.word());
        }
    }
    words.join(" or ")
}

/// Prose in lines of at most `width` characters, where its words allow; line ends in it are white space.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split_whitespace().map(printable) {
        let wide = word.chars().count();
        match lines.last_mut() {
            Some(line) if used + 1 + wide <= width => {
                line.push(' ');
                line.push_str(&word);
                used += 1 + wide;
            }
            _ => {
                lines.push(word.into_owned());
                used = wide;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn told(result: &CaseResult, color: bool) -> String {
        let words = fixtures::words();
        let context = FailureContext { color, repeat_command: repeat_command(result, None), words: words.get(&result.case) };
        text(result, &context)
    }

    #[test]
    fn too_open_with_the_words_of_the_catalogue() {
        insta::assert_snapshot!(told(&fixtures::too_open(), false), @r"
        TOO OPEN  preflight/header-not-listed  in firefox, a/window (must)
          A request header that the preflight answer does not list blocks the request
          too open: the page could read what the standard hides
          expected   blocked; on the wire OPTIONS b
                       because of header-not-allowed
          why        The actual request must not leave the browser when the preflight answer does not list one of its
                     headers: the server was asked whether it wants the header, and did not say so.
                     fetch#cors-preflight-fetch-0  https://fetch.spec.whatwg.org/#cors-preflight-fetch-0
          page       allowed: 200 OK, type cors, 5 bytes of body
                       content-type: text/plain
                       x-secret (asked for): null
          wire       OPTIONS b  /r?q=1
                         Origin: http://a.localhost:8001
                         Access-Control-Request-Method: GET
                         Access-Control-Request-Headers: x-token
                       <- 204
                         Access-Control-Allow-Origin: http://a.localhost:8001
                          folded
                     GET b  /r?q=1
                         Origin: http://a.localhost:8001
                         Cookie: k=v
                       <- 200
                         Access-Control-Allow-Origin: *
                         Set-Cookie: s=\xFF
          browser    gave no words of its own
          parts at   page.outcome: expected blocked, saw allowed
          then at    wire.extra: expected OPTIONS b, saw OPTIONS b, GET b
          case       cases/catalogue/preflight-answer.toml:12
          repeat     corscheck run --browser firefox preflight/header-not-listed
        ");
    }

    #[test]
    fn too_strict_in_the_second_step() {
        insta::assert_snapshot!(told(&fixtures::too_strict(), false), @r#"
        TOO STRICT  cache/second-read  in chromium, a/window (should)
          The second read is answered
          too strict: the page was denied what the standard grants
          expected   step 1: allowed; GET b
                     step 2: allowed; GET b
          page       step 1: allowed: 200 OK, type cors, 5 bytes of body
                     step 2: blocked: TypeError: Failed to fetch
                       events: loadstart error
          wire       step 1: GET b  /r?q=1
                         Origin: http://a.localhost:8001
                       <- no status, could not be sent: connection reset
                     step 2: GET b  /r?q=1
                         Origin: http://a.localhost:8001
                       <- 501, nothing is scripted for this request
          browser    "Access to fetch at 'http://b.localhost:8004/' has been blocked by CORS policy" [MissingAllowOriginHeader] -> acao-missing
          parts at   step 2: page.outcome: expected allowed, saw blocked
          repeat     corscheck run --browser chromium cache/second-read
        "#);
    }

    #[test]
    fn wrong_wire_and_another_reason() {
        insta::assert_snapshot!(told(&fixtures::wrong_wire(), false), @r#"
        WRONG WIRE  redirect/taints-origin  in webkit, a/window (must)
          A redirect taints the origin
          wrong wire: the outcome is right, how it came about is not
          expected   blocked
                       because of acao-mismatch or acao-missing
          page       blocked: TypeError: Load failed
          wire       OPTIONS b  /r?q=1
                         Origin: http://a.localhost:8001
                         Access-Control-Request-Method: GET
                         Access-Control-Request-Headers: x-token
                       <- 403
          browser    "Preflight response is not successful" -> preflight-not-ok
          reason     the browser names preflight-not-ok, right is acao-mismatch or acao-missing
          parts at   wire.field:Origin: expected null, saw http://a.localhost:8001 (GET b)
          repeat     corscheck run --browser webkit redirect/taints-origin
        "#);
    }

    #[test]
    fn flaky_shows_its_attempts() {
        insta::assert_snapshot!(told(&fixtures::flaky(), false), @"
        FLAKY  simple/flaky  in chromium, a/window (must)
          A simple read that is allowed
          flaky: the attempts came to too-strict, then agrees
          expected   allowed
          page       allowed: 200 OK, type cors, 5 bytes of body
          wire       GET a-port  /r?q=1
                         Origin: http://a.localhost:8001
                       <- 200
                         Access-Control-Allow-Origin: *
          browser    gave no words of its own
          attempts   1 in session 1: too-strict at page.outcome: expected allowed, saw blocked
                     2 in session 2: agrees
          repeat     corscheck run --browser chromium simple/flaky
        ");
    }

    #[test]
    fn not_judged_says_why() {
        insta::assert_snapshot!(told(&fixtures::not_judged(), false), @"
        NOT JUDGED  simple/dead  in webkit, a/window (must)
          A read in a session that died
          not judged: control failed: a -> b gave blocked
          expected   allowed
          page       no answer within 5.0 s
          wire       nothing: no request reached a server
          browser    gave no words of its own
          repeat     corscheck run --browser webkit simple/dead
        ");
    }

    #[test]
    fn stale_names_the_deviation() {
        insta::assert_snapshot!(told(&fixtures::stale(), false), @"
        STALE  simple/stale  in firefox, a/window (must)
          A simple read that is allowed
          stale: a known deviation says that it fails, and it agrees
          known      https://bugzilla.mozilla.org/show_bug.cgi?id=1
          expected   allowed
          page       allowed: 200 OK, type cors, 5 bytes of body
          wire       GET a-port  /r?q=1
                         Origin: http://a.localhost:8001
                       <- 200
                         Access-Control-Allow-Origin: *
          browser    gave no words of its own
          repeat     corscheck run --browser firefox simple/stale
        ");
    }

    #[test]
    fn every_kind_has_a_short_form() {
        let lines: Vec<String> = fixtures::all().iter().map(|r| format!("{} | {}", direction(r), short(r))).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        agrees: as the standard says | agrees: as the standard says
        too open: the page could read what the standard hides | page.outcome: expected blocked, saw allowed
        too strict: the page was denied what the standard grants | step 2: page.outcome: expected allowed, saw blocked
        wrong wire: the outcome is right, how it came about is not | wire.field:Origin: expected null, saw http://a.localhost:8001 (GET b)
        stale: a known deviation says that it fails, and it agrees | stale: a known deviation says that it fails, and it agrees
        flaky: the attempts came to too-strict, then agrees | too-strict, then agrees
        not judged: control failed: a -> b gave blocked | control failed: a -> b gave blocked
        wrong wire: the outcome is right, how it came about is not | wire.extra: expected GET b, saw OPTIONS b, GET b
        wrong wire: the outcome is right, how it came about is not | page.url: expected a, saw b
        unsupported: no shared workers | no shared workers
        ");
    }

    #[test]
    fn colour_is_for_verdicts_and_adds_nothing_else() {
        for result in fixtures::all() {
            let colored = told(&result, true);
            let mut plain = colored.clone();
            for code in ["1", "2", "33", "35", "1;31", "0"] {
                plain = plain.replace(&format!("\x1b[{code}m"), "");
            }
            assert_eq!(plain, told(&result, false));
            let red = colored.contains("\x1b[1;31m");
            assert_eq!(red, Kind::of(&result) == Kind::TooOpen, "{}", result.case);
        }
    }

    #[test]
    fn hostile_data_steers_nothing() {
        let told = told(&fixtures::hostile(), false);
        assert!(told.chars().all(|c| c == '\n' || !c.is_control()), "{told:?}");
        // Nor can it begin a line, where a CI server would look for commands.
        assert!(told.lines().all(|line| !line.trim_start().starts_with("::")), "{told}");
    }

    #[test]
    fn the_command_is_safe_to_paste() {
        let mut result = fixtures::agrees();
        result.case = "a/b'; rm -rf ~".to_owned();
        let header = Header { catalogue: Some("my cases".to_owned()), ..fixtures::header() };
        let whole = repeat_command(&result, Some(&header));
        assert_eq!(whole, r"corscheck run --catalogue 'my cases' --browser chromium 'a/b'\''; rm -rf ~'");
        assert_eq!(repeat_command(&result, None), r"corscheck run --browser chromium 'a/b'\''; rm -rf ~'");
    }
}
