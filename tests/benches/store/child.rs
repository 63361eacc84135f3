//! A process that is measured.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a process is looked at: often against the seconds that it runs, seldom against the
/// microseconds that a look takes.
const PAUSE: Duration = Duration::from_millis(5);

/// What a process took.
pub struct Cost {
    /// From its start to its end.
    pub time: Duration,
    /// The most bytes of it that were in memory at once.
    pub memory: u64,
}

/// Runs a process to its end, on a disk that has nothing else left to write.
///
/// # Panics
/// If it fails. It tells why on standard error.
pub fn measure(command: &mut Command) -> Cost {
    rustix::fs::sync();
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut memory = 0;
    let status = loop {
        // It only ever grows, and is gone with the process: the last look counts.
        memory = resident(&child).unwrap_or(memory);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        sleep(PAUSE);
    };
    let time = begin.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    Cost { time, memory }
}

/// The most bytes of a process that were in memory so far, as Linux counts them.
fn resident(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}
