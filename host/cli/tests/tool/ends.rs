//! Every end of a run prints its summary, its name and commands to take it back or go on, and these do
//! what they say when they are typed.

use std::fs::{self, File};
use std::io::pipe;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};

use crate::kit::store::Store;
use crate::kit::{Ended, KEY, OTHER_KEY, Tool, tool, with};
use iamseal_tests::hostile::Guest;

/// More than a batch of one worker.
const OBJECTS: usize = 300;

/// A store whose name has all that a shell takes for something else, journals and a file of keys.
struct Place {
    folder: TempDir,
    store: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store = folder
            .path()
            .join("it's $(exit 9) the \u{1b}[2J\u{202e}\nstore\\");
        for number in 0..OBJECTS {
            let file = store.join(format!("config/iam/policydb/{}/{number}.json", number % 7));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, json!({"policy": number.to_string()}).to_string()).unwrap();
        }
        let keys = folder.path().join("old keys");
        fs::write(&keys, OTHER_KEY).unwrap();
        crate::kit::only_mine(&keys);
        Self { folder, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The new key is in the file, so an undo needs it too.
    fn migrate(&self) -> Tool {
        tool([
            "migrate",
            "--to",
            "kms",
            "--key",
            "other-key",
            "--jobs",
            "1",
        ])
        .args([Path::new("--keys"), &self.path("old keys")])
        .args([Path::new("--journal"), &self.path("journals")])
        .args([&self.store])
    }

    /// How many objects are not plaintext.
    fn sealed(&self) -> usize {
        let files = (0..OBJECTS).map(|number| {
            let file = format!("config/iam/policydb/{}/{number}.json", number % 7);
            fs::read(self.store.join(file)).unwrap()
        });
        files
            .filter(|bytes| !bytes.starts_with(b"{\"policy\""))
            .count()
    }

    /// A shell in which a command that was printed is typed as it is.
    #[track_caller]
    fn shell(&self, command: &str) -> Command {
        assert!(!command.contains(char::is_control), "{command:?}");
        let folder = Path::new(env!("CARGO_BIN_EXE_iamseal")).parent().unwrap();
        let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");
        let mut shell = Command::new("bash");
        shell
            .args(["-c", command])
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .env("HOME", self.folder.path())
            .env("XDG_CACHE_HOME", cache);
        shell
    }

    #[track_caller]
    fn types(&self, command: &str) -> Ended {
        let ran = self.shell(command).output().unwrap();
        Ended {
            code: ran.status.code(),
            stdout: ran.stdout,
            stderr: String::from_utf8(ran.stderr).unwrap(),
        }
    }

    /// What was printed goes on to the end, and takes back what it did.
    #[track_caller]
    fn goes_on_and_back(&self, ended: &Ended) {
        let done = self.sealed();
        let again = self.types(&said(ended, "to go on: "));
        assert_eq!(again.code, Some(0), "{again}");
        assert_eq!(self.sealed(), OBJECTS);
        let undo = said(ended, "to take it back: ");
        if done < OBJECTS {
            let rest = match again.stdout.starts_with(b"{") {
                // The summary says to programs which run it was.
                true => undo.replace(
                    name(&undo),
                    again.json().last().unwrap()["summary"]["run"]["name"]
                        .as_str()
                        .unwrap(),
                ),
                false => said(&again, "to take it back: "),
            };
            self.types(&rest).exits(0);
        }
        assert_eq!(self.sealed(), done);
        self.types(&undo).exits(0);
        assert_eq!(self.sealed(), 0);
    }
}

/// The run's name in a command.
fn name(command: &str) -> &str {
    let is_name = |word: &&str| word.len() > 15 && word.starts_with("20") && word.contains('Z');
    command.split(' ').find(is_name).unwrap()
}

/// What follows this in a note.
#[track_caller]
fn said(ended: &Ended, before: &str) -> String {
    let said = said_if(ended, before);
    said.unwrap_or_else(|| panic!("not said: {before}\n{ended}"))
}

