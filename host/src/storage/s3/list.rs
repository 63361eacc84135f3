//! Listing: the objects below a prefix in the order of their keys, a page at a time.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{BoxStream, ReadyChunks, StreamExt as _};
use object_store::ObjectMeta;

use super::errors::failed;
use super::place::{before, location};
use super::read::version;
use super::{Bucket, listing};
use crate::awake::{Late, Moment, timeout_at};
use crate::contract::StorageError;
use crate::storage::{Cursor, Mark};

/// Paths in one page, as in the other stores. S3 answers with 1000 at a time.
const PAGE: usize = 256;

/// What a listing is after.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything but drafts.
    Objects,
    /// Drafts alone.
    Drafts,
}

/// A listing of a bucket.
pub(super) struct Listing {
    bucket: Arc<Bucket>,
    wanted: Wanted,
    /// What all keys begin with that the server is asked for.
    folder: String,
    /// Only keys that begin with this and come after that.
    prefix: String,
    after: Vec<u8>,
    /// The last key that the server listed.
    last: Option<String>,
    objects: ReadyChunks<BoxStream<'static, object_store::Result<ObjectMeta>>>,
    is_at_end: bool,
    /// Why it ends, if that came in the middle of a page.
    failure: Option<StorageError>,
}

impl Listing {
    /// Begins a listing; nothing is asked for yet.
    ///
    /// # Errors
    /// `Refused` if the prefix can begin no object's path here.
    pub fn begin(
        bucket: &Arc<Bucket>,
        wanted: Wanted,
        prefix: &[u8],
        after: &[u8],
    ) -> Result<Self, StorageError> {
        let prefix = bucket.place.key(prefix)?;
        // Requests list whole folders.
        let folder = match prefix.rsplit_once('/') {
            Some((folder, _)) => Some(location(folder)?),
            None => None,
        };
        let after = [bucket.place.key(b"")?.as_bytes(), after].concat();
        // Keys are UTF-8, and so is what a request can start after.
        let valid = after.utf8_chunks().next().map_or("", |first| first.valid());
        let objects = match before(valid) {
            Some(after) => bucket.objects.list_with_offset(folder.as_ref(), &after),
            None => bucket.objects.list(folder.as_ref()),
        };
        Ok(Self {
            bucket: Arc::clone(bucket),
            wanted,
            folder: folder.map_or_else(String::new, |folder| format!("{folder}/")),
            prefix,
            after,
            last: None,
            objects: objects.ready_chunks(PAGE),
            is_at_end: false,
            failure: None,
        })
    }

    /// The next objects with their marks; empty at the end.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub async fn marked(&mut self) -> Result<Vec<(Vec<u8>, Mark)>, StorageError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let time = self.bucket.listing;
        match timeout_at(Moment::now().after(time), self.page()).await {
            Ok(page) => page,
            Err(Late) => Err(StorageError::Other(format!(
                "for {} s it has listed nothing of what was asked for",
                time.as_secs()
            ))),
        }
    }

    async fn page(&mut self) -> Result<Vec<(Vec<u8>, Mark)>, StorageError> {
        while !self.is_at_end {
            let Some(chunk) = self.objects.next().await else {
                break;
            };
            let mut page = Vec::new();
            for object in chunk {
                let seen = match object {
                    Ok(object) => self.see(&object),
                    Err(error) => Err(failed(&error)),
                };
                match seen {
                    Ok(path) => page.extend(path),
                    Err(error) if page.is_empty() => return Err(error),
                    Err(error) => {
                        self.failure = Some(error);
                        break;
                    }
                }
            }
            if !page.is_empty() {
                return Ok(page);
            }
        }
        Ok(Vec::new())
    }

    /// The path of what the server lists, if it is wanted.
    ///
    /// # Errors
    /// It was not asked for, or comes out of order, so that the listing might never end, and something
    /// that should be in it might have been left out.
    fn see(&mut self, object: &ObjectMeta) -> Result<Option<(Vec<u8>, Mark)>, StorageError> {
        let key = listing::key(object.location.as_ref());
        let other = |text: &str| Err(StorageError::Other(text.to_owned()));
        if !key.starts_with(&self.folder) {
            return other("it lists keys that were not asked for");
        }
        if self.last.as_deref().is_some_and(|last| last >= &*key) {
            return other("it does not list keys in their order, as S3 does");
        }
        let path = self.path(&key, object.size);
        // No later key begins with the prefix.
        self.is_at_end |= *key > *self.prefix && !key.starts_with(&self.prefix);
        self.last = Some(key.into_owned());
        // Equal tags are of equal bytes; the version that a listing tells of is not needed for that.
        let mark = version(object.e_tag.as_deref(), None);
        Ok(path.map(|path| (path, mark)))
    }

    fn path(&self, key: &str, size: u64) -> Option<Vec<u8>> {
        // What consoles make for a folder holds nothing, so nothing is passed over with it.
        let is_folder = key.ends_with('/') && size == 0;
        let is_asked_for = key.starts_with(&self.prefix) && key.as_bytes() > self.after.as_slice();
        let is_draft = self.bucket.place.is_draft(key);
        if is_folder || !is_asked_for || is_draft != (self.wanted == Wanted::Drafts) {
            return None;
        }
        Some(self.bucket.place.path(key)?.as_bytes().to_vec())
    }
}

#[async_trait]
impl Cursor for Listing {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        let page = self.marked().await?;
        Ok(page.into_iter().map(|(path, _)| path).collect())
    }
}
