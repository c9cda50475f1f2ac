//! The run as it goes, for people: bars on a terminal, lines elsewhere, and everything that needs attention in full.

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{self, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    event::{CaseResult, Event, Footer, Header, Reporter},
    shrink::Shrunk,
};

use super::{
    ColorChoice, Environment, Words, annotations,
    bars::Bars,
    count, duration,
    failure::{self, FailureContext},
    printable,
    style::Paint,
    tally::{Kind, Tally},
};

/// How the run is shown.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What `--color` says.
    pub color: ColorChoice,
    /// Whether `--strict` is on: it decides which results are said to make the run fail.
    pub strict: bool,
    /// What the catalogue says about the cases.
    pub words: Words,
    /// Where the output goes; usually [`Environment::detect`].
    pub environment: Environment,
}

/// Results of one kind and browser that are told in full; the rest get a line each, and the files have all of them.
const MOST_IN_FULL: usize = 10;

/// Without bars: a line of progress after so many results of a browser …
const LINE_EVERY: usize = 50;
/// … or after so long, when there is at least one new.
const LINE_AFTER: Duration = Duration::from_secs(10);

/// Shows a run. Everything lasting goes to standard output, bars to standard error.
pub struct Terminal {
    options: Options,
    paint: Paint,
    bars: Option<Bars>,
    out: Box<dyn Write + Send>,
    line_after: Duration,
    cases: usize,
    /// What the run says of its browsers.
    header: Option<Header>,
    browsers: Vec<Progress>,
    in_full: HashMap<(String, Kind), usize>,
    /// Kept for the annotations, which come last and the most urgent first.
    attention: Vec<CaseResult>,
    files: Vec<PathBuf>,
    finished: bool,
}

/// Where one browser stands.
struct Progress {
    browser: String,
    tally: Tally,
    seen: usize,
    lined: usize,
    lined_at: Instant,
}

impl Terminal {
    /// A reporter to standard output and error.
    pub fn new(options: Options) -> Self {
        let bars = options.environment.stderr_is_terminal && !options.environment.dumb;
        Self::with(options, bars, Box::new(io::stdout()))
    }

    fn with(options: Options, bars: bool, out: Box<dyn Write + Send>) -> Self {
        let paint = Paint(options.environment.color(options.color));
        // Bars are on standard error, whose colour follows the same choice: one glance, one look.
        let bars = bars.then(|| Bars::new(paint));
        Self {
            options,
            paint,
            bars,
            out,
            line_after: LINE_AFTER,
            cases: 0,
            header: None,
            browsers: Vec::new(),
            in_full: HashMap::new(),
            attention: Vec::new(),
            files: Vec::new(),
            finished: false,
        }
    }

