//! Drives of several hosts: runs write copies of them on one, and each host does the same to its own drives.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::drives::{Drives, all_keys, change_metadata};
use crate::kit::{Ended, Tool, run_name, tool};

const ALICE: &str = "config/iam/users/alice/identity.json";
const TO_OTHER: [&str; 4] = ["--to", "kms", "--key", "other-key"];
/// One of each kind of deployment: one drive, one set, two sets, two pools, an object in both pools, shards beside
/// `xl.meta`, a server of 2022.
const ARCHIVES: [&str; 7] = [
    "single-sealed.tar.gz",
    "four-sealed.tar.gz",
    "eight-two-sets.tar.gz",
    "two-pools.tar.gz",
    "pools-sealed.tar.gz",
    "noninline.tar.gz",
    "old-four-plain.tar.gz",
];
/// How often an apply is killed.
const KILLS: u32 = 12;

/// Drives of two hosts, and copies of all of them on one.
struct Hosts {
    drives: Drives,
    copies: TempDir,
    journals: TempDir,
}

impl Hosts {
    fn of(archive: &str) -> Self {
        let folder = || TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let hosts = Self {
            drives: Drives::of(archive),
            copies: folder(),
            journals: folder(),
        };
        hosts.copy();
        hosts
    }

    /// Copies `.minio.sys` of every drive anew.
    fn copy(&self) {
        for drive in self.all() {
            let copy = self.copied(drive);
            let _ = fs::remove_dir_all(&copy);
            fs::create_dir(&copy).unwrap();
            copy_all(&self.drives.file(drive, ""), &copy.join(".minio.sys"));
        }
    }

    fn all(&self) -> Vec<usize> {
        (1..=self.drives.names.len()).collect()
    }

    /// The drives of the first host and of the second.
    fn halves(&self) -> [Vec<usize>; 2] {
        let all = self.all();
        let (one, other) = all.split_at(all.len().div_ceil(2));
        [one.to_vec(), other.to_vec()]
    }

    fn copied(&self, drive: usize) -> PathBuf {
        self.copies.path().join(format!("copy{drive}"))
    }

    /// The copies as a store.
    fn store(&self) -> String {
        let copies = self.all().into_iter().map(|drive| self.copied(drive));
        let copies: Vec<String> = copies.map(|path| path.to_str().unwrap().into()).collect();
        format!("drives:{}", copies.join(","))
    }

    /// A command that writes the copies.
    fn run(&self, command: &str, arguments: &[&str]) -> Tool {
        tool([command, &self.store(), "--server-is-stopped", "--json"])
            .args(arguments)
            .args(["--journal".as_ref(), self.journals.path()])
            .file("--keys", &all_keys())
    }

    fn migrate(&self) -> String {
        run_name(&self.run("migrate", &TO_OTHER).ok())
    }

    /// Applies runs to drives, without keys.
    fn apply(&self, runs: &[&str], drives: &[usize], options: &[&str]) -> Tool {
        let to = drives.iter().map(|drive| self.drives.drive(*drive));
        let from = self.all().into_iter().map(|drive| self.copied(drive));
        tool(["drives", "apply", "--json"])
            .args(runs)
            .args(options)
            .args(["--from"])
            .args(from)
            .args(["--to"])
            .args(to)
            .args(["--journal".as_ref(), self.journals.path()])
    }

    fn apply_trusting(&self, runs: &[&str], drives: &[usize]) -> Tool {
        self.apply(runs, drives, &["--server-is-stopped", "--trust-journal"])
    }

    /// What is in the configuration of drives.
    fn config(&self, root: impl Fn(usize) -> PathBuf, drives: &[usize]) -> Files {
        let mut files = Files::new();
        for drive in drives {
            collect(&root(*drive), &drive.to_string(), &mut files);
        }
        files
    }

    fn on_drives(&self, drives: &[usize]) -> Files {
        self.config(|drive| self.drives.file(drive, "config"), drives)
    }

    fn on_copies(&self, drives: &[usize]) -> Files {
        let root = |drive| self.copied(drive).join(".minio.sys/config");
        self.config(root, drives)
    }

    /// What an audit of the drives says of each object. It finds nothing wrong.
    fn audit(&self) -> BTreeMap<String, Value> {
        let audit = tool(["audit", "--json", &self.drives.store()]);
        let ended = audit.file("--keys", &all_keys()).ok();
        assert!(ended.drafts().is_empty(), "{ended}");
        let lines = ended.json_of_objects().into_iter();
        let object = |line: Value| Some((line["path"].as_str()?.to_owned(), line));
        lines.filter_map(object).collect()
    }

