//! What the library `iamseal`, its tool and its command component say and obey alike: the contract's
//! types in Rust, words for what went wrong, causes and their exit codes, lines about objects, the texts
//! of keys and root credentials, and the rules of folders.
//!
//! There is nothing generated in here and no I/O, so it serves a host of wasmtime as well as a component. Each
//! makes the types of [`contract`] from those that it has generated, with the macros that stand there.

#[cfg(feature = "arguments")]
pub mod arguments;
pub mod contract;
pub mod describe;
pub mod drives;
pub mod folder;
pub mod keys;
pub mod limits;
pub mod report;
pub mod shown;
