//! A command's failure: one line of cause, one line of cure, an exit code.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use iamseal::Error;
use iamseal::contract::{ObjectError, StorageError};
use iamseal::storage::dir::OpenError;
use serde_json::json;

use crate::cause::{self, Cause};
use crate::output;

/// Why a command ended without doing its work.
pub struct Failure {
    cause: Cause,
    message: String,
    cure: Option<String>,
}

impl Failure {
    pub fn new(cause: Cause, message: impl Display) -> Self {
        Self {
            cause,
            message: message.to_string(),
            cure: None,
        }
    }

    pub fn other(message: impl Display) -> Self {
        Self::new(Cause::Other, message)
    }

    pub fn usage(message: impl Display) -> Self {
        Self::new(Cause::Usage, message)
    }

    #[must_use]
    pub fn with_cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// Puts what it is about in front of the message.
    #[must_use]
    pub fn about(mut self, what: impl Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Tells it on standard error.
    pub fn report(&self, json: bool) -> ExitCode {
        if self.cause == Cause::ClosedPipe {
            // Whoever read the output has seen enough.
        } else if json {
            let line = json!({"error": {
                "cause": self.cause.name(), "message": self.message, "cure": self.cure,
            }});
            output::complain(&line.to_string());
        } else {
            output::complain(&format!("error: {}", self.message));
            if let Some(cure) = &self.cure {
                output::complain(&format!(" cure: {cure}"));
            }
        }
        ExitCode::from(self.cause.exit_code())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match &error {
            Error::Object(object) => Self {
                cause: Cause::of(object),
                message,
                cure: cause::cure(object),
            },
            Error::Limit { .. } => Self::new(Cause::Limit, message),
            Error::Load { .. } | Error::Incompatible { .. } | Error::Unfit { .. } => {
                Self::new(Cause::Plugin, message).with_cure(
                    "give --plugin a component for iamseal:plugin@0.1.0, or leave it out for the \
                     one that is built in",
                )
            }
            _ => Self::new(Cause::Plugin, message),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let closed = error.kind() == io::ErrorKind::BrokenPipe;
        Self::new(
            if closed {
                Cause::ClosedPipe
            } else {
                Cause::Storage
            },
            error,
        )
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::new(Cause::Storage, error).with_cure("give the folder that holds MinIO's config/")
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        iamseal::Error::Object(ObjectError::Storage(error)).into()
    }
}
