//! Others that write to the store while a migration is under way.

#![cfg(feature = "tool")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod tool;

use std::fs;

use serde_json::Value;

use tool::store::Store;
use tool::{Ended, KEY, OTHER_KEY, Tool, tool, with};

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

#[test]
fn an_object_that_was_changed_meanwhile_is_kept() {
    let store = store();
    let theirs = br#"{"version":1,"theirs":true}"#;
    let ended = meanwhile(&store, || store.put(CHANGED, theirs)).exits(14);
    let lines = ended.json();
    let failed = outcomes(&lines, "failed");
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["path"], CHANGED);
    assert_eq!(failed[0]["error"]["cause"], "conflict");
    assert!(failed[0]["error"]["cure"].to_string().contains("run again"));
    assert_eq!(outcomes(&lines, "migrated").len(), 19);
    assert_eq!(store.get(CHANGED), theirs);
    assert_eq!(store.drafts(), 0);

    let again = migrate(&store).key(KEY).ok().json();
    assert_eq!(outcomes(&again, "migrated").len(), 1);
}

#[test]
fn an_object_that_was_removed_meanwhile_stays_removed() {
    let store = store();
    let remove = || fs::remove_file(store.file(CHANGED)).unwrap();
    let ended = meanwhile(&store, remove).exits(13);
    let lines = ended.json();
    assert_eq!(outcomes(&lines, "failed")[0]["path"], CHANGED);
    assert_eq!(outcomes(&lines, "migrated").len(), 19);
    assert!(!store.file(CHANGED).exists());
    assert_eq!(store.drafts(), 0);
}

#[test]
fn of_two_migrations_at_once_each_object_gets_one() {
    let store = store();
    let hold = store.hold();
    let mut one = migrate(&store).key(KEY).spawn();
    one.until("draft of each object", |_| store.drafts() == 20);
    // The second one sweeps first, and must not take the drafts of a living run.
    let mut two = migrate(&store).key(OTHER_KEY).spawn();
    two.until("drafts of both", |_| store.drafts() == 40);
    drop(hold);
    let ended = [one.wait(), two.wait()];
    let migrated: usize = ended
        .iter()
        .map(|ended| {
            let lines = ended.json();
            let (migrated, failed) = (outcomes(&lines, "migrated"), outcomes(&lines, "failed"));
            assert!(
                failed
                    .iter()
                    .all(|line| line["error"]["cause"] == "conflict")
            );
            let code = if failed.is_empty() { 0 } else { 14 };
            assert_eq!(ended.code, Some(code), "{ended}");
            assert_eq!(migrated.len() + failed.len(), 20);
            migrated.len()
        })
        .sum();
    assert_eq!(migrated, 20);
    assert_eq!(store.drafts(), 0);

    tool(with("migrate --to plaintext", store.root()))
        .file("--keys", &format!("{KEY}\n{OTHER_KEY}"))
        .ok();
    assert!(store.bytes().values().all(|bytes| bytes == PLAINTEXT));
}
