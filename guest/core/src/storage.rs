//! What is lent to the core: a store. The rules of each call stand in `wit/storage.wit`.

use alloc::vec::Vec;

use crate::error::StorageError;

/// An opaque tag of one version of one object: equal tags mean equal bytes.
pub type Version = Vec<u8>;

/// An object as it is stored.
pub struct Stored {
    /// The object's bytes.
    pub bytes: Vec<u8>,
    /// The version that was read.
    pub version: Version,
}

/// Reading a store.
pub trait Storage {
    /// A listing that is under way.
    type Cursor: Cursor;

    /// Lists the paths that begin with `prefix` and come after `start_after`.
    ///
    /// # Errors
    /// Whatever the store says.
    fn list(&self, prefix: &[u8], start_after: Option<&[u8]>)
    -> Result<Self::Cursor, StorageError>;

    /// Reads one object.
    ///
    /// # Errors
    /// Whatever the store says.
    fn read(&self, path: &[u8]) -> Result<Stored, StorageError>;
}

/// A listing that is under way.
pub trait Cursor {
    /// The next paths in ascending order; empty at the end.
    ///
    /// # Errors
    /// Whatever the store says.
    fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError>;
}

/// New bytes for one object.
pub struct Replacement {
    /// The object's path.
    pub path: Vec<u8>,
    /// The version that was read: the replacement is for this one alone.
    pub expected: Version,
    /// The new bytes.
    pub bytes: Vec<u8>,
}

/// Replacing objects in a store, in two steps.
pub trait StorageWriter {
    /// New bytes that are durable beside the object they are to replace.
    type Draft: Draft;

    /// Makes a durable draft of each replacement; no object changes. One result each, in order.
    fn stage(&self, replacements: Vec<Replacement>) -> Vec<Result<Self::Draft, StorageError>>;

    /// Puts drafts in the place of their objects, each only while its object is the expected
    /// version. Every `Ok` is durable. One result each, in order.
    fn commit(&self, drafts: Vec<Self::Draft>) -> Vec<Result<Version, StorageError>>;
}

/// New bytes that are durable beside the object they are to replace. Dropping it discards them.
pub trait Draft {
    /// The draft's bytes, read from the store and not from memory.
    ///
    /// # Errors
    /// Whatever the store says.
    fn read_back(&self) -> Result<Vec<u8>, StorageError>;
}
