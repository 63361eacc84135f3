//! The lines of a journal and of a proof, each an object of JSON.
//!
//! | line | when | says |
//! |---|---|---|
//! | `run` | first | which run of which store this is |
//! | `change` | durable before the object is created, replaced or removed | what takes the change back |
//! | `step` | after the object was handled | what became of it |
//! | `drive` | before any change, where the store is on drives | which drive has which number |
//! | `version` | before a drive's `xl.meta` comes, is replaced or goes | what it is and what is to be there |
//! | `data` | before a file of data comes or goes | which |
//! | `prepared` | in a run that changes nothing, after the object was opened | what it is to become, sealed |
//! | `object` | in a proof, for each step | what became of it, and what is there at the end |
//! | `proof` | last in a proof | how many objects there are |
//!
//! `before`, `after` and `now` are digests under the run's key, see `journal/key.rs`: without it they tell
//! nothing, not even of objects whose bytes can be guessed. They are null in a run without a key. What is
//! sealed has a plain SHA-256 too, which tells nothing either, and lets a run be taken back whose key
//! nothing opens any more.
//!
//! An `xl.meta` is told by its SHA-256 and by no digest under the key, so that the host that it belongs to needs no
//! key: nobody can guess what it holds, since a random UUID is part of it. A file of data has none, and is told under the key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::wrap::Wrapped;
use crate::contract::{Context, Form, Found};
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
    /// How a run seals that prepares; none of one that changes objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepares: Option<String>,
    /// The run's key, sealed under each key and credential that was lent; none if none was.
    pub(super) key: Option<Wrapped>,
}

/// Any line of a journal.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    Run(Head),
    Change(Change),
    Step(Step),
    Prepared(Prepared),
    Drive(Drive),
    Version(Version),
    Data(Data),
}

/// A drive of the store.
#[derive(Serialize, Deserialize)]
pub(super) struct Drive {
    /// Its number, by which the other lines name it.
    pub drive: u16,
    /// What people call it.
    pub name: String,
    /// The SHA-256 of its `format.json`.
    pub format: String,
}

/// What is to become of a drive's `xl.meta`.
#[derive(Serialize, Deserialize)]
pub(super) struct Version {
    /// The drive's number.
    pub drive: u16,
    /// The file below the drive's system folder.
    #[serde(flatten)]
    pub file: Path,
    /// The SHA-256 of what is there; none if nothing is.
    pub before: Option<String>,
    /// That of what is to be there.
    pub after: Option<String>,
}

/// What is to become of a file of data.
#[derive(Serialize, Deserialize)]
pub(super) struct Data {
    /// The drive's number.
    pub drive: u16,
    /// The file below the drive's system folder.
    #[serde(flatten)]
    pub file: Path,
    /// Whether it comes, or goes.
    pub comes: bool,
    /// The digest of what comes.
    pub digest: Option<String>,
}

/// A change that may follow, and what takes it back.
#[derive(Serialize, Deserialize)]
pub(super) struct Change {
    #[serde(flatten)]
    pub path: Path,
    #[serde(default, skip_serializing_if = "Did::is_replace")]
    pub did: Did,
    /// The digest of the bytes that are there; none where nothing was.
    pub before: Option<String>,
    /// That of the bytes that are to be there; none where nothing is to be.
    pub after: Option<String>,
    /// The SHA-256 of either, in hexadecimal digits, where it is sealed.
    pub sealed_before: Option<String>,
    pub sealed_after: Option<String>,
    pub kept: Kept,
    /// The bytes that are kept, in base64.
    pub bytes: String,
    /// Who may do what with an object that is to go, in its store's own words and base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
}

/// What is done to an object.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Did {
    /// There was none.
    Create,
    #[default]
    Replace,
    /// There is to be none.
    Remove,
}

impl Did {
    fn is_replace(&self) -> bool {
        *self == Self::Replace
    }
}

