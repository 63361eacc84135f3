//! `iamseal inspect`: what can be seen without a key.

use std::fs::File;
use std::io::Read as _;
use std::process::ExitCode;

use iamseal::Limits;
use iamseal::contract::Description;
use iamseal::keys::StaticKeyring;
use serde_json::json;

use crate::arguments::{Common, Inspect};
use crate::failure::Failure;
use crate::seal::read_input;
use crate::{load, output};

pub async fn run(common: &Common, command: &Inspect) -> Result<ExitCode, Failure> {
    let (name, stored) = match &command.file {
        None => ("standard input".to_owned(), read_input().await?),
        Some(file) => {
            let name = file.display().to_string();
            let mut stored = Vec::new();
            // One byte more than may be: the plugin's limit then says so.
            let most = Limits::default().object_bytes as u64 + 1;
            File::open(file)
                .and_then(|opened| opened.take(most).read_to_end(&mut stored))
                .map_err(|error| Failure::from(error).about(&name))?;
            (name, stored)
        }
    };
    // No key is asked for, so none is lent.
    let auditor = load::auditor(common, StaticKeyring::new(), None).await?;
    let seen = auditor
        .inspect(&stored)
        .await
        .map_err(|error| Failure::from(error).about(&name))?;
    if common.json {
        output::line(
            &json!({
                "file": name,
                "form": output::form_name(seen.form),
                "size": seen.size,
                "plaintext_size": seen.plaintext_size,
                "key": seen.key,
                "cipher": seen.cipher.map(output::cipher_name),
                "data_key_encoding": seen.data_key_encoding.map(output::encoding_name),
                "key_derivation": seen.key_derivation,
            })
            .to_string(),
        )?;
    } else {
        let name = output::path(name.as_bytes());
        output::line(&output::table(&["", &name], rows(&seen)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn rows(seen: &Description) -> Vec<Vec<String>> {
    let mut rows = vec![
        ("form", output::form_name(seen.form).to_owned()),
        ("size", format!("{} bytes", seen.size)),
        ("holds", format!("{} bytes", seen.plaintext_size)),
    ];
    // Nothing vouches for the name: whoever wrote the object chose it.
    let key = seen.key.as_deref();
    rows.extend(key.map(|key| ("key", output::path(key.as_bytes()))));
    rows.extend(
        seen.cipher
            .map(|cipher| ("cipher", output::cipher_name(cipher).to_owned())),
    );
    let encoding = seen.data_key_encoding.map(output::encoding_name);
    rows.extend(encoding.map(|encoding| ("data key", encoding.to_owned())));
    rows.extend(
        seen.key_derivation
            .clone()
            .map(|function| ("key from password", function)),
    );
    rows.into_iter()
        .map(|(name, value)| vec![name.to_owned(), value])
        .collect()
}
