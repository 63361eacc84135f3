//! `set-aside`: objects out of the server's way, and back.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::kit::disk::mounted;
use crate::kit::drives::{Drives, keys};
use crate::kit::migration::{content, outcomes};
use crate::kit::store::Store;
use crate::kit::{Ended, KEY, OTHER_KEY, Tool, run_name, tool, with};
use iamseal_tests::samples::damaged;

const ALICE: &str = "config/iam/users/alice/identity.json";
const FORMAT: &str = "config/iam/format.json";
const GARBAGE: &str = "config/iam/policies/dataread/policy.json";
const LOST_KEY: &str = "config/iam/groups/admins/members.json";
const TIERS: &str = "config/tier-config.bin";

struct Journals(TempDir);

impl Journals {
    fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, command: &str, store: &Store) -> Tool {
        let tool = tool(with(command, store.root()));
        tool.args(["--journal".as_ref(), self.path()])
    }

    /// The text of all journals.
    fn text(&self) -> String {
        let files = fs::read_dir(self.path()).unwrap();
        let files = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        files.collect()
    }
}

/// Plaintext, one object under a key that nobody has, and one that is nothing.
fn store() -> Store {
    let store = Store::of([ALICE, FORMAT].map(|path| (path, content(path.as_bytes()))));
    store.put(GARBAGE, b"\x89PNG garbage that nobody can read");
    let sealed = tool(["seal", "--path", LOST_KEY]).key(OTHER_KEY);
    store.put(LOST_KEY, sealed.input("{\"members\":[]}").ok().stdout);
    store.put(TIERS, [1, 0, 1, 0, 0x82, 0xa1]);
    fs::set_permissions(store.file(GARBAGE), Permissions::from_mode(0o640)).unwrap();
    store
}

/// What was said of the objects before anything was done.
fn losses(ended: &Ended) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = ended.json().into_iter();
    let plans = lines.filter_map(|line| line.get("plan").cloned());
    plans
        .map(|plan| (text(&plan["path"]), text(&plan["loss"])))
        .collect()
}

#[test]
fn what_fails_goes_into_the_journal_and_comes_back_as_it_was() {
    let (store, journals) = (store(), Journals::new());
    let before = store.seen();
    let failing = "set-aside --json --failing unknown-form --failing key-not-found";
    let dry = journals
        .run(failing, &store)
        .args(["--dry-run"])
        .key(KEY)
        .ok();
    let wanted = [
        (LOST_KEY, "the group admins and who is in it"),
        (
            GARBAGE,
            "the policy dataread: whoever has it alone may do nothing",
        ),
    ];
    let wanted = wanted.map(|(path, loss)| (path.to_owned(), loss.to_owned()));
    assert_eq!(losses(&dry), wanted);
    assert_eq!(store.seen(), before);
    assert!(!journals.text().contains("change"));

    let ended = journals.run(failing, &store).key(KEY).ok();
    assert_eq!(losses(&ended), wanted);
    let left: Vec<_> = store.bytes().into_keys().collect();
    assert_eq!(
        left,
        [FORMAT, ALICE, TIERS].map(|path| path.as_bytes().to_vec())
    );
    // The garbage may be plaintext: no journal shows it.
    assert!(!journals.text().contains("garbage"));
    let encoded = iamseal_tests::samples::encode(&before[GARBAGE.as_bytes()].bytes);
    assert!(!journals.text().contains(&encoded));

    let undone = journals
        .run("undo --json", &store)
        .args([run_name(&ended)])
        .key(KEY);
    let undone = undone.ok();
    assert_eq!(outcomes(&undone), [("restored".to_owned(), 2)].into());
    let shown = |store: &Store| {
        let seen = store.seen().into_iter();
        seen.map(|(path, seen)| (path, seen.bytes, seen.mode))
            .collect::<Vec<_>>()
    };
    let as_before: Vec<_> = before
        .iter()
        .map(|(path, seen)| (path.clone(), seen.bytes.clone(), seen.mode))
        .collect();
    assert_eq!(shown(&store), as_before);

    // And that is taken back too.
    let again = journals
        .run("undo --json", &store)
        .args([run_name(&undone)])
        .key(KEY);
    assert_eq!(outcomes(&again.ok()), [("restored".to_owned(), 2)].into());
    assert_eq!(store.bytes().len(), 3);
}

#[test]
fn what_others_have_done_since_is_kept() {
    let (store, journals) = (store(), Journals::new());
    let aside = |path: &str| {
        journals
            .run("set-aside --json", &store)
            .args([path])
            .key(KEY)
    };
    let ended = aside(GARBAGE).ok();
    store.put(GARBAGE, "{\"theirs\":true}");
    let undo = || {
        journals
            .run("undo --json", &store)
            .args([run_name(&ended)])
            .key(KEY)
    };
    let undone = undo().run().exits(14);
    assert_eq!(outcomes(&undone), [("changed-since".to_owned(), 1)].into());
    assert_eq!(store.get(GARBAGE), b"{\"theirs\":true}");
    fs::remove_file(store.file(GARBAGE)).unwrap();
    assert_eq!(outcomes(&undo().ok()), [("restored".to_owned(), 1)].into());
    assert_eq!(outcomes(&undo().ok()), [("unchanged".to_owned(), 1)].into());
}

