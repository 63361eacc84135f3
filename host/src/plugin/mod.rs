//! The plugin: a component that was loaded, what it is lent, and the limits of its calls.

mod audit;
mod builder;
mod engine;
mod grant;
mod identity;
mod instance;
pub(crate) mod lend;
mod limits;
mod meter;
mod migration;
mod trace;
mod walk;
mod world;

use std::sync::Arc;

use tracing::Instrument;
use zeroize::Zeroizing;

use crate::contract::{Description, Opened, Policy, SealOptions};
use crate::error::Error;

pub use audit::{Audit, AuditScope};
pub use builder::PluginBuilder;
pub use engine::CompileCache;
pub use identity::Identity;
pub use limits::{Limit, Limits};
pub use migration::{Migration, MigrationPlan};

use grant::Grant;
use instance::Pool;
use trace::{outcome, path as shown_path, shown};

/// A component that seals, opens, audits and migrates objects, ready to be called from any number
/// of tasks at once. A clone is the same plugin.
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
    pool: Arc<Pool>,
    store_name: Arc<str>,
}

impl Plugin {
    /// Begins with no component, nothing lent, and the default limits.
    pub fn builder() -> PluginBuilder {
        PluginBuilder::default()
    }

    /// Which component this is.
    pub fn identity(&self) -> &Identity {
        &self.pool.identity
    }

    /// Seals `plaintext` for the object at `path`, with fresh keys and nonces, and returns the
    /// bytes to store.
    ///
    /// # Errors
    /// Those of every call. The objects' errors are listed in `wit/sealing.wit` at `seal`.
    pub async fn seal(
        &self,
        path: &[u8],
        plaintext: &[u8],
        options: &SealOptions,
    ) -> Result<Vec<u8>, Error> {
        let span = tracing::debug_span!("seal", path = shown_path(path), outcome = shown());
        let call = self.call_seal(path, plaintext, options);
        let sealed = call.instrument(span.clone()).await;
        outcome(&span, sealed)
    }

    /// Opens the bytes that are stored at `path`, and says what they were. All or nothing.
    ///
    /// # Errors
    /// Those of every call. The objects' errors are listed in `wit/types.wit` at `error`.
    pub async fn unseal(
        &self,
        path: &[u8],
        stored: &[u8],
        policy: Policy,
    ) -> Result<Opened, Error> {
        let span = tracing::debug_span!("unseal", path = shown_path(path), outcome = shown());
        let call = self.call_unseal(path, stored, policy);
        let opened = call.instrument(span.clone()).await;
        outcome(&span, opened)
    }

    /// Says what can be seen of stored bytes without any key. None of it is authenticated.
    ///
    /// # Errors
    /// Those of every call. The objects' errors are listed in `wit/sealing.wit` at `inspect`.
    pub async fn inspect(&self, stored: &[u8]) -> Result<Description, Error> {
        let span = tracing::debug_span!("inspect", outcome = shown());
        let described = self.call_inspect(stored).instrument(span.clone()).await;
        outcome(&span, described)
    }

    /// Begins to look at every object of the store that was lent.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn audit(&self, scope: &AuditScope) -> Result<Audit, Error> {
        Audit::start(&self.pool, &self.store_name, scope).await
    }

    /// Begins to bring every object of the store that was lent to one form and key. Nothing is
    /// read or written before the first step.
    ///
    /// # Errors
    /// Those of every call. The objects' errors are listed in `wit/migration.wit` at `start`.
    pub async fn migrate(&self, plan: &MigrationPlan) -> Result<Migration, Error> {
        Migration::start(&self.pool, &self.store_name, plan).await
    }

    async fn call_seal(
        &self,
        path: &[u8],
        plaintext: &[u8],
        options: &SealOptions,
    ) -> Result<Vec<u8>, Error> {
        self.check_size(plaintext.len())?;
        let pool = &self.pool;
        let mut instance = pool.take(Grant::seal(options)).await?;
        let (guest, store) = instance.parts();
        let sealing = guest.iamseal_plugin_sealing();
        let path = path.to_vec();
        let sealed = pool
            .within(sealing.call_seal(store, &self.store_name, &path, plaintext, options))
            .await;
        let sealed = pool.settle(&instance, sealed)?;
        pool.put(instance);
        let sealed = sealed?;
        self.check_size(sealed.len())?;
        Ok(sealed)
    }

    async fn call_unseal(
        &self,
        path: &[u8],
        stored: &[u8],
        policy: Policy,
    ) -> Result<Opened, Error> {
        self.check_size(stored.len())?;
        let pool = &self.pool;
        let mut instance = pool.take(Grant::unseal(policy)).await?;
        let (guest, store) = instance.parts();
        let sealing = guest.iamseal_plugin_sealing();
        let path = path.to_vec();
        let opened = pool
            .within(sealing.call_unseal(store, &self.store_name, &path, stored, policy))
            .await;
        let opened = pool.settle(&instance, opened)?;
        pool.put(instance);
        let opened = opened?;
        let plaintext = Zeroizing::new(opened.plaintext);
        self.check_size(plaintext.len())?;
        Ok(Opened {
            plaintext,
            found: opened.found,
        })
    }

    async fn call_inspect(&self, stored: &[u8]) -> Result<Description, Error> {
        self.check_size(stored.len())?;
        let pool = &self.pool;
        let mut instance = pool.take(Grant::default()).await?;
        let (guest, store) = instance.parts();
        let described = pool
            .within(guest.iamseal_plugin_sealing().call_inspect(store, stored))
            .await;
        let described = pool.settle(&instance, described)?;
        pool.put(instance);
        Ok(described?)
    }

    fn check_size(&self, size: usize) -> Result<(), Error> {
        let allowed = self.pool.limits.object_bytes;
        match size > allowed {
            true => Err(self.pool.refuse(Limit::Object, size as u64, allowed as u64)),
            false => Ok(()),
        }
    }
}
