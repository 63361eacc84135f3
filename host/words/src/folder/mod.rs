//! The rules of a folder that is a store, whichever system it is in: its paths, its drafts' names, and the
//! order in which it is listed.

pub mod path;
mod walk;

pub use walk::{Folders, Kind, PAGE, Walk, Wanted, why_unread};

use crate::contract::StorageError;
use crate::shown::shown;

/// A refusal.
pub fn refused(text: impl Into<String>) -> StorageError {
    StorageError::Refused(text.into())
}

/// [`shown`], with words for the root, whose path is empty.
pub fn place(path: &[u8]) -> String {
    if path.is_empty() {
        "the store's root".into()
    } else {
        shown(path)
    }
}