    /// Says which files are written: with the totals, or at once when those have been shown.
    ///
    /// # Errors
    ///
    /// What the operating system says about standard output.
    pub fn files(&mut self, files: Vec<PathBuf>) -> io::Result<()> {
        if self.finished {
            let lines = file_lines(self.paint, &files);
            return self.print(&lines);
        }
        self.files.extend(files);
        Ok(())
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        let out = &mut self.out;
        let mut write = || {
            out.write_all(text.as_bytes())?;
            out.flush()
        };
        let done = match &self.bars {
            Some(bars) => bars.suspended(write),
            None => write(),
        };
        match done {
            // Whoever read it has gone (`| head`); the run goes on, its files are what counts.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    fn progress(&mut self, browser: &str) -> &mut Progress {
        let at = self.browsers.iter().position(|p| p.browser == browser).unwrap_or_else(|| {
            self.browsers.push(Progress {
                browser: browser.to_owned(),
                tally: Tally::default(),
                seen: 0,
                lined: 0,
                lined_at: Instant::now(),
            });
            self.browsers.len() - 1
        });
        &mut self.browsers[at]
    }

    fn update_bar(&mut self, browser: &str) {
        let Some(bars) = self.bars.take() else { return };
        let progress = self.progress(browser);
        bars.update(browser, &progress.tally, progress.seen);
        self.bars = Some(bars);
    }

    fn started(&mut self, header: &Header) -> io::Result<()> {
        self.cases = header.cases;
        self.header = Some(header.clone());
        let mut text = format!("{} in each of:\n", count(header.cases, "case", "cases"));
        for info in &header.browsers {
            self.progress(&info.browser);
            if let Some(bars) = &mut self.bars {
                bars.add(&info.browser, header.cases);
            }
            _ = writeln!(text, "  {:<9} {}  ({})", printable(&info.browser), printable(&info.version), printable(&info.driver));
        }
        self.print(&text)
    }

    fn session_started(&mut self, browser: &str, session: u32, ms: u64) -> io::Result<()> {
        if self.bars.is_some() {
            self.update_bar(browser);
            return Ok(());
        }
        self.print(&format!("{}: session {session} is up after {}\n", printable(browser), duration(ms)))
    }

    fn note(&mut self, browser: Option<&str>, text: &str) -> io::Result<()> {
        let about = browser.map(|b| format!("{}: ", printable(b))).unwrap_or_default();
        let mut out = String::new();
        for (i, line) in text.trim_end().lines().enumerate() {
            // A mark before every line: what a driver says is not mistaken for what this program says.
            let before = if i == 0 { format!("note: {about}") } else { "    | ".to_owned() };
            _ = writeln!(out, "{before}{}", printable(line));
        }
        self.print(&out)
    }

    fn result(&mut self, result: &CaseResult) -> io::Result<()> {
        let strict = self.options.strict;
        self.progress(&result.browser).tally.add(result, strict);
        self.update_bar(&result.browser);
        let kind = Kind::of(result);
        if kind.needs_attention() {
            let text = self.attention_text(result, kind);
            self.print(&text)?;
            if self.options.environment.github_actions {
                self.attention.push(result.clone());
            }
        }
        self.progress_line(&result.browser)
    }

    fn attention_text(&mut self, result: &CaseResult, kind: Kind) -> String {
        let told = self.in_full.entry((result.browser.clone(), kind)).or_default();
        *told += 1;
        if *told <= MOST_IN_FULL {
            let context = FailureContext {
                color: self.paint.0,
                repeat_command: failure::repeat_command(result, self.header.as_ref()),
                words: self.options.words.get(&result.case),
            };
            return format!("\n{}\n", failure::text(result, &context));
        }
        let mark = self.paint.kind(kind, &kind.words().to_uppercase());
        format!("{mark}  {}  in {}: {}\n", printable(&result.case), printable(&result.browser), failure::short(result))
    }

    /// Where there are no bars: a line now and then, so that a log shows life.
    fn progress_line(&mut self, browser: &str) -> io::Result<()> {
        if self.bars.is_some() {
            return Ok(());
        }
        let (cases, after) = (self.cases, self.line_after);
        let progress = self.progress(browser);
        let done = progress.tally.total();
        // The last of them is said by the totals.
        if done >= cases || (done < progress.lined + LINE_EVERY && progress.lined_at.elapsed() < after) {
            return Ok(());
        }
        progress.lined = done;
        progress.lined_at = Instant::now();
        let mut line = format!("{}: {done} of {cases}, {}", printable(browser), progress.tally.agree_words());
        if progress.tally.attention() > 0 {
            _ = write!(line, ", {} unexpected", progress.tally.attention());
        }
        if progress.tally.kind(Kind::Known) > 0 {
            _ = write!(line, ", {} known", progress.tally.kind(Kind::Known));
        }
        line.push('\n');
        self.print(&line)
    }

    fn shrunk(&mut self, shrunk: &Shrunk) -> io::Result<()> {
        let (browser, from) = (printable(&shrunk.browser), printable(&shrunk.from));
        let head = if shrunk.id == shrunk.from {
            format!("{from} in {browser}: nothing simpler of its family fails alike")
        } else {
            format!("{from} in {browser} comes down to {}", printable(&shrunk.id))
        };
        let mut text = format!("\n{}\n", self.paint.bold(&head));
        for line in shrunk.toml.lines() {
            _ = writeln!(text, "  {}", printable(line));
        }
        self.print(&text)
    }

    fn browser_finished(&mut self, browser: &str) -> io::Result<()> {
        if let Some(bars) = &self.bars {
            bars.finish(browser);
            return Ok(());
        }
        let results = self.progress(browser).tally.total();
        self.print(&format!("{}: done, {}\n", printable(browser), count(results, "result", "results")))
    }

    fn finished(&mut self, footer: &Footer) -> io::Result<()> {
        if let Some(bars) = self.bars.take() {
            bars.clear()?;
        }
        self.finished = true;
        let mut text = String::from("\n");
        for progress in &self.browsers {
            _ = writeln!(text, "{:<9} {}", printable(&progress.browser), counts(self.paint, &progress.tally));
        }
        text.push_str(&total_line(self.paint, &self.browsers, footer));
        text.push_str(&file_lines(self.paint, &self.files));
        for line in annotations::lines(&self.attention, self.header.as_ref(), self.options.strict) {
            _ = writeln!(text, "{line}");
        }
        self.print(&text)
    }
}

impl Reporter for Terminal {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(header) => self.started(header),
            Event::SessionStarted { browser, session, ms } => self.session_started(browser, *session, *ms),
            Event::Seen { browser, cases } => {
                self.progress(browser).seen += cases;
                self.update_bar(browser);
                Ok(())
            }
            Event::Note { browser, text } => self.note(browser.as_deref(), text),
            Event::Result(result) => self.result(result),
            Event::Shrunk(shrunk) => self.shrunk(shrunk),
            Event::BrowserFinished { browser } => self.browser_finished(browser),
            Event::Finished(footer) => self.finished(footer),
        }
    }
}

