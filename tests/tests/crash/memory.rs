//! The store in memory: every call of a store can go wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use iamseal_tests::host_store::HostStore;
use iamseal_tests::store::MemoryStore;

use crate::calls::{Faulty, modes};
use crate::mode::{Mode, Point};
use crate::shadow::{Content, Tree};
use crate::world::{Opened, World};

/// What is in memory.
pub struct Memory {
    store: Arc<MemoryStore>,
    modes: BTreeMap<Vec<u8>, u32>,
}

impl World for Memory {
    const NAME: &'static str = "memory";

    fn modes() -> Vec<Mode> {
        modes()
    }

    fn of(objects: &Tree) -> Self {
        let bytes = objects.iter().map(|(path, content)| (path, &content.bytes));
        let modes = objects
            .iter()
            .map(|(path, content)| (path.clone(), content.mode));
        Self {
            store: MemoryStore::with(bytes),
            modes: modes.collect(),
        }
    }

    fn open(&self, point: &Arc<Point>) -> Result<Opened, String> {
        Ok(Opened::new(Faulty {
            store: Arc::new(HostStore(Arc::clone(&self.store))),
            point: Arc::clone(point),
        }))
    }

    fn after(self, _: Mode) -> Vec<Self> {
        vec![self]
    }

    fn sweep(&self) {
        assert_eq!(self.store.open_drafts(), 0);
    }

    fn everything(&self) -> Tree {
        let content = |(path, bytes): (Vec<u8>, Vec<u8>)| {
            let mode = self.modes[&path];
            (path, Content::new(&bytes, mode))
        };
        self.store.all().into_iter().map(content).collect()
    }
}
