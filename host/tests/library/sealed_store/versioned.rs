//! A store of the library as an `object_store`.

use std::path::Path as FilePath;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use iamseal::sealed_store::VersionedStore;
use iamseal::storage::DirStore;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion,
};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::concurrency::count_up;
use super::{get, user};

fn store() -> (TempDir, Arc<VersionedStore<DirStore>>) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = of(folder.path());
    (folder, store)
}

fn of(folder: &FilePath) -> Arc<VersionedStore<DirStore>> {
    Arc::new(VersionedStore::new(Arc::new(
        DirStore::open(folder).unwrap(),
    )))
}

fn mode(mode: PutMode) -> PutOptions {
    PutOptions::from(mode)
}

#[tokio::test]
async fn conditions_hold() {
    let (_folder, store) = store();
    let (path, put) = (user("alice"), |text: &str| text.to_owned().into());
    let first = store
        .put_opts(&path, put("1"), mode(PutMode::Create))
        .await
        .unwrap();
    let error = store
        .put_opts(&path, put("2"), mode(PutMode::Create))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
    let of_first = || mode(PutMode::Update(UpdateVersion::from(first.clone())));
    let second = store.put_opts(&path, put("2"), of_first()).await.unwrap();
    assert_ne!(first.e_tag, second.e_tag);
    let head = store.head(&path).await.unwrap();
    assert_eq!((head.size, &head.e_tag), (1, &second.e_tag));
    for path in [&path, &user("bob")] {
        let error = store
            .put_opts(path, put("3"), of_first())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Precondition { .. }), "{error}");
    }
    let nonsense = ["", "\"", "*", "\"#\"", "W/\"AA\""].map(|tag| UpdateVersion {
        e_tag: Some(tag.to_owned()),
        version: None,
    });
    for version in nonsense {
        let put = store
            .put_opts(&path, put("3"), mode(PutMode::Update(version)))
            .await;
        assert!(matches!(put, Err(Error::Precondition { .. })));
    }
    let matching = GetOptions::new().with_if_none_match(second.e_tag.clone());
    let error = store.get_opts(&path, matching).await.unwrap_err();
    assert!(matches!(error, Error::NotModified { .. }), "{error}");
    let matching = GetOptions::new().with_if_match(first.e_tag.clone());
    let error = store.get_opts(&path, matching).await.unwrap_err();
    assert!(matches!(error, Error::Precondition { .. }), "{error}");
    assert_eq!(get(&*store, &path).await, b"2");
    let parts = store.get_ranges(&path, &[0..1, 0..0]).await.unwrap();
    assert_eq!(parts, ["2", ""]);
    assert!(store.get_range(&path, 1..2).await.is_err());
    store.delete(&path).await.unwrap();
    for error in [
        store.get(&path).await.err(),
        store.delete(&path).await.err(),
    ] {
        assert!(matches!(error, Some(Error::NotFound { .. })));
    }
}

#[tokio::test]
async fn listings_show_objects_and_no_drafts() {
    let (folder, store) = store();
    for name in ["a", "b", "ä#1"] {
        store
            .put(&user(name), name.to_owned().into())
            .await
            .unwrap();
    }
    let config = Path::from("config");
    store
        .put(&config.clone().join("config.json"), "{}".into())
        .await
        .unwrap();
    let draft = folder.path().join("config/.iamseal-0123456789abcdef.tmp");
    std::fs::write(draft, "").unwrap();
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|meta| (meta.location.to_string(), meta.size))
        .collect();
    let of = |name: &str| format!("config/iam/users/{name}/identity.json");
    let mut expected = vec![("config/config.json".to_owned(), 2)];
    expected.extend(["a", "b"].map(|name| (of(name), 1)));
    expected.push((of("ä#1"), 4));
    assert_eq!(listed, expected);
    let after = store.list_with_offset(Some(&config), &user("a"));
    assert_eq!(after.try_collect::<Vec<_>>().await.unwrap().len(), 2);
    // A prefix is a folder and not the beginning of a name.
    let none = store.list(Some(&Path::from("conf")));
    assert_eq!(none.try_collect::<Vec<_>>().await.unwrap().len(), 0);
    let level = store.list_with_delimiter(Some(&config)).await.unwrap();
    assert_eq!(level.common_prefixes, [Path::from("config/iam")]);
    assert_eq!(level.objects.len(), 1);
    store.copy(&user("a"), &user("c")).await.unwrap();
    assert_eq!(get(&*store, &user("c")).await, b"a");
    let error = store.copy_if_not_exists(&user("b"), &user("c")).await;
    assert!(matches!(error, Err(Error::AlreadyExists { .. })));
    // What cannot be an object keeps nobody from the others.
    std::os::unix::fs::symlink("config.json", folder.path().join("config/link")).unwrap();
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(listed.len(), expected.len() + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_update_is_lost_between_stores_of_one_folder() {
    let (folder, store) = store();
    store.put(&user("counter"), "0".into()).await.unwrap();
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        let store = of(folder.path());
        writers.spawn(async move {
            for _ in 0..15 {
                count_up(&*store).await;
                // These ask for nothing, and are made too.
                store
                    .put(&user("shared"), "x".repeat(2000).into())
                    .await
                    .unwrap();
                assert_eq!(get(&*store, &user("shared")).await.len(), 2000);
            }
        });
    }
    writers.join_all().await;
    assert_eq!(get(&*store, &user("counter")).await, b"60");
}
