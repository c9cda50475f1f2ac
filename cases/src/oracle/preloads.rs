//! What documents have loaded ahead: preloads (HTML, preload; consume a preloaded resource) and module maps.

use url::Url;

use super::{
    headers::HeaderList,
    request::{Destination, Failure, Tainting},
};
use crate::format::{Credentials, Mode};

/// The maps of preloaded resources and the module maps of all documents.
#[derive(Debug, Clone, Default)]
pub struct Preloads {
    entries: Vec<(Key, Entry)>,
    /// Module scripts that were fetched, by document and URL.
    modules: Vec<(String, String)>,
}

/// A preload key, and whose document it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) document: String,
    pub(super) url: String,
    pub(super) destination: Destination,
    pub(super) mode: Mode,
    pub(super) credentials: Credentials,
}

/// A preload entry.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) integrity: String,
    pub(super) response: Result<Preloaded, Failure>,
}

/// A response that was loaded ahead, with its body.
#[derive(Debug, Clone)]
pub(super) struct Preloaded {
    pub(super) urls: Vec<Url>,
    pub(super) tainting: Tainting,
    pub(super) status: u16,
    pub(super) status_text: Vec<u8>,
    pub(super) headers: HeaderList<'static>,
    pub(super) body: Vec<u8>,
}

impl Preloads {
    /// Whether nothing was loaded ahead.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.modules.is_empty()
    }

    pub(super) fn add(&mut self, key: Key, entry: Entry) {
        self.entries.retain(|(k, _)| *k != key);
        self.entries.push((key, entry));
    }

    /// Takes out what a request may have: by a key that `fits`, and by its integrity metadata.
    pub(super) fn consume(&mut self, fits: impl Fn(&Key) -> bool, takes: impl Fn(&str) -> bool, keeps: bool) -> Option<Entry> {
        let index = self.entries.iter().position(|(key, entry)| fits(key) && takes(&entry.integrity))?;
        Some(if keeps { self.entries[index].1.clone() } else { self.entries.remove(index).1 })
    }

    pub(super) fn has_module(&self, document: &str, url: &str) -> bool {
        self.modules.iter().any(|(d, u)| d == document && u == url)
    }

    pub(super) fn add_module(&mut self, document: String, url: String) {
        self.modules.push((document, url));
    }
}
