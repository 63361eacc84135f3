//! Storage for the plugin.

use wasmtime::component::Resource;

use crate::contract::generated::iamseal::plugin::{storage, storage_writer};
use crate::contract::{SizeLimit, StorageError};
use crate::storage::{Cursor, Draft, Replacement};

use super::State;

/// A listing that the plugin holds.
pub struct LentCursor(Box<dyn Cursor>);

/// A draft that the plugin holds.
pub struct LentDraft(Box<dyn Draft>);

impl storage::Host for State {
    async fn list(
        &mut self,
        prefix: Vec<u8>,
        start_after: Option<Vec<u8>>,
    ) -> wasmtime::Result<Result<Resource<LentCursor>, StorageError>> {
        let listed = self.begin_list(&prefix, start_after.as_deref()).await;
        self.meter.resume();
        match listed {
            Ok(cursor) => Ok(Ok(self.hand(LentCursor(cursor))?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn read(
        &mut self,
        path: Vec<u8>,
    ) -> wasmtime::Result<Result<storage::Stored, StorageError>> {
        let read = self.read_object(&path).await;
        self.meter.resume();
        Ok(read)
    }
}

impl storage::HostCursor for State {
    async fn next(
        &mut self,
        cursor: Resource<LentCursor>,
    ) -> wasmtime::Result<Result<Vec<Vec<u8>>, StorageError>> {
        let paths = self.handles.get_mut(&cursor)?.0.next().await;
        self.meter.resume();
        Ok(paths)
    }

    async fn drop(&mut self, cursor: Resource<LentCursor>) -> wasmtime::Result<()> {
        self.handles.delete(cursor)?;
        Ok(())
    }
}

impl storage_writer::Host for State {
    async fn stage(
        &mut self,
        replacements: Vec<storage_writer::Replacement>,
    ) -> wasmtime::Result<Vec<Result<Resource<LentDraft>, StorageError>>> {
        let drafts = self.stage_drafts(replacements).await;
        self.meter.resume();
        drafts
            .into_iter()
            .map(|draft| match draft {
                Ok(draft) => Ok(Ok(self.hand(LentDraft(draft))?)),
                Err(error) => Ok(Err(error)),
            })
            .collect()
    }

    async fn commit(
        &mut self,
        drafts: Vec<Resource<LentDraft>>,
    ) -> wasmtime::Result<Vec<Result<Vec<u8>, StorageError>>> {
        let mut taken = Vec::new();
        for draft in drafts {
            taken.push(self.handles.delete(draft)?.0);
        }
        let count = taken.len();
        let mut committed = match &self.lent.storage_writer {
            Some(writer) => writer.commit(taken).await.into_iter(),
            None => Vec::new().into_iter(),
        };
        self.meter.resume();
        Ok((0..count)
            .map(|_| committed.next().unwrap_or_else(|| Err(unanswered())))
            .collect())
    }
}

impl storage_writer::HostDraft for State {
    async fn read_back(
        &mut self,
        draft: Resource<LentDraft>,
    ) -> wasmtime::Result<Result<Vec<u8>, StorageError>> {
        let bytes = self.handles.get_mut(&draft)?.0.read_back().await;
        self.meter.resume();
        Ok(bytes.and_then(|bytes| self.fits(bytes.len()).map(|()| bytes)))
    }

    async fn drop(&mut self, draft: Resource<LentDraft>) -> wasmtime::Result<()> {
        self.handles.delete(draft)?;
        Ok(())
    }
}

impl State {
    async fn begin_list(
        &mut self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let Some(storage) = &self.lent.storage else {
            return Err(refused("storage"));
        };
        self.grant.list(prefix)?;
        storage.list(prefix, start_after).await
    }

    async fn read_object(&mut self, path: &[u8]) -> Result<storage::Stored, StorageError> {
        let Some(storage) = &self.lent.storage else {
            return Err(refused("storage"));
        };
        self.grant.read(path)?;
        let stored = storage.read(path).await?;
        self.fits(stored.bytes.len())?;
        Ok(storage::Stored {
            bytes: stored.bytes,
            version: stored.version,
        })
    }

    /// One result for each replacement, whatever the store answers.
    async fn stage_drafts(
        &mut self,
        replacements: Vec<storage_writer::Replacement>,
    ) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let Some(writer) = &self.lent.storage_writer else {
            let refused = || Err(refused("storage writer"));
            return replacements.iter().map(|_| refused()).collect();
        };
        let mut granted = Vec::new();
        let mut answers = Vec::new();
        for replacement in replacements {
            answers.push(self.may_replace(&replacement));
            if let Some(Ok(())) = answers.last() {
                granted.push(Replacement {
                    path: replacement.path,
                    expected: replacement.expected,
                    bytes: replacement.bytes,
                });
            }
        }
        let mut staged = writer.stage(granted).await.into_iter();
        answers
            .into_iter()
            .map(|granted| {
                granted.and_then(|()| staged.next().unwrap_or_else(|| Err(unanswered())))
            })
            .collect()
    }

    fn may_replace(&self, replacement: &storage_writer::Replacement) -> Result<(), StorageError> {
        self.grant.write(&replacement.path)?;
        self.fits(replacement.bytes.len())
    }

    fn fits(&self, size: usize) -> Result<(), StorageError> {
        let allowed = self.meter.limits().object_bytes;
        match size > allowed {
            true => Err(StorageError::TooLarge(SizeLimit {
                asked: size as u64,
                allowed: allowed as u64,
            })),
            false => Ok(()),
        }
    }
}

fn refused(capability: &str) -> StorageError {
    StorageError::Refused(format!("the host lends no {capability}"))
}

fn unanswered() -> StorageError {
    StorageError::Other("the store answered for too few drafts".to_owned())
}
