//! The plugin: a component that was loaded, what it is lent, and the limits of its calls.

mod audit;
mod auditor;
mod builder;
mod cache;
mod description;
pub(crate) mod drives;
mod engine;
mod exports;
mod grant;
mod identity;
mod instance;
pub(crate) mod lend;
mod limits;
mod meter;
mod metrics;
mod migration;
mod precompiled;
mod self_test;
mod slot;
mod source;
mod trace;
mod walk;
mod world;

#[cfg(feature = "object-store")]
use std::sync::Arc;

use crate::awake::timeout_at;
use crate::contract::{Description, Opened, Policy, SealOptions};
use crate::error::Error;
#[cfg(feature = "object-store")]
use crate::storage::{Storage, StorageWriter};

pub use audit::{Audit, AuditScope};
pub use auditor::Auditor;
pub use builder::PluginBuilder;
pub use cache::CompileCache;
pub use description::ComponentDescription;
pub use identity::Identity;
pub(crate) use identity::hex;
pub use limits::{Limit, Limits};
pub use migration::{Migration, MigrationPlan};
pub use slot::{PluginSlot, Swapped};

use grant::Grant;
use trace::{observed, path as shown_path, shown};

/// A component that seals, opens, audits and migrates objects, ready to be called from any number
/// of tasks at once. A clone is the same plugin. The half of it that reads is an [`Auditor`].
///
/// Every call must be made within a tokio runtime that has its timer enabled; outside of one it
/// panics. A call computes on the thread that polls it and yields every 10 ms. It reaches only what
/// it needs of what was lent: sealing reaches one key, inspecting none, an audit no way to write.
///
/// # Errors of every call
/// - [`Error::Object`]: the plugin's answer about the object;
/// - [`Error::Limit`]: a limit of [`Limits`] was reached;
/// - [`Error::Trap`]: the component failed.
///
/// After a limit or a failure the next call starts afresh.
#[derive(Clone)]
pub struct Plugin {
    reader: Auditor,
}

impl Plugin {
    /// Begins with no component, nothing lent, and the default limits.
    pub fn builder() -> PluginBuilder {
        PluginBuilder::default()
    }

    /// Which component this is.
    pub fn identity(&self) -> &Identity {
        self.reader.identity()
    }

    /// What its calls may use.
    pub fn limits(&self) -> &Limits {
        self.reader.limits()
    }

    /// The name of the store that compact objects are bound to; empty if none was given.
    pub fn store_name(&self) -> &str {
        self.reader.store_name()
    }

    /// The same plugin with another store lent.
    #[cfg(feature = "object-store")]
    pub(crate) fn with_store(
        &self,
        storage: Arc<dyn Storage>,
        writer: Arc<dyn StorageWriter>,
    ) -> Self {
        let lent = lend::Lent {
            storage: Some(storage),
            storage_writer: Some(writer),
            ..self.reader.pool.lent().clone()
        };
        Self {
            reader: Auditor {
                pool: Arc::new(self.reader.pool.with(lent)),
                store_name: Arc::clone(&self.reader.store_name),
            },
        }
    }

    /// The key for new objects, if the keyring that was lent names one.
    #[cfg(feature = "object-store")]
    pub(crate) fn default_key(&self) -> Option<String> {
        self.reader.pool.lent().keyring.as_ref()?.default_key()
    }

    /// A builder with no component that lends the same as this plugin was lent, under the same
    /// limits: for another component to take its place.
    pub fn successor(&self) -> PluginBuilder {
        PluginBuilder::like(self)
    }

    /// The half of it that reads.
    pub fn reader(&self) -> &Auditor {
        &self.reader
    }

    /// See [`Auditor::unseal`].
    ///
    /// # Errors
    /// As there.
    pub async fn unseal(
        &self,
        path: &[u8],
        stored: &[u8],
        policy: Policy,
    ) -> Result<Opened, Error> {
        self.reader.unseal(path, stored, policy).await
    }

    /// See [`Auditor::inspect`].
    ///
    /// # Errors
    /// As there.
    pub async fn inspect(&self, stored: &[u8]) -> Result<Description, Error> {
        self.reader.inspect(stored).await
    }

    /// See [`Auditor::audit`].
    ///
    /// # Errors
    /// As there.
    pub async fn audit(&self, scope: &AuditScope) -> Result<Audit, Error> {
        self.reader.audit(scope).await
    }

    /// Seals `plaintext` for the object at `path`, with fresh keys and nonces, and returns the
    /// bytes to store. They are some hundred bytes more, and 16 for each 16 KiB; both have to be within [`Limits::object_bytes`]. No bytes at all are
    /// sealed like any others.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`] and [`Error::Contract`], as every call, and [`Error::Object`] with `Refused` for a path
    /// that is empty, exempt or leads out of the store; `NoKey` if no key is named and there is no default key; `Key` if the key cannot be used; `NoCredential` of RustFS' form without a root credential.
    pub async fn seal(
        &self,
        path: &[u8],
        plaintext: &[u8],
        options: &SealOptions,
    ) -> Result<Vec<u8>, Error> {
        let span = tracing::debug_span!("seal", path = shown_path(path), outcome = shown());
        observed("seal", span, self.call_seal(path, plaintext, options)).await
    }

    /// Begins to bring every object of the store that was lent to one form and key. Nothing is
    /// read or written before the first step.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`] and [`Error::Contract`], as every call, and [`Error::Object`] with `Refused` for a plan
    /// that cannot be carried out, `NoKey` or `Key` if its key is not lent. What becomes of an object is in its step.
    pub async fn migrate(&self, plan: &MigrationPlan) -> Result<Migration, Error> {
        Migration::start(&self.reader.pool, &self.reader.store_name, plan).await
    }

    async fn call_seal(
        &self,
        path: &[u8],
        plaintext: &[u8],
        options: &SealOptions,
    ) -> Result<Vec<u8>, Error> {
        let pool = &self.reader.pool;
        pool.check_size(plaintext.len())?;
        let mut instance = pool.take(Grant::seal(options)).await?;
        let (exports, store, until) = instance.parts();
        let location = self.reader.location(path);
        let options = options.clone().into();
        let call = async {
            let sealing = &exports.writer()?.sealing;
            sealing
                .call_seal(store, &location, plaintext, &options)
                .await
        };
        let sealed = timeout_at(until, call).await;
        let sealed = pool.settle(&instance, sealed)?;
        pool.put(instance);
        let sealed = sealed?;
        pool.check_size(sealed.len())?;
        Ok(sealed)
    }
}
