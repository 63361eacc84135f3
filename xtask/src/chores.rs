//! What each subcommand does.

use std::ffi::{OsStr, OsString};

use crate::cxx;
use crate::fuzz;
use crate::python;
use crate::run::{Failure, cargo, run, say};
use crate::target::{self, TARGET, Toolchain};

/// The members that are built for this machine. The plugin is built by `guest/component`.
pub const NATIVE: [&str; 3] = ["--workspace", "--exclude", "iamseal-plugin"];

/// Gets everything that building and testing need.
pub fn setup() -> Result<(), Failure> {
    target::ensure()?;
    cxx::ensure()?;
    python::ensure()?;
    say("all that building and testing need is here");
    Ok(())
}

/// Builds the tool and runs its demonstration.
pub fn demo(further: &[OsString]) -> Result<(), Failure> {
    target::ensure()?;
    run(
        "build the tool and show its main job",
        cargo()
            .args([
                "run",
                "--package",
                "iamseal",
                "--bin",
                "iamseal",
                "--",
                "demo",
            ])
            .args(further),
    )
}

/// Runs all tests, to the last one even when one fails; then the fuzz targets for a while, unless only
/// some tests were asked for.
pub fn test(further: &[OsString]) -> Result<(), Failure> {
    target::ensure()?;
    cxx::ensure()?;
    let python = python::ensure()?;
    run(
        "run all tests",
        cargo()
            .args(["test", "--no-fail-fast"])
            .args(NATIVE)
            .args(further)
            .env("IAMSEAL_PYTHON", python),
    )?;
    match further.is_empty() {
        true => fuzz::among_tests(),
        false => Ok(()),
    }
}

/// Looks for bugs.
pub fn fuzz(target: Option<&str>, seconds: u32) -> Result<(), Failure> {
    target::ensure()?;
    cxx::ensure()?;
    fuzz::fuzz(target, seconds)
}

/// Runs one input of a fuzz target again.
pub fn repeat(target: &str, input: &OsStr) -> Result<(), Failure> {
    target::ensure()?;
    cxx::ensure()?;
    fuzz::repeat(target, input)
}

/// Runs the benchmark, which also starts the tool itself.
pub fn bench(further: &[OsString]) -> Result<(), Failure> {
    target::ensure()?;
    run(
        "build the tool",
        cargo().args([
            "build",
            "--release",
            "--package",
            "iamseal",
            "--bin",
            "iamseal",
        ]),
    )?;
    run(
        "measure",
        cargo()
            .args(["bench", "--package", "iamseal-tests", "--bench", "boundary"])
            .args(further),
    )
}

/// Checks formatting, lints and documentation; the first that is not right ends it.
pub fn lint() -> Result<(), Failure> {
    let toolchain = target::ensure()?;
    cxx::ensure()?;
    run(
        "check formatting",
        cargo().args(["fmt", "--all", "--check"]),
    )?;
    run(
        "check lints",
        cargo()
            .arg("clippy")
            .args(NATIVE)
            .args(["--all-targets", "--", "--deny", "warnings"]),
    )?;
    lint_plugin(&toolchain)?;
    run(
        "check documentation",
        cargo()
            .arg("doc")
            .args(NATIVE)
            .arg("--no-deps")
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}

fn lint_plugin(toolchain: &Toolchain) -> Result<(), Failure> {
    if let Toolchain::FromSource { .. } = toolchain {
        // Debian's compiler has no Clippy, and rustup's does not read Debian's libraries.
        say(&format!(
            "NOT checked: Clippy's lints of iamseal-plugin, which need `rustup target add {TARGET}`; \
            the compiler's own were checked when it was built"
        ));
        return Ok(());
    }
    run(
        "check the plugin's lints",
        // In release, as it is built: the macros it needs are compiled without optimisation there.
        cargo()
            .args([
                "clippy",
                "--release",
                "--package",
                "iamseal-plugin",
                "--target",
                TARGET,
            ])
            .args(["--", "--deny", "warnings"]),
    )
}
