//! Removing drafts that are no longer needed, and knowing those that could not be removed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream::{self, StreamExt as _};
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt as _};
use tokio::time::timeout;

use super::errors::failed;
use super::place::refused;
use super::{AT_ONCE, Bucket};
use crate::contract::StorageError;
use crate::storage::let_go::{LetGo, Removal};

/// The drafts that a store has let go of.
#[derive(Clone, Default)]
pub(super) struct Removals {
    let_go: LetGo<Path>,
    /// Why the last one that was tried may not be removed.
    denied: Arc<Mutex<Option<StorageError>>>,
}

impl Removals {
    fn is_gone(&self, draft: &Path) {
        self.let_go.is_gone(draft);
        *self.denied() = None;
    }

    fn denied(&self) -> MutexGuard<'_, Option<StorageError>> {
        // Whoever panicked left no half-done change.
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drafts that are to be removed. They are known from the moment that this is made.
pub(super) struct Discarded {
    bucket: Arc<Bucket>,
    drafts: Vec<Path>,
    _removal: Removal<Path>,
}

impl Discarded {
    pub fn new(bucket: &Arc<Bucket>, drafts: Vec<Path>) -> Self {
        Self {
            bucket: Arc::clone(bucket),
            _removal: bucket.removals.let_go.note(drafts.iter().cloned()),
            drafts,
        }
    }

    /// Removes them. Those that stay are known.
    pub async fn remove(self) {
        let drafts = stream::iter(&self.drafts);
        drafts
            .for_each_concurrent(AT_ONCE, |draft| self.bucket.discard(draft))
            .await;
    }
}

impl Bucket {
    /// Removes a draft.
    ///
    /// # Errors
    /// What keeps it from being removed. That it is gone is none.
    pub async fn remove(&self, draft: &Path) -> Result<(), Error> {
        match self.objects.delete(draft).await {
            Ok(()) | Err(Error::NotFound { .. }) => {
                self.removals.is_gone(draft);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn discard(&self, draft: &Path) {
        let Err(error) = self.remove(draft).await else {
            return;
        };
        let denied = failed(&error);
        if !matches!(denied, StorageError::Refused(_)) {
            return;
        }
        // One that could not be made may never have come to be.
        match self.objects.head(draft).await {
            Err(Error::NotFound { .. }) => self.removals.is_gone(draft),
            _ => *self.removals.denied() = Some(denied),
        }
    }

    /// Whether a draft that is made now could be removed.
    ///
    /// # Errors
    /// `Refused` if those before it may not be: each would stay, a second copy of its object. One of them is
    /// tried again first.
    pub async fn can_remove(&self) -> Result<(), StorageError> {
        if self.removals.denied().is_none() {
            return Ok(());
        }
        if let Some(draft) = self.removals.let_go.first() {
            self.discard(&draft).await;
        }
        match &*self.removals.denied() {
            Some(StorageError::Refused(why)) => Err(refused(format!(
                "{why}; drafts cannot be removed, so no more are made"
            ))),
            _ => Ok(()),
        }
    }

    /// See [`crate::storage::Store::abandoned`].
    pub async fn abandoned(&self) -> BTreeSet<Path> {
        let let_go = &self.removals.let_go;
        if let_go.settled(self.patience).await {
            let left = let_go.left();
            // What failed before may be done now: a server that was away is back.
            let again = stream::iter(&left);
            let again = again.for_each_concurrent(AT_ONCE, |draft| self.discard(draft));
            let _ = timeout(self.patience, again).await;
        }
        let_go.left()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::BucketStore;
    use super::super::flawed::{Flaw, Flawed};
    use super::*;
    use crate::storage::{Draft, Replacement, Storage as _, StorageWriter as _, Store as _};

    /// A store with one object, on a server that has this flaw once the store was found fit.
    async fn store(flaw: Flaw) -> (Arc<Flawed>, BucketStore) {
        let objects = Arc::new(Flawed::new(Flaw::None));
        let object = Path::from("p/config/a");
        objects.put(&object, "old".into()).await.unwrap();
        let store = BucketStore::new(objects.clone(), "p", "memory").unwrap();
        let store = store.with(|bucket| bucket.patience = Duration::from_millis(50));
        store.check_writes().await.unwrap();
        objects.set(flaw);
        (objects, store)
    }

    async fn stage(store: &BucketStore) -> Result<Box<dyn Draft>, StorageError> {
        let old = store.read(b"config/a").await.unwrap();
        let new = Replacement {
            path: b"config/a".to_vec(),
            expected: old.version,
            bytes: b"new".to_vec(),
        };
        store.stage(vec![new.into()]).await.remove(0)
    }

    /// The drafts in the bucket.
    async fn drafts(store: &BucketStore) -> Vec<Vec<u8>> {
        store.drafts(b"").await.unwrap().next().await.unwrap()
    }

    #[tokio::test]
    async fn drafts_that_may_not_be_removed_are_known_and_no_more_are_made() {
        let (objects, store) = store(Flaw::Keeps).await;
        let (one, two) = (stage(&store).await.unwrap(), stage(&store).await.unwrap());
        drop(one);
        assert!(store.commit(vec![two]).await.remove(0).is_ok());
        let left = store.abandoned().await;
        assert_eq!((left.len(), &left), (2, &drafts(&store).await));
        let Err(StorageError::Refused(text)) = stage(&store).await else {
            panic!("a draft was made");
        };
        assert!(
            text.starts_with("access is denied: Access Denied."),
            "{text}"
        );

        // The right to remove them is given back.
        objects.set(Flaw::None);
        drop(stage(&store).await.unwrap());
        assert_eq!(store.abandoned().await, [b""; 0]);
        assert_eq!(drafts(&store).await, [b""; 0]);
    }

    #[tokio::test]
    async fn a_removal_that_never_ends_is_not_waited_for() {
        let (_, store) = store(Flaw::Hangs).await;
        let (one, two) = (stage(&store).await.unwrap(), stage(&store).await.unwrap());
        drop(one);
        let committed = store.commit(vec![two]);
        let committed = timeout(Duration::from_millis(50), committed).await;
        assert!(committed.is_err(), "the call was not dropped");
        assert_eq!(store.abandoned().await, drafts(&store).await);
        assert_eq!(store.abandoned().await.len(), 2);
    }

    #[tokio::test]
    async fn a_draft_that_never_came_to_be_is_not_left() {
        let (_, store) = store(Flaw::OnlyReads).await;
        assert!(stage(&store).await.is_err());
        assert_eq!(store.abandoned().await, [b""; 0]);
        assert!(store.0.can_remove().await.is_ok());
    }
}
