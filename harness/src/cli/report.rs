//! `corscheck report`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use corscheck_cases::Catalogue;

use super::{
    Failure, say,
    selection::{families, own_catalogue},
};
use crate::{
    event::CaseResult,
    exit::Exit,
    report::{
        CaseWords, Words, badge, compare,
        html::{self, Input, Library, Run},
        jsonl::{self, Results},
        junit, split, summary, wptreport,
    },
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  corscheck report                                    corscheck-out/results.jsonl once more
  corscheck report shard-1 shard-2 --out all          parts of one run merged
  corscheck report new --base old                     what changed, as text and in the report
  corscheck report huge --split                       a file for each browser or target, and an index
  corscheck report corscheck-out by-hand.jsonl --out corscheck-out

Written to --out: report.html (and with --split report-NAME.html for each), summary.md, junit.xml, badge.json, badge.svg, and wptreport.json, or wptreport-BROWSER.json for
each of several browsers")]
pub(super) struct ReportArgs {
    /// Results: files, or folders with a results.jsonl (or what is left of one) in them.
    #[arg(value_name = "DIR|FILE", default_value = "corscheck-out")]
    from: Vec<PathBuf>,
    /// Compare with these results.
    #[arg(long, value_name = "DIR|FILE")]
    base: Vec<PathBuf>,
    /// Folder for what is made; the first folder that results are read from when absent.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Flaky results and mismatches of level `should` count as failures too.
    #[arg(long)]
    strict: bool,
    /// Write a report for each browser, or each target, and in report.html an index of them: for what would be too large in one file.
    #[arg(long)]
    split: bool,
    /// Read the catalogue from here; where the runs name one of their own, that is read without being told.
    #[arg(long, value_name = "PATH")]
    catalogue: Option<PathBuf>,
}

pub(super) fn report(args: &ReportArgs) -> Result<Exit, Failure> {
    let runs = args.from.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let base = args.base.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let library = library(args, &runs)?;
    let out = args.out.clone().unwrap_or_else(|| folder(&args.from[0]));
    let unwritable = |e: std::io::Error| Failure::environment(format!("{}: {e}", out.display()));
    fs::create_dir_all(&out).map_err(unwritable)?;
    let input = Input {
        runs: runs.iter().map(Run::from).collect(),
        base: base.iter().map(Run::from).collect(),
        library: &library,
        strict: args.strict,
    };
    let results: Vec<CaseResult> = runs.iter().flat_map(|r| r.results.iter().cloned()).collect();
    let words = words(&library, &results);
    let changes = (!base.is_empty()).then(|| compare::changes(&input.runs, &input.base));
    // What stands in all of them is told of the first: parts of a run were started alike.
    let header = runs[0].header.clone();
    let footer = runs.iter().find(|r| r.footer.as_ref().is_none_or(|f| !f.complete)).unwrap_or(&runs[0]).footer.clone();
    let mut markdown = summary::markdown(&header, &results, footer.as_ref());
    if let Some(changes) = &changes {
        markdown.push_str(&changes.markdown());
    }
    let mut xml = Vec::new();
    junit::write(&results, &header, &words, args.strict, &mut xml).map_err(unwritable)?;
    let badge = badge::Badge::of(&input.runs, args.strict);
    let mut told = String::new();
    let parts = if args.split { split::parts(&runs, &base) } else { Vec::new() };
    let (report, pages) = match args.split {
        false => (html::page(&input), Vec::new()),
        true => {
            let pages: Vec<(String, String)> = parts
                .iter()
                .map(|part| {
                    let runs = part.runs.iter().map(Run::from).collect();
                    let base = part.base.iter().map(Run::from).collect();
                    (part.file.clone(), html::page(&Input { runs, base, library: &library, strict: args.strict }))
                })
                .collect();
            (html::index_of(&input.runs, &parts), pages)
        }
    };
    let mut files = vec![
        ("report.html", report.into_bytes()),
        ("summary.md", markdown.into_bytes()),
        ("junit.xml", xml),
        ("badge.json", badge.json().into_bytes()),
        ("badge.svg", badge.svg().into_bytes()),
    ];
    files.extend(pages.iter().map(|(name, page)| (&**name, page.clone().into_bytes())));
    let reports = wptreport::files(&input.runs);
    files.extend(reports.iter().map(|(name, text)| (&**name, text.clone().into_bytes())));
    for (name, content) in files {
        let path = out.join(name);
        fs::write(&path, content).map_err(|e| Failure::environment(format!("{}: {e}", path.display())))?;
        told.push_str(&format!("{:<9} {}\n", if told.is_empty() { "written" } else { "" }, path.display()));
    }
    if let Some(changes) = &changes {
        told.insert_str(0, &format!("{}\n", changes.text()));
    }
    say(&told)?;
    let fails = results.iter().any(|r| r.fails_run(args.strict));
    Ok(if fails { Exit::Unexpected } else { Exit::AsExpected })
}

/// Results of a file, or of what a folder has.
fn read(path: &Path) -> Result<Results, Failure> {
    let file = if path.is_dir() {
        let found = [jsonl::FILE, jsonl::PART].map(|name| path.join(name)).into_iter().find(|file| file.exists());
        found.ok_or_else(|| {
            Failure::usage(format!(
                "{}: there is no {} in it; `corscheck run --out {}` makes one",
                path.display(),
                jsonl::FILE,
                path.display()
            ))
        })?
    } else {
        path.to_owned()
    };
    jsonl::read(&file).map_err(|e| Failure::usage(e.to_string()))
}

fn folder(path: &Path) -> PathBuf {
    if path.is_dir() { path.to_owned() } else { path.parent().map_or_else(PathBuf::new, Path::to_owned) }
}

/// Where the cases of the runs are. A catalogue that is gone leaves a report without texts, which is no reason to have none.
fn library(args: &ReportArgs, runs: &[Results]) -> Result<Library, Failure> {
    if let Some(path) = &args.catalogue {
        return Ok(Library::new(&own_catalogue(path)?, Default::default()));
    }
    let mut cases = Vec::new();
    for path in runs.iter().filter_map(|run| run.header.catalogue.as_ref()) {
        match own_catalogue(&PathBuf::from(path)) {
            Ok(catalogue) => cases.extend(catalogue.cases().iter().cloned()),
            Err(failure) => eprintln!("note: without the texts of the cases: {}", failure.words),
        }
    }
    let built_in = Catalogue::embedded().map_err(|e| Failure::usage(e.to_string()))?;
    Ok(Library::of(built_in.cases().iter().cloned().chain(cases), families()?))
}

fn words(library: &Library, results: &[CaseResult]) -> Words {
    let of = |result: &CaseResult| Some((result.case.clone(), CaseWords::of(&library.find(&result.case, &result.title)?)));
    results.iter().filter_map(of).collect()
}
