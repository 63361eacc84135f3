//! MinIO's erasure-coded drives, to be read while no server runs on them.
//!
//! What is on the drives is read by a component, which is lent the drives' files and no more; nothing
//! here knows their layout. The files are lent as a folder's are: nothing leads out of a drive, no symbolic
//! link is followed, and there is no call that writes.
//!
//! **An object is read whole or not at all.** It is the version that most drives of its set have, of as
//! many the newer one, and of several pools the newest; shards that are lost or damaged are made up for as
//! far as the erasure code goes. What was made up for, what is hidden from MinIO, and what lies around is in
//! [`Store::notes`].
//!
//! Paths are those below `.minio.sys`. System calls and the component block, on tokio's blocking threads.

mod folders;
pub mod pattern;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use thiserror::Error;
use wasmtime::component::ResourceAny;

use super::{
    Cursor, Draft, Note, Replacement, Storage, StorageWriter, Store, Stored, Sweeping, Swept,
    Version,
};
use crate::contract::StorageError;
use crate::contract::drive_store::exports::iamseal::plugin::drives::Fault;
use crate::describe::line;
use crate::error;
use crate::plugin::CompileCache;
use crate::plugin::drives::{Drives, Live};

use self::folders::Folders;

/// What is noted once notes are lost.
const LOST: &str = "the component that reads drives failed and was started again: what it had noted of objects \
                    until then is lost";

/// The drives of a deployment.
pub struct DriveStore {
    shared: Arc<Shared>,
    name: String,
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
    /// A worker thread could not be had.
    #[error("the store's worker stopped: {0}")]
    Worker(io::Error),
}

/// What the store and its listings share.
struct Shared {
    drives: Arc<Drives<Folders>>,
    running: Mutex<Running>,
    /// Listings that nobody holds any more; the next call ends them. Apart from the instance, which may be
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
        if drives.is_empty() {
            return Err(OpenError::NoDrive);
        }
        let component = component.into();
        let name = name(&drives);
        let opened = blocking(move || {
            let folders = Folders::open(&drives);
            let drives = Arc::new(Drives::load(component, &cache, folders)?);
            let live = open(&drives)?;
            Ok::<_, OpenError>(Shared {
                drives,
                running: Mutex::new(Running {
                    live: Some(live),
                    instance: 0,
                }),
                ended: Mutex::default(),
            })
        });
        let shared = opened
            .await
            .map_err(|error| OpenError::Worker(io::Error::other(error)))??;
        Ok(Self {
            shared: Arc::new(shared),
            name,
        })
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
    let real = |drive: &PathBuf| drive.canonicalize().unwrap_or_else(|_| drive.clone());
    let shown = |drive: &PathBuf| real(drive).to_string_lossy().into_owned();
    let all: Vec<String> = drives.iter().map(shown).collect();
    format!("drives:{}", all.join(","))
}

/// Starts an instance and lets it look at the drives.
fn open(drives: &Arc<Drives<Folders>>) -> Result<Live<Folders>, OpenError> {
    let mut live = drives.start()?;
    live.open()?.map_err(|fault| match fault {
        Fault::NotErasure(what) => OpenError::NotErasure(line(&what)),
        Fault::Unusable(why) => OpenError::Unusable(line(&why)),
        Fault::Deployments(which) => OpenError::Deployments(line(&which)),
    })?;
    Ok(live)
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
                open(&self.drives).map_err(failed)?
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
impl StorageWriter for DriveStore {
    async fn stage(
        &self,
        replacements: Vec<Replacement>,
    ) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        replacements.iter().map(|_| Err(only_read())).collect()
    }

    async fn commit(&self, drafts: Vec<Box<dyn Draft>>) -> Vec<Result<Version, StorageError>> {
        drafts.iter().map(|_| Err(only_read())).collect()
    }
}

#[async_trait]
impl Store for DriveStore {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn check_writes(&self) -> Result<(), StorageError> {
        Err(only_read())
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

    async fn drafts(&self, _prefix: &[u8]) -> Result<Box<dyn Cursor>, StorageError> {
        Ok(Box::new(NoDrafts))
    }

    async fn remove_drafts(
        &self,
        drafts: Vec<Vec<u8>>,
        _how: Sweeping,
    ) -> Vec<Result<Swept, StorageError>> {
        drafts.iter().map(|_| Err(only_read())).collect()
    }
}

/// Nothing is ever written, so nothing is half written.
struct NoDrafts;

#[async_trait]
impl Cursor for NoDrafts {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(Vec::new())
    }
}

/// Whether a folder may be a drive, or a drive's system folder: it says so itself, in a file that
/// [`DriveStore::open`] reads.
pub fn may_be_drive(folder: &Path) -> bool {
    let mut above = ["", ".minio.sys", ".rustfs.sys"].into_iter();
    above.any(|above| folder.join(above).join("format.json").is_file())
}

fn only_read() -> StorageError {
    StorageError::Refused("drives are read and not written to".into())
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
