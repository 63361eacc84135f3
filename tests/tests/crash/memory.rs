//! The store in memory: every call of a store can go wrong.

use std::sync::Arc;

use iamseal::journal::Journals;
use iamseal_tests::host_store::HostStore;
use iamseal_tests::store::MemoryStore;

use tempfile::TempDir;

use crate::calls::{Faulty, modes};
use crate::dir::{folder_in_memory, put};
use crate::mode::{Mode, Point};
use crate::shadow::{Content, Tree, read};
use crate::world::{Opened, World};

/// What is in memory, and what it was in the beginning. Its journals are files of a disk that nothing
/// happens to.
pub struct Memory {
    store: Arc<MemoryStore>,
    before: Tree,
    journals: TempDir,
}

impl Memory {
    /// The files of its journals.
    pub fn journals(&self) -> Tree {
        read(self.journals.path())
    }
}

impl World for Memory {
    const NAME: &'static str = "memory";

    fn modes() -> Vec<Mode> {
        modes()
    }

    fn of(objects: &Tree, journals: &Tree) -> Self {
        let bytes = |(path, content): (&Vec<u8>, &Content)| (path.clone(), content.bytes.clone());
        let folder = folder_in_memory();
        put(folder.path(), journals);
        Self {
            store: MemoryStore::with(objects.iter().map(bytes)),
            before: objects.clone(),
            journals: folder,
        }
    }

    fn open(&self, point: &Arc<Point>) -> Result<Opened, String> {
        let store = Faulty {
            store: Arc::new(HostStore(Arc::clone(&self.store))),
            point: Arc::clone(point),
        };
        let journals = self.journals.path().to_owned();
        Ok(Opened::new(
            store,
            Arc::new(move || Journals::open(&journals)),
        ))
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
