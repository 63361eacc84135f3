//! Objects that come and go: at every crash point each is what it was or what it was to be, nothing stands
//! beside it, and what was reported is done; and of two writers neither loses anything.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use iamseal::contract::StorageError;
use iamseal::journal::{Journaled, Undo, UndoOutcome};
use iamseal::storage::dir::faults::{Call, Faults};
use iamseal::storage::{
    Change, Creation, DirStore, Removal, Replacement, Storage, StorageWriter, Store as _,
};
use iamseal_tests::runtime::wait;
use libtest_mimic::Failed;

use crate::check::process;
use crate::dir::{Dir, folder_in_memory, put};
use crate::drives::Drives;
use crate::journaled::{OPENER, authentic, journal};
use crate::mode::{Mode, Point, dead};
use crate::platters::Lie as OfDrives;
use crate::shadow::{Content, Lie, SELF, Tree, read};
use crate::world::World;

/// Many times the operations of any run here.
const CALLS: usize = 10_000;
/// How much is told.
const SHOWN: usize = 5;

/// What is there before, and what is to be there.
const OBJECTS: [(&str, Option<&str>, Option<&str>); 7] = [
    ("config/config.json", Some("configuration"), None),
    ("config/iam/format.json", Some("format"), Some("format")),
    (
        "config/iam/policies/read/policy.json",
        Some("read"),
        Some("read more"),
    ),
    ("config/iam/users/alice/identity.json", Some("alice"), None),
    (
        "config/iam/users/alice/policy.json",
        Some("of alice"),
        Some("of alice"),
    ),
    ("config/iam/users/bob/identity.json", None, Some("bob")),
    ("config/iam/users/alice/sts.json", None, Some("new")),
];

fn content(text: &str) -> Content {
    let (root, nobody) = (0, 65534);
    Content {
        bytes: text.into(),
        mode: 0o640,
        owner: if *SELF == root { nobody } else { *SELF },
    }
}

fn tree(is_after: bool) -> Tree {
    let objects = OBJECTS.iter().filter_map(|(path, before, after)| {
        let text = if is_after { after } else { before };
        Some((path.as_bytes().to_vec(), content((*text)?)))
    });
    objects.collect()
}

/// What is still to be done, by what the store holds now.
fn changes(storage: &dyn Storage) -> Vec<Change> {
    let change = |(path, _, after): &(&str, Option<&str>, Option<&str>)| {
        let path = path.as_bytes().to_vec();
        let there = wait(storage.read(&path));
        match (there, after) {
            (Err(StorageError::NotFound), Some(new)) => Some(Change::Create(Creation {
                path,
                bytes: new.as_bytes().to_vec(),
                rights: None,
            })),
            (Ok(there), Some(new)) if there.bytes != new.as_bytes() => {
                Some(Change::Replace(Replacement {
                    path,
                    expected: there.version,
                    bytes: new.as_bytes().to_vec(),
                }))
            }
            (Ok(there), None) => Some(Change::Remove(Removal {
                path,
                expected: there.version,
            })),
            _ => None,
        }
    };
    OBJECTS.iter().filter_map(change).collect()
}

/// The paths of changes that were reported as done.
fn make(writer: &dyn StorageWriter, changes: Vec<Change>) -> Vec<Vec<u8>> {
    let whats: Vec<_> = changes
        .iter()
        .map(|change| (change.path().to_vec(), change.bytes().map(<[u8]>::to_vec)))
        .collect();
    let (mut drafts, mut paths) = (Vec::new(), Vec::new());
    for ((path, bytes), draft) in whats.into_iter().zip(wait(writer.stage(changes))) {
        let Ok(mut draft) = draft else { continue };
        if let Some(bytes) = bytes
            && wait(draft.read_back()).ok() != Some(bytes)
        {
            continue;
        }
        drafts.push(draft);
        paths.push(path);
    }
    let committed = wait(writer.commit(drafts)).into_iter();
    let done = paths.into_iter().zip(committed);
    done.filter_map(|(path, done)| done.is_ok().then_some(path))
        .collect()
}

/// Everything that is in the store and is neither as before nor as it is to be.
fn wrong(there: &Tree, done: &[Vec<u8>]) -> Vec<String> {
    let (before, after) = (tree(false), tree(true));
    let mut wrong = Vec::new();
    for (path, ..) in OBJECTS {
        let path = path.as_bytes();
        let is = there.get(path);
        let is_new = is == after.get(path);
        if !is_new && (is != before.get(path) || done.iter().any(|done| done == path)) {
            let is = is.map(|is| (String::from_utf8_lossy(&is.bytes).into_owned(), is.mode));
            wrong.push(format!("{} is {is:?}", String::from_utf8_lossy(path)));
        }
    }
    for path in there.keys() {
        if !before.contains_key(path) && !after.contains_key(path) {
            wrong.push(format!("{} is left", String::from_utf8_lossy(path)));
        }
    }
    wrong
}

