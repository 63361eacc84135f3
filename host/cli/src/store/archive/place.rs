//! The folder that an archive is unpacked into: for this user alone, within limits, and gone at the end.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use iamseal::shown;

use super::Wrong;
use crate::private_folder;

/// The most that is unpacked: of IAM alone some hundred times what the largest deployments have.
pub const BYTES: u64 = 4 << 30;
/// The most files and folders.
pub const FILES: u64 = 4_000_000;
/// The longest name, as systems have it.
const NAME_BYTES: usize = 4095;
/// What is copied at a time.
const PIECE: usize = 64 << 10;

/// The folders that are to be removed when the process ends.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Whether nothing more is unpacked, since the process ends.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// The folder, and what may still be unpacked into it.
pub struct Place {
    folder: PathBuf,
    bytes: u64,
    files: u64,
}

/// Removes what was unpacked when it is dropped, however the command ends.
pub struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        remove();
    }
}

/// Removes what was unpacked. For the end of the process: nothing is unpacked any more.
pub fn remove() {
    IS_ENDING.store(true, Relaxed);
    // Whoever comes second waits until they are gone, and does not end the process before.
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    for folder in folders.drain(..) {
        // What was being written when the end came may be there a moment longer.
        for _ in 0..50 {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    thread::sleep(Duration::from_millis(10));
                }
                _ => break,
            }
        }
    }
}

impl Place {
    /// A new one.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn new() -> Result<Self, Wrong> {
        let folder = private_folder::on_disk()?.keep();
        let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
        folders.push(folder.clone());
        Ok(Self {
            folder,
            bytes: BYTES,
            files: FILES,
        })
    }

    /// One in a folder of a test's own, with other limits.
    #[cfg(test)]
    pub fn of(folder: &Path, bytes: u64, files: u64) -> Self {
        Self {
            folder: folder.to_path_buf(),
            bytes,
            files,
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a folder of this name.
    ///
    /// # Errors
    /// The name leads out, there are too many; what the system says.
    pub fn make_folder(&mut self, name: &Path) -> Result<(), Wrong> {
        let path = self.inside(name)?;
        Ok(fs::create_dir_all(path)?)
    }

    /// Makes a file of this name with all that `from` has. Of several of one name the last stays.
    ///
    /// # Errors
    /// As for [`Self::make_folder`]; it is larger than what may still be unpacked.
    pub fn put(&mut self, name: &Path, mut from: impl Read) -> Result<(), Wrong> {
        let path = self.inside(name)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        let mut piece = vec![0; PIECE];
        loop {
            if IS_ENDING.load(Relaxed) {
                return Err(Wrong::Ended);
            }
            let count = from.read(&mut piece)?;
            let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return Ok(());
            };
            self.bytes = self.bytes.checked_sub(count as u64).ok_or(Wrong::Large)?;
            file.write_all(bytes)?;
        }
    }

    /// Makes a file of this name with what another has that was unpacked before.
    ///
    /// # Errors
    /// As for [`Self::put`]; there is no such file.
    pub fn put_again(&mut self, name: &Path, other: &Path) -> Result<(), Wrong> {
        let from = self.inside(other)?;
        // None of them is a link: only files and folders are made here.
        match fs::symlink_metadata(&from) {
            Ok(meta) if meta.is_file() => self.put(name, File::open(from)?),
            _ => Err(Wrong::NoFile(said(name))),
        }
    }

    /// Where a name is below the folder.
    fn inside(&mut self, name: &Path) -> Result<PathBuf, Wrong> {
        self.files = self.files.checked_sub(1).ok_or(Wrong::Large)?;
        let mut path = self.folder.clone();
        for part in name.components() {
            match part {
                Component::Normal(part) => path.push(part),
                // As every unpacker has it, an absolute name is one below the folder.
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(Wrong::LeadsOut(said(name)));
                }
            }
        }
        let is_long = name.as_os_str().len() > NAME_BYTES;
        match is_long || name.as_os_str().as_encoded_bytes().contains(&0) {
            true => Err(Wrong::Malformed("a name in it is none".into())),
            false => Ok(path),
        }
    }
}

/// Whether a link or a device of this name stands where a store has files; else nobody misses it.
pub fn is_of_store(name: &Path) -> bool {
    let mut parts = name.components();
    parts.any(|part| {
        let part = part.as_os_str();
        [".minio.sys", ".rustfs.sys", "config"]
            .iter()
            .any(|of| part == *of)
    })
}

/// A name as people are told it.
pub fn said(name: &Path) -> String {
    shown(name.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_unpacked_than_the_limits() {
        let folder = tempfile::tempdir().unwrap();
        let mut of_bytes = Place::of(folder.path(), 10, 100);
        of_bytes.put(Path::new("a"), &[1; 6][..]).unwrap();
        let more = of_bytes.put(Path::new("b"), &[1; 5][..]);
        assert!(matches!(more, Err(Wrong::Large)), "{more:?}");
        let endless = Place::of(folder.path(), 1 << 20, 100).put(Path::new("c"), io::repeat(0));
        assert!(matches!(endless, Err(Wrong::Large)), "{endless:?}");
        assert!(folder.path().join("c").metadata().unwrap().len() <= 1 << 20);
        let mut of_files = Place::of(folder.path(), 10, 2);
        of_files.make_folder(Path::new("d")).unwrap();
        of_files.put(Path::new("d/e"), &[1; 1][..]).unwrap();
        let more = of_files.make_folder(Path::new("f"));
        assert!(matches!(more, Err(Wrong::Large)), "{more:?}");
    }

    #[test]
    fn nothing_leads_out() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("in");
        let mut inside = Place::of(&folder, 1 << 20, 100);
        for name in ["../x", "a/../../x", ".."] {
            let put = inside.put(Path::new(name), &[1; 1][..]);
            assert!(matches!(put, Err(Wrong::LeadsOut(_))), "{name}: {put:?}");
        }
        inside.put(Path::new("/etc/x"), &[1; 1][..]).unwrap();
        assert!(folder.join("etc/x").is_file());
        let long = "a/".repeat(3000);
        let put = inside.put(Path::new(&long), &[1; 1][..]);
        assert!(matches!(put, Err(Wrong::Malformed(_))), "{put:?}");
        let again = inside.put_again(Path::new("y"), Path::new("etc"));
        assert!(matches!(again, Err(Wrong::NoFile(_))), "{again:?}");
        assert_eq!(fs::read_dir(above.path()).unwrap().count(), 1);
    }
}
