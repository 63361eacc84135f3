//! Keys that change while it serves.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use iamseal::contract::{Policy, SealedForm};
use iamseal::keys::{ReplaceableKeyring, StaticKey, StaticKeyring};
use iamseal::sealed_store::background::{Event, Share};
use iamseal::sealed_store::{Plan, VersionedStore};
use iamseal::storage::DirStore;
use iamseal::{PluginSlot, SealedStore};
use iamseal_tests::samples::vector;
use object_store::ObjectStoreExt as _;

use super::{EARLIER, Folder, at, ended, is_first, keyring, read, refused};
use crate::sealed_store::{KEY, builder};

#[tokio::test]
async fn another_default_key_is_migrated_to_and_told_when_nothing_needs_the_one_before() {
    let folder = Folder::new().await;
    let paths = folder.fill(60).await;
    let (store, migration) = folder.migrated().await;
    let before = folder.stored(&paths[1]);
    let mut events = Box::pin(migration.events());
    let earlier = migration.change_keys(|| {
        // What is under the key before is read while it changes.
        assert_eq!(store.present_policy(), Policy::Sealed);
        folder.keyring.replace(Arc::new(keyring("later")))
    });
    drop(earlier);
    store.put(&at("config/new"), "{}".into()).await.unwrap();
    for path in &paths {
        assert!(is_first(path, &read(&store, path).await), "{path}");
    }
    let progress = ended(&migration).await;
    assert!(progress.migrated >= 60, "{progress:?}");
    let current = loop {
        match events.next().await.unwrap() {
            Event::Object(_) => {}
            event => break event,
        }
    };
    let key = Some("later".to_owned());
    assert_eq!(current, Event::Current { key, failed: 0 });
    // It is as it is told: without the keys before all opens.
    assert_eq!(store.present_policy(), Policy::Current);
    folder.put(&paths[1], &before);
    assert_eq!(refused(&store, &paths[1]).await, "outdated");
    store.put(&at(&paths[1]), "{}".into()).await.unwrap();
    let alone = StaticKey::parse(super::LATER).unwrap();
    let alone = StaticKeyring::new()
        .key(alone)
        .default_key("later")
        .unwrap();
    migration.change_keys(|| folder.keyring.replace(Arc::new(alone)));
    assert_eq!(ended(&migration).await.unchanged, 61);
    read(&store, &paths[0]).await;
}

#[tokio::test]
async fn what_did_not_open_is_tried_again_when_its_key_comes() {
    let folder = Folder::new().await;
    let path = "config/documents/x";
    let sealed = folder.sealed(path, "earlier", SealedForm::default()).await;
    folder.put(path, &sealed);
    folder.put("config/documents/y", b"{}");
    let key = |text| StaticKey::parse(text).unwrap();
    let without = StaticKeyring::new().key(key(KEY));
    let with = without
        .clone()
        .key(key(EARLIER))
        .default_key("my-minio-key")
        .unwrap();
    let without = without.default_key("my-minio-key").unwrap();
    folder.keyring.replace(Arc::new(without));
    let (store, migration) = folder.migrated().await;
    assert_eq!(migration.progress().failed, 1);
    assert_eq!(refused(&store, path).await, "key-not-found");
    // What is planted meanwhile is not taken for honest by that.
    folder.put("config/documents/y", b"{\"planted\":1}");
    migration.change_keys(|| folder.keyring.replace(Arc::new(with)));
    let progress = ended(&migration).await;
    assert_eq!((progress.migrated, progress.failed), (1, 1));
    assert!(is_first(path, &read(&store, path).await));
    assert_eq!(refused(&store, "config/documents/y").await, "form-refused");
    assert_eq!(migration.failures()[0].0, b"config/documents/y");
}

