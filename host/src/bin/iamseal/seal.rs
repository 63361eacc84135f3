//! `iamseal seal`: standard input to standard output.

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use base64::Engine as _;
use iamseal::Limits;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::arguments::{Common, Seal};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::{keys, load, output};

pub async fn run(common: &Common, command: &Seal) -> Result<ExitCode, Failure> {
    let path = checked_path(&command.path)?;
    if !common.json && io::stdout().is_terminal() {
        return Err(
            Failure::usage("a sealed object is binary and standard output is a terminal")
                .with_cure("send it to a file, or ask for --json"),
        );
    }
    let options = command.how.options()?;
    let plugin = load::builder(common, keys::keyring(common)?).load().await?;
    let about = output::path(path);
    let plaintext = read_input().await.map_err(|error| error.about(&about))?;
    let plaintext = Zeroizing::new(plaintext);
    let sealed = plugin
        .seal(path, &plaintext, &options)
        .await
        .map_err(|error| Failure::from(error).about(&about))?;
    if common.json {
        let mut fields = output::path_fields(path);
        fields.insert("stored".into(), encode(&sealed).into());
        output::line(&Value::Object(fields).to_string())?;
    } else {
        output::bytes(&sealed)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The bytes of a path. Refuses one that takes in the folder that is the store: MinIO would look for
/// the object under another context.
pub fn checked_path(path: &OsStr) -> Result<&[u8], Failure> {
    let path = path.as_bytes();
    let mut parts = path.split(|byte| *byte == b'/');
    if !parts.any(|part| part == b".minio.sys") {
        return Ok(path);
    }
    let rest = output::path(&parts.collect::<Vec<_>>().join(&b'/'));
    let path = output::path(path);
    Err(
        Failure::usage(format!("{path}: the path takes in .minio.sys"))
            .with_cure(format!("give the path below it: --path {rest}")),
    )
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
        )
        .with_cure("the largest IAM and configuration objects are a few MiB: is it one of them?"));
    }
    Ok(bytes)
}

/// Bytes in JSON.
pub fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
