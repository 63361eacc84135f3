//! A folder whose files are written one by one by somebody who knows what is in them, and says when they
//! are to be durable. Here they are kept from others, with the owners and rights of those that they replace.

use std::fs::TryLockError;
use std::io::{self, ErrorKind};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, UNIX_EPOCH};

use super::disk::{File, Folder, Kind};
use super::errors::{failed, shown};
use super::path::Place;
use super::read;
use super::rights::Rights;
use super::tree::Tree;
use crate::awake::Moment;
use crate::contract::StorageError;

/// How long the lock is waited for: as long as a process takes to end that was told to.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// Whether syncing a file system tells of what could not be written, as Linux does from 5.8 on (syncfs(2)).
/// Where it does not, each file is synced by itself.
fn tells_of_all() -> bool {
    static TELLS: LazyLock<bool> = LazyLock::new(|| {
        let system = rustix::system::uname();
        system.release().to_str().is_ok_and(is_new_enough)
    });
    *TELLS
}

fn is_new_enough(release: &str) -> bool {
    let mut numbers = release.split(|char: char| !char.is_ascii_digit());
    let mut number = || numbers.next()?.parse::<u32>().ok();
    number()
        .zip(number())
        .is_some_and(|version| version >= (5, 8))
}

/// A folder in the tree that is kept from all who write to it this way, until this is dropped.
pub(crate) struct Lock(File);

impl Lock {
    /// Makes durable all that was done to the file system that the folder is on.
    ///
    /// # Errors
    /// `Other`: what was done since the lock was taken may be lost with the power.
    pub fn sync(&self) -> Result<(), StorageError> {
        let synced = self.0.sync_file_system();
        synced.map_err(|error| StorageError::Other(format!("cannot make it durable: {error}")))
    }
}

impl Tree {
    /// Takes the lock of a folder, which all who write below it take. The system gives it back when a process
    /// dies.
    ///
    /// # Errors
    /// `Other` if another process keeps it, or the file system knows no locks.
    pub fn lock(&self, folder: &[u8]) -> Result<Lock, StorageError> {
        let opened = self.0.folder(folder)?.as_file();
        let file = opened.map_err(|error| failed("open", folder, &error))?;
        let start = Moment::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(StorageError::Other(
                        "another process has it open to write".into(),
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", folder, &error)),
            }
        }
    }

