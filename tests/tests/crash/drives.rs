//! MinIO's drives: every change of a file on any of four drives can go wrong.
//!
//! The files are in memory, and the library that the component is made of works on them natively. What a
//! process finds is read twice: by the library, and by the rule that real servers were seen to follow
//! ([`super::minio`]). Both have to see the same object.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use iamseal::contract::StorageError;
use iamseal::journal::Journals;
use iamseal::storage::{Change, Cursor, Draft, Storage, StorageWriter, Stored, Version};
use iamseal_drives::{
    Drive, Entry, FileError, Files, FilesWriter, Kind, Page, Part, ReadError, Store, Walk,
    WriteError, version,
};
use tempfile::TempDir;

use crate::dir::{folder_in_memory, put};
use crate::minio;
use crate::mode::{Cause, Fate, Mode, Point, dead};
use crate::platters::{Lie, Platters};
use crate::shadow::{Content, Tree};
use crate::world::{Opened, World};

/// The drives of the set.
pub const DRIVES: usize = 4;

/// Four drives. The journals of its runs are files of a disk that nothing happens to.
pub struct Drives {
    platters: Arc<Mutex<Platters>>,
    /// The objects in the beginning, and what stands beside them.
    before: Tree,
    journals: TempDir,
    /// The drive that is missing, if one is. It has what it had.
    away: Option<Drive>,
}

impl Drives {
    /// The same whose order of writes is not what the library wants.
    pub fn lying(objects: &Tree, lie: Option<Lie>) -> Self {
        Self::with(minio::platters(objects, lie), objects, &Tree::new())
    }

    fn with(platters: Platters, before: &Tree, journals: &Tree) -> Self {
        let folder = folder_in_memory();
        put(folder.path(), journals);
        Self {
            platters: Arc::new(Mutex::new(platters)),
            before: before.clone(),
            journals: folder,
            away: None,
        }
    }

    /// The same with this drive missing.
    pub fn without(self, away: Option<Drive>) -> Self {
        Self { away, ..self }
    }

    /// Whether a server reads the object.
    pub fn is_seen_by_minio(&self, path: &[u8]) -> bool {
        let metas = self.platters.lock().unwrap().metas(path);
        minio::reads(&metas).is_ok()
    }

    fn store(&self, point: &Arc<Point>) -> Native {
        let files = Lent {
            platters: Arc::clone(&self.platters),
            point: Arc::clone(point),
            away: self.away,
        };
        let store = Store::open(files).unwrap();
        if self.away.is_some() {
            store.degrade();
        }
        Native {
            platters: Arc::clone(&self.platters),
            store: Arc::new(Mutex::new(store)),
            away: self.away,
        }
    }
}

impl World for Drives {
    const NAME: &'static str = "drives";

    /// What ends a process is tried everywhere. What it lives through is so often the same on another drive
    /// that each fifth suffices, which comes to every drive since these are four.
    fn stride(mode: Mode) -> usize {
        match mode.reports() {
            None => 1,
            Some(_) => 5,
        }
    }

    fn modes() -> Vec<Mode> {
        let mut modes = vec![
            Mode::Killed,
            Mode::Torn,
            Mode::PowerLost,
            Mode::DoneButFails,
        ];
        for cause in [Cause::Broken, Cause::Full, Cause::Denied] {
            modes.extend([Mode::Fails(cause), Mode::FailsFromThere(cause)]);
        }
        modes
    }

    fn of(objects: &Tree, journals: &Tree) -> Self {
        Self::with(minio::platters(objects, None), objects, journals)
    }

    fn open(&self, point: &Arc<Point>) -> Result<Opened, String> {
        let journals = self.journals.path().to_owned();
        Ok(Opened::new(
            self.store(point),
            Arc::new(move || Journals::open(&journals)),
        ))
    }

    fn after(self, mode: Mode) -> Vec<Self> {
        let platters = self.platters.lock().unwrap().clone();
        let left = match mode {
            Mode::PowerLost => platters.after_power_loss(),
            _ => BTreeSet::from([platters.settled()]),
        };
        let journals = crate::shadow::read(self.journals.path());
        let world = |platters| Self::with(platters, &self.before, &journals).without(self.away);
        left.into_iter().map(world).collect()
    }

