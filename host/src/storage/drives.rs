//! MinIO's erasure-coded drives, to be read and written while no server runs on them.
//!
//! What is on the drives is read by a component, which is lent the drives' files and no more; nothing
//! here knows their layout. The files are lent as a folder's are: nothing leads out of a drive, and no symbolic
//! link is followed. The component that only reads has no call that writes.
//!
//! **An object is read whole or not at all.** It is the version that most drives of its set have, of as
//! many the newer one, and of several pools the newest; shards that are lost or damaged are made up for as
//! far as the erasure code goes. What was made up for, what is hidden from MinIO, and what lies around is in
//! [`Store::notes`].
//!
//! **An object is replaced on one drive after the other**, each durable before the next, with new bytes that
//! were made durable on all drives and read back before. A process that is killed at any point, or a loss of
//! power, leaves each object as it was or as it was to become, by MinIO's own rule of which version counts;
//! and perhaps drafts, which [`Store::sweep`] removes. Owner, mode and attributes stay. All drives have to be
//! there, unless it was [asked for](DriveStore::open_degraded) that one of a set may be missing. A store that was opened
//! to write keeps all others out that this library opens.
//!
//! Paths are those below `.minio.sys`. System calls and the component block, on tokio's blocking threads.

pub mod apply;
mod census;
mod folders;
pub mod pattern;
pub mod recorder;
mod standing;
mod writer;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use thiserror::Error;
use wasmtime::component::ResourceAny;

use super::census::Census;
use super::{Cursor, Note, Standing, Storage, Store, Stored, Sweeping, Swept};
use crate::contract::StorageError;
use crate::contract::drive_store::exports::iamseal::plugin::drives::Fault;
use crate::describe::line;
use crate::error;
use crate::plugin::CompileCache;
use crate::plugin::drives::{Drives, Live, World};
use crate::shown::shown;

pub use self::census::Metadata;
use self::folders::Folders;
use self::recorder::{FORMAT, FileChange, Recorder, Recording};

/// Where the component has the drafts of runs.
const DRAFTS: &[u8] = b"tmp/";

/// What is noted once notes are lost.
const LOST: &str = "the component that reads drives failed and was started again: what it had noted of objects \
                    until then is lost";

/// The drives of a deployment.
pub struct DriveStore {
    shared: Arc<Shared>,
    name: String,
    drives: Vec<PathBuf>,
    folders: Folders,
    lacks: Option<String>,
}

/// Why drives are no store.
#[derive(Debug, Error)]
pub enum OpenError {
    /// No drive was given.
    #[error("no drive was given")]
    NoDrive,
    /// None of them is an erasure-coded drive.
    #[error("{0}")]
    NotErasure(String),
    /// None of them can be told to be one, since this is wrong with the first.
    #[error("{0}")]
    Unusable(String),
    /// They are of several deployments.
    #[error("the drives are of several deployments: {0}")]
    Deployments(String),
    /// The component that reads drives failed.
    #[error(transparent)]
    Component(#[from] error::Error),
    /// They cannot be kept from others, or others write to them.
    #[error("the drives cannot be locked: {}", crate::describe_storage(.0))]
    Locked(StorageError),
    /// A worker thread could not be had.
    #[error("the store's worker stopped: {0}")]
    Worker(io::Error),
}

/// What is to be done with drives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Read,
    Write,
    /// To write though drives are missing.
    WriteDegraded,
}

impl Purpose {
    fn world(self) -> World {
        match self {
            Self::Read => World::Reader,
            Self::Write | Self::WriteDegraded => World::Writer,
        }
    }
}

/// What the store and its listings share.
struct Shared {
    drives: Arc<Drives<Folders>>,
    purpose: Purpose,
    running: Mutex<Running>,
    /// Listings and drafts that nobody holds any more; the next call ends them. Apart from the instance, which may be
    /// in use for a while.
    ended: Mutex<Vec<(u64, ResourceAny)>>,
}

/// The instance that answers.
struct Running {
    live: Option<Live<Folders>>,
    /// Counts the instances, since a listing belongs to one.
    instance: u64,
}

