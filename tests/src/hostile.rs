//! Components that fit the world and mean harm, written by hand, and what they are lent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use iamseal::contract::{KeyError, StorageError};
use iamseal::keys::{DataKey, Key, Keyring, RootCredential, ServerKey};
use iamseal::storage::{Change, Cursor, Draft, Storage, StorageWriter, Stored, Version};
use iamseal::{CompileCache, Plugin, PluginBuilder};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;
use zeroize::Zeroizing;

/// Sealing under this path always goes well and gives back the plaintext.
pub const WELL: &[u8] = b"ok";
/// Sealing under any longer path does what the guest was made for.
pub const ILL: &[u8] = b"ill";

/// A core module that is made into a component for the world. What is not given traps.
pub struct Guest {
    /// Imports, for example `$open`.
    pub imports: &'static str,
    /// Functions and globals of its own.
    pub items: &'static str,
    /// Pages of memory, 64 KiB each.
    pub pages: u32,
    /// The body of `seal` for [`ILL`]. Parameters 0 to 13: store, path and plaintext, each an
    /// address and a size, and the options.
    pub seal: &'static str,
    /// The body of `unseal`. Parameters 0 to 6.
    pub unseal: &'static str,
    /// The body of an audit's `next`.
    pub audit_next: &'static str,
    /// The body of a migration's `next`.
    pub run_next: &'static str,
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            imports: "",
            items: "",
            pages: 64,
            seal: "unreachable",
            unseal: "unreachable",
            audit_next: "unreachable",
            run_next: "unreachable",
        }
    }
}

impl Guest {
    /// The component's bytes.
    pub fn build(&self) -> Vec<u8> {
        let Self {
            imports,
            items,
            pages,
            seal,
            unseal,
            audit_next,
            run_next,
        } = self;
        let i32s = |count: usize| "i32 ".repeat(count);
        let (fourteen, seven, nine) = (i32s(14), i32s(7), i32s(9));
        let text = format!(
            r#"(module
                (import "[export]iamseal:plugin/auditing@0.1.0" "[resource-new]audit"
                    (func $new_audit (param i32) (result i32)))
                (import "[export]iamseal:plugin/migration@0.1.0" "[resource-new]run"
                    (func $new_run (param i32) (result i32)))
                {imports}
                (memory (export "memory") {pages})
                (table $table 1 funcref)
                ;; The first 4 KiB are for results.
                (global $free (mut i32) (i32.const 4096))
                {items}
                (func $ok (param i32 i32) (result i32)
                    (i32.store8 (i32.const 16) (i32.const 0))
                    (i32.store (i32.const 24) (local.get 0))
                    (i32.store (i32.const 28) (local.get 1))
                    (i32.const 16))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (global.get $free)
                    (global.set $free (i32.and
                        (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 7))
                        (i32.const -8))))
                (func $forget (export "cabi_post_iamseal:plugin/sealing@0.1.0#seal") (param i32)
                    (global.set $free (i32.const 4096)))
                (func $seal_ill (param {fourteen}) (result i32) {seal})
                (func (export "iamseal:plugin/sealing@0.1.0#seal")
                    (param {fourteen}) (result i32)
                    (if (i32.eq (local.get 3) (i32.const 2))
                        (then (return (call $ok (local.get 4) (local.get 5)))))
                    (call $seal_ill
                        (local.get 0) (local.get 1) (local.get 2) (local.get 3)
                        (local.get 4) (local.get 5) (local.get 6) (local.get 7)
                        (local.get 8) (local.get 9) (local.get 10) (local.get 11)
                        (local.get 12) (local.get 13)))
                (func (export "iamseal:plugin/opening@0.1.0#unseal")
                    (param {seven}) (result i32) {unseal})
                (func (export "iamseal:plugin/opening@0.1.0#inspect")
                    (param i32 i32) (result i32) unreachable)
                (func (export "iamseal:plugin/auditing@0.1.0#start")
                    (param {nine}) (result i32) (call $new_audit (i32.const 1)))
                (func (export "iamseal:plugin/auditing@0.1.0#[method]audit.next")
                    (param i32 i32) (result i32) {audit_next})
                (func (export "iamseal:plugin/auditing@0.1.0#[method]audit.derivations")
                    (param i32) (result i64) (i64.const 0))
                (func (export "iamseal:plugin/migration@0.1.0#[method]run.derivations")
                    (param i32) (result i64) (i64.const 0))
                (func (export "iamseal:plugin/migration@0.1.0#start")
                    (param i32) (result i32)
                    (i32.store8 (i32.const 16) (i32.const 0))
                    (i32.store (i32.const 24) (call $new_run (i32.const 1)))
                    (i32.const 16))
                (func (export "iamseal:plugin/migration@0.1.0#[method]run.next")
                    (param i32 i32) (result i32) {run_next})
            )"#
        );
        let mut module = wat::parse_str(text).unwrap();
        let mut wit = Resolve::default();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");
        let (package, _) = wit.push_dir(folder).unwrap();
        let world = wit.select_world(&[package], Some("plugin")).unwrap();
        embed_component_metadata(&mut module, &wit, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default()
            .module(&module)
            .unwrap()
            .validate(true)
            .encode()
            .unwrap()
    }

    /// A builder for a plugin of it, without a cache.
    pub fn plugin(&self) -> PluginBuilder {
        Plugin::builder()
            .component(self.build())
            .cache(CompileCache::Off)
    }
}

