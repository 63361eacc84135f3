//! Others that write to the store while a migration is under way.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kit::store::Store;
use crate::kit::{Ended, KEY, OTHER_KEY, Tool, tool, with};

const PLAINTEXT: &[u8] = br#"{"version":1}"#;
const CHANGED: &str = "config/iam/users/1/identity.json";

fn store() -> Store {
    let path = |number| format!("config/iam/users/{number}/identity.json");
    Store::of((0..20).map(|number| (path(number), PLAINTEXT)))
}

fn migrate(store: &Store) -> Tool {
    tool(with("migrate --json --to kms", store.root()))
}

/// A migration during which something happens: after it has read every object and staged its drafts,
/// before it replaces any.
fn meanwhile(store: &Store, happens: impl FnOnce()) -> Ended {
    let hold = store.hold();
    let mut running = migrate(store).key(KEY).spawn();
    running.until("draft of each object", |_| store.drafts() == 20);
    happens();
    drop(hold);
    running.wait()
}

fn outcomes<'a>(lines: &'a [Value], outcome: &str) -> Vec<&'a Value> {
    let those = lines.iter().filter(|line| line["outcome"] == outcome);
    those.collect()
}

/// What an object holds, opened as the policy `current` wants it.
fn opened(store: &Store, key: &str, path: &str) -> Vec<u8> {
    let unseal = tool(with("unseal --require current --path", path));
    unseal.key(key).input(store.get(path)).ok().stdout
}

#[test]
fn an_object_that_was_changed_meanwhile_is_taken_again() {
    let store = store();
    let theirs = br#"{"version":1,"theirs":true}"#;
    let ended = meanwhile(&store, || store.put(CHANGED, theirs)).exits(0);
    let lines = ended.json();
    assert_eq!(outcomes(&lines, "migrated").len(), 20);
    for line in &lines[..20] {
        let times = u64::from(line["path"] == CHANGED);
        assert_eq!(line["retries"], times, "{line}");
    }
    assert_eq!(lines[20]["summary"]["retried"], 1);
    assert_eq!(opened(&store, KEY, CHANGED), theirs);
    assert_eq!(store.drafts(), 0);

    let again = migrate(&store).key(KEY).ok().json();
    assert_eq!(outcomes(&again, "unchanged").len(), 20);
    assert_eq!(again[20]["summary"]["retried"], Value::Null);
}

/// As of a process that was stopped while it replaced objects. To wait for it takes 20 s.
#[test]
fn a_lock_that_is_never_given_back_is_waited_for_once_and_ends_the_run() {
    // Several batches of one worker.
    let path = |number| format!("config/iam/users/{number}/identity.json");
    let store = Store::of((0..600).map(|number| (path(number), PLAINTEXT)));
    let _hold = store.hold();
    let start = Instant::now();
    let migrate = tool(with("migrate --json --to kms --jobs 1", store.root()));
    let ended = migrate.key(KEY).run().exits(13);
    // Two waits would be 40 s.
    assert!(start.elapsed() < Duration::from_secs(38), "{ended}");
    let errors = ended.errors();
    let told = &errors.last().unwrap()["error"];
    let message = "the store failed: another process has kept the store's root locked for 20 s";
    assert_eq!(told["message"], message);
    let cure = told["cure"].as_str().unwrap();
    assert!(cure.starts_with("let that process go on"), "{ended}");
    // It does not go through all that is left.
    assert!(outcomes(&ended.json(), "failed").len() <= 256, "{ended}");
    assert_eq!(store.drafts(), 0);
}

#[test]
fn people_are_told_what_was_taken_again() {
    let store = store();
    let hold = store.hold();
    let mut running = tool(with("migrate --to kms", store.root()))
        .key(KEY)
        .spawn();
    running.until("draft of each object", |_| store.drafts() == 20);
    store.put(CHANGED, b"{}");
    drop(hold);
    let ended = running.wait().exits(0);
    let text = ended.text();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = text.lines().map(words).collect();
    let at = |wanted: &str| lines.iter().position(|line| line == wanted);
    let object = at(&format!("migrated plaintext {CHANGED}"));
    let note = at("note: changed meanwhile, taken again");
    assert_eq!(object.map(|at| at + 1), note, "{ended}");
    assert!(note.is_some(), "{ended}");
    assert!(
        at("│ of them changed meanwhile, taken again 1 │").is_some(),
        "{ended}"
    );
}

