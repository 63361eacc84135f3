//! The store itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream;

use super::address::Address;
use super::changes::EtcdChanges;
use super::client::{Client, RANGE};
use super::commit::{commit, end_leases};
use super::cursor::EtcdCursor;
use super::draft::EtcdDraft;
use super::errors::failed;
use super::faults::{Faults, Watch};
use super::keys::{DRAFTS, Keys, Wanted, end};
use super::lease::{self, Lease};
use super::messages::{RangeRequest, RangeResponse};
use super::open_error::OpenError;
use super::sweep;
use crate::contract::{SizeLimit, StorageError};
use crate::storage::let_go::LetGo;
use crate::storage::{
    Change, Changes, Cursor, Draft, Mark, OldBytes, Storage, StorageWriter, Store, Stored,
    Sweeping, Swept, Version,
};

/// The largest object in bytes that is read: what etcd holds by default is 1.5 MiB, and it may be told
/// to hold more.
const OBJECT_BYTES: usize = 16 << 20;
/// How many calls of a batch are under way at once. etcd writes what comes meanwhile to its disk
/// together, so that many cost little more than one; a cluster in use is not to be crowded out.
const LANES: usize = 16;

/// A store in etcd.
#[derive(Clone)]
pub struct EtcdStore {
    inner: Arc<Inner>,
}

/// What the store, its listings and its drafts share.
pub(super) struct Inner {
    pub client: Client,
    pub keys: Keys,
    /// Drafts whose leases were to end, by those.
    pub let_go: LetGo<(i64, Vec<u8>)>,
    /// That a draft was made, replaced something or was removed: all that stays in earlier revisions.
    pub keeps_revisions: AtomicBool,
    name: String,
}

impl EtcdStore {
    /// Opens the store at an address, in a tokio runtime. Changes nothing in it.
    ///
    /// # Errors
    /// [`OpenError`], if nobody lets us in, or if no key of the store begins with `config/`: then the
    /// prefix is another one.
    pub async fn open(address: Address) -> Result<Self, OpenError> {
        Self::with(address, |_| {}).await
    }

    /// [`Self::open`] for tests: every call to etcd is told to `faults` first, which may let it go
    /// wrong, and nobody waits long.
    ///
    /// # Errors
    /// As for [`Self::open`].
    #[doc(hidden)]
    pub async fn open_with_faults(
        address: Address,
        faults: Arc<dyn Faults>,
    ) -> Result<Self, OpenError> {
        Self::with(address, |client| {
            client.watch = Watch::by(faults);
            client.patience = super::client::Patience::SHORT;
        })
        .await
    }

    async fn with(address: Address, change: impl FnOnce(&mut Client)) -> Result<Self, OpenError> {
        let (name, keys) = (address.name(), Keys::new(address.prefix()));
        let mut client = Client::new(address, OBJECT_BYTES)?;
        change(&mut client);
        let config = keys.object(b"config/");
        let request = RangeRequest {
            key: config.clone(),
            range_end: end(&config),
            limit: 1,
            keys_only: true,
        };
        let first: RangeResponse = client.call(RANGE, &request).await.result?;
        if first.kvs.is_empty() {
            let begin = String::from_utf8_lossy(&config).into_owned();
            return Err(OpenError::Nothing { begin });
        }
        let let_go = LetGo::default();
        let inner = Arc::new(Inner {
            client,
            keys,
            let_go,
            keeps_revisions: AtomicBool::new(false),
            name,
        });
        Ok(Self { inner })
    }

    /// None: another store made it.
    fn own(&self, draft: Box<dyn Draft>) -> Option<EtcdDraft> {
        let draft = draft.into_any().downcast::<EtcdDraft>().ok()?;
        Arc::ptr_eq(&draft.inner, &self.inner).then_some(*draft)
    }

    fn lanes(&self) -> usize {
        match self.inner.client.watch.is_on() {
            true => 1,
            false => LANES,
        }
    }
}