/// The results of a browser in one line; kinds that did not occur are left out.
fn counts(paint: Paint, tally: &Tally) -> String {
    if tally.total() == 0 {
        return "no results".to_owned();
    }
    let mut parts = vec![tally.agree_words()];
    for &kind in Kind::BESIDE_AGREEMENT {
        if tally.kind(kind) > 0 {
            parts.push(paint.kind(kind, &format!("{} {}", tally.kind(kind), kind.words())));
        }
    }
    parts.join(", ")
}

fn total_line(paint: Paint, browsers: &[Progress], footer: &Footer) -> String {
    let sum = |f: fn(&Tally) -> usize| browsers.iter().map(|p| f(&p.tally)).sum::<usize>();
    let (results, fails, attention) = (sum(Tally::total), sum(Tally::fails), sum(Tally::attention));
    let verdict = match (attention, fails) {
        (0, _) if footer.complete => "as expected".to_owned(),
        (0, _) => "nothing unexpected so far".to_owned(),
        (n, 0) => format!("{n} unexpected, none fails the run"),
        (n, fails) => format!("{n} unexpected, {} the run", count(fails, "fails", "fail")),
    };
    let mut line = format!("{} in {}: {verdict}", count(results, "result", "results"), duration(footer.ms));
    if !footer.complete {
        let why = footer.cut_short.as_deref().unwrap_or("not every case has a result");
        _ = write!(line, "; cut short: {}", printable(why));
    }
    format!("{:<9} {}\n", "total", paint.bold(&line))
}

