//! What becomes of objects, and what is opened meanwhile and after.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use iamseal::contract::{Form, ObjectError, Outcome, Policy, SealedForm};
use iamseal::keys::{StaticKey, StaticKeyring};
use iamseal::sealed_store::background::{Event, Stage};
use iamseal_tests::samples::{damaged, sealed_under};
use object_store::ObjectStoreExt as _;

use super::{Folder, at, content, ended, is_first, keyring, read, refused, until};
use crate::sealed_store::KEY;

#[tokio::test]
async fn every_form_becomes_current_and_what_is_put_back_is_refused() {
    let folder = Folder::new().await;
    let paths = folder.fill(120).await;
    let store = folder.serving();
    // The vectors do not open under `Sealed`, and the plaintext is no secret yet.
    for path in &paths {
        assert!(is_first(path, &read(&store, path).await), "{path}");
    }
    let earlier = folder.stored(&paths[2]);
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    let events = migration.events();
    let progress = ended(&migration).await;
    assert_eq!(progress.stage, Stage::Current);
    assert_eq!((progress.done, progress.of), (120, 120));
    // Two of six were not current in any case; of the sixth, those of the root credential.
    assert_eq!(progress.migrated + progress.unchanged, 120);
    assert_eq!(progress.unchanged, 20 - 6);
    assert_eq!(store.present_policy(), Policy::Current);
    for path in &paths {
        assert!(is_first(path, &read(&store, path).await), "{path}");
        let described = folder.plugin.inspect(&folder.stored(path)).await.unwrap();
        assert_eq!(described.form, Form::Minio);
        assert_eq!(described.key.as_deref(), Some("my-minio-key"));
    }
    folder.put(&paths[0], &content(&paths[0]));
    assert_eq!(refused(&store, &paths[0]).await, "form-refused");
    folder.put(&paths[2], &earlier);
    assert_eq!(refused(&store, &paths[2]).await, "outdated");
    // A write of one's own makes it good.
    store.put(&at(&paths[0]), "{}".into()).await.unwrap();
    assert_eq!(read(&store, &paths[0]).await, b"{}");

    drop(migration);
    let events: Vec<_> = events.collect().await;
    let objects = events
        .iter()
        .filter(|event| matches!(event, Event::Object(_)));
    assert_eq!(objects.count(), 120);
    let key = Some("my-minio-key".to_owned());
    assert_eq!(events.last(), Some(&Event::Current { key, failed: 0 }));
}

#[tokio::test]
async fn what_does_not_open_is_named_once_and_stops_nothing() {
    let folder = Folder::new().await;
    let paths = folder.fill(30).await;
    let body = folder
        .sealed("config/bad/body", "earlier", SealedForm::default())
        .await;
    folder.put("config/bad/body", &damaged(body));
    folder.put("config/bad/key", &sealed_under("nobody-has-it"));
    folder.put("config/bad/empty", b"");
    folder.put("config/tier-config.bin", b"\x01 exempt");
    let store = folder.serving();
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    let events = migration.events();
    let progress = ended(&migration).await;
    assert_eq!(
        (progress.done, progress.failed, progress.exempt),
        (34, 3, 1)
    );
    assert_eq!(progress.to_string(), "current, 3 do not open");
    assert_eq!(store.present_policy(), Policy::Current);
    let failures = migration.failures();
    let named = failures
        .iter()
        .map(|(path, _)| String::from_utf8_lossy(path));
    let bad = ["config/bad/body", "config/bad/empty", "config/bad/key"];
    assert_eq!(named.collect::<Vec<_>>(), bad);
    assert_eq!(failures[0].1, ObjectError::BodyNotAuthentic);
    for path in &paths {
        assert!(is_first(path, &read(&store, path).await), "{path}");
    }
    assert_eq!(folder.stored("config/tier-config.bin"), b"\x01 exempt");
    drop(migration);
    let told = events.filter(|event| {
        let failed =
            matches!(event, Event::Object(step) if matches!(step.outcome, Outcome::Failed(_)));
        std::future::ready(failed)
    });
    assert_eq!(told.count().await, 3);
}

