//! Which cases a command is about: those written by hand, and generated ones.

use std::{fs, path::PathBuf, sync::Arc};

use clap::Args;
use corscheck_cases::{
    Case, Catalogue,
    families::{Families, Family, SAMPLE},
    select::{Filter, NothingSelected, nearest, select},
};

use super::Failure;

/// Which cases.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Ids, parts of ids or titles, globs, or terms of the filter grammar; any of them selects.
    #[arg(value_name = "PATTERN")]
    pub(super) patterns: Vec<String>,
    /// Terms that must all hold: area: level: reason: read: behaviour: context: page: to: api: family: with-AXIS: and bare words;
    /// `!` negates, terms of one key are alternatives.
    #[arg(long, value_name = "EXPR", default_value = "")]
    pub(super) filter: String,
    /// Only generated cases, and all of this family; `all` for all families. Without it a sample of every family runs beside the
    /// cases written by hand.
    #[arg(long, value_name = "NAME", conflicts_with = "catalogue")]
    pub(super) family: Vec<String>,
    /// Read the catalogue from the TOML files below this folder (or from one file) instead of the built-in one.
    #[arg(long, value_name = "PATH")]
    pub(super) catalogue: Option<PathBuf>,
}

/// What can be selected from.
pub(super) struct Pool {
    /// Cases written by hand, and the generated ones that are in question.
    pub(super) catalogue: Catalogue,
    /// Where more of them come from; none beside a catalogue of one's own.
    pub(super) families: Families,
    filter: Filter,
}

impl Selection {
    /// Everything that may be selected: generated cases are made only as far as they are asked for.
    pub(super) fn pool(&self) -> Result<Pool, Failure> {
        let filter = Filter::parse(&self.filter).map_err(Failure::usage)?;
        if let Some(path) = &self.catalogue {
            return Ok(Pool { catalogue: own_catalogue(path)?, families: Families::default(), filter });
        }
        let families = families()?;
        let written = Catalogue::embedded().map_err(|e| Failure::usage(e.to_string()))?;
        let named = self.family.iter().filter(|name| *name != "all");
        named.map(|name| families.named(name)).collect::<Result<Vec<_>, _>>().map_err(Failure::usage)?;
        let filter = if self.family.is_empty() { filter } else { filter.and(self.of_families()?) };
        // A pattern that is no filter selects nothing; that is told when it is matched.
        let patterns: Vec<_> = self.patterns.iter().filter_map(|p| Filter::parse(p).ok()).collect();
        let asked = |family: &Family| patterns.iter().chain([&filter]).any(|f| f.asks_for_family(family.name()));
        let mut cases: Vec<Case> = Vec::new();
        let (whole, rest): (Vec<_>, Vec<_>) = families.all().iter().partition(|family| asked(family));
        for family in whole {
            cases.extend(family.cases().collect::<Result<Vec<_>, _>>()?);
        }
        for (family, combination) in families.sample(SAMPLE) {
            if rest.iter().any(|f| f.name() == family.name()) {
                cases.push(family.case(&combination)?);
            }
        }
        for id in &self.patterns {
            if let Some(case) = families.find(id)
                && cases.iter().all(|c| c.id.as_str() != id)
            {
                cases.push(case?);
            }
        }
        Ok(Pool { catalogue: written.with(cases), families, filter })
    }

    fn of_families(&self) -> Result<Filter, Failure> {
        let terms: Vec<_> = self.family.iter().map(|name| format!("family:{}", if name == "all" { "*" } else { name })).collect();
        Filter::parse(&terms.join(" ")).map_err(Failure::usage)
    }

    /// The selected cases of the pool.
    pub(super) fn select(&self, pool: &Pool) -> Result<Vec<Arc<Case>>, Failure> {
        let chosen = select(pool.catalogue.cases(), &self.patterns, &pool.filter)?;
        Ok(chosen.into_iter().cloned().map(Arc::new).collect())
    }
}

impl Pool {
    /// The families of which every case is among these.
    pub(super) fn whole(&self, cases: &[Arc<Case>]) -> Vec<String> {
        let count = |family: &Family| cases.iter().filter(|c| c.generated.as_ref().is_some_and(|g| g.family == family.name())).count();
        let whole = self.families.all().iter().filter(|family| {
            let count = count(family);
            count > 0 && count >= family.combinations().len()
        });
        whole.map(|family| family.name().to_owned()).collect()
    }
}

/// The families that are part of the program.
pub(super) fn families() -> Result<Families, Failure> {
    Families::embedded().map_err(|e| Failure::usage(e.to_string()))
}

/// The case with this id, written by hand or generated.
pub(super) fn find(id: &str, catalogue: &Catalogue, families: &Families) -> Result<Case, Failure> {
    if let Some(case) = catalogue.find(id) {
        return Ok(case.clone());
    }
    if let Some(case) = families.find(id) {
        return Ok(case?);
    }
    let ids = catalogue.cases().iter().map(|c| c.id.as_str().to_owned());
    let generated = families.all().iter().filter(|f| id.starts_with(corscheck_cases::families::AREA) && id.contains(f.name()));
    let ids: Vec<String> = ids.chain(generated.flat_map(|f| f.combinations().into_iter().map(|c| f.id(&c)).collect::<Vec<_>>())).collect();
    Err(NothingSelected { pattern: id.to_owned(), near: nearest(id, ids.iter().map(String::as_str), 3) }.into())
}

pub(super) fn own_catalogue(path: &PathBuf) -> Result<Catalogue, Failure> {
    let mut files = Vec::new();
    read_catalogue(path, &mut files).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
    if files.is_empty() {
        return Err(Failure::usage(format!("{}: there is no .toml file", path.display())));
    }
    Catalogue::parse(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))).map_err(|e| Failure::usage(e.to_string()))
}

fn read_catalogue(path: &PathBuf, files: &mut Vec<(String, String)>) -> std::io::Result<()> {
    if path.is_file() {
        files.push((path.display().to_string(), fs::read_to_string(path)?));
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() || entry.extension().is_some_and(|e| e == "toml") {
            read_catalogue(&entry, files)?;
        }
    }
    Ok(())
}
