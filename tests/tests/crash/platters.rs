//! The files of several drives in memory, and what of them is durable.
//!
//! Nothing is durable before its drive was synced, and then all that was done to it is. Of everything else any part
//! may be lost with the power, on each drive another one.

use std::collections::{BTreeMap, BTreeSet};

use iamseal_drives::{Drive, FileError};

use crate::drives::DRIVES;
use crate::minio;
use crate::shadow::{Bytes, Content, Data, NEW, Names, Tree, apply};

/// How what writes can be made to do it wrong, to show that it would be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// The drives of an object get their `xl.meta` from the last one to the first.
    Descending,
    /// The new version has the time of the old one.
    SameTime,
    /// Nothing is synced.
    NoSyncs,
}

/// A move that is held back: where, from, to.
type Move = (Drive, Vec<u8>, Vec<u8>);

/// The files of all drives.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platters {
    drives: Vec<Platter>,
    files: Vec<Data>,
    lie: Option<Lie>,
    held_back: Vec<Move>,
}

#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Platter {
    now: Names,
    durable: Names,
    /// What happened since: names, and what they stand for after it.
    changes: Vec<Vec<(Vec<u8>, Option<usize>)>>,
}

impl Platters {
    /// Empty drives.
    pub fn new(lie: Option<Lie>) -> Self {
        Self {
            drives: vec![Platter::default(); DRIVES],
            files: Vec::new(),
            lie,
            held_back: Vec::new(),
        }
    }

    /// Puts a durable file on a drive.
    pub fn put(&mut self, drive: Drive, path: &[u8], content: Content) {
        let number = self.files.len();
        self.files.push(Data {
            now: content.clone(),
            durable: content,
        });
        let drive = &mut self.drives[usize::from(drive)];
        drive.now.insert(path.to_vec(), number);
        drive.durable.insert(path.to_vec(), number);
    }

    /// The names in a folder, and whether they are folders.
    pub fn names(&self, drive: Drive, folder: &[u8]) -> BTreeMap<Vec<u8>, bool> {
        let below = match folder {
            b"" => Vec::new(),
            folder => [folder, b"/"].concat(),
        };
        let paths = self.drives[usize::from(drive)].now.keys();
        let names = paths.filter_map(|path| {
            let rest = path.strip_prefix(below.as_slice())?;
            let mut parts = rest.splitn(2, |byte| *byte == b'/');
            Some((parts.next()?.to_vec(), parts.next().is_some()))
        });
        names.collect()
    }

    /// The bytes of a file.
    pub fn file(&self, drive: Drive, path: &[u8]) -> Option<Vec<u8>> {
        let number = self.drives[usize::from(drive)].now.get(path)?;
        Some(self.files[*number].now.bytes.clone())
    }

    /// What each drive has in the place of an object's `xl.meta`.
    pub fn metas(&self, path: &[u8]) -> Vec<Option<Vec<u8>>> {
        let file = [b".minio.sys/", path, b"/xl.meta"].concat();
        (0..DRIVES as Drive)
            .map(|drive| self.file(drive, &file))
            .collect()
    }

    pub fn create(
        &mut self,
        drive: Drive,
        path: &[u8],
        bytes: &[u8],
        like: &[u8],
    ) -> Result<(), FileError> {
        let owner = self.content(drive, like)?.owner;
        let bytes = match self.lie {
            Some(Lie::SameTime) if path.ends_with(b".tmp") => minio::of_the_same_time(bytes),
            _ => bytes.to_vec(),
        };
        if self.file(drive, path).is_some() {
            return Err(FileError::Failed("it is there".into()));
        }
        let empty = Content {
            bytes: Vec::new(),
            mode: NEW,
            owner,
        };
        self.files.push(Data {
            now: Content {
                bytes,
                ..empty.clone()
            },
            durable: empty,
        });
        let change = vec![(path.to_vec(), Some(self.files.len() - 1))];
        self.drives[usize::from(drive)].change(change);
        Ok(())
    }

    pub fn open_up(&mut self, drive: Drive, path: &[u8], like: &[u8]) -> Result<(), FileError> {
        let mode = self.content(drive, like)?.mode;
        self.content(drive, path)?.mode = mode;
        Ok(())
    }

    pub fn rename(&mut self, drive: Drive, from: &[u8], to: &[u8]) -> Result<(), FileError> {
        let drive = &mut self.drives[usize::from(drive)];
        let below = [from, b"/"].concat();
        let moved: Vec<_> = drive
            .now
            .iter()
            .filter(|(path, _)| *path == from || path.starts_with(&below))
            .flat_map(|(path, file)| {
                let new = [to, &path[from.len()..]].concat();
                [(path.clone(), None), (new, Some(*file))]
            })
            .collect();
        match moved.is_empty() {
            true => Err(FileError::NotFound),
            false => {
                drive.change(moved);
                Ok(())
            }
        }
    }

