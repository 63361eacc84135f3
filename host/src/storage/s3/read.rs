//! Reading objects, and the versions that puts are conditional on.

use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{GetResult, ObjectStoreExt as _};

use super::Bucket;
use super::errors::failed;
use crate::contract::{SizeLimit, StorageError};
use crate::storage::{Stored, Version};

/// Between the two parts of a version. Entity tags are one line.
const BETWEEN: u8 = b'\n';

impl Bucket {
    /// # Errors
    /// `NotFound`, `TooLarge`, `Refused` if the store gives no entity tag to put against, `Other`.
    pub async fn read(&self, location: &Path) -> Result<Stored, StorageError> {
        let got = self.objects.get(location).await;
        let got = got.map_err(|error| failed(&error))?;
        let version = version(got.meta.e_tag.as_deref(), got.meta.version.as_deref());
        let version = version.ok_or_else(|| {
            StorageError::Refused("the store gives its objects no strong entity tags".into())
        })?;
        let bytes = self.collect(got).await?;
        Ok(Stored { bytes, version })
    }

    /// Takes in no more than an object may have, whatever the server says of its size.
    async fn collect(&self, got: GetResult) -> Result<Vec<u8>, StorageError> {
        let size = got.meta.size;
        self.fits(size)?;
        let mut parts = got.into_stream();
        let mut bytes = Vec::new();
        while let Some(part) = parts.try_next().await.map_err(|error| failed(&error))? {
            self.fits((bytes.len() + part.len()) as u64)?;
            bytes.extend_from_slice(&part);
        }
        if bytes.len() as u64 != size {
            let read = bytes.len();
            return Err(StorageError::Other(format!(
                "it says that the object has {size} bytes, and gave {read}"
            )));
        }
        Ok(bytes)
    }

    /// # Errors
    /// `TooLarge` if an object may not have this size.
    pub fn fits(&self, size: u64) -> Result<(), StorageError> {
        match size <= self.object_bytes {
            true => Ok(()),
            false => Err(StorageError::TooLarge(SizeLimit {
                asked: size,
                allowed: self.object_bytes,
            })),
        }
    }
}

/// A version: the entity tag, and where the bucket keeps versions the version's id. None without a
/// strong tag, since equal weak ones promise no equal bytes.
pub(super) fn version(tag: Option<&str>, id: Option<&str>) -> Option<Version> {
    let tag = tag.filter(|tag| is_strong(tag))?;
    let mut version = tag.as_bytes().to_vec();
    if let Some(id) = id {
        version.push(BETWEEN);
        version.extend_from_slice(id.as_bytes());
    }
    Some(version)
}

/// The entity tag of a version; none if this store has made no such version.
pub(super) fn tag(version: &[u8]) -> Option<&str> {
    let tag = version.split(|byte| *byte == BETWEEN).next()?;
    let tag = str::from_utf8(tag).ok()?;
    // A plugin hands it back, and `object_store` takes no text that a header cannot hold.
    let is_plain = tag.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (is_plain && is_strong(tag)).then_some(tag)
}

/// Whether a version stays when this new one takes its place. In a bucket that keeps versions each has an
/// id, or `null` while that is suspended; only of those without one the new takes the place of the old.
pub(super) fn stays(old: &[u8], new: &[u8]) -> bool {
    let has_id = |version: &[u8]| {
        let id = version.splitn(2, |byte| *byte == BETWEEN).nth(1);
        id.and_then(|id| str::from_utf8(id).ok())
            .is_some_and(is_kept)
    };
    has_id(old) || has_id(new)
}

/// Whether what has a version of this id stays when it is replaced or removed.
pub(super) fn is_kept(id: &str) -> bool {
    id != "null"
}

fn is_strong(tag: &str) -> bool {
    !tag.is_empty() && !tag.starts_with("W/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_gives_its_tag_back() {
        for id in [None, Some("some-id")] {
            let version = version(Some("\"abc\""), id).unwrap();
            assert_eq!(tag(&version), Some("\"abc\""));
        }
        assert_ne!(version(Some("a"), Some("1")), version(Some("a"), Some("2")));
    }

    #[test]
    fn a_version_with_an_id_stays() {
        let version = |id| version(Some("\"abc\""), id).unwrap();
        let [none, null, some] = [None, Some("null"), Some("some-id")].map(version);
        for (old, new, is_kept) in [
            (&none, &none, false),
            (&null, &null, false),
            (&none, &some, true),
            (&null, &some, true),
            (&some, &some, true),
            (&some, &null, true),
        ] {
            assert_eq!(stays(old, new), is_kept, "{old:?} {new:?}");
        }
    }

    #[test]
    fn what_is_no_strong_tag_makes_no_version() {
        for none in [None, Some(""), Some("W/\"abc\"")] {
            assert_eq!(version(none, Some("id")), None);
        }
        for version in [&b""[..], b"a\r", b"\xff", b"\x7f", b"W/\"abc\""] {
            assert_eq!(tag(version), None);
        }
    }
}
