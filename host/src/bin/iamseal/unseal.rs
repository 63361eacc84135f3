//! `iamseal unseal`: standard input to standard output, all or nothing.

use std::process::ExitCode;

use iamseal::contract::Form;
use serde_json::Value;

use crate::arguments::{self, Common, Unseal};
use crate::failure::Failure;
use crate::seal::{check_path, encode, read_input};
use crate::{keys, output, plugin};

pub async fn run(common: &Common, command: &Unseal) -> Result<ExitCode, Failure> {
    check_path(&command.path)?;
    let plugin = plugin::load(common, keys::keyring(common)?).await?;
    let stored = read_input().await?;
    let path = command.path.as_bytes();
    let opened = plugin
        .unseal(path, &stored, arguments::policy(command.require))
        .await
        .map_err(|error| Failure::from(error).about(&command.path))?;
    if opened.found.form == Form::Plaintext {
        let text = "it is plaintext and passed through, as in MinIO; --require sealed refuses it";
        output::note(common.json, &format!("{}: {text}", command.path));
    }
    if common.json {
        let mut fields = output::path_fields(path);
        fields.insert("found".into(), output::found_json(&opened.found));
        fields.insert("plaintext".into(), encode(&opened.plaintext).into());
        output::line(&Value::Object(fields).to_string())?;
    } else {
        output::bytes(&opened.plaintext)?;
    }
    Ok(ExitCode::SUCCESS)
}
