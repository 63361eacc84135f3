//! Time that a process spends stopped, as by Ctrl-Z, is nobody's: no limit is reached by it.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use iamseal::contract::{Policy, SealOptions, StorageError};
use iamseal::storage::{Cursor, Storage, Stored};
use iamseal::{AuditScope, Limits, Plugin};
use rustix::process::{Pid, Signal, kill_process};

/// Says to a process of this test's own program which work it is to do.
const WORK: &str = "IAMSEAL_TEST_STOPPED";
/// Said by that process when it is about to be busy.
const BUSY: &str = "busy";
/// The work alone takes a third of it.
const LIMIT: Duration = Duration::from_secs(3);
const STOP: Duration = Duration::from_secs(4);

/// A store that takes a second for an answer, a little at a time.
struct Slow;

async fn take_a_second() {
    eprintln!("{BUSY}");
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[async_trait]
impl Storage for Slow {
    async fn list(&self, _: &[u8], _: Option<&[u8]>) -> Result<Box<dyn Cursor>, StorageError> {
        Ok(Box::new(Slow))
    }

    async fn read(&self, _: &[u8]) -> Result<Stored, StorageError> {
        Err(StorageError::NotFound)
    }
}

#[async_trait]
impl Cursor for Slow {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        take_a_second().await;
        Ok(Vec::new())
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.deadline = LIMIT;
    limits.guest_time = LIMIT;
    limits
}

/// Runs a work in a process of its own and stops that in the midst of it.
#[track_caller]
fn survives_a_stop(work: &str) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "stopped::the_work", "--nocapture"])
        .env(WORK, work)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(BUSY) {
        let read = stderr.read_line(&mut said).unwrap();
        assert!(read > 0, "it ended: {said}");
    }
    thread::sleep(Duration::from_millis(100));
    kill_process(pid, Signal::STOP).unwrap();
    thread::sleep(STOP);
    kill_process(pid, Signal::CONT).unwrap();
    stderr.read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{work}: {said}");
}

/// What the process does that is stopped.
#[tokio::test]
async fn the_work() {
    match env::var(WORK).as_deref() {
        Ok("waiting") => {
            let plugin = Plugin::builder().component(iamseal_component::PLUGIN);
            let plugin = plugin.storage(Arc::new(Slow)).limits(limits());
            let plugin = plugin.load().await.unwrap();
            let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
            assert!(audit.next(1).await.unwrap().is_empty());
        }
        Ok("computing") => {
            let plugin = iamseal_tests::hostile::Guest {
                seal: "(local.set 0 (i32.const 0))
                       (loop (br_if 0 (i32.lt_u
                           (local.tee 0 (i32.add (local.get 0) (i32.const 1)))
                           (i32.const 600000000))))
                       (call $ok (i32.const 0) (i32.const 0))",
                ..iamseal_tests::hostile::Guest::default()
            };
            let plugin = plugin.plugin().limits(limits()).load().await.unwrap();
            eprintln!("{BUSY}");
            let begun = Instant::now();
            plugin
                .seal(iamseal_tests::hostile::ILL, b"", &SealOptions::default())
                .await
                .unwrap();
            assert!(begun.elapsed() > STOP, "it was done before it was stopped");
        }
        Ok("waiting for an instance") => {
            let mut limits = limits();
            limits.instances_in_use = 1;
            let plugin = Plugin::builder().component(iamseal_component::PLUGIN);
            let plugin = plugin.storage(Arc::new(Slow)).limits(limits);
            let plugin = plugin.load().await.unwrap();
            let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
            let waiting = async {
                // Only when the audit is at it.
                tokio::time::sleep(Duration::from_millis(50)).await;
                plugin.unseal(b"path", b"{}", Policy::Compatible).await
            };
            let (ended, opened) = tokio::join!(audit.next(1), waiting);
            assert!(ended.unwrap().is_empty());
            assert_eq!(*opened.unwrap().plaintext, b"{}");
        }
        _ => {}
    }
}

#[test]
fn a_call_that_waits_for_the_store() {
    survives_a_stop("waiting");
}

#[test]
fn a_call_that_computes() {
    survives_a_stop("computing");
}

#[test]
fn a_call_that_waits_for_an_instance() {
    survives_a_stop("waiting for an instance");
}