    fn meta(&self, drive: usize, object: &str) -> PathBuf {
        self.drives.file(drive, &format!("{object}/xl.meta"))
    }
}

/// The bytes of files, none of folders, by paths.
type Files = BTreeMap<String, Option<Vec<u8>>>;

fn collect(folder: &Path, name: &str, files: &mut Files) {
    // Not every drive has a configuration.
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = format!("{name}/{}", path.file_name().unwrap().to_string_lossy());
        match path.is_dir() {
            true => {
                collect(&path, &name, files);
                files.insert(name, None);
            }
            false => drop(files.insert(name, Some(fs::read(&path).unwrap()))),
        }
    }
}

fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}

fn outcomes(ended: &Ended) -> BTreeMap<String, String> {
    let lines = ended.json().into_iter();
    let outcome = |line: Value| {
        let outcome = line["outcome"].as_str()?.to_owned();
        Some((line["path"].as_str()?.to_owned(), outcome))
    };
    lines.filter_map(outcome).collect()
}

#[track_caller]
fn are_all(ended: &Ended, expected: &str) {
    let outcomes = outcomes(ended);
    assert!(!outcomes.is_empty(), "{ended}");
    assert!(outcomes.values().all(|one| one == expected), "{ended}");
}

#[track_caller]
fn same(one: &Files, other: &Files, what: &str) {
    let differ = |path: &&String| one.get(*path) != other.get(*path);
    let differing: Vec<_> = one.keys().chain(other.keys()).filter(differ).collect();
    assert!(differing.is_empty(), "{what}: {differing:?}");
}

#[test]
fn what_runs_do_to_copies_is_done_to_the_drives_host_by_host_and_an_undo_too() {
    for archive in ARCHIVES {
        let hosts = Hosts::of(archive);
        let all = hosts.all();
        let halves = hosts.halves();
        for drive in &all {
            if let Ok(metadata) = fs::metadata(hosts.meta(*drive, ALICE)) {
                assert!(metadata.is_file());
                fs::set_permissions(hosts.meta(*drive, ALICE), Permissions::from_mode(0o640))
                    .unwrap();
            }
        }
        let before = hosts.on_drives(&all);
        let held = hosts.audit();
        let run = hosts.migrate();
        same(&hosts.on_drives(&all), &before, archive);
        assert!(hosts.on_copies(&all) != before);

        for (number, half) in halves
            .iter()
            .enumerate()
            .filter(|(_, half)| !half.is_empty())
        {
            let dry = hosts
                .apply(&[&run], half, &["--dry-run", "--trust-journal"])
                .ok();
            are_all(&dry, "would-apply");
            let ended = hosts.apply_trusting(&[&run], half).ok();
            are_all(&ended, "applied");
            let summary = &ended.json().pop().unwrap()["summary"];
            let drives = summary["drives"].as_array().unwrap();
            assert!(drives.iter().all(|drive| drive["done"] == true), "{ended}");
            let elsewhere = summary["elsewhere"].as_array().unwrap().len();
            assert_eq!(elsewhere, all.len() - half.len(), "{ended}");
            let ended = match all.len() {
                1 => ended.says("servers may be started"),
                _ => ended.says("start no server before it is done for them too"),
            };
            assert!(ended.stderr.contains("start no server"), "{ended}");
            if number == 0 && all.len() > 1 {
                same(
                    &hosts.on_drives(&halves[1]),
                    &before_of(&before, &halves[1]),
                    archive,
                );
            }
            // Again there is nothing to do, and nothing is written.
            let at = hosts.on_drives(half);
            are_all(&hosts.apply_trusting(&[&run], half).ok(), "unchanged");
            same(&hosts.on_drives(half), &at, archive);
        }
        same(&hosts.on_drives(&all), &hosts.on_copies(&all), archive);
        for drive in all
            .iter()
            .filter(|drive| hosts.meta(**drive, ALICE).exists())
        {
            let mode = fs::metadata(hosts.meta(*drive, ALICE)).unwrap().mode();
            assert_eq!(mode & 0o7777, 0o640, "{archive}");
        }
        for (path, finding) in hosts.audit() {
            let is_new = finding["key"] == "other-key" || path == "config/tier-config.bin";
            assert!(is_new, "{archive}: {finding}");
        }

        let undo = run_name(&hosts.run("undo", &[&run]).ok());
        for half in halves.iter().filter(|half| !half.is_empty()) {
            are_all(&hosts.apply_trusting(&[&undo], half).ok(), "applied");
        }
        same(&hosts.on_drives(&all), &hosts.on_copies(&all), archive);
        assert_eq!(hosts.audit(), held, "{archive}");
        let left = hosts.drives.all().into_keys();
        let ours = |path: &PathBuf| path.to_string_lossy().contains(".iamseal-");
        assert_eq!(left.filter(ours).count(), 0, "{archive}");
    }
}

