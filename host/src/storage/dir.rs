//! The directory store: objects are plain files below a folder, such as `/data/.minio.sys`.
//!
//! **Nothing leads out.** Every path is walked part by part from the open root, and no symbolic
//! link below the root is followed; the root itself may be one. Names are raw bytes: LDAP names
//! with `=`, spaces and anything else a file system takes are objects like all others.
//!
//! **Nothing is lost.** New bytes are written to a draft beside the object and synced before the
//! object is touched, and a result is `Ok` only after the folder was synced too. A process killed at any
//! point leaves each object with its old bytes or its new ones, and perhaps drafts
//! (`.iamseal-…tmp`), which no listing shows and [`Store::sweep`] removes.
//!
//! **Rights are kept whole.** The new bytes have the object's owner, mode, access control list and
//! extended attributes, security labels and capabilities included, or the object is refused and stays
//! as it is. (`trusted.` attributes are root's alone to see and to keep.) A draft is closed to
//! everybody but its owner until its commit. Another name of the object (a hard link) keeps the old
//! bytes, and [`Store::survey`] tells of such.
//!
//! **What is new belongs where it stands.** An object that is created has the owner, mode and access control
//! list of the files beside it, else of those in the folders beside its own, whatever the user's mask is; so
//! have the folders that are made for it. Folders that a removal empties stay: whoever makes the object again
//! finds their rights, and MinIO takes no notice of them.
//!
//! **Nobody else's write is lost**, not even a server's that runs on the same folder. Draft and object are
//! exchanged in one step, and what was displaced is looked at: unless it is the version that was read,
//! with the rights that it had, it goes back and the result is `Conflict`. What a killed process left
//! exchanged is put back by the next sweep, or named if it cannot be told what it is; nothing is removed
//! that is neither a draft nor the version that it replaced. An object is created by a rename that the system
//! refuses where the name is taken; it is removed by being moved aside, looked at there, and put back if it is
//! anything else. This has four limits:
//! - whoever has opened an object to write in its place *before* it was replaced, and writes *after*, writes
//!   to the old file (MinIO renames instead);
//! - for an instant a reader may see the draft of a version that is put back, or nothing;
//! - of two others who write one object at that very instant, the last one's version becomes the object and
//!   the other's is kept beside it and named;
//! - a file system that cannot exchange two files is written to only if nobody else writes to it, which
//!   the caller has to promise ([`DirStore::server_is_stopped`]).
//!
//! **What is half written is not read**: a file whose size, times or bytes change while it is read is read
//! again, and `Conflict` after a few times. Bytes of a writer who stops halfway and goes on later are what
//! the object holds until then.
//!
//! **Writers take turns.** The lock is on the root folder itself, so it holds between processes that use
//! this library. Whoever finds it taken for 20 seconds gets an error, and so does at once everybody who
//! comes in the three seconds after; then one look tells whether it is free.
//!
//! A draft holds two file descriptors as long as it lives; a listing holds none.
//!
//! System calls block, so they run on tokio's blocking threads: every call needs a tokio runtime.
//! A call that is dropped runs to its end there, and its drafts are removed.

mod commit;
mod create;
pub(crate) mod disk;
mod draft;
mod errors;
#[doc(hidden)] // It says why.
pub mod faults;
mod leftover;
mod list;
mod mark;
mod neighbour;
mod note;
mod parallel;
mod read;
mod removal;
mod replace;
mod rights;
mod root;
mod stamp;
mod standing;
mod sweep;
#[cfg(test)]
mod testing;
pub(crate) mod tree;
pub(crate) mod tree_writer;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use iamseal_words::folder::path;
use thiserror::Error;

use self::faults::{Faults, Watch};
use self::list::{Walk, Wanted, why_unread};
use self::path::Place;
use self::root::Root;
use super::{
    Change, Cursor, Draft, Mark, Standing, Storage, StorageWriter, Store, Stored, Sweeping, Swept,
    Version,
};
use crate::contract::StorageError;

