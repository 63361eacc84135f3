//! `iamseal ls`: the paths of a store.

use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use serde_json::Value;

use crate::arguments::{Common, Ls};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::report::{notes, words};
use crate::store::Access;
use crate::{output, store};

pub async fn run(common: &Common, command: &Ls) -> Result<ExitCode, Failure> {
    let store = store::open_whole(common, &command.store, Access::Read).await?;
    let prefix = command.prefix.as_bytes();
    let mut cursor = store.list(prefix, None).await?;
    let mut is_empty = true;
    loop {
        let page = cursor.next().await?;
        if page.is_empty() {
            break;
        }
        is_empty = false;
        let lines = page.iter().map(|path| line(common, path));
        output::bytes(lines.collect::<String>().as_bytes())?;
    }
    if is_empty {
        output::note(common.json, &notes::nothing_there(prefix));
    }
    match store::tell(common, &*store).await {
        true => Ok(ExitCode::SUCCESS),
        false => {
            output::note(common.json, notes::NOT_ALL_SEEN);
            Ok(Cause::Storage.exit_code().into())
        }
    }
}

fn line(common: &Common, path: &[u8]) -> String {
    let mut line = match common.json {
        true => words::json_line(&Value::Object(words::path_fields(path))),
        false => iamseal::shown(path),
    };
    line.push('\n');
    line
}
