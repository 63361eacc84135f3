//! `manifest` and `audit --manifest`: what no single object can show.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::kit::audit::findings;
use crate::kit::store::Store;
use crate::kit::{Ended, KEY, KEY_NAME, KEY_WITH_OTHER_BYTES, OTHER_KEY, Tool, tool, with};
use iamseal_tests::samples::damaged;

const ALICE: &str = "config/iam/users/alice/identity.json";
const BOB: &str = "config/iam/users/bob/identity.json";
/// Two that nothing seals.
const FORMAT: &str = "config/iam/format.json";
const HISTORY: &str = "config/history/1.kv";
const TIERS: &str = "config/tier-config.bin";
const NEW: &str = "config/iam/users/new/identity.json";

fn seal(path: &str, plaintext: &str) -> Vec<u8> {
    let seal = tool(with("seal --path", path)).key(KEY);
    seal.input(plaintext).ok().stdout
}

/// Two sealed objects, two plain ones and an exempt one.
fn store() -> Store {
    let store = Store::of([(ALICE, seal(ALICE, "{}")), (BOB, seal(BOB, "{}"))]);
    store.put(FORMAT, r#"{"version":1}"#);
    store.put(HISTORY, "region name=x\n");
    store.put(TIERS, [1, 0, 1, 0, 0x82, 0xa1]);
    store
}

fn file(store: &Store) -> PathBuf {
    store.file("iamseal-manifest")
}

fn kept_in(run: Tool, file: PathBuf) -> Tool {
    run.args(["--manifest".into(), file])
}

fn manifest(store: &Store) -> Tool {
    let run = tool(with("manifest --json", store.root()));
    kept_in(run, file(store)).key(KEY)
}

fn audit(store: &Store) -> Tool {
    let run = tool(with("audit --json", store.root()));
    kept_in(run, file(store)).key(KEY)
}

/// A store that was written down.
fn written() -> Store {
    let store = store();
    manifest(&store).ok();
    store
}

/// The error of a command that did nothing.
fn error(ended: &Ended) -> Value {
    assert!(ended.stdout.is_empty(), "{ended}");
    ended.errors()[0]["error"].clone()
}

#[test]
fn what_is_as_recorded_passes_and_nothing_is_touched() {
    let store = store();
    // A name that is not UTF-8.
    store.put(b"config/history/\xfe.kv", "x");
    let before = store.bytes();
    let (outcomes, summary) = findings(&manifest(&store).ok().says_nothing());
    assert_eq!(outcomes.len(), 6);
    for outcome in outcomes.values() {
        assert_eq!(outcome["outcome"], "added");
    }
    let about = json!({"epoch": 1, "objects": 6, "key": KEY_NAME});
    assert_eq!(summary["manifest"], about);
    let mut after = store.bytes();
    let sealed = after.remove(&b"iamseal-manifest"[..]).unwrap();
    assert_eq!(after, before);
    let shows = |text: &str| {
        sealed
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(!shows("alice") && !shows("\"path\""));

    let seen = store.seen();
    let ended = audit(&store).ok().says_nothing();
    assert_eq!(store.seen(), seen);
    let (findings, summary) = findings(&ended);
    for finding in findings.values() {
        assert_eq!(finding["manifest"], json!({"verdict": "as-recorded"}));
        assert_ne!(finding["verdict"], "fails");
    }
    assert_eq!(summary["objects"], 6);
    let mut compared = summary["manifest"].clone();
    let as_recorded = compared.as_object_mut().unwrap().remove("as_recorded");
    assert_eq!(as_recorded, Some(6.into()));
    assert_eq!(compared, about);
}

/// One thing was done to a store that was written down: each object that is not as recorded, its cause,
/// and the exit code.
#[track_caller]
fn found(store: &Store, expected: &[(&str, &str)], code: i32) -> Vec<Value> {
    let ended = audit(store).run().exits(code);
    let (findings, summary) = findings(&ended);
    let mut odd = 0;
    for (path, finding) in &findings {
        let cause = finding["error"]["cause"].as_str();
        let wanted = expected.iter().find(|(odd, _)| odd == path);
        assert_eq!(cause, wanted.map(|(_, cause)| *cause), "{finding}");
        assert_eq!(finding["verdict"] == "fails", cause.is_some(), "{finding}");
        assert_eq!(
            finding["error"]["cure"].is_string(),
            cause.is_some(),
            "{finding}"
        );
        odd += usize::from(cause.is_some());
    }
    assert_eq!(odd, expected.len());
    let counts = summary["counts"].as_array().unwrap();
    let counts = counts
        .iter()
        .map(|count| count["objects"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), findings.len() as u64);
    assert_eq!(summary["objects"], findings.len());
    let remark = |(path, _): &(&str, &str)| findings[*path]["manifest"].clone();
    expected.iter().map(remark).collect()
}

#[test]
fn an_object_that_was_rolled_back_is_an_older_copy() {
    let store = written();
    let old = store.get(ALICE);
    store.put(ALICE, seal(ALICE, r#"{"denied":true}"#));
    found(&store, &[(ALICE, "changed-since")], 24);
    let (outcomes, summary) = findings(&manifest(&store).ok());
    assert_eq!(outcomes[ALICE]["outcome"], "changed");
    assert_eq!(summary["manifest"]["epoch"], 2);
    found(&store, &[], 0);

    // It opens: its key, path and bytes are right.
    store.put(ALICE, &old);
    let remarks = found(&store, &[(ALICE, "older-copy")], 23);
    assert_eq!(
        remarks[0],
        json!({"verdict": "older-copy", "until_epoch": 1})
    );
    let line = &findings(&audit(&store).run()).0[ALICE];
    assert_eq!(line["found"]["key"], KEY_NAME);
    let plain = kept_in(tool(with("audit", store.root())), file(&store));
    let plain = plain.key(KEY).run().exits(23);
    let plain = plain.prints("why:  it is an older copy, replaced after epoch 1");
    plain.prints("The manifest: epoch 2, 5 objects, sealed under the key my-minio-key.");
}

#[test]
fn objects_that_were_swapped_are_copies_of_each_other() {
    let store = written();
    let (format, history) = (store.get(FORMAT), store.get(HISTORY));
    store.put(FORMAT, &history);
    store.put(HISTORY, &format);
    let odd = [(FORMAT, "copied-from"), (HISTORY, "copied-from")];
    let remarks = found(&store, &odd, 24);
    let from = json!({"verdict": "copied-from", "from": {"path": HISTORY}});
    assert_eq!(remarks[0], from);

    // Of sealed ones the plugin says so itself, and the manifest agrees.
    let store = written();
    let (alice, bob) = (store.get(ALICE), store.get(BOB));
    store.put(ALICE, &bob);
    store.put(BOB, &alice);
    let odd = [(ALICE, "other-path"), (BOB, "other-path")];
    let remarks = found(&store, &odd, 20);
    let from = json!({"verdict": "copied-from", "from": {"path": BOB}});
    assert_eq!(remarks[0], from);
}

#[test]
fn what_was_added_removed_or_changed_is_found() {
    let store = written();
    store.put(NEW, seal(NEW, "{}"));
    found(&store, &[(NEW, "not-recorded")], 24);
    fs::remove_file(store.file(NEW)).unwrap();

    let bob = store.get(BOB);
    fs::remove_file(store.file(BOB)).unwrap();
    let remarks = found(&store, &[(BOB, "missing")], 25);
    assert_eq!(remarks[0], json!({"verdict": "missing"}));
    store.put(BOB, bob);
    found(&store, &[], 0);

    // An exempt file is nobody else's business.
    store.put(TIERS, [1, 0, 1, 0, 0x82, 0xa2]);
    found(&store, &[(TIERS, "changed-since")], 24);
    store.put(FORMAT, r#"{"version":2}"#);
    let both = [(TIERS, "changed-since"), (FORMAT, "changed-since")];
    found(&store, &both, 24);
    fs::remove_file(store.file(ALICE)).unwrap();
    let all = [both[0], both[1], (ALICE, "missing")];
    found(&store, &all, 3);
}

#[test]
fn an_object_that_does_not_open_keeps_its_own_cause() {
    let store = written();
    let alice = store.get(ALICE);
    store.put(ALICE, damaged(alice.clone()));
    let remarks = found(&store, &[(ALICE, "body-not-authentic")], 9);
    assert_eq!(remarks[0], json!({"verdict": "changed-since"}));
    let plain = kept_in(tool(with("audit", store.root())), file(&store));
    let plain = plain.key(KEY).run().exits(9);
    plain.prints("also: it was changed since the manifest was written");

    // What cannot be read is not missing.
    fs::remove_file(store.file(ALICE)).unwrap();
    symlink(store.file(BOB), store.file(ALICE)).unwrap();
    let remarks = found(&store, &[(ALICE, "refused")], 12);
    assert_eq!(remarks[0], json!({"verdict": "not-read"}));
    fs::remove_file(store.file(ALICE)).unwrap();
    fs::remove_file(store.file(TIERS)).unwrap();
    store.put(ALICE, alice);
    symlink(store.file(BOB), store.file(TIERS)).unwrap();
    found(&store, &[(TIERS, "refused")], 12);
    let (outcomes, summary) = findings(&manifest(&store).run().exits(12));
    assert_eq!(outcomes[TIERS]["outcome"], "failed");
    // It stays recorded as it was.
    assert_eq!(summary["manifest"]["objects"], 5);
}

#[test]
fn a_prefix_narrows_what_is_recorded_and_what_can_be_missing() {
    let store = written();
    fs::remove_file(store.file(HISTORY)).unwrap();
    store.put(NEW, seal(NEW, "{}"));
    let users = ["--prefix", "config/iam/users/"];
    let (lines, _) = findings(&audit(&store).args(users).run().exits(24));
    assert_eq!(lines.len(), 3);
    let (outcomes, summary) = findings(&manifest(&store).args(users).ok());
    assert_eq!(outcomes.len(), 3);
    assert_eq!(summary["manifest"]["objects"], 6);
    found(&store, &[(HISTORY, "missing")], 25);
    let (outcomes, summary) = findings(&manifest(&store).ok());
    assert_eq!(outcomes[HISTORY]["outcome"], "removed");
    assert_eq!(summary["manifest"]["objects"], 5);
    found(&store, &[], 0);
}

#[test]
fn a_manifest_that_is_gone_or_not_whole_is_refused() {
    let store = written();
    let whole = fs::read(file(&store)).unwrap();
    let refused = |run: Tool, says: &str| {
        let error = error(&run.run().exits(26));
        assert_eq!(error["cause"], "manifest");
        assert!(error["message"].to_string().contains(says), "{error}");
        assert!(error["cure"].is_string(), "{error}");
    };
    for run in [audit, manifest] {
        fs::write(file(&store), &whole[..whole.len() - 1]).unwrap();
        refused(run(&store), "it was cut short");
        fs::write(file(&store), damaged(whole.clone())).unwrap();
        refused(run(&store), "part 1 of 1 does not open");
        fs::write(file(&store), "something else").unwrap();
        refused(run(&store), "it is no manifest");
        fs::write(file(&store), &whole).unwrap();
        let other = |key| run(&store).key(key);
        refused(other(OTHER_KEY), "my-minio-key");
        refused(other(KEY_WITH_OTHER_BYTES), "part 1 of 1 does not open");
        refused(run(&store).args(["--store-name", "x"]), "does not open");
        assert_eq!(fs::read(file(&store)).unwrap(), whole);
    }
    fs::remove_file(file(&store)).unwrap();
    refused(audit(&store), "there is no such file");
    let remembered = ["--at-least-epoch", "1"];
    refused(manifest(&store).args(remembered), "there is no such file");
    assert!(!file(&store).exists());
    // By itself nothing tells a first manifest from one after the last was removed.
    manifest(&store).ok();
}

#[test]
fn only_whoever_remembers_the_epoch_sees_that_the_manifest_was_put_back() {
    let store = written();
    let (alice, old) = (store.get(ALICE), fs::read(file(&store)).unwrap());
    store.put(ALICE, seal(ALICE, r#"{"denied":true}"#));
    manifest(&store).ok();
    audit(&store).args(["--at-least-epoch", "2"]).ok();
    store.put(ALICE, &alice);
    fs::write(file(&store), &old).unwrap();
    audit(&store).ok();
    for run in [audit, manifest] {
        let ended = run(&store).args(["--at-least-epoch", "2"]).run();
        let error = error(&ended.exits(26));
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("it is of epoch 1, and at least 2 is asked for"));
    }
    let alone = tool(with("audit --at-least-epoch 1", store.root()));
    alone.run().exits(2);
}

#[test]
fn of_two_writers_one_is_told() {
    let store = written();
    let hold = store.hold();
    let mut one = manifest(&store).spawn_unread();
    let mut two = manifest(&store).spawn_unread();
    // Whoever prints has read the manifest, and cannot save while the folder is locked.
    one.until_output();
    two.until_output();
    drop(hold);
    let mut ended = [one.wait(), two.wait()];
    ended.sort_by_key(|ended| ended.code);
    let [won, lost] = ended;
    let (_, summary) = findings(&won.exits(0));
    assert_eq!(summary["manifest"]["epoch"], 2);
    let error = lost.exits(14).errors()[0]["error"].clone();
    assert_eq!(error["cause"], "conflict");
    found(&store, &[], 0);
}

#[test]
fn a_manifest_in_config_is_refused() {
    let store = store();
    let link = store.file("beside");
    symlink(store.file("config/iam"), &link).unwrap();
    for place in [
        store.file("config/iamseal-manifest"),
        store.file("config/iam/../iam/users/manifest"),
        link.join("manifest"),
    ] {
        for command in ["manifest", "audit"] {
            let run = tool(with(command, store.root())).args(["--json"]).key(KEY);
            let error = error(&kept_in(run, place.clone()).run().exits(2));
            assert!(error["message"].to_string().contains("in config/"));
            assert!(error["cure"].to_string().contains("iamseal-manifest"));
        }
    }
    assert_eq!(store.bytes().len(), 5);
}

#[test]
fn it_is_sealed_under_the_key_that_is_asked_for_or_not_at_all() {
    let store = store();
    let keys = |run: Tool| run.file("--keys", OTHER_KEY);
    let (_, summary) = findings(&keys(manifest(&store)).args(["--key", "other-key"]).ok());
    assert_eq!(summary["manifest"]["key"], "other-key");
    audit(&store).run().exits(26);
    let (_, summary) = findings(&keys(audit(&store)).ok());
    assert_eq!(summary["manifest"]["key"], "other-key");

    fs::remove_file(file(&store)).unwrap();
    let none = kept_in(tool(with("manifest", store.root())), file(&store));
    none.run().exits(4);
    assert!(!file(&store).exists());
}
