//! A store in memory that counts what is done to it and can be told to misbehave.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use iamseal_core::{Cursor, Draft, Replacement, StorageError, Stored, Version};

use crate::trick::Trick;

/// What was done to a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects that were read.
    pub reads: usize,
    /// Calls of `stage`.
    pub batches: usize,
    /// Drafts that were made.
    pub staged: usize,
    /// Objects that were replaced.
    pub replaced: usize,
    /// The most bytes that one call of `stage` was given.
    pub largest_batch: usize,
}

/// Objects by their paths. A version is a number that no two writes share.
#[derive(Default)]
pub struct MemoryStore {
    objects: Mutex<BTreeMap<Vec<u8>, Object>>,
    writes: Mutex<u64>,
    tricks: Mutex<Vec<Trick>>,
    counts: Mutex<Counts>,
    page: Mutex<Option<usize>>,
    drafts: AtomicUsize,
}

struct Object {
    bytes: Vec<u8>,
    version: u64,
}

/// A listing of a [`MemoryStore`], taken when it began.
pub struct Listing {
    paths: Vec<Vec<u8>>,
    page: usize,
    pages: usize,
    for_ever: bool,
    second_page_fails: bool,
}

/// A draft in a [`MemoryStore`].
pub struct MemoryDraft {
    store: Arc<MemoryStore>,
    replacement: Replacement,
}

impl MemoryStore {
    /// A store that holds these objects.
    pub fn with<P: AsRef<[u8]>, B: AsRef<[u8]>>(
        objects: impl IntoIterator<Item = (P, B)>,
    ) -> Arc<Self> {
        let store = Arc::new(Self::default());
        for (path, bytes) in objects {
            store.put(path.as_ref(), bytes.as_ref());
        }
        store
    }

    /// Makes the store misbehave in one more way.
    pub fn play(&self, trick: Trick) {
        self.tricks.lock().unwrap().push(trick);
    }

    /// Makes listings come in pages of this many paths; without it, in one page.
    pub fn set_page(&self, paths: usize) {
        *self.page.lock().unwrap() = Some(paths);
    }

    /// Puts an object there, as somebody else does it.
    pub fn put(&self, path: &[u8], bytes: &[u8]) {
        let mut writes = self.writes.lock().unwrap();
        *writes += 1;
        let object = Object {
            bytes: bytes.to_vec(),
            version: *writes,
        };
        self.objects.lock().unwrap().insert(path.to_vec(), object);
    }

    /// An object's bytes, past all counting and misbehaviour.
    pub fn get(&self, path: &[u8]) -> Option<Vec<u8>> {
        let objects = self.objects.lock().unwrap();
        objects.get(path).map(|object| object.bytes.clone())
    }

    /// All objects, past all counting and misbehaviour.
    pub fn all(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let objects = self.objects.lock().unwrap();
        let bytes = |(path, object): (&Vec<u8>, &Object)| (path.clone(), object.bytes.clone());
        objects.iter().map(bytes).collect()
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap()
    }

    /// How many drafts were neither committed nor dropped.
    pub fn open_drafts(&self) -> usize {
        self.drafts.load(SeqCst)
    }

    pub(crate) fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Listing, StorageError> {
        if self.plays(&Trick::ListFails) {
            return Err(StorageError::Other("the listing failed".to_string()));
        }
        let told = self.first(|trick| match trick {
            Trick::Lists(paths) => {
                Some(paths.iter().map(|path| path.as_bytes().to_vec()).collect())
            }
            _ => None,
        });
        let there = || {
            let objects = self.objects.lock().unwrap();
            let wanted = |path: &&Vec<u8>| {
                path.starts_with(prefix) && start_after.is_none_or(|after| path.as_slice() > after)
            };
            objects.keys().filter(wanted).cloned().collect()
        };
        Ok(Listing {
            paths: told.unwrap_or_else(there),
            page: self.page.lock().unwrap().unwrap_or(usize::MAX),
            pages: 0,
            for_ever: self.plays(&Trick::ListsForEver),
            second_page_fails: self.plays(&Trick::SecondPageFails),
        })
    }

