//! Drafts: new bytes, durable beside the object that they are to replace or to become, or a note that says
//! which object is to go.
//!
//! A draft is a file of its own in the object's folder, locked (`flock`) as long as the draft lives,
//! so that [`super::sweep`] can tell it from what a killed run left behind.

use std::any::Any;
use std::fs::TryLockError;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use async_trait::async_trait;

use super::disk::{File, Folder};
use super::errors::{failed, refused, shown};
use super::neighbour;
use super::note::Note;
use super::path::{Place, draft_name, is_draft_name};
use super::read::{check_size, open, read, version};
use super::rights::Rights;
use super::root::Root;
use super::stamp::unlike_others;
use super::{blocking, parallel};
use crate::contract::StorageError;
use crate::storage::{Change, Creation, Draft, NO_BYTES, Version};

/// How often a draft is begun anew when a sweep takes it away between its making and its locking.
/// Each time has to meet a sweep in that very moment.
const TRIES: usize = 8;

/// The mode of a file that is its owner's alone.
const CLOSED: u32 = 0o600;

/// A draft of the directory store. Dropping it removes its file, unless that has become the object.
pub(super) struct DirDraft {
    pub root: Arc<Root>,
    /// The object's path.
    pub path: Vec<u8>,
    /// The object's folder, and the draft's.
    pub folder: Arc<Folder>,
    /// The draft's name in it.
    pub name: Vec<u8>,
    pub kind: Kind,
    /// The object's rights when the draft was made, which the draft has from the commit on; those that a new
    /// object is to have.
    pub rights: Rights,
    /// Whether what stands under the name may be somebody else's, or is still needed, and dropping the draft
    /// does not remove it.
    pub is_given: bool,
    limit: u64,
    /// Holds the lock, and is what gets synced.
    pub file: File,
}

/// What is to become of the object.
pub(super) enum Kind {
    /// It is to be this version, and is not there yet.
    Create(Version),
    /// The version that it is to be the new one in the place of.
    Replace { expected: Version, new: Version },
    /// This version is to go. The draft is a note that says which object it is.
    Remove(Version),
}

/// Makes a durable draft of each change.
///
/// All of them are written before the first is synced: what makes one durable, a commit of the file
/// system's journal, then carries the others, whose own syncs find little left to do.
///
/// The folder is not synced: a draft whose name is lost with the power was nothing but a draft.
pub(super) fn stage(
    root: &Arc<Root>,
    limit: u64,
    changes: Vec<Change>,
) -> Vec<Result<DirDraft, StorageError>> {
    let written = parallel::map(root.lanes, changes, |change| write(root, limit, change));
    parallel::map(root.lanes, written, |draft| {
        let draft = draft?;
        let synced = draft.file.sync();
        synced.map_err(|error| draft.failed("sync", &error))?;
        Ok(draft)
    })
}

fn write(root: &Arc<Root>, limit: u64, change: Change) -> Result<DirDraft, StorageError> {
    match change {
        Change::Create(new) => {
            let place = Place::of(&new.path)?;
            // No listing would show it, and a sweep would remove it.
            if is_draft_name(place.name) {
                return Err(refused("its name is that of a draft"));
            }
            check_size(new.bytes.len() as u64, limit)?;
            let folder = neighbour::make_folders(root, place.folder)?;
            let created = create(root, limit, folder, new);
            if let Err((path, error)) = created {
                neighbour::unmake_folders(root, Place::of_checked(&path).folder);
                return Err(error);
            }
            created.map_err(|(_, error)| error)
        }
        Change::Replace(new) => {
            let place = Place::of(&new.path)?;
            // What `read` would refuse to hand over afterwards is not written.
            check_size(new.bytes.len() as u64, limit)?;
            let (folder, rights) = existing(root, &place, &new.path)?;
            let kind = Kind::Replace {
                expected: new.expected,
                new: version(&new.bytes),
            };
            written(root, limit, folder, new.path, (kind, rights), &new.bytes)
        }
        Change::Remove(old) => {
            let place = Place::of(&old.path)?;
            let (folder, rights) = existing(root, &place, &old.path)?;
            let tag = rights.tag();
            let note = Note {
                version: &old.expected,
                rights: tag.as_bytes(),
                object: place.name,
            };
            let note = note.to_bytes();
            let kind = Kind::Remove(old.expected);
            written(root, limit, folder, old.path, (kind, rights), &note)
        }
    }
}

