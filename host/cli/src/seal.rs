//! `iamseal seal`: standard input to standard output.

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::Limits;
use zeroize::Zeroizing;

use crate::arguments::{Common, Seal};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::report::notes;
use crate::report::single::sealed_json;
use crate::{keys, load, output};

pub async fn run(common: &Common, command: &Seal) -> Result<ExitCode, Failure> {
    let path = checked_path(&command.path)?;
    if !common.json && io::stdout().is_terminal() {
        return Err(notes::TERMINAL.into());
    }
    let options = command.how.options()?;
    let plugin = load::builder(common, Arc::new(keys::keyring(common)?))
        .load()
        .await?;
    let about = iamseal::shown(path);
    let plaintext = read_input().await.map_err(|error| error.about(&about))?;
    let plaintext = Zeroizing::new(plaintext);
    let sealed = plugin
        .seal(path, &plaintext, &options)
        .await
        .map_err(|error| Failure::from(error).about(&about))?;
    if common.json {
        output::line(&sealed_json(path, &sealed))?;
    } else {
        output::bytes(&sealed)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The bytes of a path. Refuses one that takes in the folder that is the store: MinIO would look for
/// the object under another context.
pub fn checked_path(path: &OsStr) -> Result<&[u8], Failure> {
    let path = path.as_bytes();
    match notes::wrong_path(path) {
        None => Ok(path),
        Some(wrong) => Err(wrong.into()),
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
        let (message, cure) = notes::large_input(allowed);
        return Err(Failure::new(Cause::Limit, message).with_cure(cure));
    }
    Ok(bytes)
}
