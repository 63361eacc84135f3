//! Why an object failed: its cause, and the words for it.

use serde_json::json;

use super::cause::{self, Cause};
use super::words;
use crate::contract::{Failure, ObjectError, Reason};
use crate::describe::describe;
use crate::shown::{harmless, shown};

/// All that is told of a failure.
pub struct Why {
    /// As far as a caller acts on it.
    pub cause: Cause,
    /// One line.
    pub message: String,
    /// What to do, if there is anything to say.
    pub cure: Option<String>,
    /// The path at which the object opens.
    pub opens_at: Option<Vec<u8>>,
}

impl From<&ObjectError> for Why {
    fn from(error: &ObjectError) -> Self {
        Self {
            cause: Cause::of(error),
            message: describe(error),
            cure: cause::cure(error),
            opens_at: None,
        }
    }
}

impl From<&Failure> for Why {
    fn from(failure: &Failure) -> Self {
        let (ObjectError::HeaderNotAuthentic(key), Some(reason)) =
            (&failure.error, &failure.reason)
        else {
            return Self::from(&failure.error);
        };
        let (cause, message, cure, opens_at) = match reason {
            Reason::OtherKeyBytes => (
                Cause::OtherKeyBytes,
                format!("the key {key:?} that was given opens no object here: it has other bytes"),
                format!("find the {key:?} of the time it was written and add it with --keys"),
                None,
            ),
            Reason::OtherPath(path) => (
                Cause::OtherPath,
                format!(
                    "it is bound to {}, where it opens: it was copied or moved here",
                    shown(path)
                ),
                "keep a copy of it, and restore the object of this path from a backup".to_string(),
                Some(path.clone()),
            ),
            Reason::EarlierKey => (
                Cause::EarlierKey,
                format!(
                    "it names the key {key:?}, which opens other objects here, but not this one and \
                     several more: most likely another key of the same name, an earlier or a later one, sealed \
                     them"
                ),
                format!(
                    "add that other {key:?} with --keys, on a line of its own: several keys may have one \
                     name; if its bytes are lost, so is what it sealed: restore the objects from a backup, \
                     or make these users and policies again"
                ),
                None,
            ),
            Reason::DamagedDataKey => (
                Cause::DamagedDataKey,
                format!(
                    "the key {key:?} opens other objects here, but not this one: its data key is \
                     damaged, or it comes from a path or store that is not here, or from a time \
                     when {key:?} had other bytes"
                ),
                format!(
                    "add other keys that were ever named {key:?} with --keys; if none fits, restore \
                     the object from a backup or from another drive"
                ),
                None,
            ),
        };
        Self {
            cause,
            message,
            cure: Some(cure),
            opens_at,
        }
    }
}

/// What is told of a command that failed, for standard error; none where whoever read the output has
/// seen enough.
pub fn failure(cause: Cause, message: &str, cure: Option<&str>, json: bool) -> Option<String> {
    if cause == Cause::ClosedPipe {
        return None;
    }
    if json {
        let error = json!({"cause": cause.name(), "message": message, "cure": cure});
        return Some(words::json_line(&json!({ "error": error })));
    }
    let error = format!("error: {}", harmless(message));
    Some(match cure {
        None => error,
        Some(cure) => format!("{error}\n cure: {}", harmless(cure)),
    })
}
