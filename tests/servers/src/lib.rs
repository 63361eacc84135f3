//! The real servers that the tests run against: etcd, KES and MinIO on loopback, each in a folder of its
//! own, ended by its own process id when it is dropped and when the test's process is.
//!
//! `cargo xtask setup` puts the programs in `.cache/servers`; `IAMSEAL_SERVERS` names another folder.
// Helpers of tests may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

pub mod authority;
pub mod etcd;
pub mod kes;
pub mod minio;
pub mod port;
pub mod process;

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// One of the programs, in an environment that has nothing but the paths it needs.
///
/// # Panics
/// If it was not set up; the message says how.
pub fn program(name: &str) -> Command {
    let folder = env::var_os("IAMSEAL_SERVERS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache/servers"),
        PathBuf::from,
    );
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is not there: run `cargo xtask setup`, or name a folder that has it in IAMSEAL_SERVERS",
        path.display()
    );
    let mut command = Command::new(path);
    command.env_clear();
    command
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", env::temp_dir());
    command
}

/// Runs a program to its end.
///
/// # Panics
/// If it does not start or does not succeed; the message has what it said.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{:?} {:?}: {}{}",
        command.get_program(),
        command.get_args().collect::<Vec<&OsStr>>(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}
