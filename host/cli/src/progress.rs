//! A progress bar for a person who watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Common;
use crate::failure::Failure;
use crate::output;

/// A bar on standard error; none in a pipe and none with `--json`.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar for `total` objects, if that is known.
    pub fn new(common: &Common, total: Option<u64>) -> Self {
        if !Self::is_shown(common) {
            return Self(ProgressBar::hidden());
        }
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let style = "{bar:30} {pos}/{len} objects, {per_sec}, {eta} left{msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        // Often enough to look alive while one object takes its time.
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// A bar for the proof of a run over so many objects.
    pub fn proving(common: &Common, total: u64) -> Self {
        let progress = Self::new(common, Some(total));
        progress.0.set_message("; reading them again for the proof");
        progress
    }

    /// Whether there is anybody to see it, and so a reason to count the objects.
    pub fn is_shown(common: &Common) -> bool {
        !common.json && output::is_watched()
    }

    /// Prints a line on standard output without disturbing the bar.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        self.0.suspend(|| output::line(text))
    }

    pub fn advance(&self, objects: usize) {
        self.0.inc(objects as u64);
    }

    /// Says what takes long where objects need keys of root credentials, of which so many were derived.
    pub fn derived(&self, tries: u64) {
        if tries > 0 {
            self.0.set_message(derived(tries));
        }
    }

    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Why it is slow, behind what there is to say of the pace.
fn derived(tries: u64) -> String {
    format!("; deriving keys of root-credential objects: {tries} tries")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_slow_is_named_with_how_much_there_was_of_it() {
        let progress = Progress(ProgressBar::hidden());
        progress.derived(0);
        assert_eq!(progress.0.message(), "");
        progress.derived(800);
        let wanted = "; deriving keys of root-credential objects: 800 tries";
        assert_eq!(progress.0.message(), wanted);
    }
}
