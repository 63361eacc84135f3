//! Who may read what: permissions are kept whole or the object is left alone, drafts are their owner's
//! alone, and what others could read is told before it is written.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use rustix::fs::{XattrFlags, getxattr, setxattr};
use serde_json::json;

use crate::kit::disk::not_tested;
use crate::kit::identities::mixed;
use crate::kit::migration::{migrate, plain};
use crate::kit::store::Store;
use crate::kit::{Ended, KEY, run_name, tool, with};

const ACL: &str = "system.posix_acl_access";
const DEFAULT_ACL: &str = "system.posix_acl_default";
/// `nobody`, who owns nothing of the tests.
const NOBODY: u32 = 65534;
/// As Linux keeps it: owner and user 54321 may read and write, the group nothing.
const LIST: [u8; 44] = [
    2, 0, 0, 0, // version
    1, 0, 6, 0, 255, 255, 255, 255, // owner
    2, 0, 6, 0, 0x31, 0xd4, 0, 0, // user 54321
    4, 0, 0, 0, 255, 255, 255, 255, // group
    16, 0, 6, 0, 255, 255, 255, 255, // mask
    32, 0, 0, 0, 255, 255, 255, 255, // others
];

fn set_mode(store: &Store, path: &[u8], mode: u32) {
    fs::set_permissions(store.file(path), Permissions::from_mode(mode)).unwrap();
}

/// Sets an access control list; false, and says so, where the file system has none.
fn put_list(path: &Path, name: &str) -> bool {
    let set = setxattr(path, name, &LIST, XattrFlags::empty());
    if let Err(error) = set {
        not_tested(&format!("{name}: {error}"));
    }
    set.is_ok()
}

fn list(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 1024];
    let size = getxattr(path, ACL, &mut bytes[..]).ok()?;
    bytes.truncate(size);
    Some(bytes)
}

fn notes(ended: &Ended) -> Vec<String> {
    let notes = ended.errors().into_iter();
    notes
        .filter_map(|line| line["note"].as_str().map(String::from))
        .collect()
}

/// The paths of a store that was just made.
fn paths(store: &Store) -> Vec<Vec<u8>> {
    store.bytes().into_keys().collect()
}

#[test]
fn an_access_control_list_outlives_a_migration_and_its_undo() {
    let store = plain();
    let paths = paths(&store);
    for path in &paths {
        if !put_list(&store.file(path), ACL) {
            return;
        }
    }
    let before = store.seen();
    let run = run_name(&migrate(&store, "kms").ok());
    let undo = tool(with("undo --json", store.root()))
        .args([&run])
        .key(KEY);
    for (what, ended) in [("migrated", None), ("undone", Some(undo.ok()))] {
        for path in &paths {
            assert_eq!(list(&store.file(path)).unwrap(), LIST, "{what}");
            let mode = store.file(path).metadata().unwrap().mode();
            assert_eq!(mode, before[path].mode, "{what}");
        }
        drop(ended);
    }
    assert_eq!(
        store.bytes(),
        before
            .into_iter()
            .map(|(path, seen)| (path, seen.bytes))
            .collect()
    );
}

#[test]
fn drafts_are_their_owners_alone() {
    let store = plain();
    migrate(&store, "kms").ok();
    for path in paths(&store) {
        set_mode(&store, &path, 0o644);
        put_list(store.file(&path).parent().unwrap(), DEFAULT_ACL);
    }
    let held = store.hold();
    let mut running = migrate(&store, "plaintext").spawn();
    let is_draft = |path: &[u8]| String::from_utf8_lossy(path).contains("/.iamseal-");
    // One without bytes gives nothing away, whatever list it came to the world with.
    running.until("drafts", |_| store.written_drafts() == 7);
    running.kill();
    running.wait();
    drop(held);
    let mut drafts = 0;
    for (path, seen) in store.seen() {
        if is_draft(&path) {
            drafts += 1;
            assert_eq!(seen.mode & 0o7777, 0o600);
            assert_eq!(list(&store.file(&path)), None);
        }
    }
    assert_eq!(drafts, 7);
}

