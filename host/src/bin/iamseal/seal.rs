//! `iamseal seal`: standard input to standard output.

use std::io::{self, IsTerminal as _, Read as _};
use std::process::ExitCode;

use base64::Engine as _;
use iamseal::Limits;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::arguments::{Common, Seal};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::{keys, output, plugin};

pub async fn run(common: &Common, command: &Seal) -> Result<ExitCode, Failure> {
    check_path(&command.path)?;
    if !common.json && io::stdout().is_terminal() {
        return Err(
            Failure::usage("a sealed object is binary and standard output is a terminal")
                .with_cure("send it to a file, or ask for --json"),
        );
    }
    let plugin = plugin::load(common, keys::keyring(common)?).await?;
    let plaintext = Zeroizing::new(read_input().await?);
    let path = command.path.as_bytes();
    let sealed = plugin
        .seal(path, &plaintext, &command.how.options())
        .await
        .map_err(|error| Failure::from(error).about(&command.path))?;
    if common.json {
        let mut fields = output::path_fields(path);
        fields.insert("stored".into(), encode(&sealed).into());
        output::line(&Value::Object(fields).to_string())?;
    } else {
        output::bytes(&sealed)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses a path that begins where the server's path begins, not the store's: MinIO would look for
/// the object under another context.
pub fn check_path(path: &str) -> Result<(), Failure> {
    match path.trim_start_matches('/').strip_prefix(".minio.sys/") {
        Some(rest) => Err(
            Failure::usage(format!("{path}: the path begins with .minio.sys"))
                .with_cure(format!("give the path below it: --path {rest}")),
        ),
        None => Ok(()),
    }
}

/// All of standard input, up to the largest object.
pub async fn read_input() -> Result<Vec<u8>, Failure> {
    let allowed = Limits::default().object_bytes as u64;
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(allowed + 1).read_to_end(&mut bytes);
        read.map(|_| bytes)
    });
    let bytes = read
        .await
        .map_err(Failure::other)?
        .map_err(|error| Failure::from(error).about("standard input"))?;
    if bytes.len() as u64 > allowed {
        return Err(Failure::new(
            Cause::Limit,
            format!("standard input is larger than an object may be, {allowed} bytes"),
        ));
    }
    Ok(bytes)
}

/// Bytes in JSON.
pub fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
