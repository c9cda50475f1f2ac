//! Progress on a terminal that can move its cursor: one bar for each browser.

use std::{collections::BTreeMap, io, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    style::Paint,
    tally::{Kind, Tally},
};

/// How often the elapsed time moves on while nothing happens.
const TICK: Duration = Duration::from_millis(250);

/// The bars of a run.
#[derive(Debug)]
pub(crate) struct Bars {
    all: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
    paint: Paint,
}

impl Bars {
    /// Bars on standard error, so that standard output can go elsewhere.
    pub(crate) fn new(paint: Paint) -> Self {
        Self { all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()), bars: BTreeMap::new(), paint }
    }

    /// Adds a bar for a browser that has `cases` before it.
    pub(crate) fn add(&mut self, browser: &str, cases: usize) {
        let bar = self.all.add(ProgressBar::new(cases as u64));
        bar.set_style(style());
        bar.set_prefix(browser.to_owned());
        bar.set_message("starting");
        bar.enable_steady_tick(TICK);
        self.bars.insert(browser.to_owned(), bar);
    }

    /// Shows where a browser stands; `seen` cases have ended for the page, judged or not.
    pub(crate) fn update(&self, browser: &str, tally: &Tally, seen: usize) {
        if let Some(bar) = self.bars.get(browser) {
            bar.set_position(tally.total() as u64);
            bar.set_message(message(self.paint, tally, seen));
        }
    }

    /// Stops the clock of a browser that is done; its bar stays.
    pub(crate) fn finish(&self, browser: &str) {
        if let Some(bar) = self.bars.get(browser) {
            bar.abandon();
        }
    }

    /// Takes the bars off the screen: what follows is final.
    pub(crate) fn clear(&self) -> io::Result<()> {
        for bar in self.bars.values() {
            bar.finish_and_clear();
        }
        self.all.clear()
    }

    /// Runs `print` while the bars are out of the way.
    pub(crate) fn suspended<T>(&self, print: impl FnOnce() -> T) -> T {
        self.all.suspend(print)
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:>9} {bar:24} {pos:>5}/{len}  {wide_msg} {elapsed:>4}")
        // A template of this program; the test below parses it.
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// What stands beside a bar.
fn message(paint: Paint, tally: &Tally, seen: usize) -> String {
    let mut parts = vec![tally.agree_words()];
    if tally.attention() > 0 {
        let worst = Kind::BESIDE_AGREEMENT.iter().copied().find(|&kind| tally.kind(kind) > 0).unwrap_or(Kind::Agrees);
        parts.push(paint.kind(worst, &format!("{} unexpected", tally.attention())));
    }
    if tally.kind(Kind::Known) > 0 {
        parts.push(paint.dim(&format!("{} known", tally.kind(Kind::Known))));
    }
    let waiting = seen.saturating_sub(tally.total());
    if waiting > 0 {
        parts.push(paint.dim(&format!("{waiting} seen, not judged yet")));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn the_template_is_one() {
        assert!(ProgressStyle::with_template("{prefix:>9} {bar:24} {pos:>5}/{len}  {wide_msg} {elapsed:>4}").is_ok());
    }

    #[test]
    fn a_bar_says_how_it_stands() {
        let tally = Tally::of(&fixtures::all(), false);
        insta::assert_snapshot!(message(Paint(false), &Tally::default(), 12), @"0 agree, 12 seen, not judged yet");
        insta::assert_snapshot!(message(Paint(false), &tally, 20), @"1 agrees, 6 unexpected, 1 known, 10 seen, not judged yet");
        insta::assert_snapshot!(message(Paint(true), &tally, 0).replace('\x1b', "^"), @"1 agrees, ^[1;31m6 unexpected^[0m, ^[2m1 known^[0m");
    }
}
