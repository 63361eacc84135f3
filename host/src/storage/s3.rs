//! The bucket store: objects are those of a bucket below a prefix, behind the crate `object_store`.
//!
//! **Nothing is lost.** An object is replaced by a put that the bucket's own server takes only while
//! the object has the entity tag that was read (`If-Match`), and never by any other. Before the first
//! write a draft of the store's own shows whether the server keeps to such conditions; one that does
//! not is refused, because it would let writers overwrite each other. Where an answer was lost, what is
//! in the bucket says whether the put was done, so that no writer takes its own put for somebody else's.
//! An object is created by a put that is taken only while there is none (`If-None-Match`). A removal has no
//! condition in S3: it is made only for those who promise that nobody else writes
//! ([`BucketStore::server_is_stopped`]), directly after a look at what is there.
//!
//! **Drafts** are objects of their own, `iamseal-draft/<16 hex digits>` below the prefix and so outside
//! `config/`. A killed run leaves some, which [`Store::sweep`] removes once they are an hour old. One that
//! cannot be removed is known ([`Store::abandoned`]); while the server denies that, no more are made.
//!
//! **Nobody else is asked.** Redirects are not followed, so that credentials and session tokens reach the
//! server that was named and no other, and no proxy is used but one that was named for buckets. A listing
//! that goes on without what was asked for ends in an error.
//!
//! **No key is taken for another.** Keys that `object_store` cannot name, such as those with an empty
//! part, are listed and refused one by one.
//!
//! In a bucket that keeps versions the old version of each object stays, plaintext among them, until
//! the bucket's own rules remove it ([`Store::old_bytes`]).
//!
//! Every call needs a tokio runtime.

mod condition;
mod connect;
mod credentials;
mod draft;
mod errors;
#[cfg(test)]
mod flawed;
mod list;
mod listing;
mod open;
mod place;
mod read;
mod removal;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _};
use object_store::ObjectStore;
use tokio::sync::OnceCell;

use self::draft::BucketDraft;
use self::list::{Listing, Wanted};
use self::place::Place;
use self::removal::Removals;
use super::dir::OBJECT_BYTES;
use super::let_go::PATIENCE;
use super::{
    Change, Cursor, Draft, Mark, OldBytes, Storage, StorageWriter, Store, Stored, Sweeping, Swept,
    Version,
};
use crate::contract::StorageError;

pub use self::open::{OpenError, SECRET_FILES};
#[doc(hidden)] // For the enumeration of crash points.
pub use self::open::{from_environment, with};

/// Requests that one call has under way at once: enough to hide the way to a distant server, few enough
/// for a small one, and each worker of a migration has as many.
const AT_ONCE: usize = 16;

/// How old a draft is before it counts as left behind. A draft is needed for ten minutes at the most,
/// which is how long a plugin's call may take ([`crate::Limits::deadline`]), so an hour leaves room for
/// clocks that differ. Were one removed too early, its object would be reported as failed and stay as it is.
const DRAFT_AGE: Duration = Duration::from_secs(60 * 60);

/// How long a listing may go on without anything that was asked for: as long as a plugin's call that waits
/// for nothing else ([`crate::Limits::deadline`]). A request takes 35 s at the most with its retries.
const LISTING: Duration = Duration::from_secs(60);

/// A store in a bucket.
#[derive(Clone)]
pub struct BucketStore(Arc<Bucket>);

/// What the store, its drafts and its listings share.
struct Bucket {
    objects: Arc<dyn ObjectStore>,
    place: Place,
    name: String,
    object_bytes: u64,
    server_is_stopped: bool,
    draft_age: Duration,
    listing: Duration,
    patience: Duration,
    removals: Removals,
    /// That what was replaced or removed has stayed as an older version.
    keeps_versions: Arc<AtomicBool>,
    /// What an operator should know of the way to the server.
    cautions: Vec<String>,
    /// That the conditions of puts hold, once it is known.
    keeps_conditions: OnceCell<()>,
}

impl BucketStore {
    /// The objects of any store with conditional puts that are below `prefix` (empty: all of it),
    /// under a name for people and journals. Its listings must be in the order of keys, as S3's are.
    /// [`BucketStore::open`] opens a bucket of S3.
    ///
    /// # Errors
    /// `Refused` if there can be no such prefix.
    pub fn new(
        objects: Arc<dyn ObjectStore>,
        prefix: &str,
        name: impl Into<String>,
    ) -> Result<Self, StorageError> {
        Ok(Self(Arc::new(Bucket {
            objects,
            place: Place::new(prefix)?,
            name: name.into(),
            object_bytes: OBJECT_BYTES,
            server_is_stopped: false,
            draft_age: DRAFT_AGE,
            listing: LISTING,
            patience: PATIENCE,
            removals: Removals::default(),
            keeps_versions: Arc::default(),
            cautions: Vec::new(),
            keeps_conditions: OnceCell::new(),
        })))
    }

