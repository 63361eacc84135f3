//! The imports that only the world `plugin` has as the traits that the core works with.

use alloc::vec::Vec;

use iamseal_core::{
    DataKey, DataKeyEncoding, Draft, KeyError, KeyMaker, Random, Replacement, StorageError,
    StorageWriter, Version,
};

use crate::contract::iamseal::plugin::{key_maker, keyring, storage_writer, types};
use crate::contract::wasi::random::random;
use crate::lent::Lent;

impl KeyMaker for Lent {
    fn make(
        &self,
        key: &keyring::Key,
        associated_data: &[u8],
        encoding: DataKeyEncoding,
    ) -> Result<DataKey, KeyError> {
        let encoding = match encoding {
            DataKeyEncoding::Json => types::WrittenEncoding::Json,
            // What is never written takes the place of what is.
            DataKeyEncoding::Binary | DataKeyEncoding::MessagePack => {
                types::WrittenEncoding::Binary
            }
        };
        let made = key_maker::make(key, associated_data, encoding)?;
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

impl StorageWriter for Lent {
    type Draft = storage_writer::Draft;

    fn stage(
        &self,
        replacements: Vec<Replacement>,
    ) -> Vec<Result<storage_writer::Draft, StorageError>> {
        let changes: Vec<_> = replacements
            .into_iter()
            .map(
                |Replacement {
                     path,
                     expected,
                     bytes,
                 }| {
                    storage_writer::Change::Replace(storage_writer::Replacement {
                        path,
                        expected,
                        bytes,
                    })
                },
            )
            .collect();
        let staged = storage_writer::stage(&changes);
        staged.into_iter().map(|draft| Ok(draft?)).collect()
    }

    fn commit(&self, drafts: Vec<storage_writer::Draft>) -> Vec<Result<Version, StorageError>> {
        let committed = storage_writer::commit(drafts);
        let none = || StorageError::Other("the host says that it removed what was replaced".into());
        let version =
            |committed: Result<Option<Version>, types::StorageError>| committed?.ok_or_else(none);
        committed.into_iter().map(version).collect()
    }
}

impl Draft for storage_writer::Draft {
    fn read_back(&self) -> Result<Vec<u8>, StorageError> {
        Ok(storage_writer::Draft::read_back(self)?)
    }
}
