//! A store that writes down in a journal what it is about to change.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::file::{Journal, Staged};
use super::record::{self, Did, Kept, Line, Path, Step, sha256, write};
use crate::contract::{Form, StorageError};
use crate::plugin::Auditor;
use crate::storage::{Change, Cursor, Draft, Rights, Storage, StorageWriter, Stored, Version};

/// A store whose changes are journaled: nothing is staged before the journal has durably what takes
/// it back. Lend it in the place of the store that it was made of.
#[derive(Clone)]
pub struct Journaled {
    journal: Arc<Journal>,
    storage: Arc<dyn Storage>,
    writer: Arc<dyn StorageWriter>,
    inspector: Auditor,
    /// Whether what replaces plaintext and is sealed holds the same.
    is_same_content: bool,
}

impl Journaled {
    /// `storage` and `writer` with a journal before them. `inspector` says which objects are plaintext;
    /// it needs no keys.
    pub fn new(
        journal: Arc<Journal>,
        storage: Arc<dyn Storage>,
        writer: Arc<dyn StorageWriter>,
        inspector: Auditor,
    ) -> Self {
        Self {
            journal,
            storage,
            writer,
            inspector,
            is_same_content: true,
        }
    }

    /// The same store for changes that give objects another content: what is sealed and replaces plaintext
    /// does not hold that.
    #[must_use]
    pub fn with_other_content(&self) -> Self {
        Self {
            is_same_content: false,
            ..self.clone()
        }
    }

    /// Writes down what became of objects: the path, the name of the outcome, and whether it was changed.
    /// To be called after each step of the run. A store may fail after it has changed an object, so of those
    /// that are not said to be changed and were to be, it looks what is there. Returns how many of these are
    /// changed all the same, or may be since the store does not tell.
    ///
    /// # Errors
    /// `Other` if the journal cannot be written. What was changed can be taken back all the same.
    pub async fn report<'a>(
        &self,
        steps: impl IntoIterator<Item = (&'a [u8], &'a str, bool)>,
    ) -> Result<u64, StorageError> {
        let mut lines = String::new();
        let mut all_the_same = 0;
        // A store that gives no answer is not asked about each of many.
        let mut answers = true;
        for (path, outcome, mut is_changed) in steps {
            let seen = self.journal.take(path);
            let mut changed = Some(is_changed);
            if let (Some(staged), false) = (&seen.staged, is_changed) {
                changed = match answers {
                    true => self.is_there(path, staged, &mut answers).await,
                    false => None,
                };
                is_changed = changed == Some(true);
                all_the_same += u64::from(changed != Some(false));
            }
            let step = Step {
                path: Path::of(path),
                outcome: outcome.to_owned(),
                changed: changed != Some(false),
                after: match is_changed {
                    true => seen.after,
                    false => seen.before.clone(),
                },
                before: seen.before,
            };
            let said = (step.outcome.clone(), step.after.clone());
            // One that fails and is tried again for hours is to take no room for that.
            if !self.journal.was_said(path, said) || step.changed {
                write(&Line::Step(step), &mut lines);
            }
        }
        // The proof is made of them at the end, and a run that has no end has none.
        self.journal.append(lines, false).await?;
        Ok(all_the_same)
    }

    /// Tells that these objects may have been reported before and are about to be again: the run's proof tells what
    /// became of each in the end.
    pub fn again<'a>(&self, paths: impl IntoIterator<Item = &'a [u8]>) {
        paths
            .into_iter()
            .for_each(|path| self.journal.note_again(path));
    }

    /// Lets go of what was noted of an object that was read and is as it was reported.
    pub fn forget(&self, path: &[u8]) {
        self.journal.take(path);
    }

    /// Whether an object is what it was to become; none if the store does not tell. Nor does it where an object
    /// that was to be removed is gone: somebody else may have been faster.
    async fn is_there(&self, path: &[u8], staged: &Staged, answers: &mut bool) -> Option<bool> {
        let there = match self.storage.read(path).await {
            Ok(stored) => Some(sha256(&stored.bytes)),
            Err(StorageError::NotFound) if staged.0.is_none() => return None,
            Err(StorageError::NotFound) => None,
            Err(error) => {
                *answers = !matches!(error, StorageError::Other(_));
                return None;
            }
        };
        Some(Staged(there) == *staged)
    }

    /// The line that takes a change back.
    async fn change(&self, change: &Change) -> Result<Line, StorageError> {
        let path = change.path();
        let old = match self.storage.read(path).await {
            Ok(old) => Some(old),
            Err(StorageError::NotFound) if matches!(change, Change::Create(_)) => None,
            Err(error) => return Err(error),
        };
        let (did, is_expected) = match change {
            Change::Create(_) => (Did::Create, old.is_none()),
            Change::Replace(new) => (Did::Replace, is_version(old.as_ref(), &new.expected)),
            Change::Remove(gone) => (Did::Remove, is_version(old.as_ref(), &gone.expected)),
        };
        if !is_expected {
            return Err(StorageError::Conflict);
        }
        let (old, new) = (old.as_ref().map(|old| &*old.bytes), change.bytes());
        let digest = |bytes: Option<&[u8]>| self.journal.digest(path, bytes?);
        let (before, after) = (digest(old), digest(new));
        let (sealed_before, sealed_after) = (self.sealed(old).await?, self.sealed(new).await?);
        let (kept, bytes) = match (old, new) {
            (None, _) => (Kept::Nothing, Vec::new()),
            (Some(old), _) if sealed_before.is_some() => (Kept::Before, old.to_vec()),
            // A journal is to hold no plaintext.
            (Some(_), Some(new)) if sealed_after.is_some() && self.is_same_content => {
                (Kept::After, new.to_vec())
            }
            (Some(old), _) => (Kept::Sealed, self.journal.keep(path, old)?),
        };
        let rights = match did {
            Did::Remove => self.writer.rights(path).await?,
            _ => None,
        };
        self.journal.note(path, |seen| {
            seen.before.clone_from(&before);
            seen.after.clone_from(&after);
            seen.staged = Some(Staged(new.map(sha256)));
        });
        Ok(Line::Change(record::Change {
            path: Path::of(path),
            did,
            before,
            after,
            sealed_before,
            sealed_after,
            kept,
            bytes: STANDARD.encode(bytes),
            rights: rights.map(|rights| STANDARD.encode(rights)),
        }))
    }

    /// The SHA-256 of what is sealed; none of what may be plaintext.
    async fn sealed(&self, bytes: Option<&[u8]>) -> Result<Option<String>, StorageError> {
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        match is_sealed(&self.inspector, bytes).await {
            Ok(is_sealed) => Ok(is_sealed.then(|| sha256(bytes))),
            Err(error) => Err(StorageError::Other(format!(
                "the journal cannot tell what it is: {error}"
            ))),
        }
    }
}

