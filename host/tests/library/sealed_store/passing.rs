//! What is not sealed: by policy, and by path.

use iamseal::contract::{Form, ObjectError, Policy, SealOptions};
use iamseal::sealed_store::plugin_error;
use iamseal::{Error, Plugin, SealedStore};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _};

use super::{found, get, in_memory, slot, slot_up_to, user};

#[tokio::test]
async fn plaintext_is_refused_unless_the_policy_lets_it_pass() {
    let store = in_memory().await;
    store
        .inner()
        .put(&user("alice"), "{}".into())
        .await
        .unwrap();
    let error = store.get(&user("alice")).await.unwrap_err();
    let refused = plugin_error(&error);
    assert!(
        matches!(
            refused,
            Some(Error::Object(ObjectError::FormRefused(Form::Plaintext)))
        ),
        "{error}"
    );

    let store = store.policy(Policy::Compatible);
    assert_eq!(get(&store, &user("alice")).await, b"{}");
    let plaintext = found(&store, &user("alice")).await.unwrap();
    assert_eq!(plaintext.form, Form::Plaintext);

    // Whatever may be read, what is put is sealed.
    store.put(&user("alice"), "{}".into()).await.unwrap();
    let store = store.policy(Policy::Sealed);
    assert_eq!(get(&store, &user("alice")).await, b"{}");
}

/// Paths that are exempt, and neighbours of theirs that are not.
const PATHS: [(&str, bool); 8] = [
    ("config/tier-config.bin", true),
    ("config/site-replication/state.json", true),
    ("config/site-replication/a/b", true),
    ("config/tier-config.bin/a", false),
    ("config/tier-config.binary", false),
    ("config/site-replication", false),
    ("config/config.json", false),
    ("tier-config.bin", false),
];

async fn refuses_to_seal(plugin: &Plugin, path: &str) -> bool {
    let sealed = plugin
        .seal(path.as_bytes(), b"{}", &SealOptions::default())
        .await;
    matches!(sealed, Err(Error::Object(ObjectError::Refused(_))))
}

#[tokio::test]
async fn exempt_paths_go_through_as_they_are() {
    let store = in_memory().await;
    for (path, exempt) in PATHS {
        let path = Path::parse(path).unwrap();
        store.put(&path, "as it is".into()).await.unwrap();
        assert_eq!(get(&store, &path).await, b"as it is");
        assert_eq!(get(store.inner(), &path).await == b"as it is", exempt);
        assert_eq!(found(&store, &path).await.is_none(), exempt);
        assert_eq!(store.head(&path).await.unwrap().size, 8);
    }
    // The list is the plugin's own.
    let plugin = slot().await.current();
    for (path, exempt) in PATHS {
        assert_eq!(refuses_to_seal(&plugin, path).await, exempt, "{path}");
    }
}

#[tokio::test]
async fn exempt_objects_of_any_size_are_read() {
    let store = SealedStore::new(InMemory::new(), slot_up_to(1000).await);
    let path = Path::parse("config/site-replication/state.json").unwrap();
    store.put(&path, vec![7; 1001].into()).await.unwrap();
    assert_eq!(get(&store, &path).await, [7; 1001]);
    assert_eq!(store.head(&path).await.unwrap().size, 1001);
    assert_eq!(store.get_range(&path, 1000..1001).await.unwrap(), [7][..]);
    let ranges = store.get_ranges(&path, &[0..1, 1000..1001]).await.unwrap();
    assert_eq!(ranges, [vec![7], vec![7]]);
}

#[tokio::test]
async fn a_copy_between_an_exempt_path_and_another_is_refused() {
    let store = in_memory().await;
    let parse = |path| Path::parse(path).unwrap();
    let (exempt, sealed) = (parse("config/tier-config.bin"), user("alice"));
    store.put(&exempt, "tiers".into()).await.unwrap();
    store.put(&sealed, "{}".into()).await.unwrap();
    for (from, to) in [(&exempt, &sealed), (&sealed, &exempt)] {
        for refused in [
            store.copy(from, to).await,
            store.copy_if_not_exists(from, to).await,
            store.rename(from, to).await,
        ] {
            let error = refused.unwrap_err();
            assert!(matches!(error, object_store::Error::NotSupported { .. }));
        }
    }
    assert_eq!(get(&store, &exempt).await, b"tiers");
    assert_eq!(get(&store, &sealed).await, b"{}");
    let other = parse("config/site-replication/tiers");
    store.copy(&exempt, &other).await.unwrap();
    assert_eq!(get(store.inner(), &other).await, b"tiers");
}

#[tokio::test]
async fn a_path_is_the_objects_own_whatever_characters_it_has() {
    let store = in_memory().await;
    let plugin = store.slot().current();
    for name in ["grün", "*~#%?", "日本語"] {
        let path = user(name);
        store.put(&path, "{}".into()).await.unwrap();
        // It is sealed for what the rest of the world calls it.
        let stored = get(store.inner(), &path).await;
        let plain = format!("config/iam/users/{name}/identity.json");
        let opened = plugin
            .unseal(plain.as_bytes(), &stored, Policy::Sealed)
            .await;
        assert_eq!(*opened.unwrap().plaintext, b"{}");
    }
}
