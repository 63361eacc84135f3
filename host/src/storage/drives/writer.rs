//! Creating, replacing and removing objects on drives.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use wasmtime::component::ResourceAny;

use super::{DriveStore, Shared, blocking, stopped};
use crate::contract::StorageError;
use crate::contract::drive_store_writer::exports::iamseal::plugin::drives_writer;
use crate::contract::drive_store_writer::exports::iamseal::plugin::storage_writer;
use crate::storage::{Change, Draft, StorageWriter, Swept, Version};

/// The most bytes of objects that the component is given at once, if there are several: it makes all shards
/// of each.
const BATCH_BYTES: usize = 8 << 20;

/// A draft on drives.
struct DriveDraft {
    shared: Arc<Shared>,
    /// The instance that made it, and its handle there; none once it was handed on.
    held: Option<(u64, ResourceAny)>,
}

impl DriveDraft {
    /// What is said of a draft whose instance has failed. It is swept.
    fn gone() -> StorageError {
        StorageError::Other("the component that writes drives failed, and its draft with it".into())
    }
}

impl Drop for DriveDraft {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            self.shared.ended().push(held);
        }
    }
}

#[async_trait]
impl Draft for DriveDraft {
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
        let (shared, held) = (Arc::clone(&self.shared), self.held);
        blocking(move || {
            shared.with(|instance, live| match held {
                Some((of, draft)) if of == instance => live.read_back(draft),
                _ => Ok(Err(Self::gone())),
            })
        })
        .await
        .map_err(stopped)??
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[async_trait]
impl StorageWriter for DriveStore {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let mut staged = Vec::new();
        let mut rest = changes.into_iter().peekable();
        while rest.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while let Some(change) = rest.next_if(|change| {
                bytes += change.bytes().map_or(0, <[u8]>::len);
                batch.is_empty() || bytes <= BATCH_BYTES
            }) {
                batch.push(of_contract(change));
            }
            staged.extend(self.stage_batch(batch).await);
        }
        staged
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        let shared = Arc::clone(&self.shared);
        let count = drafts.len();
        let committed = blocking(move || {
            shared.with(|instance, live| {
                let mut handles = Vec::new();
                let mine: Vec<_> = drafts
                    .into_iter()
                    .map(|draft| {
                        let mut draft = own(&shared, draft)?;
                        match draft.held {
                            Some((of, handle)) if of == instance => {
                                draft.held = None;
                                handles.push(handle);
                                Ok(())
                            }
                            _ => Err(DriveDraft::gone()),
                        }
                    })
                    .collect();
                let committed = match live.commit(&handles)? {
                    Ok(committed) => committed,
                    Err(error) => vec![Err(error); handles.len()],
                };
                let mut committed = committed.into_iter();
                let few = || StorageError::Other("the store answered for too few drafts".into());
                let answer = |mine: Result<(), StorageError>| {
                    mine.and_then(|()| committed.next().unwrap_or_else(|| Err(few())))
                };
                Ok(mine.into_iter().map(answer).collect::<Vec<_>>())
            })
        });
        let committed = committed.await.map_err(stopped);
        committed
            .and_then(|committed| committed)
            .unwrap_or_else(|error| vec![Err(error); count])
    }
}

/// The same change in the words of the contract. Objects on drives have no rights of their own to bring back.
fn of_contract(change: Change) -> storage_writer::Change {
    match change {
        Change::Create(new) => storage_writer::Change::Create(storage_writer::Creation {
            path: new.path,
            bytes: new.bytes,
        }),
        Change::Replace(new) => storage_writer::Change::Replace(storage_writer::Replacement {
            path: new.path,
            expected: new.expected,
            bytes: new.bytes,
        }),
        Change::Remove(old) => storage_writer::Change::Remove(storage_writer::Removal {
            path: old.path,
            expected: old.expected,
        }),
    }
}

/// A draft of this store.
///
/// # Errors
/// `Refused`: it is another store's.
fn own(shared: &Arc<Shared>, draft: Box<dyn Draft>) -> Result<Box<DriveDraft>, StorageError> {
    let draft = draft.into_any().downcast::<DriveDraft>().ok();
    draft
        .filter(|draft| Arc::ptr_eq(&draft.shared, shared))
        .ok_or_else(|| StorageError::Refused("the draft is of another store".into()))
}

impl DriveStore {
    async fn stage_batch(
        &self,
        batch: Vec<storage_writer::Change>,
    ) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let shared = Arc::clone(&self.shared);
        let count = batch.len();
        let staged = blocking(move || {
            shared.with(|instance, live| {
                let staged = match live.stage(&batch)? {
                    Ok(staged) => staged,
                    Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
                };
                let held = |draft: Result<ResourceAny, StorageError>| {
                    let draft: Box<dyn Draft> = Box::new(DriveDraft {
                        shared: Arc::clone(&shared),
                        held: Some((instance, draft?)),
                    });
                    Ok(draft)
                };
                Ok(staged.into_iter().map(held).collect::<Vec<_>>())
            })
        });
        let staged = staged.await.map_err(stopped).and_then(|staged| staged);
        staged.unwrap_or_else(|error| (0..count).map(|_| Err(error.clone())).collect())
    }

    /// Removes drafts that nobody holds.
    pub(super) async fn remove(
        &self,
        drafts: Vec<Vec<u8>>,
    ) -> Result<Vec<Result<Swept, StorageError>>, StorageError> {
        self.with(move |live| {
            let remove = |draft: &Vec<u8>| {
                let swept = live.remove_draft(draft)?;
                Ok(swept.map(|swept| match swept {
                    drives_writer::Swept::Removed => Swept::Removed,
                    drives_writer::Swept::Stays(why) => Swept::Stays(why),
                }))
            };
            drafts.iter().map(remove).collect()
        })
        .await
    }

    /// What [`Self::remove`] would do.
    pub(super) async fn would_remove(
        &self,
        drafts: Vec<Vec<u8>>,
    ) -> Result<Vec<Result<Swept, StorageError>>, StorageError> {
        let there = self.with(|live| live.drafts()).await??;
        let would = |draft: &Vec<u8>| match there.contains(draft) {
            true => Ok(Swept::Removed),
            false => Err(StorageError::NotFound),
        };
        Ok(drafts.iter().map(would).collect())
    }
}
