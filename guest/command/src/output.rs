//! Standard input, output and error.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::json;

use crate::bindings::wasi::cli::{stderr, stdin, stdout, terminal_stdout};
use crate::bindings::wasi::io::streams::{OutputStream, StreamError};
use crate::failure::Failure;
use crate::report::cause::Cause;
use crate::report::{notes, words};

/// The largest object in bytes. As the native tool has it.
const OBJECT_BYTES: u64 = 16 * 1024 * 1024;

/// The most that a stream takes or is asked for at once: what WASI allows for writing.
const CHUNK: usize = 4096;

/// Prints a line on standard output.
///
/// # Errors
/// Nobody reads it, or it cannot be written.
pub fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

/// Writes bytes to standard output.
///
/// # Errors
/// Nobody reads them, or they cannot be written.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    write(&stdout::get_stdout(), bytes).map_err(|error| failed(error, "standard output"))
}

/// Prints a line on standard error; there is nowhere to say that this failed.
pub fn complain(text: &str) {
    complain_bytes(format!("{text}\n").as_bytes());
}

/// Writes to standard error without allocating.
pub fn complain_bytes(bytes: &[u8]) {
    let _ = write(&stderr::get_stderr(), bytes);
}

/// A note on standard error that is no failure.
pub fn note(json: bool, text: &str) {
    if json {
        complain(&words::json_line(&json!({ "note": text })));
    } else {
        complain(&format!("note: {}", crate::harmless(text)));
    }
}

/// Whether a person watches standard output.
pub fn is_terminal() -> bool {
    terminal_stdout::get_terminal_stdout().is_some()
}

/// All of standard input, up to the largest object.
///
/// # Errors
/// There is more, or it cannot be read.
pub fn input() -> Result<Vec<u8>, Failure> {
    let stream = stdin::get_stdin();
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(CHUNK as u64) {
            Ok(mut more) => bytes.append(&mut more),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(error) => return Err(failed(error, "standard input")),
        }
        if bytes.len() as u64 > OBJECT_BYTES {
            let (message, cure) = notes::large_input(OBJECT_BYTES);
            return Err(Failure::new(Cause::Limit, message).with_cure(cure));
        }
    }
}

/// A table: its columns stand below each other.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let header = header.iter().map(|cell| (*cell).to_owned()).collect();
    let rows: Vec<Vec<String>> = [header].into_iter().chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut lines = Vec::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            line.push_str(&format!("{cell:<width$}  "));
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

/// A verdict for people. There is no terminal to colour it on.
pub fn verdict(verdict: &str, _is_failure: bool) -> String {
    verdict.to_owned()
}

fn write(stream: &OutputStream, bytes: &[u8]) -> Result<(), StreamError> {
    for chunk in bytes.chunks(CHUNK) {
        stream.blocking_write_and_flush(chunk)?;
    }
    Ok(())
}

fn failed(error: StreamError, what: &str) -> Failure {
    match error {
        StreamError::Closed => Failure::new(Cause::ClosedPipe, "closed"),
        StreamError::LastOperationFailed(error) => {
            Failure::new(Cause::Storage, error.to_debug_string()).about(what)
        }
    }
}
