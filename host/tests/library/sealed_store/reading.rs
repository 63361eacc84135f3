//! Putting and reading back.

use std::path::Path as FilePath;
use std::sync::Arc;

use iamseal::contract::{Form, SealOptions, SealedForm, Verdict};
use iamseal::storage::DirStore;
use iamseal::{AuditScope, SealedStore};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt as _};

use super::{builder, found, get, in_memory, keyring, slot, user};
use iamseal_tests::samples::vector;

#[tokio::test]
async fn what_is_put_is_sealed_and_reads_back() {
    let store = in_memory().await;
    for plaintext in [&b""[..], b"{}", &[7; 200_000]] {
        store
            .put(&user("alice"), plaintext.to_vec().into())
            .await
            .unwrap();
        assert_eq!(get(&store, &user("alice")).await, plaintext);
        let found = found(&store, &user("alice")).await.unwrap();
        assert_eq!(found.form, Form::Minio);
        assert_eq!(found.key.as_deref(), Some("my-minio-key"));
        let stored = get(store.inner(), &user("alice")).await;
        let described = slot().await.current().inspect(&stored).await.unwrap();
        assert_eq!(described.form, Form::Minio);
        assert_eq!(described.plaintext_size, plaintext.len() as u64);
    }
}

#[tokio::test]
async fn a_payload_in_pieces_is_one_object() {
    let store = in_memory().await;
    let pieces = ["{\"ver", "", "sion\":1}"].map(bytes::Bytes::from);
    let payload = pieces.into_iter().collect();
    store.put(&user("alice"), payload).await.unwrap();
    assert_eq!(get(&store, &user("alice")).await, b"{\"version\":1}");
}

#[tokio::test]
async fn objects_are_sealed_as_the_options_say() {
    let options = SealOptions {
        form: SealedForm::Compact,
        ..SealOptions::default()
    };
    let store = in_memory().await.seal_options(options);
    store.put(&user("alice"), "{}".into()).await.unwrap();
    let found = found(&store, &user("alice")).await.unwrap();
    assert_eq!(found.form, Form::Compact);
}

#[tokio::test]
async fn what_minio_sealed_opens() {
    let vector = vector("dev-001");
    let store = in_memory().await;
    let path = Path::parse(vector.path).unwrap();
    store
        .inner()
        .put(&path, vector.stored.into())
        .await
        .unwrap();
    assert_eq!(get(&store, &path).await, vector.plaintext);
}

#[tokio::test]
async fn ranges_and_sizes_are_those_of_the_plaintext() {
    let store = in_memory().await;
    let put = store
        .put(&user("alice"), "0123456789".into())
        .await
        .unwrap();
    let read = async |range: GetRange| {
        let options = GetOptions::new().with_range(Some(range));
        let result = store.get_opts(&user("alice"), options).await.unwrap();
        let (range, size) = (result.range.clone(), result.meta.size);
        assert_eq!(size, 10);
        (range, result.bytes().await.unwrap())
    };
    assert_eq!(read(GetRange::Bounded(2..4)).await, (2..4, "23".into()));
    assert_eq!(read(GetRange::Bounded(8..99)).await, (8..10, "89".into()));
    assert_eq!(read(GetRange::Offset(7)).await, (7..10, "789".into()));
    assert_eq!(read(GetRange::Suffix(1)).await, (9..10, "9".into()));
    let parts = store.get_ranges(&user("alice"), &[0..1, 5..7]).await;
    assert_eq!(parts.unwrap(), ["0", "56"]);
    assert!(store.get_range(&user("alice"), 10..11).await.is_err());
    assert!(
        store
            .get_ranges(&user("alice"), &[0..1, 10..11])
            .await
            .is_err()
    );

    let head = store.head(&user("alice")).await.unwrap();
    assert_eq!((head.size, head.e_tag), (10, put.e_tag));
    let options = GetOptions::new().with_head(true);
    let head = store.get_opts(&user("alice"), options).await.unwrap();
    let GetResultPayload::Stream(payload) = head.payload else {
        panic!("a file");
    };
    assert_eq!(futures_util::StreamExt::count(payload).await, 0);
}

#[tokio::test]
async fn an_object_that_was_moved_by_hand_does_not_open() {
    let store = in_memory().await;
    store.put(&user("alice"), "{}".into()).await.unwrap();
    store
        .inner()
        .copy(&user("alice"), &user("mallory"))
        .await
        .unwrap();
    let error = store.get(&user("mallory")).await.unwrap_err();
    let error = iamseal::sealed_store::plugin_error(&error).unwrap();
    assert!(error.to_string().contains("another path"), "{error}");
    assert_eq!(get(&store, &user("alice")).await, b"{}");
}

/// The paths that objects are bound to are the names of the files, so that all else that knows such
/// a folder opens them.
#[tokio::test]
async fn a_folder_that_is_written_is_one_that_an_audit_opens() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let files = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let files = PrefixStore::new(files, "data/.minio.sys");
    let store = SealedStore::new(files, slot().await);
    let names = ["alice", "a b", "100%", "ümläut", "a#b?c", "x\\y~z"];
    for name in names {
        store.put(&user(name), name.into()).await.unwrap();
        assert_eq!(get(&store, &user(name)).await, name.as_bytes());
    }
    assert_eq!(
        opening(&folder.path().join("data/.minio.sys")).await,
        names.len()
    );
}

/// How many objects there are. All of them open, and as MinIO binds them.
async fn opening(root: &FilePath) -> usize {
    let storage = Arc::new(DirStore::open(root).unwrap());
    let auditor = builder().keyring(keyring()).storage(storage).load().await;
    let scope = AuditScope {
        policy: iamseal::contract::Policy::Sealed,
        ..AuditScope::default()
    };
    let mut audit = auditor.unwrap().audit(&scope).await.unwrap();
    let findings = audit.next(100).await.unwrap();
    for finding in &findings {
        let Verdict::Opens(found) = &finding.verdict else {
            panic!("{finding:?}");
        };
        assert_eq!(found.context, Some(iamseal::contract::Context::Joined));
    }
    findings.len()
}