/// Of many that fail the first are named and told once, the others are counted; all are tried again.
#[tokio::test]
async fn of_what_fails_a_bounded_number_is_named_and_all_is_tried_again() {
    const GROUP: &str = "config/iam/groups";
    let folder = Folder::new().await;
    let key = "config/bad/6";
    let sealed = folder.sealed(key, "earlier", SealedForm::default()).await;
    for number in 0..6 {
        folder.put(&format!("config/bad/{number}"), b"");
    }
    folder.put(key, &sealed);
    let only = StaticKeyring::new().key(StaticKey::parse(KEY).unwrap());
    let only = only.default_key("my-minio-key").unwrap();
    folder.keyring.replace(Arc::new(only));
    // What no server loads is tried again soon, those without a name too.
    let groups: Vec<_> = (0..3)
        .map(|group| format!("{GROUP}/{group}/members.json"))
        .collect();
    for group in &groups {
        folder.put(group, b"{\"version\":");
    }
    let store = folder.serving();
    let plan = folder.plan().named_failures(4);
    let migration = store.migrate_in_background(plan).await.unwrap();
    let events = migration.events();
    // It goes through the store again and again, and is at rest in between.
    until(|| {
        let (progress, named) = (migration.progress(), migration.failures());
        let is_at_rest = progress.stage == Stage::Retrying;
        let last = named.last().map(|(path, _)| path.as_slice());
        is_at_rest
            && (progress.failed, progress.left) == (7, 3)
            && (named.len(), last) == (4, Some(&b"config/bad/3"[..]))
    })
    .await;
    for group in &groups {
        let new = "{\"version\":1}".into();
        store.put(&at(group), new).await.unwrap();
    }
    let progress = ended(&migration).await;
    assert_eq!((progress.done, progress.failed, progress.left), (10, 7, 0));
    assert_eq!(store.present_policy(), Policy::Current);
    for group in &groups {
        assert_eq!(read(&store, group).await, b"{\"version\":1}");
    }

    // The one whose key comes is one without a name.
    migration.change_keys(|| folder.keyring.replace(Arc::new(keyring("my-minio-key"))));
    let progress = ended(&migration).await;
    assert_eq!((progress.migrated, progress.failed), (1, 6));
    assert_eq!(read(&store, key).await, content(key));
    assert_eq!(migration.failures().len(), 4);
    migration.stop().await;
    let mut told = BTreeMap::new();
    let events: Vec<_> = events.collect().await;
    for event in &events {
        if let Event::Object(step) = event
            && matches!(step.outcome, Outcome::Failed(_))
        {
            *told.entry(step.path.clone()).or_insert(0) += 1;
        }
    }
    // Once before the keys changed, however often it went through the store, and once after.
    let expected = (0..4).map(|number| (format!("config/bad/{number}").into_bytes(), 2));
    assert_eq!(told, expected.collect());
    // A start after this goes through all: the marker does not name them either.
    drop(store);
    let again = folder.serving();
    let migration = again.migrate_in_background(folder.plan()).await.unwrap();
    assert_eq!(ended(&migration).await.done, 10);
}

/// Nothing is made unreadable by the end that could be read before.
#[tokio::test]
async fn what_opens_and_cannot_be_migrated_keeps_the_policy_as_it_is_until_it_is_made_good() {
    const GROUP: &str = "config/iam/groups/g/members.json";
    let folder = Folder::new().await;
    let paths = folder.fill(12).await;
    folder.put(GROUP, b"{\"version\":");
    let store = folder.serving();
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    until(|| migration.progress().stage == Stage::Retrying).await;
    assert_eq!(migration.progress().left, 1);
    assert_eq!(migration.progress().to_string(), "migrated all but 1 of 13");
    let failures = migration.failures();
    assert!(
        matches!(&failures[..], [(_, ObjectError::NotLoadable(_))]),
        "{failures:?}"
    );
    assert_eq!(store.present_policy(), Policy::Compatible);
    assert_eq!(read(&store, GROUP).await, b"{\"version\":");
    store
        .put(&at(GROUP), "{\"version\":1}".into())
        .await
        .unwrap();
    let progress = ended(&migration).await;
    assert_eq!((progress.done, progress.of, progress.left), (13, 13, 0));
    assert_eq!(store.present_policy(), Policy::Current);
    assert_eq!(read(&store, GROUP).await, b"{\"version\":1}");
    assert!(is_first(&paths[0], &read(&store, &paths[0]).await));
}

