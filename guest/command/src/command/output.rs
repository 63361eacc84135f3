//! Standard input, output and error.

use std::io::{self, ErrorKind, IsTerminal as _, Read as _, Write as _};

use iamseal_words::limits::OBJECT_BYTES;
use iamseal_words::report::cause::Cause;
use iamseal_words::report::{notes, words};
use iamseal_words::shown::harmless;
use serde_json::json;

use super::failure::Failure;

/// Prints a line on standard output.
///
/// # Errors
/// Standard output was closed, or it cannot be written.
pub fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

/// Writes bytes to standard output.
///
/// # Errors
/// Standard output was closed, or it cannot be written.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| failed(&error, "standard output"))
}

/// Prints a line on standard error; there is nowhere to say that this failed.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A note on standard error that is no failure.
pub fn note(json: bool, text: &str) {
    if json {
        complain(&words::json_line(&json!({ "note": text })));
    } else {
        complain(&format!("note: {}", harmless(text)));
    }
}

/// Whether a person watches standard output.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// All of standard input, up to the largest object.
///
/// # Errors
/// There is more, or it cannot be read.
pub fn input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin()
        .lock()
        .take(OBJECT_BYTES + 1)
        .read_to_end(&mut bytes);
    read.map_err(|error| failed(&error, "standard input"))?;
    if bytes.len() as u64 > OBJECT_BYTES {
        let (message, cure) = notes::large_input(OBJECT_BYTES);
        return Err(Failure::new(Cause::Limit, message).with_cure(cure));
    }
    Ok(bytes)
}

fn failed(error: &io::Error, what: &str) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::new(Cause::ClosedPipe, "closed"),
        _ => Failure::new(Cause::Storage, error.to_string()).about(what),
    }
}
