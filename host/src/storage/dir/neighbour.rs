//! Whom what is new belongs to: like what stands beside it, whatever the user's mask is.

use std::io::{self, ErrorKind};

use super::disk::{Folder, Kind};
use super::errors::failed;
use super::path::{Place, is_draft_name, parts};
use super::rights::Rights;
use super::root::Root;
use crate::contract::StorageError;

/// In how many folders beside its own a file of the same kind is looked for. All of them would be a walk
/// through the store for each new object.
const FOLDERS: usize = 16;

/// The rights of a new file: those of one in its folder, else of one in the folders beside that, and so on up
/// to the root; one of the same name goes before others. Else those of the folder. Folders that are not there yet are made
/// like those beside them, so they are passed over.
///
/// # Errors
/// `Other` if the system fails.
pub(super) fn of_file(root: &Root, path: &[u8]) -> Result<Rights, StorageError> {
    let place = Place::of_checked(path);
    let mut folder = place.folder;
    // The innermost folder that is there.
    let mut of_folder = None;
    loop {
        let here = match root.folder(folder) {
            Err(StorageError::NotFound) if !folder.is_empty() => {
                folder = Place::of_checked(folder).folder;
                continue;
            }
            here => here?,
        };
        let unread = |error| failed("list", folder, &error);
        let entries = sorted(&here).map_err(unread)?;
        if let Some(rights) = of_any(&here, &entries, place.name) {
            return Ok(rights);
        }
        let folders = names(&entries, Kind::Folder).take(FOLDERS);
        let beside = folders.filter_map(|name| {
            let beside = here.folder(name).ok()?;
            of_any(&beside, &sorted(&beside).ok()?, place.name)
        });
        if let Some(rights) = { beside }.next() {
            return Ok(rights);
        }
        let innermost = match of_folder {
            Some(innermost) => innermost,
            None if folder == place.folder => rights(&here).map_err(unread)?,
            None => like(&here).map_err(unread)?,
        };
        if folder.is_empty() {
            return Ok(innermost.of_folder());
        }
        of_folder = Some(innermost);
        folder = Place::of_checked(folder).folder;
    }
}

/// Makes a folder and those above it that are not there, durably, with the rights of the first one beside
/// each, else of the one above. Those that it made are known to the root.
///
/// # Errors
/// `Refused` if something else stands in the way or the rights cannot be given; `Other`.
pub(super) fn make_folders(root: &Root, path: &[u8]) -> Result<Folder, StorageError> {
    match root.folder(path) {
        Err(StorageError::NotFound) if !path.is_empty() => {}
        other => return other,
    }
    let place = Place::of_checked(path);
    let above = make_folders(root, place.folder)?;
    let unmade = |error: io::Error| match error.kind() {
        // Not to be taken for an object that is not there.
        ErrorKind::NotFound => StorageError::Conflict,
        _ => failed("make", path, &error),
    };
    let like = like(&above).map_err(unmade)?;
    match above.make_folder(place.name) {
        // By somebody else, just now.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return root.folder(path),
        other => other.map_err(unmade)?,
    }
    root.has_made(path);
    let given = above.folder(place.name).map_err(unmade).and_then(|made| {
        let file = made.as_file().map_err(unmade)?;
        like.prepare(&file).map_err(|refusal| refusal.of(path))?;
        like.give(&file).map_err(|refusal| refusal.of(path))?;
        let durable = file.sync_folder();
        let durable = durable.and_then(|()| above.as_file()?.sync_folder());
        durable.map_err(unmade).map(|()| made)
    });
    if given.is_err() {
        unmake_folders(root, path);
    }
    given
}

/// Removes those folders again that [`make_folders`] made and nothing is in, this one and above.
pub(super) fn unmake_folders(root: &Root, path: &[u8]) {
    let mut path = path;
    while root.is_made(path) {
        let place = Place::of_checked(path);
        let removed = root.folder(place.folder).and_then(|above| {
            let removed = above.remove_folder(place.name);
            removed.map_err(|error| failed("remove", path, &error))
        });
        if removed.is_err() {
            return;
        }
        root.keeps_made(path);
        path = place.folder;
    }
}

/// Says that the folders above an object are there to stay.
pub(super) fn keep_folders(root: &Root, path: &[u8]) {
    let mut folder = Place::of_checked(path).folder;
    for _ in parts(folder) {
        root.keeps_made(folder);
        folder = Place::of_checked(folder).folder;
    }
}

/// The rights of the first folder in this one, else its own.
fn like(above: &Folder) -> io::Result<Rights> {
    let entries = sorted(above)?;
    let beside = names(&entries, Kind::Folder).take(FOLDERS);
    let beside = { beside }.find_map(|name| rights(&above.folder(name).ok()?).ok());
    match beside {
        Some(rights) => Ok(rights),
        None => rights(above),
    }
}

fn rights(folder: &Folder) -> io::Result<Rights> {
    Rights::of(&folder.as_file()?)
}

/// Those of a file of this name, else of the first file.
fn of_any(folder: &Folder, entries: &[(Vec<u8>, Kind)], name: &[u8]) -> Option<Rights> {
    let same = names(entries, Kind::File).filter(|other| *other == name);
    let first = names(entries, Kind::File).take(1);
    let read = |name| Rights::of(&folder.open(name).ok()?).ok();
    let found = { same.chain(first) }.find_map(read);
    found.map(Rights::of_neighbour)
}

fn names(entries: &[(Vec<u8>, Kind)], wanted: Kind) -> impl Iterator<Item = &[u8]> {
    let wanted = entries
        .iter()
        .filter(move |(name, kind)| *kind == wanted && !is_draft_name(name));
    wanted.map(|(name, _)| name.as_slice())
}

fn sorted(folder: &Folder) -> io::Result<Vec<(Vec<u8>, Kind)>> {
    let mut entries = folder.entries()?;
    entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    Ok(entries)
}
