//! Listing, by the rules that every host shares.

use iamseal_words::folder::Folders;
pub(super) use iamseal_words::folder::{Walk, Wanted, why_unread};

use super::disk::Kind;
use super::errors::failed;
use super::root::Root;
use crate::contract::StorageError;

impl Folders for Root {
    fn entries(&self, path: &[u8]) -> Result<Vec<(Vec<u8>, Kind)>, StorageError> {
        let folder = self.folder(path)?;
        folder
            .entries()
            .map_err(|error| failed("list", path, &error))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::sync::Arc;

    use iamseal_words::folder::PAGE;
    use iamseal_words::folder::path::LONGEST;
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
