//! `results.jsonl`: the results of a run, one record a line.
//!
//! The file is written under another name and renamed when the run is over, so that a `results.jsonl` is always whole. What an
//! interrupted run leaves is `results.jsonl.part`, which is read like the other.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::event::{CaseResult, Event, FORMAT, Footer, Header, Record, Reporter};

/// The name of a whole results file.
pub const FILE: &str = "results.jsonl";

/// The name of a results file that is being written or was cut off.
pub const PART: &str = "results.jsonl.part";

/// Writes the results of a run as they come.
#[derive(Debug)]
pub struct JsonLines {
    dir: PathBuf,
    /// Absent once the file is closed.
    out: Option<BufWriter<File>>,
}

impl JsonLines {
    /// Begins a results file in `dir`, which is made if need be.
    ///
    /// The results of an earlier run in `dir` are removed: results that are not of this run must not be taken for it.
    ///
    /// # Errors
    ///
    /// What the operating system says when the directory or file cannot be made.
    pub fn create(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir).map_err(|e| at(dir, &e))?;
        let part = dir.join(PART);
        let file = File::create(&part).map_err(|e| at(&part, &e))?;
        let earlier = dir.join(FILE);
        match fs::remove_file(&earlier) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(at(&earlier, &e)),
            _ => {}
        }
        Ok(Self { dir: dir.to_owned(), out: Some(BufWriter::new(file)) })
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        let Some(out) = &mut self.out else {
            return Err(io::Error::other(format!("{} is closed: an event came after the end of the run", self.dir.join(FILE).display())));
        };
        let write = |out: &mut BufWriter<File>| {
            serde_json::to_writer(&mut *out, record)?;
            out.write_all(b"\n")?;
            // Each line on its own: what is recorded survives whatever happens next.
            out.flush()
        };
        write(out).map_err(|e| at(&self.dir.join(PART), &e))
    }

    fn close(&mut self) -> io::Result<()> {
        let Some(out) = self.out.take() else { return Ok(()) };
        let (part, whole) = (self.dir.join(PART), self.dir.join(FILE));
        let file = out.into_inner().map_err(|e| at(&part, e.error()))?;
        // The bytes before the name: after a power cut there is the old name or a whole file, never an empty `results.jsonl`.
        file.sync_all().map_err(|e| at(&part, &e))?;
        fs::rename(&part, &whole).map_err(|e| at(&whole, &e))
    }
}

impl Reporter for JsonLines {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(header) => self.write(&Record::Header(header.clone())),
            Event::Result(result) => self.write(&Record::Result(result.clone())),
            Event::Note { browser, text } => self.write(&Record::Note { browser: browser.clone(), text: text.clone() }),
            Event::Shrunk(shrunk) => {
                let text = format!("{} fails alike and is simpler than {}:\n{}", shrunk.id, shrunk.from, shrunk.toml);
                self.write(&Record::Note { browser: Some(shrunk.browser.clone()), text })
            }
            Event::Finished(footer) => {
                self.write(&Record::Footer(footer.clone()))?;
                self.close()
            }
            Event::SessionStarted { .. } | Event::Seen { .. } | Event::BrowserFinished { .. } => Ok(()),
        }
    }
}

/// What a results file holds.
#[derive(Debug, Clone)]
pub struct Results {
    /// What the run is.
    pub header: Header,
    /// The results, in the order in which they came.
    pub results: Vec<CaseResult>,
    /// The notes, in the order in which they came.
    pub notes: Vec<Note>,
    /// How it ended; absent when the file was cut off.
    pub footer: Option<Footer>,
}

/// Something worth knowing that is no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The browser, where it is about one.
    pub browser: Option<String>,
    /// What happened.
    pub text: String,
}

/// Why a results file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system's objection.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The objection.
        source: io::Error,
    },
    /// It was written by a later version.
    #[error("{path} has format {format}, and this corscheck reads formats up to {FORMAT}; read it with corscheck {by} or later")]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        format: u64,
        /// The version that wrote it.
        by: String,
    },
    /// It does not begin with a header.
    #[error("{path} does not begin with a header: it is no results file, or the run ended before it began")]
    NoHeader {
        /// The file.
        path: String,
    },
    /// A record that is none.
    #[error("{path}:{line}: {message}")]
    Damaged {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it, and what to do.
        message: String,
    },
}

