//! The paths that listings have handed out, and what was read of them: all that a call may read, and
//! all that it may replace.
//!
//! A component that asks for paths of its own invention writes them into the log of a store, in a
//! bucket that of its provider, and with them whatever it was lent. So does one that sends a version of
//! its own invention to compare with. What is remembered is bounded: the last page of each listing,
//! and of earlier ones what a batch may have to read again.

use std::collections::{BTreeMap, VecDeque};

use crate::contract::StorageError;
use crate::plugin::walk::BATCH;
use crate::storage::Version;

/// How often a path may be read for each time that it was handed out: a migration takes an object that
/// somebody else changes twice more.
const READS: u8 = 3;
/// Listings that a call may hold at once: its own way through the store, and one that looks for why an
/// object does not open, twice over.
pub(in crate::plugin) const LISTINGS: usize = 4;

/// What the listings of a call have handed out.
#[derive(Default)]
pub(super) struct Handed(BTreeMap<u32, Listing>);

#[derive(Default)]
struct Listing {
    page: BTreeMap<Vec<u8>, Reading>,
    /// What was read of earlier pages, the latest last. A batch that goes over several pages ends with
    /// reading again what was changed meanwhile.
    earlier: VecDeque<(Vec<u8>, Reading)>,
}

#[derive(Default)]
struct Reading {
    times: u8,
    /// What the store said when it was read last.
    version: Option<Version>,
}

impl Handed {
    /// How many listings are held.
    pub fn listings(&self) -> usize {
        self.0.len()
    }

    /// A listing began.
    pub fn begin(&mut self, listing: u32) {
        self.0.insert(listing, Listing::default());
    }

    /// A listing was dropped, and what it handed out with it.
    pub fn end(&mut self, listing: u32) {
        self.0.remove(&listing);
    }

    /// Takes note of a listing's next page.
    pub fn page(&mut self, listing: u32, paths: &[Vec<u8>]) {
        let listing = self.0.entry(listing).or_default();
        let unread = |path: &Vec<u8>| (path.clone(), Reading::default());
        let before = std::mem::replace(&mut listing.page, paths.iter().map(unread).collect());
        let read = before.into_iter().filter(|(_, reading)| reading.times > 0);
        listing.earlier.extend(read);
        let too_many = listing.earlier.len().saturating_sub(BATCH as usize);
        listing.earlier.drain(..too_many);
    }

    /// Whether a folder, written with a `/` at its end, holds a path that was handed out.
    pub fn is_folder(&self, folder: &[u8]) -> bool {
        folder.ends_with(b"/")
            && self.0.values().any(|listing| {
                let mut from = listing.page.range(folder.to_vec()..);
                let in_page = from
                    .next()
                    .is_some_and(|(path, _)| path.starts_with(folder));
                let mut earlier = listing.earlier.iter();
                in_page || earlier.any(|(path, _)| path.starts_with(folder))
            })
    }

    /// Counts a read of this path.
    ///
    /// # Errors
    /// [`StorageError::Refused`]: no listing of this call handed it out, or too long ago, or it was read
    /// as often as it may be.
    pub fn read(&mut self, path: &[u8]) -> Result<(), StorageError> {
        let left = self.readings(path).find(|reading| reading.times < READS);
        let reading =
            left.ok_or_else(|| refused("no listing of this call handed out this path"))?;
        reading.times += 1;
        Ok(())
    }

    /// Takes note of the version that was read.
    pub fn was_read(&mut self, path: &[u8], version: &[u8]) {
        for reading in self.readings(path).filter(|reading| reading.times > 0) {
            reading.version = Some(version.to_vec());
        }
    }

    /// Whether this version of the object was read in this call, and no later one.
    ///
    /// # Errors
    /// [`StorageError::Refused`].
    pub fn may_replace(&mut self, path: &[u8], expected: &[u8]) -> Result<(), StorageError> {
        let is_it = |reading: &mut Reading| reading.version.as_deref() == Some(expected);
        match self.readings(path).any(is_it) {
            true => Ok(()),
            false => Err(refused("this call did not read what it wants to replace")),
        }
    }

    /// Those of the latest listing first: whoever looks around uses up what that handed out, and not what the
    /// way through the store has.
    fn readings(&mut self, path: &[u8]) -> impl Iterator<Item = &mut Reading> {
        self.0.values_mut().rev().flat_map(move |listing| {
            let earlier = listing.earlier.iter_mut().rev();
            let earlier = earlier.filter(move |(other, _)| other == path);
            let in_page = listing.page.get_mut(path).into_iter();
            in_page.chain(earlier.map(|(_, reading)| reading))
        })
    }
}

