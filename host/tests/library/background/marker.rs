//! What the marker says to the next start.

use std::sync::Arc;

use iamseal::contract::{Policy, SealOptions, SealedForm};
use iamseal::sealed_store::VersionedStore;
use iamseal::sealed_store::background::{LEASE, MARKER, Stage};
use iamseal::{PluginSlot, SealedStore};
use iamseal_tests::samples::damaged;

use object_store::{Error, ObjectStoreExt as _};

use super::{Folder, at, content, ended, is_first, keyring, read, refused, until};
use crate::sealed_store::builder;

#[tokio::test]
async fn the_second_start_reads_one_object() {
    let folder = Folder::new().await;
    let paths = folder.fill(60).await;
    folder.migrated().await;
    assert!(folder.store.reads() > 60);
    // It is an object like all others, sealed.
    let marker = folder.stored(MARKER);
    let opened = folder
        .plugin
        .unseal(MARKER.as_bytes(), &marker, Policy::Current)
        .await;
    let text = String::from_utf8(opened.unwrap().plaintext.to_vec()).unwrap();
    assert!(text.contains("\"my-minio-key\""), "{text}");

    let folder = folder.again("my-minio-key").await;
    let store = folder.serving();
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    // From the very first request on.
    assert_eq!(store.present_policy(), Policy::Current);
    assert_eq!(ended(&migration).await.stage, Stage::Current);
    assert_eq!(folder.store.reads(), 1);
    assert_eq!(folder.stored(MARKER), marker);
    assert!(is_first(&paths[0], &read(&store, &paths[0]).await));
    folder.put(&paths[0], &content(&paths[0]));
    assert_eq!(refused(&store, &paths[0]).await, "form-refused");
}

#[tokio::test]
async fn what_did_not_open_is_tried_again_alone() {
    let folder = Folder::new().await;
    let paths = folder.fill(30).await;
    folder.put(&paths[4], b"");
    folder.migrated().await;
    let folder = folder.again("my-minio-key").await;
    let (_, migration) = folder.migrated().await;
    assert_eq!(folder.store.reads(), 2);
    assert_eq!(migration.progress().failed, 1);
    assert_eq!(migration.failures()[0].0, paths[4].as_bytes());
    // It was made good: that is known from then on.
    folder.put(&paths[4], &folder.stored(&paths[5]));
    drop(migration);
    let path = &paths[4];
    let good = folder
        .sealed(path, "my-minio-key", Default::default())
        .await;
    folder.put(path, &good);
    let folder = folder.again("my-minio-key").await;
    let (_, migration) = folder.migrated().await;
    assert_eq!(migration.progress().failed, 0);
    let folder = folder.again("my-minio-key").await;
    folder.migrated().await;
    assert_eq!(folder.store.reads(), 1);
}

#[tokio::test]
async fn another_key_another_plan_or_damage_voids_it() {
    let folder = Folder::new().await;
    folder.fill(30).await;
    folder.migrated().await;

    let folder = folder.again("later").await;
    let (_, migration) = folder.migrated().await;
    assert_eq!(migration.progress().migrated, 30);
    drop(migration);

    let folder = folder.again("later").await;
    let store = folder.serving();
    let plan = folder.plan().prefix("config/documents/0");
    let migration = store.migrate_in_background(plan).await.unwrap();
    assert_eq!(store.present_policy(), Policy::Compatible);
    assert_eq!(ended(&migration).await.unchanged, 10);
    drop(migration);

    let folder = folder.again("later").await;
    folder.migrated().await;
    folder.put(MARKER, &damaged(folder.stored(MARKER)));
    let folder = folder.again("later").await;
    let (_, migration) = folder.migrated().await;
    assert_eq!(migration.progress().unchanged, 30);
    drop(migration);

    // Nor does it hold for a store of another name.
    let keyring = Arc::new(keyring("later"));
    let plugin = builder().keyring(keyring).store_name("another").load();
    let slot = PluginSlot::new(plugin.await.unwrap());
    let inner = VersionedStore::new(folder.store.clone());
    let store = SealedStore::new(inner, slot).policy(Policy::Compatible);
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    assert_eq!(store.present_policy(), Policy::Compatible);
    assert_eq!(ended(&migration).await.unchanged, 30);
}

/// Once all was sealed, plaintext is nothing that an honest server has left.
#[tokio::test]
async fn an_object_in_an_old_form_voids_it_and_is_not_sealed_for_honest() {
    let folder = Folder::new().await;
    let paths = folder.fill(30).await;
    let (store, migration) = folder.migrated().await;
    let marker = folder.stored(MARKER);
    folder.put(&paths[7], b"{\"planted\":1}");
    assert_eq!(refused(&store, &paths[7]).await, "form-refused");
    until(|| folder.stored(MARKER) != marker).await;
    drop((store, migration));

    let folder = folder.again("my-minio-key").await;
    let (store, migration) = folder.migrated().await;
    let progress = migration.progress();
    assert_eq!((progress.unchanged, progress.failed), (29, 1));
    assert_eq!(migration.failures()[0].0, paths[7].as_bytes());
    assert_eq!(folder.stored(&paths[7]), b"{\"planted\":1}");
    assert_eq!(refused(&store, &paths[7]).await, "form-refused");
    drop((store, migration));

    // Who removes the marker says that it is honest.
    std::fs::remove_file(folder.file(MARKER)).unwrap();
    let folder = folder.again("my-minio-key").await;
    let (store, _migration) = folder.migrated().await;
    assert_eq!(read(&store, &paths[7]).await, b"{\"planted\":1}");
}

/// They are sealed as all is that a request puts, and believed.
#[tokio::test]
async fn requests_change_neither_the_marker_nor_the_lease() {
    let folder = Folder::new().await;
    folder.fill(6).await;
    let (store, _migration) = folder.migrated().await;
    let before = folder.stored(MARKER);
    for path in [MARKER, LEASE, "config/x-iamseal/other"] {
        let path = at(path);
        let put = store.put(&path, "{}".into()).await.unwrap_err();
        assert!(matches!(put, Error::PermissionDenied { .. }), "{put}");
        let gone = store.delete(&path).await.unwrap_err();
        assert!(matches!(gone, Error::PermissionDenied { .. }), "{gone}");
        let document = at(&super::document(0));
        store.copy(&document, &path).await.unwrap_err();
    }
    assert_eq!(folder.stored(MARKER), before);
}

#[tokio::test]
async fn what_rustfs_reads_is_not_written_by_a_server() {
    let folder = Folder::new().await;
    let options = SealOptions {
        form: SealedForm::Rustfs,
        key: None,
    };
    let store = folder.serving().seal_options(options);
    store
        .migrate_in_background(folder.plan())
        .await
        .unwrap_err();
}
