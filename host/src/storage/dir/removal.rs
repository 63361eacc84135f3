//! Removing one object, with nobody else's bytes lost.
//!
//! A look at the object and its removal are two steps, and whoever writes between them loses what he wrote.
//! So the object is moved aside, which is one step, and what was moved is looked at: only if it is the version
//! that was read, with the rights that it had, is it removed. Anything else goes back to where it was, unless
//! something stands there already. For an instant there is no object then.

use std::io::{self, ErrorKind};

use super::Options;
use super::disk::{File, Folder};
use super::draft::DirDraft;
use super::errors::shown;
use super::note::Note;
use super::path::{Place, aside_name};
use super::read::{read, version};
use super::replace::At;
use super::rights::Rights;
use super::root::Root;
use crate::contract::StorageError;

/// How often something is put back whose way back the system refuses.
const TRIES: usize = 8;

/// Removes the object of a draft if it is still the expected version. The draft's own name is durable: it is
/// the note that says where the object was. What could not be removed is told; the object is gone all the same.
///
/// # Errors
/// `Conflict`, `NotFound`, `Refused` or `Other`: the object was not removed.
pub(super) fn remove(
    root: &Root,
    options: Options,
    draft: &mut DirDraft,
    to_sync: &mut Option<File>,
) -> Result<Option<StorageError>, StorageError> {
    let path = draft.path.clone();
    let there = At::of(root, options, draft, &path)?;
    if there.expected(there.object, draft)?.is_none() {
        return Err(StorageError::Conflict);
    }
    let to_sync = there
        .opened(to_sync)
        .map_err(|error| failed(&path, &error))?;
    let aside = aside_name(&draft.name);
    // From here on the note is needed.
    draft.is_given = true;
    if let Err(error) = there.folder.rename(there.object, &aside) {
        // It may have come about all the same.
        if is_gone(&there.folder, &aside) {
            draft.is_given = false;
            return Err(match error.kind() {
                ErrorKind::NotFound => StorageError::NotFound,
                _ => failed(&path, &error),
            });
        }
    }
    match there.expected(&aside, draft) {
        Ok(Some(_)) => {}
        Ok(None) => {
            return Err(put_back(
                &there,
                draft,
                &aside,
                StorageError::Conflict,
                to_sync,
            ));
        }
        Err(error) => return Err(put_back(&there, draft, &aside, error, to_sync)),
    }
    match there.folder.remove(&aside) {
        Err(error) if !is_gone(&there.folder, &aside) => {
            let beside = draft.sibling(&aside);
            let left = StorageError::Other(format!(
                "{} was removed, but its bytes are left as {} and cannot be removed: {error}; the next \
                 run tries again",
                shown(&path),
                shown(&beside)
            ));
            root.abandon(beside);
            Ok(Some(left))
        }
        _ => {
            draft.is_given = false;
            Ok(None)
        }
    }
}

/// Puts back what was moved aside and returns the error to tell.
fn put_back(
    there: &At<'_>,
    draft: &mut DirDraft,
    aside: &[u8],
    error: StorageError,
    to_sync: &File,
) -> StorageError {
    let mut kept = "may not be as it was; if so, what stood there is kept as";
    for _ in 0..TRIES {
        match there.folder.rename_new(aside, there.object) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                kept = "was written twice by others while it was to be removed: the last version is in \
                        place, the one before it is kept as";
                break;
            }
            // It may have come about all the same.
            Err(_) if !is_gone(&there.folder, aside) => continue,
            _ => {}
        }
        // No loss of power may bring it back aside once the note is gone.
        match to_sync.sync_folder() {
            Ok(()) => draft.is_given = false,
            Err(_) => draft.abandon(),
        }
        return error;
    }
    if is_gone(&there.folder, aside) {
        draft.abandon();
        return error;
    }
    StorageError::Other(format!(
        "{} {kept} {} ({})",
        shown(&draft.path),
        shown(&draft.sibling(aside)),
        crate::describe_storage(&error),
    ))
}

/// What a process left aside that was killed while it removed an object. The store is locked.
pub(super) struct Aside<'a> {
    pub folder: &'a Folder,
    /// Its name, and that of the note beside it.
    pub name: &'a [u8],
    pub note: &'a [u8],
    /// The whole path, for the texts.
    pub path: &'a [u8],
    pub limit: u64,
}