fn refused(why: &str) -> StorageError {
    StorageError::Refused(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(numbers: std::ops::Range<usize>) -> Vec<Vec<u8>> {
        let path = |number| format!("in/{number:09}").into_bytes();
        numbers.map(path).collect()
    }

    fn handed(page: &[&str]) -> Handed {
        let mut handed = Handed::default();
        handed.begin(1);
        let page: Vec<_> = page.iter().map(|path| path.as_bytes().to_vec()).collect();
        handed.page(1, &page);
        handed
    }

    #[test]
    fn what_was_handed_out_is_read_a_few_times_and_nothing_else_is() {
        let mut handed = handed(&["in/a", "in/b"]);
        for _ in 0..READS {
            handed.read(b"in/a").unwrap();
        }
        handed.read(b"in/a").unwrap_err();
        handed.read(b"in/b").unwrap();
        for invented in ["in/c", "in", "in/a/", "in/ab", ""] {
            handed.read(invented.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn a_look_around_uses_up_nothing_of_the_way_through_the_store() {
        let mut handed = handed(&["in/a"]);
        for _ in 0..4 {
            handed.begin(2);
            handed.page(2, &[b"in/a".to_vec()]);
            for _ in 0..READS {
                handed.read(b"in/a").unwrap();
            }
            handed.end(2);
        }
        for _ in 0..READS {
            handed.read(b"in/a").unwrap();
        }
        handed.read(b"in/a").unwrap_err();
    }

    #[test]
    fn what_a_batch_read_can_be_read_again_after_further_pages() {
        let mut handed = Handed::default();
        handed.begin(1);
        let batch = BATCH as usize;
        // A shard: one path of each page is read.
        for number in 0..batch {
            handed.page(1, &paths(number * 10..number * 10 + 10));
            handed
                .read(&paths(number * 10..number * 10 + 1)[0])
                .unwrap();
        }
        for number in 0..batch {
            handed
                .read(&paths(number * 10..number * 10 + 1)[0])
                .unwrap();
        }
        // What was passed over is gone.
        handed.read(&paths(1..2)[0]).unwrap_err();
    }

    #[test]
    fn what_is_remembered_of_a_long_way_is_bounded() {
        let mut handed = Handed::default();
        handed.begin(1);
        for page in 0..1000 {
            let paths = paths(page * 1000..page * 1000 + 1000);
            handed.page(1, &paths);
            for path in &paths {
                handed.read(path).unwrap();
                handed.was_read(path, b"version");
            }
        }
        let listing = &handed.0[&1];
        assert_eq!(
            listing.page.len() + listing.earlier.len(),
            1000 + BATCH as usize
        );
    }

    #[test]
    fn a_listing_that_is_dropped_takes_its_paths_along() {
        let mut handed = handed(&["in/a"]);
        handed.begin(2);
        handed.page(2, &[b"in/z".to_vec()]);
        handed.end(1);
        handed.read(b"in/a").unwrap_err();
        handed.read(b"in/z").unwrap();
    }

    #[test]
    fn only_the_version_that_was_read_last_is_replaced() {
        let mut handed = handed(&["in/a", "in/b"]);
        handed.may_replace(b"in/a", b"").unwrap_err();
        handed.read(b"in/a").unwrap();
        handed.was_read(b"in/a", b"1");
        handed.may_replace(b"in/a", b"1").unwrap();
        handed.may_replace(b"in/a", b"invented").unwrap_err();
        handed.may_replace(b"in/b", b"1").unwrap_err();
        handed.read(b"in/a").unwrap();
        handed.was_read(b"in/a", b"2");
        handed.may_replace(b"in/a", b"1").unwrap_err();
        handed.may_replace(b"in/a", b"2").unwrap();
    }

    #[test]
    fn the_folders_of_what_was_handed_out_are_known() {
        let mut handed = handed(&["in/users/alice/identity.json"]);
        for folder in ["in/", "in/users/", "in/users/alice/"] {
            assert!(handed.is_folder(folder.as_bytes()), "{folder}");
        }
        for other in ["", "in", "in/users/al", "in/users/bob/", "out/"] {
            assert!(!handed.is_folder(other.as_bytes()), "{other}");
        }
        handed.read(b"in/users/alice/identity.json").unwrap();
        handed.page(1, &[b"in/z".to_vec()]);
        assert!(handed.is_folder(b"in/users/"));
    }
}
