//! `migrate --watch` on stores that a server keeps.

use std::collections::BTreeMap;

use iamseal_servers::etcd::Etcd;
use rustix::process::Signal;
use serde_json::Value;

use super::etcd_sample::{PREFIX, fill, neighbours, on, values};
use super::s3::{BUCKET, Bucket, PREFIX as IN_BUCKET};
use crate::kit::migration::{NAMES, content};
use crate::kit::{Ended, Running, run_name};

/// What it says when the run before is done.
const WATCHING: &str = "watching the store";
const BOB: &str = "config/iam/users/bob/identity.json";
const CAROL: &str = "config/iam/users/carol/identity.json";

fn text(path: &str) -> Vec<u8> {
    content(path.as_bytes()).into_bytes()
}

fn is_plain(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes).is_ok()
}

fn none_is_plain(objects: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
    !objects.values().any(|bytes| is_plain(bytes))
}

#[track_caller]
fn ended(running: Running) -> Ended {
    running.signal(Signal::TERM);
    let ended = running.wait().exits(0);
    let summary = &ended.json().pop().unwrap()["summary"];
    assert_eq!(summary["interrupted"], false);
    assert_eq!(summary["run"]["differ"], 0, "{ended}");
    ended
}

#[test]
fn etcd_tells_of_what_is_written_also_after_it_was_started_again() {
    let mut etcd = Etcd::start();
    fill(&etcd);
    let (before, others) = (values(&etcd), neighbours(&etcd));
    let journals = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let journal = ["--journal".as_ref(), journals.path().as_os_str()];
    let run = on(&etcd, "migrate --json --to kms --watch").args(journal);
    let mut running = run.spawn();
    running.until_said(WATCHING);
    assert!(none_is_plain(&values(&etcd)));
    etcd.put(&format!("{PREFIX}{BOB}"), &text(BOB));
    running.until("it is sealed", |_| none_is_plain(&values(&etcd)));

    etcd.kill(0);
    etcd.restart(0);
    etcd.put(&format!("{PREFIX}{CAROL}"), &text(CAROL));
    running.until("it is sealed", |_| none_is_plain(&values(&etcd)));
    let ended = ended(running);
    assert_eq!(values(&etcd).len(), NAMES.len() + 2);
    assert_eq!(neighbours(&etcd), others);

    on(&etcd, "undo")
        .args([run_name(&ended)])
        .args(journal)
        .ok();
    let mut expected = before;
    for path in [BOB, CAROL] {
        let key = format!("{PREFIX}{path}");
        expected.insert(key.into_bytes(), text(path));
    }
    assert_eq!(values(&etcd), expected);
}

#[test]
fn etcd_tells_whichever_of_its_nodes_dies() {
    let mut etcd = Etcd::cluster();
    fill(&etcd);
    let mut running = on(&etcd, "migrate --json --to kms --watch").spawn();
    running.until_said(WATCHING);
    for node in 0..3 {
        etcd.kill(node);
        // Until another leads nothing is stored.
        etcd.leader();
        let path = format!("config/iam/users/user-{node}/identity.json");
        etcd.put(&format!("{PREFIX}{path}"), &text(&path));
        running.until("it is sealed", |_| none_is_plain(&values(&etcd)));
        etcd.restart(node);
    }
    ended(running);
    assert_eq!(values(&etcd).len(), NAMES.len() + 3);
}

#[test]
fn etcd_tells_users_too_when_their_tokens_end() {
    let mut etcd = Etcd::start();
    fill(&etcd);
    etcd.let_only_users_in("secret of root");
    let user = [("ETCDCTL_USER", "root:secret of root")];
    let mut running = on(&etcd, "migrate --json --to kms --watch")
        .env(user)
        .spawn();
    running.until_said(WATCHING);
    let all_sealed = |objects| {
        let audit = on(&etcd, "audit --json --require current").env(user).run();
        // And the summary.
        audit.code == Some(0) && audit.json_of_objects().len() == objects + 1
    };
    // Whatever changes the users makes older tokens useless.
    etcd.ctl(&["user", "add", "another:password"]);
    for (path, objects) in [(BOB, NAMES.len() + 1), (CAROL, NAMES.len() + 2)] {
        etcd.put(&format!("{PREFIX}{path}"), &text(path));
        running.until("it is sealed", |_| all_sealed(objects));
    }
    ended(running);
}

#[test]
fn a_bucket_is_looked_at_again_and_again() {
    let bucket = Bucket::plain(20);
    let before = bucket.objects();
    let mut running = bucket.write("migrate --to kms --watch").spawn();
    running.until_said(WATCHING);
    assert!(none_is_plain(&bucket.objects()));
    let place = format!("{BUCKET}/{IN_BUCKET}");
    bucket.minio.upload(&place, [(BOB, text(BOB))]);
    running.until("it is sealed", |_| none_is_plain(&bucket.objects()));
    let ended = ended(running);
    bucket.holds(21, "minio");

    bucket.undo(&run_name(&ended)).ok();
    let mut expected = before;
    expected.insert(BOB.into(), text(BOB));
    assert_eq!(bucket.objects(), expected);
}
