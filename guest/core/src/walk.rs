//! The paths that an audit or a migration goes through.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::storage::{Cursor, Storage};

/// One worker's share of the objects: those whose path's SHA-256, its first 8 bytes taken as a
/// big-endian number, is `index` modulo `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// 0 up to, not including, `count`.
    pub index: u32,
    /// At least 1.
    pub count: u32,
}

impl Shard {
    /// # Errors
    /// [`Error::Refused`] if there is no such share.
    pub(crate) fn check(self) -> Result<()> {
        if self.index < self.count {
            return Ok(());
        }
        let Self { index, count } = self;
        Err(Error::Refused(alloc::format!(
            "there is no shard {index} of {count}"
        )))
    }

    fn holds(self, path: &[u8]) -> bool {
        let digest = Sha256::digest(path);
        let head = digest.first_chunk().copied().map_or(0, u64::from_be_bytes);
        head % u64::from(self.count.max(1)) == u64::from(self.index)
    }
}

/// A listing that begins when the first path is asked for.
pub(crate) struct Walk<C> {
    prefix: Vec<u8>,
    start_after: Option<Vec<u8>>,
    shard: Option<Shard>,
    cursor: Option<C>,
    page: VecDeque<Vec<u8>>,
}

impl<C: Cursor> Walk<C> {
    pub(crate) fn new(prefix: Vec<u8>, start_after: Option<Vec<u8>>, shard: Option<Shard>) -> Self {
        Self {
            prefix,
            start_after,
            shard,
            cursor: None,
            page: VecDeque::new(),
        }
    }

    /// The next path, none at the end.
    ///
    /// # Errors
    /// [`Error::Storage`]; also if the store lists a path outside the prefix or out of order, since
    /// what follows could then be anything and without end.
    pub(crate) fn next(&mut self, storage: &impl Storage<Cursor = C>) -> Result<Option<Vec<u8>>> {
        loop {
            let Some(path) = self.page.pop_front() else {
                let cursor = match &mut self.cursor {
                    Some(cursor) => cursor,
                    None => {
                        let start_after = self.start_after.as_deref();
                        self.cursor.insert(storage.list(&self.prefix, start_after)?)
                    }
                };
                self.page = cursor.next()?.into();
                if self.page.is_empty() {
                    return Ok(None);
                }
                continue;
            };
            let in_order = self
                .start_after
                .as_ref()
                .is_none_or(|before| *before < path);
            if !path.starts_with(&self.prefix) || !in_order {
                return Err(Error::Other("the store's listing is out of order".into()));
            }
            self.start_after = Some(path.clone());
            if self.shard.is_none_or(|shard| shard.holds(&path)) {
                return Ok(Some(path));
            }
        }
    }
}
