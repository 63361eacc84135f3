//! AES-256-GCM behind RustCrypto's `aead` traits: [`Aes256Gcm`].
//!
//! On WebAssembly with 128-bit vectors it is written here, since compilers make little of RustCrypto's
//! portable code there: two to three times as fast. Everywhere else, and where a component is built
//! without vectors, it is RustCrypto's `aes-gcm`, which the tests compare with this one.
//!
//! Nothing here branches on a secret or takes an address from one: tables are vectors that bytes
//! permute (`permute`, `ghash`), or there is none (`bitslice`). `tests/tests/aead` watches the compiled code
//! for it.
#![no_std]

pub use aes_gcm::{Aes128Gcm, aead};

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub use aes_gcm::Aes256Gcm;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use gcm::Aes256Gcm;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod bitslice;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod gcm;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod ghash;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod permute;
#[cfg(any(test, all(target_arch = "wasm32", target_feature = "simd128")))]
mod tables;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector;
