//! The summary in Markdown, for pull requests and job pages.

use std::fmt::Write as _;

use corscheck_cases::Level;

use crate::event::{CaseResult, Footer, Header};

use super::{
    count, duration, failure, printable,
    tally::{Kind, Tally},
};

/// Unexpected results that are listed; the rest is counted. GitHub cuts a summary at 1 MiB and a comment at 65,536 characters.
const MOST_LISTED: usize = 50;

/// The summary: what came of it in one sentence, counts by browser, what is unexpected, what is known, and the versions.
pub fn markdown(header: &Header, results: &[CaseResult], footer: Option<&Footer>) -> String {
    let mut out = String::new();
    _ = writeln!(out, "### corscheck\n\n{}\n", sentence(results, footer));
    table(&mut out, header, results);
    unexpected(&mut out, results);
    known(&mut out, results);
    reasons(&mut out, results);
    versions(&mut out, header, footer);
    out
}

/// What came of it. Levels are told apart: only `must` fails every run.
fn sentence(results: &[CaseResult], footer: Option<&Footer>) -> String {
    let tally = Tally::of(results, false);
    let mut browsers: Vec<&str> = results.iter().map(|r| &*r.browser).collect();
    browsers.sort_unstable();
    browsers.dedup();
    let all = format!("{} in {}", count(results.len(), "result", "results"), count(browsers.len(), "browser", "browsers"));
    let mut out = match (tally.attention(), footer.is_some_and(|f| f.complete)) {
        (0, _) if results.is_empty() => "**No results.**".to_owned(),
        (0, true) => format!("**As expected**: {all}, none unexpected."),
        (0, false) => format!("**Nothing unexpected so far**: {all}."),
        (n, _) => {
            let of_level = |level| results.iter().filter(|r| r.level == level && Kind::of(r).needs_attention()).count();
            let levels = [Level::Must, Level::Should, Level::Info].map(|level| (of_level(level), level.word()));
            let levels: Vec<_> = levels.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} `{word}`")).collect();
            format!("**{n} unexpected** of {all}: {} ({}).", tally.attention_words(), levels.join(", "))
        }
    };
    match footer {
        Some(Footer { complete: true, .. }) => {}
        Some(Footer { cut_short: Some(why), .. }) => _ = write!(out, " **Cut short**: {}.", text(why.trim_end_matches('.'))),
        Some(_) => out.push_str(" **Cut short**: not every case has a result."),
        None => out.push_str(" **Cut off**: the run did not end."),
    }
    out
}

const MISMATCHES: [Kind; 3] = [Kind::TooOpen, Kind::TooStrict, Kind::WrongWire];

fn table(out: &mut String, header: &Header, results: &[CaseResult]) {
    let mut browsers: Vec<&str> = Vec::new();
    for browser in header.browsers.iter().map(|b| &*b.browser).chain(results.iter().map(|r| &*r.browser)) {
        if !browsers.contains(&browser) {
            browsers.push(browser);
        }
    }
    let all = Tally::of(results, false);
    // Columns that are seldom filled are left out while they are empty; those of the verdicts always stand.
    let seldom = [Kind::Stale, Kind::Flaky, Kind::NotJudged, Kind::Recorded, Kind::Unsupported];
    let seldom: Vec<Kind> = seldom.into_iter().filter(|&kind| kind == Kind::NotJudged || all.kind(kind) > 0).collect();

    let columns = [Kind::Agrees].into_iter().chain(MISMATCHES).chain(seldom.iter().copied());
    let heads: Vec<&str> = columns.map(Kind::words).collect();
    _ = writeln!(out, "| browser | {} |", heads.join(" | "));
    _ = writeln!(out, "|---|{}", "--:|".repeat(heads.len()));
    for browser in browsers {
        let tally = Tally::of(results.iter().filter(|r| r.browser == browser), false);
        let mut cells = vec![tally.kind(Kind::Agrees).to_string()];
        cells.extend(MISMATCHES.iter().map(|&kind| mismatch_cell(&tally, kind)));
        cells.extend(seldom.iter().map(|&kind| tally.kind(kind).to_string()));
        _ = writeln!(out, "| {} | {} |", text(browser), cells.join(" | "));
    }
    out.push_str("\nMismatches are of level `must`; `+n` are of level `should`, `(n)` are known deviations.\n");
}

/// `2 +1 (3)`: two of level `must`, one of level `should`, three known.
fn mismatch_cell(tally: &Tally, kind: Kind) -> String {
    let must = tally.at(kind, Level::Must);
    let other = tally.kind(kind) - must;
    let mut cell = if must > 0 { format!("**{must}**") } else { "0".to_owned() };
    if other > 0 {
        _ = write!(cell, " +{other}");
    }
    if tally.known(kind) > 0 {
        _ = write!(cell, " ({})", tally.known(kind));
    }
    cell
}