pub use iamseal_words::limits::OBJECT_BYTES;

/// A store in a directory.
#[derive(Clone)]
pub struct DirStore {
    root: Arc<Root>,
    path: Arc<Path>,
    options: Options,
}

/// What an owner of the store can set.
#[derive(Clone, Copy)]
struct Options {
    object_bytes: u64,
    server_is_stopped: bool,
}

/// Why a directory could not be opened as a store.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is nothing of that name.
    #[error("{}: there is no such directory", .root.display())]
    NotFound {
        /// The path as it was given.
        root: PathBuf,
    },
    /// It is something else.
    #[error("{}: not a directory", .root.display())]
    NotADirectory {
        /// The path as it was given.
        root: PathBuf,
    },
    /// This user may not read it.
    #[error("{}: permission denied", .root.display())]
    PermissionDenied {
        /// The path as it was given.
        root: PathBuf,
    },
    /// Anything else.
    #[error("{}: cannot be opened: {source}", .root.display())]
    Other {
        /// The path as it was given.
        root: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DirStore {
    /// Opens the directory `root`, for MinIO the folder `.minio.sys`. Changes nothing in it.
    ///
    /// # Errors
    /// [`OpenError`], if it is not there, no directory or not to be read.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        Self::with(root, Watch::default())
    }

    /// [`Self::open`] for tests: every system call of the store is told to `faults` first, which
    /// may let it fail.
    ///
    /// # Errors
    /// As for [`Self::open`].
    #[doc(hidden)]
    pub fn open_with_faults(root: &Path, faults: Arc<dyn Faults>) -> Result<Self, OpenError> {
        Self::with(root, Watch::by(faults))
    }

    fn with(root: &Path, watch: Watch) -> Result<Self, OpenError> {
        let opened = Root::open(root, watch).map_err(|source| {
            let root = root.to_path_buf();
            match source.kind() {
                ErrorKind::NotFound => OpenError::NotFound { root },
                ErrorKind::NotADirectory => OpenError::NotADirectory { root },
                ErrorKind::PermissionDenied => OpenError::PermissionDenied { root },
                _ => OpenError::Other { root, source },
            }
        })?;
        Ok(Self {
            root: Arc::new(opened),
            path: root.canonicalize().unwrap_or_else(|_| root.into()).into(),
            options: Options {
                object_bytes: OBJECT_BYTES,
                server_is_stopped: false,
            },
        })
    }

    /// Sets the largest object in bytes that is read or written; [`OBJECT_BYTES`] at first.
    #[must_use]
    pub fn object_bytes(mut self, object_bytes: u64) -> Self {
        self.options.object_bytes = object_bytes;
        self
    }

    /// Promises that no server and nobody else writes to the folder; not promised at first. Only then is
    /// anything replaced where the file system cannot exchange two files.
    #[must_use]
    pub fn server_is_stopped(mut self, is_stopped: bool) -> Self {
        self.options.server_is_stopped = is_stopped;
        self
    }
}

#[cfg(test)]
impl DirStore {
    fn root_mut(&mut self) -> &mut Root {
        Arc::get_mut(&mut self.root).unwrap()
    }
}

#[async_trait]
impl Storage for DirStore {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let after = start_after.unwrap_or_default();
        DirCursor::open(&self.root, Wanted::Objects, prefix, after).await
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let (root, limit) = (Arc::clone(&self.root), self.options.object_bytes);
        let path = path.to_vec();
        blocking(move || {
            if path.ends_with(b"/") {
                return Err(why_unread(&*root, &path));
            }
            let place = Place::of(&path)?;
            let folder = root.folder(place.folder)?;
            let bytes = read::read(&folder, place.name, &path, limit)?.bytes;
            let version = read::version(&bytes);
            Ok(Stored { bytes, version })
        })
        .await?
    }
}