#[tokio::test]
async fn to_plaintext_if_that_is_asked_for() {
    let folder = Folder::new().await;
    let paths = folder.fill(30).await;
    let store = folder.serving();
    let plan = folder.plan().to_plaintext();
    let migration = store.migrate_in_background(plan).await.unwrap();
    let progress = ended(&migration).await;
    assert_eq!((progress.done, progress.failed, progress.left), (30, 0, 0));
    for path in &paths {
        assert!(is_first(path, &folder.stored(path)), "{path}");
        assert!(is_first(path, &read(&store, path).await), "{path}");
    }
    // What is put is plaintext too, and only what reads back as such.
    store.put(&at(&paths[0]), "{}".into()).await.unwrap();
    assert_eq!(folder.stored(&paths[0]), b"{}");
    let binary = store
        .put(&at(&paths[1]), b"\x01\x00\xff".to_vec().into())
        .await;
    assert!(binary.is_err());
    assert_eq!(store.present_policy(), Policy::Compatible);
    assert!(!folder.file("config/x-iamseal").exists());
}

#[tokio::test]
async fn what_was_sealed_is_opened_up_and_sealed_again() {
    let folder = Folder::new().await;
    let paths = folder.fill(30).await;
    let (store, sealing) = folder.migrated().await;
    sealing.stop().await;
    let plan = folder.plan().to_plaintext();
    let opening = store.migrate_in_background(plan).await.unwrap();
    assert_eq!(ended(&opening).await.migrated, 30);
    for path in &paths {
        assert!(is_first(path, &read(&store, path).await), "{path}");
    }
    // The marker says nothing any more.
    let folder = folder.again("my-minio-key").await;
    let (store, migration) = folder.migrated().await;
    assert_eq!(migration.progress().migrated, 30);
    assert!(is_first(&paths[0], &read(&store, &paths[0]).await));
}

/// What the policy does not let a request read is not made readable.
#[tokio::test]
async fn a_store_that_takes_sealed_objects_alone_migrates_those_alone() {
    let folder = Folder::new().await;
    let paths = folder.fill(30).await;
    let store = folder.serving().policy(Policy::Sealed);
    let migration = store.migrate_in_background(folder.plan()).await.unwrap();
    let progress = ended(&migration).await;
    // Two of six are plaintext, and two of all are under a root credential.
    assert_eq!(progress.failed, 10 + 2);
    assert_eq!(progress.migrated + progress.unchanged, 30 - 12);
    for (number, path) in paths.iter().enumerate().step_by(6) {
        assert_eq!(folder.stored(path), content(path), "{number}");
        assert_eq!(refused(&store, path).await, "form-refused");
    }
    assert!(is_first(&paths[2], &read(&store, &paths[2]).await));
    assert_eq!(store.present_policy(), Policy::Current);
}

#[tokio::test]
async fn one_at_a_time_and_none_where_nothing_is_to_be_done() {
    let folder = Folder::new().await;
    folder.fill(6).await;
    let store = folder.serving();
    let first = store.migrate_in_background(folder.plan()).await.unwrap();
    let error = store
        .migrate_in_background(folder.plan())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is under way"), "{error}");
    ended(&first).await;
    // Another one takes its place, which has nothing to do.
    first.stop().await;
    let second = store.migrate_in_background(folder.plan()).await.unwrap();
    assert_eq!(store.present_policy(), Policy::Current);
    assert_eq!(ended(&second).await.of, 0);
    let strict = folder.serving().policy(Policy::Current);
    let error = strict.migrate_in_background(folder.plan()).await;
    let error = error.unwrap_err();
    assert!(error.to_string().contains("nothing to migrate"), "{error}");
}
