//! A command's failure: one line of cause, one line of cure, an exit code.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use iamseal::Error;
use iamseal::contract::{ObjectError, StorageError};
use iamseal::storage::dir::OpenError;
use iamseal_words::keys::given::without_keys;

use crate::cause::{self, Cause};
use crate::output;
use crate::report::notes;
use crate::report::why::{self, Why};

/// Why a command ended without doing its work.
pub struct Failure {
    pub cause: Cause,
    pub message: String,
    pub cure: Option<String>,
}

/// What is said of an object that does not open because it is exempt: it is as it should be.
pub fn exempt(failure: Failure, path: Option<&OsStr>) -> Failure {
    let is_exempt = path.is_some_and(|path| iamseal::is_exempt(path.as_bytes()));
    match is_exempt && failure.cause == Cause::UnknownForm {
        true => Failure::new(Cause::Refused, format!("exempt: {}", notes::NOT_OURS))
            .with_cure("it is as a server writes it, as far as can be seen; iamseal cat --raw prints it as it is stored"),
        false => failure,
    }
}

impl From<&Failure> for Why {
    fn from(failure: &Failure) -> Self {
        Self {
            cause: failure.cause,
            message: failure.message.clone(),
            cure: failure.cure.clone(),
            opens_at: None,
        }
    }
}

impl From<Why> for Failure {
    fn from(why: Why) -> Self {
        Self {
            cause: why.cause,
            message: why.message,
            cure: why.cure,
        }
    }
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

    /// The same under another cause.
    #[must_use]
    pub fn with_cause(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    /// Puts what it is about in front of the message.
    #[must_use]
    pub fn about(mut self, what: impl Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Whether somebody wanted the end: all that was done before is reported.
    pub fn is_asked_for(&self) -> bool {
        matches!(
            self.cause,
            Cause::HungUp | Cause::Interrupted | Cause::Terminated | Cause::ClosedPipe
        )
    }

    /// Tells it on standard error.
    pub fn report(&self, json: bool) -> ExitCode {
        let cure = self.cure.as_deref().map(without_keys);
        let message = without_keys(&self.message);
        let told = why::failure(self.cause, &message, cure.as_deref(), json);
        told.iter().for_each(|told| output::complain(told));
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
            Error::OtherDigest { .. } => Self::new(Cause::Plugin, message).with_cure(
                "find out who changed the file, or give --plugin-sha256 the digest of the one that you \
                 mean: iamseal plugin inspect FILE shows it",
            ),
            _ => Self::new(Cause::Plugin, message),
        }
    }
}

impl<M: Into<String>, C: Into<String>> From<(M, C)> for Failure {
    /// Wrong usage, and what to do about it.
    fn from((message, cure): (M, C)) -> Self {
        Self::usage(message.into()).with_cure(cure)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server denies, or a store refuses for another reason, may be whole.
    #[test]
    fn only_what_is_no_plain_file_is_to_be_removed() {
        let cure = |error| Failure::from(error).cure.unwrap_or_default();
        let refused = |text: &str| cure(StorageError::Refused(text.into()));
        for text in [
            "config/a is a symbolic link",
            "config/a is not a plain file",
        ] {
            assert!(refused(text).contains("remove it"), "{text}");
        }
        for text in [
            "access is denied: Access Denied. (AccessDenied)",
            "it cannot do that: a header is not implemented",
            "this call was lent no storage",
            "the store gives its objects no strong entity tags",
        ] {
            assert!(!refused(text).contains("remove"), "{text}");
        }
        let denied = "access is denied: cannot replace it: etcd says: permission denied";
        for denied in [
            StorageError::Refused(denied.into()),
            StorageError::Other(denied.into()),
        ] {
            assert!(cure(denied).contains("allow them to"));
        }
    }
}
