//! The new text of an object: what an editor or a file has, and whether it may be written.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use iamseal::Limits;
use iamseal::keys::is_open_to_others;
use zeroize::Zeroizing;

use super::private_text::PrivateText;
use super::{editor, layout};
use crate::arguments::{Common, Edit};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::identities::Secret;
use crate::interrupt::Interrupt;
use crate::report::notes;
use crate::typed::quoted;
use crate::{keys, output};

/// Where the new text is.
pub enum Text {
    /// In a file that an editor has had.
    Private(PrivateText),
    /// In somebody's own file.
    Given(PathBuf),
}

impl Text {
    /// That of an editor, and how the editor failed; or that of a file.
    pub async fn of(
        common: &Common,
        command: &Edit,
        path: &[u8],
        old: &[u8],
    ) -> Result<(Self, Option<Failure>), Failure> {
        if let Some(file) = &command.from {
            keys::tell_open(common, is_open_to_others(file).then(|| file.clone()));
            return Ok((Self::Given(file.clone()), None));
        }
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let shown = match is_closed_json(old) {
            true => layout::spread(old),
            false => Zeroizing::new(old.to_vec()),
        };
        let text = PrivateText::new(OsStr::from_bytes(name), &shown).map_err(|error| {
            Failure::from(error).about("there is no place for the text that you edit")
        })?;
        if !text.is_in_memory {
            output::note(common.json, notes::TEXT_ON_DISK);
        }
        // Ctrl-C is the editor's here.
        let interrupt = Interrupt::listen()?;
        let edited = editor::edit(text.path()).await;
        let pressed = interrupt.pressed();
        let stopped = pressed.filter(|failure| failure.cause != Cause::Interrupted);
        Ok((Self::Private(text), edited.err().or(stopped)))
    }

    /// The new text; none if it is the old one. Of one that is too large a part.
    pub fn changed(&self, old: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let file = match self {
            Self::Private(text) => text.path(),
            Self::Given(file) => file,
        };
        let mut new = Zeroizing::new(Vec::new());
        // An editor may have put another file in its place.
        File::open(file)
            .and_then(|file| file.take(most() + 1).read_to_end(&mut new))
            .map_err(|error| {
                Failure::from(error).about(iamseal::shown(file.as_os_str().as_bytes()))
            })?;
        // As a server lays it out.
        if is_closed_json(old) && is_json(&new) {
            new = layout::close(&new);
        }
        // Editors end the last line, which the server does not.
        if new.last() == Some(&b'\n') && old.last() != Some(&b'\n') {
            new.pop();
        }
        Ok((*new != old).then_some(new))
    }

    /// Leaves a text that is not in the store to whoever wrote it. `is_conflict`: what it was made of is not there
    /// any more either.
    pub fn keep(self, common: &Common, command: &Edit, is_conflict: bool) {
        if let Self::Private(text) = self {
            let file = text.keep();
            let again = [command.store.as_os_str(), &command.path].map(quoted);
            let file = quoted(file.as_os_str());
            let note = match is_conflict {
                true => notes::text_kept_beside(&file),
                false => notes::text_kept(&file, &again.join(" ")),
            };
            output::note(common.json, &note);
        }
    }
}

/// Whether it can be an object of its path at all. Whether a server loads it is found out once it is sealed.
///
/// # Errors
/// It is too large, empty, or no JSON at a path of JSON.
pub fn check(new: &[u8], path: &[u8]) -> Result<(), Failure> {
    if new.len() as u64 > most() {
        let message = format!(
            "the new text is larger than an object may be, {} bytes",
            most()
        );
        return Err(Failure::new(Cause::Limit, message));
    }
    if new.is_empty() {
        return Err(Failure::new(Cause::Malformed, "the new text is empty").with_cure(
            "a server takes an empty object for none; to remove the identity, ask the server to",
        ));
    }
    if !path.ends_with(b".json") {
        return Ok(());
    }
    read_json(new).map_err(|error| {
        Failure::new(
            Cause::Malformed,
            format!("the new text is not valid JSON: {error}"),
        )
        .with_cure("correct it; nothing was written")
    })
}

fn read_json(text: &[u8]) -> serde_json::Result<()> {
    serde_json::from_slice(text).map(Secret).map(drop)
}

fn is_json(text: &[u8]) -> bool {
    read_json(text).is_ok()
}

/// How large JSON is laid out. Deep in others a value of one byte may have a line of 250.
const LAID_OUT: usize = 256 << 10;

/// Whether this is JSON as a server writes it, in one line.
fn is_closed_json(text: &[u8]) -> bool {
    text.len() <= LAID_OUT && is_json(text) && *layout::close(text) == text
}

/// How large an object may be.
fn most() -> u64 {
    Limits::default().object_bytes as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_object_is_refused() {
        let json = b"config/iam/policies/a/policy.json";
        assert!(check(br#"{"a":[1,{}]}"#, json).is_ok());
        for text in [&b"{"[..], b"", b"{} {}", b"\xff", b"{\"a\":}"] {
            let failure = check(text, json).err().unwrap();
            assert_eq!(failure.cause, Cause::Malformed);
        }
        assert!(check(b"region name=x", b"config/history/a.kv").is_ok());
        assert!(check(b"", b"config/history/a.kv").is_err());
        let failure = check(&vec![b'1'; most() as usize + 1], json).err().unwrap();
        assert_eq!(failure.cause, Cause::Limit);
    }
}
