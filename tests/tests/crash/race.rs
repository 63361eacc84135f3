//! Somebody who knows nothing of the store's lock, such as a server, and writes between any two of the
//! store's system calls. What he wrote last is there in the end, whatever the store did, and wherever
//! it was killed.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use iamseal::contract::StorageError;
use iamseal::journal::Journals;
use iamseal::storage::dir::faults::{Call, Faults};
use iamseal::storage::{
    DirStore, Replacement, Storage as _, StorageWriter as _, Store as _, Version,
};
use iamseal_core::Policy;
use iamseal_tests::backend::{Backend as _, Native};
use iamseal_tests::runtime::wait;
use libtest_mimic::Failed;
use tempfile::TempDir;

use crate::check::process;
use crate::dir::{folder_in_memory, put};
use crate::mode::dead;
use crate::shadow::{Content, Tree, read};
use crate::workload::{PREFIX, STORE, WORKLOADS, Workload, keys};
use crate::world::Opened;

/// The object that is written to.
const OBJECT: &str = "config/iam/policies/read.json";
/// What is written, as long as what is there.
const THEIRS: &[u8] = b"{\"by\":\"config/iam/policies/read.json\"}";
/// What the store is to put there.
const NEW: &[u8] = b"{\"iamseal\":\"was here\"}";
/// The mode that is set.
const MODE: u32 = 0o604;
/// Many times the system calls of any run here.
const CALLS: usize = 10_000;
/// How much is told.
const SHOWN: usize = 5;

/// What is done to the object in a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Another file is renamed over it, as MinIO writes.
    Replaced,
    /// It is written to in its place.
    Overwritten,
    /// The same, but the bytes come one gap after the file was cut to nothing.
    OverwrittenSlowly,
    ModeSet,
    Removed,
    RemovedAndMade,
}

pub const ACTS: [Act; 6] = [
    Act::Replaced,
    Act::Overwritten,
    Act::OverwrittenSlowly,
    Act::ModeSet,
    Act::Removed,
    Act::RemovedAndMade,
];

/// How the store replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaces {
    ByExchange,
    /// It compares, then it renames: what it does where nothing can be exchanged.
    ByRename,
}

/// The writer, who is called before each system call of the store.
struct Writer {
    object: PathBuf,
    act: Act,
    /// Before which call he acts, from 1 on.
    at: usize,
    /// Before which call the store's process is killed.
    killed_at: usize,
    replaces: Replaces,
    met: AtomicUsize,
    unfinished: Mutex<Option<File>>,
}

impl Writer {
    fn new(root: &Path, act: Act, at: usize, killed_at: usize, replaces: Replaces) -> Arc<Self> {
        Arc::new(Self {
            object: root.join(OBJECT),
            act,
            at,
            killed_at,
            replaces,
            met: AtomicUsize::new(0),
            unfinished: Mutex::default(),
        })
    }

    fn act(&self) {
        let object = &self.object;
        match self.act {
            Act::Replaced => {
                let file = object.with_extension("theirs");
                fs::write(&file, THEIRS).unwrap();
                like_before(&file);
                fs::rename(&file, object).unwrap();
            }
            Act::Overwritten => fs::write(object, THEIRS).unwrap(),
            Act::OverwrittenSlowly => {
                *self.unfinished.lock().unwrap() = Some(File::create(object).unwrap());
            }
            Act::ModeSet => fs::set_permissions(object, Permissions::from_mode(MODE)).unwrap(),
            Act::Removed => fs::remove_file(object).unwrap(),
            Act::RemovedAndMade => {
                fs::remove_file(object).unwrap();
                fs::write(object, THEIRS).unwrap();
                like_before(object);
            }
        }
    }

    /// Ends what was begun.
    fn finish(&self) {
        if let Some(mut file) = self.unfinished.lock().unwrap().take() {
            file.write_all(THEIRS).unwrap();
        }
    }

    fn has_acted(&self) -> bool {
        self.met.load(SeqCst) >= self.at
    }

    fn has_killed(&self) -> bool {
        self.met.load(SeqCst) >= self.killed_at
    }
}

