//! Being told of changes, by etcd's watch.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::timeout;
use tonic::{Code, Streaming};

use super::client::Unable;
use super::errors::failed;
use super::keys::end;
use super::messages::{WatchCreateRequest, WatchRequest, WatchResponse};
use super::store::Inner;
use crate::contract::StorageError;
use crate::storage::Changes;

/// A watch of a store in etcd. What has changed is not looked at: a listing tells, with the revisions.
pub(super) struct EtcdChanges {
    told: Streaming<WatchResponse>,
}

impl EtcdChanges {
    /// Returns when it has begun: every later change of a key that begins with the prefix is told.
    ///
    /// # Errors
    /// etcd gives no answer, or refuses.
    pub async fn begin(inner: &Arc<Inner>, prefix: &[u8]) -> Result<Self, StorageError> {
        let unable = |unable| failed("watch keys", unable);
        let key = inner.keys.object(prefix);
        let range_end = end(&key);
        // etcd takes no empty key, and no key is less than a zero byte.
        let key = if key.is_empty() { vec![0] } else { key };
        let create = Some(WatchCreateRequest { key, range_end });
        let told = inner.client.watch(WatchRequest { create }).await;
        let mut changes = Self {
            told: told.map_err(unable)?,
        };
        let created = timeout(inner.client.patience.attempt, changes.message()).await;
        let late = || unable(Unable::NoAnswer("it takes too long".into()));
        match created.map_err(|_elapsed| late())?? {
            told if told.created => Ok(changes),
            _ => Err(late()),
        }
    }

    async fn message(&mut self) -> Result<WatchResponse, StorageError> {
        let told = match self.told.message().await {
            Ok(Some(told)) if !told.canceled => return Ok(told),
            Ok(Some(told)) => Unable::Refused(Code::Unknown, told.cancel_reason),
            Ok(None) => Unable::NoAnswer("the node has ended the watch".into()),
            Err(status) => Unable::from(&status),
        };
        Err(failed("watch keys", told))
    }
}

#[async_trait]
impl Changes for EtcdChanges {
    async fn next(&mut self) -> Result<(), StorageError> {
        self.message().await.map(drop)
    }
}
