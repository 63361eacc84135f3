//! What a benchmark was measured on.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::thread;

/// The processor as Linux names it, and how many of it.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        (field.trim() == "model name").then(|| value.trim().to_string())
    });
    let count = thread::available_parallelism().map_or(1, usize::from);
    let model = model.unwrap_or_else(|| "an unnamed processor".to_string());
    format!("{model}, {count} threads, {OS} on {ARCH}")
}
