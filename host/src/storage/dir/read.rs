//! Reading one object.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::thread::sleep;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::disk::{File, Folder, Kind};
use super::errors::{failed, refused, shown};
use super::stamp::Stamp;
use crate::contract::{SizeLimit, StorageError};
use crate::storage::Version;

/// The version of these bytes: their SHA-256.
///
/// A digest needs no clock, as a modification time does, and an object that was changed and
/// changed back is the same object again.
pub(super) fn version(bytes: &[u8]) -> Version {
    Sha256::digest(bytes).to_vec()
}

/// Opens a plain file. `path` is the object's whole path, for the texts.
///
/// # Errors
/// `NotFound`; `Refused` if it is anything but a plain file.
pub(super) fn open(
    folder: &Folder,
    name: &[u8],
    path: &[u8],
) -> Result<(File, Metadata), StorageError> {
    // Asked before it is opened, since opening a device can set it in motion.
    look(folder, name, path)?;
    let unreadable = |error| failed("read", path, &error);
    let file = folder.open(name).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    // Asked again of what was opened, since the name can have been given to something else.
    if !metadata.is_file() {
        return Err(refused(format!("{} is not a plain file", shown(path))));
    }
    Ok((file, metadata))
}

/// Looks whether a plain file stands there.
///
/// # Errors
/// As [`open`].
fn look(folder: &Folder, name: &[u8], path: &[u8]) -> Result<(), StorageError> {
    let seen = folder.kind(name);
    match seen.map_err(|error| failed("read", path, &error))? {
        Kind::File => Ok(()),
        Kind::Folder => Err(refused(format!("{} is a folder", shown(path)))),
        Kind::Other(what) => Err(refused(format!("{} is {what}", shown(path)))),
    }
}

/// What was read of a file, which is open still.
pub(super) struct Seen {
    pub bytes: Vec<u8>,
    pub stamp: Stamp,
    pub file: File,
}

/// How often a file is read that somebody writes to meanwhile, and how long it is left alone between:
/// whoever writes to a file in its place is done in an instant or does so all the time.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(10);

/// Reads a plain file of at most `limit` bytes, and sees that nobody wrote to it meanwhile.
///
/// # Errors
/// As [`open`]; `TooLarge`, before anything is read if the file says so itself; `Conflict` if it changes
/// whenever it is read.
pub(super) fn read(
    folder: &Folder,
    name: &[u8],
    path: &[u8],
    limit: u64,
) -> Result<Seen, StorageError> {
    for _ in 0..TRIES {
        if let Some(seen) = read_once(folder, name, path, limit)? {
            return Ok(seen);
        }
        sleep(PAUSE);
    }
    Err(StorageError::Conflict)
}

/// None: somebody wrote to it meanwhile.
fn read_once(
    folder: &Folder,
    name: &[u8],
    path: &[u8],
    limit: u64,
) -> Result<Option<Seen>, StorageError> {
    let unreadable = |error| failed("read", path, &error);
    let (file, before) = open(folder, name, path)?;
    check_size(before.len(), limit)?;
    // Not over the limit, so it fits into memory.
    let size = usize::try_from(before.len()).unwrap_or_default();
    // One byte more than is allowed, to see a file that grows while it is read.
    let read = || file.read(size, limit.saturating_add(1));
    let bytes = read().map_err(unreadable)?;
    check_size(bytes.len() as u64, limit)?;
    let after = file.metadata().map_err(unreadable)?;
    let stamp = Stamp::of(&after);
    let changed = |is: &Metadata| (is.ctime(), is.ctime_nsec());
    // A file that another one was renamed over meanwhile is what it was, but for its name.
    let is_untouched = changed(&after) == changed(&before) || after.nlink() < before.nlink();
    let is_same = stamp == Stamp::of(&before) && is_untouched;
    // Two writes at nearly the same time have the same time.
    if !is_same || (stamp.is_fresh() && read().map_err(unreadable)? != bytes) {
        return Ok(None);
    }
    Ok(Some(Seen { bytes, stamp, file }))
}