/// The folder of an object that is there, and who may do what with it.
fn existing(root: &Root, place: &Place<'_>, path: &[u8]) -> Result<(Folder, Rights), StorageError> {
    let folder = root.folder(place.folder)?;
    let (original, _) = open(&folder, place.name, path)?;
    let rights = Rights::of(&original).map_err(|error| failed("read", path, &error))?;
    Ok((folder, rights))
}

fn create(
    root: &Arc<Root>,
    limit: u64,
    folder: Folder,
    new: Creation,
) -> Result<DirDraft, (Vec<u8>, StorageError)> {
    let path = new.path;
    let begun = check_absent(&folder, &path).and_then(|()| match &new.rights {
        Some(rights) => {
            let unknown = || refused("what its rights are to be is another store's");
            Rights::from_bytes(rights).ok_or_else(unknown)
        }
        None => neighbour::of_file(root, &path),
    });
    match begun {
        Ok(rights) => {
            let kind = Kind::Create(version(&new.bytes));
            let again = path.clone();
            let draft = written(root, limit, folder, path, (kind, rights), &new.bytes);
            draft.map_err(|error| (again, error))
        }
        Err(error) => Err((path, error)),
    }
}

/// # Errors
/// `Conflict` if something stands where the object is to be.
pub(super) fn check_absent(folder: &Folder, path: &[u8]) -> Result<(), StorageError> {
    match folder.kind(Place::of_checked(path).name) {
        Ok(_) => Err(StorageError::Conflict),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("look at", path, &error)),
    }
}

fn written(
    root: &Arc<Root>,
    limit: u64,
    folder: Folder,
    path: Vec<u8>,
    (kind, rights): (Kind, Rights),
    bytes: &[u8],
) -> Result<DirDraft, StorageError> {
    let (name, file) = begin(&folder, &path)?;
    let draft = DirDraft {
        root: Arc::clone(root),
        path,
        folder: Arc::new(folder),
        name,
        kind,
        rights,
        is_given: false,
        limit,
        file,
    };
    // Before it holds anything.
    if !matches!(draft.kind, Kind::Remove(_)) {
        let prepared = draft.rights.prepare(&draft.file);
        prepared.map_err(|refusal| refusal.of(&draft.path))?;
    }
    draft
        .file
        .write(bytes)
        .and_then(|()| draft.file.set_modified(unlike_others()?))
        .map_err(|error| draft.failed("write", &error))?;
    Ok(draft)
}

/// Makes and locks a file for a draft of `path`.
fn begin(folder: &Folder, path: &[u8]) -> Result<(Vec<u8>, File), StorageError> {
    let impossible = |error: &io::Error| drafting(path, "make", error);
    for _ in 0..TRIES {
        let number = getrandom::u64().map_err(io::Error::other);
        let name = draft_name(number.map_err(|error| impossible(&error))?);
        let file = folder.create(&name).map_err(|error| impossible(&error))?;
        let locked = match file.try_lock() {
            Ok(()) => file.metadata().map(Some),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        };
        match locked {
            Ok(Some(metadata)) if metadata.nlink() > 0 => return Ok((name, file)),
            // A sweep has it, or had it and has removed it.
            Ok(_) => {}
            Err(error) => {
                // The error that is told is the one that matters; what stays is swept.
                let _ = folder.remove(&name);
                return Err(drafting(path, "lock", &error));
            }
        }
    }
    Err(StorageError::Other(format!(
        "cannot make a draft of {}: it was swept away {TRIES} times",
        shown(path)
    )))
}

