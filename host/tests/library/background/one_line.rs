//! A server of plaintext JSON that keeps it sealed after one line was changed and it was started again.

// What docs/embedding.md shows begins here.
use std::{error::Error, path::Path, sync::Arc};

use iamseal::contract::Policy;
use iamseal::keys::Keyring;
use iamseal::sealed_store::{Background, Plan, VersionedStore};
use iamseal::{Plugin, PluginSlot, SealedStore, storage::DirStore};
use object_store::ObjectStore;

/// Takes the place of `LocalFileSystem::new_with_prefix(folder)`.
async fn sealed(
    folder: &Path,
    keyring: impl Keyring + 'static,
) -> Result<(Arc<dyn ObjectStore>, Background), Box<dyn Error>> {
    let plugin = Plugin::builder()
        .component(iamseal_component::PLUGIN)
        .keyring(Arc::new(keyring));
    let slot = PluginSlot::new(plugin.load().await?);
    let folder = Arc::new(DirStore::open(folder)?);
    let store = SealedStore::new(VersionedStore::new(folder.clone()), slot);
    let store = store.policy(Policy::Compatible); // until all is sealed
    let all = Plan::of(folder).prefix("");
    let migration = store.migrate_in_background(all).await?;
    Ok((Arc::new(store), migration))
}
// It ends here.

use std::fs;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as At, State};
use axum::http::StatusCode;
use axum::routing::get;
use object_store::ObjectStoreExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Place;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

type Documents = Arc<dyn ObjectStore>;

/// The server, which knows nothing of sealing.
fn server(documents: Documents) -> Router {
    async fn read(State(documents): State<Documents>, At(path): At<String>) -> (StatusCode, Bytes) {
        let found = match Place::parse(path) {
            Ok(path) => documents.get(&path).await,
            Err(_) => return (StatusCode::BAD_REQUEST, Bytes::new()),
        };
        match found {
            Ok(found) => (StatusCode::OK, found.bytes().await.unwrap()),
            Err(_) => (StatusCode::NOT_FOUND, Bytes::new()),
        }
    }
    async fn write(
        State(documents): State<Documents>,
        At(path): At<String>,
        content: Bytes,
    ) -> StatusCode {
        let path = Place::parse(path).unwrap();
        match documents.put(&path, content.into()).await {
            Ok(_) => StatusCode::NO_CONTENT,
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
    let routes = Router::new().route("/{*path}", get(read).put(write));
    routes.with_state(documents)
}

/// A server that is up, until it is dropped.
struct Running {
    base: String,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(documents: Documents) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let served = axum::serve(listener, server(documents));
        let task = tokio::spawn(async move { served.await.unwrap() });
        Self { base, task }
    }

    async fn put(&self, path: &str, content: String) {
        let url = format!("{}/{path}", self.base);
        let put = tokio::task::spawn_blocking(move || ureq::put(url).send(content));
        assert_eq!(put.await.unwrap().unwrap().status(), 204);
    }

    async fn get(&self, path: &str) -> String {
        let url = format!("{}/{path}", self.base);
        let got = tokio::task::spawn_blocking(move || ureq::get(url).call());
        let mut got = got.await.unwrap().unwrap();
        got.body_mut().read_to_string().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn document(number: usize) -> (String, String) {
    let path = format!("tenants/{}/{number}.json", number % 7);
    (path, format!("{{\"number\":{number}}}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_plaintext_json_keeps_it_sealed_after_one_line_was_changed() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder.path();
    let keyring = super::keyring("my-minio-key");

    let documents = Arc::new(LocalFileSystem::new_with_prefix(folder).unwrap());
    let running = Running::start(documents).await;
    for number in 0..100 {
        let (path, content) = document(number);
        running.put(&path, content.clone()).await;
        assert_eq!(fs::read_to_string(folder.join(path)).unwrap(), content);
    }
    drop(running);

    let (documents, migration) = sealed(folder, keyring).await.unwrap();
    let running = Running::start(documents).await;
    // From its first moment on.
    for number in 0..100 {
        let (path, content) = document(number);
        assert_eq!(running.get(&path).await, content);
    }
    running.put("tenants/new.json", "{\"new\":1}".into()).await;
    assert_eq!(super::ended(&migration).await.failed, 0);
    let all = (0..100).map(document);
    let new = ("tenants/new.json".to_owned(), "{\"new\":1}".to_owned());
    for (path, content) in all.chain([new]) {
        assert_eq!(running.get(&path).await, content);
        let stored = fs::read(folder.join(&path)).unwrap();
        let content = content.as_bytes();
        assert!(
            !stored.windows(content.len()).any(|part| part == content),
            "{path}"
        );
    }
    // What somebody puts there past the server is not believed any more.
    let (path, content) = document(1);
    fs::write(folder.join(&path), content).unwrap();
    let url = format!("{}/{path}", running.base);
    let refused = tokio::task::spawn_blocking(move || ureq::get(url).call());
    assert!(refused.await.unwrap().is_err());
}

#[test]
fn the_page_shows_the_code_that_this_test_runs() {
    let page = include_str!("../../../../docs/embedding.md");
    let code = include_str!("one_line.rs");
    let begin = "// What docs/embedding.md shows begins here.\n";
    let (_, code) = code.split_once(begin).unwrap();
    let (code, _) = code.split_once("// It ends here.\n").unwrap();
    assert!(page.contains(&format!("```rust\n{code}```\n")), "{code}");
    assert!(code.lines().count() < 30);
}
