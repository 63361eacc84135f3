//! Requests that are under way while all becomes current, or while keys change.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use iamseal::contract::{Policy, StorageError};
use iamseal::sealed_store::VersionedStore;
use iamseal::storage::{Change, Cursor, DirStore, Draft, Storage, StorageWriter, Stored, Version};
use iamseal::{PluginSlot, SealedStore};
use object_store::{
    Error, GetOptions, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion,
};
use tokio::sync::Semaphore;

use super::{Folder, at, content, document, ended, get, keyring, read, until};

/// How long something is given to go wrong that must not happen.
const WHILE: Duration = Duration::from_millis(300);

/// A folder whose reads end, and whose writes are made, only when that is let.
struct Slow {
    inner: DirStore,
    reads: Semaphore,
    writes: Semaphore,
}

#[async_trait]
impl Storage for Slow {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        self.inner.list(prefix, start_after).await
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let read = self.inner.read(path).await;
        self.reads.acquire().await.unwrap().forget();
        read
    }
}

#[async_trait]
impl StorageWriter for Slow {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        self.inner.stage(changes).await
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        self.writes.acquire().await.unwrap().forget();
        self.inner.commit(drafts).await
    }
}

type SlowStore = Arc<SealedStore<VersionedStore<Slow>>>;

fn slow(folder: &Folder) -> (Arc<Slow>, SlowStore) {
    let slow = Arc::new(Slow {
        inner: DirStore::open(folder.folder.path()).unwrap(),
        reads: Semaphore::new(0),
        writes: Semaphore::new(0),
    });
    let slot = PluginSlot::new(folder.plugin.clone());
    let store = SealedStore::new(VersionedStore::new(slow.clone()), slot);
    (slow, Arc::new(store.policy(Policy::Compatible)))
}

/// It was asked for when such a form was opened, and what it gets is what was there.
#[tokio::test]
async fn a_read_that_began_before_the_end_is_answered_after_it() {
    let folder = Folder::new().await;
    let paths = folder.fill(12).await;
    let (slow, store) = slow(&folder);
    let reading = {
        let (store, path) = (store.clone(), paths[0].clone());
        tokio::spawn(async move { get(&*store, &at(&path)).await })
    };
    tokio::task::yield_now().await;
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    ended(&migration).await;
    assert_eq!(store.present_policy(), Policy::Current);
    assert!(!reading.is_finished());
    slow.reads.add_permits(1);
    assert_eq!(reading.await.unwrap(), content(&paths[0]));
}

/// It reads under the policy from before, what is under a key that came after.
#[tokio::test]
async fn a_read_that_is_under_way_when_the_keys_change_is_answered() {
    let folder = Folder::new().await;
    let paths = folder.fill(12).await;
    let (slow, store) = slow(&folder);
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    ended(&migration).await;
    let reading = {
        let (store, path) = (store.clone(), paths[0].clone());
        tokio::spawn(async move { get(&*store, &at(&path)).await })
    };
    tokio::task::yield_now().await;
    migration.change_keys(|| folder.keyring.replace(Arc::new(keyring("later"))));
    // The second one is of what it reads when it sees that the policy has changed.
    slow.reads.add_permits(2);
    assert_eq!(reading.await.unwrap(), content(&paths[0]));
}

/// What a client has read before a migration is what it writes over after it, and what it has.
#[tokio::test]
async fn a_condition_of_before_holds_after_and_no_other_does() {
    let folder = Folder::new().await;
    let paths = folder.fill(12).await;
    let store = folder.serving();
    let path = at(&paths[0]);
    let before = store.get(&path).await.unwrap().meta.e_tag.unwrap();
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    ended(&migration).await;
    migration.change_keys(|| folder.keyring.replace(Arc::new(keyring("later"))));
    ended(&migration).await;
    assert_ne!(store.get(&path).await.unwrap().meta.e_tag.unwrap(), before);
    let tags = || Some(format!("\"AAAA\", {before}"));
    let matching = GetOptions::new().with_if_match(tags());
    assert_eq!(
        store.get_opts(&path, matching).await.unwrap().meta.size,
        content(&paths[0]).len() as u64
    );
    let known = GetOptions::new().with_if_none_match(tags());
    let known = store.get_opts(&path, known).await.unwrap_err();
    assert!(matches!(known, Error::NotModified { .. }), "{known}");
    let update = |tag: &str| {
        PutOptions::from(PutMode::Update(UpdateVersion {
            e_tag: Some(tag.to_owned()),
            version: None,
        }))
    };
    store
        .put_opts(&path, "{}".into(), update(&before))
        .await
        .unwrap();
    for refused in [before.as_str(), "\"AAAA\""] {
        let put = store.put_opts(&path, "[]".into(), update(refused)).await;
        assert!(matches!(put, Err(Error::Precondition { .. })), "{put:?}");
        let matching = GetOptions::new().with_if_match(Some(refused));
        let got = store.get_opts(&path, matching).await.unwrap_err();
        assert!(matches!(got, Error::Precondition { .. }), "{got}");
    }
    assert_eq!(get(&store, &path).await, b"{}");
}

#[tokio::test]
async fn a_write_that_is_under_way_when_the_keys_change_is_waited_for_and_migrated() {
    let folder = Folder::new().await;
    folder.fill(12).await;
    let (slow, store) = slow(&folder);
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    ended(&migration).await;
    // Sealed under the key before, and stored when all else is under the one after.
    let path = document(1);
    slow.reads.add_permits(1);
    let writing = {
        let (store, path) = (store.clone(), path.clone());
        tokio::spawn(async move { store.put(&at(&path), "{}".into()).await })
    };
    until(|| slow.reads.available_permits() == 0).await;
    migration.change_keys(|| folder.keyring.replace(Arc::new(keyring("later"))));
    tokio::time::sleep(WHILE).await;
    assert_eq!(store.present_policy(), Policy::Sealed);
    slow.writes.add_permits(1);
    writing.await.unwrap().unwrap();
    ended(&migration).await;
    let described = folder.plugin.inspect(&folder.stored(&path)).await.unwrap();
    assert_eq!(described.key.as_deref(), Some("later"));
    assert_eq!(read(&folder.serving(), &path).await, b"{}");
}