fn unexpected(out: &mut String, results: &[CaseResult]) {
    let mut wanted: Vec<&CaseResult> = results.iter().filter(|r| Kind::of(r).needs_attention()).collect();
    if wanted.is_empty() {
        return;
    }
    // What fails every run first, then by urgency; the sort is stable, so that one case's browsers stay together.
    wanted.sort_by(|a, b| {
        let key = |r: &CaseResult| (r.level != Level::Must, Kind::of(r));
        key(a).cmp(&key(b)).then_with(|| a.case.cmp(&b.case))
    });
    out.push_str("\n#### Unexpected\n\n");
    for result in wanted.iter().take(MOST_LISTED) {
        let kind = Kind::of(result).words();
        let (case, browser, level) = (code(&result.case), text(&result.browser), result.level.word());
        let link = result.known.as_deref().map(|url| format!(" ({})", link("known deviation", url))).unwrap_or_default();
        _ = writeln!(out, "- {case} in {browser}: **{kind}** (`{level}`){link}  ");
        _ = writeln!(out, "  {}  ", text(&result.title));
        _ = writeln!(out, "  {}", text(&failure::short(result)));
    }
    if wanted.len() > MOST_LISTED {
        _ = writeln!(out, "\nand {} more; `results.jsonl` has all of them.", wanted.len() - MOST_LISTED);
    }
}

fn known(out: &mut String, results: &[CaseResult]) {
    let known: Vec<&CaseResult> = results.iter().filter(|r| Kind::of(r) == Kind::Known).collect();
    if known.is_empty() {
        return;
    }
    _ = writeln!(out, "\n<details><summary>{}</summary>\n", count(known.len(), "known deviation", "known deviations"));
    for result in known {
        let (case, browser) = (code(&result.case), text(&result.browser));
        let link = result.known.as_deref().map(|url| format!(", {}", link("discussion", url))).unwrap_or_default();
        _ = writeln!(out, "- {case} in {browser}: {}{link}", Kind::of_mismatch(&result.verdict).words());
    }
    out.push_str("\n</details>\n");
}

/// Where the browser's own reason is another than the standard's, though the outcome may be right.
fn reasons(out: &mut String, results: &[CaseResult]) {
    let told: Vec<_> = results.iter().filter(|r| r.reason_agrees.is_some()).collect();
    let other: Vec<_> = told.iter().filter(|r| r.reason_agrees == Some(false)).collect();
    if other.is_empty() {
        return;
    }
    _ = writeln!(
        out,
        "\n<details><summary>{} of {} reasons that browsers gave are not the standard's</summary>\n",
        other.len(),
        told.len()
    );
    for result in other.iter().take(MOST_LISTED) {
        let due: Vec<_> = result.reasons.iter().flatten().map(|r| r.word()).collect();
        let said = result.last().and_then(|a| a.observation.reason()).map_or("none", |r| r.word());
        _ = writeln!(out, "- {} in {}: {} instead of {}", code(&result.case), text(&result.browser), said, due.join(" or "));
    }
    if other.len() > MOST_LISTED {
        _ = writeln!(out, "- and {} more", other.len() - MOST_LISTED);
    }
    out.push_str("\n</details>\n");
}

fn versions(out: &mut String, header: &Header, footer: Option<&Footer>) {
    out.push_str("\n<details><summary>Versions</summary>\n\n");
    _ = writeln!(out, "- corscheck {} on {}", text(&header.corscheck), text(&header.platform));
    for info in &header.browsers {
        _ = writeln!(out, "- {} {}, driver {}", text(&info.browser), text(&info.version), text(&info.driver));
    }
    let took = footer.map(|f| format!(", took {}", duration(f.ms))).unwrap_or_default();
    _ = writeln!(out, "- started {}{took}", text(&header.started));
    _ = writeln!(out, "- command: {}", code(&header.command.join(" ")));
    out.push_str("\n</details>\n");
}

