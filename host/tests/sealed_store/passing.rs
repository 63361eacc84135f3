//! What is not sealed: by policy, and by path.

use iamseal::contract::{Form, ObjectError, Policy, SealOptions};
use iamseal::sealed_store::plugin_error;
use iamseal::{Error, Plugin};
use object_store::ObjectStoreExt as _;
use object_store::path::Path;

use super::{found, get, in_memory, slot, user};

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
async fn a_copy_to_a_path_that_is_not_exempt_is_sealed() {
    let store = in_memory().await;
    let (exempt, sealed) = (Path::from("config/tier-config.bin"), user("alice"));
    store.put(&exempt, "{}".into()).await.unwrap();
    store.copy(&exempt, &sealed).await.unwrap();
    assert_eq!(get(&store, &sealed).await, b"{}");
    assert_ne!(get(store.inner(), &sealed).await, b"{}");
}
