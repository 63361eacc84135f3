//! Every system call of the directory store, and none stands elsewhere.
//!
//! A [`Folder`] is an open folder; whatever is done inside it is done relative to it, by a single
//! name, and no call follows a symbolic link. So nothing leads out of the store, not even when
//! somebody exchanges a folder for a link between two calls. Names come from
//! [`super::path::Place`] or from the folder itself and hold no `/`.
//!
//! Each call is told to [`super::faults`] before it is made.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, fchown};
use std::path::Path;
use std::time::SystemTime;

use cap_fs_ext::{DirExt, FileTypeExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{
    Dir, DirBuilder, DirBuilderExt as _, FileType, MetadataExt, OpenOptions, OpenOptionsExt,
};
pub(crate) use iamseal_words::folder::Kind;
use rustix::buffer::spare_capacity;
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;

use super::faults::{Call, Watch};
use super::stamp::Stamp;

/// The most that Linux takes and hands over of an extended attribute, and of all names of them.
const ATTRIBUTE_BYTES: usize = 64 * 1024;

/// An open folder.
pub(crate) struct Folder {
    dir: Dir,
    watch: Watch,
}

/// An open file, or a folder that was opened as one.
pub(crate) struct File {
    file: fs::File,
    watch: Watch,
}

impl Folder {
    /// Opens the store's root, the only path that is taken as it is and may be a link.
    pub fn root(path: &Path, watch: Watch) -> io::Result<Self> {
        watch.before(Call::OpenFolder)?;
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Self { dir, watch })
    }

    /// The same folder, opened anew.
    pub fn again(&self) -> io::Result<Self> {
        self.watch.before(Call::OpenFolder)?;
        self.dir.open_dir(".").map(|dir| self.with(dir))
    }

    /// Opens a folder in this one.
    pub fn folder(&self, name: &[u8]) -> io::Result<Self> {
        self.watch.before(Call::OpenFolder)?;
        let dir = self.dir.open_dir_nofollow(path(name))?;
        Ok(self.with(dir))
    }

    /// Opens a folder any number of parts below this one in a single call, over no symbolic link.
    /// None if that cannot be done: whoever goes part by part sees why.
    ///
    /// # Errors
    /// Only what somebody who watches wants.
    pub fn below(&self, parts: &[u8]) -> io::Result<Option<Self>> {
        self.watch.before(Call::OpenFolder)?;
        Ok(open_below(&self.dir, parts).map(|dir| self.with(dir)))
    }

    /// What stands under a name, a link being a link.
    pub fn kind(&self, name: &[u8]) -> io::Result<Kind> {
        self.look(name).map(|metadata| kind(metadata.file_type()))
    }

    /// What is known of a name without opening it, a link being a link.
    pub fn look(&self, name: &[u8]) -> io::Result<cap_std::fs::Metadata> {
        self.watch.before(Call::Look)?;
        self.dir.symlink_metadata(path(name))
    }

    /// Which file stands under a name, a link being a link.
    pub fn stamp(&self, name: &[u8]) -> io::Result<Stamp> {
        self.watch.before(Call::Look)?;
        let metadata = self.dir.symlink_metadata(path(name))?;
        Ok(Stamp {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }

    /// Everything in this folder, in the system's order.
    pub fn entries(&self) -> io::Result<Vec<(Vec<u8>, Kind)>> {
        let mut entries = Vec::new();
        self.each_entry(|name, kind| entries.push((name, kind)))?;
        Ok(entries)
    }

    /// The same one by one.
    pub fn each_entry(&self, mut see: impl FnMut(Vec<u8>, Kind)) -> io::Result<()> {
        self.watch.before(Call::List)?;
        for entry in self.dir.entries()? {
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
            see(name, kind);
        }
        Ok(())
    }

    /// Opens a file for reading. Never waits for the other end of a pipe, whatever the name turns
    /// out to be: what was opened has to be looked at.
    pub fn open(&self, name: &[u8]) -> io::Result<File> {
        self.watch.before(Call::Open)?;
        let mut options = OpenOptions::new();
        options.read(true).nonblock(true).follow(FollowSymlinks::No);
        self.file(path(name), &options)
    }

    /// Makes a file that is not there yet, for writing, closed to everybody but its owner until
    /// its permissions are set.
    pub fn create(&self, name: &[u8]) -> io::Result<File> {
        let folder = self.dir.as_fd();
        self.watch.before(Call::Create { folder, name })?;
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .follow(FollowSymlinks::No);
        self.file(path(name), &options)
    }

    /// Puts the file `from` in the place of `to`, both in this folder, atomically.
    pub fn rename(&self, from: &[u8], to: &[u8]) -> io::Result<()> {
        let folder = self.dir.as_fd();
        self.watch.before(Call::Rename { folder, from, to })?;
        self.dir.rename(path(from), &self.dir, path(to))
    }

    /// Puts the file or folder `from` of this folder in the place of `to` in another one, atomically.
    pub fn move_to(&self, from: &[u8], other: &Self, to: &[u8]) -> io::Result<()> {
        self.watch.before(Call::Move)?;
        self.dir.rename(path(from), &other.dir, path(to))
    }

    /// Makes a folder, open to nobody but its owner.
    pub fn make_folder(&self, name: &[u8]) -> io::Result<()> {
        let folder = self.dir.as_fd();
        self.watch.before(Call::MakeFolder { folder, name })?;
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        self.dir.create_dir_with(path(name), &builder)
    }

    /// Removes an empty folder.
    pub fn remove_folder(&self, name: &[u8]) -> io::Result<()> {
        let folder = self.dir.as_fd();
        self.watch.before(Call::RemoveFolder { folder, name })?;
        self.dir.remove_dir(path(name))
    }

    /// Gives what stands under `from` the name `to` of this folder, atomically and only if nothing has it.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if something has it.
    pub fn rename_new(&self, from: &[u8], to: &[u8]) -> io::Result<()> {
        let folder = self.dir.as_fd();
        self.watch.before(Call::RenameNew { folder, from, to })?;
        match rename_new(&self.dir, path(from), path(to)) {
            // What a file system says of a flag that it does not know differs.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            other => return Ok(other?),
        }
        // A name that is there is refused here too. Whoever dies in between leaves both.
        self.watch.before(Call::Link { folder, from, to })?;
        self.dir.hard_link(path(from), &self.dir, path(to))?;
        self.remove(from)
    }

    /// Exchanges what stands under two names, both in this folder, atomically.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] if the file system or the system cannot.
    pub fn exchange(&self, one: &[u8], other: &[u8]) -> io::Result<()> {
        let folder = self.dir.as_fd();
        self.watch.before(Call::Exchange { folder, one, other })?;
        exchange(&self.dir, path(one), path(other)).map_err(|error| match error {
            // What a file system says of a flag that it does not know differs.
            Errno::INVAL | Errno::NOSYS | Errno::NOTSUP => io::ErrorKind::Unsupported.into(),
            error => error.into(),
        })
    }

    /// Removes a file.
    pub fn remove(&self, name: &[u8]) -> io::Result<()> {
        let folder = self.dir.as_fd();
        self.watch.before(Call::Remove { folder, name })?;
        self.dir.remove_file(path(name))
    }

    /// The folder as a file, to lock or to sync it; the handle that names are looked up in is good
    /// for neither. A lock excludes those of every other opening, those of this process included.
    pub fn as_file(&self) -> io::Result<File> {
        self.watch.before(Call::OpenFolder)?;
        self.file(Path::new("."), OpenOptions::new().read(true))
    }

    /// Whether both are the same folder of the same file system.
    pub fn is(&self, other: &Self) -> io::Result<bool> {
        self.watch.before(Call::Look)?;
        let (mine, theirs) = (self.dir.dir_metadata()?, other.dir.dir_metadata()?);
        Ok((mine.dev(), mine.ino()) == (theirs.dev(), theirs.ino()))
    }

    fn with(&self, dir: Dir) -> Self {
        let watch = self.watch.clone();
        Self { dir, watch }
    }

    fn file(&self, path: &Path, options: &OpenOptions) -> io::Result<File> {
        let file = self.dir.open_with(path, options)?.into_std();
        let watch = self.watch.clone();
        Ok(File { file, watch })
    }
}

impl File {
    /// What the file is.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.watch.before(Call::Look)?;
        self.file.metadata()
    }

    /// Reads from the beginning to the end, which is expected after `size` bytes, but no more than `most` bytes.
    pub fn read(&self, size: usize, most: u64) -> io::Result<Vec<u8>> {
        self.watch.before(Call::Read)?;
        // One more, so that the end is seen without growing.
        let mut bytes = Vec::with_capacity(size.saturating_add(1));
        (&self.file).rewind()?;
        (&self.file).take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads up to so many bytes from an offset on, fewer at the end.
    pub fn read_part(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.watch.before(Call::Read)?;
        let mut bytes = vec![0; length];
        let mut read = 0;
        while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Takes the lock that no two openings of a file have at once.
    pub fn try_lock(&self) -> Result<(), TryLockError> {
        self.watch.before(Call::Lock).map_err(TryLockError::Error)?;
        self.file.try_lock()
    }

    /// Writes all of the bytes.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.as_fd();
        self.watch.before(Call::Write { file, bytes })?;
        (&self.file).write_all(bytes)
    }

    /// Gives the file to a user and a group.
    pub fn set_owner(&self, user: u32, group: u32) -> io::Result<()> {
        let file = self.file.as_fd();
        self.watch.before(Call::SetOwner { file, user })?;
        fchown(&self.file, Some(user), Some(group))
    }

    /// Sets the mode bits.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        let file = self.file.as_fd();
        self.watch.before(Call::SetMode { file, mode })?;
        self.file.set_permissions(Permissions::from_mode(mode))
    }

    /// Sets the time of the last write.
    pub fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.watch.before(Call::SetTime)?;
        self.file.set_modified(time)
    }

    /// Its extended attributes by their names, as far as the system shows them to this user; none
    /// on a file system that has none.
    pub fn attributes(&self) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        self.watch.before(Call::Look)?;
        let mut names = Vec::with_capacity(ATTRIBUTE_BYTES);
        match flistxattr(&self.file, spare_capacity(&mut names)) {
            Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(BTreeMap::new()),
            other => other?,
        };
        let mut attributes = BTreeMap::new();
        for name in names
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
        {
            self.watch.before(Call::Look)?;
            let mut value = Vec::with_capacity(ATTRIBUTE_BYTES);
            match fgetxattr(&self.file, name, spare_capacity(&mut value)) {
                // Taken off meanwhile, or listed by a file system that does not have it here.
                Err(Errno::NODATA | Errno::NOTSUP) => continue,
                other => other?,
            };
            attributes.insert(name.to_vec(), value);
        }
        Ok(attributes)
    }

    /// Sets an extended attribute, or takes it off.
    pub fn set_attribute(&self, name: &[u8], value: Option<&[u8]>) -> io::Result<()> {
        let file = self.file.as_fd();
        self.watch
            .before(Call::SetAttribute { file, name, value })?;
        match value {
            Some(value) => fsetxattr(&self.file, name, value, XattrFlags::empty())?,
            None => fremovexattr(&self.file, name)?,
        }
        Ok(())
    }

    /// Makes the names in a folder durable that was opened as a file.
    pub fn sync_folder(&self) -> io::Result<()> {
        let folder = self.file.as_fd();
        self.watch.before(Call::SyncFolder { folder })?;
        self.file.sync_all()
    }

    /// Makes durable all that was done to the file system that this file or folder is on.
    ///
    /// # Errors
    /// Also what was not written since the file was opened, by whomever. [`io::ErrorKind::Unsupported`] on
    /// other systems than Linux.
    pub fn sync_file_system(&self) -> io::Result<()> {
        self.watch.before(Call::SyncFileSystem)?;
        sync_file_system(&self.file)
    }

    /// Makes bytes, owner, mode and attributes durable.
    pub fn sync(&self) -> io::Result<()> {
        let file = self.file.as_fd();
        self.watch.before(Call::SyncFile { file })?;
        self.file.sync_all()
    }
}