impl DriveStore {
    /// Opens these drives, each a folder that a server was given, or a copy of its `.minio.sys` or
    /// `.rustfs.sys`. A folder that is not there counts as a drive that is missing. `component` is one of
    /// the world `drive-store`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(
        component: impl Into<Cow<'static, [u8]>>,
        drives: Vec<PathBuf>,
        cache: CompileCache,
    ) -> Result<Self, OpenError> {
        Self::opened_as_given(component.into(), Purpose::Read, drives, cache).await
    }

    /// The same where people know the drives by other names than those of their folders: each has its own before it.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_named(
        component: impl Into<Cow<'static, [u8]>>,
        drives: Vec<(String, PathBuf)>,
        cache: CompileCache,
    ) -> Result<Self, OpenError> {
        let names: Vec<&str> = drives.iter().map(|(name, _)| name.as_str()).collect();
        let name = format!("drives:{}", names.join(","));
        Self::opened(component.into(), Purpose::Read, name, drives, cache).await
    }

    /// The same to be written to: nobody else may open them so meanwhile. `component` is one of the world
    /// `drive-store-writer`.
    ///
    /// Nothing keeps a server out. That none runs is for the caller to know;
    /// [`Self::signs_of_life`] helps.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_to_write(
        component: impl Into<Cow<'static, [u8]>>,
        drives: Vec<PathBuf>,
        cache: CompileCache,
    ) -> Result<Self, OpenError> {
        Self::opened_as_given(component.into(), Purpose::Write, drives, cache).await
    }

    /// The same where drives may be missing: one of a set of an even number of at least four. Those that are there get
    /// the new version. It is newer than what the missing drive has, so a server takes it and heals that drive with
    /// it, wherever a process is killed. Until then one drive less of the set may be lost than else, and the
    /// missing drive has the old bytes. [`Self::lacks`] tells what is missing.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_degraded(
        component: impl Into<Cow<'static, [u8]>>,
        drives: Vec<PathBuf>,
        cache: CompileCache,
    ) -> Result<Self, OpenError> {
        Self::opened_as_given(component.into(), Purpose::WriteDegraded, drives, cache).await
    }

    /// Opens drives that people call as they were given.
    async fn opened_as_given(
        component: Cow<'static, [u8]>,
        purpose: Purpose,
        drives: Vec<PathBuf>,
        cache: CompileCache,
    ) -> Result<Self, OpenError> {
        let name = name(&drives);
        let named = |drive: PathBuf| (shown(drive.as_os_str().as_encoded_bytes()), drive);
        let drives = drives.into_iter().map(named).collect();
        Self::opened(component, purpose, name, drives, cache).await
    }

    async fn opened(
        component: Cow<'static, [u8]>,
        purpose: Purpose,
        name: String,
        drives: Vec<(String, PathBuf)>,
        cache: CompileCache,
    ) -> Result<Self, OpenError> {
        if drives.is_empty() {
            return Err(OpenError::NoDrive);
        }
        let given = drives.iter().map(|(_, drive)| drive.clone()).collect();
        let opened = blocking(move || {
            let folders = Folders::open(&drives);
            let lent = folders.clone();
            let drives = Arc::new(Drives::load(component, purpose.world(), &cache, lent)?);
            let (live, lacks) = open(&drives, purpose)?;
            let shared = Shared {
                drives,
                purpose,
                running: Mutex::new(Running {
                    live: Some(live),
                    instance: 0,
                }),
                ended: Mutex::default(),
            };
            Ok::<_, OpenError>((shared, folders, lacks))
        });
        let (shared, folders, lacks) = opened
            .await
            .map_err(|error| OpenError::Worker(io::Error::other(error)))??;
        Ok(Self {
            shared: Arc::new(shared),
            name,
            drives: given,
            folders,
            lacks,
        })
    }

    /// What is missing of drives that were [opened so](Self::open_degraded), for people; none if all are there.
    pub fn lacks(&self) -> Option<&str> {
        self.lacks.as_deref()
    }

    /// A tag of all that a server changes on the drives while it runs, though nobody asks it for anything. A
    /// server runs if two differ that were taken at least 35 seconds apart. If they are the same, none ran that
    /// was idle: one that is busy reading leaves its sign out.
    ///
    /// # Errors
    /// `Refused` if the drives were opened to be read; what keeps the drives from telling.
    pub async fn signs_of_life(&self) -> Result<Vec<u8>, StorageError> {
        self.with(Live::signs_of_life).await?
    }

    /// The drives that are read, each with its system folder's path on it, in order.
    async fn read_drives(&self) -> Result<Vec<(u16, Vec<u8>)>, StorageError> {
        let mut read = Vec::new();
        for (number, _) in (0..).zip(&self.drives) {
            let folder = self.with(move |live| live.folder(number)).await?;
            read.extend(folder.map(|folder| (number, folder)));
        }
        Ok(read)
    }

    /// The digest of what tells a drive from all others.
    fn format(&self, drive: u16, folder: &[u8]) -> Result<String, StorageError> {
        let file = recorder::below(folder, FORMAT);
        let format = recorder::whole(self.folders.tree(drive)?, &file)?;
        Ok(recorder::digest(&format.ok_or(StorageError::NotFound)?))
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Live<Folders>) -> Result<T, error::Error> + Send + 'static,
    ) -> Result<T, StorageError> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.with(|_, live| work(live)))
            .await
            .map_err(stopped)?
    }
}

