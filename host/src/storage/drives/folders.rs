//! The folders that drives are, lent to the component.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::recorder::Recording;
use crate::contract::StorageError;
use crate::contract::drive_store::iamseal::plugin::files::{Entry, Kind, Page, Part};
use crate::plugin::drives::Lent;
use crate::storage::dir::disk;
use crate::storage::dir::tree::Tree;
use crate::storage::dir::tree_writer::Lock;

/// How many entries of a folder are handed over at once. All of it is read for each time: a bucket may have a
/// million objects in one.
const ENTRIES: usize = 16_384;

/// The folders of drives, in order.
#[derive(Clone)]
pub(super) struct Folders(Arc<[Drive]>);

struct Drive {
    /// What people call it.
    name: String,
    /// Or why there is none.
    tree: Result<Tree, String>,
    /// The folders of it that are kept from other writers, by their paths. Nothing is written before.
    locks: Mutex<BTreeMap<Vec<u8>, Lock>>,
    /// Whoever is told of what is done to it.
    recording: Mutex<Option<Arc<Recording>>>,
}

impl Drive {
    fn recording(&self) -> Option<Arc<Recording>> {
        let recording = self.recording.lock();
        recording.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn locks(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Lock>> {
        // A lock that was taken is taken whoever panicked.
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Folders {
    /// Opens them, each with what people call it. One that cannot be opened says so whenever it is asked for something.
    pub fn open(drives: &[(String, PathBuf)]) -> Self {
        let open = |(name, path): &(String, PathBuf)| Drive {
            name: name.clone(),
            tree: Tree::open(path).map_err(|error| error.to_string()),
            locks: Mutex::default(),
            recording: Mutex::default(),
        };
        Self(drives.iter().map(open).collect())
    }

    /// The same, watched.
    #[cfg(test)]
    pub fn open_with_faults(
        drives: &[(String, PathBuf)],
        faults: &Arc<dyn crate::storage::dir::faults::Faults>,
    ) -> Self {
        let open = |(name, path): &(String, PathBuf)| Drive {
            name: name.clone(),
            tree: Tree::open_with_faults(path, Arc::clone(faults))
                .map_err(|error| error.to_string()),
            locks: Mutex::default(),
            recording: Mutex::default(),
        };
        Self(drives.iter().map(open).collect())
    }

    fn drive(&self, drive: u16) -> Result<&Drive, StorageError> {
        let drive = self.0.get(usize::from(drive));
        drive.ok_or_else(|| StorageError::Refused("no such drive is lent".into()))
    }

    /// Tells of what is done to a drive from now on.
    pub fn record(&self, recording: Recording) -> Result<(), StorageError> {
        let drive = self.drive(recording.drive)?;
        let recorded = drive.recording.lock();
        *recorded.unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(recording));
        Ok(())
    }

    /// What people call a drive.
    pub fn name(&self, drive: u16) -> &str {
        self.drive(drive).map_or("?", |drive| &drive.name)
    }

    /// A drive's files.
    pub fn tree(&self, drive: u16) -> Result<&Tree, StorageError> {
        let tree = &self.drive(drive)?.tree;
        tree.as_ref()
            .map_err(|why| StorageError::Other(why.clone()))
    }

    /// Makes durable all that was done to a drive.
    pub fn sync_drive(&self, drive: u16) -> Result<(), StorageError> {
        self.locked(drive)?;
        // All of them are on one file system, or nothing could be moved from one to the other.
        self.drive(drive)?.locks().values().try_for_each(Lock::sync)
    }

    /// The same to be written to.
    pub fn locked(&self, drive: u16) -> Result<&Tree, StorageError> {
        match self.drive(drive)?.locks().is_empty() {
            true => Err(StorageError::Refused("the drive was not locked".into())),
            false => self.tree(drive),
        }
    }
}

impl Lent for Folders {
    fn drives(&self) -> Vec<String> {
        self.0.iter().map(|drive| drive.name.clone()).collect()
    }

    fn list(&self, drive: u16, folder: &[u8], after: Option<&[u8]>) -> Result<Page, StorageError> {
        let page = self.tree(drive)?.list(folder, after, ENTRIES)?;
        let entry = |(name, kind)| Entry {
            name,
            kind: match kind {
                disk::Kind::File => Kind::File,
                disk::Kind::Folder => Kind::Folder,
                disk::Kind::Other(_) => Kind::Other,
            },
        };
        Ok(Page {
            entries: page.entries.into_iter().map(entry).collect(),
            has_more: page.has_more,
        })
    }

    fn read(
        &self,
        drive: u16,
        file: &[u8],
        offset: u64,
        length: u32,
    ) -> Result<Part, StorageError> {
        let part = self.tree(drive)?.read(file, offset, length)?;
        Ok(Part {
            bytes: part.bytes,
            size: part.size,
        })
    }

    fn now(&self) -> i64 {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
    }

    fn lock(&self, drive: u16, folder: &[u8]) -> Result<(), StorageError> {
        let tree = self.tree(drive)?;
        let mut locks = self.drive(drive)?.locks();
        // An instance that takes the place of one that failed asks again.
        if !locks.contains_key(folder) {
            locks.insert(folder.to_vec(), tree.lock(folder)?);
        }
        Ok(())
    }

    fn modified(&self, drive: u16, path: &[u8]) -> Result<i64, StorageError> {
        self.tree(drive)?.modified(path)
    }

    fn create(
        &self,
        drive: u16,
        file: &[u8],
        bytes: &[u8],
        like: &[u8],
    ) -> Result<(), StorageError> {
        self.locked(drive)?.create(file, bytes, like)
    }

    fn make_folder(&self, drive: u16, folder: &[u8], like: &[u8]) -> Result<(), StorageError> {
        self.locked(drive)?.make_folder(folder, like)
    }

    fn open_up(&self, drive: u16, file: &[u8], like: &[u8]) -> Result<(), StorageError> {
        self.locked(drive)?.open_up(file, like)
    }

    fn rename(&self, drive: u16, from: &[u8], to: &[u8]) -> Result<(), StorageError> {
        let tree = self.locked(drive)?;
        if let Some(recording) = self.drive(drive)?.recording() {
            recording.rename(tree, from, to)?;
        }
        tree.rename(from, to)
    }

    fn remove(&self, drive: u16, file: &[u8]) -> Result<(), StorageError> {
        let tree = self.locked(drive)?;
        if let Some(recording) = self.drive(drive)?.recording() {
            recording.remove(tree, file)?;
        }
        tree.remove(file)
    }

    fn remove_folder(&self, drive: u16, folder: &[u8]) -> Result<(), StorageError> {
        self.locked(drive)?.remove_folder(folder)
    }

    fn sync(&self, drive: u16) -> Result<(), StorageError> {
        self.sync_drive(drive)
    }
}
