//! What only the world `drive-store-writer` has: files that are written, and objects that are created, replaced and removed.

use alloc::string::String;
use alloc::vec::Vec;

use iamseal_drives::{
    Change, Creation, Drive, FileError, FilesWriter, OBJECT_BYTES, Removal, Replacement, Swept,
    WriteError,
};

use crate::contract::exports::iamseal::plugin::drives_writer;
use crate::contract::exports::iamseal::plugin::storage_writer::{self, Draft, GuestDraft};
use crate::contract::iamseal::plugin::files_writer as files;
use crate::contract::iamseal::plugin::types::{SizeLimit, StorageError};
use crate::contract::wasi::random::random::get_random_bytes;
use crate::lent::{Lent, failed};
use crate::{DriveStore, with};

impl FilesWriter for Lent {
    fn now(&self) -> i64 {
        files::now()
    }

    fn random(&self) -> [u8; 16] {
        let mut random = [0; 16];
        let given = get_random_bytes(random.len() as u64);
        random
            .iter_mut()
            .zip(given)
            .for_each(|(to, from)| *to = from);
        random
    }

    fn lock(&self, drive: Drive, folder: &[u8]) -> Result<(), FileError> {
        files::lock(drive, folder).map_err(failed)
    }

    fn modified(&self, drive: Drive, path: &[u8]) -> Result<i64, FileError> {
        files::modified(drive, path).map_err(failed)
    }

    fn create(
        &self,
        drive: Drive,
        file: &[u8],
        bytes: &[u8],
        like: &[u8],
    ) -> Result<(), FileError> {
        files::create(drive, file, bytes, like).map_err(failed)
    }

    fn make_folder(&self, drive: Drive, folder: &[u8], like: &[u8]) -> Result<(), FileError> {
        files::make_folder(drive, folder, like).map_err(failed)
    }

    fn open_up(&self, drive: Drive, file: &[u8], like: &[u8]) -> Result<(), FileError> {
        files::open_up(drive, file, like).map_err(failed)
    }

    fn rename(&self, drive: Drive, from: &[u8], to: &[u8]) -> Result<(), FileError> {
        files::rename(drive, from, to).map_err(failed)
    }

    fn remove(&self, drive: Drive, file: &[u8]) -> Result<(), FileError> {
        files::remove(drive, file).map_err(failed)
    }

    fn remove_folder(&self, drive: Drive, folder: &[u8]) -> Result<(), FileError> {
        files::remove_folder(drive, folder).map_err(failed)
    }

    fn sync(&self, drive: Drive) -> Result<(), FileError> {
        files::sync(drive).map_err(failed)
    }
}

/// A draft that the host holds; none once it was committed.
pub(crate) struct Held(Option<iamseal_drives::Draft>);

impl storage_writer::Guest for DriveStore {
    type Draft = Held;

    fn stage(changes: Vec<storage_writer::Change>) -> Vec<Result<Draft, StorageError>> {
        let staged = with(|store| {
            let changes: Vec<Change<'_>> = changes.iter().map(change).collect();
            store.stage(&changes)
        });
        match staged {
            Ok(staged) => staged
                .into_iter()
                .map(|draft| {
                    let draft = draft.map_err(unwritten)?;
                    Ok(Draft::new(Held(Some(draft))))
                })
                .collect(),
            Err(error) => changes.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn commit(drafts: Vec<Draft>) -> Vec<Result<Option<Vec<u8>>, StorageError>> {
        let take = |draft: Draft| draft.into_inner::<Held>().0.take();
        // Each has one as long as it is held.
        let drafts: Vec<_> = drafts.into_iter().filter_map(take).collect();
        let count = drafts.len();
        match with(|store| store.commit(drafts)) {
            Ok(committed) => committed
                .into_iter()
                .map(|version| version.map_err(unwritten))
                .collect(),
            Err(error) => (0..count).map(|_| Err(error.clone())).collect(),
        }
    }
}

impl GuestDraft for Held {
    fn read_back(&self) -> Result<Vec<u8>, StorageError> {
        match &self.0 {
            Some(draft) => with(|store| store.read_back(draft))?.map_err(unwritten),
            None => Err(StorageError::NotFound),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(draft) = &self.0 {
            // What is left of it is listed with the drafts.
            let _ = with(|store| store.discard(draft));
        }
    }
}

impl drives_writer::Guest for DriveStore {
    fn lock() -> Result<(), StorageError> {
        with(|store| store.lock())?.map_err(unwritten)
    }

    fn degrade() -> Option<String> {
        with(|store| store.degrade()).ok().flatten()
    }

    fn check() -> Result<(), StorageError> {
        with(|store| store.check_writes())?.map_err(unwritten)
    }

    fn signs_of_life() -> Result<Vec<u8>, StorageError> {
        with(|store| store.signs_of_life())?.map_err(unwritten)
    }

    fn remove_draft(draft: Vec<u8>) -> Result<drives_writer::Swept, StorageError> {
        let swept = with(|store| store.remove_draft(&draft))?.map_err(unwritten)?;
        Ok(match swept {
            Swept::Removed => drives_writer::Swept::Removed,
            Swept::Stays(why) => drives_writer::Swept::Stays(why),
        })
    }
}

fn change(change: &storage_writer::Change) -> Change<'_> {
    match change {
        storage_writer::Change::Create(new) => Change::Create(Creation {
            path: &new.path,
            bytes: &new.bytes,
        }),
        storage_writer::Change::Replace(new) => Change::Replace(Replacement {
            path: &new.path,
            expected: &new.expected,
            bytes: &new.bytes,
        }),
        storage_writer::Change::Remove(old) => Change::Remove(Removal {
            path: &old.path,
            expected: &old.expected,
        }),
    }
}

fn unwritten(error: WriteError) -> StorageError {
    match error {
        WriteError::NotFound => StorageError::NotFound,
        WriteError::Conflict => StorageError::Conflict,
        WriteError::TooLarge(asked) => StorageError::TooLarge(SizeLimit {
            asked,
            allowed: OBJECT_BYTES,
        }),
        WriteError::Refused(why) => StorageError::Refused(why),
        WriteError::Failed(why) => StorageError::Other(why),
    }
}
