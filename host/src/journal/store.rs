//! A store that writes down in a journal what it is about to change.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::file::Journal;
use super::record::{Change, Kept, Line, Path, Step, sha256, write};
use crate::contract::{Form, StorageError};
use crate::plugin::Auditor;
use crate::storage::{Cursor, Draft, Replacement, Storage, StorageWriter, Stored, Version};

/// A store whose changes are journaled: nothing is staged before the journal has durably what takes
/// it back. Lend it in the place of the store that it was made of.
#[derive(Clone)]
pub struct Journaled {
    journal: Arc<Journal>,
    storage: Arc<dyn Storage>,
    writer: Arc<dyn StorageWriter>,
    inspector: Auditor,
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
        }
    }

    /// Writes down what became of objects: the path, the name of the outcome, and whether it was changed.
    /// To be called after each step of the run.
    ///
    /// # Errors
    /// `Other` if the journal cannot be written. What was changed can be taken back all the same.
    pub async fn report<'a>(
        &self,
        steps: impl IntoIterator<Item = (&'a [u8], &'a str, bool)>,
    ) -> Result<(), StorageError> {
        let mut lines = String::new();
        for (path, outcome, is_changed) in steps {
            let seen = self.journal.take(path);
            let step = Step {
                path: Path::of(path),
                outcome: outcome.to_owned(),
                after: match is_changed {
                    true => seen.after,
                    false => seen.before.clone(),
                },
                before: seen.before,
            };
            write(&Line::Step(step), &mut lines);
        }
        // The proof is made of them at the end, and a run that has no end has none.
        self.journal.append(lines, false).await
    }

    /// The line that takes a replacement back.
    async fn change(&self, new: &Replacement) -> Result<Line, StorageError> {
        let old = self.storage.read(&new.path).await?;
        if old.version != new.expected {
            return Err(StorageError::Conflict);
        }
        let [before, after] =
            [&old.bytes, &new.bytes].map(|bytes| self.journal.digest(&new.path, bytes));
        let sealed_before = self.sealed(&old.bytes).await?;
        let sealed_after = self.sealed(&new.bytes).await?;
        let (kept, bytes) = match (&sealed_before, &sealed_after) {
            (Some(_), _) => (Kept::Before, &old.bytes),
            (None, Some(_)) => (Kept::After, &new.bytes),
            // A journal is to hold no plaintext.
            (None, None) => {
                return Err(StorageError::Refused(
                    "neither what is there nor what is to take its place is sealed".into(),
                ));
            }
        };
        self.journal.note(&new.path, |seen| {
            seen.before.clone_from(&before);
            seen.after.clone_from(&after);
        });
        Ok(Line::Change(Change {
            path: Path::of(&new.path),
            before,
            after,
            sealed_before,
            sealed_after,
            kept,
            bytes: STANDARD.encode(bytes),
        }))
    }

    /// The SHA-256 of what is sealed; none of what may be plaintext.
    async fn sealed(&self, bytes: &[u8]) -> Result<Option<String>, StorageError> {
        match is_sealed(&self.inspector, bytes).await {
            Ok(is_sealed) => Ok(is_sealed.then(|| sha256(bytes))),
            Err(error) => Err(StorageError::Other(format!(
                "the journal cannot tell what it is: {error}"
            ))),
        }
    }
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
    async fn stage(
        &self,
        replacements: Vec<Replacement>,
    ) -> Vec<Result<Box<dyn Draft>, StorageError>> {
        let mut lines = String::new();
        let mut journaled = Vec::new();
        let mut results = VecDeque::new();
        for replacement in replacements {
            match self.change(&replacement).await {
                Ok(line) => {
                    write(&line, &mut lines);
                    journaled.push(replacement);
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

    async fn commit(&self, drafts: Vec<Box<dyn Draft>>) -> Vec<Result<Version, StorageError>> {
        self.writer.commit(drafts).await
    }
}
