//! Stores: what a host lends the plugin so that it can read and replace objects.
//!
//! The rules of each call stand in `wit/storage.wit`; the traits here are the same calls in Rust.
//! Paths are raw bytes, parts separated by `/`, below the store's root.

pub mod dir;

use std::any::Any;

use async_trait::async_trait;

use crate::contract::StorageError;

pub use self::dir::DirStore;

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
#[async_trait]
pub trait Storage: Send + Sync {
    /// Lists the paths that begin with `prefix`, byte for byte, and come after `start_after`.
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError>;

    /// Reads one object.
    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError>;
}

/// A listing that is under way.
#[async_trait]
pub trait Cursor: Send {
    /// The next paths in ascending order of their bytes; empty at the end.
    async fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError>;
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
#[async_trait]
pub trait StorageWriter: Send + Sync {
    /// Makes a durable draft of each replacement; no object changes. One result each, in order.
    async fn stage(
        &self,
        replacements: Vec<Replacement>,
    ) -> Vec<Result<Box<dyn Draft>, StorageError>>;

    /// Puts drafts that this store made in the place of their objects, each on its own,
    /// atomically, and only while the object is the expected version. Every `Ok` is durable. One
    /// result each, in order.
    async fn commit(&self, drafts: Vec<Box<dyn Draft>>) -> Vec<Result<Version, StorageError>>;
}

/// New bytes that are durable beside the object they are to replace. Dropping it discards them.
#[async_trait]
pub trait Draft: Send {
    /// The draft's bytes, read from the store and not from memory.
    async fn read_back(&mut self) -> Result<Vec<u8>, StorageError>;

    /// For the store that made it, to know its own draft again.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}