fn said_if(ended: &Ended, before: &str) -> Option<String> {
    ended.stderr.lines().find_map(|line| {
        let note = match serde_json::from_str::<Value>(line) {
            Ok(value) => value["note"].as_str()?.to_owned(),
            Err(_) => line.strip_prefix("note: ")?.to_owned(),
        };
        note.strip_prefix(before).map(str::to_owned)
    })
}

/// Runs it with standard output going there.
fn to(mut command: Command, stdout: impl Into<Stdio>) -> Ended {
    let ran = command
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    Ended {
        code: ran.status.code(),
        stdout: Vec::new(),
        stderr: String::from_utf8(ran.stderr).unwrap(),
    }
}

/// A pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A device that takes nothing.
fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// The summary's count, of a line of JSON or of a table.
#[track_caller]
fn objects(text: &str) -> usize {
    let count = text.lines().find_map(|line| {
        if let Ok(value) = serde_json::from_str::<Value>(line) {
            return value["summary"]["objects"].as_u64();
        }
        let total = line.contains("total").then(|| line.split_whitespace());
        total?.find_map(|word| word.parse().ok())
    });
    count.unwrap_or_else(|| panic!("no summary: {text}")) as usize
}

#[test]
fn a_closed_pipe() {
    let place = Place::new();
    let ended = to(place.migrate().args(["--json"]).command(), closed()).exits(141);
    let done = place.sealed();
    assert!(done > 0 && done < OBJECTS, "{done}");
    assert_eq!(objects(&ended.stderr), done);
    assert!(!ended.stderr.contains("\"error\""), "{ended}");
    place.goes_on_and_back(&ended);
}

#[test]
fn a_full_device() {
    let place = Place::new();
    let ended = to(place.migrate().args(["--json"]).command(), full()).exits(13);
    assert_eq!(objects(&ended.stderr), place.sealed());
    let ended = ended.says("standard output: No space left on device");
    place.goes_on_and_back(&ended);
}

/// Nothing is printed of objects that are well, so it shows only when all is done.
#[test]
fn output_that_fails_at_the_end() {
    for (stdout, code) in [(closed as fn() -> Stdio, 141), (full, 13)] {
        let place = Place::new();
        let ended = to(place.migrate().command(), stdout()).exits(code);
        assert_eq!(objects(&ended.stderr), OBJECTS);
        assert_eq!(place.sealed(), OBJECTS);
        place.types(&said(&ended, "to take it back: ")).exits(0);
        assert_eq!(place.sealed(), 0);
    }
}

#[test]
fn signals() {
    for (signal, code, word) in [
        (Signal::INT, 130, "interrupted"),
        (Signal::TERM, 143, "terminated"),
        (Signal::QUIT, 143, "terminated"),
        (Signal::HUP, 129, "hung-up"),
    ] {
        for json in [&[][..], &["--json"]] {
            let place = Place::new();
            let hold = File::open(&place.store).unwrap();
            hold.lock().unwrap();
            let mut running = place.migrate().args(json).spawn();
            let journals = place.path("journals");
            running.until("journal", |_| {
                fs::read_dir(&journals).is_ok_and(|mut all| all.next().is_some())
            });
            let store = &place.store;
            running.until("draft", |_| {
                let folders = fs::read_dir(store.join("config/iam/policydb")).unwrap();
                let files =
                    folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
                files.flatten().any(|file| {
                    file.file_name()
                        .as_encoded_bytes()
                        .starts_with(b".iamseal-")
                })
            });
            running.signal(signal);
            drop(hold);
            let ended = running.wait().exits(code);
            assert_eq!(objects(ended.text()), place.sealed());
            let ended = ended.says(&format!("{word}; nothing is half-done"));
            place.goes_on_and_back(&ended);
        }
    }
}

