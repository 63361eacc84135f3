//! The store in memory as a host lends it.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use iamseal::contract::StorageError;
use iamseal::storage::{Change, Cursor, Draft, Storage, StorageWriter, Stored, Version};
use iamseal_core as core;

use crate::errors::storage_to_contract;
use crate::store::{Listing, MemoryDraft, MemoryStore};

/// A [`MemoryStore`] behind the host's traits, misbehaviour included.
pub struct HostStore(pub Arc<MemoryStore>);

#[async_trait]
impl Storage for HostStore {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let listing = self.0.list(prefix, start_after);
        Ok(Box::new(listing.map_err(storage_to_contract)?))
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let core::Stored { bytes, version } = self.0.read(path).map_err(storage_to_contract)?;
        Ok(Stored { bytes, version })
    }
}

#[async_trait]
impl Cursor for Listing {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        core::Cursor::next(self).map_err(storage_to_contract)
    }
}

#[async_trait]
impl StorageWriter for HostStore {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let replacements = changes.into_iter().map(|change| match change {
            Change::Replace(new) => core::Replacement {
                path: new.path,
                expected: new.expected,
                bytes: new.bytes,
            },
            _ => panic!("no migration creates or removes"),
        });
        let staged = MemoryStore::stage(&self.0, replacements.collect());
        let lend = |draft: Result<MemoryDraft, _>| match draft {
            Ok(draft) => Ok(Box::new(draft) as Box<dyn Draft>),
            Err(error) => Err(storage_to_contract(error)),
        };
        staged.into_iter().map(lend).collect()
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        let own = |draft: Box<dyn Draft>| *draft.into_any().downcast::<MemoryDraft>().unwrap();
        let committed = self.0.commit(drafts.into_iter().map(own).collect());
        let lend = |version: Result<Version, _>| version.map(Some).map_err(storage_to_contract);
        committed.into_iter().map(lend).collect()
    }
}

#[async_trait]
impl Draft for MemoryDraft {
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
        core::Draft::read_back(self).map_err(storage_to_contract)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
