//! A host's store lent to the core natively, so that a migration over a real store needs no component.

use std::sync::{Arc, Mutex};

use iamseal::storage as host;
use iamseal_core::{
    Candidate, Cursor, DataKey, DataKeyEncoding, Draft, KeyError, KeyMaker, Keyring, Random,
    Replacement, RootCredential, Storage, StorageError, StorageWriter, Stored, Version,
};

use crate::errors::storage_from_contract;
use crate::keys::{Handle, Keys, NoRootKey};
use crate::runtime::wait;

/// Keys, the operating system's randomness and a host's store.
#[derive(Clone)]
pub struct Bridge {
    /// The keys.
    pub keys: Keys,
    /// The store to read.
    pub storage: Arc<dyn host::Storage>,
    /// The same store to write.
    pub writer: Arc<dyn host::StorageWriter>,
}

/// A listing of the host's store.
pub struct HostCursor(Box<dyn host::Cursor>);

/// A draft in the host's store.
pub struct HostDraft(Mutex<Box<dyn host::Draft>>);

impl Storage for Bridge {
    type Cursor = HostCursor;

    fn list(&self, prefix: &[u8], start_after: Option<&[u8]>) -> Result<HostCursor, StorageError> {
        let cursor = wait(self.storage.list(prefix, start_after));
        cursor.map(HostCursor).map_err(storage_from_contract)
    }

    fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let host::Stored { bytes, version } =
            wait(self.storage.read(path)).map_err(storage_from_contract)?;
        Ok(Stored { bytes, version })
    }
}

impl Cursor for HostCursor {
    fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        wait(self.0.next()).map_err(storage_from_contract)
    }
}

impl StorageWriter for Bridge {
    type Draft = HostDraft;

    fn stage(&self, replacements: Vec<Replacement>) -> Vec<Result<HostDraft, StorageError>> {
        let changes = replacements.into_iter().map(|new| {
            host::Change::Replace(host::Replacement {
                path: new.path,
                expected: new.expected,
                bytes: new.bytes,
            })
        });
        let staged = wait(self.writer.stage(changes.collect()));
        let lend = |draft: Result<_, _>| match draft {
            Ok(draft) => Ok(HostDraft(Mutex::new(draft))),
            Err(error) => Err(storage_from_contract(error)),
        };
        staged.into_iter().map(lend).collect()
    }

    fn commit(&self, drafts: Vec<HostDraft>) -> Vec<Result<Version, StorageError>> {
        let drafts = drafts
            .into_iter()
            .map(|draft| draft.0.into_inner().unwrap());
        let committed = wait(self.writer.commit(drafts.collect()));
        let lend = |version: Result<Option<Version>, _>| {
            let version = version.map_err(storage_from_contract)?;
            Ok(version.expect("what was replaced has a version"))
        };
        committed.into_iter().map(lend).collect()
    }
}

impl Draft for HostDraft {
    fn read_back(&self) -> Result<Vec<u8>, StorageError> {
        wait(self.0.lock().unwrap().read_back()).map_err(storage_from_contract)
    }
}

impl Keyring for Bridge {
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

impl KeyMaker for Bridge {
    fn make(
        &self,
        key: &Handle,
        context: &[u8],
        encoding: DataKeyEncoding,
    ) -> Result<DataKey, KeyError> {
        self.keys.make(key, context, encoding)
    }
}

impl Random for Bridge {
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).unwrap();
    }
}
