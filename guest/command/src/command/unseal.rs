//! `unseal`: standard input to standard output, all or nothing.

use iamseal_words::contract::{Form, Found, ObjectError};
use iamseal_words::report::{notes, words};
use iamseal_words::shown::shown;
use serde_json::Value;

use crate::command::arguments::{Arguments, Unseal};
use crate::command::bindings::iamseal::command::lending;
use crate::command::bindings::iamseal::plugin::opening;
use crate::command::bindings::iamseal::plugin::types::Location;
use crate::command::failure::Failure;
use crate::command::output;
use crate::command::seal::{check_path, encode};

pub fn run(arguments: &Arguments, command: &Unseal) -> Result<u8, Failure> {
    let path = &command.path;
    check_path(path)?;
    lending::lend_keys(&arguments.keys, &arguments.root_credentials)?;
    let about = shown(path);
    let stored = output::input().map_err(|error| error.about(&about))?;
    let location = Location {
        store: arguments.store_name.clone(),
        path: path.clone(),
    };
    let opened = opening::unseal(&location, &stored, command.policy.into())
        .map_err(|error| Failure::from(ObjectError::from(error)).about(&about))?;
    let found = Found::from(opened.found);
    if found.form == Form::Plaintext {
        output::note(arguments.json, &notes::passed_through(path));
    }
    if arguments.json {
        let mut fields = words::path_fields(path);
        fields.insert("found".into(), words::found_json(&found));
        fields.insert("plaintext".into(), encode(&opened.plaintext).into());
        output::line(&words::json_line(&Value::Object(fields)))?;
    } else {
        output::bytes(&opened.plaintext)?;
    }
    Ok(0)
}