#[test]
fn a_run_under_nohup_outlives_its_terminal() {
    let place = Place::new();
    let hold = File::open(&place.store).unwrap();
    hold.lock().unwrap();
    let mut running = place.migrate().after("trap '' HUP").spawn();
    let journals = place.path("journals");
    running.until("journal", |_| {
        fs::read_dir(&journals).is_ok_and(|mut all| all.next().is_some())
    });
    running.signal(Signal::HUP);
    drop(hold);
    running.wait().exits(0);
    assert_eq!(place.sealed(), OBJECTS);
}

/// A journal would hold an object that is larger than a file may be.
#[test]
fn a_limit_of_the_size_of_files() {
    let place = Place::new();
    let large = json!({"policy": "x".repeat(3 << 20)}).to_string();
    fs::write(place.store.join("config/iam/policydb/large.json"), &large).unwrap();
    // In blocks of 512 bytes: 2 MiB, which the plugin's memory fits into.
    let ended = place.migrate().after("ulimit -f 4096").run().exits(13);
    assert_eq!(objects(ended.text()), OBJECTS + 1);
    let outcome = ended.text().contains("File too large");
    assert!(outcome, "{ended}");
    let undo = said(&ended, "to take it back: ");
    place.types(&undo).exits(0);
    assert_eq!(place.sealed(), 0);
    let kept = fs::read_to_string(place.store.join("config/iam/policydb/large.json"));
    assert_eq!(kept.unwrap(), large);
}

/// An undo makes the same promise as its run, where the file system needs it.
#[test]
fn what_was_promised_of_the_store_is_promised_to_an_undo() {
    let place = Place::new();
    let ended = place.migrate().args(["--server-is-stopped"]).ok();
    let undo = said(&ended, "to take it back: ");
    assert!(undo.contains(" --server-is-stopped"), "{undo}");
    let ended = place.types(&undo).exits(0);
    assert_eq!(place.sealed(), 0);
    let redo = said(&ended, "to take it back: ");
    assert!(redo.contains(" --server-is-stopped"), "{redo}");
}

#[test]
fn a_sweep() {
    for (stdout, code) in [(closed as fn() -> Stdio, 141), (full, 13)] {
        let store = Store::new();
        store.put("config/a", "{}");
        for number in 0..300 {
            store.put(format!("config/.iamseal-{number:016x}.tmp"), "{}");
        }
        let sweep = tool(["sweep", "--json", "--no-run-under-way"]);
        let ended = to(sweep.args([store.root()]).command(), stdout()).exits(code);
        let left = store.drafts();
        let summary = ended.stderr.lines().find_map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["summary"]["drafts"].as_u64()
        });
        assert_eq!(summary, Some(300 - left as u64), "{ended}");
        assert!(left < 300);
        tool(["sweep", "--no-run-under-way"])
            .args([store.root()])
            .ok();
        assert_eq!(store.drafts(), 0);
    }
}

#[test]
fn a_limit() {
    let place = Place::new();
    let eats = Guest {
        run_next: "(loop (br_if 0 (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) unreachable",
        ..Guest::default()
    };
    let plugin = NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(&plugin, eats.build()).unwrap();
    let migrate = || {
        let given = place.migrate().args([Path::new("--plugin"), plugin.path()]);
        given.args(["--trust-plugin"])
    };
    let ended = migrate().run().exits(15);
    assert_eq!(objects(ended.text()), 0);
    // Nobody knows what a component did before it was stopped.
    let undo = said(&ended, "to take it back: ");
    place.types(&undo).exits(0);
    place.types(&said(&ended, "to go on: ")).exits(15);
    let ended = migrate().args(["--json"]).run().exits(15);
    assert_eq!(objects(ended.text()), 0);
    said(&ended, "to take it back: ");
}

