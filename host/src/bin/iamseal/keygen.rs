//! `iamseal keygen`: a fresh key.

use std::process::ExitCode;

use iamseal::keys::StaticKey;
use serde_json::json;

use crate::arguments::{Common, Keygen};
use crate::failure::Failure;
use crate::output;

/// Prints `NAME:BASE64`. It is the command's purpose, so the secret goes to standard output.
pub fn run(common: &Common, command: &Keygen) -> Result<ExitCode, Failure> {
    let key = StaticKey::generate(&command.name)?;
    let text = key.encode();
    if common.json {
        output::line(&json!({ "name": command.name, "key": text.as_str() }).to_string())?;
    } else {
        output::line(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}