impl Faults for Writer {
    fn before(&self, call: Call<'_>) -> io::Result<()> {
        let number = self.met.fetch_add(1, SeqCst) + 1;
        if number > self.killed_at {
            return Err(dead());
        }
        if number == self.at {
            self.act();
        }
        if number == self.at + 1 {
            self.finish();
        }
        if number == self.killed_at {
            return Err(dead());
        }
        match (call, self.replaces) {
            (Call::Exchange { .. }, Replaces::ByRename) => Err(io::ErrorKind::Unsupported.into()),
            _ => Ok(()),
        }
    }
}

/// A store in memory whose files were written long ago.
fn folder(tree: &Tree) -> TempDir {
    let folder = folder_in_memory();
    put(folder.path(), tree);
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    for path in tree.keys() {
        let path = folder.path().join(OsStr::from_bytes(path));
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    folder
}

fn sample() -> &'static Tree {
    &(WORKLOADS[0].before)().tree
}

fn before() -> &'static Content {
    &sample()[OBJECT.as_bytes()]
}

fn like_before(file: &Path) {
    chown(file, Some(before().owner), None).unwrap();
    fs::set_permissions(file, Permissions::from_mode(before().mode)).unwrap();
}

/// A writer in every gap of a whole migration.
pub fn migration(workload: &Workload, act: Act) -> Result<(), Failed> {
    let mut lost = Vec::new();
    for at in 1..CALLS {
        let folder = folder(&(workload.before)().tree);
        let writer = Writer::new(folder.path(), act, at, usize::MAX, Replaces::ByExchange);
        let store = DirStore::open_with_faults(folder.path(), writer.clone());
        if let Ok(store) = store {
            migrate(workload, store);
        }
        writer.finish();
        let is_over = !writer.has_acted();
        if !is_over {
            let found = missed(workload, act, folder.path());
            lost.extend(found.into_iter().map(|what| format!("gap {at}: {what}")));
        }
        if is_over {
            return verdict(&lost);
        }
    }
    panic!("the run does not end");
}

fn migrate(workload: &Workload, store: DirStore) {
    let journals = Arc::new(|| Journals::open(Path::new("/nowhere")));
    (workload.run)(process(Opened::new(store, journals)));
}

/// What is not as the writer left it, or was not done to the others.
fn missed(workload: &Workload, act: Act, root: &Path) -> Vec<String> {
    let sample = (workload.before)();
    let mut missed = Vec::new();
    // What was changed under the run's hands is left for the next one.
    for run in ["first", "second"] {
        let store = DirStore::open(root).unwrap();
        if let Err(error) = wait(store.sweep(PREFIX)) {
            missed.push(format!("{run}: not swept: {error:?}"));
        }
        let there = read(root);
        let mut wanted: Vec<_> = sample.tree.keys().collect();
        if act == Act::Removed {
            wanted.retain(|path| **path != OBJECT.as_bytes());
        }
        if !there.keys().eq(wanted) {
            missed.push(format!("{run}: there are other files: {:?}", names(&there)));
        }
        for object in &sample.objects {
            let is_theirs = object.path == OBJECT.as_bytes();
            let Some(Content { bytes, mode, .. }) = there.get(&object.path) else {
                continue;
            };
            let wanted = match (is_theirs, act) {
                (false, _) | (true, Act::ModeSet) => &object.plaintext,
                (true, _) => THEIRS,
            };
            let native = Native::new(keys(), STORE);
            let opened = native.unseal(&object.path, bytes, Policy::Compatible);
            let path = String::from_utf8_lossy(&object.path);
            match opened {
                Err(error) => missed.push(format!("{run}: {path}: {error:?}")),
                Ok(opened) if opened.plaintext != wanted => {
                    missed.push(format!("{run}: {path} holds something else"));
                }
                Ok(opened) => {
                    let is_done = (workload.is_done)(&opened.found);
                    if !is_done && (run == "second" || !is_theirs) {
                        missed.push(format!("{run}: {path} stays old"));
                    }
                }
            }
            let is_set = is_theirs && act == Act::ModeSet;
            if *mode
                != (if is_set {
                    MODE
                } else {
                    sample.tree[&object.path].mode
                })
            {
                missed.push(format!("{run}: {path} has the mode {mode:o}"));
            }
        }
        migrate(workload, store);
    }
    missed
}

