//! A store of which only some objects are shown to the plugin.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use iamseal::contract::StorageError;
use iamseal::storage::{Cursor, Storage, Stored};

/// Paths in one page, as in other stores.
const PAGE: usize = 256;

/// In ascending order.
type Paths = Arc<[Vec<u8>]>;

/// The store; all of it is shown at first.
#[derive(Clone)]
pub struct Shown {
    inner: Arc<dyn Storage>,
    only: Arc<Mutex<Option<Paths>>>,
}

impl Shown {
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self {
            inner,
            only: Arc::default(),
        }
    }

    /// From here on a listing has only these paths, which are in ascending order.
    pub fn only(&self, paths: Vec<Vec<u8>>) {
        let mut only = self.only.lock().unwrap_or_else(PoisonError::into_inner);
        *only = Some(paths.into());
    }

    fn paths(&self) -> Option<Paths> {
        // Whoever panicked left no half-done change.
        let only = self.only.lock().unwrap_or_else(PoisonError::into_inner);
        only.clone()
    }
}

#[async_trait]
impl Storage for Shown {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let Some(paths) = self.paths() else {
            return self.inner.list(prefix, start_after).await;
        };
        let at = match start_after {
            None => 0,
            Some(after) => paths.partition_point(|path| path.as_slice() <= after),
        };
        let prefix = prefix.to_vec();
        Ok(Box::new(Listing { paths, at, prefix }))
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        self.inner.read(path).await
    }
}

struct Listing {
    paths: Paths,
    at: usize,
    prefix: Vec<u8>,
}

#[async_trait]
impl Cursor for Listing {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        let mut page = Vec::new();
        while let Some(path) = self.paths.get(self.at).filter(|_| page.len() < PAGE) {
            self.at += 1;
            if path.starts_with(&self.prefix) {
                page.push(path.clone());
            }
        }
        Ok(page)
    }
}
