//! The store's root, and the way from it to any folder.

use iamseal_words::contract::StorageError;
use iamseal_words::folder::path::parts;
use iamseal_words::folder::{Folders, Kind};
use wasip2::filesystem::types::ErrorCode;

use super::disk::Folder;
use super::errors::{failed, refused, shown};

/// The root of a store.
pub struct Root(Folder);

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

impl Folders for Root {
    fn entries(&self, path: &[u8]) -> Result<Vec<(Vec<u8>, Kind)>, StorageError> {
        let folder = self.folder(path)?;
        folder
            .entries()
            .map_err(|error| failed("list", path, &error))
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
