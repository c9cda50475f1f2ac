//! The ids of combinations: the words of their values in the order of the axes, without those of first values.
//!
//! So an id says what differs from the simplest case, stays when values or axes are added behind, and can be read back.

use super::{AREA, Axis, Combination, Family};
use crate::case::CaseId;

/// The slug of the combination in which every axis has its first value.
const PLAIN: &str = "plain";

impl Family {
    /// The id of a combination.
    pub fn id(&self, combination: &Combination) -> String {
        let words = self.words(combination);
        format!("{AREA}{}/{}", self.name, if words.is_empty() { PLAIN.to_owned() } else { words.join("-") })
    }

    /// The words of the values that are not the first of their axis.
    pub fn words(&self, combination: &Combination) -> Vec<&str> {
        let values = self.axes.iter().zip(combination.values());
        values.filter(|(_, v)| *v > 0).map(|(axis, v)| axis.values[v].word.as_str()).collect()
    }

    /// The combination that a slug stands for, if the family permits it.
    pub(super) fn decode(&self, slug: &str) -> Option<Combination> {
        let mut chosen = vec![0; self.axes.len()];
        if slug != PLAIN && !read(&self.axes, slug, &mut chosen) {
            return None;
        }
        let combination = Combination::new(&chosen);
        self.permits(&combination).then_some(combination)
    }
}

/// Reads words off a slug, axis by axis. [`check`] has seen to it that there is one way at most to read any.
fn read(axes: &[Axis], slug: &str, chosen: &mut [usize]) -> bool {
    let Some((axis, rest)) = axes.split_first() else { return false };
    let (mine, others) = chosen.split_at_mut(1);
    for (v, value) in axis.values.iter().enumerate().skip(1) {
        let done = match slug.strip_prefix(value.word.as_str()) {
            Some("") => {
                others.fill(0);
                true
            }
            Some(after) => after.strip_prefix('-').is_some_and(|after| read(rest, after, others)),
            None => false,
        };
        if done {
            mine[0] = v;
            return true;
        }
    }
    mine[0] = 0;
    read(rest, slug, others)
}

/// Whether words can be told apart in ids: the axis and value of the first that cannot, and why.
pub(super) fn check(axes: &[Axis]) -> Result<(), (usize, usize, String)> {
    let words = || axes.iter().enumerate().flat_map(|(x, axis)| axis.values.iter().enumerate().map(move |(v, value)| (x, v, &*value.word)));
    let piece = |word: &str| word.split('-').next().map(str::to_owned);
    for (x, v, word) in words() {
        let wrong = |message: String| Err((x, v, message));
        if CaseId::parse(&format!("area/{word}")).is_err() {
            return wrong(format!("`{word}` cannot stand in an id: lower-case letters, digits and inner hyphens can"));
        }
        if word == PLAIN && v > 0 {
            return wrong(format!("`{PLAIN}` in an id stands for the first value of every axis"));
        }
        for (y, w, other) in words().filter(|(y, w, _)| (*y, *w) != (x, v)) {
            if other == word && (y, w) < (x, v) {
                return wrong(format!("`{word}` is a value of the axis `{}` already", axes[y].name));
            }
            // What is left when a shorter word was read must not look like the beginning of another. First values are never read.
            let left = word.strip_prefix(other).and_then(|left| left.strip_prefix('-')).filter(|_| v > 0 && w > 0);
            if let Some(left) = left
                && words().any(|(_, v, any)| v > 0 && piece(any) == piece(left))
            {
                return wrong(format!("`{word}` could be read as `{other}` and another word that begins like `{left}`"));
            }
        }
    }
    Ok(())
}
