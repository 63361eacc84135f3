//! The wasm32-wasip2 target, without which the component cannot be built.

use std::env;
use std::process::Command;

use iamseal_build::toolchain::CURE;
pub use iamseal_build::toolchain::{TARGET, Toolchain};

use crate::apt;
use crate::fetched::debian;
use crate::run::{Failure, run, say};

/// Finds a compiler for the target, and installs one where there is none: through rustup, and where
/// rustup cannot download, from Debian.
///
/// # Errors
/// Neither worked. The text says why, and what a person can do.
pub fn ensure() -> Result<Toolchain, Failure> {
    if let Some(toolchain) = find() {
        say(&format!("the component is built with {toolchain}"));
        return Ok(toolchain);
    }
    let mut rustup = Command::new("rustup");
    rustup
        .args(["target", "add", TARGET])
        .env("RUST_BACKTRACE", "0");
    let by_rustup = run("install the component's target", &mut rustup);
    if let Some(toolchain) = find() {
        return Ok(toolchain);
    }
    if let Err(failure) = &by_rustup {
        say(&format!("{failure}; trying Debian's compiler instead"));
    }
    let by_apt = apt::install(&debian::WASI);
    if let Some(toolchain) = find() {
        return Ok(toolchain);
    }
    let reasons = [by_rustup, by_apt].into_iter().filter_map(Result::err);
    let reasons = reasons
        .map(|failure| format!("{failure}\n"))
        .collect::<String>();
    Err(format!("{reasons}{CURE}").into())
}

fn find() -> Option<Toolchain> {
    Toolchain::find(&env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}
