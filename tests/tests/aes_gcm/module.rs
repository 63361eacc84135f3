//! The module inside the component, called as a host calls it: by the canonical ABI.

use wasmparser::{Parser, Payload};
use wasmtime::{Engine, Instance, Memory, Module, Store, Val};

use crate::trace;

/// AES-256-GCM alone.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/aes-gcm.wasm"));

/// Where a list begins for the canonical ABI.
const ALIGN: i32 = 1;

/// A module that is compiled.
pub struct Compiled {
    engine: Engine,
    module: Module,
}

impl Compiled {
    /// The module as it is.
    pub fn plain() -> Self {
        Self::new(inner())
    }

    /// The module, with all that it does counted.
    pub fn traced() -> Self {
        Self::new(&trace::traced(inner()))
    }

    fn new(bytes: &[u8]) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, bytes).unwrap();
        Self { engine, module }
    }

    /// A fresh instance.
    pub fn start(&self) -> Running {
        let mut store = Store::new(&self.engine, ());
        let instance = Instance::new(&mut store, &self.module, &[]).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Running {
            store,
            instance,
            memory,
        }
    }
}

/// The one module of the component.
fn inner() -> &'static [u8] {
    let mut modules =
        Parser::new(0)
            .parse_all(COMPONENT)
            .filter_map(|payload| match payload.unwrap() {
                Payload::ModuleSection {
                    unchecked_range, ..
                } => Some(&COMPONENT[unchecked_range]),
                _ => None,
            });
    let module = modules.next().unwrap();
    assert!(modules.next().is_none());
    module
}

/// An instance.
pub struct Running {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

impl Running {
    /// Calls a function that takes lists of bytes and returns one.
    pub fn call(&mut self, name: &str, lists: &[&[u8]]) -> Vec<u8> {
        let mut arguments = Vec::new();
        for list in lists {
            let size = i32::try_from(list.len()).unwrap();
            let place = if size == 0 {
                ALIGN
            } else {
                let wanted = [0, 0, ALIGN, size].map(Val::I32);
                self.function("cabi_realloc", &wanted, 1).unwrap()
            };
            self.memory
                .write(&mut self.store, usize::try_from(place).unwrap(), list)
                .unwrap();
            arguments.extend([Val::I32(place), Val::I32(size)]);
        }
        let answer = self.function(name, &arguments, 1).unwrap();
        let [place, size] = [0, 4].map(|at| {
            let at = usize::try_from(answer).unwrap() + at;
            let bytes = &self.memory.data(&self.store)[at..at + 4];
            usize::try_from(u32::from_le_bytes(bytes.try_into().unwrap())).unwrap()
        });
        let list = self.memory.data(&self.store)[place..place + size].to_vec();
        self.function(&format!("cabi_post_{name}"), &[Val::I32(answer)], 0);
        list
    }

    fn function(&mut self, name: &str, arguments: &[Val], results: usize) -> Option<i32> {
        let function = self.instance.get_func(&mut self.store, name).unwrap();
        let mut out = vec![Val::I32(0); results];
        function.call(&mut self.store, arguments, &mut out).unwrap();
        out.first().and_then(Val::i32)
    }

    /// What [`trace`] counted: how much, and a sum of what and in which order.
    pub fn counted(&mut self) -> (i64, i64) {
        let mut value = |name: &str| {
            let global = self.instance.get_global(&mut self.store, name).unwrap();
            global.get(&mut self.store).i64().unwrap()
        };
        (value(trace::COUNT), value(trace::SUM))
    }
}