    fn sweep(&self) {
        let Native { store, .. } = self.store(&Arc::new(Point::never()));
        let store = store.lock().unwrap();
        for draft in store.drafts().unwrap() {
            store.remove_draft(&draft).unwrap();
        }
    }

    /// The objects, with what their files have in common, and every file that is of none.
    fn everything(&self) -> Tree {
        let Native { store, .. } = self.store(&Arc::new(Point::never()));
        let store = store.lock().unwrap();
        let platters = self.platters.lock().unwrap().clone();
        let mut all = Tree::new();
        for (path, content) in &self.before {
            // What stands outside of the configuration is no object of a drive.
            let content = match path.starts_with(b"config/") {
                false => content.clone(),
                true => {
                    let (mode, owner) = platters.rights(path);
                    let bytes = store.read(path).unwrap_or_default();
                    Content { bytes, mode, owner }
                }
            };
            all.insert(path.clone(), content);
        }
        all.extend(platters.odd_files(&self.before));
        all
    }
}

/// The same where one drive is missing, and is back for one of the processes that come after it.
pub struct Degraded<const AWAY: Drive>(Drives);

impl<const AWAY: Drive> World for Degraded<AWAY> {
    const NAME: &'static str = match AWAY {
        0 => "drives without the first",
        1 => "drives without the second",
        2 => "drives without the third",
        _ => "drives without the last",
    };

    /// What the loss of power leaves has to do with syncs, which are those of four drives. Each world takes minutes, so
    /// of the inner drives some points alone are looked at.
    fn stride(mode: Mode) -> usize {
        match (mode, AWAY) {
            (Mode::PowerLost, 0 | 3) => 23,
            (Mode::PowerLost, _) => 97,
            (_, 0 | 3) => 1,
            _ => 13,
        }
    }

    fn modes() -> Vec<Mode> {
        vec![Mode::Killed, Mode::PowerLost]
    }

    fn of(objects: &Tree, journals: &Tree) -> Self {
        Self(Drives::of(objects, journals).without(Some(AWAY)))
    }

    fn open(&self, point: &Arc<Point>) -> Result<Opened, String> {
        self.0.open(point)
    }

    fn after(self, mode: Mode) -> Vec<Self> {
        let (platters, before) = (Arc::clone(&self.0.platters), self.0.before.clone());
        let journals = crate::shadow::read(self.0.journals.path());
        let mut left = self.0.after(mode);
        let back = Drives::with(platters.lock().unwrap().settled(), &before, &journals);
        if mode == Mode::Killed {
            left.push(back);
        }
        left.into_iter().map(Self).collect()
    }

    fn sweep(&self) {
        self.0.sweep();
    }

    /// Where two of three drives have the new version, no order leaves an object to be read all the time: it is refused
    /// until the drive is back, or a server has healed the third.
    fn takes_back(&self) -> bool {
        self.0.away.is_none()
    }

    fn everything(&self) -> Tree {
        self.0.everything()
    }
}

/// The files of the drives, as one process has them.
struct Lent {
    platters: Arc<Mutex<Platters>>,
    point: Arc<Point>,
    away: Option<Drive>,
}

impl Lent {
    /// A change, which may go wrong here.
    fn change(
        &self,
        can_happen: bool,
        change: impl FnOnce(&mut Platters) -> Result<(), FileError>,
        half: impl FnOnce(&mut Platters),
    ) -> Result<(), FileError> {
        let failed = |error: std::io::Error| FileError::Failed(error.to_string());
        let mode = self.point.mode;
        let mut platters = self.platters.lock().unwrap();
        match self.point.meet(can_happen) {
            Fate::Goes => change(&mut platters),
            Fate::Dead => Err(failed(dead())),
            Fate::Struck => match mode {
                Mode::Killed | Mode::PowerLost => Err(failed(dead())),
                Mode::Torn => {
                    half(&mut platters);
                    Err(failed(dead()))
                }
                Mode::Fails(cause) | Mode::FailsFromThere(cause) => {
                    half(&mut platters);
                    Err(failed(cause.error()))
                }
                Mode::DoneButFails => {
                    change(&mut platters)?;
                    Err(failed(Cause::Broken.error()))
                }
            },
        }
    }

