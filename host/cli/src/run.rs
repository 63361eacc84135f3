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
use iamseal::storage::drives::recorder::Recorder;
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
    /// How to take it back, and how to go on.
    undo: String,
    again: Option<String>,
    json: bool,
    is_kept: bool,
    has_changed: AtomicBool,
    /// The objects that were told of.
    reported: AtomicU64,
    /// Those of them that failed and are changed all the same, or may be.
    all_the_same: AtomicU64,
    /// The store as it is typed.
    given: String,
    /// The first outcome that could not be written down.
    failure: Mutex<Option<Failure>>,
}

/// The store of a command, and its name as it is typed.
#[derive(Clone)]
pub struct On<'a> {
    pub store: Arc<dyn Store>,
    pub given: &'a Path,
}

impl On<'_> {
    /// What stays in the store that an operator takes for gone, if anything does.
    fn left(&self, drafts: &[Vec<u8>]) -> Vec<String> {
        let is_server = matches!(store::kind(&*self.store, self.given), store::Kind::Server);
        let sweep = || typed::sweep(self.given.as_os_str(), !is_server);
        let drafts = (!drafts.is_empty()).then(|| notes::drafts_left(drafts, &sweep()));
        let old = store::old_bytes(&*self.store).map(str::to_owned);
        drafts.into_iter().chain(old).collect()
    }
}

