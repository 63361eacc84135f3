//! Drafts: new bytes, durable under a key of their own beside the object that they are to replace or to
//! become. That of a removal has none, and no key.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use prost::Message as _;
use tonic::Code;

use super::client::{PUT, RANGE, Unable};
use super::errors::{failed, is_too_large};
use super::lease::Lease;
use super::messages::{Done, PutRequest, RangeRequest, RangeResponse};
use super::store::Inner;
use crate::contract::{SizeLimit, StorageError};
use crate::storage::{Change, Creation, Draft, NO_BYTES, Removal, Replacement, Version};

/// The largest request that etcd takes, in bytes, unless it is told otherwise: its own default of
/// `--max-request-bytes`.
const REQUEST_BYTES: usize = 3 << 19;

/// A draft of a store in etcd.
pub(super) struct EtcdDraft {
    pub inner: Arc<Inner>,
    /// The object's key.
    pub object: Vec<u8>,
    /// The object's version that it is for; none if there is to be no object.
    pub expected: Option<Version>,
    /// What the object is to hold; none if it is to go.
    pub new: Option<New>,
}

/// New bytes under a key of their own.
pub(super) struct New {
    pub key: Vec<u8>,
    /// Its batch's.
    pub lease: Arc<Lease>,
    pub bytes: Vec<u8>,
}

impl EtcdDraft {
    /// Makes one; it is durable, since etcd answers when most nodes have it on their disks.
    pub async fn make(
        inner: &Arc<Inner>,
        lease: Option<Arc<Lease>>,
        change: Change,
    ) -> Result<Self, StorageError> {
        let object = inner.keys.object(change.path());
        let (expected, bytes) = match change {
            Change::Create(Creation { bytes, .. }) => (None, Some(bytes)),
            Change::Replace(Replacement {
                expected, bytes, ..
            }) => (Some(expected), Some(bytes)),
            Change::Remove(Removal { expected, .. }) => (Some(expected), None),
        };
        let new = match (lease, bytes) {
            (Some(lease), Some(bytes)) => Some(New::make(inner, lease, bytes).await?),
            _ => None,
        };
        Ok(Self {
            inner: Arc::clone(inner),
            object,
            expected,
            new,
        })
    }
}

impl New {
    async fn make(
        inner: &Arc<Inner>,
        lease: Arc<Lease>,
        bytes: Vec<u8>,
    ) -> Result<Self, StorageError> {
        let number = getrandom::u64().map_err(|error| StorageError::Other(error.to_string()))?;
        let request = PutRequest {
            key: inner.keys.draft(number),
            value: bytes,
            lease: lease.id,
            ignore_lease: false,
        };
        lease.holds(&request.key);
        // Made twice, after an answer was lost, it is the same draft.
        let put = inner.client.call::<_, Done>(PUT, &request).await;
        if matches!(put.result, Err(Unable::Refused(..))) && !put.was_lost {
            lease.has_lost(&request.key);
        }
        match put.result {
            Ok(_) => {
                // Its bytes stay, whatever becomes of it.
                inner.keeps_revisions.store(true, Ordering::Relaxed);
                Ok(Self {
                    lease,
                    key: request.key,
                    bytes: request.value,
                })
            }
            Err(unable) if is_too_large(&unable) => {
                let size = request.value.len();
                Err(too_large(size, request.encoded_len() - size))
            }
            Err(Unable::Refused(Code::PermissionDenied, text)) => {
                Err(StorageError::Other(format!(
                    "access is denied: cannot make a draft: etcd says: {text}; allow this user to read and write all that \
                 begins with {}",
                    inner.keys.drafts()
                )))
            }
            Err(unable) => Err(failed("make a draft", unable)),
        }
    }
}

/// For an object of so many bytes in a request with so many others.
pub(super) fn too_large(bytes: usize, others: usize) -> StorageError {
    let allowed = REQUEST_BYTES - others.min(REQUEST_BYTES);
    if bytes <= allowed {
        return StorageError::Other(
            "etcd refuses it as too large: its --max-request-bytes is below the default".into(),
        );
    }
    StorageError::TooLarge(SizeLimit {
        asked: bytes as u64,
        allowed: allowed as u64,
    })
}

#[async_trait]
impl Draft for EtcdDraft {
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
        let Some(new) = &self.new else {
            return Err(StorageError::Refused(NO_BYTES.into()));
        };
        let request = RangeRequest {
            key: new.key.clone(),
            ..RangeRequest::default()
        };
        let read = self.inner.client.call(RANGE, &request).await.result;
        let read: RangeResponse = read.map_err(|unable| failed("read a draft", unable))?;
        let draft = read.kvs.into_iter().next();
        draft.map(|kv| kv.value).ok_or_else(gone)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// What is said of a draft that is not there any more.
pub(super) fn gone() -> StorageError {
    StorageError::Other("its draft is gone: somebody removed it, or its time ran out".into())
}
