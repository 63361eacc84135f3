//! The host, lent to the core as it is compiled for this machine.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use iamseal_core::{
    Candidate, Cursor, DataKey, DataKeyEncoding, Draft, Key, KeyDerivation, KeyError, KeyMaker,
    Keyring, Random, Replacement, RootCandidate, RootCredential, RootKey, Secret, Storage,
    StorageError, StorageWriter, Stored, Version,
};

use crate::world::{Handle, Listing, NoRootKey, Staged, World};

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

/// A key with the host it belongs to.
pub struct NativeKey(Lent, Handle);

impl Keyring for Lent {
    type Key = NativeKey;
    type RootKey = NoRootKey;

    fn default_key(&self) -> Option<String> {
        self.world().default_key()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate<NativeKey>>, KeyError> {
        let candidates = self.world().candidates(name)?.into_iter();
        let own = |handle| NativeKey(self.clone(), handle);
        let candidates = candidates.map(|candidate| match candidate {
            Candidate::Local(handle) => Candidate::Local(own(handle)),
            Candidate::Server(handle) => Candidate::Server(own(handle)),
            Candidate::Secret(bytes) => Candidate::Secret(bytes),
        });
        Ok(candidates.collect())
    }

    fn root_credentials(&self) -> Vec<RootCredential<NoRootKey>> {
        let lend = |(user, passphrase): (String, String)| RootCredential {
            user,
            key: RootCandidate::Passphrase(passphrase.into()),
        };
        let lent = self.world().root_credentials();
        lent.into_iter().map(lend).collect()
    }
}

impl Key for NativeKey {
    fn id(&self) -> u64 {
        self.1.id()
    }

    fn open(&self, ciphertext: &[u8], context: &[u8]) -> Result<Secret, KeyError> {
        let Self(lent, Handle(name)) = self;
        lent.world().open(name, ciphertext, context)
    }
}

impl RootKey for NoRootKey {
    fn derive(&self, _salt: &[u8; 32], _how: KeyDerivation) -> Result<Secret, KeyError> {
        match *self {}
    }

    fn signed(&self, _message: &[u8], _signature: &[u8; 64]) -> Result<bool, KeyError> {
        match *self {}
    }
}

impl KeyMaker for Lent {
    fn make(
        &self,
        key: &NativeKey,
        context: &[u8],
        _encoding: DataKeyEncoding,
    ) -> Result<DataKey, KeyError> {
        let NativeKey(_, Handle(name)) = key;
        self.world().make(name, context)
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
