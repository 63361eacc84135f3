//! The export `lending`.

use iamseal_words::limits::OBJECT_BYTES;

use crate::adapters::bindings::exports::iamseal::command::lending::{Cause, Failure, Guest, Names};
use crate::adapters::bindings::exports::iamseal::plugin::types::StorageError;
use crate::adapters::{Adapters, keys, store};
use crate::wasi::files::{ReadError, locate};
use crate::wasi::words;

impl Guest for Adapters {
    fn lend_keys(
        keys: Vec<String>,
        root_credentials: Vec<String>,
        for_rustfs: bool,
    ) -> Result<Names, Failure> {
        keys::lend(&keys, &root_credentials, for_rustfs)
    }

    fn lend_store(store: String, writes: bool) -> Result<(), Failure> {
        store::lend(&store, writes)
    }

    fn drafts(prefix: Vec<u8>) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(store::drafts(&prefix)?)
    }

    fn sweep(prefix: Vec<u8>) -> Result<u64, StorageError> {
        Ok(store::sweep(&prefix)?)
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
