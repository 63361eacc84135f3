//! What calls and the key service took and came to, for a server to export. Without the feature
//! `metrics` it goes no further than `tracing`. Tests of a plugin are not counted.
//! The crate's documentation lists the metrics.

use std::time::Instant;

use iamseal_words::report::cause::Cause;

use crate::contract::KeyError;
use crate::error::Error;

/// A call that is under way. One that is dropped was cancelled.
pub(super) struct Call {
    name: &'static str,
    counter: &'static str,
    histogram: &'static str,
    started: Instant,
    outcome: &'static str,
}

impl Call {
    /// A call of the plugin.
    pub fn begin(name: &'static str) -> Self {
        let (counter, histogram) = ("iamseal_calls_total", "iamseal_call_duration_seconds");
        Self::new(name, counter, histogram)
    }

    /// A call of the key service.
    pub fn of_key_service(name: &'static str) -> Self {
        let counter = "iamseal_key_service_calls_total";
        Self::new(name, counter, "iamseal_key_service_duration_seconds")
    }

    fn new(name: &'static str, counter: &'static str, histogram: &'static str) -> Self {
        Self {
            name,
            counter,
            histogram,
            started: Instant::now(),
            outcome: "cancelled",
        }
    }

    /// Counts a call of the plugin with its outcome.
    pub fn end<T>(mut self, result: &Result<T, Error>) {
        self.outcome = result.as_ref().map_or_else(Error::cause, |_| "ok");
    }

    /// The same of a call of the key service.
    pub fn end_of_key_service<T>(mut self, result: &Result<T, KeyError>) {
        self.outcome = result
            .as_ref()
            .map_or_else(|error| Cause::of_key(error).name(), |_| "ok");
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let (call, outcome, took) = (self.name, self.outcome, self.started.elapsed());
        tracing::trace!(call, outcome, ?took, self.counter, self.histogram);
        #[cfg(feature = "metrics")]
        {
            metrics::counter!(self.counter, "call" => call, "outcome" => outcome).increment(1);
            metrics::histogram!(self.histogram, "call" => call).record(took);
        }
    }
}
