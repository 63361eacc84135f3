//! The module inside the component, called as a host calls it: by the canonical ABI.

use wasmparser::{Parser, Payload};
use wasmtime::{Engine, Instance, Memory, Module, Store, Val};

use crate::trace;

/// What seals and opens, alone.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/aead.wasm"));

/// What the component seals and opens with, by the numbers that its world gives them.
#[derive(Clone, Copy, Debug)]
pub enum Algorithm {
    Aes256Gcm = 0,
    ChaCha20Poly1305 = 1,
    XChaCha20Poly1305 = 2,
}

impl Algorithm {
    pub const ALL: [Self; 3] = [
        Self::Aes256Gcm,
        Self::ChaCha20Poly1305,
        Self::XChaCha20Poly1305,
    ];

    /// The bytes of a nonce.
    pub fn nonce(self) -> usize {
        match self {
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 12,
            Self::XChaCha20Poly1305 => 24,
        }
    }
}

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
    /// Seals, in this order, under a key and a nonce, associated data and a plaintext.
    pub fn seal(&mut self, algorithm: Algorithm, lists: [&[u8]; 4]) -> Vec<u8> {
        self.call("seal", Some(algorithm), &lists)
    }

    /// Opens, and has what is sealed in the plaintext's place.
    pub fn open(&mut self, algorithm: Algorithm, lists: [&[u8]; 4]) -> Vec<u8> {
        self.call("open", Some(algorithm), &lists)
    }

    /// Calls a function that takes an algorithm or none and lists of bytes, and returns such a list.
    pub fn call(&mut self, name: &str, algorithm: Option<Algorithm>, lists: &[&[u8]]) -> Vec<u8> {
        let mut arguments = Vec::from_iter(algorithm.map(|algorithm| Val::I32(algorithm as i32)));
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
