//! `iamseal sweep`: removes the drafts that killed runs left behind.

use std::os::unix::ffi::OsStrExt as _;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use iamseal::contract::{ObjectError, StorageError};
use iamseal::storage::{Sweeping, Swept};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::arguments::{Common, Sweep};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::report::why::Why;
use crate::report::{notes, words};
use crate::store::{Access, Kind};
use crate::tally::Tally;
use crate::{output, store};

const FAILED: &str = "failed";
const STAYS: &str = "stays";
/// How many drafts are removed between two looks for Ctrl-C: as many as a store removes at once.
const AT_ONCE: usize = 16;
/// How long an interrupted sweep waits for what it has begun.
const LAST: Duration = Duration::from_secs(5);

pub async fn run(common: &Common, command: &Sweep) -> Result<ExitCode, Failure> {
    let needs_no_watch = command.server_is_stopped || command.dry_run;
    let store = store::open(common, &command.place, Access::Sweep(needs_no_watch)).await?;
    let how = Sweeping {
        is_dry: command.dry_run,
        no_run: command.no_run_under_way,
    };
    let removed = match how.is_dry {
        true => "would-remove",
        false => "removed",
    };
    let mut interrupt = Interrupt::listen()?;
    let mut drafts = interrupt
        .unless(store.drafts(command.place.prefix.as_bytes()))
        .await?
        .map_err(|error| Failure::from(error).about("drafts"))?;
    let mut tally = Tally::of("drafts");
    let mut stopped = None;
    while stopped.is_none() {
        let page = match interrupt.unless(drafts.next()).await {
            Ok(Ok(page)) if page.is_empty() => break,
            Ok(Ok(page)) => page,
            Ok(Err(error)) => {
                stopped = Some(error.into());
                break;
            }
            Err(failure) => {
                stopped = Some(failure);
                break;
            }
        };
        for page in page.chunks(AT_ONCE) {
            if stopped.is_some() {
                break;
            }
            let mut removing = pin!(store.remove_drafts(page.to_vec(), how));
            let swept = match interrupt.unless(&mut removing).await {
                Ok(swept) => swept,
                Err(failure) => {
                    stopped = Some(failure);
                    // What is removed is told, unless the store gives no answer.
                    let swept = timeout(LAST, removing).await;
                    swept.unwrap_or_else(|_| page.iter().map(|_| Err(unknown())).collect())
                }
            };
            say(common, page, swept, removed, &mut tally, &mut stopped);
        }
    }
    // On a drive that is not here drafts lie as they did.
    let unseen = match store::kind(&*store, &command.place.store) {
        Kind::Drives => store.check_writes().await.err(),
        Kind::Folder | Kind::Server => None,
    };
    if let Some(error) = &unseen {
        tally.beside(Cause::Storage);
        output::note(
            common.json,
            &notes::not_all_swept(&iamseal::describe_storage(error)),
        );
    }
    let printed = output::summary(&match common.json {
        true => tally.json("outcome", stopped.is_some(), None),
        false => tally.table(["cause", ""]),
    });
    if let Some(note) = store::old_bytes(&*store) {
        output::note(common.json, note);
    }
    match stopped {
        Some(stopped) => Err(stopped),
        None => printed.map(|()| tally.exit_code().into()),
    }
}

/// What is said where a store was not waited for.
fn unknown() -> StorageError {
    StorageError::Other("whether it was removed is not known: the store gave no answer".into())
}

/// Counts what became of drafts and, while somebody reads of it, says so.
fn say(
    common: &Common,
    page: &[Vec<u8>],
    swept: Vec<Result<Swept, StorageError>>,
    removed: &'static str,
    tally: &mut Tally,
    stopped: &mut Option<Failure>,
) {
    for (path, swept) in page.iter().zip(swept) {
        let line = match swept {
            Ok(Swept::Removed) => {
                tally.plain(removed);
                Line::new(path, removed)
            }
            Ok(Swept::Stays(why)) => {
                tally.plain(STAYS);
                Line::new(path, STAYS).because(why)
            }
            // Its run has just ended.
            Err(StorageError::NotFound) => continue,
            Err(error) => {
                let why = Why::from(&ObjectError::Storage(error));
                tally.failed(FAILED, why.cause);
                Line::new(path, FAILED).failed(why)
            }
        };
        // What is done is counted even where nobody reads of it, or nobody wants to go on.
        let is_read = stopped.as_ref().is_none_or(Failure::is_asked_for);
        if let Some(line) = line.shown(common.json).filter(|_| is_read)
            && let Err(failure) = output::line(&line)
        {
            stopped.get_or_insert(failure);
        }
    }
}

/// What is said of a draft.
struct Line<'a> {
    path: &'a [u8],
    outcome: &'static str,
    reason: Option<String>,
    error: Option<Why>,
}

impl<'a> Line<'a> {
    fn new(path: &'a [u8], outcome: &'static str) -> Self {
        Self {
            path,
            outcome,
            reason: None,
            error: None,
        }
    }

    fn because(self, reason: String) -> Self {
        Self {
            reason: Some(reason),
            ..self
        }
    }

    fn failed(self, why: Why) -> Self {
        Self {
            error: Some(why),
            ..self
        }
    }

    /// The line; none for a person where there is nothing to say but that it was done.
    fn shown(&self, json: bool) -> Option<String> {
        if json {
            let mut fields = words::path_fields(self.path);
            fields.insert("outcome".into(), self.outcome.into());
            if let Some(reason) = &self.reason {
                fields.insert("reason".into(), json!(reason));
            }
            if let Some(why) = &self.error {
                fields.insert("error".into(), words::error_json(why));
            }
            return Some(words::json_line(&Value::Object(fields)));
        }
        match (&self.reason, &self.error) {
            (_, Some(why)) => Some(words::failure_lines(self.outcome, why, self.path)),
            (Some(reason), _) => Some(words::left_lines(self.outcome, reason, self.path)),
            _ => None,
        }
    }
}
