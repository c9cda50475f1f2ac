//! What a page is besides its origin: the fields it is served with, its base URL, and what it does to its domain.

use std::cell::Cell;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    text::{Resolve, Text, Variable},
    topology::Topology,
};

/// What a page is besides its origin. Cases of equal settings share a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PageSettings {
    /// Response header fields of the page, and of the frames and workers that are loaded for it. Placeholders without a token are
    /// allowed. The harness adds its own link to `connect-src` and `default-src` of a Content-Security-Policy, and a nonce of its own
    /// to `script-src` and `default-src`.
    #[serde(default)]
    pub headers: Vec<(String, Text)>,
    /// The address of a `<base>` element.
    pub base: Option<Text>,
    /// What the page assigns to `document.domain`.
    pub domain: Option<Text>,
    /// It must be cross-origin isolated for its cases to make sense: where it is not, the engine lacks its embedder policy.
    #[serde(default)]
    pub isolated: bool,
}

/// [`PageSettings`], resolved, as they cross to the page in JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BoundPage {
    /// Response header fields.
    pub headers: Vec<(String, String)>,
    /// The address of a `<base>` element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// What the page assigns to `document.domain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// It must be cross-origin isolated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub isolated: bool,
}

impl PageSettings {
    /// Whether the page is an ordinary one.
    pub fn is_usual(&self) -> bool {
        *self == PageSettings::default()
    }

    /// With every placeholder replaced.
    pub fn bind(&self, topology: &Topology) -> BoundPage {
        let resolver = Binding { topology, strays: Cell::new(false) };
        let text = |text: &Text| text.resolve(&resolver);
        BoundPage {
            headers: self.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            base: self.base.as_ref().map(text),
            domain: self.domain.as_ref().map(text),
            isolated: self.isolated,
        }
    }

    /// Whether a text in it depends on a request, of which a page knows nothing, or cannot be a header field.
    pub(crate) fn mistake(&self) -> Option<String> {
        let topology = Topology::example();
        let resolver = Binding { topology: &topology, strays: Cell::new(false) };
        for text in self.headers.iter().map(|(_, value)| value).chain(&self.base).chain(&self.domain) {
            let value = text.resolve(&resolver);
            if resolver.strays.get() {
                return Some(format!("`{}` depends on a request; a page is there before any", text.source()));
            }
            if http::HeaderValue::from_str(&value).is_err() {
                return Some(format!("`{}` cannot stand in a header field of a page", text.source()));
            }
        }
        let named = |(name, _): &&(String, Text)| http::HeaderName::from_bytes(name.as_bytes()).is_err();
        self.headers.iter().find(named).map(|(name, _)| format!("`{name}` is no header name"))
    }
}

struct Binding<'a> {
    topology: &'a Topology,
    /// Whether something was asked for that only a request has.
    strays: Cell<bool>,
}

impl Resolve for Binding<'_> {
    fn value(&self, variable: Variable) -> String {
        match variable {
            Variable::Origin(alias) => self.topology.origin(alias),
            Variable::Scheme(alias) => alias.scheme().word().to_owned(),
            Variable::Host(alias) => self.topology.host(alias).to_owned(),
            Variable::Port(alias) => self.topology.port(alias).to_string(),
            _ => {
                self.strays.set(true);
                String::new()
            }
        }
    }
}
