//! `corscheck show`.

use std::path::Path;

use clap::{Args, ValueEnum};
use corscheck_cases::{Case, Catalogue, Topology, bind::bind, families::Families, oracle::Scenario};
use serde_json::json;

use super::{
    Failure, json_text, say,
    selection::{families, find, own_catalogue},
};
use crate::{exit::Exit, judge::describe, report::answer_lines};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  corscheck show preflight/header-not-listed\n  corscheck show cors-check/acao-absent --format json
  corscheck show family-cors-check/acao-star-include --format toml")]
pub(super) struct ShowArgs {
    /// The case's id.
    id: String,
    /// Read the catalogue from here.
    #[arg(long, value_name = "PATH")]
    catalogue: Option<std::path::PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// A generated case as it can be pasted into a file of the catalogue.
    Toml,
}

pub(super) fn show(args: &ShowArgs) -> Result<Exit, Failure> {
    let (catalogue, families) = match &args.catalogue {
        Some(path) => (own_catalogue(path)?, Families::default()),
        None => (Catalogue::embedded().map_err(|e| Failure::usage(e.to_string()))?, families()?),
    };
    let case = &find(&args.id, &catalogue, &families)?;
    match args.format {
        Format::Text => say(&text(case, args.catalogue.as_deref()))?,
        Format::Toml => match families.decode(&args.id) {
            Some((family, combination)) if case.generated.is_some() => say(&family.text(&combination)?)?,
            _ => {
                return Err(Failure::usage(format!("{} was not generated: it stands in {}:{}", case.id, case.place.file, case.place.line)));
            }
        },
        Format::Json => {
            let bound = bind(case, &Topology::example(), "0123456789abcdef0123456789abcdef");
            let steps: Vec<_> = bound.steps.iter().map(|s| json!({ "action": s.action, "expected": describe(s) })).collect();
            let value = json!({ "id": case.id.as_str(), "title": case.title, "level": case.level, "behaviours": case.behaviours,
                "spec": case.spec.url(), "why": case.why, "page": case.page, "context": case.context, "place": case.place,
                "generated": case.generated, "steps": steps });
            say(&json_text(&value)?)?;
        }
    }
    Ok(Exit::AsExpected)
}

/// Ports in it are examples: every run gets its own.
fn text(case: &Case, catalogue: Option<&Path>) -> String {
    let topology = Topology::example();
    let bound = bind(case, &topology, "TOKEN");
    let mut out = format!("{}\n  {}\n\n", case.id, case.title);
    let mut row = |name: &str, value: &str| out.push_str(&format!("  {name:<11} {value}\n"));
    row("level", case.level.word());
    row("page", &format!("{} ({})", case.page, case.context));
    row("behaviours", &case.behaviours.iter().map(|b| b.as_str()).collect::<Vec<_>>().join(", "));
    row("standard", &case.spec.url());
    row("why", &case.why);
    row("file", &format!("{}:{}", case.place.file, case.place.line));
    let mut paths = Vec::new();
    if let Some(generated) = &case.generated {
        let values: Vec<_> = generated.values.iter().map(|(axis, word)| format!("{axis} = {word}")).collect();
        row("family", &format!("{} ({})", generated.family, values.join(", ")));
        row("expectation", "predicted by the oracle, whose path stands below");
        paths.extend(Scenario::new(case, &topology, "TOKEN").predict().steps.into_iter().map(|s| s.path));
    }
    for (i, (step, resources)) in bound.steps.iter().zip(&bound.script.steps).enumerate() {
        let mark = if bound.steps.len() > 1 { format!(" {}", i + 1) } else { String::new() };
        out.push_str(&format!("\n  step{mark}\n"));
        if step.action.wait_ms > 0 {
            out.push_str(&format!("    wait      {} ms\n", step.action.wait_ms));
        }
        let mut action = serde_json::to_value(&step.action).unwrap_or_default();
        if let Some(map) = action.as_object_mut() {
            // What is not set need not be read.
            map.retain(|_, v| !(v.is_null() || *v == json!(false) || *v == json!([]) || *v == json!(0)));
        }
        out.push_str(&format!("    request   {action}\n"));
        for resource in resources {
            for (kind, answers) in [("preflight", &resource.preflight), ("response", &resource.response)] {
                for answer in answers {
                    out.push_str(&format!("    {kind:<9} at {} /{}: {}\n", resource.at, resource.path, answer_lines(answer).join("; ")));
                }
            }
        }
        out.push_str(&format!("    expected  {}\n", describe(step)));
        for (n, taken) in paths.get(i).into_iter().flatten().enumerate() {
            out.push_str(&format!("    {:<9} {taken}\n", if n == 0 { "path" } else { "" }));
        }
    }
    let catalogue = catalogue.map(|path| format!("--catalogue {} ", path.display())).unwrap_or_default();
    out.push_str(&format!("\n  run it: corscheck run {catalogue}{}\n", case.id));
    out
}
