//! A command's failure: one line of cause, one line of cure, an exit code.

use iamseal_words::contract::{ObjectError, StorageError};
use iamseal_words::describe::describe;
use iamseal_words::report::cause::{self, Cause};
use iamseal_words::report::words;
use iamseal_words::shown::harmless;
use serde_json::json;

use crate::command::bindings::iamseal::command::lending;
use crate::command::output;

/// Why a command ended without doing its work.
pub struct Failure {
    cause: Cause,
    message: String,
    cure: Option<String>,
}

impl Failure {
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self {
            cause,
            message: message.into(),
            cure: None,
        }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Cause::Usage, message)
    }

    #[must_use]
    pub fn with_cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// Puts what it is about in front of the message.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Tells it on standard error and returns the exit code.
    pub fn report(&self, json: bool) -> u8 {
        if self.cause == Cause::ClosedPipe {
            // Whoever read the output has seen enough.
        } else if json {
            let line = json!({"error": {
                "cause": self.cause.name(), "message": self.message, "cure": self.cure,
            }});
            output::complain(&words::json_line(&line));
        } else {
            output::complain(&format!("error: {}", harmless(&self.message)));
            if let Some(cure) = &self.cure {
                output::complain(&format!(" cure: {}", harmless(cure)));
            }
        }
        self.cause.exit_code()
    }
}

impl From<ObjectError> for Failure {
    fn from(error: ObjectError) -> Self {
        Self {
            cause: Cause::of(&error),
            message: describe(&error),
            cure: cause::cure(&error),
        }
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        ObjectError::Storage(error).into()
    }
}

impl From<lending::Failure> for Failure {
    fn from(failure: lending::Failure) -> Self {
        Self {
            cause: match failure.cause {
                lending::Cause::Usage => Cause::Usage,
                lending::Cause::Storage => Cause::Storage,
                lending::Cause::Limit => Cause::Limit,
            },
            message: failure.message,
            cure: failure.cure,
        }
    }
}
