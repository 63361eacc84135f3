//! `iamseal runs`: which runs can be taken back.

use std::process::ExitCode;

use iamseal::journal::{Head, JournalError};
use serde_json::json;

use crate::arguments::{Common, Runs};
use crate::failure::Failure;
use crate::report::words;
use crate::{journals, output};

pub fn run(common: &Common, command: &Runs) -> Result<ExitCode, Failure> {
    let journals = journals::open(&command.journal)?;
    let mut heads = Vec::new();
    for name in journals.names()? {
        match journals.past(&name) {
            Ok(past) => heads.push(past.head().clone()),
            Err(JournalError::UnderWay(name)) => {
                output::note(common.json, &format!("{name} is under way"))
            }
            Err(error) => output::note(common.json, &error.to_string()),
        }
    }
    if common.json {
        for head in &heads {
            output::line(&line(head))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let rows = heads.into_iter().map(|head| {
        [head.name, head.started, head.work, head.store]
            .map(shown)
            .to_vec()
    });
    output::line(&output::table(
        &["run", "started", "did", "store"],
        rows.collect(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn shown(text: String) -> String {
    iamseal::shown(text.as_bytes())
}

fn line(head: &Head) -> String {
    words::json_line(&json!({
        "run": head.name, "started": head.started, "work": head.work,
        "store": head.store, "store_name": head.store_name,
    }))
}
