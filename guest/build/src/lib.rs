//! Builds the components: which compiler does, how, and what they say of themselves. Whatever is released,
//! tested or fuzzed is built by this code, and set-up installs what it looks for.

mod inner;
#[cfg(feature = "metadata")]
pub mod metadata;
pub mod toolchain;

pub use inner::{Inner, run};
