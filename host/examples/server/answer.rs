//! What went wrong, as an answer: a status for each cause, and a line that says which it is.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use iamseal::Limit;
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

impl Failure {
    /// Of a document that was put. Unlike one that is read, it is the client's if it is too large.
    pub fn of_put(error: Error) -> Self {
        let too_large = matches!(
            plugin_error(&error),
            Some(iamseal::Error::Limit {
                limit: Limit::Object,
                ..
            })
        );
        let failure = Self::from(error);
        match too_large {
            true => Self::new(StatusCode::PAYLOAD_TOO_LARGE, failure.message),
            false => failure,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Some(error) = plugin_error(&error) {
            return Self::new(of(error), format!("{}: {error}", error.cause()));
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

/// The status for an error of the plugin.
fn of(error: &iamseal::Error) -> StatusCode {
    match error {
        // A call that waited for a key service or store until its time was up.
        iamseal::Error::Limit {
            limit: Limit::Deadline,
            ..
        } => StatusCode::GATEWAY_TIMEOUT,
        // Another time it may go well.
        iamseal::Error::Limit {
            limit: Limit::InstancesInUse,
            ..
        } => StatusCode::SERVICE_UNAVAILABLE,
        error if error.cause() == "key-unavailable" => StatusCode::SERVICE_UNAVAILABLE,
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
