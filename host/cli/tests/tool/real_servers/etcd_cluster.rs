//! An etcd of three nodes that loses some of them.

use iamseal_servers::etcd::Etcd;

use super::etcd_sample::{drafts, fill_with, on};
use crate::kit::Ended;

const OBJECTS: usize = 1500;

fn all_open(etcd: &Etcd, require: &str) {
    let audited = on(etcd, &format!("audit --json{require}"));
    let audited = audited.ok().json_of_objects();
    assert_eq!(audited.len(), OBJECTS + 1);
}

fn finishes(etcd: &Etcd) {
    on(etcd, "migrate --json --to kms").ok();
    all_open(etcd, " --require current");
}

/// What a run said failed, it failed for the store and says so.
fn told_clearly(ended: &Ended) {
    for line in ended.json() {
        if line["outcome"] == "failed" {
            assert_eq!(line["error"]["cause"], "storage", "{line}");
        }
    }
}

#[test]
fn a_run_goes_on_when_the_leader_dies_midway() {
    let mut etcd = Etcd::cluster();
    fill_with(&etcd, OBJECTS);
    let mut running = on(&etcd, "migrate --json --to kms").spawn_unread();
    running.until_output();
    let leader = etcd.leader();
    etcd.kill(leader);
    let ended = running.wait().exits(0);
    assert_eq!(ended.json().len(), OBJECTS + 1);
    told_clearly(&ended);
    all_open(&etcd, " --require current");
    finishes(&etcd);
    assert!(drafts(&etcd).is_empty());
}

#[test]
fn a_run_without_most_nodes_ends_clearly_and_the_next_finishes_it() {
    let mut etcd = Etcd::cluster();
    fill_with(&etcd, OBJECTS);
    let mut running = on(&etcd, "migrate --json --to kms").spawn_unread();
    running.until_output();
    let leader = etcd.leader();
    let others: Vec<_> = (0..3).filter(|node| *node != leader).collect();
    for node in &others {
        etcd.kill(*node);
    }
    let ended = running.wait().exits(13).says("etcd gave no answer for");
    told_clearly(&ended);
    on(&etcd, "audit")
        .run()
        .fails(13)
        .says("etcd gave no answer for")
        .says(" cure: see that most nodes of etcd run");
    for node in others {
        etcd.restart(node);
    }
    // Those that the run could not remove.
    on(&etcd, "sweep --no-run-under-way").ok();
    all_open(&etcd, "");
    finishes(&etcd);
}

#[test]
fn a_node_that_is_not_there_is_passed_over() {
    let mut etcd = Etcd::cluster();
    fill_with(&etcd, OBJECTS);
    etcd.kill(0);
    finishes(&etcd);
}
