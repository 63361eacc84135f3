//! The store in memory: every call of a store can go wrong.

use std::sync::Arc;

use iamseal_tests::host_store::HostStore;
use iamseal_tests::store::MemoryStore;

use crate::calls::{Faulty, modes};
use crate::mode::{Mode, Point};
use crate::shadow::{Content, Tree};
use crate::world::{Opened, World};

/// What is in memory, and what it was in the beginning.
pub struct Memory {
    store: Arc<MemoryStore>,
    before: Tree,
}

impl World for Memory {
    const NAME: &'static str = "memory";

    fn modes() -> Vec<Mode> {
        modes()
    }

    fn of(objects: &Tree) -> Self {
        let bytes = |(path, content): (&Vec<u8>, &Content)| (path.clone(), content.bytes.clone());
        Self {
            store: MemoryStore::with(objects.iter().map(bytes)),
            before: objects.clone(),
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
        // It has no modes and owners that could change.
        let content = |(path, bytes)| {
            let before = self.before[&path].clone();
            (path, Content { bytes, ..before })
        };
        self.store.all().into_iter().map(content).collect()
    }
}
