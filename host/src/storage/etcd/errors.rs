//! What the store says when etcd fails it.

use tonic::Code;

use super::client::Unable;
use super::open_error::OpenError;
use crate::contract::StorageError;

/// What `action` failed for.
pub(super) fn failed(action: &str, unable: Unable) -> StorageError {
    StorageError::Other(match unable {
        Unable::Refused(_, text) if text.contains("database space exceeded") => format!(
            "cannot {action}: {text}; free space with etcdctl compact and defrag, then disarm the \
             alarm"
        ),
        Unable::Refused(code, text) if is_denied(code, &text) => {
            format!("access is denied: cannot {action}: etcd says: {text}")
        }
        Unable::Refused(_, text) => format!("cannot {action}: etcd says: {text}"),
        Unable::NoAnswer(text) => format!("cannot {action}: {text}"),
        Unable::Tls(text) => format!("cannot {action}: a certificate is refused: {text}"),
    })
}

/// Whether etcd lets this user not do it, or not in.
fn is_denied(code: Code, text: &str) -> bool {
    matches!(code, Code::PermissionDenied | Code::Unauthenticated)
        || text.contains("authentication failed")
        || text.contains("user name is empty")
}

/// Whether a request was refused for its size.
pub(super) fn is_too_large(unable: &Unable) -> bool {
    match unable {
        Unable::Refused(Code::InvalidArgument, text) => text.contains("request is too large"),
        Unable::Refused(Code::ResourceExhausted, text) => text.contains("message larger than max"),
        _ => false,
    }
}

impl From<Unable> for OpenError {
    fn from(unable: Unable) -> Self {
        match unable {
            Unable::Tls(text) => Self::Tls(text),
            Unable::NoAnswer(text) => Self::NoAnswer(text),
            Unable::Refused(code, text) => match is_denied(code, &text) {
                true => Self::Denied(text),
                false => Self::Other(text),
            },
        }
    }
}