/// In Linux one call walks the whole path and refuses links itself. A kernel before 5.6 has none such.
#[cfg(target_os = "linux")]
fn open_below(dir: &Dir, parts: &[u8]) -> Option<Dir> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

    let parts = if parts.is_empty() { b"." } else { parts };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let opened = openat2(dir, path(parts), flags, Mode::empty(), resolve).ok()?;
    Some(Dir::from_std_file(opened.into()))
}

#[cfg(not(target_os = "linux"))]
fn open_below(_dir: &Dir, _parts: &[u8]) -> Option<Dir> {
    None
}

#[cfg(target_os = "linux")]
fn sync_file_system(file: &fs::File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(file)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_file: &fs::File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(dir: &Dir, one: &Path, other: &Path) -> Result<(), Errno> {
    use rustix::fs::{RenameFlags, renameat_with};

    renameat_with(dir, one, dir, other, RenameFlags::EXCHANGE)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(_dir: &Dir, _one: &Path, _other: &Path) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn rename_new(dir: &Dir, from: &Path, to: &Path) -> Result<(), Errno> {
    use rustix::fs::{RenameFlags, renameat_with};

    renameat_with(dir, from, dir, to, RenameFlags::NOREPLACE)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn rename_new(_dir: &Dir, _from: &Path, _to: &Path) -> Result<(), Errno> {
    Err(Errno::NOSYS)
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
