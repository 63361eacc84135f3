//! What each subcommand does.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::cxx;
use crate::fuzz;
use crate::node;
use crate::python;
use crate::run::{Failure, cargo, run, run_tests, say};
use crate::servers;
use crate::target::{self, TARGET, Toolchain};
use crate::wasmtime;

/// The members that are built for wasm32-wasip2 alone, by `guest/component`.
const GUESTS: [&str; 4] = [
    "iamseal-command",
    "iamseal-drive-store",
    "iamseal-plugin",
    "iamseal-runtime",
];

/// The other members, with what the tool's demonstration need not wait for.
pub fn native() -> Vec<&'static str> {
    let excluded = GUESTS.iter().flat_map(|guest| ["--exclude", guest]);
    let members = ["--workspace"].into_iter().chain(excluded);
    members.chain(["--features", "iamseal-cli/age"]).collect()
}

/// Gets everything that building and testing need.
pub fn setup() -> Result<(), Failure> {
    target::ensure()?;
    cxx::ensure()?;
    wasmtime::ensure(&python::ensure()?)?;
    node::ensure()?;
    servers::ensure()?;
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
                "iamseal-cli",
                "--bin",
                "iamseal",
                "--",
                "demo",
            ])
            .args(further),
    )
}

/// Runs all tests, to the last one even when one fails; then the fuzz targets for a while, unless only
/// some tests were asked for. Where there are no servers to test against, the last lines say so.
pub fn test(further: &[OsString]) -> Result<(), Failure> {
    target::ensure()?;
    cxx::ensure()?;
    let python = python::ensure()?;
    let node = node::ensure()?;
    let wasmtime = wasmtime::ensure(&python)?;
    let servers = servers::ensure();
    let mut tests = cargo();
    tests
        .args(["test", "--no-fail-fast"])
        .args(native())
        .args(further)
        .env("IAMSEAL_PYTHON", python)
        .env("IAMSEAL_NODE", node)
        .env("IAMSEAL_WASMTIME", wasmtime);
    if servers.is_err() {
        let has_program_arguments = further.iter().any(|argument| argument == "--");
        tests.args((!has_program_arguments).then_some("--"));
        tests.args(["--skip", servers::TESTS]);
    }
    run_tests("run all tests", &mut tests)?;
    if further.is_empty() {
        fuzz::among_tests()?;
    }
    let Err(why) = servers else {
        return Ok(());
    };
    let line = format!(
        "NOT run: the tests whose names begin with {}, against etcd, KES and MinIO: {why}",
        servers::TESTS
    );
    match env::var_os("CI") {
        // There everything has to run.
        Some(_) => Err(line.into()),
        None => {
            say(&line);
            Ok(())
        }
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

/// Runs a benchmark, each of which also starts the tool itself.
pub fn bench(name: &str, further: &[OsString]) -> Result<(), Failure> {
    target::ensure()?;
    run(
        "build the tool",
        cargo().args([
            "build",
            "--release",
            "--package",
            "iamseal-cli",
            "--bin",
            "iamseal",
        ]),
    )?;
    run(
        "measure",
        cargo()
            .args(["bench", "--package", "iamseal-tests", "--bench", name])
            .args(further),
    )
}

/// Brings the reference up to what the code says. The test that compares them does the writing: the names
/// and words are the tool's own, and nobody else sees them.
pub fn docs() -> Result<(), Failure> {
    target::ensure()?;
    run(
        "write docs/reference.md",
        cargo()
            .arg("test")
            .args(native())
            .args(["--bin", "iamseal", "the_reference_is_what_the_code_says"])
            .env("IAMSEAL_WRITE_DOCS", "1"),
    )?;
    run(
        "write docs/schema.json",
        cargo()
            .arg("test")
            .args(native())
            .args(["--test", "tool", "the_schema_is_what_the_reference_says"])
            .env("IAMSEAL_WRITE_DOCS", "1"),
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
            .args(native())
            .args(["--all-targets", "--", "--deny", "warnings"]),
    )?;
    run(
        "check the lints of what has no age",
        cargo()
            .args(["clippy", "--package", "iamseal-age", "--all-targets"])
            .args(["--", "--deny", "warnings"]),
    )?;
    lint_guests(&toolchain)?;
    run(
        "check documentation",
        cargo()
            .arg("doc")
            .args(native())
            // Without them what is behind them would not be read.
            .args(["--features", "iamseal/metrics,iamseal/object-store"])
            .arg("--no-deps")
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}

/// Makes a release and writes it into `folder`.
pub fn dist(folder: &Path) -> Result<(), Failure> {
    target::ensure()?;
    run(
        "make a release and check it",
        cargo()
            .args(["run", "--quiet", "--package", "iamseal-dist", "--"])
            .arg(folder),
    )
}

fn lint_guests(toolchain: &Toolchain) -> Result<(), Failure> {
    if let Toolchain::FromSource { .. } = toolchain {
        // Debian's compiler has no Clippy, and rustup's does not read Debian's libraries.
        say(&format!(
            "NOT checked: Clippy's lints of {}, which need `rustup target add {TARGET}`; \
            the compiler's own were checked when they were built",
            GUESTS.join(", ")
        ));
        return Ok(());
    }
    // Each on its own: what the command has of its dependencies takes in the standard library.
    GUESTS.iter().try_for_each(|guest| {
        run(
            &format!("check the lints of {guest}"),
            // In release, as they are built: the macros it needs are compiled without optimisation there.
            cargo()
                .args(["clippy", "--release", "--target", TARGET])
                .args(["--package", guest])
                .args(["--", "--deny", "warnings"]),
        )
    })
}
