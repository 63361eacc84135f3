//! Audits: what is in a store, without changing it.

use std::sync::Arc;

use crate::awake::timeout_at;
use crate::contract::generated::exports::iamseal::plugin::auditing::Scope;
use crate::contract::{Finding, Policy};
use crate::error::Error;

use super::grant::Grant;
use super::instance::Pool;
use super::trace::{observed, shown};
use super::walk::{BATCH, Walk};

/// What an audit looks at. The default is everything, opened as MinIO opens it.
#[derive(Clone, Debug, Default)]
pub struct AuditScope {
    /// Only paths that begin with this, byte for byte; empty: all.
    pub prefix: Vec<u8>,
    /// Only paths after this one: to go on where another audit ended.
    pub start_after: Option<Vec<u8>>,
    /// Which forms may be opened.
    pub policy: Policy,
    /// Whether every root credential is tried on every object. Without it objects that none opens cost
    /// a bounded time: of those that follow some may fail with `credential-untried`.
    pub try_all_credentials: bool,
}

/// An audit that is under way. Drop it to stop.
///
/// It holds an instance of the component for itself, and lends it nothing but reading below its
/// prefix and the keys.
pub struct Audit {
    walk: Walk,
    derivations: u64,
}

impl Audit {
    pub(super) async fn start(
        pool: &Arc<Pool>,
        store_name: &str,
        scope: &AuditScope,
    ) -> Result<Self, Error> {
        let start_after = scope.start_after.as_deref();
        let grant = Grant::audit(scope.policy, &scope.prefix, start_after);
        let mut instance = pool.take(grant).await?;
        let given = Scope {
            store: store_name.to_owned(),
            prefix: scope.prefix.clone(),
            start_after: scope.start_after.clone(),
            policy: scope.policy.into(),
            try_all_credentials: scope.try_all_credentials,
        };
        let (exports, store, until) = instance.parts();
        let call = exports.auditing.call_start(store, &given);
        let begun = timeout_at(until, call).await;
        let resource = pool.settle(&instance, begun)?;
        let (prefix, last) = (given.prefix, given.start_after);
        Ok(Self {
            walk: Walk::new(Arc::clone(pool), instance, resource, prefix, last),
            derivations: 0,
        })
    }

    /// Looks at up to `limit` further objects, at most 256 and at least one. Empty at the end.
    ///
    /// # Errors
    /// [`Error::Object`] if the listing failed, and those of every call of a plugin. None of them
    /// is about a single object, and after any the audit is over: [`Error::Ended`]. So it is if
    /// the future is dropped before it is ready.
    pub async fn next(&mut self, limit: u32) -> Result<Vec<Finding>, Error> {
        let span = tracing::debug_span!("audit", after = self.walk.last(), outcome = shown());
        observed("audit", span, self.step(limit)).await
    }

    /// How many keys the component says it had derived of root credentials when the last step began.
    /// Each takes some 50 ms: what takes long where an audit does.
    pub fn derivations(&self) -> u64 {
        self.derivations
    }

    async fn step(&mut self, limit: u32) -> Result<Vec<Finding>, Error> {
        let limit = limit.clamp(1, BATCH);
        let Some((mut instance, resource)) = self.walk.begin()? else {
            return Ok(Vec::new());
        };
        let pool = self.walk.pool();
        let (exports, store, until) = instance.parts();
        let audit = exports.auditing.audit();
        let call = async {
            // Asked before and not after, so that no findings are lost if this is what fails.
            let derivations = audit.call_derivations(&mut *store, resource).await?;
            let findings = audit.call_next(store, resource, limit).await?;
            Ok((derivations, findings))
        };
        let looked = timeout_at(until, call).await;
        let (derivations, findings) = pool.settle(&instance, looked)?;
        self.derivations = derivations;
        self.walk
            .end(instance, resource, findings, limit, |finding: &Finding| {
                &finding.path
            })
            .await
    }
}
