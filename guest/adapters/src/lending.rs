//! The export `lending`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::bindings::exports::iamseal::command::lending::{Cause, Failure, Guest, Names};
use crate::contract::StorageError;
use crate::failure::words;
use crate::files::{ReadError, locate};
use crate::store::OBJECT_BYTES;
use crate::{Adapters, keys, store};

impl Guest for Adapters {
    fn lend_keys(keys: Vec<String>, root_credentials: Vec<String>) -> Result<Names, Failure> {
        keys::lend(&keys, &root_credentials)
    }

    fn lend_store(folder: String, writes: bool) -> Result<(), Failure> {
        store::lend(&folder, writes)
    }

    fn drafts(prefix: Vec<u8>) -> Result<Vec<Vec<u8>>, StorageError> {
        store::drafts(&prefix)
    }

    fn sweep(prefix: Vec<u8>) -> Result<u64, StorageError> {
        store::sweep(&prefix)
    }

    fn read_file(file: String) -> Result<Vec<u8>, Failure> {
        locate(&file)?.read(OBJECT_BYTES).map_err(|error| {
            let (cause, why) = match error {
                ReadError::System(error) => (Cause::Storage, words(error)),
                ReadError::NotAFile => (Cause::Storage, "not a plain file".into()),
                ReadError::TooLarge => (
                    Cause::Limit,
                    format!("larger than an object may be, {OBJECT_BYTES} bytes"),
                ),
            };
            Failure {
                cause,
                message: format!("{file}: {why}"),
                cure: None,
            }
        })
    }
}