    pub(crate) fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        self.counts.lock().unwrap().reads += 1;
        if self.tricks_at(path, |trick| matches!(trick, Trick::ReadFails(_))) {
            return Err(StorageError::Other("the read failed".to_string()));
        }
        let objects = self.objects.lock().unwrap();
        let object = objects.get(path).ok_or(StorageError::NotFound)?;
        Ok(Stored {
            bytes: object.bytes.clone(),
            version: object.version.to_le_bytes().to_vec(),
        })
    }

    pub(crate) fn stage(
        this: &Arc<Self>,
        replacements: Vec<Replacement>,
    ) -> Vec<Result<MemoryDraft, StorageError>> {
        let bytes = replacements.iter().map(|new| new.bytes.len()).sum();
        {
            let mut counts = this.counts.lock().unwrap();
            counts.batches += 1;
            counts.staged += replacements.len();
            counts.largest_batch = counts.largest_batch.max(bytes);
        }
        let mut drafts: Vec<_> = replacements
            .into_iter()
            .map(|replacement| {
                if this.tricks_at(&replacement.path, |trick| {
                    matches!(trick, Trick::StageFails(_))
                }) {
                    return Err(StorageError::Other("the disk is full".to_string()));
                }
                if this.tricks_at(&replacement.path, |trick| {
                    matches!(trick, Trick::StageConflicts(_))
                }) {
                    return Err(StorageError::Conflict);
                }
                this.drafts.fetch_add(1, SeqCst);
                let store = Arc::clone(this);
                Ok(MemoryDraft { store, replacement })
            })
            .collect();
        if this.plays(&Trick::StagesTooFew) {
            drafts.pop();
        }
        this.meanwhile();
        drafts
    }

    pub(crate) fn commit(
        &self,
        mut drafts: Vec<MemoryDraft>,
    ) -> Vec<Result<Version, StorageError>> {
        if self.plays(&Trick::CommitsTooFew) {
            drafts.pop();
        }
        drafts.iter().map(|draft| self.replace(draft)).collect()
    }

    fn replace(&self, draft: &MemoryDraft) -> Result<Version, StorageError> {
        let Replacement {
            path,
            expected,
            bytes,
        } = &draft.replacement;
        if self.tricks_at(path, |trick| matches!(trick, Trick::CommitFails(_))) {
            return Err(StorageError::Other("the rename failed".to_string()));
        }
        let present = self
            .objects
            .lock()
            .unwrap()
            .get(path)
            .map(|there| there.version);
        match present {
            None => return Err(StorageError::NotFound),
            Some(present) if present.to_le_bytes() != **expected => {
                return Err(StorageError::Conflict);
            }
            Some(_) => {}
        }
        self.put(path, bytes);
        self.counts.lock().unwrap().replaced += 1;
        Ok(self.writes.lock().unwrap().to_le_bytes().to_vec())
    }

    /// What somebody else does between reading and committing.
    fn meanwhile(&self) {
        for trick in self.tricks.lock().unwrap().iter_mut() {
            match trick {
                Trick::ChangesMeanwhile(path, theirs) => {
                    if let Some(theirs) = theirs.pop() {
                        self.put(path.as_bytes(), &theirs);
                    }
                }
                Trick::VanishesMeanwhile(path) => {
                    self.objects.lock().unwrap().remove(path.as_bytes());
                }
                _ => {}
            }
        }
    }

    fn plays(&self, trick: &Trick) -> bool {
        self.tricks.lock().unwrap().contains(trick)
    }

    fn first<T>(&self, wanted: impl Fn(&Trick) -> Option<T>) -> Option<T> {
        self.tricks.lock().unwrap().iter().find_map(wanted)
    }

    /// Whether a trick of a kind is played on the object at `path`.
    fn tricks_at(&self, path: &[u8], kind: impl Fn(&Trick) -> bool) -> bool {
        let there = |trick: &Trick| match trick {
            Trick::ReadFails(at)
            | Trick::StageFails(at)
            | Trick::StageConflicts(at)
            | Trick::ReadBackFails(at)
            | Trick::CommitFails(at) => (kind(trick) && at.as_bytes() == path).then_some(()),
            _ => None,
        };
        self.first(there).is_some()
    }
}

impl Cursor for Listing {
    fn next(&mut self) -> Result<Vec<Vec<u8>>, StorageError> {
        self.pages += 1;
        if self.second_page_fails && self.pages > 1 {
            return Err(StorageError::Other("the listing broke off".to_string()));
        }
        let page = self.paths.len().min(self.page);
        if self.for_ever {
            return Ok(self.paths[..page].to_vec());
        }
        Ok(self.paths.drain(..page).collect())
    }
}

impl Draft for MemoryDraft {
    fn read_back(&self) -> Result<Vec<u8>, StorageError> {
        let path = &self.replacement.path;
        let fails = |trick: &Trick| matches!(trick, Trick::ReadBackFails(_));
        if self.store.tricks_at(path, fails) {
            return Err(StorageError::Other("the draft is gone".to_string()));
        }
        let told = self.store.first(|trick| match trick {
            Trick::ReadsBack(at, bytes) if at.as_bytes() == path => Some(bytes.clone()),
            _ => None,
        });
        Ok(told.unwrap_or_else(|| self.replacement.bytes.clone()))
    }
}

impl Drop for MemoryDraft {
    fn drop(&mut self) {
        self.store.drafts.fetch_sub(1, SeqCst);
    }
}
