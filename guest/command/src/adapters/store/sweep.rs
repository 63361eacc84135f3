//! Finding and removing the drafts that a killed run left behind.

use iamseal_words::contract::StorageError;
use iamseal_words::folder::path::{Place, aside_name, note_of, tags};
use iamseal_words::folder::{Walk, Wanted, why_unread};
use wasip2::filesystem::types::ErrorCode;

use super::{Lent, drives, folder, lent};
use crate::wasi::errors::shown;
use crate::wasi::root::Root;
use crate::wasi::words;

/// The drafts under `prefix`, and folders that cannot be read, with a `/` at their ends.
///
/// # Errors
/// Whatever keeps the listing from beginning.
pub fn drafts(prefix: &[u8]) -> Result<Vec<Vec<u8>>, StorageError> {
    let root = match lent()? {
        Lent::Folder(root) => root,
        Lent::Drives => return drives::drafts(),
    };
    let mut walk = Walk::new(root, Wanted::Drafts, prefix, b"")?;
    let mut drafts = Vec::new();
    loop {
        let page = walk.page();
        if page.is_empty() {
            return Ok(drafts);
        }
        drafts.extend(page);
    }
}

/// Removes the drafts under `prefix` and returns how many. What the native tool was exchanging is left:
/// here nobody can put it back. Without locks nobody can tell the drafts of
/// a run that is under way; its objects stay as they were.
///
/// # Errors
/// The first thing that could not be read or removed, after everything else was.
pub fn sweep(prefix: &[u8]) -> Result<u64, StorageError> {
    let root = folder()?;
    let mut walk = Walk::new(root.clone(), Wanted::Drafts, prefix, b"")?;
    let mut removed = 0;
    let mut failure = None;
    loop {
        let page = walk.page();
        if page.is_empty() {
            break;
        }
        for path in page {
            match remove(&root, &path) {
                Ok(()) => removed += 1,
                Err(StorageError::NotFound) => {}
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
    }
    failure.map_or(Ok(removed), Err)
}

fn remove(root: &Root, path: &[u8]) -> Result<(), StorageError> {
    if path.ends_with(b"/") {
        return Err(why_unread(root, path));
    }
    let place = Place::of(path)?;
    let folder = root.folder(place.folder)?;
    let is_note = folder.kind(&aside_name(place.name)).is_ok();
    if is_note || tags(place.name).is_some() || note_of(place.name).is_some() {
        return Err(StorageError::Other(format!(
            "{} may hold what a server wrote while a run of the native tool was killed, which only that \
             tool can tell: run iamseal on this folder",
            shown(path)
        )));
    }
    folder.remove(place.name).map_err(|error| match error {
        ErrorCode::NoEntry => StorageError::NotFound,
        error => StorageError::Other(format!("cannot sweep {}: {}", shown(path), words(error))),
    })
}
