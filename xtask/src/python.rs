//! Python with the packages of the interoperability tests and of the Python example, in a folder of the
//! workspace's own.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::apt;
use crate::fetched::{PYTHON, debian};
use crate::run::{Failure, in_workspace, run, say, succeeds};

/// Makes sure of a virtual environment with exactly the packages that the lists ask for, and returns
/// its interpreter. Packages are installed again only when a list has changed.
///
/// # Errors
/// There is no Python that can make one and none can be installed, or a package cannot be had. The
/// text says what to do.
pub fn ensure() -> Result<PathBuf, Failure> {
    let lists = PYTHON.map(in_workspace);
    let mut wanted = Vec::new();
    for list in &lists {
        wanted.extend(fs::read(list).map_err(|error| format!("{}: {error}", list.display()))?);
    }
    let folder = in_workspace(".cache/python");
    let python = folder.join("bin/python");
    // A copy of the lists, written last: it is there only where everything on it is.
    let installed = folder.join("installed.txt");
    if python.is_file() && fs::read(&installed).is_ok_and(|had| had == wanted) {
        say(&format!("the tests' Python is {}", python.display()));
        return Ok(python);
    }

    let interpreter = interpreter()?;
    run(
        "make an environment for the tests' Python packages",
        Command::new(interpreter)
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    run(
        "install the tests' Python packages",
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                // A package that is built here runs code of its own that no hash of ours is for.
                "--only-binary=:all:",
                "--no-input",
                "--disable-pip-version-check",
            ])
            .args(
                lists
                    .iter()
                    .flat_map(|list| [OsStr::new("--requirement"), list.as_os_str()]),
            ),
    )?;
    fs::write(&installed, wanted)?;
    Ok(python)
}

/// A Python 3 that can make virtual environments. Debian keeps that part in a package of its own.
fn interpreter() -> Result<&'static str, Failure> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let by_apt = apt::install(&debian::PYTHON);
    if let Some(found) = find() {
        return Ok(found);
    }
    let reason = by_apt
        .err()
        .map(|failure| format!("{failure}\n"))
        .unwrap_or_default();
    Err(format!(
        "{reason}\
        iamseal's tests need Python 3 with the modules `venv` and `ensurepip`, and this machine has none. \
        Install it, on Debian with\n    \
        apt-get install python3 python3-venv\n\
        then run this command again."
    )
    .into())
}

fn find() -> Option<&'static str> {
    // A Python of one's own often comes first on PATH and may lack what Debian's has.
    let able = |name: &&str| succeeds(Command::new(name).args(["-c", "import ensurepip, venv"]));
    ["python3", "/usr/bin/python3"].into_iter().find(able)
}