/// Reads `results.jsonl` or what is left of one.
///
/// In a file named `*.part` the last line may be cut off; it is left out, and there is no footer.
///
/// # Errors
///
/// See [`ReadError`].
pub fn read(path: &Path) -> Result<Results, ReadError> {
    let name = path.display().to_string();
    let io_error = |source| ReadError::Io { path: name.clone(), source };
    let may_be_cut = path.extension().is_some_and(|e| e == "part");
    let mut lines = Lines { input: BufReader::new(File::open(path).map_err(io_error)?), line: Vec::new(), number: 0 };

    if !lines.next().map_err(io_error)? {
        return Err(ReadError::NoHeader { path: name });
    }
    let header = read_header(&name, &lines.line)?;
    let mut results = Results { header, results: Vec::new(), notes: Vec::new(), footer: None };
    while lines.next().map_err(io_error)? {
        let damaged = |message: String| ReadError::Damaged { path: name.clone(), line: lines.number, message };
        if results.footer.is_some() {
            return Err(damaged(format!("a line after the footer; {MERGE}")));
        }
        match parse(&lines.line) {
            Ok(Some(Record::Result(result))) => results.results.push(*result),
            Ok(Some(Record::Note { browser, text })) => results.notes.push(Note { browser, text }),
            Ok(Some(Record::Footer(footer))) => results.footer = Some(footer),
            Ok(Some(Record::Header(_))) => return Err(damaged(format!("a second header; {MERGE}"))),
            Ok(None) => {}
            Err(_) if may_be_cut && !lines.line.ends_with(b"\n") => break,
            Err(error) => return Err(damaged(format!("{}; {DAMAGED}", describe(&error)))),
        }
    }
    Ok(results)
}

const DAMAGED: &str = "take this line out to read the rest, or run `corscheck run` again";
const REPEAT: &str = "nothing can be read without its header, run `corscheck run` again";
const MERGE: &str = "these are the results of more than one run; read each file by itself";

struct Lines {
    input: BufReader<File>,
    line: Vec<u8>,
    number: usize,
}

impl Lines {
    /// Reads the next line with its end; false at the end of the file.
    fn next(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.number += 1;
        Ok(self.input.read_until(b'\n', &mut self.line)? > 0)
    }
}

/// The part of a record that every format has.
#[derive(Deserialize)]
struct Tag {
    record: String,
}

fn read_header(path: &str, line: &[u8]) -> Result<Header, ReadError> {
    /// The part of a header that every format has: it must be readable before the rest can be.
    #[derive(Deserialize)]
    struct Version {
        record: String,
        format: u64,
        #[serde(default)]
        corscheck: String,
    }
    let Ok(version) = serde_json::from_slice::<Version>(line) else {
        return Err(ReadError::NoHeader { path: path.to_owned() });
    };
    if version.record != "header" {
        return Err(ReadError::NoHeader { path: path.to_owned() });
    }
    if version.format > u64::from(FORMAT) {
        return Err(ReadError::Newer { path: path.to_owned(), format: version.format, by: version.corscheck });
    }
    match serde_json::from_slice(line) {
        Ok(Record::Header(header)) => Ok(header),
        Ok(_) => Err(ReadError::NoHeader { path: path.to_owned() }),
        Err(error) => Err(ReadError::Damaged { path: path.to_owned(), line: 1, message: format!("{}; {REPEAT}", describe(&error)) }),
    }
}

/// A record; none where it is of a kind that this version does not know and may ignore (see [`FORMAT`]).
fn parse(line: &[u8]) -> Result<Option<Record>, serde_json::Error> {
    // Without its end, or an error at the end of the line would be said to be on the next one.
    let line = line.trim_ascii_end();
    serde_json::from_slice(line).map(Some).or_else(|error| match serde_json::from_slice::<Tag>(line) {
        Ok(tag) if !["header", "result", "note", "footer"].contains(&&*tag.record) => Ok(None),
        _ => Err(error),
    })
}

/// The message without its own line number, which is always 1.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.rsplit_once(" at line ").map_or(&*text, |(words, _)| words);
    if error.column() > 0 { format!("column {}: {words}", error.column()) } else { words.to_owned() }
}

