//! A text that a person edits: in a file for its owner alone, in memory where there is a place for that, and
//! wiped at the end.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use iamseal::is_safe_place;
use tempfile::TempDir;

use crate::private_folder;

/// What is written at a time over what is wiped.
const ZEROS: [u8; 4096] = [0; 4096];

/// The file, wiped and removed with its folder when it is dropped.
pub struct PrivateText {
    folder: Option<TempDir>,
    file: PathBuf,
    /// Whether the file is in memory alone.
    pub is_in_memory: bool,
}

impl PrivateText {
    /// A file of this name with this text.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn new(name: &OsStr, text: &[u8]) -> io::Result<Self> {
        let mut in_memory = places().into_iter();
        let in_memory = in_memory.find_map(|place| private_folder::of(&place).ok());
        let is_in_memory = in_memory.is_some();
        let folder = match in_memory {
            Some(folder) => folder,
            None => private_folder::on_disk()?,
        };
        let file = folder.path().join(name);
        let made = Self {
            folder: Some(folder),
            file,
            is_in_memory,
        };
        let mut options = File::options();
        options.write(true).create_new(true).mode(0o600);
        options.open(&made.file)?.write_all(text)?;
        Ok(made)
    }

    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Leaves the file to its owner, and says where it is.
    pub fn keep(mut self) -> PathBuf {
        if let Some(folder) = self.folder.take() {
            let _ = folder.keep();
        }
        self.file.clone()
    }
}

impl Drop for PrivateText {
    fn drop(&mut self) {
        let Some(folder) = &self.folder else {
            return;
        };
        // Editors leave backups and journals of their own beside a file.
        let entries = fs::read_dir(folder.path()).into_iter().flatten().flatten();
        for entry in entries {
            // What cannot be wiped is removed all the same.
            let _ = wipe(&entry.path());
        }
    }
}

/// Where files are in memory alone, and others cannot look at them.
fn places() -> Vec<PathBuf> {
    let own = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let own = own.filter(|place| place.is_absolute());
    let shared = PathBuf::from("/dev/shm");
    let places = own.into_iter().chain([shared]);
    places
        .filter(|place| is_memory(place) && is_safe_place(place))
        .collect()
}

/// Whether a folder's file system is one in memory (statfs(2)).
#[cfg(target_os = "linux")]
fn is_memory(place: &Path) -> bool {
    /// `TMPFS_MAGIC` and `RAMFS_MAGIC`.
    const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];
    let looked = rustix::fs::statfs(place);
    looked.is_ok_and(|system| IN_MEMORY.contains(&(system.f_type as u64)))
}

#[cfg(not(target_os = "linux"))]
fn is_memory(_place: &Path) -> bool {
    false
}

fn wipe(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(());
    }
    let mut file = File::options().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    while left > 0 {
        let part = left.min(ZEROS.len() as u64);
        file.write_all(ZEROS.get(..part as usize).unwrap_or(&ZEROS))?;
        left -= part;
    }
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn all_that_an_editor_leaves_is_wiped_and_removed() {
        let text = PrivateText::new(OsStr::new("policy.json"), b"secret").unwrap();
        let folder = text.path().parent().unwrap().to_owned();
        // Another name outside of the folder shows what becomes of the bytes.
        let outside = tempfile::tempdir_in(folder.parent().unwrap()).unwrap();
        let backup = folder.join("policy.json~");
        fs::write(&backup, b"secret too").unwrap();
        for (file, name) in [(text.path(), "file"), (&*backup, "backup")] {
            fs::hard_link(file, outside.path().join(name)).unwrap();
        }
        drop(text);
        assert!(!folder.exists());
        for (name, size) in [("file", 6), ("backup", 10)] {
            let left = fs::read(outside.path().join(name)).unwrap();
            assert_eq!(left, vec![0; size], "{name}");
        }
    }

    #[test]
    fn what_an_editor_put_in_its_place_can_be_kept() {
        let text = PrivateText::new(OsStr::new("policy.json"), b"old").unwrap();
        let mode = fs::metadata(text.path().parent().unwrap()).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o700);
        let new = text.path().with_extension("new");
        fs::write(&new, b"new").unwrap();
        fs::rename(&new, text.path()).unwrap();
        let kept = text.keep();
        assert_eq!(fs::read(&kept).unwrap(), b"new");
        fs::remove_dir_all(kept.parent().unwrap()).unwrap();
    }
}
