//! The files of drives in memory, lent to be read and written.

use std::cell::{Cell, RefCell};
use std::ops::Bound;

use iamseal_drives::{Drive, Entry, FileError, Files, FilesWriter, Kind, Page, Part};

use super::Tree;

/// Entries of a page: few, so that every listing takes several.
const PAGE: usize = 5;

/// What one run may ask for of some hundred files: many times what is needed, and far from a hang.
const CALLS: u32 = 200_000;

/// Long after anything in an archive was written.
const NOW: i64 = 4_000_000_000_000_000_000;

/// Drives in memory.
#[derive(Clone)]
pub struct Drives {
    trees: RefCell<Vec<Tree>>,
    calls: Cell<u32>,
    random: Cell<u8>,
}

impl Drives {
    /// Drives with these files.
    pub fn new(trees: Vec<Tree>) -> Self {
        Self {
            trees: trees.into(),
            calls: Cell::new(0),
            random: Cell::new(0),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.trees.borrow().len()
    }

    /// The paths of a drive's files.
    pub fn paths(&self, drive: usize) -> Vec<Vec<u8>> {
        self.trees.borrow()[drive].keys().cloned().collect()
    }

    /// The bytes of a file.
    pub fn file(&self, drive: usize, path: &[u8]) -> Option<Vec<u8>> {
        Some(self.trees.borrow()[drive].get(path)?.to_vec())
    }

    /// Puts a file there, unless a file is where it needs a folder, or a folder where it is to be.
    pub fn put(&self, drive: usize, path: &[u8], bytes: &[u8]) {
        let mut trees = self.trees.borrow_mut();
        let tree = &mut trees[drive];
        let separators = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let is_below_a_file = separators
            .map(|(at, _)| &path[..at])
            .any(|above| tree.contains_key(above));
        if !path.is_empty() && !is_below_a_file && !is_folder(tree, path) {
            tree.insert(path.to_vec(), bytes.into());
        }
    }

    /// Removes a file, or a folder with all that is in it.
    pub fn take(&self, drive: usize, path: &[u8]) {
        let below = [path, b"/"].concat();
        let tree = &mut self.trees.borrow_mut()[drive];
        tree.retain(|name, _| name != path && !name.starts_with(&below));
    }

    fn called(&self) {
        let calls = self.calls.get() + 1;
        assert!(calls < CALLS, "it asks its host without an end");
        self.calls.set(calls);
    }
}

fn is_folder(tree: &Tree, path: &[u8]) -> bool {
    let below = [path, b"/"].concat();
    let mut from = tree.range(below.clone()..);
    path.is_empty()
        || from
            .next()
            .is_some_and(|(name, _)| name.starts_with(&below))
}

/// The entries of a folder after a name, one more than a page has.
fn entries(tree: &Tree, below: &[u8], after: Option<&[u8]>) -> Vec<Entry> {
    let mut entries = Vec::new();
    // After the folder of that name too: `0` follows `/`.
    let start = after.map_or(below.to_vec(), |after| [below, after, b"\0"].concat());
    let mut from = Bound::Included(start);
    while entries.len() <= PAGE {
        let mut rest = tree.range::<Vec<u8>, _>((from.as_ref(), Bound::Unbounded));
        let Some((path, _)) = rest.next() else { break };
        let Some(name) = path.strip_prefix(below) else {
            break;
        };
        let mut parts = name.splitn(2, |byte| *byte == b'/');
        let name = parts.next().unwrap_or_default().to_vec();
        let kind = match parts.next() {
            Some(_) => Kind::Folder,
            None => Kind::File,
        };
        from = match kind {
            Kind::Folder => Bound::Included([below, &name, b"0"].concat()),
            _ => Bound::Excluded(path.clone()),
        };
        if after.is_none_or(|after| name.as_slice() > after) {
            entries.push(Entry { name, kind });
        }
    }
    entries
}

impl Files for &Drives {
    fn drives(&self) -> Vec<String> {
        let numbers = 1..=self.count();
        numbers.map(|number| format!("drive{number}")).collect()
    }

