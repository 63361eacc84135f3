//! The store as the migration is lent it: without the migration's own objects, counted, and without
//! forms that are not to be believed any more.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::contract::{Form, StorageError};
use crate::error::Error;
use crate::plugin::Plugin;
use crate::storage::{Change, Cursor, Draft, Storage, StorageWriter, Stored, Version};

use super::super::standing::Standing;
use super::OWN;

/// A store behind the guard.
pub(super) struct Guard {
    storage: Arc<dyn Storage>,
    writer: Arc<dyn StorageWriter>,
    /// Asked for the form of what is read; none: any form may be opened.
    inspector: Option<Plugin>,
    /// Paths at which what a root credential opens may be opened all the same.
    excepted: BTreeSet<Vec<u8>>,
    refused: Mutex<BTreeMap<Vec<u8>, Form>>,
    bytes: AtomicU64,
    standing: Arc<Standing>,
}

/// A draft, and what it takes the place of.
struct Marked {
    inner: Box<dyn Draft>,
    path: Vec<u8>,
    before: Version,
}

impl Guard {
    pub fn new(
        storage: Arc<dyn Storage>,
        writer: Arc<dyn StorageWriter>,
        inspector: Option<Plugin>,
        excepted: BTreeSet<Vec<u8>>,
        standing: Arc<Standing>,
    ) -> Self {
        Self {
            storage,
            writer,
            inspector,
            excepted,
            refused: Mutex::default(),
            bytes: AtomicU64::new(0),
            standing,
        }
    }

    /// Bytes that were read and written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The form for which the object at this path was refused here, once.
    pub fn take_refused(&self, path: &[u8]) -> Option<Form> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.remove(path)
    }

    fn count(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    async fn check(&self, path: &[u8], bytes: &[u8]) -> Result<(), StorageError> {
        let Some(inspector) = &self.inspector else {
            return Ok(());
        };
        match inspector.inspect(bytes).await.map(|seen| seen.form) {
            Ok(Form::RootCredential) if self.excepted.contains(path) => Ok(()),
            Ok(form @ (Form::Plaintext | Form::RootCredential)) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                refused.insert(path.to_vec(), form);
                Err(StorageError::Refused(
                    "all was sealed here, and this is not".to_owned(),
                ))
            }
            // What cannot be inspected cannot be opened.
            Ok(_) | Err(Error::Object(_)) => Ok(()),
            Err(error) => Err(StorageError::Other(format!(
                "it could not be looked at: {error}"
            ))),
        }
    }
}

#[async_trait]
impl Storage for Guard {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let inner = self.storage.list(prefix, start_after).await?;
        Ok(Box::new(Others(inner)))
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let stored = self.storage.read(path).await?;
        self.count(stored.bytes.len());
        self.check(path, &stored.bytes).await?;
        Ok(stored)
    }
}

#[async_trait]
impl StorageWriter for Guard {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let mut marks = Vec::new();
        for change in &changes {
            self.count(change.bytes().map_or(0, <[u8]>::len));
            marks.push(match change {
                Change::Replace(new) => Some((new.path.clone(), new.expected.clone())),
                Change::Create(_) | Change::Remove(_) => None,
            });
        }
        let staged = self.writer.stage(changes).await.into_iter();
        let marked = |(draft, mark): (Result<Box<dyn Draft>, _>, Option<_>)| {
            let (path, before) = mark.unwrap_or_default();
            draft.map(|inner| {
                Box::new(Marked {
                    inner,
                    path,
                    before,
                }) as Box<dyn Draft>
            })
        };
        staged.zip(marks).map(marked).collect()
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        let (mut inner, mut before) = (Vec::new(), Vec::new());
        for draft in drafts {
            // Whoever commits here has staged here.
            if let Ok(draft) = draft.into_any().downcast::<Marked>() {
                inner.push(draft.inner);
                before.push((draft.path, draft.before));
            }
        }
        let committing = async {
            let committed = self.writer.commit(inner).await;
            let moves = before.into_iter().zip(&committed);
            let moves = moves.filter_map(|((path, before), made)| match made {
                Ok(Some(after)) => Some((path, before, after.clone())),
                _ => None,
            });
            let moves = moves.collect();
            (committed, moves)
        };
        self.standing.moves.make(committing).await
    }
}

#[async_trait]
impl Draft for Marked {
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError> {
        self.inner.read_back().await
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// A listing without the migration's own objects.
struct Others(Box<dyn Cursor>);

#[async_trait]
impl Cursor for Others {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        loop {
            let mut page = self.0.next().await?;
            let is_end = page.is_empty();
            page.retain(|path| !path.starts_with(OWN));
            if is_end || !page.is_empty() {
                return Ok(page);
            }
        }
    }
}
