//! `iamseal edit`: one object opened in an editor, and sealed again as it was.

mod editor;
mod layout;
mod private_text;

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::contract::{
    Cipher, DataKeyEncoding, Description, Form, Found, MinioOptions, Policy, SealOptions,
    SealedForm, StorageError, WrittenCipher, WrittenEncoding,
};
use iamseal::keys::{Keyring as _, MixedKeyring};
use iamseal::storage::{Replacement, Storage as _, StorageWriter as _, Store, Stored};
use iamseal::{Limits, Plugin};
use serde_json::Value;
use zeroize::Zeroizing;

use self::private_text::PrivateText;
use crate::arguments::{Common, Edit};
use crate::cat::object_path;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::identities::Secret;
use crate::interrupt::Interrupt;
use crate::report::why::Why;
use crate::report::{notes, words};
use crate::run::{self, On, Run};
use crate::store::Access;
use crate::tally::Tally;
use crate::typed::quoted;
use crate::{keys, load, output, standing, store};

/// What became of the object.
const EDITED: &str = "edited";
const FAILED: &str = "failed";

pub async fn run(common: &Common, command: &Edit) -> Result<ExitCode, Failure> {
    let path = path(command)?;
    let shown = iamseal::shown(path);
    let store = store::open_whole(common, &command.store, Access::Write(command.writes)).await?;
    let keyring = keys::keyring(common)?;
    let plugin = load::builder(common, keyring.clone()).load().await?;
    let about = |failure: Failure| failure.about(&shown);
    let stored = store
        .read(path)
        .await
        .map_err(Failure::from)
        .map_err(about)?;
    let object = Object::open(&plugin, path, stored).await.map_err(about)?;
    if object.how.is_none() && !has_any(&keyring) {
        return Err(notes::NO_KEY_TO_KEEP_UNDER.into());
    }
    standing::tell(common, &*store, path, |_| Some(object.how.is_none())).await;
    store::tell(common, &*store).await;
    let (text, trouble) = Text::of(common, command, path, &object.plaintext).await?;
    let new = text.changed(&object.plaintext)?;
    let written = match (new, trouble) {
        (None, None) => {
            output::note(common.json, notes::NOT_EDITED);
            return Ok(ExitCode::SUCCESS);
        }
        (None, Some(trouble)) => return Err(trouble),
        (Some(_), Some(trouble)) => Err(trouble),
        (Some(new), None) => match check(&new, path) {
            Err(failure) => Err(failure.about(&shown)),
            Ok(()) => {
                let editing = Editing {
                    common,
                    command,
                    path,
                    keyring: &keyring,
                    plugin: &plugin,
                    store,
                    object: &object,
                };
                editing.write(&new).await
            }
        },
    };
    // Somebody's work is in it.
    if !matches!(written, Ok((_, true))) {
        text.keep(common, command);
    }
    written.map(|(code, _)| code)
}

/// The object's path, if it is one that may be written.
fn path(command: &Edit) -> Result<&[u8], Failure> {
    let path = object_path(&command.path)?;
    let is_plain = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    if !path.starts_with(notes::CONFIG) || !path.split(|byte| *byte == b'/').all(is_plain) {
        let shown = iamseal::shown(path);
        let message = format!("{shown}: no path of an object that is sealed");
        return Err(Failure::usage(message).with_cure("give one of those that iamseal ls names"));
    }
    match iamseal::is_exempt(path) {
        false => Ok(path),
        true => Err(Failure::new(
            Cause::Refused,
            format!("{}: exempt: {}", iamseal::shown(path), notes::NOT_OURS),
        )),
    }
}

fn has_any(keyring: &MixedKeyring) -> bool {
    keyring.key_names().next().is_some() || !keyring.root_credentials().is_empty()
}

/// What is edited.
struct Object {
    stored: Stored,
    plaintext: Zeroizing<Vec<u8>>,
    /// How it was sealed; none if it is plaintext.
    how: Option<SealOptions>,
}

impl Object {
    async fn open(plugin: &Plugin, path: &[u8], stored: Stored) -> Result<Self, Failure> {
        let opener = plugin.reader();
        let opened = opener
            .unseal(path, &stored.bytes, Policy::Compatible)
            .await?;
        let seen = opener.inspect(&stored.bytes).await?;
        let how = how(&opened.found, &seen)?;
        Ok(Self {
            stored,
            plaintext: opened.plaintext,
            how,
        })
    }
}

/// How to seal an object that was this; none of plaintext. What nobody writes any more becomes what is
/// written by default.
fn how(found: &Found, seen: &Description) -> Result<Option<SealOptions>, Failure> {
    let form = match found.form {
        Form::Plaintext => return Ok(None),
        Form::RootCredential => return Err(notes::EDIT_ROOT_CREDENTIAL.into()),
        Form::Compact => SealedForm::Compact,
        Form::Minio => SealedForm::Minio(MinioOptions {
            cipher: match seen.cipher {
                Some(Cipher::Aes256Gcm) => Some(WrittenCipher::Aes256Gcm),
                Some(Cipher::Chacha20Poly1305) => Some(WrittenCipher::Chacha20Poly1305),
                _ => None,
            },
            data_key_encoding: match seen.data_key_encoding {
                Some(DataKeyEncoding::Json) => Some(WrittenEncoding::Json),
                _ => None,
            },
        }),
    };
    let key = found.key.clone();
    Ok(Some(SealOptions { form, key }))
}

