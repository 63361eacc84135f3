//! The command as a component, under the stock wasmtime CLI.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::NamedTempFile;

use super::{Tool, program};

/// The command with these arguments. It is given the folder that all stores and files of the tests are
/// in, by the name that it has, and its environment, so that it takes the arguments of [`super::tool`].
pub fn component<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Tool {
    let options = ["-S", "inherit-env", "--dir", env!("CARGO_TARGET_TMPDIR")];
    wasmtime(options, arguments)
}

/// The command with these options of wasmtime and these arguments. wasmtime keeps its compiled code in
/// the tests' folder.
pub fn wasmtime<O: AsRef<OsStr>, A: AsRef<OsStr>>(
    options: impl IntoIterator<Item = O>,
    arguments: impl IntoIterator<Item = A>,
) -> Tool {
    let wasmtime = env::var_os("IAMSEAL_WASMTIME")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            panic!("`cargo xtask test` sets up and names the wasmtime CLI in IAMSEAL_WASMTIME")
        });
    let mut command = Command::new(wasmtime);
    command.arg("run").args(options).arg(file()).args(arguments);
    program(command)
}

/// The component's file, written once for each process of the tests.
fn file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let scratch = env!("CARGO_TARGET_TMPDIR");
        let made = NamedTempFile::new_in(scratch).unwrap();
        fs::write(&made, iamseal_dist::command().unwrap()).unwrap();
        // Another process may write the same bytes at the same time, so it comes into being whole.
        let file = Path::new(scratch).join("iamseal-command.wasm");
        made.persist(&file).unwrap();
        file
    })
}
