//! A run over a store that can be taken back: its journal, its proof, and what an operator is told of
//! both.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use iamseal::journal::{Journal, Journaled, Proof};
use iamseal::keys::StaticKeyring;
use iamseal::storage::DirStore;
use serde_json::{Value, json};

use crate::arguments::{Common, JournalPlace};
use crate::failure::Failure;
use crate::report::notes;
use crate::{journals, load, output};

/// A run that is under way.
pub struct Run {
    journal: Arc<Journal>,
    journaled: Arc<Journaled>,
    store: Arc<DirStore>,
    /// How the command line names the store.
    shown: String,
    json: bool,
    has_changed: AtomicBool,
}

/// A run that is over.
pub struct Ended {
    name: String,
    proof: Option<Proof>,
}

impl Run {
    /// Begins the journal of what is to be done to the store.
    pub async fn begin(
        common: &Common,
        place: &JournalPlace,
        folder: &Path,
        store: Arc<DirStore>,
        work: &str,
    ) -> Result<Self, Failure> {
        let journals = journals::open_outside(place, folder)?;
        let whole = folder.canonicalize()?;
        let journal = journals.begin(&whole.to_string_lossy(), &common.store_name, work)?;
        let journal = Arc::new(journal);
        let inspector = load::auditor(common, StaticKeyring::new(), None).await?;
        let journaled = Journaled::new(journal.clone(), store.clone(), store.clone(), inspector);
        Ok(Self {
            journal,
            journaled: Arc::new(journaled),
            store,
            shown: folder.display().to_string(),
            json: common.json,
            has_changed: AtomicBool::new(false),
        })
    }

    /// The store to work on.
    pub fn store(&self) -> Arc<Journaled> {
        Arc::clone(&self.journaled)
    }

    /// Writes down what became of objects: path, outcome and whether it was changed.
    pub async fn report<'a>(
        &self,
        steps: impl IntoIterator<Item = (&'a [u8], &'a str, bool)>,
    ) -> Result<(), Failure> {
        let steps = steps.into_iter().inspect(|(_, _, is_changed)| {
            self.has_changed.fetch_or(*is_changed, Ordering::Relaxed);
        });
        let steps: Vec<_> = steps.collect();
        Ok(self.journaled.report(steps).await?)
    }

    /// Proves what the run has done, and says how to take it back.
    pub async fn end(self) -> Result<Ended, Failure> {
        let proof = self.journal.prove(&*self.store).await?;
        if proof.differ > 0 {
            output::note(self.json, &notes::differ(proof.differ));
        }
        self.tell(Some(&proof));
        Ok(self.ended(Some(proof)))
    }

    /// The same for a run that did not come to its end, and proves nothing.
    pub fn break_off(self) -> Ended {
        self.tell(None);
        self.ended(None)
    }

    fn tell(&self, proof: Option<&Proof>) {
        if !self.has_changed.load(Ordering::Relaxed) {
            return;
        }
        let name = &self.journal.head().name;
        if let Some(proof) = proof {
            output::note(self.json, &notes::proof(&proof.path.to_string_lossy()));
        }
        output::note(self.json, &notes::undo(&self.shown, name));
    }

    fn ended(&self, proof: Option<Proof>) -> Ended {
        let name = self.journal.head().name.clone();
        Ended { name, proof }
    }
}

impl Ended {
    /// For the run's summary.
    pub fn json(&self) -> Value {
        let proof = self.proof.as_ref();
        json!({
            "name": self.name,
            "proof": proof.map(|proof| proof.path.to_string_lossy()),
            "differ": proof.map(|proof| proof.differ),
        })
    }
}