    fn list(&self, drive: Drive, folder: &[u8], after: Option<&[u8]>) -> Result<Page, FileError> {
        self.called();
        let tree = &self.trees.borrow()[usize::from(drive)];
        if tree.contains_key(folder) {
            return Err(FileError::Failed("it is no folder".into()));
        }
        if !is_folder(tree, folder) {
            return Err(FileError::NotFound);
        }
        let below = match folder {
            b"" => Vec::new(),
            folder => [folder, b"/"].concat(),
        };
        let mut entries = entries(tree, &below, after);
        let has_more = entries.len() > PAGE;
        entries.truncate(PAGE);
        Ok(Page { entries, has_more })
    }

    fn read(&self, drive: Drive, file: &[u8], offset: u64, length: u32) -> Result<Part, FileError> {
        self.called();
        let tree = &self.trees.borrow()[usize::from(drive)];
        let Some(bytes) = tree.get(file) else {
            return Err(match is_folder(tree, file) {
                true => FileError::Failed("it is a folder".into()),
                false => FileError::NotFound,
            });
        };
        let start = bytes.len().min(usize::try_from(offset).unwrap());
        let rest = &bytes[start..];
        Ok(Part {
            bytes: rest[..rest.len().min(length as usize)].to_vec(),
            size: bytes.len() as u64,
        })
    }
}

impl FilesWriter for &Drives {
    fn now(&self) -> i64 {
        NOW
    }

    fn random(&self) -> [u8; 16] {
        self.random.set(self.random.get().wrapping_add(1));
        [self.random.get(); 16]
    }

    fn lock(&self, _: Drive, _: &[u8]) -> Result<(), FileError> {
        Ok(())
    }

    fn modified(&self, _: Drive, _: &[u8]) -> Result<i64, FileError> {
        Ok(NOW)
    }

    fn create(&self, drive: Drive, file: &[u8], bytes: &[u8], _: &[u8]) -> Result<(), FileError> {
        self.called();
        if self.file(drive.into(), file).is_some() {
            return Err(FileError::Failed("it is there".into()));
        }
        self.put(drive.into(), file, bytes);
        let made = self.file(drive.into(), file);
        made.map(drop)
            .ok_or(FileError::Failed("it is a folder".into()))
    }

    // A folder is there as soon as something is in it.
    fn make_folder(&self, _: Drive, _: &[u8], _: &[u8]) -> Result<(), FileError> {
        self.called();
        Ok(())
    }

    fn open_up(&self, drive: Drive, file: &[u8], _: &[u8]) -> Result<(), FileError> {
        self.read(drive, file, 0, 0).map(drop)
    }

    fn rename(&self, drive: Drive, from: &[u8], to: &[u8]) -> Result<(), FileError> {
        self.called();
        let mut trees = self.trees.borrow_mut();
        let tree = &mut trees[usize::from(drive)];
        let below = [from, b"/"].concat();
        let is_moved = |path: &[u8]| path == from || path.starts_with(&below);
        if is_folder(tree, to) {
            return Err(FileError::Failed("a folder has the name".into()));
        }
        let moved: Vec<_> = tree.extract_if(.., |path, _| is_moved(path)).collect();
        if moved.is_empty() {
            return Err(FileError::NotFound);
        }
        for (path, bytes) in moved {
            tree.insert([to, &path[from.len()..]].concat(), bytes);
        }
        Ok(())
    }

    fn remove(&self, drive: Drive, file: &[u8]) -> Result<(), FileError> {
        self.called();
        let removed = self.trees.borrow_mut()[usize::from(drive)].remove(file);
        removed.map(drop).ok_or(FileError::NotFound)
    }

    fn remove_folder(&self, drive: Drive, folder: &[u8]) -> Result<(), FileError> {
        match self.list(drive, folder, None) {
            Ok(_) => Err(FileError::Failed("it is not empty".into())),
            Err(error) => Err(error),
        }
    }

    fn sync(&self, _: Drive) -> Result<(), FileError> {
        self.called();
        Ok(())
    }
}
