//! The documents below `config/`: what a request may do to them, whatever store is behind.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use iamseal::SealedStore;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutResult, Result,
    UpdateVersion,
};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tracing::Instrument as _;

use crate::conditions::Condition;

/// A store of sealed documents.
#[derive(Clone)]
pub struct Documents(Arc<Inner>);

struct Inner {
    store: SealedStore<Arc<dyn ObjectStore>>,
    /// Held alone by a write that depends on what is there, and together by all others: no store deletes
    /// conditionally. What another server on the same store writes between the look and the write lets a put
    /// fail, and not a deletion. A migration that changes an object's form in between lets neither fail.
    writing: RwLock<()>,
}

/// A document that was read.
pub struct Document {
    pub content: Bytes,
    pub meta: ObjectMeta,
}

impl Documents {
    pub fn new(store: SealedStore<Arc<dyn ObjectStore>>) -> Self {
        let writing = RwLock::new(());
        Self(Arc::new(Inner { store, writing }))
    }

    /// Reads a document.
    ///
    /// # Errors
    /// `NotFound`; `NotModified` and `Precondition` as the options ask; what the plugin says.
    pub async fn get(&self, path: &Path, options: GetOptions) -> Result<Document> {
        let result = self.0.store.get_opts(path, options).await?;
        Ok(Document {
            meta: result.meta.clone(),
            content: result.bytes().await?,
        })
    }

    /// Puts a document, and returns its new version.
    ///
    /// # Errors
    /// `Precondition`, `AlreadyExists`; what the plugin says.
    pub async fn put(&self, path: Path, content: Bytes, on: Condition) -> Result<PutResult> {
        let (mode, tags) = match on {
            Condition::Absent => (PutMode::Create, None),
            Condition::None => (PutMode::Overwrite, None),
            Condition::Matches(tags) => (PutMode::Overwrite, Some(tags)),
        };
        let this = self.clone();
        to_its_end(async move {
            let turn = this.turn(&path, tags).await?;
            let mode = match turn {
                Turn::Alone(_, ref found) => PutMode::Update(found.clone()),
                Turn::Shared(_) => mode,
            };
            let payload = content.into();
            this.0.store.put_opts(&path, payload, mode.into()).await
        })
        .await
    }

    /// Deletes a document, if one of these entity tags is there or without any.
    ///
    /// # Errors
    /// `NotFound`, `Precondition`.
    pub async fn delete(&self, path: Path, tags: Option<String>) -> Result<()> {
        let this = self.clone();
        to_its_end(async move {
            let _turn = this.turn(&path, tags).await?;
            this.0.store.delete(&path).await
        })
        .await
    }

    /// The paths of the documents in a folder, in order.
    pub async fn list(&self, folder: &Path) -> Result<Vec<String>> {
        let listed: Vec<_> = self.0.store.list(Some(folder)).try_collect().await?;
        let mut paths: Vec<_> = listed
            .into_iter()
            .map(|meta| meta.location.to_string())
            .collect();
        paths.sort_unstable();
        Ok(paths)
    }

    /// Waits until a write may be made, and checks that one of the entity tags is there that it
    /// depends on. That holds until the turn is dropped.
    async fn turn(&self, path: &Path, tags: Option<String>) -> Result<Turn<'_>> {
        let Some(tags) = tags else {
            return Ok(Turn::Shared(self.0.writing.read().await));
        };
        let alone = self.0.writing.write().await;
        // The entity tag is that of the stored bytes: they need not be opened.
        match self.0.store.inner().head(path).await {
            Ok(meta) => {
                let holds = |tags: &str| {
                    let wanted = GetOptions::new().with_if_match(Some(tags));
                    wanted.check_preconditions(&meta)
                };
                if holds(&tags).is_err() {
                    // What only a migration has changed is what the client knows.
                    holds(&self.0.store.present_tags(path, &tags).await)?;
                }
                let ObjectMeta { e_tag, version, .. } = meta;
                Ok(Turn::Alone(alone, UpdateVersion { e_tag, version }))
            }
            Err(Error::NotFound { path, source }) => Err(Error::Precondition { path, source }),
            Err(error) => Err(error),
        }
    }
}

/// The right to write, given back when it is dropped; with the version that is there, if that was looked at.
enum Turn<'a> {
    Shared(#[expect(dead_code, reason = "held")] RwLockReadGuard<'a, ()>),
    Alone(
        #[expect(dead_code, reason = "held")] RwLockWriteGuard<'a, ()>,
        UpdateVersion,
    ),
}

/// Does a write in a task of its own. A client that goes away must not end it half way: its turn
/// would be over, and the store could still be at it.
async fn to_its_end<T: Send + 'static>(
    write: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(write.in_current_span()).await?
}
