//! What the directory store says when the system fails it: what was tried, on which path, and what the
//! system answered.

use std::io::{self, ErrorKind};

pub(super) use iamseal_words::folder::{place, refused};
pub(super) use iamseal_words::shown::shown;

use crate::contract::StorageError;

/// A failed system call: "not there" is told apart, the rest is text, for example
/// `cannot read config/x: Permission denied (os error 13)`.
pub(super) fn failed(action: &str, path: &[u8], error: &io::Error) -> StorageError {
    match error.kind() {
        ErrorKind::NotFound => StorageError::NotFound,
        _ => StorageError::Other(format!("cannot {action} {}: {error}", place(path))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(code: i32, path: &[u8]) -> String {
        match failed("write", path, &io::Error::from_raw_os_error(code)) {
            StorageError::Other(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_systems_words_are_kept() {
        // 28, 30, 13 and 24 are ENOSPC, EROFS, EACCES and EMFILE.
        assert_eq!(
            text(28, b"config/x"),
            "cannot write config/x: No space left on device (os error 28)"
        );
        assert_eq!(
            text(30, b"config/x"),
            "cannot write config/x: Read-only file system (os error 30)"
        );
        assert_eq!(
            text(13, b""),
            "cannot write the store's root: Permission denied (os error 13)"
        );
        assert_eq!(
            text(24, b"a"),
            "cannot write a: Too many open files (os error 24)"
        );
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let error = io::Error::from(ErrorKind::NotFound);
        assert!(matches!(
            failed("read", b"a", &error),
            StorageError::NotFound
        ));
    }
}
