//! The store's root, the way from it to any folder, and the lock that writers take.

use std::collections::BTreeSet;
use std::fs::TryLockError;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::disk::{File, Folder, Kind};
use super::errors::{failed, refused, shown};
use super::faults::Watch;
use super::parallel::LANES;
use super::path::{draft_name, parts};
use super::replace::no_exchange;
use crate::awake::Moment;
use crate::contract::StorageError;

/// How long a commit waits for another process. A commit replaces some hundred objects, which
/// takes a second or two on a slow disk; a process that holds the lock for longer hangs. Well below
/// the deadline of a plugin's call, so that this is what the caller hears.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long nobody waits again after that: whoever holds the lock then was stopped, or hangs. Long enough
/// for a run to come to its end, as with a key service that does not answer.
const REST: Duration = Duration::from_secs(3);
/// Where MinIO's objects are.
const OBJECTS: &[u8] = b"config";
/// How often it looks. Short against the syncs that a commit does anyway.
const PAUSE: Duration = Duration::from_millis(5);

/// The root of a store.
pub(super) struct Root {
    folder: Folder,
    /// Queues the writers of this process, so that only one of them looks at the lock.
    writers: Mutex<()>,
    /// Until when no commit is tried, since the last one has waited in vain.
    rests_until: Mutex<Option<Instant>>,
    pub(super) patience: Duration,
    pub(super) rest: Duration,
    /// How much of a batch is worked on at once.
    pub(super) lanes: usize,
    /// The drafts of this process that could not be removed, or must not be.
    abandoned: Mutex<Vec<Vec<u8>>>,
    /// The folders that this process has made for drafts of new objects.
    made: Mutex<BTreeSet<Vec<u8>>>,
}

/// The right to replace objects; gives it back when dropped.
pub(super) struct WriteLock<'a> {
    _queue: MutexGuard<'a, ()>,
    _file: File,
}

impl Root {
    /// Opens the root.
    pub fn open(path: &Path, watch: Watch) -> io::Result<Self> {
        let lanes = if watch.is_on() { 1 } else { LANES };
        Ok(Self {
            lanes,
            folder: Folder::root(path, watch)?,
            writers: Mutex::default(),
            abandoned: Mutex::default(),
            made: Mutex::default(),
            rests_until: Mutex::default(),
            patience: PATIENCE,
            rest: REST,
        })
    }

    /// Remembers a folder that was made for a draft, and goes with it.
    pub fn has_made(&self, folder: &[u8]) {
        self.folders_made().insert(folder.to_vec());
    }

    /// Whether the folder was made for a draft.
    pub fn is_made(&self, folder: &[u8]) -> bool {
        self.folders_made().contains(folder)
    }

    /// Forgets that the folder was made for a draft: it is gone, or there to stay.
    pub fn keeps_made(&self, folder: &[u8]) {
        self.folders_made().remove(folder);
    }

    fn folders_made(&self) -> MutexGuard<'_, BTreeSet<Vec<u8>>> {
        // Whoever panicked left no half-done change.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a draft that stays where it is.
    pub fn abandon(&self, path: Vec<u8>) {
        self.drafts_left().push(path);
    }

    /// What was remembered.
    pub fn abandoned(&self) -> Vec<Vec<u8>> {
        self.drafts_left().clone()
    }

