//! Listing: the objects below a prefix in the order of their keys, a page at a time.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{BoxStream, ReadyChunks, StreamExt as _};
use object_store::ObjectMeta;

use super::errors::failed;
use super::place::{before, location};
use super::{Bucket, listing};
use crate::contract::StorageError;
use crate::storage::Cursor;

/// Paths in one page, as in the other stores. S3 answers with 1000 at a time.
const PAGE: usize = 256;

/// A listing of a bucket.
pub(super) struct Listing {
    bucket: Arc<Bucket>,
    /// Only keys that begin with this and come after that.
    prefix: String,
    after: Vec<u8>,
    objects: ReadyChunks<BoxStream<'static, object_store::Result<ObjectMeta>>>,
    /// Why it ends, if that came in the middle of a page.
    failure: Option<StorageError>,
}

/// Begins a listing; nothing is asked for yet.
///
/// # Errors
/// `Refused` if the prefix can begin no object's path here.
pub(super) fn list(
    bucket: &Arc<Bucket>,
    prefix: &[u8],
    after: &[u8],
) -> Result<Listing, StorageError> {
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
    Ok(Listing {
        bucket: Arc::clone(bucket),
        prefix,
        after,
        objects: objects.ready_chunks(PAGE),
        failure: None,
    })
}

impl Listing {
    fn path(&self, object: &ObjectMeta) -> Option<Vec<u8>> {
        let key = listing::key(object.location.as_ref());
        // What consoles make for a folder holds nothing, so nothing is passed over with it.
        let is_folder = key.ends_with('/') && object.size == 0;
        let is_wanted = key.starts_with(&self.prefix) && key.as_bytes() > self.after.as_slice();
        if is_folder || !is_wanted || self.bucket.place.is_draft(&key) {
            return None;
        }
        Some(self.bucket.place.path(&key)?.as_bytes().to_vec())
    }
}

#[async_trait]
impl Cursor for Listing {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        while let Some(chunk) = self.objects.next().await {
            let mut page = Vec::new();
            for object in chunk {
                match object {
                    Ok(object) => page.extend(self.path(&object)),
                    Err(error) if page.is_empty() => return Err(failed(&error)),
                    Err(error) => {
                        self.failure = Some(failed(&error));
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
}
