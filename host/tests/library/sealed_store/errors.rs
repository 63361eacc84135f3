//! What the plugin says comes out as its own error, and nothing is written after it.

use std::sync::Arc;

use iamseal::contract::{ObjectError, Policy};
use iamseal::sealed_store::plugin_error;
use iamseal::{Error, Limit, PluginSlot, SealedStore};
use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;

use super::{builder, get, slot, slot_up_to, user};
use iamseal_tests::samples::damaged;

#[tokio::test]
async fn without_a_key_nothing_is_put() {
    let plugin = builder().load().await.unwrap();
    let store = SealedStore::new(InMemory::new(), PluginSlot::new(plugin));
    let error = store.put(&user("alice"), "{}".into()).await.unwrap_err();
    let no_key = plugin_error(&error);
    assert!(matches!(no_key, Some(Error::Object(ObjectError::NoKey))));
    let nothing = store.inner().get(&user("alice")).await.unwrap_err();
    assert!(matches!(nothing, object_store::Error::NotFound { .. }));
}

#[tokio::test]
async fn damage_is_told_from_absence() {
    let (memory, slot) = (Arc::new(InMemory::new()), slot().await);
    let store = |policy| SealedStore::new(Arc::clone(&memory), slot.clone()).policy(policy);
    let sealed = store(Policy::Sealed);
    sealed.put(&user("alice"), "{}".into()).await.unwrap();
    let stored = damaged(get(&memory, &user("alice")).await);
    for (stored, says) in [
        (stored, "the body was changed"),
        (Vec::new(), "the object is empty"),
        (b"\x01\x00".to_vec(), "damaged"),
        (b"\xff\xfe".to_vec(), "unknown form"),
    ] {
        memory.put(&user("alice"), stored.into()).await.unwrap();
        for policy in [Policy::Sealed, Policy::Compatible] {
            let error = store(policy).get(&user("alice")).await.unwrap_err();
            let text = plugin_error(&error).unwrap().to_string();
            assert!(text.contains(says), "{text}");
            assert!(store(policy).head(&user("alice")).await.is_err());
        }
    }
    let absent = sealed.get(&user("bob")).await.unwrap_err();
    assert!(plugin_error(&absent).is_none());
    assert!(matches!(absent, object_store::Error::NotFound { .. }));
}

#[tokio::test]
async fn what_is_too_large_is_neither_sealed_nor_read() {
    let store = SealedStore::new(InMemory::new(), slot_up_to(1000).await);
    let is_limit = |error: object_store::Error| {
        let error = plugin_error(&error).unwrap();
        let expected = matches!(
            error,
            Error::Limit {
                limit: Limit::Object,
                allowed: 1000,
                ..
            }
        );
        assert!(expected, "{error}");
    };
    is_limit(
        store
            .put(&user("a"), vec![0; 1001].into())
            .await
            .unwrap_err(),
    );
    store
        .inner()
        .put(&user("a"), vec![0; 1001].into())
        .await
        .unwrap();
    is_limit(store.get(&user("a")).await.unwrap_err());
    is_limit(store.head(&user("a")).await.unwrap_err());
    let fits = vec![0; 500];
    store.put(&user("a"), fits.clone().into()).await.unwrap();
    assert_eq!(get(&store, &user("a")).await, fits);
}
