//! `seal`: standard input to standard output.

use iamseal_words::arguments::{Common, Seal};
use iamseal_words::contract::ObjectError;
use iamseal_words::report::notes;
use iamseal_words::report::single::sealed_json;
use iamseal_words::shown::shown;

use crate::command::bindings::iamseal::plugin::sealing;
use crate::command::bindings::iamseal::plugin::types::Location;
use crate::command::failure::Failure;
use crate::command::{output, store};

pub fn run(common: &Common, command: &Seal) -> Result<u8, Failure> {
    let path = command.path.as_encoded_bytes();
    check_path(path)?;
    if !common.json && output::is_terminal() {
        return Err(notes::TERMINAL.into());
    }
    let options = command.how.options()?;
    store::lend_keys(common, false)?;
    let about = shown(path);
    let plaintext = output::input().map_err(|error| error.about(&about))?;
    let location = Location {
        store: common.store_name.clone(),
        path: path.to_vec(),
    };
    let sealed = sealing::seal(&location, &plaintext, &options.into())
        .map_err(|error| Failure::from(ObjectError::from(error)).about(&about))?;
    if common.json {
        output::line(&sealed_json(path, &sealed))?;
    } else {
        output::bytes(&sealed)?;
    }
    Ok(0)
}

/// Refuses a path that takes in the folder that is the store.
pub fn check_path(path: &[u8]) -> Result<(), Failure> {
    match notes::wrong_path(path) {
        None => Ok(()),
        Some(wrong) => Err(wrong.into()),
    }
}
