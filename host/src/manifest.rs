//! A sealed manifest: what a store holds, so that a later look sees what sealing each object for
//! itself cannot show.
//!
//! A sealed object proves who wrote it and where it belongs, not that it is the newest one, nor that
//! it ought to be there. Whoever can write to the store can put back last year's copy of a policy,
//! remove a denied user, or bring a deleted one back. A [`Manifest`] holds the SHA-256 of the stored
//! bytes of every object and of some earlier ones; a [`Comparison`] tells of each object that is seen
//! whether it is as recorded, and in the end which are missing.
//!
//! # What vouches for it
//! A [`ManifestFile`] seals it through the plugin, in the compact form, so that without the key nobody
//! can make one or change one; it opens under no other store name. Who can write to the file can still
//! remove it, or put an older manifest back together with the objects of its time. **Only whoever
//! remembers the epoch sees that**: it grows by one with each save, and [`ManifestFile::load`] takes
//! the least that is acceptable. Keep the number where the store's writers cannot reach, such as in
//! the backup's log.
//!
//! Whoever holds any key that is lent can make a manifest, so [`Manifest::key`] says which one it was
//! sealed under, and old keys had better not be lent when it is checked. Everything below
//! `iamseal/manifest/` is the manifest's: a host that seals for others refuses them such paths.
//!
//! # How a host keeps one
//! It records each write and saves before it says that the write is done, or from time to time; what
//! was written after the last save shows as changed, never as good. A record follows the write: a
//! process that dies in between leaves an object that is reported as changed, and not one that would
//! be believed wrongly.
//!
//! ```no_run
//! use iamseal::contract::SealOptions;
//! use iamseal::manifest::{Manifest, ManifestError, ManifestFile, Seen, digest};
//! use iamseal::Plugin;
//!
//! # async fn example(plugin: Plugin) -> Result<(), Box<dyn std::error::Error>> {
//! let file = ManifestFile::new("/data/.minio.sys/iamseal-manifest");
//! let remembered = 41; // From wherever this host keeps the number.
//! let mut manifest = match file.load(plugin.reader(), remembered).await {
//!     // The first time only: later a file that is gone was removed.
//!     Err(ManifestError::NotFound) if remembered == 0 => Manifest::new(plugin.store_name()),
//!     other => other?,
//! };
//!
//! let path = b"config/iam/users/alice/identity.json";
//! let stored = plugin.seal(path, b"{}", &SealOptions::default()).await?;
//! // … write it to the store, durably; then:
//! manifest.record(path, digest(&stored));
//! file.save(&plugin, &mut manifest, None).await?;
//! println!("remember {}", manifest.epoch());
//!
//! // Later, with what is in the store then:
//! let mut comparison = manifest.compare(b"config/");
//! assert_eq!(comparison.see(path, &digest(&stored)), Seen::AsRecorded);
//! assert_eq!(comparison.missing().count(), 0);
//! # Ok(())
//! # }
//! ```

mod compare;
mod error;
mod file;
mod framing;
mod lines;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

pub use compare::{Comparison, Seen};
pub use error::ManifestError;
pub use file::ManifestFile;

use framing::SaveId;

/// How many earlier digests of an object are kept. What is put back is mostly the copy of the last
/// backup or the one from before the last migration; four go back behind a migration, its undoing and
/// doing it again. Older copies are seen all the same, as changed. Each costs some 80 bytes an object.
pub const EARLIER: usize = 4;

/// The SHA-256 of an object's stored bytes.
pub type Digest = [u8; 32];

/// The digest of stored bytes.
pub fn digest(stored: &[u8]) -> Digest {
    Sha256::digest(stored).into()
}

/// What a store holds. It has no secrets: paths, digests, epochs.
#[derive(Clone, Debug)]
pub struct Manifest {
    store_name: String,
    epoch: u64,
    entries: BTreeMap<Vec<u8>, Entry>,
    /// Which save it was read from or written by.
    saved: Option<SaveId>,
    key: Option<String>,
}

/// What is recorded of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The digest that it ought to have.
    pub digest: Digest,
    /// The epoch that brought this digest.
    pub changed: u64,
    /// Digests that it had before, the newest first, at most [`EARLIER`].
    pub earlier: Vec<Earlier>,
}

/// A digest that an object once had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Earlier {
    /// The digest.
    pub digest: Digest,
    /// The last epoch before it was replaced; 0: before there was a manifest.
    pub until: u64,
}

