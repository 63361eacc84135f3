//! What the directory store says when something fails.
//!
//! Each text says what was tried, on which path, and what the system answered. Paths are escaped,
//! since a file name can hold anything, a terminal's control sequences included.

use std::fmt::Write as _;
use std::io::{self, ErrorKind};

use crate::contract::StorageError;

/// A refusal.
pub(super) fn refused(text: impl Into<String>) -> StorageError {
    StorageError::Refused(text.into())
}

/// A failed system call: "not there" is told apart, the rest is text, for example
/// `cannot read config/x: Permission denied (os error 13)`.
pub(super) fn failed(action: &str, path: &[u8], error: &io::Error) -> StorageError {
    match error.kind() {
        ErrorKind::NotFound => StorageError::NotFound,
        _ => StorageError::Other(format!("cannot {action} {}: {error}", place(path))),
    }
}

/// A path for people: bytes that are not UTF-8 and characters that do not print are escaped.
pub(super) fn shown(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\'' => text.push(character),
                other => text.extend(other.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// [`shown`], with words for the root, whose path is empty.
fn place(path: &[u8]) -> String {
    if path.is_empty() {
        "the store's root".into()
    } else {
        shown(path)
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

    #[test]
    fn a_path_cannot_drive_a_terminal() {
        assert_eq!(shown(b"a\x1b[2J\n\xff\x00"), "a\\u{1b}[2J\\n\\xff\\0");
        // A right-to-left override would turn the rest of the line around.
        assert_eq!(shown("a\u{202e}b".as_bytes()), "a\\u{202e}b");
        assert_eq!(
            shown("uid=Zoë O'Neil, dc=x".as_bytes()),
            "uid=Zoë O'Neil, dc=x"
        );
    }
}