/// Which bytes a change keeps.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kept {
    /// The old ones.
    Before,
    /// The new ones: they are sealed and hold the old ones, which are plaintext.
    After,
    /// The old ones, which may be plaintext, sealed under the run's key.
    Sealed,
    /// None: there were none.
    Nothing,
}

/// What became of an object.
#[derive(Serialize, Deserialize)]
pub(super) struct Step {
    #[serde(flatten)]
    pub path: Path,
    /// The outcome's name.
    pub outcome: String,
    /// Whether the run changed it, or may have where the store did not tell.
    pub changed: bool,
    /// The digest of what was read; none if nothing was.
    pub before: Option<String>,
    /// That of what the run left there; none if nothing was read.
    pub after: Option<String>,
}

/// What an object is to become as long as it is this version.
#[derive(Serialize, Deserialize)]
pub(super) struct Prepared {
    #[serde(flatten)]
    pub path: Path,
    /// The version that was read, in base64.
    pub version: String,
    pub found: Was,
    /// The new bytes, sealed, in base64; none if the object is to stay as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
}

/// What an object turned out to be.
#[derive(Serialize, Deserialize)]
pub(super) struct Was {
    form: WasForm,
    key: Option<String>,
    context: Option<WasContext>,
    user: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WasForm {
    Plaintext,
    RootCredential,
    Minio,
    Compact,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WasContext {
    Joined,
    Bare,
}

impl From<&Found> for Was {
    fn from(found: &Found) -> Self {
        Self {
            form: match found.form {
                Form::Plaintext => WasForm::Plaintext,
                Form::RootCredential => WasForm::RootCredential,
                Form::Minio => WasForm::Minio,
                Form::Compact => WasForm::Compact,
            },
            key: found.key.clone(),
            context: found.context.map(|context| match context {
                Context::Joined => WasContext::Joined,
                Context::Bare => WasContext::Bare,
            }),
            user: found.user.clone(),
        }
    }
}

impl Was {
    /// The same in the contract's words.
    pub fn found(&self) -> Found {
        Found {
            form: match self.form {
                WasForm::Plaintext => Form::Plaintext,
                WasForm::RootCredential => Form::RootCredential,
                WasForm::Minio => Form::Minio,
                WasForm::Compact => Form::Compact,
            },
            key: self.key.clone(),
            context: self.context.map(|context| match context {
                WasContext::Joined => Context::Joined,
                WasContext::Bare => Context::Bare,
            }),
            user: self.user.clone(),
        }
    }
}

/// Any line of a proof.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProofLine {
    Run(Head),
    Object(Object),
    Proof(Sums),
}

/// What became of an object, and what is there at the end of the run.
#[derive(Serialize, Deserialize)]
pub(super) struct Object {
    #[serde(flatten)]
    pub step: Step,
    /// The digest of what is there; none if nothing is or it could not be read.
    pub now: Option<String>,
    /// Whether it could not be read, so that nobody knows what is there.
    #[serde(default)]
    pub unread: bool,
}

/// The end of a proof.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Sums {
    pub objects: u64,
    /// How many of them were not what the run left there.
    pub differ: u64,
    /// How many could not be read.
    #[serde(default)]
    pub unread: u64,
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
    /// The bytes that are kept, if they are what the line says they are. Those that are sealed under the
    /// run's key show that themselves.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(&self.bytes).ok()?;
        let said = match self.kept {
            Kept::Before => &self.sealed_before,
            Kept::After => &self.sealed_after,
            Kept::Sealed => return Some(bytes),
            Kept::Nothing => return None,
        };
        (said.as_ref() == Some(&sha256(&bytes))).then_some(bytes)
    }
}

/// Adds a line to a text of lines.
pub(super) fn write(line: &impl Serialize, text: &mut String) {
    // Strings, options and enums alone: nothing of it can fail to be JSON.
    text.push_str(&serde_json::to_string(line).unwrap_or_default());
    text.push('\n');
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
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
            did: Did::Replace,
            before: None,
            after: None,
            rights: None,
            sealed_before: Some(sha256(b"old")),
            sealed_after: Some(sha256(b"new")),
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