fn is_version(there: Option<&Stored>, expected: &Version) -> bool {
    there.is_some_and(|there| there.version == *expected)
}

/// Whether these bytes are in a sealed form. What is in no known form may be plaintext.
pub(super) async fn is_sealed(inspector: &Auditor, bytes: &[u8]) -> Result<bool, crate::Error> {
    match inspector.inspect(bytes).await {
        Ok(description) => Ok(description.form != Form::Plaintext),
        Err(crate::Error::Object(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Storage for Journaled {
    async fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
    ) -> Result<Box<dyn Cursor>, StorageError> {
        self.storage.list(prefix, start_after).await
    }

    async fn read(&self, path: &[u8]) -> Result<Stored, StorageError> {
        let stored = self.storage.read(path).await?;
        let before = self.journal.digest(path, &stored.bytes);
        self.journal.note(path, |seen| seen.before = before);
        Ok(stored)
    }
}

#[async_trait]
impl StorageWriter for Journaled {
    async fn stage(&self, changes: Vec<Change>) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let mut lines = String::new();
        let mut journaled = Vec::new();
        let mut results = VecDeque::new();
        for change in changes {
            match self.change(&change).await {
                Ok(line) => {
                    write(&line, &mut lines);
                    journaled.push(change);
                    results.push_back(None);
                }
                Err(error) => results.push_back(Some(Err(error))),
            }
        }
        let staged = match self.journal.append(lines, true).await {
            Ok(()) => self.writer.stage(journaled).await,
            Err(error) => journaled.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut staged = staged.into_iter();
        let few = || StorageError::Other("the store answered for too few drafts".into());
        results
            .into_iter()
            .map(|result| result.unwrap_or_else(|| staged.next().unwrap_or_else(|| Err(few()))))
            .collect()
    }

    async fn commit(
        &self,
        drafts: Vec<Box<dyn Draft>>,
    ) -> Vec<Result<Option<Version>, StorageError>> {
        self.writer.commit(drafts).await
    }

    async fn rights(&self, path: &[u8]) -> Result<Option<Rights>, StorageError> {
        self.writer.rights(path).await
    }
}
