//! Builds the component that is fuzzed: the shipped one's source and flags, with a counter at each
//! branch and an export that returns the counters.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use iamseal_build::Inner;

/// What the component is made of, below the workspace's root.
const SOURCES: [&str; 13] = [
    "Cargo.lock",
    "Cargo.toml",
    "tests/fuzz/build.rs",
    "tests/fuzz/sancov",
    "tests/fuzz/wit",
    "guest/aes-gcm",
    "guest/build",
    "guest/chacha20-poly1305",
    "guest/core",
    "guest/data-key",
    "guest/plugin",
    "guest/runtime",
    "wit",
];

fn main() -> ExitCode {
    iamseal_build::run(build)
}

fn build() -> Result<(), Box<dyn Error>> {
    if env::var_os("CARGO_FEATURE_SANDBOX").is_none() {
        return Ok(());
    }
    let inner = Inner::new(2, "guest-fuzz", &SOURCES)?;
    let wrapper = Path::new(env!("CARGO_MANIFEST_DIR")).join("sancov");
    let bytes = inner.build("iamseal-plugin", "coverage", |cargo| {
        cargo
            .env("RUSTC_WORKSPACE_WRAPPER", wrapper)
            // The linker's optimiser would put counters into the crates that should have none.
            .args(["--config", "profile.release.lto=false"])
            // Arithmetic that overflows is a finding, not a number.
            .args(["--config", "profile.release.overflow-checks=true"]);
    })?;
    fs::write(inner.out().join("fuzzed.wasm"), bytes)?;
    Ok(())
}
