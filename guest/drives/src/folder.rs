//! What a folder has on all drives, and whether that is all that a server has there.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::copy::Copy;
use crate::files::{Drive, Entry, FileError, Files, Kind, below};
use crate::notes::Matter;
use crate::store::{InPool, Looked, META, OLD_META, ReadError, Store};

/// Where a server keeps its configuration.
const CONFIG: &[u8] = b"config";

/// What a folder has, on all drives that have it.
#[derive(Default)]
pub(crate) struct Listed {
    /// The folders in it, and the drives that have them.
    pub folders: BTreeMap<Vec<u8>, Vec<Drive>>,
    /// The drives on which it is an object's: they have its `xl.meta`, or something in its place.
    pub objects: Vec<Drive>,
    /// The files in it beside an object's own, and the drives that have them.
    pub beside: BTreeMap<Vec<u8>, Vec<Drive>>,
    /// What is in it and is none of a folder, by names, and the drives that have it.
    pub odd: BTreeMap<Vec<u8>, Vec<Drive>>,
    /// Why some drives could not be listed, if they are so many that an object may lie on them alone.
    pub unlisted: Option<String>,
}

impl<F: Files> Store<F> {
    /// Lists a folder on these drives.
    pub(crate) fn folder(&self, path: &[u8], drives: &[Drive]) -> Listed {
        let mut listed = Listed::default();
        let mut failed = Vec::new();
        let mut first_why = None;
        for drive in drives {
            if let Err(why) = self.on_drive(*drive, path, &mut listed) {
                self.note(Matter::Unreadable, self.layout.name(*drive), path);
                failed.push(*drive);
                first_why.get_or_insert_with(|| format!("{}: {why}", self.layout.name(*drive)));
            }
        }
        listed.unlisted = first_why.filter(|_| self.is_cut(&failed));
        listed
    }

    /// Whether an object may be overlooked where these drives do not tell what is there: it may lie on
    /// them alone, or on them and those that are missing.
    pub(crate) fn is_cut(&self, failed: &[Drive]) -> bool {
        let mut sets = self.layout.pools.iter().flat_map(|pool| &pool.sets);
        sets.any(|set| {
            let here = set.iter().flatten();
            let missing = set.len() - here.clone().count();
            let failed = here.filter(|drive| failed.contains(drive)).count();
            let half = set.len() / 2;
            failed > 0 && (failed >= set.len() - half || failed + missing > half)
        })
    }

    /// Why objects may be overlooked in this folder: it or one that it is in is none on too many drives.
    pub(crate) fn no_folder(&self, folder: &[u8]) -> Option<String> {
        let drives = self.layout.drives();
        let mut above = Vec::new();
        for name in folder.split(|byte| *byte == b'/') {
            let listed = self.folder(&above, &drives);
            if let Some(odd) = listed.odd.get(name).filter(|odd| self.is_cut(odd)) {
                return Some(format!("{} has no folder there", self.layout.named(odd)));
            }
            above = below(&above, name);
        }
        None
    }

    /// Notes that objects may be overlooked below this folder.
    pub(crate) fn cut(&self, folder: &[u8]) {
        self.note(Matter::Unlisted, "", folder);
    }

    fn on_drive(&self, drive: Drive, path: &[u8], listed: &mut Listed) -> Result<(), String> {
        let folder = self.layout.path(drive, path);
        let mut after: Option<Vec<u8>> = None;
        let mut files = Vec::new();
        loop {
            let page = match self.files.list(drive, &folder, after.as_deref()) {
                Ok(page) => page,
                Err(FileError::NotFound) => return Ok(()),
                Err(FileError::Failed(why)) => return Err(why),
            };
            let last = page.entries.last().map(|entry| entry.name.clone());
            for entry in page.entries {
                // A folder of that name holds objects whose names have it as a part; one without folders has come
                // in the place of the file.
                let is_meta = entry.name == META
                    && (entry.kind != Kind::Folder
                        || !self.has_folders(drive, &below(&folder, META)));
                if is_meta || entry.name == OLD_META && entry.kind == Kind::File {
                    if listed.objects.last() != Some(&drive) {
                        listed.objects.push(drive);
                    }
                    if entry.kind == Kind::File {
                        continue;
                    }
                }
                match entry.kind {
                    Kind::Folder => listed.folders.entry(entry.name).or_default().push(drive),
                    Kind::File => files.push(entry.name),
                    Kind::Other => {
                        let path = below(path, &entry.name);
                        self.note(Matter::Odd, self.layout.name(drive), &path);
                        listed.odd.entry(entry.name).or_default().push(drive);
                    }
                }
            }
            // A page must go on where the last one ended, or this would not end.
            if !page.has_more || last <= after {
                break;
            }
            after = last;
        }
        // Beside an object's `xl.meta` a server may have left others.
        let is_object = listed.objects.last() == Some(&drive);
        for name in files {
            if is_object {
                listed.beside.entry(name).or_default().push(drive);
            } else {
                let path = below(path, &name);
                if !holds_folders(&path) {
                    continue;
                }
                self.note(Matter::Stray, self.layout.name(drive), &path);
                listed.odd.entry(name).or_default().push(drive);
            }
        }
        Ok(())
    }

    /// Whether a folder that has the name of a version's data has nothing else in it on these drives. A
    /// client may give such a name to a folder of objects too, beside or below another object.
    pub(crate) fn is_data_alone(
        &self,
        drives: &[Drive],
        folder: impl Fn(Drive) -> Option<Vec<u8>>,
    ) -> bool {
        let is_part = |entry: &Entry| {
            entry.kind == Kind::File && entry.name != META && entry.name != OLD_META
        };
        let mut folders = drives.iter().map(|drive| (*drive, folder(*drive)));
        folders.all(|(drive, folder)| {
            let Some(folder) = folder else {
                return true;
            };
            match self.files.list(drive, &folder, None) {
                Ok(page) => !page.has_more && page.entries.iter().all(is_part),
                Err(FileError::NotFound) => true,
                Err(FileError::Failed(_)) => false,
            }
        })
    }

    fn has_folders(&self, drive: Drive, folder: &[u8]) -> bool {
        let page = self.files.list(drive, folder, None);
        page.is_ok_and(|page| page.entries.iter().any(|entry| entry.kind == Kind::Folder))
    }

    /// Whether an object that some drive has is to be listed: not if it dangles, or no server looks
    /// for it where it lies.
    pub(crate) fn is_listed(&self, path: &[u8]) -> bool {
        let mut is_listed = false;
        let mut is_anywhere = false;
        for pool in &self.layout.pools {
            let copies = Copy::of(&self.files, &self.layout, pool.set(path), path);
            is_anywhere |= copies
                .iter()
                .any(|copy| matches!(copy, Copy::File(..) | Copy::Unreadable(..)));
            let looked = Looked { pool, copies };
            is_listed |= !matches!(self.in_pool(path, &looked), InPool::Nothing);
        }
        if is_anywhere || is_listed {
            return is_listed;
        }
        if let ReadError::Refused(_) = self.not_there(path) {
            return true;
        }
        for drive in self.layout.drives() {
            let file = below(&self.layout.path(drive, path), META);
            if self.files.read(drive, &file, 0, 0).is_ok() {
                self.note(Matter::Misplaced, self.layout.name(drive), path);
            }
        }
        false
    }
}

/// Whether a server has folders alone at such paths, if they are not in an object.
fn holds_folders(path: &[u8]) -> bool {
    path == CONFIG
        || path
            .strip_prefix(CONFIG)
            .is_some_and(|rest| rest.starts_with(b"/"))
}
