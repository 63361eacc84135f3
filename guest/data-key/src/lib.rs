//! What a key does for an object: it wraps data keys, and a root credential derives them.
//!
//! A host compiles this natively and keeps its keys to itself; the component compiles it for hosts that
//! lend the bytes of their keys because they cannot do this themselves. Nothing here does I/O, and
//! every input but the keys may be hostile: nothing panics, recursion is bounded, and what is allocated
//! is bounded by the size of the input.
#![no_std]

extern crate alloc;

pub mod base64;
pub mod json;
mod root;
mod signature;
mod wrapped;

use alloc::vec::Vec;

use zeroize::Zeroizing;

pub use root::{KeyDerivation, Memory, SALT};
pub use signature::{SIGNATURE, secret_key, sign, signed};
pub use wrapped::{Encoding, KEY, KeyCipher, Made, RANDOM, TooShort, Wrapped, make};

/// Bytes that are wiped when they are dropped.
pub type Secret = Zeroizing<Vec<u8>>;
