//! The iamseal component: binds `iamseal-core` to the world `iamseal:plugin/plugin`.
//!
//! There is no logic here. `lent` turns the imports into the traits that the core works with,
//! `sealing`, `auditing` and `migration` turn the exports into calls of the core, `convert`
//! translates between the contract's types and the core's, and `runtime` is what a program without
//! a standard library has to bring along.
#![no_std]

extern crate alloc;

mod auditing;
mod convert;
mod lent;
mod migration;
mod runtime;
mod sealing;

/// The contract in Rust, generated from `wit/`.
#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod contract {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "plugin",
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