#[test]
fn an_object_that_changes_all_the_time_is_left_to_its_writer() {
    let beside = Store::new();
    let stop = AtomicBool::new(false);
    let stop = &stop;
    // Between a read and its commit are several syncs, and much shorter pauses between these writes. A
    // writer that the system did not let run for that long gets another chance.
    for _ in 0..20 {
        let store = store();
        stop.store(false, Relaxed);
        let ended = thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0_u64.. {
                    if stop.load(Relaxed) {
                        break;
                    }
                    beside.put("new", format!("{{\"theirs\":{number}}}"));
                    fs::rename(beside.file("new"), store.file(CHANGED)).unwrap();
                }
            });
            let ended = migrate(&store).key(KEY).run();
            stop.store(true, Relaxed);
            ended
        });
        if ended.code == Some(0) {
            continue;
        }
        let lines = ended.exits(14).json();
        let failed = outcomes(&lines, "failed");
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0]["path"], CHANGED);
        assert_eq!(failed[0]["retries"], 2);
        assert_eq!(failed[0]["error"]["cause"], "conflict");
        assert!(failed[0]["error"]["cure"].to_string().contains("run again"));
        assert_eq!(outcomes(&lines, "migrated").len(), 19);
        assert!(store.get(CHANGED).starts_with(b"{\"theirs\":"));
        assert_eq!(store.drafts(), 0);
        return;
    }
    panic!("no run met a writer that was faster each time");
}

#[test]
fn an_object_that_was_removed_meanwhile_stays_removed() {
    let store = store();
    let remove = || fs::remove_file(store.file(CHANGED)).unwrap();
    let ended = meanwhile(&store, remove).exits(0);
    let lines = ended.json();
    assert_eq!(outcomes(&lines, "migrated").len(), 19);
    assert!(lines.iter().all(|line| line["path"] != CHANGED));
    assert_eq!(lines[19]["summary"]["objects"], 19);
    assert!(!store.file(CHANGED).exists());
    assert_eq!(store.drafts(), 0);
}

/// Two migrations at once that have both read everything before either replaces anything, each with a
/// key of its own for new objects and both to read with.
fn two_at_once(store: &Store, keys: [&str; 2]) -> [Vec<Value>; 2] {
    let both = keys.join("\n");
    let hold = store.hold();
    let [one, two] = keys.map(|key| migrate(store).key(key).file("--keys", &both));
    let mut one = one.spawn();
    one.until("draft of each object", |_| store.drafts() == 20);
    // The second one sweeps first, and must not take the drafts of a living run.
    let mut two = two.spawn();
    two.until("drafts of both", |_| store.drafts() == 40);
    drop(hold);
    let ended = [one.wait(), two.wait()].map(|ended| ended.exits(0).json());
    assert_eq!(store.drafts(), 0);
    ended
}

fn sum(runs: &[Vec<Value>], of: impl Fn(&[Value]) -> usize) -> usize {
    runs.iter().map(|lines| of(lines)).sum()
}

fn retried(lines: &[Value]) -> usize {
    let again = |line: &&Value| line["retries"].as_u64().is_some_and(|times| times > 0);
    lines.iter().filter(again).count()
}

#[test]
fn of_two_migrations_to_one_key_each_object_gets_one() {
    let store = store();
    let runs = two_at_once(&store, [KEY, KEY]);
    assert_eq!(sum(&runs, |lines| outcomes(lines, "migrated").len()), 20);
    assert_eq!(sum(&runs, |lines| outcomes(lines, "unchanged").len()), 20);
    assert_eq!(sum(&runs, retried), 20);
    for path in store.bytes().keys() {
        let path = std::str::from_utf8(path).unwrap();
        assert_eq!(opened(&store, KEY, path), PLAINTEXT);
    }
}

#[test]
fn of_two_migrations_to_two_keys_each_object_gets_both() {
    let store = store();
    let runs = two_at_once(&store, [KEY, OTHER_KEY]);
    assert_eq!(sum(&runs, |lines| outcomes(lines, "migrated").len()), 40);
    assert_eq!(sum(&runs, retried), 20);

    tool(with("migrate --to plaintext", store.root()))
        .file("--keys", &format!("{KEY}\n{OTHER_KEY}"))
        .ok();
    assert!(store.bytes().values().all(|bytes| bytes == PLAINTEXT));
}
