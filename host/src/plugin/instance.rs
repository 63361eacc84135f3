//! Live instances of a component, and the calls they serve.
//!
//! A fresh instance costs 10 to 20 µs and a first Argon2id in it another 20 ms of page faults, so
//! instances are kept and used again: one call at a time, only after a call that ended well, and only
//! for calls that are lent the same, since a component can keep in its memory whatever it was lent. An
//! instance belongs to the future of its call. Whatever else becomes of that future, an error or
//! being dropped half way, the instance goes with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::InstancePre;
use wasmtime::{Engine, Store, Trap, WasmBacktrace};

use crate::awake::{Late, Moment, timeout_at};
use crate::describe::line;
use crate::error::Error;

use super::cache::CompileCache;
use super::engine::Clock;
use super::exports::{Exports, Indices};
use super::grant::Grant;
use super::identity::Identity;
use super::lend::{COMPONENT_HANDLES, Lent, State};
use super::limits::{Limit, Limits};
use super::meter::{Meter, Refusal};
use super::source::Compiled;
use super::world::World;

/// Calls that an instance serves. Bounds for how long something that a call left behind can live,
/// a fragmented memory or bytes that were not wiped; a fresh instance now and then costs nothing.
const CALLS: u32 = 4096;

/// One live instance.
pub(super) struct Instance {
    store: Store<State>,
    exports: Exports,
    calls: u32,
    /// What its calls are lent; none until the first.
    lent: Option<Grant>,
    /// When the call must have ended.
    until: Moment,
    /// The right to be in use; none while it is idle. Given back last of all, when the memory is free.
    permit: Option<OwnedSemaphorePermit>,
}

impl Instance {
    /// The component's functions, the store to call them in, and when the call must have ended.
    pub fn parts(&mut self) -> (&Exports, &mut Store<State>, Moment) {
        (&self.exports, &mut self.store, self.until)
    }

    /// Goes on with the grant of the call before, in a time of its own.
    pub fn go_on(&mut self, until: Moment) {
        self.until = until;
        self.store.data_mut().begin();
        self.store.set_epoch_deadline(1);
    }

    /// Takes back what was lent, for a last call in a time of its own.
    pub fn take_back(&mut self, until: Moment) {
        self.store.data_mut().lend(Grant::default());
        self.go_on(until);
    }
}

/// A component whose imports are bound and whose exports are found.
#[derive(Clone)]
pub(super) struct Linked {
    pub world: &'static World,
    pub pre: InstancePre<State>,
    pub exports: Indices,
    /// The component's interfaces, for errors.
    pub found: Vec<String>,
}

/// A component, ready to be instantiated, and its idle instances.
pub(super) struct Pool {
    pub identity: Identity,
    pub limits: Limits,
    pub cache: CompileCache,
    engine: Engine,
    clock: Clock,
    linked: Linked,
    lent: Lent,
    /// Those that came back last are last.
    idle: Mutex<Vec<Instance>>,
    in_use: Arc<Semaphore>,
}

impl Pool {
    pub fn new(
        compiled: Compiled,
        limits: Limits,
        cache: CompileCache,
        linked: Linked,
        lent: Lent,
    ) -> Self {
        let Compiled {
            identity,
            engine,
            clock,
            ..
        } = compiled;
        Self {
            identity,
            in_use: permits(&limits),
            limits,
            cache,
            engine,
            clock,
            linked,
            lent,
            idle: Mutex::default(),
        }
    }

    /// The same component with something else lent.
    pub fn with(&self, lent: Lent) -> Self {
        Self {
            identity: self.identity.clone(),
            limits: self.limits.clone(),
            cache: self.cache.clone(),
            engine: self.engine.clone(),
            clock: self.clock.clone(),
            linked: self.linked.clone(),
            lent,
            idle: Mutex::default(),
            in_use: permits(&self.limits),
        }
    }

    /// What the component is lent.
    pub fn lent(&self) -> &Lent {
        &self.lent
    }

    /// An instance for a call with this grant, whose time begins now: an idle one that was lent
    /// nothing else, or else a fresh one. It waits while as many as allowed are in use.
    ///
    /// # Errors
    /// [`Error::Limit`] if that takes too long; those of [`Pool::make`].
    pub async fn take(&self, grant: Grant) -> Result<Instance, Error> {
        let until = self.until();
        let permit = timeout_at(until, Arc::clone(&self.in_use).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(self.limit(Refusal {
                limit: Limit::InstancesInUse,
                asked: None,
                allowed: self.limits.instances_in_use as u64,
            }));
        };
        let mut instance = match self.take_idle(&grant) {
            Some(mut idle) => {
                idle.go_on(until);
                idle
            }
            // What its start took counts.
            None => self.make(until).await?,
        };
        instance.permit = Some(permit);
        instance.until = until;
        instance.calls += 1;
        if instance.lent.as_ref() != Some(&grant) {
            instance.lent = Some(grant.clone());
        }
        instance.store.data_mut().lend(grant);
        Ok(instance)
    }

    fn take_idle(&self, grant: &Grant) -> Option<Instance> {
        let mut idle = self.idle();
        let fits = |instance: &Instance| instance.lent.as_ref().is_none_or(|lent| lent == grant);
        let at = idle.iter().rposition(fits)?;
        Some(idle.remove(at))
    }

    /// When a call that begins now must have ended.
    pub fn until(&self) -> Moment {
        Moment::now().after(self.limits.deadline)
    }

