//! The lease that a batch of drafts hangs on: a killed run's drafts vanish with it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::time::timeout;
use tonic::Code;

use super::client::{LEASE_GRANT, LEASE_REVOKE, LEASE_TIME, Unable};
use super::errors::failed;
use super::messages::{
    Done, LeaseGrantRequest, LeaseRevokeRequest, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse,
};
use super::store::Inner;
use crate::contract::StorageError;
use crate::storage::let_go::PATIENCE;

/// How long drafts stay, in seconds. Several times what a batch takes, whose call ends after ten minutes
/// at the most, those that a slow KES needs; what a killed run left is gone soon after.
const SECONDS: i64 = 1800;

/// How old a lease is, in seconds; none if there is none of that number, or not any more.
///
/// # Errors
/// etcd does not say.
pub(super) async fn age(inner: &Inner, id: i64) -> Result<Option<i64>, StorageError> {
    let request = LeaseTimeToLiveRequest { id };
    let told = inner.client.call(LEASE_TIME, &request).await.result;
    match told {
        Ok(LeaseTimeToLiveResponse { ttl, .. }) if ttl < 0 => Ok(None),
        Ok(LeaseTimeToLiveResponse { ttl, granted }) => {
            Ok(Some(granted.saturating_sub(ttl).max(0)))
        }
        Err(Unable::Refused(Code::NotFound, _)) => Ok(None),
        Err(unable) => Err(failed("look at a draft's lease", unable)),
    }
}

/// A lease. Dropping it ends it, with all drafts that are left.
pub(super) struct Lease {
    inner: Arc<Inner>,
    pub id: i64,
    /// The keys of drafts that hang on it, or may.
    drafts: Mutex<BTreeSet<Vec<u8>>>,
    is_over: AtomicBool,
}

impl Lease {
    pub async fn begin(inner: &Arc<Inner>) -> Result<Self, StorageError> {
        let number = getrandom::u64().map_err(|error| StorageError::Other(error.to_string()))?;
        // Positive, as etcd's own are.
        let id = (number >> 1).max(1) as i64;
        let request = LeaseGrantRequest { ttl: SECONDS, id };
        let granted = inner.client.call::<_, Done>(LEASE_GRANT, &request).await;
        match granted.result {
            Ok(_) => {}
            // By the call before, whose answer was lost.
            Err(Unable::Refused(Code::FailedPrecondition, text))
                if granted.was_lost && text.contains("lease already exists") => {}
            Err(unable) => return Err(failed("begin a lease for drafts", unable)),
        }
        Ok(Self {
            inner: Arc::clone(inner),
            id,
            drafts: Mutex::default(),
            is_over: AtomicBool::new(false),
        })
    }

    /// Notes that a draft is to hang on it.
    pub fn holds(&self, draft: &[u8]) {
        self.held().insert(draft.to_vec());
    }

    /// Notes that a draft is gone, or was not made.
    pub fn has_lost(&self, draft: &[u8]) {
        self.held().remove(draft);
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<Vec<u8>>> {
        // Whoever panicked left no half-done change.
        self.drafts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What ends it. Its drafts are known from here on.
    fn ending(&self) -> impl Future<Output = ()> + Send + use<> {
        let (inner, id) = (Arc::clone(&self.inner), self.id);
        let drafts: Vec<_> = std::mem::take(&mut *self.held()).into_iter().collect();
        let noted = drafts.iter().map(|draft| (id, draft.clone()));
        let removal = inner.let_go.note(noted);
        async move {
            if revoke(&inner, id).await {
                for draft in drafts {
                    inner.let_go.is_gone(&(id, draft));
                }
            }
            drop(removal);
        }
    }

    /// Ends it: what was to be done with its drafts, and was perhaps not, is not done later either.
    pub async fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.ending().await;
    }
}

/// Whether the lease is gone, and all drafts with it. If not, its time ends it.
async fn revoke(inner: &Inner, id: i64) -> bool {
    let request = LeaseRevokeRequest { id };
    let ended = inner.client.call::<_, Done>(LEASE_REVOKE, &request).await;
    matches!(
        ended.result,
        Ok(_) | Err(Unable::Refused(Code::NotFound, _))
    )
}

/// The keys of drafts whose leases could not be ended, after another try. They go with the leases' time.
pub(super) async fn abandoned(inner: &Inner) -> Vec<Vec<u8>> {
    if inner.let_go.settled(PATIENCE).await {
        let left = inner.let_go.left();
        let leases: BTreeSet<i64> = left.iter().map(|(lease, _)| *lease).collect();
        let again = async {
            for lease in leases {
                if revoke(inner, lease).await {
                    let gone = left.iter().filter(|(of, _)| *of == lease);
                    gone.for_each(|draft| inner.let_go.is_gone(draft));
                }
            }
        };
        let _ = timeout(PATIENCE, again).await;
    }
    let left = inner.let_go.left().into_iter();
    left.map(|(_, draft)| draft).collect()
}

impl Drop for Lease {
    fn drop(&mut self) {
        if *self.is_over.get_mut() || self.inner.client.watch.is_on() {
            return;
        }
        let ending = self.ending();
        // Without a runtime, or if that ends first, its time ends it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(ending);
        }
    }
}
