//! Strings that are written once and named by their number.

use std::collections::HashMap;

/// A table of strings.
#[derive(Debug, Default)]
pub(super) struct Strings {
    numbers: HashMap<String, usize>,
    list: Vec<String>,
}

impl Strings {
    /// The number of a string.
    pub(super) fn add(&mut self, text: &str) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.numbers.insert(text.to_owned(), self.list.len());
        self.list.push(text.to_owned());
        self.list.len() - 1
    }

    /// The strings by number.
    pub(super) fn into_list(self) -> Vec<String> {
        self.list
    }
}
