//! How large a report is, and how soon it can be used, in every browser.

use std::{path::Path, sync::Arc, time::Instant};

use corscheck_cases::{Catalogue, families::Families};

use crate::{
    browser::{Endpoint, Guard, Session, SessionOptions},
    event::CaseResult,
    exit::Exit,
    report::{
        html::{self, Input, Library, Run},
        jsonl,
    },
};

/// The most bytes of a report of 10,000 results with all their traces.
const MOST_BYTES: usize = 3_000_000;

/// How soon a report of 10,000 results should be usable, in milliseconds. It is told and fails nothing: machines are noisy.
const SOON_MS: f64 = 1000.0;

/// Tells when the page can be used, when its first trace is there and when the matrix is, in milliseconds of its own clock.
const MEASURE: &str = r##"return (async () => {
  const root = document.documentElement;
  const until = async (there) => { while (!there()) await new Promise((go) => setTimeout(go, 5)); return performance.now(); };
  await until(() => root.hasAttribute("data-ready") || root.hasAttribute("data-failed"));
  if (root.hasAttribute("data-failed")) throw new Error(root.getAttribute("data-failed"));
  const usable = Number(root.getAttribute("data-ready"));
  let from = performance.now();
  location.hash = "#/matrix";
  const matrix = (await until(() => document.querySelector(".matrix .cell"))) - from;
  from = performance.now();
  location.hash = document.querySelector(".matrix .cell").getAttribute("href");
  const trace = (await until(() => document.querySelector("#panel .wire, #panel .part"))) - from;
  return [usable, matrix, trace];
})()"##;

/// Measures reports of the first 10,000 and the first 50,000 results of a file, or of all it has.
///
/// # Errors
///
/// Words for a file that cannot be read, a browser that cannot be started, or a report that does not open.
pub async fn bench(endpoints: &[Endpoint], results: &Path) -> Result<Exit, String> {
    let read = jsonl::read(results).map_err(|e| e.to_string())?;
    let catalogue = Catalogue::embedded().map_err(|e| e.to_string())?;
    let families = Families::embedded().map_err(|e| e.to_string())?;
    let library = Library::new(&catalogue, families);
    println!("{:<8} {:>9} {:>8}  {:<10} {:>9} {:>9} {:>12}", "results", "MB", "made, s", "browser", "usable", "matrix", "first trace");
    let mut exit = Exit::AsExpected;
    for most in [10_000, 50_000] {
        let some: &[CaseResult] = &read.results[..most.min(read.results.len())];
        let started = Instant::now();
        let run = Run { header: &read.header, results: some, notes: &read.notes, footer: read.footer.as_ref() };
        let page = html::page(&Input { runs: vec![run], base: Vec::new(), library: &library, strict: false });
        let made = started.elapsed().as_secs_f64();
        let size = page.len() as f64 / 1e6;
        let full = page.len() <= MOST_BYTES || some.len() > 10_000;
        if !full {
            exit = Exit::Unexpected;
        }
        for endpoint in endpoints {
            let guard = Arc::new(Guard::new().map_err(|e| e.to_string())?);
            let session = Session::start(endpoint, &SessionOptions::default(), &guard).await.map_err(|e| e.to_string())?;
            let times = open(&session, &page).await;
            session.end().await;
            let [usable, matrix, trace] = times?;
            let late = if some.len() <= 10_000 && usable > SOON_MS { "  later than wanted" } else { "" };
            let large = if full { "" } else { "  larger than allowed" };
            println!(
                "{:<8} {size:>9.2} {made:>8.1}  {:<10} {usable:>6.0} ms {matrix:>6.0} ms {trace:>9.0} ms{late}{large}",
                some.len(),
                endpoint.engine().word()
            );
        }
        if read.results.len() <= most {
            break;
        }
    }
    Ok(exit)
}

async fn open(session: &Session, page: &str) -> Result<[f64; 3], String> {
    let url = session.file("report.html", page).map_err(|e| e.to_string())?;
    session.goto(&url).await.map_err(|e| e.to_string())?;
    let told = session.execute(MEASURE, vec![]).await.map_err(|e| e.to_string())?;
    let time = |i: usize| told[i].as_f64().ok_or_else(|| format!("no times: {told}"));
    Ok([time(0)?, time(1)?, time(2)?])
}