impl DirDraft {
    /// Gives the draft the object's rights, which may open it to others, and makes that durable: no
    /// loss of power leaves an object that its server may not read. For the commit, directly before
    /// the draft becomes the object: a kill in between leaves this draft alone in the open.
    ///
    /// # Errors
    /// `Refused` if it cannot have all of them; `Other` if they cannot be made durable.
    pub fn open_up(&self) -> Result<(), StorageError> {
        let given = self.rights.give(&self.file);
        given.map_err(|refusal| refusal.of(&self.path))?;
        self.file
            .sync()
            .map_err(|error| self.failed("sync", &error))
    }

    /// The version that the object is to be before it is changed; none if it is not to be there.
    pub fn expected(&self) -> Option<&Version> {
        match &self.kind {
            Kind::Create(_) => None,
            Kind::Replace { expected, .. } | Kind::Remove(expected) => Some(expected),
        }
    }

    /// The version that it makes; none of a removal.
    pub fn version(&self) -> Option<Version> {
        match &self.kind {
            Kind::Create(new) | Kind::Replace { new, .. } => Some(new.clone()),
            Kind::Remove(_) => None,
        }
    }

    /// What is done to the object, as in "it was replaced".
    pub fn done(&self) -> &'static str {
        match &self.kind {
            Kind::Create(_) => "created",
            Kind::Replace { .. } => "replaced",
            Kind::Remove(_) => "removed",
        }
    }

    /// Lets the store know that the file stays, so that a run can say so.
    pub fn abandon(&self) {
        self.root.abandon(self.beside());
    }

    /// The path of its file.
    pub fn beside(&self) -> Vec<u8> {
        self.sibling(&self.name)
    }

    /// The path of something else in the object's folder.
    pub fn sibling(&self, name: &[u8]) -> Vec<u8> {
        match Place::of_checked(&self.path).folder {
            b"" => name.to_vec(),
            folder => [folder, b"/", name].concat(),
        }
    }

    fn failed(&self, action: &str, error: &io::Error) -> StorageError {
        drafting(&self.path, action, error)
    }
}

/// A system call on a draft that failed. A draft that is gone is a surprise, not an object that is
/// not there.
fn drafting(path: &[u8], action: &str, error: &io::Error) -> StorageError {
    StorageError::Other(format!(
        "cannot {action} a draft of {}: {error}",
        shown(path)
    ))
}

impl Drop for DirDraft {
    fn drop(&mut self) {
        if self.is_given {
            return;
        }
        match self.folder.remove(&self.name) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => {
                // It may have got the object's rights, for an exchange that did not come about.
                let _ = self.file.set_mode(CLOSED);
                self.abandon();
            }
        }
        if let Kind::Create(_) = self.kind {
            neighbour::unmake_folders(&self.root, Place::of_checked(&self.path).folder);
        }
    }
}

#[async_trait]
impl Draft for DirDraft {
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
        if let Kind::Remove(_) = self.kind {
            return Err(refused(NO_BYTES));
        }
        let (folder, name) = (Arc::clone(&self.folder), self.name.clone());
        let (path, limit) = (self.path.clone(), self.limit);
        blocking(move || match read(&folder, &name, &path, limit) {
            Err(StorageError::NotFound) => {
                Err(drafting(&path, "read", &ErrorKind::NotFound.into()))
            }
            other => other.map(|seen| seen.bytes),
        })
        .await?
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::super::testing::{Fixture, refusal, run};
    use super::*;
    use crate::contract::SizeLimit;
    use crate::storage::{Replacement, Storage as _};

    /// The drafts in the root, by name.
    fn drafts(fixture: &Fixture) -> Vec<String> {
        let mut names = fixture.names("");
        names.retain(|name| super::super::path::is_draft_name(name.as_bytes()));
        names
    }

    fn only_draft(fixture: &Fixture) -> std::path::PathBuf {
        fixture.root().join(drafts(fixture).remove(0))
    }

