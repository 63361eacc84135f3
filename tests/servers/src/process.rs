//! A server's process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to start or to stop; on a loaded machine MinIO takes some ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// A server that is running. It is killed when this is dropped, and also when this process dies first.
pub struct Running {
    child: Child,
    guardian: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a server whose output goes to the end of `log`, and waits until `is_ready` says so.
    ///
    /// # Panics
    /// If it ends before that, or takes a minute; the message has what it wrote.
    pub fn start(command: &mut Command, log: &Path, is_ready: impl FnMut() -> bool) -> Self {
        let mut running = Self::begin(command, log);
        running.wait_until(is_ready);
        running
    }

    /// The same without waiting.
    ///
    /// # Panics
    /// If it does not start.
    pub fn begin(command: &mut Command, log: &Path) -> Self {
        let output = File::options().create(true).append(true).open(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
        // Reads until this process is gone, whatever ended it.
        let guardian = Command::new("sh")
            .args(["-c", "cat; kill -KILL \"$0\""])
            .arg(child.id().to_string())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            guardian,
            log: log.to_owned(),
        }
    }

    /// Waits until `is_ready` says so.
    ///
    /// # Panics
    /// If the server ends before that, or takes a minute; the message has what it wrote.
    pub fn wait_until(&mut self, mut is_ready: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_ready() {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server has ended, {status}: {}", self.said());
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "the server is not ready: {}",
                self.said()
            );
            thread::sleep(PAUSE);
        }
    }

    /// Waits until `listens` says so, or the server ends by itself. Whether it listens.
    ///
    /// # Panics
    /// If it takes a minute.
    pub fn listens_or_ends(&mut self, mut listens: impl FnMut() -> bool) -> bool {
        let begun = Instant::now();
        loop {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if listens() {
                return true;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "the server does not listen: {}",
                self.said()
            );
            thread::sleep(PAUSE);
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it has ended.
    pub fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).unwrap();
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Panics
    /// If it takes a minute.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not stop");
            thread::sleep(PAUSE);
        }
    }

    /// What it has written so far.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The guardian first: after the wait the process id may be somebody else's.
        let _ = self.guardian.kill();
        let _ = self.guardian.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
