//! A store that migrates itself while it serves.

mod forms;
mod keys;
mod load;
mod log;
mod marker;
mod one_line;
mod pace;
mod races;
mod real_servers;

use std::fs;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use iamseal::contract::{Policy, SealOptions, SealedForm, StorageError};
use iamseal::keys::{ReplaceableKeyring, RootCredential, StaticKey, StaticKeyring};
use iamseal::sealed_store::background::{Progress, Share};
use iamseal::sealed_store::{Background, Plan, VersionedStore};
use iamseal::storage::{Change, Cursor, DirStore, Draft, Storage, StorageWriter, Stored, Version};
use iamseal::{Plugin, PluginSlot, SealedStore};
use iamseal_tests::samples::vector;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tempfile::TempDir;

use crate::sealed_store::{KEY, builder, get};

/// An earlier key, and one that may come. They are no secrets.
const EARLIER: &str = "earlier:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const LATER: &str = "later:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
const ROOT: &str = "minioadmin:minioadmin";
/// How long a migration of some objects may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// A keyring with all of these, of which this one is for new objects.
fn keyring(default: &str) -> StaticKeyring {
    let keys = [KEY, EARLIER, LATER].map(|key| StaticKey::parse(key).unwrap());
    let keyring = keys
        .into_iter()
        .fold(StaticKeyring::new(), StaticKeyring::key);
    let keyring = keyring.root_credential(RootCredential::parse(ROOT).ok().unwrap());
    keyring.default_key(default).unwrap()
}

/// A folder of documents, and a keyring that can be exchanged.
struct Folder {
    folder: TempDir,
    store: Arc<Counted>,
    keyring: Arc<ReplaceableKeyring>,
    plugin: Plugin,
}

type Store = SealedStore<VersionedStore<Counted>>;

impl Folder {
    async fn new() -> Self {
        Self::with(
            tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
            "my-minio-key",
        )
        .await
    }

    async fn with(folder: TempDir, default: &str) -> Self {
        let keyring = Arc::new(ReplaceableKeyring::new(Arc::new(keyring(default))));
        let store = Arc::new(Counted::of(DirStore::open(folder.path()).unwrap()));
        let plugin = builder().keyring(keyring.clone()).store_name("store");
        Self {
            folder,
            store,
            keyring,
            plugin: plugin.load().await.unwrap(),
        }
    }

    /// The same folder, as a server has it that starts with this key for new objects.
    async fn again(self, default: &str) -> Self {
        Self::with(self.folder, default).await
    }

    fn serving(&self) -> Store {
        let inner = VersionedStore::new(Arc::clone(&self.store));
        SealedStore::new(inner, PluginSlot::new(self.plugin.clone())).policy(Policy::Compatible)
    }

    fn plan(&self) -> Plan {
        Plan::of(Arc::clone(&self.store)).share(Share::ALL)
    }

    /// A server that has gone through the folder.
    async fn migrated(&self) -> (Store, Background) {
        let store = self.serving();
        let migration = store.migrate_in_background(self.plan()).await.unwrap();
        ended(&migration).await;
        (store, migration)
    }

    fn file(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    /// Puts these bytes there, as somebody does who knows nothing of any of this.
    fn put(&self, path: &str, bytes: &[u8]) {
        put(self.folder.path(), path, bytes);
    }

    fn stored(&self, path: &str) -> Vec<u8> {
        fs::read(self.file(path)).unwrap()
    }

    async fn sealed(&self, path: &str, key: &str, form: SealedForm) -> Vec<u8> {
        let options = SealOptions {
            form,
            key: Some(key.to_owned()),
        };
        let content = content(path);
        let sealed = self.plugin.seal(path.as_bytes(), &content, &options);
        sealed.await.unwrap()
    }

    /// Puts as many documents there, in all forms that there are. Returns their paths.
    async fn fill(&self, count: usize) -> Vec<String> {
        let mut paths = Vec::new();
        let [credential, slow] = ["dev-069", "dev-067"].map(vector);
        for number in 0..count {
            let path = document(number);
            let minio = SealedForm::default();
            let stored = match number % 6 {
                0 | 1 => content(&path),
                2 => self.sealed(&path, "earlier", minio).await,
                3 => self.sealed(&path, "earlier", SealedForm::Compact).await,
                4 => {
                    self.sealed(&path, "my-minio-key", SealedForm::Compact)
                        .await
                }
                // What a root credential opens is bound to no path, and costs up to 50 ms.
                _ if number % 60 == 5 && number < 600 => slow.stored.clone(),
                _ if number % 30 == 11 => credential.stored.clone(),
                _ => self.sealed(&path, "my-minio-key", minio).await,
            };
            self.put(&path, &stored);
            paths.push(path);
        }
        paths
    }
}

fn put(root: &FilePath, path: &str, bytes: &[u8]) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

fn document(number: usize) -> String {
    format!("config/documents/{:02}/{number}.json", number % 50)
}

/// What a document holds, unless it is one of a root credential's.
fn content(path: &str) -> Vec<u8> {
    format!("{{\"at\":\"{path}\"}}").into_bytes()
}

/// Whether a document holds what it held at first.
fn is_first(path: &str, found: &[u8]) -> bool {
    found == content(path)
        || found == vector("dev-069").plaintext
        || found == vector("dev-067").plaintext
}

async fn ended(migration: &Background) -> Progress {
    let ended = tokio::time::timeout(PATIENCE, migration.wait()).await;
    ended.unwrap_or_else(|_| panic!("{migration:?}"))
}

async fn until(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap();
}

fn at(path: &str) -> Path {
    Path::parse(path).unwrap()
}

async fn read(store: &impl ObjectStore, path: &str) -> Vec<u8> {
    get(store, &at(path)).await
}

/// The plugin's cause, for which an object is not read.
async fn refused(store: &impl ObjectStore, path: &str) -> &'static str {
    let error = store.get(&at(path)).await.unwrap_err();
    iamseal::sealed_store::plugin_error(&error).unwrap().cause()
}

/// A folder that counts what is read of it.
struct Counted {
    inner: DirStore,
    reads: AtomicUsize,
}

impl Counted {
    fn of(inner: DirStore) -> Self {
        let reads = AtomicUsize::new(0);
        Self { inner, reads }
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Storage for Counted {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        self.inner.list(prefix, start_after).await
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.read(path).await
    }
}

#[async_trait]
impl StorageWriter for Counted {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        self.inner.stage(changes).await
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        self.inner.commit(drafts).await
    }
}
