//! The imports of both worlds as the traits that the core works with.

use alloc::string::String;
use alloc::vec::Vec;

use iamseal_core::{
    Candidate, Cursor, KeyError, Keyring, RootCredential, Secret, Storage, StorageError, Stored,
};

use crate::contract::iamseal::plugin::{keyring, storage};

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
