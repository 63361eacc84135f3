//! Putting a draft where no object is.

use std::io::ErrorKind;

use super::Options;
use super::disk::File;
use super::draft::{DirDraft, check_absent};
use super::errors::shown;
use super::neighbour;
use super::replace::At;
use super::root::Root;
use super::stamp::Stamp;
use crate::contract::StorageError;

/// Makes the draft the object if there is none. The system itself refuses to take a name that is there, so
/// nobody else's object is lost.
///
/// # Errors
/// `Conflict` or `Other`: the object was not made.
pub(super) fn create(
    root: &Root,
    options: Options,
    draft: &mut DirDraft,
    to_sync: &mut Option<File>,
) -> Result<Option<StorageError>, StorageError> {
    let path = draft.path.clone();
    let failed = |error| StorageError::Other(format!("cannot create {}: {error}", shown(&path)));
    let there = match At::of(root, options, draft, &path) {
        // Its folder was removed, and the draft with it.
        Err(StorageError::NotFound) => return Err(StorageError::Conflict),
        other => other?,
    };
    check_absent(&there.folder, &path)?;
    there.opened(to_sync).map_err(failed)?;
    draft.open_up()?;
    let stamp = Stamp::of(&draft.file.metadata().map_err(failed)?);
    draft.is_given = true;
    let made = there.folder.rename_new(&draft.name, there.object);
    // It may have come about all the same, and where it takes two steps, only one of them.
    let is_there = made.is_ok() || there.folder.stamp(there.object).is_ok_and(|is| is == stamp);
    match made {
        Err(error) if !is_there => {
            draft.is_given = false;
            return Err(match error.kind() {
                ErrorKind::AlreadyExists => StorageError::Conflict,
                _ => failed(error),
            });
        }
        Err(_) if there.folder.stamp(&draft.name).is_ok() => draft.abandon(),
        _ => {}
    }
    neighbour::keep_folders(root, &path);
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::super::DirStore;
    use super::super::faults::{Call, Faults};
    use super::super::testing::{Fixture, refusal, run};
    use super::*;
    use crate::storage::{Change, Creation, StorageWriter as _, Store as _};

    fn set_mode(fixture: &Fixture, path: &str, mode: u32) {
        let path = fixture.root().join(path);
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// Mode, user and group.
    fn rights(fixture: &Fixture, path: &str) -> (u32, u32, u32) {
        let metadata = fs::metadata(fixture.root().join(path)).unwrap();
        (metadata.mode() & 0o7777, metadata.uid(), metadata.gid())
    }

    fn is_conflict<T>(result: &Result<T, StorageError>) -> bool {
        matches!(result, Err(StorageError::Conflict))
    }

    #[test]
    fn an_object_is_made_where_there_is_none_and_nowhere_else() {
        let fixture = Fixture::new();
        fixture.put("f/a", "old");
        fixture.link("a", "f/link");
        let new = |path| fixture.creation(path, "new");
        let mut staged = fixture.stage(vec![
            new("f/b"),
            new("f/a"),
            new("f/link"),
            new("f/a/b"),
            new("../b"),
        ]);
        let mut draft = staged.remove(0).unwrap();
        assert!(is_conflict(&staged[0]) && is_conflict(&staged[1]));
        assert!(staged[2].is_err());
        assert_eq!(refusal(staged.pop().unwrap()), "../b has the part `..`");
        assert_eq!(run(draft.read_back()).unwrap(), b"new");
        assert_eq!(fixture.list(b"", None), ["f/a", "f/link"]);
        let version = fixture.commit(vec![draft]).remove(0).unwrap();
        assert_eq!(version, fixture.version("f/b"));
        assert_eq!(fixture.get("f/b"), "new");
        assert_eq!(fixture.names("f"), ["a", "b", "link"]);
        assert_eq!(fixture.get("f/a"), "old");
    }

    #[test]
    fn no_object_has_the_name_of_a_draft() {
        let fixture = Fixture::new();
        let new = fixture.creation("f/.iamseal-0123456789abcdef.tmp", "new");
        let refused = fixture.stage(vec![new]).remove(0);
        assert_eq!(refusal(refused), "its name is that of a draft");
    }

    #[test]
    fn of_two_who_create_one_wins() {
        let fixture = Fixture::new();
        fixture.put("f/a", "old");
        let drafts = ["one", "two"].map(|text| fixture.stage(vec![fixture.creation("f/b", text)]));
        let drafts = drafts.map(|mut staged| staged.remove(0).unwrap());
        let results = fixture.commit(drafts.into());
        assert!(results[0].is_ok() && is_conflict(&results[1]));
        assert_eq!(fixture.get("f/b"), "one");
        assert_eq!(fixture.names("f"), ["a", "b"]);
    }

    #[test]
    fn folders_are_made_and_go_with_the_draft_unless_it_becomes_the_object() {
        let fixture = Fixture::new();
        fixture.put("users/bob/identity.json", "bob");
        let create = |path| fixture.stage(vec![fixture.creation(path, "new")]).remove(0);
        let (one, two) = (create("users/new/a/b"), create("users/new/a/c"));
        drop(one.unwrap());
        drop(two.unwrap());
        assert_eq!(fixture.names("users"), ["bob"]);
        let (one, two) = (create("users/new/a/b"), create("users/new/c"));
        fixture.commit(vec![one.unwrap()]).remove(0).unwrap();
        drop(two.unwrap());
        assert_eq!(
            fixture.list(b"", None),
            ["users/bob/identity.json", "users/new/a/b"]
        );
    }

    #[test]
    fn what_is_new_has_the_rights_of_what_stands_beside_it() {
        let fixture = Fixture::new();
        fixture.put("users/bob/identity.json", "bob");
        fixture.put("users/bob/a.json", "bob");
        fixture.put("config.json", "x");
        // Only root may give a file away; for others the owner is the same anyway.
        let _ = chown(fixture.root().join("users/bob"), Some(12345), Some(54321));
        let _ = chown(
            fixture.root().join("users/bob/identity.json"),
            Some(12345),
            Some(54321),
        );
        set_mode(&fixture, "users/bob", 0o2775);
        set_mode(&fixture, "users/bob/identity.json", 0o4664);
        set_mode(&fixture, "users/bob/a.json", 0o604);
        for (path, like) in [
            ("users/alice/identity.json", "users/bob/identity.json"),
            ("users/bob/z.json", "users/bob/a.json"),
            ("other.json", "config.json"),
        ] {
            let draft = fixture.stage(vec![fixture.creation(path, "new")]).remove(0);
            fixture.commit(vec![draft.unwrap()]).remove(0).unwrap();
            let (mode, user, group) = rights(&fixture, like);
            assert_eq!(
                rights(&fixture, path),
                (mode & 0o777, user, group),
                "{path}"
            );
        }
        assert_eq!(
            rights(&fixture, "users/alice"),
            rights(&fixture, "users/bob")
        );
        let empty = Fixture::new();
        fs::create_dir(empty.root().join("f")).unwrap();
        set_mode(&empty, "f", 0o750);
        let draft = empty.stage(vec![empty.creation("f/a", "new")]).remove(0);
        empty.commit(vec![draft.unwrap()]).remove(0).unwrap();
        assert_eq!(rights(&empty, "f/a").0, 0o640);
    }

    #[test]
    fn an_object_that_is_brought_back_has_the_rights_that_it_had() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        fixture.put("b", "old");
        set_mode(&fixture, "a", 0o604);
        let rights_before = rights(&fixture, "a");
        let kept = run(fixture.store.rights(b"a")).unwrap();
        let removed = fixture.stage(vec![fixture.removal("a")]).remove(0).unwrap();
        fixture.commit(vec![removed]).remove(0).unwrap();
        let back = |rights| {
            Change::Create(Creation {
                path: b"a".to_vec(),
                bytes: b"old".to_vec(),
                rights,
            })
        };
        let nonsense = fixture
            .stage(vec![back(Some(b"nonsense".to_vec()))])
            .remove(0);
        refusal(nonsense);
        let draft = fixture.stage(vec![back(kept)]).remove(0).unwrap();
        fixture.commit(vec![draft]).remove(0).unwrap();
        assert_eq!(rights(&fixture, "a"), rights_before);
    }

    /// Somebody who is there first.
    struct First(PathBuf);

    impl Faults for First {
        fn before(&self, call: Call<'_>) -> io::Result<()> {
            if let Call::RenameNew { .. } = call {
                fs::write(&self.0, "theirs").unwrap();
            }
            Ok(())
        }
    }

    #[test]
    fn what_somebody_makes_at_the_very_last_is_kept() {
        let mut fixture = Fixture::new();
        fixture.put("f/b", "old");
        let first = First(fixture.root().join("f/a"));
        fixture.store = DirStore::open_with_faults(fixture.root(), Arc::new(first)).unwrap();
        let draft = fixture
            .stage(vec![fixture.creation("f/a", "new")])
            .remove(0);
        assert!(is_conflict(&fixture.commit(vec![draft.unwrap()]).remove(0)));
        assert_eq!(fixture.get("f/a"), "theirs");
        assert_eq!(fixture.names("f"), ["a", "b"]);
        assert!(run(fixture.store.abandoned()).is_empty());
    }
}
