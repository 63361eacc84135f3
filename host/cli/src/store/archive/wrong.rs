//! Why an archive is no store.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::PathBuf;

use crate::cause::Cause;
use crate::failure::Failure;
use crate::typed::quoted;

use super::place::{BYTES, FILES, said};

/// Why an archive is no store.
#[derive(Debug)]
pub enum Wrong {
    /// It is to be written to.
    Written,
    /// It is packed in a way that is not read here.
    OtherPacking(&'static str),
    /// It is encrypted by this.
    Encrypted(&'static str),
    /// It is not as an archive is.
    Malformed(String),
    /// A name in it leads out of it.
    LeadsOut(String),
    /// It has a link, a device or a sparse file where a store has files.
    NoFile(String),
    /// It has two things of one name.
    Twice(String),
    /// Something is behind its end.
    AfterEnd,
    /// It is more than is unpacked.
    Large,
    /// Something lies deeper than is looked.
    Deep(String),
    /// It holds no store.
    NoStore,
    /// It holds several that do not belong together.
    SeveralStores(String),
    /// It holds a drive that does not say whose it is.
    NoFormat(String),
    /// The system failed.
    System(io::Error),
    /// What was unpacked cannot be removed.
    Left { folder: PathBuf, why: io::Error },
    /// The process is about to end, of which somebody else tells.
    Ended,
}

impl Display for Wrong {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written => f.write_str("it is an archive, which is only read"),
            Self::OtherPacking(how) => {
                write!(f, "it is packed with {how}, which is not read here")
            }
            Self::Encrypted(by) => write!(f, "it is encrypted by {by}"),
            Self::Malformed(why) => write!(f, "the archive is damaged: {why}"),
            Self::LeadsOut(name) => write!(f, "a name in the archive leads out of it: {name}"),
            Self::NoFile(name) => write!(
                f,
                "the archive has a link, a device or a sparse file where a store has files: {name}"
            ),
            Self::Twice(name) => write!(
                f,
                "the archive has more than one entry of this name, and they differ: {name}"
            ),
            Self::AfterEnd => {
                f.write_str("something is behind the end of the archive, and would not be read")
            }
            Self::Deep(name) => write!(f, "something in the archive lies too deep: {name}"),
            Self::Large => write!(
                f,
                "it unpacks to more than {} GiB or {FILES} files and folders",
                BYTES >> 30
            ),
            Self::NoStore => f.write_str("the archive holds neither a drive nor config/"),
            Self::SeveralStores(which) => write!(f, "the archive holds several stores: {which}"),
            Self::NoFormat(name) => write!(
                f,
                "a drive in the archive has no format.json, which says of which server it is: {name}"
            ),
            Self::Left { folder, why } => write!(
                f,
                "what the archive held is left in {}, plaintext included: it cannot be removed: {why}",
                said(folder)
            ),
            Self::System(error) => write!(f, "it cannot be unpacked: {error}"),
            Self::Ended => f.write_str("it was not unpacked to its end"),
        }
    }
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::Malformed(error.to_string())
            }
            io::ErrorKind::UnexpectedEof => Self::Malformed("it is cut short".into()),
            _ => Self::System(error),
        }
    }
}

impl From<Wrong> for Failure {
    fn from(wrong: Wrong) -> Self {
        let (cause, cure) = match &wrong {
            Wrong::Left { folder, .. } => {
                let cure = format!(
                    "see what is in the way; rm -rf {}",
                    quoted(folder.as_os_str())
                );
                return Self::new(Cause::Storage, wrong).with_cure(cure);
            }
            Wrong::Written => (
                Cause::Usage,
                "unpack it (tar -xf FILE, unzip FILE) and give the folders that were in it",
            ),
            Wrong::OtherPacking(_) => (
                Cause::Usage,
                "unpack it and give the folders that were in it, or pack them as tar, tar.gz or zip",
            ),
            Wrong::Encrypted(_) => (
                Cause::Usage,
                "decrypt it first; or give the folders of the drives, or an archive of .minio.sys of each",
            ),
            Wrong::Malformed(_) => (Cause::Storage, "make it again, or take another backup"),
            Wrong::LeadsOut(_) | Wrong::NoFile(_) => (
                Cause::Refused,
                "look at what made it; unpack it yourself and give the folders that were in it",
            ),
            Wrong::Twice(_) => (
                Cause::Storage,
                "see which one is meant (tar -tvf FILE, unzip -lv FILE); unpack it yourself and give the folders \
                 that were in it",
            ),
            Wrong::AfterEnd => (
                Cause::Storage,
                "if another archive was put behind it, make a file of each and give one of them; else make it again",
            ),
            Wrong::Deep(_) => (
                Cause::Limit,
                "unpack it and give the folders that were in it, or pack them from nearer above: \
                 tar -C FOLDER -cf FILE .",
            ),
            Wrong::Large => (
                Cause::Limit,
                "pack .minio.sys of each drive alone; or unpack it and give the folders that were in it",
            ),
            Wrong::NoStore => (
                Cause::Usage,
                "pack the folders of the drives, or .minio.sys of each, or the folder that holds config/",
            ),
            Wrong::SeveralStores(_) => (
                Cause::Usage,
                "unpack it (tar -xf FILE, unzip FILE) and give one of them",
            ),
            Wrong::NoFormat(_) => (
                Cause::Usage,
                "unpack it (tar -xf FILE, unzip FILE) and give that folder to audit, which says what it takes; or \
                 pack the other drives alone",
            ),
            Wrong::System(_) => (
                Cause::Storage,
                "see that this user may read it; where room is short, set TMPDIR to a folder with more",
            ),
            Wrong::Ended => (Cause::Interrupted, "run it again"),
        };
        Self::new(cause, wrong).with_cure(cure)
    }
}
