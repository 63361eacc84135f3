//! Objects' paths and the bucket's keys: the same bytes, behind the store's prefix.

use object_store::path::Path;

use crate::contract::StorageError;
use crate::describe::name;

/// The longest key in bytes, S3's own. It also keeps every request line within what servers and the
/// crate `http` take.
const LONGEST: usize = 1024;

/// What a listing writes for a character that XML cannot hold, so that what is behind it is not known.
const UNSHOWN: char = char::REPLACEMENT_CHARACTER;

/// The folder of drafts.
pub(super) const DRAFTS: &str = "iamseal-draft/";
/// 64 random bits: two drafts never meet by chance.
const DRAFT_DIGITS: usize = 16;

/// Where in the bucket the store is.
#[derive(Clone)]
pub(super) struct Place {
    /// Empty, or with a `/` at its end.
    prefix: String,
}

impl Place {
    /// # Errors
    /// `Refused` if there can be no such prefix.
    pub fn new(prefix: &str) -> Result<Self, StorageError> {
        let prefix = prefix.trim_end_matches('/');
        if prefix.is_empty() {
            let prefix = String::new();
            return Ok(Self { prefix });
        }
        location(prefix)?;
        Ok(Self {
            prefix: format!("{prefix}/"),
        })
    }

    /// Where an object is.
    ///
    /// # Errors
    /// `Refused` if no request can name this very key.
    pub fn location(&self, path: &[u8]) -> Result<Path, StorageError> {
        location(&self.key(path)?)
    }

    /// The key of a path, or of its beginning.
    pub fn key(&self, path: &[u8]) -> Result<String, StorageError> {
        let path = str::from_utf8(path)
            .map_err(|_| refused("the path is not UTF-8, as the keys of a bucket are"))?;
        Ok(format!("{}{path}", self.prefix))
    }

    /// The path of a key; none if it is not below the prefix.
    pub fn path<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_prefix(&self.prefix)
    }

    /// Where the draft of a random number is.
    pub fn draft(&self, number: u64) -> Path {
        Path::from(format!("{}{DRAFTS}{number:0DRAFT_DIGITS$x}", self.prefix))
    }

    /// Whether [`Self::draft`] could have made this key.
    pub fn is_draft(&self, key: &str) -> bool {
        let digits = self.path(key).and_then(|path| path.strip_prefix(DRAFTS));
        digits.is_some_and(|digits| {
            let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            digits.len() == DRAFT_DIGITS && digits.bytes().all(is_digit)
        })
    }
}

/// A key as requests name it.
///
/// # Errors
/// `Refused` if they cannot.
pub(super) fn location(key: &str) -> Result<Path, StorageError> {
    if key.len() > LONGEST {
        return Err(refused(format!(
            "its key has {} bytes; the longest has {LONGEST}",
            key.len()
        )));
    }
    if key.contains(UNSHOWN) {
        return Err(refused(format!(
            "{} has a character in it that listings cannot show",
            name(key)
        )));
    }
    // Parsing removes a `/` at either end, which would make it another key.
    match Path::parse(key) {
        Ok(location) if location.as_ref() == key && !key.is_empty() => Ok(location),
        _ => Err(refused(format!(
            "no request can name the key {}: it has an empty part, the part `.` or `..`, or a \
             control character",
            name(key)
        ))),
    }
}

/// The longest beginning of a key that a request can name, for a listing to start after: whatever begins
/// with more than that comes later.
pub(super) fn before(key: &str) -> Option<Path> {
    let mut end = key.len().min(LONGEST);
    loop {
        end = key.floor_char_boundary(end);
        let begin = key.get(..end).filter(|begin| !begin.is_empty())?;
        match location(begin) {
            Ok(location) => return Some(location),
            Err(_) => end -= 1,
        }
    }
}

pub(super) fn refused(why: impl Into<String>) -> StorageError {
    StorageError::Refused(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place::new("a/b/").unwrap()
    }

    #[test]
    fn a_location_is_the_very_key() {
        for path in [
            "config/x",
            "config/uid=bob smith,ou=people",
            "config/cn=a\\,b \"c\" <d>&e",
            "config/grün 日本語😀/%2E%2F~#?*",
            "config/.hidden/...",
            " config/ ",
        ] {
            let location = place().location(path.as_bytes()).unwrap();
            assert_eq!(location.as_ref(), format!("a/b/{path}"));
            assert_eq!(place().path(location.as_ref()), Some(path));
        }
    }

    #[test]
    fn what_no_request_can_name_is_refused() {
        for path in [
            &b"config//x"[..],
            b"config/x/",
            b"/config/x",
            b"config/./x",
            b"config/../x",
            b"config/a\nb",
            b"config/a\x7f",
            b"config/\xff",
            b"",
            "config/\u{fffd}".as_bytes(),
            &[b'a'; LONGEST],
        ] {
            let refused = place().location(path);
            assert!(matches!(refused, Err(StorageError::Refused(_))));
        }
        assert!(Place::new("").unwrap().location(b"").is_err());
        for prefix in ["/a", "a//b", "..", "a/\n"] {
            assert!(Place::new(prefix).is_err(), "{prefix:?}");
        }
    }

    #[test]
    fn a_listing_starts_after_a_beginning_that_can_be_named() {
        let before = |key: &str| before(key).map(String::from);
        assert_eq!(before("a/b"), Some("a/b".into()));
        assert_eq!(before("a//b"), Some("a".into()));
        assert_eq!(before("a/\u{1}"), Some("a".into()));
        assert_eq!(before("/a"), None);
        assert_eq!(before(""), None);
        let long = "é".repeat(LONGEST);
        assert_eq!(before(&long), Some("é".repeat(LONGEST / 2)));
    }

    #[test]
    fn drafts_are_known_again() {
        let draft = place().draft(0x0123_4567_89ab_cdef);
        assert_eq!(draft.as_ref(), "a/b/iamseal-draft/0123456789abcdef");
        assert!(place().is_draft(draft.as_ref()));
        for other in [
            "a/b/iamseal-draft/0123456789abcde",
            "a/b/iamseal-draft/0123456789abcdeF",
            "a/b/iamseal-draft",
            "a/b/c/iamseal-draft/0123456789abcdef",
            "iamseal-draft/0123456789abcdef",
        ] {
            assert!(!place().is_draft(other), "{other}");
        }
    }
}
