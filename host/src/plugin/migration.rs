//! Migrations: bringing every object of a store to one form and key.

use std::sync::Arc;

use crate::awake::timeout_at;
use crate::contract::generated::exports::iamseal::plugin::migration::Plan;
use crate::contract::{SealOptions, Shard, Step, Target};
use crate::error::Error;

use super::grant::Grant;
use super::instance::Pool;
use super::trace::{observed, shown};
use super::walk::{BATCH, Walk};

/// A migration to do.
#[derive(Clone, Debug)]
pub struct MigrationPlan {
    /// Only paths that begin with this, byte for byte; empty: all.
    pub prefix: Vec<u8>,
    /// Only paths after this one: to go on where another run ended.
    pub start_after: Option<Vec<u8>>,
    /// One worker's share of the objects; none: all of them.
    pub shard: Option<Shard>,
    /// What the objects are to become.
    pub target: Target,
    /// Open everything, write nothing. The component is then not even lent a way to write.
    pub dry_run: bool,
    /// Whether every root credential is tried on every object. Without it objects that none opens cost
    /// a bounded time: of those that follow some may fail with `credential-untried`.
    pub try_all_credentials: bool,
    /// Whether plaintext objects that no server loads ([`crate::contract::ObjectError::NotLoadable`]) are sealed too. Without
    /// it they stay as they are.
    pub not_loadable_too: bool,
}

impl Default for MigrationPlan {
    /// Every object, sealed with [`SealOptions::default`].
    fn default() -> Self {
        Self {
            prefix: Vec::new(),
            start_after: None,
            shard: None,
            target: Target::Sealed(SealOptions::default()),
            dry_run: false,
            try_all_credentials: false,
            not_loadable_too: false,
        }
    }
}

/// A migration that is under way. Drop it to stop: objects that were reported are done, all others
/// are as they were.
///
/// It holds an instance of the component for itself, and lends it nothing but the store below its
/// prefix and the keys.
pub struct Migration {
    walk: Walk,
    derivations: u64,
}

impl Migration {
    pub(super) async fn start(
        pool: &Arc<Pool>,
        store_name: &str,
        plan: &MigrationPlan,
    ) -> Result<Self, Error> {
        let grant = Grant::migrate(&plan.prefix, plan.start_after.as_deref(), plan.dry_run);
        let mut instance = pool.take(grant).await?;
        let given = Plan {
            store: store_name.to_owned(),
            prefix: plan.prefix.clone(),
            start_after: plan.start_after.clone(),
            shard: plan.shard.map(Into::into),
            target: plan.target.clone().into(),
            dry_run: plan.dry_run,
            try_all_credentials: plan.try_all_credentials,
            not_loadable_too: plan.not_loadable_too,
        };
        let (exports, store, until) = instance.parts();
        let call = async {
            let migration = &exports.writer()?.migration;
            migration.call_start(store, &given).await
        };
        let begun = timeout_at(until, call).await;
        let resource = match pool.settle(&instance, begun)? {
            Ok(resource) => resource,
            Err(error) => {
                pool.put(instance);
                return Err(error.into());
            }
        };
        let (prefix, last) = (given.prefix, given.start_after);
        Ok(Self {
            walk: Walk::new(Arc::clone(pool), instance, resource, prefix, last),
            derivations: 0,
        })
    }

    /// Handles up to `limit` further objects, at most 256 and at least one, as one batch that
    /// shares the cost of durability, and returns when all of it is durable. Empty at the end.
    ///
    /// # Errors
    /// [`Error::Object`] if the listing failed, and those of every call of a plugin. None of them
    /// is about a single object, and after any the migration is over: [`Error::Ended`]. So it is
    /// if the future is dropped before it is ready. What the step had done by then stays done, and
    /// every object is whole, in its old form or in its new one.
    pub async fn next(&mut self, limit: u32) -> Result<Vec<Step>, Error> {
        let span = tracing::debug_span!("migrate", after = self.walk.last(), outcome = shown());
        observed("migrate", span, self.step(limit)).await
    }

    /// How many keys the component says it had derived of root credentials when the last step began,
    /// see [`super::Audit::derivations`].
    pub fn derivations(&self) -> u64 {
        self.derivations
    }

    async fn step(&mut self, limit: u32) -> Result<Vec<Step>, Error> {
        let limit = limit.clamp(1, BATCH);
        let Some((mut instance, resource)) = self.walk.begin()? else {
            return Ok(Vec::new());
        };
        let pool = self.walk.pool();
        let (exports, store, until) = instance.parts();
        let call = async {
            let run = exports.writer()?.migration.run();
            // Asked before and not after, so that no steps are lost if this is what fails.
            let derivations = run.call_derivations(&mut *store, resource).await?;
            let steps = run.call_next(store, resource, limit).await?;
            Ok((derivations, steps))
        };
        let handled = timeout_at(until, call).await;
        let (derivations, steps) = pool.settle(&instance, handled)?;
        self.derivations = derivations;
        self.walk
            .end(instance, resource, steps, limit, |step: &Step| &step.path)
            .await
    }
}
