//! Why nothing was lent, in words.

use wasip2::filesystem::types::ErrorCode;

use crate::adapters::bindings::exports::iamseal::command::lending::{Cause, Failure};

/// A wrong command line or environment.
pub fn usage(message: impl Into<String>, cure: impl Into<String>) -> Failure {
    Failure {
        cause: Cause::Usage,
        message: message.into(),
        cure: Some(cure.into()),
    }
}

/// A system call that failed, in the words of its error's name.
pub fn words(error: ErrorCode) -> String {
    match error {
        ErrorCode::Access | ErrorCode::NotPermitted => "permission denied".into(),
        ErrorCode::NoEntry => "no such file or folder".into(),
        ErrorCode::InsufficientSpace | ErrorCode::Quota => "no space left".into(),
        ErrorCode::ReadOnly => "read-only file system".into(),
        other => other.message().into(),
    }
}
