//! Stores: what a host lends the plugin so that it can read and replace objects, and what tools work on.
//!
//! The traits are those of the contract (`wit/storage.wit`) in Rust.
//! Paths are raw bytes, parts separated by `/`, below the store's root.
//!
//! To store an object, over the version that was read or where there was none:
//!
//! ```no_run
//! # use iamseal::contract::StorageError;
//! # use iamseal::storage::{Change, Storage as _, StorageWriter as _, DirStore};
//! # async fn store(store: &DirStore, path: &[u8], bytes: Vec<u8>) -> Result<(), StorageError> {
//! let over = match store.read(path).await {
//!     Ok(stored) => Some(stored.version),
//!     Err(StorageError::NotFound) => None,
//!     Err(error) => return Err(error),
//! };
//! let change = Change::put(path.to_vec(), over, bytes);
//! for draft in store.stage(vec![change]).await {
//!     for committed in store.commit(vec![draft?]).await {
//!         // `Conflict` if somebody else was faster: read it again, and decide again.
//!         committed?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

pub mod census;
mod change;
pub mod dir;
pub mod drives;
#[cfg(feature = "etcd")]
pub mod etcd;
#[cfg(any(feature = "etcd", feature = "s3"))]
mod let_go;
#[cfg(feature = "s3")]
pub mod s3;

use std::any::Any;
use std::sync::Weak;

use async_trait::async_trait;

use self::census::Census;
use self::drives::recorder::Recorder;
use crate::contract::StorageError;

pub(crate) use self::change::NO_BYTES;
pub use self::change::{Change, Creation, Removal, Replacement};
pub use self::dir::DirStore;
pub use self::drives::DriveStore;
#[cfg(feature = "etcd")]
pub use self::etcd::EtcdStore;
#[cfg(feature = "s3")]
pub use self::s3::BucketStore;

/// An opaque tag of one version of one object: equal tags mean equal bytes.
pub type Version = Vec<u8>;

/// What a store tells of an object without reading it: as long as the mark of a path is the same, so are the
/// object's bytes. None where nothing tells that, and the object has to be read. Other than a [`Version`] it may
/// change while the bytes stay.
pub type Mark = Option<Vec<u8>>;

/// Who may do what with an object, in a store's own words, which no other store knows.
pub type Rights = Vec<u8>;

/// An object as it is stored.
pub struct Stored {
    /// The object's bytes.
    pub bytes: Vec<u8>,
    /// The version that was read.
    pub version: Version,
}

/// Reading a store.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Lists the paths that begin with `prefix`, byte for byte, and come after `start_after`.
    /// Things that are not objects are listed too, so that none is passed over in silence; a
    /// store's own drafts are not.
    ///
    /// # Errors
    /// `Refused` if the prefix leads out of the store, `Other` if the store fails.
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError>;

    /// Reads one object.
    ///
    /// # Errors
    /// `NotFound`; `TooLarge` if it is larger than this store hands over; `Refused` if it is no
    /// plain object or the path leads out of the store; `Conflict` if somebody writes to it whenever it
    /// is read; `Other` if the store fails.
    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError>;
}

/// A listing that is under way.
#[async_trait]
pub trait Cursor: Send {
    /// The next paths in ascending order of their bytes; empty at the end. A folder that cannot be
    /// read is listed too, with a `/` at its end, so that what is in it is not passed over in
    /// silence: [`Storage::read`] says what is wrong with it.
    ///
    /// # Errors
    /// Whatever keeps the listing from going on.
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError>;
}

/// Creating, replacing and removing objects of a store, in two steps.
#[async_trait]
pub trait StorageWriter: Send + Sync {
    /// Makes a durable draft of each change; no object changes. One result each, in order.
    ///
    /// # Errors
    /// For each change on its own: `NotFound`, `TooLarge`, `Refused` as [`Storage::read`]; `Conflict` if
    /// something is where an object is to be created; `Other` if the store fails. Nothing is left of a
    /// draft that failed, but for what [`Store::abandoned`] tells.
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>>;

