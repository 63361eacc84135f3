//! Taking a run back.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::JournalError;
use super::key::RunKey;
use super::lines::Lines;
use super::past::Trusted;
use super::record::Change as Written;
use super::record::{Did, Kept, Line, sha256};
use super::store::is_sealed;
use crate::contract::{ObjectError, Policy, StorageError};
use crate::error::Error;
use crate::exempt::is_exempt;
use crate::plugin::Auditor;
use crate::storage::{Change, Creation, Removal, Replacement, Storage, StorageWriter, Stored};

/// Why an object is not touched where the run's key did not open.
const UNKNOWN: &str = "without the run's key nothing tells whether it is what the run made of it";
/// Why the bytes that a journal keeps are not written to the store.
const NOT_SEALED: &str = "what the journal kept of it is not sealed, so no run wrote it down";
/// Why an object is not created again whose bytes the journal has under the run's key.
const NO_KEY: &str =
    "it may be plaintext and is kept under the run's key, which nothing that was given opens";
/// Why an object is left alone that no run changes.
const NOT_OF_A_RUN: &str = "no run changes what stands at this path";
/// How many bytes of old objects a batch holds at the most before they are written. One may be larger.
const BATCH_BYTES: usize = 4 << 20;

/// A run that is being taken back, in steps. Drop it to stop: objects that were reported are done, all
/// others are as they were. Taking it back again is harmless.
///
/// Every object that is what the run made of it becomes what it was before, byte for byte: one that the run
/// created goes, and one that it removed is created again. Every other is left alone. As in a migration the old bytes stay until the new ones are durable and were read
/// again, and nobody else's change is lost.
pub struct Undo {
    /// None after the system failed to read them: it would fail for ever.
    lines: Option<Lines<Line>>,
    /// What digests are made with.
    key: Option<Arc<RunKey>>,
    /// The last change of each path: an object that was changed meanwhile was taken again.
    last: HashMap<[u8; 32], Last>,
    opener: Auditor,
    storage: Arc<dyn Storage>,
    writer: Option<Arc<dyn StorageWriter>>,
    /// Whether the journal is what the run wrote.
    is_checked: bool,
    /// What the paths of objects begin with.
    prefix: Vec<u8>,
}

/// One object and what became of it.
#[derive(Debug)]
pub struct UndoStep {
    /// The path; empty for a line of the journal that cannot be read.
    pub path: Vec<u8>,
    /// What became of it.
    pub outcome: UndoOutcome,
}

/// What became of one object.
#[derive(Debug)]
pub enum UndoOutcome {
    /// It is what it was before the run.
    Restored,
    /// The same without the writing.
    WouldRestore,
    /// It was that already.
    Unchanged,
    /// Somebody has changed or removed it since the run; theirs was kept.
    ChangedSince,
    /// It failed, and this is why. It was not touched, unless the error says that it was replaced.
    Failed(ObjectError),
}

/// The last change of a path.
struct Last {
    /// Where in the journal it is.
    place: u64,
    /// Whether the object was plaintext before.
    was_plaintext: bool,
    /// Whether it was to be removed.
    is_removal: bool,
}

/// An object that is what the run made of it.
struct Restore {
    step: usize,
    change: Change,
}

