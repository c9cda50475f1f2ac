//! Combinations of values: which are permitted, and which a family is made of.

use super::{Axis, Family, hash};

/// The value that each axis of a family has, by index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Combination(Vec<u8>);

impl Combination {
    /// A combination of these values.
    pub(super) fn new(values: &[usize]) -> Self {
        // A file with more than 255 values on one axis would be no file that anyone reads.
        Self(values.iter().map(|v| u8::try_from(*v).unwrap_or(u8::MAX)).collect())
    }

    /// The index of each axis's value.
    pub fn values(&self) -> impl ExactSizeIterator<Item = usize> {
        self.0.iter().map(|v| usize::from(*v))
    }

    /// The index of one axis's value.
    pub(super) fn value(&self, axis: usize) -> usize {
        usize::from(self.0[axis])
    }

    /// The same with another value on one axis.
    pub(super) fn with(&self, axis: usize, value: usize) -> Self {
        let mut values: Vec<_> = self.values().collect();
        values[axis] = value;
        Self::new(&values)
    }
}

/// Pairs of values that exclude each other.
#[derive(Debug, Clone)]
pub(super) struct Clashes {
    /// Where the values of each axis begin in the numbering of all values.
    offsets: Vec<usize>,
    /// How many values there are.
    values: usize,
    /// By the numbers of two values.
    pairs: Vec<bool>,
}

/// An axis and one of its values, by index.
type At = (usize, usize);

impl Clashes {
    /// Nothing excludes anything.
    pub(super) fn none(axes: &[Axis]) -> Self {
        let mut values = 0;
        let offsets = axes.iter().map(|axis| {
            values += axis.values.len();
            values - axis.values.len()
        });
        let offsets = offsets.collect();
        Self { offsets, values, pairs: vec![false; values * values] }
    }

    /// These two exclude each other.
    pub(super) fn add(&mut self, a: At, b: At) {
        let (one, other) = (self.pair(a, b), self.pair(b, a));
        self.pairs[one] = true;
        self.pairs[other] = true;
    }

    fn pair(&self, a: At, b: At) -> usize {
        (self.offsets[a.0] + a.1) * self.values + self.offsets[b.0] + b.1
    }

    fn clash(&self, a: At, b: At) -> bool {
        self.pairs[self.pair(a, b)]
    }
}

impl Family {
    /// Whether no two values of a combination exclude each other.
    pub fn permits(&self, combination: &Combination) -> bool {
        let values: Vec<At> = combination.values().enumerate().collect();
        values.iter().enumerate().all(|(i, a)| values[..i].iter().all(|b| !self.clashes.clash(*a, *b)))
    }

    /// How many combinations it permits: all of them can be found by their ids.
    pub fn permitted(&self) -> u128 {
        let free = |axis: usize| {
            let none = |v: usize| {
                let at = (axis, v);
                (0..self.axes.len()).all(|y| (0..self.axes[y].values.len()).all(|w| !self.clashes.clash(at, (y, w))))
            };
            (0..self.axes[axis].values.len()).all(none)
        };
        // Axes that exclude nothing multiply; the others have to be counted out.
        let (free, bound): (Vec<usize>, Vec<usize>) = (0..self.axes.len()).partition(|x| free(*x));
        let mut chosen = vec![None; self.axes.len()];
        let free = free.iter().map(|x| self.axes[*x].values.len() as u128).product::<u128>();
        free * self.count(&bound, &mut chosen)
    }

    fn count(&self, axes: &[usize], chosen: &mut Vec<Option<usize>>) -> u128 {
        let Some((&axis, rest)) = axes.split_first() else { return 1 };
        let mut sum = 0;
        for v in 0..self.axes[axis].values.len() {
            if self.fits((axis, v), chosen) {
                chosen[axis] = Some(v);
                sum += self.count(rest, chosen);
            }
        }
        chosen[axis] = None;
        sum
    }

    /// The combinations that the family is made of: those of its `full` axes, each with every pair of values of the others.
    pub fn combinations(&self) -> Vec<Combination> {
        let mut out = Vec::new();
        let mut chosen = vec![None; self.axes.len()];
        self.products(&self.full, &mut chosen, &mut out);
        out
    }

    fn products(&self, axes: &[usize], chosen: &mut Vec<Option<usize>>, out: &mut Vec<Combination>) {
        let Some((&axis, rest)) = axes.split_first() else {
            Cover::new(self, chosen).rows(out);
            return;
        };
        for v in 0..self.axes[axis].values.len() {
            if self.fits((axis, v), chosen) {
                chosen[axis] = Some(v);
                self.products(rest, chosen, out);
            }
        }
        chosen[axis] = None;
    }

