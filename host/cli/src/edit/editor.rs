//! The editor of whoever runs the tool.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::failure::Failure;

/// Beginnings of variables with keys, credentials and passwords, which an editor has no use for.
const SECRET: [&str; 5] = ["MINIO_", "RUSTFS_", "AWS_", "ETCDCTL_", "IAMSEAL_"];

/// Opens a file in the editor and waits until it is closed. A shell reads the command, which may have
/// arguments.
///
/// # Errors
/// It does not start, or ends with a failure.
pub async fn edit(file: &Path) -> Result<(), Failure> {
    let mut editor = name();
    let shown = iamseal::shown(editor.as_encoded_bytes());
    editor.push(" \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(editor).arg("sh").arg(file);
    let is_secret = |name: &OsString| {
        let name = name.to_string_lossy();
        SECRET.iter().any(|begin| name.starts_with(begin))
    };
    for (name, _) in env::vars_os().filter(|(name, _)| is_secret(name)) {
        command.env_remove(name);
    }
    let ended = tokio::task::spawn_blocking(move || command.status()).await;
    let cure = "set VISUAL or EDITOR to an editor that ends when it has written the file";
    let about = |failure: Failure| failure.about(format!("the editor {shown}")).with_cure(cure);
    match ended.map_err(Failure::other)? {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(about(Failure::other(format!("it ended with {status}")))),
        Err(error) => Err(about(Failure::other(error))),
    }
}

/// As `crontab -e`, `sudoedit` and others choose it.
fn name() -> OsString {
    let set = ["VISUAL", "EDITOR"].into_iter().filter_map(env::var_os);
    let mut set = set.filter(|editor| !editor.is_empty());
    set.next().unwrap_or_else(|| "vi".into())
}
