//! Builds the components for wasm32-wasip2, `guest/plugin` once for each of its worlds, so that the
//! bytes in this crate are always those of the source beside it.
//!
//! The bytes depend on the source, `Cargo.lock` and the compiler alone: folders are mapped to fixed
//! names, and nothing that the outer build was told (flags, profiles, wrappers) reaches the inner one.

#[path = "build/metadata.rs"]
mod metadata;
#[path = "build/toolchain.rs"]
mod toolchain;

use std::env;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use toolchain::{CURE, TARGET, Toolchain};

/// A component: its name, its package and the features of that package that it has.
struct Component {
    name: &'static str,
    package: &'static str,
    features: &'static str,
}

/// What every host needs.
const PLUGINS: [Component; 2] = [
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

/// What the plugins are made of, below the workspace's root.
const SOURCES: [&str; 8] = [
    "Cargo.lock",
    "Cargo.toml",
    "guest/component/build.rs",
    "guest/component/build",
    "guest/core",
    "guest/plugin",
    "guest/runtime",
    "wit",
];

/// What the command is made of besides. It shares files with the host.
const COMMAND_SOURCES: [&str; 6] = [
    "guest/adapters",
    "guest/command",
    "host/src/bin/iamseal/report",
    "host/src/describe.rs",
    "host/src/keys",
    "host/src/storage/dir",
];

/// The profile of the component, whatever that of the outer build: it is always run by someone who
/// waits for it, and a panic there ends in a trap. The names of functions stay, for backtraces.
const PROFILE: [&str; 6] = [
    "profile.release.codegen-units=1",
    "profile.release.debug=false",
    "profile.release.lto=\"fat\"",
    "profile.release.opt-level=3",
    "profile.release.panic=\"abort\"",
    "profile.release.strip=\"debuginfo\"",
];

/// Variables of Cargo that say where it finds crates, not how it builds them. The jobserver is among
/// them, so that both builds together use no more cores than were asked for.
const KEPT: [&str; 7] = [
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_MAKEFLAGS",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
];

/// How every component begins: the magic number, then version 13 of layer 1 (Component Model,
/// `Binary.md`). A core module has layer 0.
const PREAMBLE: [u8; 8] = *b"\0asm\x0d\0\x01\0";

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let root = workspace_root()?;
    let mut components = Vec::from(PLUGINS);
    let mut sources = Vec::from(SOURCES);
    if env::var_os("CARGO_FEATURE_COMMAND").is_some() {
        components.extend(COMMAND);
        sources.extend(COMMAND_SOURCES);
    }
    for source in sources {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    let out = PathBuf::from(variable("OUT_DIR")?);
    let toolchain = Toolchain::find(&variable("RUSTC")?)
        .ok_or_else(|| format!("{CURE}\n`cargo xtask setup` tries both."))?;

    let target_dir = inner_target_dir(&out);
    for component in components {
        let Component {
            name,
            package,
            features,
        } = component;
        let mut cargo = inner_cargo(&toolchain)?;
        cargo
            .current_dir(&root)
            .env("CARGO_ENCODED_RUSTFLAGS", flags(&toolchain, &root)?)
            .args(["--package", package])
            .args(["--no-default-features", "--features", features])
            .arg("--target-dir")
            .arg(&target_dir);
        if !cargo.status()?.success() {
            return Err(
                format!("{name} did not build with {toolchain}; its errors are below").into(),
            );
        }
        let file = format!("release/{}.wasm", package.replace('-', "_"));
        let built = target_dir.join(TARGET).join(file);
        let mut bytes =
            fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
        if !bytes.starts_with(&PREAMBLE) {
            return Err(format!(
                "{} is not a component: its linker left a core module",
                built.display()
            )
            .into());
        }
        metadata::append(&mut bytes, name);
        fs::write(out.join(name).with_extension("wasm"), bytes)?;
    }
    Ok(())
}

/// The inner build's own folder, which its lock needs. It lies at the top of the outer target folder,
/// which Cargo marks as a cache, because the component is the same for debug, release and clippy:
/// below `OUT_DIR` each would build it anew.
fn inner_target_dir(out: &Path) -> PathBuf {
    let is_cache = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
    out.ancestors().find(is_cache).unwrap_or(out).join("guest")
}

/// `cargo build` of a component in an environment that says nothing of the outer build.
fn inner_cargo(toolchain: &Toolchain) -> Result<Command, Box<dyn Error>> {
    let mut cargo = Command::new(variable("CARGO")?);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(tells_cargo_how_to_build) {
            cargo.env_remove(name);
        }
    }
    cargo
        .args(["build", "--quiet", "--locked", "--release"])
        .args(["--target", TARGET])
        .args(PROFILE.iter().flat_map(|setting| ["--config", setting]))
        .stdout(Stdio::null());
    if let Toolchain::FromSource { rustc, linkers } = toolchain {
        // `-Zbuild-std` is not stable; this compiler is let use it because nothing else can have the
        // target where rustup cannot download.
        cargo
            .arg("-Zbuild-std=core,alloc,panic_abort")
            .env("RUSTC", rustc)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("PATH", in_front_of_path(linkers)?);
    }
    Ok(cargo)
}

