//! `unseal`: standard input to standard output, all or nothing.

use iamseal_words::arguments::{Common, Unseal, is_for_rustfs, policy};
use iamseal_words::contract::{Form, Found, ObjectError};
use iamseal_words::report::notes;
use iamseal_words::report::single::opened_json;
use iamseal_words::shown::shown;

use crate::command::bindings::iamseal::plugin::opening;
use crate::command::bindings::iamseal::plugin::types::Location;
use crate::command::failure::Failure;
use crate::command::seal::check_path;
use crate::command::{output, store};

pub fn run(common: &Common, command: &Unseal) -> Result<u8, Failure> {
    let path = command.path.as_encoded_bytes();
    check_path(path)?;
    store::lend_keys(common, is_for_rustfs(command.require))?;
    let about = shown(path);
    let stored = output::input().map_err(|error| error.about(&about))?;
    let location = Location {
        store: common.store_name.clone(),
        path: path.to_vec(),
    };
    let opened = opening::unseal(&location, &stored, policy(command.require).into())
        .map_err(|error| Failure::from(ObjectError::from(error)).about(&about))?;
    let found = Found::from(opened.found);
    if found.form == Form::Plaintext {
        output::note(common.json, &notes::passed_through(path));
    }
    if common.json {
        output::line(&opened_json(path, &found, &opened.plaintext))?;
    } else {
        output::bytes(&opened.plaintext)?;
    }
    Ok(0)
}
