//! The census of a store: which keys are named beside those of the objects that are read. No key is needed for
//! it, and the data of objects is not read.

use async_trait::async_trait;

use crate::contract::StorageError;

/// How an object of S3, or something that is encrypted as one, is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encryption {
    /// SSE-S3: under a key of the KMS that the server chose.
    S3,
    /// SSE-KMS: under a key of the KMS that a client, or a bucket's default, chose.
    Kms,
    /// SSE-C: under a key that clients bring. It needs none of the KMS.
    Customer,
    /// In a way that is not known here.
    Other,
}

/// Where objects are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A bucket of this name.
    Bucket(Vec<u8>),
    /// Uploads in several parts that were begun and not ended.
    Uploads,
}

/// What some folders of a place hold. Each object is counted once, however many drives and pools have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects that were read.
    pub objects: u64,
    /// Their versions that are no deletions.
    pub versions: u64,
    /// Those of them that are encrypted.
    pub sealed: Vec<Sealed>,
    /// What could not be read, wholly or in part.
    pub unread: Vec<Unread>,
    /// Objects that were read though some drives' metadata of them is damaged.
    pub damaged: u64,
}

/// Versions of one object that are encrypted alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The object, below its place.
    pub path: Vec<u8>,
    /// How they are.
    pub encryption: Encryption,
    /// The key that they name; none if they name none.
    pub key: Option<String>,
    /// How many.
    pub versions: u64,
    /// Their bytes, as users see them.
    pub bytes: u64,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What, below its place; a folder with a `/` at its end.
    pub path: Vec<u8>,
    /// Why, for people.
    pub why: String,
}

/// What needs a key beside objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The targets that a bucket is replicated to. Without their key a server loads nothing of what it knows of
    /// the bucket.
    Targets,
    /// What a bucket encrypts new objects with.
    DefaultEncryption,
    /// The tiers that objects are moved to.
    Tiers,
}

/// Something that needs a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// What it is.
    pub what: Need,
    /// How it is encrypted.
    pub encryption: Encryption,
    /// The key that it names; none if it names none.
    pub key: Option<String>,
}

/// A store that can be counted.
#[async_trait]
pub trait Census: Send + Sync {
    /// The names of all buckets; none where that is not to be seen, since not all of each drive was given.
    ///
    /// # Errors
    /// `Refused`: it is a server's of which it is not known how it names keys, and nothing here says anything of it.
    /// A bucket may be overlooked, or the store fails.
    async fn buckets(&self) -> Result<Option<Vec<Vec<u8>>>, StorageError>;

    /// Begins to count what is in a place.
    ///
    /// # Errors
    /// The store fails.
    async fn count(&self, place: Place) -> Result<Box<dyn Counting>, StorageError>;

    /// The same of one object beside the buckets, by its path in the store.
    ///
    /// # Errors
    /// The store fails.
    async fn object(&self, path: &[u8]) -> Result<Counts, StorageError>;
}

/// A count that is under way.
#[async_trait]
pub trait Counting: Send {
    /// What the next folders hold; none at the end.
    ///
    /// # Errors
    /// The store fails, and what was counted is not all.
    async fn next(&mut self) -> Result<Option<Counts>, StorageError>;
}
