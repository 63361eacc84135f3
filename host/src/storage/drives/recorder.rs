//! What is done to the files of drives, told before it is done, so that the same can be done to the drives that these are
//! copies of: see [`super::apply`].

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Weak;

use sha2::{Digest as _, Sha256};

use crate::contract::StorageError;
use crate::plugin::hex;
use crate::storage::dir::tree::{Page, Tree};

/// The file of which a server tells which version of an object a drive has.
pub(super) const META: &str = "xl.meta";
/// What tells a drive from all others, byte for byte.
pub(super) const FORMAT: &[u8] = b"format.json";
/// Where drafts are; nothing there is an object's.
const TMP: &[u8] = b"tmp/";
/// The largest file that is read: no larger part is read at once.
const FILE_BYTES: u32 = 32 << 20;
/// How many files a folder of data has at the most that is moved to its object: one for each part.
const FILES: usize = 16;

/// What is about to be done. Files are named by their paths below a drive's system folder.
#[derive(Clone, Copy, Debug)]
pub enum FileChange<'a> {
    /// Nothing yet: it tells of the drive.
    Drive {
        /// Its number among those of the store.
        drive: u16,
        /// What people call it.
        name: &'a str,
        /// The SHA-256 of its `format.json`.
        format: &'a str,
    },
    /// An `xl.meta` comes, is replaced or goes.
    Version {
        /// The drive.
        drive: u16,
        /// The file.
        file: &'a [u8],
        /// The SHA-256 of what is there; none if nothing is.
        before: Option<&'a str>,
        /// That of what is to be there.
        after: Option<&'a str>,
    },
    /// A file of an object's data comes, in a folder of its own.
    DataComes {
        /// The drive.
        drive: u16,
        /// The file.
        file: &'a [u8],
        /// What it holds.
        bytes: &'a [u8],
    },
    /// One goes.
    DataGoes {
        /// The drive.
        drive: u16,
        /// The file.
        file: &'a [u8],
    },
}

/// Whoever is told of it.
pub trait Recorder: Send + Sync {
    /// Takes note of what is about to be done.
    ///
    /// # Errors
    /// It cannot, and so nothing is done.
    fn record(&self, change: FileChange<'_>) -> Result<(), StorageError>;
}

/// The SHA-256 of a file's bytes, in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// All bytes of a file; none if there is none.
///
/// # Errors
/// It cannot be read, or is larger than any that is written.
pub(super) fn whole(tree: &Tree, file: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
    match tree.read(file, 0, FILE_BYTES) {
        Ok(part) if part.size == part.bytes.len() as u64 => Ok(Some(part.bytes)),
        Ok(_) => Err(StorageError::Refused(
            "it is larger than any that is read".into(),
        )),
        Err(StorageError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a file is an `xl.meta`.
pub(super) fn is_version(file: &[u8]) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(OsStr::from_bytes(file)).file_name() == Some(OsStr::new(META))
}

/// One drive of which is told what is done to it.
pub(super) struct Recording {
    pub recorder: Weak<dyn Recorder>,
    pub drive: u16,
    /// Its system folder's path on it.
    pub folder: Vec<u8>,
}

impl Recording {
    /// Tells of a file or folder that is about to be moved.
    ///
    /// # Errors
    /// It cannot be read, or not told.
    pub fn rename(&self, tree: &Tree, from: &[u8], to: &[u8]) -> Result<(), StorageError> {
        let (Some(recorder), Some(file)) = (self.recorder.upgrade(), self.told(to)) else {
            return Ok(());
        };
        let drive = self.drive;
        if is_version(file) {
            let (before, after) = (whole(tree, to)?, whole(tree, from)?);
            let (before, after) = (before.as_deref().map(digest), after.as_deref().map(digest));
            return recorder.record(FileChange::Version {
                drive,
                file,
                before: before.as_deref(),
                after: after.as_deref(),
            });
        }
        let Page { entries, has_more } = tree.list(from, None, FILES)?;
        if has_more {
            return Err(StorageError::Refused(
                "it has more parts than are written".into(),
            ));
        }
        for (name, _) in entries {
            let bytes = whole(tree, &below(from, &name))?.ok_or(StorageError::NotFound)?;
            let file = &below(file, &name);
            let bytes = &bytes;
            recorder.record(FileChange::DataComes { drive, file, bytes })?;
        }
        Ok(())
    }

    /// Tells of a file that is about to be removed, if it is there.
    ///
    /// # Errors
    /// As for [`Self::rename`].
    pub fn remove(&self, tree: &Tree, path: &[u8]) -> Result<(), StorageError> {
        let (Some(recorder), Some(file)) = (self.recorder.upgrade(), self.told(path)) else {
            return Ok(());
        };
        let drive = self.drive;
        if !is_version(file) {
            return match tree.read(path, 0, 0) {
                Ok(_) => recorder.record(FileChange::DataGoes { drive, file }),
                // Then nothing is removed either.
                Err(_) => Ok(()),
            };
        }
        let Some(before) = whole(tree, path)? else {
            return Ok(());
        };
        recorder.record(FileChange::Version {
            drive,
            file,
            before: Some(&digest(&before)),
            after: None,
        })
    }

    /// A file's path below the system folder, unless it is of a draft.
    fn told<'a>(&self, path: &'a [u8]) -> Option<&'a [u8]> {
        let path = match self.folder.is_empty() {
            true => path,
            false => path.strip_prefix(&*self.folder)?.strip_prefix(b"/")?,
        };
        (!path.starts_with(TMP)).then_some(path)
    }
}

/// The path of what has this name in a folder.
pub(super) fn below(folder: &[u8], name: &[u8]) -> Vec<u8> {
    match folder.is_empty() {
        true => name.to_vec(),
        false => [folder, b"/", name].concat(),
    }
}