/// Where the new text is.
enum Text {
    /// In a file that an editor has had.
    Private(PrivateText),
    /// In somebody's own file.
    Given(PathBuf),
}

impl Text {
    /// That of an editor, and how the editor failed; or that of a file.
    async fn of(
        common: &Common,
        command: &Edit,
        path: &[u8],
        old: &[u8],
    ) -> Result<(Self, Option<Failure>), Failure> {
        if let Some(file) = &command.from {
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
    fn changed(&self, old: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
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

    /// Leaves a text that is not in the store to whoever wrote it.
    fn keep(self, common: &Common, command: &Edit) {
        if let Self::Private(text) = self {
            let file = text.keep();
            let again = [command.store.as_os_str(), &command.path].map(quoted);
            let note = notes::text_kept(&quoted(file.as_os_str()), &again.join(" "));
            output::note(common.json, &note);
        }
    }
}

/// Whether a server would read this at its path.
fn check(new: &[u8], path: &[u8]) -> Result<(), Failure> {
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

/// What is needed to write it.
struct Editing<'a> {
    common: &'a Common,
    command: &'a Edit,
    path: &'a [u8],
    keyring: &'a MixedKeyring,
    plugin: &'a Plugin,
    store: Arc<dyn Store>,
    object: &'a Object,
}

impl Editing<'_> {
    /// Puts it back in a run of its own. How that ends, and whether it is in the store then.
    async fn write(self, new: &Zeroizing<Vec<u8>>) -> Result<(ExitCode, bool), Failure> {
        let Self { common, path, .. } = self;
        let bytes = match &self.object.how {
            None => new.to_vec(),
            Some(how) => self.plugin.seal(path, new, how).await?,
        };
        let mut interrupt = Interrupt::listen()?;
        let on = On {
            store: self.store.clone(),
            given: &self.command.store,
        };
        let work = format!("edit {}", iamseal::shown(path));
        store::sweep(common, &*on.store, notes::CONFIG).await;
        let begun = Run::begin(common, self.keyring, &self.command.journal, &on, &work);
        let run = match interrupt.unless(begun).await.flatten() {
            Ok(run) => run,
            Err(failure) => return Err(run::not_begun(common, &on, failure).await),
        };
        let mut tally = Tally::default();
        let failed = self.replace(&run, bytes, new).await.err();
        let outcome = match failed {
            None => EDITED,
            Some(_) => FAILED,
        };
        run.report([(path, outcome, failed.is_none())]).await;
        match &failed {
            None => tally.plain(EDITED),
            Some(failure) => tally.failed(FAILED, failure.cause),
        }
        let told = line(common, path, failed.as_ref());
        let told = told.map_or(Ok(()), |line| output::line(&line));
        let is_written = failed.is_none();
        let ended = run::finish(common, &on, Some(run), tally, told.err(), &mut interrupt).await;
        match ended {
            // That there is no proof does not take it out of the store.
            Err(failure) if is_written => Ok((failure.report(common.json), true)),
            ended => Ok((ended?, is_written)),
        }
    }

    async fn replace(
        &self,
        run: &Run,
        bytes: Vec<u8>,
        new: &Zeroizing<Vec<u8>>,
    ) -> Result<(), Failure> {
        let failed = |error: StorageError| match error {
            StorageError::Conflict | StorageError::NotFound => {
                Failure::from(StorageError::Conflict).with_cure(notes::EDIT_AGAIN)
            }
            error => Failure::from(error),
        };
        let few = || StorageError::Other("the store answered for too few drafts".into());
        let store = run.store();
        // As the plugin does: the journal learns what was there.
        let now = store.read(self.path).await.map_err(failed)?;
        if now.version != self.object.stored.version {
            return Err(failed(StorageError::Conflict));
        }
        let replacement = Replacement {
            path: self.path.to_vec(),
            expected: now.version,
            bytes,
        };
        let mut staged = store.stage(vec![replacement.into()]).await.into_iter();
        let mut draft = staged
            .next()
            .unwrap_or_else(|| Err(few()))
            .map_err(failed)?;
        let read_back = draft.read_back().await.map_err(failed)?;
        let policy = match self.object.how {
            None => Policy::Compatible,
            Some(_) => Policy::Sealed,
        };
        let opened = self
            .plugin
            .reader()
            .unseal(self.path, &read_back, policy)
            .await?;
        if *opened.plaintext != **new {
            let message = "what was written does not read back the same";
            return Err(Failure::new(Cause::Storage, message));
        }
        let mut committed = store.commit(vec![draft]).await.into_iter();
        let version = committed.next().unwrap_or_else(|| Err(few()));
        version.map(drop).map_err(failed)
    }
}

/// What is said of the object; nothing where a person sees it in the summary.
fn line(common: &Common, path: &[u8], failure: Option<&Failure>) -> Option<String> {
    let why = failure.map(|failure| Why {
        cause: failure.cause,
        message: failure.message.clone(),
        cure: failure.cure.clone(),
        opens_at: None,
    });
    if !common.json {
        return why.map(|why| words::failure_lines(FAILED, &why, path));
    }
    let mut fields = words::path_fields(path);
    let outcome = match why {
        None => EDITED,
        Some(_) => FAILED,
    };
    fields.insert("outcome".into(), outcome.into());
    if let Some(why) = why {
        fields.insert("error".into(), words::error_json(&why));
    }
    Some(words::json_line(&Value::Object(fields)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_server_reads_at_its_path_is_written() {
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