impl Aside<'_> {
    /// Removes it if it is the version that was to go, or puts it back.
    ///
    /// # Errors
    /// `NotFound` if it is gone; `Other` if it cannot be told what it is, and whatever fails.
    pub fn clear(&self) -> Result<(), StorageError> {
        let note = match read(self.folder, self.note, self.path, self.limit) {
            Err(StorageError::NotFound) => return Err(self.unknown()),
            other => other?.bytes,
        };
        let Some(note) = Note::of(&note) else {
            return Err(self.unknown());
        };
        let seen = read(self.folder, self.name, self.path, self.limit)?;
        let rights = Rights::of(&seen.file).map_err(|error| self.failed(&error))?;
        let done = match note.is_of(&version(&seen.bytes), &rights.tag()) {
            true => self.folder.remove(self.name),
            false => self.folder.rename_new(self.name, note.object),
        };
        match done {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(self.unknown()),
            other => other.map_err(|error| self.failed(&error))?,
        }
        // No loss of power brings it back without the note.
        let synced = self
            .folder
            .as_file()
            .and_then(|folder| folder.sync_folder());
        synced.map_err(|error| self.failed(&error))?;
        match self.folder.remove(self.note) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed(&error)),
            _ => Ok(()),
        }
    }

    fn failed(&self, error: &io::Error) -> StorageError {
        match error.kind() {
            ErrorKind::NotFound => StorageError::NotFound,
            _ => StorageError::Other(format!("cannot sweep {}: {error}", shown(self.path))),
        }
    }

    fn unknown(&self) -> StorageError {
        let beside = Place::of_checked(self.path).folder;
        StorageError::Other(format!(
            "{} may be the only copy of what somebody wrote to an object of {} while a run that removed it was \
             killed: compare it with the objects beside it, then move it there or remove it",
            shown(self.path),
            super::errors::place(beside)
        ))
    }
}

