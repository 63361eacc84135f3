//! Every system call of the directory store.
//!
//! A [`Folder`] is an open folder; whatever is done inside it is done relative to it, by a single
//! name, and no call follows a symbolic link. So nothing leads out of the store, not even when
//! somebody exchanges a folder for a link between two calls. Names come from
//! [`super::path::Place`] or from the folder itself and hold no `/`.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use cap_fs_ext::{DirExt, FileTypeExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, MetadataExt, OpenOptions, OpenOptionsExt};

/// What stands under a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// Neither; the text is for people.
    Other(&'static str),
}

/// An open folder.
pub(super) struct Folder(Dir);

impl Folder {
    /// Opens the store's root, the only path that is taken as it is and may be a link.
    pub fn root(path: &Path) -> io::Result<Self> {
        Dir::open_ambient_dir(path, ambient_authority()).map(Self)
    }

    /// The same folder, opened anew.
    pub fn again(&self) -> io::Result<Self> {
        self.0.open_dir(".").map(Self)
    }

    /// Opens a folder in this one.
    pub fn folder(&self, name: &[u8]) -> io::Result<Self> {
        self.0.open_dir_nofollow(path(name)).map(Self)
    }

    /// What stands under a name, a link being a link.
    pub fn kind(&self, name: &[u8]) -> io::Result<Kind> {
        let metadata = self.0.symlink_metadata(path(name))?;
        Ok(kind(metadata.file_type()))
    }

    /// Everything in this folder, in the system's order.
    pub fn entries(&self) -> io::Result<Vec<(Vec<u8>, Kind)>> {
        let mut entries = Vec::new();
        for entry in self.0.entries()? {
            let entry = entry?;
            let name = entry.file_name().into_vec();
            // Some file systems do not say in the listing what a name is.
            let kind = match kind(entry.file_type()?) {
                Kind::Other(_) => match self.kind(&name) {
                    Ok(kind) => kind,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                },
                known => known,
            };
            entries.push((name, kind));
        }
        Ok(entries)
    }

    /// Opens a file for reading. Never waits for the other end of a pipe, whatever the name turns
    /// out to be: what was opened has to be looked at.
    pub fn open(&self, name: &[u8]) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).nonblock(true).follow(FollowSymlinks::No);
        let file = self.0.open_with(path(name), &options)?;
        Ok(file.into_std())
    }

    /// Makes a file that is not there yet, for writing, closed to everybody but its owner until
    /// its permissions are set.
    pub fn create(&self, name: &[u8]) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .follow(FollowSymlinks::No);
        let file = self.0.open_with(path(name), &options)?;
        Ok(file.into_std())
    }

    /// Puts the file `from` in the place of `to`, both in this folder, atomically.
    pub fn rename(&self, from: &[u8], to: &[u8]) -> io::Result<()> {
        self.0.rename(path(from), &self.0, path(to))
    }

    /// Removes a file.
    pub fn remove(&self, name: &[u8]) -> io::Result<()> {
        self.0.remove_file(path(name))
    }

    /// Makes the names in this folder durable.
    pub fn sync(&self) -> io::Result<()> {
        self.file()?.sync_all()
    }

    /// The folder as a file, to lock or to sync it; the handle that names are looked up in is good
    /// for neither. A lock excludes those of every other opening, those of this process included.
    pub fn file(&self) -> io::Result<File> {
        self.0.open(".").map(cap_std::fs::File::into_std)
    }

    /// Whether both are the same folder of the same file system.
    pub fn is(&self, other: &Self) -> io::Result<bool> {
        let (mine, theirs) = (self.0.dir_metadata()?, other.0.dir_metadata()?);
        Ok((mine.dev(), mine.ino()) == (theirs.dev(), theirs.ino()))
    }
}

fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

fn kind(kind: FileType) -> Kind {
    if kind.is_file() {
        Kind::File
    } else if kind.is_dir() {
        Kind::Folder
    } else if kind.is_symlink() {
        Kind::Other("a symbolic link")
    } else if kind.is_fifo() {
        Kind::Other("a named pipe")
    } else if kind.is_socket() {
        Kind::Other("a socket")
    } else {
        Kind::Other("a device")
    }
}