/// Where the drives are, for people: the same however they were given.
fn name(drives: &[PathBuf]) -> String {
    // One that is missing has its name by the folder that it was in.
    let absent = |drive: &PathBuf| {
        Some(
            drive
                .parent()?
                .canonicalize()
                .ok()?
                .join(drive.file_name()?),
        )
    };
    let real = |drive: &PathBuf| match drive.canonicalize() {
        Ok(real) => real,
        Err(_) => absent(drive).unwrap_or_else(|| drive.clone()),
    };
    let shown = |drive: &PathBuf| real(drive).to_string_lossy().into_owned();
    let all: Vec<String> = drives.iter().map(shown).collect();
    format!("drives:{}", all.join(","))
}

/// Starts an instance and lets it look at the drives, and lock them to write. Returns what is missing besides, where
/// drives may be.
fn open(
    drives: &Arc<Drives<Folders>>,
    purpose: Purpose,
) -> Result<(Live<Folders>, Option<String>), OpenError> {
    let mut live = drives.start()?;
    live.open()?.map_err(|fault| match fault {
        Fault::NotErasure(what) => OpenError::NotErasure(line(&what)),
        Fault::Unusable(why) => OpenError::Unusable(line(&why)),
        Fault::Deployments(which) => OpenError::Deployments(line(&which)),
    })?;
    if purpose.world() == World::Writer {
        live.lock()?.map_err(OpenError::Locked)?;
    }
    let lacks = match purpose {
        Purpose::WriteDegraded => live.degrade()?.map_err(OpenError::Locked)?,
        Purpose::Read | Purpose::Write => None,
    };
    Ok((live, lacks.map(|what| line(&what))))
}

impl Shared {
    /// Calls the instance; a fresh one if the last has failed.
    fn with<T>(
        &self,
        work: impl FnOnce(u64, &mut Live<Folders>) -> Result<T, error::Error>,
    ) -> Result<T, StorageError> {
        // Whoever panicked has taken the instance with it.
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut live = match running.live.take() {
            Some(live) => live,
            None => {
                running.instance += 1;
                let (live, _) = open(&self.drives, self.purpose).map_err(failed)?;
                live
            }
        };
        let instance = running.instance;
        let ended = std::mem::take(&mut *self.ended());
        for (of, listing) in ended {
            if of == instance {
                live.end(listing).map_err(failed)?;
            }
        }
        let done = work(instance, &mut live).map_err(failed)?;
        running.live = Some(live);
        Ok(done)
    }

    /// Whether an instance has failed, and what it had noted is lost.
    fn has_failed(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.instance > 0
    }

    fn ended(&self) -> MutexGuard<'_, Vec<(u64, ResourceAny)>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    /// Removes the drafts that nobody holds any more and that no call has removed.
    fn drop(&mut self) {
        if !self.ended().is_empty() {
            let _ = self.with(|_, _| Ok(()));
        }
    }
}

/// A listing of drives.
struct DriveCursor {
    shared: Arc<Shared>,
    prefix: Vec<u8>,
    /// The last path that was handed over.
    after: Option<Vec<u8>>,
    listing: Option<(u64, ResourceAny)>,
}

#[async_trait]
impl Cursor for DriveCursor {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        let (shared, prefix) = (Arc::clone(&self.shared), self.prefix.clone());
        let (listing, after) = (self.listing.take(), self.after.clone());
        let page = blocking(move || {
            shared.with(|instance, live| {
                let listing = match listing {
                    Some((of, listing)) if of == instance => listing,
                    // It was never begun, or went with its instance.
                    _ => match live.list(&prefix, after.as_deref())? {
                        Ok(listing) => listing,
                        Err(error) => return Ok((None, Err(error))),
                    },
                };
                Ok((Some((instance, listing)), live.next(listing)?))
            })
        });
        let (listing, page) = page.await.map_err(stopped)??;
        self.listing = listing;
        let page = page?;
        if let Some(last) = page.last() {
            self.after = Some(last.clone());
        }
        Ok(page)
    }
}

impl Drop for DriveCursor {
    fn drop(&mut self) {
        if let Some(listing) = self.listing.take() {
            self.shared.ended().push(listing);
        }
    }
}

