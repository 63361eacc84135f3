//! Debian's packages, installed where this user may install them.

use std::io::{IsTerminal, stdin};
use std::process::{Command, Stdio};

use crate::run::{Failure, run, succeeds};

/// Installs packages with `apt-get`: as root directly, else through `sudo`, which may ask for a
/// password on a terminal.
///
/// # Errors
/// There is no `apt-get`, this user may not install, or a package cannot be had. The text says which,
/// and the caller adds what to do.
pub fn install(packages: &[&str]) -> Result<(), Failure> {
    if !succeeds(Command::new("apt-get").arg("--version")) {
        return Err("this machine has no apt-get".into());
    }
    // Some of the package lists may be out of reach and the one that counts be there, so only the
    // installation decides.
    let updated = run(
        "get the lists of Debian's packages",
        apt_get()?.args(["update", "--quiet=2"]),
    );
    let installed = run(
        "install packages of Debian",
        apt_get()?
            .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
            // A machine that has just started may be installing its own updates.
            .args(["--option", "DPkg::Lock::Timeout=300"])
            .args(packages)
            .stdin(Stdio::null())
            // Each step of each package; what goes wrong is on stderr.
            .stdout(Stdio::null()),
    );
    installed.map_err(|failure| match updated {
        Ok(()) => failure,
        Err(earlier) => format!("{earlier}, then {failure}").into(),
    })
}

/// `apt-get` with root's rights, and without its questions.
fn apt_get() -> Result<Command, Failure> {
    let id = Command::new("id").arg("-u").output()?;
    let mut command = Command::new("env");
    if id.stdout.trim_ascii() != b"0" {
        if !succeeds(Command::new("sudo").arg("--version")) {
            return Err("only root may install packages, and this machine has no sudo".into());
        }
        command = Command::new("sudo");
        if !stdin().is_terminal() {
            command.arg("--non-interactive");
        }
        command.arg("env");
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    Ok(command)
}