impl Undo {
    /// Begins to take `run` back, as a dry run: [`Self::writing`] makes it real. Nothing of the store is
    /// read before the first step, and nothing at all of a journal in which a line is not what the run
    /// wrote, unless it is trusted.
    ///
    /// `opener` has the keys that the run sealed with: it opens what was plaintext before.
    ///
    /// # Errors
    /// [`JournalError::NotAuthentic`], [`JournalError::CutShort`] if the proof beside it tells of more objects,
    /// the errors of reading that proof, and [`JournalError::Io`]. A trusted one is followed all the same.
    pub fn new(
        run: &Trusted,
        opener: Auditor,
        storage: Arc<dyn Storage>,
    ) -> Result<Self, JournalError> {
        let mut last = HashMap::new();
        let mut steps = 0;
        for line in run.lines()? {
            match line {
                Ok((place, Line::Change(change))) => {
                    let was_plaintext = matches!(change.kept, Kept::After | Kept::Sealed);
                    let is_removal = change.did == Did::Remove;
                    let change_of = |path: Vec<u8>| {
                        let last = Last {
                            place,
                            was_plaintext,
                            is_removal,
                        };
                        (key(&path), last)
                    };
                    last.extend(change.path.bytes().map(change_of));
                }
                Ok((_, Line::Step(step))) => {
                    steps += 1;
                    // Whoever removed it since did not do so in this run, which is not to bring it back.
                    if !step.changed
                        && let Some(path) = step.path.bytes()
                        && last.get(&key(&path)).is_some_and(|last| last.is_removal)
                    {
                        last.remove(&key(&path));
                    }
                }
                // Told when it is met again.
                Ok(_) | Err(JournalError::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        run.check_whole(steps)?;
        Ok(Self {
            lines: Some(run.lines()?),
            key: run.key.clone(),
            last,
            opener,
            storage,
            writer: None,
            is_checked: run.is_checked(),
            prefix: Vec::new(),
        })
    }

    /// Writes what is taken back, to a store that is read in place of the first.
    #[must_use]
    pub fn writing(self, storage: Arc<dyn Storage>, writer: Arc<dyn StorageWriter>) -> Self {
        Self {
            storage,
            writer: Some(writer),
            ..self
        }
    }

    /// Keeps to objects whose paths begin like this, whatever the journal says.
    #[must_use]
    pub fn within(self, prefix: &[u8]) -> Self {
        Self {
            prefix: prefix.to_vec(),
            ..self
        }
    }

    /// How many objects the run has changed, or was about to.
    pub fn objects(&self) -> usize {
        self.last.len()
    }

    /// How many objects become plaintext, there now or not.
    pub fn plaintext(&self) -> usize {
        self.last.values().filter(|last| last.was_plaintext).count()
    }

    /// Whether an object becomes plaintext, of those that the run has changed or was about to.
    pub fn restores_plaintext(&self, path: &[u8]) -> Option<bool> {
        self.last.get(&key(path)).map(|last| last.was_plaintext)
    }

    /// Takes up to `limit` further changes back as one batch, at least one, and returns when all of it
    /// is durable. Empty at the end.
    ///
    /// # Errors
    /// Those of every call of a plugin but [`Error::Object`], and `Failed` steps are no errors.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<UndoStep>, Error> {
        let mut steps = Vec::new();
        let mut restores = Vec::new();
        let mut bytes = 0;
        while steps.len() < limit.max(1) && bytes < BATCH_BYTES {
            let (place, change) = match self.lines.as_mut().and_then(Lines::next) {
                None => break,
                Some(Ok((place, Line::Change(change)))) => (place, change),
                Some(Ok(_)) => continue,
                Some(Err(error)) => {
                    steps.push(failed(Vec::new(), other(&error)));
                    if !matches!(error, JournalError::Damaged { .. }) {
                        self.lines = None;
                    }
                    continue;
                }
            };
            let Some(path) = change.path.bytes() else {
                steps.push(failed(
                    Vec::new(),
                    other(&"a path in the journal is damaged"),
                ));
                continue;
            };
            let last = self.last.get(&key(&path));
            if last.is_none_or(|last| last.place != place) {
                continue;
            }
            let outcome = match self.prepare(&path, &change).await {
                Ok(Prepared::Done(outcome)) => outcome,
                Ok(Prepared::Write(change)) => {
                    bytes += change.bytes().map_or(0, <[u8]>::len);
                    restores.push(Restore {
                        step: steps.len(),
                        change,
                    });
                    UndoOutcome::Restored
                }
                Err(Error::Object(error)) => UndoOutcome::Failed(error),
                Err(error) => return Err(error),
            };
            steps.push(UndoStep { path, outcome });
        }
        for (step, error) in self.write(restores).await {
            if let Some(step) = steps.get_mut(step) {
                step.outcome = match error {
                    StorageError::Conflict => UndoOutcome::ChangedSince,
                    error => UndoOutcome::Failed(ObjectError::Storage(error)),
                };
            }
        }
        Ok(steps)
    }

    async fn prepare(&self, path: &[u8], change: &Written) -> Result<Prepared, Error> {
        // No run changes anything else, unless somebody named it to be set aside. Whoever wrote this wants it
        // written all the same.
        let may_be_exempt = self.is_checked && change.did != Did::Replace;
        if !path.starts_with(&self.prefix) || (is_exempt(path) && !may_be_exempt) {
            return Err(ObjectError::Refused(NOT_OF_A_RUN.into()).into());
        }
        let stored = match self.storage.read(path).await {
            Ok(stored) => Some(stored),
            Err(StorageError::NotFound) => None,
            Err(error) => return Err(ObjectError::Storage(error).into()),
        };
        match self.compare(path, stored.as_ref(), change) {
            Some(As::Made) => {}
            Some(As::Before) => return Ok(Prepared::Done(UndoOutcome::Unchanged)),
            Some(As::Neither) => return Ok(Prepared::Done(UndoOutcome::ChangedSince)),
            None => return Err(ObjectError::Other(UNKNOWN.into()).into()),
        }
        let bytes = match change.did {
            Did::Create => None,
            Did::Replace | Did::Remove => Some(self.old_bytes(path, change).await?),
        };
        let path = path.to_vec();
        let back = match (stored, bytes) {
            (Some(stored), Some(bytes)) => Change::Replace(Replacement {
                path,
                expected: stored.version,
                bytes,
            }),
            (Some(stored), None) => Change::Remove(Removal {
                path,
                expected: stored.version,
            }),
            (None, Some(bytes)) => {
                // Rights of somebody else's choice are not given.
                let rights = change.rights.as_ref().filter(|_| self.is_checked);
                Change::Create(Creation {
                    path,
                    bytes,
                    rights: rights.and_then(|rights| STANDARD.decode(rights).ok()),
                })
            }
            // Nothing is there, and nothing was.
            (None, None) => return Ok(Prepared::Done(UndoOutcome::Unchanged)),
        };
        Ok(match self.writer {
            None => Prepared::Done(UndoOutcome::WouldRestore),
            Some(_) => Prepared::Write(back),
        })
    }

    /// What there is, beside what the run found and what it made of it; none if nothing tells.
    fn compare(&self, path: &[u8], stored: Option<&Stored>, change: &Written) -> Option<As> {
        let is = |digest: &Option<String>, sealed: &Option<String>| match stored {
            Some(stored) => self.is(path, &stored.bytes, digest.as_ref(), sealed.as_ref()),
            None => Some(false),
        };
        let (was_absent, is_absent) = (change.did == Did::Create, change.did == Did::Remove);
        let is_before = match was_absent {
            true => Some(stored.is_none()),
            false => is(&change.before, &change.sealed_before),
        };
        if is_before == Some(true) {
            return Some(As::Before);
        }
        let is_made = match is_absent {
            true => Some(stored.is_none()),
            false => is(&change.after, &change.sealed_after),
        };
        match is_made {
            Some(true) => Some(As::Made),
            // Of what was removed, what is there may be the old one.
            Some(false) if is_absent && is_before.is_none() => None,
            Some(false) => Some(As::Neither),
            None => None,
        }
    }

    /// The bytes that an object had before the run.
    async fn old_bytes(&self, path: &[u8], change: &Written) -> Result<Vec<u8>, Error> {
        let damaged = || ObjectError::Other("what the journal kept of it is damaged".into());
        let kept = change.bytes().ok_or_else(damaged)?;
        let bytes = match change.kept {
            // No run keeps anything else. Whoever wrote this wants it written to the store.
            Kept::Before | Kept::After if !is_sealed(&self.opener, &kept).await? => {
                return Err(ObjectError::Other(NOT_SEALED.into()).into());
            }
            Kept::Before => kept,
            Kept::After => {
                // It may be RustFS' form, which no stricter policy has in common with the others.
                let opened = self.opener.unseal(path, &kept, Policy::Compatible).await?;
                opened.plaintext.to_vec()
            }
            Kept::Sealed => match &self.key {
                Some(key) => key.kept(path, &kept).ok_or_else(damaged)?.to_vec(),
                None => return Err(ObjectError::Other(NO_KEY.into()).into()),
            },
            Kept::Nothing => return Err(damaged().into()),
        };
        let digests = (change.before.as_ref(), change.sealed_before.as_ref());
        match self.is(path, &bytes, digests.0, digests.1) {
            Some(false) => Err(damaged().into()),
            _ => Ok(bytes),
        }
    }

    /// Whether bytes are those of a digest; none if nothing tells.
    fn is(
        &self,
        path: &[u8],
        bytes: &[u8],
        digest: Option<&String>,
        sealed: Option<&String>,
    ) -> Option<bool> {
        match (&self.key, digest, sealed) {
            (Some(key), Some(digest), _) => Some(key.digest(path, bytes) == *digest),
            (_, _, Some(sealed)) => Some(sha256(bytes) == *sealed),
            _ => None,
        }
    }

    /// Stages, reads back and commits. Returns what failed, by its place among the steps.
    async fn write(&self, restores: Vec<Restore>) -> Vec<(usize, StorageError)> {
        let Some(writer) = self.writer.as_ref().filter(|_| !restores.is_empty()) else {
            return Vec::new();
        };
        let few = || StorageError::Other("the store answered for too few drafts".into());
        let wanted: Vec<_> = restores
            .iter()
            .map(|restore| (restore.step, restore.change.bytes().map(sha256)))
            .collect();
        let changes = restores.into_iter().map(|restore| restore.change);
        let mut staged = writer.stage(changes.collect()).await.into_iter();
        let mut failures = Vec::new();
        let mut drafts = Vec::new();
        let mut committing = Vec::new();
        for (step, digest_wanted) in wanted {
            let read_back = match staged.next().unwrap_or_else(|| Err(few())) {
                Ok(draft) if digest_wanted.is_none() => Ok((draft, None)),
                Ok(mut draft) => draft
                    .read_back()
                    .await
                    .map(|bytes| (draft, Some(sha256(&bytes)))),
                Err(error) => Err(error),
            };
            match read_back {
                Ok((draft, digest)) if digest == digest_wanted => {
                    drafts.push(draft);
                    committing.push(step);
                }
                Ok(_) => failures.push((
                    step,
                    StorageError::Other("what was written does not read back the same".into()),
                )),
                Err(error) => failures.push((step, error)),
            }
        }
        let mut committed = writer.commit(drafts).await.into_iter();
        for step in committing {
            if let Err(error) = committed.next().unwrap_or_else(|| Err(few())) {
                failures.push((step, error));
            }
        }
        failures
    }
}

/// What is to be done with an object.
enum Prepared {
    Done(UndoOutcome),
    Write(Change),
}

/// What an object is.
enum As {
    /// What the run made of it.
    Made,
    /// What it was before.
    Before,
    Neither,
}

fn failed(path: Vec<u8>, error: ObjectError) -> UndoStep {
    UndoStep {
        path,
        outcome: UndoOutcome::Failed(error),
    }
}

fn other(error: &impl ToString) -> ObjectError {
    ObjectError::Other(error.to_string())
}

/// A path at a fixed size, so that memory does not grow with long ones.
fn key(path: &[u8]) -> [u8; 32] {
    Sha256::digest(path).into()
}
