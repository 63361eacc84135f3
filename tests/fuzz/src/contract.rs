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
            "iamseal:plugin/storage.cursor": crate::world::Listing,
            "iamseal:plugin/storage-writer.draft": crate::world::Staged,
        },
        additional_derives: [Eq, PartialEq],
    });
}

pub use generated::*;
