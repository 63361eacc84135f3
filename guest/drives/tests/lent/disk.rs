//! Drives in memory that can be written to, and what was done to them.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::cell::{Cell, RefCell};

use iamseal_drives::{Drive, FileError, Files, FilesWriter, Page, Part, Store};

use super::Lent;

/// Drives that are written to.
pub struct Disk {
    pub lent: RefCell<Lent>,
    /// Each call that changes something.
    pub calls: RefCell<Vec<String>>,
    /// Which of these fails, counted from 0.
    pub fails: Cell<Option<usize>>,
    /// What time it is.
    pub now: Cell<i64>,
    random: Cell<u8>,
}

/// Long after anything in an archive was written.
pub const NOW: i64 = 4_000_000_000_000_000_000;

/// The archives that are sound and of one server.
pub const SOUND: [&str; 8] = [
    "single-sealed.tar.gz",
    "four-sealed.tar.gz",
    "eight-two-sets.tar.gz",
    "two-pools.tar.gz",
    "pools-sealed.tar.gz",
    "noninline.tar.gz",
    "four-plain-blocks.tar.gz",
    "old-four-plain.tar.gz",
];

/// The paths of all that an audit looks at.
pub fn all(disk: &Disk) -> Vec<String> {
    let lent = disk.lent.borrow();
    let store = Store::open(&*lent).unwrap();
    super::listed(&store, "config/", None)
}

impl Disk {
    pub fn of(archive: &str) -> Self {
        Self::with(Lent::of(archive))
    }

    pub fn with(lent: Lent) -> Self {
        Self {
            lent: RefCell::new(lent),
            calls: RefCell::default(),
            fails: Cell::new(None),
            now: Cell::new(NOW),
            random: Cell::new(0),
        }
    }

    pub fn store(&self) -> Store<&Self> {
        Store::open(self).unwrap()
    }

    /// The paths of all files of a drive.
    pub fn names(&self, drive: usize) -> Vec<String> {
        let lent = self.lent.borrow();
        let names = lent.drives[drive].1.keys();
        names
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect()
    }

    fn call(&self, what: &str, drive: Drive, path: &[u8]) -> Result<(), FileError> {
        let mut calls = self.calls.borrow_mut();
        let number = calls.len();
        calls.push(format!("{what} {drive} {}", String::from_utf8_lossy(path)));
        match self.fails.get() == Some(number) {
            true => Err(FileError::Failed("it broke".into())),
            false => Ok(()),
        }
    }
}

impl Files for &Disk {
    fn drives(&self) -> Vec<String> {
        (&*self.lent.borrow()).drives()
    }

    fn list(&self, drive: Drive, folder: &[u8], after: Option<&[u8]>) -> Result<Page, FileError> {
        (&*self.lent.borrow()).list(drive, folder, after)
    }

    fn read(&self, drive: Drive, file: &[u8], offset: u64, length: u32) -> Result<Part, FileError> {
        (&*self.lent.borrow()).read(drive, file, offset, length)
    }
}

impl FilesWriter for &Disk {
    fn now(&self) -> i64 {
        self.now.get()
    }

    fn random(&self) -> [u8; 16] {
        self.random.set(self.random.get() + 1);
        [self.random.get(); 16]
    }

    fn lock(&self, drive: Drive, folder: &[u8]) -> Result<(), FileError> {
        self.call("lock", drive, folder)
    }

    fn modified(&self, _: Drive, _: &[u8]) -> Result<i64, FileError> {
        Ok(NOW)
    }

    fn create(
        &self,
        drive: Drive,
        file: &[u8],
        bytes: &[u8],
        like: &[u8],
    ) -> Result<(), FileError> {
        self.call("create", drive, file)?;
        self.read(drive, like, 0, 0).unwrap();
        let files = &mut self.lent.borrow_mut().drives[usize::from(drive)].1;
        let before = files.insert(file.to_vec(), bytes.to_vec());
        assert!(before.is_none());
        Ok(())
    }

    // A folder is there as soon as something is in it.
    fn make_folder(&self, drive: Drive, folder: &[u8], _: &[u8]) -> Result<(), FileError> {
        self.call("make-folder", drive, folder)
    }

    fn open_up(&self, drive: Drive, file: &[u8], like: &[u8]) -> Result<(), FileError> {
        self.call("open-up", drive, file)?;
        self.read(drive, like, 0, 0)?;
        self.read(drive, file, 0, 0).map(|_| ())
    }

    fn rename(&self, drive: Drive, from: &[u8], to: &[u8]) -> Result<(), FileError> {
        self.call("rename", drive, to)?;
        let files = &mut self.lent.borrow_mut().drives[usize::from(drive)].1;
        let below = [from, b"/"].concat();
        let is_moved = |path: &[u8]| path == from || path.starts_with(&below);
        let moved: Vec<_> = files.extract_if(.., |path, _| is_moved(path)).collect();
        if moved.is_empty() {
            return Err(FileError::NotFound);
        }
        for (path, bytes) in moved {
            files.insert([to, &path[from.len()..]].concat(), bytes);
        }
        Ok(())
    }

    fn remove(&self, drive: Drive, file: &[u8]) -> Result<(), FileError> {
        self.call("remove", drive, file)?;
        let files = &mut self.lent.borrow_mut().drives[usize::from(drive)].1;
        files.remove(file).map(|_| ()).ok_or(FileError::NotFound)
    }

    fn remove_folder(&self, drive: Drive, folder: &[u8]) -> Result<(), FileError> {
        self.call("remove-folder", drive, folder)?;
        match self.list(drive, folder, None) {
            Ok(_) => Err(FileError::Failed("it is not empty".into())),
            Err(error) => Err(error),
        }
    }

    fn sync(&self, drive: Drive) -> Result<(), FileError> {
        self.call("sync", drive, b"")
    }
}
