//! Builds `guest/plugin` for wasm32-wasip2, once for each of its worlds, so that the bytes in this
//! crate are always those of the source beside it.
//!
//! The bytes depend on the source, `Cargo.lock` and the compiler alone: folders are mapped to fixed
//! names, and nothing that the outer build was told (flags, profiles, wrappers) reaches the inner one.

#[path = "build/inner.rs"]
mod inner;
#[path = "build/metadata.rs"]
mod metadata;
#[path = "build/toolchain.rs"]
mod toolchain;

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use inner::Inner;

/// The components: their names, and the features of `guest/plugin` that they have.
const COMPONENTS: [(&str, &str); 2] = [("iamseal", "writer"), ("iamseal-auditor", "")];

/// What the components are made of, below the workspace's root.
const SOURCES: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    "guest/component/build.rs",
    "guest/component/build",
    "guest/core",
    "guest/plugin",
    "wit",
];

fn main() -> ExitCode {
    inner::run(build)
}

fn build() -> Result<(), Box<dyn Error>> {
    // The component is the same for debug, release and clippy, so the folder is none of theirs.
    let inner = Inner::new(2, "guest", &SOURCES)?;
    for (name, features) in COMPONENTS {
        let mut bytes = inner.build(features, |_| {})?;
        metadata::append(&mut bytes, name);
        fs::write(inner.out().join(name).with_extension("wasm"), bytes)?;
    }
    Ok(())
}
