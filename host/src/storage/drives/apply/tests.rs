//! Every call of the system can be the last one, or fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::super::folders::Folders;
use super::super::recorder::digest;
use super::{ApplyOutcome, DataFile, OfDrive, OfObject, Pair, Sides};
use crate::plugin::drives::Lent as _;
use crate::storage::dir::faults::{Call, Faults};

/// The drives of this host, in the order of the set.
const DRIVES: [&str; 2] = ["one", "two"];
/// Objects: one whose shard is in `xl.meta`, one with shards in files, one that comes, one that goes.
const INLINE: &str = "config/inline";
const DATA: &str = "config/data";
const COMES: &str = "config/new/comes";
const GOES: &str = "config/old/goes";

/// Which call is the first that is not made, and whether any is made after it.
struct Fault {
    at: Option<usize>,
    is_end: bool,
    calls: Mutex<Vec<char>>,
}

impl Faults for Fault {
    fn before(&self, call: Call<'_>) -> io::Result<()> {
        let mut calls = self.calls.lock().unwrap();
        let number = calls.len();
        calls.push(match call {
            Call::Create { .. } => 'c',
            Call::Move => 'm',
            Call::Remove { .. } => 'r',
            Call::SyncFileSystem => 's',
            _ => '.',
        });
        let is_hit = self
            .at
            .is_some_and(|at| number == at || self.is_end && number > at);
        match is_hit {
            true => Err(io::Error::other("the power is gone")),
            false => Ok(()),
        }
    }
}

/// Drives, copies of them, and what was done to the copies.
struct Host(TempDir);

impl Host {
    fn new() -> Self {
        // In memory, where it takes no time to make a file system durable.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let host = Self(folder.unwrap());
        for name in DRIVES {
            for side in ["drives", "copies"] {
                let put = |path: &str, text: &str| host.put(&format!("{side}/{name}/{path}"), text);
                put("format.json", name);
                let is_new = side == "copies";
                let version = if is_new { "new" } else { "old" };
                put(&format!("{INLINE}/xl.meta"), version);
                put(&format!("{DATA}/xl.meta"), version);
                put(&format!("{DATA}/{version}/part.1"), version);
                match is_new {
                    true => put(&format!("{COMES}/xl.meta"), version),
                    false => put(&format!("{GOES}/xl.meta"), version),
                }
            }
        }
        host
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn named(&self, side: &str) -> Vec<(String, PathBuf)> {
        let path = |name: &str| self.0.path().join(side).join(name);
        DRIVES.map(|name| (name.to_owned(), path(name))).into()
    }

    /// All files below a drive or a copy, and what they hold.
    fn files(&self, drive: &str) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        collect(&self.0.path().join(drive), "", &mut files);
        files
    }

    /// Applies it with these faults. Returns the outcomes by paths.
    fn apply(&self, fault: &Arc<Fault>) -> BTreeMap<String, ApplyOutcome> {
        let faults: Arc<dyn Faults> = fault.clone();
        let to = Folders::open_with_faults(&self.named("drives"), &faults);
        let locked = (0..2).all(|drive| to.lock(drive, b"").is_ok());
        if !locked {
            return BTreeMap::new();
        }
        let pair = |number: u16| Pair {
            written: number.into(),
            to: (number, Vec::new()),
            from: (number, Vec::new()),
        };
        let sides = Sides {
            to,
            from: Folders::open(&self.named("copies")),
            pairs: vec![pair(0), pair(1)],
        };
        let steps = sides.batch(written(), false).into_iter();
        let step = |step: super::ApplyStep| (String::from_utf8(step.path).unwrap(), step.outcome);
        steps.map(step).collect()
    }
}

fn collect(folder: &Path, below: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = format!("{below}{name}");
        match path.is_dir() {
            true => collect(&path, &format!("{name}/"), files),
            false => drop(files.insert(name, fs::read_to_string(&path).unwrap())),
        }
    }
}

/// What the run did.
fn written() -> Vec<(Vec<u8>, OfObject)> {
    let (old, new) = (Some(digest(b"old")), Some(digest(b"new")));
    let states = [
        (INLINE, [old.clone(), new.clone()]),
        (DATA, [old.clone(), new.clone()]),
        (COMES, [None, new]),
        (GOES, [old, None]),
    ];
    let object = |(path, states): (&str, [Option<String>; 2])| {
        let on = |drive: usize| {
            let mut on = OfDrive {
                states: states.to_vec(),
                ..OfDrive::default()
            };
            if path == DATA {
                let comes = format!("{DATA}/new/part.1").into_bytes();
                let is_it = DataFile(Box::new(|bytes| bytes == b"new"));
                on.comes.insert(comes, is_it);
                on.goes.insert(format!("{DATA}/old/part.1").into_bytes());
            }
            (drive, on)
        };
        let object = OfObject {
            order: vec![0, 1],
            on: [on(0), on(1)].into(),
            is_whole: true,
            is_open: false,
        };
        (path.as_bytes().to_vec(), object)
    };
    states.into_iter().map(object).collect()
}