/// What is planted where something did not open is not taken for honest, whatever keys come. What was there
/// under a root credential is, when that comes.
#[tokio::test]
async fn a_credential_that_comes_opens_what_waited_for_it_and_nothing_that_was_planted() {
    let folder = Folder::new().await;
    let credential = vector("dev-069");
    let paths = ["waits", "bad", "bad-too"].map(|name| format!("config/documents/{name}"));
    let [waits, bad, bad_too] = paths.each_ref();
    folder.put(waits, &credential.stored);
    folder.put(bad, b"");
    folder.put(bad_too, b"");
    let key = StaticKey::parse(KEY).unwrap();
    let without = StaticKeyring::new().key(key).default_key("my-minio-key");
    folder.keyring.replace(Arc::new(without.unwrap()));
    let (_, migration) = folder.migrated().await;
    assert_eq!(migration.progress().failed, 3);
    // The next server has the credential, and somebody has been there.
    drop(migration);
    folder.put(bad, b"{\"planted\":1}");
    folder.put(bad_too, &credential.stored);
    let folder = folder.again("my-minio-key").await;
    let (store, migration) = folder.migrated().await;
    for _ in 0..2 {
        assert_eq!(read(&store, waits).await, credential.plaintext);
        assert_eq!(refused(&store, bad).await, "form-refused");
        assert_eq!(refused(&store, bad_too).await, "form-refused");
        assert_eq!(migration.progress().failed, 2);
        migration.change_keys(|| folder.keyring.replace(Arc::new(keyring("later"))));
        ended(&migration).await;
    }
    assert_eq!(folder.stored(bad), b"{\"planted\":1}");
    assert_eq!(folder.stored(bad_too), credential.stored);
}

/// The marker that it began with is about the keys of then.
#[tokio::test]
async fn keys_that_change_before_the_work_begins_are_migrated_to() {
    let folder = Folder::new().await;
    let paths = folder.fill(30).await;
    folder.migrated().await;
    let folder = folder.again("my-minio-key").await;
    let store = folder.serving();
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    migration.change_keys(|| folder.keyring.replace(Arc::new(keyring("later"))));
    assert_eq!(ended(&migration).await.migrated, 30);
    for path in &paths {
        assert!(is_first(path, &read(&store, path).await), "{path}");
    }
}

/// Of two servers the second one goes on writing under the key before, until it changes too.
#[tokio::test]
async fn what_a_server_wrote_before_its_keys_changed_is_not_taken_for_done_by_another() {
    let folder = Folder::new().await;
    folder.fill(12).await;
    let lease = Duration::from_secs(2);
    let plan = |plan: Plan, node| plan.lease(node, lease).at_the_end(Policy::Sealed);
    let first = folder.serving();
    let of_first = plan(folder.plan(), "first");
    let of_first = first.migrate_in_background(of_first).await.unwrap();
    ended(&of_first).await;

    let second_keys = Arc::new(ReplaceableKeyring::new(Arc::new(keyring("my-minio-key"))));
    let plugin = builder().keyring(second_keys.clone()).store_name("store");
    let plugin = plugin.load().await.unwrap();
    let objects = Arc::new(DirStore::open(folder.folder.path()).unwrap());
    let second = SealedStore::new(
        VersionedStore::new(Arc::clone(&objects)),
        PluginSlot::new(plugin),
    );
    let second = second.policy(Policy::Compatible);
    let of_second = plan(Plan::of(objects).share(Share::ALL), "second");
    let of_second = second.migrate_in_background(of_second).await.unwrap();
    ended(&of_second).await;

    of_first.change_keys(|| folder.keyring.replace(Arc::new(keyring("later"))));
    ended(&of_first).await;
    second.put(&at("config/late"), "{}".into()).await.unwrap();
    let key = || async {
        let seen = folder.plugin.inspect(&folder.stored("config/late")).await;
        seen.unwrap().key.unwrap()
    };
    assert_eq!(key().await, "my-minio-key");
    of_second.change_keys(|| second_keys.replace(Arc::new(keyring("later"))));
    ended(&of_second).await;
    assert_eq!(key().await, "later");
}
