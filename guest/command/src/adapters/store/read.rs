//! Reading one object.

use iamseal_words::contract::{SizeLimit, StorageError};
use iamseal_words::folder::path::Place;
use iamseal_words::folder::{Kind, why_unread};
use iamseal_words::limits::OBJECT_BYTES;
use sha2::{Digest as _, Sha256};
use wasip2::filesystem::types::Descriptor;

use super::unnamed;
use crate::wasi::disk::{Folder, is_file};
use crate::wasi::errors::{failed, refused, shown};
use crate::wasi::files::read_up_to;
use crate::wasi::root::Root;

/// Reads the object at a path.
///
/// # Errors
/// `NotFound`; `TooLarge`; `Refused` if it is no plain file or its path leads out.
pub(super) fn object(root: &Root, path: &[u8]) -> Result<Vec<u8>, StorageError> {
    if path.ends_with(b"/") {
        return Err(folder(root, path));
    }
    let place = Place::of(path)?;
    file(&root.folder(place.folder)?, place.name, path)
}

/// The version of these bytes: their SHA-256.
pub(super) fn version(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// Opens a plain file and tells its size. `path` is the object's whole path, for the texts.
///
/// # Errors
/// `NotFound`; `Refused` if it is anything but a plain file.
pub(super) fn open(
    folder: &Folder,
    name: &[u8],
    path: &[u8],
) -> Result<(Descriptor, u64), StorageError> {
    let unreadable = |error| failed("read", path, &error);
    // Asked before it is opened: opening a pipe waits for its other end.
    match folder.kind(name).map_err(unreadable)? {
        Kind::File => {}
        Kind::Folder => return Err(refused(format!("{} is a folder", shown(path)))),
        Kind::Other(what) => return Err(refused(format!("{} is {what}", shown(path)))),
    }
    let file = folder.open(name).map_err(unreadable)?;
    let stat = file.stat().map_err(unreadable)?;
    // Asked again of what was opened, since the name can have been given to something else.
    if !is_file(&stat) {
        return Err(refused(format!("{} is not a plain file", shown(path))));
    }
    Ok((file, stat.size))
}

/// Reads a plain file of at most [`OBJECT_BYTES`].
///
/// # Errors
/// As [`open`]; `TooLarge`, before anything is read if the file says so itself.
pub(super) fn file(folder: &Folder, name: &[u8], path: &[u8]) -> Result<Vec<u8>, StorageError> {
    let (file, size) = open(folder, name, path)?;
    check_size(size)?;
    // One byte more than is allowed, to see a file that grows while it is read.
    let bytes = read_up_to(&file, OBJECT_BYTES + 1);
    let bytes = bytes.map_err(|error| failed("read", path, &error))?;
    check_size(bytes.len() as u64)?;
    Ok(bytes)
}

/// # Errors
/// `TooLarge`, if an object must not have as many bytes.
pub(super) fn check_size(asked: u64) -> Result<(), StorageError> {
    if asked > OBJECT_BYTES {
        return Err(StorageError::TooLarge(SizeLimit {
            asked,
            allowed: OBJECT_BYTES,
        }));
    }
    Ok(())
}

/// Why the folder that a listing names was not read, or not all of it.
fn folder(root: &Root, path: &[u8]) -> StorageError {
    let parent = path.strip_suffix(b"/").unwrap_or(path);
    let entries = Place::of(parent)
        .and_then(|_| root.folder(parent))
        .map(|folder| folder.entries());
    match entries {
        Ok(Ok(entries)) if entries.iter().any(|(name, _)| name.is_empty()) => {
            refused(unnamed(path))
        }
        _ => why_unread(root, path),
    }
}
