//! Why nothing was lent, in words.

use crate::adapters::bindings::exports::iamseal::command::lending::{Cause, Failure};
use crate::wasi::files::Nowhere;

/// A wrong command line or environment.
pub fn usage(message: impl Into<String>, cure: impl Into<String>) -> Failure {
    Failure {
        cause: Cause::Usage,
        message: message.into(),
        cure: Some(cure.into()),
    }
}

impl From<Nowhere> for Failure {
    fn from(nowhere: Nowhere) -> Self {
        usage(nowhere.message, nowhere.cure)
    }
}
