//! Builds the component that the tests of AEADs trace, with the compiler and the flags of those that
//! are shipped.

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use iamseal_build::Inner;

/// What the component is made of, below the workspace's root.
const SOURCES: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    "guest/aes-gcm",
    "guest/build",
    "guest/chacha20-poly1305",
    "guest/runtime",
    "tests/aead",
];

fn main() -> ExitCode {
    iamseal_build::run(build)
}

fn build() -> Result<(), Box<dyn Error>> {
    // The folder of the shipped ones: what both are made of is built once.
    let inner = Inner::new(1, "guest", &SOURCES)?;
    let bytes = inner.build("iamseal-tests-aead", "", |_| ())?;
    fs::write(inner.out().join("aead.wasm"), bytes)?;
    Ok(())
}