#[async_trait]
impl Storage for EtcdStore {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let inner = Arc::clone(&self.inner);
        let cursor = EtcdCursor::new(inner, Wanted::Objects, prefix, start_after);
        Ok(Box::new(cursor))
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let key = self.inner.keys.object(path);
        if key.is_empty() {
            return Err(StorageError::NotFound);
        }
        let request = RangeRequest {
            key,
            ..RangeRequest::default()
        };
        let read = self.inner.client.call(RANGE, &request).await.result;
        let read: RangeResponse = read.map_err(|unable| failed("read it", unable))?;
        let kv = read.kvs.into_iter().next().ok_or(StorageError::NotFound)?;
        if kv.value.len() > OBJECT_BYTES {
            return Err(StorageError::TooLarge(SizeLimit {
                asked: kv.value.len() as u64,
                allowed: OBJECT_BYTES as u64,
            }));
        }
        Ok(Stored {
            version: version(kv.mod_revision),
            bytes: kv.value,
        })
    }
}

#[async_trait]
impl StorageWriter for EtcdStore {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let lease = match changes.iter().any(|change| change.bytes().is_some()) {
            false => None,
            true => match Lease::begin(&self.inner).await {
                Ok(lease) => Some(Arc::new(lease)),
                Err(error) => return changes.iter().map(|_| Err(error.clone())).collect(),
            },
        };
        let drafts = changes.into_iter().map(|change| {
            let lease = lease.clone();
            async move {
                let draft = EtcdDraft::make(&self.inner, lease, change).await?;
                Ok(Box::new(draft) as Box<dyn Draft>)
            }
        });
        stream::iter(drafts).buffered(self.lanes()).collect().await
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        let drafts: Vec<_> = drafts.into_iter().map(|draft| self.own(draft)).collect();
        let commits = drafts.into_iter().map(|draft| async {
            match draft {
                Some(draft) => (commit(&draft).await, Some(draft)),
                None => {
                    let refused = StorageError::Refused("the draft is of another store".into());
                    (Err(refused), None)
                }
            }
        });
        let done: Vec<_> = stream::iter(commits).buffered(self.lanes()).collect().await;
        let (results, drafts): (Vec<_>, Vec<_>) = done.into_iter().unzip();
        end_leases(drafts.into_iter().flatten().collect()).await;
        results
    }
}

#[async_trait]
impl Store for EtcdStore {
    fn name(&self) -> String {
        self.inner.name.clone()
    }

    /// etcd keeps every revision until it is compacted.
    fn old_bytes(&self) -> Option<OldBytes> {
        let keeps_revisions = self.inner.keeps_revisions.load(Ordering::Relaxed);
        keeps_revisions.then_some(OldBytes::Revisions)
    }

    async fn abandoned(&self) -> Vec<Vec<u8>> {
        let left = lease::abandoned(&self.inner).await.into_iter();
        let path = |key: Vec<u8>| self.inner.keys.path(&key, Wanted::Drafts);
        left.filter_map(path).collect()
    }

    /// The revisions, which a listing has with the names.
    async fn marks(
        &self,
        prefix: &[u8],
        see: &mut (dyn FnMut(Vec<u8>, Mark) + Send),
    ) -> Result<(), StorageError> {
        let inner = Arc::clone(&self.inner);
        let mut cursor = EtcdCursor::new(inner, Wanted::Objects, prefix, None);
        loop {
            let page = cursor.marked().await?;
            if page.is_empty() {
                return Ok(());
            }
            page.into_iter().for_each(|(path, mark)| see(path, mark));
        }
    }

    async fn changes(&self, prefix: &[u8]) -> Result<Option<Box<dyn Changes>>, StorageError> {
        let changes = EtcdChanges::begin(&self.inner, prefix).await?;
        Ok(Some(Box::new(changes)))
    }

    /// Whatever the prefix, since drafts do not say what they are for.
    async fn drafts(&self, _: &[u8]) -> Result<Box<dyn Cursor>, StorageError> {
        let inner = Arc::clone(&self.inner);
        let cursor = EtcdCursor::new(inner, Wanted::Drafts, DRAFTS, None);
        Ok(Box::new(cursor))
    }

    async fn remove_drafts(
        &self,
        drafts: Vec<Vec<u8>>,
        how: Sweeping,
    ) -> Vec<Result<Swept, StorageError>> {
        let removed = drafts
            .into_iter()
            .map(|draft| async move { sweep::remove(&self.inner, &draft, how).await });
        stream::iter(removed).buffered(self.lanes()).collect().await
    }
}

/// The version that this revision of the whole store made.
pub(super) fn version(revision: i64) -> Version {
    revision.to_be_bytes().to_vec()
}

/// None: the version is another store's.
pub(super) fn revision(version: &Version) -> Option<i64> {
    let bytes = <[u8; 8]>::try_from(version.as_slice()).ok()?;
    Some(i64::from_be_bytes(bytes))
}
