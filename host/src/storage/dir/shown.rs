//! Paths in the texts of the directory store. They are escaped, since a file name can hold anything, a
//! terminal's control sequences included.
//!
//! `guest/adapters` is built from this file too, so it gets along without a standard library.

use alloc::string::String;
use core::fmt::Write as _;

use crate::contract::StorageError;

/// A refusal.
pub(super) fn refused(text: impl Into<String>) -> StorageError {
    StorageError::Refused(text.into())
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
pub(super) fn place(path: &[u8]) -> String {
    if path.is_empty() {
        "the store's root".into()
    } else {
        shown(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
