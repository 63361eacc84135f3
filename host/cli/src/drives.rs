//! `iamseal drives apply`: does to the drives of this host what runs have done to copies of them.

use std::collections::BTreeSet;
use std::process::ExitCode;

use iamseal::contract::ObjectError;
use iamseal::journal::written_to_drives;
use iamseal::storage::drives::apply::{Apply, ApplyError, ApplyOutcome, ApplyStep};
use serde_json::{Value, json};

use crate::arguments::{ApplyRun, Common, DrivesCommand, Writes};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{notes, why::Why, words};
use crate::store::{Access, copies};
use crate::tally::Tally;
use crate::{finish, journals, keys, output, store};

/// How many objects share the cost of durability: a file system is synced some times for each batch.
const BATCH: usize = 1024;

pub async fn run(common: &Common, command: &DrivesCommand) -> Result<ExitCode, Failure> {
    match command {
        DrivesCommand::Apply(command) => apply(common, command).await,
    }
}

async fn apply(common: &Common, command: &ApplyRun) -> Result<ExitCode, Failure> {
    let keyring = keys::keyring(common)?;
    let journals = journals::to_follow(&command.journal)?;
    let mut runs = Vec::new();
    // By names, so that the first comes first.
    for name in command.runs.iter().collect::<BTreeSet<_>>() {
        let past = journals.past(name)?;
        if past.head().prepares.is_some() {
            let by = finish::runs_of(name, &journals)?;
            return Err(notes::only_prepared(name, &by).into());
        }
        runs.push(match command.trust_journal {
            false => past.authentic(&keyring).await?,
            true => past.trusted(&keyring).await,
        });
    }
    // The journals are read to their ends before anything is written.
    let written = written_to_drives(&runs)?;
    let writes = Writes {
        server_is_stopped: command.server_is_stopped,
        degraded: false,
    };
    let copies = copies::open(&command.from, Access::Read).await?;
    let access = Access::of(writes, command.dry_run);
    let drives = copies::open(&command.to, access).await?;
    let mut apply = Apply::new(written, &copies, &drives, !command.dry_run).await?;
    if !command.dry_run {
        output::note(common.json, notes::NO_SERVER_UNTIL_ALL);
        copies::watch(common, &drives, access).await?;
    }
    let interrupt = Interrupt::listen()?;
    if !command.dry_run {
        store::sweep(common, &*drives, notes::CONFIG).await;
    }
    let progress = Progress::new(common, Some(apply.objects() as u64));
    let mut tally = Tally::default();
    let mut undone = BTreeSet::new();
    let mut stopped = None;
    while stopped.is_none() {
        // A batch is never dropped midway: Ctrl-C is answered between two.
        stopped = interrupt.pressed();
        if stopped.is_some() {
            break;
        }
        let steps = match apply.next(BATCH).await {
            Ok(steps) if steps.is_empty() => break,
            Ok(steps) => steps,
            Err(error) => {
                stopped = Some(error.into());
                break;
            }
        };
        for step in &steps {
            if !is_done(step) {
                undone.extend(step.drives.iter().copied());
            }
            count(step, &mut tally);
            let line = match common.json {
                true => Some(json_line(step)),
                false => text_line(step),
            };
            // What is done is counted even where nobody reads of it.
            if let Some(line) = line.filter(|_| stopped.is_none()) {
                let cause = why(&step.outcome).map(|why| why.cause);
                stopped = progress.object(cause, &line).err();
            }
        }
        progress.advance(steps.len());
    }
    if stopped.is_none() {
        stopped = progress.unnamed().err();
    }
    progress.finish();
    let is_done = |place: &usize| stopped.is_none() && !undone.contains(place);
    end(common, &apply, &tally, is_done, stopped.is_some())?;
    match stopped {
        Some(stopped) => Err(stopped),
        None => Ok(tally.exit_code().into()),
    }
}

