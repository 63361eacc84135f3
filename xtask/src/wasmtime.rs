//! The stock wasmtime CLI, under which the tests run the command as a component.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Failure, say};

/// The releases that the command is tested with: any of the line that the host's library is of.
const LINE: &str = "48.0.";

/// Where the Python package has it.
const FIND: &str = "import wasmtime_cli; print(wasmtime_cli._binary_path(), end='')";

/// Finds the wasmtime CLI among the packages of the tests' Python, and returns its path.
///
/// # Errors
/// It is not there, or of another line.
pub fn ensure(python: &Path) -> Result<PathBuf, Failure> {
    let output = Command::new(python).args(["-c", FIND]).output()?;
    let wasmtime = PathBuf::from(String::from_utf8(output.stdout)?);
    if wasmtime.is_file() {
        // The package leaves that out.
        fs::set_permissions(&wasmtime, Permissions::from_mode(0o755))?;
    }
    let printed = Command::new(&wasmtime).arg("--version").output();
    if !printed.is_ok_and(|output| is_wanted(&output.stdout)) {
        return Err(format!(
            "iamseal's tests need the wasmtime CLI {LINE}x, and {} has none; remove the folder .cache/python \
            and run this command again",
            python.display()
        )
        .into());
    }
    say(&format!("the wasmtime CLI is {}", wasmtime.display()));
    Ok(wasmtime)
}

/// Whether this is what a wanted release prints; some builds add a commit and a date.
fn is_wanted(printed: &[u8]) -> bool {
    let mut words = printed.split(u8::is_ascii_whitespace);
    words.next() == Some(b"wasmtime")
        && words
            .next()
            .is_some_and(|version| version.starts_with(LINE.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::in_workspace;

    #[test]
    fn only_the_line_is_taken() {
        assert!(is_wanted(b"wasmtime 48.0.2\n"));
        assert!(is_wanted(b"wasmtime 48.0.8 (0123abcd 2026-01-01)\n"));
        assert!(!is_wanted(b"wasmtime 48.1.0\n"));
        assert!(!is_wanted(b"wasmtime 50.0.1\n"));
        assert!(!is_wanted(b""));
        assert!(ensure(Path::new("/nonexistent/python")).is_err());
    }

    #[test]
    fn the_line_is_that_of_the_library() {
        let lock = fs::read_to_string(in_workspace("Cargo.lock")).unwrap();
        assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{LINE}")));
    }
}
