//! What a process left that was killed while it exchanged a draft for its object.
//!
//! Under the draft's name stands the draft, the version that it replaced, or what somebody else wrote in
//! that instant, whose only copy it is. The first two are removed; the third goes back to where it was
//! while the draft stands there untouched. What cannot be told is left alone and named.

use std::io;

use super::disk::{Folder, Kind};
use super::errors::shown;
use super::path::{Tags, is_draft_name};
use super::read::{read, version};
use super::replace::pair;
use super::rights::Rights;
use crate::contract::StorageError;

/// A file under the name of a draft that was being exchanged. Its folder's store is locked.
pub(super) struct Leftover<'a> {
    pub folder: &'a Folder,
    pub name: &'a [u8],
    pub tags: Tags<'a>,
    /// The whole path, for the texts.
    pub path: &'a [u8],
    pub limit: u64,
}

impl Leftover<'_> {
    /// Removes it or puts it back.
    ///
    /// # Errors
    /// `NotFound` if it is gone; `Other` if it cannot be told what it is, and whatever fails.
    pub fn clear(&self) -> Result<(), StorageError> {
        let tag = self.tag(self.name)?;
        if tag.as_bytes() == self.tags.draft {
            return self.remove();
        }
        let is_replaced = tag.as_bytes() == self.tags.replaced;
        let others = self.others()?;
        let is_draft = |name: &&Vec<u8>| {
            let tag = self.tag(name);
            tag.is_ok_and(|tag| tag.as_bytes() == self.tags.draft)
        };
        if let Some(object) = others.iter().find(is_draft) {
            let is_known = is_replaced || self.is_pair_with(object);
            return match is_known && self.has_its_rights() {
                true => self.remove(),
                false => self.put_back(object),
            };
        }
        // The draft is gone, or all are copies, which have other tags: then bytes are the same.
        if is_replaced || others.iter().any(|name| self.is_pair_with(name)) {
            return self.remove();
        }
        Err(self.unknown())
    }

    /// Exchanges it for the draft, which stands under `object`.
    fn put_back(&self, object: &[u8]) -> Result<(), StorageError> {
        let exchange = || self.folder.exchange(self.name, object);
        exchange().map_err(|error| self.failed(&error))?;
        if self.tag(self.name)?.as_bytes() == self.tags.draft {
            // No loss of power brings back what was, once the draft is gone.
            let synced = self
                .folder
                .as_file()
                .and_then(|folder| folder.sync_folder());
            synced.map_err(|error| self.failed(&error))?;
            return self.remove();
        }
        // Somebody has replaced the draft just now, and what he wrote is the newest.
        exchange().map_err(|error| self.failed(&error))?;
        Err(self.unknown())
    }

    /// Whether the draft's bytes and those that it replaced are those of this file and of `name`, in
    /// either order.
    fn is_pair_with(&self, name: &[u8]) -> bool {
        let digest = |name| {
            let seen = read(self.folder, name, self.path, self.limit);
            seen.map(|seen| version(&seen.bytes))
        };
        let (Ok(mine), Ok(theirs)) = (digest(self.name), digest(name)) else {
            return false;
        };
        [pair(&mine, &theirs), pair(&theirs, &mine)]
            .iter()
            .any(|pair| pair.as_bytes() == self.tags.pair)
    }

    /// Whether nobody has changed the rights of the version that was replaced before it was.
    fn has_its_rights(&self) -> bool {
        let rights = self
            .folder
            .open(self.name)
            .and_then(|file| Rights::of(&file));
        rights.is_ok_and(|rights| rights.tag().as_bytes() == self.tags.rights)
    }

    /// The files beside it that are no drafts.
    fn others(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        let entries = self.folder.entries().map_err(|error| self.failed(&error))?;
        let files = entries.into_iter().filter_map(|(name, kind)| {
            let is_other = kind == Kind::File && !is_draft_name(&name);
            is_other.then_some(name)
        });
        Ok(files.collect())
    }

    fn tag(&self, name: &[u8]) -> Result<String, StorageError> {
        let stamp = self.folder.stamp(name);
        stamp
            .map(|stamp| stamp.tag())
            .map_err(|error| self.failed(&error))
    }

    fn remove(&self) -> Result<(), StorageError> {
        let removed = self.folder.remove(self.name);
        removed.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> StorageError {
        match error.kind() {
            io::ErrorKind::NotFound => StorageError::NotFound,
            _ => StorageError::Other(format!("cannot sweep {}: {error}", shown(self.path))),
        }
    }

    fn unknown(&self) -> StorageError {
        StorageError::Other(format!(
            "{} may be the only copy of what somebody wrote while a run was killed: compare it with the \
             objects beside it, then move it there or remove it",
            shown(self.path)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::path::{draft_name, exchange_name};
    use super::super::testing::{Fixture, run};
    use super::*;
    use crate::storage::Store as _;

    /// A name whose tags are those of no file, with the pair of these bytes.
    fn name(new: &str, old: &str) -> String {
        let pair = pair(&version(new.as_bytes()), &version(old.as_bytes()));
        let tags = Tags {
            pair: pair.as_bytes(),
            draft: b"aaaaaaaaaaaaaaaa",
            replaced: b"0000000000000000",
            rights: b"cccccccccccccccc",
        };
        String::from_utf8(exchange_name(&draft_name(7), tags)).unwrap()
    }

    /// A copy of a store after a kill, whose files have other tags.
    fn swept(object: &str, leftover: &str) -> (Fixture, Result<u64, StorageError>) {
        let fixture = Fixture::new();
        fixture.put("f/a", object);
        fixture.put("f/b", "something else");
        fixture.put(format!("f/{}", name("new", "old")), leftover);
        let swept = run(fixture.store.sweep(b""));
        (fixture, swept)
    }

    #[test]
    fn bytes_of_the_draft_and_of_the_version_that_it_replaces_are_removed() {
        for (object, leftover) in [("old", "new"), ("new", "old")] {
            let (fixture, swept) = swept(object, leftover);
            assert_eq!(swept.unwrap(), 1);
            assert_eq!(fixture.names("f"), ["a", "b"]);
            assert_eq!(fixture.get("f/a"), object);
        }
    }

    #[test]
    fn anything_else_stays_and_is_named() {
        for (object, leftover) in [("new", "theirs"), ("old", "theirs"), ("theirs", "old")] {
            let (fixture, swept) = swept(object, leftover);
            let path = format!("f/{}", name("new", "old"));
            let Err(StorageError::Other(text)) = swept else {
                panic!("it was swept");
            };
            assert!(
                text.starts_with(&format!("{path} may be the only copy")),
                "{text}"
            );
            assert_eq!(fixture.get(&path), leftover);
            assert_eq!(fixture.get("f/a"), object);
        }
    }
}
