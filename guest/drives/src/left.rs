//! What writes that were killed, by a server or by us, have left beside objects: folders of data that no version of the
//! object names on that drive, and other files. They hold old or new bytes, plaintext where those were plaintext, and no
//! server reads them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::files::{self, Drive, FileError, Files, Kind, below};
use crate::folder::Listed;
use crate::format::{Uuid, uuid};
use crate::meta::{Block, META_BYTES};
use crate::notes::Matter;
use crate::stage::WriteError;
use crate::store::{META, Store};
use crate::sweep::Swept;
use crate::versions;
use crate::walk::{Walk, is_uuid};
use crate::writer::FilesWriter;

/// Where objects are looked at.
const CONFIG: &[u8] = b"config/";
/// How the files of a version's data begin, in its folder.
const PART: &[u8] = b"part.";

/// By paths, and the drives that have each.
type Left = BTreeMap<Vec<u8>, Vec<Drive>>;

impl<F: Files> Store<F> {
    /// All that lies beside the objects of the configuration, by paths: a folder of data, or a file.
    pub fn left(&self) -> Vec<Vec<u8>> {
        let mut left = Vec::new();
        let mut walk = Walk::new(CONFIG, None);
        loop {
            let page = walk.next(self);
            if page.is_empty() {
                return left;
            }
            for path in page.iter().filter(|path| !path.ends_with(b"/")) {
                left.extend(self.left_beside(path).into_keys());
            }
        }
    }

    /// Notes what lies beside an object, whose folder is listed already.
    pub(crate) fn note_left(&self, path: &[u8], listed: &Listed) {
        for (left, drives) in self.left_in(path, listed) {
            for drive in drives {
                self.note(Matter::Left, self.layout.name(drive), &left);
            }
        }
    }

    fn left_beside(&self, path: &[u8]) -> Left {
        self.left_in(path, &self.folder(path, &self.layout.drives()))
    }

    fn left_in(&self, path: &[u8], listed: &Listed) -> Left {
        let mut left = Left::new();
        for (name, drives) in &listed.beside {
            left.insert(below(path, name), drives.clone());
        }
        for (name, drives) in listed.folders.iter().filter(|(name, _)| is_uuid(name)) {
            let data = str::from_utf8(name).ok().and_then(uuid);
            for drive in drives.iter().filter(|drive| listed.objects.contains(drive)) {
                let object = self.layout.path(*drive, path);
                let folder = |_: Drive| Some(below(&object, name));
                if !self.is_data_alone(&[*drive], folder) {
                    continue;
                }
                // What is not known to be nobody's is somebody's.
                let Some(named) = self.data_named(*drive, &object) else {
                    continue;
                };
                let folder = below(path, name);
                match data.is_some_and(|data| named.contains(&data)) {
                    false => left.entry(folder).or_default().push(*drive),
                    true => {
                        let files = self.names(*drive, &folder).into_iter();
                        for file in files.filter(|file| !file.starts_with(PART)) {
                            left.entry(below(&folder, &file)).or_default().push(*drive);
                        }
                    }
                }
            }
        }
        left
    }

    /// The folders of data that the versions of an object name on a drive; none if not all of them can be read.
    fn data_named(&self, drive: Drive, object: &[u8]) -> Option<BTreeSet<Uuid>> {
        let meta = files::whole(&self.files, drive, &below(object, META), META_BYTES).ok()?;
        let block = Block::of(&meta).ok()?;
        let mut named = BTreeSet::new();
        versions::each(&block, |version| {
            named.insert(version.data_dir);
        })
        .ok()?;
        Some(named)
    }

    /// The names in a folder of data; the first of them, if they are many.
    fn names(&self, drive: Drive, folder: &[u8]) -> Vec<Vec<u8>> {
        let page = self
            .files
            .list(drive, &self.layout.path(drive, folder), None);
        let entries = page.map(|page| page.entries).unwrap_or_default();
        let files = entries.into_iter().filter(|entry| entry.kind == Kind::File);
        files.map(|entry| entry.name).collect()
    }
}

impl<F: FilesWriter> Store<F> {
    /// Removes what lies beside an object, if it still does: of a path that [`Self::left`] has told.
    ///
    /// # Errors
    /// [`WriteError`]: it is not there, or somebody's, or cannot be removed.
    pub(crate) fn remove_left(&self, path: &[u8]) -> Result<Swept, WriteError> {
        let above = |path: &[u8]| {
            let slash = path.iter().rposition(|byte| *byte == b'/')?;
            path.get(..slash).map(<[u8]>::to_vec)
        };
        let folder = above(path);
        let objects = [folder.clone(), folder.as_deref().and_then(above)];
        let objects = objects.into_iter().flatten();
        let objects = objects.filter(|object| object.starts_with(CONFIG));
        let (mut is_of_object, mut drives) = (false, None);
        for object in objects {
            let listed = self.folder(&object, &self.layout.drives());
            is_of_object |= !listed.objects.is_empty();
            drives = drives.or_else(|| self.left_in(&object, &listed).remove(path));
        }
        let none = || match is_of_object {
            true => WriteError::NotFound,
            false => WriteError::Refused("it is no draft".into()),
        };
        for drive in drives.ok_or_else(none)? {
            let at = self.layout.path(drive, path);
            let removed = match self.files.remove(drive, &at) {
                Err(FileError::Failed(_)) => {
                    let files = self.names(drive, path);
                    let mut files = files.iter().map(|file| below(&at, file));
                    files
                        .try_for_each(|file| self.files.remove(drive, &file))
                        .and_then(|()| self.files.remove_folder(drive, &at))
                }
                removed => removed,
            };
            match removed {
                Ok(()) | Err(FileError::NotFound) => {}
                Err(error) => return Err(self.failed(drive, &error)),
            }
        }
        Ok(Swept::Removed)
    }
}
