//! A kind of store that the enumeration can be run over.

use std::sync::Arc;

use iamseal::storage::{Storage, StorageWriter};

use crate::mode::{Mode, Point};
use crate::shadow::Tree;

/// What outlives a process: a disk, or the server behind a store.
pub trait World: Sized + 'static {
    /// The kind's name.
    const NAME: &'static str;

    /// How its operations can go wrong.
    fn modes() -> Vec<Mode>;

    /// A world that holds these objects.
    fn of(objects: &Tree) -> Self;

    /// The store as a process has it whose operations go wrong at this point.
    ///
    /// # Errors
    /// What the store says if it cannot be opened.
    fn open(&self, point: &Arc<Point>) -> Result<Opened, String>;

    /// The worlds that the next process may find when this one has come to its end.
    fn after(self, mode: Mode) -> Vec<Self>;

    /// Removes what a killed process left behind, as the tool does before it begins.
    fn sweep(&self);

    /// Everything that is there, leftovers included, seen past the store.
    fn everything(&self) -> Tree;
}

/// A store that a process has opened.
pub struct Opened {
    pub storage: Arc<dyn Storage>,
    pub writer: Arc<dyn StorageWriter>,
}

impl Opened {
    /// One store to read and to write.
    pub fn new(store: impl Storage + StorageWriter + 'static) -> Self {
        let store = Arc::new(store);
        Self {
            storage: store.clone(),
            writer: store,
        }
    }
}
