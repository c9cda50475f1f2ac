//! `corscheck list`.

use std::collections::HashMap;

use clap::{Args, ValueEnum};
use corscheck_cases::{
    Catalogue,
    certify::Book,
    coverage::{Standing, Sums, coverage},
    families::{Family, SAMPLE},
    known,
    oracle::Defect,
};
use serde_json::json;

use super::{
    Failure, json_text, line, say,
    selection::{Selection, families},
};
use crate::{browser::Engine, certify::target::Target, exit::Exit};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  corscheck list                                 every case of a default run
  corscheck list --families                      the families of generated cases, counted
  corscheck list --family redirect               every generated case of one family
  corscheck list --filter 'area:cors-check api:xhr'
  corscheck list --format json preflight
  corscheck list --coverage                      which behaviours of the standard have cases
  corscheck list --known                         what engines are known to do otherwise
  corscheck list --catalogue my-cases/           check files of your own
  corscheck list --targets                       the middlewares that can be certified
  corscheck list --rules                         what servers are held to
  corscheck list --policies                      what they are asked under
  corscheck list --defects                       what can be wrong with the simulated user agent")]
pub(super) struct ListArgs {
    #[command(flatten)]
    selection: Selection,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Print the targets of `corscheck certify` instead.
    #[arg(long)]
    targets: bool,
    /// Print the rules of `corscheck certify` instead.
    #[arg(long)]
    rules: bool,
    /// Print the policies of `corscheck certify` instead.
    #[arg(long)]
    policies: bool,
    /// Print the families of generated cases instead, with how many cases each is made of.
    #[arg(long)]
    families: bool,
    /// Print the JSON Schema of catalogue files instead.
    #[arg(long)]
    schema: bool,
    /// Print the behaviours of the checklist by section instead: which have cases, which need none, which want one.
    #[arg(long, conflicts_with_all = ["schema", "families", "patterns", "filter", "family"])]
    coverage: bool,
    /// List the known deviations of the engines instead.
    #[arg(long, conflicts_with_all = ["schema", "families", "coverage", "patterns", "filter", "family", "catalogue"])]
    known: bool,
    /// List the defects that the simulated user agent can have (`corscheck run --browser simulated --defect NAME`) instead.
    #[arg(long, conflicts_with_all = ["schema", "patterns", "filter", "catalogue"])]
    defects: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

pub(super) fn list(args: &ListArgs) -> Result<Exit, Failure> {
    say(&text(args)?)?;
    Ok(Exit::AsExpected)
}

/// What certifications are made of.
fn list_certification(args: &ListArgs) -> Result<String, Failure> {
    let book = Book::embedded().map_err(|e| Failure::environment(e.to_string()))?;
    let mut rows: Vec<[String; 3]> = Vec::new();
    if args.targets {
        for name in Target::names() {
            let target = Target::find(name).map_err(|e| Failure::environment(e.to_string()))?;
            let control = target.manifest.control.map(|c| format!(" (a negative control: {})", c.affected_by)).unwrap_or_default();
            rows.push([name.to_owned(), target.manifest.language, format!("{}{control}", target.manifest.title)]);
        }
    } else if args.rules {
        rows.extend(book.rules.iter().map(|r| [r.id.clone(), r.severity.word().to_owned(), r.title.clone()]));
    } else {
        rows.extend(book.policies.iter().map(|p| [p.id.clone(), if p.is_trap() { "trap" } else { "policy" }.to_owned(), p.title.clone()]));
    }
    if args.format == Format::Json {
        let words =
            if args.targets { ["name", "language", "title"] } else { ["id", if args.rules { "severity" } else { "kind" }, "title"] };
        let values: Vec<_> = rows.iter().map(|row| json!({ words[0]: row[0], words[1]: row[1], words[2]: row[2] })).collect();
        return json_text(&values);
    }
    let width = |n: usize| rows.iter().map(|row| row[n].len()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let mut out = String::new();
    for [id, kind, title] in &rows {
        line!(out, "{id:<first$}  {kind:<second$}  {title}");
    }
    Ok(out)
}

/// What was asked for.
fn text(args: &ListArgs) -> Result<String, Failure> {
    if args.schema {
        return json_text(&corscheck_cases::format::schema());
    }
    if args.defects {
        return defects(args.format);
    }
    if args.known {
        return list_known(args.format);
    }
    if args.coverage {
        return list_coverage(args);
    }
    if args.families {
        return list_families(args.format);
    }
    if args.targets || args.rules || args.policies {
        return list_certification(args);
    }
    let mut out = String::new();
    let pool = args.selection.pool()?;
    let cases = args.selection.select(&pool)?;
    match args.format {
        Format::Text => {
            let width = cases.iter().map(|c| c.id.as_str().len()).max().unwrap_or(0).min(60);
            for case in &cases {
                line!(out, "{:<width$}  {:<6}  {}", case.id.as_str(), case.level.word(), case.title);
            }
            let generated = cases.iter().filter(|c| c.generated.is_some()).count();
            line!(out, "{} of {} cases, {generated} of them generated", cases.len(), pool.catalogue.cases().len());
        }
        Format::Json => {
            let rows: Vec<_> = cases
                .iter()
                .map(|c| {
                    json!({ "id": c.id.as_str(), "title": c.title, "level": c.level, "behaviours": c.behaviours, "spec": c.spec.url(),
                        "page": c.page, "context": c.context, "api": c.api(), "place": c.place,
                        "family": c.generated.as_ref().map(|g| &g.family) })
                })
                .collect();
            return json_text(&rows);
        }
    }
    Ok(out)
}

fn list_families(format: Format) -> Result<String, Failure> {
    let mut out = String::new();
    let families = families()?;
    let mut sampled: HashMap<&str, usize> = HashMap::new();
    for (family, _) in families.sample(SAMPLE) {
        *sampled.entry(family.name()).or_default() += 1;
    }
    let sampled = |family: &Family| sampled.get(family.name()).copied().unwrap_or(0);
    match format {
        Format::Text => {
            let width = families.all().iter().map(|f| f.name().len()).max().unwrap_or(0);
            line!(out, "{:<width$}  {:>6}  {:>10}  about", "family", "cases", "by default");
            let (mut all, mut by_default) = (0, 0);
            for family in families.all() {
                let (cases, some) = (family.combinations().len(), sampled(family));
                (all, by_default) = (all + cases, by_default + some);
                line!(out, "{:<width$}  {cases:>6}  {some:>10}  {}", family.name(), family.title());
            }
            line!(out, "{:<width$}  {all:>6}  {by_default:>10}  {} families", "", families.all().len());
        }
        Format::Json => {
            let full = |family: &Family| family.full().map(|axis| axis.name.clone()).collect::<Vec<_>>();
            let axes = |family: &Family| {
                let words = |values: &[corscheck_cases::families::Value]| values.iter().map(|v| v.word.clone()).collect::<Vec<_>>();
                family.axes().iter().map(|axis| json!({ "name": axis.name, "values": words(&axis.values) })).collect::<Vec<_>>()
            };
            let rows: Vec<_> = families
                .all()
                .iter()
                .map(|f| {
                    json!({ "name": f.name(), "title": f.title(), "cases": f.combinations().len(), "by-default": sampled(f),
                        "full": full(f), "axes": axes(f) })
                })
                .collect();
            return json_text(&rows);
        }
    }
    Ok(out)
}

/// Which behaviours have cases, section by section, and then each that has none.
fn list_coverage(args: &ListArgs) -> Result<String, Failure> {
    let pool = args.selection.pool()?;
    let rows = coverage(pool.catalogue.cases());
    if let Format::Json = args.format {
        return json_text(&rows);
    }
    let mut out = String::new();
    line!(out, "{:<18}  {:>7}  {:>7}  {:>10}  {:>4}  {:>3}", "section", "covered", "no case", "untestable", "gap", "all");
    let mut line = |name: &str, sums: Sums| {
        line!(out, "{name:<18}  {:>7}  {:>7}  {:>10}  {:>4}  {:>3}", sums.covered, sums.no_case, sums.untestable, sums.gap, sums.all());
    };
    for section in rows.chunk_by(|a, b| a.section() == b.section()) {
        line(section[0].section(), Sums::of(section));
    }
    line("all", Sums::of(&rows));
    for (title, standing) in [("no case needed", 0), ("untestable here", 1), ("gap", 2)] {
        let chosen = rows.iter().filter_map(|row| match (&row.standing, standing) {
            (Standing::NoCase { why }, 0) | (Standing::Untestable { why }, 1) => Some((row, *why)),
            (Standing::Gap, 2) => Some((row, row.behaviour.sentence.as_str())),
            _ => None,
        });
        let chosen: Vec<_> = chosen.collect();
        if !chosen.is_empty() {
            line!(out, "\n{title}:");
        }
        for (row, words) in chosen {
            line!(out, "  {}: {words}", row.behaviour.id);
        }
    }
    Ok(out)
}

/// What engines are known to do otherwise.
fn list_known(format: Format) -> Result<String, Failure> {
    let mut out = String::new();
    let (catalogue, families) = (Catalogue::embedded().map_err(|e| Failure::usage(e.to_string()))?, families()?);
    let mut rows = Vec::new();
    for engine in Engine::ALL {
        let known = known::embedded(engine.word(), &catalogue, &families).map_err(|e| Failure::usage(e.to_string()))?;
        rows.extend(known.into_iter().map(|entry| (engine.word(), entry)));
    }
    match format {
        Format::Text => {
            for (engine, entry) in &rows {
                let what = match (&entry.filter, &entry.cases[..]) {
                    (Some(filter), _) => format!("generated cases of `{filter}`"),
                    (None, [one]) => one.clone(),
                    (None, all) => format!("{} and {} more", all[0], all.len() - 1),
                };
                let reason = entry.reason.map_or(String::new(), |reason| format!(" ({reason})"));
                line!(out, "{engine} {}  {}{reason} at {}: {what}", entry.versions.join(", "), entry.verdict.word(), entry.point);
                line!(out, "  {}", entry.consequence);
                line!(out, "  {}{}", if entry.unreported { "no report is known; the text: " } else { "" }, entry.link);
            }
            line!(out, "{} entries", rows.len());
        }
        Format::Json => {
            let rows: Vec<_> = rows
                .iter()
                .map(|(engine, e)| {
                    json!({ "engine": engine, "cases": e.cases, "generated": e.filter.is_some(), "verdict": e.verdict.word(), "reason": e.reason,
                        "point": e.point,
                        "versions": e.versions, "link": e.link, "unreported": e.unreported, "consequence": e.consequence })
                })
                .collect();
            return json_text(&rows);
        }
    }
    Ok(out)
}

/// Every defect with what is wrong, area by area.
fn defects(format: Format) -> Result<String, Failure> {
    let mut out = String::new();
    match format {
        Format::Text => {
            let width = Defect::ALL.iter().map(|d| d.word().len()).max().unwrap_or(0);
            for (i, defect) in Defect::ALL.iter().enumerate() {
                if i == 0 || Defect::ALL[i - 1].area() != defect.area() {
                    line!(out, "{}{}:", if i == 0 { "" } else { "\n" }, defect.area());
                }
                line!(out, "  {:<width$}  {}", defect.word(), defect.says());
            }
            line!(out, "\n{} defects", Defect::ALL.len());
        }
        Format::Json => {
            let rows: Vec<_> = Defect::ALL.iter().map(|d| json!({ "name": d.word(), "area": d.area(), "says": d.says() })).collect();
            return json_text(&rows);
        }
    }
    Ok(out)
}
