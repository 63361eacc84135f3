//! Listings, a page at a time.

use std::sync::Arc;

use async_trait::async_trait;

use super::client::RANGE;
use super::errors::failed;
use super::keys::{Wanted, end};
use super::messages::{RangeRequest, RangeResponse};
use super::store::{Inner, version};
use crate::contract::StorageError;
use crate::storage::{Cursor, Mark};

/// How many names a page has: some 100 KB of names as MinIO has them.
const PAGE: i64 = 1000;

/// By how much fewer are asked for when they are too long: 1000, 100, 10, 1.
const FEWER: i64 = 10;

/// A listing of a store in etcd. It holds nothing there: each page begins after the last name of the
/// one before, at whatever revision the store has then.
pub(super) struct EtcdCursor {
    inner: Arc<Inner>,
    wanted: Wanted,
    /// The next key to look at.
    from: Vec<u8>,
    end: Vec<u8>,
    /// How many names are asked for at once.
    limit: i64,
    is_at_end: bool,
}

impl EtcdCursor {
    pub fn new(
        inner: Arc<Inner>,
        wanted: Wanted,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Self {
        let first = inner.keys.object(prefix);
        let end = end(&first);
        let after = start_after.map(|path| after(&inner.keys.object(path)));
        let from = after.map_or(first.clone(), |after| after.max(first));
        // etcd takes no empty key, and no key is less than a zero byte.
        let from = if from.is_empty() { vec![0] } else { from };
        Self {
            is_at_end: end != [0] && from >= end,
            inner,
            wanted,
            from,
            end,
            limit: PAGE,
        }
    }

    /// Takes the paths of a page, and stands behind it.
    ///
    /// # Errors
    /// The page has keys that were not asked for, or not in their order: a server could keep us here for
    /// ever, and have a neighbour's keys taken for the store's.
    fn take(&mut self, page: RangeResponse) -> Result<Vec<(Vec<u8>, Mark)>, StorageError> {
        let mut paths = Vec::new();
        for kv in &page.kvs {
            let is_before_end = self.end == [0] || kv.key < self.end;
            if kv.key < self.from || !is_before_end {
                let text = "etcd lists keys that were not asked for";
                return Err(StorageError::Other(text.into()));
            }
            self.from = after(&kv.key);
            let path = self.inner.keys.path(&kv.key, self.wanted);
            paths.extend(path.map(|path| (path, Some(version(kv.mod_revision)))));
        }
        self.is_at_end = page.kvs.is_empty() || !page.more;
        Ok(paths)
    }

    /// The next objects with their marks; empty at the end.
    ///
    /// # Errors
    /// As [`Cursor::next`].
    pub async fn marked(&mut self) -> Result<Vec<(Vec<u8>, Mark)>, StorageError> {
        while !self.is_at_end {
            let request = RangeRequest {
                key: self.from.clone(),
                range_end: self.end.clone(),
                limit: self.limit,
                keys_only: true,
            };
            let page = self.inner.client.call(RANGE, &request).await.result;
            let page: RangeResponse = match page {
                // Names can be as long as a whole answer may be.
                Err(unable) if self.limit > 1 && unable.is_too_large() => {
                    self.limit /= FEWER;
                    continue;
                }
                page => page.map_err(|unable| failed("list keys", unable))?,
            };
            let paths = self.take(page)?;
            // A page of nothing that is wanted is not the end.
            if !paths.is_empty() {
                return Ok(paths);
            }
        }
        Ok(Vec::new())
    }
}

#[async_trait]
impl Cursor for EtcdCursor {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        let page = self.marked().await?;
        Ok(page.into_iter().map(|(path, _)| path).collect())
    }
}

/// The very next key.
fn after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}
