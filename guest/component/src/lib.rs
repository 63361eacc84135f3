//! The components, built from the source beside this crate, as bytes.
//!
//! It is a crate of its own so that a host can embed a component without knowing how it is built:
//! another target, another profile, no standard library.
//!
//! Each is a component of the Component Model, binary version 13, for any engine that has 128-bit
//! vectors. It imports what its world in `wit/world.wit` imports and nothing else. Custom sections
//! hold its name, version, licence and source; the names of its functions are kept, its debug
//! information is not. The same source and compiler give the same bytes in every checkout.

#![no_std]

/// The component of the world `iamseal:plugin/plugin`, version as this crate's.
pub const PLUGIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/iamseal.wasm"));

/// The component of the world `iamseal:plugin/auditor`, version as this crate's: it has no way to
/// write, seal or make a key.
pub const AUDITOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/iamseal-auditor.wasm"));

/// The component of the world `iamseal:plugin/drive-store`: MinIO's drives as a store. It holds no keys
/// and has no way to write.
pub const DRIVE_STORE: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/iamseal-drive-store.wasm"));

/// The component of the world `iamseal:plugin/drive-store-writer`: the same, and a way to replace objects.
/// It holds no keys.
pub const DRIVE_STORE_WRITER: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/iamseal-drive-store-writer.wasm"));

/// The component of the world `iamseal:command/adapters`: keys and a store through WASI. Empty where the
/// compiler had no standard library for wasm32-wasip2, as [`COMMAND`] is then.
#[cfg(feature = "command")]
pub const ADAPTERS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/iamseal-adapters.wasm"));

/// The component of the world `iamseal:command/drive-files`: the files of drives through WASI. Empty as
/// [`ADAPTERS`] is.
#[cfg(feature = "command")]
pub const DRIVE_FILES: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/iamseal-drive-files.wasm"));

/// The component of the world `iamseal:command/command`: the command line. It is of use only joined
/// with [`PLUGIN`], [`DRIVE_STORE`], [`DRIVE_FILES`] and [`ADAPTERS`].
#[cfg(feature = "command")]
pub const COMMAND: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/iamseal-command.wasm"));
