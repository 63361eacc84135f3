//! The real tool on disks that fail it: full, read-only, not its own, and with few files to open.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use rustix::process::geteuid;
use serde_json::{Value, json};

use crate::kit::disk::{FULL, READ_ONLY};
use crate::kit::store::Store;
use crate::kit::{Ended, KEY, Tool, disk, tool, with};

const OBJECTS: usize = 60;
/// Somebody who owns nothing: the number that systems give `nobody`, whose name some lack.
const NOBODY: u32 = 65534;

/// Plaintext objects in some folders, which anybody may see.
fn plain() -> Store {
    let store = Store::of((0..OBJECTS).map(|number| {
        let path = format!("config/iam/policydb/{}/{number}.json", number % 7);
        (
            path,
            json!({"version": 1, "policy": number.to_string()}).to_string(),
        )
    }));
    fs::set_permissions(store.root(), Permissions::from_mode(0o755)).unwrap();
    store
}

fn migrate(root: &Path) -> Tool {
    tool(with("migrate --json --to kms", root)).key(KEY)
}

/// How many objects were migrated. Each of the others failed for this cause, and that was said.
#[track_caller]
fn migrated(ended: &Ended, cause: &str) -> usize {
    let mut lines = ended.json();
    let summary = lines.pop().unwrap()["summary"].clone();
    assert_eq!(summary["objects"], lines.len());
    let with = |outcome: &str| {
        let those = lines.iter().filter(|line| line["outcome"] == outcome);
        those.collect::<Vec<_>>()
    };
    let [done, failed, unchanged] = ["migrated", "failed", "unchanged"].map(with);
    assert_eq!(done.len() + failed.len() + unchanged.len(), lines.len());
    for line in &failed {
        let message = line["error"]["message"].as_str().unwrap();
        assert!(message.contains(cause), "{message}");
        assert_eq!(line["error"]["cause"], "storage");
    }
    assert_eq!(ended.code, Some(if failed.is_empty() { 0 } else { 13 }));
    done.len()
}

/// Each object is as it was or sealed; returns how many are sealed. Nothing lies beside them.
#[track_caller]
fn sealed(store: &Store) -> usize {
    let before = plain().bytes();
    let now = store.bytes();
    assert!(now.keys().eq(before.keys()), "{:?}", now.keys());
    let audit = tool(with("audit --json", store.root())).key(KEY).ok();
    let mut lines = audit.json();
    assert_eq!(lines.pop().unwrap()["summary"]["objects"], OBJECTS);
    let is_sealed = |line: &&Value| line["found"]["form"] == "minio";
    for line in lines.iter().filter(|line| !is_sealed(line)) {
        let path = line["path"].as_str().unwrap().as_bytes();
        assert!(now[path] == before[path], "{line}");
    }
    lines.iter().filter(is_sealed).count()
}

/// The whole store is sealed, and holds what it held.
#[track_caller]
fn finished(store: &Store) {
    assert_eq!(sealed(store), OBJECTS);
    tool(with("migrate --to plaintext", store.root()))
        .key(KEY)
        .ok();
    assert!(store.bytes() == plain().bytes());
}

#[test]
fn a_full_disk_fails_the_objects_that_do_not_fit() {
    let Some([during, after]) = disk::run(&plain(), FULL, migrate) else {
        return;
    };
    let done = migrated(&during.ended, "No space left on device");
    assert_eq!(sealed(&during.store), done);
    assert!(0 < done && done < OBJECTS, "{done}");
    assert_eq!(migrated(&after.ended, "nothing fails"), OBJECTS - done);
    finished(&after.store);
}

#[test]
fn a_read_only_disk_is_told_and_stays_as_it_is() {
    let Some([during, after]) = disk::run(&plain(), READ_ONLY, migrate) else {
        return;
    };
    assert_eq!(migrated(&during.ended, "Read-only file system"), 0);
    assert_eq!(sealed(&during.store), 0);
    assert_eq!(migrated(&after.ended, "nothing fails"), OBJECTS);
    finished(&after.store);
}