fn file_lines(paint: Paint, files: &[PathBuf]) -> String {
    let mut out = String::new();
    for (i, file) in files.iter().enumerate() {
        let label = if i == 0 { "written" } else { "" };
        _ = writeln!(out, "{} {}", paint.dim(&format!("{label:<9}")), printable(&file.display().to_string()));
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::report::fixtures;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no test panics while it writes").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn event(result: CaseResult) -> Event {
        Event::Result(Box::new(result))
    }

    /// What is printed for these events, without bars; a second never passes.
    fn printed(options: Options, events: &[Event]) -> String {
        let out = Shared::default();
        let mut terminal = Terminal::with(options, false, Box::new(out.clone()));
        terminal.line_after = Duration::MAX;
        terminal.files(vec!["corscheck-out/results.jsonl".into(), "corscheck-out/report.html".into()]).expect("keeps them");
        events.iter().for_each(|e| terminal.event(e).expect("prints"));
        let bytes = out.0.lock().expect("no test panics while it writes").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_run_in_lines() {
        let firefox = || "firefox".to_owned();
        let mut events = vec![
            Event::Started(fixtures::header()),
            Event::SessionStarted { browser: firefox(), session: 1, ms: 1234 },
            Event::Note { browser: Some(firefox()), text: "session 1 is lost:\n\x1b[31mpanic\n".to_owned() },
            Event::Seen { browser: firefox(), cases: 3 },
            event(fixtures::too_open()),
        ];
        events.extend((0..55).map(|_| event(CaseResult { browser: firefox(), ..fixtures::agrees() })));
        events.push(event(CaseResult { browser: firefox(), ..fixtures::known() }));
        events.push(Event::BrowserFinished { browser: firefox() });
        events.push(event(fixtures::recorded()));
        events.push(Event::Finished(fixtures::footer()));
        let options = Options { words: fixtures::words(), ..Options::default() };
        insta::assert_snapshot!(printed(options, &events), @r"
        60 cases in each of:
          chromium  140.0.1  (ChromeDriver 140.0.1)
          firefox   143.0  (geckodriver 0.36.0)
          webkit    2.50.0  (WebKitWebDriver 2.50.0)
        firefox: session 1 is up after 1.2 s
        note: firefox: session 1 is lost:
            | \x1B[31mpanic

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

        firefox: 50 of 60, 49 agree, 1 unexpected
        firefox: done, 57 results

        chromium  0 agree, 1 recorded
        firefox   55 agree, 1 too open, 1 known
        webkit    no results
        total     58 results in 12.3 s: 1 unexpected, 1 fails the run
        written   corscheck-out/results.jsonl
                  corscheck-out/report.html
        ");
    }

    fn last_lines(options: Options, results: Vec<CaseResult>, footer: Footer) -> String {
        let mut events = vec![Event::Started(fixtures::header())];
        events.extend(results.into_iter().map(event));
        events.push(Event::Finished(footer));
        let text = printed(options, &events);
        let at = text.find("\nchromium  ").expect("the totals");
        text[at + 1..].to_owned()
    }

    #[test]
    fn the_totals() {
        insta::assert_snapshot!(last_lines(Options::default(), fixtures::all(), fixtures::footer()), @"
        chromium  1 agrees, 1 too strict, 1 flaky, 1 recorded
        firefox   0 agree, 1 too open, 1 stale
        webkit    0 agree, 1 wrong wire, 1 not judged, 1 known, 1 unsupported
        total     10 results in 12.3 s: 6 unexpected, 4 fail the run
        written   corscheck-out/results.jsonl
                  corscheck-out/report.html
        ");
        insta::assert_snapshot!(last_lines(Options::default(), vec![fixtures::agrees()], fixtures::cut_short()), @"
        chromium  1 agrees
        firefox   no results
        webkit    no results
        total     1 result in 2.0 s: nothing unexpected so far; cut short: interrupted by Ctrl-C
        written   corscheck-out/results.jsonl
                  corscheck-out/report.html
        ");
        insta::assert_snapshot!(last_lines(Options::default(), vec![fixtures::too_strict()], fixtures::footer()), @"
        chromium  0 agree, 1 too strict
        firefox   no results
        webkit    no results
        total     1 result in 12.3 s: 1 unexpected, none fails the run
        written   corscheck-out/results.jsonl
                  corscheck-out/report.html
        ");
    }

    #[test]
    fn the_totals_in_colour() {
        let options = Options { color: ColorChoice::Always, ..Options::default() };
        insta::assert_snapshot!(last_lines(options, fixtures::all(), fixtures::footer()).replace('\x1b', "^"), @"
        chromium  1 agrees, ^[33m1 too strict^[0m, ^[1m1 flaky^[0m, ^[2m1 recorded^[0m
        firefox   0 agree, ^[1;31m1 too open^[0m, ^[35m1 stale^[0m
        webkit    0 agree, ^[33m1 wrong wire^[0m, ^[1m1 not judged^[0m, ^[2m1 known^[0m, ^[2m1 unsupported^[0m
        total     ^[1m10 results in 12.3 s: 6 unexpected, 4 fail the run^[0m
        ^[2mwritten  ^[0m corscheck-out/results.jsonl
        ^[2m         ^[0m corscheck-out/report.html
        ");
    }

    #[test]
    fn github_gets_its_annotations_last() {
        let environment = Environment { github_actions: true, ..Environment::default() };
        let options = Options { environment, ..Options::default() };
        insta::assert_snapshot!(last_lines(options, vec![fixtures::agrees(), fixtures::too_open()], fixtures::footer()), @"
        chromium  1 agrees
        firefox   0 agree, 1 too open
        webkit    no results
        total     2 results in 12.3 s: 1 unexpected, 1 fails the run
        written   corscheck-out/results.jsonl
                  corscheck-out/report.html
        ::error title=too open%3A preflight/header-not-listed in firefox::A request header that the preflight answer does not list blocks the request%0Apage.outcome: expected blocked, saw allowed%0Acorscheck run --browser firefox preflight/header-not-listed
        ");
    }

    #[test]
    fn a_flood_is_told_in_lines() {
        let mut events = vec![Event::Started(fixtures::header())];
        events.extend((0..MOST_IN_FULL + 2).map(|_| event(fixtures::wrong_wire())));
        events.push(event(fixtures::too_open()));
        let text = printed(Options::default(), &events);
        assert_eq!(text.matches("  repeat ").count(), MOST_IN_FULL + 1, "one kind must not use up the room of another");
        let line = text.lines().find(|l| l.contains("in webkit: ")).expect("a line for those beyond");
        insta::assert_snapshot!(line, @"WRONG WIRE  redirect/taints-origin  in webkit: wire.field:Origin: expected null, saw http://a.localhost:8001 (GET b)");
    }

    #[test]
    fn time_alone_brings_a_line_of_progress() {
        let out = Shared::default();
        let mut terminal = Terminal::with(Options::default(), false, Box::new(out.clone()));
        terminal.line_after = Duration::ZERO;
        for e in [Event::Started(fixtures::header()), event(fixtures::agrees())] {
            terminal.event(&e).expect("prints");
        }
        let text = String::from_utf8(out.0.lock().expect("no test panics while it writes").clone()).expect("UTF-8");
        assert_eq!(text.lines().last(), Some("chromium: 1 of 60, 1 agrees"));
    }

    #[test]
    fn files_can_be_named_after_the_end() {
        let out = Shared::default();
        let mut terminal = Terminal::with(Options::default(), false, Box::new(out.clone()));
        terminal.event(&Event::Finished(fixtures::footer())).expect("prints");
        terminal.files(vec!["late.xml".into()]).expect("prints");
        assert!(String::from_utf8_lossy(&out.0.lock().expect("no test panics while it writes")).ends_with("written   late.xml\n"));
    }

    #[test]
    fn with_bars_only_what_lasts_is_printed() {
        let out = Shared::default();
        let mut terminal = Terminal::with(Options::default(), true, Box::new(out.clone()));
        let browser = "firefox".to_owned();
        let events = [
            Event::Started(fixtures::header()),
            Event::SessionStarted { browser: browser.clone(), session: 1, ms: 1 },
            Event::Seen { browser: browser.clone(), cases: 2 },
            event(fixtures::stale()),
            Event::BrowserFinished { browser },
            Event::Finished(fixtures::footer()),
        ];
        events.iter().for_each(|e| terminal.event(e).expect("prints"));
        let text = String::from_utf8(out.0.lock().expect("no test panics while it writes").clone()).expect("UTF-8");
        assert!(text.contains("STALE  simple/stale") && text.contains("total "), "{text}");
        assert!(!text.contains("session 1 is up") && !text.contains("firefox: done"), "{text}");
    }

    #[test]
    fn a_reader_that_left_does_not_end_the_run() {
        let mut terminal = Terminal::with(Options::default(), false, Box::new(Gone));
        terminal.event(&Event::Started(fixtures::header())).expect("goes on");
    }
}
