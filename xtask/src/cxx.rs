//! A C++ compiler, which builds libFuzzer.

use std::env;
use std::process::Command;

use crate::apt;
use crate::fetched::debian;
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
    let by_apt = apt::install(&debian::CXX);
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
    succeeds(&mut version(&named)?).then_some(named)
}

/// Asks a compiler for its version. A name may be a program with arguments, such as `ccache g++`.
fn version(named: &str) -> Option<Command> {
    let mut words = named.split_whitespace();
    let mut command = Command::new(words.next()?);
    command.args(words).arg("--version");
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_may_be_named_with_arguments() {
        let command = version("ccache g++ -m64").unwrap();
        assert_eq!(command.get_program(), "ccache");
        assert!(command.get_args().eq(["g++", "-m64", "--version"]));
        assert!(version(" ").is_none());
    }
}
