//! Building the components for wasm32-wasip2 inside a build script.

use std::env;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::toolchain::{self, CURE, TARGET, Toolchain};

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

/// A build of components.
pub struct Inner {
    toolchain: Toolchain,
    root: PathBuf,
    target_dir: PathBuf,
    out: PathBuf,
}

impl Inner {
    /// A build for the crate whose build script this is, `depth` folders below the workspace's root,
    /// in its own folder `name` of the target folder. What it is made of, `sources` below the root,
    /// is watched for changes.
    ///
    /// # Errors
    /// There is no compiler for the target. The text says what to do.
    pub fn new(depth: usize, name: &str, sources: &[&str]) -> Result<Self, Box<dyn Error>> {
        let root = workspace_root(depth)?;
        for source in sources {
            println!("cargo::rerun-if-changed={}", root.join(source).display());
        }
        let out = PathBuf::from(variable("OUT_DIR")?);
        let toolchain = Toolchain::find(&variable("RUSTC")?)
            .ok_or_else(|| format!("{CURE}\n`cargo xtask setup` tries both."))?;
        Ok(Self {
            toolchain,
            root,
            target_dir: inner_target_dir(&out, name),
            out,
        })
    }

    /// Whether there is a standard library for the target.
    pub fn has_std(&self) -> bool {
        matches!(self.toolchain, Toolchain::Installed { .. })
    }

    /// Where this build script leaves what it made.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// Builds the component of this package with these features. `change` has the last word on the
    /// command.
    ///
    /// # Errors
    /// It does not build (the compiler has said why), or what is built is no component.
    pub fn build(
        &self,
        package: &str,
        features: &str,
        change: impl FnOnce(&mut Command),
    ) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut cargo = inner_cargo(&self.toolchain)?;
        cargo
            .current_dir(&self.root)
            .env(
                "CARGO_ENCODED_RUSTFLAGS",
                flags(&self.toolchain, &self.root)?,
            )
            .args(["--package", package])
            .args(["--no-default-features", "--features", features])
            .arg("--target-dir")
            .arg(&self.target_dir);
        change(&mut cargo);
        if !cargo.status()?.success() {
            let toolchain = &self.toolchain;
            return Err(format!(
                "{package} with the features `{features}` did not build with {toolchain}; its errors \
                 are below"
            )
            .into());
        }
        let release = self.target_dir.join(TARGET).join("release");
        let built = release.join(format!("{}.wasm", package.replace('-', "_")));
        let bytes = fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
        if !bytes.starts_with(&PREAMBLE) {
            return Err(format!(
                "{} is not a component: its linker left a core module",
                built.display()
            )
            .into());
        }
        Ok(bytes)
    }
}

/// Does the work of a build script, and shows its failure as Cargo shows a compiler's.
pub fn run(script: impl FnOnce() -> Result<(), Box<dyn Error>>) -> ExitCode {
    match script() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

/// The inner build's own folder, which its lock needs. It lies at the top of the outer target folder,
/// which Cargo marks as a cache, because what is built is the same for debug, release and clippy:
/// below `OUT_DIR` each would build it anew.
fn inner_target_dir(out: &Path, name: &str) -> PathBuf {
    let is_cache = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
    out.ancestors().find(is_cache).unwrap_or(out).join(name)
}

/// `cargo build` of the plugin in an environment that says nothing of the outer build.
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
    // The linker's own adapter is for programs of WASI 0.1, and there are none.
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

fn workspace_root(depth: usize) -> Result<PathBuf, Box<dyn Error>> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = here
        .ancestors()
        .nth(depth)
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
