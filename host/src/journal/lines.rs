//! Reading the lines of a journal.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::JournalError;
use super::record::Line;

/// The longest line that is read: an object of 16 MiB takes 22 MiB of base64.
const LINE_BYTES: u64 = 32 << 20;

/// The lines of a journal, each with the place where it begins. Half a line at the end is what a kill
/// leaves: it was never synced, and is passed over. Any other that cannot be read is an error, and the
/// next call goes on after it.
pub(super) struct Lines {
    path: PathBuf,
    file: BufReader<File>,
    place: u64,
    number: u64,
}

impl Lines {
    /// Those of the journal in this file.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(|source| JournalError::io("open", path, source))?;
        Ok(Self::new(path.to_owned(), file))
    }

    /// The same of a file that is open.
    pub fn new(path: PathBuf, file: File) -> Self {
        Self {
            path,
            file: BufReader::new(file),
            place: 0,
            number: 0,
        }
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let file = self.file.by_ref();
        file.take(LINE_BYTES).read_until(b'\n', &mut text)?;
        Ok(text)
    }
}

impl Iterator for Lines {
    type Item = Result<(u64, Line), JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = match self.read() {
            Ok(text) => text,
            Err(source) => return Some(Err(JournalError::io("read", &self.path, source))),
        };
        if text.is_empty() {
            return None;
        }
        let place = self.place;
        self.place += text.len() as u64;
        self.number += 1;
        match (serde_json::from_slice(&text), text.ends_with(b"\n")) {
            (Ok(line), true) => Some(Ok((place, line))),
            (_, false) if self.file.fill_buf().is_ok_and(<[u8]>::is_empty) => None,
            _ => Some(Err(JournalError::Damaged {
                path: self.path.clone(),
                line: self.number,
            })),
        }
    }
}
