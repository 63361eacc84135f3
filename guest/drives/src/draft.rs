//! New versions of objects that are not in their places yet, and removals that were not made yet.
//!
//! On each drive of the object's set a draft is in the system folder's `tmp`, which is on the same drive and
//! which a server empties when it starts:
//!
//! ```text
//! tmp/.iamseal-0123456789abcdef.tmp           the new xl.meta
//! tmp/.iamseal-0123456789abcdef.data/part.1   the new shard, unless it is in xl.meta
//! tmp/.iamseal-0123456789abcdef.dirs          folders of data that may be left behind, and their object
//! ```
//!
//! The last is there where the old or the new shard is no part of `xl.meta`; of a removal nothing else is. A write that is killed can
//! leave a folder of data that no `xl.meta` names; the next sweep finds it by this file.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::files::{Drive, FileError, Files, below};
use crate::format::{Uuid, text};
use crate::highway::HASH;
use crate::store::Store;

/// Where drafts are.
pub(crate) const TMP: &[u8] = b"tmp";
/// How their names begin.
const BEGIN: &[u8] = b".iamseal-";
/// The hexadecimal digits that tell them from each other.
const DIGITS: usize = 16;
const META: &[u8] = b".tmp";
const DATA: &[u8] = b".data";
const DIRS: &[u8] = b".dirs";
/// The file of a shard, as servers name it.
pub(crate) const PART: &[u8] = b"part.1";

/// What tells a draft from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name([u8; DIGITS]);

/// A change of an object, on all drives of the set, and of the sets of other pools that have a copy.
/// To be [committed](Store::commit) or [discarded](Store::discard).
#[derive(Debug)]
pub struct Draft {
    pub(crate) name: Name,
    pub(crate) path: Vec<u8>,
    /// The version that the object has afterwards; none if it is to go.
    pub(crate) version: Option<Vec<u8>>,
    pub(crate) data_dir: Uuid,
    /// Whether folders of data come or go with it.
    pub(crate) has_dirs: bool,
    /// The set of the version that counts first.
    pub(crate) targets: Vec<Target>,
}

/// A set that gets the new version, or loses the old one.
#[derive(Debug)]
pub(crate) struct Target {
    /// Its drives, in the order in which they are written.
    pub places: Vec<Place>,
    /// Whether shards are in files of their own.
    pub has_parts: bool,
}

/// A drive that gets the new version.
#[derive(Debug)]
pub(crate) struct Place {
    pub drive: Drive,
    /// Its place in the set.
    pub number: usize,
    /// The hash of the `xl.meta` that is replaced; none if there is none.
    pub before: Option<[u8; HASH]>,
}

impl Name {
    /// A name out of random bytes.
    pub(crate) fn of(random: [u8; 16]) -> Self {
        let mut digits = [0; DIGITS];
        for (digit, byte) in digits.iter_mut().zip(random) {
            let value = char::from_digit(u32::from(byte & 15), 16);
            *digit = value.map_or(b'0', |value| value as u8);
        }
        Self(digits)
    }

    /// The name that one of a draft's files or folders has.
    fn parse(name: &[u8]) -> Option<Self> {
        let (digits, end) = name.strip_prefix(BEGIN)?.split_at_checked(DIGITS)?;
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_name = [META, DATA, DIRS].contains(&end) && digits.iter().all(is_digit);
        digits.try_into().ok().filter(|_| is_name).map(Self)
    }

    /// The draft's path, as it is listed.
    pub(crate) fn path(&self) -> Vec<u8> {
        self.meta()
    }

    /// The new `xl.meta`.
    pub(crate) fn meta(&self) -> Vec<u8> {
        self.with(META)
    }

    /// The folder of the new shard.
    pub(crate) fn data(&self) -> Vec<u8> {
        self.with(DATA)
    }

    /// What says which folders of data may be left behind.
    pub(crate) fn dirs(&self) -> Vec<u8> {
        self.with(DIRS)
    }

    fn with(&self, end: &[u8]) -> Vec<u8> {
        below(TMP, &[BEGIN, &self.0, end].concat())
    }
}

impl<F: Files> Store<F> {
    /// The drafts that lie on the drives, by their paths.
    ///
    /// # Errors
    /// A drive cannot tell what it has.
    pub fn drafts(&self) -> Result<Vec<Vec<u8>>, String> {
        let mut names = BTreeSet::new();
        for drive in self.layout.drives() {
            let folder = self.layout.path(drive, TMP);
            let mut after: Option<Vec<u8>> = None;
            loop {
                let page = match self.files.list(drive, &folder, after.as_deref()) {
                    Ok(page) => page,
                    Err(FileError::NotFound) => break,
                    Err(FileError::Failed(why)) => return Err(why),
                };
                let found = page
                    .entries
                    .iter()
                    .filter_map(|entry| Name::parse(&entry.name));
                names.extend(found);
                let last = page.entries.into_iter().next_back().map(|entry| entry.name);
                if !page.has_more || last <= after {
                    break;
                }
                after = last;
            }
        }
        Ok(names.iter().map(Name::path).collect())
    }

    /// The draft of this path; none if it is none of a draft.
    pub(crate) fn named(path: &[u8]) -> Option<Name> {
        let name = path.strip_prefix(TMP)?.strip_prefix(b"/")?;
        Name::parse(name).filter(|found| found.path() == path)
    }
}

/// Folders of data on one drive, and the object that they are of, as `.dirs` has them: each folder's name in
/// a line, an empty line, the object's path.
pub(crate) fn written_dirs(folders: &[Uuid], path: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for folder in folders {
        bytes.extend(text(folder).as_bytes());
        bytes.push(b'\n');
    }
    bytes.push(b'\n');
    bytes.extend(path);
    bytes
}

/// The same read; none if it is no such file.
pub(crate) fn read_dirs(bytes: &[u8]) -> Option<(Vec<Uuid>, &[u8])> {
    let (mut rest, mut folders) = (bytes, Vec::new());
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at_checked(end)?;
        rest = after.get(1..)?;
        if line.is_empty() {
            return Some((folders, rest));
        }
        folders.push(crate::format::uuid(str::from_utf8(line).ok()?)?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drafts_files_are_known_by_their_names() {
        let name = Name::of([0xfa; 16]);
        assert_eq!(name.meta(), b"tmp/.iamseal-aaaaaaaaaaaaaaaa.tmp");
        for file in [name.meta(), name.data(), name.dirs()] {
            assert_eq!(Name::parse(&file[TMP.len() + 1..]), Some(name.clone()));
        }
        for other in [
            "",
            ".iamseal-",
            ".iamseal-aaaaaaaaaaaaaaaa",
            ".iamseal-AAAAAAAAAAAAAAAA.tmp",
            "x.tmp",
        ] {
            assert_eq!(Name::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn folders_that_may_be_left_are_written_down() {
        for folders in [&[][..], &[[1; 16]], &[[1; 16], [0xab; 16]]] {
            let bytes = written_dirs(folders, b"config/a\n/b");
            let read = read_dirs(&bytes);
            assert_eq!(read, Some((folders.to_vec(), &b"config/a\n/b"[..])));
        }
        assert_eq!(read_dirs(b""), None);
        assert_eq!(read_dirs(b"config/a\n\n"), None);
    }
}