/// A writer in every gap of one replacement, and the process killed in every gap after that.
pub fn killed(act: Act) -> Result<(), Failed> {
    let mut lost = Vec::new();
    let mut pairs = 0;
    for at in 1..CALLS {
        for killed_at in at..CALLS {
            let folder = folder(sample());
            let writer = Writer::new(folder.path(), act, at, killed_at, Replaces::ByExchange);
            let found = one_object(folder.path(), &writer);
            if !writer.has_acted() {
                println!("{act:?}: killed in {pairs} pairs of gaps");
                return verdict(&lost);
            }
            pairs += 1;
            let tell = |what| format!("gap {at}, killed at {killed_at}: {what}");
            lost.extend(found.into_iter().map(tell));
            if !writer.has_killed() {
                break;
            }
        }
    }
    panic!("the run does not end");
}

/// The proof that these enumerations find a store that compares and then renames.
pub fn a_rename_loses() -> Result<(), Failed> {
    for act in ACTS {
        let mut lost = Vec::new();
        for at in 1..CALLS {
            let folder = folder(sample());
            let writer = Writer::new(folder.path(), act, at, usize::MAX, Replaces::ByRename);
            let found = one_object(folder.path(), &writer);
            if !writer.has_acted() {
                break;
            }
            lost.extend(found.into_iter().map(|what| format!("gap {at}: {what}")));
        }
        if lost.is_empty() {
            return Err(format!("{act:?}, and nothing was lost").into());
        }
    }
    Ok(())
}

/// Replaces the object, with the writer about, sweeps as the next run does, and says what is wrong then.
fn one_object(root: &Path, writer: &Arc<Writer>) -> Vec<String> {
    let (mut was_read, mut done) = (None, None);
    if let Ok(store) = DirStore::open_with_faults(root, writer.clone()) {
        let store = store.server_is_stopped(writer.replaces == Replaces::ByRename);
        if let Ok(stored) = wait(store.read(OBJECT.as_bytes())) {
            was_read = Some(stored.bytes);
            done = Some(replace(&store, stored.version));
        }
    }
    writer.finish();
    let mut wrong = Vec::new();
    let swept = wait(DirStore::open(root).unwrap().sweep(PREFIX));
    let there = read(root);
    let drafts = names(&there)
        .iter()
        .filter(|name| name.contains("policies/.iamseal-"))
        .count();
    // What nobody can tell may stay, if that is said.
    if (drafts > 0) != swept.is_err() {
        wrong.push(format!("{drafts} drafts are left, {swept:?}"));
    }
    let read_theirs = was_read.as_deref() == Some(THEIRS);
    match (writer.act, there.get(OBJECT.as_bytes())) {
        (Act::Removed, None) => {}
        (_, None) => wrong.push("it is gone".into()),
        (Act::Removed, Some(_)) => wrong.push("it is there again".into()),
        (Act::ModeSet, Some(is)) => {
            if is.mode != MODE {
                wrong.push(format!("its mode is {:o}", is.mode));
            }
            if is.bytes != NEW && is.bytes != before().bytes {
                wrong.push("it holds something else".into());
            }
            if matches!(done, Some(Ok(_))) && is.bytes != NEW {
                wrong.push("it was replaced, and holds the old version".into());
            }
        }
        (_, Some(is)) => {
            if is.bytes != THEIRS && !(read_theirs && is.bytes == NEW) {
                wrong.push("what was written last is lost".into());
            }
        }
    }
    wrong
}

fn replace(store: &DirStore, expected: Version) -> Result<Version, StorageError> {
    let replacement = Replacement {
        path: OBJECT.into(),
        expected,
        bytes: NEW.into(),
    };
    let mut draft = wait(store.stage(vec![replacement.into()])).remove(0)?;
    wait(draft.read_back())?;
    let version = wait(store.commit(vec![draft])).remove(0)?;
    Ok(version.expect("what was replaced has a version"))
}

