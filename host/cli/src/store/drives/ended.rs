//! Waiting for the end of the server that runs on drives.

use std::fs;
use std::time::Duration;

use tokio::time::sleep;

use crate::failure::Failure;
use crate::report::notes;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(20);

/// Waits until this process has ended: all of its threads, whether anybody has asked for its exit code or not. May be
/// dropped at any time.
///
/// # Errors
/// There is no such process.
pub async fn ended(pid: u32) -> Result<(), Failure> {
    let Some(first) = Process::of(pid) else {
        return Err(notes::no_process(pid).into());
    };
    loop {
        match Process::of(pid) {
            // Another process may have got the number.
            Some(now) if now.started == first.started && !now.is_over => sleep(EVERY).await,
            _ => return Ok(()),
        }
    }
}

/// A process, as the system tells.
struct Process {
    /// When it began, in the system's own count.
    started: String,
    is_over: bool,
}

impl Process {
    fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may hold any.
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ');
        let state = fields.next()?;
        let started = fields.nth(18)?.to_owned();
        let is_dead = matches!(state, "Z" | "X");
        // Its first thread may end before others.
        let others = || {
            let threads = fs::read_dir(format!("/proc/{pid}/task"));
            threads.map_or(0, Iterator::count) > 1
        };
        Some(Self {
            started,
            is_over: is_dead && !others(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn it_is_waited_for_the_end_of_a_process_that_nobody_has_reaped() {
        let mut child = Command::new("sleep").arg("0.3").spawn().unwrap();
        let start = Instant::now();
        ended(child.id())
            .await
            .map_err(|failure| failure.message)
            .unwrap();
        assert!(start.elapsed() >= Duration::from_millis(250));
        let pid = child.id();
        child.wait().unwrap();
        let failure = ended(pid).await.err().unwrap();
        assert!(
            failure.message.contains("no process"),
            "{}",
            failure.message
        );
    }
}
