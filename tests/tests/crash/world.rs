//! A kind of store that the enumeration can be run over.

use std::sync::Arc;

use iamseal::journal::{JournalError, Journals};
use iamseal::storage::{Storage, StorageWriter};

use crate::mode::{Mode, Point};
use crate::shadow::Tree;

/// What outlives a process: a disk, or the server behind a store.
pub trait World: Sized + 'static {
    /// The kind's name.
    const NAME: &'static str;

    /// How far it is from one point that is tried to the next: 1, unless all of them take too long.
    fn stride(_mode: Mode) -> usize {
        1
    }

    /// How its operations can go wrong.
    fn modes() -> Vec<Mode>;

    /// A world that holds these objects and these journals.
    fn of(objects: &Tree, journals: &Tree) -> Self;

    /// The store as a process has it whose operations go wrong at this point.
    ///
    /// # Errors
    /// What the store says if it cannot be opened.
    fn open(&self, point: &Arc<Point>) -> Result<Opened, String>;

    /// The worlds that the next process may find when this one has come to its end.
    fn after(self, mode: Mode) -> Vec<Self>;

    /// Removes what a killed process left behind, as the tool does before it begins.
    fn sweep(&self);

    /// Whether a run that ended anywhere can be taken back as the store is now, without more being done to it.
    fn takes_back(&self) -> bool {
        true
    }

    /// Everything that is in the store, leftovers included, seen past it.
    fn everything(&self) -> Tree;
}

/// A store that a process has opened, and the folder of its journals, for those who want it.
pub struct Opened {
    pub storage: Arc<dyn Storage>,
    pub writer: Arc<dyn StorageWriter>,
    pub journals: OpenJournals,
}

pub type OpenJournals = Arc<dyn Fn() -> Result<Journals, JournalError>>;

impl Opened {
    /// One store to read and to write.
    pub fn new(store: impl Storage + StorageWriter + 'static, journals: OpenJournals) -> Self {
        let store = Arc::new(store);
        Self {
            storage: store.clone(),
            writer: store,
            journals,
        }
    }
}
