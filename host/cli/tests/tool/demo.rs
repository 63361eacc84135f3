//! `demo`: it runs through, on a folder of its own, and shows every form.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use serde_json::Value;

use crate::kit::store::Store;
use crate::kit::{tool, with};

#[test]
fn it_shows_every_form_migrated() {
    let ended = tool(["demo", "--json"]).ok().says_nothing();
    let lines = ended.json();
    let summaries: Vec<&Value> = lines
        .iter()
        .map(|line| &line["summary"])
        .filter(|summary| summary.is_object())
        .collect();
    let [before, migration, after] = summaries[..] else {
        panic!("{ended}");
    };
    let has = |summary: &Value, name: &str, value: &str| {
        let counts = summary["counts"].as_array().unwrap();
        counts.iter().any(|count| count[name] == value)
    };
    for form in ["plaintext", "root-credential", "minio", "compact"] {
        assert!(has(before, "form", form), "{form}: {before}");
        assert!(has(migration, "form", form), "{form}: {migration}");
        assert_eq!(has(after, "form", form), form == "minio", "{form}: {after}");
    }
    assert!(has(after, "key", "new-key"), "{after}");
    assert_eq!(before["objects"], after["objects"]);
    tool(["demo"])
        .ok()
        .says_nothing()
        .prints("$ iamseal migrate store --to kms");
}

#[test]
fn what_it_leaves_can_be_gone_on_with() {
    let store = Store::new();
    let folder = store.file("sample");
    tool(with("demo", &folder))
        .ok()
        .prints("To go on by hand: cd ");
    let key = fs::read_to_string(folder.join("new.key")).unwrap();
    for secret in ["new.key", "old.keys", "old.credentials"] {
        let mode = fs::metadata(folder.join(secret)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    let audit = tool(with("audit --json", folder.join("store"))).key(&key);
    // One object is damaged on purpose.
    let ended = audit
        .args(with("--keys", folder.join("old.keys")))
        .run()
        .exits(9);
    let fails = ended
        .json()
        .into_iter()
        .filter(|line| line["verdict"] == "fails");
    assert_eq!(fails.count(), 1);
}

#[test]
fn it_takes_no_folder_that_holds_anything() {
    let store = Store::of([("new.key", "precious"), ("store/config/config.json", "{}")]);
    let before = store.seen();
    tool(with("demo", store.root()))
        .run()
        .fails(2)
        .says("is not empty")
        .says(" cure: give a folder that is not there yet");
    assert_eq!(store.seen(), before);
    tool(with("demo", store.file("new.key"))).run().fails(13);
}