    /// Makes the changes of drafts that this store made, each on its own, atomically: an object is created
    /// only while there is none, and replaced or removed only while it is the expected version. Every `Ok`
    /// is durable. One result each, in order: the new version, none of an object that was removed.
    ///
    /// # Errors
    /// For each draft on its own: `Conflict` if the object is another version, or there where it was to
    /// be created; `NotFound` if it is gone; `Refused` if it is no plain object any more or the draft is
    /// another store's; `Other` if the store fails, and if the object was changed but that may not outlive
    /// a loss of power. The draft is thrown away in each case; where that fails, the store knows
    /// ([`Store::abandoned`]).
    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>>;

    /// Who may do what with the object at this path, so that it can be created again as it was. None where
    /// a store keeps nothing of that kind.
    ///
    /// # Errors
    /// As [`Storage::read`].
    async fn rights(&self, _path: &[u8]) -> Result<Option<Rights>, StorageError> {
        Ok(None)
    }
}

/// What is to be known of an object besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// It has another name (a hard link), which keeps the old bytes when the object is replaced.
    pub has_other_names: bool,
    /// Its mode lets others than its owner read it, or some of them if it has an access control list.
    pub is_open: bool,
}

/// What a store tells of changes, as long as it is asked.
#[async_trait]
pub trait Changes: Send {
    /// Waits until something has changed since this was begun or was asked last. May be dropped at any time.
    ///
    /// # Errors
    /// What keeps the store from telling: it is to be begun anew, and what has changed meanwhile is not told.
    async fn next(&mut self) -> Result<(), StorageError>;
}

/// Something that a store has to say beside its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// For people. Where it is about objects, they follow.
    pub text: String,
    /// How many objects it is about; 0 if it is about the store itself.
    pub objects: u64,
    /// The first of them.
    pub paths: Vec<Vec<u8>>,
    /// Whether because of this objects may be missing from a listing, or not be those that a server
    /// reads: what was seen is not all then.
    pub hides: bool,
}

/// A store that tools work on.
#[async_trait]
pub trait Store: Storage + StorageWriter {
    /// Where it is, for people and journals: the same however it was named, and without secrets.
    fn name(&self) -> String;

    /// Makes sure, before a run begins, that writing here loses nothing that others write.
    ///
    /// # Errors
    /// `Refused` if it would; else what keeps it from finding out.
    async fn check_writes(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Why it is no use to go on with a run: nothing can be written, and it was waited for long enough.
    /// None otherwise.
    fn gives_up(&self) -> Option<StorageError> {
        None
    }

    /// Has told from now on what is done to files, as long as the recorder is there, where the store may be a copy of
    /// files on several machines. Others have nothing to tell.
    ///
    /// # Errors
    /// What is told first is not known, or cannot be told.
    async fn record(&self, _recorder: Weak<dyn Recorder>) -> Result<(), StorageError> {
        Ok(())
    }

    /// What there is to say of the store and of the objects that were listed and read so far, each object
    /// once for each matter: what was made up for where it keeps more than one copy, and what was not.
    ///
    /// # Errors
    /// What keeps the store from telling.
    async fn notes(&self) -> Result<Vec<Note>, StorageError> {
        Ok(Vec::new())
    }

    /// The census of what needs a key beside the objects that are read, where the store can take one.
    fn census(&self) -> Option<&dyn Census> {
        None
    }

    /// Tells how each object under `prefix` stands, where a store has anything to say of that. Of what
    /// cannot be looked at it says nothing: reading it tells why.
    ///
    /// # Errors
    /// As [`Storage::list`] and [`Cursor::next`].
    async fn survey(
        &self,
        _prefix: &[u8],
        _see: &mut (dyn for<'path> FnMut(&'path [u8], Standing) + Send),
    ) -> Result<(), StorageError> {
        Ok(())
    }

    /// Whether others than its owner could read an object that is made at this path now, as far as its mode goes. None
    /// where a store does not tell.
    async fn new_is_open(&self, _path: &[u8]) -> Option<bool> {
        None
    }