/// `keyring.candidates`.
pub const IMPORT_CANDIDATES: &str = r#"(import "iamseal:plugin/keyring@0.1.0" "candidates"
    (func $candidates (param i32 i32 i32)))"#;
/// `keyring.key.open`.
pub const IMPORT_OPEN: &str = r#"(import "iamseal:plugin/keyring@0.1.0" "[method]key.open"
    (func $open (param i32 i32 i32 i32 i32 i32)))"#;
/// `keyring.root-key.derive`.
pub const IMPORT_DERIVE: &str = r#"(import "iamseal:plugin/keyring@0.1.0" "[method]root-key.derive"
    (func $derive (param i32 i32 i32 i32 i32)))"#;
/// `key-maker.make`.
pub const IMPORT_MAKE: &str = r#"(import "iamseal:plugin/key-maker@0.1.0" "make"
    (func $make (param i32 i32 i32 i32 i32)))"#;
/// `keyring.root-credentials`.
pub const IMPORT_CREDENTIALS: &str = r#"(import "iamseal:plugin/keyring@0.1.0" "root-credentials"
    (func $root_credentials (param i32)))"#;
/// `storage.list`.
pub const IMPORT_LIST: &str = r#"(import "iamseal:plugin/storage@0.1.0" "list"
    (func $list (param i32 i32 i32 i32 i32 i32)))"#;
/// `storage.cursor.next`.
pub const IMPORT_NEXT: &str = r#"(import "iamseal:plugin/storage@0.1.0" "[method]cursor.next"
    (func $next (param i32 i32)))"#;
/// `storage.read`.
pub const IMPORT_READ: &str = r#"(import "iamseal:plugin/storage@0.1.0" "read"
    (func $read (param i32 i32 i32)))"#;
/// `storage-writer.stage`.
pub const IMPORT_STAGE: &str = r#"(import "iamseal:plugin/storage-writer@0.1.0" "stage"
    (func $stage (param i32 i32 i32)))"#;
/// `diagnostics.panicked`.
pub const IMPORT_PANICKED: &str = r#"(import "iamseal:plugin/diagnostics@0.1.0" "panicked"
    (func $panicked (param i32 i32)))"#;
/// `random.get-random-bytes`.
pub const IMPORT_RANDOM: &str = r#"(import "wasi:random/random@0.2.6" "get-random-bytes"
    (func $random (param i64 i32)))"#;

/// A keyring that lends one root credential, and whose key server never answers.
#[derive(Default)]
pub struct Hanging {
    /// How often the credentials were lent.
    pub lent: AtomicUsize,
}

impl Keyring for Hanging {
    fn default_key(&self) -> Option<String> {
        None
    }

    fn candidates(&self, _name: &str) -> Result<Vec<Key>, KeyError> {
        Ok(vec![Key::server(Silent)])
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        self.lent.fetch_add(1, Ordering::Relaxed);
        vec![RootCredential {
            user: "user".to_owned(),
            password: Zeroizing::new("password".to_owned()),
        }]
    }
}

/// A key in a server that never answers.
struct Silent;

#[async_trait::async_trait]
impl ServerKey for Silent {
    async fn make(&self, _associated_data: &[u8]) -> Result<DataKey, KeyError> {
        std::future::pending().await
    }

    async fn open(
        &self,
        _ciphertext: &[u8],
        _associated_data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        std::future::pending().await
    }
}

/// The version of every object of [`Asked`].
pub const VERSION: &[u8] = b"c";

/// A prefix, and where a listing of it begins.
pub type Listed = (Vec<u8>, Option<Vec<u8>>);

/// A store that remembers what it was asked for.
#[derive(Default)]
pub struct Asked {
    /// The paths that it lists, whatever the prefix is.
    pub holds: Vec<Vec<u8>>,
    /// The prefixes and beginnings that were to be listed.
    pub listed: Mutex<Vec<Listed>>,
    /// The paths that were to be read.
    pub paths: Mutex<Vec<Vec<u8>>>,
    /// The paths that were to be written.
    pub written: Mutex<Vec<Vec<u8>>>,
}

#[async_trait::async_trait]
impl StorageWriter for Asked {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let staged = changes.into_iter().map(|change| {
            self.written.lock().unwrap().push(change.path().to_vec());
            Err(StorageError::NotFound)
        });
        staged.collect()
    }

    async fn commit(
        &self,
        _drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        Vec::new()
    }
}

#[async_trait::async_trait]
impl Storage for Asked {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        let asked = (prefix.to_vec(), start_after.map(<[u8]>::to_vec));
        self.listed.lock().unwrap().push(asked);
        Ok(Box::new(OnePage(self.holds.clone())))
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        self.paths.lock().unwrap().push(path.to_vec());
        match self.holds.iter().any(|held| held == path) {
            true => Ok(Stored {
                bytes: b"{}".to_vec(),
                version: VERSION.to_vec(),
            }),
            false => Err(StorageError::NotFound),
        }
    }
}

struct OnePage(Vec<Vec<u8>>);

#[async_trait::async_trait]
impl Cursor for OnePage {
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(std::mem::take(&mut self.0))
    }
}

/// Any store.
pub fn store() -> Arc<Asked> {
    Arc::new(Asked::default())
}
