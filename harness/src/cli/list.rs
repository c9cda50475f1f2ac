//! `corscheck list`.

use clap::{Args, ValueEnum};
use corscheck_cases::oracle::Defect;
use serde_json::json;

use super::{Failure, Selection};
use crate::exit::Exit;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  corscheck list                                 every case
  corscheck list --filter 'area:cors-check api:xhr'
  corscheck list --format json preflight
  corscheck list --catalogue my-cases/           check files of your own
  corscheck list --defects                       what can be wrong with the simulated user agent")]
pub(super) struct ListArgs {
    #[command(flatten)]
    selection: Selection,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Print the JSON Schema of catalogue files instead.
    #[arg(long)]
    schema: bool,
    /// List the defects that the simulated user agent can have (`corscheck run --browser simulated --defect NAME`) instead.
    #[arg(long, conflicts_with_all = ["schema", "patterns", "filter", "catalogue"])]
    defects: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

pub(super) fn list(args: &ListArgs) -> Result<Exit, Failure> {
    if args.schema {
        println!("{}", serde_json::to_string_pretty(&corscheck_cases::format::schema()).map_err(|e| Failure::usage(e.to_string()))?);
        return Ok(Exit::AsExpected);
    }
    if args.defects {
        return defects(args.format);
    }
    let catalogue = args.selection.catalogue()?;
    let cases = args.selection.select(&catalogue)?;
    match args.format {
        Format::Text => {
            let width = cases.iter().map(|c| c.id.as_str().len()).max().unwrap_or(0).min(60);
            for case in &cases {
                println!("{:<width$}  {:<6}  {}", case.id.as_str(), case.level.word(), case.title);
            }
            println!("{} of {} cases", cases.len(), catalogue.cases().len());
        }
        Format::Json => {
            let rows: Vec<_> = cases
                .iter()
                .map(|c| {
                    json!({ "id": c.id.as_str(), "title": c.title, "level": c.level, "behaviours": c.behaviours, "spec": c.spec.url(),
                        "page": c.page, "context": c.context, "api": c.api(), "place": c.place })
                })
                .collect();
            println!("{}", serde_json::to_string_pretty(&rows).map_err(|e| Failure::usage(e.to_string()))?);
        }
    }
    Ok(Exit::AsExpected)
}

/// Every defect with what is wrong, area by area.
fn defects(format: Format) -> Result<Exit, Failure> {
    match format {
        Format::Text => {
            let width = Defect::ALL.iter().map(|d| d.word().len()).max().unwrap_or(0);
            for (i, defect) in Defect::ALL.iter().enumerate() {
                if i == 0 || Defect::ALL[i - 1].area() != defect.area() {
                    println!("{}{}:", if i == 0 { "" } else { "\n" }, defect.area());
                }
                println!("  {:<width$}  {}", defect.word(), defect.says());
            }
            println!("\n{} defects", Defect::ALL.len());
        }
        Format::Json => {
            let rows: Vec<_> = Defect::ALL.iter().map(|d| json!({ "name": d.word(), "area": d.area(), "says": d.says() })).collect();
            println!("{}", serde_json::to_string_pretty(&rows).map_err(|e| Failure::usage(e.to_string()))?);
        }
    }
    Ok(Exit::AsExpected)
}