impl Manifest {
    /// A manifest of nothing, in epoch 0, for the store that the plugin knows by this name
    /// ([`crate::PluginBuilder::store_name`]).
    pub fn new(store_name: impl Into<String>) -> Self {
        Self {
            store_name: store_name.into(),
            epoch: 0,
            entries: BTreeMap::new(),
            saved: None,
            key: None,
        }
    }

    /// The store's name.
    pub fn store_name(&self) -> &str {
        &self.store_name
    }

    /// How often it was saved. What is recorded from now on belongs to the next epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The name of the key that it was sealed under when it was read or saved; none if it was neither.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// How many objects it records.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it records none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is recorded of the object at `path`.
    pub fn get(&self, path: &[u8]) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// All of it, in ascending order of the paths' bytes.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &Entry)> {
        self.entries
            .iter()
            .map(|(path, entry)| (path.as_slice(), entry))
    }

    /// Records that the object at `path` now has this digest. The digest that it had becomes an
    /// earlier one.
    pub fn record(&mut self, path: &[u8], digest: Digest) {
        let (until, changed) = (self.epoch, self.next_epoch());
        let Some(entry) = self.entries.get_mut(path) else {
            let entry = Entry {
                digest,
                changed,
                earlier: Vec::new(),
            };
            self.entries.insert(path.to_vec(), entry);
            return;
        };
        if entry.digest == digest {
            return;
        }
        let before = Earlier {
            digest: std::mem::replace(&mut entry.digest, digest),
            until,
        };
        entry.changed = changed;
        // What has come back is not an older copy any more.
        entry.earlier.retain(|earlier| earlier.digest != digest);
        entry.earlier.insert(0, before);
        entry.earlier.truncate(EARLIER);
    }

    /// Records that the object at `path` was `before` and is `after` now, for a migration: `before`
    /// is then known as an older copy even if the manifest did not have the path or had something
    /// else there. It says nothing of whether `before` was as recorded: compare first.
    pub fn record_replaced(&mut self, path: &[u8], before: Digest, after: Digest) {
        self.record(path, before);
        self.record(path, after);
    }

    /// Records that there is no object at `path` any more, and returns whether one was recorded. An
    /// object that stands there later is one that is not recorded, whatever its bytes.
    pub fn remove(&mut self, path: &[u8]) -> bool {
        self.entries.remove(path).is_some()
    }

    /// Begins to compare what is in the store with this: of it, only paths that begin with `prefix`,
    /// byte for byte, can be missing.
    pub fn compare(&self, prefix: &[u8]) -> Comparison<'_> {
        Comparison::new(self, prefix)
    }

    /// The epoch of what is recorded from now on.
    fn next_epoch(&self) -> u64 {
        self.epoch.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &[u8] = b"config/a";

    fn earlier(manifest: &Manifest) -> Vec<(u8, u64)> {
        let entry = manifest.get(PATH).unwrap();
        let pairs = entry.earlier.iter();
        pairs.map(|one| (one.digest[0], one.until)).collect()
    }

    #[test]
    fn a_digest_that_is_replaced_becomes_an_earlier_one() {
        let mut manifest = Manifest::new("");
        for (epoch, byte) in (0..).zip([1, 2, 2, 3, 4, 5, 6]) {
            manifest.epoch = epoch;
            manifest.record(PATH, [byte; 32]);
        }
        let entry = manifest.get(PATH).unwrap();
        assert_eq!((entry.digest, entry.changed), ([6; 32], 7));
        assert_eq!(earlier(&manifest), [(5, 6), (4, 5), (3, 4), (2, 3)]);
    }

    #[test]
    fn a_digest_that_comes_back_is_no_earlier_one() {
        let mut manifest = Manifest::new("");
        for byte in [1, 2, 1] {
            manifest.record(PATH, [byte; 32]);
        }
        assert_eq!(earlier(&manifest), [(2, 0)]);
    }

    #[test]
    fn a_replacement_is_known_even_of_a_path_that_is_not() {
        let mut manifest = Manifest::new("");
        manifest.epoch = 4;
        manifest.record_replaced(PATH, [1; 32], [2; 32]);
        assert_eq!(manifest.get(PATH).unwrap().digest, [2; 32]);
        assert_eq!(earlier(&manifest), [(1, 4)]);
        // And of one that was something else.
        manifest.record_replaced(PATH, [7; 32], [8; 32]);
        assert_eq!(earlier(&manifest), [(7, 4), (2, 4), (1, 4)]);
    }

    #[test]
    fn what_is_removed_is_not_recorded() {
        let mut manifest = Manifest::new("");
        manifest.record(PATH, [1; 32]);
        assert!(manifest.remove(PATH));
        assert!(!manifest.remove(PATH));
        assert!(manifest.is_empty());
    }
}
