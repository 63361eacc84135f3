//! What a host holds of a migration.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, Stream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::contract::ObjectError;

use super::super::standing::Standing;
use super::Taken;
#[cfg(doc)]
use super::plan::Plan;
use super::progress::{Event, Progress};
use super::run::Run;

/// Events that are kept for a receiver that is slow. A step is some hundred bytes.
const EVENTS: usize = 1024;

/// Objects that failed, and why.
pub(super) type Failures = BTreeMap<Vec<u8>, ObjectError>;

/// A migration that is there. It stays there when all is current: for keys that change, and to
/// void the marker when something in an old form is found. Drop it to stop at once: each object is whole, in its old form
/// or its new one. It takes a tokio runtime with its timer enabled.
pub struct Background {
    standing: Arc<Standing>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What the migration tells.
pub(super) struct Shared {
    pub progress: watch::Sender<Progress>,
    pub events: broadcast::Sender<Event>,
    pub failures: Mutex<Failures>,
}

impl Shared {
    pub fn new() -> Self {
        Self {
            progress: watch::Sender::default(),
            events: broadcast::Sender::new(EVENTS),
            failures: Mutex::default(),
        }
    }
}

impl Background {
    pub(super) fn spawn(run: Run, taken: Taken) -> Self {
        let (standing, shared) = (Arc::clone(&taken.0), run.shared());
        let task = tokio::spawn(async move {
            let _taken = taken;
            run.until_stopped().await;
        });
        Self {
            standing,
            shared,
            task,
        }
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.shared.progress.borrow().clone()
    }

    /// What becomes of each object, and what else happens, from now on. It ends when the migration does. Of
    /// what is not taken in time the last thousand events are kept.
    pub fn events(&self) -> impl Stream<Item = Event> + Send + use<> {
        let receiver = self.shared.events.subscribe();
        stream::unfold(receiver, |mut receiver| async move {
            match receiver.recv().await {
                Ok(event) => Some((event, receiver)),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    Some((Event::Missed(missed), receiver))
                }
                Err(broadcast::error::RecvError::Closed) => None,
            }
        })
    }

    /// The first objects that are not current ([`Plan::named_failures`]), in the order of their paths, and why.
    /// [`Self::progress`] counts all.
    pub fn failures(&self) -> Vec<(Vec<u8>, ObjectError)> {
        let failures = self.shared.failures.lock();
        let failures = failures.unwrap_or_else(PoisonError::into_inner);
        let failure = |(path, error): (&Vec<u8>, &ObjectError)| (path.clone(), error.clone());
        failures.iter().map(failure).collect()
    }

    /// Lets it rest, after the objects that are in flight.
    pub fn pause(&self) {
        self.standing.change(|now| now.is_paused = true);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.standing.change(|now| now.is_paused = false);
    }

    /// Changes what the keyring lends, and begins again: to the new default key, and with what did not open
    /// before. What is under the earlier key is opened until all is under the new one; then there is an
    /// [`Event::Current`], and nothing but what failed needs the earlier key. `change` is called at once; the keyring
    /// goes on lending the earlier key. A host that lends all its keys through a
    /// [`crate::keys::ReplaceableKeyring`] replaces what is in it here.
    pub fn change_keys<T>(&self, change: impl FnOnce() -> T) -> T {
        self.standing.change_keys(change)
    }

    /// Waits until all is current, or it is stopped, and tells how it stands then.
    pub async fn wait(&self) -> Progress {
        let mut changes = self.standing.changes();
        // It fails only if there is no store any more.
        let _ended = changes
            .wait_for(|now| now.is_settled() || !now.is_taken)
            .await;
        self.progress()
    }

    /// Stops after the objects that are in flight, gives its lease up, and tells how it stands.
    pub async fn stop(mut self) -> Progress {
        self.standing.change(|now| now.is_stopped = true);
        // It fails only if the task panicked, which is the end of it too.
        let _ended = (&mut self.task).await;
        self.progress()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Background").field(&self.progress()).finish()
    }
}
