//! How a file is known again, without a look at its bytes.
//!
//! A stamp says nothing of what is in a file to somebody who may only list its folder, as a digest of
//! plaintext would.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

/// One file with what was last written to it. It outlives a rename and a change of rights, but not a
/// write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub inode: u64,
    pub size: u64,
    /// Seconds and nanoseconds of the last write.
    pub modified: (i64, i64),
}

/// How long after a write another one may leave the same time: some file systems (ext3, FAT) keep
/// times by the second or by two.
const COARSE: Duration = Duration::from_secs(2);

impl Stamp {
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    /// For a file's name: 64 bits, which no two files of a folder share by chance.
    pub fn tag(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(self.inode.to_le_bytes());
        digest.update(self.size.to_le_bytes());
        digest.update(self.modified.0.to_le_bytes());
        digest.update(self.modified.1.to_le_bytes());
        hex(&digest.finalize(), 8)
    }

    /// Whether a write that came now could leave the same stamp.
    pub fn is_fresh(&self) -> bool {
        is_recent(self.modified.0)
    }
}

/// Whether a write that came now could leave this time, in seconds.
pub(super) fn is_recent(second: i64) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    // A time to come tells that the clocks differ, and nothing else.
    i64::try_from(now.saturating_sub(COARSE.as_secs())).is_ok_and(|old| second >= old)
}

/// A time that no write by anybody else will have: now, with nanoseconds at random.
///
/// # Errors
/// The system has no random numbers.
pub(super) fn unlike_others() -> Result<SystemTime, getrandom::Error> {
    let nanoseconds = getrandom::u32()? % 1_000_000_000;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A second back, so that it is not in the future.
    let second = now.unwrap_or_default().as_secs().saturating_sub(1);
    Ok(SystemTime::UNIX_EPOCH + Duration::new(second, nanoseconds))
}

/// The first so many bytes in lower case.
pub(super) fn hex(bytes: &[u8], count: usize) -> String {
    let bytes = bytes.iter().take(count);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::super::disk::Folder;
    use super::super::faults::Watch;
    use super::*;

    #[test]
    fn a_stamp_outlives_a_rename_and_no_write() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::root(dir.path(), Watch::default()).unwrap();
        let (one, other) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&one, "12345").unwrap();
        let file = File::options().write(true).open(&one).unwrap();
        file.set_modified(unlike_others().unwrap()).unwrap();
        let before = folder.stamp(b"a").unwrap();
        fs::rename(&one, &other).unwrap();
        let after = folder.stamp(b"b").unwrap();
        assert!(before == after);
        assert_eq!(before.tag(), after.tag());
        assert_eq!(before.tag().len(), 16);
        // As long as before, and at once.
        fs::write(&other, "54321").unwrap();
        assert!(folder.stamp(b"b").unwrap() != before);
        assert_ne!(folder.stamp(b"b").unwrap().tag(), before.tag());
    }

    #[test]
    fn what_was_written_just_now_is_fresh() {
        let mut stamp = Stamp {
            inode: 1,
            size: 1,
            modified: (0, 0),
        };
        assert!(!stamp.is_fresh());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        stamp.modified.0 = now.unwrap().as_secs() as i64;
        assert!(stamp.is_fresh());
        stamp.modified.0 += 100;
        assert!(stamp.is_fresh());
        stamp.modified.0 -= 103;
        assert!(!stamp.is_fresh());
    }
}