    pub fn remove(&mut self, drive: Drive, path: &[u8]) -> Result<(), FileError> {
        let drive = &mut self.drives[usize::from(drive)];
        match drive.now.contains_key(path) {
            false => Err(FileError::NotFound),
            true => {
                drive.change(vec![(path.to_vec(), None)]);
                Ok(())
            }
        }
    }

    pub fn sync(&mut self, drive: Drive) {
        if self.lie == Some(Lie::NoSyncs) {
            return;
        }
        let drive = &mut self.drives[usize::from(drive)];
        for file in drive.now.values() {
            let file = &mut self.files[*file];
            file.sync();
        }
        drive.durable = drive.now.clone();
        drive.changes.clear();
    }

    /// The moves that are to be made when this one is asked for; none yet if it is held back.
    pub fn hold_back(&mut self, drive: Drive, from: &[u8], to: &[u8]) -> Option<Vec<Move>> {
        let asked = (drive, from.to_vec(), to.to_vec());
        if self.lie != Some(Lie::Descending) {
            return Some(vec![asked]);
        }
        self.held_back.push(asked);
        let mut moves: Vec<Move> = self.held_back.extract_if(.., |held| held.2 == to).collect();
        match moves.len() == DRIVES {
            true => {
                moves.reverse();
                Some(moves)
            }
            false => {
                self.held_back.append(&mut moves);
                None
            }
        }
    }

    /// What the next process finds of these.
    pub fn settled(&self) -> Self {
        self.with(|_, _| true, Bytes::Lost, true)
    }

    /// What may be left if the power goes: on all drives all names, none that are not durable, or every other
    /// change of names; or all of them on one drive alone. With their bytes lost in every way.
    pub fn after_power_loss(&self) -> BTreeSet<Self> {
        let mut outcomes = BTreeSet::new();
        for bytes in [Bytes::Lost, Bytes::Zeroed, Bytes::Halved] {
            let kept: [fn(usize, usize) -> bool; 4] = [
                |_, _| true,
                |_, _| false,
                |_, number| number % 2 == 0,
                |_, number| number % 2 == 1,
            ];
            for kept in kept {
                outcomes.insert(self.with(kept, bytes, false));
            }
            for one in 0..DRIVES {
                outcomes.insert(self.with(|drive, _| drive == one, bytes, false));
            }
        }
        outcomes
    }

    fn with(&self, kept: impl Fn(usize, usize) -> bool, bytes: Bytes, is_on: bool) -> Self {
        let mut left = Self::new(None);
        for (number, drive) in self.drives.iter().enumerate() {
            let mut names = drive.durable.clone();
            for (at, change) in drive.changes.iter().enumerate() {
                if kept(number, at) {
                    apply(&mut names, change);
                }
            }
            for (path, file) in names {
                let file = &self.files[file];
                let content = if is_on {
                    file.now.clone()
                } else {
                    file.with(bytes)
                };
                left.put(number as Drive, &path, content);
            }
        }
        left
    }

    /// The mode and owner that all files of an object have; zeros if they differ.
    pub fn rights(&self, path: &[u8]) -> (u32, u32) {
        let below = [b".minio.sys/", path, b"/"].concat();
        let of_drive = |drive: &Platter| -> Vec<usize> {
            let files = drive
                .now
                .iter()
                .filter(|(name, _)| name.starts_with(&below));
            files.map(|(_, file)| *file).collect()
        };
        let files = self.drives.iter().flat_map(of_drive);
        let rights: BTreeSet<_> = files
            .map(|file| (self.files[file].now.mode, self.files[file].now.owner))
            .collect();
        match rights.len() {
            1 => rights.into_iter().next().unwrap(),
            _ => (0, 0),
        }
    }

    /// All files that are of none of these objects: neither an `xl.meta` nor the data that it names.
    pub fn odd_files(&self, objects: &Tree) -> Tree {
        let mut odd = Tree::new();
        for (number, drive) in self.drives.iter().enumerate() {
            let mut known = BTreeSet::from([b".minio.sys/format.json".to_vec()]);
            for path in objects.keys() {
                let at = |name: &str| [b".minio.sys/", path.as_slice(), name.as_bytes()].concat();
                let meta = self.file(number as Drive, &at("/xl.meta"));
                known.insert(at("/xl.meta"));
                if let Some((_, data_dir)) = meta.and_then(|meta| minio::version(&meta)) {
                    known.insert(at(&format!("/{}/part.1", minio::uuid(&data_dir))));
                }
            }
            for (path, file) in drive.now.iter().filter(|(path, _)| !known.contains(*path)) {
                let path = [format!("drive{}: ", number + 1).as_bytes(), path].concat();
                odd.insert(path, self.files[*file].now.clone());
            }
        }
        odd
    }

    fn content(&mut self, drive: Drive, path: &[u8]) -> Result<&mut Content, FileError> {
        let number = self.drives[usize::from(drive)].now.get(path);
        let number = number.ok_or(FileError::NotFound)?;
        Ok(&mut self.files[*number].now)
    }
}

impl Platter {
    fn change(&mut self, change: Vec<(Vec<u8>, Option<usize>)>) {
        apply(&mut self.now, &change);
        self.changes.push(change);
    }
}
