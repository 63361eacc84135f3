//! The host, lent to the core as it is compiled for this machine.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use iamseal_core::{
    Candidate, Cursor, DataKey, Draft, KeyError, KeyGenerator, Keyring, Random, Replacement,
    RootCredential, Secret, Storage, StorageError, StorageWriter, Stored, Version,
};

use crate::world::{Listing, Staged, World};

/// A host. Clones share it.
#[derive(Clone)]
pub struct Lent(Rc<RefCell<World>>);

/// A listing with the host it belongs to.
pub struct NativeCursor(Lent, Listing);

/// A draft with the host it belongs to.
pub struct NativeDraft(Lent, usize);

impl Lent {
    /// Lends a host.
    pub fn new(world: World) -> Self {
        Self(Rc::new(RefCell::new(world)))
    }

    /// The host as it is now.
    pub fn world(&self) -> RefMut<'_, World> {
        self.0.borrow_mut()
    }
}

impl Keyring for Lent {
    fn default_key(&self) -> Option<String> {
        self.world().default_key()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate>, KeyError> {
        self.world().candidates(name)
    }

    fn decrypt(&self, name: &str, ciphertext: &[u8], context: &[u8]) -> Result<Secret, KeyError> {
        self.world().decrypt(name, ciphertext, context)
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        self.world().root_credentials()
    }
}

impl KeyGenerator for Lent {
    fn generate(&self, name: &str, context: &[u8]) -> Result<DataKey, KeyError> {
        self.world().generate(name, context)
    }
}

impl Random for Lent {
    fn fill(&self, buffer: &mut [u8]) {
        let bytes = self.world().random(buffer.len());
        buffer.copy_from_slice(&bytes);
    }
}

impl Storage for Lent {
    type Cursor = NativeCursor;

    fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<NativeCursor, StorageError> {
        let listing = self.world().list(prefix, start_after)?;
        Ok(NativeCursor(self.clone(), listing))
    }

    fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        self.world().read(path)
    }
}

impl Cursor for NativeCursor {
    fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        self.0.world().next(&mut self.1)
    }
}

impl StorageWriter for Lent {
    type Draft = NativeDraft;

    fn stage(&self, replacements: Vec<Replacement>) -> Vec<Result<NativeDraft, StorageError>> {
        let staged = self.world().stage(replacements);
        let own = |Staged(draft)| NativeDraft(self.clone(), draft);
        staged.into_iter().map(|draft| draft.map(own)).collect()
    }

    fn commit(&self, drafts: Vec<NativeDraft>) -> Vec<Result<Version, StorageError>> {
        let numbers: Vec<_> = drafts.iter().map(|NativeDraft(_, draft)| *draft).collect();
        self.world().commit(&numbers)
    }
}

impl Draft for NativeDraft {
    fn read_back(&self) -> Result<Vec<u8>, StorageError> {
        self.0.world().read_back(self.1)
    }
}

impl Drop for NativeDraft {
    fn drop(&mut self) {
        self.0.world().drop_draft(self.1);
    }
}
