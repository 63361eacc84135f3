//! Where an object stands: the store's name and the path, cleaned as MinIO cleans it.

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::error::{Error, Result};

/// A store and a path that a form can bind an object to.
#[derive(Clone)]
pub struct Location<'a> {
    /// The host's name for the store. Any text.
    pub store: &'a str,
    /// The path as it was given.
    pub(crate) given: &'a [u8],
    /// The cleaned path: not empty, no leading `/`, no part that is empty, `.` or `..`.
    pub(crate) path: Vec<u8>,
}

impl<'a> Location<'a> {
    /// Cleans `path`.
    ///
    /// # Errors
    /// [`Error::Refused`] if nothing is left of the path, or if it climbs out of the store.
    pub fn new(store: &'a str, path: &'a [u8]) -> Result<Self> {
        let cleaned = clean(path)
            .ok_or_else(|| Error::Refused("the path climbs out of the store".to_string()))?;
        if cleaned.is_empty() {
            return Err(Error::Refused("the path is empty".to_string()));
        }
        Ok(Self {
            store,
            given: path,
            path: cleaned,
        })
    }

    /// Why MinIO reads the object at this path without its IAM encryption, if it does
    /// (docs/formats/minio.md section 5): sealing such a file would stop the subsystem that reads it.
    pub fn exempt(&self) -> Option<&'static str> {
        if self.path == b"config/tier-config.bin" {
            Some("MinIO encrypts it as an S3 object, not as configuration")
        } else if self.path.starts_with(b"config/site-replication/") {
            Some("MinIO never encrypts it and does not decrypt it")
        } else {
            None
        }
    }

    /// Why RustFS has no use for the object at this path, if it has none (docs/formats/minio.md section 12): its
    /// configuration is its own.
    pub fn exempt_for_rustfs(&self) -> Option<&'static str> {
        match self.path.starts_with(b"config/iam/") {
            true => None,
            false => Some("RustFS reads only what is below config/iam/"),
        }
    }
}

/// Resolves `//`, `.` and `..` and drops slashes at both ends. None if the path climbs above
/// its own beginning: joined with `.minio.sys` it would leave it.
fn clean(path: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_minio_cleans_them() {
        for (given, cleaned) in [
            (
                &b"config//iam/./users/x/../y/identity.json"[..],
                &b"config/iam/users/y/identity.json"[..],
            ),
            (b"/config/config.json", b"config/config.json"),
            (b"config/iam/", b"config/iam"),
            (b"a/..b/...", b"a/..b/..."),
            (b"gr\xff\xfe/x", b"gr\xff\xfe/x"),
        ] {
            assert_eq!(Location::new("", given).unwrap().path, cleaned);
        }
    }

    #[test]
    fn paths_that_name_nothing_or_climb_are_refused() {
        for path in [
            &b""[..],
            b"/",
            b".",
            b"a/..",
            b"..",
            b"../x",
            b"a/../../x",
            b"a/../../a",
        ] {
            assert!(
                matches!(Location::new("", path), Err(Error::Refused(_))),
                "{path:?}"
            );
        }
    }
}
