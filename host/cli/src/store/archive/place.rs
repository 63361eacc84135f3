//! The folder that an archive is unpacked into: for this user alone, within limits, and gone at the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Component, Path, PathBuf};

use iamseal::shown;

use super::find::{DEEPEST, Unread};
use super::{Wrong, unpacked};
use crate::private_folder;

/// The most that is unpacked: of IAM alone some hundred times what the largest deployments have.
pub const BYTES: u64 = 4 << 30;
/// The most files and folders.
pub const FILES: u64 = 4_000_000;
/// The longest name, as systems have it.
const NAME_BYTES: usize = 4095;
/// The most parts of a name: those of a store, those of an object, whose name has up to 1024 bytes with a slash after
/// each second one at most, and those that a drive puts around it, as in `.minio.sys/tmp/.trash`.
const PARTS: usize = DEEPEST + 1024 / 2 + 8;
/// What is copied at a time.
const PIECE: usize = 64 << 10;

/// The folder, and what may still be unpacked into it.
pub struct Place {
    folder: PathBuf,
    bytes: u64,
    files: u64,
    /// What was not unpacked.
    pub left_out: Unread,
}

impl Place {
    /// A new one.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn new() -> Result<Self, Wrong> {
        let folder = private_folder::on_disk()?.keep();
        unpacked::remember(folder.clone());
        Ok(Self::of(&folder, BYTES, FILES))
    }

    /// One in this folder, with these limits.
    pub fn of(folder: &Path, bytes: u64, files: u64) -> Self {
        Self {
            folder: folder.to_path_buf(),
            bytes,
            files,
            left_out: Unread::default(),
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a folder of this name, which may be there.
    ///
    /// # Errors
    /// The name leads out or too deep, is that of a file, there are too many; what the system says.
    pub fn make_folder(&mut self, name: &Path) -> Result<(), Wrong> {
        let path = self.below(name)?;
        self.make(&path)
    }

    /// Makes a file of this name with all that `from` has. There may be one that has the same.
    ///
    /// # Errors
    /// As for [`Self::make_folder`]; it is larger than what may still be unpacked, or another than what is there.
    pub fn put(&mut self, name: &Path, from: impl Read) -> Result<(), Wrong> {
        let path = self.below(name)?;
        if let Some(folder) = path.parent() {
            self.make(folder)?;
        }
        self.count()?;
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => self.each(from, |bytes| Ok(file.write_all(bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.compare(name, &path, from)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a file of this name with what another has that was unpacked before.
    ///
    /// # Errors
    /// As for [`Self::put`]; there is no such file.
    pub fn put_again(&mut self, name: &Path, other: &Path) -> Result<(), Wrong> {
        let from = self.below(other)?;
        // None of them is a link: only files and folders are made here.
        match fs::symlink_metadata(&from) {
            // A packer that meets one of several names of a file again notes it so.
            Ok(meta) if meta.is_file() && from == self.below(name)? => Ok(()),
            Ok(meta) if meta.is_file() => self.put(name, File::open(from)?),
            _ => Err(Wrong::NoFile(said(name))),
        }
    }

    /// Sees that what is there of this name is what `from` has.
    fn compare(&mut self, name: &Path, path: &Path, from: impl Read) -> Result<(), Wrong> {
        let twice = || Wrong::Twice(said(name));
        if !path.is_file() {
            return Err(twice());
        }
        let mut there = File::open(path)?;
        let mut same = vec![0; PIECE];
        self.each(from, |bytes| {
            let same = same.get_mut(..bytes.len()).unwrap_or_default();
            match there.read_exact(same) {
                Ok(()) if same == bytes => Ok(()),
                _ => Err(twice()),
            }
        })?;
        match there.read(&mut same)? {
            0 => Ok(()),
            _ => Err(twice()),
        }
    }

    /// Does something with all that `from` has, piece by piece, as long as more may be unpacked.
    fn each(
        &mut self,
        mut from: impl Read,
        mut with: impl FnMut(&[u8]) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let mut piece = vec![0; PIECE];
        loop {
            unpacked::go_on()?;
            let count = from.read(&mut piece)?;
            let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return Ok(());
            };
            self.bytes = self.bytes.checked_sub(count as u64).ok_or(Wrong::Large)?;
            with(bytes)?;
        }
    }

    /// Makes a folder, and those that it lies in. Each that is made counts.
    fn make(&mut self, folder: &Path) -> Result<(), Wrong> {
        let mut missing = Vec::new();
        for above in folder.ancestors() {
            match fs::symlink_metadata(above) {
                Ok(meta) if meta.is_dir() => break,
                Ok(_) => {
                    let name = above.strip_prefix(&self.folder).unwrap_or(above);
                    return Err(Wrong::Twice(said(name)));
                }
                // Of a file nothing is below: it is met next.
                Err(_) => missing.push(above),
            }
        }
        for folder in missing.into_iter().rev() {
            unpacked::go_on()?;
            self.count()?;
            fs::create_dir(folder)?;
        }
        Ok(())
    }

    /// Counts a file or folder that is made.
    fn count(&mut self) -> Result<(), Wrong> {
        self.files = self.files.checked_sub(1).ok_or(Wrong::Large)?;
        Ok(())
    }

    /// Where a name is below the folder.
    fn below(&self, name: &Path) -> Result<PathBuf, Wrong> {
        let is_long = name.as_os_str().len() > NAME_BYTES;
        if is_long || name.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(Wrong::Malformed("a name in it is none".into()));
        }
        let mut path = self.folder.clone();
        let mut parts = 0;
        for part in name.components() {
            match part {
                Component::Normal(part) => {
                    parts += 1;
                    path.push(part);
                }
                // As every unpacker has it, an absolute name is one below the folder.
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(Wrong::LeadsOut(said(name)));
                }
            }
        }
        match parts > PARTS {
            true => Err(Wrong::Deep(said(name))),
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
    fn a_name_is_of_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Place::of(folder.path(), 1 << 20, 100);
        let mut put = |name, bytes: &[u8]| place.put(Path::new(name), bytes);
        put("a", b"abc").unwrap();
        put("./a", b"abc").unwrap();
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            let twice = put("a", other);
            assert!(matches!(twice, Err(Wrong::Twice(_))), "{twice:?}");
        }
        for other in ["a/b", "a/b/c", "."] {
            let twice = put(other, b"abc");
            assert!(matches!(twice, Err(Wrong::Twice(_))), "{twice:?}");
        }
        place.put_again(Path::new("a"), Path::new("./a")).unwrap();
        place.put_again(Path::new("c"), Path::new("a")).unwrap();
        let twice = place.make_folder(Path::new("a"));
        assert!(matches!(twice, Err(Wrong::Twice(_))), "{twice:?}");
        for name in ["a", "c"] {
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"abc");
        }
    }

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
        // What a name has above it is made too.
        for name in ["g/h/i", "k/l/m/"] {
            let mut of_files = Place::of(folder.path(), 10, 2);
            let more = of_files.put(Path::new(name), &[1; 1][..]);
            assert!(matches!(more, Err(Wrong::Large)), "{more:?}");
            let made = name.split('/').next().unwrap();
            fs::remove_dir_all(folder.path().join(made)).unwrap();
            let more = of_files.make_folder(Path::new(name));
            assert!(matches!(more, Err(Wrong::Large)), "{more:?}");
        }
        // What is there already is not made.
        let mut of_files = Place::of(folder.path(), 10, 0);
        of_files.make_folder(Path::new("d")).unwrap();
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
        let put = inside.put(Path::new(&"a/".repeat(PARTS + 1)), &[1; 1][..]);
        assert!(matches!(put, Err(Wrong::Deep(_))), "{put:?}");
        let again = inside.put_again(Path::new("y"), Path::new("etc"));
        assert!(matches!(again, Err(Wrong::NoFile(_))), "{again:?}");
        assert_eq!(fs::read_dir(above.path()).unwrap().count(), 1);
    }
}
