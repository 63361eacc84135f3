//! The asynchronous runtime that all tests of one process share, so that tests are plain functions.

use std::future::Future;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::Runtime;

/// Far more than any single operation of a test takes; what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
});

/// Waits for a future.
///
/// # Panics
/// If it takes a minute.
pub fn wait<F: Future>(future: F) -> F::Output {
    let bounded = async { tokio::time::timeout(PATIENCE, future).await };
    RUNTIME.block_on(bounded).expect("it hangs")
}