/// Prints the summary, and which drives are done and which are not.
fn end(
    common: &Common,
    apply: &Apply,
    tally: &Tally,
    is_done: impl Fn(&usize) -> bool,
    interrupted: bool,
) -> Result<(), Failure> {
    let names = apply.drives();
    let printed = output::summary(&match common.json {
        true => {
            let drives = names.iter().enumerate();
            let drives =
                drives.map(|(place, name)| json!({"drive": name, "done": is_done(&place)}));
            let drives: Vec<_> = drives.collect();
            let fields = [
                ("drives", json!(drives)),
                ("elsewhere", json!(apply.elsewhere())),
            ];
            tally.summary("outcome", interrupted, fields)
        }
        false => tally.table(["cause", ""]),
    });
    let places = names.iter().enumerate();
    let (done, not): (Vec<_>, Vec<_>) = places.partition(|(place, _)| is_done(place));
    let shown = |drives: Vec<(usize, &String)>| -> Vec<String> {
        let drives = drives.into_iter();
        drives.map(|(_, name)| name.clone()).collect()
    };
    for note in notes::applied(&shown(done), &shown(not), apply.elsewhere()) {
        output::note(common.json, &note);
    }
    printed
}

fn name(outcome: &ApplyOutcome) -> &'static str {
    match outcome {
        ApplyOutcome::Applied => "applied",
        ApplyOutcome::WouldApply => "would-apply",
        ApplyOutcome::Unchanged => "unchanged",
        ApplyOutcome::ChangedSince(_) => "changed-since",
        ApplyOutcome::NotLeft(_) | ApplyOutcome::Unfinished | ApplyOutcome::Failed(_) => "failed",
    }
}

/// Whether the drives have what their copies have.
fn is_done(step: &ApplyStep) -> bool {
    matches!(
        step.outcome,
        ApplyOutcome::Applied | ApplyOutcome::Unchanged
    )
}

fn count(step: &ApplyStep, tally: &mut Tally) {
    let verdict = name(&step.outcome);
    match why(&step.outcome) {
        Some(why) => tally.failed(verdict, why.cause),
        None => tally.plain(verdict),
    }
}

/// Why an object was not put there.
fn why(outcome: &ApplyOutcome) -> Option<Why> {
    match outcome {
        ApplyOutcome::ChangedSince(drive) => Some(Why {
            cause: Cause::Conflict,
            message: notes::drive_changed(drive),
            cure: Some(notes::COPY_AGAIN.into()),
            opens_at: None,
        }),
        ApplyOutcome::NotLeft(copy) => Some(Why {
            cause: Cause::Refused,
            message: notes::copy_changed(copy),
            cure: Some(notes::GIVE_ALL_RUNS.into()),
            opens_at: None,
        }),
        ApplyOutcome::Unfinished => Some(Why {
            cause: Cause::Refused,
            message: notes::COPIES_DIFFER.into(),
            cure: Some(notes::COPY_AGAIN.into()),
            opens_at: None,
        }),
        ApplyOutcome::Failed(error) => Some(Why::from(&ObjectError::Storage(error.clone()))),
        _ => None,
    }
}

/// A line for what a person wants to see of each object: failures, and what a dry run would do.
fn text_line(step: &ApplyStep) -> Option<String> {
    let verdict = name(&step.outcome);
    match (&step.outcome, why(&step.outcome)) {
        (_, Some(why)) => Some(words::failure_lines(verdict, &why, &step.path)),
        (ApplyOutcome::WouldApply, None) => Some(words::object_line(verdict, "", "", &step.path)),
        _ => None,
    }
}

fn json_line(step: &ApplyStep) -> String {
    let mut fields = words::path_fields(&step.path);
    fields.insert("outcome".into(), name(&step.outcome).into());
    if let Some(why) = why(&step.outcome) {
        fields.insert("error".into(), words::error_json(&why));
    }
    words::json_line(&Value::Object(fields))
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        match &error {
            ApplyError::Storage(..) => Self::new(Cause::Storage, &error),
            ApplyError::NoCopy(_) => Self::usage(&error).with_cure(notes::GIVE_COPIES),
            ApplyError::NotRead(_) | ApplyError::NotOfRun(_) => {
                Self::usage(&error).with_cure(notes::GIVE_OWN_DRIVES)
            }
        }
    }
}
