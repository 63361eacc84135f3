//! `undo`, `runs`, and the journals and proofs that runs leave.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::kit::migration::{NAMES, content, outcomes, plain};
use crate::kit::store::Store;
use crate::kit::{CREDENTIAL, KEY, KEY_WITH_OTHER_BYTES, OTHER_KEY, Tool, run_name, tool, with};
use iamseal_tests::samples::vector;

/// A folder of journals.
struct Journals(TempDir);

impl Journals {
    fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A command on the store with these journals and all keys.
    fn run(&self, command: &str, store: &Store) -> Tool {
        let tool = tool(with(&format!("{command} --json"), store.root()));
        tool.args(["--journal".as_ref(), self.path()])
            .key(KEY)
            .env(CREDENTIAL)
            .file("--keys", OTHER_KEY)
    }

    fn migrate(&self, to: &str, store: &Store) -> Tool {
        self.run(&format!("migrate --to {to}"), store)
    }

    fn undo(&self, store: &Store, run: &str) -> Tool {
        self.run("undo", store).args([run])
    }

    fn file(&self, run: &str, end: &str) -> PathBuf {
        self.path().join(format!("{run}.{end}"))
    }

    /// The names of all runs.
    fn runs(&self) -> Vec<String> {
        let runs = tool(["runs", "--json", "--journal"])
            .args([self.path()])
            .ok();
        let name = |line: &Value| line["run"].as_str().unwrap().to_owned();
        runs.json().iter().map(name).collect()
    }
}

/// Objects of every form.
fn mixed() -> Store {
    let store = plain();
    for id in ["dev-013", "dev-038", "dev-067", "dev-069"] {
        let vector = vector(id);
        store.put(
            format!("config/iam/users/{id}/identity.json"),
            vector.stored,
        );
    }
    for id in ["dev-039", "dev-040"] {
        let vector = vector(id);
        store.put(&vector.path, &vector.stored);
    }
    store
}

#[test]
fn a_run_is_taken_back_byte_for_byte_and_so_is_that() {
    let journals = Journals::new();
    for to in ["kms", "kms --form compact --key other-key", "plaintext"] {
        let store = plain();
        journals.migrate("kms", &store).ok();
        for (number, path) in NAMES.iter().enumerate().take(3) {
            // Some as they were, so that there is something of everything.
            if number != 1 {
                store.put(path, content(path));
            }
        }
        let before = store.bytes();
        let ended = journals.migrate(to, &store).ok();
        let after = store.bytes();
        assert_ne!(before, after);

        let undone = journals.undo(&store, &run_name(&ended)).ok().says_nothing();
        assert_eq!(store.bytes(), before, "{to}");
        assert_eq!(store.drafts(), 0);
        let seen = store.seen();
        let again = journals.undo(&store, &run_name(&ended)).ok();
        assert_eq!(outcomes(&again).keys().collect::<Vec<_>>(), ["unchanged"]);
        assert_eq!(store.seen(), seen, "it was written again");

        journals.undo(&store, &run_name(&undone)).ok();
        assert_eq!(store.bytes(), after, "{to}");
    }
}

#[test]
fn every_form_comes_back_with_its_mode() {
    let (journals, store) = (Journals::new(), mixed());
    let modes = |store: &Store| {
        let seen = store.seen().into_iter();
        seen.map(|(path, seen)| (path, seen.bytes, seen.mode))
            .collect::<Vec<_>>()
    };
    let before = modes(&store);
    // Vectors that were moved do not open, and stay as they are.
    let ended = journals.migrate("kms --form compact", &store).run();
    assert!(outcomes(&ended)["migrated"] >= 10, "{ended}");
    journals.undo(&store, &run_name(&ended)).ok();
    assert_eq!(modes(&store), before);
}

#[test]
fn what_somebody_has_changed_or_removed_since_is_kept() {
    let (journals, store) = (Journals::new(), plain());
    let ended = journals.migrate("kms", &store).ok();
    let theirs = b"{\"version\":1,\"theirs\":true}";
    store.put(NAMES[1], theirs);
    fs::remove_file(store.file(NAMES[2])).unwrap();
    let undone = journals.undo(&store, &run_name(&ended)).run().exits(14);
    let wanted = [("changed-since".to_owned(), 2), ("restored".to_owned(), 5)];
    assert_eq!(outcomes(&undone), wanted.into());
    assert_eq!(store.get(NAMES[1]), theirs);
    assert!(!store.file(NAMES[2]).exists());
    assert_eq!(store.get(NAMES[0]), content(NAMES[0]).into_bytes());
}

