//! The lease that a batch of drafts hangs on: a killed run's drafts vanish with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tonic::Code;

use super::client::{LEASE_GRANT, LEASE_REVOKE, LEASE_TIME, Unable};
use super::errors::failed;
use super::messages::{
    Done, LeaseGrantRequest, LeaseRevokeRequest, LeaseTimeToLiveRequest, LeaseTimeToLiveResponse,
};
use super::store::Inner;
use crate::contract::StorageError;

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
            is_over: AtomicBool::new(false),
        })
    }

    /// Ends it: what was to be done with its drafts, and was perhaps not, is not done later either.
    pub async fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        revoke(Arc::clone(&self.inner), self.id).await;
    }
}

/// If that fails, its time ends it.
async fn revoke(inner: Arc<Inner>, id: i64) {
    let request = LeaseRevokeRequest { id };
    let _ended = inner.client.call::<_, Done>(LEASE_REVOKE, &request).await;
}

impl Drop for Lease {
    fn drop(&mut self) {
        if *self.is_over.get_mut() || self.inner.client.watch.is_on() {
            return;
        }
        // Without a runtime, or if that ends first, its time ends it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(revoke(Arc::clone(&self.inner), self.id));
        }
    }
}
