//! A progress bar for a person who watches.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Common;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::output;
use crate::report::drafts::NAMED;

/// A bar on standard error; none in a pipe and none with `--json`. And what is printed meanwhile on
/// standard output.
pub struct Progress {
    bar: ProgressBar,
    is_verbose: bool,
    /// Whether standard output is for something else than what is said of objects.
    is_beside: bool,
    /// How many objects failed, by cause.
    failed: RefCell<BTreeMap<Cause, u64>>,
}

impl Progress {
    /// A bar for `total` objects, if that is known.
    pub fn new(common: &Common, total: Option<u64>) -> Self {
        let with = |bar| Self {
            bar,
            is_verbose: common.verbose || common.json,
            is_beside: false,
            failed: RefCell::default(),
        };
        if !Self::is_shown(common) {
            return with(ProgressBar::hidden());
        }
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let style = "{bar:30} {pos}/{len} objects, {per_sec}, {eta} left{msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        // Often enough to look alive while one object takes its time.
        bar.enable_steady_tick(Duration::from_millis(200));
        with(bar)
    }

    /// A bar for the proof of a run over so many objects.
    pub fn proving(common: &Common, total: u64) -> Self {
        let progress = Self::new(common, Some(total));
        progress
            .bar
            .set_message("; reading them again for the proof");
        progress
    }

    /// A bar for the seconds that a store is watched for.
    pub fn watching(common: &Common, time: Duration) -> Self {
        let progress = Self::new(common, Some(time.as_secs()));
        let style = "{bar:30} {pos}/{len} s, watching whether a server runs";
        if let Ok(style) = ProgressStyle::with_template(style) {
            progress.bar.set_style(style);
        }
        progress
    }

    /// The same with lines on standard error.
    #[must_use]
    pub fn on_stderr(self) -> Self {
        Self {
            is_beside: true,
            ..self
        }
    }

    /// Whether there is anybody to see it, and so a reason to count the objects.
    pub fn is_shown(common: &Common) -> bool {
        !common.json && output::is_watched()
    }

    /// Prints a line on standard output, or where it belongs, without disturbing the bar.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        self.bar.suspend(|| match self.is_beside {
            false => output::line(text),
            true => {
                output::complain(text);
                Ok(())
            }
        })
    }

    /// Prints lines of an object, which failed if there is a cause: then only if they are among the first
    /// for it.
    pub fn object(&self, cause: Option<Cause>, text: &str) -> Result<(), Failure> {
        let Some(cause) = cause else {
            return self.line(text);
        };
        let mut failed = self.failed.borrow_mut();
        let count = failed.entry(cause).or_default();
        *count += 1;
        match self.is_verbose || *count <= NAMED {
            true => self.line(text),
            false => Ok(()),
        }
    }

    /// Says how many were not named.
    pub fn unnamed(&self) -> Result<(), Failure> {
        let failed = self.failed.borrow();
        for (cause, count) in failed.iter().filter(|_| !self.is_verbose) {
            if let Some(more) = count.checked_sub(NAMED).filter(|more| *more > 0) {
                let cause = cause.name();
                self.line(&format!(
                    "{more} more failed, cause {cause}; --verbose names them"
                ))?;
            }
        }
        Ok(())
    }

    pub fn advance(&self, objects: usize) {
        self.bar.inc(objects as u64);
    }

    /// Says what takes long where objects need keys of root credentials, of which so many were derived.
    pub fn derived(&self, tries: u64) {
        if tries > 0 {
            self.bar.set_message(derived(tries));
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
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
        let progress = Progress {
            bar: ProgressBar::hidden(),
            is_verbose: false,
            is_beside: false,
            failed: RefCell::default(),
        };
        progress.derived(0);
        assert_eq!(progress.bar.message(), "");
        progress.derived(800);
        let wanted = "; deriving keys of root-credential objects: 800 tries";
        assert_eq!(progress.bar.message(), wanted);
    }
}
