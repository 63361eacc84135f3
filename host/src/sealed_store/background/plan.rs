//! What to migrate, and how much of the server's time it may take.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::contract::Policy;
use crate::storage::{Storage, StorageWriter};

/// How long a server's lease lasts that it does not renew: several times what a store takes at its
/// slowest.
pub(super) const LEASE_TIME: Duration = Duration::from_secs(30);

/// How many objects that fail are named. Each takes some 300 bytes of memory, so this is some 3 MB.
const NAMED_FAILURES: usize = 10_000;

/// Where all that is to be sealed stands. Beside it a MinIO's folder has files that it cannot start without.
const CONFIG: &[u8] = b"config/";

/// A migration to do.
#[derive(Clone)]
pub struct Plan {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) writer: Arc<dyn StorageWriter>,
    pub(super) prefix: Vec<u8>,
    pub(super) to_plaintext: bool,
    pub(super) try_all_credentials: bool,
    pub(super) not_loadable_too: bool,
    pub(super) share: Share,
    pub(super) at_the_end: Policy,
    pub(super) marker: bool,
    pub(super) node: Option<String>,
    pub(super) lease_time: Duration,
    pub(super) named_failures: usize,
}

/// How much a migration may take while others work. The default leaves most of a small server to requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Objects a second, at least 1. Default 500.
    pub objects: u32,
    /// Bytes a second, read and written. Default 16 MiB.
    pub bytes: u64,
    /// Objects that are taken together: they share the cost of durability, and each holds a draft in the store
    /// meanwhile. 1 to 256; default 32. While requests write it is an eighth of these, since each of them waits for what
    /// is being made durable.
    pub in_flight: u32,
    /// How long it waits, before each of those, while requests are under way, and how long it rests at most after each
    /// while they write. Zero: it takes no heed of requests. Default 50 ms.
    pub patience: Duration,
}

impl Default for Share {
    fn default() -> Self {
        Self {
            objects: 500,
            bytes: 16 << 20,
            in_flight: 32,
            patience: Duration::from_millis(50),
        }
    }
}

impl Share {
    /// As much as there is.
    pub const ALL: Self = Self {
        objects: u32::MAX,
        bytes: u64::MAX,
        in_flight: 256,
        patience: Duration::ZERO,
    };
}

impl Plan {
    /// All objects below `config/` of this store, to the form and key that the sealed store writes. It has to be the store that
    /// is behind the sealed one, or another way to the same objects that writes against versions too.
    pub fn of<S: Storage + StorageWriter + 'static>(store: Arc<S>) -> Self {
        Self {
            storage: Arc::clone(&store) as Arc<dyn Storage>,
            writer: store,
            prefix: CONFIG.to_vec(),
            to_plaintext: false,
            try_all_credentials: false,
            not_loadable_too: false,
            share: Share::default(),
            at_the_end: Policy::Current,
            marker: true,
            node: None,
            lease_time: LEASE_TIME,
            named_failures: NAMED_FAILURES,
        }
    }

    /// Only paths that begin with this, byte for byte, instead of `config/`. At the end the sealed store opens
    /// nothing that is not current at other paths either.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Vec<u8>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How much it may take.
    #[must_use]
    pub fn share(mut self, share: Share) -> Self {
        self.share = share;
        self
    }

    /// Opens everything up, and what is put from the beginning of this migration on is stored as plaintext.
    #[must_use]
    pub fn to_plaintext(mut self) -> Self {
        self.to_plaintext = true;
        self
    }

    /// See [`crate::MigrationPlan::try_all_credentials`].
    #[must_use]
    pub fn try_all_credentials(mut self) -> Self {
        self.try_all_credentials = true;
        self
    }

    /// See [`crate::MigrationPlan::not_loadable_too`].
    #[must_use]
    pub fn not_loadable_too(mut self) -> Self {
        self.not_loadable_too = true;
        self
    }

    /// Which forms are opened when all is done, instead of [`Policy::Current`]: [`Policy::Sealed`] for servers
    /// that share a store and do not change their key at the same moment.
    #[must_use]
    pub fn at_the_end(mut self, policy: Policy) -> Self {
        self.at_the_end = policy;
        self
    }

    /// Neither reads a marker nor leaves one.
    #[must_use]
    pub fn without_marker(mut self) -> Self {
        self.marker = false;
        self
    }

    /// How many objects that fail are named, in [`Background::failures`](super::Background::failures), events and logs; 10,000 at
    /// first. The others are counted, and are tried again like those: what does not open when the keys change, what is left by
    /// going through the store again. Of more than this that wait for a root credential the others, and after
    /// a restart all of them, are refused when it comes, until the marker is removed and a new start accepts them.
    #[must_use]
    pub fn named_failures(mut self, limit: usize) -> Self {
        self.named_failures = limit;
        self
    }

    /// One of several servers on the same store, under a name of its own, goes through it at a time, and
    /// another takes over when its lease was not renewed for `time`: some seconds at least.
    #[must_use]
    pub fn lease(mut self, node: impl Into<String>, time: Duration) -> Self {
        self.node = Some(node.into());
        self.lease_time = time;
        self
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("prefix", &String::from_utf8_lossy(&self.prefix))
            .field("to_plaintext", &self.to_plaintext)
            .field("share", &self.share)
            .finish_non_exhaustive()
    }
}
