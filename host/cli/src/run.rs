//! A run over a store that can be taken back: its journal, its proof, and what an operator is told of
//! both.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use iamseal::contract::StorageError;
use iamseal::journal::{Journal, Journaled, Proof, RunKey};
use iamseal::keys::MixedKeyring;
use iamseal::storage::Store;
use serde_json::{Value, json};

use crate::arguments::{Common, JournalPlace};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::report::notes;
use crate::tally::{self, Tally};
use crate::typed::quoted;
use crate::{interrupt, journals, load, output, store, typed};

/// A run that is under way.
pub struct Run {
    journal: Arc<Journal>,
    journaled: Arc<Journaled>,
    store: Arc<dyn Store>,
    /// How to take it back, how to go on, and how to remove what it leaves.
    undo: String,
    again: Option<String>,
    sweep: String,
    json: bool,
    is_kept: bool,
    has_changed: AtomicBool,
    /// The objects that were told of.
    reported: AtomicU64,
    /// The store as it is typed.
    given: String,
    /// The first outcome that could not be written down.
    failure: Mutex<Option<Failure>>,
}

/// Ends a command that went over a store, whatever the end: prints its summary, and of its run, if it
/// has one, the name, how to take it back or go on, and the drafts that it leaves. `stopped` is why it
/// did not come to its end.
///
/// # Errors
/// That, or why the summary or a proof could not be written.
pub async fn finish(
    common: &Common,
    run: Option<Run>,
    mut tally: Tally,
    mut stopped: Option<Failure>,
    interrupt: &mut Interrupt,
) -> Result<ExitCode, Failure> {
    let left = match &run {
        Some(run) => run.store.abandoned().await,
        None => Vec::new(),
    };
    if !left.is_empty() {
        tally.beside(Cause::Drafts);
        stopped = stopped.map(interrupt::with_drafts_left);
    }
    let ended = match run {
        Some(run) if stopped.is_none() => Some(run.end(common, interrupt, &left).await),
        Some(run) => Some(run.break_off(stopped.as_ref(), &left)),
        None => None,
    };
    let text = match common.json {
        true => {
            let run = ended.as_ref().map(Ended::json);
            tally.json("outcome", stopped.is_some(), run)
        }
        false => tally.table(tally::WAS),
    };
    let printed = output::summary(&text);
    for note in ended.iter().flat_map(|ended| &ended.notes) {
        output::note(common.json, note);
    }
    if let Some(stopped) = stopped {
        return Err(stopped);
    }
    printed?;
    match ended {
        Some(ended) => ended.exit(tally.exit_code(), common.json),
        None => Ok(tally.exit_code().into()),
    }
}

/// A run that is over.
struct Ended {
    name: String,
    proof: Option<Proof>,
    /// Why there is no proof, if there ought to be one.
    failure: Option<Failure>,
    /// What an operator is told of it.
    notes: Vec<String>,
}

impl Run {
    /// Begins the journal of what is to be done to the store, which was given by this name. Any key of
    /// the keyring will open it.
    pub async fn begin(
        common: &Common,
        keyring: &MixedKeyring,
        place: &JournalPlace,
        given: &Path,
        store: Arc<dyn Store>,
        work: &str,
    ) -> Result<Self, Failure> {
        let checked = store.check_writes().await;
        checked.map_err(|error| unfit(error, store::kind(&*store, given)))?;
        let folders = store::folders(given)?;
        let journals = journals::open_outside(place, &folders)?;
        let key = RunKey::make(keyring).await?;
        for (name, why) in key.iter().flat_map(RunKey::skipped) {
            let why = iamseal::describe_key(why);
            output::note(common.json, &notes::no_run_key(name, &why));
        }
        let journal = journals.begin(&store.name(), &common.store_name, work, key)?;
        let journal = Arc::new(journal);
        let inspector = load::auditor(common, MixedKeyring::default(), None).await?;
        let journaled = Journaled::new(journal.clone(), store.clone(), store.clone(), inspector);
        let folder = place.journal.as_ref().map(|folder| folder.as_os_str());
        let undo = common
            .typed
            .undo(given.as_os_str(), &journal.head().name, folder);
        let sweep = typed::sweep(given.as_os_str(), !folders.is_empty());
        Ok(Self {
            journal,
            journaled: Arc::new(journaled),
            store,
            undo,
            again: common.typed.again.clone(),
            sweep,
            json: common.json,
            is_kept: place.is_kept,
            has_changed: AtomicBool::new(false),
            reported: AtomicU64::new(0),
            given: quoted(given.as_os_str()),
            failure: Mutex::default(),
        })
    }

    /// The store to work on.
    pub fn store(&self) -> Arc<Journaled> {
        Arc::clone(&self.journaled)
    }

    /// Why it is no use to go on.
    pub fn gives_up(&self) -> Option<Failure> {
        let error = self.store.gives_up();
        error.map(|error| Failure::from(error).with_cure(notes::LOCKED))
    }

