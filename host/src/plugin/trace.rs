//! Spans around calls: which path, how it ended. Never what an object holds.

use tracing::{Instrument as _, Span, field};

use crate::error::Error;

use super::metrics::Call;

/// The outcome of a call that is not known yet.
pub(super) fn shown() -> field::Empty {
    field::Empty
}

/// A path for people. Control characters are escaped.
pub(super) fn path(path: &[u8]) -> field::DebugValue<String> {
    field::debug(String::from_utf8_lossy(path).into_owned())
}

/// Makes a call of the plugin within its span, and records how it ended.
pub(super) async fn observed<T>(
    name: &'static str,
    span: Span,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let measured = Call::begin(name);
    let result = call.instrument(span.clone()).await;
    measured.end(&result);
    match &result {
        Ok(_) => span.record("outcome", "ok"),
        Err(error) => span.record("outcome", field::display(error)),
    };
    result
}
