//! For tests: a look at every call to etcd before it is made, and the power to let it go wrong.
//!
//! Hidden from the documentation, since only a proof of what the store survives has a use for it.
//! No Cargo feature either: what is tested is the store that ships, and asking whether there is
//! anybody to be told costs nothing beside a call over the network.

use std::sync::Arc;

/// What becomes of a call.
pub enum Fate {
    /// It is made.
    Goes,
    /// It is not made, and etcd refuses it with this text.
    Refused(String),
    /// It is not made, and no answer comes, for this reason.
    Lost(String),
    /// It is made, and its answer does not come, for this reason.
    AnswerLost(String),
}

/// Somebody who is told.
pub trait Faults: Send + Sync {
    /// Called before each call to etcd. A store that is watched makes one at a time, so that they
    /// come in the same order every time.
    fn before(&self, changes: bool) -> Fate;
}

/// Whoever is told of a store's calls, usually nobody.
#[derive(Clone, Default)]
pub(super) struct Watch(Option<Arc<dyn Faults>>);

impl Watch {
    pub fn by(faults: Arc<dyn Faults>) -> Self {
        Self(Some(faults))
    }

    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub fn before(&self, changes: bool) -> Fate {
        match &self.0 {
            Some(faults) => faults.before(changes),
            None => Fate::Goes,
        }
    }
}
