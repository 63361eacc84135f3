//! ChaCha20-Poly1305 and XChaCha20-Poly1305 behind RustCrypto's `aead` traits.
//!
//! On WebAssembly with 128-bit vectors they are written here: four blocks of ChaCha20 at a time fill the
//! vectors, and Poly1305 runs beside them on what a processor has for numbers. RustCrypto's portable code
//! makes one block at a time, and hashes when all is encrypted. Everywhere else, and where a component is
//! built without vectors, they are RustCrypto's `chacha20poly1305`, which the tests compare with these.
//!
//! Nothing here branches on a secret or takes an address from one: there are additions, shifts, exclusive
//! ors and multiplications, and no table. `tests/tests/aead` watches the compiled code for it.
#![no_std]

pub use chacha20poly1305::aead;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use construction::{ChaCha20Poly1305, XChaCha20Poly1305};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod construction;
#[cfg(any(test, all(target_arch = "wasm32", target_feature = "simd128")))]
mod hash;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod stream;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector;
