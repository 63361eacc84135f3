//! Storage for the plugin to read.

use wasmtime::component::Resource;

use crate::contract::generated::iamseal::plugin::{storage, types};
use crate::contract::{SizeLimit, StorageError};
use crate::storage::Cursor;

use super::State;
use super::handed::LISTINGS;
use crate::plugin::limits::Limit;

/// A listing that the plugin holds.
pub struct LentCursor(Box<dyn Cursor>);

impl storage::Host for State {
    async fn list(
        &mut self,
        prefix: Vec<u8>,
        start_after: Option<Vec<u8>>,
    ) -> wasmtime::Result<Result<Resource<LentCursor>, types::StorageError>> {
        if self.handed.listings() >= LISTINGS {
            return Err(self.meter.refuse(Limit::Handles, None, LISTINGS as u64));
        }
        let listed = self.begin_list(&prefix, start_after.as_deref()).await;
        self.meter.resume();
        match listed {
            Ok(cursor) => {
                let cursor = self.hand(LentCursor(cursor))?;
                self.handed.begin(cursor.rep());
                Ok(Ok(cursor))
            }
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn read(
        &mut self,
        path: Vec<u8>,
    ) -> wasmtime::Result<Result<storage::Stored, types::StorageError>> {
        let read = self.read_object(&path).await;
        self.meter.resume();
        Ok(read.map_err(Into::into))
    }
}

impl storage::HostCursor for State {
    async fn next(
        &mut self,
        cursor: Resource<LentCursor>,
    ) -> wasmtime::Result<Result<Vec<Vec<u8>>, types::StorageError>> {
        let paths = self.handles.get_mut(&cursor)?.0.next().await;
        self.meter.resume();
        if let Ok(paths) = &paths {
            self.handed.page(cursor.rep(), paths);
        }
        Ok(paths.map_err(Into::into))
    }

    async fn drop(&mut self, cursor: Resource<LentCursor>) -> wasmtime::Result<()> {
        self.handed.end(cursor.rep());
        self.handles.delete(cursor)?;
        Ok(())
    }
}

impl State {
    async fn begin_list(
        &mut self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let Some(storage) = &self.lent.storage else {
            return Err(refused("storage"));
        };
        let known = |folder: &[u8]| self.handed.is_folder(folder);
        self.grant.list(prefix, start_after, known)?;
        storage.list(prefix, start_after).await
    }

    async fn read_object(&mut self, path: &[u8]) -> Result<storage::Stored, StorageError> {
        let Some(storage) = &self.lent.storage else {
            return Err(refused("storage"));
        };
        self.grant.read(path)?;
        self.handed.read(path)?;
        let stored = storage.read(path).await?;
        self.fits(stored.bytes.len())?;
        self.handed.was_read(path, &stored.version);
        Ok(storage::Stored {
            bytes: stored.bytes,
            version: stored.version,
        })
    }

    /// Objects over the limit stay on their side.
    ///
    /// # Errors
    /// [`StorageError::TooLarge`].
    pub(super) fn fits(&self, size: usize) -> Result<(), StorageError> {
        let allowed = self.meter.limits().object_bytes;
        match size > allowed {
            true => Err(StorageError::TooLarge(SizeLimit {
                asked: size as u64,
                allowed: allowed as u64,
            })),
            false => Ok(()),
        }
    }
}

/// What a host that lends no such thing answers.
pub(super) fn refused(capability: &str) -> StorageError {
    StorageError::Refused(format!("the host lends no {capability}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use storage::Host as _;

    use super::*;
    use crate::plugin::lend::Lent;
    use crate::plugin::lend::tests::{LARGEST, state};
    use crate::storage::{Storage, Stored};

    #[tokio::test]
    async fn a_missing_store_refuses_and_says_its_name() {
        let mut state = state(Lent::default());
        let listed = state.list(b"in/".to_vec(), None).await.unwrap();
        assert_eq!(listed.unwrap_err(), refused("storage").into());
        let read = state.read(b"in/a".to_vec()).await.unwrap();
        assert_eq!(read.unwrap_err(), refused("storage").into());
    }

    /// Holds an object of this size at every path.
    struct Full(usize);

    #[async_trait]
    impl Storage for Full {
        async fn list(
            &self,
            _prefix: &[u8],
            _start_after: Option<&[u8]>,
        ) -> Result<Box<dyn Cursor>, StorageError> {
            Err(StorageError::Conflict)
        }

        async fn read(&self, _path: &[u8]) -> Result<Stored, StorageError> {
            Ok(Stored {
                bytes: vec![0; self.0],
                version: Vec::new(),
            })
        }
    }

    #[tokio::test]
    async fn an_object_over_the_limit_is_not_handed_over() {
        for (size, fits) in [(LARGEST, true), (LARGEST + 1, false)] {
            let mut state = state(Lent {
                storage: Some(Arc::new(Full(size))),
                ..Lent::default()
            });
            state.hand_out(&["in/a"], b"");
            let read = state.read(b"in/a".to_vec()).await.unwrap();
            assert_eq!(read.is_ok(), fits);
            let outside = state.read(b"a".to_vec()).await.unwrap();
            assert!(matches!(outside, Err(types::StorageError::Refused(_))));
        }
    }
}
