//! What went wrong, as an answer: a status for each cause, and a line that says which it is.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use iamseal::sealed_store::plugin_error;
use object_store::Error;

/// Why a request was not served.
pub struct Failure {
    status: StatusCode,
    message: String,
}

impl Failure {
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Some(error) = plugin_error(&error) {
            return Self::new(
                of_cause(error.cause()),
                format!("{}: {error}", error.cause()),
            );
        }
        let status = match &error {
            Error::NotFound { .. } => StatusCode::NOT_FOUND,
            Error::NotModified { .. } => StatusCode::NOT_MODIFIED,
            Error::AlreadyExists { .. } | Error::Precondition { .. } => {
                StatusCode::PRECONDITION_FAILED
            }
            Error::InvalidPath { .. } => StatusCode::BAD_REQUEST,
            Error::NotSupported { .. } | Error::NotImplemented { .. } => {
                StatusCode::NOT_IMPLEMENTED
            }
            // It may say more about the folder than a client should know.
            _ => {
                tracing::error!(%error, "the store failed");
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "storage");
            }
        };
        Self::new(status, error.to_string())
    }
}

/// The causes are those of [`iamseal::Error::cause`].
fn of_cause(cause: &str) -> StatusCode {
    match cause {
        // Another time it may go well.
        "key-unavailable" => StatusCode::SERVICE_UNAVAILABLE,
        "limit" => StatusCode::PAYLOAD_TOO_LARGE,
        // A document or a key is not what it should be; only an operator can do something about it.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::warn!(status = self.status.as_u16(), message = self.message);
        }
        match self.status {
            StatusCode::NOT_MODIFIED => self.status.into_response(),
            status => (status, format!("{}\n", self.message)).into_response(),
        }
    }
}
