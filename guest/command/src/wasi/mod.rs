//! Files and folders through WASI, for all that lends them. What is done in a folder follows no symbolic link,
//! and nothing leads out of the folders that the host gave.
#![cfg_attr(
    not(feature = "adapters"),
    allow(dead_code, reason = "only a folder's store needs all of it")
)]

pub mod disk;
pub mod errors;
pub mod files;
pub mod root;

use wasip2::filesystem::types::ErrorCode;

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
