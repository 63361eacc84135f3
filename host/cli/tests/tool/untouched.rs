//! What a migration leaves as it is: what it may not touch and what it cannot open.

use std::fs::File;
use std::os::unix::fs::symlink;

use crate::kit::migration::{NAMES, all, migrate, outcomes, plain};
use crate::kit::store::Store;
use crate::kit::{KEY, OTHER_KEY, tool, with};
use iamseal_tests::samples::{damaged, vector};

const PLAINTEXT: &[u8] = br#"{"version":1}"#;

#[test]
fn a_bad_object_is_left_alone_and_the_rest_is_done() {
    let store = plain();
    let bad = damaged(vector("dev-001").stored);
    store.put("config/iam/users/bad/identity.json", &bad);
    let before = store.seen();
    let ended = migrate(&store, "kms").run().exits(7);
    let counts = outcomes(&ended);
    assert_eq!(
        counts,
        [("failed".to_owned(), 1), ("migrated".to_owned(), 7)].into()
    );
    let path = &b"config/iam/users/bad/identity.json"[..];
    let lines = ended.json();
    let line = lines
        .iter()
        .find(|line| line["outcome"] == "failed")
        .unwrap();
    assert_eq!(line["path"].as_str().unwrap().as_bytes(), path);
    assert_eq!(line["error"]["cause"], "header-not-authentic");
    assert_eq!(store.seen()[path], before[path]);

    store.put("config/iam/users/bad2/identity.json", b"");
    let seen = store.seen();
    let ended = migrate(&store, "kms").run().exits(3);
    let counts = outcomes(&ended);
    assert_eq!(
        counts,
        [("failed".to_owned(), 2), ("unchanged".to_owned(), 7)].into()
    );
    assert_eq!(store.seen(), seen);
}

#[test]
fn what_minio_reads_without_its_encryption_is_not_touched() {
    let store = plain();
    for path in [
        "config/tier-config.bin",
        "config/site-replication/state.json",
    ] {
        store.put(path, PLAINTEXT);
    }
    store.put("backend-encrypted", "encrypted");
    store.put("format.json", PLAINTEXT);
    store.put("buckets/.usage.json", PLAINTEXT);
    store.put("configuration/x", PLAINTEXT);
    let before = store.seen();
    let ended = migrate(&store, "kms").ok();
    let note = ended.errors()[0]["note"].to_string();
    assert!(note.contains("backend-encrypted"));
    let counts = outcomes(&ended);
    assert_eq!(
        counts,
        [("exempt".to_owned(), 2), ("migrated".to_owned(), 7)].into()
    );
    let after = store.seen();
    for (path, seen) in before {
        let is_migrated = NAMES.contains(&path.as_slice());
        assert_eq!(
            after[&path] != seen,
            is_migrated,
            "{}",
            String::from_utf8_lossy(&path)
        );
    }
    // Not even if a prefix takes it in.
    for prefix in ["", "config", "back", "buckets/"] {
        let seen = store.seen();
        let ended = migrate(&store, "kms --form compact")
            .args(["--prefix", prefix])
            .run();
        assert_eq!(
            ended.exits(2).errors()[0]["error"]["cure"],
            "begin it with config/"
        );
        assert_eq!(store.seen(), seen);
    }
}

#[test]
fn without_the_targets_key_nothing_is_touched() {
    let store = plain();
    let before = store.seen();
    let none = tool(with("migrate --to kms", store.root()));
    none.run()
        .exits(4)
        .says("no key was named")
        .says("iamseal keygen");
    let unnamed = tool(with("migrate --to kms", store.root()));
    let unnamed = unnamed.file("--keys", OTHER_KEY);
    unnamed
        .run()
        .exits(4)
        .says("--key can name a key of --keys");
    let absent = tool(with("migrate --to kms --key absent", store.root())).key(KEY);
    absent.run().exits(4).says("\"absent\"").says("--keys");
    let cipher = "migrate --to kms --form compact --cipher aes-256-gcm";
    tool(with(cipher, store.root())).key(KEY).run().fails(2);
    let mixed = "migrate --to plaintext --form compact";
    tool(with(mixed, store.root()))
        .key(KEY)
        .run()
        .fails(2)
        .says("--to plaintext does not go with");
    tool(with("migrate", store.root()))
        .key(KEY)
        .run()
        .fails(2)
        .says("--to");
    assert_eq!(store.seen(), before);
}

#[test]
fn without_the_objects_key_nothing_becomes_plaintext() {
    let store = plain();
    migrate(&store, "kms").ok();
    let before = store.seen();
    let ended = tool(with("migrate --json --to plaintext", store.root())).run();
    all(&ended.exits(4), "failed");
    assert_eq!(store.seen(), before);
}

#[test]
fn what_is_not_text_does_not_become_plaintext() {
    // MinIO would not take it for plaintext when it reads it again.
    let path = "config/iam/users/x/identity.json";
    let sealed = tool(with("seal --path", path))
        .key(KEY)
        .input(b"\xff\xfe\0")
        .ok();
    let store = Store::of([(path, sealed.stdout)]);
    let before = store.seen();
    let ended = migrate(&store, "plaintext").run().exits(12);
    assert_eq!(ended.json()[0]["error"]["cause"], "refused");
    assert_eq!(store.seen(), before);
}

#[test]
fn a_link_is_reported_and_what_it_leads_to_is_not_touched() {
    let store = plain();
    store.put("outside/x.json", PLAINTEXT);
    symlink(store.file("outside/x.json"), store.file("config/file")).unwrap();
    symlink(store.file("outside"), store.file("config/folder")).unwrap();
    let ended = migrate(&store, "kms").run().exits(12);
    let counts = outcomes(&ended);
    assert_eq!(
        counts,
        [("failed".to_owned(), 2), ("migrated".to_owned(), 7)].into()
    );
    assert_eq!(store.get("outside/x.json"), PLAINTEXT);
}

#[test]
fn drives_that_are_not_there_are_told_with_the_cure() {
    tool(with("migrate --to kms", "drives:/d{1...4}"))
        .key(KEY)
        .run()
        .fails(2)
        .says("error: /d1: No such file or directory")
        .says(" cure: give all drives of the server, as drives:/mnt/disk{1...4}");
}

#[test]
fn an_object_that_is_too_large_is_left_alone() {
    let store = plain();
    // A hole in a file takes no space on the disk.
    let file = File::create(store.file("config/huge")).unwrap();
    file.set_len(64 << 20).unwrap();
    let ended = migrate(&store, "kms").run().exits(15);
    let counts = outcomes(&ended);
    assert_eq!(
        counts,
        [("failed".to_owned(), 1), ("migrated".to_owned(), 7)].into()
    );
    let text = ended.text();
    assert!(
        text.contains("67108864 bytes, 16777216 are allowed"),
        "{text}"
    );
    assert_eq!(file.metadata().unwrap().len(), 64 << 20);
}
