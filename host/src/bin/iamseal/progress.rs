//! A progress bar for a person who watches, and Ctrl-C and SIGTERM that leave nothing half-done.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::arguments::Common;
use crate::cause::Cause;
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

/// Waits for Ctrl-C and for SIGTERM in the background.
pub struct Interrupt(watch::Receiver<Option<Cause>>);

impl Interrupt {
    /// From here on neither kills the process.
    pub fn listen() -> Result<Self, Failure> {
        // Not `ctrl_c()`, which listens only once its task has run.
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            let cause = tokio::select! {
                _ = interrupts.recv() => Cause::Interrupted,
                _ = terminations.recv() => Cause::Terminated,
            };
            sender.send_replace(Some(cause));
            // Whoever waits must not learn that there is nobody to tell.
            sender.closed().await;
        });
        Ok(Self(receiver))
    }

    /// The failure that says so, if either came.
    pub fn pressed(&self) -> Option<Failure> {
        self.0.borrow().map(interrupted)
    }

    /// The work's result, or the failure that says that either came before it was done. For work that
    /// may be dropped anywhere.
    pub async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let came = async {
            let came = self.0.wait_for(Option::is_some).await;
            came.ok().and_then(|cause| *cause)
        };
        tokio::select! {
            result = work => Ok(result),
            Some(cause) = came => Err(interrupted(cause)),
        }
    }
}

/// What a command says that was interrupted.
fn interrupted(cause: Cause) -> Failure {
    let message = format!("{}; nothing is half-done", cause.name());
    Failure::new(cause, message).with_cure("run it again to finish")
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