#[async_trait]
impl Storage for DriveStore {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        Ok(Box::new(DriveCursor {
            shared: Arc::clone(&self.shared),
            prefix: prefix.to_vec(),
            after: start_after.map(<[u8]>::to_vec),
            listing: None,
        }))
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let path = path.to_vec();
        let stored = self.with(move |live| live.read(&path)).await??;
        Ok(Stored {
            bytes: stored.bytes,
            version: stored.version,
        })
    }
}

#[async_trait]
impl Store for DriveStore {
    fn name(&self) -> String {
        self.name.clone()
    }

    /// Whether all drives are there, and sound, or enough of them where some may be missing.
    async fn check_writes(&self) -> Result<(), StorageError> {
        self.with(Live::check).await?
    }

    async fn notes(&self) -> Result<Vec<Note>, StorageError> {
        let notes = self.with(Live::notes).await?;
        let notes = notes.into_iter().map(|note| Note {
            text: line(&note.text),
            objects: note.objects,
            paths: note.paths,
            hides: note.hides,
        });
        let lost = self.shared.has_failed().then(|| Note {
            text: LOST.to_owned(),
            objects: 0,
            paths: Vec::new(),
            hides: true,
        });
        Ok(notes.chain(lost).collect())
    }

    fn census(&self) -> Option<&dyn Census> {
        Some(self)
    }

    async fn record(&self, recorder: Weak<dyn Recorder>) -> Result<(), StorageError> {
        for (drive, folder) in self.read_drives().await? {
            let format = self.format(drive, &folder)?;
            if let Some(recorder) = recorder.upgrade() {
                recorder.record(FileChange::Drive {
                    drive,
                    name: self.folders.name(drive),
                    format: &format,
                })?;
            }
            self.folders.record(Recording {
                recorder: Weak::clone(&recorder),
                drive,
                folder,
            })?;
        }
        Ok(())
    }

    async fn survey(
        &self,
        prefix: &[u8],
        see: &mut (dyn for<'path> FnMut(&'path [u8], Standing) + Send),
    ) -> Result<(), StorageError> {
        for (path, standing) in standing::of(self, prefix).await? {
            see(&path, standing);
        }
        Ok(())
    }

    async fn drafts(&self, _prefix: &[u8]) -> Result<Box<dyn Cursor>, StorageError> {
        let drafts = self.with(Live::drafts).await??;
        Ok(Box::new(Drafts(drafts)))
    }

    /// Nobody else writes as long as these drives are open, so nothing depends on a draft's age.
    async fn remove_drafts(
        &self,
        drafts: Vec<Vec<u8>>,
        how: Sweeping,
    ) -> Vec<Result<Swept, StorageError>> {
        let count = drafts.len();
        let removed = match how.is_dry {
            true => self.would_remove(drafts).await,
            false => self.remove(drafts).await,
        };
        removed.unwrap_or_else(|error| vec![Err(error); count])
    }

    /// Whoever asks holds none.
    async fn abandoned(&self) -> Vec<Vec<u8>> {
        match self.shared.purpose.world() {
            World::Reader => Vec::new(),
            World::Writer => {
                let drafts = self.with(Live::drafts).await;
                let mut drafts = drafts.and_then(|drafts| drafts).unwrap_or_default();
                // What lies beside objects is of runs before it.
                drafts.retain(|draft| draft.starts_with(DRAFTS));
                drafts
            }
        }
    }
}

/// The drafts on the drives, in one page.
struct Drafts(Vec<Vec<u8>>);

#[async_trait]
impl Cursor for Drafts {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(std::mem::take(&mut self.0))
    }
}

/// Whether a folder may be a drive, or a drive's system folder: it says so itself, in a file that
/// [`DriveStore::open`] reads.
pub fn may_be_drive(folder: &Path) -> bool {
    let says_so = |folder: PathBuf| {
        // The file of IAM has the same name.
        let is_iam = folder.canonicalize();
        let is_iam = is_iam.is_ok_and(|folder| folder.ends_with("config/iam"));
        !is_iam && folder.join("format.json").is_file()
    };
    let mut below = iamseal_words::drives::SYSTEM_FOLDERS.into_iter();
    below.any(|below| says_so(folder.join(below)))
}

fn failed(error: impl std::fmt::Display) -> StorageError {
    StorageError::Other(line(&error.to_string()))
}

fn stopped(error: tokio::task::JoinError) -> StorageError {
    StorageError::Other(format!("the store's worker stopped: {error}"))
}

/// Runs the component where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}
