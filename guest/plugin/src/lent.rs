//! The imports of both worlds as the traits that the core works with.

use alloc::string::String;
use alloc::vec::Vec;

use iamseal_core::{
    Candidate, Cursor, Key, KeyDerivation, KeyError, Keyring, RootCandidate, RootCredential,
    RootKey, Secret, Storage, StorageError, Stored,
};

use crate::contract::iamseal::plugin::{keyring, storage};

/// Everything that the host lends.
pub(crate) struct Lent;

impl Keyring for Lent {
    type Key = keyring::Key;
    type RootKey = keyring::RootKey;

    fn default_key(&self) -> Option<String> {
        keyring::default_key()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Candidate<keyring::Key>>, KeyError> {
        let candidates = keyring::candidates(name)?;
        Ok(candidates
            .into_iter()
            .map(|candidate| match candidate {
                keyring::Candidate::Local(key) => Candidate::Local(key),
                keyring::Candidate::Server(key) => Candidate::Server(key),
                keyring::Candidate::Secret(bytes) => Candidate::Secret(bytes.into()),
            })
            .collect())
    }

    fn root_credentials(&self) -> Vec<RootCredential<keyring::RootKey>> {
        keyring::root_credentials()
            .into_iter()
            .map(|lent| RootCredential {
                user: lent.user,
                key: match lent.key {
                    keyring::RootCandidate::Key(key) => RootCandidate::Key(key),
                    keyring::RootCandidate::Passphrase(text) => {
                        RootCandidate::Passphrase(text.into())
                    }
                },
            })
            .collect()
    }
}

impl Key for keyring::Key {
    fn id(&self) -> u64 {
        keyring::Key::id(self)
    }

    fn open(&self, ciphertext: &[u8], associated_data: &[u8]) -> Result<Secret, KeyError> {
        Ok(keyring::Key::open(self, ciphertext, associated_data)?.into())
    }
}

impl RootKey for keyring::RootKey {
    fn derive(&self, salt: &[u8; 32], how: KeyDerivation) -> Result<Secret, KeyError> {
        Ok(keyring::RootKey::derive(self, salt, how.into())?.into())
    }

    fn signed(&self, message: &[u8], signature: &[u8; 64]) -> Result<bool, KeyError> {
        Ok(keyring::RootKey::signed(self, message, signature)?)
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
