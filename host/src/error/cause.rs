//! One word for why something failed, for whoever counts failures or acts on them.

use crate::contract::{KeyError, ObjectError, StorageError};

use super::Error;

impl Error {
    /// Why, in one word that stays the same from version to version: what the tool's `--json` calls
    /// `cause` and the metrics' label `outcome`. One of `key-not-found`, `key-unavailable`,
    /// `key-denied`, `header-not-authentic`, `credential`, `credential-untried`, `body-not-authentic`,
    /// `malformed`, `cut-short`, `unknown-form`, `refused`, `form-refused`, `outdated`, `storage`, `conflict`, `limit`,
    /// `plugin` and `other`.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Object(error) => object(error),
            Self::Limit { .. } => "limit",
            _ => "plugin",
        }
    }
}

fn object(error: &ObjectError) -> &'static str {
    match error {
        ObjectError::Empty | ObjectError::Malformed(_) => "malformed",
        ObjectError::CutShort => "cut-short",
        ObjectError::UnknownForm(_) | ObjectError::Unsupported(_) => "unknown-form",
        ObjectError::Refused(_) => "refused",
        ObjectError::FormRefused(_) => "form-refused",
        ObjectError::Outdated(_) => "outdated",
        ObjectError::NoKey => "key-not-found",
        ObjectError::Key(failure) => key(&failure.error),
        ObjectError::HeaderNotAuthentic(_) => "header-not-authentic",
        ObjectError::NoCredential | ObjectError::CredentialNotAuthentic => "credential",
        ObjectError::CredentialUntried(_) => "credential-untried",
        ObjectError::BodyNotAuthentic => "body-not-authentic",
        ObjectError::Storage(StorageError::Conflict) => "conflict",
        ObjectError::Storage(StorageError::TooLarge(_)) => "limit",
        ObjectError::Storage(StorageError::Refused(_)) => "refused",
        ObjectError::Storage(_) => "storage",
        ObjectError::Other(_) => "other",
    }
}

/// The same of a keyring's error.
pub(crate) fn key(error: &KeyError) -> &'static str {
    match error {
        KeyError::NotFound => "key-not-found",
        KeyError::Denied(_) => "key-denied",
        KeyError::Unavailable(_) => "key-unavailable",
        KeyError::NotAuthentic => "header-not-authentic",
        KeyError::Other(_) => "other",
    }
}
