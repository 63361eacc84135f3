//! A run over a store that can be taken back: its journal, its proof, and what an operator is told of
//! both.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use iamseal::contract::StorageError;
use iamseal::journal::{Journal, Journaled, Proof};
use iamseal::keys::MixedKeyring;
use iamseal::storage::Store;
use serde_json::{Value, json};

use crate::arguments::{Common, JournalPlace};
use crate::failure::Failure;
use crate::report::notes;
use crate::tally::{self, Tally};
use crate::{journals, load, output, progress, store};

/// A run that is under way.
pub struct Run {
    journal: Arc<Journal>,
    journaled: Arc<Journaled>,
    store: Arc<dyn Store>,
    /// How the command line names the store, and the folder for journals if it names one.
    shown: String,
    given: Option<String>,
    json: bool,
    is_kept: bool,
    has_changed: AtomicBool,
    /// The first outcome that could not be written down.
    failure: Mutex<Option<Failure>>,
}

/// Ends a command that went over a store: its run, if it has one, its summary and its exit code.
pub async fn finish(
    common: &Common,
    run: Option<Run>,
    tally: &Tally,
    was_interrupted: bool,
) -> Result<ExitCode, Failure> {
    let ended = match run {
        Some(run) if !was_interrupted => Some(run.end().await),
        Some(run) => Some(run.break_off()),
        None => None,
    };
    if common.json {
        let run = ended.as_ref().map(Ended::json);
        output::line(&tally.json("outcome", was_interrupted, run))?;
    } else {
        output::line(&tally.table(tally::WAS))?;
    }
    if was_interrupted {
        return Err(progress::interrupted());
    }
    match ended {
        Some(ended) => ended.exit(tally.exit_code()),
        None => Ok(tally.exit_code().into()),
    }
}

/// A run that is over.
pub struct Ended {
    name: String,
    proof: Option<Proof>,
    /// Why there is no proof, if there ought to be one.
    failure: Option<Failure>,
}

impl Run {
    /// Begins the journal of what is to be done to the store, which was given by this name.
    pub async fn begin(
        common: &Common,
        place: &JournalPlace,
        given: &Path,
        store: Arc<dyn Store>,
        work: &str,
    ) -> Result<Self, Failure> {
        let is_folder = store::folder(given).is_some();
        let checked = store.check_writes().await;
        checked.map_err(|error| unfit(error, is_folder))?;
        let journals = match store::folder(given) {
            Some(folder) => journals::open_outside(place, folder)?,
            None => journals::open(place)?,
        };
        let journal = journals.begin(&store.name(), &common.store_name, work)?;
        let journal = Arc::new(journal);
        let inspector = load::auditor(common, MixedKeyring::default(), None).await?;
        let journaled = Journaled::new(journal.clone(), store.clone(), store.clone(), inspector);
        Ok(Self {
            journal,
            journaled: Arc::new(journaled),
            store,
            shown: given.display().to_string(),
            given: place
                .journal
                .as_ref()
                .map(|given| given.display().to_string()),
            json: common.json,
            is_kept: place.is_kept,
            has_changed: AtomicBool::new(false),
            failure: Mutex::default(),
        })
    }

    /// The store to work on.
    pub fn store(&self) -> Arc<Journaled> {
        Arc::clone(&self.journaled)
    }

    /// Why it is no use to go on.
    pub fn gives_up(&self) -> Option<Failure> {
        self.store.gives_up().map(Failure::from)
    }

    /// Writes down what became of objects: path, outcome and whether it was changed. If that fails,
    /// the run goes on, because what was done is done, and has no proof.
    pub async fn report<'a>(&self, steps: impl IntoIterator<Item = (&'a [u8], &'a str, bool)>) {
        let steps = steps.into_iter().inspect(|(_, _, is_changed)| {
            self.has_changed.fetch_or(*is_changed, Ordering::Relaxed);
        });
        let steps: Vec<_> = steps.collect();
        if let Err(error) = self.journaled.report(steps).await {
            self.failure().get_or_insert(error.into());
        }
    }

    /// Proves what the run has done, and says how to take it back.
    async fn end(self) -> Ended {
        let failure = self.failure().take();
        let proved = match failure {
            Some(failure) => Err(failure),
            None => self
                .journal
                .prove(&*self.store)
                .await
                .map_err(Failure::from),
        };
        match proved {
            Ok(proof) => {
                if proof.differ > 0 {
                    output::note(self.json, &notes::differ(proof.differ));
                }
                self.tell(Some(&proof));
                self.ended(Some(proof), None)
            }
            Err(failure) => {
                self.tell(None);
                self.ended(None, Some(failure))
            }
        }
    }

    /// The same for a run that did not come to its end, and proves nothing.
    pub fn break_off(self) -> Ended {
        self.tell(None);
        self.ended(None, None)
    }

    fn tell(&self, proof: Option<&Proof>) {
        // The summary says the same to programs.
        if self.json || !self.is_kept || !self.has_changed.load(Ordering::Relaxed) {
            return;
        }
        let name = &self.journal.head().name;
        if let Some(proof) = proof {
            output::note(false, &notes::proof(&proof.path.to_string_lossy()));
        }
        let given = self.given.as_deref();
        output::note(false, &notes::undo(&self.shown, name, given));
    }

    fn ended(&self, proof: Option<Proof>, failure: Option<Failure>) -> Ended {
        let name = self.journal.head().name.clone();
        Ended {
            name,
            proof,
            failure,
        }
    }

    fn failure(&self) -> MutexGuard<'_, Option<Failure>> {
        // Whoever panicked left no half-done change.
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a store must not be written to.
fn unfit(error: StorageError, is_folder: bool) -> Failure {
    let cure = match (&error, is_folder) {
        (StorageError::Refused(_), true) => Some(notes::NO_EXCHANGE),
        (StorageError::Refused(_), false) => Some(notes::UNFIT_STORE),
        _ => None,
    };
    let failure = Failure::from(error);
    match cure {
        Some(cure) => failure.with_cure(cure),
        None => failure,
    }
}

impl Ended {
    /// How the command ends whose objects ask for this code: that there is no proof is told unless
    /// something else is wrong.
    fn exit(self, code: u8) -> Result<ExitCode, Failure> {
        match self.failure {
            Some(failure) if code == 0 => Err(failure),
            _ => Ok(code.into()),
        }
    }

    /// For the run's summary.
    fn json(&self) -> Value {
        let proof = self.proof.as_ref();
        json!({
            "name": self.name,
            "proof": proof.map(|proof| proof.path.to_string_lossy()),
            "differ": proof.map(|proof| proof.differ),
        })
    }
}