/// Text that Markdown and HTML take for nothing else.
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in printable(raw).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // GitHub makes mentions of the rendered text; a comment between keeps people from being told of every run.
            '@' => out.push_str("@<!-- -->"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A code span. Markdown has no way to write every text as one, HTML has.
pub(super) fn code(raw: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " /.:-_=,+".contains(c);
    if !raw.is_empty() && raw.trim() == raw && raw.chars().all(plain) { format!("`{raw}`") } else { format!("<code>{}</code>", text(raw)) }
}

/// A link, where the address is one of the web; else its text.
fn link(words: &str, url: &str) -> String {
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return format!("{words}: {}", text(url));
    }
    let mut address = String::with_capacity(url.len());
    for c in url.chars() {
        if c.is_ascii_alphanumeric() || "-._~:/?#@!$&'*+,;=%".contains(c) {
            address.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                _ = write!(address, "%{byte:02X}");
            }
        }
    }
    format!("[{words}]({address})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn as_a_pull_request_shows_it() {
        insta::assert_snapshot!(markdown(&fixtures::header(), &fixtures::all(), Some(&fixtures::footer())), @r"
        ### corscheck

        **6 unexpected** of 10 results in 3 browsers: 1 too open, 1 too strict, 1 wrong wire, 1 stale, 1 flaky, 1 not judged (5 `must`, 1 `should`).

        | browser | agrees | too open | too strict | wrong wire | stale | flaky | not judged | recorded | unsupported |
        |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|
        | chromium | 1 | 0 | 0 +1 | 0 | 0 | 1 | 0 | 1 | 0 |
        | firefox | 0 | **1** | 0 | 0 | 1 | 0 | 0 | 0 | 0 |
        | webkit | 0 | 0 | 0 | **1** (1) | 0 | 0 | 1 | 0 | 1 |

        Mismatches are of level `must`; `+n` are of level `should`, `(n)` are known deviations.

        #### Unexpected

        - `preflight/header-not-listed` in firefox: **too open** (`must`)  
          A request header that the preflight answer does not list blocks the request  
          page.outcome: expected blocked, saw allowed
        - `redirect/taints-origin` in webkit: **wrong wire** (`must`)  
          A redirect taints the origin  
          wire.field:Origin: expected null, saw http://a.localhost:8001 (GET b)
        - `simple/stale` in firefox: **stale** (`must`) ([known deviation](https://bugzilla.mozilla.org/show_bug.cgi?id=1))  
          A simple read that is allowed  
          stale: a known deviation says that it fails, and it agrees
        - `simple/flaky` in chromium: **flaky** (`must`)  
          A simple read that is allowed  
          too-strict, then agrees
        - `simple/dead` in webkit: **not judged** (`must`)  
          A read in a session that died  
          control failed: a -&gt; b gave blocked
        - `cache/second-read` in chromium: **too strict** (`should`)  
          The second read is answered  
          step 2: page.outcome: expected allowed, saw blocked

        <details><summary>1 known deviation</summary>

        - `safelist/range` in webkit: wrong wire, [discussion](https://bugs.webkit.org/show_bug.cgi?id=2)

        </details>

        <details><summary>1 of 1 reasons that browsers gave are not the standard's</summary>

        - `redirect/taints-origin` in webkit: preflight-not-ok instead of acao-mismatch or acao-missing

        </details>

        <details><summary>Versions</summary>

        - corscheck 0.1.0 on linux x86\_64
        - chromium 140.0.1, driver ChromeDriver 140.0.1
        - firefox 143.0, driver geckodriver 0.36.0
        - webkit 2.50.0, driver WebKitWebDriver 2.50.0
        - started 2026-01-02T03:04:05Z, took 12.3 s
        - command: <code>corscheck run preflight/\*</code>

        </details>
        ");
    }

    #[test]
    fn the_sentence_says_what_came_of_it() {
        let good = [fixtures::agrees(), fixtures::known()];
        let (whole, cut) = (fixtures::footer(), fixtures::cut_short());
        let sentences = [
            sentence(&good, Some(&whole)),
            sentence(&good, Some(&cut)),
            sentence(&good, None),
            sentence(&[fixtures::too_open()], Some(&cut)),
            sentence(&[], None),
        ];
        insta::assert_snapshot!(sentences.join("\n"), @"
        **As expected**: 2 results in 2 browsers, none unexpected.
        **Nothing unexpected so far**: 2 results in 2 browsers. **Cut short**: interrupted by Ctrl-C.
        **Nothing unexpected so far**: 2 results in 2 browsers. **Cut off**: the run did not end.
        **1 unexpected** of 1 result in 1 browser: 1 too open (1 `must`). **Cut short**: interrupted by Ctrl-C.
        **No results.** **Cut off**: the run did not end.
        ");
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let many = vec![fixtures::too_open(); MOST_LISTED + 7];
        let markdown = markdown(&fixtures::header(), &many, Some(&fixtures::footer()));
        assert_eq!(markdown.matches("\n- `preflight/").count(), MOST_LISTED);
        assert!(markdown.contains("and 7 more"));
    }

    #[test]
    fn hostile_names_stay_text() {
        let hostile = markdown(&fixtures::header(), &[fixtures::hostile()], Some(&fixtures::footer()));
        assert!(!hostile.contains("<script>") && !hostile.contains("\x1b"), "{hostile}");
        let row = hostile.lines().find(|l| l.contains("script") && l.starts_with('|')).expect("the row of the hostile browser");
        assert_eq!(row.replace("\\|", "").matches('|').count(), 7, "{row}");
        assert_eq!(link("x", "javascript:alert(1)"), "x: javascript:alert(1)");
        assert_eq!(link("x", "https://a/)|<b>"), "[x](https://a/%29%7C%3Cb%3E)");
        assert_eq!(code("a`b"), r"<code>a\`b</code>");
    }
}
