//! The lines of a journal and of a proof, each an object of JSON.
//!
//! | line | when | says |
//! |---|---|---|
//! | `run` | first | which run of which store this is |
//! | `change` | durable before the object is changed | what takes the change back |
//! | `step` | after the object was handled | what became of it |

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::plugin::hex;

/// Which run of which store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The run's name: the time of its beginning, as `20261123T203010Z`.
    pub name: String,
    /// When it began, by RFC 3339, in UTC.
    pub started: String,
    /// Where the store is, for people.
    pub store: String,
    /// The name that the store's compact objects are bound to.
    pub store_name: String,
    /// What is done, for people.
    pub work: String,
}

/// Any line of a journal.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    Run(Head),
    Change(Change),
    Step(Step),
}

/// A change that may follow, and what takes it back.
#[derive(Serialize, Deserialize)]
pub(super) struct Change {
    #[serde(flatten)]
    pub path: Path,
    /// The SHA-256 of the bytes that are there, in hexadecimal digits.
    pub before: String,
    /// That of the bytes that are to take their place.
    pub after: String,
    pub kept: Kept,
    /// The bytes that are kept, in base64.
    pub bytes: String,
}

/// Which bytes a change keeps.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kept {
    /// The old ones.
    Before,
    /// The new ones: they are sealed and hold the old ones, which are plaintext.
    After,
}

/// What became of an object.
#[derive(Serialize, Deserialize)]
pub(super) struct Step {
    #[serde(flatten)]
    pub path: Path,
    /// The outcome's name.
    pub outcome: String,
    /// The SHA-256 of what was read; none if nothing was.
    pub before: Option<String>,
    /// That of what the run left there; none if nothing was read.
    pub after: Option<String>,
}

/// An object's path: text, and where that cannot hold all of it also base64.
#[derive(Serialize, Deserialize)]
pub(super) struct Path {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
}

impl Path {
    pub fn of(path: &[u8]) -> Self {
        Self {
            path: String::from_utf8_lossy(path).into_owned(),
            path_b64: str::from_utf8(path).is_err().then(|| STANDARD.encode(path)),
        }
    }

    /// The path's bytes; none if its base64 is none.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match &self.path_b64 {
            None => Some(self.path.clone().into_bytes()),
            Some(text) => STANDARD.decode(text).ok(),
        }
    }
}

impl Change {
    /// The bytes that are kept, if they are what the line says they are.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(&self.bytes).ok()?;
        let said = match self.kept {
            Kept::Before => &self.before,
            Kept::After => &self.after,
        };
        (digest(&bytes) == *said).then_some(bytes)
    }
}

/// Adds a line to a text of lines.
pub(super) fn write(line: &impl Serialize, text: &mut String) {
    // Strings, options and enums alone: nothing of it can fail to be JSON.
    text.push_str(&serde_json::to_string(line).unwrap_or_default());
    text.push('\n');
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_as_they_were() {
        for path in [
            &b"config/a.json"[..],
            "zo\u{eb}".as_bytes(),
            b"\xff/\n\"",
            b"",
        ] {
            let mut text = String::new();
            write(&Path::of(path), &mut text);
            assert_eq!(text.matches('\n').count(), 1);
            let read: Path = serde_json::from_str(&text).unwrap();
            assert_eq!(read.bytes().unwrap(), path);
        }
    }

    #[test]
    fn bytes_that_were_damaged_are_not_handed_out() {
        let mut change = Change {
            path: Path::of(b"a"),
            before: digest(b"old"),
            after: digest(b"new"),
            kept: Kept::Before,
            bytes: STANDARD.encode("old"),
        };
        assert_eq!(change.bytes().unwrap(), b"old");
        change.kept = Kept::After;
        assert_eq!(change.bytes(), None);
        change.bytes = "no base64".into();
        assert_eq!(change.bytes(), None);
    }
}
