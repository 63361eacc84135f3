//! What can be done to an object.

use super::{Rights, Version};

/// A change of one object.
pub enum Change {
    /// It is made, only if there is none.
    Create(Creation),
    /// It gets other bytes, only while it is the version that was read.
    Replace(Replacement),
    /// It goes, only while it is the version that was read.
    Remove(Removal),
}

/// A new object.
pub struct Creation {
    /// The object's path, at which nothing may be.
    pub path: Vec<u8>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What [`super::StorageWriter::rights`] told of the object that this one brings back. None: it gets
    /// those of the objects beside it.
    pub rights: Option<Rights>,
}

/// New bytes for one object.
pub struct Replacement {
    /// The object's path.
    pub path: Vec<u8>,
    /// The version that was read: the replacement is for this one alone.
    pub expected: Version,
    /// The new bytes.
    pub bytes: Vec<u8>,
}

/// An object that is to go.
pub struct Removal {
    /// The object's path.
    pub path: Vec<u8>,
    /// The version that was read: this one alone is removed.
    pub expected: Version,
}

impl Change {
    /// Puts bytes there: in the place of this version alone, or only if there is no object.
    pub fn put(path: Vec<u8>, over: Option<Version>, bytes: Vec<u8>) -> Self {
        match over {
            Some(expected) => Self::Replace(Replacement {
                path,
                expected,
                bytes,
            }),
            None => Self::Create(Creation {
                path,
                bytes,
                rights: None,
            }),
        }
    }

    /// The path of its object.
    pub fn path(&self) -> &[u8] {
        match self {
            Self::Create(Creation { path, .. })
            | Self::Replace(Replacement { path, .. })
            | Self::Remove(Removal { path, .. }) => path,
        }
    }

    /// The object's new bytes; none if it is to go.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Create(Creation { bytes, .. }) | Self::Replace(Replacement { bytes, .. }) => {
                Some(bytes)
            }
            Self::Remove(_) => None,
        }
    }
}

impl From<Creation> for Change {
    fn from(creation: Creation) -> Self {
        Self::Create(creation)
    }
}

impl From<Replacement> for Change {
    fn from(replacement: Replacement) -> Self {
        Self::Replace(replacement)
    }
}

impl From<Removal> for Change {
    fn from(removal: Removal) -> Self {
        Self::Remove(removal)
    }
}

/// What is said of the draft of a removal that is asked for its bytes.
pub(crate) const NO_BYTES: &str = "a removal has no bytes to read back";
