//! Drafts: new bytes in an object of their own, until they take the place of the old ones or become an object.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, GetOptions, ObjectStoreExt as _, PutMode, PutOptions,
    UpdateVersion,
};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use super::errors::failed;
use super::listing::{Kept, Tagged};
use super::place::refused;
use super::read::{self, tag, version};
use super::removal::Discarded;
use super::{AT_ONCE, Bucket};
use crate::contract::StorageError;
use crate::storage::{Change, Draft, NO_BYTES, Sweeping, Swept, Version};

/// What is said of a removal where a server may write meanwhile.
const UNCONDITIONAL: &str = "\
a bucket removes whatever is there, so what a server writes meanwhile could be lost (--server-is-stopped: \
there is none)";

/// A draft of a bucket store.
pub(super) struct BucketDraft {
    bucket: Arc<Bucket>,
    /// Where the draft is; none of a removal, and once it is removed.
    draft: Option<Path>,
    /// Where it is to go.
    target: Path,
    change: Staged,
}

/// A change of an object.
enum Staged {
    Create {
        bytes: Bytes,
    },
    Replace {
        expected: Version,
        bytes: Bytes,
        /// What the object has besides its bytes.
        attributes: Attributes,
    },
    Remove {
        expected: Version,
    },
}

impl BucketDraft {
    /// # Errors
    /// As for [`crate::storage::StorageWriter::stage`], but that an object which is not there shows
    /// when the draft is committed; `Refused` if it has tags, which may be rights and which a put drops, if the
    /// server encrypts or holds it as it does not its draft, and if it is to go while somebody else may write to it.
    pub async fn stage(bucket: &Arc<Bucket>, change: Change) -> Result<Self, StorageError> {
        let target = bucket.place.location(change.path())?;
        let own = |bytes| {
            let bytes = Bytes::from_owner(Zeroizing::new(bytes));
            bucket.fits(bytes.len() as u64).map(|()| bytes)
        };
        let mut kept = Kept::default();
        let change = match change {
            Change::Create(new) => {
                let bytes = own(new.bytes)?;
                match bucket.objects.head(&target).await {
                    Ok(_) => return Err(StorageError::Conflict),
                    Err(Error::NotFound { .. }) => Staged::Create { bytes },
                    Err(error) => return Err(failed(&error)),
                }
            }
            Change::Replace(new) => {
                let attributes;
                (attributes, kept) = bucket.attributes(&target).await?;
                Staged::Replace {
                    bytes: own(new.bytes)?,
                    attributes,
                    expected: new.expected,
                }
            }
            Change::Remove(_) if !bucket.server_is_stopped => return Err(refused(UNCONDITIONAL)),
            Change::Remove(old) => {
                // Whoever makes it again knows its bytes, and no more.
                let attributes;
                (attributes, kept) = bucket.attributes(&target).await?;
                let is_kept = |(kind, _): (&Attribute, _)| *kind == Attribute::ContentType;
                if !attributes.iter().all(is_kept) {
                    return Err(refused(
                        "it has metadata, which would be lost if it is brought back: remove that first",
                    ));
                }
                Staged::Remove {
                    expected: old.expected,
                }
            }
        };
        let mut draft = Self {
            bucket: Arc::clone(bucket),
            draft: None,
            target,
            change,
        };
        // What goes has one too where the server does more than keep it: whoever brings it back puts it.
        let of_removal = || (kept != Kept::default()).then(Bytes::new);
        if let Some(bytes) = draft.bytes().or_else(of_removal) {
            let location = bucket.new_draft()?;
            // Dropped if it fails, since the draft may be there all the same.
            draft.draft = Some(location.clone());
            bucket.create(&location, bytes).await?;
            // The draft shows what becomes of an object that is put here.
            if kept != Kept::default() {
                let (_, of_draft) = bucket.attributes(&location).await?;
                if let Some(lost) = kept.lost_in(&of_draft) {
                    return Err(held(lost));
                }
            }
        }
        Ok(draft)
    }

    /// What the object is to hold; none if it is to go.
    fn bytes(&self) -> Option<Bytes> {
        match &self.change {
            Staged::Create { bytes } | Staged::Replace { bytes, .. } => Some(bytes.clone()),
            Staged::Remove { .. } => None,
        }
    }