    /// Whether a value excludes none of those chosen on other axes.
    fn fits(&self, at: At, chosen: &[Option<usize>]) -> bool {
        chosen.iter().enumerate().all(|(y, w)| w.is_none_or(|w| y == at.0 || !self.clashes.clash(at, (y, w))))
    }
}

/// Finds rows in which every pair of values of the free axes occurs, beside fixed values of the others.
struct Cover<'a> {
    family: &'a Family,
    fixed: &'a [Option<usize>],
    free: Vec<usize>,
    /// What decides between equals; another one for every choice of fixed values, so that their rows differ.
    seed: String,
    /// Pairs that are in a row already.
    covered: Vec<bool>,
}

impl<'a> Cover<'a> {
    fn new(family: &'a Family, fixed: &'a [Option<usize>]) -> Self {
        let free = (0..family.axes.len()).filter(|x| fixed[*x].is_none()).collect();
        let words = fixed.iter().enumerate().filter_map(|(x, v)| Some(family.axes[x].values[(*v)?].word.as_str()));
        let seed = std::iter::once(family.name.as_str()).chain(words).collect::<Vec<_>>().join(" ");
        Self { family, fixed, free, seed, covered: vec![false; family.clashes.pairs.len()] }
    }

    fn rows(mut self, out: &mut Vec<Combination>) {
        let before = out.len();
        for (a, b) in self.pairs() {
            if self.covered[self.family.clashes.pair(a, b)] {
                continue;
            }
            let mut row = self.fixed.to_vec();
            if !self.place(a, &mut row) || !self.place(b, &mut row) || !self.complete(&mut row) {
                // Values of further axes exclude it.
                continue;
            }
            let values: Vec<usize> = row.iter().map(|v| v.unwrap_or_default()).collect();
            for (i, &x) in self.free.iter().enumerate() {
                for &y in &self.free[..=i] {
                    let (one, other) = ((x, values[x]), (y, values[y]));
                    let (one, other) = (self.family.clashes.pair(one, other), self.family.clashes.pair(other, one));
                    self.covered[one] = true;
                    self.covered[other] = true;
                }
            }
            out.push(Combination::new(&values));
        }
        if self.free.is_empty() && out.len() == before {
            out.push(Combination::new(&self.fixed.iter().map(|v| v.unwrap_or_default()).collect::<Vec<_>>()));
        }
    }

    /// Every pair of values of free axes, and every value by itself, in an order that the seed decides.
    fn pairs(&self) -> Vec<(At, At)> {
        let values = |x: usize| (0..self.family.axes[x].values.len()).map(move |v| (x, v));
        let mut pairs = Vec::new();
        for (i, &x) in self.free.iter().enumerate() {
            pairs.extend(values(x).map(|a| (a, a)));
            for &y in &self.free[..i] {
                pairs.extend(values(x).flat_map(|a| values(y).map(move |b| (a, b))));
            }
        }
        pairs.sort_by_cached_key(|(a, b)| hash([&*self.seed, self.word(*a), self.word(*b)]));
        pairs
    }

    fn word(&self, (x, v): At) -> &str {
        &self.family.axes[x].values[v].word
    }

    fn place(&self, (x, v): At, row: &mut [Option<usize>]) -> bool {
        let fits = row[x].is_none_or(|w| w == v) && self.family.fits((x, v), row);
        if fits {
            row[x] = Some(v);
        }
        fits
    }

    /// Fills what is open in a row, on each axis with the value that brings most new pairs; goes back where values exclude each other.
    fn complete(&self, row: &mut [Option<usize>]) -> bool {
        let Some(&axis) = self.free.iter().find(|x| row[**x].is_none()) else { return true };
        let mut candidates: Vec<usize> = (0..self.family.axes[axis].values.len()).filter(|v| self.family.fits((axis, *v), row)).collect();
        let gain = |v: usize| {
            let new = |(y, w): At| usize::from(!self.covered[self.family.clashes.pair((axis, v), (y, w))]);
            self.free.iter().filter_map(|y| Some((*y, row[*y]?))).map(new).sum::<usize>()
        };
        candidates.sort_by_cached_key(|v| (usize::MAX - gain(*v), hash([&*self.seed, self.word((axis, *v))])));
        for v in candidates {
            row[axis] = Some(v);
            if self.complete(row) {
                return true;
            }
        }
        row[axis] = None;
        false
    }
}