    /// Whether the mode makes a difference to a call of this kind.
    fn meets(&self, call: Call) -> bool {
        match self.point.mode {
            Mode::Torn => call == Call::Create,
            Mode::Fails(Cause::Full) | Mode::FailsFromThere(Cause::Full) => {
                matches!(call, Call::Create | Call::Rename | Call::Sync)
            }
            Mode::Fails(Cause::Denied) | Mode::FailsFromThere(Cause::Denied) => call != Call::Sync,
            _ => true,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Create,
    OpenUp,
    Rename,
    Remove,
    Sync,
}

impl Files for Lent {
    fn drives(&self) -> Vec<String> {
        (1..=DRIVES).map(|drive| format!("drive{drive}")).collect()
    }

    fn list(&self, drive: Drive, folder: &[u8], after: Option<&[u8]>) -> Result<Page, FileError> {
        let names = self.platters.lock().unwrap().names(drive, folder);
        if names.is_empty() || self.away == Some(drive) {
            return Err(FileError::NotFound);
        }
        let entries = names.into_iter().map(|(name, is_folder)| Entry {
            name,
            kind: if is_folder { Kind::Folder } else { Kind::File },
        });
        Ok(Page {
            entries: entries
                .filter(|entry| after.is_none_or(|after| entry.name.as_slice() > after))
                .collect(),
            has_more: false,
        })
    }

    fn read(&self, drive: Drive, file: &[u8], offset: u64, length: u32) -> Result<Part, FileError> {
        let platters = self.platters.lock().unwrap();
        let bytes = platters.file(drive, file);
        let bytes = bytes.filter(|_| self.away != Some(drive));
        let bytes = bytes.ok_or(FileError::NotFound)?;
        let size = bytes.len() as u64;
        let rest = bytes.into_iter().skip(offset as usize);
        Ok(Part {
            bytes: rest.take(length as usize).collect(),
            size,
        })
    }
}

impl FilesWriter for Lent {
    fn now(&self) -> i64 {
        minio::NOW
    }

    fn random(&self) -> [u8; 16] {
        let mut random = [0; 16];
        getrandom::fill(&mut random).unwrap();
        random
    }

    fn lock(&self, _: Drive, _: &[u8]) -> Result<(), FileError> {
        Ok(())
    }

    fn modified(&self, _: Drive, _: &[u8]) -> Result<i64, FileError> {
        Ok(minio::NOW)
    }

    fn create(
        &self,
        drive: Drive,
        file: &[u8],
        bytes: &[u8],
        like: &[u8],
    ) -> Result<(), FileError> {
        let half = &bytes[..bytes.len() / 2];
        self.change(
            self.meets(Call::Create),
            |platters| platters.create(drive, file, bytes, like),
            |platters| drop(platters.create(drive, file, half, like)),
        )
    }

    // A folder is there as soon as something is in it.
    fn make_folder(&self, _: Drive, _: &[u8], _: &[u8]) -> Result<(), FileError> {
        Ok(())
    }

    fn open_up(&self, drive: Drive, file: &[u8], like: &[u8]) -> Result<(), FileError> {
        self.change(
            self.meets(Call::OpenUp),
            |platters| platters.open_up(drive, file, like),
            |_| {},
        )
    }

    fn rename(&self, drive: Drive, from: &[u8], to: &[u8]) -> Result<(), FileError> {
        let is_meta = to.ends_with(b"/xl.meta");
        let pending = match is_meta {
            true => self.platters.lock().unwrap().hold_back(drive, from, to),
            false => Some(vec![(drive, from.to_vec(), to.to_vec())]),
        };
        for (drive, from, to) in pending.into_iter().flatten() {
            self.change(
                self.meets(Call::Rename),
                |platters| platters.rename(drive, &from, &to),
                |_| {},
            )?;
        }
        Ok(())
    }

    fn remove(&self, drive: Drive, file: &[u8]) -> Result<(), FileError> {
        self.change(
            self.meets(Call::Remove),
            |platters| platters.remove(drive, file),
            |_| {},
        )
    }

    fn remove_folder(&self, drive: Drive, folder: &[u8]) -> Result<(), FileError> {
        match self
            .platters
            .lock()
            .unwrap()
            .names(drive, folder)
            .is_empty()
        {
            true => Err(FileError::NotFound),
            false => Err(FileError::Failed("it is not empty".into())),
        }
    }

    fn sync(&self, drive: Drive) -> Result<(), FileError> {
        self.change(
            self.meets(Call::Sync),
            |platters| {
                platters.sync(drive);
                Ok(())
            },
            |_| {},
        )
    }
}

/// The library behind the host's traits, as the component is.
#[derive(Clone)]
struct Native {
    platters: Arc<Mutex<Platters>>,
    store: Arc<Mutex<Store<Lent>>>,
    away: Option<Drive>,
}

struct NativeDraft {
    store: Native,
    draft: Option<iamseal_drives::Draft>,
}

struct Listing {
    store: Native,
    walk: Mutex<Walk>,
}

#[async_trait]
impl Storage for Native {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        Ok(Box::new(Listing {
            store: self.clone(),
            walk: Mutex::new(Walk::new(prefix, start_after)),
        }))
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let read = self.store.lock().unwrap().read(path);
        let bytes = read.map_err(|error| match error {
            ReadError::NotFound => StorageError::NotFound,
            ReadError::Refused(why) => StorageError::Refused(why),
            other => StorageError::Other(format!("{other:?}")),
        })?;
        let mut metas = self.platters.lock().unwrap().metas(path);
        // With the missing drive back as it is, a server reads the object too.
        minio::reads(&metas).map_err(StorageError::Other)?;
        if let Some(away) = self.away {
            metas[usize::from(away)] = None;
            minio::reads(&metas).map_err(StorageError::Other)?;
        }
        let version = version(&bytes);
        Ok(Stored { bytes, version })
    }
}

#[async_trait]
impl Cursor for Listing {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        let store = self.store.store.lock().unwrap();
        Ok(self.walk.lock().unwrap().next(&store))
    }
}