    /// Sets the age from which on [`Store::sweep`] takes a draft for left behind; an hour at first.
    /// For those who know that no other run is under way.
    #[must_use]
    pub fn draft_age(self, draft_age: Duration) -> Self {
        self.with(|bucket| bucket.draft_age = draft_age)
    }

    /// Sets the largest object in bytes that is read or written; [`OBJECT_BYTES`] at first.
    #[must_use]
    pub fn object_bytes(self, object_bytes: u64) -> Self {
        self.with(|bucket| bucket.object_bytes = object_bytes)
    }

    /// Promises that no server and nobody else writes below the prefix; not promised at first. Only then is
    /// anything removed.
    #[must_use]
    pub fn server_is_stopped(self, is_stopped: bool) -> Self {
        self.with(|bucket| bucket.server_is_stopped = is_stopped)
    }

    /// What an operator should know of the way to the server, a line each: that it is not encrypted, or
    /// that whoever is on it passes for the server.
    pub fn cautions(&self) -> impl Iterator<Item = &str> {
        self.0.cautions.iter().map(String::as_str)
    }

    fn with(self, set: impl FnOnce(&mut Bucket)) -> Self {
        let old = &*self.0;
        let mut bucket = Bucket {
            objects: Arc::clone(&old.objects),
            place: old.place.clone(),
            name: old.name.clone(),
            removals: old.removals.clone(),
            keeps_versions: Arc::clone(&old.keeps_versions),
            cautions: old.cautions.clone(),
            keeps_conditions: OnceCell::new(),
            ..*old
        };
        set(&mut bucket);
        Self(Arc::new(bucket))
    }
}

impl fmt::Debug for BucketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BucketStore").field(&self.0.name).finish()
    }
}

#[async_trait]
impl Storage for BucketStore {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let after = start_after.unwrap_or_default();
        let listing = Listing::begin(&self.0, Wanted::Objects, prefix, after)?;
        Ok(Box::new(listing))
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        self.0.read(&self.0.place.location(path)?).await
    }
}

#[async_trait]
impl StorageWriter for BucketStore {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let is_fit = self.check_writes().await;
        let is_fit = match is_fit {
            Ok(()) => self.0.can_remove().await,
            unfit => unfit,
        };
        if let Err(error) = is_fit {
            let failed = |_| Err(error.clone());
            return changes.into_iter().map(failed).collect();
        }
        let staged = changes.into_iter().map(|change| async {
            let draft = BucketDraft::stage(&self.0, change).await?;
            Ok(Box::new(draft) as Box<dyn Draft>)
        });
        stream::iter(staged).buffered(AT_ONCE).collect().await
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        draft::commit(&self.0, drafts).await
    }
}

#[async_trait]
impl Store for BucketStore {
    fn name(&self) -> String {
        self.0.name.clone()
    }

    async fn check_writes(&self) -> Result<(), StorageError> {
        let kept_before = self.old_bytes();
        let check = || condition::check(&self.0);
        let checked = self.0.keeps_conditions.get_or_try_init(check).await;
        // The draft that this was tried on holds nothing of anybody's.
        if kept_before.is_none() {
            self.0.keeps_versions.store(false, Ordering::Relaxed);
        }
        checked.map(|_| ())
    }

    /// The bucket's versioning is on, or was when the object was written: its answers have versions' ids.
    fn old_bytes(&self) -> Option<OldBytes> {
        let is_kept = self.0.keeps_versions.load(Ordering::Relaxed);
        is_kept.then_some(OldBytes::Versions)
    }

    async fn abandoned(&self) -> Vec<Vec<u8>> {
        let left = self.0.abandoned().await;
        let paths = left
            .iter()
            .filter_map(|key| self.0.place.path(key.as_ref()));
        paths.map(|path| path.as_bytes().to_vec()).collect()
    }

    async fn marks(
        &self,
        prefix: &[u8],
        see: &mut (dyn FnMut(Vec<u8>, Mark) + Send),
    ) -> Result<(), StorageError> {
        let mut listing = Listing::begin(&self.0, Wanted::Objects, prefix, b"")?;
        loop {
            let page = listing.marked().await?;
            if page.is_empty() {
                return Ok(());
            }
            page.into_iter().for_each(|(path, mark)| see(path, mark));
        }
    }

    /// Whatever the prefix, since drafts do not say what they are for.
    async fn drafts(&self, _: &[u8]) -> Result<Box<dyn Cursor>, StorageError> {
        let listing = Listing::begin(&self.0, Wanted::Drafts, place::DRAFTS.as_bytes(), b"")?;
        Ok(Box::new(listing))
    }

    async fn remove_drafts(
        &self,
        drafts: Vec<Vec<u8>>,
        how: Sweeping,
    ) -> Vec<Result<Swept, StorageError>> {
        let removed = drafts
            .into_iter()
            .map(|draft| async move { draft::remove(&self.0, &draft, how).await });
        stream::iter(removed).buffered(AT_ONCE).collect().await
    }
}

#[cfg(test)]
mod tests;