/// How long the writer goes on, and how long at most until the store has sealed something.
const STRESS: Duration = Duration::from_secs(2);
const STRESS_AT_MOST: Duration = Duration::from_secs(60);
/// How long what was written last may be out of its place while the store puts it back. Far more than two system
/// calls take: the machine may have other work.
const PUT_BACK: Duration = Duration::from_secs(30);

/// A writer that never stops, against a store that never stops, in real time.
pub fn stress() -> Result<(), Failed> {
    let folder = folder(sample());
    let object = folder.path().join(OBJECT);
    fs::write(&object, "0").unwrap();
    let is_over = Arc::new(AtomicUsize::new(0));
    let sealed = Arc::new(AtomicUsize::new(0));
    let (path, stop) = (folder.path().to_owned(), Arc::clone(&is_over));
    let count = Arc::clone(&sealed);
    let sealer = std::thread::spawn(move || {
        let store = DirStore::open(&path).unwrap();
        let (mut conflicts, mut kept) = (0, 0);
        while stop.load(SeqCst) == 0 {
            let stored = match wait(store.read(OBJECT.as_bytes())) {
                Ok(stored) => stored,
                // Written to whenever it was read.
                Err(StorageError::Conflict) => continue,
                Err(error) => panic!("{error:?}"),
            };
            if stored.bytes.starts_with(b"sealed ") {
                continue;
            }
            let replacement = Replacement {
                path: OBJECT.into(),
                expected: stored.version,
                bytes: [b"sealed ", &*stored.bytes].concat(),
            };
            let draft = wait(store.stage(vec![replacement.into()]))
                .remove(0)
                .unwrap();
            match wait(store.commit(vec![draft])).remove(0) {
                Ok(_) => drop(count.fetch_add(1, SeqCst)),
                Err(StorageError::Conflict) => conflicts += 1,
                // Two writes within one exchange.
                Err(StorageError::Other(text)) if text.contains("is kept as") => kept += 1,
                Err(error) => panic!("{error:?}"),
            }
        }
        (conflicts, kept)
    });
    let number = |text: &str| text.trim_start_matches("sealed ").parse::<u64>().unwrap();
    let start = Instant::now();
    let mut written = 0;
    let mut lost = None;
    // On a machine that has other work the store may not get its turn for a while.
    let goes_on = || {
        let time = start.elapsed();
        time < STRESS || sealed.load(SeqCst) == 0 && time < STRESS_AT_MOST
    };
    while goes_on() && lost.is_none() {
        written += 1;
        let file = object.with_extension("theirs");
        fs::write(&file, written.to_string()).unwrap();
        fs::rename(&file, &object).unwrap();
        // Now and then the store gets its turn.
        for _ in 0..written % 50 {
            std::thread::yield_now();
        }
        // What is there for an instant while it is put back is no loss; what stays is.
        let since = Instant::now();
        while number(&fs::read_to_string(&object).unwrap()) != written {
            if since.elapsed() > PUT_BACK {
                lost = Some(written);
                break;
            }
        }
    }
    is_over.store(1, SeqCst);
    let (conflicts, kept) = sealer.join().unwrap();
    let sealed = sealed.load(SeqCst);
    println!("{written} written, {sealed} sealed, {conflicts} conflicts, {kept} kept");
    let left = fs::read_dir(object.parent().unwrap()).unwrap();
    let drafts = left.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.as_bytes().starts_with(b".iamseal-")
    });
    match (lost, drafts.count()) {
        (None, drafts) if sealed > 0 && drafts == kept => Ok(()),
        (None, drafts) => Err(format!("{sealed} sealed, {kept} kept, {drafts} left").into()),
        (Some(number), _) => Err(format!("the write {number} was lost").into()),
    }
}

fn names(tree: &Tree) -> Vec<String> {
    let names = tree.keys();
    names
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

fn verdict(lost: &[String]) -> Result<(), Failed> {
    if lost.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = lost.iter().take(SHOWN).cloned().collect();
    Err(format!("{} times\n{}", lost.len(), shown.join("\n")).into())
}