/// The files of these drives among those of all.
fn before_of(files: &Files, drives: &[usize]) -> Files {
    let is_of = |path: &str| {
        let drive = path.split('/').next().unwrap().parse::<usize>();
        drive.is_ok_and(|drive| drives.contains(&drive))
    };
    let files = files.iter().filter(|(path, _)| is_of(path));
    files
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect()
}

#[test]
fn what_goes_and_comes_on_copies_goes_and_comes_on_the_drives() {
    for archive in ["four-sealed.tar.gz", "noninline.tar.gz"] {
        let hosts = Hosts::of(archive);
        let all = hosts.all();
        let before = hosts.audit();
        let paths: Vec<&String> = before
            .keys()
            .filter(|path| path.contains("/iam/"))
            .collect();
        let paths: Vec<&str> = paths.iter().map(|path| path.as_str()).collect();
        let aside = run_name(&hosts.run("set-aside", &paths).ok());
        are_all(&hosts.apply_trusting(&[&aside], &all).ok(), "applied");
        same(&hosts.on_drives(&all), &hosts.on_copies(&all), archive);
        assert!(hosts.audit().keys().all(|path| !path.contains("/iam/")));
        are_all(&hosts.apply_trusting(&[&aside], &all).ok(), "unchanged");

        let back = run_name(&hosts.run("undo", &[&aside]).ok());
        for half in hosts.halves() {
            are_all(&hosts.apply_trusting(&[&back], &half).ok(), "applied");
        }
        same(&hosts.on_drives(&all), &hosts.on_copies(&all), archive);
        assert_eq!(hosts.audit(), before);
    }
}

#[test]
fn several_runs_are_applied_together_wherever_a_drive_stands() {
    let hosts = Hosts::of("noninline.tar.gz");
    let all = hosts.all();
    let [one, other] = hosts.halves();
    let held = hosts.audit();
    let first = hosts.migrate();
    hosts.apply_trusting(&[&first], &one).ok();
    let second = run_name(&hosts.run("undo", &[&first]).ok());
    // The copies are not any more what the first alone left.
    let ended = hosts.apply_trusting(&[&first], &other).run().exits(12);
    let message = ended.json()[0]["error"]["message"].to_string();
    assert!(
        message.contains("does not have what the run left there"),
        "{ended}"
    );
    are_all(
        &hosts.apply_trusting(&[&second, &first], &one).ok(),
        "applied",
    );
    are_all(
        &hosts.apply_trusting(&[&first, &second], &other).ok(),
        "applied",
    );
    same(&hosts.on_drives(&all), &hosts.on_copies(&all), "both");
    assert_eq!(hosts.audit(), held);
}

#[test]
fn of_a_drive_that_was_changed_since_the_object_is_put_on_none_of_the_host() {
    let hosts = Hosts::of("four-sealed.tar.gz");
    let run = hosts.migrate();
    // Another version, as of a server that was started meanwhile.
    change_metadata(
        &hosts.meta(2, ALICE),
        b"application/json",
        b"application/jsom",
    );
    let before = hosts.on_drives(&hosts.all());
    let drives = [1, 2];
    let dry = hosts.apply(&[&run], &drives, &["--dry-run", "--trust-journal"]);
    let dry = dry.run().exits(14);
    assert_eq!(outcomes(&dry)[ALICE], "changed-since");
    same(&hosts.on_drives(&hosts.all()), &before, "a dry run");
    let ended = hosts.apply_trusting(&[&run], &drives).run().exits(14);
    let name = hosts.drives.drive(2);
    let ended = ended.says(&format!("not done: {}", hosts.drives.drive(1).display()));
    for (path, outcome) in outcomes(&ended) {
        let expected = if path == ALICE {
            "changed-since"
        } else {
            "applied"
        };
        assert_eq!(outcome, expected, "{path}");
    }
    let lines = ended.json();
    let alice = lines.iter().find(|line| line["path"] == ALICE).unwrap();
    let message = alice["error"]["message"].as_str().unwrap();
    assert!(message.starts_with(name.to_str().unwrap()), "{message}");
    let now = hosts.on_drives(&hosts.all());
    for drive in hosts.all() {
        let file = format!("{drive}/{}/xl.meta", ALICE.strip_prefix("config/").unwrap());
        assert_eq!(now[&file], before[&file]);
    }
    let drives = lines.last().unwrap()["summary"]["drives"].clone();
    assert_eq!(drives[0]["done"], json!(false));

    // A drive on which it was removed, and one on which its data was.
    let hosts = Hosts::of("four-sealed.tar.gz");
    let run = hosts.migrate();
    fs::remove_file(hosts.meta(1, ALICE)).unwrap();
    let ended = hosts.apply_trusting(&[&run], &[1]).run().exits(14);
    assert_eq!(outcomes(&ended)[ALICE], "changed-since");
    assert!(!hosts.meta(1, ALICE).exists());
}