    #[test]
    fn a_draft_stands_beside_its_object_and_changes_nothing() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let _draft = fixture.draft("a", "new");
        assert_eq!(fixture.get("a"), "old");
        assert_eq!(fs::read(only_draft(&fixture)).unwrap(), b"new");
    }

    #[test]
    fn a_draft_is_read_back_from_the_disk() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let mut draft = fixture.draft("a", "new");
        assert_eq!(run(draft.read_back()).unwrap(), b"new");
        fs::write(only_draft(&fixture), "damaged").unwrap();
        assert_eq!(run(draft.read_back()).unwrap(), b"damaged");
        fs::remove_file(only_draft(&fixture)).unwrap();
        let error = run(draft.read_back()).err().unwrap();
        assert!(
            matches!(&error, StorageError::Other(text) if text.starts_with("cannot read a draft of a:")),
            "{error:?}"
        );
    }

    #[test]
    fn a_dropped_draft_removes_its_file() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        drop(fixture.draft("a", "new"));
        assert_eq!(fixture.names(""), ["a"]);
    }

    #[test]
    fn mode_and_owner_are_those_of_the_object() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let object = fixture.root().join("a");
        // Only root may give a file away; for others the owner is the same anyway.
        let _ = chown(&object, Some(12345), Some(54321));
        fs::set_permissions(&object, Permissions::from_mode(0o2750)).unwrap();
        let before = fs::metadata(&object).unwrap();

        let draft = fixture.draft("a", "new");
        fixture.commit(vec![draft]).remove(0).unwrap();
        let after = fs::metadata(&object).unwrap();
        assert_ne!(before.ino(), after.ino());
        assert_eq!(after.mode(), before.mode());
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    }

    #[test]
    fn a_draft_is_locked_while_it_lives() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let _draft = fixture.draft("a", "new");
        let other = File::open(only_draft(&fixture)).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
    }

    #[test]
    fn each_replacement_fails_on_its_own() {
        let mut fixture = Fixture::new();
        fixture.put("a", "old");
        fixture.put("z", "old");
        fixture.put("real/b", "old");
        fixture.link("a", "link");
        fixture.link("real", "alias");
        fixture.store = fixture.store.clone().object_bytes(10);
        let replacement = |path: &str, text: &str| {
            Change::Replace(Replacement {
                path: path.into(),
                expected: version(b"old"),
                bytes: text.into(),
            })
        };
        let mut results = fixture.stage(vec![
            replacement("a", "new"),
            replacement("missing", "new"),
            replacement("missing/b", "new"),
            replacement("link", "new"),
            replacement("alias/b", "new"),
            replacement("../a", "new"),
            replacement("a", "eleven byte"),
            replacement("z", "new"),
        ]);
        let last = results.pop().unwrap();
        assert!(last.is_ok());
        assert!(matches!(
            results.pop().unwrap(),
            Err(StorageError::TooLarge(SizeLimit {
                asked: 11,
                allowed: 10
            }))
        ));
        assert_eq!(refusal(results.pop().unwrap()), "../a has the part `..`");
        assert_eq!(
            refusal(results.pop().unwrap()),
            "`alias` in alias is a symbolic link"
        );
        assert_eq!(refusal(results.pop().unwrap()), "link is a symbolic link");
        for _ in 0..2 {
            let result = results.pop().unwrap();
            assert!(matches!(result, Err(StorageError::NotFound)));
        }
        assert!(results.pop().unwrap().is_ok());
        // The failed ones left nothing.
        drop(last);
        assert_eq!(fixture.names(""), ["a", "alias", "link", "real", "z"]);
        assert_eq!(fixture.names("real"), ["b"]);
    }

    #[test]
    fn objects_with_odd_names_are_replaced() {
        let fixture = Fixture::new();
        let path = "policydb/users/uid=Zoë M,ou=a/b,dc=x.json";
        fixture.put(path, "old");
        let draft = fixture.draft(path, "new");
        fixture.commit(vec![draft]).remove(0).unwrap();
        assert_eq!(
            run(fixture.store.read(path.as_bytes())).unwrap().bytes,
            b"new"
        );
    }
}
