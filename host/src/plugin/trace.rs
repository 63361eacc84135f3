//! Spans around calls: which path, how it ended. Never what an object holds.

use tracing::{Span, field};

use crate::error::Error;

/// The outcome of a call that is not known yet.
pub(super) fn shown() -> field::Empty {
    field::Empty
}

/// A path for people. Control characters are escaped.
pub(super) fn path(path: &[u8]) -> field::DebugValue<String> {
    field::debug(String::from_utf8_lossy(path).into_owned())
}

/// Records in the span of a call how it ended.
pub(super) fn outcome<T>(span: &Span, result: Result<T, Error>) -> Result<T, Error> {
    match &result {
        Ok(_) => span.record("outcome", "ok"),
        Err(error) => span.record("outcome", field::display(error)),
    };
    result
}
