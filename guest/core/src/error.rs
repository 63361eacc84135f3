//! Why an object was not sealed, opened or migrated: the errors of `wit/types.wit`.
//!
//! No case and no text ever holds plaintext, key bytes or a password.

use alloc::string::String;

use crate::form::Form;

/// The result of an operation on an object.
pub type Result<T> = core::result::Result<T, Error>;

/// Why an object was not sealed, opened or migrated; the contract's `error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The object has no bytes at all. MinIO takes it for absent.
    Empty,
    /// Not plaintext and not the shape of any form.
    UnknownForm(String),
    /// The shape of a known form, but damaged or cut short.
    Malformed(String),
    /// A known form with a part that is not known.
    Unsupported(String),
    /// The path forbids it.
    Refused(String),
    /// The policy does not let objects of this form be opened.
    FormRefused(Form),
    /// The object opens, but is not what the policy `Current` wants; the text says what is outdated.
    Outdated(String),
    /// No key was named and the keyring has no default.
    NoKey,
    /// The keyring could not serve the key that the object needs.
    Key {
        /// The key's name.
        key: String,
        /// What the keyring said.
        error: KeyError,
    },
    /// None of the keys of this name opens the object at this path.
    HeaderNotAuthentic(String),
    /// The object is in the root-credential form and no root credential is lent.
    NoCredential,
    /// No root credential that was lent opens the object.
    CredentialNotAuthentic,
    /// None of those that were tried opens it, and not all were tried.
    CredentialUntried {
        /// How many were tried.
        tried: u32,
        /// How many are lent.
        lent: u32,
    },
    /// The right key is there, but the body was changed, cut or reordered.
    BodyNotAuthentic,
    /// The right key is there and all of the body is authentic, but its end is missing.
    CutShort,
    /// It opens, but no server loads it; the text says why.
    NotLoadable(String),
    /// The store failed.
    Storage(StorageError),
    /// Anything else; the text is for people.
    Other(String),
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// Why the keyring did not do what it was asked; the contract's `key-error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// There is no key of that name.
    NotFound,
    /// The key service refused this caller.
    Denied(String),
    /// The key service gave no answer.
    Unavailable(String),
    /// The key does not open this data key in this context.
    NotAuthentic,
    /// Anything else; the text is for people.
    Other(String),
}

/// Why the store did not do what it was asked; the contract's `storage-error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// There is no such object.
    NotFound,
    /// The object is not the version that was read.
    Conflict,
    /// The object is larger than the host hands over.
    TooLarge {
        /// Its size in bytes.
        asked: u64,
        /// The bound in bytes.
        allowed: u64,
    },
    /// The host does not touch such a thing.
    Refused(String),
    /// Anything else; the text is for people.
    Other(String),
}
