//! Putting drafts in the place of their objects.
//!
//! The object is read again right before the rename. Without locks that is all that can be done: a
//! writer that comes in the moment between loses what it wrote, so none may run.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use iamseal_words::contract::StorageError;
use iamseal_words::folder::path::Place;
use wasip2::filesystem::types::ErrorCode;

use super::draft::DirDraft;
use super::read::{file, version};
use crate::wasi::errors::shown;
use crate::wasi::root::Root;
use crate::wasi::words;

/// A draft or a result, and where it stands in the batch.
type Numbered<T> = (usize, T);

/// Puts drafts in the place of their objects, folder by folder. One result each, in order.
pub(super) fn commit(
    root: Result<Arc<Root>, StorageError>,
    drafts: Vec<DirDraft>,
) -> Vec<Result<Vec<u8>, StorageError>> {
    let root = match root {
        Ok(root) => root,
        Err(error) => return drafts.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut folders: BTreeMap<Vec<u8>, Vec<Numbered<DirDraft>>> = BTreeMap::new();
    for (number, draft) in drafts.into_iter().enumerate() {
        let folder = Place::of_checked(&draft.path).folder.to_vec();
        folders.entry(folder).or_default().push((number, draft));
    }
    let mut results: Vec<_> = folders
        .into_values()
        .flat_map(|drafts| folder(&root, drafts))
        .collect();
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Puts the drafts of one folder in the place of their objects and makes the folder durable, once
/// for all of them.
fn folder(
    root: &Root,
    drafts: Vec<Numbered<DirDraft>>,
) -> Vec<Numbered<Result<Vec<u8>, StorageError>>> {
    let replaced: Vec<_> = drafts
        .into_iter()
        .map(|(number, draft)| (number, replace(root, draft)))
        .collect();
    let synced = replaced
        .iter()
        .find_map(|(_, draft)| draft.as_ref().ok())
        .map_or(Ok(()), |draft| draft.folder.sync());
    replaced
        .into_iter()
        .map(|(number, draft)| (number, draft.and_then(|draft| outcome(draft, synced))))
        .collect()
}

/// Renames one draft over its object, if that is still the expected version.
fn replace(root: &Root, mut draft: DirDraft) -> Result<DirDraft, StorageError> {
    let place = Place::of_checked(&draft.path);
    // The path may lead elsewhere by now, and what stands there is not what was read.
    let folder = root.folder(place.folder)?;
    if !folder.is(&draft.folder) {
        return Err(StorageError::Conflict);
    }
    let current = match file(&folder, place.name, &draft.path) {
        // What is too large now was not when it was read.
        Err(StorageError::TooLarge(_)) => return Err(StorageError::Conflict),
        other => other?,
    };
    if version(&current) != draft.expected {
        return Err(StorageError::Conflict);
    }
    folder.rename(&draft.name, place.name).map_err(|error| {
        StorageError::Other(format!(
            "cannot replace {}: {}",
            shown(&draft.path),
            words(error)
        ))
    })?;
    draft.renamed = true;
    Ok(draft)
}

/// What became of a draft that was renamed.
fn outcome(mut draft: DirDraft, synced: Result<(), ErrorCode>) -> Result<Vec<u8>, StorageError> {
    match synced {
        Ok(()) => Ok(mem::take(&mut draft.version)),
        Err(error) => Err(StorageError::Other(format!(
            "{} was replaced, but whether that outlives a loss of power is unknown: \
             cannot sync its folder: {}",
            shown(&draft.path),
            words(error)
        ))),
    }
}