/// Every crash point of making all changes as one batch.
pub fn changed(mode: Mode) -> Result<(), Failed> {
    verdict(&points(mode, None, usize::MAX))
}

/// The proof that these points find a store that does not sync.
pub fn without_syncs() -> Result<(), Failed> {
    match points(Mode::PowerLost, Some(Lie::FoldersAreNotSynced), 1).is_empty() {
        true => Err("nothing was lost".into()),
        false => Ok(()),
    }
}

fn points(mode: Mode, lie: Option<Lie>, enough: usize) -> Vec<String> {
    let mut lost = Vec::new();
    for at in 1..CALLS {
        let point = Arc::new(Point::new(mode, at));
        let world = Dir::lying(&tree(false), lie);
        let mut done = Vec::new();
        if let Ok(opened) = world.open(&point) {
            // What there is to do is looked up where nothing goes wrong.
            let todo = changes(&*fresh(&world).storage);
            done = make(&*opened.writer, todo);
            drop(opened);
        }
        for world in world.after(mode) {
            let mut found = Vec::new();
            world.sweep();
            found.extend(wrong(&world.everything(), &done));
            let opened = fresh(&world);
            make(&*opened.writer, changes(&*opened.storage));
            if world.everything() != tree(true) {
                found.push(format!(
                    "running again does not end it: {:?}",
                    world.everything().keys()
                ));
            }
            lost.extend(
                found
                    .into_iter()
                    .map(|what| format!("{mode}, operation {at}: {what}")),
            );
        }
        if !point.was_met() || lost.len() >= enough {
            return lost;
        }
    }
    panic!("the run does not end");
}

fn fresh(world: &impl World) -> crate::world::Opened {
    world.open(&Arc::new(Point::never())).unwrap()
}

/// The same through a journal: wherever it ends, all of it can be taken back.
pub fn taken_back(mode: Mode) -> Result<(), Failed> {
    let mut lost = Vec::new();
    for at in 1..CALLS {
        let point = Arc::new(Point::new(mode, at));
        let world = Dir::of(&tree(false), &Tree::new());
        let todo = journaled_changes(&*fresh(&world).storage);
        if let Ok(opened) = world.open(&point) {
            let process = process(opened);
            if let Ok(journal) = journal(&process, "life") {
                let (storage, writer) = (process.lent.storage.clone(), process.lent.writer.clone());
                let journaled = Journaled::new(journal, storage, writer, OPENER.clone());
                make(&journaled, todo);
            }
        }
        for world in world.after(mode) {
            world.sweep();
            let mut found = undone(&world);
            world.sweep();
            if world.everything() != tree(false) {
                found.push(format!("not as before: {:?}", world.everything().keys()));
            }
            lost.extend(
                found
                    .into_iter()
                    .map(|what| format!("{mode}, operation {at}: {what}")),
            );
        }
        if !point.was_met() {
            return verdict(&lost);
        }
    }
    panic!("the run does not end");
}

/// A journal takes no replacement of plaintext by plaintext.
fn journaled_changes(storage: &dyn Storage) -> Vec<Change> {
    let mut todo = changes(storage);
    todo.retain(|change| !matches!(change, Change::Replace(_)));
    todo
}

fn undone(world: &Dir) -> Vec<String> {
    let process = process(fresh(world));
    let mut wrong = Vec::new();
    let Ok(journals) = (process.journals)() else {
        return wrong;
    };
    for name in journals.names().unwrap() {
        // A run that was killed at its very beginning has changed nothing.
        let Ok(past) = journals.past(&name) else {
            continue;
        };
        let (storage, writer) = (process.lent.storage.clone(), process.lent.writer.clone());
        let undo = Undo::new(&authentic(past), OPENER.clone(), storage.clone()).unwrap();
        let mut undo = undo.writing(storage, writer);
        loop {
            let steps = wait(undo.next(3)).unwrap();
            if steps.is_empty() {
                break;
            }
            for step in steps {
                if matches!(
                    step.outcome,
                    UndoOutcome::Failed(_) | UndoOutcome::ChangedSince
                ) {
                    wrong.push(format!("not taken back: {step:?}"));
                }
            }
        }
    }
    wrong
}

/// The same on drives: what the library reads is what a server reads, the old or the new.
pub fn on_drives(mode: Mode) -> Result<(), Failed> {
    verdict(&points_on_drives(mode, None, usize::MAX))
}

/// The proof that these points find drives that are not synced.
pub fn on_drives_without_syncs() -> Result<(), Failed> {
    match points_on_drives(Mode::PowerLost, Some(OfDrives::NoSyncs), 1).is_empty() {
        true => Err("nothing was lost".into()),
        false => Ok(()),
    }
}

