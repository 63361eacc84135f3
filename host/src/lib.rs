//! Opens, seals, audits and migrates the IAM and configuration objects of MinIO and
//! MinIO-compatible servers, inside a WebAssembly component that reaches nothing but what it is lent.
//!
//! A [`Plugin`] is a component that was loaded, an [`Auditor`] one that has no way to write. What it works with, a host lends it: a
//! [`keys::Keyring`], a [`storage::Storage`] and a
//! [`storage::StorageWriter`]. What is not lent is refused, and each call reaches only what it
//! needs of the rest. [`Limits`] hold at all times. Nothing here knows how an object is built: that
//! is the component's business, and another file can take its place without a rebuild of the host.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use iamseal::contract::{Policy, SealOptions};
//! use iamseal::keys::{StaticKey, StaticKeyring};
//! use iamseal::{Error, Plugin};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = StaticKey::generate("my-key")?;
//! let keyring = StaticKeyring::new().key(key).default_key("my-key")?;
//! let plugin = Plugin::builder()
//!     .component_file("iamseal.wasm")
//!     .keyring(Arc::new(keyring))
//!     .load()
//!     .await?;
//!
//! let path = b"config/iam/users/alice/identity.json";
//! let identity = br#"{"version":1}"#;
//! let sealed = plugin.seal(path, identity, &SealOptions::default()).await?;
//! let opened = plugin.unseal(path, &sealed, Policy::Sealed).await?;
//! assert_eq!(*opened.plaintext, identity);
//!
//! // Another path, another object: it does not open.
//! let moved = plugin.unseal(b"config/iam/users/bob/identity.json", &sealed, Policy::Sealed);
//! assert!(matches!(moved.await, Err(Error::Object(_))));
//! # Ok(())
//! # }
//! ```
//!
//! A whole store is gone through in steps, so that progress, pacing and stopping are the caller's:
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use iamseal::contract::Outcome;
//! use iamseal::keys::Environment;
//! use iamseal::storage::DirStore;
//! use iamseal::{MigrationPlan, Plugin};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keyring = Environment::of_process()?.keyring()?;
//! let store = Arc::new(DirStore::open(Path::new("/data/.minio.sys"))?);
//! let plugin = Plugin::builder()
//!     .component_file("iamseal.wasm")
//!     .keyring(Arc::new(keyring))
//!     .storage(store.clone())
//!     .storage_writer(store)
//!     .load()
//!     .await?;
//!
//! let plan = MigrationPlan {
//!     prefix: b"config/".to_vec(),
//!     dry_run: true,
//!     ..MigrationPlan::default()
//! };
//! let mut migration = plugin.migrate(&plan).await?;
//! loop {
//!     let steps = migration.next(64).await?;
//!     if steps.is_empty() {
//!         break;
//!     }
//!     for step in steps {
//!         if let Outcome::Failed(error) = step.outcome {
//!             let path = String::from_utf8_lossy(&step.path);
//!             println!("{path}: {}", iamseal::describe(&error));
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The component
//! `iamseal.wasm` is a file of a release, and its digest is in the release's `SHA256SUMS`: name it with
//! [`PluginBuilder::component_sha256`]. In the sources `cargo xtask dist` makes both, in `target/dist/`. Its bytes can be a part of a
//! program, by `include_bytes!` and [`PluginBuilder::component`]. In a build without optimisation wasmtime takes some ten
//! seconds to compile it, once: `[profile.dev.package."*"] opt-level = 2` makes that one.
//!
//! # Paths
//! An object is bound to its path, parts separated by `/`, as MinIO binds it: empty parts and `.` are left out, `..` takes the
//! part before it, and a path that leads out of the store is refused. So what was sealed at `a//b` opens at `a/b`. Let a server
//! decide who may do what by the path without such parts; [`storage::DirStore`] takes no others.
//! What [`is_exempt`] names is neither sealed nor migrated.
//!
//! # Answers of a server
//! An [`Error`] can be shown to a client: no case holds a secret. Whose fault it is, [`Error::cause`] and the case tell:
//!
//! | case | answer |
//! |---|---|
//! | [`Error::Object`] with `Storage(NotFound)` | 404 |
//! | with `Storage(Conflict)` | 409: it was written meanwhile |
//! | with `Storage(TooLarge)`, and [`Error::Limit`] with [`Limit::Object`] | 413 |
//! | with `Key` (`Unavailable`), and [`Error::Limit`] otherwise | 503: try again |
//! | with `NoKey`, `Key` or `Storage` otherwise | 500: how the server is set up |
//! | with anything else, such as `Empty`, `HeaderNotAuthentic` or `FormRefused` | 422: the object |
//! | any other | 500 |
//!
//! # Features
//! None is on by default.
//! - `manifest`: the module `manifest`, a sealed list of what a store holds, which shows
//!   that an object was rolled back, swapped, added or removed.
//! - `kes`: the module `keys::kes`, keys in a KES server; with it [`keys::Environment`]
//!   takes MinIO's variables for KES too.
//! - `object-store`: `SealedStore`, which wraps any store of the crate `object_store` and migrates it while it
//!   serves.
//! - `etcd`: `storage::EtcdStore`, a store in etcd.
//! - `s3`: `storage::BucketStore`, a store in a bucket.
//! - `metrics`: counts, through the facade of the crate `metrics`, for whatever exporter a server
//!   installs.
//!
//! | metric | labels |
//! |---|---|
//! | `iamseal_calls_total` | `call`: `seal`, `unseal`, `inspect`, `audit` or `migrate` (a step each); `outcome`: `ok`, `cancelled` if it was dropped, or [`Error::cause`] |
//! | `iamseal_call_duration_seconds` | `call` |
//! | `iamseal_key_service_calls_total` | `call`: `decrypt` or `generate`; `outcome` |
//! | `iamseal_key_service_duration_seconds` | `call` |
//! | `iamseal_migration_objects` | `state`, of a migration in the background: `current`, `exempt`, `failed` (does not open), `left` (is tried again) or `waiting` |

mod awake;
pub mod contract;
mod error;
mod exempt;
pub mod journal;
pub mod keys;
#[cfg(feature = "manifest")]
pub mod manifest;
#[cfg(any(feature = "etcd", feature = "kes", feature = "s3"))]
mod network;
mod plugin;
mod private;
#[cfg(feature = "object-store")]
pub mod sealed_store;
pub mod storage;

use iamseal_words::{describe, shown};

pub use describe::{describe, describe_key, describe_storage};
pub use error::Error;
pub use exempt::is_exempt;
pub use plugin::{
    Audit, AuditScope, Auditor, CompileCache, ComponentDescription, Identity, Limit, Limits,
    Migration, MigrationPlan, Plugin, PluginBuilder, PluginSlot, Swapped,
};
pub use private::is_safe_place;
#[cfg(feature = "object-store")]
pub use sealed_store::SealedStore;
pub use shown::{harmless, shown};