#[test]
fn no_journal_and_no_proof_holds_plaintext() {
    let (journals, store) = (Journals::new(), plain());
    let secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
    store.put(NAMES[1], format!("{{\"secretKey\":\"{secret}\"}}"));
    let sealed = journals.migrate("kms", &store).ok();
    journals.undo(&store, &run_name(&sealed)).ok();
    journals.migrate("kms", &store).ok();
    journals.migrate("plaintext", &store).ok();
    let inside =
        iamseal_tests::samples::encode(format!("{{\"secretKey\":\"{secret}\"}}").as_bytes());
    let files = fs::read_dir(journals.path()).unwrap();
    let mut read = 0;
    for file in files {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains(secret) && !text.contains(&inside));
        read += 1;
    }
    assert_eq!(read, 8, "four journals and their proofs");
}

#[test]
fn what_was_plaintext_comes_back_only_with_the_key() {
    let (journals, store) = (Journals::new(), plain());
    let run = run_name(&journals.migrate("kms", &store).ok());
    let sealed = store.bytes();
    // The other key was lent too, so it opens the journal. Other bytes do not; whoever insists is told
    // the same of the objects.
    for (key, options, code) in [
        (OTHER_KEY, &[][..], 4),
        (KEY_WITH_OTHER_BYTES, &[], 4),
        (KEY_WITH_OTHER_BYTES, &["--trust-journal"], 7),
    ] {
        let undo = tool(with("undo --json", store.root())).args(options).args([
            run.as_ref(),
            "--journal".as_ref(),
            journals.path().as_os_str(),
        ]);
        undo.key(key).run().exits(code);
        assert_eq!(store.bytes(), sealed);
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let (journals, store) = (Journals::new(), plain());
    let run = run_name(&journals.migrate("kms", &store).ok());
    let (seen, runs) = (store.seen(), journals.runs());
    let ended = journals.undo(&store, &run).args(["--dry-run"]).ok();
    assert_eq!(outcomes(&ended), [("would-restore".to_owned(), 7)].into());
    assert_eq!(store.seen(), seen);
    assert_eq!(journals.runs(), runs);
}

#[test]
fn a_proof_says_what_was_there_and_what_is() {
    let (journals, store) = (Journals::new(), plain());
    let ended = journals.migrate("kms", &store).ok();
    let summary = ended.json().pop().unwrap()["summary"]["run"].clone();
    assert_eq!(summary["differ"], 0);
    let file = journals.file(&run_name(&ended), "proof");
    assert_eq!(summary["proof"], file.to_str().unwrap());

    let text = fs::read_to_string(file).unwrap();
    let (lines, last) = text.trim_end().rsplit_once('\n').unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(last["proof"]["objects"], NAMES.len());
    let mut digests = BTreeSet::new();
    let mut told = 0;
    for line in lines.lines().skip(1) {
        let object = serde_json::from_str::<Value>(line).unwrap()["object"].clone();
        assert_eq!(object["outcome"], "migrated");
        assert_eq!(object["now"], object["after"]);
        for digest in [&object["before"], &object["after"]] {
            let digest = digest.as_str().unwrap().to_owned();
            assert!(digest.len() == 64 && digests.insert(digest));
        }
        told += 1;
    }
    assert_eq!(told, NAMES.len());
}

#[test]
fn a_journal_inside_the_store_is_refused() {
    let store = plain();
    let seen = store.seen();
    let inside = store.root().join("config/journals");
    let migrate = tool(with("migrate --to kms", store.root())).key(KEY);
    let ended = migrate
        .args(["--journal".as_ref(), inside.as_os_str()])
        .run()
        .fails(2);
    assert!(ended.stderr.contains("is inside the store"), "{ended}");
    assert!(!inside.exists());
    assert_eq!(store.seen(), seen);
}

#[test]
fn without_a_journal_nothing_is_changed() {
    let store = plain();
    let seen = store.seen();
    let migrate = tool(with("migrate --to kms", store.root())).key(KEY);
    let ended = migrate
        .args(["--journal", "/proc/no-journals"])
        .run()
        .fails(13);
    assert!(ended.stderr.contains("/proc/no-journals"), "{ended}");
    assert_eq!(store.seen(), seen);
}

#[test]
fn a_damaged_journal_restores_what_it_still_can() {
    let (journals, store) = (Journals::new(), plain());
    let before = store.bytes();
    let run = run_name(&journals.migrate("kms", &store).ok());
    let after = store.bytes();
    let file = journals.file(&run, "journal");
    let text = fs::read_to_string(&file).unwrap();
    let mut changes = 0;
    let damaged: Vec<_> = text
        .lines()
        .map(|line| {
            changes += usize::from(line.contains("\"change\""));
            match (line.contains("\"change\""), changes) {
                (true, 2) => line.replacen("\"bytes\":\"", "\"bytes\":\"AAAA", 1),
                (true, 3) => line[1..].to_owned(),
                _ => line.to_owned(),
            }
        })
        .collect();
    fs::write(&file, damaged.join("\n") + "\n").unwrap();
    let ended = journals.undo(&store, &run).run().exits(29);
    assert!(ended.stderr.contains("--trust-journal"), "{ended}");
    assert!(store.bytes() == after);
    let insist = journals.undo(&store, &run).args(["--trust-journal"]);
    let ended = insist.run().exits(1);
    let wanted = [("failed".to_owned(), 2), ("restored".to_owned(), 5)];
    assert_eq!(outcomes(&ended), wanted.into());
    let now = store.bytes();
    let stayed = NAMES.iter().filter(|path| now[**path] == after[**path]);
    assert_eq!(stayed.count(), 2);
    let came_back = NAMES.iter().filter(|path| now[**path] == before[**path]);
    assert_eq!(came_back.count(), 5);
}

#[test]
fn a_run_that_was_killed_is_taken_back_too() {
    let journals = Journals::new();
    let store = Store::of((0..200).map(|number| {
        let path = format!("config/iam/policydb/{}/{number}.json", number % 7);
        (path, format!("{{\"version\":1,\"policy\":\"{number}\"}}"))
    }));
    let before = store.bytes();
    let migrate = || {
        journals
            .migrate("kms --form compact", &store)
            .args(["--jobs", "1"])
    };
    // Before the first commit, with drafts and a journal there.
    let hold = store.hold();
    let mut running = migrate().spawn();
    running.until("drafts", |_| store.drafts() > 10);
    running.kill();
    running.wait();
    drop(hold);
    // And at moments that nobody chose.
    for wait in [0, 30, 60] {
        let mut running = migrate().spawn_unread();
        running.until_output();
        thread::sleep(Duration::from_millis(wait));
        running.kill();
        running.wait();
    }
    let mut runs = journals.runs();
    assert_eq!(runs.len(), 4);
    runs.reverse();
    for run in runs {
        journals.undo(&store, &run).ok();
    }
    assert_eq!(store.bytes(), before);
    assert_eq!(store.drafts(), 0);
}

#[test]
fn a_run_that_is_under_way_is_not_taken_back() {
    let (journals, store) = (Journals::new(), plain());
    let hold = store.hold();
    let mut running = journals.migrate("kms", &store).spawn();
    running.until("drafts", |_| store.drafts() > 2);
    let run = fs::read_dir(journals.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let run = run.path().file_stem().unwrap().to_str().unwrap().to_owned();
    let ended = journals.undo(&store, &run).run().exits(2);
    assert!(ended.stderr.contains("under way"), "{ended}");
    drop(hold);
    running.wait().exits(0);
    journals.undo(&store, &run).ok();
}

#[test]
fn no_other_name_is_taken_for_a_run() {
    let (journals, store) = (Journals::new(), plain());
    for run in ["20260101T000000Z", "../other", ""] {
        let ended = journals.undo(&store, run).run().exits(2);
        assert!(ended.stderr.contains("there is no run"), "{ended}");
    }
}

#[test]
fn the_command_that_is_printed_takes_the_run_back() {
    let (journals, store) = (Journals::new(), plain());
    let before = store.bytes();
    let migrate = tool(with("migrate --to kms", store.root())).key(KEY);
    let migrate = migrate.args(["--journal".as_ref(), journals.path().as_os_str()]);
    let said = migrate.ok().stderr;
    let (_, command) = said.split_once("to take it back: iamseal ").unwrap();
    assert_ne!(store.bytes(), before);
    tool(command.split_whitespace()).key(KEY).ok();
    assert_eq!(store.bytes(), before);
}
