//! Removing drafts, and what a write that was killed left beside its object.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};

use crate::draft::{Draft, Name, PART, read_dirs};
use crate::files::{self, Drive, FileError, below};
use crate::format::{Uuid, text};
use crate::meta::{META_BYTES, Meta, Version};
use crate::stage::WriteError;
use crate::store::{META, Store, check};
use crate::writer::FilesWriter;

/// The largest list of folders that is read: two of them and a path.
const DIRS_BYTES: u32 = 8192;

/// What became of a draft that was to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swept {
    /// It is gone.
    Removed,
    /// It was left, for this reason.
    Stays(String),
}

impl<F: FilesWriter> Store<F> {
    /// Throws a draft away. What of it cannot be removed [`Self::drafts`] tells.
    pub fn discard(&self, draft: &Draft) {
        let _ = self.clear(&draft.name);
        self.let_go(draft);
    }

    /// Nobody holds a draft any more.
    pub(crate) fn let_go(&self, draft: &Draft) {
        self.live.borrow_mut().remove(&draft.name);
    }

    /// Removes a draft that nobody holds, by its path.
    ///
    /// # Errors
    /// [`WriteError`]: it is gone, none, or cannot be removed.
    pub fn remove_draft(&self, path: &[u8]) -> Result<Swept, WriteError> {
        let Some(name) = Self::named(path) else {
            return self.remove_left(path);
        };
        if self.live.borrow().contains(&name) {
            return Ok(Swept::Stays("a run holds it".into()));
        }
        self.clear(&name)
    }

    fn clear(&self, name: &Name) -> Result<Swept, WriteError> {
        let mut stays = None;
        let (mut kept, mut cleared) = (BTreeSet::new(), BTreeSet::new());
        for drive in self.layout.drives() {
            match self.clear_dirs(drive, name) {
                Ok(true) => {
                    cleared.insert(drive);
                }
                Ok(false) => {}
                Err(why) => {
                    kept.insert(drive);
                    stays = Some(Swept::Stays(why));
                }
            }
        }
        // What names the folders goes only after them.
        for (drive, _) in self.sync(cleared.iter().copied()) {
            kept.insert(drive);
        }
        let (mut is_found, mut failed) = (false, None);
        for drive in self.layout.drives() {
            let mut remove = |removed: Result<(), FileError>| match removed {
                Ok(()) => is_found = true,
                Err(FileError::NotFound) => {}
                Err(error) => failed = Some(self.failed(drive, &error)),
            };
            let at = |path: &[u8]| self.layout.path(drive, path);
            let data = at(&name.data());
            remove(self.files.remove(drive, &below(&data, PART)));
            remove(self.files.remove_folder(drive, &data));
            remove(self.files.remove(drive, &at(&name.meta())));
            if !kept.contains(&drive) {
                remove(self.files.remove(drive, &at(&name.dirs())));
            }
        }
        match (failed, stays) {
            (Some(error), _) => Err(error),
            (None, Some(stays)) => Ok(stays),
            (None, None) if is_found => Ok(Swept::Removed),
            (None, None) => Err(WriteError::NotFound),
        }
    }

    /// Removes those folders of data that a draft names and the drive's own `xl.meta` does not. Returns
    /// whether the draft names any.
    fn clear_dirs(&self, drive: Drive, name: &Name) -> Result<bool, String> {
        let list = self.layout.path(drive, &name.dirs());
        let list = match files::whole(&self.files, drive, &list, DIRS_BYTES) {
            Ok(list) => list,
            Err(FileError::NotFound) => return Ok(false),
            Err(FileError::Failed(why)) => return Err(why),
        };
        // A list that is cut short is of a draft that was not made to its end: it has moved nothing.
        let Some((folders, path)) = read_dirs(&list) else {
            return Ok(true);
        };
        if check(path).is_err() {
            return Ok(true);
        }
        let object = self.layout.path(drive, path);
        let used = self.used(drive, &object)?;
        for folder in folders
            .iter()
            .filter(|folder| used.as_ref() != Some(*folder))
        {
            let folder = below(&object, text(folder).as_bytes());
            for removed in [
                self.files.remove(drive, &below(&folder, PART)),
                self.files.remove_folder(drive, &folder),
            ] {
                match removed {
                    Ok(()) | Err(FileError::NotFound) => {}
                    Err(FileError::Failed(why)) => return Err(why),
                }
            }
        }
        Ok(true)
    }

    /// The folder of data that the `xl.meta` of an object names on a drive.
    fn used(&self, drive: Drive, object: &[u8]) -> Result<Option<Uuid>, String> {
        let meta = match files::whole(&self.files, drive, &below(object, META), META_BYTES) {
            Ok(meta) => meta,
            Err(FileError::NotFound) => return Ok(None),
            Err(FileError::Failed(why)) => return Err(why),
        };
        match Meta::parse(&meta) {
            Ok(Meta {
                newest: Version::Object(object, _),
                ..
            }) => Ok(Some(object.shared.data_dir)),
            // No draft is of such a one: whoever wrote that list means the folders of older versions.
            Ok(_) => {
                Err("its object was removed, and older versions may have that data".to_string())
            }
            Err(_) => {
                Err("which data its object has is not known: its xl.meta is damaged".to_string())
            }
        }
    }
}
