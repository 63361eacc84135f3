//! How things are printed. What is printed of objects is in `iamseal_words::report`.

use std::io::{self, IsTerminal as _, Write as _};

use iamseal_words::keys::given::without_keys;
use serde_json::json;

use crate::failure::Failure;
pub use crate::report::paint::{table, verdict};
use crate::report::words::json_line;

/// Prints a line on standard output.
///
/// # Errors
/// Whatever standard output says, a closed pipe included.
pub fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

/// Writes bytes to standard output.
///
/// # Errors
/// Whatever standard output says, a closed pipe included.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| Failure::from(error).about("standard output"))
}

/// Prints what a command comes to: on standard error, if standard output takes no more.
///
/// # Errors
/// Whatever standard output says.
pub fn summary(text: &str) -> Result<(), Failure> {
    line(text).inspect_err(|_| complain(text))
}

/// Prints a line on standard error; there is nowhere to say that this failed.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A note on standard error that is no failure.
pub fn note(json: bool, text: &str) {
    let text = &without_keys(text);
    if json {
        complain(&json_line(&json!({ "note": text })));
    } else {
        complain(&format!("note: {}", iamseal::harmless(text)));
    }
}

/// Whether a person watches standard error.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}
