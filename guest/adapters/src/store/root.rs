//! The store's root, and the way from it to any folder.

use alloc::format;

use super::errors::{failed, refused, shown};
use super::folder::{Folder, Kind};
use super::path::parts;
use crate::bindings::wasi::filesystem::types::ErrorCode;
use crate::contract::StorageError;

/// The root of a store.
pub(super) struct Root(Folder);

impl Root {
    pub fn new(folder: Folder) -> Self {
        Self(folder)
    }

    /// Opens a folder of the store, part by part; the path was checked.
    ///
    /// # Errors
    /// `NotFound` if it is not there or no folder, `Refused` if the way leads over a symbolic link.
    pub fn folder(&self, path: &[u8]) -> Result<Folder, StorageError> {
        let mut folder = self
            .0
            .folder(b".")
            .map_err(|error| failed("open", b"", &error))?;
        for part in parts(path) {
            folder = match folder.folder(part) {
                Ok(child) => child,
                Err(error) => return Err(no_folder(&folder, part, path, error)),
            };
        }
        Ok(folder)
    }
}

/// Why `part` of `path` could not be opened as a folder.
fn no_folder(folder: &Folder, part: &[u8], path: &[u8], error: ErrorCode) -> StorageError {
    match (folder.kind(part), error) {
        (Ok(Kind::Other(what)), _) => {
            refused(format!("`{}` in {} is {what}", shown(part), shown(path)))
        }
        (_, ErrorCode::NotDirectory) => StorageError::NotFound,
        _ => failed("open", path, &error),
    }
}
