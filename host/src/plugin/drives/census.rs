//! The calls of the component that count which keys drives name.

use wasmtime::component::ResourceAny;

use super::{Lent, Live};
use crate::contract::StorageError;
use crate::contract::drive_store::exports::iamseal::plugin::census::{Counts, Needed, Place};
use crate::error::Error;

/// The names of buckets.
type Buckets = Vec<Vec<u8>>;

impl<F: Lent> Live<F> {
    /// The names of all buckets; none if that cannot be seen.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`]; within, what the store says.
    pub fn buckets(&mut self) -> Result<Result<Option<Buckets>, StorageError>, Error> {
        let buckets =
            self.call(|bindings, store| bindings.iamseal_plugin_census().call_buckets(store))?;
        Ok(buckets.map_err(Into::into))
    }

    /// Begins a census of a place, which has to be [ended](Self::end).
    ///
    /// # Errors
    /// As for [`Self::buckets`].
    pub fn start_census(
        &mut self,
        place: &Place,
    ) -> Result<Result<ResourceAny, StorageError>, Error> {
        let walk =
            self.call(|bindings, store| bindings.iamseal_plugin_census().call_start(store, place))?;
        Ok(walk.map_err(Into::into))
    }

    /// What the next folders of a census hold; none at the end.
    ///
    /// # Errors
    /// As for [`Self::buckets`].
    pub fn next_counts(
        &mut self,
        walk: ResourceAny,
    ) -> Result<Result<Option<Counts>, StorageError>, Error> {
        let counts = self.call(|bindings, store| {
            let census = bindings.iamseal_plugin_census();
            census.walk().call_next(store, walk)
        })?;
        Ok(counts.map_err(Into::into))
    }

    /// What is encrypted of one object of the system folder.
    ///
    /// # Errors
    /// As for [`Self::buckets`].
    pub fn counts_of(&mut self, path: &[u8]) -> Result<Result<Counts, StorageError>, Error> {
        let path = path.to_vec();
        let counts = self
            .call(|bindings, store| bindings.iamseal_plugin_census().call_object(store, &path))?;
        Ok(counts.map_err(Into::into))
    }

    /// What needs a key in a file that is none of IAM's, by its bytes; or why that is not known.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`].
    pub fn needs(
        &mut self,
        path: &[u8],
        bytes: &[u8],
    ) -> Result<Result<Vec<Needed>, String>, Error> {
        let (path, bytes) = (path.to_vec(), bytes.to_vec());
        self.call(|bindings, store| {
            let census = bindings.iamseal_plugin_census();
            census.call_needs(store, &path, &bytes)
        })
    }
}
