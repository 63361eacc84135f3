//! Reading the lines of a journal or a proof.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::marker::PhantomData;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::de::DeserializeOwned;

use super::JournalError;
use super::chain::{Chain, parts};

/// The longest line that is read: an object of 16 MiB takes 22 MiB of base64.
const LINE_BYTES: u64 = 32 << 20;

/// The lines of a file, each with the place where it begins. Half a line at the end is what a kill
/// leaves: it was never synced, and is passed over. Any other that cannot be read is an error, and the
/// next call goes on after it. Where the run's key is there, the first line that it does not vouch for is
/// an error and ends it.
pub(super) struct Lines<T> {
    path: PathBuf,
    file: BufReader<File>,
    chain: Option<Chain>,
    is_over: bool,
    is_torn: bool,
    place: u64,
    number: u64,
    line: PhantomData<T>,
}

impl<T: DeserializeOwned> Lines<T> {
    /// Those of the file at this path.
    pub fn open(path: &Path, chain: Option<Chain>) -> Result<Self, JournalError> {
        let failed = |source| JournalError::io("open", path, source);
        // Never waits for the other end of a pipe.
        let nonblock = OFlags::NONBLOCK.bits().cast_signed();
        let mut options = OpenOptions::new();
        let file = options.read(true).custom_flags(nonblock).open(path);
        let file = file.map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is no plain file")));
        }
        Ok(Self::new(path.to_owned(), file, chain))
    }

    /// The same of a file that is open.
    pub fn new(path: PathBuf, file: File, chain: Option<Chain>) -> Self {
        Self {
            path,
            file: BufReader::new(file),
            chain,
            is_over: false,
            is_torn: false,
            place: 0,
            number: 0,
            line: PhantomData,
        }
    }

    /// Whether there was half a line at the end.
    pub fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// That the line which was read last is not what it should be.
    pub fn damaged(&self) -> JournalError {
        JournalError::Damaged {
            path: self.path.clone(),
            line: self.number,
        }
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let file = self.file.by_ref();
        file.take(LINE_BYTES).read_until(b'\n', &mut text)?;
        Ok(text)
    }

    fn is_at_end(&mut self) -> bool {
        self.file.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    /// What a whole line says.
    fn parse(&mut self, text: Vec<u8>) -> Result<T, JournalError> {
        let parts = parts(&text);
        if let Some(chain) = &mut self.chain {
            let is_next = parts.is_some_and(|(own, mac)| chain.check(own, mac));
            if !is_next {
                self.is_over = true;
                return Err(JournalError::NotAuthentic {
                    path: self.path.clone(),
                    line: self.number,
                });
            }
        }
        let damaged = |_| JournalError::Damaged {
            path: self.path.clone(),
            line: self.number,
        };
        let Some((own, _)) = parts else {
            return serde_json::from_slice(&text).map_err(damaged);
        };
        let length = own.len();
        let mut text = text;
        text.truncate(length);
        text.push(b'}');
        serde_json::from_slice(&text).map_err(damaged)
    }
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = Result<(u64, T), JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
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
        if !text.ends_with(b"\n") && self.is_at_end() {
            self.is_torn = true;
            return None;
        }
        Some(self.parse(text).map(|line| (place, line)))
    }
}
