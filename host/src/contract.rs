//! The contract's types as Rust types, which `wit/` documents, and what is generated from it to call a
//! component.

use zeroize::Zeroizing;

pub(crate) mod generated {
    #![allow(missing_docs)] // The WIT files are the documentation.

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "plugin",
        imports: {
            // These never wait, and a call that cannot wait is cheaper.
            "iamseal:plugin/diagnostics": trappable,
            "wasi:random/random": trappable,
            default: async | trappable,
        },
        exports: { default: async },
        with: {
            "iamseal:plugin/keyring": crate::contract::keys::iamseal::plugin::keyring,
            "iamseal:plugin/key-maker": crate::contract::keys::iamseal::plugin::key_maker,
            "iamseal:plugin/storage.cursor": crate::plugin::lend::LentCursor,
            "iamseal:plugin/storage-writer.draft": crate::plugin::lend::LentDraft,
        },
        additional_derives: [Eq, PartialEq],
    });
}

/// Of itself, since values with handles in them cannot be compared.
pub(crate) mod keys {
    #![allow(missing_docs)] // The WIT files are the documentation.

    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "
            package iamseal:host;
            world keys {
                import iamseal:plugin/keyring@0.1.0;
                import iamseal:plugin/key-maker@0.1.0;
            }
        ",
        world: "iamseal:host/keys",
        imports: {
            "iamseal:plugin/keyring.default-key": trappable,
            "iamseal:plugin/keyring.candidates": trappable,
            "iamseal:plugin/keyring.root-credentials": trappable,
            "iamseal:plugin/keyring.[method]key.id": trappable,
            "iamseal:plugin/keyring.[drop]key": trappable,
            "iamseal:plugin/keyring.[drop]root-key": trappable,
            default: async | trappable,
        },
        with: {
            "iamseal:plugin/types": crate::contract::generated::iamseal::plugin::types,
            "iamseal:plugin/keyring.key": crate::plugin::lend::LentKey,
            "iamseal:plugin/keyring.root-key": crate::plugin::lend::LentRootKey,
        },
    });
}

/// The world `drive-store`. Nothing in it waits for anything but the drives, so its calls block.
pub(crate) mod drive_store {
    #![allow(missing_docs)] // The WIT files are the documentation.

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "drive-store",
        imports: { default: trappable },
        with: {
            "iamseal:plugin/types": super::generated::iamseal::plugin::types,
            "iamseal:plugin/diagnostics": super::generated::iamseal::plugin::diagnostics,
        },
    });
}

/// The world `drive-store-writer`. What it has of `drive-store` is called through that one's types.
pub(crate) mod drive_store_writer {
    #![allow(missing_docs)] // The WIT files are the documentation.

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "drive-store-writer",
        imports: { default: trappable },
        with: {
            "iamseal:plugin/types": super::generated::iamseal::plugin::types,
            "iamseal:plugin/diagnostics": super::generated::iamseal::plugin::diagnostics,
            "iamseal:plugin/files": super::drive_store::iamseal::plugin::files,
            "wasi:random/random": super::generated::wasi::random::random,
        },
    });
}

/// Between the two.
mod convert {
    use super::generated::exports::iamseal::plugin::{auditing, migration, opening, sealing};
    use super::generated::iamseal::plugin::types;

    iamseal_words::from_plugin!();
    iamseal_words::asked_of_plugin!();
    iamseal_words::lent_to_plugin!();
}

pub use iamseal_words::contract::{
    Cipher, Content, Context, DataKeyEncoding, Description, Failure, Fault, Finding, Form, Found,
    KeyDerivation, KeyError, KeyFailure, MinioOptions, ObjectError, Outcome, Policy, Reason,
    SealOptions, SealedForm, Shard, Signer, SizeLimit, Step, StorageError, Target, Tries, Verdict,
    WrittenCipher, WrittenEncoding,
};

/// An object that was opened. The plaintext is wiped when it is dropped, and has no `Debug`.
pub struct Opened {
    /// What the object holds.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// What the object turned out to be.
    pub found: Found,
}
