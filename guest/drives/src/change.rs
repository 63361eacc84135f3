//! What can be done to an object on drives.

/// A change of one object.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// It is made, only if there is none.
    Create(Creation<'a>),
    /// It gets other bytes, only while it is the version that was read.
    Replace(Replacement<'a>),
    /// It goes, only while it is the version that was read.
    Remove(Removal<'a>),
}

/// A new object.
#[derive(Clone, Copy, Debug)]
pub struct Creation<'a> {
    /// The object's path, at which nothing may be.
    pub path: &'a [u8],
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// New bytes for an object.
#[derive(Clone, Copy, Debug)]
pub struct Replacement<'a> {
    /// The object's path.
    pub path: &'a [u8],
    /// The [`crate::version`] that was read: the replacement is for this one alone.
    pub expected: &'a [u8],
    /// The new bytes.
    pub bytes: &'a [u8],
}

/// An object that is to go.
#[derive(Clone, Copy, Debug)]
pub struct Removal<'a> {
    /// The object's path.
    pub path: &'a [u8],
    /// The [`crate::version`] that was read: this one alone is removed.
    pub expected: &'a [u8],
}

impl<'a> From<Replacement<'a>> for Change<'a> {
    fn from(new: Replacement<'a>) -> Self {
        Self::Replace(new)
    }
}
