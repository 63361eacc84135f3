//! `iamseal migrate --watch`: stays when the run is done, and keeps the store as it left it.
//!
//! Everything is one run with one journal, so one undo takes all of it back. The store is never taken at its word: what
//! it tells of changes only says when to look, and a look compares the marks of all objects with those that were seen.
//! What is kept in memory is a path and a mark for each object.

mod known;
mod shown;

use std::num::NonZeroU32;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use iamseal::contract::{ObjectError, Outcome, Step, StorageError};
use iamseal::journal::UNWRITTEN;
use iamseal::storage::{Changes, Store};
use iamseal::{MigrationPlan, Plugin};
use iamseal_words::arguments::To;
use tokio::time::{sleep, timeout};

use self::known::Known;
pub use self::shown::Shown;
use crate::arguments::{Common, Migrate};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::report::{notes, step};
use crate::run::Run;
use crate::tally::Tally;
use crate::workers::Workers;
use crate::{output, store};

/// How often a store is looked at that tells of nothing, or where something is to be tried again. A listing of some
/// thousand objects costs a server a few requests, and nobody waits for the result.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long it waits after a change for those that come with it: an import writes many objects at once.
const TOGETHER: Duration = Duration::from_millis(200);
/// What to do where the journal cannot be written any more.
const NEW_JOURNAL: &str = "make room there or give another folder with --journal, and run it again";

/// Refuses what cannot be watched, before the store is opened.
///
/// # Errors
/// Why it cannot.
pub fn check(command: &Migrate) -> Result<(), Failure> {
    if !command.watch {
        return Ok(());
    }
    if command.shared.to == To::Plaintext {
        return Err(notes::WATCH_TO_PLAINTEXT.into());
    }
    match store::is_drives(&command.shared.place.store) {
        true => Err(notes::WATCH_DRIVES.into()),
        false => Ok(()),
    }
}

/// What is known of a store that is watched.
pub struct Watch {
    known: Known,
    prefix: Vec<u8>,
}

/// What the further passes are made with.
pub struct With<'a> {
    pub common: &'a Common,
    pub run: &'a Run,
    pub store: &'a dyn Store,
    /// What the plugin is lent.
    pub shown: &'a Shown,
    pub plugin: &'a Plugin,
    pub plan: &'a MigrationPlan,
    pub jobs: NonZeroU32,
    pub batch: u32,
}

/// Why a pass did not come to its end.
enum Stop {
    /// It is over some time.
    Trouble(Failure),
    /// It is no use to go on.
    End(Failure),
}

impl Watch {
    /// Looks at a store before the run, if it is to be watched after it.
    ///
    /// # Errors
    /// It is in drives, or cannot be listed.
    pub async fn begin(command: &Migrate, store: &dyn Store) -> Result<Option<Self>, Failure> {
        if !command.watch {
            return Ok(None);
        }
        let place = &command.shared.place;
        if store::kind(store, &place.store) == store::Kind::Drives {
            return Err(notes::WATCH_DRIVES.into());
        }
        let prefix = place.prefix.as_bytes().to_vec();
        let known = Known::of(store, &prefix).await?;
        Ok(Some(Self { known, prefix }))
    }

    /// Takes in what became of an object in the run before.
    pub fn take_in(&mut self, step: &Step) {
        self.known.take_in(step);
    }

    /// Counts the objects that fail now.
    pub fn count(&self, tally: &mut Tally) {
        for error in self.known.failures() {
            tally.failed(step::FAILED, Cause::of(error));
        }
    }

    /// Goes on until somebody wants the end, which is none, or for as long as it is of use.
    pub async fn hold(
        &mut self,
        with: &With<'_>,
        tally: &mut Tally,
        interrupt: &mut Interrupt,
    ) -> Option<Failure> {
        output::note(with.common.json, notes::WATCHING);
        let mut changes = None;
        let mut trouble = None;
        loop {
            let looked = interrupt.unless(self.look(with.store, &mut changes)).await;
            let done = match looked {
                Err(_asked_for) => return trouble,
                Ok(Err(failure)) => Err(Stop::Trouble(failure)),
                Ok(Ok(changed)) if changed.is_empty() => Ok(()),
                Ok(Ok(changed)) => self.pass(with, changed, tally, interrupt).await,
            };
            match done {
                Ok(()) if trouble.take().is_some() => output::note(with.common.json, notes::OVER),
                Ok(()) => {}
                Err(Stop::End(failure)) => return Some(failure),
                Err(Stop::Trouble(failure)) => {
                    let is_new = trouble.is_none();
                    if is_new {
                        output::note(with.common.json, &notes::trouble(&failure.message));
                    }
                    trouble = Some(failure);
                }
            }
            let comes_again = trouble.is_some() || self.known.comes_again();
            let rest = rest(&mut changes, comes_again);
            if interrupt.unless(rest).await.is_err() {
                return trouble;
            }
        }
    }

