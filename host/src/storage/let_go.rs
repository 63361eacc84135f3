//! Drafts that a store has let go of, until they are known to be gone.
//!
//! One is noted before anything is done to remove it. So whatever keeps it from being removed, a server that
//! says no, one that says nothing, or a call that is dropped, the store can tell of it at a run's end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::awake::{Moment, timeout_at};

/// How long a run's end waits for drafts that are being removed, and once more for another try: a slow server
/// gets done with a batch, and nobody waits long for one that is gone.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// The drafts that a store has let go of.
pub(super) struct LetGo<T>(Arc<watch::Sender<State<T>>>);

struct State<T> {
    left: BTreeSet<T>,
    /// How many removals are not over.
    under_way: usize,
}

impl<T> Clone for LetGo<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for LetGo<T> {
    fn default() -> Self {
        let (left, under_way) = (BTreeSet::new(), 0);
        Self(Arc::new(watch::Sender::new(State { left, under_way })))
    }
}

impl<T: Clone + Ord> LetGo<T> {
    /// Notes drafts whose removal begins now, and is over when what is returned is dropped.
    pub fn note(&self, drafts: impl IntoIterator<Item = T>) -> Removal<T> {
        self.0.send_modify(|state| {
            state.left.extend(drafts);
            state.under_way += 1;
        });
        Removal(self.clone())
    }

    /// Forgets a draft.
    pub fn is_gone(&self, draft: &T) {
        self.0.send_if_modified(|state| state.left.remove(draft));
    }

    /// Those that are not known to be gone.
    pub fn left(&self) -> BTreeSet<T> {
        self.0.borrow().left.clone()
    }

    /// One of them.
    pub fn first(&self) -> Option<T> {
        self.0.borrow().left.first().cloned()
    }

    /// Waits until no removal is under way; false if that takes too long.
    pub async fn settled(&self, patience: Duration) -> bool {
        let mut states = self.0.subscribe();
        let settled = states.wait_for(|state| state.under_way == 0);
        timeout_at(Moment::now().after(patience), settled)
            .await
            .is_ok()
    }
}

/// A removal that is under way.
pub(super) struct Removal<T>(LetGo<T>);

impl<T> Drop for Removal<T> {
    fn drop(&mut self) {
        let LetGo(states) = &self.0;
        states.send_modify(|state| state.under_way = state.under_way.saturating_sub(1));
    }
}