    /// When a file or folder was written to last, in nanoseconds since 1970.
    ///
    /// # Errors
    /// As for reading an object.
    pub fn modified(&self, path: &[u8]) -> Result<i64, StorageError> {
        let place = Place::of(path)?;
        let looked = self.0.folder(place.folder)?.look(place.name);
        let looked = looked.and_then(|looked| looked.modified());
        let time = looked.map_err(|error| failed("read", path, &error))?;
        let since = time
            .into_std()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    /// Makes a file with the owner and the attributes of the file `like`, closed to all but the owner.
    ///
    /// # Errors
    /// `NotFound` if a folder is not there; `Refused` if the permissions cannot be kept; `Other`.
    pub fn create(&self, path: &[u8], bytes: &[u8], like: &[u8]) -> Result<(), StorageError> {
        let place = Place::of(path)?;
        let folder = self.0.folder(place.folder)?;
        let rights = self.rights(like)?;
        let unwritten = |error| failed("write", path, &error);
        let file = folder.create(place.name).map_err(unwritten)?;
        rights.prepare(&file).map_err(|error| error.of(path))?;
        file.write(bytes).map_err(unwritten)?;
        match tells_of_all() {
            true => Ok(()),
            false => file.sync().map_err(unwritten),
        }
    }

    /// Makes a folder, unless it is there, with the owner and the rights of the folder `like`.
    ///
    /// # Errors
    /// As for [`Self::create`].
    pub fn make_folder(&self, path: &[u8], like: &[u8]) -> Result<(), StorageError> {
        let place = Place::of(path)?;
        let folder = self.0.folder(place.folder)?;
        match folder.make_folder(place.name) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return match folder.kind(place.name) {
                    Ok(Kind::Folder) => Ok(()),
                    _ => Err(StorageError::Other(format!("{} is no folder", shown(path)))),
                };
            }
            Err(error) => return Err(failed("make", path, &error)),
        }
        let unmade = |error| failed("make", path, &error);
        let like = self
            .0
            .folder(like)?
            .as_file()
            .and_then(|file| Rights::of(&file));
        let rights = like.map_err(unmade)?;
        let made = folder.folder(place.name).and_then(|made| made.as_file());
        let made = made.map_err(unmade)?;
        rights.prepare(&made).map_err(|error| error.of(path))?;
        rights.give(&made).map_err(|error| error.of(path))
    }

    /// Gives a file all rights of the file `like`.
    ///
    /// # Errors
    /// As for [`Self::create`].
    pub fn open_up(&self, path: &[u8], like: &[u8]) -> Result<(), StorageError> {
        let place = Place::of(path)?;
        let (file, _) = read::open(&self.0.folder(place.folder)?, place.name, path)?;
        let rights = self.rights(like)?;
        rights.give(&file).map_err(|error| error.of(path))
    }

    /// Moves a file or folder. A file that has the new name is replaced.
    ///
    /// # Errors
    /// `NotFound`, `Other`.
    pub fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), StorageError> {
        let (source, target) = (Place::of(from)?, Place::of(to)?);
        let into = self.0.folder(target.folder)?;
        let moved = self
            .0
            .folder(source.folder)?
            .move_to(source.name, &into, target.name);
        moved.map_err(|error| failed("replace", to, &error))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`, `Other`.
    pub fn remove(&self, path: &[u8]) -> Result<(), StorageError> {
        self.within(path, |folder, name| folder.remove(name))
    }

    /// Removes a folder that is empty.
    ///
    /// # Errors
    /// `NotFound`, `Other`.
    pub fn remove_folder(&self, path: &[u8]) -> Result<(), StorageError> {
        self.within(path, |folder, name| folder.remove_folder(name))
    }

    fn within(
        &self,
        path: &[u8],
        work: impl FnOnce(&Folder, &[u8]) -> io::Result<()>,
    ) -> Result<(), StorageError> {
        let place = Place::of(path)?;
        let done = work(&self.0.folder(place.folder)?, place.name);
        done.map_err(|error| failed("remove", path, &error))
    }

    fn rights(&self, of: &[u8]) -> Result<Rights, StorageError> {
        let place = Place::of(of)?;
        let (file, _) = read::open(&self.0.folder(place.folder)?, place.name, of)?;
        Rights::of(&file).map_err(|error| failed("read", of, &error))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::testing::Fixture;
    use super::*;

    fn mode(fixture: &Fixture, path: &str) -> u32 {
        let metadata = fs::metadata(fixture.root().join(path)).unwrap();
        metadata.permissions().mode() & 0o7777
    }

    fn set_mode(fixture: &Fixture, path: &str, mode: u32) {
        let path = fixture.root().join(path);
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_file_is_closed_until_it_gets_the_rights_of_the_old_one() {
        let fixture = Fixture::new();
        fixture.put("a/old", "old");
        set_mode(&fixture, "a/old", 0o640);
        set_mode(&fixture, "a", 0o750);
        let tree = Tree::open(fixture.root()).unwrap();
        let missing = tree.create(b"tmp/new", b"new", b"a/old");
        assert!(matches!(missing, Err(StorageError::NotFound)));
        tree.make_folder(b"tmp", b"a").unwrap();
        tree.make_folder(b"tmp", b"a").unwrap();
        assert_eq!(mode(&fixture, "tmp"), 0o750);
        tree.create(b"tmp/new", b"new", b"a/old").unwrap();
        assert_eq!(mode(&fixture, "tmp/new"), 0o600);
        assert!(tree.create(b"tmp/new", b"other", b"a/old").is_err());
        tree.open_up(b"tmp/new", b"a/old").unwrap();
        assert_eq!(mode(&fixture, "tmp/new"), 0o640);
        tree.rename(b"tmp/new", b"a/old").unwrap();
        assert_eq!(fixture.get("a/old"), "new");
        assert!(matches!(
            tree.rename(b"tmp/new", b"a/old"),
            Err(StorageError::NotFound)
        ));
        tree.remove_folder(b"tmp").unwrap();
        assert!(tree.remove_folder(b"a").is_err());
        tree.remove(b"a/old").unwrap();
        assert!(matches!(tree.remove(b"a/old"), Err(StorageError::NotFound)));
    }

    #[test]
    fn a_folder_is_moved_whole() {
        let fixture = Fixture::new();
        fixture.put("tmp/data/part", "bytes");
        fixture.put("a/b", "");
        let tree = Tree::open(fixture.root()).unwrap();
        tree.rename(b"tmp/data", b"a/data").unwrap();
        assert_eq!(fixture.get("a/data/part"), "bytes");
        assert!(tree.modified(b"a/data").unwrap() > 0);
    }

    #[test]
    fn of_two_who_write_the_second_waits_in_vain() {
        let fixture = Fixture::new();
        fixture.put("a/b", "");
        let (one, other) = (
            Tree::open(fixture.root()).unwrap(),
            Tree::open(fixture.root()).unwrap(),
        );
        let lock = one.lock(b"a").unwrap();
        lock.sync().unwrap();
        let Err(StorageError::Other(text)) = other.lock(b"a") else {
            panic!("it was locked twice");
        };
        assert!(text.starts_with("another process"), "{text}");
        drop(lock);
        other.lock(b"a").unwrap();
    }

    #[test]
    fn nothing_is_written_outside() {
        let fixture = Fixture::new();
        fixture.put("inside/a", "x");
        fixture.put("other", "x");
        fixture.link("..", "inside/out");
        let tree = Tree::open(&fixture.root().join("inside")).unwrap();
        for outside in [&b"../other"[..], b"out/other", b"/etc/other"] {
            let refused = [
                tree.create(outside, b"", b"a"),
                tree.rename(b"a", outside),
                tree.rename(outside, b"a"),
                tree.remove(outside),
                tree.make_folder(outside, b""),
            ];
            assert!(
                refused
                    .iter()
                    .all(|done| matches!(done, Err(StorageError::Refused(_))))
            );
        }
        assert_eq!(fixture.get("other"), "x");
    }

    #[test]
    fn kernels_are_told_apart_by_their_releases() {
        for release in ["5.8.0", "5.10.0-21-amd64", "6.1", "6.18.0-rc1+"] {
            assert!(is_new_enough(release), "{release}");
        }
        for release in ["5.7.19", "4.18.0-513.el8.x86_64", "5", "", "x.y"] {
            assert!(!is_new_enough(release), "{release}");
        }
    }
}