fn is_gone(folder: &Folder, name: &[u8]) -> bool {
    folder
        .kind(name)
        .is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn failed(path: &[u8], error: &io::Error) -> StorageError {
    StorageError::Other(format!("cannot remove {}: {error}", shown(path)))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::super::DirStore;
    use super::super::faults::{Call, Faults};
    use super::super::testing::{Fixture, refusal, run};
    use super::*;
    use crate::storage::{Removal, Store as _, Sweeping, Swept};

    /// Somebody who writes right before the moves of these numbers, from 1 on: that aside, that back.
    struct Writer {
        object: PathBuf,
        before: &'static [usize],
        moves: AtomicUsize,
        /// The process is dead from the removal of what was moved aside on, or from the move back.
        dies: bool,
    }

    impl Faults for Writer {
        fn before(&self, call: Call<'_>) -> io::Result<()> {
            if let Call::Rename { .. } | Call::RenameNew { .. } = call {
                let number = self.moves.fetch_add(1, SeqCst) + 1;
                if self.before.contains(&number) {
                    let file = self.object.with_extension("theirs");
                    fs::write(&file, format!("theirs {number}")).unwrap();
                    fs::rename(file, &self.object).unwrap();
                }
            }
            let changes = matches!(
                call,
                Call::Rename { .. }
                    | Call::RenameNew { .. }
                    | Call::Remove { .. }
                    | Call::SyncFolder { .. }
            );
            match self.dies && changes && self.moves.load(SeqCst) > 0 {
                true if !matches!(call, Call::Rename { .. }) => Err(io::Error::other("dead")),
                _ => Ok(()),
            }
        }
    }

    fn raced(before: &'static [usize], dies: bool) -> (Fixture, Result<(), StorageError>) {
        let mut fixture = Fixture::new();
        fixture.put("f/a", "old");
        let writer = Writer {
            object: fixture.root().join("f/a"),
            before,
            moves: AtomicUsize::new(0),
            dies,
        };
        let change = fixture.removal("f/a");
        fixture.store = DirStore::open_with_faults(fixture.root(), Arc::new(writer)).unwrap();
        let draft = fixture.stage(vec![change]).remove(0).unwrap();
        let removed = fixture.commit(vec![draft]).remove(0).map(|_| ());
        (fixture, removed)
    }

    #[test]
    fn an_object_goes_only_as_it_was_read() {
        let fixture = Fixture::new();
        for path in ["f/a", "f/b", "f/c", "f/d"] {
            fixture.put(path, "old");
        }
        let drafts = ["f/a", "f/b", "f/c", "f/d"].map(|path| {
            let mut draft = fixture
                .stage(vec![fixture.removal(path)])
                .remove(0)
                .unwrap();
            refusal(run(draft.read_back()));
            draft
        });
        assert_eq!(fixture.list(b"", None), ["f/a", "f/b", "f/c", "f/d"]);
        fixture.put("f/b", "theirs");
        fs::remove_file(fixture.root().join("f/c")).unwrap();
        let mode = Permissions::from_mode(0o604);
        fs::set_permissions(fixture.root().join("f/d"), mode).unwrap();
        let results = fixture.commit(drafts.into());
        assert_eq!(results[0], Ok(Vec::new()));
        assert_eq!(results[1], Err(StorageError::Conflict));
        assert_eq!(results[2], Err(StorageError::NotFound));
        assert_eq!(results[3], Err(StorageError::Conflict));
        assert_eq!(fixture.names("f"), ["b", "d"]);
        assert_eq!(fixture.get("f/b"), "theirs");
        let nothing = fixture.stage(vec![Removal {
            path: b"f/c".to_vec(),
            expected: version(b"old"),
        }]);
        assert!(matches!(nothing[0], Err(StorageError::NotFound)));
    }

    #[test]
    fn a_folder_that_is_emptied_stays() {
        let fixture = Fixture::new();
        fixture.put("users/alice/identity.json", "old");
        let change = fixture.removal("users/alice/identity.json");
        let draft = fixture.stage(vec![change]).remove(0).unwrap();
        fixture.commit(vec![draft]).remove(0).unwrap();
        assert_eq!(fixture.names("users/alice"), [""; 0]);
        assert_eq!(fixture.list(b"", None), [""; 0]);
    }

    #[test]
    fn what_was_written_at_the_very_last_is_put_back() {
        let (fixture, removed) = raced(&[1], false);
        assert_eq!(removed, Err(StorageError::Conflict));
        assert_eq!(fixture.get("f/a"), "theirs 1");
        assert_eq!(fixture.names("f"), ["a"]);
    }

    #[test]
    fn of_two_who_write_meanwhile_the_last_is_in_place_and_the_first_is_kept_and_named() {
        let (fixture, removed) = raced(&[1, 2], false);
        assert_eq!(fixture.get("f/a"), "theirs 2");
        let kept = fixture.names("f").remove(0);
        assert_eq!(fixture.get(&format!("f/{kept}")), "theirs 1");
        let Err(StorageError::Other(text)) = removed else {
            panic!("{removed:?}");
        };
        assert!(
            text.contains(&format!("is kept as f/{kept}")) || text.contains(&kept),
            "{text}"
        );
        // No sweep removes it, nor the note that says what it is.
        let Err(StorageError::Other(text)) = run(fixture.store.sweep(b"")) else {
            panic!("it was swept");
        };
        assert!(
            text.starts_with(&format!("f/{kept} may be the only copy")),
            "{text}"
        );
        assert_eq!(fixture.names("f").len(), 3);
    }

    #[test]
    fn a_sweep_ends_what_a_kill_has_left() {
        for (before, left) in [(&[][..], &[][..]), (&[1], &["a"])] {
            let (mut fixture, removed) = raced(before, true);
            assert!(removed.is_err());
            assert_eq!(fixture.names("f").len(), 2);
            assert_eq!(fixture.list(b"", None), [""; 0]);
            fixture.store = DirStore::open(fixture.root()).unwrap();
            let aside = format!("f/{}", fixture.names("f")[0]);
            let dry = Sweeping {
                is_dry: true,
                ..Sweeping::default()
            };
            let swept = run(fixture.store.remove_drafts(vec![aside.into_bytes()], dry));
            assert!(matches!(swept[0], Ok(Swept::Stays(_))));
            assert_eq!(run(fixture.store.sweep(b"")), Ok(1));
            assert_eq!(fixture.names("f"), left);
            if !left.is_empty() {
                assert_eq!(fixture.get("f/a"), "theirs 1");
            }
        }
    }

    #[test]
    fn a_note_stays_as_long_as_what_it_is_about() {
        let (mut fixture, _) = raced(&[], true);
        fixture.store = DirStore::open(fixture.root()).unwrap();
        let note = format!("f/{}", fixture.names("f")[1]);
        let how = Sweeping::default();
        let swept = run(fixture
            .store
            .remove_drafts(vec![note.clone().into_bytes()], how));
        assert!(matches!(swept[0], Ok(Swept::Stays(_))), "{note}");
        // Without it nobody knows what that is.
        fs::remove_file(fixture.root().join(note)).unwrap();
        assert!(run(fixture.store.sweep(b"")).is_err());
        assert_eq!(fixture.names("f").len(), 1);
    }
}
