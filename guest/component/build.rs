//! Builds the components for wasm32-wasip2, each package once for each of its worlds, so that the
//! bytes in this crate are always those of the source beside it.
//!
//! The bytes depend on the source, `Cargo.lock` and the compiler alone: folders are mapped to fixed
//! names, and nothing that the outer build was told (flags, profiles, wrappers) reaches the inner one.

#[path = "build/inner.rs"]
mod inner;
#[path = "build/metadata.rs"]
mod metadata;
#[path = "build/toolchain.rs"]
mod toolchain;

use std::env;
use std::error::Error;
use std::fs;
use std::process::ExitCode;

use inner::Inner;

/// A component: its name, its package and the features of that package that it has.
struct Component {
    name: &'static str,
    package: &'static str,
    features: &'static str,
}

/// What every host needs.
const PLUGINS: [Component; 4] = [
    Component {
        name: "iamseal",
        package: "iamseal-plugin",
        features: "writer",
    },
    Component {
        name: "iamseal-auditor",
        package: "iamseal-plugin",
        features: "",
    },
    Component {
        name: "iamseal-drive-store",
        package: "iamseal-drive-store",
        features: "",
    },
    Component {
        name: "iamseal-drive-store-writer",
        package: "iamseal-drive-store",
        features: "writer",
    },
];

/// What is joined with the plugin for hosts that know WASI alone; built with the feature `command`.
const COMMAND: [Component; 2] = [
    Component {
        name: "iamseal-adapters",
        package: "iamseal-adapters",
        features: "",
    },
    Component {
        name: "iamseal-command",
        package: "iamseal-command",
        features: "",
    },
];

/// What they are made of, below the workspace's root.
const SOURCES: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "guest/component/build.rs",
    "guest/component/build",
    "guest/core",
    "guest/data-key",
    "guest/drive-store",
    "guest/drives",
    "guest/plugin",
    "guest/runtime",
    "wit",
];

/// What the command is made of besides. It shares files with the host.
const COMMAND_SOURCES: [&str; 7] = [
    "guest/adapters",
    "guest/command",
    "host/cli/src/report",
    "host/src/describe.rs",
    "host/src/shown.rs",
    "host/src/keys",
    "host/src/storage/dir",
];

fn main() -> ExitCode {
    inner::run(build)
}

fn build() -> Result<(), Box<dyn Error>> {
    let mut components = Vec::from(PLUGINS);
    let mut sources = Vec::from(SOURCES);
    if env::var_os("CARGO_FEATURE_COMMAND").is_some() {
        components.extend(COMMAND);
        sources.extend(COMMAND_SOURCES);
    }
    // The components are the same for debug, release and clippy, so the folder is none of theirs.
    let inner = Inner::new(2, "guest", &sources)?;
    for component in components {
        let Component {
            name,
            package,
            features,
        } = component;
        let mut bytes = inner.build(package, features, |_| {})?;
        metadata::append(&mut bytes, name);
        fs::write(inner.out().join(name).with_extension("wasm"), bytes)?;
    }
    Ok(())
}
