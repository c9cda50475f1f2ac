//! `corscheck list`.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Failure, Selection};
use crate::exit::Exit;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  corscheck list                                 every case
  corscheck list --filter 'area:cors-check api:xhr'
  corscheck list --format json preflight
  corscheck list --catalogue my-cases/           check files of your own")]
pub(super) struct ListArgs {
    #[command(flatten)]
    selection: Selection,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Print the JSON Schema of catalogue files instead.
    #[arg(long)]
    schema: bool,
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
