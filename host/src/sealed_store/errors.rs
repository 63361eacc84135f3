//! The plugin's errors as those of a store.

use object_store::Error as StoreError;

use crate::contract::ObjectError;
use crate::error::Error;

/// How this store calls itself in errors.
const STORE: &str = "SealedStore";

/// What the plugin said, if it is the plugin's error that came out of a
/// [`SealedStore`](super::SealedStore).
pub fn plugin_error(error: &StoreError) -> Option<&Error> {
    match error {
        StoreError::Generic { source, .. } => source.downcast_ref(),
        _ => None,
    }
}

/// Whether it is the policy that does not let the object be opened.
pub(super) fn is_refusal(error: &StoreError) -> bool {
    matches!(
        plugin_error(error),
        Some(Error::Object(
            ObjectError::FormRefused(_) | ObjectError::Outdated(_)
        ))
    )
}

/// An error that is this store's own and not the inner store's.
pub(super) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Generic {
        store: STORE,
        source: Box::new(error),
    }
}

pub(super) fn not_supported(why: &'static str) -> StoreError {
    StoreError::NotSupported { source: why.into() }
}
