//! Everything that is lent to the core natively: keys, randomness and a store.

use std::sync::Arc;

use iamseal_core::{
    Candidate, DataKey, KeyError, KeyGenerator, Keyring, Random, Replacement, RootCredential,
    Secret, Storage, StorageError, StorageWriter, Stored, Version,
};

use crate::keys::Keys;
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
    fn default_key(&self) -> Option<String> {
        self.keys.default_key()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate>, KeyError> {
        self.keys.candidates(name)
    }

    fn decrypt(&self, name: &str, ciphertext: &[u8], context: &[u8]) -> Result<Secret, KeyError> {
        self.keys.decrypt(name, ciphertext, context)
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        self.keys.root_credentials()
    }
}

impl KeyGenerator for Lent {
    fn generate(&self, name: &str, context: &[u8]) -> Result<DataKey, KeyError> {
        self.keys.generate(name, context)
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