/// # Errors
/// `TooLarge`, if `asked` bytes are more than `allowed`.
pub(super) fn check_size(asked: u64, allowed: u64) -> Result<(), StorageError> {
    if asked > allowed {
        return Err(StorageError::TooLarge(SizeLimit { asked, allowed }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::io;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::UnixListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::super::faults::{Call, Faults};
    use super::super::testing::{Fixture, refusal, run};
    use super::*;
    use crate::storage::Storage as _;

    fn read_path(fixture: &Fixture, path: &[u8]) -> Result<Vec<u8>, StorageError> {
        run(fixture.store.read(path)).map(|stored| stored.bytes)
    }

    #[test]
    fn bytes_and_version_are_those_of_the_file() {
        let fixture = Fixture::new();
        fixture.put("config/iam/format.json", "abc");
        let stored = run(fixture.store.read(b"config/iam/format.json")).unwrap();
        assert_eq!(stored.bytes, b"abc");
        // The example of FIPS 180-4.
        assert_eq!(stored.version.get(..4).unwrap(), b"\xba\x78\x16\xbf");
        assert_eq!(stored.version.len(), 32);
    }

    #[test]
    fn an_empty_file_is_an_object_without_bytes() {
        let fixture = Fixture::new();
        fixture.put("a", "");
        assert_eq!(read_path(&fixture, b"a").unwrap(), b"");
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let fixture = Fixture::new();
        fixture.put("file", "x");
        for path in [&b"a"[..], b"a/b", b"file/b", b"file/b/c"] {
            let result = read_path(&fixture, path);
            assert!(matches!(result, Err(StorageError::NotFound)), "{path:?}");
        }
    }

    #[test]
    fn odd_names_are_read() {
        let fixture = Fixture::new();
        for name in [
            &b"policydb/users/uid=Zo\xc3\xab M,ou=people/sub,dc=example.json"[..],
            b"not-utf8-\xff\xfe/\xc3",
            b"new\nline/ tab\t",
            b"...",
            b"c:\\x",
        ] {
            fixture.put(OsStr::from_bytes(name), "odd");
            assert_eq!(read_path(&fixture, name).unwrap(), b"odd");
        }
    }

    #[test]
    fn a_part_that_is_too_long_is_the_systems_error() {
        let fixture = Fixture::new();
        let error = read_path(&fixture, &[b'a'; 256]).err().unwrap();
        assert!(
            matches!(&error, StorageError::Other(text) if text.contains("File name too long")),
            "{error:?}"
        );
    }

    #[test]
    fn no_link_is_followed() {
        let outside = Fixture::new();
        outside.put("secret", "outside");
        let fixture = Fixture::new();
        fixture.put("real/a", "inside");
        fixture.link("real/a", "to-file");
        fixture.link("real", "to-folder");
        fixture.link(outside.root(), "real/out");
        fixture.link("loop", "loop");
        fixture.link("nowhere", "dangling");

        for path in ["to-file", "loop", "dangling"] {
            assert_eq!(
                refusal(read_path(&fixture, path.as_bytes())),
                format!("{path} is a symbolic link")
            );
        }
        assert_eq!(
            refusal(read_path(&fixture, b"to-folder/a")),
            "`to-folder` in to-folder is a symbolic link"
        );
        assert_eq!(
            refusal(read_path(&fixture, b"real/out/secret")),
            "`out` in real/out is a symbolic link"
        );
    }

    #[test]
    fn nothing_climbs_out() {
        let fixture = Fixture::new();
        fixture.put("inner/a", "x");
        for path in [&b"../x"[..], b"inner/../inner/a", b"/etc/passwd", b""] {
            refusal(read_path(&fixture, path));
        }
    }

    #[test]
    fn what_is_no_plain_file_is_refused_by_its_name() {
        let fixture = Fixture::new();
        fixture.put("folder/a", "x");
        let pipe = fixture.root().join("pipe");
        mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        let _socket = UnixListener::bind(fixture.root().join("socket")).unwrap();

        assert_eq!(
            refusal(read_path(&fixture, b"folder")),
            "folder is a folder"
        );
        assert_eq!(
            refusal(read_path(&fixture, b"pipe")),
            "pipe is a named pipe"
        );
        assert_eq!(
            refusal(read_path(&fixture, b"socket")),
            "socket is a socket"
        );
        let dev = super::super::DirStore::open("/dev".as_ref()).unwrap();
        assert_eq!(refusal(run(dev.read(b"null"))), "null is a device");
    }

    /// Somebody who writes in place before each look at what was opened, or before so many.
    struct Writer {
        object: std::path::PathBuf,
        times: usize,
        looks: AtomicUsize,
    }

    impl Faults for Writer {
        fn before(&self, call: Call<'_>) -> io::Result<()> {
            if let Call::Read = call
                && self.looks.fetch_add(1, SeqCst) < self.times
            {
                // As long as before.
                fs::write(
                    &self.object,
                    format!("new {}", self.looks.load(SeqCst) % 10),
                )
                .unwrap();
            }
            Ok(())
        }
    }

    fn read_while_written(times: usize) -> Result<Vec<u8>, StorageError> {
        let fixture = Fixture::new();
        fixture.put("a", "old 0");
        let writer = Writer {
            object: fixture.root().join("a"),
            times,
            looks: AtomicUsize::new(0),
        };
        let store = super::super::DirStore::open_with_faults(fixture.root(), Arc::new(writer));
        run(store.unwrap().read(b"a")).map(|stored| stored.bytes)
    }

    #[test]
    fn a_file_that_is_written_to_meanwhile_is_read_again() {
        assert_eq!(read_while_written(1).unwrap(), b"new 1");
        assert_eq!(read_while_written(2).unwrap(), b"new 2");
        let result = read_while_written(usize::MAX);
        assert!(matches!(result, Err(StorageError::Conflict)));
    }

    #[test]
    fn a_file_over_the_limit_is_refused_with_both_sizes() {
        let mut fixture = Fixture::new();
        fixture.put("a", "12345");
        fixture.store = fixture.store.clone().object_bytes(5);
        assert_eq!(read_path(&fixture, b"a").unwrap(), b"12345");
        // Told by the file, and not by reading one byte too many.
        fixture.store = fixture.store.clone().object_bytes(2);
        let error = read_path(&fixture, b"a").err().unwrap();
        assert!(
            matches!(
                error,
                StorageError::TooLarge(SizeLimit {
                    asked: 5,
                    allowed: 2
                })
            ),
            "{error:?}"
        );
    }

    #[test]
    fn a_file_that_does_not_tell_its_size_is_bounded_too() {
        // Files of procfs say that they have no bytes, which is how a growing file looks.
        let store = super::super::DirStore::open("/proc/self".as_ref()).unwrap();
        let error = run(store.object_bytes(10).read(b"status")).err().unwrap();
        assert!(
            matches!(
                error,
                StorageError::TooLarge(SizeLimit {
                    asked: 11,
                    allowed: 10
                })
            ),
            "{error:?}"
        );
    }
}
