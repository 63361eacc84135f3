//! `migrate`: from every form to every other, all or nothing for each object.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::kit::migration::{NAMES, all, forms, migrate, outcomes, plain};
use crate::kit::store::Store;
use crate::kit::{BARE, CREDENTIAL, KEY, KEY_NAME, KEY_WITH_OTHER_BYTES, OTHER_KEY, tool, with};
use iamseal_tests::samples::vector;

#[test]
fn from_every_form_to_every_other_and_back() {
    let store = plain();
    let original = store.bytes();
    for (to, form, key) in [
        ("kms", "minio", KEY),
        ("kms --key other-key", "minio", OTHER_KEY),
        ("kms --form compact", "compact", KEY),
        ("kms --form compact --key other-key", "compact", OTHER_KEY),
        ("kms", "minio", KEY),
        ("kms --form compact", "compact", KEY),
        ("plaintext", "plaintext", KEY),
        ("kms --form compact", "compact", KEY),
        ("kms --cipher aes-256-gcm --data-key json", "minio", KEY),
        ("kms --data-key binary", "minio", KEY),
        ("plaintext", "plaintext", KEY),
    ] {
        let before = store.bytes();
        all(
            &migrate(&store, to).args(["--dry-run"]).ok(),
            "would-migrate",
        );
        assert_eq!(store.bytes(), before, "a dry run to {to} wrote");
        all(&migrate(&store, to).ok().says_nothing(), "migrated");
        let forms = forms(&store, key);
        assert_eq!(forms.len(), NAMES.len());
        assert!(forms.values().all(|found| found["form"] == form), "{to}");
        let after = store.bytes();
        let came_or_went = !before.keys().eq(after.keys());
        assert!(!came_or_went, "{to}");

        let seen = store.seen();
        all(&migrate(&store, to).ok(), "unchanged");
        assert_eq!(store.seen(), seen, "{to}: what was right was written again");
    }
    assert_eq!(store.bytes(), original);
}

#[test]
fn from_the_root_credential_to_a_key() {
    let store = Store::new();
    let ids = ["dev-067", "dev-068", "dev-069", "dev-070"];
    for id in ids {
        store.put(
            format!("config/iam/users/{id}/identity.json"),
            vector(id).stored,
        );
    }
    let ended = migrate(&store, "kms").env(CREDENTIAL).ok();
    assert_eq!(outcomes(&ended), [("migrated".to_owned(), 4)].into());
    for line in &ended.json()[..4] {
        let found =
            json!({"form": "root-credential", "key": null, "context": null, "user": "minioadmin"});
        assert_eq!(line["found"], found);
    }
    for id in ids {
        let path = format!("config/iam/users/{id}/identity.json");
        let opened = tool(with("unseal --require sealed --path", &path)).key(KEY);
        assert_eq!(
            opened.input(store.get(&path)).ok().stdout,
            vector(id).plaintext
        );
    }
}

#[test]
fn from_minios_own_objects_to_plaintext() {
    let store = Store::new();
    let vectors = ["dev-013", "dev-038", "dev-039", "dev-040"].map(vector);
    for vector in &vectors {
        store.put(&vector.path, &vector.stored);
    }
    migrate(&store, "plaintext").ok();
    for vector in &vectors {
        assert_eq!(store.get(&vector.path), vector.plaintext);
    }
}

#[test]
fn a_bare_context_is_migrated_to_the_joined_one() {
    let (path, stored) = BARE;
    let store = Store::of([(path, stored)]);
    let ended = migrate(&store, "kms").ok();
    assert_eq!(outcomes(&ended), [("migrated".to_owned(), 1)].into());
    assert_eq!(forms(&store, KEY)[path.as_bytes()]["context"], "joined");
}

#[test]
fn a_key_may_be_replaced_under_its_own_name() {
    let store = plain();
    migrate(&store, "kms").ok();
    let ended = migrate(&store, "kms").key(KEY_WITH_OTHER_BYTES).ok();
    all(&ended, "migrated");
    forms(&store, KEY_WITH_OTHER_BYTES);
}

#[test]
fn for_people_it_names_what_failed_and_counts_the_rest() {
    let store = plain();
    store.put("config/iam/users/bad/identity.json", b"");
    let run = || tool(with("migrate --to kms", store.root())).key(KEY);
    let ended = run().args(["--dry-run"]).run().exits(10).says_nothing();
    let would = ended
        .text()
        .lines()
        .filter(|line| line.starts_with("would-migrate  plaintext"));
    assert_eq!(would.count(), NAMES.len());
    let ended = run().run().exits(10);
    assert!(ended.stderr.contains("to take it back: iamseal undo "));
    let lines: Vec<&str> = ended.text().lines().collect();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        words(lines[0]),
        "failed malformed config/iam/users/bad/identity.json"
    );
    assert_eq!(words(lines[1]), "why: the object is empty");
    assert!(lines[2].starts_with("    cure: "));
    for row in [
        "│ migrated plaintext 7 │",
        "│ failed malformed 1 │",
        "│ total 8 │",
    ] {
        assert!(lines.iter().any(|line| words(line) == row), "{ended}");
    }
}

#[test]
fn a_prefix_narrows_it() {
    let store = plain();
    let ended = migrate(&store, "kms")
        .args(["--prefix", "config/iam/users/"])
        .ok();
    assert_eq!(outcomes(&ended), [("migrated".to_owned(), 2)].into());
    let forms = forms(&store, KEY).into_values();
    assert_eq!(forms.filter(|found| found["key"] == KEY_NAME).count(), 2);
}

#[test]
fn the_mode_of_a_file_is_kept() {
    let store = plain();
    for (name, mode) in NAMES
        .into_iter()
        .zip([0o600, 0o640, 0o644, 0o660, 0o444, 0o400, 0o755])
    {
        fs::set_permissions(store.file(name), Permissions::from_mode(mode)).unwrap();
    }
    let before = store.seen();
    all(&migrate(&store, "kms").ok(), "migrated");
    for (path, seen) in store.seen() {
        assert_eq!(seen.mode, before[&path].mode);
        assert_ne!(seen.bytes, before[&path].bytes);
    }
}