#[test]
fn an_undo_that_nobody_reads() {
    let place = Place::new();
    let migrated = place.migrate().run().exits(0);
    let undo = format!("{} --json", said(&migrated, "to take it back: "));
    let ended = to(place.shell(&undo), closed()).exits(141);
    let left = place.sealed();
    assert!(left > 0 && left < OBJECTS, "{left}");
    assert_eq!(objects(&ended.stderr), OBJECTS - left);
    // The migration done again to what was taken back.
    place.types(&said(&ended, "to take it back: ")).exits(0);
    assert_eq!(place.sealed(), OBJECTS);
    place.types(&said(&ended, "to go on: ")).exits(0);
    assert_eq!(place.sealed(), 0);
}

#[test]
fn an_audit() {
    let store = Store::new();
    let long = "x".repeat(200);
    for number in 0..1000 {
        store.put(format!("config/{long}/{number}"), "{}");
    }
    let audit = || tool(["audit", "--json"]).key(KEY).args([store.root()]);
    for (stdout, code) in [(closed as fn() -> Stdio, 141), (full, 13)] {
        let ended = to(audit().command(), stdout()).exits(code);
        let seen = objects(&ended.stderr);
        assert!(seen > 0 && seen < 1000, "{seen}");
    }
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut running = audit().spawn_unread();
        running.until_output();
        running.signal(signal);
        let ended = running.wait().exits(code);
        let lines = ended.json();
        let summary = &lines.last().unwrap()["summary"];
        assert_eq!(summary["objects"], lines.len() - 1);
        assert_eq!(summary["interrupted"], true);
        // What it did not come to may need the key.
        assert_eq!(summary["keys"][0]["needed"], Value::Null);
    }
}

#[test]
fn a_manifest() {
    let store = Store::new();
    let long = "x".repeat(200);
    for number in 0..1000 {
        store.put(format!("config/{long}/{number}"), "{}");
    }
    let file = store.root().join("manifest");
    let manifest = || {
        let manifest = tool(["manifest", "--json"]).key(KEY).args([store.root()]);
        manifest.args([Path::new("--manifest"), &file])
    };
    for (stdout, code) in [(closed as fn() -> Stdio, 141), (full, 13)] {
        let ended = to(manifest().command(), stdout()).exits(code);
        let seen = objects(&ended.stderr);
        assert!(seen > 0 && seen < 1000, "{seen}");
        said(&ended, "the manifest was not saved");
    }
    let mut running = manifest().spawn_unread();
    running.until_output();
    running.signal(Signal::INT);
    let ended = running.wait().exits(130);
    let lines = ended.json();
    let summary = &lines.last().unwrap()["summary"];
    assert_eq!(summary["objects"], lines.len() - 1);
    assert_eq!(summary["interrupted"], true);
    said(&ended, "the manifest was not saved");
    assert!(!file.exists());
}

/// A shell's `<(...)` is gone when the command has ended.
#[test]
fn a_pipe_of_keys_is_not_named_where_it_would_be_opened_again() {
    let place = Place::new();
    let journals = place.path("journals");
    let command = format!(
        "iamseal migrate --to kms --key other-key --keys <(cat 'old keys') --journal {} {}",
        journals.display(),
        "\"$STORE\""
    );
    let mut shell = place.shell(&command);
    let ran = shell
        .current_dir(place.folder.path())
        .env("STORE", &place.store);
    let ran = ran.stdin(Stdio::null()).output().unwrap();
    let ended = Ended {
        code: ran.status.code(),
        stdout: ran.stdout,
        stderr: String::from_utf8(ran.stderr).unwrap(),
    }
    .exits(0);
    assert_eq!(place.sealed(), OBJECTS);
    let undo = said(&ended, "to take it back: ");
    assert!(
        undo.contains("--keys FILE") && !undo.contains("--keys /dev/fd"),
        "{undo}"
    );
    assert!(undo.contains("  # FILE: what /"), "{undo}");
    let old = place.path("old keys");
    let undo = undo.replace("FILE ", &format!("'{}' ", old.display()));
    place.types(&undo).exits(0);
    assert_eq!(place.sealed(), 0);
}