/// A listing of a directory store. Holds no file descriptors between its pages.
struct DirCursor {
    root: Arc<Root>,
    wanted: Wanted,
    prefix: Vec<u8>,
    /// The last path that was handed over.
    after: Vec<u8>,
    /// Away while a page is read, and lost if that call is dropped.
    walk: Option<Walk<Root>>,
}

impl DirCursor {
    async fn open(
        root: &Arc<Root>,
        wanted: Wanted,
        prefix: &[u8],
        after: &[u8],
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let mut cursor = Self {
            root: Arc::clone(root),
            wanted,
            prefix: prefix.to_vec(),
            after: after.to_vec(),
            walk: None,
        };
        let begin = cursor.begin();
        cursor.walk = Some(blocking(begin).await??);
        Ok(Box::new(cursor))
    }

    fn begin(&self) -> impl FnOnce() -> Result<Walk<Root>, StorageError> + use<> {
        let (root, prefix) = (Arc::clone(&self.root), self.prefix.clone());
        let (wanted, after) = (self.wanted, self.after.clone());
        move || Walk::new(root, wanted, &prefix, &after)
    }
}

#[async_trait]
impl Cursor for DirCursor {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        let walk = self.walk.take();
        let begin = self.begin();
        let (walk, page) = blocking(move || {
            let mut walk = walk.map_or_else(begin, Ok)?;
            let page = walk.page();
            Ok::<_, StorageError>((walk, page))
        })
        .await??;
        self.walk = Some(walk);
        if let Some(last) = page.last() {
            self.after.clone_from(last);
        }
        Ok(page)
    }
}

#[async_trait]
impl StorageWriter for DirStore {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let (root, limit) = (Arc::clone(&self.root), self.options.object_bytes);
        let count = changes.len();
        // A draft that cannot be committed is not worth its syncs.
        if let Err(error) = root.held() {
            return vec![error; count].into_iter().map(Err).collect();
        }
        match blocking(move || draft::stage(&root, limit, changes)).await {
            Ok(drafts) => drafts
                .into_iter()
                .map(|draft| draft.map(|draft| Box::new(draft) as Box<dyn Draft>))
                .collect(),
            Err(error) => vec![error; count].into_iter().map(Err).collect(),
        }
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        let (root, options) = (Arc::clone(&self.root), self.options);
        let count = drafts.len();
        blocking(move || commit::commit(&root, options, drafts))
            .await
            .unwrap_or_else(|error| vec![Err(error); count])
    }

    async fn rights(&self, path: &[u8]) -> Result<Option<super::Rights>, StorageError> {
        let (root, path) = (Arc::clone(&self.root), path.to_vec());
        blocking(move || {
            let place = Place::of(&path)?;
            let (file, _) = read::open(&root.folder(place.folder)?, place.name, &path)?;
            let rights = rights::Rights::of(&file);
            let rights = rights.map_err(|error| errors::failed("read", &path, &error))?;
            Ok(Some(rights.to_bytes()))
        })
        .await?
    }
}

/// What a look at these paths tells of each.
type Look<T> = fn(&Root, Vec<Vec<u8>>) -> Vec<(Vec<u8>, T)>;

impl DirStore {
    /// Looks at all objects under a prefix, a page of a listing at a time.
    async fn look_at<T: Send + 'static>(
        &self,
        prefix: &[u8],
        look: Look<T>,
        see: &mut (dyn FnMut(Vec<u8>, T) + Send),
    ) -> Result<(), StorageError> {
        let mut cursor = self.list(prefix, None).await?;
        loop {
            let page = cursor.next().await?;
            if page.is_empty() {
                return Ok(());
            }
            let root = Arc::clone(&self.root);
            for (path, seen) in blocking(move || look(&root, page)).await? {
                see(path, seen);
            }
        }
    }
}

