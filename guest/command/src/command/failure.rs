//! A command's failure: one line of cause, one line of cure, an exit code.

use iamseal_words::contract::{ObjectError, StorageError};
use iamseal_words::describe::describe;
use iamseal_words::report::cause::{self, Cause};
use iamseal_words::report::why;

use super::bindings::iamseal::command::lending;
use super::output;

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
        let told = why::failure(self.cause, &self.message, self.cure.as_deref(), json);
        told.iter().for_each(|told| output::complain(told));
        self.cause.exit_code()
    }
}

impl<M: Into<String>, C: Into<String>> From<(M, C)> for Failure {
    /// Wrong usage, and what to do about it.
    fn from((message, cure): (M, C)) -> Self {
        Self::usage(message.into()).with_cure(cure)
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
