//! `iamseal inspect`: what can be seen without a key.

use std::fs::File;
use std::io::Read as _;
use std::process::ExitCode;

use iamseal::Limits;
use iamseal::keys::MixedKeyring;

use crate::arguments::{Common, Inspect};
use crate::failure::{Failure, exempt};
use crate::report::{description, notes};
use crate::seal::{checked_path, read_input};
use crate::{load, output, store};

pub async fn run(common: &Common, command: &Inspect) -> Result<ExitCode, Failure> {
    let (name, stored) = match (&command.file, &command.path) {
        (None, _) => ("standard input".to_owned(), read_input().await?),
        (Some(given), Some(path)) => {
            let path = checked_path(path)?;
            let name = iamseal::shown(path);
            let stored = store::object(common, given, path).await;
            (name.clone(), stored.map_err(|error| error.about(&name))?)
        }
        (Some(file), None) => {
            let name = file.display().to_string();
            let mut stored = Vec::new();
            // One byte more than may be: the plugin's limit then says so.
            let most = Limits::default().object_bytes as u64 + 1;
            if file.is_dir() {
                return Err(notes::is_folder(&iamseal::shown(name.as_bytes())).into());
            }
            File::open(file)
                .and_then(|opened| opened.take(most).read_to_end(&mut stored))
                .map_err(|error| Failure::from(error).about(&name))?;
            (name, stored)
        }
    };
    // No key is asked for, so none is lent.
    let auditor = load::auditor(common, MixedKeyring::default(), None).await?;
    let seen = auditor
        .inspect(&stored)
        .await
        .map_err(|error| exempt(error.into(), command.path.as_deref()).about(&name))?;
    if common.json {
        output::line(&description::json_line(&name, &seen))?;
    } else {
        let name = iamseal::shown(name.as_bytes());
        output::line(&output::table(&["", &name], description::rows(&seen)))?;
    }
    Ok(ExitCode::SUCCESS)
}
