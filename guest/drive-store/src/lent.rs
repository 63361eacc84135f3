//! The files that are imported, as the library works with them.

use alloc::string::String;
use alloc::vec::Vec;

use iamseal_drives::{Drive, Entry, FileError, Files, Kind, Page, Part};

use crate::contract::iamseal::plugin::files;
use crate::contract::iamseal::plugin::types::StorageError;

/// The files of the drives that the host lends.
pub(crate) struct Lent;

impl Files for Lent {
    fn drives(&self) -> Vec<String> {
        files::drives()
    }

    fn list(&self, drive: Drive, folder: &[u8], after: Option<&[u8]>) -> Result<Page, FileError> {
        let page = files::list(drive, folder, after).map_err(failed)?;
        let entries = page.entries.into_iter().map(|entry| Entry {
            name: entry.name,
            kind: match entry.kind {
                files::Kind::File => Kind::File,
                files::Kind::Folder => Kind::Folder,
                files::Kind::Other => Kind::Other,
            },
        });
        Ok(Page {
            entries: entries.collect(),
            has_more: page.has_more,
        })
    }

    fn read(&self, drive: Drive, file: &[u8], offset: u64, length: u32) -> Result<Part, FileError> {
        let part = files::read(drive, file, offset, length).map_err(failed)?;
        Ok(Part {
            bytes: part.bytes,
            size: part.size,
        })
    }
}

pub(crate) fn failed(error: StorageError) -> FileError {
    match error {
        StorageError::NotFound => FileError::NotFound,
        StorageError::Conflict => FileError::Failed("it is written to".into()),
        StorageError::TooLarge(_) => FileError::Failed("it is too large".into()),
        StorageError::Refused(text) | StorageError::Other(text) => FileError::Failed(text),
    }
}
