//! What a failure of an object means for the whole.

use crate::contract::{KeyError, ObjectError, StorageError};

/// Whether the object does not open with what is lent, so that no request can read it either. All else may
/// open, now or later, and is tried again.
pub(super) fn is_dead(error: &ObjectError) -> bool {
    match error {
        ObjectError::Empty
        | ObjectError::UnknownForm(_)
        | ObjectError::Malformed(_)
        | ObjectError::Unsupported(_)
        | ObjectError::FormRefused(_)
        | ObjectError::HeaderNotAuthentic(_)
        | ObjectError::NoCredential
        | ObjectError::CredentialNotAuthentic
        | ObjectError::BodyNotAuthentic
        | ObjectError::CutShort
        // No object, or none that this store hands over.
        | ObjectError::Storage(StorageError::Refused(_) | StorageError::TooLarge(_)) => true,
        ObjectError::Key(failure) => {
            matches!(failure.error, KeyError::NotFound | KeyError::NotAuthentic)
        }
        ObjectError::Refused(_)
        | ObjectError::Outdated(_)
        | ObjectError::NoKey
        | ObjectError::CredentialUntried(_)
        | ObjectError::NotLoadable(_)
        | ObjectError::Storage(_)
        | ObjectError::Other(_) => false,
    }
}

/// Whether it is in the root-credential form and its credential is not lent.
pub(super) fn wants_credential(error: &ObjectError) -> bool {
    matches!(
        error,
        ObjectError::NoCredential
            | ObjectError::CredentialNotAuthentic
            | ObjectError::CredentialUntried(_)
    )
}
