//! `iamseal keygen`: a fresh key.

use std::process::ExitCode;

use iamseal::keys::StaticKey;
use serde_json::json;

use crate::arguments::{Common, Keygen};
use crate::failure::Failure;
use crate::output;
use crate::report::words;

/// Prints `NAME:BASE64`. It is the command's purpose, so the secret goes to standard output.
pub fn run(common: &Common, command: &Keygen) -> Result<ExitCode, Failure> {
    check_name(&command.name)?;
    let key = StaticKey::generate(&command.name)?;
    let text = key.encode();
    if common.json {
        let line = json!({ "name": command.name, "key": text.as_str() });
        output::line(&words::json_line(&line))?;
    } else {
        output::line(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses a name that a variable or a line of a key file would not give back.
fn check_name(name: &str) -> Result<(), Failure> {
    if name.is_empty() {
        return Err(
            Failure::usage("the name is empty").with_cure("give one: iamseal keygen my-key")
        );
    }
    let odd = name.contains(char::is_control) || name.trim() != name || name.starts_with('#');
    if odd {
        return Err(Failure::usage(
            "the name begins with #, holds control characters or has white space around it",
        )
        .with_cure("choose a name that a variable and a line of a file can hold"));
    }
    Ok(())
}