#[test]
fn copies_that_are_not_what_the_run_left_are_refused() {
    let hosts = Hosts::of("noninline.tar.gz");
    let run = hosts.migrate();
    let before = hosts.on_drives(&hosts.all());
    let part = |path: &Path| path.ends_with("part.1");
    let mut files = Vec::new();
    all_files(&hosts.copied(2), &mut files);
    // What no run writes is none of its.
    files.retain(|file| part(file) && file.to_string_lossy().contains("/iam/"));
    for file in &files {
        let mut bytes = fs::read(file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(file, bytes).unwrap();
    }
    let keys = all_keys();
    let apply = hosts.apply(&[&run], &[2], &["--server-is-stopped"]);
    let ended = apply.file("--keys", &keys).run().exits(12);
    let outcomes = outcomes(&ended);
    let failed = outcomes.values().filter(|outcome| *outcome == "failed");
    assert_eq!(failed.count(), files.len());
    assert!(!files.is_empty());

    // Copies that the run never wrote.
    hosts.copy();
    let apply = hosts.apply(&[&run], &[1, 3], &["--server-is-stopped"]);
    are_all(&apply.file("--keys", &keys).run().exits(12), "failed");
    let others: Vec<usize> = vec![1, 3, 4];
    same(
        &hosts.on_drives(&others),
        &before_of(&before, &others),
        "nothing is put anywhere",
    );
}

fn all_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all_files(&path, files),
            false => files.push(path),
        }
    }
}

#[test]
fn other_drives_and_drives_without_copies_are_refused() {
    let hosts = Hosts::of("four-sealed.tar.gz");
    let run = hosts.migrate();
    let before = hosts.drives.all();
    let others = Drives::of("noninline.tar.gz");
    let journal = hosts.journals.path().to_str().unwrap().to_owned();
    let apply = |from: &Path, to: &Path| {
        tool(["drives", "apply", &run, "--trust-journal"])
            .args(["--server-is-stopped", "--journal", &journal])
            .args(["--from".as_ref(), from, "--to".as_ref(), to])
            .run()
    };
    let (one, two) = (hosts.copied(1), hosts.drives.drive(2));
    apply(&one, &two)
        .fails(2)
        .says("none of the copies is one of this drive");
    apply(&one, &others.drive(1))
        .fails(2)
        .says("it is none of the drives of that run");
    apply(&one, &hosts.journals.path().join("none")).fails(2);
    fs::remove_file(hosts.drives.file(3, "format.json")).unwrap();
    let ended = hosts.apply_trusting(&[&run], &[1, 3]).run().exits(2);
    ended.says("it is not read as a drive");
    let now = hosts.drives.all();
    assert!(before.iter().all(|(path, seen)| {
        path.ends_with("format.json") || now.get(path).map(|now| &now.0) == Some(&seen.0)
    }));
}

