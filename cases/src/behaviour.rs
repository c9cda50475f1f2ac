//! The behaviours that the standards demand, by id: what coverage is counted against.

use std::{collections::HashMap, fmt, sync::LazyLock};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// One thing that a standard demands of browsers or servers.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Behaviour {
    /// Stable name, `section/slug`.
    pub id: String,
    /// The demand in one sentence.
    pub sentence: String,
    /// Fragment and step of the standard; a prefix names a standard other than Fetch.
    pub anchor: String,
    /// Who can see it: `page`, `wire` or `both`.
    pub seen: String,
    /// Whose duty it is: `B` browser, `S` server, `BS` both.
    pub who: String,
    /// Why no case is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_case: Option<String>,
    /// Why no case can be made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untestable: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    behaviour: Vec<Behaviour>,
}

struct Table {
    rows: Vec<Behaviour>,
    index: HashMap<String, u16>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // The file is part of the crate; a test parses it.
    let file: File = toml::from_str(include_str!("../behaviours.toml")).expect("behaviours.toml is well formed");
    let index = file.behaviour.iter().enumerate().map(|(i, b)| (b.id.clone(), i as u16)).collect();
    Table { rows: file.behaviour, index }
});

/// Every behaviour, in the order of the checklist.
pub fn all() -> &'static [Behaviour] {
    &TABLE.rows
}

/// The id of a behaviour that exists.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BehaviourId(u16);

impl BehaviourId {
    /// Looks the id up; the error names the nearest ids.
    pub fn parse(id: &str) -> Result<Self, String> {
        if let Some(&i) = TABLE.index.get(id) {
            return Ok(Self(i));
        }
        let near = crate::select::nearest(id, TABLE.rows.iter().map(|b| b.id.as_str()), 3);
        Err(format!("unknown behaviour `{id}`; the nearest are {}", near.join(", ")))
    }

    /// The row of the checklist.
    pub fn behaviour(self) -> &'static Behaviour {
        &TABLE.rows[usize::from(self.0)]
    }

    /// The id as it stands in files.
    pub fn as_str(self) -> &'static str {
        &self.behaviour().id
    }
}

impl fmt::Debug for BehaviourId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for BehaviourId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for BehaviourId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for BehaviourId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BehaviourId::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for BehaviourId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BehaviourId".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let ids: Vec<&str> = all().iter().map(|b| b.id.as_str()).collect();
        json_schema!({ "type": "string", "enum": ids })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_fit() {
        assert_eq!(TABLE.index.len(), all().len());
        assert!(all().len() < usize::from(u16::MAX));
    }

    #[test]
    fn an_unknown_id_names_the_nearest() {
        let error = BehaviourId::parse("preflight/header-not-liste").expect_err("unknown");
        assert!(error.contains("preflight/header-not-listed"), "{error}");
    }
}
