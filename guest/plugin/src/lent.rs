//! The imports as the traits that the core works with.

use alloc::string::String;
use alloc::vec::Vec;

use iamseal_core::{
    Candidate, Cursor, DataKey, Draft, KeyError, KeyGenerator, Keyring, Random, Replacement,
    RootCredential, Secret, Storage, StorageError, StorageWriter, Stored, Version,
};

use crate::contract::iamseal::plugin::{key_generator, keyring, storage, storage_writer};
use crate::contract::wasi::random::random;

/// Everything that the host lends.
pub(crate) struct Lent;

impl Keyring for Lent {
    fn default_key(&self) -> Option<String> {
        keyring::default_key()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate>, KeyError> {
        let candidates = keyring::candidates(name)?;
        Ok(candidates
            .into_iter()
            .map(|candidate| match candidate {
                keyring::Candidate::Secret(bytes) => Candidate::Secret(bytes.into()),
                keyring::Candidate::Remote => Candidate::Remote,
            })
            .collect())
    }

    fn decrypt(&self, name: &str, ciphertext: &[u8], context: &[u8]) -> Result<Secret, KeyError> {
        Ok(keyring::decrypt(name, ciphertext, context)?.into())
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        keyring::root_credentials()
            .into_iter()
            .map(|lent| RootCredential {
                user: lent.user,
                password: lent.password.into(),
            })
            .collect()
    }
}

impl KeyGenerator for Lent {
    fn generate(&self, name: &str, context: &[u8]) -> Result<DataKey, KeyError> {
        let made = key_generator::generate(name, context)?;
        Ok(DataKey {
            plaintext: made.plaintext.into(),
            ciphertext: made.ciphertext,
        })
    }
}

impl Random for Lent {
    fn fill(&self, buffer: &mut [u8]) {
        let bytes = random::get_random_bytes(buffer.len() as u64);
        // A host that returns another size breaks the contract; nothing may be sealed then.
        buffer.copy_from_slice(&bytes);
    }
}

impl Storage for Lent {
    type Cursor = storage::Cursor;

    fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<storage::Cursor, StorageError> {
        Ok(storage::list(prefix, start_after)?)
    }

    fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let stored = storage::read(path)?;
        Ok(Stored {
            bytes: stored.bytes,
            version: stored.version,
        })
    }
}

impl Cursor for storage::Cursor {
    fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(storage::Cursor::next(self)?)
    }
}

impl StorageWriter for Lent {
    type Draft = storage_writer::Draft;

    fn stage(
        &self,
        replacements: Vec<Replacement>,
    ) -> Vec<Result<storage_writer::Draft, StorageError>> {
        let replacements: Vec<_> = replacements
            .into_iter()
            .map(
                |Replacement {
                     path,
                     expected,
                     bytes,
                 }| storage_writer::Replacement {
                    path,
                    expected,
                    bytes,
                },
            )
            .collect();
        let staged = storage_writer::stage(&replacements);
        staged.into_iter().map(|draft| Ok(draft?)).collect()
    }

    fn commit(&self, drafts: Vec<storage_writer::Draft>) -> Vec<Result<Version, StorageError>> {
        let committed = storage_writer::commit(drafts);
        committed.into_iter().map(|version| Ok(version?)).collect()
    }
}

impl Draft for storage_writer::Draft {
    fn read_back(&self) -> Result<Vec<u8>, StorageError> {
        Ok(storage_writer::Draft::read_back(self)?)
    }
}
