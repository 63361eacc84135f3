//! The component of `guest/plugin`, built from the source beside this crate, as bytes.
//!
//! It is a crate of its own so that a host can embed the component without knowing how it is built:
//! another target, another profile, no standard library.

#![no_std]

/// The component `iamseal:plugin/plugin`, version as this crate's.
///
/// A component of the Component Model, binary version 13, for any engine that has 128-bit vectors.
/// It imports what the world in `wit/world.wit` imports and nothing else. The names of its
/// functions are kept, its debug information is not. The same source and compiler give the same
/// bytes in every checkout.
pub const PLUGIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/iamseal.wasm"));
