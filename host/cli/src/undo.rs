//! `iamseal undo`: taking a run back.

use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use iamseal::journal::{UNWRITTEN, Undo, UndoOutcome, UndoStep};
use serde_json::Value;

use crate::arguments::{Common, UndoRun};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::{notes, why::Why, words};
use crate::run::{self, On};
use crate::store::Access;
use crate::tally::Tally;
use crate::{finish, journals, keys, load, output, standing, store, workers};

/// What to do where an undo cannot write down what it is about to do.
const JOURNAL_ELSEWHERE: &str = "run it again with --journal FOLDER, on a disk that has room, and \
                                 --from with the folder that this run's journal is in";

pub async fn run(common: &Common, command: &UndoRun) -> Result<ExitCode, Failure> {
    let access = Access::of(command.writes, command.dry_run);
    let store = store::open_whole(common, &command.store, access).await?;
    let past = journals::to_read(&command.journal, command.from.as_deref())?.past(&command.run)?;
    if past.head().prepares.is_some() {
        let by = finish::runs_of(
            &command.run,
            &journals::to_read(&command.journal, command.from.as_deref())?,
        )?;
        return Err(notes::only_prepared(&command.run, &by).into());
    }
    let keyring = keys::keyring(common)?;
    let past = match command.trust_journal {
        false => past.authentic(&keyring).await?,
        true => past.trusted(&keyring).await,
    };
    // What was sealed for a store of a name opens under that name.
    let mut common = common.clone();
    common.shared.store_name = past.head().store_name.clone();
    let common = &common;
    let opener = load::auditor(common, keyring.clone(), None).await?;
    let mut interrupt = Interrupt::listen()?;
    // The journal is read to its end before anything is written of this run itself.
    let mut undo = Undo::new(&past, opener, store.clone())?.within(notes::CONFIG);
    let on = On {
        store: store.clone(),
        given: &command.store,
    };
    let run = match command.dry_run {
        true => None,
        false => {
            let work = format!("undo {}", past.head().name);
            let (work, place) = ((notes::CONFIG, &*work), &command.journal);
            let run = run::start(common, &keyring, place, &on, work, &mut interrupt).await?;
            undo = undo.writing(run.store(), run.store_of_other_content());
            Some(run)
        }
    };
    let there = AtomicUsize::new(0);
    let restores = |path: &[u8]| {
        let becomes_plaintext = undo.restores_plaintext(path);
        if becomes_plaintext == Some(true) {
            there.fetch_add(1, Relaxed);
        }
        becomes_plaintext
    };
    standing::tell(common, &*store, notes::CONFIG, restores).await;
    let gone = undo.plaintext().saturating_sub(there.into_inner());
    if gone > 0 {
        output::note(common.json, &notes::comes_back_plaintext(gone));
    }
    let progress = Progress::new(common, Some(undo.objects() as u64));
    let mut tally = Tally::default();
    let mut stopped = None;
    let batch = workers::batch(NonZeroU32::MIN).min(store::batch(&command.store)) as usize;
    while stopped.is_none() {
        // A batch is never dropped midway: Ctrl-C is answered between two.
        stopped = interrupt.pressed();
        if stopped.is_some() {
            break;
        }
        let steps = match undo.next(batch).await {
            Ok(steps) if steps.is_empty() => break,
            Ok(steps) => steps,
            Err(error) => {
                stopped = Some(error.into());
                break;
            }
        };
        if let Some(run) = &run {
            run.report(steps.iter().map(said)).await;
        }
        for step in &steps {
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
        if stopped.is_none() {
            stopped = run.as_ref().and_then(|run| run.gives_up());
        }
    }
    if stopped.is_none() {
        stopped = progress.unnamed().err();
    }
    progress.finish();
    run::finish(common, &on, run, tally, stopped, &mut interrupt).await
}

fn name(outcome: &UndoOutcome) -> &'static str {
    match outcome {
        UndoOutcome::Restored => "restored",
        UndoOutcome::WouldRestore => "would-restore",
        UndoOutcome::Unchanged => "unchanged",
        UndoOutcome::ChangedSince => "changed-since",
        UndoOutcome::Failed(_) => "failed",
    }
}

/// For the journal.
fn said(step: &UndoStep) -> (&[u8], &str, bool) {
    let is_changed = matches!(step.outcome, UndoOutcome::Restored);
    (&step.path, name(&step.outcome), is_changed)
}

fn count(step: &UndoStep, tally: &mut Tally) {
    let verdict = name(&step.outcome);
    match &step.outcome {
        UndoOutcome::ChangedSince => tally.failed(verdict, Cause::Conflict),
        UndoOutcome::Failed(error) => tally.failed(verdict, Cause::of(error)),
        _ => tally.plain(verdict),
    }
}

/// Why an object was not taken back.
fn why(outcome: &UndoOutcome) -> Option<Why> {
    match outcome {
        UndoOutcome::ChangedSince => Some(Why {
            cause: Cause::Conflict,
            message: "somebody has changed or removed it since the run, and theirs was kept".into(),
            cure: Some(
                "to have the old one all the same, take back first what was done since; what a server has written since, \
                 iamseal set-aside takes out of its place".into(),
            ),
            opens_at: None,
        }),
        UndoOutcome::Failed(error) => {
            let mut why = Why::from(error);
            if why.message.contains(UNWRITTEN) {
                why.cure = Some(JOURNAL_ELSEWHERE.into());
            }
            Some(why)
        }
        _ => None,
    }
}

/// A line for what a person wants to see of each object: failures, and what a dry run would do.
fn text_line(step: &UndoStep) -> Option<String> {
    let verdict = name(&step.outcome);
    match (&step.outcome, why(&step.outcome)) {
        (_, Some(why)) => Some(words::failure_lines(verdict, &why, &step.path)),
        (UndoOutcome::WouldRestore, None) => Some(words::object_line(verdict, "", "", &step.path)),
        _ => None,
    }
}

fn json_line(step: &UndoStep) -> String {
    let mut fields = words::path_fields(&step.path);
    fields.insert("outcome".into(), name(&step.outcome).into());
    if let Some(why) = why(&step.outcome) {
        fields.insert("error".into(), words::error_json(&why));
    }
    words::json_line(&Value::Object(fields))
}