#[async_trait]
impl Store for DirStore {
    fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Whether two files can be exchanged, which is tried on two drafts of its own. Other folders of the
    /// store may be on other file systems: a commit sees that for itself.
    async fn check_writes(&self) -> Result<(), StorageError> {
        if self.options.server_is_stopped {
            return Ok(());
        }
        let root = Arc::clone(&self.root);
        blocking(move || root.check_exchange()).await?
    }

    /// Another process has the lock and does nothing, for example because it was stopped.
    fn gives_up(&self) -> Option<StorageError> {
        self.root.held().err()
    }

    async fn survey(
        &self,
        prefix: &[u8],
        see: &mut (dyn for<'path> FnMut(&'path [u8], Standing) + Send),
    ) -> Result<(), StorageError> {
        let mut see = |path: Vec<u8>, standing| see(&path, standing);
        self.look_at(prefix, standing::of, &mut see).await
    }

    async fn new_is_open(&self, path: &[u8]) -> Option<bool> {
        let (root, path) = (Arc::clone(&self.root), path.to_vec());
        let looked = blocking(move || standing::of_new(&root, &path)).await;
        looked.ok()?.ok()
    }

    async fn marks(
        &self,
        prefix: &[u8],
        see: &mut (dyn FnMut(Vec<u8>, Mark) + Send),
    ) -> Result<(), StorageError> {
        self.look_at(prefix, mark::of, see).await
    }

    async fn drafts(&self, prefix: &[u8]) -> Result<Box<dyn Cursor>, StorageError> {
        DirCursor::open(&self.root, Wanted::Drafts, prefix, b"").await
    }

    async fn abandoned(&self) -> Vec<Vec<u8>> {
        self.root.abandoned()
    }

    /// A run that is under way holds its drafts by their locks, so nothing depends on their age.
    async fn remove_drafts(
        &self,
        drafts: Vec<Vec<u8>>,
        how: Sweeping,
    ) -> Vec<Result<Swept, StorageError>> {
        let (root, count) = (Arc::clone(&self.root), drafts.len());
        let limit = self.options.object_bytes;
        let remove = move |path: Vec<u8>| sweep::remove(&root, limit, &path, how.is_dry);
        blocking(move || drafts.into_iter().map(remove).collect())
            .await
            .unwrap_or_else(|error| vec![Err(error); count])
    }
}

/// Runs system calls where they may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StorageError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StorageError::Other(format!("the store's worker stopped: {error}")))
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::testing::{Fixture, run};
    use super::*;

    #[test]
    fn only_a_directory_is_opened() {
        let fixture = Fixture::new();
        let missing = fixture.root().join("missing");
        let error = DirStore::open(&missing).err().unwrap();
        assert_eq!(
            error.to_string(),
            format!("{}: there is no such directory", missing.display())
        );

        fixture.put("file", "x");
        let file = fixture.root().join("file");
        let error = DirStore::open(&file).err().unwrap();
        assert_eq!(
            error.to_string(),
            format!("{}: not a directory", file.display())
        );
    }

    #[test]
    fn the_root_may_be_a_link() {
        let fixture = Fixture::new();
        fixture.put("real/a", "bytes");
        fixture.link("real", "alias");
        let store = DirStore::open(&fixture.root().join("alias")).unwrap();
        assert_eq!(run(store.read(b"a")).unwrap().bytes, b"bytes");
    }

    #[test]
    fn a_call_that_is_dropped_leaves_no_draft_and_changes_nothing() {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let replacement = fixture.replacement("a", "new");
        let runtime = testing::runtime();
        {
            let _inside = runtime.enter();
            let mut call = pin!(fixture.store.stage(vec![replacement.into()]));
            // Begun, and never asked again.
            let first = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            drop(first);
        }
        drop(runtime); // Waits for the call's thread.
        assert_eq!(fixture.get("a"), "old");
        assert_eq!(fixture.names(""), ["a"]);
    }
}
