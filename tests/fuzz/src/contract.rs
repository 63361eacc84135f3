//! The contract's types and the component's functions, generated from `wit/`.
//!
//! The plugin's own conversions to and from the core's types serve here too: what the core answers
//! natively is converted and must then equal what the component answers.

#![allow(missing_docs)]

mod generated {
    wasmtime::component::bindgen!({
        path: ["../../wit", "wit"],
        world: "iamseal:fuzz/fuzzed",
        imports: { default: trappable },
        with: {
            "iamseal:plugin/keyring": crate::contract::keys::iamseal::plugin::keyring,
            "iamseal:plugin/key-maker": crate::contract::keys::iamseal::plugin::key_maker,
            "iamseal:plugin/storage.cursor": crate::world::Listing,
            "iamseal:plugin/storage-writer.draft": crate::world::Staged,
        },
        additional_derives: [Eq, PartialEq],
    });
}

/// Of itself, since values with handles in them cannot be compared.
pub(crate) mod keys {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package iamseal:fuzz-host;
            world keys {
                import iamseal:plugin/keyring@0.1.0;
                import iamseal:plugin/key-maker@0.1.0;
            }
        ",
        world: "iamseal:fuzz-host/keys",
        imports: { default: trappable },
        with: {
            "iamseal:plugin/types": crate::contract::generated::iamseal::plugin::types,
            "iamseal:plugin/keyring.key": crate::world::Handle,
            "iamseal:plugin/keyring.root-key": crate::world::NoRootKey,
        },
    });
}

pub use generated::*;
