//! Paths in the texts of the directory store.
//!
//! `guest/adapters` is built from this file too, so it gets along without a standard library.

use alloc::string::String;

use crate::contract::StorageError;
pub(super) use crate::shown::shown;

/// A refusal.
pub(super) fn refused(text: impl Into<String>) -> StorageError {
    StorageError::Refused(text.into())
}

/// [`shown`], with words for the root, whose path is empty.
pub(super) fn place(path: &[u8]) -> String {
    if path.is_empty() {
        "the store's root".into()
    } else {
        shown(path)
    }
}