#[test]
fn a_server_writes_its_format_anew_and_exempt_files_go_only_if_they_are_named() {
    let (store, journals) = (store(), Journals::new());
    store.put(FORMAT, b"\x89PNG");
    let failing = journals.run("set-aside --json --failing unknown-form", &store);
    let ended = failing.args(["--dry-run"]).key(KEY).ok();
    let told: Vec<_> = losses(&ended).into_iter().map(|(path, _)| path).collect();
    assert_eq!(told, [FORMAT, GARBAGE]);
    let ended = journals
        .run("set-aside --json", &store)
        .args([TIERS])
        .key(KEY)
        .ok();
    assert!(!store.file(TIERS).exists());
    let undo = journals
        .run("undo", &store)
        .args([run_name(&ended)])
        .key(KEY);
    undo.ok();
    assert_eq!(store.get(TIERS), [1, 0, 1, 0, 0x82, 0xa1]);
}

#[test]
fn without_a_key_nothing_that_may_be_plaintext_goes() {
    let (store, journals) = (store(), Journals::new());
    let before = store.seen();
    let ended = journals
        .run("set-aside", &store)
        .args([GARBAGE, ALICE])
        .run()
        .exits(12);
    assert!(ended.text().contains("iamseal keygen"), "{ended}");
    assert_eq!(store.seen(), before);
    // What is sealed does, and a key that nobody asked for does no harm.
    journals.run("set-aside", &store).args([LOST_KEY]).ok();
    assert!(!store.file(LOST_KEY).exists());
}

#[test]
fn paths_elsewhere_unknown_causes_and_nothing_at_all_are_wrong_usage() {
    let (store, journals) = (store(), Journals::new());
    let before = store.seen();
    for line in [
        "format.json",
        ".minio.sys/config/config.json",
        "../config/x",
        "--failing nonsense",
        "",
    ] {
        let run = journals
            .run("set-aside", &store)
            .args(line.split_whitespace());
        run.key(KEY).run().exits(2);
    }
    let ended = journals
        .run("set-aside", &store)
        .args(["config/none"])
        .key(KEY)
        .run();
    ended.exits(13).prints("failed");
    let nothing = journals
        .run("set-aside --failing malformed", &store)
        .key(KEY)
        .ok();
    nothing.says("no object fails for that cause");
    assert_eq!(store.seen(), before);
}

#[test]
fn only_plain_files_go_and_each_fails_on_its_own() {
    let (store, journals) = (store(), Journals::new());
    symlink("nowhere", store.file("config/iam/link")).unwrap();
    let mut bytes = store.get(LOST_KEY);
    bytes = damaged(bytes);
    store.put(LOST_KEY, bytes);
    let ended = journals.run("set-aside --json", &store);
    let ended = ended.args(["config/iam/link", GARBAGE, LOST_KEY]).key(KEY);
    let ended = ended.file("--keys", OTHER_KEY).run().exits(12);
    let wanted = [("failed".to_owned(), 1), ("set-aside".to_owned(), 2)];
    let mut lines = ended.json();
    lines.retain(|line| line.get("plan").is_none() && line.get("summary").is_none());
    let mut counts = std::collections::BTreeMap::new();
    for line in &lines {
        *counts
            .entry(line["outcome"].as_str().unwrap().to_owned())
            .or_insert(0) += 1;
    }
    assert_eq!(counts, wanted.into());
    assert!(store.file("config/iam/link").is_symlink());
}

#[test]
fn on_drives_an_object_goes_and_comes_back() {
    let drives = Drives::of("four-sealed.tar.gz");
    let journals = Journals::new();
    let run = |command: &str, operand: &str| {
        let tool = tool(
            command
                .split_whitespace()
                .map(str::to_owned)
                .chain([drives.store(), operand.to_owned()]),
        );
        tool.args(["--journal".as_ref(), journals.path()])
            .file("--keys", &keys())
    };
    let content = || tool(["unseal", "--path", ALICE, &drives.store()]).file("--keys", &keys());
    let alice = content().ok().stdout;
    let ended = run("set-aside --json --server-is-stopped", ALICE).ok();
    assert_eq!(
        losses(&ended)[0].1,
        "the user alice and the secret key; what is alice\'s stays: service accounts, and policies, which the next user of that name gets"
    );
    content().run().fails(13);
    assert!(!drives.file(1, ALICE).exists());
    run("undo --server-is-stopped", &run_name(&ended)).ok();
    assert_eq!(content().ok().stdout, alice);
}

/// The run could not remove it, and somebody else did since: that is not the run's to bring back.
#[test]
fn what_was_not_set_aside_is_not_brought_back() {
    let journals = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = "config/iam/users/bob/identity.json";
    let seal = tool(["seal", "--path", path]).key(KEY).input("{}");
    let store = Store::of([(path, seal.ok().stdout)]);
    let read_only = "mount --bind $it $it && mount -o remount,bind,ro $it";
    let aside = tool(with("set-aside --json", store.root())).key(KEY);
    let aside = aside.args([path, "--journal"]).args([journals.path()]);
    let folder = store.file("config/iam/users/bob");
    let Some(ended) = mounted(read_only, &[("it", &folder)], aside) else {
        return;
    };
    assert_ne!(ended.code, Some(0), "{ended}");
    let summary = ended.json().pop().unwrap();
    let run = summary["summary"]["run"]["name"].as_str().unwrap();
    fs::remove_file(store.file(path)).unwrap();
    let undo = tool(with("undo", store.root()))
        .key(KEY)
        .args([run, "--journal"]);
    undo.args([journals.path()]).ok();
    assert!(!store.file(path).exists());
}