    async fn make(&self) -> Result<Option<Version>, StorageError> {
        let bucket = &self.bucket;
        let stays = || bucket.keeps_versions.store(true, Ordering::Relaxed);
        match &self.change {
            Staged::Create { bytes } => bucket.put_new(&self.target, bytes).await.map(Some),
            Staged::Replace {
                expected,
                bytes,
                attributes,
            } => {
                let replaced =
                    bucket.replace(&self.target, expected, bytes.clone(), attributes.clone());
                let new = replaced.await?;
                if read::stays(expected, &new) {
                    stays();
                }
                Ok(Some(new))
            }
            Staged::Remove { expected } => {
                bucket.remove_object(&self.target, expected).await?;
                if read::stays(expected, expected) {
                    stays();
                }
                Ok(None)
            }
        }
    }
}

impl Drop for BucketDraft {
    fn drop(&mut self) {
        let Some(draft) = self.draft.take() else {
            return;
        };
        let discarded = Discarded::new(&self.bucket, vec![draft]);
        // Without a runtime, or if the process ends first, the draft is swept later.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(discarded.remove());
        }
    }
}

/// What is said of a draft that is not there any more.
pub(super) fn gone() -> StorageError {
    StorageError::Other("its draft is gone: somebody has removed it".into())
}

#[async_trait]
impl Draft for BucketDraft {
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
        if let Staged::Remove { .. } = self.change {
            return Err(refused(NO_BYTES));
        }
        let draft = self.draft.as_ref().ok_or_else(gone)?;
        match self.bucket.read(draft).await {
            Ok(stored) => Ok(stored.bytes),
            Err(StorageError::NotFound) => Err(gone()),
            Err(error) => Err(error),
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Makes the change of each draft and removes all of them.
pub(super) async fn commit(
    bucket: &Arc<Bucket>,
    drafts: Vec<Box<dyn Draft>>,
) -> Vec<Result<Option<Version>, StorageError>> {
    let changed = drafts.into_iter();
    let changed: Vec<_> = changed.map(|draft| change(bucket, draft)).collect();
    let changed: Vec<_> = stream::iter(changed).buffered(AT_ONCE).collect().await;
    let (drafts, versions): (Vec<_>, _) = changed.into_iter().unzip();
    let drafts = drafts.into_iter().flatten();
    let drafts = drafts.filter_map(|mut draft: Box<BucketDraft>| draft.draft.take());
    Discarded::new(bucket, drafts.collect()).remove().await;
    versions
}

/// What became of a draft, and itself, which is still there.
async fn change(
    bucket: &Arc<Bucket>,
    draft: Box<dyn Draft>,
) -> (
    Option<Box<BucketDraft>>,
    Result<Option<Version>, StorageError>,
) {
    let draft = draft.into_any().downcast::<BucketDraft>().ok();
    let is_own = |draft: &BucketDraft| Arc::ptr_eq(&draft.bucket.objects, &bucket.objects);
    let Some(draft) = draft.filter(|draft| is_own(draft)) else {
        return (None, Err(refused("the draft is another store's")));
    };
    let version = draft.make().await;
    (Some(draft), version)
}

/// Removes a draft that was left behind, or says why it stays.
///
/// # Errors
/// `NotFound` if it is gone, `Refused` if it is no draft; else what keeps it from being removed.
pub(super) async fn remove(
    bucket: &Bucket,
    path: &[u8],
    how: Sweeping,
) -> Result<Swept, StorageError> {
    let draft = bucket.place.location(path)?;
    if !bucket.place.is_draft(draft.as_ref()) {
        return Err(refused("it is no draft"));
    }
    let failed = |error| failed(&error);
    let made = bucket.objects.head(&draft).await.map_err(failed)?;
    // One from the future is new.
    let age = SystemTime::now().duration_since(made.last_modified.into());
    let age = age.unwrap_or_default();
    let is_left = how.no_run || bucket.draft_age.is_zero() || age > bucket.draft_age;
    if !is_left {
        let [is, goes] = [age, bucket.draft_age].map(|age| age.as_secs() / 60);
        return Ok(Swept::Stays(format!(
            "it is {is} minutes old, and a run that is under way may need it; it goes once it is {goes} \
             minutes old"
        )));
    }
    match how.is_dry {
        true => Ok(Swept::Removed),
        false => {
            bucket.remove(&draft).await.map_err(failed)?;
            Ok(Swept::Removed)
        }
    }
}

impl Bucket {
    /// Where a new draft is to be.
    pub fn new_draft(&self) -> Result<Path, StorageError> {
        let number = getrandom::u64();
        let number = number.map_err(|error| StorageError::Other(error.to_string()))?;
        Ok(self.place.draft(number))
    }

    /// Makes a draft, which must not be there.
    pub async fn create(&self, draft: &Path, bytes: Bytes) -> Result<(), StorageError> {
        let put = self
            .objects
            .put_opts(draft, bytes.into(), PutMode::Create.into());
        match put.await {
            // Nobody else draws this number: the answer to an earlier try of this put was lost. What is
            // there shows when it is read back.
            Ok(_) | Err(Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Makes an object if there is none.
    ///
    /// # Errors
    /// `Conflict`; `Refused` or `Other` if the bucket's server says so. The object may be there all the
    /// same if no answer came.
    async fn put_new(&self, target: &Path, bytes: &Bytes) -> Result<Version, StorageError> {
        let put = self
            .objects
            .put_opts(target, bytes.clone().into(), PutMode::Create.into());
        let error = match put.await {
            Ok(put) => match version(put.e_tag.as_deref(), put.version.as_deref()) {
                Some(version) => return Ok(version),
                None => return self.read(target).await.map(|stored| stored.version),
            },
            Err(error) => failed(&error),
        };
        // By this very put, if the answer to an earlier try was lost.
        match self.read(target).await {
            Ok(stored) if stored.bytes == *bytes => Ok(stored.version),
            Ok(_) => Err(StorageError::Conflict),
            Err(_) => Err(error),
        }
    }

    /// Removes an object that is the expected version when it is looked at directly before.
    ///
    /// # Errors
    /// `Conflict`, `NotFound`; `Refused` or `Other` if the bucket's server says so. The object may be gone
    /// all the same if no answer came.
    async fn remove_object(&self, target: &Path, expected: &[u8]) -> Result<(), StorageError> {
        if self.read(target).await?.version != expected {
            return Err(StorageError::Conflict);
        }
        let Err(error) = self.objects.delete(target).await else {
            return Ok(());
        };
        match self.objects.head(target).await {
            Err(Error::NotFound { .. }) => Ok(()),
            _ => Err(failed(&error)),
        }
    }

    /// What an object has besides its bytes and is to keep, and what its server does with it; nothing of one that
    /// is not there.
    ///
    /// # Errors
    /// `Refused` if it has tags; `Other` if the store fails.
    async fn attributes(&self, target: &Path) -> Result<(Attributes, Kept), StorageError> {
        let options = GetOptions::new().with_head(true);
        match self.objects.get_opts(target, options).await {
            Ok(there) if there.extensions.get::<Tagged>().is_some() => Err(refused(
                "it has tags, which can be rights, and a put drops them: remove them first",
            )),
            Ok(there) => {
                let kept = there.extensions.get::<Kept>().cloned();
                Ok((there.attributes, kept.unwrap_or_default()))
            }
            Err(Error::NotFound { .. }) => Ok((Attributes::new(), Kept::default())),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Replaces an object while it is the expected version.
    ///
    /// # Errors
    /// `Conflict`, `NotFound`; `Refused` or `Other` if the bucket's server says so. The object may have
    /// been replaced all the same if no answer came.
    pub async fn replace(
        &self,
        target: &Path,
        expected: &[u8],
        bytes: Bytes,
        attributes: Attributes,
    ) -> Result<Version, StorageError> {
        // Another store's version is not the one that is here.
        let tag = tag(expected).ok_or(StorageError::Conflict)?;
        let mode = PutMode::Update(UpdateVersion {
            e_tag: Some(tag.to_owned()),
            version: None,
        });
        let options = PutOptions {
            mode,
            attributes,
            ..PutOptions::default()
        };
        let put = self
            .objects
            .put_opts(target, bytes.clone().into(), options)
            .await;
        let error = match put {
            Ok(put) => match version(put.e_tag.as_deref(), put.version.as_deref()) {
                Some(version) => return Ok(version),
                None => return self.read(target).await.map(|stored| stored.version),
            },
            Err(error) => failed(&error),
        };
        // A condition may have failed on account of this very put, if the answer to an earlier try was
        // lost; and a put whose answer was lost may have been done.
        match self.read(target).await {
            Ok(stored) if stored.bytes == bytes => Ok(stored.version),
            Ok(stored) if stored.version == expected => Err(error),
            Ok(_) => Err(StorageError::Conflict),
            Err(StorageError::NotFound) => Err(StorageError::NotFound),
            Err(_) => Err(error),
        }
    }
}

/// What a put would take away, by its header.
fn held(header: &str) -> StorageError {
    refused(format!(
        "its server encrypts or holds it otherwise than what is put there ({header}), and a put drops that: set it \
         as a default of the bucket first"
    ))
}
