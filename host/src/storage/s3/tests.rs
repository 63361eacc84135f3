//! The store over one in memory that has conditional puts.

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::*;
use crate::storage::{Creation, Removal, Replacement};

fn store(objects: &Arc<InMemory>) -> BucketStore {
    BucketStore::new(objects.clone(), "p", "memory").unwrap()
}

async fn put(objects: &InMemory, key: &str, bytes: &'static str) {
    objects
        .put(&Path::parse(key).unwrap(), bytes.into())
        .await
        .unwrap();
}

async fn listed(store: &BucketStore, prefix: &str, after: Option<&[u8]>) -> Vec<String> {
    let mut cursor = store.list(prefix.as_bytes(), after).await.unwrap();
    let mut all = Vec::new();
    loop {
        let page = cursor.next().await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(
            page.into_iter()
                .map(|path| String::from_utf8(path).unwrap()),
        );
    }
}

async fn keys(objects: &InMemory) -> Vec<String> {
    let listed: Vec<_> = objects.list(None).collect().await;
    let mut keys: Vec<_> = listed
        .into_iter()
        .map(|object| object.unwrap().location.to_string())
        .collect();
    keys.sort();
    keys
}

fn replacement(path: &str, stored: &Stored, bytes: &str) -> Change {
    Change::Replace(Replacement {
        path: path.into(),
        expected: stored.version.clone(),
        bytes: bytes.into(),
    })
}

#[tokio::test]
async fn a_draft_takes_the_place_of_the_version_that_was_read() {
    let objects = Arc::new(InMemory::new());
    put(&objects, "p/config/a", "old").await;
    let store = store(&objects);
    let old = store.read(b"config/a").await.unwrap();
    let mut drafts = store
        .stage(vec![
            replacement("config/a", &old, "new"),
            replacement("config/a", &old, "too late"),
        ])
        .await
        .into_iter()
        .map(Result::unwrap);
    let mut first = drafts.next().unwrap();
    assert_eq!(first.read_back().await.unwrap(), b"new");
    assert_eq!(store.read(b"config/a").await.unwrap().bytes, b"old");

    let committed = store.commit(vec![first]).await.remove(0).unwrap();
    let new = store.read(b"config/a").await.unwrap();
    assert_eq!((new.bytes, Some(new.version)), (b"new".to_vec(), committed));
    let late = store.commit(drafts.collect()).await;
    assert!(
        matches!(late[..], [Err(StorageError::Conflict)]),
        "{late:?}"
    );
    assert_eq!(keys(&objects).await, ["p/config/a"]);
}

#[tokio::test]
async fn ones_own_put_is_no_conflict() {
    let objects = Arc::new(InMemory::new());
    put(&objects, "p/config/a", "old").await;
    let store = store(&objects);
    let old = store.read(b"config/a").await.unwrap();
    let drafts = store
        .stage(vec![replacement("config/a", &old, "new")])
        .await;
    let drafts: Vec<_> = drafts.into_iter().map(Result::unwrap).collect();
    // As if the answer to an earlier try had been lost.
    put(&objects, "p/config/a", "new").await;
    assert!(store.commit(drafts).await[0].is_ok());
}

#[tokio::test]
async fn what_is_gone_is_not_made_again() {
    let objects = Arc::new(InMemory::new());
    put(&objects, "p/config/a", "old").await;
    let store = store(&objects);
    let old = store.read(b"config/a").await.unwrap();
    let drafts = store
        .stage(vec![replacement("config/a", &old, "new")])
        .await;
    let drafts: Vec<_> = drafts.into_iter().map(Result::unwrap).collect();
    objects.delete(&Path::from("p/config/a")).await.unwrap();
    let committed = store.commit(drafts).await;
    assert!(
        matches!(committed[..], [Err(StorageError::NotFound)]),
        "{committed:?}"
    );
    assert_eq!(keys(&objects).await, [""; 0]);
}

fn creation(path: &str, bytes: &str) -> Change {
    Change::Create(Creation {
        path: path.into(),
        bytes: bytes.into(),
        rights: None,
    })
}

fn removal(path: &str, stored: &Stored) -> Change {
    Change::Remove(Removal {
        path: path.into(),
        expected: stored.version.clone(),
    })
}

async fn staged(store: &BucketStore, change: Change) -> Result<Box<dyn Draft>, StorageError> {
    store.stage(vec![change]).await.remove(0)
}

#[tokio::test]
async fn an_object_is_created_only_where_there_is_none() {
    let objects = Arc::new(InMemory::new());
    put(&objects, "p/config/a", "theirs").await;
    let store = store(&objects);
    let there = staged(&store, creation("config/a", "new")).await;
    assert!(matches!(there, Err(StorageError::Conflict)));
    let mut one = staged(&store, creation("config/b", "one")).await.unwrap();
    let two = staged(&store, creation("config/b", "two")).await.unwrap();
    assert_eq!(one.read_back().await.unwrap(), b"one");
    let committed = store.commit(vec![one, two]).await;
    let new = store.read(b"config/b").await.unwrap();
    assert_eq!(new.bytes, b"one");
    assert_eq!(
        committed,
        [Ok(Some(new.version)), Err(StorageError::Conflict)]
    );
    assert_eq!(keys(&objects).await, ["p/config/a", "p/config/b"]);
}