#[test]
fn plaintext_that_others_can_read_is_told_before_it_is_written() {
    let store = plain();
    let paths = paths(&store);
    let sealed = migrate(&store, "kms").ok();
    sealed.says_nothing();
    let open = [0o640, 0o604, 0o644, 0o755];
    for (path, mode) in paths.iter().zip(open) {
        set_mode(&store, path, mode);
    }
    let before = store.seen();
    let dry = notes(&migrate(&store, "plaintext --dry-run").ok());
    assert_eq!(store.seen(), before);
    let [note] = &dry[..] else { panic!("{dry:?}") };
    assert!(note.starts_with("4 objects will hold plaintext that others than the owner can read"));
    assert!(note.ends_with(", …"), "{note}");
    for path in &paths[..3] {
        // The first three; names are shown as everywhere.
        let name = String::from_utf8_lossy(path).into_owned();
        assert!(note.contains(&name), "{note}");
    }
    let sealing = migrate(&store, "kms --form compact --dry-run").ok();
    sealing.says_nothing();
    // While the writer waits, nothing is written and it is said.
    let held = store.hold();
    let mut running = migrate(&store, "plaintext").spawn();
    running.until("drafts", |_| store.written_drafts() > 0);
    running.kill();
    assert_eq!(notes(&running.wait()), dry);
    drop(held);
    migrate(&store, "kms").ok();

    // And so is what an undo makes plaintext.
    let store = plain();
    let run = run_name(&migrate(&store, "kms").ok());
    set_mode(&store, &paths[0], 0o644);
    let name = String::from_utf8_lossy(&paths[0]).into_owned();
    let undo = |command: &str| tool(with(command, store.root())).args([&run]).key(KEY);
    for command in ["undo --json --dry-run", "undo --json"] {
        let said = notes(&undo(command).ok());
        let [note] = &said[..] else {
            panic!("{said:?}")
        };
        assert!(note.starts_with("1 object will hold plaintext"), "{note}");
        assert!(note.ends_with(&format!(": {name}")), "{note}");
    }
}

