//! What script does with a Request before it is fetched, and with the Response after it: copies, changes of headers, clones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::format::{Credentials, Mode};

/// What script does besides fetching.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Handling {
    /// Changes of the Request's headers, in order: `["append", NAME, VALUE]`, `["set", NAME, VALUE]`, `["delete", NAME]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Vec<String>>,
    /// The Request is copied, and the copy is fetched: `new Request(request, copy)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<Copying>,
    /// What the page sees of the Response is read from a clone of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clone: bool,
    /// The page tries to set a header of the Response.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub touch: bool,
}

/// The dictionary that a Request is copied with; what is absent is not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Copying {
    /// Request mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Credentials mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// Headers, instead of those of the Request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<(String, String)>>,
}

impl Copying {
    /// Whether the dictionary has no member.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The content of a blob: URL that the page makes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlobUrl {
    /// Its text.
    pub data: String,
    /// Its type.
    #[serde(default)]
    pub r#type: String,
    /// The URL is revoked before it is fetched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
}

/// One change of a Headers object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit<'e> {
    /// `append(name, value)`.
    Append(&'e str, &'e str),
    /// `set(name, value)`.
    Set(&'e str, &'e str),
    /// `delete(name)`.
    Delete(&'e str),
}

impl Handling {
    /// Whether nothing is done.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The changes of headers.
    pub fn edits(&self) -> impl Iterator<Item = Edit<'_>> {
        self.edits.iter().filter_map(|edit| parse(edit))
    }

    /// The first change that is none.
    pub(crate) fn mistake(&self) -> Option<String> {
        let wrong = self.edits.iter().find(|edit| parse(edit).is_none())?;
        Some(format!("{wrong:?} is no change of headers: [\"append\", NAME, VALUE], [\"set\", NAME, VALUE] or [\"delete\", NAME]"))
    }
}

fn parse(edit: &[String]) -> Option<Edit<'_>> {
    match edit {
        [verb, name, value] if verb == "append" => Some(Edit::Append(name, value)),
        [verb, name, value] if verb == "set" => Some(Edit::Set(name, value)),
        [verb, name] if verb == "delete" => Some(Edit::Delete(name)),
        _ => None,
    }
}
