//! Why an archive is no store.

use std::fmt::{self, Display, Formatter};
use std::io;

use crate::cause::Cause;
use crate::failure::Failure;

use super::place::{BYTES, FILES};

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
    /// It is more than is unpacked.
    Large,
    /// It holds no store.
    NoStore,
    /// It holds several that do not belong together.
    SeveralStores(String),
    /// The system failed.
    System(io::Error),
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
            Self::Large => write!(
                f,
                "it unpacks to more than {} GiB or {FILES} files and folders",
                BYTES >> 30
            ),
            Self::NoStore => f.write_str("the archive holds neither a drive nor config/"),
            Self::SeveralStores(which) => write!(f, "the archive holds several stores: {which}"),
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
        let (cause, cure) = match wrong {
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
            Wrong::System(_) => (
                Cause::Storage,
                "see that this user may read it; where room is short, set TMPDIR to a folder with more",
            ),
            Wrong::Ended => (Cause::Interrupted, "run it again"),
        };
        Self::new(cause, wrong).with_cure(cure)
    }
}
