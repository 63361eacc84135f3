//! Several processes on one cluster of etcd, each with its share.

use std::collections::BTreeSet;

use iamseal_servers::etcd::Etcd;
use tempfile::TempDir;

use crate::kit::{KEY, Tool, tool, with};

/// Enough for several batches of each share.
const OBJECTS: usize = 300;
const SHARES: usize = 3;

#[test]
fn every_object_is_taken_once_and_a_worker_that_dies_is_run_again() {
    let (etcd, journals) = (Etcd::cluster(), tempfile::tempdir().unwrap());
    let all: BTreeSet<_> = (0..OBJECTS).map(path).collect();
    for path in &all {
        etcd.put(path, format!("{{\"path\":\"{path}\"}}").as_bytes());
    }
    let mut workers: Vec<_> = (1..=SHARES)
        .map(|share| worker(&etcd, &journals, share).spawn_unread())
        .collect();
    let mut dying = workers.remove(0);
    dying.until_output();
    dying.kill();
    dying.wait();

    let again = worker(&etcd, &journals, 1).ok();
    let others = workers.into_iter().map(|running| running.wait().exits(0));
    let mut seen = BTreeSet::new();
    for ended in others.chain([again]) {
        let mut lines = ended.json();
        lines.pop();
        for line in lines {
            let path = line["path"].as_str().unwrap().to_owned();
            assert!(seen.insert(path), "of two shares: {line}");
        }
    }
    assert_eq!(seen, all);
    // Once when it was made, and once by one worker.
    for stored in etcd.get("config/") {
        assert_eq!(stored["version"], 2, "{stored}");
    }
    // What the one that died left behind is plaintext for all that an audit knows.
    tool(with("sweep --json --no-run-under-way", store(&etcd))).ok();
    tool(with("audit --json --require current", store(&etcd)))
        .key(KEY)
        .ok();
}

fn path(number: usize) -> String {
    format!("config/iam/users/user-{number}/identity.json")
}

fn worker(etcd: &Etcd, journals: &TempDir, share: usize) -> Tool {
    let line = format!("migrate --json --to kms --jobs 2 --shard {share}/{SHARES}");
    tool(with(&line, store(etcd)))
        .key(KEY)
        .env([("XDG_STATE_HOME", journals.path())])
}

fn store(etcd: &Etcd) -> String {
    format!("etcd://{}", etcd.addresses().join(","))
}
