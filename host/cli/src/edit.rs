//! `iamseal edit`: one object opened in an editor, and sealed again as it was.

mod editor;
mod layout;
mod private_text;
mod text;

use std::process::ExitCode;
use std::sync::Arc;

use iamseal::Plugin;
use iamseal::contract::StorageError;
use iamseal::keys::MixedKeyring;
use iamseal::storage::Store;
use serde_json::Value;
use zeroize::Zeroizing;

use self::text::{Text, check};
use crate::arguments::{Common, Edit};
use crate::cat::object_path;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::loadable::Loadable;
use crate::put::{self, Put};
use crate::report::why::Why;
use crate::report::{notes, words};
use crate::reseal::{Object, Sealers};
use crate::run::{self, On, Run};
use crate::store::Access;
use crate::tally::Tally;
use crate::{keys, load, output, standing, store};

/// What became of the object.
const EDITED: &str = "edited";
const FAILED: &str = "failed";

pub async fn run(common: &Common, command: &Edit) -> Result<ExitCode, Failure> {
    let path = path(command)?;
    let shown = iamseal::shown(path);
    let store = store::open_whole(common, &command.store, Access::Write(command.writes)).await?;
    let keyring = keys::keyring(common)?;
    let plugin = load::builder(common, Arc::new(keyring.clone()))
        .load()
        .await?;
    let about = |failure: Failure| failure.about(&shown);
    let stored = store
        .read(path)
        .await
        .map_err(Failure::from)
        .map_err(about)?;
    let loadable = Loadable::new(common, &keyring).await?;
    let object = Object::open(&plugin, path, stored).await.map_err(about)?;
    // To open it all keys will do; it is sealed under the one that did.
    let mut sealers = Sealers::new(common, &keyring, &plugin);
    let sealer = sealers.of(&object).await.map_err(about)?;
    if object.how.is_none() && !keys::has_any(&keyring) {
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
                    loadable: &loadable,
                    sealer,
                    store,
                    object: &object,
                };
                editing.write(&new).await
            }
        },
    };
    // Somebody's work is in it.
    match &written {
        Ok((_, Became::Stored)) => {}
        Ok((_, Became::Conflict)) => text.keep(common, command, true),
        Ok((_, Became::Failed)) | Err(_) => text.keep(common, command, false),
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

/// What became of a new text.
enum Became {
    Stored,
    /// Somebody else has changed the object meanwhile.
    Conflict,
    Failed,
}

/// What is needed to write it.
struct Editing<'a> {
    common: &'a Common,
    command: &'a Edit,
    path: &'a [u8],
    keyring: &'a MixedKeyring,
    plugin: &'a Plugin,
    loadable: &'a Loadable,
    /// Is lent the key that it is sealed under.
    sealer: &'a Plugin,
    store: Arc<dyn Store>,
    object: &'a Object,
}

impl Editing<'_> {
    /// Puts it back in a run of its own. How that ends, and what became of the text.
    async fn write(self, new: &Zeroizing<Vec<u8>>) -> Result<(ExitCode, Became), Failure> {
        let Self { common, path, .. } = self;
        let put = self.object.with(self.sealer, new).await?;
        let mut interrupt = Interrupt::listen()?;
        let on = On {
            store: self.store.clone(),
            given: &self.command.store,
        };
        let work = format!("edit {}", iamseal::shown(path));
        let (work, place) = ((notes::CONFIG, &*work), &self.command.journal);
        let run = run::start(common, self.keyring, place, &on, work, &mut interrupt).await?;
        let mut tally = Tally::default();
        let failed = self.replace(&run, put).await.err();
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
        let became = match &failed {
            None => Became::Stored,
            Some(failure) if failure.cause == Cause::Conflict => Became::Conflict,
            Some(_) => Became::Failed,
        };
        let ended = run::finish(common, &on, Some(run), tally, told.err(), &mut interrupt).await;
        match ended {
            // That there is no proof does not take it out of the store.
            Err(failure) if matches!(became, Became::Stored) => {
                Ok((failure.report(common.json), became))
            }
            ended => Ok((ended?, became)),
        }
    }

    async fn replace(&self, run: &Run, put: Put) -> Result<(), Failure> {
        let written = put::put(
            &run.store_of_other_content(),
            self.plugin.reader(),
            self.loadable,
            vec![put],
        )
        .await;
        let failed = written.into_iter().flatten().next();
        match failed {
            None => Ok(()),
            Some(failure) if failure.cause == Cause::Conflict => {
                match self.store.read(self.path).await {
                    Err(StorageError::NotFound) => {
                        let (message, cure) = notes::REMOVED_MEANWHILE;
                        Err(Failure::new(Cause::Conflict, message).with_cure(cure))
                    }
                    _ => Err(failure.with_cure(notes::EDIT_AGAIN)),
                }
            }
            Some(failure) => Err(failure),
        }
    }
}

/// What is said of the object; nothing where a person sees it in the summary.
fn line(common: &Common, path: &[u8], failure: Option<&Failure>) -> Option<String> {
    let why = failure.map(Why::from);
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