/// Ends a command that went over a store, whatever the end: prints its summary and the drafts that it
/// leaves, and of its run, if it has one, the name and how to take it back or go on. `stopped` is why it
/// did not come to its end.
///
/// # Errors
/// That, or why the summary or a proof could not be written.
pub async fn finish(
    common: &Common,
    on: &On<'_>,
    run: Option<Run>,
    mut tally: Tally,
    mut stopped: Option<Failure>,
    interrupt: &mut Interrupt,
) -> Result<ExitCode, Failure> {
    let left = on.store.abandoned().await;
    if !left.is_empty() {
        tally.beside(Cause::Drafts);
        stopped = stopped.map(interrupt::with_drafts_left);
    }
    let ended = match run {
        Some(run) if stopped.is_none() => Some(run.end(common, interrupt).await),
        Some(run) => Some(run.break_off(stopped.as_ref(), left.is_empty())),
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
    for note in on.left(&left) {
        output::note(common.json, &note);
    }
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

/// Sweeps the store below a prefix, then begins a run for this work, unless a signal comes first.
///
/// # Errors
/// What keeps it from beginning. What is left by then was told.
pub async fn start(
    common: &Common,
    keyring: &MixedKeyring,
    place: &JournalPlace,
    on: &On<'_>,
    (prefix, work): (&[u8], &str),
    interrupt: &mut Interrupt,
) -> Result<Run, Failure> {
    let begun = interrupt.unless(async {
        store::sweep(common, &*on.store, prefix).await;
        Run::begin(common, keyring, place, on, work).await
    });
    match begun.await.flatten() {
        Ok(run) => Ok(run),
        Err(failure) => Err(not_begun(common, on, failure).await),
    }
}

/// Ends a command whose run did not begin, for this reason: says what it leaves and, if somebody wanted the
/// end, that no object is changed.
async fn not_begun(common: &Common, on: &On<'_>, stopped: Failure) -> Failure {
    let left = on.store.abandoned().await;
    for note in on.left(&left) {
        output::note(common.json, &note);
    }
    if stopped.is_asked_for() {
        output::note(common.json, notes::NOT_BEGUN);
    }
    match left.is_empty() {
        true => stopped,
        false => interrupt::with_drafts_left(stopped),
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
    /// Begins the journal of what is to be done to the store. Any key of the keyring will open it. May be
    /// dropped at any time.
    async fn begin(
        common: &Common,
        keyring: &MixedKeyring,
        place: &JournalPlace,
        on: &On<'_>,
        work: &str,
    ) -> Result<Self, Failure> {
        let On { store, given } = on.clone();
        let checked = store.check_writes().await;
        checked.map_err(|error| unfit(error, store::kind(&*store, given)))?;
        let folders = store::folders(given)?;
        let journals = journals::open_outside(place, &folders)?;
        let key = RunKey::make(keyring).await?;
        let inspector = load::inspector(common).await?;
        for (name, why) in key.iter().flat_map(RunKey::skipped) {
            let why = iamseal::describe_key(why);
            output::note(common.json, &notes::no_run_key(name, &why));
        }
        let journal = journals.begin(&store.name(), &common.store_name, work, key)?;
        journals::check_outside(&journal, &folders)?;
        let journal = Arc::new(journal);
        let recorder: Arc<dyn Recorder> = journal.clone();
        store.record(Arc::downgrade(&recorder)).await?;
        let journaled = Journaled::new(journal.clone(), store.clone(), store.clone(), inspector);
        let folder = place.journal.as_ref().map(|folder| folder.as_os_str());
        let name = &journal.head().name;
        let undo = common.typed.undo(given.as_os_str(), name, folder);
        Ok(Self {
            journal,
            journaled: Arc::new(journaled),
            store,
            undo,
            again: common.typed.again.clone(),
            json: common.json,
            is_kept: place.is_kept,
            has_changed: AtomicBool::new(false),
            reported: AtomicU64::new(0),
            all_the_same: AtomicU64::new(0),
            given: quoted(given.as_os_str()),
            failure: Mutex::default(),
        })
    }

    /// The store to work on.
    pub fn store(&self) -> Arc<Journaled> {
        Arc::clone(&self.journaled)
    }

    /// The same for changes that give objects another content.
    pub fn store_of_other_content(&self) -> Arc<Journaled> {
        Arc::new(self.journaled.with_other_content())
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
        match self.journaled.report(steps).await {
            Ok(0) => {}
            Ok(objects) => {
                self.has_changed.store(true, Ordering::Relaxed);
                self.all_the_same.fetch_add(objects, Ordering::Relaxed);
            }
            Err(error) => {
                self.failure().get_or_insert(error.into());
            }
        }
    }

    /// [`Self::report`] of objects that were handled again: the proof tells of the last time.
    pub async fn report_again<'a>(
        &self,
        steps: impl IntoIterator<Item = (&'a [u8], &'a str, bool)>,
    ) {
        let steps: Vec<_> = steps.into_iter().collect();
        self.journaled.again(steps.iter().map(|(path, ..)| *path));
        self.report(steps).await;
    }

    /// Lets go of what is noted of objects that were only looked at.
    pub fn forget<'a>(&self, paths: impl IntoIterator<Item = &'a [u8]>) {
        paths
            .into_iter()
            .for_each(|path| self.journaled.forget(path));
    }

    /// Why the journal cannot be written any more, if it cannot.
    pub fn broken(&self) -> Option<Failure> {
        self.failure().take()
    }

    /// Proves what the run has done, unless that is interrupted.
    async fn end(self, common: &Common, interrupt: &mut Interrupt) -> Ended {
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
        let mut notes = Vec::new();
        if let Some(proof) = proof.as_ref().filter(|proof| proof.differ > 0) {
            notes.push(notes::differ(proof.differ));
        }
        notes.extend(self.failed_and_changed());
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

    /// What is told of objects that failed and are not what they were.
    fn failed_and_changed(&self) -> Option<String> {
        let objects = self.all_the_same.load(Ordering::Relaxed);
        (objects > 0).then(|| notes::failed_and_changed(objects))
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

    /// The same for a run that did not come to its end, and proves nothing; it may have left drafts.
    fn break_off(self, stopped: Option<&Failure>, is_clean: bool) -> Ended {
        let name = self.journal.head().name.clone();
        let mut notes: Vec<String> = self.failed_and_changed().into_iter().collect();
        if self.is_kept {
            // A worker that failed did not come to report what it had done.
            let is_reported = stopped.is_some_and(Failure::is_asked_for);
            notes.push(
                match is_reported && !self.has_changed.load(Ordering::Relaxed) {
                    true if is_clean => notes::unchanged(&name),
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
