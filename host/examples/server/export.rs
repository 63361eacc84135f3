//! What is counted, for Prometheus. The library counts calls of the plugin and of the key service; the
//! rest is counted here.

use std::time::Duration;

use iamseal::Identity;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// Bounds of the durations in seconds: from a call that seals 512 bytes, some 10 µs, up to the deadline
/// of a call, with Argon2id's 80 ms in between.
const SECONDS: [f64; 12] = [
    10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 1e-3, 5e-3, 25e-3, 100e-3, 500e-3, 5.0, 60.0,
];

/// How often what was recorded is summed up; until then each duration takes a few bytes.
const SUMMING_UP: Duration = Duration::from_secs(5);

/// Begins to count. Once in a process, and within a runtime.
///
/// # Errors
/// It was begun before.
pub fn start() -> Result<PrometheusHandle, BuildError> {
    let exporter = PrometheusBuilder::new().set_buckets(&SECONDS)?;
    let handle = exporter.install_recorder()?;
    describe_counter!("iamseal_calls_total", "Calls of the plugin by outcome");
    describe_histogram!("iamseal_call_duration_seconds", "Duration of calls");
    describe_counter!("http_requests_total", "Answered requests by status");
    describe_counter!("plugin_swaps_total", "Exchanges of the plugin by outcome");
    describe_gauge!(
        "iamseal_migration_objects",
        "Objects of the migration by state"
    );
    describe_gauge!("plugin_info", "1 for the plugin that serves");
    for outcome in ["swapped", "refused", "rolled-back"] {
        counter!("plugin_swaps_total", "outcome" => outcome).absolute(0);
    }
    let summed_up = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SUMMING_UP).await;
            summed_up.run_upkeep();
        }
    });
    Ok(handle)
}

/// Counts an attempt to exchange the plugin.
pub fn swap(outcome: &'static str) {
    counter!("plugin_swaps_total", "outcome" => outcome).increment(1);
}

/// Says which plugin serves.
pub fn serving(identity: &Identity) {
    set(identity, 1.0);
}

/// Says which plugin does not serve any more.
pub fn retired(identity: &Identity) {
    set(identity, 0.0);
}

fn set(identity: &Identity, value: f64) {
    let labels = [
        ("name", identity.name().to_owned()),
        ("version", identity.version().unwrap_or_default().to_owned()),
        ("sha256", identity.digest().to_owned()),
    ];
    gauge!("plugin_info", &labels).set(value);
}

/// Counts an answer.
pub fn answered(status: u16) {
    counter!("http_requests_total", "status" => status.to_string()).increment(1);
}
