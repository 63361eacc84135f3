//! Makes what is released, and refuses what must not be.
//!
//! A release is a folder: the components, the contract as one text file and as a binary WIT package, and
//! the digests of all. What `wasm-tools validate`, `component targets`, `component semver-check` and
//! `metadata show` would find is found here by the same libraries, before anything is written.

mod compose;
pub mod contract;
pub mod dependencies;
pub mod gate;
pub mod release;

pub use compose::{ComposeError, PARTS, Parts, command, compose};
