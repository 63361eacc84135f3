//! Conditions of puts and gets, entity tags, listing, deleting and copying.

use futures_util::TryStreamExt as _;
use iamseal::contract::Form;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, GetOptions, ObjectStore as _, ObjectStoreExt as _, PutMode,
    PutMultipartOptions, PutOptions, PutResult, UpdateVersion,
};

use super::{found, get, in_memory, user};

fn update(put: &PutResult) -> PutOptions {
    PutMode::Update(UpdateVersion::from(put.clone())).into()
}

#[tokio::test]
async fn a_put_can_ask_for_nothing_or_for_one_version_to_be_there() {
    let store = in_memory().await;
    let alice = user("alice");
    let first = store
        .put_opts(&alice, "1".into(), PutMode::Create.into())
        .await
        .unwrap();
    let there = store
        .put_opts(&alice, "2".into(), PutMode::Create.into())
        .await
        .unwrap_err();
    assert!(matches!(there, Error::AlreadyExists { .. }), "{there}");

    let second = store
        .put_opts(&alice, "2".into(), update(&first))
        .await
        .unwrap();
    assert_ne!(first.e_tag, second.e_tag);
    let stale = store
        .put_opts(&alice, "3".into(), update(&first))
        .await
        .unwrap_err();
    assert!(matches!(stale, Error::Precondition { .. }), "{stale}");
    assert_eq!(get(&store, &alice).await, b"2");
}

#[tokio::test]
async fn a_get_can_ask_for_a_version() {
    let store = in_memory().await;
    let alice = user("alice");
    let tag = store.put(&alice, "1".into()).await.unwrap().e_tag;
    let known = GetOptions::new().with_if_none_match(tag.clone());
    let same = store.get_opts(&alice, known.clone()).await.unwrap_err();
    assert!(matches!(same, Error::NotModified { .. }), "{same}");
    let wanted = GetOptions::new().with_if_match(tag.clone());
    let result = store.get_opts(&alice, wanted.clone()).await.unwrap();
    assert_eq!(result.meta.e_tag, tag);

    // The same content, sealed anew, is another version.
    store.put(&alice, "1".into()).await.unwrap();
    let gone = store.get_opts(&alice, wanted).await.unwrap_err();
    assert!(matches!(gone, Error::Precondition { .. }), "{gone}");
    assert!(store.get_opts(&alice, known).await.is_ok());
}

#[tokio::test]
async fn listings_hold_stored_sizes_and_deleting_deletes() {
    let store = in_memory().await;
    for name in ["a", "b", "c"] {
        store.put(&user(name), "{}".into()).await.unwrap();
    }
    let prefix = Path::parse("config/iam").unwrap();
    let listed: Vec<_> = store.list(Some(&prefix)).try_collect().await.unwrap();
    assert_eq!(listed.len(), 3);
    for meta in listed {
        let stored = get(store.inner(), &meta.location).await;
        assert_eq!(meta.size, stored.len() as u64);
        assert!(meta.size > 2);
    }
    let later = store.list_with_offset(Some(&prefix), &user("a"));
    assert_eq!(later.try_collect::<Vec<_>>().await.unwrap().len(), 2);
    let users = Path::parse("config/iam/users").unwrap();
    let folders = store.list_with_delimiter(Some(&users)).await.unwrap();
    assert_eq!(folders.common_prefixes.len(), 3);

    store.delete(&user("b")).await.unwrap();
    let gone = store.get(&user("b")).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound { .. }), "{gone}");
}

#[tokio::test]
async fn a_copy_is_sealed_for_its_new_path() {
    let store = in_memory().await;
    let attributes = Attributes::from_iter([(Attribute::ContentType, "application/json")]);
    store
        .put_opts(&user("alice"), "{}".into(), attributes.clone().into())
        .await
        .unwrap();
    store.copy(&user("alice"), &user("bob")).await.unwrap();
    assert_eq!(get(&store, &user("bob")).await, b"{}");
    assert_eq!(found(&store, &user("bob")).await.unwrap().form, Form::Minio);
    assert_eq!(
        store.get(&user("bob")).await.unwrap().attributes,
        attributes
    );
    let there = store
        .copy_if_not_exists(&user("alice"), &user("bob"))
        .await
        .unwrap_err();
    assert!(matches!(there, Error::AlreadyExists { .. }), "{there}");
}

#[tokio::test]
async fn what_cannot_be_done_in_one_step_is_refused() {
    let store = in_memory().await;
    store.put(&user("alice"), "{}".into()).await.unwrap();
    let renamed = store.rename(&user("alice"), &user("bob")).await;
    let renamed = renamed.unwrap_err();
    assert!(matches!(renamed, Error::NotSupported { .. }));
    assert!(renamed.to_string().contains("copy it, then delete it"));
    let upload = store
        .put_multipart_opts(&user("bob"), PutMultipartOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(upload, Error::NotSupported { .. }));
    assert_eq!(get(&store, &user("alice")).await, b"{}");
    let bob = store.get(&user("bob")).await.unwrap_err();
    assert!(matches!(bob, Error::NotFound { .. }));
}
