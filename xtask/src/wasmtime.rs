//! The stock wasmtime CLI, under which the tests run the command as a component.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Failure, cargo, in_workspace, run, say};

/// The release that the command is tested with: that of the library that the host uses.
const VERSION: &str = "48.0.8";

/// What of the CLI is needed: to compile components, run them and keep the compiled code. Everything
/// would take three times as long to build.
const FEATURES: &str = "run,component-model,cranelift,cache,parallel-compilation,compile";

/// Makes sure of the wasmtime CLI, of exactly [`VERSION`], in a folder of the workspace's own, and
/// returns its path.
///
/// # Errors
/// It is not there and does not build. The text says what to do.
pub fn ensure() -> Result<PathBuf, Failure> {
    let folder = in_workspace(".cache/wasmtime");
    let wasmtime = folder.join("bin/wasmtime");
    if is_wanted(&wasmtime) {
        say(&format!("the wasmtime CLI is {}", wasmtime.display()));
        return Ok(wasmtime);
    }
    say("the wasmtime CLI is built once, which takes some eight minutes on two cores");
    let build = folder.join("build");
    let built = run(
        "install the wasmtime CLI",
        cargo()
            .args(["install", "--quiet", "--locked", "--force"])
            .args(["--no-default-features", "--features", FEATURES])
            .arg("--root")
            .arg(&folder)
            .arg("--target-dir")
            .arg(&build)
            .arg(format!("wasmtime-cli@{VERSION}")),
    );
    built.map_err(|failure| {
        format!(
            "{failure}\n\
            iamseal's tests need the wasmtime CLI {VERSION}. Where it cannot be built, put a released \
            binary of that version at\n    {}\n\
            and run this command again.",
            wasmtime.display()
        )
    })?;
    // A gigabyte that nothing needs any more.
    fs::remove_dir_all(&build)?;
    if !is_wanted(&wasmtime) {
        return Err(format!("{} is not version {VERSION}", wasmtime.display()).into());
    }
    Ok(wasmtime)
}

fn is_wanted(wasmtime: &Path) -> bool {
    let output = Command::new(wasmtime).arg("--version").output();
    output.is_ok_and(|output| is_version(&output.stdout))
}

/// Whether this is what the wanted version prints; some builds add a commit and a date.
fn is_version(printed: &[u8]) -> bool {
    let mut words = printed.split(u8::is_ascii_whitespace);
    words.next() == Some(b"wasmtime") && words.next() == Some(VERSION.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_version_is_taken() {
        assert!(is_version(b"wasmtime 48.0.8\n"));
        assert!(is_version(b"wasmtime 48.0.8 (0123abcd 2026-01-01)\n"));
        assert!(!is_version(b"wasmtime 48.0.80\n"));
        assert!(!is_version(b"wasmtime 50.0.1\n"));
        assert!(!is_version(b""));
        assert!(!is_wanted(Path::new("/nonexistent/wasmtime")));
    }

    #[test]
    fn the_version_is_that_of_the_library() {
        let lock = fs::read_to_string(in_workspace("Cargo.lock")).unwrap();
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{VERSION}\"\n")));
    }
}
