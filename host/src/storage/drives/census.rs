//! The census of drives.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use wasmtime::component::ResourceAny;

use super::folders::Folders;
use super::{DriveStore, OpenError, Shared, blocking, failed, stopped};
use crate::contract::StorageError;
use crate::contract::drive_store::exports::iamseal::plugin::census as contract;
use crate::describe::line;
use crate::plugin::CompileCache;
use crate::plugin::drives::{Drives, World};
use crate::storage::census::{
    Census, Counting, Counts, Encryption, Need, Needed, Place, Sealed, Unread,
};

/// Why a count ends whose instance is gone.
const LOST: &str =
    "the component that reads drives failed and was started again: what it had counted is lost";

/// Says what needs a key in files that are not of IAM, by their bytes: the metadata of a bucket and the tiers.
/// What is in them the component knows that reads drives; it is lent nothing here.
pub struct Metadata(Arc<Drives<Folders>>);

impl Metadata {
    /// Loads the component, one of the world `drive-store`.
    ///
    /// # Errors
    /// [`OpenError::Component`], [`OpenError::Worker`].
    pub async fn load(
        component: impl Into<Cow<'static, [u8]>>,
        cache: CompileCache,
    ) -> Result<Self, OpenError> {
        let component = component.into();
        let loaded = blocking(move || {
            let folders = Folders::open(&[]);
            Drives::load(component, World::Reader, &cache, folders)
        });
        let loaded = loaded
            .await
            .map_err(|error| OpenError::Worker(io::Error::other(error)))??;
        Ok(Self(Arc::new(loaded)))
    }

    /// What needs a key in a file with this path and these bytes.
    ///
    /// # Errors
    /// `Other`: why that is not known.
    pub async fn needs(&self, path: &[u8], bytes: Vec<u8>) -> Result<Vec<Needed>, StorageError> {
        let (drives, path) = (Arc::clone(&self.0), path.to_vec());
        let needs = blocking(move || drives.start()?.needs(&path, &bytes));
        let needs = needs.await.map_err(stopped)?.map_err(failed)?;
        let needs = needs.map_err(|why| StorageError::Other(line(&why)))?;
        Ok(needs.into_iter().map(Into::into).collect())
    }
}

#[async_trait]
impl Census for DriveStore {
    async fn buckets(&self) -> Result<Option<Vec<Vec<u8>>>, StorageError> {
        self.with(|live| live.buckets()).await?
    }

    async fn count(&self, place: Place) -> Result<Box<dyn Counting>, StorageError> {
        let place = match place {
            Place::Bucket(name) => contract::Place::Bucket(name),
            Place::Uploads => contract::Place::Uploads,
        };
        Ok(Box::new(Walk {
            shared: Arc::clone(&self.shared),
            begins: Some(place),
            walk: None,
        }))
    }

    async fn object(&self, path: &[u8]) -> Result<Counts, StorageError> {
        let path = path.to_vec();
        let counts = self.with(move |live| live.counts_of(&path)).await??;
        Ok(counts.into())
    }
}

/// A count that is under way.
struct Walk {
    shared: Arc<Shared>,
    /// Where, until it was begun.
    begins: Option<contract::Place>,
    walk: Option<(u64, ResourceAny)>,
}

#[async_trait]
impl Counting for Walk {
    async fn next(&mut self) -> Result<Option<Counts>, StorageError> {
        let shared = Arc::clone(&self.shared);
        let (begins, walk) = (self.begins.take(), self.walk.take());
        let counts = blocking(move || {
            shared.with(|instance, live| {
                let walk = match (begins, walk) {
                    (Some(place), _) => match live.start_census(&place)? {
                        Ok(walk) => walk,
                        Err(error) => return Ok((None, Err(error))),
                    },
                    (None, Some((of, walk))) if of == instance => walk,
                    _ => return Ok((None, Err(StorageError::Other(LOST.to_owned())))),
                };
                Ok((Some((instance, walk)), live.next_counts(walk)?))
            })
        });
        let (walk, counts) = counts.await.map_err(stopped)??;
        self.walk = walk;
        Ok(counts?.map(Into::into))
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        if let Some(walk) = self.walk.take() {
            self.shared.ended().push(walk);
        }
    }
}

impl From<contract::Counts> for Counts {
    fn from(counts: contract::Counts) -> Self {
        let sealed = counts.sealed.into_iter().map(|sealed| Sealed {
            path: sealed.path,
            encryption: sealed.encryption.into(),
            key: sealed.key,
            versions: sealed.versions,
            bytes: sealed.bytes,
        });
        let unread = counts.unread.into_iter().map(|unread| Unread {
            path: unread.path,
            why: line(&unread.why),
        });
        Self {
            objects: counts.objects,
            versions: counts.versions,
            sealed: sealed.collect(),
            unread: unread.collect(),
            damaged: counts.damaged,
        }
    }
}

impl From<contract::Encryption> for Encryption {
    fn from(encryption: contract::Encryption) -> Self {
        match encryption {
            contract::Encryption::S3 => Self::S3,
            contract::Encryption::Kms => Self::Kms,
            contract::Encryption::Customer => Self::Customer,
            contract::Encryption::Other => Self::Other,
        }
    }
}

impl From<contract::Needed> for Needed {
    fn from(needed: contract::Needed) -> Self {
        Self {
            what: match needed.what {
                contract::Need::Targets => Need::Targets,
                contract::Need::DefaultEncryption => Need::DefaultEncryption,
                contract::Need::Tiers => Need::Tiers,
            },
            encryption: needed.encryption.into(),
            key: needed.key,
        }
    }
}