    /// The objects that may have changed.
    async fn look(
        &mut self,
        store: &dyn Store,
        changes: &mut Option<Box<dyn Changes>>,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        // Before the store is looked at, so that nothing is missed between the two.
        if changes.is_none() {
            // Without it the store is looked at every few seconds, which finds a node that answers and a new token.
            *changes = store.changes(&self.prefix).await.unwrap_or(None);
        }
        Ok(self.known.changed(store, &self.prefix).await?)
    }

    /// Migrates these objects. A batch is never dropped midway.
    async fn pass(
        &mut self,
        with: &With<'_>,
        changed: Vec<Vec<u8>>,
        tally: &mut Tally,
        interrupt: &Interrupt,
    ) -> Result<(), Stop> {
        let count = u32::try_from(changed.len()).unwrap_or(u32::MAX);
        let jobs = NonZeroU32::new(count).map_or(with.jobs, |count| count.min(with.jobs));
        with.shown.only(changed.clone());
        let done = async {
            let started = Workers::start(with.plugin, with.plan, jobs, with.batch).await;
            let mut workers = started.map_err(|error| Stop::Trouble(error.into()))?;
            let mut stopped = None;
            while let Some(batch) = workers.next().await {
                let done = match batch {
                    Ok(steps) => self.batch(with, &steps, tally).await,
                    Err(error) => Err(Stop::Trouble(error.into())),
                };
                if let Err(stop) = done {
                    workers.stop();
                    stopped.get_or_insert(stop);
                }
                if interrupt.pressed().is_some() {
                    workers.stop();
                }
            }
            stopped.map_or(Ok(()), Err)
        };
        let done = done.await;
        if done.is_err() {
            self.known.doubt(&changed);
        }
        done
    }

    /// Writes down, counts and prints what became of objects.
    async fn batch(
        &mut self,
        with: &With<'_>,
        steps: &[Step],
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        // What this run has written is as it was reported.
        let (own, others): (Vec<_>, Vec<_>) = steps.iter().partition(|step| {
            matches!(step.outcome, Outcome::Unchanged(_)) && self.known.is_own(&step.path)
        });
        with.run.forget(own.iter().map(|step| &*step.path));
        let said = others.iter().map(|step| step::said(step));
        with.run.report_again(said).await;
        let mut stop = with.run.broken();
        for step in steps {
            if let Outcome::Failed(error) = &step.outcome {
                stop = stop.or_else(|| unwritten(error));
            }
            let is_news = self.known.take_in(step);
            if matches!(step.outcome, Outcome::Migrated(_)) {
                step::count(step, tally);
            }
            if is_news {
                let line = match with.common.json {
                    true => step::json_line(step),
                    false => step::event_line(step),
                };
                stop = stop.or(output::line(&line).err());
            }
        }
        match stop.or_else(|| with.run.gives_up()) {
            None => Ok(()),
            Some(failure) => Err(Stop::End(failure)),
        }
    }
}

/// That nothing can be written down any more, if that is why an object failed.
fn unwritten(error: &ObjectError) -> Option<Failure> {
    match error {
        ObjectError::Storage(StorageError::Other(text)) if text.contains(UNWRITTEN) => {
            Some(Failure::new(Cause::Storage, text).with_cure(NEW_JOURNAL))
        }
        _ => None,
    }
}

/// Waits until it is time to look again. May be dropped at any time.
async fn rest(changes: &mut Option<Box<dyn Changes>>, comes_again: bool) {
    let Some(told) = changes else {
        return sleep(INTERVAL).await;
    };
    let first = match comes_again {
        false => told.next().await,
        true => timeout(INTERVAL, told.next()).await.unwrap_or(Ok(())),
    };
    sleep(TOGETHER).await;
    let mut last = first;
    while last.is_ok() {
        match timeout(Duration::ZERO, told.next()).await {
            Ok(further) => last = further,
            Err(_nothing_more) => return,
        }
    }
    // It is begun anew, and what it did not tell is seen.
    *changes = None;
}