fn tells_cargo_how_to_build(name: &str) -> bool {
    let of_cargo = name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept));
    of_cargo || name.starts_with("RUSTC_") || name.starts_with("RUSTDOC") || name == "RUSTFLAGS"
}

/// The compiler's flags for the component, as Cargo takes them where a folder's name may hold spaces.
fn flags(toolchain: &Toolchain, root: &Path) -> Result<OsString, Box<dyn Error>> {
    // With 128-bit vectors SHA-256 is a quarter faster and ChaCha20 two fifths. Every engine that
    // runs components has them.
    let mut flags = vec![OsString::from("-Ctarget-feature=+simd128")];
    // The linker's own adapter is for programs of WASI 0.1. Unused, it still wants the interfaces of
    // WASI 0.2 whole, and `guest/command/wit/deps` has only the parts that are used.
    flags.push("-Clink-arg=--wasi-adapter=none".into());
    flags.push(remap(root, "/iamseal"));
    // Each registry has a folder, whose name says where the registry is and not what is in it.
    // There is none where all crates are vendored.
    for registry in fs::read_dir(cargo_home()?.join("registry/src"))
        .into_iter()
        .flatten()
    {
        flags.push(remap(&registry?.path(), "/crates"));
    }
    if let Toolchain::FromSource { rustc, linkers } = toolchain {
        flags.push(remap(
            &toolchain::library_source(rustc).ok_or(CURE)?,
            "/rust/library",
        ));
        // Debian's compiler takes its own linkers for granted, and has none for this target.
        flags.push("-Clink-self-contained=no".into());
        let mut linker = OsString::from("-Clink-arg=--wasm-ld-path=");
        linker.push(toolchain::wasm_ld(linkers));
        flags.push(linker);
    }
    Ok(flags.join(OsStr::new("\x1f")))
}

fn remap(folder: &Path, name: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(folder);
    flag.push("=");
    flag.push(name);
    flag
}

fn workspace_root() -> Result<PathBuf, Box<dyn Error>> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = here
        .ancestors()
        .nth(2)
        .ok_or("this crate has left the workspace")?;
    Ok(root.to_path_buf())
}

fn cargo_home() -> Result<PathBuf, Box<dyn Error>> {
    match env::var_os("CARGO_HOME") {
        Some(home) => Ok(home.into()),
        None => Ok(env::home_dir()
            .ok_or("neither CARGO_HOME nor a home folder")?
            .join(".cargo")),
    }
}

fn in_front_of_path(folder: &Path) -> Result<OsString, Box<dyn Error>> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_path_buf()).chain(env::split_paths(&path));
    Ok(env::join_paths(folders)?)
}

fn variable(name: &str) -> Result<OsString, Box<dyn Error>> {
    Ok(env::var_os(name).ok_or_else(|| format!("Cargo has not set {name}"))?)
}
