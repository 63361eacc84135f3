//! `iamseal unseal`: standard input to standard output, all or nothing.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use iamseal::contract::Form;

use iamseal_words::arguments::{is_for_rustfs, policy};

use crate::arguments::{Common, Unseal};
use crate::failure::{Failure, exempt};
use crate::report::notes;
use crate::report::single::opened_json;
use crate::seal::{checked_path, read_input};
use crate::{keys, load, output, store};

pub async fn run(common: &Common, command: &Unseal) -> Result<ExitCode, Failure> {
    let path = checked_path(&command.shared.path)?;
    let require = command.shared.require;
    let keyring = keys::keyring_for(common, is_for_rustfs(require))?;
    let auditor = load::auditor(common, keyring, None).await?;
    let about = iamseal::shown(path);
    let stored = match &command.store {
        None => read_input().await,
        Some(given) => store::object(common, given, path).await,
    };
    let stored = stored.map_err(|error| error.about(&about))?;
    let opened = auditor
        .unseal(path, &stored, policy(require))
        .await
        .map_err(|error| exempt(error.into(), Some(OsStr::from_bytes(path))).about(&about))?;
    if opened.found.form == Form::Plaintext {
        output::note(common.json, &notes::passed_through(path));
    }
    if common.json {
        output::line(&opened_json(path, &opened.found, &opened.plaintext))?;
    } else {
        output::bytes(&opened.plaintext)?;
    }
    Ok(ExitCode::SUCCESS)
}
