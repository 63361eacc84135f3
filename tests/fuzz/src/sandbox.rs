//! The component that counts its branches, in a fresh instance for each run.

use std::sync::LazyLock;

use wasmtime::component::{Component, HasSelf, Linker, ResourceAny, ResourceTable};
use wasmtime::{Config, Engine, Store, StoreLimitsBuilder};

use crate::contract::exports::iamseal::plugin::{auditing, migration, opening, sealing};
use crate::contract::iamseal::plugin::types;
use crate::contract::{Fuzzed, FuzzedPre};
use crate::counters;
use crate::lend::State;
use crate::world::World;

const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/fuzzed.wasm"));

/// Bytes of memory of an instance, where root credentials are lent: Argon2id's 64 MiB and the rest.
const MEMORY_WITH_CREDENTIALS: usize = MEMORY + (64 << 20);
/// Bytes of memory of an instance otherwise. Inputs are some 4 KiB and samples up to 70 KB, so what
/// needs more than this takes more than what it is given.
const MEMORY: usize = 8 << 20;

static LOADED: LazyLock<FuzzedPre<State>> = LazyLock::new(|| load().unwrap());

fn load() -> wasmtime::Result<FuzzedPre<State>> {
    let mut config = Config::new();
    // As the host has it.
    config.concurrency_support(false);
    let engine = Engine::new(&config)?;
    let component = Component::new(&engine, COMPONENT)?;
    let mut linker = Linker::new(&engine);
    Fuzzed::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    FuzzedPre::new(linker.instantiate_pre(&component)?)
}

/// Compiles the component, which later runs need not wait for.
pub fn start() {
    LazyLock::force(&LOADED);
    counters::report_at_exit();
}

/// An instance, and the host that it was lent.
pub struct Sandbox {
    store: Store<State>,
    component: Fuzzed,
}

impl Sandbox {
    /// A fresh instance.
    pub fn new(world: World) -> Self {
        let memory = match world.credentials {
            true => MEMORY_WITH_CREDENTIALS,
            false => MEMORY,
        };
        let state = State {
            world,
            limits: StoreLimitsBuilder::new()
                .memory_size(memory)
                .trap_on_grow_failure(true)
                .build(),
            handles: ResourceTable::new(),
            panicked: None,
        };
        let mut store = Store::new(LOADED.engine(), state);
        store.limiter(|state| &mut state.limits);
        let component = LOADED.instantiate(&mut store).unwrap();
        Self { store, component }
    }

    /// `opening.unseal`
    pub fn unseal(
        &mut self,
        store: &str,
        path: &[u8],
        stored: &[u8],
        policy: opening::Policy,
    ) -> Result<opening::Opened, opening::Error> {
        let location = &location(store, path);
        self.call(|component, context| {
            let opening = component.iamseal_plugin_opening();
            opening.call_unseal(context, location, stored, policy)
        })
    }

    /// `opening.inspect`
    pub fn inspect(&mut self, stored: &[u8]) -> Result<opening::Description, opening::Error> {
        self.call(|component, context| {
            let opening = component.iamseal_plugin_opening();
            opening.call_inspect(context, stored)
        })
    }

    /// `sealing.seal`
    pub fn seal(
        &mut self,
        store: &str,
        path: &[u8],
        plaintext: &[u8],
        options: &sealing::SealOptions,
    ) -> Result<Vec<u8>, opening::Error> {
        let location = &location(store, path);
        self.call(|component, context| {
            let sealing = component.iamseal_plugin_sealing();
            sealing.call_seal(context, location, plaintext, options)
        })
    }

    /// `auditing.start`
    pub fn start_audit(&mut self, scope: &auditing::Scope) -> ResourceAny {
        self.call(|component, context| {
            let auditing = component.iamseal_plugin_auditing();
            auditing.call_start(context, scope)
        })
    }

    /// `auditing.audit.next`
    pub fn audit_next(
        &mut self,
        audit: ResourceAny,
        limit: u32,
    ) -> Result<Vec<auditing::Finding>, opening::Error> {
        self.call(|component, context| {
            let auditing = component.iamseal_plugin_auditing();
            auditing.audit().call_next(context, audit, limit)
        })
    }

    /// `migration.start`
    pub fn start_run(&mut self, plan: &migration::Plan) -> Result<ResourceAny, opening::Error> {
        self.call(|component, context| {
            let migration = component.iamseal_plugin_migration();
            migration.call_start(context, plan)
        })
    }

    /// `migration.run.next`
    pub fn run_next(
        &mut self,
        run: ResourceAny,
        limit: u32,
    ) -> Result<Vec<migration::Step>, opening::Error> {
        self.call(|component, context| {
            let migration = component.iamseal_plugin_migration();
            migration.run().call_next(context, run, limit)
        })
    }

    /// Drops an audit or a run.
    pub fn drop(&mut self, resource: ResourceAny) {
        self.call(|_, context| resource.resource_drop(context));
    }

    /// Hands the instance's counters to libFuzzer and ends it.
    ///
    /// # Panics
    /// If it holds on to a cursor, a draft or a key.
    pub fn end(mut self) -> World {
        let counted = self.call(|component, context| {
            let coverage = component.iamseal_fuzz_coverage();
            coverage.call_counters(context)
        });
        counters::record(&counted);
        let State { world, handles, .. } = self.store.into_data();
        assert!(
            handles.is_empty(),
            "a cursor, a draft or a key was not dropped"
        );
        world
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(&Fuzzed, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> T {
        call(&self.component, &mut self.store).unwrap_or_else(|error| {
            let panicked = &self.store.data().panicked;
            panic!("the component trapped: {panicked:?} {error:?}")
        })
    }
}

fn location(store: &str, path: &[u8]) -> types::Location {
    types::Location {
        store: store.to_string(),
        path: path.to_vec(),
    }
}
