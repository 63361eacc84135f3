//! Drafts: new bytes, durable under a key of their own beside the object that they are to replace.

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
use crate::storage::{Draft, Replacement, Version};

/// The largest request that etcd takes, in bytes, unless it is told otherwise: its own default of
/// `--max-request-bytes`.
const REQUEST_BYTES: usize = 3 << 19;

/// A draft of a store in etcd.
pub(super) struct EtcdDraft {
    pub inner: Arc<Inner>,
    /// Its batch's.
    pub lease: Arc<Lease>,
    pub key: Vec<u8>,
    /// The object's key.
    pub object: Vec<u8>,
    /// The object's version that it is for.
    pub expected: Version,
    pub bytes: Vec<u8>,
}

impl EtcdDraft {
    /// Makes one; it is durable, since etcd answers when most nodes have it on their disks.
    pub async fn make(
        inner: &Arc<Inner>,
        lease: Arc<Lease>,
        replacement: Replacement,
    ) -> Result<Self, StorageError> {
        let Replacement {
            path,
            expected,
            bytes,
        } = replacement;
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
                    inner: Arc::clone(inner),
                    lease,
                    object: inner.keys.object(&path),
                    key: request.key,
                    expected,
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
        let request = RangeRequest {
            key: self.key.clone(),
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
