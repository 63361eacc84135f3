//! What each drive of a set has of an object.

use alloc::string::String;
use alloc::vec::Vec;

use crate::files::{self, Drive, FileError, Files, below};
use crate::layout::Layout;
use crate::meta::{Fault, META_BYTES, Meta, Version};
use crate::quorum::Seen;

const META: &[u8] = b"xl.meta";

/// What was found where a drive has the `xl.meta` of an object.
pub enum Copy {
    /// There is no such drive, or it is not to be counted.
    NoDrive,
    /// Nothing is there.
    Nothing(Drive),
    /// It could not be read, for this reason.
    Unreadable(Drive, String),
    /// A file.
    File(Drive, Vec<u8>),
}

impl Copy {
    /// Looks at the drives of a set, in order.
    pub fn of(
        files: &impl Files,
        layout: &Layout,
        set: &[Option<Drive>],
        path: &[u8],
    ) -> Vec<Self> {
        let look = |drive: &Option<Drive>| {
            let Some(drive) = *drive else {
                return Self::NoDrive;
            };
            let file = below(&layout.path(drive, path), META);
            match files::whole(files, drive, &file, META_BYTES) {
                Ok(bytes) => Self::File(drive, bytes),
                Err(FileError::NotFound) => Self::Nothing(drive),
                Err(FileError::Failed(why)) => Self::Unreadable(drive, why),
            }
        };
        set.iter().map(look).collect()
    }

    /// The drive.
    pub fn drive(&self) -> Option<Drive> {
        match self {
            Self::NoDrive => None,
            Self::Nothing(drive) | Self::Unreadable(drive, _) | Self::File(drive, _) => {
                Some(*drive)
            }
        }
    }

    /// Reads the file, if it is one.
    pub fn parse(&self) -> Option<Result<Meta<'_>, Fault>> {
        match self {
            Self::File(_, bytes) => Some(Meta::parse(bytes)),
            _ => None,
        }
    }

    /// The same for counting, where this is what reading the file gave.
    pub fn seen(&self, parsed: Option<&Result<Meta<'_>, Fault>>) -> Seen {
        match (self, parsed) {
            (Self::NoDrive, _) => Seen::Unknown,
            (Self::Nothing(_), _) => Seen::Nothing,
            (_, Some(Ok(meta))) => match &meta.newest {
                Version::Object(object, header) => Seen::Version(header.agreed, object.shared),
                Version::Deleted(mod_time) => Seen::Deleted(*mod_time),
            },
            _ => Seen::Useless,
        }
    }
}