#[tokio::test]
async fn an_object_is_removed_only_as_it_was_read_and_while_nobody_writes() {
    let objects = Arc::new(InMemory::new());
    put(&objects, "p/config/a", "old").await;
    let running = store(&objects);
    let old = running.read(b"config/a").await.unwrap();
    let refused = staged(&running, removal("config/a", &old)).await;
    assert!(matches!(refused, Err(StorageError::Refused(_))));
    let store = running.server_is_stopped(true);
    let mut one = staged(&store, removal("config/a", &old)).await.unwrap();
    assert!(one.read_back().await.is_err());
    put(&objects, "p/config/a", "theirs").await;
    assert_eq!(store.commit(vec![one]).await, [Err(StorageError::Conflict)]);
    let theirs = store.read(b"config/a").await.unwrap();
    assert_eq!(theirs.bytes, b"theirs");
    let one = staged(&store, removal("config/a", &theirs)).await.unwrap();
    let two = staged(&store, removal("config/a", &theirs)).await.unwrap();
    assert_eq!(store.commit(vec![one]).await, [Ok(None)]);
    assert_eq!(store.commit(vec![two]).await, [Err(StorageError::NotFound)]);
    assert_eq!(keys(&objects).await, [""; 0]);
}

#[tokio::test]
async fn a_draft_that_is_dropped_is_removed() {
    let objects = Arc::new(InMemory::new());
    put(&objects, "p/config/a", "old").await;
    let store = store(&objects);
    let old = store.read(b"config/a").await.unwrap();
    let drafts = store
        .stage(vec![replacement("config/a", &old, "new")])
        .await;
    assert_eq!(keys(&objects).await.len(), 2);
    drop(drafts);
    while keys(&objects).await.len() > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_version_of_no_store_is_not_the_one_that_is_there() {
    let objects = Arc::new(InMemory::new());
    put(&objects, "p/config/a", "old").await;
    let store = store(&objects);
    let nonsense = Replacement {
        path: b"config/a".to_vec(),
        expected: b"a\r\nx: y".to_vec(),
        bytes: b"new".to_vec(),
    };
    let drafts = store.stage(vec![nonsense.into()]).await;
    let drafts = drafts.into_iter().map(Result::unwrap).collect();
    let committed = store.commit(drafts).await;
    assert!(matches!(committed[..], [Err(StorageError::Conflict)]));
}

#[tokio::test]
async fn a_listing_is_in_order_and_of_objects_alone() {
    let objects = Arc::new(InMemory::new());
    for path in ["a-b", "a/x", "a/y/z", "a0", "b"] {
        put(&objects, &format!("p/config/{path}"), "x").await;
    }
    put(&objects, "p/iamseal-draft/0123456789abcdef", "x").await;
    put(&objects, "q/config/other", "x").await;
    let store = store(&objects);
    let all = ["a-b", "a/x", "a/y/z", "a0", "b"].map(|path| format!("config/{path}"));
    assert_eq!(listed(&store, "config/", None).await, all);
    assert_eq!(listed(&store, "", None).await, all);
    assert_eq!(listed(&store, "config/a/", None).await, all[1..3]);
    assert_eq!(listed(&store, "config/a", None).await, all[..4]);
    for (after, left) in [
        (&b""[..], 5),
        (b"config/a", 5),
        (b"config/a-b", 4),
        (b"config/a//", 4),
        (b"config/a/x", 3),
        (b"config/a\xff", 1),
        (b"z", 0),
    ] {
        let listed = listed(&store, "config/", Some(after)).await;
        assert_eq!(listed, all[5 - left..], "{after:?}");
    }
}

#[tokio::test]
async fn a_large_object_is_refused_unread() {
    let objects = Arc::new(InMemory::new());
    put(&objects, "p/config/a", "12345").await;
    let store = store(&objects).object_bytes(4);
    let error = store.read(b"config/a").await.err().unwrap();
    assert!(matches!(error, StorageError::TooLarge(_)), "{error:?}");
}

#[tokio::test]
async fn drafts_are_swept_once_they_are_old() {
    let objects = Arc::new(InMemory::new());
    put(&objects, "p/config/a", "x").await;
    put(&objects, "p/iamseal-draft/0123456789abcdef", "x").await;
    put(&objects, "p/iamseal-draft/none", "x").await;
    let young = store(&objects);
    let draft = b"iamseal-draft/0123456789abcdef".to_vec();
    let mut drafts = young.drafts(b"config/").await.unwrap();
    assert_eq!(drafts.next().await.unwrap(), [&draft[..]]);
    assert!(drafts.next().await.unwrap().is_empty());
    let remove = |path: &[u8], how| {
        let (store, path) = (store(&objects), path.to_vec());
        async move { store.remove_drafts(vec![path], how).await.remove(0) }
    };
    let stays = remove(&draft, Sweeping::default()).await;
    assert!(matches!(stays, Ok(Swept::Stays(_))), "{stays:?}");
    for object in ["config/a", "iamseal-draft/none"] {
        let refused = remove(object.as_bytes(), Sweeping::default()).await;
        assert!(
            matches!(refused, Err(StorageError::Refused(_))),
            "{refused:?}"
        );
    }
    let no_run = |is_dry| Sweeping {
        is_dry,
        no_run: true,
    };
    assert_eq!(remove(&draft, no_run(true)).await, Ok(Swept::Removed));
    assert_eq!(remove(&draft, no_run(false)).await, Ok(Swept::Removed));
    let gone = remove(&draft, no_run(false)).await;
    assert_eq!(gone, Err(StorageError::NotFound));

    put(&objects, "p/iamseal-draft/0123456789abcdef", "x").await;
    assert_eq!(store(&objects).sweep(b"config/").await.unwrap(), 0);
    let later = store(&objects).draft_age(Duration::ZERO);
    assert_eq!(later.sweep(b"config/").await.unwrap(), 1);
    assert_eq!(keys(&objects).await, ["p/config/a", "p/iamseal-draft/none"]);
}
