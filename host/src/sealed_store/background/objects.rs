//! Sealed objects of a migration's own, each written against the version that was read.

use std::sync::Arc;

use serde_json::Value;

use crate::contract::{ObjectError, Policy, SealOptions, StorageError};
use crate::error::Error;
use crate::plugin::Plugin;
use crate::storage::{Change, Storage, StorageWriter, Version};

/// Where they stand.
#[derive(Clone)]
pub(super) struct Objects {
    pub storage: Arc<dyn Storage>,
    pub writer: Arc<dyn StorageWriter>,
    pub options: SealOptions,
}

/// One that was read.
pub(super) struct Own {
    pub version: Version,
    /// None if it does not open, or is no record.
    pub record: Option<Value>,
    /// It opens as what a migration to the present key leaves.
    pub is_current: bool,
}

impl Objects {
    /// Reads one; none if there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn read(&self, plugin: &Plugin, path: &str) -> Result<Option<Own>, Error> {
        let path = path.as_bytes();
        let stored = match self.storage.read(path).await {
            Ok(stored) => stored,
            Err(StorageError::NotFound) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let open = async |policy| match plugin.unseal(path, &stored.bytes, policy).await {
            Ok(opened) => serde_json::from_slice(&opened.plaintext).ok(),
            Err(_) => None,
        };
        let current = open(Policy::Current).await;
        let is_current = current.is_some();
        let record = match current {
            Some(record) => Some(record),
            None => open(Policy::Sealed).await,
        };
        Ok(Some(Own {
            version: stored.version,
            record,
            is_current,
        }))
    }

    /// Seals this record and puts it where nothing is, or in the place of this version.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] and [`StorageError::NotFound`] if something else is there; the plugin's
    /// and the store's.
    pub async fn write(
        &self,
        plugin: &Plugin,
        path: &str,
        record: &Value,
        over: Option<Version>,
    ) -> Result<Version, Error> {
        let plaintext = record.to_string().into_bytes();
        let path = path.as_bytes();
        let bytes = plugin.seal(path, &plaintext, &self.options).await?;
        let change = Change::put(path.to_vec(), over, bytes);
        let unanswered = || failed(StorageError::Other("the store gave no answer".to_owned()));
        let draft = self.writer.stage(vec![change]).await.pop();
        let draft = draft.ok_or_else(unanswered)?.map_err(failed)?;
        let made = self.writer.commit(vec![draft]).await.pop();
        let made = made.ok_or_else(unanswered)?.map_err(failed)?;
        Ok(made.unwrap_or_default())
    }
}

/// Whether somebody else was faster.
pub(super) fn is_conflict(error: &Error) -> bool {
    matches!(
        error,
        Error::Object(ObjectError::Storage(
            StorageError::Conflict | StorageError::NotFound
        ))
    )
}

fn failed(error: StorageError) -> Error {
    Error::Object(ObjectError::Storage(error))
}
