//! Listing: a walk in the order of whole paths that keeps no folder open and no list of the store.
//!
//! In memory are the names of one folder per level on the way to where the walk stands. Each folder
//! is opened from the root anew, so a listing that is left lying holds no file descriptors.

use std::collections::VecDeque;
use std::sync::Arc;

use super::path::{LONGEST, is_draft_name, split_prefix};
use super::refused;
use crate::contract::StorageError;
use crate::shown::shown;

/// Paths in one page: enough to make the calls between pages cheap, little enough that a page of
/// the longest paths is one MiB.
pub const PAGE: usize = 256;

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// Neither; the text is for people.
    Other(&'static str),
}

/// The folders that a walk goes through.
pub trait Folders {
    /// What stands in a folder, in any order. Its path was checked, and may have a `/` at its end.
    ///
    /// # Errors
    /// `NotFound` if it is not there or no folder, `Refused` if the way leads over a symbolic link,
    /// `Other` if the system fails.
    fn entries(&self, path: &[u8]) -> Result<Vec<(Vec<u8>, Kind)>, StorageError>;
}

/// Which files a walk is after.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Everything but folders and drafts.
    Objects,
    /// Drafts alone.
    Drafts,
}

/// A walk that is under way.
pub struct Walk<F> {
    root: Arc<F>,
    wanted: Wanted,
    prefix: Vec<u8>,
    after: Vec<u8>,
    /// The folders from the prefix's down to where the walk stands; none at its end.
    levels: Vec<Level>,
}

struct Level {
    /// The folder's path with a `/` at its end; empty for the root.
    path: Vec<u8>,
    /// What is left of it, in order.
    entries: VecDeque<Entry>,
}

struct Entry {
    /// A folder's ends in `/`, which puts it where its paths belong: `a-b`, `a/x`, `a0`.
    name: Vec<u8>,
    kind: Kind,
}

impl<F: Folders> Walk<F> {
    /// A walk over the paths that begin with `prefix` and come after `after`.
    ///
    /// # Errors
    /// `Refused` if the prefix's folder is no folder of this store, and whatever keeps it from
    /// being read. A folder that is not there makes an empty walk.
    pub fn new(
        root: Arc<F>,
        wanted: Wanted,
        prefix: &[u8],
        after: &[u8],
    ) -> Result<Self, StorageError> {
        let (folder, _) = split_prefix(prefix)?;
        let mut start = folder.to_vec();
        if !start.is_empty() {
            start.push(b'/');
        }
        let mut walk = Self {
            root,
            wanted,
            prefix: prefix.to_vec(),
            after: after.to_vec(),
            levels: Vec::new(),
        };
        if walk.wants_folder(&start) {
            walk.enter(start)?;
        }
        Ok(walk)
    }

    /// The next paths; empty at the end. A folder that cannot be read is one of them, with the `/` at
    /// its end that no object has; [`why_unread`] says what is wrong with it.
    pub fn page(&mut self) -> Vec<Vec<u8>> {
        let mut page = Vec::new();
        while page.len() < PAGE {
            let Some(level) = self.levels.last_mut() else {
                break;
            };
            let Some(entry) = level.entries.pop_front() else {
                self.levels.pop();
                continue;
            };
            let path = [level.path.as_slice(), &entry.name].concat();
            if entry.kind != Kind::Folder || self.enter(path.clone()).is_err() {
                page.push(path);
            }
        }
        page
    }

    /// Reads a folder and stands at its beginning. One that is not there, or not any more, holds
    /// nothing.
    fn enter(&mut self, path: Vec<u8>) -> Result<(), StorageError> {
        let entries = match entries(&*self.root, &path) {
            Ok(entries) => entries,
            Err(StorageError::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut wanted: Vec<Entry> = entries
            .into_iter()
            .filter_map(|(name, kind)| self.select(&path, name, kind))
            .collect();
        wanted.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        self.levels.push(Level {
            path,
            entries: wanted.into(),
        });
        Ok(())
    }

    fn select(&self, folder: &[u8], mut name: Vec<u8>, kind: Kind) -> Option<Entry> {
        let wanted = if kind == Kind::Folder {
            name.push(b'/');
            self.wants_folder(&[folder, &name].concat())
        } else {
            let draft = kind == Kind::File && is_draft_name(&name);
            let path = [folder, &name].concat();
            let prefix = match draft {
                false => self.prefix.as_slice(),
                // Whose draft it is does not show in its name.
                true => folder_of(&self.prefix),
            };
            draft == (self.wanted == Wanted::Drafts)
                && path.starts_with(prefix)
                && path > self.after
        };
        wanted.then_some(Entry { name, kind })
    }

    /// Whether paths that begin with this one can be wanted.
    fn wants_folder(&self, path: &[u8]) -> bool {
        let in_prefix = path.starts_with(&self.prefix) || self.prefix.starts_with(path);
        let not_passed = path > self.after.as_slice() || self.after.starts_with(path);
        in_prefix && not_passed
    }
}

/// A prefix up to its last `/`.
fn folder_of(prefix: &[u8]) -> &[u8] {
    let slash = prefix.iter().rposition(|byte| *byte == b'/');
    slash
        .and_then(|slash| prefix.get(..=slash))
        .unwrap_or_default()
}

/// Why the folder that a listing names, with a `/` at its end, was not read.
pub fn why_unread(root: &impl Folders, path: &[u8]) -> StorageError {
    match split_prefix(path).and_then(|_| entries(root, path)) {
        Ok(_) => StorageError::Other(format!(
            "the folder {} could not be read when it was listed, but can be now; run again",
            shown(path)
        )),
        Err(error) => error,
    }
}

/// What stands in a folder, whose path was checked.
fn entries(root: &impl Folders, path: &[u8]) -> Result<Vec<(Vec<u8>, Kind)>, StorageError> {
    if path.len() > LONGEST {
        return Err(refused(format!(
            "the folder {} has a path of {} bytes; the longest has {LONGEST}",
            shown(path),
            path.len()
        )));
    }
    root.entries(path)
}
