//! Which compiler on this machine can build for wasm32-wasip2.

use std::ffi::OsStr;
use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target the component is built for.
pub const TARGET: &str = "wasm32-wasip2";

/// What a person can do on a machine that has no way to build the component.
pub const CURE: &str = "\
iamseal's component needs a compiler for wasm32-wasip2, and this machine has none. Do one of these:
    rustup target add wasm32-wasip2
    apt-get install --no-install-recommends rustc-web rust-web-src
The second is for Debian where rustup cannot download, with rustc 1.95 or later in those packages.";

/// Debian's compiler: packaged in step with its library source, so it can build the target's
/// libraries itself.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A way to build for [`TARGET`].
pub enum Toolchain {
    /// The active toolchain has the target's libraries.
    Installed {
        /// The folder of the libraries.
        libraries: PathBuf,
    },
    /// Debian's compiler builds the target's libraries from source; the active toolchain, which has
    /// the linkers that Debian lacks, links.
    FromSource {
        /// Debian's compiler.
        rustc: PathBuf,
        /// The folder of `wasm-component-ld` in the active toolchain.
        linkers: PathBuf,
    },
}

impl Toolchain {
    /// Looks for a way to build for [`TARGET`], where `rustc` is the active compiler. `None` if there
    /// is none; [`CURE`] says what to do then.
    pub fn find(rustc: &OsStr) -> Option<Self> {
        let libraries = path_from(rustc, &["--print", "target-libdir", "--target", TARGET]);
        if let Some(libraries) = libraries.filter(|folder| folder.is_dir()) {
            return Some(Self::Installed { libraries });
        }
        let sysroot = path_from(rustc, &["--print", "sysroot"])?;
        let host = print(rustc, &["--print", "host-tuple"])?;
        let linkers = sysroot.join("lib/rustlib").join(host).join("bin");
        let debian = Path::new(DEBIAN_RUSTC);
        let has_linkers =
            linkers.join("wasm-component-ld").is_file() && wasm_ld(&linkers).is_file();
        (has_linkers
            && is_new_enough(debian)
            && library_source(debian)?.join("Cargo.lock").is_file())
        .then(|| Self::FromSource {
            rustc: debian.to_path_buf(),
            linkers,
        })
    }
}

impl Display for Toolchain {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Installed { libraries } => {
                write!(f, "the {TARGET} libraries in {}", libraries.display())
            }
            Self::FromSource { rustc, linkers } => {
                write!(
                    f,
                    "{} with its library source, and the linkers in {}",
                    rustc.display(),
                    linkers.display()
                )
            }
        }
    }
}

/// The WebAssembly linker beside `wasm-component-ld`.
pub fn wasm_ld(linkers: &Path) -> PathBuf {
    linkers.join("gcc-ld/wasm-ld")
}

/// Where `-Zbuild-std` looks for the source of the standard library.
pub fn library_source(rustc: &Path) -> Option<PathBuf> {
    Some(
        path_from(rustc.as_os_str(), &["--print", "sysroot"])?.join("lib/rustlib/src/rust/library"),
    )
}

/// Whether `rustc` is there and at least the version that the workspace is written for. An older
/// Debian package would only fail later, deep inside the build.
fn is_new_enough(rustc: &Path) -> bool {
    let version = print(rustc.as_os_str(), &["--version"]);
    let found = version
        .as_deref()
        .and_then(|line| minor(line.strip_prefix("rustc ")?));
    found.is_some() && found >= minor(env!("CARGO_PKG_RUST_VERSION"))
}

/// `95` of `1.95.0`.
fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("1.")?.split('.').next()?.parse().ok()
}

fn path_from(rustc: &OsStr, arguments: &[&str]) -> Option<PathBuf> {
    print(rustc, arguments).map(PathBuf::from)
}

/// What `rustc` prints, or `None` if it is not there or refuses.
fn print(rustc: &OsStr, arguments: &[&str]) -> Option<String> {
    let output = Command::new(rustc).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_minor_number() {
        assert_eq!(minor("1.95"), Some(95));
        assert_eq!(
            minor("1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"),
            Some(96)
        );
        assert_eq!(minor("1.100.0-nightly"), Some(100));
        assert_eq!(minor("2.0.0"), None);
        assert_eq!(minor("1.x"), None);
    }

    #[test]
    fn a_compiler_that_is_not_there_is_no_way_to_build() {
        assert!(Toolchain::find(OsStr::new("/nonexistent/rustc")).is_none());
        assert!(!is_new_enough(Path::new("/nonexistent/rustc")));
    }
}
