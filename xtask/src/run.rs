//! Running other programs, each announced by a line before it starts.

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

/// Why a chore stopped, in words for the person who started it.
pub type Failure = Box<dyn Error>;

/// Tells the person what happens. It goes to stderr, so that a chore's stdout is its programs' own.
pub fn say(line: &str) {
    eprintln!("xtask: {line}");
}

/// How much of what failed tests said is told again, in lines: what a person reads before scrolling up.
const TOLD_AGAIN: usize = 300;

/// Says what `command` is for and how it reads, then runs it to its end and says how long that took.
///
/// # Errors
/// It does not start, or does not succeed.
pub fn run(purpose: &str, command: &mut Command) -> Result<(), Failure> {
    run_as(purpose, command, Command::status)
}

/// The same for tests, which go on when one fails: what those that failed said comes again at the end, where it
/// is not lost among thousands of lines, nor with the head of a log of which the tail alone is kept.
///
/// # Errors
/// As [`run`].
pub fn run_tests(purpose: &str, command: &mut Command) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let status = run_as(purpose, command, |command| {
        let mut tests = command.stdout(Stdio::piped()).spawn()?;
        if let Some(output) = tests.stdout.take() {
            failures = passed_on(BufReader::new(output), stdout())?;
        }
        tests.wait()
    });
    for line in failures.iter().take(TOLD_AGAIN) {
        say(line);
    }
    let further = failures.len().saturating_sub(TOLD_AGAIN);
    if further > 0 {
        say(&format!("and {further} lines more"));
    }
    status
}

fn run_as(
    purpose: &str,
    command: &mut Command,
    how: impl FnOnce(&mut Command) -> std::io::Result<ExitStatus>,
) -> Result<(), Failure> {
    let line = command_line(command);
    say(&format!("{purpose}: {line}"));
    let begin = Instant::now();
    let status = how(command).map_err(|error| format!("`{line}` did not start: {error}"))?;
    if status.success() {
        say(&format!("{purpose}: took {} s", begin.elapsed().as_secs()));
        Ok(())
    } else {
        Err(format!("`{line}` failed: {status}").into())
    }
}

/// Passes on what tests print, line by line, and returns what stands between `failures:` and the result: what each
/// failed test said, then their names.
fn passed_on(tests: impl BufRead, mut to: impl Write) -> std::io::Result<Vec<String>> {
    let mut failures = Vec::new();
    let mut is_told = false;
    for line in tests.split(b'\n') {
        let line = line?;
        to.write_all(&line)?;
        to.write_all(b"\n")?;
        let text = String::from_utf8_lossy(&line);
        is_told = match text.trim_end() {
            "failures:" => true,
            text if text.starts_with("test result:") => false,
            _ => is_told,
        };
        if is_told {
            failures.push(text.into_owned());
        }
    }
    Ok(failures)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_told_again_and_all_is_passed_on() {
        let printed = "test a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b ----\nb is lost\n\n\nfailures:\n    b\n\n\
                       test result: FAILED. 1 passed; 1 failed\ntest c ... ok\n";
        let mut passed = Vec::new();
        let failures = passed_on(printed.as_bytes(), &mut passed).expect("both are in memory");
        assert_eq!(String::from_utf8_lossy(&passed), printed);
        let told: Vec<_> = failures.iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(
            told,
            [
                "failures:",
                "---- b ----",
                "b is lost",
                "failures:",
                "    b"
            ]
        );
    }
}
