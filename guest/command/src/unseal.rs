//! `unseal`: standard input to standard output, all or nothing.

use serde_json::Value;

use crate::arguments::{Arguments, Unseal};
use crate::bindings::iamseal::command::lending;
use crate::bindings::iamseal::plugin::opening;
use crate::contract::{Form, Location};
use crate::failure::Failure;
use crate::output;
use crate::report::{notes, words};
use crate::seal::{check_path, encode};

pub fn run(arguments: &Arguments, command: &Unseal) -> Result<u8, Failure> {
    let path = &command.path;
    check_path(path)?;
    lending::lend_keys(&arguments.keys, &arguments.root_credentials)?;
    let about = iamseal::shown(path);
    let stored = output::input().map_err(|error| error.about(&about))?;
    let location = Location {
        store: arguments.store_name.clone(),
        path: path.clone(),
    };
    let opened = opening::unseal(&location, &stored, command.policy)
        .map_err(|error| Failure::from(error).about(&about))?;
    if opened.found.form == Form::Plaintext {
        output::note(arguments.json, &notes::passed_through(path));
    }
    if arguments.json {
        let mut fields = words::path_fields(path);
        fields.insert("found".into(), words::found_json(&opened.found));
        fields.insert("plaintext".into(), encode(&opened.plaintext).into());
        output::line(&words::json_line(&Value::Object(fields)))?;
    } else {
        output::bytes(&opened.plaintext)?;
    }
    Ok(0)
}