/// Root has no such limit.
#[test]
fn a_limit_of_threads() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for threads in [1, 3, 8, 12] {
        let limited = tool(["keygen", "a"]).after(&format!("ulimit -p {threads}"));
        let ended = limited.by_user(54_321).run().exits(1);
        ended.says("no more threads").says("ulimit -u");
    }
    tool(["keygen", "a"])
        .after("ulimit -p 64")
        .by_user(54_321)
        .ok();
}

/// What takes long before the work, such as keys that somebody is still to write.
#[test]
fn a_signal_before_the_work() {
    let store = Store::of([("config/a", "{}")]);
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let keys = folder.path().join("keys");
    mkfifoat(CWD, &keys, Mode::RUSR | Mode::WUSR).unwrap();
    for command in ["audit", "migrate --to kms", "manifest --manifest m"] {
        let run = tool(with(command, store.root())).args([Path::new("--keys"), &keys]);
        let running = run.args(["--json"]).spawn_unread();
        // It has opened the pipe, and waits for what is written.
        let writer = File::options().write(true).open(&keys).unwrap();
        running.signal(Signal::INT);
        let ended = running.wait().exits(130);
        let error = &ended.errors()[0]["error"];
        assert_eq!(error["cause"], "interrupted", "{ended}");
        drop(writer);
    }
}

#[test]
fn a_run_whose_component_is_no_use_has_no_journal() {
    let place = Place::new();
    let plugin = NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(&plugin, "no component").unwrap();
    let given = place.migrate().args([Path::new("--plugin"), plugin.path()]);
    let ended = given.args(["--trust-plugin"]).run().exits(16);
    assert_eq!(said_if(&ended, "to take it back: "), None);
    assert_eq!(fs::read_dir(place.path("journals")).unwrap().count(), 0);
}

/// `ulimit -t`, in seconds.
#[test]
fn a_limit_of_computing_time() {
    let store = Store::of((0..4000).map(|number| {
        let path = format!("config/iam/policydb/{}/{number}.json", number % 7);
        (path, json!({"policy": number.to_string()}).to_string())
    }));
    let migrate = tool(with("migrate --to kms --jobs 1", store.root())).key(KEY);
    let ended = migrate.after("ulimit -S -t 1").run();
    // On a fast machine it is done before.
    if ended.code != Some(0) {
        let ended = ended.exits(143);
        said(&ended, "to take it back: ");
        assert_eq!(store.drafts(), 0);
    }
}

#[test]
fn a_plugin_that_cannot_migrate() {
    let place = Place::new();
    let plugin = NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(&plugin, iamseal_component::AUDITOR).unwrap();
    let migrate = place.migrate().args([Path::new("--plugin"), plugin.path()]);
    let ended = migrate.args(["--trust-plugin"]).run().exits(16);
    assert_eq!(objects(ended.text()), 0);
    said(&ended, "to take it back: ");
    said(&ended, "to go on: ");
}

#[test]
fn too_few_files_are_told_before_anything_begins() {
    let store = Store::of([("config/a", "{}")]);
    for files in [6, 8, 12] {
        let audit = tool(with("audit", store.root()));
        let ended = audit.after(&format!("ulimit -n {files}")).run().exits(1);
        ended.says("too few files").says("ulimit -n");
    }
}

/// Whatever cannot be opened any more, no draft is left that nothing names.
#[test]
fn a_limit_of_open_files() {
    for files in [16, 18, 20, 22, 24, 28] {
        let store = Store::of((0..40).map(|number| {
            let path = format!("config/iam/users/u{number}/identity.json");
            (path, json!({"secret": number}).to_string())
        }));
        tool(with("migrate --to kms", store.root())).key(KEY).ok();
        let limited = tool(with("migrate --to plaintext --json", store.root())).key(KEY);
        let ended = limited.after(&format!("ulimit -n {files}")).run();
        let said = ended.stderr.contains("drafts");
        assert!(
            store.drafts() == 0 || said,
            "{files} {}: {ended}",
            store.drafts()
        );
    }
}