/// What is made takes the mode of what is next to it.
#[test]
fn plaintext_that_comes_into_being_for_others_to_read_is_told_too() {
    let store = plain();
    for path in paths(&store) {
        set_mode(&store, &path, 0o644);
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let zip = folder.path().join("iam.zip");
    let export = tool(with("export", mixed().root())).key(KEY).ok();
    fs::write(&zip, export.stdout).unwrap();
    fs::set_permissions(&zip, Permissions::from_mode(0o600)).unwrap();
    let run = |command: &str| {
        let run = tool(with(command, store.root())).key(KEY);
        run.env([("XDG_STATE_HOME", folder.path())])
    };
    let import = |options: &str| {
        let import = run("import --json --only users --name dev/carol --to plaintext");
        let import = import.args([&zip]).args(options.split_whitespace());
        notes(&import.ok())
    };
    let made = "config/iam/users/dev/carol/identity.json";
    // Of several it is the first that counts, whatever the nearest by its name is.
    let users = paths(&store);
    let users = users
        .iter()
        .filter(|path| path.starts_with(b"config/iam/users/"));
    let first = users.min().unwrap();
    set_mode(&store, first, 0o600);
    let after = store.file("config/iam/users/dew/identity.json");
    fs::create_dir(after.parent().unwrap()).unwrap();
    fs::write(&after, "{}").unwrap();
    assert!(after.metadata().unwrap().mode() & 0o044 != 0);
    assert_eq!(import(""), [""; 0]);
    assert_eq!(store.file(made).metadata().unwrap().mode() & 0o7777, 0o600);
    fs::remove_dir_all(store.file("config/iam/users/dev")).unwrap();
    fs::remove_dir_all(after.parent().unwrap()).unwrap();
    set_mode(&store, first, 0o644);

    let (dry, said) = (import("--dry-run"), import(""));
    assert_eq!(dry, said);
    let [note] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(
        note.starts_with("1 object will hold plaintext that others"),
        "{note}"
    );
    assert!(note.ends_with(made), "{note}");

    let other = store.root().join("elsewhere");
    fs::hard_link(store.file(made), &other).unwrap();
    let aside = run("set-aside --json").args([made]).ok();
    assert!(
        notes(&aside)[0].starts_with("1 object with another name"),
        "{aside}"
    );
    let undone = run("undo --json").args([run_name(&aside)]).ok();
    let said = notes(&undone);
    assert!(said[0].starts_with("1 object not there now"), "{said:?}");
    assert_eq!(store.file(made).metadata().unwrap().mode() & 0o7777, 0o644);
}

#[test]
fn an_archive_that_others_can_read_is_told() {
    let (store, folder) = (plain(), tempfile::tempdir().unwrap());
    let zip = folder.path().join("iam.zip");
    fs::write(
        &zip,
        tool(with("export", mixed().root())).key(KEY).ok().stdout,
    )
    .unwrap();
    fs::set_permissions(&zip, Permissions::from_mode(0o644)).unwrap();
    let import = tool(with("import --json --dry-run", store.root())).key(KEY);
    let said = notes(&import.args([&zip]).run());
    assert!(
        said.iter()
            .any(|note| note.contains("iam.zip holds a secret")),
        "{said:?}"
    );
}

#[test]
fn another_name_keeps_the_old_bytes_and_is_told() {
    let store = plain();
    let paths = paths(&store);
    let other = store.root().join("elsewhere");
    fs::hard_link(store.file(&paths[1]), &other).unwrap();
    let old = fs::read(&other).unwrap();
    let name = String::from_utf8_lossy(&paths[1]).into_owned();
    let said = |ended: Ended| {
        let said = notes(&ended);
        let [note] = &said[..] else {
            panic!("{said:?}")
        };
        assert!(
            note.starts_with("1 object with another name (a hard link)"),
            "{note}"
        );
        assert!(note.ends_with(&format!(": {name}")), "{note}");
    };
    said(tool(with("audit --json", store.root())).ok());
    said(migrate(&store, "kms --dry-run").ok());
    said(migrate(&store, "kms").ok());
    assert_eq!(fs::read(&other).unwrap(), old);
    assert_ne!(store.get(&paths[1]), old);
    let after = tool(with("audit --json", store.root())).key(KEY).ok();
    assert!(notes(&after).is_empty());
}

#[test]
fn an_object_whose_permissions_cannot_be_kept_is_left_alone() {
    let store = Store::of([("config/a", "{}"), ("config/b", "{}")]);
    // The owner of one is another user than the one who runs it, which only root can arrange.
    let folder = store.file("config");
    for (path, owner) in [
        (store.file("config/b"), NOBODY),
        (folder, NOBODY),
        (store.root().into(), NOBODY),
    ] {
        if chown(path, Some(owner), Some(owner)).is_err() {
            not_tested("objects of another owner, which only root can make");
            return;
        }
    }
    set_mode(&store, b"config/a", 0o644);
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    chown(home.path(), Some(NOBODY), None).unwrap();
    let before = store.seen();
    let run = tool(with("migrate --json --to kms", store.root())).key(KEY);
    let run = run.env([("XDG_STATE_HOME", home.path())]);
    let ended = run.by_user(NOBODY).run().exits(12);
    let lines = ended.json();
    assert_eq!(lines[0]["path"], "config/a");
    assert_eq!(lines[0]["error"]["cause"], "refused");
    let message = lines[0]["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("the permissions of config/a cannot be kept: its owner 0:0:"),
        "{message}"
    );
    let cure = lines[0]["error"]["cure"].as_str().unwrap();
    assert!(cure.starts_with("run it as root"), "{cure}");
    assert_eq!(lines[1]["outcome"], "migrated");
    let after = store.seen();
    assert_eq!(after[&b"config/a"[..]], before[&b"config/a"[..]]);
    assert_eq!(after.len(), 2);
    // Root can.
    let ended = migrate(&store, "kms").ok();
    assert_eq!(ended.json()[0]["outcome"], json!("migrated"));
    assert_eq!(store.file("config/a").metadata().unwrap().uid(), 0);
}
