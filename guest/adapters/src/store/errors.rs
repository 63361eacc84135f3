//! What the store says when the system fails it.

use alloc::format;

use super::shown::place;
pub(super) use super::shown::{refused, shown};
use crate::bindings::wasi::filesystem::types::ErrorCode;
use crate::contract::StorageError;
use crate::failure::words;

/// A failed call: "not there" is told apart, and so is a name that WASI does not have.
pub(super) fn failed(action: &str, path: &[u8], error: &ErrorCode) -> StorageError {
    match error {
        ErrorCode::NoEntry => StorageError::NotFound,
        ErrorCode::IllegalByteSequence => refused(format!(
            "{} is not UTF-8 text, and WASI has no other names; use the native tool",
            place(path)
        )),
        error => StorageError::Other(format!(
            "cannot {action} {}: {}",
            place(path),
            words(*error)
        )),
    }
}