    /// Writes down what became of objects: path, outcome and whether it was changed. If that fails,
    /// the run goes on, because what was done is done, and has no proof.
    pub async fn report<'a>(&self, steps: impl IntoIterator<Item = (&'a [u8], &'a str, bool)>) {
        let steps = steps.into_iter().inspect(|(_, _, is_changed)| {
            self.has_changed.fetch_or(*is_changed, Ordering::Relaxed);
        });
        let steps: Vec<_> = steps.collect();
        self.reported
            .fetch_add(steps.len() as u64, Ordering::Relaxed);
        if let Err(error) = self.journaled.report(steps).await {
            self.failure().get_or_insert(error.into());
        }
    }

    /// Proves what the run has done, unless that is interrupted, and says which drafts are left.
    async fn end(self, common: &Common, interrupt: &mut Interrupt, left: &[Vec<u8>]) -> Ended {
        let failure = self.failure().take();
        let proved = match failure {
            Some(failure) => Err(failure),
            None => {
                let progress = Progress::proving(common, self.reported.load(Ordering::Relaxed));
                let prove = self
                    .journal
                    .prove(&*self.store, |objects| progress.advance(objects));
                let proved = interrupt.unless(prove).await;
                progress.finish();
                match proved {
                    Ok(proved) => proved.map_err(Failure::from),
                    Err(failure) => {
                        Err(failure.about("all objects are done, and there is no proof"))
                    }
                }
            }
        };
        let (proof, failure) = match proved {
            Ok(proof) => (Some(proof), None),
            Err(failure) => (None, Some(failure)),
        };
        let mut notes = self.left(left);
        if let Some(proof) = proof.as_ref().filter(|proof| proof.differ > 0) {
            notes.push(notes::differ(proof.differ));
        }
        let unread = proof.as_ref().and_then(|proof| self.unread(proof));
        // The summary says the same to programs.
        if !self.json && self.is_kept && self.has_changed.load(Ordering::Relaxed) {
            let proof = proof.as_ref();
            notes.extend(proof.map(|proof| notes::proof(&proof.path.to_string_lossy())));
            notes.push(notes::undo(&self.undo));
        }
        Ended {
            name: self.journal.head().name.clone(),
            proof,
            failure: failure.or(unread),
            notes,
        }
    }

    /// What is told where the proof does not know of all objects what is there.
    fn unread(&self, proof: &Proof) -> Option<Failure> {
        let error = proof.why_unread.clone()?;
        let why = iamseal::describe_storage(&error);
        let path = quoted(proof.path.as_os_str());
        let mut failure = Failure::from(error);
        failure.message = notes::unread(proof.unread, &why, &path);
        Some(failure.with_cure(notes::read_again(&path, &self.given)))
    }

    /// The same for a run that did not come to its end, and proves nothing.
    fn break_off(self, stopped: Option<&Failure>, left: &[Vec<u8>]) -> Ended {
        let name = self.journal.head().name.clone();
        let mut notes = self.left(left);
        if self.is_kept {
            // A worker that failed did not come to report what it had done.
            let is_reported = stopped.is_some_and(Failure::is_asked_for);
            notes.push(
                match is_reported && !self.has_changed.load(Ordering::Relaxed) {
                    true if left.is_empty() => notes::unchanged(&name),
                    true => notes::no_object_changed(&name),
                    false => notes::undo(&self.undo),
                },
            );
            notes.extend(self.again.as_deref().map(notes::go_on));
        }
        Ended {
            name,
            proof: None,
            failure: None,
            notes,
        }
    }

    /// What stays in the store that an operator takes for gone, if anything does.
    fn left(&self, drafts: &[Vec<u8>]) -> Vec<String> {
        let drafts = (!drafts.is_empty()).then(|| notes::drafts_left(drafts, &self.sweep));
        let versions = self
            .store
            .keeps_versions()
            .then(|| notes::OLD_VERSIONS.into());
        drafts.into_iter().chain(versions).collect()
    }

    fn failure(&self) -> MutexGuard<'_, Option<Failure>> {
        // Whoever panicked left no half-done change.
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a store must not be written to.
fn unfit(error: StorageError, kind: store::Kind) -> Failure {
    let cure = match (&error, kind) {
        (StorageError::Refused(_), store::Kind::Drives) => Some(notes::ALL_DRIVES),
        (StorageError::Refused(_), store::Kind::Folder) => Some(notes::NO_EXCHANGE),
        (StorageError::Refused(_), store::Kind::Server) => Some(notes::UNFIT_STORE),
        _ => None,
    };
    let failure = Failure::from(error);
    match cure {
        Some(cure) => failure.with_cure(cure),
        None => failure,
    }
}

impl Ended {
    /// How the command ends whose objects ask for this code. That there is no proof, or not of all, has no
    /// code of its own where something else is wrong, and is told all the same.
    fn exit(self, code: u8, json: bool) -> Result<ExitCode, Failure> {
        match self.failure {
            Some(failure) if code == 0 || failure.is_asked_for() => Err(failure),
            Some(failure) => {
                output::note(json, &failure.message);
                Ok(code.into())
            }
            None => Ok(code.into()),
        }
    }

    /// For the run's summary.
    fn json(&self) -> Value {
        let proof = self.proof.as_ref();
        json!({
            "name": self.name,
            "proof": proof.map(|proof| proof.path.to_string_lossy()),
            "differ": proof.map(|proof| proof.differ),
            "unread": proof.map(|proof| proof.unread),
        })
    }
}
