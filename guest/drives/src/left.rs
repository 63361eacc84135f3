//! What lies among objects and no version of one accounts for: folders of data and files that writes which were killed,
//! by a server or by us, have left, and what is there nobody knows why. They hold old or new bytes, plaintext where those
//! were plaintext, and no server reads them once it does not write any more.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::files::{self, Drive, FileError, Files, Kind, PATH_BYTES, below};
use crate::folder::Listed;
use crate::format::{Uuid, uuid};
use crate::meta::{Block, META_BYTES};
use crate::notes::Matter;
use crate::stage::WriteError;
use crate::store::{META, Store};
use crate::sweep::Swept;
use crate::versions;
use crate::walk::is_uuid;
use crate::writer::FilesWriter;

/// Where objects are looked at.
const CONFIG: &[u8] = b"config";
/// The only file of a version's data, in its folder: no server uploads its configuration in several parts.
const PART: &[u8] = b"part.1";
/// Why something stays that is told.
const UNKNOWN: &str = "what it is, is not known";

/// How a server calls the metadata that it may have to put back.
const BACKUP: &[u8] = b"xl.meta.bkp";

/// Something that no version of an object accounts for.
struct Lies {
    drives: Vec<Drive>,
    /// Whether it is known how it comes there, so that it may go. All else is a matter for people.
    is_known: bool,
}

/// By paths.
#[derive(Default)]
struct Left(BTreeMap<Vec<u8>, Lies>);

impl Left {
    fn add(&mut self, path: Vec<u8>, drives: &[Drive], is_known: bool) {
        let none = Lies {
            drives: Vec::new(),
            is_known,
        };
        let lies = self.0.entry(path).or_insert(none);
        lies.drives.extend(drives);
        lies.is_known &= is_known;
    }
}

impl<F: Files> Store<F> {
    /// All that lies among the objects of the configuration and that no version of an object accounts for, by paths in
    /// ascending order: folders of data, and files.
    pub fn left(&self) -> Vec<Vec<u8>> {
        let mut left = Left::default();
        let mut folders = Vec::from([CONFIG.to_vec()]);
        while let Some(folder) = folders.pop() {
            let listed = self.folder(&folder, &self.layout.drives());
            let is_object = !listed.objects.is_empty();
            let deeper = listed.folders.iter().filter(|(name, drives)| {
                let path = |drive| Some(below(&self.layout.path(drive, &folder), name));
                !(is_object && is_uuid(name) && self.is_data_alone(drives, path))
            });
            let deeper = deeper.map(|(name, _)| below(&folder, name));
            folders.extend(deeper.filter(|path| path.len() <= PATH_BYTES));
            left.0.extend(self.left_in(&folder, &listed).0);
        }
        left.0.into_keys().collect()
    }

    /// Notes what lies beside an object, whose folder is listed already.
    pub(crate) fn note_left(&self, path: &[u8], listed: &Listed) {
        for (left, lies) in self.left_in(path, listed).0 {
            let matter = match lies.is_known {
                true => Matter::Left,
                false => Matter::Stray,
            };
            for drive in lies.drives {
                self.note(matter, self.layout.name(drive), &left);
            }
        }
    }

    fn left_in(&self, path: &[u8], listed: &Listed) -> Left {
        let mut left = Left::default();
        let is_object = !listed.objects.is_empty();
        for (name, drives) in listed.beside.iter().chain(&listed.odd) {
            left.add(below(path, name), drives, is_object && name == BACKUP);
        }
        let folders = listed.folders.iter();
        for (name, drives) in folders.filter(|(name, _)| is_object && is_uuid(name)) {
            let data = str::from_utf8(name).ok().and_then(uuid);
            for drive in drives {
                let folder = |_: Drive| Some(below(&self.layout.path(*drive, path), name));
                if !self.is_data_alone(&[*drive], folder) {
                    continue;
                }
                // What is not known to be nobody's is somebody's.
                let Some(named) = self.data_named(*drive, path, listed) else {
                    continue;
                };
                let folder = below(path, name);
                match data.is_some_and(|data| named.contains(&data)) {
                    false => left.add(folder, &[*drive], true),
                    true => {
                        let files = self.names(*drive, &folder).into_iter();
                        for file in files.filter(|file| file != PART) {
                            left.add(below(&folder, &file), &[*drive], file == BACKUP);
                        }
                    }
                }
            }
        }
        left
    }

    /// The folders of data that the versions of an object name on a drive, or on the others if it has none itself; none
    /// if not all of them can be read.
    fn data_named(&self, drive: Drive, path: &[u8], listed: &Listed) -> Option<BTreeSet<Uuid>> {
        let mut named = BTreeSet::new();
        let of = match listed.objects.contains(&drive) {
            true => &[drive][..],
            false => &listed.objects,
        };
        for drive in of {
            let object = self.layout.path(*drive, path);
            let meta = files::whole(&self.files, *drive, &below(&object, META), META_BYTES).ok()?;
            let block = Block::of(&meta).ok()?;
            let see = |version: versions::Version| {
                named.insert(version.data_dir);
            };
            versions::each(&block, see).ok()?;
        }
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
        let objects = objects.filter(|object| is_in_config(object));
        let (mut is_of_object, mut lies) = (false, None);
        for object in objects {
            let listed = self.folder(&object, &self.layout.drives());
            is_of_object |= !listed.objects.is_empty();
            lies = lies.or_else(|| self.left_in(&object, &listed).0.remove(path));
        }
        let Some(Lies { drives, is_known }) = lies else {
            return Err(match is_of_object {
                true => WriteError::NotFound,
                false => WriteError::Refused("it is no draft".into()),
            });
        };
        if !is_known {
            return Err(WriteError::Refused(UNKNOWN.into()));
        }
        for drive in drives {
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

fn is_in_config(path: &[u8]) -> bool {
    let rest = path.strip_prefix(CONFIG);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
