//! Putting one draft in the place of its object, with nobody else's bytes lost.
//!
//! A look at the object and a rename over it are two steps, and whoever writes between them loses what
//! he wrote. So draft and object are exchanged, which is one step, and what was displaced is looked at
//! afterwards, under the draft's name: only if it is the version that was read, with the rights that it
//! had, is it removed. Anything else goes back to where it was.
//!
//! A process that is killed in between leaves under the draft's name what nobody may remove unseen. For
//! [`super::leftover`] the name itself says how to tell what it is.

use std::io::{self, ErrorKind};

use sha2::{Digest as _, Sha256};

use super::Options;
use super::disk::{File, Folder};
use super::draft::DirDraft;
use super::errors::{place, shown};
use super::path::{Place, Tags, exchange_name};
use super::read::{Seen, read, version};
use super::rights::Rights;
use super::root::Root;
use super::stamp::{Stamp, hex};
use crate::contract::StorageError;

/// The tag of a file that cannot be known again: one that was written to so shortly before that another
/// write could look the same.
const UNKNOWN: &str = "0000000000000000";

/// How often something is put back that somebody else has replaced at that very moment.
const TRIES: usize = 8;

/// Puts the draft in the place of its object if that is still the expected version. What could not be
/// removed of the old version is told; the object is replaced all the same.
///
/// # Errors
/// `Conflict`, `NotFound`, `Refused` or `Other`: the object was not replaced.
pub(super) fn replace(
    root: &Root,
    options: Options,
    draft: &mut DirDraft,
    to_sync: &mut Option<File>,
) -> Result<Option<StorageError>, StorageError> {
    let path = draft.path.clone();
    let failed = |error: io::Error| cannot_replace(&path, &error);
    let there = At::of(root, options, draft, &path)?;
    // Asked before as well: whoever reads the object meanwhile is not shown a version for an instant
    // that is bound to go.
    let current = there.expected(there.object, draft)?;
    let Some(current) = current else {
        return Err(StorageError::Conflict);
    };
    let to_sync = there.opened(to_sync).map_err(failed)?;
    draft.open_up()?;
    let stamp = Stamp::of(&draft.file.metadata().map_err(failed)?);
    let replaced = match current.is_fresh() {
        true => UNKNOWN.to_owned(),
        false => current.tag(),
    };
    let name = exchange_name(
        &draft.name,
        Tags {
            pair: pair(
                &draft.version().unwrap_or_default(),
                draft.expected().map_or(&[][..], Vec::as_slice),
            )
            .as_bytes(),
            draft: stamp.tag().as_bytes(),
            replaced: replaced.as_bytes(),
            rights: draft.rights.tag().as_bytes(),
        },
    );
    there.folder.rename(&draft.name, &name).map_err(failed)?;
    draft.name = name;
    there.exchange(draft, stamp, options, to_sync)
}

/// A tag of two versions, the new one and the one that it replaces. One of both is sealed with bytes at
/// random, so whoever sees the tag alone cannot guess what the other one says. Whoever has the sealed bytes
/// too can try guesses at plaintext on it, until a sweep removes the name.
pub(super) fn pair(new: &[u8], old: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(new);
    digest.update(old);
    hex(&digest.finalize(), 16)
}

/// An object's place.
pub(super) struct At<'a> {
    pub folder: Folder,
    /// The object's name.
    pub object: &'a [u8],
    path: &'a [u8],
    limit: u64,
}

impl<'a> At<'a> {
    /// That of a draft's object.
    ///
    /// # Errors
    /// `Conflict` if the path leads elsewhere by now: what stands there is not what was read.
    pub fn of(
        root: &Root,
        options: Options,
        draft: &DirDraft,
        path: &'a [u8],
    ) -> Result<Self, StorageError> {
        let place = Place::of_checked(path);
        let folder = root.folder(place.folder)?;
        let is_same = folder.is(&draft.folder);
        match is_same.map_err(|error| cannot_replace(path, &error))? {
            true => Ok(Self {
                folder,
                object: place.name,
                path,
                limit: options.object_bytes,
            }),
            false => Err(StorageError::Conflict),
        }
    }

