//! Everything that is lent to the core natively: keys, randomness and a store.

use std::sync::Arc;

use iamseal_core::{
    Candidate, DataKey, DataKeyEncoding, KeyError, KeyMaker, Keyring, Random, Replacement,
    RootCredential, Storage, StorageError, StorageWriter, Stored, Version,
};

use crate::keys::{Handle, Keys, NoRootKey};
use crate::store::{Listing, MemoryDraft, MemoryStore};

/// Keys, the operating system's randomness and a store. Clones share the store.
#[derive(Clone)]
pub struct Lent {
    keys: Keys,
    store: Arc<MemoryStore>,
}

impl Lent {
    /// Keys and an empty store.
    pub fn keys(keys: Keys) -> Self {
        Self::new(keys, &Arc::default())
    }

    /// Keys and a store that the test keeps a hand on.
    pub fn new(keys: Keys, store: &Arc<MemoryStore>) -> Self {
        let store = Arc::clone(store);
        Self { keys, store }
    }
}

impl Keyring for Lent {
    type Key = Handle;
    type RootKey = NoRootKey;

    fn default_key(&self) -> Option<String> {
        Keyring::default_key(&self.keys)
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate<Handle>>, KeyError> {
        Keyring::candidates(&self.keys, name)
    }

    fn root_credentials(&self) -> Vec<RootCredential<NoRootKey>> {
        Keyring::root_credentials(&self.keys)
    }
}

impl KeyMaker for Lent {
    fn make(
        &self,
        key: &Handle,
        context: &[u8],
        encoding: DataKeyEncoding,
    ) -> Result<DataKey, KeyError> {
        self.keys.make(key, context, encoding)
    }
}

impl Random for Lent {
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).unwrap();
    }
}

impl Storage for Lent {
    type Cursor = Listing;

    fn list(&self, prefix: &[u8], start_after: Option<&[u8]>) -> Result<Listing, StorageError> {
        self.store.list(prefix, start_after)
    }

    fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        self.store.read(path)
    }
}

impl StorageWriter for Lent {
    type Draft = MemoryDraft;

    fn stage(&self, replacements: Vec<Replacement>) -> Vec<Result<MemoryDraft, StorageError>> {
        MemoryStore::stage(&self.store, replacements)
    }

    fn commit(&self, drafts: Vec<MemoryDraft>) -> Vec<Result<Version, StorageError>> {
        self.store.commit(drafts)
    }
}
