//! The files of families, as they stand in TOML, and what is checked in them.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Table};

use super::{Axis, Family, Value, combine::Clashes, name};
use crate::{behaviour::BehaviourId, case::CaseId, diagnostic::Diagnostic, format::SpecRef, select::nearest};

/// A file below `cases/families/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    /// What the family is about; titles of its cases begin with it.
    title: Spanned<String>,
    /// The behaviours that all of its cases show.
    behaviours: Vec<BehaviourId>,
    /// Where the standard says so.
    spec: SpecRef,
    /// The axes whose values meet in every combination; of the others every pair of values meets in each of these.
    full: Spanned<Vec<String>>,
    /// The case before any value changes it, in the catalogue's format.
    base: Table,
    /// What varies, in the order in which words stand in ids and changes are made.
    axis: Vec<Spanned<AxisEntry>>,
}

/// What varies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AxisEntry {
    /// Its name.
    name: String,
    /// Values other than the first exist only beside these values of other axes.
    #[serde(default)]
    only: Only,
    /// Its values, the simplest first: the word of the first stands in no id.
    #[serde(default)]
    values: Vec<Spanned<ValueEntry>>,
    /// Instead of values: bytes, as hexadecimal numbers and ranges of them (`"20"`, `"01-1f"`). Each is a value `x20`, and stands where
    /// other values and the base have `{byte}` (in answers) or `{char}` (in requests).
    #[serde(default)]
    bytes: Vec<String>,
}

impl AxisEntry {
    /// The values that `values` or `bytes` say.
    fn all(&self) -> Result<Vec<Value>, String> {
        if self.bytes.is_empty() {
            let value = |v: &Spanned<ValueEntry>| {
                let ValueEntry { word, behaviours, patch, .. } = v.get_ref().clone();
                Value { word, behaviours, patch, byte: None }
            };
            return Ok(self.values.iter().map(value).collect());
        }
        if !self.values.is_empty() {
            return Err(format!("the axis `{}` has either `values` or `bytes`", self.name));
        }
        let mut all = Vec::new();
        for range in &self.bytes {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| u8::from_str_radix(text, 16).map_err(|_| format!("`{range}` is neither a byte nor a range of bytes"));
            let value = |byte| Value { word: format!("x{byte:02x}"), behaviours: Vec::new(), patch: Table::new(), byte: Some(byte) };
            all.extend((number(first)?..=number(last)?).map(value));
        }
        Ok(all)
    }
}

/// One value.
#[derive(Debug, Clone, Deserialize)]
struct ValueEntry {
    /// What it is called in ids.
    word: String,
    /// It exists only beside these values of other axes.
    #[serde(default)]
    only: Only,
    /// The behaviours that cases with it show, besides those of the family.
    #[serde(default)]
    behaviours: Vec<BehaviourId>,
    /// What it changes in the case.
    #[serde(flatten)]
    patch: Table,
}

/// By axis, the words of the values that are permitted.
type Only = BTreeMap<String, Vec<String>>;

/// Parses the file of one family.
pub(super) fn parse(file: &str, text: &str) -> Result<Family, Box<Diagnostic>> {
    let mistake = |span: std::ops::Range<usize>, message: &str| Box::new(Diagnostic::new(file, text, &span, message));
    let parsed: File = toml::from_str(text).map_err(|e| mistake(e.span().unwrap_or(0..0), e.message()))?;
    let whole = parsed.title.span();
    let family = file.rsplit('/').next().and_then(|f| f.strip_suffix(".toml")).unwrap_or(file);
    if CaseId::parse(&format!("{}{family}/x", super::AREA)).is_err() {
        return Err(mistake(whole, &format!("`{family}` is no name of a family: lower-case letters, digits and inner hyphens")));
    }
    if parsed.behaviours.is_empty() {
        return Err(mistake(whole, "`behaviours` is empty: name at least one row of the checklist"));
    }
    let mut axes: Vec<Axis> = Vec::new();
    for entry in &parsed.axis {
        let axis = entry.get_ref();
        let values = axis.all().map_err(|words| mistake(entry.span(), &words))?;
        if values.len() < 2 {
            return Err(mistake(entry.span(), &format!("the axis `{}` varies nothing: it needs two values or more", axis.name)));
        }
        if axes.iter().any(|a| a.name == axis.name) {
            return Err(mistake(entry.span(), &format!("there are two axes `{}`", axis.name)));
        }
        axes.push(Axis { name: axis.name.clone(), values });
    }
    name::check(&axes).map_err(|(axis, value, words)| {
        let entry = &parsed.axis[axis];
        mistake(entry.get_ref().values.get(value).map_or(entry.span(), Spanned::span), &words)
    })?;
    let mut clashes = Clashes::none(&axes);
    for (x, entry) in parsed.axis.iter().enumerate() {
        for (v, value) in entry.get_ref().values.iter().enumerate() {
            let of_axis = entry.get_ref().only.iter().filter(|_| v > 0);
            for (axis, words) in of_axis.chain(&value.get_ref().only) {
                let span = || value.span();
                let y = axes.iter().position(|a| a.name == *axis).filter(|y| *y != x);
                let y = y.ok_or_else(|| mistake(span(), &no_axis(axis, &axes)))?;
                if let Some(unknown) = words.iter().find(|w| axes[y].values.iter().all(|value| value.word != **w)) {
                    let near = nearest(unknown, axes[y].values.iter().map(|v| v.word.as_str()), 3);
                    return Err(mistake(span(), &format!("the axis `{axis}` has no `{unknown}`; the nearest are {}", near.join(", "))));
                }
                for (w, other) in axes[y].values.iter().enumerate() {
                    if !words.contains(&other.word) {
                        clashes.add((x, v), (y, w));
                    }
                }
            }
        }
    }
    let full = parsed
        .full
        .get_ref()
        .iter()
        .map(|word| axes.iter().position(|a| a.name == *word).ok_or_else(|| mistake(parsed.full.span(), &no_axis(word, &axes))))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Family {
        name: family.to_owned(),
        title: parsed.title.into_inner(),
        behaviours: parsed.behaviours,
        spec: parsed.spec,
        base: parsed.base,
        axes,
        full,
        clashes,
        file: file.to_owned(),
    })
}

fn no_axis(word: &str, axes: &[Axis]) -> String {
    let all: Vec<_> = axes.iter().map(|a| a.name.as_str()).collect();
    format!("`{word}` is no other axis of this family, which has {}", all.join(", "))
}
