//! What an audit and a migration have in common: an instance for the whole way, and paths that
//! only go forward.

use std::sync::Arc;

use tracing::field::DebugValue;
use wasmtime::component::ResourceAny;

use crate::awake::timeout_at;
use crate::contract::generated::iamseal::plugin::types;
use crate::describe::name;
use crate::error::Error;

use super::instance::{Instance, Pool};
use super::trace::path as shown_path;

/// Objects in one step, whatever the caller asks for: enough to share the cost of durability, few
/// enough for a step to stay within the limits of a call, and for the two file descriptors that a
/// draft of the directory store holds to stay within the usual 1024.
pub(super) const BATCH: u32 = 256;

/// An audit or a migration inside an instance.
pub(super) struct Walk {
    pool: Arc<Pool>,
    /// None during a step, after the end, and for ever after a step that failed or was dropped.
    under_way: Option<(Instance, ResourceAny)>,
    done: bool,
    prefix: Vec<u8>,
    last: Option<Vec<u8>>,
}

impl Walk {
    pub fn new(
        pool: Arc<Pool>,
        instance: Instance,
        resource: ResourceAny,
        prefix: Vec<u8>,
        last: Option<Vec<u8>>,
    ) -> Self {
        Self {
            pool,
            under_way: Some((instance, resource)),
            done: false,
            prefix,
            last,
        }
    }

    pub fn pool(&self) -> Arc<Pool> {
        Arc::clone(&self.pool)
    }

    /// The last path that was reported, for people.
    pub fn last(&self) -> Option<DebugValue<String>> {
        self.last.as_deref().map(shown_path)
    }

    /// Takes out the instance for a step; none after the end. A step that is dropped half way does
    /// not put it back, so that it is not taken for the end.
    ///
    /// # Errors
    /// [`Error::Ended`].
    pub fn begin(&mut self) -> Result<Option<(Instance, ResourceAny)>, Error> {
        match self.under_way.take() {
            Some((mut instance, resource)) => {
                instance.go_on(self.pool.until());
                Ok(Some((instance, resource)))
            }
            None if self.done => Ok(None),
            None => Err(Error::Ended),
        }
    }

    /// Takes in what a step reported about these paths, `limit` of them at most.
    ///
    /// # Errors
    /// The step's own; [`Error::Contract`] for more paths than that, and for paths that are not in the
    /// scope or not each after all before it: such a walk could go on for ever, or count an object
    /// twice.
    pub async fn end<G, T: From<G>>(
        &mut self,
        instance: Instance,
        resource: ResourceAny,
        report: Result<Vec<G>, types::Error>,
        limit: u32,
        path: impl Fn(&T) -> &[u8],
    ) -> Result<Vec<T>, Error> {
        let report: Vec<T> = match report {
            Ok(report) => report.into_iter().map(T::from).collect(),
            Err(error) => {
                close(self.pool(), instance, resource).await;
                return Err(error.into());
            }
        };
        if report.is_empty() {
            close(self.pool(), instance, resource).await;
            self.done = true;
            return Ok(report);
        }
        let broken = |message| Error::Contract {
            component: self.pool.identity.to_string(),
            message,
        };
        if report.len() > limit as usize {
            let count = report.len();
            return Err(broken(format!(
                "it reported {count} objects of {limit} asked for"
            )));
        }
        let mut last = self.last.as_deref();
        for path in report.iter().map(&path) {
            if !path.starts_with(&self.prefix) || last.is_some_and(|last| path <= last) {
                return Err(broken(format!(
                    "it reported {}, which is outside its scope or not in order",
                    name(&String::from_utf8_lossy(path))
                )));
            }
            last = Some(path);
        }
        self.last = last.map(<[u8]>::to_vec);
        self.under_way = Some((instance, resource));
        Ok(report)
    }
}

/// Drops the resource inside the component, and if that goes well, gives the instance back. Holds no
/// walk, which may not be shared between threads, so that a step can be a task of its own.
async fn close(pool: Arc<Pool>, mut instance: Instance, resource: ResourceAny) {
    instance.take_back(pool.until());
    let (_, store, until) = instance.parts();
    let dropped = timeout_at(until, resource.resource_drop_async(store)).await;
    match pool.settle(&instance, dropped) {
        Ok(()) => pool.put(instance),
        // The work is done; all that is lost is a warm instance.
        Err(error) => tracing::debug!(%error, "an instance is not used again"),
    }
}
