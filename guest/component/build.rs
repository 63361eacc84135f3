//! Builds the components for wasm32-wasip2, each package once for each of its worlds, so that the
//! bytes in this crate are always those of the source beside it.
//!
//! The bytes depend on the source, `Cargo.lock` and the compiler alone: folders are mapped to fixed
//! names, and nothing that the outer build was told (flags, profiles, wrappers) reaches the inner one.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use iamseal_build::{Inner, metadata};

/// A component: its name, its package, the features of that package that it has, and settings of the
/// profile of its own.
struct Component {
    name: &'static str,
    package: &'static str,
    features: &'static str,
    profile: &'static [&'static str],
}

/// What every host needs.
const PLUGINS: [Component; 4] = [
    Component {
        name: "iamseal",
        package: "iamseal-plugin",
        features: "writer",
        profile: &[],
    },
    Component {
        name: "iamseal-auditor",
        package: "iamseal-plugin",
        features: "",
        profile: &[],
    },
    Component {
        name: "iamseal-drive-store",
        package: "iamseal-drive-store",
        features: "",
        profile: &[],
    },
    Component {
        name: "iamseal-drive-store-writer",
        package: "iamseal-drive-store",
        features: "writer",
        profile: &[],
    },
];

/// What is joined with the plugin for hosts that know WASI alone; built with the feature `command`. Unlike
/// the others they stand on the standard library. They compute little, so they are made small.
const COMMAND: [Component; 3] = [
    Component {
        name: "iamseal-drive-files",
        package: "iamseal-command",
        features: "drive-files",
        profile: &["profile.release.opt-level=\"s\""],
    },
    Component {
        name: "iamseal-adapters",
        package: "iamseal-command",
        features: "adapters",
        profile: &["profile.release.opt-level=\"s\""],
    },
    Component {
        name: "iamseal-command",
        package: "iamseal-command",
        features: "command",
        profile: &["profile.release.opt-level=\"s\""],
    },
];

/// What they are made of, below the workspace's root.
const SOURCES: [&str; 13] = [
    "Cargo.lock",
    "Cargo.toml",
    "guest/aes-gcm",
    "guest/build",
    "guest/chacha20-poly1305",
    "guest/component/build.rs",
    "guest/core",
    "guest/data-key",
    "guest/drive-store",
    "guest/drives",
    "guest/plugin",
    "guest/runtime",
    "wit",
];

/// What the command is made of besides.
const COMMAND_SOURCES: [&str; 2] = ["guest/command", "host/words"];

fn main() -> ExitCode {
    iamseal_build::run(build)
}

fn build() -> Result<(), Box<dyn Error>> {
    let mut sources = Vec::from(SOURCES);
    let has_command = env::var_os("CARGO_FEATURE_COMMAND").is_some();
    if has_command {
        sources.extend(COMMAND_SOURCES);
    }
    // The components are the same for debug, release and clippy, so the folder is none of theirs.
    let inner = Inner::new(2, "guest", &sources)?;
    for component in PLUGINS {
        make(&inner, &component)?;
    }
    for component in COMMAND.iter().filter(|_| has_command) {
        if inner.has_std() {
            make(&inner, component)?;
        } else {
            println!(
                "cargo::warning={} is left out: this compiler has no standard library for its target",
                component.name
            );
            fs::write(file(&inner, component), b"")?;
        }
    }
    Ok(())
}

fn make(inner: &Inner, component: &Component) -> Result<(), Box<dyn Error>> {
    let settings = component.profile.iter();
    let mut bytes = inner.build(component.package, component.features, |cargo| {
        cargo.args(settings.flat_map(|setting| ["--config", setting]));
    })?;
    metadata::append(&mut bytes, component.name);
    Ok(fs::write(file(inner, component), bytes)?)
}

fn file(inner: &Inner, component: &Component) -> PathBuf {
    inner.out().join(component.name).with_extension("wasm")
}