#[async_trait]
impl StorageWriter for Native {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let new: Vec<_> = changes
            .iter()
            .map(|change| match change {
                Change::Create(new) => iamseal_drives::Change::Create(iamseal_drives::Creation {
                    path: &new.path,
                    bytes: &new.bytes,
                }),
                Change::Replace(new) => {
                    iamseal_drives::Change::Replace(iamseal_drives::Replacement {
                        path: &new.path,
                        expected: &new.expected,
                        bytes: &new.bytes,
                    })
                }
                Change::Remove(old) => iamseal_drives::Change::Remove(iamseal_drives::Removal {
                    path: &old.path,
                    expected: &old.expected,
                }),
            })
            .collect();
        let staged = self.store.lock().unwrap().stage(&new);
        let held = |draft: Result<iamseal_drives::Draft, WriteError>| {
            let draft: Box<dyn Draft> = Box::new(NativeDraft {
                store: self.clone(),
                draft: Some(draft.map_err(unwritten)?),
            });
            Ok(draft)
        };
        staged.into_iter().map(held).collect()
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        let take = |draft: Box<dyn Draft>| {
            let mut draft = draft.into_any().downcast::<NativeDraft>().unwrap();
            draft.draft.take().unwrap()
        };
        let drafts = drafts.into_iter().map(take).collect();
        let committed = self.store.lock().unwrap().commit(drafts);
        let answer = |version: Result<Option<Version>, WriteError>| version.map_err(unwritten);
        committed.into_iter().map(answer).collect()
    }
}

#[async_trait]
impl Draft for NativeDraft {
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
        let store = self.store.store.lock().unwrap();
        store
            .read_back(self.draft.as_ref().unwrap())
            .map_err(unwritten)
    }

    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

impl Drop for NativeDraft {
    fn drop(&mut self) {
        if let Some(draft) = &self.draft {
            self.store.store.lock().unwrap().discard(draft);
        }
    }
}

fn unwritten(error: WriteError) -> StorageError {
    match error {
        WriteError::NotFound => StorageError::NotFound,
        WriteError::Conflict => StorageError::Conflict,
        WriteError::Refused(why) => StorageError::Refused(why),
        other => StorageError::Other(format!("{other:?}")),
    }
}