/// The tool as somebody who may not do all that root may.
fn as_nobody(tool: Tool) -> Tool {
    if geteuid().is_root() {
        // Its own folder for journals.
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nobodys-state");
        fs::create_dir_all(&state).unwrap();
        chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
        tool.env([("XDG_STATE_HOME", state)]).by_user(NOBODY)
    } else {
        tool
    }
}

fn set_mode(store: &Store, path: &str, mode: u32) {
    fs::set_permissions(store.file(path), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn folders_that_may_not_be_written_are_told_and_stay_as_they_are() {
    let store = plain();
    for path in store.bytes().into_keys() {
        set_mode(&store, &String::from_utf8(path).unwrap(), 0o644);
    }
    for number in 0..7 {
        set_mode(&store, &format!("config/iam/policydb/{number}"), 0o555);
    }
    let ended = as_nobody(migrate(store.root())).run();
    assert_eq!(migrated(&ended, "Permission denied"), 0);
    for number in 0..7 {
        set_mode(&store, &format!("config/iam/policydb/{number}"), 0o755);
    }
    assert_eq!(sealed(&store), 0);
    migrate(store.root()).ok();
    finished(&store);
}

#[test]
fn what_may_not_be_read_is_told_and_the_rest_goes_on() {
    let store = plain();
    let folder = "config/iam/policydb/3";
    let object = "config/iam/policydb/4/4.json";
    if geteuid().is_root() {
        for path in store.bytes().into_keys() {
            let file = store.file(&path);
            for given in [file.parent().unwrap(), &file] {
                chown(given, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
    }
    set_mode(&store, folder, 0o000);
    set_mode(&store, object, 0o000);
    let ended = as_nobody(migrate(store.root())).run();
    let done = migrated(&ended, "Permission denied");
    let inside = (0..OBJECTS).filter(|number| number % 7 == 3).count();
    assert_eq!(done, OBJECTS - inside - 1);
    set_mode(&store, folder, 0o755);
    set_mode(&store, object, 0o644);
    assert_eq!(sealed(&store), done);
    as_nobody(migrate(store.root())).ok();
    finished(&store);
}

#[test]
fn an_object_that_is_cut_while_it_is_written_stays_as_it_is() {
    let store = plain();
    let large = json!({"version": 1, "large": "x".repeat(9 << 20)}).to_string();
    store.put("config/large.json", &large);
    // Files of 4 MiB at most, or of 8 where the shell counts otherwise. Less would keep the sandbox
    // from its memory; without the trap the system would kill the tool.
    let tool = migrate(store.root()).after("trap '' XFSZ; ulimit -f 8192");
    // The journal has to hold it too, and what cannot be written down is not changed.
    let done = migrated(&tool.run(), "File too large");
    assert!(done < OBJECTS, "{done}");
    assert!(store.get("config/large.json") == large.as_bytes());
    assert_eq!(store.drafts(), 0);
    fs::remove_file(store.file("config/large.json")).unwrap();
    assert_eq!(sealed(&store), done);
    migrate(store.root()).ok();
    finished(&store);
}

#[test]
fn with_few_files_to_open_it_does_what_it_can_and_says_what_it_could_not() {
    for files in [8, 16, 24, 32, 64, 128] {
        let store = plain();
        let tool = migrate(store.root()).after(&format!("ulimit -n {files}"));
        let ended = tool.run();
        let is_begun = ended
            .json()
            .last()
            .is_some_and(|last| last["summary"]["objects"] != 0);
        if !is_begun {
            // Not even enough to begin.
            assert!(files < 24, "{files}: {ended}");
            assert_ne!(ended.code, Some(0));
            ended.says("Too many open files");
            assert_eq!(sealed(&store), 0);
        } else {
            let done = migrated(&ended, "Too many open files");
            assert_eq!(sealed(&store), done);
            // It takes smaller batches.
            assert!(done == OBJECTS || files < 64, "{files}: {done}");
        }
        migrate(store.root()).ok();
        assert_eq!(sealed(&store), OBJECTS);
    }
}
