//! What runs have done to the files of drives, as their journals tell.

use std::collections::{BTreeMap, BTreeSet};

/// What runs have done to drives.
pub struct Written {
    /// The drives.
    pub drives: Vec<WrittenDrive>,
    /// The objects, by paths.
    pub(crate) objects: BTreeMap<Vec<u8>, OfObject>,
}

/// A drive that a run wrote to, or could have.
pub struct WrittenDrive {
    /// What it was called then.
    pub name: String,
    /// The SHA-256 of its `format.json`, in hexadecimal digits.
    pub format: String,
}

/// What was done to an object.
#[derive(Default)]
pub(crate) struct OfObject {
    /// The drives that have got or lost a version, by their places in [`Written::drives`], in that order.
    pub order: Vec<usize>,
    /// What was done to each.
    pub on: BTreeMap<usize, OfDrive>,
    /// Whether the last run that wrote it did so to its end.
    pub is_whole: bool,
    /// Whether a run that writes it has not told yet what became of it.
    pub is_open: bool,
}

/// What was done to an object's files on one drive.
#[derive(Default)]
pub(crate) struct OfDrive {
    /// What its `xl.meta` was, by digests, the oldest first, and last what it is now; none where there was none.
    pub states: Vec<Option<String>>,
    /// The files of data that are there now and were not.
    pub comes: BTreeMap<Vec<u8>, DataFile>,
    /// Those that were there.
    pub goes: BTreeSet<Vec<u8>>,
}

/// Says whether these are a file's bytes.
type IsIt = dyn Fn(&[u8]) -> bool + Send + Sync;

/// A file of data, known by its bytes.
pub(crate) struct DataFile(pub Box<IsIt>);