/// The objection with the path, which the operating system leaves out.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;
    use crate::report::fixtures;

    fn events() -> Vec<Event> {
        let mut events = vec![Event::Started(fixtures::header())];
        events.push(Event::SessionStarted { browser: "firefox".to_owned(), session: 1, ms: 5 });
        events.push(Event::Note { browser: None, text: "one\ntwo".to_owned() });
        events.extend(fixtures::all().into_iter().chain([fixtures::hostile()]).map(|r| Event::Result(Box::new(r))));
        events
    }

    /// A directory with the results of a run that has not ended.
    fn cut_off() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut out = JsonLines::create(dir.path()).expect("creates");
        events().iter().for_each(|e| out.event(e).expect("writes"));
        let part = dir.path().join(PART);
        (dir, part)
    }

    fn append(path: &Path, bytes: &[u8]) {
        OpenOptions::new().append(true).open(path).and_then(|mut f| f.write_all(bytes)).expect("appends");
    }

    fn header_line() -> String {
        serde_json::to_string(&Record::Header(fixtures::header())).expect("serialises") + "\n"
    }

    fn read_text(name: &str, text: &str) -> Result<Results, String> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(name);
        fs::write(&path, text).expect("writes");
        read(&path).map_err(|e| e.to_string().replace(&*path.display().to_string(), name))
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let nested = dir.path().join("made/on/demand");
        let mut out = JsonLines::create(&nested).expect("creates");
        events().iter().for_each(|e| out.event(e).expect("writes"));
        assert!(!nested.join(FILE).exists(), "whole before its end");
        out.event(&Event::Finished(fixtures::footer())).expect("closes");
        assert!(!nested.join(PART).exists());

        let read = read(&nested.join(FILE)).expect("reads");
        assert_eq!(read.header, fixtures::header());
        assert_eq!(read.results, fixtures::all().into_iter().chain([fixtures::hostile()]).collect::<Vec<_>>());
        assert_eq!(read.notes, [Note { browser: None, text: "one\ntwo".to_owned() }]);
        assert_eq!(read.footer, Some(fixtures::footer()));
        assert!(out.event(&Event::Finished(fixtures::footer())).is_err(), "an event after the end must be noticed");
    }

    #[test]
    fn each_record_is_on_disk_as_soon_as_it_is_told() {
        let (_dir, part) = cut_off();
        assert_eq!(read(&part).expect("reads").results.len(), fixtures::all().len() + 1);
    }

    #[test]
    fn a_cut_off_line_is_left_out() {
        let (_dir, part) = cut_off();
        let whole = read(&part).expect("reads").results.len();
        append(&part, br#"{"record":"result","case":"x"#);
        let results = read(&part).expect("reads");
        assert_eq!((results.results.len(), results.footer), (whole, None));
        // The same bytes in a file that claims to be whole are damage.
        let renamed = part.with_file_name(FILE);
        fs::rename(&part, &renamed).expect("renames");
        assert!(matches!(read(&renamed), Err(ReadError::Damaged { .. })));
    }

    #[test]
    fn a_new_run_does_not_leave_old_results() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join(FILE), "old").expect("writes");
        let _out = JsonLines::create(dir.path()).expect("creates");
        assert!(!dir.path().join(FILE).exists());
    }

    #[test]
    fn what_later_versions_add_is_skipped() {
        let later = header_line().replacen('{', r#"{"new":[1],"#, 1) + "{\"record\":\"shard\",\"of\":4}\n";
        assert!(read_text("a.jsonl", &later).expect("reads").results.is_empty());
    }

    #[test]
    fn errors_name_the_place_and_what_to_do() {
        let header = header_line();
        let footer = serde_json::to_string(&Record::Footer(fixtures::footer())).expect("serialises");
        let texts = [
            header.replacen("\"format\":1", "\"format\":7", 1).replacen("0.1.0", "3.2.0", 1),
            String::new(),
            "<html>\n".to_owned(),
            "{\"record\":\"header\",\"format\":1}\n".to_owned(),
            format!("{header}{{\"record\":\"note\"}}\n"),
            format!("{header}{{\"record\":\"footer\",\n"),
            format!("{header}{header}"),
            format!("{header}{footer}\n{footer}\n"),
        ];
        let errors = texts.map(|text| read_text("a.jsonl", &text).map(|_| ()).expect_err("must not be read"));
        insta::assert_snapshot!(errors.join("\n"), @"
        a.jsonl has format 7, and this corscheck reads formats up to 1; read it with corscheck 3.2.0 or later
        a.jsonl does not begin with a header: it is no results file, or the run ended before it began
        a.jsonl does not begin with a header: it is no results file, or the run ended before it began
        a.jsonl:1: missing field `corscheck`; nothing can be read without its header, run `corscheck run` again
        a.jsonl:2: missing field `text`; take this line out to read the rest, or run `corscheck run` again
        a.jsonl:2: column 19: EOF while parsing a value; take this line out to read the rest, or run `corscheck run` again
        a.jsonl:2: a second header; these are the results of more than one run; read each file by itself
        a.jsonl:3: a line after the footer; these are the results of more than one run; read each file by itself
        ");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("no/such/file")).expect_err("must not be read").to_string();
        assert!(error.starts_with("no/such/file: "), "{error}");
    }
}
