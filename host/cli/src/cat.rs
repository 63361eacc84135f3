//! `iamseal cat`: an object of a store to standard output.

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use iamseal::contract::Form;
use iamseal_words::arguments::{is_for_rustfs, policy};
use iamseal_words::shown::is_hidden;
use zeroize::Zeroizing;

use crate::arguments::{Cat, Common};
use crate::failure::{Failure, exempt};
use crate::report::notes;
use crate::report::single::{opened_json, sealed_json};
use crate::{keys, load, output, store};

pub async fn run(common: &Common, command: &Cat) -> Result<ExitCode, Failure> {
    let path = object_path(&command.path)?;
    let about = iamseal::shown(path);
    // Before the store is opened, which may take its time.
    let auditor = match command.raw {
        true => None,
        false => Some(
            load::auditor(
                common,
                keys::keyring_for(common, is_for_rustfs(command.require))?,
                None,
            )
            .await?,
        ),
    };
    let stored = store::object(common, &command.store, path).await;
    let stored = Zeroizing::new(stored.map_err(|error| error.about(&about))?);
    let Some(auditor) = auditor else {
        return match common.json {
            true => output::line(&sealed_json(path, &stored)),
            false => print(&stored),
        }
        .map(|()| ExitCode::SUCCESS);
    };
    let opened = auditor
        .unseal(path, &stored, policy(command.require))
        .await
        .map_err(|error| exempt(error.into(), Some(&command.path)).about(&about))?;
    if opened.found.form == Form::Plaintext {
        output::note(common.json, &notes::passed_through(path));
    }
    match common.json {
        true => output::line(&opened_json(path, &opened.found, &opened.plaintext))?,
        false => print(&opened.plaintext)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The bytes of the path of an object in a store.
///
/// # Errors
/// It takes in the folder that is the store: MinIO would look for the object under another context.
pub fn object_path(path: &OsStr) -> Result<&[u8], Failure> {
    let path = path.as_bytes();
    match notes::wrong_path(path) {
        None => Ok(path),
        Some((message, cure)) => {
            Err(Failure::usage(message).with_cure(cure.replacen("--path ", "", 1)))
        }
    }
}

/// Writes bytes to standard output. Whoever wrote an object must not drive a terminal with it.
fn print(bytes: &[u8]) -> Result<(), Failure> {
    let is_plain = |character: char| matches!(character, '\n' | '\t') || !is_hidden(character);
    let is_text = str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_plain));
    match is_text || !io::stdout().is_terminal() {
        true => output::bytes(bytes),
        false => Err(notes::NOT_FOR_A_TERMINAL.into()),
    }
}
