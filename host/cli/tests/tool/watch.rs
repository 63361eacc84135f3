//! `migrate --watch`: what is written while it stays.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::kit::migration::{NAMES, content, forms, migrate, plain};
use crate::kit::store::Store;
use crate::kit::{Ended, KEY, KEY_NAME, OTHER_KEY, Running, run_name, tool, with};

const ALICE: &str = "config/iam/users/alice/identity.json";
const BOB: &str = "config/iam/users/bob/identity.json";
/// What it says when the run before is done.
const WATCHING: &str = "watching the store; Ctrl-C or SIGTERM ends it";
const BAD: &str = "config/iam/users/bad/identity.json";

/// A migration that stays, when the run before is done.
fn watching(store: &Store) -> Running {
    let mut running = migrate(store, "kms").args(["--watch"]).spawn();
    running.until_said(WATCHING);
    assert!(NAMES.iter().all(|name| is_sealed(store, name)));
    running
}

/// Whether something other than this plaintext stands there.
fn is_sealed(store: &Store, name: &[u8]) -> bool {
    store.get(name) != content(name).into_bytes()
}

/// Ends it as a service manager does.
fn terminated(running: Running) -> Ended {
    running.signal(Signal::TERM);
    running.wait()
}

/// How often a path was told of with this outcome.
fn told(ended: &Ended, path: &str, outcome: &str) -> usize {
    let lines = ended.json().into_iter();
    let is_it = |line: &Value| line["path"] == path && line["outcome"] == outcome;
    lines.filter(is_it).count()
}

fn sealed_under_other(path: &str) -> Vec<u8> {
    let sealed = tool(with("seal --key other-key --path", path)).key(KEY);
    let sealed = sealed.file("--keys", OTHER_KEY);
    sealed.input(content(path.as_bytes())).ok().stdout
}

#[test]
fn what_is_written_later_is_sealed_and_one_undo_takes_all_of_it_back() {
    let store = plain();
    let mut running = watching(&store);
    store.put(BOB, content(BOB.as_bytes()));
    let other = sealed_under_other(ALICE);
    store.put(ALICE, &other);
    running.until("they are sealed", |_| {
        is_sealed(&store, BOB.as_bytes()) && store.get(ALICE) != other
    });
    let ended = terminated(running).exits(0);
    let found = forms(&store, KEY);
    assert_eq!(found.len(), NAMES.len() + 1);
    assert!(found.values().all(|found| found["key"] == KEY_NAME));
    assert_eq!(told(&ended, BOB, "migrated"), 1);
    assert_eq!(told(&ended, ALICE, "migrated"), 2);
    let summary = ended.json().pop().unwrap()["summary"].clone();
    assert_eq!(summary["interrupted"], false);
    assert_eq!(summary["objects"], NAMES.len() + 2);
    assert_eq!(summary["run"]["differ"], 0);
    assert_eq!(summary["run"]["unread"], 0);
    // One line of the proof for each object.
    let proof = summary["run"]["proof"].as_str().unwrap();
    let proof = fs::read_to_string(proof).unwrap();
    assert_eq!(proof.matches(BOB).count(), 1);
    assert_eq!(proof.matches(ALICE).count(), 1);
    assert_eq!(store.drafts(), 0);

    tool(with("undo", store.root()))
        .key(KEY)
        .file("--keys", OTHER_KEY)
        .args([run_name(&ended)])
        .ok();
    // What each was before the run changed it last.
    assert_eq!(store.get(ALICE), other);
    for name in NAMES.iter().filter(|name| **name != ALICE.as_bytes()) {
        assert!(!is_sealed(&store, name));
    }
    assert!(!is_sealed(&store, BOB.as_bytes()));
}

/// What does not open is told once, and what is made good is no failure at the end.
#[test]
fn what_fails_is_told_once_and_counts_as_long_as_it_fails() {
    let store = plain();
    store.put(BAD, "");
    let mut running = watching(&store);
    for name in ["one", "two"] {
        let path = format!("config/iam/users/{name}/identity.json");
        store.put(&path, content(path.as_bytes()));
        running.until("it is sealed", |_| is_sealed(&store, path.as_bytes()));
    }
    running.interrupt();
    let ended = running.wait().exits(10);
    assert_eq!(told(&ended, BAD, "failed"), 1);

    let mut running = migrate(&store, "kms").args(["--watch"]).spawn();
    running.until_said(WATCHING);
    store.put(BAD, content(BAD.as_bytes()));
    running.until("it is sealed", |_| is_sealed(&store, BAD.as_bytes()));
    let ended = terminated(running).exits(0);
    assert_eq!(told(&ended, BAD, "migrated"), 1);
    // A person reads the same.
    let mut running = tool(with("migrate --to kms --watch", store.root()))
        .key(KEY)
        .spawn();
    running.until_said(WATCHING);
    store.put(BAD, content(BAD.as_bytes()));
    running.until("it is sealed", |_| is_sealed(&store, BAD.as_bytes()));
    terminated(running).exits(0).prints(BAD);
}

#[test]
fn what_cannot_be_watched_is_refused_before_anything_is_done() {
    let store = plain();
    let before = store.bytes();
    let refused = |line: &str, says: &str| {
        let ended = tool(with(line, store.root())).key(KEY).run();
        ended.fails(2).says(says);
    };
    refused("migrate --to kms --watch --dry-run", "--dry-run");
    refused(
        "migrate --to plaintext --watch",
        "--watch would lay open all that a server seals later",
    );
    tool(["migrate", "--to", "kms", "--watch", "drives:/nowhere"])
        .key(KEY)
        .run()
        .fails(2)
        .says("drives are written only while no server runs")
        .says("leave out --watch");
    assert_eq!(store.bytes(), before);
}

/// Nothing is changed that is not written down.
#[test]
fn a_journal_that_takes_no_more_ends_it() {
    let store = plain();
    let journals = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let run = migrate(&store, "kms")
        .args(["--watch", "--journal"])
        .args([journals.path()])
        // In blocks of 512 bytes: room for the first run.
        .after("ulimit -f 64");
    let mut running = run.spawn();
    running.until_said(WATCHING);
    for number in 0..200 {
        let path = format!("config/iam/users/u{number}/identity.json");
        store.put(&path, content(path.as_bytes()));
    }
    let ended = running.wait().exits(13);
    assert!(
        ended.stderr.contains("the journal cannot be written"),
        "{ended}"
    );
    // Those that were not written down stand as they were.
    let left = (0..200).filter(|number| {
        let path = format!("config/iam/users/u{number}/identity.json");
        !is_sealed(&store, path.as_bytes())
    });
    assert!(left.count() > 0);
}
