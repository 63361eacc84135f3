//! A C++ compiler, which builds libFuzzer.

use std::env;
use std::process::Command;

use crate::apt;
use crate::run::{Failure, say, succeeds};

/// Makes sure of a C++ compiler, and installs Debian's where there is none.
///
/// # Errors
/// There is none and none can be installed. The text says what to do.
pub fn ensure() -> Result<(), Failure> {
    if let Some(found) = find() {
        say(&format!("libFuzzer is built with {found}"));
        return Ok(());
    }
    let by_apt = apt::install(&["g++"]);
    if find().is_some() {
        return Ok(());
    }
    let reason = by_apt
        .err()
        .map(|failure| format!("{failure}\n"))
        .unwrap_or_default();
    Err(format!(
        "{reason}\
        iamseal's fuzz targets need a C++ compiler, and this machine has none. Install one, on Debian with\n    \
        apt-get install g++\n\
        then run this command again, or name one in CXX."
    )
    .into())
}

/// The compiler that the build of libFuzzer takes.
fn find() -> Option<String> {
    let named = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    succeeds(Command::new(&named).arg("--version")).then_some(named)
}
