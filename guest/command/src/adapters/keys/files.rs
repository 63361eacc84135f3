//! Reading files that hold secrets. The rules and words are those of `host/src/keys/files.rs`.

use iamseal_words::limits::KEYS_FILE_BYTES;
use zeroize::Zeroizing;

use crate::adapters::bindings::exports::iamseal::command::lending::Failure;
use crate::adapters::failure::usage;
use crate::wasi::files::{ReadError, locate};
use crate::wasi::words;

/// The lines of a file and where each stands, without the space around them; empty lines and comments
/// (`#`) are left out.
///
/// # Errors
/// The file is in no folder of the host's, cannot be read, is over 1 MiB, not UTF-8 or without such a line.
pub fn lines(file: &str) -> Result<Vec<(String, Zeroizing<String>)>, Failure> {
    let unreadable = |why: &str| {
        usage(
            format!("{file}: cannot be read: {why}"),
            "check the path, and that this user may read it",
        )
    };
    let bytes = locate(file)?
        .read(KEYS_FILE_BYTES as u64)
        .map_err(|error| match error {
            ReadError::System(error) => unreadable(&words(error)),
            ReadError::NotAFile => unreadable("not a plain file"),
            ReadError::TooLarge => usage(
                format!("{file}: larger than 1 MiB"),
                "name the file that holds the keys",
            ),
        });
    let bytes = Zeroizing::new(bytes?);
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(usage(
            format!("{file}: not UTF-8 text"),
            "write it as UTF-8 text",
        ));
    };
    let lines = iamseal_words::keys::lines(text);
    let lines = lines.map(|(number, line)| (format!("{file}, line {number}"), line));
    let lines: Vec<_> = lines.collect();
    match lines.is_empty() {
        true => Err(usage(
            format!("{file}: there is nothing in it"),
            "write a key (NAME:BASE64) or credential (USER:PASSWORD) in each line, or leave the file out",
        )),
        false => Ok(lines),
    }
}
