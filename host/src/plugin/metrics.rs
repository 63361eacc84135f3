//! What calls and the key service took and came to, for a server to export. Without the feature
//! `metrics` it goes no further than `tracing`. Tests of a plugin are not counted.
//! The crate's documentation lists the metrics.

use std::time::Instant;

use crate::contract::KeyError;
use crate::error::Error;
use crate::error::cause;

/// A call that is under way.
pub(super) struct Call {
    name: &'static str,
    started: Instant,
}

impl Call {
    pub fn begin(name: &'static str) -> Self {
        Self {
            name,
            started: Instant::now(),
        }
    }

    /// Counts a call of the plugin.
    pub fn end<T>(self, result: &Result<T, Error>) {
        let outcome = result.as_ref().map_or_else(Error::cause, |_| "ok");
        self.count(
            "iamseal_calls_total",
            "iamseal_call_duration_seconds",
            outcome,
        );
    }

    /// Counts a call of the key service.
    pub fn end_of_key_service<T>(self, result: &Result<T, KeyError>) {
        let outcome = result.as_ref().map_or_else(cause::key, |_| "ok");
        self.count(
            "iamseal_key_service_calls_total",
            "iamseal_key_service_duration_seconds",
            outcome,
        );
    }

    fn count(self, calls: &'static str, durations: &'static str, outcome: &'static str) {
        let Self { name, started } = self;
        let took = started.elapsed();
        tracing::trace!(call = name, outcome, ?took);
        #[cfg(feature = "metrics")]
        {
            metrics::counter!(calls, "call" => name, "outcome" => outcome).increment(1);
            metrics::histogram!(durations, "call" => name).record(took);
        }
        #[cfg(not(feature = "metrics"))]
        let _ = (calls, durations);
    }
}