    /// Tells the mark of each object under `prefix`, in the order of a listing. None is read where the store can
    /// do without.
    ///
    /// # Errors
    /// As [`Storage::list`] and [`Cursor::next`].
    async fn marks(
        &self,
        prefix: &[u8],
        see: &mut (dyn FnMut(Vec<u8>, Mark) + Send),
    ) -> Result<(), StorageError> {
        let mut cursor = self.list(prefix, None).await?;
        loop {
            let page = cursor.next().await?;
            if page.is_empty() {
                return Ok(());
            }
            page.into_iter().for_each(|path| see(path, None));
        }
    }

    /// Begins to tell of changes under `prefix`, by whomever. None where a store does not tell, and has to be looked
    /// at again and again.
    ///
    /// # Errors
    /// What keeps the store from telling.
    async fn changes(&self, _prefix: &[u8]) -> Result<Option<Box<dyn Changes>>, StorageError> {
        Ok(None)
    }

    /// Lists the drafts under `prefix`, as [`Storage::list`] lists objects: new bytes, plaintext perhaps,
    /// that a run has not put in their place yet or, if it was killed, left behind. A store that keeps
    /// all drafts in one place lists all of them.
    ///
    /// # Errors
    /// As for [`Storage::list`].
    async fn drafts(&self, prefix: &[u8]) -> Result<Box<dyn Cursor>, StorageError>;

    /// Removes those of these drafts that nobody holds. One result each, in order.
    ///
    /// # Errors
    /// For each draft on its own: `NotFound` if it is gone, `Refused` if it is no draft; else what keeps
    /// it from being removed.
    async fn remove_drafts(
        &self,
        drafts: Vec<Vec<u8>>,
        how: Sweeping,
    ) -> Vec<Result<Swept, StorageError>>;

    /// The drafts that this store made and let go of, and that are still there or may be: they could not be
    /// removed, or nobody said that they are gone. They may hold plaintext. Removals that are under way are
    /// waited for, a few seconds at the most. To be asked at the end of a run, when it holds no draft any
    /// more; [`Store::remove_drafts`] tries again.
    async fn abandoned(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// As what old bytes have stayed in the store and can still be read: those of objects that were replaced here
    /// and of drafts that were removed. None where they are gone.
    fn old_bytes(&self) -> Option<OldBytes> {
        None
    }

    /// Removes the drafts under `prefix` that a killed run left behind, and returns how many. Those
    /// that may be in use stay.
    ///
    /// # Errors
    /// The first thing that could not be listed or removed, after everything else was.
    async fn sweep(&self, prefix: &[u8]) -> Result<u64, StorageError> {
        let mut drafts = self.drafts(prefix).await?;
        let (mut removed, mut failure) = (0, None);
        loop {
            let page = drafts.next().await?;
            if page.is_empty() {
                return failure.map_or(Ok(removed), Err);
            }
            for swept in self.remove_drafts(page, Sweeping::default()).await {
                match swept {
                    Ok(Swept::Removed) => removed += 1,
                    Ok(Swept::Stays(_)) | Err(StorageError::NotFound) => {}
                    Err(error) => {
                        failure.get_or_insert(error);
                    }
                }
            }
        }
    }
}

/// As what old bytes stay in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OldBytes {
    /// Old versions of a bucket's objects.
    Versions,
    /// Earlier revisions of etcd's keys.
    Revisions,
}

/// How drafts are to be removed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sweeping {
    /// Say what would be done, and do nothing.
    pub is_dry: bool,
    /// The caller knows that no run is under way on this store. Where only a draft's age tells whether one
    /// may hold it, its age does not count then. If the caller is wrong, that run fails on the draft's
    /// object and leaves it as it was.
    pub no_run: bool,
}

/// What became of a draft that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swept {
    /// It is gone, or would be.
    Removed,
    /// It was left, for this reason.
    Stays(String),
}

/// A change that is ready to be made: new bytes that are durable beside the object that they are to replace
/// or to become, or the removal of one. Dropping it discards it; where that fails, the store knows
/// ([`Store::abandoned`]).
#[async_trait]
pub trait Draft: Send {
    /// The draft's bytes, read from the store and not from memory.
    ///
    /// # Errors
    /// `Other` if they cannot be read, `Refused` if it is that of a removal, which has none.
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError>;

    /// For the store that made it, to know its own draft again.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}
