//! The half of a plugin that reads.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::awake::timeout_at;
use crate::contract::generated::iamseal::plugin::types::Location;
use crate::contract::{Description, Opened, Policy};
use crate::error::Error;

use super::audit::{Audit, AuditScope};
use super::grant::Grant;
use super::identity::Identity;
use super::instance::Pool;
use super::limits::Limits;
use super::trace::{observed, path as shown_path, shown};

/// A component that opens, describes and audits objects. One that was loaded with
/// [`super::PluginBuilder::load_auditor`] has no way to write, seal or make a key, because it was
/// linked with nothing that could; one from [`super::Plugin::reader`] is a whole plugin, used for
/// this alone. What is said of the calls of a [`super::Plugin`] holds here too. A clone is the same
/// auditor.
#[derive(Clone)]
pub struct Auditor {
    pub(super) pool: Arc<Pool>,
    pub(super) store_name: Arc<str>,
}

impl Auditor {
    /// Which component this is.
    pub fn identity(&self) -> &Identity {
        &self.pool.identity
    }

    /// What its calls may use.
    pub fn limits(&self) -> &Limits {
        &self.pool.limits
    }

    /// The name of the store that compact objects are bound to; empty if none was given.
    pub fn store_name(&self) -> &str {
        &self.store_name
    }

    /// Opens the bytes that are stored at `path`, and says what they were. All or nothing.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`] and [`Error::Contract`], as every call, and [`Error::Object`]: every case of
    /// [`ObjectError`](crate::contract::ObjectError) but `Storage` and `NotLoadable`; `FormRefused` and `Outdated` by the policy.
    pub async fn unseal(
        &self,
        path: &[u8],
        stored: &[u8],
        policy: Policy,
    ) -> Result<Opened, Error> {
        let span = tracing::debug_span!("unseal", path = shown_path(path), outcome = shown());
        observed("unseal", span, self.call_unseal(path, stored, policy)).await
    }

    /// Says what can be seen of stored bytes without any key. None of it is authenticated.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`] and [`Error::Contract`], as every call, and [`Error::Object`] with `Empty`,
    /// `UnknownForm`, `Malformed` or `Unsupported`.
    pub async fn inspect(&self, stored: &[u8]) -> Result<Description, Error> {
        let span = tracing::debug_span!("inspect", outcome = shown());
        observed("inspect", span, self.call_inspect(stored)).await
    }

    /// Begins to look at every object of the store that was lent.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn audit(&self, scope: &AuditScope) -> Result<Audit, Error> {
        Audit::start(&self.pool, &self.store_name, scope).await
    }

    /// Where an object of this store stands.
    pub(super) fn location(&self, path: &[u8]) -> Location {
        Location {
            store: self.store_name.to_string(),
            path: path.to_vec(),
        }
    }

    pub(super) async fn call_unseal(
        &self,
        path: &[u8],
        stored: &[u8],
        policy: Policy,
    ) -> Result<Opened, Error> {
        let pool = &self.pool;
        pool.check_size(stored.len())?;
        let mut instance = pool.take(Grant::unseal(policy)).await?;
        let (exports, store, until) = instance.parts();
        let location = self.location(path);
        let call = exports
            .opening
            .call_unseal(store, &location, stored, policy.into());
        let opened = timeout_at(until, call).await;
        let opened = pool.settle(&instance, opened)?;
        pool.put(instance);
        let opened = opened?;
        let plaintext = Zeroizing::new(opened.plaintext);
        pool.check_size(plaintext.len())?;
        Ok(Opened {
            plaintext,
            found: opened.found.into(),
        })
    }

    pub(super) async fn call_inspect(&self, stored: &[u8]) -> Result<Description, Error> {
        let pool = &self.pool;
        pool.check_size(stored.len())?;
        let mut instance = pool.take(Grant::default()).await?;
        let (exports, store, until) = instance.parts();
        let call = exports.opening.call_inspect(store, stored);
        let described = timeout_at(until, call).await;
        let described = pool.settle(&instance, described)?;
        pool.put(instance);
        Ok(described?.into())
    }
}
