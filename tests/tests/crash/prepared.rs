//! Runs that prepare, and what finishes them.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use iamseal::MigrationPlan;
use iamseal::contract;
use iamseal::journal::{
    JournalError, Journaled, Journals, Past, PreparedObject, Preparing, RunKey, write_prepared,
};
use iamseal_core::{Outcome, Step, Target};
use iamseal_tests::bridge::Bridge;
use iamseal_tests::component::builder;
use iamseal_tests::convert::{step, target};
use iamseal_tests::errors::from_contract;
use iamseal_tests::runtime::wait;

use crate::journaled::{OPENER, authentic, ended, journal, keyring};
use crate::workload::{BATCH, PREFIX, Process, Report, STORE};

/// How long a journal may be held after its run. Far more than it takes: the machine may have other work.
const LET_GO: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(1);

/// Prepares, then writes what was prepared, with a journal of each.
pub fn migrate(process: Process, to: &Target) -> Report {
    let mut report = Report {
        steps: Vec::new(),
        ended: None,
    };
    let name = match prepare(&process, to, &mut report) {
        Ok(name) => name,
        Err(error) => {
            report.ended = ended(&error).ended;
            return report;
        }
    };
    let prepared = (process.journals)().and_then(|journals| {
        let prepared = authentic(past(&journals, &name)?).prepared()?;
        prepared.unwrap().collect::<Result<Vec<_>, _>>()
    });
    let objects: Vec<PreparedObject> = match prepared {
        Ok(objects) => objects,
        Err(error) => return ended(&error),
    };
    let journal = match journal(&process, "finish") {
        Ok(journal) => journal,
        Err(report) => return report,
    };
    let Bridge {
        storage, writer, ..
    } = process.lent;
    let journaled = Journaled::new(journal, storage, writer, OPENER.clone());
    for batch in objects.chunks(BATCH as usize) {
        let (new, same): (Vec<_>, Vec<_>) = batch
            .iter()
            .cloned()
            .partition(|object| object.bytes.is_some());
        let written = wait(write_prepared(&journaled, &new));
        let done = new.into_iter().zip(written).map(|(object, written)| {
            let outcome = match written {
                Ok(()) => contract::Outcome::Migrated(object.found),
                Err(error) => contract::Outcome::Failed(contract::ObjectError::Storage(error)),
            };
            (object.path, outcome)
        });
        let same = same
            .into_iter()
            .map(|object| (object.path, contract::Outcome::Unchanged(object.found)));
        let steps: Vec<Step> = done.chain(same).map(said).collect();
        let is_changed = |step: &Step| matches!(step.outcome, Outcome::Migrated(_));
        let told = steps.iter().map(|step| (&*step.path, "", is_changed(step)));
        if let Err(error) = wait(journaled.report(told)) {
            report.ended = ended(&format!("{error:?}")).ended;
        }
        report.steps.extend(steps);
    }
    report
}

/// A run that is over. Here the same process has begun it, whose threads may hold its journal for an instant more.
fn past(journals: &Journals, name: &str) -> Result<Past, JournalError> {
    let begun = Instant::now();
    loop {
        match journals.past(name) {
            Err(JournalError::UnderWay(_)) if begun.elapsed() < LET_GO => sleep(PAUSE),
            past => return past,
        }
    }
}

fn said((path, outcome): (Vec<u8>, contract::Outcome)) -> Step {
    step(contract::Step {
        path,
        outcome,
        retries: 0,
    })
}

/// Returns the name of the run. What could not be prepared is reported.
fn prepare(process: &Process, to: &Target, report: &mut Report) -> Result<String, JournalError> {
    let key = wait(RunKey::make(&keyring())).unwrap().unwrap();
    let begun = (process.journals)()
        .and_then(|journals| journals.begin_preparing("", STORE, "prepare", "how", key))?;
    let begun = Arc::new(begun);
    let Bridge { keys, storage, .. } = process.lent.clone();
    let preparing = Arc::new(Preparing::new(begun.clone(), storage, OPENER.clone()));
    let plan = MigrationPlan {
        prefix: PREFIX.to_vec(),
        target: target(to),
        ..MigrationPlan::default()
    };
    let builder = builder(&keys, STORE)
        .storage(preparing.clone())
        .storage_writer(preparing.clone());
    let plugin = wait(builder.load()).unwrap();
    let mut run = wait(plugin.migrate(&plan)).unwrap();
    let all = Report::of(|| match wait(run.next(BATCH)) {
        Ok(steps) => {
            if let Err(error) = wait(preparing.write(&steps)) {
                return Err(iamseal_core::Error::Other(format!("{error:?}")));
            }
            Ok(steps.into_iter().map(step).collect())
        }
        Err(iamseal::Error::Object(error)) => Err(from_contract(error)),
        Err(other) => panic!("{other}"),
    });
    let failed = all.steps.into_iter();
    let failed =
        failed.filter(|step| matches!(step.outcome, Outcome::Failed(_) | Outcome::Exempt(_)));
    report.steps.extend(failed);
    match all.ended {
        None => Ok(begun.head().name.clone()),
        Some(error) => Err(JournalError::NoRandomness(format!("{error:?}"))),
    }
}