    /// The folder, open to be synced: nothing is changed in one that then cannot be opened for that.
    pub fn opened<'f>(&self, to_sync: &'f mut Option<File>) -> io::Result<&'f File> {
        match to_sync {
            Some(open) => Ok(open),
            None => Ok(to_sync.insert(self.folder.as_file()?)),
        }
    }

    /// What stands under a name, if it is what the draft was made for: the version that was read, with
    /// the rights that the draft got.
    pub fn expected(&self, name: &[u8], draft: &DirDraft) -> Result<Option<Stamp>, StorageError> {
        let seen = match read(&self.folder, name, self.path, self.limit) {
            // What is too large now was not when it was read.
            Err(StorageError::TooLarge(_) | StorageError::Conflict) => return Ok(None),
            other => other?,
        };
        let Seen { bytes, stamp, file } = seen;
        if draft.expected() != Some(&version(&bytes)) {
            return Ok(None);
        }
        let failed = |error| cannot_replace(self.path, &error);
        let rights = Rights::of(&file).map_err(failed)?;
        // The rights took a few calls, in which somebody may have written.
        let last = Stamp::of(&file.metadata().map_err(failed)?);
        Ok((rights == draft.rights && last == stamp).then_some(stamp))
    }

    fn exchange(
        &self,
        draft: &mut DirDraft,
        stamp: Stamp,
        options: Options,
        to_sync: &File,
    ) -> Result<Option<StorageError>, StorageError> {
        draft.is_given = true;
        match self.folder.exchange(&draft.name, self.object) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                draft.is_given = false;
                return self.rename(draft, options);
            }
            Err(error) => {
                let error = match self.folder.stamp(self.object) {
                    Err(gone) if gone.kind() == ErrorKind::NotFound => StorageError::NotFound,
                    _ => cannot_replace(self.path, &error),
                };
                // It may have come about all the same.
                return Err(self.undo(draft, stamp, error, to_sync));
            }
        }
        match self.expected(&draft.name, draft) {
            Ok(Some(_)) => {}
            Ok(None) => return Err(self.undo(draft, stamp, StorageError::Conflict, to_sync)),
            Err(error) => return Err(self.undo(draft, stamp, error, to_sync)),
        }
        let removed = self.folder.remove(&draft.name);
        let left = |error| {
            draft.abandon();
            StorageError::Other(format!(
                "{} was replaced, but its old version is left as {} and cannot be removed: {error}; \
                 the next run tries again",
                shown(self.path),
                shown(&draft.beside())
            ))
        };
        Ok(removed.err().map(left))
    }

    /// Replaces where there is no exchange. Right only while no server writes.
    fn rename(
        &self,
        draft: &mut DirDraft,
        options: Options,
    ) -> Result<Option<StorageError>, StorageError> {
        if !options.server_is_stopped {
            return Err(StorageError::Other(no_exchange(self.path)));
        }
        // As near to the rename as can be.
        if self.expected(self.object, draft)?.is_none() {
            return Err(StorageError::Conflict);
        }
        self.folder
            .rename(&draft.name, self.object)
            .map_err(|error| cannot_replace(self.path, &error))?;
        draft.is_given = true;
        Ok(None)
    }

    /// Puts back what was displaced, so that the draft is a draft again, and returns the error to tell.
    ///
    /// Whoever writes to the object at this very moment displaces the draft from there and is displaced
    /// in turn. Then what came last becomes the object again, and what stood there before stays under
    /// the draft's name, since nobody knows whether it may go.
    fn undo(
        &self,
        draft: &mut DirDraft,
        stamp: Stamp,
        error: StorageError,
        to_sync: &File,
    ) -> StorageError {
        // What was put in the object's place last.
        let mut placed = stamp;
        for _ in 0..TRIES {
            let Ok(under) = self.folder.stamp(&draft.name) else {
                continue;
            };
            if under == stamp {
                return self.is_draft_again(draft, error);
            }
            // Whether it was done is seen from what stands there.
            let _ = self.folder.exchange(&draft.name, self.object);
            match self.folder.stamp(&draft.name) {
                Ok(back) if back == stamp => {
                    // No loss of power may bring the draft back in place once all else is gone.
                    return match to_sync.sync_folder() {
                        Ok(()) => self.is_draft_again(draft, error),
                        Err(_) => {
                            draft.abandon();
                            error
                        }
                    };
                }
                // Somebody had replaced it, and is in place again.
                Ok(back) if back == placed => return self.both_wrote(draft),
                Ok(back) if back == under => {}
                Ok(_) => placed = under,
                Err(_) => {}
            }
        }
        StorageError::Other(format!(
            "{} may not be as it was; if so, what stood there is kept as {} ({})",
            shown(self.path),
            shown(&draft.beside()),
            crate::describe_storage(&error),
        ))
    }

    fn both_wrote(&self, draft: &DirDraft) -> StorageError {
        StorageError::Other(format!(
            "others wrote {} twice while it was replaced: the last version is in place, the one before it \
             is kept as {}",
            shown(self.path),
            shown(&draft.beside()),
        ))
    }

    fn is_draft_again(&self, draft: &mut DirDraft, error: StorageError) -> StorageError {
        draft.is_given = false;
        match Rights::of(&draft.file) {
            Ok(now) if now != draft.rights => StorageError::Other(format!(
                "the permissions of {} were changed while others wrote it: set them again",
                shown(self.path)
            )),
            _ => error,
        }
    }
}