fn fault(at: Option<usize>, is_end: bool) -> Arc<Fault> {
    Arc::new(Fault {
        at,
        is_end,
        calls: Mutex::default(),
    })
}

/// Sees that each drive has each object as it was or as it is to be, and the first drive before the second.
fn check(host: &Host, at: usize) {
    let [one, two] = DRIVES.map(|name| host.files(&format!("drives/{name}")));
    for path in [INLINE, DATA, COMES, GOES] {
        let meta = format!("{path}/xl.meta");
        let is_new = [&one, &two].map(|files| match (path, files.get(&meta)) {
            (GOES, there) => there.is_none(),
            (COMES, there) => there.is_some_and(|text| text == "new"),
            (_, Some(text)) => text == "new",
            (_, None) => panic!("{at}: {path} is gone"),
        });
        assert!(
            is_new[0] || !is_new[1],
            "{at}: {path}: the second drive first"
        );
        if path != DATA {
            continue;
        }
        for (files, is_new) in [&one, &two].into_iter().zip(is_new) {
            let version = if is_new { "new" } else { "old" };
            let part = files.get(&format!("{DATA}/{version}/part.1"));
            assert_eq!(part.map(String::as_str), Some(version), "{at}");
        }
        let old = one.get(&format!("{DATA}/old/part.1"));
        assert!(old.is_some() || is_new[1], "{at}: old data goes last");
    }
}

#[test]
fn wherever_it_ends_or_fails_drives_are_old_or_new_in_order_and_the_next_finishes() {
    let copies = DRIVES.map(|name| Host::new().files(&format!("copies/{name}")));
    for is_end in [true, false] {
        let mut points = 0;
        loop {
            let host = Host::new();
            let hit = fault(Some(points), is_end);
            let outcomes = host.apply(&hit);
            check(&host, points);
            let is_hit = hit.calls.lock().unwrap().len() > points;
            let failed = |outcome: &ApplyOutcome| matches!(outcome, ApplyOutcome::Failed(_));
            assert!(is_hit || !outcomes.values().any(failed), "{outcomes:?}");

            let outcomes = host.apply(&fault(None, false));
            let done = |outcome: &ApplyOutcome| {
                matches!(outcome, ApplyOutcome::Applied | ApplyOutcome::Unchanged)
            };
            assert!(outcomes.values().all(done), "{points}: {outcomes:?}");
            for (name, copy) in DRIVES.iter().zip(&copies) {
                assert_eq!(host.files(&format!("drives/{name}")), *copy, "{points}");
            }
            let again = host.apply(&fault(None, false));
            let unchanged = |outcome: &ApplyOutcome| matches!(outcome, ApplyOutcome::Unchanged);
            assert!(again.values().all(unchanged), "{points}: {again:?}");
            if !is_hit {
                break;
            }
            points += 1;
        }
        println!("{points} calls, each the last one: {is_end}");
        assert!(points > 100);
    }
}

#[test]
fn what_is_new_is_durable_before_it_counts_and_each_drive_before_the_next() {
    let host = Host::new();
    let log = fault(None, false);
    host.apply(&log);
    let calls: String = log
        .calls
        .lock()
        .unwrap()
        .iter()
        .filter(|call| **call != '.')
        .collect();
    // What earlier ones left is looked for; then the drafts of four objects on two drives.
    let calls: String = calls.replace('r', "");
    let [staged, moved, replaced] = ["c".repeat(2 * 4), "m".repeat(2), "mmm".to_owned()];
    // Each drive is synced after what is staged, what goes before, its versions, and at the end.
    assert_eq!(
        calls,
        format!("{staged}ss{moved}ss{replaced}s{replaced}sss")
    );
}

#[test]
fn a_drive_that_has_something_else_keeps_it_and_the_other_gets_nothing() {
    for (file, text) in [
        ("drives/two/config/inline/xl.meta", "theirs"),
        ("drives/one/config/inline/xl.meta", "theirs"),
        ("drives/two/config/new/comes/xl.meta", "theirs"),
        ("drives/one/config/data/new/part.1", "theirs"),
    ] {
        let host = Host::new();
        host.put(file, text);
        let before: BTreeSet<_> = host.files("drives").into_iter().collect();
        let outcomes = host.apply(&fault(None, false));
        let changed: Vec<&String> = outcomes
            .iter()
            .filter(|(_, outcome)| matches!(outcome, ApplyOutcome::ChangedSince(_)))
            .map(|(path, _)| path)
            .collect();
        let [path] = changed[..] else {
            panic!("{file}: {outcomes:?}");
        };
        assert!(file.contains(path.as_str()), "{file}: {path}");
        let after: BTreeSet<_> = host.files("drives").into_iter().collect();
        let of_it = |files: &BTreeSet<(String, String)>| -> Vec<(String, String)> {
            let files = files
                .iter()
                .filter(|(name, _)| name.contains(path.as_str()));
            files.cloned().collect()
        };
        assert_eq!(of_it(&after), of_it(&before), "{file}");
    }
}
