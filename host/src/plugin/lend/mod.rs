//! The host's side of the world's imports: what the host lends, within the grant of the call.

mod handed;
mod keys;
pub(in crate::plugin) mod random;
mod storage;
mod storage_writer;

use std::sync::Arc;

use iamseal_data_key::Memory;
use wasmtime::component::ResourceTable;

use crate::contract::generated::iamseal::plugin::{diagnostics, types};
use crate::describe::line;
use crate::keys::Keyring;
use crate::storage::{Storage, StorageWriter};

use super::grant::Grant;
use super::limits::Limit;
use super::meter::Meter;

use handed::Handed;
pub use keys::{LentKey, LentRootKey};
pub use storage::LentCursor;
pub use storage_writer::LentDraft;

/// Cursors and drafts that a plugin may hold at once: a full batch of drafts, twice over.
pub(super) const HANDLES: usize = 2 * super::walk::BATCH as usize;

/// Keys and root credentials that a plugin may hold at once: far more than anybody lends under one name.
pub(super) const KEYS: usize = 4096;

/// Handles of all kinds inside the component: each cursor, draft and key has one there too, and what the
/// component makes itself, an audit or a run, has one.
pub(super) const COMPONENT_HANDLES: usize = 2 * HANDLES + KEYS;

/// Everything that a host lends a plugin. What is missing denies, and says its name.
#[derive(Clone, Default)]
pub(super) struct Lent {
    pub keyring: Option<Arc<dyn Keyring>>,
    pub storage: Option<Arc<dyn Storage>>,
    pub storage_writer: Option<Arc<dyn StorageWriter>>,
}

/// The host's side of one instance.
pub(super) struct State {
    lent: Lent,
    grant: Grant,
    pub meter: Meter,
    handles: ResourceTable,
    /// Of keys and root credentials.
    keys: ResourceTable,
    /// What derivations work in.
    memory: Memory,
    handed: Handed,
    panicked: Option<String>,
}

impl State {
    pub fn new(lent: Lent, meter: Meter) -> Self {
        let mut handles = ResourceTable::new();
        handles.set_max_capacity(HANDLES);
        let mut keys = ResourceTable::new();
        keys.set_max_capacity(KEYS);
        Self {
            lent,
            grant: Grant::default(),
            meter,
            handles,
            keys,
            memory: Memory::default(),
            handed: Handed::default(),
            panicked: None,
        }
    }

    /// Readies the instance for a call.
    pub fn begin(&mut self) {
        self.panicked = None;
        self.meter.begin();
    }

    /// What the next call may touch.
    pub fn lend(&mut self, grant: Grant) {
        self.grant = grant;
        self.handed = Handed::default();
    }

    /// What the component said in its panic.
    pub fn panicked(&self) -> Option<&str> {
        self.panicked.as_deref()
    }

    /// Whether the component gave back every cursor, draft and key.
    pub fn is_clean(&self) -> bool {
        self.handles.is_empty() && self.keys.is_empty()
    }

    /// Bytes that live as long as the instance: its memories, and what derivations work in.
    pub fn memory(&self) -> usize {
        self.meter.memory() + self.memory.bytes()
    }

    /// Hands something to the component.
    fn hand<T: Send + 'static>(
        &mut self,
        thing: T,
    ) -> wasmtime::Result<wasmtime::component::Resource<T>> {
        self.handles
            .push(thing)
            .map_err(|_full| self.meter.refuse(Limit::Handles, None, HANDLES as u64))
    }
}

impl types::Host for State {}

impl diagnostics::Host for State {
    fn panicked(&mut self, message: String) -> wasmtime::Result<()> {
        self.panicked = Some(line(&message));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::engine::Clock;
    use crate::plugin::limits::Limits;

    pub const LARGEST: usize = 100;

    /// An instance's side of the host in a migration below `in/`.
    pub fn state(lent: Lent) -> State {
        let limits = Limits {
            object_bytes: LARGEST,
            ..Limits::default()
        };
        let mut state = State::new(lent, Meter::new(limits, Clock::default()));
        state.lend(Grant::migrate(b"in/", None, false));
        state
    }

    impl State {
        /// As if a listing had handed these paths out and they had been read, each as this version.
        pub fn hand_out(&mut self, paths: &[&str], version: &[u8]) {
            let paths: Vec<Vec<u8>> = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
            self.handed.begin(0);
            self.handed.page(0, &paths);
            for path in &paths {
                self.handed.read(path).unwrap();
                self.handed.was_read(path, version);
            }
        }
    }
}