fn cannot_replace(path: &[u8], error: &io::Error) -> StorageError {
    StorageError::Other(format!("cannot replace {}: {error}", shown(path)))
}

/// Why nothing is replaced where two files cannot be exchanged.
pub(super) fn no_exchange(path: &[u8]) -> String {
    format!(
        "the file system of {} cannot exchange two files, so what a server writes meanwhile could be lost \
         (--server-is-stopped: there is none)",
        place(path)
    )
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::super::DirStore;
    use super::super::faults::{Call, Faults};
    use super::super::testing::{Fixture, refusal, run};
    use super::*;
    use crate::storage::{StorageWriter as _, Store as _};

    /// Somebody who writes right before the exchanges of these numbers, from 1 on.
    struct Writer {
        object: PathBuf,
        before: &'static [usize],
        exchanges: AtomicUsize,
    }

    impl Faults for Writer {
        fn before(&self, call: Call<'_>) -> io::Result<()> {
            if let Call::Exchange { .. } = call {
                let number = self.exchanges.fetch_add(1, SeqCst) + 1;
                if self.before.contains(&number) {
                    let file = self.object.with_extension("theirs");
                    fs::write(&file, format!("theirs {number}")).unwrap();
                    fs::rename(file, &self.object).unwrap();
                }
            }
            Ok(())
        }
    }

    /// A file system that exchanges nothing.
    struct WithoutExchange;

    impl Faults for WithoutExchange {
        fn before(&self, call: Call<'_>) -> io::Result<()> {
            match call {
                Call::Exchange { .. } => Err(ErrorKind::Unsupported.into()),
                _ => Ok(()),
            }
        }
    }

    /// A folder out of which nothing can be removed or moved, as `chattr +a` makes it.
    struct OnlyAdds;

    impl Faults for OnlyAdds {
        fn before(&self, call: Call<'_>) -> io::Result<()> {
            match call {
                Call::Exchange { .. } | Call::Rename { .. } | Call::Remove { .. } => {
                    Err(ErrorKind::PermissionDenied.into())
                }
                _ => Ok(()),
            }
        }
    }

    #[test]
    fn a_draft_that_cannot_be_removed_is_closed_and_known() {
        let fixture = fixture(|_| Arc::new(OnlyAdds));
        let object = fixture.root().join("f/a");
        fs::set_permissions(&object, Permissions::from_mode(0o644)).unwrap();
        let draft = fixture.draft("f/a", "new");
        assert!(fixture.commit(vec![draft]).remove(0).is_err());
        let abandoned = run(fixture.store.abandoned());
        assert_eq!(abandoned.len(), 1);
        let left = fixture.root().join(str::from_utf8(&abandoned[0]).unwrap());
        assert_eq!(fs::read(&left).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&left).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fixture.get("f/a"), "old");
    }

    fn fixture(faults: impl FnOnce(&Path) -> Arc<dyn Faults>) -> Fixture {
        let mut fixture = Fixture::new();
        fixture.put("f/a", "old");
        let faults = faults(&fixture.root().join("f/a"));
        fixture.store = DirStore::open_with_faults(fixture.root(), faults).unwrap();
        fixture
    }

    fn raced(before: &'static [usize]) -> (Fixture, StorageError) {
        let fixture = fixture(|object| {
            Arc::new(Writer {
                object: object.to_owned(),
                before,
                exchanges: AtomicUsize::new(0),
            })
        });
        let draft = fixture.draft("f/a", "new");
        let error = fixture.commit(vec![draft]).remove(0).err().unwrap();
        (fixture, error)
    }

    #[test]
    fn what_was_written_at_the_very_last_is_put_back() {
        let (fixture, error) = raced(&[1]);
        assert!(matches!(error, StorageError::Conflict), "{error:?}");
        assert_eq!(fixture.get("f/a"), "theirs 1");
        assert_eq!(fixture.names("f"), ["a"]);
    }

    #[test]
    fn of_two_who_write_meanwhile_the_last_is_in_place_and_the_first_is_kept_and_named() {
        let (fixture, error) = raced(&[1, 2]);
        assert_eq!(fixture.get("f/a"), "theirs 2");
        let kept = fixture.names("f").remove(0);
        assert_eq!(fixture.get(&format!("f/{kept}")), "theirs 1");
        let StorageError::Other(text) = error else {
            panic!("{error:?}");
        };
        assert!(text.contains(&format!("is kept as f/{kept}")), "{text}");
        // And no sweep removes it.
        let StorageError::Other(text) = run(fixture.store.sweep(b"")).err().unwrap() else {
            panic!("it was swept");
        };
        assert!(
            text.starts_with(&format!("f/{kept} may be the only copy")),
            "{text}"
        );
        assert_eq!(fixture.get(&format!("f/{kept}")), "theirs 1");
    }

    #[test]
    fn nothing_is_destroyed_however_many_write_meanwhile() {
        let (fixture, _) = raced(&[1, 2, 3]);
        assert_eq!(fixture.get("f/a"), "theirs 3");
        // The second one has written over the draft, the third one over the first.
        let kept = fixture.names("f").remove(0);
        assert_eq!(fixture.get(&format!("f/{kept}")), "theirs 2");
    }

    #[test]
    fn rights_that_were_changed_since_the_draft_was_made_are_a_conflict() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let draft = fixture.draft("a", "new");
        let object = fixture.root().join("a");
        fs::set_permissions(&object, Permissions::from_mode(0o604)).unwrap();
        let result = fixture.commit(vec![draft]).remove(0);
        assert!(matches!(result, Err(StorageError::Conflict)));
        let again = fixture.draft("a", "new");
        fixture.commit(vec![again]).remove(0).unwrap();
        assert_eq!(fixture.get("a"), "new");
        let mode = fs::metadata(object).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o604);
    }

    #[test]
    fn without_an_exchange_nothing_is_replaced_unless_the_server_is_stopped() {
        let fixture = fixture(|_| Arc::new(WithoutExchange));
        let text = refusal(run(fixture.store.check_writes()));
        assert!(
            text.starts_with("the file system of the store's root cannot exchange"),
            "{text}"
        );
        assert_eq!(fixture.names(""), ["f"]);
        let draft = fixture.draft("f/a", "new");
        let error = fixture.commit(vec![draft]).remove(0).err().unwrap();
        let StorageError::Other(text) = error else {
            panic!("{error:?}");
        };
        assert!(
            text.starts_with("the file system of f/a cannot exchange"),
            "{text}"
        );
        assert_eq!(fixture.get("f/a"), "old");
        assert_eq!(fixture.names("f"), ["a"]);

        let stopped = fixture.store.clone().server_is_stopped(true);
        run(stopped.check_writes()).unwrap();
        let draft = run(stopped.stage(vec![fixture.replacement("f/a", "new").into()])).remove(0);
        run(stopped.commit(vec![draft.unwrap()])).remove(0).unwrap();
        assert_eq!(fixture.get("f/a"), "new");
        assert_eq!(fixture.names("f"), ["a"]);
    }
}
