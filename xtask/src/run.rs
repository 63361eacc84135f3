//! Running other programs, each announced by a line before it starts.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Why a chore stopped, in words for the person who started it.
pub type Failure = Box<dyn Error>;

/// Tells the person what happens. It goes to stderr, so that a chore's stdout is its programs' own.
pub fn say(line: &str) {
    eprintln!("xtask: {line}");
}

/// Says what `command` is for and how it reads, then runs it to its end and says how long that took.
///
/// # Errors
/// It does not start, or does not succeed.
pub fn run(purpose: &str, command: &mut Command) -> Result<(), Failure> {
    let line = command_line(command);
    say(&format!("{purpose}: {line}"));
    let begin = Instant::now();
    let status = command
        .status()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    if status.success() {
        say(&format!("{purpose}: took {} s", begin.elapsed().as_secs()));
        Ok(())
    } else {
        Err(format!("`{line}` failed: {status}").into())
    }
}

/// Whether `command` starts and succeeds. Nothing that it prints is shown.
pub fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// The Cargo that started this program, without what it said of this program: crates that watch such
/// variables, as ring does, would be built again after each `cargo` that is typed by hand.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
    command
}

/// A path below the workspace's root.
pub fn in_workspace(path: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).join(path)
}

/// A command as a person would type it, but for quotes: Cargo by its name alone.
fn command_line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
