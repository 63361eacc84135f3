//! What the store says when the system fails it.

use iamseal_words::contract::StorageError;
use iamseal_words::folder::place;
use wasip2::filesystem::types::ErrorCode;

use super::words;
pub use iamseal_words::folder::refused;
pub use iamseal_words::shown::shown;

/// A failed call: "not there" is told apart, and so is a name that WASI does not have.
pub fn failed(action: &str, path: &[u8], error: &ErrorCode) -> StorageError {
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
