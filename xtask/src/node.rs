//! Node.js with the packages of the Node example, in the example's own folder, where Node looks for them.

use std::fs;
use std::process::Command;

use crate::apt;
use crate::fetched::{NODE, debian};
use crate::run::{Failure, in_workspace, run, say, succeeds};

/// The oldest release that the example and its packages run on.
const OLDEST: u32 = 20;

/// Makes sure of the packages that the example's lock file names, and returns the command that starts
/// Node. Packages are installed again only when the lock file has changed.
///
/// # Errors
/// There is no Node that is new enough and none can be installed, or a package cannot be had. The text
/// says what to do.
pub fn ensure() -> Result<&'static str, Failure> {
    let node = node()?;
    let folder = in_workspace(NODE);
    let lock = folder.join("package-lock.json");
    let wanted = fs::read(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    // A copy of the lock file, written last: it is there only where all of it is.
    let installed = folder.join("node_modules/installed.json");
    if fs::read(&installed).is_ok_and(|had| had == wanted) {
        say(&format!(
            "the packages of the Node example are in {}/node_modules",
            folder.display()
        ));
        return Ok(node);
    }
    run(
        "install the packages of the Node example",
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder),
    )?;
    fs::write(&installed, wanted)?;
    Ok(node)
}

/// A Node that is new enough, with npm.
fn node() -> Result<&'static str, Failure> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let by_apt = apt::install(&debian::NODE);
    if let Some(found) = find() {
        return Ok(found);
    }
    let reason = by_apt
        .err()
        .map(|failure| format!("{failure}\n"))
        .unwrap_or_default();
    Err(format!(
        "{reason}\
        iamseal's tests need Node.js {OLDEST} or later with npm, and this machine has none. Install it, on \
        Debian 13 or later with\n    \
        apt-get install nodejs npm\n\
        else from https://nodejs.org, then run this command again."
    )
    .into())
}

fn find() -> Option<&'static str> {
    let has_npm = succeeds(Command::new("npm").arg("--version"));
    // A Node of one's own often comes first on PATH and may be older than Debian's.
    let mut nodes = ["node", "/usr/bin/node"].into_iter();
    nodes.find(|node| has_npm && version(node).is_some_and(|version| version >= OLDEST))
}

/// The first number of Node's version, `20` of `v20.20.2`.
fn version(node: &str) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    major(str::from_utf8(&output.stdout).ok()?)
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_first_number() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v9.11.2"), Some(9));
        assert_eq!(major("20.20.2"), None);
        assert_eq!(version("/nonexistent/node"), None);
    }
}