    fn drafts_left(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        // Whoever panicked left no half-done change.
        self.abandoned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a folder of the store; the path was checked.
    ///
    /// # Errors
    /// `NotFound` if it is not there or no folder, `Refused` if the way leads over a symbolic link.
    pub fn folder(&self, path: &[u8]) -> Result<Folder, StorageError> {
        let at_once = self.folder.below(path);
        if let Some(folder) = at_once.map_err(|error| failed("open", path, &error))? {
            return Ok(folder);
        }
        let mut folder = self
            .folder
            .again()
            .map_err(|error| failed("open", b"", &error))?;
        for part in parts(path) {
            folder = match folder.folder(part) {
                Ok(child) => child,
                Err(error) => return Err(no_folder(&folder, part, path, &error)),
            };
        }
        Ok(folder)
    }

    /// Takes the lock that every writer of this store takes, in this process and in others.
    ///
    /// It is a lock (`flock`) on the root folder itself: no lock file is left in the store, and
    /// the system gives it back when a process dies.
    ///
    /// Who has waited in vain once is not made to wait again: for a while nothing is tried, and then one
    /// look tells whether the lock is free.
    ///
    /// # Errors
    /// `Other` if another process keeps it, or the file system knows no locks.
    pub fn lock(&self) -> Result<WriteLock<'_>, StorageError> {
        // A writer that panicked left nothing half-done in memory.
        let queue = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        self.held()?;
        let waited = self.rests_until().is_some();
        let patience = if waited {
            Duration::ZERO
        } else {
            self.patience
        };
        let file = self
            .folder
            .as_file()
            .map_err(|error| failed("open", b"", &error))?;
        let start = Moment::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    *self.rests_until() = None;
                    return Ok(WriteLock {
                        _queue: queue,
                        _file: file,
                    });
                }
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    *self.rests_until() = Instant::now().checked_add(self.rest);
                    return Err(self.locked());
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", b"", &error)),
            }
        }
    }

    /// # Errors
    /// `Other` while nothing is tried because another process kept the lock.
    pub fn held(&self) -> Result<(), StorageError> {
        match *self.rests_until() {
            Some(until) if Instant::now() < until => Err(self.locked()),
            _ => Ok(()),
        }
    }

    /// Tries to exchange two files where objects are, or in the root: what a kill leaves there is swept.
    ///
    /// # Errors
    /// `Refused` if the file system cannot. Whatever else fails is left to those who write objects.
    pub fn check_exchange(&self) -> Result<(), StorageError> {
        let (Ok(one), Ok(other)) = (getrandom::u64(), getrandom::u64()) else {
            return Ok(());
        };
        let below = self.folder.folder(OBJECTS).ok();
        let folder = below.as_ref().unwrap_or(&self.folder);
        let names = [draft_name(one), draft_name(other)];
        let made = names.each_ref().map(|name| folder.create(name));
        let [one, other] = &names;
        let exchanged = match made.iter().all(Result::is_ok) {
            true => folder.exchange(one, other),
            false => Ok(()),
        };
        for (name, made) in names.iter().zip(&made) {
            if made.is_ok() {
                // What stays is swept.
                let _ = folder.remove(name);
            }
        }
        match exchanged {
            Err(error) if error.kind() == ErrorKind::Unsupported => Err(refused(no_exchange(b""))),
            _ => Ok(()),
        }
    }

    fn locked(&self) -> StorageError {
        StorageError::Other(format!(
            "another process has kept the store's root locked for {} s",
            self.patience.as_secs()
        ))
    }

    fn rests_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why `part` of `path` could not be opened as a folder.
fn no_folder(folder: &Folder, part: &[u8], path: &[u8], error: &io::Error) -> StorageError {
    match (folder.kind(part), error.kind()) {
        (Ok(Kind::Other(what)), _) => {
            refused(format!("`{}` in {} is {what}", shown(part), shown(path)))
        }
        (_, ErrorKind::NotADirectory) => StorageError::NotFound,
        _ => failed("open", path, error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::testing::{Fixture, run};
    use super::*;
    use crate::storage::{StorageWriter as _, Store as _};

    fn fixture(rest: Duration) -> Fixture {
        let mut fixture = Fixture::new();
        fixture.put("a", "old");
        let root = fixture.store.root_mut();
        root.patience = Duration::from_millis(300);
        root.rest = rest;
        fixture
    }

    /// As a process keeps it that was stopped.
    fn lock(fixture: &Fixture) -> fs::File {
        let theirs = fs::File::open(fixture.root()).unwrap();
        theirs.lock().unwrap();
        theirs
    }

    #[test]
    fn a_lock_that_is_never_given_back_is_waited_for_once() {
        let fixture = fixture(Duration::ZERO);
        let drafts: Vec<_> = (0..20).map(|_| fixture.draft("a", "new")).collect();
        let _theirs = lock(&fixture);
        let start = Instant::now();
        for draft in drafts {
            assert!(fixture.commit(vec![draft]).remove(0).is_err());
        }
        // Twenty waits would be six seconds.
        assert!(start.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn nothing_is_tried_during_the_rest_and_all_is_well_after_it() {
        let rest = Duration::from_secs(2);
        let fixture = fixture(rest);
        let draft = fixture.draft("a", "new");
        let theirs = lock(&fixture);
        assert!(fixture.store.gives_up().is_none());
        assert!(fixture.commit(vec![draft]).remove(0).is_err());
        assert!(fixture.store.gives_up().is_some());
        theirs.unlock().unwrap();
        let replacement = fixture.replacement("a", "new");
        // Not even a draft is made that could not be committed.
        let staged = run(fixture.store.stage(vec![replacement.into()])).remove(0);
        let Err(StorageError::Other(text)) = staged else {
            panic!("it was staged");
        };
        assert!(text.starts_with("another process"), "{text}");
        sleep(rest);
        assert!(fixture.store.gives_up().is_none());
        let draft = fixture.draft("a", "new");
        assert!(fixture.commit(vec![draft]).remove(0).is_ok());
        assert_eq!(fixture.get("a"), "new");
    }

    #[test]
    fn whether_files_can_be_exchanged_is_tried_and_nothing_stays() {
        let fixture = Fixture::new();
        run(fixture.store.check_writes()).unwrap();
        assert!(fixture.names("").is_empty());
        fixture.put("config/a", "");
        run(fixture.store.check_writes()).unwrap();
        assert_eq!(fixture.names("config"), ["a"]);
        assert_eq!(fixture.names(""), ["config"]);
    }
}