    /// A fresh instance that was lent nothing and is not in use.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`] from the component's start; [`Error::Incompatible`] if a
    /// function has another type than the world says.
    pub async fn make(&self, until: Moment) -> Result<Instance, Error> {
        let meter = Meter::new(self.limits.clone(), self.clock.clone());
        let mut store = Store::new(&self.engine, State::new(self.lent.clone(), meter));
        store.limiter(|state| &mut state.meter);
        store.epoch_deadline_callback(|mut store| store.data_mut().meter.tick());
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(self.limits.copied_bytes);
        store.set_max_component_handles(COMPONENT_HANDLES);
        store.data_mut().begin();
        let starting = self.linked.pre.instantiate_async(&mut store);
        let started = match timeout_at(until, starting).await {
            Ok(Ok(instance)) => instance,
            Ok(Err(error)) => return Err(self.explain(store.data(), &error)),
            Err(Late) => return Err(self.late()),
        };
        let exports = self.linked.exports.load(&mut store, &started);
        let exports = exports.map_err(|error| Error::Incompatible {
            component: self.identity.to_string(),
            world: self.linked.world.name,
            expected: self.linked.world.expected(),
            found: self.linked.found.clone(),
            message: line(&format!("{error:#}")),
        })?;
        Ok(Instance {
            store,
            exports,
            calls: 0,
            lent: None,
            until,
            permit: None,
        })
    }

    /// What a call came to. After an error the instance must not be used again.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Trap`].
    pub fn settle<T>(
        &self,
        instance: &Instance,
        answer: Result<wasmtime::Result<T>, Late>,
    ) -> Result<T, Error> {
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.explain(instance.store.data(), &error)),
            Err(Late) => Err(self.late()),
        }
    }

    /// Puts an instance back after a call that ended well, unless it has served its time.
    pub fn put(&self, mut instance: Instance) {
        if instance.calls >= CALLS || !instance.store.data().is_clean() {
            return;
        }
        let permit = instance.permit.take();
        let mut idle = self.idle();
        idle.push(instance);
        // Memory never shrinks, so an instance that did Argon2id keeps its 64 MiB. All that are
        // idle together may keep what one may use; those that were not used for longest go.
        let too_many = |idle: &[Instance]| {
            let memory = idle.iter().map(|idle| idle.store.data().memory());
            idle.len() > self.limits.instances_in_use
                || memory.sum::<usize>() > self.limits.memory_bytes
        };
        let mut retired = Vec::new();
        while too_many(&idle) {
            retired.push(idle.remove(0));
        }
        // Giving memory back takes a while, and others wait for the list.
        drop(idle);
        drop(retired);
        drop(permit);
    }

    /// An error of a limit that is the host's to check.
    fn refuse(&self, limit: Limit, asked: u64, allowed: u64) -> Error {
        self.limit(Refusal {
            limit,
            asked: Some(asked),
            allowed,
        })
    }

    /// Whether an object may be handed over or taken back.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub fn check_size(&self, size: usize) -> Result<(), Error> {
        let allowed = self.limits.object_bytes;
        match size > allowed {
            true => Err(self.refuse(Limit::Object, size as u64, allowed as u64)),
            false => Ok(()),
        }
    }

    /// Why a call failed, from what the runtime says and the host remembers.
    fn explain(&self, state: &State, error: &wasmtime::Error) -> Error {
        if let Some(refusal) = state.meter.refused() {
            return self.limit(refusal);
        }
        let cause = error.root_cause().to_string();
        let too_much = |limit, allowed: usize| {
            self.limit(Refusal {
                limit,
                asked: None,
                allowed: allowed as u64,
            })
        };
        if let Some(Trap::StackOverflow) = error.downcast_ref() {
            return too_much(Limit::Stack, self.limits.stack_bytes);
        }
        // The runtime has no types for these. Each text is pinned by a test named for its limit.
        if cause.contains("fuel allocated for hostcalls has been exhausted") {
            return too_much(Limit::CopiedBytes, self.limits.copied_bytes);
        }
        if cause.contains("handle limit exceeded") {
            return too_much(Limit::Handles, COMPONENT_HANDLES);
        }
        if cause.starts_with("resource limit exceeded") {
            return too_much(Limit::Instances, self.limits.instances);
        }
        let within = error
            .downcast_ref::<WasmBacktrace>()
            .and_then(|trace| trace.frames().first()?.func_name())
            .map_or_else(String::new, |function| format!(" in `{function}`"));
        Error::Trap {
            component: self.identity.to_string(),
            message: line(&format!("{cause}{within}")),
            panic: state.panicked().map(str::to_owned),
        }
    }

    fn late(&self) -> Error {
        self.limit(Refusal {
            limit: Limit::Deadline,
            asked: None,
            allowed: self.limits.deadline.as_millis() as u64,
        })
    }

    fn limit(&self, refusal: Refusal) -> Error {
        Error::Limit {
            component: self.identity.to_string(),
            limit: refusal.limit,
            asked: refusal.asked,
            allowed: refusal.allowed,
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Instance>> {
        // Nothing panics while the lock is held, and a list of instances cannot be half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn permits(limits: &Limits) -> Arc<Semaphore> {
    let permits = limits.instances_in_use.clamp(1, Semaphore::MAX_PERMITS);
    Arc::new(Semaphore::new(permits))
}
