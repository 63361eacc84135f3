//! Listing: a walk in the order of whole paths that keeps no folder open and no list of the store.
//!
//! In memory are the names of one folder per level on the way to where the walk stands. Each folder
//! is opened from the root anew, so a listing that is left lying holds no file descriptors.
//!
//! `guest/adapters` is built from this file too, so it gets along without a standard library.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::disk::Kind;
use super::errors::{failed, refused, shown};
use super::path::{LONGEST, is_draft_name, split_prefix};
use super::root::Root;
use crate::contract::StorageError;

/// Paths in one page: enough to make the calls between pages cheap, little enough that a page of
/// the longest paths is one MiB.
const PAGE: usize = 256;

/// Which files a walk is after.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything but folders and drafts.
    Objects,
    /// Drafts alone.
    Drafts,
}

/// A walk that is under way.
pub(super) struct Walk {
    root: Arc<Root>,
    wanted: Wanted,
    prefix: Vec<u8>,
    after: Vec<u8>,
    /// The folders from the prefix's down to where the walk stands; none at its end.
    levels: Vec<Level>,
}

struct Level {
    /// The folder's path with a `/` at its end; empty for the root.
    path: Vec<u8>,
    /// What is left of it, in order.
    entries: VecDeque<Entry>,
}

struct Entry {
    /// A folder's ends in `/`, which puts it where its paths belong: `a-b`, `a/x`, `a0`.
    name: Vec<u8>,
    kind: Kind,
}

impl Walk {
    /// A walk over the paths that begin with `prefix` and come after `after`.
    ///
    /// # Errors
    /// `Refused` if the prefix's folder is no folder of this store, and whatever keeps it from
    /// being read. A folder that is not there makes an empty walk.
    pub fn new(
        root: Arc<Root>,
        wanted: Wanted,
        prefix: &[u8],
        after: &[u8],
    ) -> Result<Self, StorageError> {
        let (folder, _) = split_prefix(prefix)?;
        let mut start = folder.to_vec();
        if !start.is_empty() {
            start.push(b'/');
        }
        let mut walk = Self {
            root,
            wanted,
            prefix: prefix.to_vec(),
            after: after.to_vec(),
            levels: Vec::new(),
        };
        if walk.wants_folder(&start) {
            walk.enter(start)?;
        }
        Ok(walk)
    }

    /// The next paths; empty at the end. A folder that cannot be read is one of them, with the `/` at
    /// its end that no object has; [`why_unread`] says what is wrong with it.
    pub fn page(&mut self) -> Vec<Vec<u8>> {
        let mut page = Vec::new();
        while page.len() < PAGE {
            let Some(level) = self.levels.last_mut() else {
                break;
            };
            let Some(entry) = level.entries.pop_front() else {
                self.levels.pop();
                continue;
            };
            let path = [level.path.as_slice(), &entry.name].concat();
            if entry.kind != Kind::Folder || self.enter(path.clone()).is_err() {
                page.push(path);
            }
        }
        page
    }

