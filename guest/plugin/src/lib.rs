//! The iamseal components: bind `iamseal-core` to the worlds `iamseal:plugin/plugin` and, without the
//! feature `writer`, `iamseal:plugin/auditor`.
//!
//! There is no logic here. `lent` turns the imports into the traits that the core works with,
//! `opening` and `auditing` turn the exports into calls of the core, and `convert` translates between
//! the contract's types and the core's. What only the world `plugin` has is in `writer`; `coverage` is
//! for fuzzing alone.
#![no_std]

extern crate alloc;

mod auditing;
mod convert;
#[cfg(feature = "coverage")]
mod coverage;
mod lent;
mod opening;
#[cfg(feature = "writer")]
mod writer;

/// The contract in Rust, generated from `wit/`.
#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod contract {
    #[cfg(feature = "writer")]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "plugin",
        generate_all,
    });
    #[cfg(not(feature = "writer"))]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "auditor",
        generate_all,
    });
}

/// What the host calls.
struct Plugin;

/// The one unsafe line of each export stands in this generated code.
#[allow(unsafe_code, warnings, clippy::all)]
mod exports {
    use crate::{Plugin, contract};
    contract::export!(Plugin with_types_in contract);
}

iamseal_runtime::component!(contract::iamseal::plugin::diagnostics::panicked);
