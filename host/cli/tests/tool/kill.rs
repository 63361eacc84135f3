//! Runs that do not reach their end: killed at any moment, or interrupted with Ctrl-C.

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::kit::migration::reported;
use crate::kit::store::Store;
use crate::kit::{KEY, OTHER_KEY, Running, Tool, tool, with};

/// Several batches of the tool's 64.
const OBJECTS: usize = 300;
const KILLS: u32 = 25;
/// What one run after the other wants; each changes every object.
const TARGETS: [(&str, &str, Option<&str>); 4] = [
    ("kms --key other-key", "minio", Some("other-key")),
    ("kms --form compact", "compact", Some("my-minio-key")),
    ("plaintext", "plaintext", None),
    ("kms", "minio", Some("my-minio-key")),
];

type Found = BTreeMap<String, Value>;

/// Plaintext objects in a few folders.
fn plain() -> Store {
    Store::of((0..OBJECTS).map(|number| {
        let path = format!("config/iam/policydb/{}/{number}.json", number % 7);
        (
            path,
            json!({"version": 1, "policy": number.to_string()}).to_string(),
        )
    }))
}

/// A run with both keys.
fn run(command: &str, store: &Store) -> Tool {
    let run = tool(with(command, store.root())).key(KEY);
    run.args(["--json"]).file("--keys", OTHER_KEY)
}

fn migrate(store: &Store, to: &str) -> Tool {
    run(&format!("migrate --to {to}"), store)
}

/// What every object opens as. All of them must open.
#[track_caller]
fn found(store: &Store) -> Found {
    let mut lines = run("audit", store).ok().json_of_objects();
    assert_eq!(lines.pop().unwrap()["summary"]["objects"], OBJECTS);
    lines
        .into_iter()
        .map(|line| (line["path"].as_str().unwrap().into(), line["found"].clone()))
        .collect()
}

fn is(found: &Value, form: &str, key: Option<&str>) -> bool {
    found["form"] == form && found["key"].as_str() == key
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_every_object_whole() {
    let store = plain();
    let originals = store.bytes();
    let start = Instant::now();
    migrate(&store, TARGETS[3].0).ok();
    let whole = start.elapsed();

    let (mut hits, mut halves, mut littered) = (0, 0, 0);
    for kill in 0..KILLS {
        let (to, form, key) = TARGETS[kill as usize % TARGETS.len()];
        let (bytes, before) = (store.bytes(), found(&store));
        let mut run = migrate(&store, to).spawn();
        // From its very beginning to about its end.
        thread::sleep(whole * kill / KILLS);
        run.kill();
        let ended = run.wait();
        hits += usize::from(ended.code.is_none());
        littered += usize::from(store.drafts() > 2);

        let (now, after) = (store.bytes(), found(&store));
        let mut done = 0;
        for (path, found) in &after {
            let is_untouched = now[path.as_bytes()] == bytes[path.as_bytes()];
            let is_new = is(found, form, key);
            assert!(
                is_new || is_untouched,
                "{path} is neither old nor new: {found}"
            );
            assert!(is_new || *found == before[path], "{path}: {found}");
            done += usize::from(!is_untouched);
        }
        for path in reported(&ended) {
            assert!(
                is(&after[&path], form, key),
                "{path} was reported too early"
            );
        }
        halves += usize::from(done > 0 && done < OBJECTS);
    }
    println!(
        "{hits} of {KILLS} kills hit a run under way: {halves} with some objects done and some \
         not, {littered} with drafts left behind"
    );
    assert!(hits > 0, "no kill hit a run under way");

    migrate(&store, "kms").ok();
    assert!(
        found(&store)
            .values()
            .all(|found| is(found, "minio", Some("my-minio-key")))
    );
    assert_eq!(store.drafts(), 0);
    migrate(&store, "plaintext").ok();
    assert!(
        store.bytes() == originals,
        "an object does not hold what it held"
    );
}

#[test]
fn what_a_killed_run_leaves_behind_is_no_object_and_is_removed() {
    let store = plain();
    let before = found(&store);
    let hold = store.hold();
    let mut killed = migrate(&store, "kms").spawn();
    // Not the two on which it tries whether files can be exchanged.
    killed.until("draft", |_| store.drafts() > 2);
    killed.kill();
    assert_eq!(killed.wait().code, None);
    drop(hold);
    let drafts = store.drafts();
    assert!(drafts > 2);
    assert_eq!(found(&store), before);

    let dry = migrate(&store, "kms")
        .args(["--dry-run"])
        .ok()
        .says_nothing();
    assert_eq!(dry.json().len(), OBJECTS + 1);
    assert_eq!(store.drafts(), drafts);
    let note = format!("removed: {drafts} drafts of a killed run");
    let ended = migrate(&store, "kms").ok();
    assert_eq!(ended.errors(), [json!({"note": note})]);
    assert_eq!(store.drafts(), 0);
    migrate(&store, "kms").ok().says_nothing();
}

#[test]
fn an_interrupted_migration_finishes_its_batch_and_says_so() {
    let store = plain();
    let hold = store.hold();
    let running = {
        let mut running = migrate(&store, "kms").spawn();
        running.until("draft", |_| store.drafts() > 2);
        running.interrupt();
        drop(hold);
        running
    };
    let ended = running.wait().exits(130);
    let errors = ended.errors();
    let error = &errors.last().unwrap()["error"];
    assert_eq!(error["cause"], "interrupted");
    assert_eq!(error["message"], "interrupted; nothing is half-done");
    assert_eq!(error["cure"], "run it again to finish");

    let mut lines = ended.json();
    let summary = lines.pop().unwrap()["summary"].clone();
    assert_eq!(summary["interrupted"], true);
    assert_eq!(summary["objects"], lines.len());
    assert!(
        !lines.is_empty() && lines.len() < OBJECTS,
        "{}",
        lines.len()
    );
    assert_eq!(store.drafts(), 0);
    let done = reported(&ended);
    assert_eq!(done.len(), lines.len());
    for (path, found) in found(&store) {
        assert_eq!(found["form"] == "minio", done.contains(&path), "{path}");
    }
    let rest = migrate(&store, "kms").ok();
    assert_eq!(reported(&rest).len(), OBJECTS - done.len());
}

/// An audit of which nothing is read, and that has more to print than a pipe holds.
fn talkative(store: &Store) -> Running {
    let long = "x".repeat(200);
    for number in 0..1000 {
        store.put(format!("config/{long}/{number}"), "{}");
    }
    let mut running = tool(with("audit --json", store.root())).spawn_unread();
    running.until_output();
    running
}

#[test]
fn an_interrupted_audit_stops() {
    let store = Store::new();
    let running = talkative(&store);
    running.interrupt();
    let ended = running.wait().exits(130);
    assert_eq!(ended.errors()[0]["error"]["cause"], "interrupted");
    let lines = ended.json();
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!(summary["interrupted"], true);
    assert!(lines.len() < 1000, "it came to its end");
}

#[test]
fn a_reader_that_has_seen_enough_is_nothing_to_complain_about() {
    let store = Store::new();
    let mut running = talkative(&store);
    running.close();
    let told = running.wait().exits(141).errors();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["summary"]["interrupted"], true);
}
