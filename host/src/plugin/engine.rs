//! The engine that compiles and runs components, and its clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use wasmtime::{Config, Engine};

use crate::awake;

use super::cache::{self, CompileCache};
use super::limits::Limits;

/// How often a computing plugin is looked at: often enough for a limit to bite and for other calls
/// on the same thread to go on, rarely enough to cost nothing that can be measured.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Stack for the host's own side of a call, which runs on the same stack as the plugin: what a
/// thread of Rust's standard library has.
const HOST_STACK_BYTES: usize = 2 << 20;

/// Counts the ticks of an engine.
#[derive(Clone, Default)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub fn advance(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Makes an engine and starts its clock, which stops when the engine is dropped.
///
/// # Errors
/// A text: the cache folder cannot be used, or the limits cannot be met on this machine.
pub(super) fn start(limits: &Limits, cache: &CompileCache) -> Result<(Engine, Clock), String> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        .async_stack_size(limits.stack_bytes.saturating_add(HOST_STACK_BYTES))
        // The contract has no asynchronous functions, and calls are faster without them.
        .concurrency_support(false)
        .cache(cache::open(cache)?);
    let engine = Engine::new(&config).map_err(|error| error.root_cause().to_string())?;
    awake::start().map_err(|error| format!("the clock of limits cannot be started: {error}"))?;
    let clock = Clock::default();
    let (weak, ticking) = (engine.weak(), clock.clone());
    // A thread and not a task: a task does not run while a plugin computes on the last free
    // thread of the executor, which is when it is needed.
    thread::Builder::new()
        .name("iamseal-clock".to_owned())
        .spawn(move || {
            loop {
                thread::sleep(TICK);
                let Some(engine) = weak.upgrade() else { break };
                ticking.advance();
                engine.increment_epoch();
            }
        })
        .map_err(|error| format!("its clock cannot be started: {error}"))?;
    Ok((engine, clock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_ends_with_its_engine() {
        let (engine, clock) = start(&Limits::default(), &CompileCache::Off).unwrap();
        drop(engine);
        // The thread held the other reference.
        while Arc::strong_count(&clock.0) > 1 {
            thread::sleep(TICK);
        }
    }
}