fn points_on_drives(mode: Mode, lie: Option<OfDrives>, enough: usize) -> Vec<String> {
    let mut lost = Vec::new();
    for at in (1..CALLS).step_by(Drives::stride(mode)) {
        let point = Arc::new(Point::new(mode, at));
        let world = Drives::lying(&tree(false), lie);
        let todo = changes(&*fresh(&world).storage);
        let done = match world.open(&point) {
            Ok(opened) => make(&*opened.writer, todo),
            Err(_) => Vec::new(),
        };
        for world in world.after(mode) {
            let mut found = wrong_on_drives(&world, &done);
            world.sweep();
            found.extend(wrong_on_drives(&world, &done));
            let opened = fresh(&world);
            make(&*opened.writer, changes(&*opened.storage));
            let all: Vec<_> = OBJECTS
                .iter()
                .map(|(path, ..)| path.as_bytes().to_vec())
                .collect();
            let left = wrong_on_drives(&world, &all).into_iter();
            found.extend(left.map(|what| format!("running again does not end it: {what}")));
            lost.extend(
                found
                    .into_iter()
                    .map(|what| format!("{mode}, operation {at}: {what}")),
            );
        }
        if !point.was_met() || lost.len() >= enough {
            return lost;
        }
    }
    panic!("the run does not end");
}

fn wrong_on_drives(world: &Drives, done: &[Vec<u8>]) -> Vec<String> {
    let storage = fresh(world).storage;
    let mut wrong = Vec::new();
    for (path, before, after) in OBJECTS {
        let is = match wait(storage.read(path.as_bytes())) {
            Ok(stored) => Some(String::from_utf8(stored.bytes).unwrap()),
            Err(StorageError::NotFound) if !world.is_seen_by_minio(path.as_bytes()) => None,
            other => {
                let why = other.err();
                wrong.push(format!("{path}: {why:?}"));
                continue;
            }
        };
        let is = is.as_deref();
        let is_done = done.iter().any(|done| done == path.as_bytes());
        if is != after && (is != before || is_done) {
            wrong.push(format!("{path} is {is:?}"));
        }
    }
    wrong
}

/// What the store does while somebody else writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Created,
    Removed,
}

pub const DONE: [Done; 2] = [Done::Created, Done::Removed];

const OBJECT: &str = "config/iam/users/alice/identity.json";
const THEIRS: &str = "theirs";

/// Somebody who renames a file over the object before a call of the store, and then the store is killed.
struct Writer {
    object: PathBuf,
    at: usize,
    killed_at: usize,
    met: AtomicUsize,
}

impl Faults for Writer {
    fn before(&self, _: Call<'_>) -> io::Result<()> {
        let number = self.met.fetch_add(1, SeqCst) + 1;
        if number == self.at {
            let file = self.object.with_extension("theirs");
            fs::write(&file, THEIRS).unwrap();
            fs::rename(&file, &self.object).unwrap();
        }
        match number >= self.killed_at {
            true => Err(dead()),
            false => Ok(()),
        }
    }
}

/// A writer in every gap of one change, and the process killed in every gap after that. What he wrote is
/// there in the end.
pub fn raced(did: Done) -> Result<(), Failed> {
    let mut lost = Vec::new();
    for at in 1..CALLS {
        for killed_at in at..CALLS {
            let folder = folder_in_memory();
            let mut before = tree(false);
            if did == Done::Created {
                before.remove(OBJECT.as_bytes());
            }
            put(folder.path(), &before);
            let change = planned(folder.path(), did);
            let writer = Arc::new(Writer {
                object: folder.path().join(OBJECT),
                at,
                killed_at,
                met: AtomicUsize::new(0),
            });
            let store = DirStore::open_with_faults(folder.path(), writer.clone());
            let done = match store {
                Ok(store) => make(&store, vec![change]),
                Err(_) => Vec::new(),
            };
            if writer.met.load(SeqCst) < at {
                println!("{did:?}: all gaps");
                return verdict(&lost);
            }
            let tell = |what: String| format!("gap {at}, killed at {killed_at}: {what}");
            let swept = wait(DirStore::open(folder.path()).unwrap().sweep(b""));
            if let Err(error) = swept {
                lost.push(tell(format!("not swept: {error:?}")));
            }
            let there = read(folder.path());
            let is = there.get(OBJECT.as_bytes()).map(|is| is.bytes.as_slice());
            // Whoever writes after it was done finds it done, and has the last word.
            if is != Some(THEIRS.as_bytes()) {
                lost.push(tell(format!(
                    "what was written last is lost: {is:?}, {done:?}"
                )));
            }
            if writer.met.load(SeqCst) < killed_at {
                break;
            }
        }
    }
    panic!("the run does not end");
}

fn planned(root: &Path, did: Done) -> Change {
    let path = OBJECT.as_bytes().to_vec();
    match did {
        Done::Created => Change::Create(Creation {
            path,
            bytes: b"new".to_vec(),
            rights: None,
        }),
        Done::Removed => {
            let store = DirStore::open(root).unwrap();
            let expected = wait(store.read(OBJECT.as_bytes())).unwrap().version;
            Change::Remove(Removal { path, expected })
        }
    }
}

fn verdict(lost: &[String]) -> Result<(), Failed> {
    if lost.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = lost.iter().take(SHOWN).cloned().collect();
    Err(format!("{} times\n{}", lost.len(), shown.join("\n")).into())
}
