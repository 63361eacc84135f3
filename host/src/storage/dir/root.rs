//! The store's root, the way from it to any folder, and the lock that writers take.

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
use super::path::parts;
use crate::contract::StorageError;

/// How long a commit waits for another process. A commit replaces some hundred objects, which
/// takes a second or two on a slow disk; a process that holds the lock for longer hangs. Well below
/// the deadline of a plugin's call, so that this is what the caller hears.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks. Short against the syncs that a commit does anyway.
const PAUSE: Duration = Duration::from_millis(5);

/// The root of a store.
pub(super) struct Root {
    folder: Folder,
    /// Queues the writers of this process, so that only one of them looks at the lock.
    writers: Mutex<()>,
    pub(super) patience: Duration,
    /// How much of a batch is worked on at once.
    pub(super) lanes: usize,
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
            writers: Mutex::new(()),
            patience: PATIENCE,
        })
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
    /// # Errors
    /// `Other` if another process keeps it, or the file system knows no locks.
    pub fn lock(&self) -> Result<WriteLock<'_>, StorageError> {
        // A writer that panicked left nothing half-done in memory.
        let queue = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self
            .folder
            .as_file()
            .map_err(|error| failed("open", b"", &error))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(WriteLock {
                        _queue: queue,
                        _file: file,
                    });
                }
                Err(TryLockError::WouldBlock) if start.elapsed() < self.patience => sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(StorageError::Other(format!(
                        "another process has kept the store's root locked for {} s",
                        self.patience.as_secs()
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", b"", &error)),
            }
        }
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
