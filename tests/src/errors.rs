//! The contract's errors as the core's, and their names.

use iamseal::contract;
use iamseal_core::{Error, KeyError, StorageError};

use crate::convert;

/// The case of an error by its name in `wit/types.wit`; `key` and `storage` with the case of what
/// they hold, such as `key: not-found`.
pub fn case(error: &Error) -> &'static str {
    match error {
        Error::Empty => "empty",
        Error::UnknownForm(_) => "unknown-form",
        Error::Malformed(_) => "malformed",
        Error::Unsupported(_) => "unsupported",
        Error::Refused(_) => "refused",
        Error::FormRefused(_) => "form-refused",
        Error::Outdated(_) => "outdated",
        Error::NotLoadable(_) => "not-loadable",
        Error::NoKey => "no-key",
        Error::Key { error, .. } => match error {
            KeyError::NotFound => "key: not-found",
            KeyError::Denied(_) => "key: denied",
            KeyError::Unavailable(_) => "key: unavailable",
            KeyError::NotAuthentic => "key: not-authentic",
            KeyError::Other(_) => "key: other",
        },
        Error::HeaderNotAuthentic(_) => "header-not-authentic",
        Error::NoCredential => "no-credential",
        Error::CredentialNotAuthentic => "credential-not-authentic",
        Error::CredentialUntried { .. } => "credential-untried",
        Error::BodyNotAuthentic => "body-not-authentic",
        Error::CutShort => "cut-short",
        Error::Storage(error) => match error {
            StorageError::NotFound => "storage: not-found",
            StorageError::Conflict => "storage: conflict",
            StorageError::TooLarge { .. } => "storage: too-large",
            StorageError::Refused(_) => "storage: refused",
            StorageError::Other(_) => "storage: other",
        },
        Error::Other(_) => "other",
    }
}

/// The case of a result's error, `ok` without one.
pub fn outcome<T>(result: &Result<T, Error>) -> &'static str {
    result.as_ref().err().map_or("ok", case)
}

/// The contract's error as the core's.
pub fn from_contract(error: contract::ObjectError) -> Error {
    match error {
        contract::ObjectError::Empty => Error::Empty,
        contract::ObjectError::UnknownForm(text) => Error::UnknownForm(text),
        contract::ObjectError::Malformed(text) => Error::Malformed(text),
        contract::ObjectError::Unsupported(text) => Error::Unsupported(text),
        contract::ObjectError::Refused(text) => Error::Refused(text),
        contract::ObjectError::FormRefused(form) => Error::FormRefused(convert::form(form)),
        contract::ObjectError::Outdated(text) => Error::Outdated(text),
        contract::ObjectError::NotLoadable(text) => Error::NotLoadable(text),
        contract::ObjectError::NoKey => Error::NoKey,
        contract::ObjectError::Key(failure) => Error::Key {
            key: failure.key,
            error: key_from_contract(failure.error),
        },
        contract::ObjectError::HeaderNotAuthentic(key) => Error::HeaderNotAuthentic(key),
        contract::ObjectError::NoCredential => Error::NoCredential,
        contract::ObjectError::CredentialNotAuthentic => Error::CredentialNotAuthentic,
        contract::ObjectError::CredentialUntried(contract::Tries { tried, lent }) => {
            Error::CredentialUntried { tried, lent }
        }
        contract::ObjectError::BodyNotAuthentic => Error::BodyNotAuthentic,
        contract::ObjectError::CutShort => Error::CutShort,
        contract::ObjectError::Storage(error) => Error::Storage(storage_from_contract(error)),
        contract::ObjectError::Other(text) => Error::Other(text),
    }
}

/// The contract's storage error as the core's.
pub fn storage_from_contract(error: contract::StorageError) -> StorageError {
    match error {
        contract::StorageError::NotFound => StorageError::NotFound,
        contract::StorageError::Conflict => StorageError::Conflict,
        contract::StorageError::TooLarge(limit) => StorageError::TooLarge {
            asked: limit.asked,
            allowed: limit.allowed,
        },
        contract::StorageError::Refused(text) => StorageError::Refused(text),
        contract::StorageError::Other(text) => StorageError::Other(text),
    }
}

fn key_from_contract(error: contract::KeyError) -> KeyError {
    match error {
        contract::KeyError::NotFound => KeyError::NotFound,
        contract::KeyError::Denied(text) => KeyError::Denied(text),
        contract::KeyError::Unavailable(text) => KeyError::Unavailable(text),
        contract::KeyError::NotAuthentic => KeyError::NotAuthentic,
        contract::KeyError::Other(text) => KeyError::Other(text),
    }
}

/// The core's key error as the contract's.
pub fn key_to_contract(error: KeyError) -> contract::KeyError {
    match error {
        KeyError::NotFound => contract::KeyError::NotFound,
        KeyError::Denied(text) => contract::KeyError::Denied(text),
        KeyError::Unavailable(text) => contract::KeyError::Unavailable(text),
        KeyError::NotAuthentic => contract::KeyError::NotAuthentic,
        KeyError::Other(text) => contract::KeyError::Other(text),
    }
}

/// The core's storage error as the contract's.
pub fn storage_to_contract(error: StorageError) -> contract::StorageError {
    match error {
        StorageError::NotFound => contract::StorageError::NotFound,
        StorageError::Conflict => contract::StorageError::Conflict,
        StorageError::TooLarge { asked, allowed } => {
            contract::StorageError::TooLarge(contract::SizeLimit { asked, allowed })
        }
        StorageError::Refused(text) => contract::StorageError::Refused(text),
        StorageError::Other(text) => contract::StorageError::Other(text),
    }
}
