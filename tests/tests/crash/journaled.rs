//! Runs that keep a journal, and taking them back.

use std::sync::{Arc, LazyLock};

use iamseal::Auditor;
use iamseal::journal::{Journal, Journaled, Past, RunKey, Trusted, Undo, UndoOutcome, UndoStep};
use iamseal::keys::{MixedKeyring, StaticKey, StaticKeyring};
use iamseal_core::{Error, Form, Found, Outcome, Step, StorageError, Target};
use iamseal_tests::bridge::Bridge;
use iamseal_tests::component::builder;
use iamseal_tests::errors::from_contract;
use iamseal_tests::runtime::wait;

use crate::check::Lost;
use crate::memory::Memory;
use crate::mode::Point;
use crate::shadow::Content;
use crate::workload::{BATCH, Process, Report, STORE, Sample, begin, keys};
use crate::world::World as _;

/// Says what is plaintext, and opens what was.
pub static OPENER: LazyLock<Auditor> = LazyLock::new(|| {
    let plugin = wait(builder(&keys(), STORE).load()).unwrap();
    plugin.reader().clone()
});

/// What opens the keys of runs.
pub fn keyring() -> MixedKeyring {
    let keys = StaticKeyring::new().key(StaticKey::new("a", [1; 32].into()));
    keys.into()
}

/// A run whose journal is what the run wrote.
pub fn authentic(past: Past) -> Trusted {
    wait(past.authentic(&keyring())).unwrap()
}

/// A migration that begins with a journal and ends with a proof.
pub fn migrate(process: Process, target: Target) -> Report {
    let journal = match journal(&process, "migrate") {
        Ok(journal) => journal,
        Err(report) => return report,
    };
    let Bridge {
        keys,
        storage,
        writer,
    } = process.lent;
    let inspector = OPENER.clone();
    let journaled = Journaled::new(journal.clone(), storage.clone(), writer, inspector);
    let lent = Arc::new(journaled.clone());
    let mut run = begin(
        Bridge {
            keys,
            storage: lent.clone(),
            writer: lent,
        },
        target,
    );
    let mut unsaid = None;
    let mut report = Report::of(|| {
        let steps = run.next(BATCH)?;
        let is_changed = |step: &Step| matches!(step.outcome, Outcome::Migrated(_));
        let said = steps.iter().map(|step| (&*step.path, "", is_changed(step)));
        if let Err(error) = wait(journaled.report(said)) {
            unsaid.get_or_insert(Error::Other(format!("{error:?}")));
        }
        Ok(steps)
    });
    if report.ended.is_none() {
        let proved = wait(journal.prove(&*storage, |_| {})).map(|_| ());
        let unproved = proved.map_err(|error| Error::Other(error.to_string()));
        report.ended = unsaid.or(unproved.err());
    }
    report
}

/// Takes the first run back, with a journal of that.
pub fn undo(process: Process) -> Report {
    let opened = (process.journals)().and_then(|journals| {
        let names = journals.names()?;
        journals.past(&names[0])
    });
    let past = match opened {
        Ok(past) => authentic(past),
        Err(error) => return ended(&error),
    };
    let journal = match journal(&process, "undo") {
        Ok(journal) => journal,
        Err(report) => return report,
    };
    let Bridge {
        storage, writer, ..
    } = process.lent;
    let journaled = Arc::new(Journaled::new(journal, storage, writer, OPENER.clone()));
    let (storage, writer) = (journaled.clone(), journaled.clone());
    let mut undo = Undo::new(&past, OPENER.clone(), storage.clone())
        .unwrap()
        .writing(storage, writer);
    Report::of(|| {
        let steps = wait(undo.next(BATCH as usize)).unwrap();
        Ok(steps.into_iter().map(step).collect())
    })
}

/// The store after a run, with its journal.
pub fn sample(before: &Sample, target: Target) -> Sample {
    let world = Memory::of(&before.tree, &before.journals);
    let opened = world.open(&Arc::new(Point::never())).unwrap();
    let process = crate::check::process(opened);
    assert!(migrate(process, target).ended.is_none());
    let journals = world.journals();
    let everything = world.everything();
    let mut sample = Sample {
        objects: Vec::new(),
        tree: before.tree.clone(),
        journals,
    };
    for object in &before.objects {
        let Content { bytes, .. } = &everything[&object.path];
        sample.add(&object.path, &object.plaintext, bytes);
    }
    sample
}

/// Takes every run back, the last first, and looks whether all is as it was.
pub fn taken_back(sample: &Sample, process: &Process) -> Lost {
    let journals = (process.journals)().unwrap();
    let mut lost = Lost::new();
    for name in journals.names().unwrap().iter().rev() {
        // A run that was killed at its very beginning has changed nothing.
        let Ok(past) = journals.past(name) else {
            continue;
        };
        let Bridge {
            storage, writer, ..
        } = process.lent.clone();
        // Whatever a kill or a loss of power has left, it is what the run wrote.
        let begun = Undo::new(&authentic(past), OPENER.clone(), storage.clone());
        let begun = begun.map(|undo| undo.writing(storage, writer));
        let mut undo = match begun {
            Ok(undo) => undo,
            Err(error) => {
                lost.push(format!("not taken back: {error}"));
                continue;
            }
        };
        loop {
            let steps = wait(undo.next(BATCH as usize)).unwrap();
            if steps.is_empty() {
                break;
            }
            for step in steps {
                if matches!(
                    step.outcome,
                    UndoOutcome::Failed(_) | UndoOutcome::ChangedSince
                ) {
                    lost.push(format!("not taken back: {step:?}"));
                }
            }
        }
    }
    for object in &sample.objects {
        let there = wait(process.lent.storage.read(&object.path)).unwrap();
        if there.bytes != object.stored {
            let path = String::from_utf8_lossy(&object.path);
            lost.push(format!("{path} is not as it was before the run"));
        }
    }
    lost
}

pub fn journal(process: &Process, work: &str) -> Result<Arc<Journal>, Report> {
    let key = wait(RunKey::make(&keyring())).unwrap();
    let begun = (process.journals)().and_then(|journals| journals.begin("", STORE, work, key));
    begun.map(Arc::new).map_err(|error| ended(&error))
}

pub fn ended(error: &impl ToString) -> Report {
    Report {
        steps: Vec::new(),
        ended: Some(Error::Other(error.to_string())),
    }
}

fn step(step: UndoStep) -> Step {
    let found = Found {
        form: Form::Plaintext,
        key: None,
        context: None,
        user: None,
    };
    Step {
        path: step.path,
        outcome: match step.outcome {
            UndoOutcome::Restored => Outcome::Migrated(found),
            UndoOutcome::WouldRestore | UndoOutcome::Unchanged => Outcome::Unchanged(found),
            UndoOutcome::ChangedSince => Outcome::Failed(StorageError::Conflict.into()),
            UndoOutcome::Failed(error) => Outcome::Failed(from_contract(error)),
        },
        retries: 0,
    }
}
