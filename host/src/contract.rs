//! The contract's types as Rust types, generated from `wit/`, which documents each of them.
//!
//! The generated errors say their `Debug` text when displayed; [`crate::describe`] says them in words.

use zeroize::Zeroizing;

pub(crate) mod generated {
    #![allow(missing_docs)] // The WIT files are the documentation.

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "plugin",
        imports: {
            // These never wait, and a call that cannot wait is cheaper.
            "iamseal:plugin/keyring.default-key": trappable,
            "iamseal:plugin/keyring.candidates": trappable,
            "iamseal:plugin/keyring.root-credentials": trappable,
            "iamseal:plugin/diagnostics": trappable,
            "wasi:random/random": trappable,
            default: async | trappable,
        },
        exports: { default: async },
        with: {
            "iamseal:plugin/storage.cursor": crate::plugin::lend::LentCursor,
            "iamseal:plugin/storage-writer.draft": crate::plugin::lend::LentDraft,
        },
        additional_derives: [Eq, PartialEq],
    });
}

pub use generated::exports::iamseal::plugin::auditing::{Failure, Finding, Reason, Verdict};
pub use generated::exports::iamseal::plugin::migration::{Outcome, Shard, Step, Target};
pub use generated::exports::iamseal::plugin::opening::{Description, Policy};
pub use generated::exports::iamseal::plugin::sealing::{SealOptions, SealedForm};
pub use generated::iamseal::plugin::types::{
    Cipher, Context, DataKeyEncoding, Error as ObjectError, Form, Found, KeyError, KeyFailure,
    SizeLimit, StorageError, Tries,
};

/// An object that was opened. The plaintext is wiped when it is dropped, and has no `Debug`.
pub struct Opened {
    /// What the object holds.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// What the object turned out to be.
    pub found: Found,
}

impl Default for SealOptions {
    /// MinIO's form under the keyring's default key, everything else left to the plugin.
    fn default() -> Self {
        Self {
            form: SealedForm::Minio,
            key: None,
            cipher: None,
            data_key_encoding: None,
        }
    }
}

impl Default for Policy {
    /// What MinIO itself reads.
    fn default() -> Self {
        Self::Compatible
    }
}