    /// Reads a folder and stands at its beginning. One that is not there, or not any more, holds
    /// nothing.
    fn enter(&mut self, path: Vec<u8>) -> Result<(), StorageError> {
        let entries = match entries(&self.root, &path) {
            Ok(entries) => entries,
            Err(StorageError::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut wanted: Vec<Entry> = entries
            .into_iter()
            .filter_map(|(name, kind)| self.select(&path, name, kind))
            .collect();
        wanted.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        self.levels.push(Level {
            path,
            entries: wanted.into(),
        });
        Ok(())
    }

    fn select(&self, folder: &[u8], mut name: Vec<u8>, kind: Kind) -> Option<Entry> {
        let wanted = if kind == Kind::Folder {
            name.push(b'/');
            self.wants_folder(&[folder, &name].concat())
        } else {
            let draft = kind == Kind::File && is_draft_name(&name);
            let path = [folder, &name].concat();
            let prefix = match draft {
                false => self.prefix.as_slice(),
                // Whose draft it is does not show in its name.
                true => folder_of(&self.prefix),
            };
            draft == (self.wanted == Wanted::Drafts)
                && path.starts_with(prefix)
                && path > self.after
        };
        wanted.then_some(Entry { name, kind })
    }

    /// Whether paths that begin with this one can be wanted.
    fn wants_folder(&self, path: &[u8]) -> bool {
        let in_prefix = path.starts_with(&self.prefix) || self.prefix.starts_with(path);
        let not_passed = path > self.after.as_slice() || self.after.starts_with(path);
        in_prefix && not_passed
    }
}

/// A prefix up to its last `/`.
fn folder_of(prefix: &[u8]) -> &[u8] {
    let slash = prefix.iter().rposition(|byte| *byte == b'/');
    slash
        .and_then(|slash| prefix.get(..=slash))
        .unwrap_or_default()
}

/// Why the folder that a listing names, with a `/` at its end, was not read.
pub(super) fn why_unread(root: &Root, path: &[u8]) -> StorageError {
    match split_prefix(path).and_then(|_| entries(root, path)) {
        Ok(_) => StorageError::Other(format!(
            "the folder {} could not be read when it was listed, but can be now; run again",
            shown(path)
        )),
        Err(error) => error,
    }
}

/// What stands in a folder, whose path was checked.
fn entries(root: &Root, path: &[u8]) -> Result<Vec<(Vec<u8>, Kind)>, StorageError> {
    if path.len() > LONGEST {
        return Err(refused(format!(
            "the folder {} has a path of {} bytes; the longest has {LONGEST}",
            shown(path),
            path.len()
        )));
    }
    let folder = root.folder(path)?;
    folder
        .entries()
        .map_err(|error| failed("list", path, &error))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;

    use rustix::fs::{CWD, Mode, mkfifoat};

    use super::super::testing::{Fixture, refusal, run};
    use super::*;
    use crate::storage::Storage as _;

    fn sample() -> Fixture {
        let fixture = Fixture::new();
        for path in [
            "a-b",
            "a/x",
            "a/y/z",
            "a.b",
            "a0",
            "b/a",
            "config/iam/u",
            "configuration/x",
        ] {
            fixture.put(path, path);
        }
        fixture
    }

    const ALL: [&str; 8] = [
        "a-b",
        "a.b",
        "a/x",
        "a/y/z",
        "a0",
        "b/a",
        "config/iam/u",
        "configuration/x",
    ];

    #[test]
    fn the_order_is_that_of_whole_paths() {
        assert_eq!(sample().list(b"", None), ALL);
    }

    #[test]
    fn a_prefix_is_bytes_and_need_not_be_a_folder() {
        let fixture = sample();
        assert_eq!(fixture.list(b"a/", None), ["a/x", "a/y/z"]);
        assert_eq!(
            fixture.list(b"a", None),
            ["a-b", "a.b", "a/x", "a/y/z", "a0"]
        );
        assert_eq!(fixture.list(b"a/y", None), ["a/y/z"]);
        assert_eq!(fixture.list(b"a/x", None), ["a/x"]);
        assert_eq!(
            fixture.list(b"config", None),
            ["config/iam/u", "configuration/x"]
        );
        assert_eq!(fixture.list(b"config/", None), ["config/iam/u"]);
    }

    #[test]
    fn a_prefix_that_is_not_there_is_an_empty_list() {
        let fixture = sample();
        for prefix in [&b"nothing"[..], b"nothing/", b"a/y/q/", b"a0/", b"a-b/c/"] {
            assert!(fixture.list(prefix, None).is_empty());
        }
    }

    #[test]
    fn a_listing_begins_after_any_path() {
        let fixture = sample();
        let starts: [&[u8]; 14] = [
            b"",
            b"a",
            b"a-b",
            b"a.b",
            b"a/",
            b"a/x",
            b"a/y",
            b"a/y/",
            b"a/y/z",
            b"a/z",
            b"a0",
            b"b",
            b"config/iam/u",
            b"z",
        ];
        for start in starts {
            let expected: Vec<_> = ALL
                .into_iter()
                .filter(|path| path.as_bytes() > start)
                .collect();
            assert_eq!(fixture.list(b"", Some(start)), expected, "{start:?}");
        }
        assert_eq!(fixture.list(b"a/", Some(b"a/x")), ["a/y/z"]);
        assert!(fixture.list(b"a/", Some(b"b")).is_empty());
        assert_eq!(fixture.list(b"b", Some(b"a/x")), ["b/a"]);
    }

    #[test]
    fn folders_that_cannot_match_are_not_read() {
        let fixture = sample();
        // Reading it would be refused: its path is too long.
        let deep = deep_folder(&fixture, "a1");
        fixture.put("a2", "");
        assert!(deep > LONGEST);
        assert_eq!(fixture.list(b"b", None), ["b/a"]);
        assert_eq!(fixture.list(b"", Some(b"a2")), ALL[5..]);
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let fixture = Fixture::new();
        let paths: Vec<_> = (0..PAGE * 2 + 3)
            .map(|number| format!("f{}/{number:05}", number % 3))
            .collect();
        for path in &paths {
            fixture.put(path, "");
        }
        let mut expected = paths;
        expected.sort();
        assert_eq!(fixture.list(b"", None), expected);

        run(async {
            let mut cursor = fixture.store.list(b"", None).await.unwrap();
            for size in [PAGE, PAGE, 3, 0, 0] {
                assert_eq!(cursor.next().await.unwrap().len(), size);
            }
        });
    }

    #[test]
    fn odd_names_are_listed_as_they_are() {
        let fixture = Fixture::new();
        let names: [&[u8]; 3] = [b" =,\\", b"\xc3\xab", b"\xff\xfe"];
        for name in names {
            fixture.put(OsStr::from_bytes(name), "");
        }
        run(async {
            let mut cursor = fixture.store.list(b"", None).await.unwrap();
            assert_eq!(cursor.next().await.unwrap(), names);
        });
    }

    #[test]
    fn what_is_no_plain_file_is_listed_and_not_entered() {
        let outside = Fixture::new();
        outside.put("x", "");
        let fixture = Fixture::new();
        fixture.put("real/a", "");
        fixture.link(outside.root(), "out");
        fixture.link("real", "alias");
        mkfifoat(CWD, fixture.root().join("pipe"), Mode::RUSR).unwrap();
        assert_eq!(fixture.list(b"", None), ["alias", "out", "pipe", "real/a"]);
        assert_eq!(
            refusal(run(fixture.store.list(b"alias/", None))),
            "`alias` in alias/ is a symbolic link"
        );
    }

    #[test]
    fn a_prefix_that_climbs_out_is_refused() {
        let fixture = sample();
        for prefix in [&b"../"[..], b"a/../", b"/", b"a//", b"./"] {
            refusal(run(fixture.store.list(prefix, None)));
        }
    }

    #[test]
    fn drafts_are_not_listed_and_look_alikes_are() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        fixture.put(".iamseal-0123456789abcdef.tmp/x", "a folder of that name");
        fixture.put(".iamseal-short.tmp", "");
        let draft = fixture.draft("a", "new");
        assert_eq!(fixture.names("").len(), 4);
        assert_eq!(
            fixture.list(b"", None),
            [".iamseal-0123456789abcdef.tmp/x", ".iamseal-short.tmp", "a"]
        );
        drop(draft);
    }

    #[test]
    fn a_folder_that_vanishes_meanwhile_is_passed_over() {
        let fixture = sample();
        let root = Arc::clone(&fixture.store.root);
        let mut walk = Walk::new(root, Wanted::Objects, b"", b"").unwrap();
        fs::remove_dir_all(fixture.root().join("a")).unwrap();
        assert_eq!(
            walk.page(),
            [
                &b"a-b"[..],
                b"a.b",
                b"a0",
                b"b/a",
                b"config/iam/u",
                b"configuration/x"
            ]
        );
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_listed_as_a_folder_and_the_rest_follows() {
        let fixture = sample();
        deep_folder(&fixture, "a1");
        let listed = fixture.list(b"", None);
        let (folders, objects): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|path| path.ends_with('/'));
        assert_eq!(objects, sample().list(b"", None));
        let [folder] = &folders[..] else {
            panic!("{folders:?}")
        };
        let text = refusal(run(fixture.store.read(folder.as_bytes())));
        assert!(text.contains("the longest has 4095"), "{text}");
    }

    #[test]
    fn a_folder_is_no_object_whatever_its_path_ends_in() {
        let fixture = sample();
        assert_eq!(refusal(run(fixture.store.read(b"a"))), "a is a folder");
        // Only a listing makes such a path, of a folder that it could not read.
        let error = run(fixture.store.read(b"a/")).err().unwrap();
        assert!(
            matches!(&error, StorageError::Other(text) if text.contains("but can be now")),
            "{error:?}"
        );
        for path in [&b"../"[..], b"a/../", b"/", b"a//"] {
            refusal(run(fixture.store.read(path)));
        }
    }

    /// Makes folders in folders until the path is too long, which a program can that goes step by
    /// step; returns the path's length.
    fn deep_folder(fixture: &Fixture, name: &str) -> usize {
        use rustix::fs::{OFlags, mkdirat, openat};
        let part = "d".repeat(255);
        let mut length = 0;
        let mut folder = openat(CWD, fixture.root(), OFlags::DIRECTORY, Mode::empty()).unwrap();
        for part in std::iter::once(name).chain([part.as_str(); 16]) {
            mkdirat(&folder, part, Mode::RWXU).unwrap();
            folder = openat(&folder, part, OFlags::DIRECTORY, Mode::empty()).unwrap();
            length += part.len() + 1;
        }
        length
    }
}