#[test]
fn a_journal_is_followed_that_a_key_shows_to_be_the_runs_or_that_is_trusted() {
    let hosts = Hosts::of("four-sealed.tar.gz");
    let run = hosts.migrate();
    let apply = |options: &[&str]| {
        let options = [&["--server-is-stopped"], options].concat();
        hosts.apply(&[&run], &[1], &options)
    };
    apply(&[]).run().exits(4).says("--trust-journal");
    let file = hosts.journals.path().join(format!("{run}.journal"));
    let whole = fs::read_to_string(&file).unwrap();
    let line = whole
        .lines()
        .find(|line| line.starts_with("{\"version\""))
        .unwrap();
    let after = line.split("\"after\":\"").nth(1).unwrap();
    let digest = after.split('"').next().unwrap();
    fs::write(&file, whole.replacen(digest, &"0".repeat(digest.len()), 1)).unwrap();
    let tampered = apply(&[]).file("--keys", &all_keys()).run();
    tampered.exits(29).says("is not what the run wrote there");
    fs::write(&file, &whole).unwrap();
    are_all(&apply(&[]).file("--keys", &all_keys()).ok(), "applied");

    // A run that did not come to its end, and one that wrote nothing to drives.
    fs::remove_file(hosts.journals.path().join(format!("{run}.proof"))).unwrap();
    let ended = apply(&["--trust-journal"]).run();
    ended.exits(2).says("did not come to its end");
    let nothing = run_name(&hosts.run("migrate", &TO_OTHER).ok());
    let ended = hosts.apply_trusting(&[&nothing], &[1]).ok();
    assert!(outcomes(&ended).is_empty());
}

#[test]
fn an_apply_that_is_killed_at_any_moment_is_finished_by_the_next() {
    let hosts = Hosts::of("noninline.tar.gz");
    let [one, _] = hosts.halves();
    let start = Instant::now();
    let run = hosts.migrate();
    let dry = hosts.apply(&[&run], &one, &["--dry-run", "--trust-journal"]);
    dry.ok();
    let whole = start.elapsed();
    let pristine = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for drive in &one {
        copy_all(
            &hosts.drives.drive(*drive),
            &pristine.path().join(drive.to_string()),
        );
    }
    let before = hosts.on_drives(&one);
    let wanted = hosts.on_copies(&one);
    let (mut hits, mut halves) = (0, 0);
    for kill in 0..KILLS {
        for drive in &one {
            fs::remove_dir_all(hosts.drives.drive(*drive)).unwrap();
            copy_all(
                &pristine.path().join(drive.to_string()),
                &hosts.drives.drive(*drive),
            );
        }
        let mut running = hosts.apply_trusting(&[&run], &one).spawn();
        thread::sleep(whole * kill / (KILLS * 2));
        running.kill();
        hits += usize::from(running.wait().code.is_none());
        // Each xl.meta is the old one or the new one, with the data that it names.
        let now = hosts.on_drives(&one);
        let mut is_half = [false; 2];
        for (path, bytes) in before.iter().filter(|(path, _)| path.ends_with("/xl.meta")) {
            let is_new = now[path] == wanted[path];
            assert!(is_new || now[path] == *bytes, "{path}");
            is_half[usize::from(is_new && wanted[path] != *bytes)] = true;
            let object = path.strip_suffix("xl.meta").unwrap();
            let expected = if is_new { &wanted } else { &before };
            let data = expected.iter().filter(|(path, _)| path.starts_with(object));
            for (path, bytes) in data {
                assert_eq!(now.get(path), Some(bytes), "{path}");
            }
        }
        halves += usize::from(is_half == [true, true]);
        hosts.apply_trusting(&[&run], &one).ok();
        same(&hosts.on_drives(&one), &wanted, "it is finished");
        let ours = hosts.drives.all().into_keys();
        let ours = ours.filter(|path| path.to_string_lossy().contains(".iamseal-"));
        assert_eq!(ours.count(), 0);
    }
    println!("{hits} of {KILLS} kills hit an apply under way, {halves} with some drives done");
    assert!(hits > 0);
}

#[test]
fn while_something_writes_to_the_drives_nothing_is_put_there() {
    let hosts = Hosts::of("four-sealed.tar.gz");
    let run = hosts.migrate();
    let before = hosts.on_drives(&hosts.all());
    let tmp = hosts.drives.file(2, "tmp");
    fs::create_dir_all(&tmp).unwrap();
    let running = hosts.apply(&[&run], &[1, 2], &["--trust-journal"]).spawn();
    let start = Instant::now();
    // As a server does, only more often.
    while start.elapsed() < Duration::from_secs(6) {
        fs::write(tmp.join("beat"), [0; 2049]).unwrap();
        thread::sleep(Duration::from_millis(100));
    }
    running
        .wait()
        .exits(12)
        .says("a server runs on these drives");
    same(
        &hosts.on_drives(&hosts.all()),
        &before,
        "nothing is put there",
    );
}
