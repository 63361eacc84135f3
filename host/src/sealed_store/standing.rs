//! What a sealed store opens and writes at this moment. A migration changes it while requests are served.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::moves::Moves;
use crate::contract::Policy;

/// Shared by a store and its migration.
pub(super) struct Standing {
    now: watch::Sender<Now>,
    requests: AtomicUsize,
    /// How many writes have begun.
    begun: AtomicU64,
    /// Held by each write that began since the last [`Standing::earlier_writes`].
    writes: Mutex<Arc<()>>,
    /// What migrations have made of which version.
    pub moves: Moves,
}

/// How it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Which forms are opened.
    pub policy: Policy,
    /// How often that has changed.
    pub policies: u64,
    /// What is put is stored as it is.
    pub writes_plaintext: bool,
    /// How often the keys were changed.
    pub keys: u64,
    /// How many are changing the keys.
    changing: u32,
    /// A migration is there.
    pub is_taken: bool,
    pub is_paused: bool,
    pub is_stopped: bool,
    /// How often an object in an old form was refused after all was current.
    pub found_old: u64,
    /// The policy is what it is because all was current.
    pub is_tight: bool,
    /// How often the keys had been changed when a migration came to its end.
    pub settled: Option<u64>,
}

impl Standing {
    pub fn new(policy: Policy) -> Self {
        let now = Now {
            policy,
            policies: 0,
            writes_plaintext: false,
            keys: 0,
            changing: 0,
            is_taken: false,
            is_paused: false,
            is_stopped: false,
            found_old: 0,
            is_tight: false,
            settled: None,
        };
        Self {
            now: watch::Sender::new(now),
            requests: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            writes: Mutex::default(),
            moves: Moves::default(),
        }
    }

    pub fn now(&self) -> Now {
        *self.now.borrow()
    }

    pub fn changes(&self) -> watch::Receiver<Now> {
        self.now.subscribe()
    }

    pub fn change(&self, change: impl FnOnce(&mut Now)) {
        self.now.send_modify(change);
    }

    pub fn set_policy(&self, policy: Policy) {
        self.change(|now| now.set_policy(policy));
    }

    /// Opens only this from now on, unless the keys were changed since they had been changed so
    /// often. Returns whether it does.
    pub fn tighten(&self, policy: Policy, keys: u64) -> bool {
        self.now.send_if_modified(|now| {
            let is_so = now.keys == keys && now.changing == 0;
            if is_so {
                now.set_policy(policy);
                now.is_tight = true;
            }
            is_so
        })
    }

    /// Opens what is under another key, if all was current.
    pub fn loosen(&self) {
        self.change(Now::loosen);
    }

    /// Makes a change of the keys: nothing that is under another key is refused while it is made, and
    /// until all is under the new one.
    pub fn change_keys<T>(&self, change: impl FnOnce() -> T) -> T {
        self.change(|now| {
            now.changing += 1;
            now.loosen();
        });
        let _changed = Changed(self);
        change()
    }

    /// A request that is under way until this is dropped.
    pub fn request(&self) -> Request<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Request(self)
    }

    /// How many requests are under way.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// A write that is under way until this is dropped.
    pub fn write(&self) -> Arc<()> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&writes)
    }

    /// How many writes have begun so far.
    pub fn writes(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Is held, besides by whoever has asked, by each write that has begun by now and not ended: it may have seen
    /// the keys that were lent before.
    pub fn earlier_writes(&self) -> Arc<()> {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *writes)
    }
}

impl Now {
    /// A migration has come to its end, and the keys have not changed since.
    pub fn is_settled(&self) -> bool {
        self.changing == 0 && self.settled == Some(self.keys)
    }

    fn loosen(&mut self) {
        self.is_tight = false;
        if self.policy == Policy::Current {
            self.set_policy(Policy::Sealed);
        }
    }

    /// It opens nothing but what is current because its host says so.
    pub fn is_strict(&self) -> bool {
        self.policy == Policy::Current && !self.is_tight
    }

    pub fn set_policy(&mut self, policy: Policy) {
        if self.policy != policy {
            self.policy = policy;
            self.policies += 1;
        }
    }
}

/// Ends a change of the keys, one that panicked too.
struct Changed<'a>(&'a Standing);

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        self.0.change(|now| {
            now.changing = now.changing.saturating_sub(1);
            now.keys += 1;
        });
    }
}

pub(super) struct Request<'a>(&'a Standing);

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_keys_change_nothing_is_tightened() {
        let standing = Standing::new(Policy::Compatible);
        assert!(standing.tighten(Policy::Current, 0));
        standing.change_keys(|| {
            assert_eq!(standing.now().policy, Policy::Sealed);
            assert!(!standing.tighten(Policy::Current, 0));
            assert!(!standing.tighten(Policy::Current, 1));
        });
        assert!(!standing.tighten(Policy::Current, 0));
        assert!(standing.tighten(Policy::Current, 1));
        assert_eq!(standing.now().policy, Policy::Current);
    }

    #[test]
    fn a_write_that_began_before_holds_it_and_one_that_begins_after_does_not() {
        let standing = Standing::new(Policy::Sealed);
        let early = standing.write();
        let earlier = standing.earlier_writes();
        let late = standing.write();
        assert_eq!(Arc::strong_count(&earlier), 2);
        drop(early);
        assert_eq!(Arc::strong_count(&earlier), 1);
        drop(late);
    }
}
